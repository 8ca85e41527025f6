/* A key's rotation policy: get and set. What a policy is lives in rotation_policy.c. */
#include "vault/key_handlers.h"

#include "base/clock.h"
#include "vault/key_json.h"
#include "vault/rotation_policy.h"

enum { POLICY_MAX = 16384 };

struct policy_step {
	struct sr_vault_call *call;
	struct sr_key_record key;
	const char *json; /* to set; NULL: only read */
	struct sr_key_policy policy;
};

static struct sr_result policy_work(struct sr_connection *connection, void *context)
{
	struct policy_step *step = context;
	struct sr_vault_call *call = step->call;
	const struct sr_key_name name = sr_call_key(call);
	SR_TRY(sr_key_find(connection, call->arena, &name, SR_KEY_LIVE, &step->key));
	if (step->json) {
		SR_TRY(sr_key_check_unmanaged(&step->key));
		SR_TRY(sr_key_policy_set(connection, step->key.vault, step->key.name, step->json, sr_unix_s()));
	}
	return sr_key_policy_get(connection, call->arena, step->key.vault, step->key.name, &step->policy);
}

static struct sr_result answer_policy(struct sr_vault_call *call, const struct policy_step *step,
                                      struct sr_vault_answer *answer)
{
	const char *text = step->policy.json ? step->policy.json : sr_rotation_policy_default;
	SR_CLEANUP(sr_json) json_t *policy = NULL;
	SR_TRY(sr_json_parse(sr_bytes_str(text), &policy));
	sr_json_set_string(policy, "id",
	                   sr_arena_printf(call->arena, "%s/keys/%s/rotationpolicy", call->base_url, step->key.name));
	if (step->policy.json) {
		json_t *attributes = json_object_get(policy, "attributes");
		sr_json_set_int(attributes, "created", step->policy.created);
		sr_json_set_int(attributes, "updated", step->policy.updated);
	}
	answer->body = SR_TAKE(policy);
	return sr_ok();
}

struct sr_result sr_handle_key_policy_get(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	struct policy_step step = {.call = call};
	SR_TRY(sr_database_read(call->vault->state.database, policy_work, &step));
	return answer_policy(call, &step, answer);
}

struct sr_result sr_handle_key_policy_set(struct sr_vault_call *call, struct sr_vault_answer *answer)
{
	SR_CLEANUP(sr_json) json_t *policy = NULL;
	SR_CLEANUP(sr_buf) struct sr_buf text = SR_BUF(POLICY_MAX);
	SR_TRY(sr_rotation_policy_read(call->body, &policy));
	SR_TRY(sr_json_write(policy, &text));
	SR_TRY(sr_buf_result(&text));
	struct policy_step step = {.call = call, .json = sr_arena_text(call->arena, sr_buf_bytes(&text))};
	SR_TRY(sr_call_write(call, policy_work, &step, NULL));
	sr_tending_wake(call->vault->tending);
	return answer_policy(call, &step, answer);
}
