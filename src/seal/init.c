/* What a process does once before it touches a key: the order matters, and is here. */
#include "seal/secret.h"

#include "seal/context.h"
#include "seal/known_answer.h"
#include "seal/secret_slab.h"
#include "seal/tpm.h"
#include "seal/wiping_heap.h"

#include "base/thread.h"

/* In this order; a step that has passed is not repeated when a later one fails and the caller tries again. */
static struct sr_result (*const steps[])(void) = {
    sr_wiping_heap_install,
    sr_slab_init,
    sr_context_init,
    sr_known_answers_check,
};

struct sr_result sr_seal_init(void)
{
	/* Guards `done`. Ranked below secrets, since the known answers use some. */
	static struct sr_mutex mutex = SR_MUTEX(SR_RANK_VFS);
	static size_t done;
	SR_LOCKED(&mutex);
	if (!done) {
		sr_tpm_prepare();
	}
	while (done < sizeof steps / sizeof *steps) {
		SR_TRY(steps[done]());
		done++;
	}
	return sr_ok();
}
