/* Sealed objects as bytes, and lists of registers as text. */
#include "seal/tpm_object.h"

#include "base/text.h"

#include <string.h>

enum { VERSION = 1 };

static const struct {
	const char *name;
	uint16_t number; /* TPM_ALG_ID */
} banks[] = {{"sha1", 0x0004}, {"sha256", 0x000b}, {"sha384", 0x000c}, {"sha512", 0x000d}};
enum { BANK_COUNT = sizeof banks / sizeof *banks };

void sr_tpm_object_write(const struct sr_tpm_object *object, struct sr_buf *bytes)
{
	sr_buf_append_u16(bytes, VERSION);
	sr_buf_append_u8(bytes, object->has_pin);
	sr_buf_append_u16(bytes, object->bank);
	sr_buf_append_u32(bytes, object->pcrs);
	sr_buf_append_block(bytes, object->parent_name);
	sr_buf_append_block(bytes, object->public_part);
	sr_buf_append_block(bytes, object->private_part);
}

static const char *bank_name(uint16_t number)
{
	for (size_t i = 0; i < BANK_COUNT; i++) {
		if (banks[i].number == number) {
			return banks[i].name;
		}
	}
	return NULL;
}

struct sr_result sr_tpm_object_read(struct sr_bytes bytes, struct sr_tpm_object *ret_object)
{
	struct sr_reader reader = sr_reader_of(bytes);
	uint16_t version = sr_reader_u16(&reader);
	uint8_t has_pin = sr_reader_u8(&reader);
	struct sr_tpm_object object = {.has_pin = has_pin == 1, .bank = sr_reader_u16(&reader)};
	object.pcrs = sr_reader_u32(&reader);
	object.parent_name = sr_reader_block(&reader, SR_TPM_NAME_MAX);
	object.public_part = sr_reader_block(&reader, SR_TPM_PUBLIC_MAX);
	object.private_part = sr_reader_block(&reader, SR_TPM_PRIVATE_MAX);
	SR_CLEANUP(sr_result) struct sr_result whole = sr_reader_finish(&reader, "object");
	bool fits = object.pcrs ? bank_name(object.bank) && object.pcrs >> SR_TPM_PCR_COUNT == 0 : object.bank == 0;
	if (!sr_is_ok(whole) || version != VERSION || has_pin > 1 || !fits) {
		return sr_fail(SR_CORRUPT, "this is no sealed object of a TPM");
	}
	*ret_object = object;
	return sr_ok();
}

static struct sr_result no_pcrs(const char *text)
{
	return sr_fail(SR_INVALID, "'%.64s' names no registers of a TPM: write sha256:0,2,7", text);
}

struct sr_result sr_tpm_pcrs_parse(const char *text, uint16_t *ret_bank, uint32_t *ret_pcrs)
{
	uint16_t bank = 0;
	uint32_t pcrs = 0;
	const size_t name_len = text ? strcspn(text, ":") : 0;
	for (size_t i = 0; name_len && i < BANK_COUNT; i++) {
		if (strlen(banks[i].name) == name_len && strncmp(banks[i].name, text, name_len) == 0) {
			bank = banks[i].number;
		}
	}
	const char *rest = name_len ? text + name_len : "";
	while (*rest) {
		rest++; /* the colon, or a comma */
		const size_t len = strcspn(rest, ",");
		uint64_t number;
		SR_CLEANUP(sr_result)
		struct sr_result parsed = sr_parse_u64(sr_bytes_of(rest, len), SR_TPM_PCR_COUNT - 1, &number);
		if (!sr_is_ok(parsed)) {
			return no_pcrs(text);
		}
		pcrs |= UINT32_C(1) << number;
		rest += len;
	}
	if (name_len && (!bank || !pcrs)) {
		return no_pcrs(text);
	}
	*ret_bank = bank;
	*ret_pcrs = pcrs;
	return sr_ok();
}

bool sr_tpm_needs_pin(struct sr_bytes object)
{
	struct sr_tpm_object parsed;
	SR_CLEANUP(sr_result) struct sr_result read = sr_tpm_object_read(object, &parsed);
	return sr_is_ok(read) && parsed.has_pin;
}

void sr_tpm_describe(struct sr_bytes object, struct sr_buf *text)
{
	struct sr_tpm_object parsed;
	SR_CLEANUP(sr_result) struct sr_result read = sr_tpm_object_read(object, &parsed);
	if (!sr_is_ok(read)) {
		return;
	}
	const char *separator = ":";
	if (parsed.pcrs) {
		sr_buf_printf(text, " bound to %s", bank_name(parsed.bank));
	}
	for (unsigned i = 0; i < SR_TPM_PCR_COUNT; i++) {
		if (parsed.pcrs >> i & 1) {
			sr_buf_printf(text, "%s%u", separator, i);
			separator = ",";
		}
	}
	if (parsed.has_pin) {
		sr_buf_append_str(text, ", with a PIN");
	}
}
