/* The house of the service's tests. */
#include "house.h"

#include "service_certificate.h"

#include "base/clock.h"
#include "base/memory.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* The vault's store: one service-managed key. */
static struct sr_result may_use(struct house *house, const struct sr_id *resource)
{
	if (!house->kek || !sr_id_equal(&house->resource, resource)) {
		return sr_fail(SR_NOT_FOUND, "there is no such resource");
	}
	return house->is_disabled ? sr_fail_as(SR_REVOKED, "KeyDisabled", "the key is disabled") : sr_ok();
}

static struct sr_result store_open(void *context, const char *service, const struct sr_id *resource,
                                   struct sr_secret **ret_kek, uint32_t *ret_kek_epoch, uint64_t *ret_revocation_epoch)
{
	struct house *house = context;
	assert_string_equal(service, "identity");
	SR_LOCKED(&house->mutex);
	SR_TRY(may_use(house, resource));
	SR_TRY(sr_secret_copy(house->kek, ret_kek));
	*ret_kek_epoch = 3;
	*ret_revocation_epoch = house->revocation_epoch;
	return sr_ok();
}

static struct sr_result store_may_renew(void *context, const char *service, const struct sr_id *resource)
{
	struct house *house = context;
	(void)service;
	SR_LOCKED(&house->mutex);
	return may_use(house, resource);
}

static struct sr_result store_create(void *context, const char *service, const struct sr_id *resource, const char *kind,
                                     const char *label, const struct sr_key_reference *key)
{
	struct house *house = context;
	SR_LOCKED(&house->mutex);
	if (strcmp(service, "identity") != 0 || strcmp(kind, "service") != 0 || strcmp(label, "identity") != 0 ||
	    (key && !key->is_service_managed)) {
		return sr_fail(SR_INVALID, "not what identity should ask for");
	}
	if (house->kek) {
		return sr_fail(SR_EXISTS, "the resource is there");
	}
	house->resource = *resource;
	return sr_secret_random(SR_KEY_LEN, &house->kek);
}

static struct sr_result store_rekey(void *context, const char *service, const struct sr_id *resource,
                                    const struct sr_key_reference *key)
{
	(void)context, (void)service, (void)resource, (void)key;
	return sr_fail(SR_INVALID, "identity does not rekey");
}

static struct sr_result store_destroy(void *context, const char *service, const struct sr_id *resource)
{
	(void)context, (void)service, (void)resource;
	return sr_fail(SR_INVALID, "identity does not destroy");
}

static struct sr_result store_describe(void *context, const char *service, const struct sr_id *resource,
                                       struct sr_key_reference *ret_key)
{
	(void)context, (void)service, (void)resource, (void)ret_key;
	return sr_fail(SR_INVALID, "identity does not describe");
}

void house_start_vault(struct house *house)
{
	struct sr_grantor_options options = {.tls = house->vault_tls,
	                                     .address = "127.0.0.1",
	                                     .port = house->vault_port,
	                                     .ttl_ms = HOUSE_TTL_MS,
	                                     .store = {.context = house,
	                                               .open_kek = store_open,
	                                               .may_renew = store_may_renew,
	                                               .create = store_create,
	                                               .rekey = store_rekey,
	                                               .destroy = store_destroy,
	                                               .describe = store_describe}};
	expect_ok(sr_grantor_start(&options, &house->grantor));
	house->vault_port = sr_grantor_port(house->grantor);
}

void house_stop_vault(struct house *house)
{
	sr_grantor_stop(house->grantor);
	house->grantor = NULL;
}

void house_take_key_away(struct house *house)
{
	sr_mutex_lock(&house->mutex);
	house->is_disabled = true;
	uint64_t epoch = ++house->revocation_epoch;
	sr_mutex_unlock(&house->mutex);
	struct sr_recall_outcome outcome = sr_grantor_recall(house->grantor, &house->resource, 1, epoch, "KeyDisabled");
	assert_int_equal(outcome.holders_silent, 0);
}

void house_give_key_back(struct house *house)
{
	SR_LOCKED(&house->mutex);
	house->is_disabled = false;
}

static void make_tls(struct house *house)
{
	expect_ok(sr_certificate_new_ca("Test", 2, &house->ca));
	SR_CLEANUP(sr_certificate) struct sr_certificate *vault = service_certificate(house->ca, "vault");
	SR_CLEANUP(sr_certificate) struct sr_certificate *identity = service_certificate(house->ca, "identity");
	SR_CLEANUP(sr_certificate) struct sr_certificate *blob = service_certificate(house->ca, "blob");
	expect_ok(sr_tls_server_new(vault, house->ca, SR_TLS_MUST_SHOW, &house->vault_tls));
	expect_ok(sr_tls_server_new(identity, NULL, SR_TLS_ANYONE, &house->public_tls));
	expect_ok(sr_tls_server_new(identity, house->ca, SR_TLS_MUST_SHOW, &house->internal_tls));
	expect_ok(sr_tls_client_new(identity, house->ca, &house->client_tls));
	expect_ok(sr_tls_client_new(blob, house->ca, &house->blob_tls));
	expect_ok(sr_tls_client_new(NULL, house->ca, &house->customer_tls));
}

static const char *const listen_addresses[] = {"127.0.0.1", NULL};
static const char *const own_names[] = {"localhost", NULL};

void house_start_service(struct house *house)
{
	struct sr_identity_options options = {.public_tls = house->public_tls,
	                                      .internal_tls = house->internal_tls,
	                                      .client_tls = house->client_tls,
	                                      .listen_addresses = listen_addresses,
	                                      .internal_address = "127.0.0.1",
	                                      .vault_address = "127.0.0.1",
	                                      .vault_port = house->vault_port,
	                                      .socket_path = house->socket,
	                                      .state_dir = house->folder,
	                                      .authority = "https://127.0.0.1:8441",
	                                      .own = {.dns_names = own_names, .addresses = listen_addresses},
	                                      .token_lifetime_s = 3600};
	expect_ok(sr_identity_start(&options, &house->identity));
}

void house_prepare(struct house *house)
{
	uint64_t deadline_ms = sr_boottime_ms() + 5000;
	for (;;) {
		struct sr_result prepared = sr_identity_prepare(house->identity);
		if (sr_is_ok(prepared) || sr_boottime_ms() > deadline_ms) {
			expect_ok(prepared);
			return;
		}
		sr_ignore(prepared);
		sr_sleep_ms(20);
	}
}

int house_set_up(void **state)
{
	struct house *house = sr_alloc(sizeof *house);
	const char *base = getenv("TMPDIR");
	snprintf(house->folder, sizeof house->folder, "%s/sr-identity-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(house->folder));
	snprintf(house->socket, sizeof house->socket, "%s/control.sock", house->folder);
	sr_mutex_init(&house->mutex, SR_RANK_DATABASE);
	make_tls(house);
	house_start_vault(house);
	house_start_service(house);
	*state = house;
	return 0;
}

static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	for (const struct dirent *entry; folder && (entry = readdir(folder));) {
		unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
	rmdir(path);
}

int house_tear_down(void **state)
{
	struct house *house = *state;
	sr_identity_stop(house->identity);
	if (house->grantor) {
		house_stop_vault(house);
	}
	sr_tls_free(house->vault_tls);
	sr_tls_free(house->public_tls);
	sr_tls_free(house->internal_tls);
	sr_tls_free(house->client_tls);
	sr_tls_free(house->blob_tls);
	sr_tls_free(house->customer_tls);
	sr_certificate_free(house->ca);
	sr_secret_free(house->kek);
	remove_folder(house->folder);
	sr_free(house);
	return 0;
}
