/* Distinguished names between text (RFC 4514) and X.509. The most significant part of a text stands last, so its parts
 * are taken in reverse. */
#include "seal/x509_parts.h"

#include "seal/openssl_error.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { PARTS_MAX = 32, TYPE_MAX = 64, VALUE_MAX = 256, TEXT_MAX = 2048 };

/* Names of attribute types as people write them. */
static const struct {
	const char *name;
	int nid;
} types[] = {
    {"CN", NID_commonName},
    {"O", NID_organizationName},
    {"OU", NID_organizationalUnitName},
    {"L", NID_localityName},
    {"ST", NID_stateOrProvinceName},
    {"S", NID_stateOrProvinceName},
    {"C", NID_countryName},
    {"E", NID_pkcs9_emailAddress},
    {"emailAddress", NID_pkcs9_emailAddress},
    {"DC", NID_domainComponent},
    {"UID", NID_userId},
    {"STREET", NID_streetAddress},
    {"serialNumber", NID_serialNumber},
    {"T", NID_title},
    {"title", NID_title},
    {"G", NID_givenName},
    {"GN", NID_givenName},
    {"givenName", NID_givenName},
    {"SN", NID_surname},
    {"I", NID_initials},
    {"initials", NID_initials},
    {"description", NID_description},
    {"postalCode", NID_postalCode},
    {"businessCategory", NID_businessCategory},
    {"organizationIdentifier", NID_organizationIdentifier},
    {"dnQualifier", NID_dnQualifier},
    {"pseudonym", NID_pseudonym},
};

struct part {
	ASN1_OBJECT *type;
	uint8_t value[VALUE_MAX];
	size_t len;
	bool is_joined; /* behind a '+': of one part with the one before */
};

struct parse {
	const char *at;
	struct part parts[PARTS_MAX];
	size_t count;
};

static void parse_cleanup(struct parse *parse)
{
	for (size_t i = 0; i < parse->count; i++) {
		ASN1_OBJECT_free(parse->parts[i].type);
	}
}

static void skip_spaces(struct parse *parse)
{
	while (*parse->at == ' ') {
		parse->at++;
	}
}

static struct sr_result read_type(struct parse *parse, ASN1_OBJECT **ret_type)
{
	char name[TYPE_MAX];
	size_t len = 0;
	skip_spaces(parse);
	while ((isalnum((unsigned char)*parse->at) || *parse->at == '.') && len < sizeof name - 1) {
		name[len++] = *parse->at++;
	}
	name[len] = '\0';
	skip_spaces(parse);
	if (!len || *parse->at != '=') {
		return sr_fail(SR_INVALID, "subject: NAME=VALUE is expected at '%.32s'", parse->at);
	}
	parse->at++;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcasecmp(types[i].name, name) == 0) {
			*ret_type = OBJ_nid2obj(types[i].nid);
			return sr_ok();
		}
	}
	const char *dotted = strncasecmp(name, "OID.", 4) == 0 ? name + 4 : name;
	*ret_type = isdigit((unsigned char)*dotted) ? OBJ_txt2obj(dotted, 1) : NULL;
	sr_forget_openssl_errors();
	return *ret_type ? sr_ok() : sr_fail(SR_INVALID, "subject: '%s' is no part of a distinguished name", name);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash: two hex digits, or a character for itself. */
static struct sr_result read_escape(struct parse *parse, uint8_t *ret_byte)
{
	int high = hex_digit(parse->at[1]);
	int low = high >= 0 ? hex_digit(parse->at[2]) : -1;
	if (low >= 0) {
		*ret_byte = (uint8_t)(high << 4 | low);
		parse->at += 3;
		return sr_ok();
	}
	if (!parse->at[1] || !strchr(" \"#+,;<=>\\", parse->at[1])) {
		return sr_fail(SR_INVALID, "subject: a backslash escapes nothing");
	}
	*ret_byte = (uint8_t)parse->at[1];
	parse->at += 2;
	return sr_ok();
}

static struct sr_result add_byte(struct part *part, uint8_t byte)
{
	if (part->len == sizeof part->value) {
		return sr_fail(SR_INVALID, "subject: a value is longer than %d bytes", VALUE_MAX);
	}
	part->value[part->len++] = byte;
	return sr_ok();
}

static struct sr_result read_plain(struct parse *parse, struct part *part)
{
	size_t kept = 0; /* up to the last character that is no unescaped space */
	while (*parse->at && !strchr(",;+", *parse->at)) {
		uint8_t byte = (uint8_t)*parse->at;
		bool is_space = byte == ' ';
		if (strchr("\"<>", (char)byte)) {
			return sr_fail(SR_INVALID, "subject: the character %c must be escaped or quoted", byte);
		}
		if (byte == '\\') {
			SR_TRY(read_escape(parse, &byte));
		} else {
			parse->at++;
		}
		SR_TRY(add_byte(part, byte));
		kept = is_space ? kept : part->len;
	}
	part->len = kept;
	return sr_ok();
}

static struct sr_result read_quoted(struct parse *parse, struct part *part)
{
	for (parse->at++; *parse->at != '"' || parse->at[1] == '"';) {
		uint8_t byte = (uint8_t)*parse->at;
		if (!byte) {
			return sr_fail(SR_INVALID, "subject: a quote is not closed");
		}
		if (byte == '\\') {
			SR_TRY(read_escape(parse, &byte));
		} else {
			parse->at += byte == '"' ? 2 : 1; /* a doubled quote stands for one */
		}
		SR_TRY(add_byte(part, byte));
	}
	parse->at++;
	skip_spaces(parse);
	return !*parse->at || strchr(",;+", *parse->at) ? sr_ok()
	                                                : sr_fail(SR_INVALID, "subject: text follows a closed quote");
}

static struct sr_result read_part(struct parse *parse, bool is_joined)
{
	if (parse->count == PARTS_MAX) {
		return sr_fail(SR_INVALID, "subject: more than %d parts", PARTS_MAX);
	}
	struct part *part = &parse->parts[parse->count];
	*part = (struct part){.is_joined = is_joined};
	SR_TRY(read_type(parse, &part->type));
	parse->count++;
	skip_spaces(parse);
	if (*parse->at == '#') {
		return sr_fail(SR_INVALID, "subject: values in hex are not taken");
	}
	SR_TRY(*parse->at == '"' ? read_quoted(parse, part) : read_plain(parse, part));
	if (!part->len || !sr_is_utf8(sr_bytes_of(part->value, part->len))) {
		return sr_fail(SR_INVALID, "subject: a value is empty or no UTF-8");
	}
	return sr_ok();
}

static struct sr_result add_part(X509_NAME *name, const struct part *part, bool is_first_of_set)
{
	if (X509_NAME_add_entry_by_OBJ(name, part->type, MBSTRING_UTF8, part->value, (int)part->len, -1,
	                               is_first_of_set ? 0 : -1) != 1) {
		sr_forget_openssl_errors();
		return sr_fail(SR_INVALID, "subject: '%.*s' does not fit its part (too long, or with characters that it lacks)",
		               (int)(part->len < 64 ? part->len : 64), (const char *)part->value);
	}
	return sr_ok();
}

/* Sets of joined parts from the last to the first, each in its own order. */
static struct sr_result build(const struct parse *parse, X509_NAME *name)
{
	for (size_t end = parse->count; end > 0;) {
		size_t start = end - 1;
		while (start > 0 && parse->parts[start].is_joined) {
			start--;
		}
		for (size_t i = start; i < end; i++) {
			SR_TRY(add_part(name, &parse->parts[i], i == start));
		}
		end = start;
	}
	return sr_ok();
}

struct sr_result sr_x509_name_parse(const char *text, X509_NAME **ret_name)
{
	if (strlen(text) > TEXT_MAX) {
		return sr_fail(SR_INVALID, "subject: longer than %d bytes", TEXT_MAX);
	}
	SR_CLEANUP(x509_name) X509_NAME *name = X509_NAME_new();
	if (!name) {
		return sr_fail_openssl(SR_CRYPTO, "make a distinguished name");
	}
	SR_CLEANUP(parse) struct parse parse = {.at = text};
	skip_spaces(&parse);
	bool is_joined = false;
	while (*parse.at || parse.count) {
		SR_TRY(read_part(&parse, is_joined));
		if (!*parse.at) {
			break;
		}
		is_joined = *parse.at++ == '+';
	}
	SR_TRY(build(&parse, name));
	*ret_name = SR_TAKE(name);
	return sr_ok();
}

struct sr_result sr_x509_name_text(struct sr_arena *arena, const X509_NAME *name, const char **ret_text)
{
	const unsigned long form =
	    (XN_FLAG_RFC2253 & ~(unsigned long)(XN_FLAG_SEP_MASK | ASN1_STRFLGS_ESC_MSB)) | XN_FLAG_SEP_CPLUS_SPC;
	SR_CLEANUP(bio) BIO *bio = BIO_new(BIO_s_mem());
	if (!bio || X509_NAME_print_ex(bio, name, 0, form) < 0) {
		return sr_fail_openssl(SR_INVALID, "write a distinguished name");
	}
	char *text = NULL;
	long len = BIO_get_mem_data(bio, &text);
	const struct sr_bytes bytes = sr_bytes_of(text, len > 0 ? (size_t)len : 0);
	if (!sr_is_utf8(bytes)) {
		return sr_fail(SR_INVALID, "the distinguished name is no UTF-8");
	}
	*ret_text = sr_arena_text(arena, bytes);
	return sr_ok();
}
