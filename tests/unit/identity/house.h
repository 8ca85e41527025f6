/* The house of these tests: a CA, the vault's end of a real lease over a store of one key, and the service over TLS. */
#ifndef SR_TESTS_IDENTITY_HOUSE_H
#define SR_TESTS_IDENTITY_HOUSE_H

#include "seal_init.h"

#include "identity/service.h"

#include "vault/grantor.h"

enum { HOUSE_TTL_MS = 400 };

struct house {
	char folder[256], socket[300];
	struct sr_certificate *ca;
	struct sr_tls *vault_tls, *public_tls, *internal_tls, *client_tls, *blob_tls, *customer_tls;
	struct sr_grantor *grantor;
	uint16_t vault_port;
	struct sr_mutex mutex; /* guards the rest */
	struct sr_id resource;
	struct sr_secret *kek;
	bool is_disabled;
	uint64_t revocation_epoch;
	struct sr_identity *identity;
	char authority[64];
};

/* For cmocka: the house with its vault and its service running, in a folder of its own; *state is the house. */
int house_set_up(void **state);
int house_tear_down(void **state);

void house_start_vault(struct house *house);
void house_stop_vault(struct house *house);
/* Disables the key and recalls it; the service has let go when it returns. */
void house_take_key_away(struct house *house);
void house_give_key_back(struct house *house);
/* Starts the service, in the same folder as before. */
void house_start_service(struct house *house);
/* Waits until it has opened its state. */
void house_prepare(struct house *house);

#endif
