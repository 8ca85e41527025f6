/*
 * An outbox: frames that wait to leave on one stream, and the thread that writes them. Whoever posts never
 * waits for the peer, so it may hold locks, and frames leave in the order in which they were posted. Thread-safe.
 */
#ifndef SR_KEYRING_OUTBOX_H
#define SR_KEYRING_OUTBOX_H

#include "net/stream.h"
#include "wire/lease_message.h"

struct sr_outbox;

/* Starts the writer. Borrows the stream until sr_outbox_close. */
SR_MUST struct sr_result sr_outbox_new(struct sr_stream *stream, struct sr_outbox **ret_outbox);
/* Posts a message's frame. False if it is lost: the stream has failed, or its peer has let too much pile up (the stream
 * is then shut). Takes no lock but a leaf. */
bool sr_outbox_post(struct sr_outbox *outbox, const struct sr_lease_message *message);
/* Lets what is posted leave and then shuts the stream. Returns at once. */
void sr_outbox_end(struct sr_outbox *outbox);
/* Shuts the stream and ends the writer; the stream is not used from then on. Later posts are lost. */
void sr_outbox_close(struct sr_outbox *outbox);
/* After sr_outbox_close, when nobody posts any more. NULL is allowed. */
void sr_outbox_free(struct sr_outbox *outbox);

#endif
