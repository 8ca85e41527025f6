/* Identity's directory document as the services read it: whole or refused. */
#include "access/directory.h"
#include "seal/crypto.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Whatever the document says, questions end, and a group asks for nothing. */
static void check_questions(const struct sr_directory *directory)
{
	const struct sr_principal_entry *one = sr_directory_principal(directory, "00000000-0000-4000-8000-000000000001");
	const struct sr_principal_entry *group = sr_directory_group(directory, "00000000-0000-4000-8000-00000000000a");
	if ((one && one->kind == SR_PRINCIPAL_GROUP) || (group && group->kind != SR_PRINCIPAL_GROUP)) {
		abort();
	}
	struct sr_scope_place place = sr_directory_place(directory, "/subscriptions/s/resourceGroups/g");
	if (one) {
		(void)sr_directory_denying(directory, one, "a/write", false, &place);
		(void)sr_directory_allowing(directory, one, "a/read", false, &place);
	}
	if (one && group) {
		(void)sr_directory_is_member(directory, one, group);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool is_ready;
	if (!is_ready && !sr_is_ok(sr_seal_init())) {
		abort();
	}
	is_ready = true;
	SR_CLEANUP(sr_directory) struct sr_directory *directory = NULL;
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_directory_parse(sr_bytes_of(data, len), &directory);
	if (sr_is_ok(parsed)) {
		enum sr_alg alg;
		(void)sr_directory_key(directory, "kid", &alg);
		(void)sr_directory_principal(directory, "00000000-0000-0000-0000-000000000001");
		check_questions(directory);
		if (!sr_directory_tenant(directory) || sr_directory_revision(directory) < 0) {
			abort();
		}
	}
	return 0;
}
