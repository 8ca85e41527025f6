/* The control channel's messages: kind, number, three blocks. */
#include "host/control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

struct sr_result sr_control_send(int fd, const struct sr_control_message *message)
{
	SR_CLEANUP(sr_buf) struct sr_buf packet = SR_BUF(SR_CONTROL_MAX);
	sr_buf_append_u8(&packet, (uint8_t)message->kind);
	sr_buf_append_u32(&packet, message->number);
	sr_buf_append_block(&packet, message->text);
	sr_buf_append_block(&packet, message->first);
	sr_buf_append_block(&packet, message->second);
	SR_TRY(sr_buf_result(&packet));
	ssize_t sent;
	do {
		sent = send(fd, packet.data, packet.len, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? sr_fail_errno(errno, "send a control message") : sr_ok();
}

static struct sr_result decode(struct sr_bytes packet, struct sr_control_message *ret_message)
{
	struct sr_reader reader = sr_reader_of(packet);
	struct sr_control_message message = {.kind = sr_reader_u8(&reader)};
	message.number = sr_reader_u32(&reader);
	message.text = sr_reader_block(&reader, SR_CONTROL_MAX);
	message.first = sr_reader_block(&reader, SR_CONTROL_MAX);
	message.second = sr_reader_block(&reader, SR_CONTROL_MAX);
	SR_TRY(sr_reader_finish(&reader, "control message"));
	*ret_message = message;
	return sr_ok();
}

struct sr_result sr_control_receive(int fd, int timeout_ms, struct sr_buf *buf, struct sr_control_message *ret_message)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int ready;
	do {
		ready = poll(&wait, 1, timeout_ms);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0) {
		return sr_fail_errno(errno, "wait for a control message");
	}
	if (ready == 0) {
		return sr_fail(SR_TIMEOUT, "no control message came");
	}
	sr_buf_reset(buf);
	uint8_t *space = sr_buf_extend(buf, SR_CONTROL_MAX);
	if (!space) {
		return sr_buf_result(buf);
	}
	ssize_t got;
	do {
		got = recv(fd, space, SR_CONTROL_MAX, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		return sr_fail_errno(errno, "receive a control message");
	}
	if (got == 0) {
		return sr_fail(SR_CLOSED, "the control channel ended");
	}
	buf->len = (size_t)got;
	return decode(sr_buf_bytes(buf), ret_message);
}
