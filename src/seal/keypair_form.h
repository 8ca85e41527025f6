/* The form of a key at rest, before sealing; private to the room. keypair_form.c draws it. */
#ifndef SR_SEAL_KEYPAIR_FORM_H
#define SR_SEAL_KEYPAIR_FORM_H

#include "seal/keypair_parts.h"

/* The form of a key in software, and of one in the token. The caller frees. */
SR_MUST struct sr_result sr_keypair_software_form(const struct sr_keypair *keypair, struct sr_secret **ret_form);
SR_MUST struct sr_result sr_keypair_token_form(const struct sr_keypair *keypair, struct sr_secret **ret_form);
/* The key of a form; SR_CORRUPT if it has none that is known. A token's key opens also where the token is away. */
SR_MUST struct sr_result sr_keypair_from_form(const struct sr_secret *form, struct sr_keypair **ret_keypair);

#endif
