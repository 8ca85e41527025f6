/* The root key's file provider by itself: what the first start of an installation and tests use. */
#ifndef SR_VAULT_ROOT_KEY_H
#define SR_VAULT_ROOT_KEY_H

#include "seal/secret.h"

/* Reads the key into secret memory. SR_NOT_FOUND; SR_DENIED if others may read the file; SR_INVALID if it is no root
 * key. The caller frees. */
SR_MUST struct sr_result sr_root_key_read(const char *path, struct sr_secret **ret_key);

/* Makes a new one; SR_EXISTS if the path is taken. */
SR_MUST struct sr_result sr_root_key_create(const char *path);

/* Appends the descriptor of the file provider for this root key. */
SR_MUST struct sr_result sr_root_key_describe(const struct sr_secret *root, struct sr_buf *descriptor);

#endif
