/*
 * A 32-byte key in n shares of which any k give it back and fewer tell nothing (Shamir, "How to share a secret", 1979),
 * over GF(2^8) with AES's polynomial, byte by byte. Arithmetic and encoding take the same time whatever the bytes are.
 * Thread-safe.
 */
#ifndef SR_SEAL_SHARE_H
#define SR_SEAL_SHARE_H

#include "seal/secret.h"

enum { SR_SHARE_SET_LEN = 4, SR_SHARE_FINGERPRINT_LEN = 16, SR_SHARES_MOST = 64, SR_SHARE_TEXT_MAX = 256 };

/* One share. All but the value is public. */
struct sr_share {
	uint8_t set[SR_SHARE_SET_LEN]; /* random: which splitting it is of */
	uint8_t threshold;             /* how many are needed */
	uint8_t number;                /* 1 and up: which of the set it is */
	struct sr_secret *value;       /* SR_KEY_LEN bytes; owned */
};
void sr_share_cleanup(struct sr_share *share);

/* Splits a key of SR_KEY_LEN bytes: fills `count` shares of one new set, which the caller cleans up. SR_INVALID unless
 * 2 <= threshold <= count <= SR_SHARES_MOST. */
SR_MUST struct sr_result sr_share_split(const struct sr_secret *key, unsigned threshold, unsigned count,
                                        struct sr_share *ret_shares);
/* Joins `count` shares of one set with different numbers. Fewer than the threshold, or altered ones, give another key:
 * what it should open tells. SR_INVALID: shares of several sets, or one twice. */
SR_MUST struct sr_result sr_share_join(const struct sr_share *shares, size_t count, struct sr_secret **ret_key);

/* Appends the printable form: "strongroom-share-v1 " and 17 groups of four letters and digits (set, threshold, number,
 * value, checksum of 4 bytes). */
void sr_share_write(const struct sr_share *share, struct sr_buf *text);
/* Reads what sr_share_write wrote, as people type it: letters of either case, white space and hyphens anywhere, the
 * first word left out. SR_INVALID says what is wrong with it; nothing of the share is in the message. */
SR_MUST struct sr_result sr_share_read(struct sr_bytes text, struct sr_share *ret_share);

/* What tells this share from a false one, and nothing about the key: kept beside what the key opens. */
SR_MUST struct sr_result sr_share_fingerprint(const struct sr_share *share,
                                              uint8_t ret_fingerprint[static SR_SHARE_FINGERPRINT_LEN]);

#endif
