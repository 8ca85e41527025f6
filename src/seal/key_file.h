/* A key as a line of text that can be kept on paper: "strongroom-root-key-v1 " and 64 hex digits. The bytes are outside
 * secret memory only as long as it takes to copy them, and wiped after. Thread-safe. */
#ifndef SR_SEAL_KEY_FILE_H
#define SR_SEAL_KEY_FILE_H

#include "seal/secret.h"

/* Reads a key file into secret memory. SR_NOT_FOUND says how to make one; SR_DENIED if others may read the file;
 * SR_INVALID if it holds no key. The caller frees. */
SR_MUST struct sr_result sr_key_file_read(const char *path, struct sr_secret **ret_key);
/* Puts the key in the place of `path`, mode 0600, durably. */
SR_MUST struct sr_result sr_key_file_write(const char *path, const struct sr_secret *key);
/* The first line of a file that only its owner may read: a PIN. SR_INVALID where it is empty. */
SR_MUST struct sr_result sr_key_file_read_word(const char *path, struct sr_secret **ret_word);
/* Renames `from` over `to`, durably. SR_NOT_FOUND. */
SR_MUST struct sr_result sr_key_file_rename(const char *from, const char *to);
/* Takes the file away, durably; nothing happens where there is none. Its blocks may survive on the device. */
SR_MUST struct sr_result sr_key_file_remove(const char *path);

#endif
