/* The internal CA: made once, opened again as it was, and not made anew by looking at it. */
#include "rig.h"

#include "vault/authority.h"

#include <stdio.h>
#include <stdlib.h>

static struct rig rig;

static int set_up(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rig_end(&rig);
	return 0;
}

static const char *const no_names[] = {NULL};

static void the_same_ca_comes_back_after_a_restart(void **state)
{
	(void)state;
	struct sr_authority *authority;
	uint8_t first[20], second[20];
	expect_code(sr_authority_check(&rig.vault.state), SR_NOT_FOUND);
	expect_ok(sr_authority_open(&rig.vault.state, no_names, no_names, &authority));
	sr_certificate_thumbprint(sr_authority_certificate(authority), first);
	sr_authority_free(authority);
	rig_close(&rig);
	rig_open(&rig);
	expect_ok(sr_authority_check(&rig.vault.state));
	expect_ok(sr_authority_open(&rig.vault.state, no_names, no_names, &authority));
	sr_certificate_thumbprint(sr_authority_certificate(authority), second);
	sr_authority_free(authority);
	assert_memory_equal(first, second, sizeof first);
}

static void requests_are_signed_and_nonsense_is_not(void **state)
{
	(void)state;
	struct sr_authority *authority;
	expect_ok(sr_authority_open(&rig.vault.state, no_names, no_names, &authority));
	SR_CLEANUP(sr_certificate) struct sr_certificate *certificate = NULL;
	expect_ok(sr_authority_issue(authority, "blob", &certificate));
	SR_CLEANUP(sr_buf) struct sr_buf der = SR_BUF(16384);
	expect_code(sr_authority_sign(authority, "blob", SR_LITERAL("no request"), &der), SR_INVALID);
	sr_authority_free(authority);
}

static void a_damaged_ca_is_told_and_not_replaced(void **state)
{
	(void)state;
	struct sr_authority *authority;
	expect_ok(sr_authority_open(&rig.vault.state, no_names, no_names, &authority));
	sr_authority_free(authority);
	rig_sql(&rig, "UPDATE record SET sealed = zeroblob(length(sealed)) WHERE name = 'ca'");
	expect_code(sr_authority_check(&rig.vault.state), SR_CORRUPT);
	expect_code(sr_authority_open(&rig.vault.state, no_names, no_names, &authority), SR_CORRUPT);
}

int main(void)
{
	if (!sr_is_ok(sr_seal_init())) {
		return 1;
	}
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(the_same_ca_comes_back_after_a_restart),
	    TEST(requests_are_signed_and_nonsense_is_not),
	    TEST(a_damaged_ca_is_told_and_not_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
