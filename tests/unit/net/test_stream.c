/* Frames between services: whole or not at all, in both directions at once, and ended by anyone at any time. */
#include "rig.h"

#include "base/clock.h"
#include "net/stream.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAME_MAX = 2 * 1024 * 1024, WAIT_MS = 5000 };

static struct sr_certificate *ca;
static struct sr_certificate *vault;
static struct sr_certificate *blob;
static struct sr_tls *server_tls;
static struct sr_tls *client_tls;
static struct sr_stream_listener *listener;
static uint16_t port;
static atomic_int last_peer_is_blob;
static atomic_int last_code;

/* Says back each frame, but for "silence", after which it only listens. */
static void serve(struct sr_stream *stream, void *context)
{
	(void)context;
	atomic_store(&last_peer_is_blob, strcmp(sr_stream_peer(stream), "blob") == 0);
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
	struct sr_result result = sr_ok();
	bool is_silent = false;
	while (sr_is_ok(result)) {
		result = sr_stream_read_frame(stream, FRAME_MAX, WAIT_MS, &frame);
		is_silent = is_silent || sr_equal_public(sr_buf_bytes(&frame), SR_LITERAL("silence"));
		if (sr_is_ok(result) && !is_silent) {
			result = sr_stream_write_frame(stream, sr_buf_bytes(&frame), WAIT_MS);
		}
	}
	atomic_store(&last_code, (int)sr_result_code(result));
	sr_result_free(result);
}

/* A port that nobody has: the listener's interface tells none. */
static uint16_t free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static int start(void **state)
{
	(void)state;
	expect_ok(sr_seal_init());
	expect_ok(sr_certificate_new_ca("Test CA", 30, &ca));
	vault = rig_issue(ca, "vault");
	blob = rig_issue(ca, "blob");
	expect_ok(sr_tls_server_new(vault, ca, SR_TLS_MUST_SHOW, &server_tls));
	expect_ok(sr_tls_client_new(blob, ca, &client_tls));
	port = free_port();
	expect_ok(sr_stream_listen(server_tls, "127.0.0.1", port, 4, serve, NULL, &listener));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sr_stream_listener_stop(listener);
	sr_tls_free(server_tls);
	sr_tls_free(client_tls);
	sr_certificate_free(vault);
	sr_certificate_free(blob);
	sr_certificate_free(ca);
	return 0;
}

static struct sr_stream *connect_stream(void)
{
	struct sr_stream *stream = NULL;
	expect_ok(sr_stream_connect(client_tls, "127.0.0.1", port, "vault", WAIT_MS, &stream));
	return stream;
}

static void test_frames_of_any_size_come_back_whole(void **state)
{
	(void)state;
	struct sr_stream *stream = connect_stream();
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
	static uint8_t body[1500000];
	for (size_t i = 0; i < sizeof body; i++) {
		body[i] = (uint8_t)(i * 2654435761U >> 16);
	}
	size_t sizes[] = {0, 1, 4, 16380, 16384, 100000, sizeof body};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		expect_ok(sr_stream_write_frame(stream, sr_bytes_of(body, sizes[i]), WAIT_MS));
		expect_ok(sr_stream_read_frame(stream, FRAME_MAX, WAIT_MS, &frame));
		assert_true(sr_equal_public(sr_buf_bytes(&frame), sr_bytes_of(body, sizes[i])));
	}
	assert_string_equal(sr_stream_peer(stream), "vault");
	assert_int_equal(atomic_load(&last_peer_is_blob), 1);
	sr_stream_free(stream);
}

static void test_a_wait_that_times_out_leaves_the_stream_usable(void **state)
{
	(void)state;
	struct sr_stream *stream = connect_stream();
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
	uint64_t start_ms = sr_boottime_ms();
	expect_code(sr_stream_read_frame(stream, FRAME_MAX, 50, &frame), SR_TIMEOUT);
	assert_true(sr_boottime_ms() - start_ms >= 50 && sr_boottime_ms() - start_ms < 500);
	expect_ok(sr_stream_write_frame(stream, SR_LITERAL("still here"), WAIT_MS));
	expect_ok(sr_stream_read_frame(stream, FRAME_MAX, WAIT_MS, &frame));
	assert_true(sr_equal_public(sr_buf_bytes(&frame), SR_LITERAL("still here")));
	sr_stream_free(stream);
}

static void test_a_frame_over_the_maximum_ends_the_stream(void **state)
{
	(void)state;
	struct sr_stream *stream = connect_stream();
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
	expect_ok(sr_stream_write_frame(stream, SR_LITERAL("eleven bytes"), WAIT_MS));
	expect_code(sr_stream_read_frame(stream, 11, WAIT_MS, &frame), SR_PROTOCOL);
	expect_code(sr_stream_write_frame(stream, SR_LITERAL("more"), WAIT_MS), SR_CLOSED);
	sr_stream_free(stream);
}

static void shut_later(void *context)
{
	sr_sleep_ms(50);
	sr_stream_shut(context);
}

static void test_a_shut_from_another_thread_wakes_the_reader(void **state)
{
	(void)state;
	struct sr_stream *stream = connect_stream();
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
	struct sr_thread thread;
	expect_ok(sr_thread_start("shut", 0, shut_later, stream, &thread));
	uint64_t start_ms = sr_boottime_ms();
	expect_code(sr_stream_read_frame(stream, FRAME_MAX, WAIT_MS, &frame), SR_CLOSED);
	assert_true(sr_boottime_ms() - start_ms < 1000);
	sr_thread_join(thread);
	sr_stream_free(stream);
}

static atomic_int frames_read;

static void read_frames(void *context)
{
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
	struct sr_result result = sr_ok();
	for (int i = 0; i < 500 && sr_is_ok(result); i++) {
		result = sr_stream_read_frame(context, FRAME_MAX, WAIT_MS, &frame);
		atomic_fetch_add(&frames_read, sr_is_ok(result) && frame.len == (size_t)i * 100);
	}
	sr_result_free(result);
}

static void test_one_thread_reads_while_another_writes(void **state)
{
	(void)state;
	struct sr_stream *stream = connect_stream();
	static const uint8_t body[50000];
	struct sr_thread thread;
	expect_ok(sr_thread_start("read", 0, read_frames, stream, &thread));
	for (size_t i = 0; i < 500; i++) {
		expect_ok(sr_stream_write_frame(stream, sr_bytes_of(body, i * 100), WAIT_MS));
	}
	sr_thread_join(thread);
	assert_int_equal(atomic_load(&frames_read), 500);
	sr_stream_free(stream);
}

static void test_only_the_service_that_is_meant_is_believed(void **state)
{
	(void)state;
	struct sr_stream *stream = NULL;
	struct sr_tls *bare_tls = NULL;
	expect_code(sr_stream_connect(client_tls, "127.0.0.1", port, "identity", WAIT_MS, &stream), SR_UNAUTHENTICATED);
	expect_ok(sr_tls_client_new(NULL, ca, &bare_tls));
	struct sr_result result = sr_stream_connect(bare_tls, "127.0.0.1", port, "vault", WAIT_MS, &stream);
	if (sr_is_ok(result)) {
		/* In TLS 1.3 a client learns only afterwards that it was refused. */
		SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
		expect_code(sr_stream_read_frame(stream, FRAME_MAX, WAIT_MS, &frame), SR_CLOSED);
		sr_stream_free(stream);
	}
	sr_result_free(result);
	sr_tls_free(bare_tls);
}

static void test_streams_past_the_limit_are_closed_and_room_is_made_again(void **state)
{
	(void)state;
	struct sr_stream *streams[4];
	struct sr_stream *more = NULL;
	sr_sleep_ms(50); /* the streams of earlier tests are over by now */
	for (int i = 0; i < 4; i++) {
		streams[i] = connect_stream();
	}
	struct sr_result result = sr_stream_connect(client_tls, "127.0.0.1", port, "vault", WAIT_MS, &more);
	assert_false(sr_is_ok(result));
	sr_result_free(result);
	for (int i = 0; i < 4; i++) {
		sr_stream_free(streams[i]);
	}
	sr_sleep_ms(50);
	sr_stream_free(connect_stream());
}

static void test_a_stopped_listener_ends_its_streams(void **state)
{
	(void)state;
	struct sr_stream_listener *own = NULL;
	struct sr_stream *stream = NULL;
	uint16_t own_port = free_port();
	SR_CLEANUP(sr_buf) struct sr_buf frame = SR_BUF(FRAME_MAX);
	expect_ok(sr_stream_listen(server_tls, "127.0.0.1", own_port, 4, serve, NULL, &own));
	expect_ok(sr_stream_connect(client_tls, "127.0.0.1", own_port, "vault", WAIT_MS, &stream));
	expect_ok(sr_stream_write_frame(stream, SR_LITERAL("silence"), WAIT_MS));
	sr_sleep_ms(20);
	atomic_store(&last_code, -1);
	uint64_t start_ms = sr_boottime_ms();
	sr_stream_listener_stop(own);
	assert_true(sr_boottime_ms() - start_ms < 1000);
	assert_int_equal(atomic_load(&last_code), SR_CLOSED);
	expect_code(sr_stream_read_frame(stream, FRAME_MAX, WAIT_MS, &frame), SR_CLOSED);
	sr_stream_free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frames_of_any_size_come_back_whole),
	    cmocka_unit_test(test_a_wait_that_times_out_leaves_the_stream_usable),
	    cmocka_unit_test(test_a_frame_over_the_maximum_ends_the_stream),
	    cmocka_unit_test(test_a_shut_from_another_thread_wakes_the_reader),
	    cmocka_unit_test(test_one_thread_reads_while_another_writes),
	    cmocka_unit_test(test_only_the_service_that_is_meant_is_believed),
	    cmocka_unit_test(test_streams_past_the_limit_are_closed_and_room_is_made_again),
	    cmocka_unit_test(test_a_stopped_listener_ends_its_streams),
	};
	return cmocka_run_group_tests(tests, start, stop);
}
