/* Slow clients, too many clients, aborts and stops: what ends an exchange from outside. */
#include "rig.h"

#include "base/clock.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct sr_server_options short_times = {.worker_count = 2,
                                                     .max_threads = 64,
                                                     .header_timeout_ms = 150,
                                                     .idle_timeout_ms = 300,
                                                     .min_rate = 1000,
                                                     .rate_grace_ms = 150};
static struct rig rig;     /* with those */
static struct rig patient; /* with the usual times, few threads */

static int start(void **state)
{
	(void)state;
	rig_start(&rig, &short_times, SR_TLS_ANYONE);
	rig_start(&patient, &(struct sr_server_options){.worker_count = 2, .max_threads = 64}, SR_TLS_ANYONE);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	rig_stop(&rig, 1000);
	rig_stop(&patient, 1000);
	return 0;
}

static void expect_closed_within(int fd, uint64_t start_ms, uint64_t most_ms, const char *starts_with)
{
	char *heard = rig_hear(fd, NULL);
	assert_int_equal(strncmp(heard, starts_with, strlen(starts_with)), 0);
	free(heard);
	assert_true(sr_boottime_ms() - start_ms < most_ms);
}

static void test_a_head_that_drips_in_is_cut(void **state)
{
	(void)state;
	int fd = rig_dial(&rig);
	uint64_t start_ms = sr_boottime_ms();
	for (int i = 0; i < 20; i++) {
		rig_say(fd, "GET / HTTP/1.1\r\nX: yyyyyy" + i, 1);
		sr_sleep_ms(20);
	}
	expect_closed_within(fd, start_ms, 1000, "");
}

static void test_an_idle_connection_is_closed_in_its_time(void **state)
{
	(void)state;
	int fd = rig_dial(&rig);
	uint64_t start_ms = sr_boottime_ms();
	rig_say(fd, "GET /hello HTTP/1.1\r\nHost: h\r\n\r\n", 32);
	expect_closed_within(fd, start_ms, 1500, "HTTP/1.1 200 OK");
	assert_true(sr_boottime_ms() - start_ms >= 300);
}

static void test_a_body_that_drips_in_is_cut(void **state)
{
	(void)state;
	static const char *const heads[] = {
	    "PUT /held-upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n",
	    "PUT /held-upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n",
	};
	for (size_t i = 0; i < 2; i++) {
		int fd = rig_dial(&rig);
		uint64_t start_ms = sr_boottime_ms();
		atomic_store(&rig.last_code, -1);
		rig_say(fd, heads[i], strlen(heads[i]));
		while (atomic_load(&rig.last_code) == -1 && sr_boottime_ms() - start_ms < 2000) {
			rig_say(fd, "x", 1);
			sr_sleep_ms(20);
		}
		assert_int_equal(atomic_load(&rig.last_code), SR_TIMEOUT);
		close(fd);
	}
}

static void test_a_client_that_does_not_read_is_cut(void **state)
{
	(void)state;
	int fd = rig_dial(&rig);
	atomic_store(&rig.last_code, -1);
	rig_say(fd, "GET /forever HTTP/1.1\r\nHost: h\r\n\r\n", 34);
	assert_true(rig_wait(&rig.last_code, SR_TIMEOUT));
	close(fd);
}

static void test_slow_clients_hold_up_nobody(void **state)
{
	(void)state;
	int slow[20];
	for (int i = 0; i < 20; i++) {
		static const char head[] = "PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
		slow[i] = rig_dial(&patient);
		rig_say(slow[i], head, sizeof head - 1);
	}
	uint64_t start_ms = sr_boottime_ms();
	for (int i = 0; i < 50; i++) {
		int fd = rig_dial(&patient);
		rig_say(fd, "GET /hello HTTP/1.0\r\n\r\n", 23);
		expect_closed_within(fd, start_ms, 5000, "HTTP/1.1 200 OK"); /* before any of the slow ones is cut */
	}
	for (int i = 0; i < 20; i++) {
		close(slow[i]);
	}
	assert_true(rig_wait(&patient.running, 0));
}

static void read_all(void *context)
{
	free(rig_hear(*(int *)context, NULL));
}

static void test_a_long_transfer_holds_up_nobody(void **state)
{
	(void)state;
	struct rig own;
	rig_start(&own, &(struct sr_server_options){.worker_count = 1}, SR_TLS_ANYONE);
	int transfer = rig_dial(&own);
	struct sr_thread thread;
	rig_say(transfer, "GET /busy HTTP/1.0\r\n\r\n", 22);
	expect_ok(sr_thread_start("transfer", 0, read_all, &transfer, &thread));
	for (int i = 0; i < 20; i++) {
		int fd = rig_dial(&own);
		rig_say(fd, "GET /hello HTTP/1.0\r\n\r\n", 23);
		expect_closed_within(fd, sr_boottime_ms(), 5000, "HTTP/1.1 200 OK");
	}
	assert_int_equal(atomic_load(&own.running), 1);
	atomic_store(&own.is_released, true);
	sr_thread_join(thread);
	rig_stop(&own, 1000);
}

static void test_connections_past_the_limit_are_closed(void **state)
{
	(void)state;
	struct rig own;
	rig_start(&own, &(struct sr_server_options){.max_connections = 8}, SR_TLS_ANYONE);
	int held[8];
	for (int i = 0; i < 8; i++) {
		held[i] = rig_dial(&own);
	}
	int fd = rig_dial(&own);
	expect_closed_within(fd, sr_boottime_ms(), 5000, "");
	assert_int_equal(sr_server_counts_now(own.server).connections_now, 8);
	for (int i = 0; i < 8; i++) {
		close(held[i]);
	}
	for (int i = 0; i < 2000 && sr_server_counts_now(own.server).connections_now > 0; i++) {
		sr_sleep_ms(1);
	}
	fd = rig_dial(&own);
	rig_say(fd, "GET /hello HTTP/1.0\r\n\r\n", 23);
	expect_closed_within(fd, sr_boottime_ms(), 5000, "HTTP/1.1 200 OK");
	rig_stop(&own, 1000);
}

static double cpu_seconds(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void test_without_descriptors_accepting_rests_and_goes_on_later(void **state)
{
	(void)state;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int lowest = dup(fd); /* all descriptors below it are taken */
	close(lowest);
	struct rlimit before;
	getrlimit(RLIMIT_NOFILE, &before);
	struct rlimit none = {.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
	setrlimit(RLIMIT_NOFILE, &none);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s", rig.path);
	int outcome = connect(fd, (struct sockaddr *)&address, sizeof address);
	rig_say(fd, "GET /hello HTTP/1.0\r\n\r\n", 23);
	double cpu_before = cpu_seconds();
	sr_sleep_ms(400);
	double cpu_used = cpu_seconds() - cpu_before;
	uint64_t served = sr_server_counts_now(rig.server).connections_now;
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(outcome, 0);
	assert_int_equal(served, 0);
	assert_true(cpu_used < 0.1);
	expect_closed_within(fd, sr_boottime_ms(), 1000, "HTTP/1.1 200 OK");
}

static void test_an_abort_before_the_response_lets_the_reason_out(void **state)
{
	(void)state;
	int fd = rig_dial(&patient);
	atomic_store(&patient.is_released, false);
	rig_say(fd, "GET /held HTTP/1.1\r\nHost: h\r\n\r\n", 31);
	sr_exchange_abort(rig_wait_held(&patient));
	atomic_store(&patient.is_released, true);
	expect_closed_within(fd, sr_boottime_ms(), 1000, "HTTP/1.1 403 Forbidden");
	assert_int_equal(atomic_load(&patient.last_code), SR_REVOKED);
}

static void test_an_abort_ends_the_reading_of_a_body_at_once(void **state)
{
	(void)state;
	int fd = rig_dial(&patient);
	static const char text[] = "PUT /held-upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nsome";
	rig_say(fd, text, sizeof text - 1);
	struct sr_exchange *exchange = rig_wait_held(&patient);
	sr_sleep_ms(20); /* it waits for the rest by now */
	uint64_t start_ms = sr_boottime_ms();
	sr_exchange_abort(exchange);
	expect_closed_within(fd, start_ms, 1000, "HTTP/1.1 403 Forbidden");
	assert_int_equal(atomic_load(&patient.last_code), SR_REVOKED);
}

static uint64_t bytes_received(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof info;
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_bytes_received;
}

/* A TLS client that has asked for /forever and reads nothing, so that all queues are full. */
static SSL *begin_download(SSL_CTX *context, int *ret_fd)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(patient.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	*ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*ret_fd, (struct sockaddr *)&address, sizeof address), 0);
	SSL *session = SSL_new(context);
	SSL_set_fd(session, *ret_fd);
	assert_int_equal(SSL_connect(session), 1);
	assert_int_equal(SSL_write(session, "GET /forever HTTP/1.1\r\nHost: h\r\n\r\n", 34), 34);
	return session;
}

static void test_no_byte_of_a_stream_leaves_after_an_abort(void **state)
{
	(void)state;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int fd = -1;
	SSL *session = begin_download(context, &fd);
	struct sr_exchange *exchange = rig_wait_held(&patient);
	sr_sleep_ms(30); /* the server waits for room by now */
	sr_exchange_abort(exchange);
	uint64_t left_before = bytes_received(fd);
	assert_true(left_before > 0);
	assert_true(rig_wait(&patient.last_code, SR_REVOKED));
	static char waste[16384];
	uint64_t read = 0;
	for (int got; (got = SSL_read(session, waste, sizeof waste)) > 0;) {
		read += (uint64_t)got;
	}
	assert_int_equal(bytes_received(fd), left_before);
	assert_true(read <= left_before);
	SSL_free(session);
	SSL_CTX_free(context);
	close(fd);
}

static void test_a_stop_cuts_streams_after_its_grace(void **state)
{
	(void)state;
	struct rig own;
	rig_start(&own, NULL, SR_TLS_ANYONE);
	int fd = rig_dial(&own);
	rig_say(fd, "GET /forever HTTP/1.1\r\nHost: h\r\n\r\n", 34);
	rig_wait_held(&own);
	uint64_t start_ms = sr_boottime_ms();
	rig_stop(&own, 50);
	assert_true(sr_boottime_ms() - start_ms < 500);
	assert_int_equal(atomic_load(&own.running), 0);
	assert_int_equal(atomic_load(&own.last_code), SR_CLOSED);
	close(fd);
}

static void release_later(void *context)
{
	struct rig *own = context;
	sr_sleep_ms(50);
	atomic_store(&own->is_released, true);
}

static void test_a_stop_lets_exchanges_end(void **state)
{
	(void)state;
	struct rig own;
	rig_start(&own, NULL, SR_TLS_ANYONE);
	int idle = rig_dial(&own);
	int fd = rig_dial(&own);
	rig_say(fd, "GET /held HTTP/1.1\r\nHost: h\r\n\r\n", 31);
	rig_wait_held(&own);
	struct sr_thread thread;
	expect_ok(sr_thread_start("release", 0, release_later, &own, &thread));
	uint64_t start_ms = sr_boottime_ms();
	rig_stop(&own, 5000);
	assert_true(sr_boottime_ms() - start_ms < 1000);
	sr_thread_join(thread);
	char *heard = rig_hear(fd, NULL);
	assert_non_null(strstr(heard, "Connection: close\r\n\r\nunrevoked"));
	free(heard);
	free(rig_hear(idle, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_head_that_drips_in_is_cut),
	    cmocka_unit_test(test_an_idle_connection_is_closed_in_its_time),
	    cmocka_unit_test(test_a_body_that_drips_in_is_cut),
	    cmocka_unit_test(test_a_client_that_does_not_read_is_cut),
	    cmocka_unit_test(test_slow_clients_hold_up_nobody),
	    cmocka_unit_test(test_a_long_transfer_holds_up_nobody),
	    cmocka_unit_test(test_connections_past_the_limit_are_closed),
	    cmocka_unit_test(test_without_descriptors_accepting_rests_and_goes_on_later),
	    cmocka_unit_test(test_an_abort_before_the_response_lets_the_reason_out),
	    cmocka_unit_test(test_an_abort_ends_the_reading_of_a_body_at_once),
	    cmocka_unit_test(test_no_byte_of_a_stream_leaves_after_an_abort),
	    cmocka_unit_test(test_a_stop_cuts_streams_after_its_grace),
	    cmocka_unit_test(test_a_stop_lets_exchanges_end),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
