/* Pages: no text becomes markup; cookies and form tokens are taken only as they were given. */
#include "fixture.h"

#include "identity/page.h"
#include "identity/page_session.h"

static void no_text_becomes_markup(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf page = SR_BUF(SR_PAGE_MAX);
	static const char evil[] = "\"><script>alert('x')</script>&";
	sr_page_begin(&page, evil);
	sr_page_paragraph(&page, "error", "alert", evil);
	sr_page_form_begin(&page, "/devicelogin", evil, "code");
	sr_page_field(&page,
	              &(struct sr_page_field){.name = "n", .label = evil, .type = "text", .value = evil, .hint = evil});
	sr_page_button(&page, "main", "b", evil, evil);
	sr_page_form_end(&page);
	sr_page_end(&page);
	expect_ok(sr_buf_result(&page));
	const char *text = sr_buf_text(&page);
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "alert('"));
	assert_non_null(strstr(text, "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"));
}

static void a_page_past_its_limit_fails_whole(void **state)
{
	(void)state;
	SR_CLEANUP(sr_buf) struct sr_buf page = SR_BUF(1000);
	sr_page_begin(&page, "a title");
	expect_code(sr_buf_result(&page), SR_TOO_LARGE);
}

static void a_form_token_is_good_for_its_id_alone(void **state)
{
	struct fixture *fixture = *state;
	struct sr_page_sessions *sessions = fixture->identity.page_sessions;
	char id[SR_PAGE_ID_LEN];
	char other[SR_PAGE_ID_LEN];
	const char *token = NULL;
	expect_ok(sr_page_id_new(id));
	expect_ok(sr_page_id_new(other));
	expect_ok(sr_page_form_token(sessions, fixture->arena, id, &token));
	assert_true(sr_page_form_token_matches(sessions, id, token));
	assert_false(sr_page_form_token_matches(sessions, other, token));
	assert_false(sr_page_form_token_matches(sessions, id, ""));
	assert_false(sr_page_form_token_matches(sessions, id, id));
	assert_false(sr_page_form_token_matches(sessions, id, token + 1));
	struct sr_page_sessions *after_restart;
	expect_ok(sr_page_sessions_new(&after_restart));
	assert_false(sr_page_form_token_matches(after_restart, id, token));
	sr_page_sessions_free(after_restart);
}

static void only_our_cookie_of_the_right_form_is_an_id(void **state)
{
	struct fixture *fixture = *state;
	char id[SR_PAGE_ID_LEN];
	char read[SR_PAGE_ID_LEN];
	expect_ok(sr_page_id_new(id));
	const char *cookie = sr_page_cookie(fixture->arena, id);
	assert_non_null(strstr(cookie, "; Path=/; Secure; HttpOnly; SameSite=Strict"));
	const char *pair = sr_arena_text(fixture->arena, sr_bytes_of(cookie, strcspn(cookie, ";")));
	assert_true(sr_page_id_of_cookie(pair, read));
	assert_string_equal(read, id);
	assert_true(sr_page_id_of_cookie(sr_arena_printf(fixture->arena, "a=b; %s; c=d", pair), read));
	const char *const wrong[] = {
	    NULL,
	    "",
	    "a=b",
	    id,
	    sr_arena_printf(fixture->arena, "x%s", pair),
	    sr_arena_printf(fixture->arena, "%sx", pair),
	    sr_arena_text(fixture->arena, sr_bytes_of(pair, strlen(pair) - 1)),
	    "__Host-strongroom-sign-in=",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_false(sr_page_id_of_cookie(wrong[i], read));
	}
}

static void sessions_end_and_the_oldest_makes_room(void **state)
{
	struct fixture *fixture = *state;
	struct sr_page_sessions *sessions = fixture->identity.page_sessions;
	struct sr_page_session session = {.user_code = "BCDFGHJK"};
	struct sr_page_session got;
	char first[SR_PAGE_ID_LEN];
	char second[SR_PAGE_ID_LEN];
	expect_ok(sr_page_id_new(first));
	expect_ok(sr_page_id_new(second));
	sr_page_session_put(sessions, first, &session, 1000);
	assert_true(sr_page_session_get(sessions, first, 1000 + SR_PAGE_SESSION_S * UINT64_C(1000) - 1, &got));
	assert_string_equal(got.user_code, "BCDFGHJK");
	assert_false(sr_page_session_get(sessions, first, 1000 + SR_PAGE_SESSION_S * UINT64_C(1000), &got));
	assert_false(sr_page_session_get(sessions, second, 1000, &got));
	sr_page_session_put(sessions, second, &session, 1001);
	for (int i = 0; i < SR_PAGE_SESSIONS_MAX - 1; i++) {
		char id[SR_PAGE_ID_LEN];
		expect_ok(sr_page_id_new(id));
		sr_page_session_put(sessions, id, &session, 2000);
	}
	assert_false(sr_page_session_get(sessions, first, 2000, &got));
	assert_true(sr_page_session_get(sessions, second, 2000, &got));
	sr_page_session_drop(sessions, second);
	assert_false(sr_page_session_get(sessions, second, 2000, &got));
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_text_becomes_markup),           cmocka_unit_test(a_page_past_its_limit_fails_whole),
	    WITH_STORE(a_form_token_is_good_for_its_id_alone),  WITH_STORE(only_our_cookie_of_the_right_form_is_an_id),
	    WITH_STORE(sessions_end_and_the_oldest_makes_room),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
