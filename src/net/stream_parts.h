/* What the stream listener needs of streams: made from a socket, then their handshake on the thread that serves them.
 */
#ifndef SR_NET_STREAM_PARTS_H
#define SR_NET_STREAM_PARTS_H

#include "net/stream.h"
#include "net/tls_session.h"

/* Takes `fd`, in any case. */
SR_MUST struct sr_result sr_stream_accept(struct sr_tls *tls, int fd, struct sr_stream **ret_stream);
SR_MUST struct sr_result sr_stream_handshake(struct sr_stream *stream, uint64_t timeout_ms);

#endif
