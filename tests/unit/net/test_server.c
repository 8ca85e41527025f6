/* The server as raw clients see it: framing on one connection, from request to request, and what ends it. */
#include "rig.h"

#include "base/clock.h"

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

/* The statuses of all responses in a row: "200 404". Whether 100 comes depends on whether the body has come already. */
static void list_statuses(const char *text, char *to, size_t room)
{
	size_t len = 0;
	to[0] = '\0';
	for (const char *at = text; (at = strstr(at, "HTTP/1.1 ")); at++) {
		if (strncmp(at + 9, "100", 3) != 0) {
			len += (size_t)snprintf(to + len, room - len, "%s%.3s", len ? " " : "", at + 9);
		}
	}
}

#define CASE(text, statuses, body)                \
	{                                             \
		"" text, sizeof(text) - 1, statuses, body \
	}
#define HOST "Host: h\r\n"
#define END  "GET /end HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"

/* Each ends with END or is refused: the server closes in either case. */
static const struct {
	const char *text;
	size_t len;
	const char *statuses;
	const char *has;
} cases[] = {
    CASE(END, "200", "\r\n\r\n/end"),
    CASE("GET /hello HTTP/1.1\r\n" HOST "\r\n" END, "200 200", "hello"),
    CASE("GET /hello HTTP/1.1\r\n" HOST "\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n" END, "200 200 200", "hello"),
    CASE("\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n\r\n" END, "200 200", "hello"),
    CASE("GET /hello HTTP/1.0\r\n\r\n", "200", "Connection: close"),
    CASE("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" END, "200 200", "Connection: keep-alive"),
    CASE("GET /chunks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" END, "200", "\r\n\r\none,two"),
    CASE("GET /chunks HTTP/1.1\r\n" HOST "\r\n" END, "200 200", "\r\n\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1"),
    CASE("HEAD /hello HTTP/1.1\r\n" HOST "\r\n" END, "200 200", "Content-Length: 5\r\n\r\nHTTP/1.1"),
    CASE("HEAD /chunks HTTP/1.1\r\n" HOST "\r\n" END, "200 200", "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc" END, "200 200", "\r\n\r\nabcHTTP/1.1"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" END, "200 200",
         "Content-Length: 0\r\n\r\nHTTP/1.1"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n" END,
         "200 200", "\r\n\r\nabcHTTP/1.1"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n" END, "200 200",
         "Content-Length: 0\r\n\r\nHTTP/1.1"),
    CASE("POST /hello HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" END, "200 200",
         "hello"),
    CASE("POST /hello HTTP/1.1\r\n" HOST "Content-Length: 31\r\n\r\nGET /smuggled HTTP/1.1\r\nX: 78\r\n" END, "200 200",
         "hello"),
    CASE("POST /hello HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\nabc", "200", "Connection: close"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc" END, "200 200", "abc"),
    CASE("POST /hello HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", "200",
         "Connection: close"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\n", "413", "error"),
    CASE("GET /nothing HTTP/1.1\r\n" HOST "\r\n" END, "500 200", "error"),
    CASE("GET /missing HTTP/1.1\r\n" HOST "\r\n" END, "404 200", "error"),
    CASE("GET /split HTTP/1.1\r\n" HOST "\r\n" END, "400 200", "error"),
    CASE("GET /short HTTP/1.1\r\n" HOST "\r\n" END, "200", "five!"),
    CASE("GET http://Other:81/told?q HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "200",
         "GET path=/told query=q host=other authority=Other:81"),
    CASE("GET /told HTTP/1.1\r\nHost: [::1]:5\r\nConnection: close\r\nX-Twice: a\r\nx-tWICE: b\r\n\r\n", "200",
         "host=[::1] authority=[::1]:5 twice=a, b\n[host=[::1]:5][connection=close][x-twice=a]"),
    CASE("GET /later HTTP/1.1\r\n" HOST "\r\nGET /at-once HTTP/1.1\r\n" HOST "\r\n" END, "200 200 200", "/at-once"),
    CASE("GET /later-missing HTTP/1.1\r\n" HOST "\r\nGET /later-twice HTTP/1.1\r\n" HOST "\r\n" END, "404 200 200",
         "/later-twice"),
    CASE("POST /later HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /later HTTP/1.1\r\n" HOST
         "Connection: close\r\n\r\n",
         "200 200", "\r\n\r\n/later"),
    CASE("POST /at-once HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\nabc", "200", "Connection: close"),
    CASE("OPTIONS * HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "200", "*"),
    CASE("GET relative HTTP/1.1\r\n" HOST "\r\n" END, "400", "error"),
    CASE("GET * HTTP/1.1\r\n" HOST "\r\n" END, "400", "error"),
    CASE("GET http:/// HTTP/1.1\r\n" HOST "\r\n" END, "400", "error"),
    CASE("GET http://[/ HTTP/1.1\r\n" HOST "\r\n" END, "400", "error"),
    CASE("GET http://h:65536/ HTTP/1.1\r\n" HOST "\r\n" END, "400", "error"),
    CASE("GET /hello HTTP/1.1\r\nHost: [::1\r\n\r\n" END, "400", "error"),
    CASE("GET /hello HTTP/1.1\r\nHost: [::1].h\r\n\r\n" END, "400", "error"),
    CASE("GET /hello HTTP/1.1\r\nHost: [::1]:\r\n\r\n" END, "200 200", "hello"),
    CASE("GET / HTTP/1.1\r\nHost: a b\r\n\r\n" END, "400", "error"),
    CASE("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" END, "400", "error"),
    CASE("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n" END, "400", "error"),
    CASE("GET / HTTP/1.1\r\n\r\n" END, "400", "error"),
    CASE("nonsense\r\n\r\n" END, "400", "error"),
    CASE("GET / HTTP/1.1\nHost: h\n\n", "400", "error"),
    CASE("GET / HTTP/1.1\r\n" HOST "X: \0\r\n\r\n" END, "400", "error"),
    CASE("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "400", "error"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" END, "400",
         "error"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n" END, "400", "error"),
    CASE("POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" END, "400", "error"),
    CASE("POST /hello HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n" END, "200", "hello"),
};

static void check_case(size_t i, bool in_drops)
{
	int fd = rig_dial(&rig);
	if (in_drops) {
		for (size_t k = 0; k < cases[i].len; k++) {
			rig_say(fd, cases[i].text + k, 1);
			if (k % 16 == 0) {
				sched_yield(); /* let the server see parts */
			}
		}
	} else {
		rig_say(fd, cases[i].text, cases[i].len);
	}
	char *heard = rig_hear(fd, NULL);
	char statuses[64];
	list_statuses(heard, statuses, sizeof statuses);
	if (strcmp(statuses, cases[i].statuses) != 0 || !strstr(heard, cases[i].has)) {
		fail_msg("case %zu%s: %s\ngave %s: %s", i, in_drops ? " in drops" : "", cases[i].text, statuses, heard);
	}
	free(heard);
}

static void test_each_framing_gives_what_it_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		check_case(i, false);
	}
}

static void test_bytes_that_come_one_by_one_give_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		check_case(i, true);
	}
}

static void test_many_pipelined_requests_are_answered_in_order(void **state)
{
	(void)state;
	int fd = rig_dial(&rig);
	char *text = malloc(100 * 64 + sizeof END);
	size_t len = 0;
	for (int i = 0; i < 100; i++) {
		len += (size_t)sprintf(text + len, "GET /number-%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
	}
	memcpy(text + len, END, sizeof END);
	rig_say(fd, text, len + sizeof END - 1);
	free(text);
	char *heard = rig_hear(fd, NULL);
	const char *at = heard;
	for (int i = 0; i < 100; i++) {
		char wanted[32];
		sprintf(wanted, "\r\n\r\n/number-%dHTTP", i);
		at = strstr(at, wanted);
		assert_non_null(at);
	}
	free(heard);
}

static void test_heads_and_targets_past_their_limits_are_431_and_414(void **state)
{
	(void)state;
	static const struct {
		const char *start;
		size_t len;
		const char *status;
	} sizes[] = {{"GET /", 17000, "HTTP/1.1 414 "},
	             {"GET /", 60000, "HTTP/1.1 414 "},
	             {"GET / HTTP/1.1\r\nHost: h\r\nX: ", 40000, "HTTP/1.1 431 "},
	             {"GET / HTTP/1.1\r\nHost: h\r\nX: ", 32 * 1024 - 40, "HTTP/1.1 200 "}};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		static char text[70000];
		memset(text, 'a', sizeof text);
		memcpy(text, sizes[i].start, strlen(sizes[i].start));
		strcpy(text + sizes[i].len, i < 2 ? " HTTP/1.1\r\nHost: h\r\n\r\n" : "\r\n\r\n" END);
		int fd = rig_dial(&rig);
		rig_say(fd, text, strlen(text));
		char *heard = rig_hear(fd, NULL);
		if (strncmp(heard, sizes[i].status, strlen(sizes[i].status)) != 0) {
			fail_msg("size %zu: %.100s", i, heard);
		}
		free(heard);
	}
}

static void test_continue_is_sent_once_the_body_is_wanted(void **state)
{
	(void)state;
	int fd = rig_dial(&rig);
	static const char head[] = "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\n";
	rig_say(fd, head, sizeof head - 1);
	rig_hear_until(fd, "HTTP/1.1 100 Continue\r\n\r\n");
	rig_say(fd, "abc" END, sizeof "abc" END - 1);
	char *heard = rig_hear(fd, NULL);
	assert_non_null(strstr(heard, "\r\n\r\nabcHTTP/1.1 200"));
	free(heard);
}

static void test_a_client_that_leaves_early_harms_nobody(void **state)
{
	(void)state;
	static const char *const starts[] = {"", "GET", "GET / HTTP/1.1\r\n", "GET /forever HTTP/1.1\r\n" HOST "\r\n",
	                                     "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc"};
	for (int turn = 0; turn < 20; turn++) {
		for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
			int fd = rig_dial(&rig);
			rig_say(fd, starts[i], strlen(starts[i]));
			close(fd);
		}
	}
	assert_true(rig_wait(&rig.running, 0));
	for (int i = 0; i < 2000 && sr_server_counts_now(rig.server).connections_now > 0; i++) {
		sr_sleep_ms(1);
	}
	assert_int_equal(sr_server_counts_now(rig.server).connections_now, 0);
	check_case(0, false);
}

static void test_another_server_cannot_take_a_socket_in_use(void **state)
{
	(void)state;
	struct sr_server *other = NULL;
	expect_ok(sr_server_new(&(struct sr_server_options){0}, &other));
	expect_code(sr_server_listen_unix(other, rig.path), SR_CONFLICT);
	expect_code(sr_server_listen(other, rig.tls, "localhost", 0, NULL), SR_INVALID);
	sr_server_stop(other, 0);
	check_case(0, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_framing_gives_what_it_should),
	    cmocka_unit_test(test_bytes_that_come_one_by_one_give_the_same),
	    cmocka_unit_test(test_many_pipelined_requests_are_answered_in_order),
	    cmocka_unit_test(test_heads_and_targets_past_their_limits_are_431_and_414),
	    cmocka_unit_test(test_continue_is_sent_once_the_body_is_wanted),
	    cmocka_unit_test(test_a_client_that_leaves_early_harms_nobody),
	    cmocka_unit_test(test_another_server_cannot_take_a_socket_in_use),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
