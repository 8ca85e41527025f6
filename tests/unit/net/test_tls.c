/* Who is let in and who is believed; many clients at once; certificates that change under way. */
#include "rig.h"

#include "base/clock.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rig rig;

static int start(void **state)
{
	(void)state;
	rig_start(&rig, NULL, SR_TLS_ANYONE);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_stop(&rig, 1000);
	return 0;
}

static int dial(uint16_t port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* Whether OpenSSL's own client, so restricted, gets through; the certificate's serial number with it. */
static bool shakes_hands(int version, const char *suites, uint64_t *ret_serial)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(context, 0);
	SSL_CTX_set_min_proto_version(context, version);
	SSL_CTX_set_max_proto_version(context, version);
	assert_int_equal(SSL_CTX_set_cipher_list(context, suites), 1);
	SSL *session = SSL_new(context);
	int fd = dial(rig.port);
	SSL_set_fd(session, fd);
	bool is_through = SSL_connect(session) == 1;
	if (is_through && ret_serial) {
		X509 *peer = SSL_get0_peer_certificate(session);
		const unsigned char *bytes = ASN1_STRING_get0_data(X509_get0_serialNumber(peer));
		memcpy(ret_serial, bytes, sizeof *ret_serial);
	}
	SSL_free(session);
	SSL_CTX_free(context);
	close(fd);
	return is_through;
}

static void test_old_versions_and_weak_suites_are_refused(void **state)
{
	(void)state;
	assert_false(shakes_hands(TLS1_VERSION, "ALL", NULL));
	assert_false(shakes_hands(TLS1_1_VERSION, "ALL", NULL));
	assert_false(shakes_hands(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256", NULL)); /* no AEAD */
	assert_false(shakes_hands(TLS1_2_VERSION, "AES128-GCM-SHA256", NULL));         /* no forward secrecy */
	assert_true(shakes_hands(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL));
	assert_true(shakes_hands(TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", NULL));
	assert_true(shakes_hands(TLS1_3_VERSION, "ALL", NULL));
}

static void test_new_connections_get_a_replaced_certificate_and_old_ones_go_on(void **state)
{
	(void)state;
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	SR_CLEANUP(sr_client_response) struct sr_client_response before = {0};
	SR_CLEANUP(sr_client_response) struct sr_client_response after = {0};
	uint64_t first = 0;
	uint64_t second = 0;
	assert_true(shakes_hands(TLS1_3_VERSION, "ALL", &first));
	expect_ok(sr_client_new(rig.client_tls, "127.0.0.1", rig.port, NULL, &client));
	expect_ok(sr_client_exchange(client, &(struct sr_client_request){.method = "GET", .target = "/hello"}, &before));
	uint64_t connections = sr_server_counts_now(rig.server).connections_all;
	struct sr_certificate *other = rig_issue(rig.ca, "server");
	expect_ok(sr_tls_replace(rig.tls, other));
	sr_certificate_free(other);
	expect_ok(sr_client_exchange(client, &(struct sr_client_request){.method = "GET", .target = "/hello"}, &after));
	assert_int_equal(sr_server_counts_now(rig.server).connections_all, connections);
	assert_true(shakes_hands(TLS1_3_VERSION, "ALL", &second));
	assert_true(first != second);
}

/* The code of one exchange with this port, of a client with these certificates; the body it got. */
static int ask_peer(uint16_t port, struct sr_certificate *own, struct sr_certificate *ca, const char *expect_service,
                    char body[static 64])
{
	struct sr_tls *tls = NULL;
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	expect_ok(sr_tls_client_new(own, ca, &tls));
	expect_ok(sr_client_new(tls, "127.0.0.1", port, expect_service, &client));
	SR_CLEANUP(sr_result)
	struct sr_result result =
	    sr_client_exchange(client, &(struct sr_client_request){.method = "GET", .target = "/peer"}, &response);
	snprintf(body, 64, "%.*s", (int)response.body.len, (const char *)response.body.data);
	sr_client_cleanup(&client);
	sr_tls_free(tls);
	return (int)sr_result_code(result);
}

static void test_mutual_tls_lets_in_who_shows_a_certificate_of_our_ca(void **state)
{
	(void)state;
	struct rig mutual;
	char body[64];
	rig_start(&mutual, NULL, SR_TLS_MUST_SHOW);
	struct sr_certificate *foreign_ca = NULL;
	expect_ok(sr_certificate_new_ca("Test CA", 30, &foreign_ca));
	struct sr_certificate *blob = rig_issue(mutual.ca, "blob");
	struct sr_certificate *nobody = rig_issue(mutual.ca, NULL);
	struct sr_certificate *foreign = rig_issue(foreign_ca, "blob");
	assert_int_equal(ask_peer(mutual.port, blob, mutual.ca, "server", body), SR_OK);
	assert_string_equal(body, "blob");
	assert_int_equal(ask_peer(mutual.port, nobody, mutual.ca, "server", body), SR_OK);
	assert_string_equal(body, "");
	assert_int_not_equal(ask_peer(mutual.port, NULL, mutual.ca, "server", body), SR_OK);
	assert_int_not_equal(ask_peer(mutual.port, foreign, mutual.ca, "server", body), SR_OK);
	sr_certificate_free(foreign_ca);
	sr_certificate_free(blob);
	sr_certificate_free(nobody);
	sr_certificate_free(foreign);
	rig_stop(&mutual, 1000);
}

static void test_a_client_believes_only_whom_it_means(void **state)
{
	(void)state;
	char body[64];
	struct sr_certificate *foreign_ca = NULL;
	expect_ok(sr_certificate_new_ca("Test CA", 30, &foreign_ca));
	assert_int_equal(ask_peer(rig.port, NULL, rig.ca, NULL, body), SR_OK);
	assert_int_equal(ask_peer(rig.port, NULL, rig.ca, "server", body), SR_OK);
	assert_int_equal(ask_peer(rig.port, NULL, rig.ca, "vault", body), SR_UNAUTHENTICATED);
	assert_int_equal(ask_peer(rig.port, NULL, foreign_ca, NULL, body), SR_UNAUTHENTICATED);
	assert_int_equal(ask_peer(rig.port, NULL, foreign_ca, "server", body), SR_UNAUTHENTICATED);
	sr_certificate_free(foreign_ca);
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	struct sr_server *other = NULL; /* the same certificate at an address that it does not bear */
	uint16_t port = 0;
	expect_ok(sr_server_new(&(struct sr_server_options){0}, &other));
	expect_ok(sr_server_listen(other, rig.tls, "127.0.0.2", 0, &port));
	expect_ok(sr_server_start(other));
	expect_ok(sr_client_new(rig.client_tls, "127.0.0.2", port, NULL, &client));
	expect_code(sr_client_exchange(client, &(struct sr_client_request){.method = "GET", .target = "/"}, &response),
	            SR_UNAUTHENTICATED);
	sr_server_stop(other, 0);
}

static struct sr_result say_address(struct sr_exchange *exchange, void *context)
{
	(void)context;
	return sr_exchange_send(exchange, 200, sr_bytes_str(sr_exchange_peer_address(exchange)));
}

static void say_error(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	(void)context;
	sr_ignore(sr_exchange_send(exchange, 500, sr_bytes_str(sr_result_message(error))));
}

static void test_both_families_are_served(void **state)
{
	(void)state;
	struct sr_server *both = NULL;
	uint16_t port = 0;
	uint16_t port_again = 0;
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	expect_ok(sr_server_new(&(struct sr_server_options){.handler = say_address, .on_error = say_error}, &both));
	expect_ok(sr_server_listen(both, rig.tls, "::", 0, &port));
	expect_ok(sr_server_listen(both, rig.tls, "0.0.0.0", port, &port_again));
	expect_ok(sr_server_start(both));
	static const char *const addresses[] = {"::1", "127.0.0.1"};
	for (size_t i = 0; i < 2; i++) {
		expect_ok(sr_client_new(rig.client_tls, addresses[i], port, "server", &client));
		expect_ok(sr_client_exchange(client, &(struct sr_client_request){.method = "GET", .target = "/"}, &response));
		assert_true(sr_equal_public(sr_buf_bytes(&response.body), sr_bytes_str(addresses[i])));
		sr_client_response_free(&response);
		sr_client_cleanup(&client);
	}
	sr_server_stop(both, 1000);
}

static atomic_int good;

/* One of many clients: threads may not assert, so each counts what went well. */
static void run_client(void *context)
{
	(void)context;
	struct sr_client *client = NULL;
	uint8_t body[20000];
	memset(body, (int)(intptr_t)&body & 0xff, sizeof body);
	sr_ignore(sr_client_new(rig.client_tls, "127.0.0.1", rig.port, "server", &client));
	for (int i = 0; i < 3; i++) {
		struct sr_client_request request = {.method = "PUT", .target = "/echo", .body = sr_bytes_of(body, sizeof body)};
		SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
		struct sr_result result = sr_client_exchange(client, &request, &response);
		if (sr_is_ok(result) && sr_equal_public(sr_buf_bytes(&response.body), request.body)) {
			atomic_fetch_add(&good, 1);
		}
		sr_result_free(result);
	}
	sr_client_free(client);
}

static void test_200_clients_at_once_each_get_their_own(void **state)
{
	(void)state;
	struct sr_thread threads[200];
	atomic_store(&good, 0);
	for (int i = 0; i < 200; i++) {
		expect_ok(sr_thread_start("client", 0, run_client, NULL, &threads[i]));
	}
	for (int i = 0; i < 200; i++) {
		sr_thread_join(threads[i]);
	}
	assert_int_equal(atomic_load(&good), 600);
}

static void test_large_bodies_arrive_byte_by_byte_as_written(void **state)
{
	(void)state;
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	expect_ok(sr_client_new(rig.client_tls, "127.0.0.1", rig.port, "server", &client));
	static const char *const targets[] = {"/pattern", "/pattern?counted"};
	for (size_t i = 0; i < 2; i++) {
		SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
		struct sr_client_request request = {.method = "GET", .target = targets[i]};
		expect_ok(sr_client_exchange(client, &request, &response));
		assert_int_equal(response.body.len, 5000000);
		for (size_t at = 0; at < response.body.len; at++) {
			if (response.body.data[at] != (uint8_t)(at * 2654435761U >> 16)) {
				fail_msg("byte %zu of %s is wrong", at, targets[i]);
			}
		}
	}
}

static void test_handshakes_that_stall_hold_no_thread_and_end(void **state)
{
	(void)state;
	struct rig quick;
	rig_start(&quick, &(struct sr_server_options){.worker_count = 2, .max_threads = 2, .header_timeout_ms = 200},
	          SR_TLS_ANYONE);
	int stalled[20];
	for (int i = 0; i < 20; i++) {
		stalled[i] = dial(quick.port);
		assert_int_equal(send(stalled[i], "\x16\x03\x01\x02\x00\x01\x00", (size_t)(i % 8), MSG_NOSIGNAL), i % 8);
	}
	char body[64];
	uint64_t start_ms = sr_boottime_ms();
	assert_int_equal(ask_peer(quick.port, NULL, quick.ca, "server", body), SR_OK);
	assert_true(sr_boottime_ms() - start_ms < 150);
	for (int i = 0; i < 20; i++) {
		char waste[64];
		struct timeval limit = {.tv_sec = 5};
		setsockopt(stalled[i], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
		while (recv(stalled[i], waste, sizeof waste, 0) > 0) {
		}
		close(stalled[i]);
	}
	assert_true(sr_boottime_ms() - start_ms < 1000);
	rig_stop(&quick, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_old_versions_and_weak_suites_are_refused),
	    cmocka_unit_test(test_new_connections_get_a_replaced_certificate_and_old_ones_go_on),
	    cmocka_unit_test(test_mutual_tls_lets_in_who_shows_a_certificate_of_our_ca),
	    cmocka_unit_test(test_a_client_believes_only_whom_it_means),
	    cmocka_unit_test(test_both_families_are_served),
	    cmocka_unit_test(test_200_clients_at_once_each_get_their_own),
	    cmocka_unit_test(test_large_bodies_arrive_byte_by_byte_as_written),
	    cmocka_unit_test(test_handshakes_that_stall_hold_no_thread_and_end),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
