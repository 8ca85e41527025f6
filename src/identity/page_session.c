/* The table of page sessions, cookies and form tokens. */
#include "identity/page_session.h"

#include "base/memory.h"
#include "base/thread.h"
#include "seal/crypto.h"

#include <string.h>

/* A name with this prefix is taken by browsers only with Secure, for the whole host, and never from another (RFC
 * 6265bis). */
#define COOKIE_NAME "__Host-strongroom-sign-in"
enum { ID_ENTROPY_LEN = 32 };

struct place {
	bool is_used;
	uint8_t id_hash[SR_SHA256_LEN];
	uint64_t expires_ms;
	struct sr_page_session session;
};

struct sr_page_sessions {
	struct sr_secret *key; /* of form tokens */
	struct sr_mutex mutex; /* guards the places */
	struct place places[SR_PAGE_SESSIONS_MAX];
};

struct sr_result sr_page_sessions_new(struct sr_page_sessions **ret_sessions)
{
	struct sr_secret *key;
	SR_TRY(sr_secret_random(SR_KEY_LEN, &key));
	struct sr_page_sessions *sessions = sr_alloc(sizeof *sessions);
	sessions->key = key;
	sr_mutex_init(&sessions->mutex, SR_RANK_LEAF);
	*ret_sessions = sessions;
	return sr_ok();
}

void sr_page_sessions_free(struct sr_page_sessions *sessions)
{
	if (sessions) {
		sr_secret_free(sessions->key);
		sr_mutex_destroy(&sessions->mutex);
		sr_wipe(sessions->places, sizeof sessions->places);
		sr_free(sessions);
	}
}

struct sr_result sr_page_id_new(char ret_id[static SR_PAGE_ID_LEN])
{
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_PAGE_ID_LEN);
	SR_TRY(sr_secret_text_new(ID_ENTROPY_LEN, &text));
	memcpy(ret_id, sr_buf_text(&text), SR_PAGE_ID_LEN);
	return sr_ok();
}

static bool is_id_letter(char letter)
{
	return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
	       letter == '-' || letter == '_';
}

bool sr_page_id_of_cookie(const char *cookie, char ret_id[static SR_PAGE_ID_LEN])
{
	static const char name[] = COOKIE_NAME "=";
	for (const char *at = cookie; at && *at; at = strchr(at, ';')) {
		at += strspn(at, "; ");
		if (strncmp(at, name, sizeof name - 1) != 0) {
			continue;
		}
		at += sizeof name - 1;
		size_t len = 0;
		while (len < SR_PAGE_ID_LEN && is_id_letter(at[len])) {
			len++;
		}
		if (len != SR_PAGE_ID_LEN - 1 || (at[len] && at[len] != ';')) {
			return false;
		}
		memcpy(ret_id, at, len);
		ret_id[len] = 0;
		return true;
	}
	return false;
}

const char *sr_page_cookie(struct sr_arena *arena, const char *id)
{
	return sr_arena_printf(arena, COOKIE_NAME "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s", id ? id : "",
	                       id ? "" : "; Max-Age=0");
}

struct sr_result sr_page_form_token(struct sr_page_sessions *sessions, struct sr_arena *arena, const char *id,
                                    const char **ret_token)
{
	uint8_t mac[SR_SHA256_LEN];
	SR_TRY(sr_hmac_sha256(sessions->key, sr_bytes_str(id), mac));
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(SR_PAGE_ID_LEN);
	sr_base64url_encode(&text, sr_bytes_of(mac, sizeof mac));
	*ret_token = sr_arena_strdup(arena, sr_buf_text(&text));
	return sr_ok();
}

bool sr_page_form_token_matches(struct sr_page_sessions *sessions, const char *id, const char *token)
{
	uint8_t mac[SR_SHA256_LEN];
	SR_CLEANUP(sr_buf) struct sr_buf given = SR_BUF(SR_SHA256_LEN);
	SR_CLEANUP(sr_result) struct sr_result decoded = sr_base64url_decode(sr_bytes_str(token), &given);
	SR_CLEANUP(sr_result) struct sr_result computed = sr_hmac_sha256(sessions->key, sr_bytes_str(id), mac);
	return sr_is_ok(decoded) && sr_is_ok(computed) && given.len == sizeof mac &&
	       sr_equal_ct(sr_buf_bytes(&given), sr_bytes_of(mac, sizeof mac));
}

static void hash_of(const char *id, uint8_t ret_hash[static SR_SHA256_LEN])
{
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, sr_bytes_str(id), digest);
	memcpy(ret_hash, digest, SR_SHA256_LEN);
}

static struct place *find(struct sr_page_sessions *sessions, const uint8_t hash[static SR_SHA256_LEN])
{
	for (size_t i = 0; i < SR_PAGE_SESSIONS_MAX; i++) {
		struct place *place = &sessions->places[i];
		if (place->is_used &&
		    sr_equal_ct(sr_bytes_of(place->id_hash, SR_SHA256_LEN), sr_bytes_of(hash, SR_SHA256_LEN))) {
			return place;
		}
	}
	return NULL;
}

/* The place of this id, a free one, or the oldest. */
static struct place *make_room(struct sr_page_sessions *sessions, const uint8_t hash[static SR_SHA256_LEN])
{
	struct place *place = find(sessions, hash);
	for (size_t i = 0; !place && i < SR_PAGE_SESSIONS_MAX; i++) {
		place = sessions->places[i].is_used ? NULL : &sessions->places[i];
	}
	if (!place) {
		place = &sessions->places[0];
		for (size_t i = 1; i < SR_PAGE_SESSIONS_MAX; i++) {
			place = sessions->places[i].expires_ms < place->expires_ms ? &sessions->places[i] : place;
		}
	}
	return place;
}

void sr_page_session_put(struct sr_page_sessions *sessions, const char *id, const struct sr_page_session *session,
                         uint64_t now_ms)
{
	struct place fresh = {
	    .is_used = true, .expires_ms = now_ms + SR_PAGE_SESSION_S * UINT64_C(1000), .session = *session};
	hash_of(id, fresh.id_hash);
	SR_LOCKED(&sessions->mutex);
	*make_room(sessions, fresh.id_hash) = fresh;
}

bool sr_page_session_get(struct sr_page_sessions *sessions, const char *id, uint64_t now_ms,
                         struct sr_page_session *ret_session)
{
	uint8_t hash[SR_SHA256_LEN];
	hash_of(id, hash);
	SR_LOCKED(&sessions->mutex);
	struct place *place = find(sessions, hash);
	if (!place || place->expires_ms <= now_ms) {
		return false;
	}
	*ret_session = place->session;
	return true;
}

void sr_page_session_drop(struct sr_page_sessions *sessions, const char *id)
{
	uint8_t hash[SR_SHA256_LEN];
	hash_of(id, hash);
	SR_LOCKED(&sessions->mutex);
	struct place *place = find(sessions, hash);
	if (place) {
		sr_wipe(place, sizeof *place);
	}
}

void sr_page_sessions_drop_person(struct sr_page_sessions *sessions, const char *person)
{
	SR_LOCKED(&sessions->mutex);
	for (size_t i = 0; i < SR_PAGE_SESSIONS_MAX; i++) {
		struct place *place = &sessions->places[i];
		if (place->is_used && strcmp(place->session.person, person) == 0) {
			sr_wipe(place, sizeof *place);
		}
	}
}
