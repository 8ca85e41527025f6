/* Files that the line names, which are the caller's and not the installation's. */
#ifndef SR_CLI_GIVEN_FILE_H
#define SR_CLI_GIVEN_FILE_H

#include "base/bytes.h"

/* Appends the whole file to `buf`, whose limit is the file's. Links are followed, as certificates' renewers keep them;
 * what was read is wiped from the stack. SR_NOT_FOUND, SR_IO or SR_TOO_LARGE. */
SR_MUST struct sr_result sr_cli_read_given(const char *path, struct sr_buf *buf);

#endif
