/* Known answers that the ciphers must give before a process serves anybody; private to the room. */
#ifndef SR_SEAL_KNOWN_ANSWER_H
#define SR_SEAL_KNOWN_ANSWER_H

#include "base/result.h"

/* SR_CRYPTO if a primitive gives another answer than its published one. */
SR_MUST struct sr_result sr_known_answers_check(void);

#endif
