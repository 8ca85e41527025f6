/* Plain HTTP for instance metadata: where it may listen, and who is said to be at the other end. */
#include "check.h"

#include "net/near_address.h"
#include "net/server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sr_result answer(struct sr_exchange *exchange, void *context)
{
	(void)context;
	uint32_t uid = 0;
	bool is_known = sr_exchange_peer_uid(exchange, &uid);
	const char *text = sr_arena_printf(sr_exchange_arena(exchange), "plain %d local %d service '%s' known %d uid %u",
	                                   sr_exchange_is_plain(exchange), sr_exchange_is_local(exchange),
	                                   sr_exchange_peer_service(exchange), is_known, uid);
	return sr_exchange_send(exchange, 200, sr_bytes_str(text));
}

static void answer_error(struct sr_exchange *exchange, struct sr_result error, void *context)
{
	(void)context;
	sr_ignore(sr_exchange_send(exchange, 500, sr_bytes_str(sr_result_message(error))));
}

static struct sr_server *new_server(void)
{
	const struct sr_server_options options = {.handler = answer, .on_error = answer_error, .worker_count = 1};
	struct sr_server *server;
	expect_ok(sr_server_new(&options, &server));
	return server;
}

/* Asks from a process of another user, if we may become one; else from our own. *ret_uid is whose it was. */
static void ask(uint16_t port, char *heard, size_t room, uid_t *ret_uid)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	*ret_uid = geteuid() == 0 ? 54321 : geteuid();
	pid_t child = fork();
	if (child == 0) {
		struct sockaddr_in to = {
		    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
		char part[512];
		if (geteuid() == 0 && setuid(*ret_uid) != 0) {
			_exit(1);
		}
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
		    write(fd, request, sizeof request - 1) != (ssize_t)sizeof request - 1) {
			_exit(1);
		}
		for (ssize_t got; (got = read(fd, part, sizeof part)) > 0;) {
			if (write(ends[1], part, (size_t)got) != got) {
				_exit(1);
			}
		}
		_exit(0);
	}
	close(ends[1]);
	size_t len = 0;
	for (ssize_t got; len + 1 < room && (got = read(ends[0], heard + len, room - 1 - len)) > 0;) {
		len += (size_t)got;
	}
	heard[len] = 0;
	close(ends[0]);
	int status;
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

static void the_user_at_the_other_end_is_told(void **state)
{
	(void)state;
	struct sr_server *server = new_server();
	uint16_t port = 0;
	expect_ok(sr_server_listen_plain(server, "127.0.0.1", 0, &port));
	expect_ok(sr_server_start(server));
	char heard[2048];
	uid_t uid;
	ask(port, heard, sizeof heard, &uid);
	char expected[128];
	snprintf(expected, sizeof expected, "plain 1 local 0 service '' known 1 uid %u", (unsigned)uid);
	if (!strstr(heard, expected)) {
		fail_msg("expected '%s' in '%s'", expected, heard);
	}
	sr_server_stop(server, 100);
}

static void plain_http_is_served_near_by_only(void **state)
{
	(void)state;
	static const char *const far[] = {"0.0.0.0",     "::",      "10.0.0.1", "192.168.1.1", "128.0.0.1",
	                                  "169.253.0.1", "8.8.8.8", "fc00::1",  "2001:db8::1", "::ffff:10.0.0.1",
	                                  "localhost",   ""};
	struct sr_server *server = new_server();
	for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
		uint16_t port = 0;
		expect_code(sr_server_listen_plain(server, far[i], 0, &port), SR_INVALID);
	}
	sr_server_stop(server, 0);
}

static void addresses_have_one_form_and_a_reach(void **state)
{
	(void)state;
	static const struct {
		const char *text, *form;
		enum sr_reach reach;
	} cases[] = {
	    {"127.0.0.1", "127.0.0.1", SR_REACH_LOOPBACK}, {"127.255.1.2", "127.255.1.2", SR_REACH_LOOPBACK},
	    {"0:0:0::1", "::1", SR_REACH_LOOPBACK},        {"169.254.169.254", "169.254.169.254", SR_REACH_LINK},
	    {"FE80:0::00AB", "fe80::ab", SR_REACH_LINK},   {"10.88.0.5", "10.88.0.5", SR_REACH_FAR},
	    {"2001:DB8::1", "2001:db8::1", SR_REACH_FAR},  {"::ffff:127.0.0.1", "127.0.0.1", SR_REACH_LOOPBACK},
	    {"::FFFF:A58:5", "10.88.0.5", SR_REACH_FAR},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char form[SR_IP_TEXT_LEN];
		enum sr_reach reach;
		expect_ok(sr_address_read(cases[i].text, form, &reach));
		assert_string_equal(form, cases[i].form);
		assert_int_equal(reach, cases[i].reach);
	}
	char form[SR_IP_TEXT_LEN];
	enum sr_reach reach;
	expect_code(sr_address_read("127.0.0.1:80", form, &reach), SR_INVALID);
	expect_code(sr_address_read("127.1", form, &reach), SR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_user_at_the_other_end_is_told),
	    cmocka_unit_test(plain_http_is_served_near_by_only),
	    cmocka_unit_test(addresses_have_one_form_and_a_reach),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
