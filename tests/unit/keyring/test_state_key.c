/* The file that says which key a service's state is under. */
#include "keyring/state_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct sr_state_key sample(bool is_wrapped)
{
	struct sr_state_key key = {.kek_epoch = 0x01020304, .is_wrapped = is_wrapped};
	for (uint8_t i = 0; i < SR_ID_LEN; i++) {
		key.resource.bytes[i] = i;
		key.database.bytes[i] = (uint8_t)(0x80 + i);
	}
	memset(key.wrapped, 0x5a, is_wrapped ? sizeof key.wrapped : 0);
	return key;
}

static void comes_back_as_it_was_written(void **state)
{
	(void)state;
	for (int is_wrapped = 0; is_wrapped < 2; is_wrapped++) {
		struct sr_state_key key = sample(is_wrapped);
		struct sr_state_key back;
		SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(256);
		sr_state_key_write(&key, &bytes);
		SR_CLEANUP(sr_result) struct sr_result read = sr_state_key_read(sr_buf_bytes(&bytes), &back);
		assert_true(sr_is_ok(read));
		assert_int_equal(back.is_wrapped, is_wrapped);
		assert_int_equal(back.kek_epoch, key.kek_epoch);
		assert_memory_equal(back.resource.bytes, key.resource.bytes, SR_ID_LEN);
		assert_memory_equal(back.database.bytes, key.database.bytes, SR_ID_LEN);
		assert_memory_equal(back.wrapped, key.wrapped, sizeof key.wrapped);
	}
}

static void the_format_never_changes(void **state)
{
	(void)state;
	static const uint8_t expected[48] = "SRstate1"
	                                    "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
	                                    "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f"
	                                    "\x01\x02\x03\x04"
	                                    "\x00\x00\x00\x28";
	struct sr_state_key key = sample(true);
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(256);
	sr_state_key_write(&key, &bytes);
	assert_int_equal(bytes.len, sizeof expected + SR_WRAPPED_KEY_LEN);
	assert_memory_equal(bytes.data, expected, sizeof expected);
}

static void every_cut_and_every_other_file_is_refused(void **state)
{
	(void)state;
	struct sr_state_key key = sample(true);
	struct sr_state_key back;
	SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(256);
	sr_state_key_write(&key, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		SR_CLEANUP(sr_result) struct sr_result read = sr_state_key_read(sr_bytes_of(bytes.data, len), &back);
		assert_int_equal(sr_result_code(read), SR_CORRUPT);
	}
	sr_buf_append_u8(&bytes, 0);
	SR_CLEANUP(sr_result) struct sr_result longer = sr_state_key_read(sr_buf_bytes(&bytes), &back);
	assert_int_equal(sr_result_code(longer), SR_CORRUPT);
	bytes.len--;
	bytes.data[7] = '2';
	SR_CLEANUP(sr_result) struct sr_result other = sr_state_key_read(sr_buf_bytes(&bytes), &back);
	assert_int_equal(sr_result_code(other), SR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back_as_it_was_written),
	    cmocka_unit_test(the_format_never_changes),
	    cmocka_unit_test(every_cut_and_every_other_file_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
