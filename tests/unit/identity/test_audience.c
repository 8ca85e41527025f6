/* Resources that tokens are made for, own origins, and how scopes name them. */
#include "identity/audience.h"

#include "identity/oauth_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"localhost", "*.vault.localhost", "strongroom.example", NULL};
static const char *const addresses[] = {"127.0.0.1", "::1", NULL};
static const struct sr_own_origins own = {.dns_names = names, .addresses = addresses, .ports = {8441, 8442, 8443}};

static void knows_the_services_that_it_stands_for(void **state)
{
	(void)state;
	static const char *const known[] = {
	    "https://vault.azure.net",
	    "https://vault.azure.net/",
	    "https://storage.azure.com/",
	    "https://management.azure.com/",
	    "https://management.core.windows.net/",
	    "https://mlstore1.blob.core.windows.net",
	    "https://mlstore1.dfs.core.windows.net/",
	    "HTTPS://Vault.Azure.Net",
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_true(sr_is_known_resource(&own, sr_bytes_str(known[i])));
	}
}

static void knows_its_own_origins_at_its_own_ports_only(void **state)
{
	(void)state;
	static const char *const known[] = {"https://127.0.0.1:8442", "https://localhost:8443/", "https://[::1]:8441",
	                                    "https://team.vault.localhost:8442", "https://STRONGROOM.example:8443"};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_true(sr_is_known_resource(&own, sr_bytes_str(known[i])));
	}
	static const char *const unknown[] = {"https://127.0.0.1:8444",        "https://localhost",
	                                      "https://example.com:8442",      "https://a.b.vault.localhost:8442",
	                                      "https://.vault.localhost:8442", "https://vault.localhost:8442"};
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		assert_false(sr_is_known_resource(&own, sr_bytes_str(unknown[i])));
	}
}

static void refuses_what_only_looks_like_a_resource(void **state)
{
	(void)state;
	static const char *const unknown[] = {
	    "",
	    "/",
	    "https://",
	    "http://vault.azure.net",
	    "https://vault.azure.net.evil.example",
	    "https://vault.azure.net//",
	    "https://vault.azure.net/x",
	    "https://evil.example/https://vault.azure.net",
	    "https://a.b.blob.core.windows.net",
	    "https://ab.blob.core.windows.net",
	    "https://Mlstore1.blob.core.windows.net",
	    "https://mlstore1.blob.core.windows.net:444",
	    "https://mlstore1.blob.core.windows.net@evil.example",
	    "https://user@localhost:8443",
	    "https://localhost:8443:8443",
	    "https://localhost:-1",
	    "https://localhost:65979",
	    "https://localhost:",
	    "https://[::1:8441",
	    "https://127.0.0.1:8442?x=/",
	};
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
		assert_false(sr_is_known_resource(&own, sr_bytes_str(unknown[i])));
	}
}

static void must_name(const char *scope, const char *resource)
{
	struct sr_arena *arena = sr_arena_new();
	const char *found = NULL;
	SR_CLEANUP(sr_result) struct sr_result result = sr_scope_resource(arena, scope, &found);
	assert_true(sr_is_ok(result));
	assert_string_equal(found, resource);
	sr_arena_free(arena);
}

static void a_scope_names_its_resource(void **state)
{
	(void)state;
	must_name("https://vault.azure.net/.default", "https://vault.azure.net");
	must_name("https://management.azure.com//.default", "https://management.azure.com/");
	must_name("  openid https://storage.azure.com/.default  offline_access profile", "https://storage.azure.com");
	must_name("https://127.0.0.1:8442/.default", "https://127.0.0.1:8442");
}

static void a_scope_without_exactly_one_resource_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"",
	                                  " ",
	                                  "openid",
	                                  "/.default",
	                                  "https://vault.azure.net",
	                                  "https://vault.azure.net/user_impersonation",
	                                  "https://vault.azure.net/.default https://storage.azure.com/.default",
	                                  "https://vault.azure.net/.default User.Read",
	                                  "https://vault.azure.net/.default/"};
	struct sr_arena *arena = sr_arena_new();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		const char *found = NULL;
		SR_CLEANUP(sr_result) struct sr_result result = sr_scope_resource(arena, bad[i], &found);
		assert_int_equal(sr_result_code(result), SR_INVALID);
		assert_string_equal(sr_result_reason(result), SR_AADSTS_BAD_SCOPE);
		assert_null(found);
	}
	sr_arena_free(arena);
}

static void an_origin_is_taken_apart(void **state)
{
	(void)state;
	struct sr_bytes host;
	struct sr_bytes rest;
	uint16_t port;
	assert_true(sr_origin_parse(sr_bytes_str("https://[::1]:8441/t/oauth2"), &host, &port, &rest));
	assert_true(sr_equal_public(host, SR_LITERAL("[::1]")));
	assert_int_equal(port, 8441);
	assert_true(sr_equal_public(rest, SR_LITERAL("/t/oauth2")));
	assert_true(sr_origin_parse(sr_bytes_str("https://localhost"), &host, &port, &rest));
	assert_int_equal(port, 443);
	assert_int_equal(rest.len, 0);
	assert_true(sr_is_own_host(&own, SR_LITERAL("[::1]")));
	assert_true(sr_is_own_host(&own, SR_LITERAL("::1")));
	assert_false(sr_is_own_host(&own, SR_LITERAL("*.vault.localhost.")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(knows_the_services_that_it_stands_for),
	    cmocka_unit_test(knows_its_own_origins_at_its_own_ports_only),
	    cmocka_unit_test(refuses_what_only_looks_like_a_resource),
	    cmocka_unit_test(a_scope_names_its_resource),
	    cmocka_unit_test(a_scope_without_exactly_one_resource_is_refused),
	    cmocka_unit_test(an_origin_is_taken_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
