/* Renewal of services' certificates, in time (the chore of the vault's own) and when it is asked for. */
#include "vault/own_certificate.h"

#include "base/clock.h"
#include "base/thread.h"
#include "vault/system_vault.h"
#include "vault/tending.h"

#include <string.h>
#include <time.h>

enum { RENEW_BEFORE_S = 30 * 86400, WAIT_MS = 10000, LOOK_EVERY_MS = 10 };

/* A new certificate for the vault itself, at once. Thread-safe. */
static struct sr_result renew_own(struct sr_vault *vault)
{
	SR_CLEANUP(sr_certificate) struct sr_certificate *fresh = NULL;
	SR_TRY(sr_authority_issue(vault->authority, "vault", &fresh));
	SR_TRY(sr_host_enrol_as_authority(vault->host, fresh, sr_authority_certificate(vault->authority), sr_authority_sign,
	                                  vault->authority));
	SR_LOCKED(&vault->own_mutex);
	struct sr_certificate *old = vault->own;
	vault->own = SR_TAKE(fresh);
	sr_certificate_free(old);
	return sr_ok();
}

struct sr_result sr_renew_vault_certificate(struct sr_vault *vault, int64_t now)
{
	if (!vault->host) { /* a test's */
		return sr_ok();
	}
	sr_mutex_lock(&vault->own_mutex);
	const int64_t end = sr_certificate_not_after(vault->own);
	sr_mutex_unlock(&vault->own_mutex);
	return end - now > RENEW_BEFORE_S ? sr_ok() : renew_own(vault);
}

struct look {
	struct sr_arena *arena;
	const char *service;
	struct sr_certificate_record certificate;
};

static struct sr_result look(struct sr_connection *connection, void *context)
{
	struct look *look = context;
	return sr_vault_certificate_find(connection, look->arena, SR_SYSTEM_VAULT, look->service, NULL, SR_CERTIFICATE_LIVE,
	                                 &look->certificate);
}

/* Until the version after `number` is there. */
static struct sr_result wait_for_next(struct sr_vault *vault, struct look *seen, int64_t number)
{
	const uint64_t deadline_ms = sr_boottime_ms() + WAIT_MS;
	const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
	while (seen->certificate.number == number) {
		if (sr_boottime_ms() > deadline_ms) {
			return sr_fail(SR_TIMEOUT, "%s has asked for no new certificate in %d s: does it run?", seen->service,
			               WAIT_MS / 1000);
		}
		sr_blocking_begin();
		nanosleep(&pause, NULL);
		sr_blocking_end();
		SR_TRY(sr_database_read(vault->state.database, look, seen));
	}
	return sr_ok();
}

struct sr_result sr_service_certificate_renew(struct sr_vault *vault, struct sr_arena *arena, const char *service,
                                              struct sr_certificate_record *ret_certificate)
{
	struct look seen = {.arena = arena, .service = service};
	struct sr_result found = sr_database_read(vault->state.database, look, &seen);
	if (sr_result_code(found) == SR_NOT_FOUND || strcmp(service, SR_SYSTEM_CA) == 0) {
		sr_result_free(found);
		return sr_fail_as(SR_NOT_FOUND, "NotFound", "no service named %.64s has a certificate", service);
	}
	SR_TRY(found);
	const int64_t number = seen.certificate.number;
	if (strcmp(service, "vault") == 0) {
		SR_TRY(renew_own(vault));
	} else {
		SR_TRY(sr_host_ask_renewal(vault->host, service));
	}
	SR_TRY(wait_for_next(vault, &seen, number));
	*ret_certificate = seen.certificate;
	return sr_ok();
}
