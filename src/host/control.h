/*
 * Messages between the supervisor and a service over their socket pair (SOCK_SEQPACKET: one message a packet).
 * Nothing secret passes: configuration, signing requests, certificates, signs of life.
 */
#ifndef SR_HOST_CONTROL_H
#define SR_HOST_CONTROL_H

#include "base/bytes.h"

enum sr_control_kind {
	SR_CONTROL_CONFIG = 1,  /* to the service: its settings, exported */
	SR_CONTROL_STOP,        /* to the service */
	SR_CONTROL_SIGN,        /* to the vault: service's name, request, receiver's key; the number comes back */
	SR_CONTROL_CERTIFICATE, /* to the service that asked: certificate and CA; a parcel of what to show to clients */
	SR_CONTROL_READY,       /* from a service: clients are served */
	SR_CONTROL_ALIVE,       /* from a service, each second */
	SR_CONTROL_WANT,        /* from a service: its signing request; a key to which the parcel is sealed */
	SR_CONTROL_SIGNED,      /* from the vault: the number, certificate and CA, parcel; empty where it refused */
	SR_CONTROL_RENEW,       /* from the vault: a service's name; to that service: it asks for a certificate anew */
	SR_CONTROL_SEALED,      /* from the vault: it waits for a person */
	SR_CONTROL_RESTART      /* from a service: it ends by itself, to be started again at once */
};
enum { SR_CONTROL_MAX = 65536, SR_CONTROL_FD = 3 };

/* One message; parts that a kind does not use are empty. Parts of a received one are borrowed from its buffer. */
struct sr_control_message {
	enum sr_control_kind kind;
	uint32_t number;
	struct sr_bytes text;   /* configuration, service's name, parcel */
	struct sr_bytes first;  /* request, certificate */
	struct sr_bytes second; /* CA's certificate, receiver's key */
};
/* Sends one message; SR_CLOSED if the other end is gone. */
SR_MUST struct sr_result sr_control_send(int fd, const struct sr_control_message *message);
/* Waits at most `timeout_ms` (-1: for ever) for one message; SR_TIMEOUT, SR_CLOSED, SR_PROTOCOL. `buf` keeps its bytes.
 */
SR_MUST struct sr_result sr_control_receive(int fd, int timeout_ms, struct sr_buf *buf,
                                            struct sr_control_message *ret_message);

#endif
