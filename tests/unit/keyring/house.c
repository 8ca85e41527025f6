/* The lease tests' house. */
#include "house.h"

#include "service_certificate.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- certificates ---- */

static struct sr_tls *client_tls(struct house *house, const char *service)
{
	struct sr_certificate *own = service_certificate(house->ca, service);
	struct sr_tls *tls;
	expect_ok(sr_tls_client_new(own, house->ca, &tls));
	sr_certificate_free(own);
	return tls;
}

/* ---- the store ---- */

static struct house_resource *find(struct house *house, const struct sr_id *id)
{
	for (unsigned i = 0; i < HOUSE_RESOURCES; i++) {
		if (sr_id_equal(&house->resources[i].id, id)) {
			return &house->resources[i];
		}
	}
	return NULL;
}

static struct sr_result may_use(struct house *house, const struct sr_id *id, struct house_resource **ret_resource)
{
	struct house_resource *resource = find(house, id);
	if (!resource || resource->is_destroyed) {
		return sr_fail(SR_NOT_FOUND, "there is no such resource");
	}
	if (resource->is_disabled) {
		return sr_fail_as(SR_REVOKED, "KeyDisabled", "the key is disabled");
	}
	*ret_resource = resource;
	return sr_ok();
}

static struct sr_result open_locked(struct house *house, const struct sr_id *id, struct sr_secret **ret_kek,
                                    uint32_t *ret_kek_epoch, uint64_t *ret_revocation_epoch)
{
	SR_LOCKED(&house->mutex);
	struct house_resource *resource;
	SR_TRY(may_use(house, id, &resource));
	SR_TRY(sr_secret_copy(resource->kek, ret_kek));
	*ret_kek_epoch = 1;
	*ret_revocation_epoch = resource->revocation_epoch;
	return sr_ok();
}

static struct sr_result open_kek(void *context, const char *service, const struct sr_id *id, struct sr_secret **ret_kek,
                                 uint32_t *ret_kek_epoch, uint64_t *ret_revocation_epoch)
{
	struct house *house = context;
	(void)service;
	atomic_fetch_add(&house->opens, 1);
	struct sr_result result = open_locked(house, id, ret_kek, ret_kek_epoch, ret_revocation_epoch);
	sr_sleep_ms(atomic_load(&house->open_delay_ms));
	return result;
}

static struct sr_result least_anchor(void *context, const char *service, const struct sr_id *id, uint64_t *ret_anchor)
{
	struct house *house = context;
	(void)service;
	SR_LOCKED(&house->mutex);
	*ret_anchor = find(house, id)->anchor;
	return sr_ok();
}

static struct sr_result note_anchor(void *context, const char *service, const struct sr_id *id, uint64_t anchor)
{
	struct house *house = context;
	(void)service;
	if (atomic_load(&house->refuses_notes)) {
		return sr_fail(SR_NO_SPACE, "the disk is full");
	}
	SR_LOCKED(&house->mutex);
	find(house, id)->anchor = anchor;
	return sr_ok();
}

static struct sr_result may_renew(void *context, const char *service, const struct sr_id *id)
{
	struct house *house = context;
	(void)service;
	atomic_fetch_add(&house->renewals, 1);
	SR_LOCKED(&house->mutex);
	struct house_resource *resource;
	return may_use(house, id, &resource);
}

static struct sr_result create(void *context, const char *service, const struct sr_id *id, const char *kind,
                               const char *label, const struct sr_key_reference *key)
{
	struct house *house = context;
	if (strcmp(service, "blob") != 0 || strcmp(kind, "account") != 0 || strcmp(label, "mine") != 0) {
		return sr_fail(SR_INVALID, "not what was sent");
	}
	SR_LOCKED(&house->mutex);
	if (find(house, id)) {
		return sr_fail(SR_EXISTS, "the resource is there");
	}
	if (strcmp(key->vault, "nowhere") == 0) {
		return sr_fail_as(SR_NOT_FOUND, "KeyNotFound", "there is no such key");
	}
	struct house_resource *resource = &house->resources[HOUSE_RESOURCES - 1];
	resource->id = *id;
	resource->key = *key;
	resource->is_destroyed = false;
	return sr_ok();
}

static struct sr_result rekey(void *context, const char *service, const struct sr_id *id,
                              const struct sr_key_reference *key)
{
	struct house *house = context;
	(void)service;
	SR_LOCKED(&house->mutex);
	find(house, id)->key = *key;
	return sr_ok();
}

static struct sr_result destroy(void *context, const char *service, const struct sr_id *id)
{
	struct house *house = context;
	(void)service;
	sr_mutex_lock(&house->mutex);
	struct house_resource *resource = find(house, id);
	resource->is_destroyed = true;
	uint64_t epoch = ++resource->revocation_epoch;
	sr_mutex_unlock(&house->mutex);
	struct sr_recall_outcome outcome = sr_grantor_recall(house->grantor, id, 1, epoch, "KeyNotFound");
	return outcome.holders_silent ? sr_fail(SR_INTERNAL, "a holder was silent") : sr_ok();
}

static struct sr_result describe(void *context, const char *service, const struct sr_id *id,
                                 struct sr_key_reference *ret_key)
{
	struct house *house = context;
	(void)service;
	SR_LOCKED(&house->mutex);
	struct house_resource *resource;
	SR_TRY(may_use(house, id, &resource));
	*ret_key = resource->key;
	return sr_ok();
}

/* ---- the house ---- */

void house_open(struct house *house)
{
	expect_ok(sr_seal_init());
	*house = (struct house){0};
	sr_mutex_init(&house->mutex, SR_RANK_SERVICE);
	expect_ok(sr_certificate_new_ca("test CA", 2, &house->ca));
	struct sr_certificate *own = service_certificate(house->ca, "vault");
	expect_ok(sr_tls_server_new(own, house->ca, SR_TLS_MUST_SHOW, &house->vault_tls));
	sr_certificate_free(own);
	house->blob_tls = client_tls(house, "blob");
	house->cosmos_tls = client_tls(house, "cosmos");
	for (unsigned i = 0; i < HOUSE_RESOURCES; i++) {
		house->resources[i].id = sr_id_random();
		house->resources[i].revocation_epoch = 1;
		expect_ok(sr_secret_random(SR_KEY_LEN, &house->resources[i].kek));
	}
}

void house_close(struct house *house)
{
	house_stop_vault(house);
	sr_tls_free(house->vault_tls);
	sr_tls_free(house->blob_tls);
	sr_tls_free(house->cosmos_tls);
	sr_certificate_free(house->ca);
	for (unsigned i = 0; i < HOUSE_RESOURCES; i++) {
		sr_secret_free(house->resources[i].kek);
	}
	sr_mutex_destroy(&house->mutex);
}

void house_start_vault(struct house *house)
{
	struct sr_grantor_options options = {.tls = house->vault_tls,
	                                     .address = "127.0.0.1",
	                                     .port = house->port,
	                                     .ttl_ms = HOUSE_TTL_MS,
	                                     .store = {.context = house,
	                                               .open_kek = open_kek,
	                                               .may_renew = may_renew,
	                                               .least_anchor = least_anchor,
	                                               .note_anchor = note_anchor,
	                                               .create = create,
	                                               .rekey = rekey,
	                                               .destroy = destroy,
	                                               .describe = describe}};
	expect_ok(sr_grantor_start(&options, &house->grantor));
	house->port = sr_grantor_port(house->grantor);
}

void house_stop_vault(struct house *house)
{
	sr_grantor_stop(SR_TAKE(house->grantor));
}

struct sr_keyring *house_keyring(struct house *house, uint16_t port)
{
	struct sr_keyring_options options = {
	    .tls = house->blob_tls, .vault_address = "127.0.0.1", .vault_port = port, .service = "blob"};
	struct sr_keyring *keyring;
	expect_ok(sr_keyring_start(&options, &keyring));
	return keyring;
}

const struct sr_id *house_id(struct house *house, unsigned resource)
{
	return &house->resources[resource].id;
}

void house_disable_only(struct house *house, unsigned resource)
{
	SR_LOCKED(&house->mutex);
	house->resources[resource].is_disabled = true;
	house->resources[resource].revocation_epoch++;
}

struct sr_recall_outcome house_recall(struct house *house, unsigned resource)
{
	sr_mutex_lock(&house->mutex);
	uint64_t epoch = house->resources[resource].revocation_epoch;
	sr_mutex_unlock(&house->mutex);
	return sr_grantor_recall(house->grantor, house_id(house, resource), 1, epoch, "KeyDisabled");
}

struct sr_recall_outcome house_disable(struct house *house, unsigned resource)
{
	house_disable_only(house, resource);
	return house_recall(house, resource);
}

void house_restore(struct house *house, unsigned resource)
{
	SR_LOCKED(&house->mutex);
	house->resources[resource].is_disabled = false;
}

/* ---- the wire ---- */

enum { PAIRS_MAX = 64 };

struct wire {
	int listener;
	uint16_t to_port;
	struct sr_thread thread;
	atomic_bool is_frozen, is_cut, is_over;
	int pairs[PAIRS_MAX][2];
	int count;
};

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void wire_accept(struct wire *wire)
{
	int from = accept(wire->listener, NULL, NULL);
	int to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = loopback(wire->to_port);
	if (from < 0 || wire->count == PAIRS_MAX || connect(to, (struct sockaddr *)&address, sizeof address) != 0) {
		close(from);
		close(to);
		return;
	}
	wire->pairs[wire->count][0] = from;
	wire->pairs[wire->count++][1] = to;
}

static void drop_pair(struct wire *wire, int i)
{
	close(wire->pairs[i][0]);
	close(wire->pairs[i][1]);
	wire->count--;
	memmove(wire->pairs[i], wire->pairs[wire->count], sizeof wire->pairs[i]);
}

static bool forward(int from, int to)
{
	char bytes[65536];
	ssize_t len = recv(from, bytes, sizeof bytes, MSG_DONTWAIT);
	return len > 0 && send(to, bytes, (size_t)len, MSG_NOSIGNAL) == len;
}

static void wire_main(void *context)
{
	struct wire *wire = context;
	while (!atomic_load(&wire->is_over)) {
		if (atomic_exchange(&wire->is_cut, false)) {
			while (wire->count) {
				drop_pair(wire, 0);
			}
		}
		if (atomic_load(&wire->is_frozen)) {
			sr_sleep_ms(1);
			continue;
		}
		struct pollfd items[2 * PAIRS_MAX + 1] = {{.fd = wire->listener, .events = POLLIN}};
		for (int i = 0; i < wire->count; i++) {
			items[1 + 2 * i] = (struct pollfd){.fd = wire->pairs[i][0], .events = POLLIN};
			items[2 + 2 * i] = (struct pollfd){.fd = wire->pairs[i][1], .events = POLLIN};
		}
		int count = wire->count;
		poll(items, (nfds_t)(1 + 2 * count), 2);
		for (int i = count - 1; i >= 0; i--) {
			bool is_well = (!items[1 + 2 * i].revents || forward(wire->pairs[i][0], wire->pairs[i][1])) &&
			               (!items[2 + 2 * i].revents || forward(wire->pairs[i][1], wire->pairs[i][0]));
			if (!is_well) {
				drop_pair(wire, i);
			}
		}
		if (items[0].revents) {
			wire_accept(wire);
		}
	}
}

struct wire *wire_new(uint16_t to_port, uint16_t *ret_port)
{
	struct wire *wire = sr_alloc(sizeof *wire);
	wire->to_port = to_port;
	wire->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof address;
	assert_int_equal(bind(wire->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(wire->listener, 16), 0);
	assert_int_equal(getsockname(wire->listener, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	expect_ok(sr_thread_start("wire", 0, wire_main, wire, &wire->thread));
	return wire;
}

void wire_freeze(struct wire *wire, bool is_frozen)
{
	atomic_store(&wire->is_frozen, is_frozen);
}

void wire_cut(struct wire *wire)
{
	atomic_store(&wire->is_cut, true);
}

void wire_free(struct wire *wire)
{
	atomic_store(&wire->is_over, true);
	sr_thread_join(wire->thread);
	while (wire->count) {
		drop_pair(wire, 0);
	}
	close(wire->listener);
	sr_free(wire);
}
