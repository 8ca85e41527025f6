/* The root key's file provider: one line of text, "strongroom-root-key-v1 " and 64 hex digits, so that it can be kept
 * on paper. Other providers come beside this one. */
#ifndef SR_VAULT_ROOT_KEY_H
#define SR_VAULT_ROOT_KEY_H

#include "seal/secret.h"

/* Reads the key into secret memory. SR_NOT_FOUND says how to make one; SR_DENIED if others may read the file;
 * SR_INVALID if it is no root key. The caller frees. */
SR_MUST struct sr_result sr_root_key_read(const char *path, struct sr_secret **ret_key);

/* Makes a new one; SR_EXISTS if the path is taken. */
SR_MUST struct sr_result sr_root_key_create(const char *path);

#endif
