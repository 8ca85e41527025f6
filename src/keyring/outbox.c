/* An outbox: the queue of frames and its writer. What the frames say is not its business. */
#include "keyring/outbox.h"

#include "base/memory.h"
#include "base/thread.h"

enum { WRITE_TIMEOUT_MS = 2000, PILE_MAX = 4 * SR_LEASE_FRAME_MAX };

struct letter {
	struct letter *next;
	struct sr_buf frame;
};

struct sr_outbox {
	struct sr_stream *stream; /* borrowed */
	struct sr_thread writer;
	struct sr_mutex mutex; /* guards what follows */
	struct sr_cond changed;
	struct letter *first, *last;
	size_t piled_len;
	bool is_ending; /* closes once it is empty */
	bool is_closed;
};

static void letter_free(struct letter *letter)
{
	sr_buf_free(&letter->frame);
	sr_free(letter);
}

static struct letter *take_first(struct sr_outbox *outbox)
{
	struct letter *letter = outbox->first;
	outbox->first = letter->next;
	outbox->piled_len -= letter->frame.len;
	return letter;
}

static void write_letters(struct sr_outbox *outbox)
{
	SR_LOCKED(&outbox->mutex);
	for (;;) {
		while (!outbox->first && !outbox->is_closed && !outbox->is_ending) {
			sr_cond_wait(&outbox->changed, &outbox->mutex);
		}
		if (outbox->is_closed || !outbox->first) {
			outbox->is_closed = true;
			return;
		}
		struct letter *letter = take_first(outbox);
		sr_mutex_unlock(&outbox->mutex);
		struct sr_result written =
		    sr_stream_write_frame(outbox->stream, sr_buf_bytes(&letter->frame), WRITE_TIMEOUT_MS);
		letter_free(letter);
		bool has_failed = !sr_is_ok(written);
		sr_ignore(written);
		sr_mutex_lock(&outbox->mutex);
		outbox->is_closed |= has_failed;
	}
}

static void writer_main(void *context)
{
	struct sr_outbox *outbox = context;
	write_letters(outbox);
	sr_stream_shut(outbox->stream); /* the reader sees it and does what is to be done */
}

struct sr_result sr_outbox_new(struct sr_stream *stream, struct sr_outbox **ret_outbox)
{
	struct sr_outbox *outbox = sr_alloc(sizeof *outbox);
	outbox->stream = stream;
	sr_mutex_init(&outbox->mutex, SR_RANK_LEAF);
	sr_cond_init(&outbox->changed);
	struct sr_result started = sr_thread_start("lease-outbox", 0, writer_main, outbox, &outbox->writer);
	if (!sr_is_ok(started)) {
		sr_outbox_free(outbox);
		return started;
	}
	*ret_outbox = outbox;
	return sr_ok();
}

/* Appends the letter, or says that it is lost. */
static bool append(struct sr_outbox *outbox, struct letter *letter)
{
	SR_LOCKED(&outbox->mutex);
	if (outbox->is_closed || letter->frame.failed || outbox->piled_len + letter->frame.len > PILE_MAX) {
		outbox->is_closed = true; /* a stream that lost a frame is at its end */
		sr_cond_broadcast(&outbox->changed);
		return false;
	}
	if (outbox->first) {
		outbox->last->next = letter;
	} else {
		outbox->first = letter;
	}
	outbox->last = letter;
	outbox->piled_len += letter->frame.len;
	sr_cond_broadcast(&outbox->changed);
	return true;
}

bool sr_outbox_post(struct sr_outbox *outbox, const struct sr_lease_message *message)
{
	struct letter *letter = sr_alloc(sizeof *letter);
	letter->frame = SR_BUF(SR_LEASE_FRAME_MAX);
	sr_lease_message_write(message, &letter->frame);
	if (append(outbox, letter)) {
		return true;
	}
	letter_free(letter);
	return false;
}

void sr_outbox_end(struct sr_outbox *outbox)
{
	SR_LOCKED(&outbox->mutex);
	outbox->is_ending = true;
	sr_cond_broadcast(&outbox->changed);
}

void sr_outbox_close(struct sr_outbox *outbox)
{
	sr_mutex_lock(&outbox->mutex);
	outbox->is_closed = true;
	sr_cond_broadcast(&outbox->changed);
	sr_mutex_unlock(&outbox->mutex);
	sr_stream_shut(outbox->stream);
	sr_thread_join(outbox->writer);
	outbox->stream = NULL;
}

void sr_outbox_free(struct sr_outbox *outbox)
{
	if (!outbox) {
		return;
	}
	while (outbox->first) {
		letter_free(take_first(outbox));
	}
	sr_cond_destroy(&outbox->changed);
	sr_mutex_destroy(&outbox->mutex);
	sr_free(outbox);
}
