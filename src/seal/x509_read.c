/* What a certificate says: its names, usages, dates, and whose key it bears. */
#include "seal/x509_parts.h"

#include "seal/openssl_error.h"

#include <string.h>
#include <time.h>

enum { DAY_S = 86400, OID_TEXT_MAX = 128 };

static void objects_cleanup(EXTENDED_KEY_USAGE **objects)
{
	EXTENDED_KEY_USAGE_free(*objects);
}

static struct sr_result time_of(const ASN1_TIME *time, int64_t *ret_time)
{
	struct tm parts = {0};
	if (ASN1_TIME_to_tm(time, &parts) != 1) {
		return sr_fail_openssl(SR_INVALID, "read a certificate's dates");
	}
	*ret_time = (int64_t)timegm(&parts);
	return sr_ok();
}

/* Names by kind; lists grow to what the certificate holds. */
struct name_lists {
	struct sr_arena *arena;
	const char **dns_names, **emails, **upns;
	size_t dns_count, email_count, upn_count;
};

/* Texts with control characters or a NUL inside are kept out: they could be taken for others. */
static void add_name(struct name_lists *lists, const ASN1_STRING *string, const char **list, size_t *count)
{
	const struct sr_bytes text = sr_bytes_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < ' ' || text.data[i] == 0x7F) {
			return;
		}
	}
	if (text.len && sr_is_utf8(text)) {
		list[(*count)++] = sr_arena_text(lists->arena, text);
	}
}

static void sort_name(struct name_lists *lists, const GENERAL_NAME *name)
{
	int type;
	void *value = GENERAL_NAME_get0_value(name, &type);
	ASN1_OBJECT *kind = NULL;
	ASN1_TYPE *any = NULL;
	if (type == GEN_DNS) {
		add_name(lists, value, lists->dns_names, &lists->dns_count);
	} else if (type == GEN_EMAIL) {
		add_name(lists, value, lists->emails, &lists->email_count);
	} else if (type == GEN_OTHERNAME && GENERAL_NAME_get0_otherName(name, &kind, &any) == 1 &&
	           OBJ_obj2nid(kind) == NID_ms_upn && any->type == V_ASN1_UTF8STRING) {
		add_name(lists, any->value.utf8string, lists->upns, &lists->upn_count);
	}
}

static struct sr_result read_names(struct sr_arena *arena, X509 *x509, struct sr_x509_plan *plan)
{
	SR_CLEANUP(general_names) GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
	int count = names ? sk_GENERAL_NAME_num(names) : 0;
	if (count > SR_X509_NAMES_MAX) {
		return sr_fail(SR_INVALID, "the certificate has more than %d names", SR_X509_NAMES_MAX);
	}
	const size_t room = ((size_t)count + 1) * sizeof(char *);
	struct name_lists lists = {.arena = arena,
	                           .dns_names = sr_arena_alloc(arena, room),
	                           .emails = sr_arena_alloc(arena, room),
	                           .upns = sr_arena_alloc(arena, room)};
	for (int i = 0; i < count; i++) {
		sort_name(&lists, sk_GENERAL_NAME_value(names, i));
	}
	plan->dns_names = lists.dns_names;
	plan->emails = lists.emails;
	plan->upns = lists.upns;
	return sr_ok();
}

static struct sr_result read_ekus(struct sr_arena *arena, X509 *x509, struct sr_x509_plan *plan)
{
	SR_CLEANUP(objects) EXTENDED_KEY_USAGE *objects = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
	int count = objects ? sk_ASN1_OBJECT_num(objects) : 0;
	if (count > SR_X509_NAMES_MAX) {
		return sr_fail(SR_INVALID, "the certificate has more than %d usages", SR_X509_NAMES_MAX);
	}
	const char **ekus = sr_arena_alloc(arena, ((size_t)count + 1) * sizeof *ekus);
	for (int i = 0; i < count; i++) {
		char text[OID_TEXT_MAX];
		int len = OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(objects, i), 1);
		if (len <= 0 || len >= OID_TEXT_MAX) {
			return sr_fail(SR_INVALID, "the certificate has a usage that does not read");
		}
		ekus[i] = sr_arena_strdup(arena, text);
	}
	plan->ekus = ekus;
	return sr_ok();
}

/* Bit 0 of the extension is the first byte's highest; OpenSSL gives the two bytes as they are. */
static unsigned usage_of(X509 *x509)
{
	uint32_t flags = X509_get_key_usage(x509);
	if (flags == UINT32_MAX) {
		return 0; /* no such extension */
	}
	unsigned usage = 0;
	for (unsigned i = 0; i < 8; i++) {
		usage |= flags & 0x80U >> i ? 1U << i : 0;
	}
	return usage | (flags & 0x8000U ? SR_USAGE_DECIPHER_ONLY : 0);
}

struct sr_result sr_x509_read(struct sr_arena *arena, struct sr_bytes der, struct sr_x509_facts *ret_facts)
{
	SR_CLEANUP(x509) X509 *x509 = NULL;
	SR_TRY(sr_x509_parse(der, &x509));
	struct sr_x509_facts facts = {0};
	SR_TRY(sr_x509_name_text(arena, X509_get_subject_name(x509), &facts.plan.subject));
	SR_TRY(read_names(arena, x509, &facts.plan));
	SR_TRY(read_ekus(arena, x509, &facts.plan));
	facts.plan.key_usage = usage_of(x509);
	SR_TRY(time_of(X509_get0_notBefore(x509), &facts.not_before));
	SR_TRY(time_of(X509_get0_notAfter(x509), &facts.not_after));
	const int64_t days = facts.not_after > facts.not_before ? (facts.not_after - facts.not_before) / DAY_S : 0;
	const int64_t months = days / 30 ? (days * 12 + 182) / 365 : 1;
	facts.plan.months = months > SR_X509_MONTHS_MAX ? SR_X509_MONTHS_MAX : (unsigned)months;
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA1, der, digest);
	memcpy(facts.thumbprint, digest, sizeof facts.thumbprint);
	sr_forget_openssl_errors();
	*ret_facts = facts;
	return sr_ok();
}

struct sr_result sr_x509_check_key(struct sr_bytes der, const struct sr_keypair *keypair)
{
	SR_CLEANUP(x509) X509 *x509 = NULL;
	SR_TRY(sr_x509_parse(der, &x509));
	EVP_PKEY *key = X509_get0_pubkey(x509);
	if (!key || !keypair->pkey || EVP_PKEY_eq(key, keypair->pkey) != 1) {
		sr_forget_openssl_errors();
		return sr_fail(SR_INVALID, "the certificate is another key's");
	}
	return sr_ok();
}
