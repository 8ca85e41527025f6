/* Questions of the services: who asks, and may they. Each is answered from one snapshot of the directory. */
#include "access/access.h"

#include "access/directory.h"
#include "access/follower.h"
#include "access/token.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "wire/jwt.h"

#include <stdio.h>
#include <string.h>

struct sr_access {
	char *authority;                /* owned; without a trailing slash */
	struct sr_follower *follower;   /* owned */
	struct sr_mutex mutex;          /* guards directory */
	struct sr_directory *directory; /* the current snapshot, NULL before the first; one share is ours */
};

/* Puts a new snapshot in place of the old; whoever uses the old one keeps its share until done. */
static void publish(void *context, struct sr_directory *directory)
{
	struct sr_access *access = context;
	sr_mutex_lock(&access->mutex);
	struct sr_directory *old = access->directory;
	access->directory = directory;
	sr_mutex_unlock(&access->mutex);
	sr_directory_free(old);
}

/* A share of the current snapshot, NULL before the first. */
static struct sr_directory *current(struct sr_access *access)
{
	SR_LOCKED(&access->mutex);
	return access->directory ? sr_directory_share(access->directory) : NULL;
}

static struct sr_result need_current(struct sr_access *access, struct sr_directory **ret_directory)
{
	struct sr_directory *directory = current(access);
	if (!directory) {
		return sr_fail(SR_UNAVAILABLE, "the directory of identity has not been read yet");
	}
	*ret_directory = directory;
	return sr_ok();
}

static void access_free(struct sr_access *access)
{
	sr_directory_free(access->directory);
	sr_mutex_destroy(&access->mutex);
	sr_free(access->authority);
	sr_free(access);
}

struct sr_result sr_access_start(const struct sr_access_options *options, struct sr_access **ret_access)
{
	struct sr_access *access = sr_alloc(sizeof *access);
	sr_mutex_init(&access->mutex, SR_RANK_ACCESS);
	access->authority = sr_strdup(options->authority);
	size_t len = strlen(access->authority);
	if (len && access->authority[len - 1] == '/') {
		access->authority[len - 1] = 0;
	}
	struct sr_result result = sr_follower_start(options, publish, access, &access->follower);
	if (!sr_is_ok(result)) {
		access_free(access);
		return result;
	}
	*ret_access = access;
	return sr_ok();
}

void sr_access_stop(struct sr_access *access)
{
	if (access) {
		sr_follower_stop(access->follower);
		access_free(access);
	}
}

bool sr_access_is_ready(struct sr_access *access)
{
	SR_LOCKED(&access->mutex);
	return access->directory != NULL;
}

/* What the token says, from the cache or by checking it. */
static struct sr_result believe(struct sr_access *access, struct sr_directory *directory, struct sr_arena *arena,
                                struct sr_bytes token, struct sr_token_facts *ret_facts)
{
	struct sr_token_cache *tokens = sr_directory_tokens(directory);
	int64_t now_s = sr_unix_s();
	uint8_t digest[SR_DIGEST_MAX];
	sr_digest_of(SR_DIGEST_SHA256, token, digest);
	if (!sr_token_cache_get(tokens, digest, now_s, ret_facts)) {
		SR_TRY(sr_token_check(directory, access->authority, arena, token, now_s, ret_facts));
		sr_token_cache_put(tokens, digest, ret_facts);
	}
	return sr_ok();
}

struct sr_result sr_access_authenticate(struct sr_access *access, struct sr_arena *arena, struct sr_bytes token,
                                        const char *const *audiences, struct sr_principal *ret_principal)
{
	if (token.len > SR_JWT_MAX) {
		return sr_fail(SR_UNAUTHENTICATED, "a token of %zu characters, at most %d are taken", token.len, SR_JWT_MAX);
	}
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(need_current(access, &directory));
	struct sr_token_facts facts;
	SR_TRY(believe(access, directory, arena, token, &facts));
	if (!sr_token_is_for(&facts, audiences)) {
		return sr_fail(SR_UNAUTHENTICATED, "the token is for another audience, \"%s\"", facts.audience);
	}
	/* Copies, since the snapshot may go before the request does. */
	*ret_principal = (struct sr_principal){
	    .object_id = sr_arena_strdup(arena, facts.principal->object_id_text),
	    .app_id = sr_arena_strdup(arena, facts.principal->app_id),
	    .tenant = sr_arena_strdup(arena, sr_directory_tenant(directory)),
	    .name = sr_arena_strdup(arena, facts.principal->name),
	};
	return sr_ok();
}

/* Who asks, as the snapshot has them, unless a deny assignment refuses the action. */
static struct sr_result find_undenied(const struct sr_directory *directory, const struct sr_principal *principal,
                                      const char *action, bool is_data, const struct sr_scope_place *place,
                                      const struct sr_principal_entry **ret_entry)
{
	const struct sr_principal_entry *entry = sr_directory_principal(directory, principal->object_id);
	if (!entry || !entry->is_enabled) {
		return sr_fail(SR_DENIED, "the principal has been disabled or removed");
	}
	const struct sr_denial *denial = sr_directory_denying(directory, entry, action, is_data, place);
	if (denial) {
		return sr_fail(SR_DENIED, "the deny assignment '%s' at %s refuses %s", denial->name, denial->scope.text,
		               action);
	}
	*ret_entry = entry;
	return sr_ok();
}

struct sr_result sr_access_check(struct sr_access *access, const struct sr_principal *principal, const char *action,
                                 bool is_data, const char *scope, struct sr_id *ret_assignment)
{
	if (principal->is_local) {
		return sr_ok();
	}
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(need_current(access, &directory));
	struct sr_scope_place place = sr_directory_place(directory, scope);
	const struct sr_principal_entry *entry;
	SR_TRY(find_undenied(directory, principal, action, is_data, &place, &entry));
	const struct sr_assignment_entry *assignment = sr_directory_allowing(directory, entry, action, is_data, &place);
	if (!assignment) {
		return sr_fail(SR_DENIED, "no role assignment allows %s at %s", action, scope);
	}
	if (ret_assignment) {
		*ret_assignment = assignment->id;
	}
	return sr_ok();
}

/* What a principal's roles are asked, one after the other. */
struct role_search {
	const char *role_id;
	bool is_taken, is_found;
};

static struct sr_result may_assign(const struct sr_role *role, void *context)
{
	struct role_search *search = context;
	search->is_found = search->is_found || sr_role_may_assign(role, search->role_id, search->is_taken);
	return sr_ok();
}

struct sr_result sr_access_check_assigning(struct sr_access *access, const struct sr_principal *principal,
                                           const char *role_id, bool is_taken, const char *scope)
{
	const char *action =
	    is_taken ? "Microsoft.Authorization/roleAssignments/delete" : "Microsoft.Authorization/roleAssignments/write";
	if (principal->is_local) {
		return sr_ok();
	}
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(need_current(access, &directory));
	struct sr_scope_place place = sr_directory_place(directory, scope);
	const struct sr_principal_entry *entry;
	SR_TRY(find_undenied(directory, principal, action, false, &place, &entry));
	struct role_search search = {.role_id = role_id, .is_taken = is_taken};
	SR_TRY(sr_directory_each_role(directory, entry, &place, may_assign, &search));
	return search.is_found ? sr_ok() : sr_fail(SR_DENIED, "no role assignment allows %s at %s", action, scope);
}

struct sr_result sr_access_each_role(struct sr_access *access, const struct sr_principal *principal, const char *scope,
                                     struct sr_result (*each)(const struct sr_role *role, void *context), void *context)
{
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(need_current(access, &directory));
	struct sr_scope_place place = sr_directory_place(directory, scope);
	const struct sr_principal_entry *entry = sr_directory_principal(directory, principal->object_id);
	return entry ? sr_directory_each_role(directory, entry, &place, each, context) : sr_ok();
}

struct sr_result sr_access_covers(struct sr_access *access, const char *above, const char *scope, bool *ret_covers)
{
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(need_current(access, &directory));
	struct sr_scope_place place = sr_directory_place(directory, scope);
	*ret_covers = sr_directory_is_above(directory, above, &place);
	return sr_ok();
}

struct sr_result sr_access_is_member(struct sr_access *access, const char *object_id, const char *group_id,
                                     bool *ret_is_member)
{
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(need_current(access, &directory));
	const struct sr_principal_entry *group = sr_directory_group(directory, group_id);
	const struct sr_principal_entry *member = sr_directory_principal(directory, object_id);
	member = member ? member : sr_directory_group(directory, object_id);
	*ret_is_member = group && member && sr_directory_is_member(directory, member, group);
	return sr_ok();
}

struct sr_result sr_access_installation(struct sr_access *access, struct sr_installation *ret_installation)
{
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_TRY(need_current(access, &directory));
	memcpy(ret_installation->tenant, sr_directory_tenant(directory), SR_GUID_TEXT_LEN);
	memcpy(ret_installation->subscription, sr_directory_subscription(directory), SR_GUID_TEXT_LEN);
	return sr_ok();
}

const char *sr_access_authority(const struct sr_access *access)
{
	return access->authority;
}

const char *sr_access_own_origin(struct sr_arena *arena, const char *authority, uint16_t port)
{
	char suffix[8];
	snprintf(suffix, sizeof suffix, ":%u", port);
	const size_t len = strlen(authority), suffix_len = strlen(suffix);
	const bool is_own = len > suffix_len && strcmp(authority + len - suffix_len, suffix) == 0;
	return is_own ? sr_arena_printf(arena, "https://%s", authority) : NULL;
}
