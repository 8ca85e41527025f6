/* The client: kept connections, stale ones, limits, and responses in every framing. */
#include "rig.h"

#include "base/clock.h"

static struct rig rig;

static int start(void **state)
{
	(void)state;
	rig_start(&rig, &(struct sr_server_options){.idle_timeout_ms = 100}, SR_TLS_ANYONE);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_stop(&rig, 1000);
	return 0;
}

static struct sr_client *new_client(bool is_local)
{
	struct sr_client *client = NULL;
	if (is_local) {
		expect_ok(sr_client_new_unix(rig.path, &client));
	} else {
		expect_ok(sr_client_new(rig.client_tls, "127.0.0.1", rig.port, NULL, &client));
	}
	return client;
}

static void expect_answer(struct sr_client *client, const char *method, const char *target, int status,
                          const char *body)
{
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	expect_ok(sr_client_exchange(client, &(struct sr_client_request){.method = method, .target = target}, &response));
	assert_int_equal(response.status, status);
	assert_true(sr_equal_public(sr_buf_bytes(&response.body), sr_bytes_str(body)));
}

static void test_each_framing_of_a_response_is_read_and_the_connection_kept(void **state)
{
	(void)state;
	for (int is_local = 0; is_local < 2; is_local++) {
		SR_CLEANUP(sr_client) struct sr_client *client = new_client(is_local);
		uint64_t before = sr_server_counts_now(rig.server).connections_all;
		expect_answer(client, "GET", "/hello", 200, "hello");
		expect_answer(client, "GET", "/chunks", 200, "one,two");
		expect_answer(client, "HEAD", "/hello", 200, "");
		expect_answer(client, "HEAD", "/chunks", 200, "");
		expect_answer(client, "DELETE", "/missing", 404, "error");
		expect_answer(client, "POST", "/echo", 200, "");
		assert_int_equal(sr_server_counts_now(rig.server).connections_all, before + 1);
	}
}

static void test_headers_go_both_ways(void **state)
{
	(void)state;
	SR_CLEANUP(sr_client) struct sr_client *client = new_client(true);
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	static const char *const headers[][2] = {{"X-Twice", "one"}, {"X-Twice", "two"}, {NULL, NULL}};
	struct sr_client_request request = {.method = "GET", .target = "/told?a=b", .headers = headers};
	expect_ok(sr_client_exchange(client, &request, &response));
	assert_non_null(
	    strstr(sr_buf_text(&response.body), "path=/told query=a=b host=local authority=local twice=one, two"));
	assert_true(sr_equal_public(sr_client_response_header(&response, "sErVeR"), SR_LITERAL("Strongroom")));
	assert_int_equal(sr_client_response_header(&response, "X-None").len, 0);
	static const char *const split[][2] = {{"X", "a\r\nY: b"}, {NULL, NULL}};
	request.headers = split;
	expect_code(sr_client_exchange(client, &request, &response), SR_INVALID);
	request.headers = NULL;
	request.target = "/a b";
	expect_code(sr_client_exchange(client, &request, &response), SR_INVALID);
}

static void test_a_stale_connection_is_opened_anew(void **state)
{
	(void)state;
	for (int is_local = 0; is_local < 2; is_local++) {
		SR_CLEANUP(sr_client) struct sr_client *client = new_client(is_local);
		expect_answer(client, "GET", "/hello", 200, "hello");
		sr_sleep_ms(250); /* past the server's patience */
		expect_answer(client, "GET", "/hello", 200, "hello");
	}
}

static struct sr_result count_body(struct sr_bytes bytes, void *context)
{
	size_t *seen = context;
	*seen += bytes.len;
	return *seen < 3000000 ? sr_ok() : sr_fail(SR_NO_SPACE, "take more");
}

static void test_a_streamed_response_ends_where_its_taker_says(void **state)
{
	(void)state;
	SR_CLEANUP(sr_client) struct sr_client *client = new_client(false);
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	size_t seen = 0;
	struct sr_client_request request = {.method = "GET", .target = "/pattern", .on_body = count_body, .context = &seen};
	expect_code(sr_client_exchange(client, &request, &response), SR_NO_SPACE);
	assert_true(seen >= 3000000);
	expect_answer(client, "GET", "/hello", 200, "hello");
}

static void test_long_and_late_responses_are_errors(void **state)
{
	(void)state;
	SR_CLEANUP(sr_client) struct sr_client *client = new_client(false);
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	struct sr_client_request request = {.method = "GET", .target = "/pattern", .max_response_len = 1000000};
	expect_code(sr_client_exchange(client, &request, &response), SR_TOO_LARGE);
	request.target = "/pattern?counted";
	expect_code(sr_client_exchange(client, &request, &response), SR_TOO_LARGE);
	request = (struct sr_client_request){.method = "GET", .target = "/held", .timeout_ms = 100};
	uint64_t start_ms = sr_boottime_ms();
	expect_code(sr_client_exchange(client, &request, &response), SR_TIMEOUT);
	assert_true(sr_boottime_ms() - start_ms < 1000);
	atomic_store(&rig.is_released, true);
	request.target = "/short";
	expect_code(sr_client_exchange(client, &request, &response), SR_CLOSED);
	expect_answer(client, "GET", "/hello", 200, "hello");
}

static void test_nobody_there_is_unavailable(void **state)
{
	(void)state;
	SR_CLEANUP(sr_client) struct sr_client *client = NULL;
	SR_CLEANUP(sr_client_response) struct sr_client_response response = {0};
	struct sr_client_request request = {.method = "GET", .target = "/"};
	expect_ok(sr_client_new(rig.client_tls, "127.0.0.1", 1, NULL, &client));
	expect_code(sr_client_exchange(client, &request, &response), SR_UNAVAILABLE);
	sr_client_cleanup(&client);
	expect_ok(sr_client_new_unix("/nonexistent/socket", &client));
	expect_code(sr_client_exchange(client, &request, &response), SR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_framing_of_a_response_is_read_and_the_connection_kept),
	    cmocka_unit_test(test_headers_go_both_ways),
	    cmocka_unit_test(test_a_stale_connection_is_opened_anew),
	    cmocka_unit_test(test_a_streamed_response_ends_where_its_taker_says),
	    cmocka_unit_test(test_long_and_late_responses_are_errors),
	    cmocka_unit_test(test_nobody_there_is_unavailable),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
