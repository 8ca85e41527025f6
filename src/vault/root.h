/* What is done with providers and the master file together: making an installation's root, opening it, and putting
 * another in its place. Each may be killed at any moment: what lies there opens with the old root key or the new one.
 */
#ifndef SR_VAULT_ROOT_H
#define SR_VAULT_ROOT_H

#include "vault/master.h"

/* STATE/vault/master, in the caller's memory. */
enum { SR_MASTER_PATH_LEN = SR_CONFIG_TEXT_LEN + 32 };
void sr_root_master_path(const struct sr_config *config, char ret_path[static SR_MASTER_PATH_LEN]);

/* Makes a new root key by a provider, and the master file at `path` under it. SR_EXISTS if there is one. */
SR_MUST struct sr_result sr_root_begin(const char *path, const struct sr_root_settings *settings,
                                       const struct sr_root_provider *provider, const struct sr_root_input *input,
                                       struct sr_buf *handout);

/* Opens a master file that was read: asks its provider, and lets it settle what a crash left. SR_WRONG_KEY: what was
 * given, or what is there, is not this installation's. The caller frees the master. */
SR_MUST struct sr_result sr_root_open(const struct sr_master_file *file, const struct sr_root_settings *settings,
                                      const struct sr_root_input *input, struct sr_vault_master *ret_master);

/* A root key that was made and is in no master file yet. */
struct sr_root_change {
	const struct sr_root_provider *provider;
	struct sr_buf descriptor;
	struct sr_secret *root;
};
void sr_root_change_cleanup(struct sr_root_change *change);
SR_MUST struct sr_result sr_root_change_new(const struct sr_root_settings *settings,
                                            const struct sr_root_provider *provider, const struct sr_root_input *input,
                                            struct sr_buf *handout, struct sr_root_change *ret_change);
/*
 * Proves that the new provider opens what it made, with what people give back, and puts it in the place of the old,
 * which is retired: one rename of `path`, durable when this returns. Where it fails before, the old one is what it was;
 * a failure to retire or settle after it is not one (`ret_left`, "" where all is well, tells people).
 */
SR_MUST struct sr_result sr_root_change_commit(const char *path, const struct sr_root_settings *settings,
                                               struct sr_root_change *change, const struct sr_root_input *input,
                                               const struct sr_vault_master *master, struct sr_buf *left);

/* What people gave as text, for a provider: shares, a line each, or one word. Owned. */
struct sr_root_answer {
	struct sr_secret *word;
	struct sr_share shares[SR_SHARES_MOST];
	struct sr_root_input input; /* of the above */
};
void sr_root_answer_cleanup(struct sr_root_answer *answer);
/* An empty text gives nothing. SR_INVALID: a share is mistyped. `ret_answer` must stay where it is. */
SR_MUST struct sr_result sr_root_answer_read(const struct sr_root_provider *provider, struct sr_bytes text,
                                             struct sr_root_answer *ret_answer);

#endif
