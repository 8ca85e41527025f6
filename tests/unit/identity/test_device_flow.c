/* Waiting device authorizations: who gets what under which code, until when, and how many. */
#include "fixture.h"

#include "identity/device_flow.h"

#define AZ "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

static struct sr_device_flows *flows;

static int set_up(void **state)
{
	(void)state;
	flows = sr_device_flows_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sr_device_flows_free(flows);
	return 0;
}

static struct sr_device_ask ask_from(const char *address)
{
	struct sr_device_ask ask = {.client_id = AZ, .resource = "https://vault.azure.net", .wants_id_token = true};
	snprintf(ask.address, sizeof ask.address, "%s", address);
	return ask;
}

static void start(uint64_t now_ms, char *device_code, char *user_code)
{
	struct sr_device_ask ask = ask_from("127.0.0.1");
	SR_CLEANUP(sr_buf) struct sr_buf code = SR_BUF(256);
	expect_ok(sr_device_flow_start(flows, &ask, now_ms, &code, user_code));
	snprintf(device_code, 256, "%s", sr_buf_text(&code));
}

static enum sr_device_state poll_at(const char *device_code, const char *client_id, uint64_t now_ms, bool *ret_expired)
{
	struct sr_device_ask ask;
	char person[SR_GUID_TEXT_LEN];
	return sr_device_flow_poll(flows, device_code, client_id, now_ms, &ask, person, ret_expired);
}

static void an_approved_code_gives_one_answer(void **state)
{
	(void)state;
	char device_code[256];
	char user_code[SR_USER_CODE_LEN];
	struct sr_device_ask ask;
	char person[SR_GUID_TEXT_LEN];
	bool expired;
	start(1000, device_code, user_code);
	assert_int_equal(strlen(user_code), 9);
	assert_int_equal(user_code[4], '-');
	assert_int_equal(poll_at(device_code, AZ, 1000, &expired), SR_DEVICE_PENDING);
	assert_int_equal(poll_at(device_code, AZ, 2000, &expired), SR_DEVICE_TOO_OFTEN);
	assert_int_equal(poll_at(device_code, AZ, 7000, &expired), SR_DEVICE_PENDING);
	assert_true(sr_device_flow_find(flows, user_code, 7000, &ask));
	assert_string_equal(ask.resource, "https://vault.azure.net");
	assert_true(sr_device_flow_decide(flows, user_code, "person", 7000));
	assert_false(sr_device_flow_find(flows, user_code, 7000, &ask));
	assert_false(sr_device_flow_decide(flows, user_code, NULL, 7000));
	assert_int_equal(poll_at(device_code, "11111111-1111-4111-8111-111111111111", 8000, &expired), SR_DEVICE_UNKNOWN);
	assert_int_equal(sr_device_flow_poll(flows, device_code, AZ, 8000, &ask, person, &expired), SR_DEVICE_APPROVED);
	assert_string_equal(person, "person");
	assert_int_equal(poll_at(device_code, AZ, 9000, &expired), SR_DEVICE_UNKNOWN);
	assert_false(expired);
}

static void what_a_person_types_is_taken_as_it_is_meant(void **state)
{
	(void)state;
	char device_code[256];
	char user_code[SR_USER_CODE_LEN];
	char typed[64];
	struct sr_device_ask ask;
	start(1000, device_code, user_code);
	for (size_t i = 0; i < sizeof user_code; i++) {
		typed[i] = (char)(user_code[i] >= 'A' ? user_code[i] + 'a' - 'A' : user_code[i] == '-' ? ' ' : user_code[i]);
	}
	assert_true(sr_device_flow_find(flows, typed, 1000, &ask));
	snprintf(typed, sizeof typed, "  %.4s%s ", user_code, user_code + 5);
	assert_true(sr_device_flow_find(flows, typed, 1000, &ask));
	static const char *const wrong[] = {"", "-", "AAAA-AAAA", "BCDF-GHJ", "BCDF-GHJKL", "<script>", "\xc3\xa9"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_false(sr_device_flow_find(flows, wrong[i], 1000, &ask));
	}
}

static void a_denied_code_and_one_that_expired_say_so(void **state)
{
	(void)state;
	char device_code[256];
	char user_code[SR_USER_CODE_LEN];
	struct sr_device_ask ask;
	bool expired;
	start(1000, device_code, user_code);
	assert_true(sr_device_flow_decide(flows, user_code, NULL, 1000));
	assert_int_equal(poll_at(device_code, AZ, 2000, &expired), SR_DEVICE_DENIED);

	start(1000, device_code, user_code);
	uint64_t late_ms = 1000 + SR_DEVICE_CODE_LIFE_S * UINT64_C(1000);
	assert_true(sr_device_flow_find(flows, user_code, late_ms - 1, &ask));
	assert_false(sr_device_flow_find(flows, user_code, late_ms, &ask));
	assert_false(sr_device_flow_decide(flows, user_code, "person", late_ms));
	assert_int_equal(poll_at(device_code, AZ, late_ms, &expired), SR_DEVICE_UNKNOWN);
	assert_true(expired);
}

static void waiting_ones_are_bounded_and_none_pushes_another_out(void **state)
{
	(void)state;
	char first_code[256];
	char first_user_code[SR_USER_CODE_LEN];
	struct sr_device_ask found;
	start(1000, first_code, first_user_code);
	size_t begun = 1;
	for (int address = 0; address < 100; address++) {
		char text[16];
		snprintf(text, sizeof text, "10.0.0.%d", address);
		struct sr_device_ask ask = ask_from(text);
		for (int i = 0; i <= SR_DEVICE_FLOWS_OF_ADDRESS_MAX; i++) {
			char user_code[SR_USER_CODE_LEN];
			SR_CLEANUP(sr_buf) struct sr_buf code = SR_BUF(256);
			SR_CLEANUP(sr_result) struct sr_result result = sr_device_flow_start(flows, &ask, 1000, &code, user_code);
			begun += sr_is_ok(result);
			assert_true(sr_is_ok(result) || sr_result_code(result) == SR_TOO_LARGE);
			assert_true(i < SR_DEVICE_FLOWS_OF_ADDRESS_MAX || !sr_is_ok(result));
		}
	}
	assert_int_equal(begun, SR_DEVICE_FLOWS_MAX);
	assert_true(sr_device_flow_find(flows, first_user_code, 1000, &found));
	/* When they have expired, there is room again. */
	start(1000 + SR_DEVICE_CODE_LIFE_S * UINT64_C(1000), first_code, first_user_code);
}

int main(void)
{
#define WITH_FLOWS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_FLOWS(an_approved_code_gives_one_answer),
	    WITH_FLOWS(what_a_person_types_is_taken_as_it_is_meant),
	    WITH_FLOWS(a_denied_code_and_one_that_expired_say_so),
	    WITH_FLOWS(waiting_ones_are_bounded_and_none_pushes_another_out),
	};
	return cmocka_run_group_tests(tests, fixture_init, NULL);
}
