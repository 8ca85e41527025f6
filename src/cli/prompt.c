/* The terminal with its echo off. */
#include "cli/prompt.h"

#include "seal/secret.h"

#include <errno.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 8192 };

/* Byte by byte, so that nothing beyond the line is taken from a pipe, and no buffer of the C library keeps it. */
static struct sr_result read_line(struct sr_buf *text)
{
	size_t before = text->len;
	for (;;) {
		uint8_t byte;
		ssize_t got = read(STDIN_FILENO, &byte, 1);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return sr_fail_errno(errno, "read standard input");
		}
		if (got == 0 && text->len == before) {
			return sr_fail(SR_INVALID, "nothing was given");
		}
		if (got == 0 || byte == '\n') {
			return sr_buf_result(text);
		}
		if (text->len - before == LINE_MAX_LEN) {
			return sr_fail(SR_INVALID, "the line is longer than %d bytes", LINE_MAX_LEN);
		}
		sr_buf_append_u8(text, byte);
	}
}

/* One line, appended without its end; `text` is wiped as it is freed. SR_INVALID where there is none. */
static struct sr_result read_secret(const char *question, struct sr_buf *text)
{
	if (!isatty(STDIN_FILENO)) {
		return read_line(text);
	}
	struct termios as_it_was, silent;
	if (tcgetattr(STDIN_FILENO, &as_it_was)) {
		return sr_fail_errno(errno, "look at the terminal");
	}
	silent = as_it_was;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)) {
		return sr_fail_errno(errno, "hide what is typed");
	}
	fprintf(stderr, "%s: ", question);
	struct sr_result result = read_line(text);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &as_it_was);
	fputc('\n', stderr);
	return result;
}

struct sr_result sr_cli_read_new_secret(const char *question, struct sr_buf *text)
{
	const size_t before = text->len;
	SR_TRY(read_secret(question, text));
	if (!isatty(STDIN_FILENO)) {
		return sr_ok();
	}
	SR_CLEANUP(sr_buf) struct sr_buf again = SR_BUF(LINE_MAX_LEN + 1);
	SR_TRY(read_secret("The same again", &again));
	return sr_equal_ct(sr_bytes_of(text->data + before, text->len - before), sr_buf_bytes(&again))
	           ? sr_ok()
	           : sr_fail(SR_INVALID, "the two are different");
}

struct sr_result sr_cli_read_secrets(const char *question, struct sr_buf *text)
{
	if (isatty(STDIN_FILENO)) {
		return read_secret(question, text);
	}
	for (;;) {
		struct sr_result line = read_line(text);
		if (!sr_is_ok(line)) {
			const bool is_end = sr_result_code(line) == SR_INVALID && text->len;
			if (!is_end) {
				return line;
			}
			sr_result_free(line);
			return sr_ok();
		}
		sr_buf_append_str(text, "\n");
	}
}
