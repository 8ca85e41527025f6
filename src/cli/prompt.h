/* Reading what must not be seen: from the terminal without echo, else a line of standard input. */
#ifndef SR_CLI_PROMPT_H
#define SR_CLI_PROMPT_H

#include "base/bytes.h"

/* A new one: on a terminal it is asked for twice. SR_INVALID where the two differ. */
SR_MUST struct sr_result sr_cli_read_new_secret(const char *question, struct sr_buf *text);
/* All of standard input where it is no terminal, else one line by asking. */
SR_MUST struct sr_result sr_cli_read_secrets(const char *question, struct sr_buf *text);

#endif
