/* What stands in the place of tpm.c in a program that was built without tpm2-tss. */
#include "seal/tpm.h"

void sr_tpm_prepare(void)
{
}

static struct sr_result absent(void)
{
	return sr_fail(SR_UNAVAILABLE, "this program was built without TPM support (libtss2-dev was not there)");
}

struct sr_result sr_tpm_seal(const char *tcti, const char *pcrs, const struct sr_secret *pin,
                             const struct sr_secret *secret, struct sr_buf *object)
{
	(void)tcti;
	(void)pcrs;
	(void)pin;
	(void)secret;
	(void)object;
	return absent();
}

struct sr_result sr_tpm_unseal(const char *tcti, struct sr_bytes object, const struct sr_secret *pin,
                               struct sr_secret **ret_secret)
{
	(void)tcti;
	(void)object;
	(void)pin;
	(void)ret_secret;
	return absent();
}
