/* The lines of a manifest. What is written here is read by nobody else; what is read may have been written by anybody.
 */
#include "seal/archive_manifest.h"

#include "base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "strongroom-backup 1\n"
enum { LINE_MAX_LEN = SR_MANIFEST_LINE_MAX };
#define TIME_MAX UINT64_C(253402300799) /* the end of the year 9999; the next snapshot's time is one more */

static struct sr_result put_line(struct sr_manifest_writer *writer, const char *line)
{
	sr_digest_update(writer->digest, sr_bytes_str(line));
	return fputs(line, writer->stream) < 0 ? sr_fail_errno(errno, "write a backup's manifest") : sr_ok();
}

struct sr_result sr_manifest_begin(const char *path, int64_t now_s, struct sr_manifest_writer *ret_writer)
{
	struct sr_manifest_writer writer = {.stream = fopen(path, "wx")};
	if (!writer.stream) {
		return sr_fail_errno(errno, "make the manifest %s", path);
	}
	struct sr_result begun = sr_digest_new(SR_DIGEST_SHA256, &writer.digest);
	if (sr_is_ok(begun)) {
		char line[64];
		snprintf(line, sizeof line, "time %lld\n", (long long)now_s);
		begun = put_line(&writer, FIRST_LINE);
		begun = sr_is_ok(begun) ? put_line(&writer, line) : begun;
	}
	if (!sr_is_ok(begun)) {
		sr_manifest_writer_free(&writer);
		return begun;
	}
	*ret_writer = writer;
	return sr_ok();
}

/* Paths are made of ids and fixed names; another could not be told from the line around it. */
static bool is_path(const char *path)
{
	const size_t len = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./");
	return len > 0 && !path[len] && *path != '/' && !strstr(path, "..") && !strstr(path, "//");
}

struct sr_result sr_manifest_put_file(struct sr_manifest_writer *writer, const struct sr_manifest_file *file)
{
	if (!is_path(file->path)) {
		return sr_fail(SR_INVALID, "a backup cannot hold a file of the name '%s'", file->path);
	}
	char line[LINE_MAX_LEN];
	snprintf(line, sizeof line, "file %03o %llu %s\n", file->mode & 0777, (unsigned long long)file->size, file->path);
	writer->files++;
	writer->bytes += file->size;
	return put_line(writer, line);
}

struct sr_result sr_manifest_put_block(struct sr_manifest_writer *writer, const char name[static SR_BLOCK_NAME_LEN])
{
	char line[LINE_MAX_LEN];
	snprintf(line, sizeof line, "block %s\n", name);
	return put_line(writer, line);
}

struct sr_result sr_manifest_end(struct sr_manifest_writer *writer, uint8_t ret_sha256[static 32])
{
	char line[LINE_MAX_LEN];
	snprintf(line, sizeof line, "end %llu %llu\n", (unsigned long long)writer->files,
	         (unsigned long long)writer->bytes);
	SR_TRY(put_line(writer, line));
	if (fflush(writer->stream) || fsync(fileno(writer->stream))) {
		return sr_fail_errno(errno, "make a backup's manifest durable");
	}
	uint8_t sha256[SR_DIGEST_MAX];
	sr_digest_finish(writer->digest, sha256);
	memcpy(ret_sha256, sha256, 32);
	return sr_ok();
}

void sr_manifest_writer_free(struct sr_manifest_writer *writer)
{
	if (writer->stream) {
		fclose(writer->stream); /* what counts was flushed before */
	}
	sr_digest_free(writer->digest);
	*writer = (struct sr_manifest_writer){0};
}

static struct sr_result damaged(const struct sr_manifest_reader *reader)
{
	return sr_fail(SR_CORRUPT, "the backup's manifest is damaged after %llu files", (unsigned long long)reader->files);
}

/* Fetches a line, or keeps the one that waits. *ret_line NULL at the end of the file. */
static struct sr_result take_line(struct sr_manifest_reader *reader, char **ret_line)
{
	if (!reader->is_line_waiting) {
		if (!fgets(reader->line, sizeof reader->line, reader->stream)) {
			*ret_line = NULL;
			return ferror(reader->stream) ? sr_fail_errno(errno, "read a backup's manifest") : sr_ok();
		}
		const size_t len = strlen(reader->line);
		if (len == 0 || reader->line[len - 1] != '\n') {
			return damaged(reader);
		}
		sr_digest_update(reader->digest, sr_bytes_of(reader->line, len));
		reader->line[len - 1] = 0;
	}
	reader->is_line_waiting = false;
	*ret_line = reader->line;
	return sr_ok();
}

static struct sr_result read_head(struct sr_manifest_reader *reader)
{
	char *line;
	uint64_t time_s = 0;
	SR_TRY(take_line(reader, &line));
	if (!line || strcmp(line, "strongroom-backup 1") != 0) {
		return sr_fail(SR_CORRUPT, "this is no manifest of a backup that this program knows");
	}
	SR_TRY(take_line(reader, &line));
	if (!line || strncmp(line, "time ", 5) != 0) {
		return damaged(reader);
	}
	SR_CLEANUP(sr_result) struct sr_result parsed = sr_parse_u64(sr_bytes_str(line + 5), TIME_MAX, &time_s);
	if (!sr_is_ok(parsed)) {
		return damaged(reader);
	}
	reader->time_s = (int64_t)time_s;
	return sr_ok();
}

struct sr_result sr_manifest_open(const char *path, struct sr_manifest_reader *ret_reader)
{
	SR_CLEANUP(sr_manifest_reader) struct sr_manifest_reader reader = {.stream = fopen(path, "re")};
	if (!reader.stream) {
		return sr_fail_errno(errno, "open the backup's manifest %s", path);
	}
	SR_TRY(sr_digest_new(SR_DIGEST_SHA256, &reader.digest));
	SR_TRY(read_head(&reader));
	*ret_reader = reader;
	reader = (struct sr_manifest_reader){0};
	return sr_ok();
}

/* "640 1234 path" */
static struct sr_result parse_file(struct sr_manifest_reader *reader, char *text, struct sr_manifest_file *ret_file)
{
	char *size = strchr(text, ' ');
	char *path = size ? strchr(size + 1, ' ') : NULL;
	if (!path || strspn(text, "01234567") != 3 || size - text != 3) {
		return damaged(reader);
	}
	*size++ = 0;
	*path++ = 0;
	struct sr_manifest_file file = {0};
	file.mode = (unsigned)strtoul(text, NULL, 8);
	struct sr_result parsed = sr_parse_u64(sr_bytes_str(size), INT64_MAX, &file.size);
	if (!sr_is_ok(parsed) || !is_path(path) || strlen(path) >= sizeof file.path) {
		sr_ignore(parsed);
		return damaged(reader);
	}
	snprintf(file.path, sizeof file.path, "%s", path);
	*ret_file = file;
	return sr_ok();
}

static struct sr_result check_end(struct sr_manifest_reader *reader, const char *text)
{
	char expected[LINE_MAX_LEN];
	snprintf(expected, sizeof expected, "%llu %llu", (unsigned long long)reader->files,
	         (unsigned long long)reader->bytes);
	char *after;
	if (strcmp(text, expected) != 0) {
		return damaged(reader);
	}
	SR_TRY(take_line(reader, &after));
	reader->has_ended = true;
	return after ? damaged(reader) : sr_ok();
}

struct sr_result sr_manifest_next_file(struct sr_manifest_reader *reader, bool *ret_is_file,
                                       struct sr_manifest_file *ret_file)
{
	char *line;
	do {
		SR_TRY(take_line(reader, &line));
	} while (line && strncmp(line, "block ", 6) == 0);
	if (!line) {
		return damaged(reader);
	}
	if (strncmp(line, "end ", 4) == 0) {
		*ret_is_file = false;
		return check_end(reader, line + 4);
	}
	if (strncmp(line, "file ", 5) != 0) {
		return damaged(reader);
	}
	SR_TRY(parse_file(reader, line + 5, ret_file));
	reader->files++;
	reader->bytes += ret_file->size;
	*ret_is_file = true;
	return sr_ok();
}

struct sr_result sr_manifest_next_block(struct sr_manifest_reader *reader, bool *ret_is_block,
                                        char ret_name[static SR_BLOCK_NAME_LEN])
{
	char *line;
	SR_TRY(take_line(reader, &line));
	if (!line) {
		return damaged(reader);
	}
	if (strncmp(line, "block ", 6) != 0) {
		reader->is_line_waiting = true;
		*ret_is_block = false;
		return sr_ok();
	}
	const char *name = line + 6;
	if (strspn(name, "0123456789abcdef") != SR_BLOCK_NAME_LEN - 1 || name[SR_BLOCK_NAME_LEN - 1]) {
		return damaged(reader);
	}
	memcpy(ret_name, name, SR_BLOCK_NAME_LEN);
	*ret_is_block = true;
	return sr_ok();
}

void sr_manifest_digest(struct sr_manifest_reader *reader, uint8_t ret_sha256[static 32])
{
	uint8_t sha256[SR_DIGEST_MAX];
	sr_digest_finish(reader->digest, sha256);
	memcpy(ret_sha256, sha256, 32);
}

void sr_manifest_reader_free(struct sr_manifest_reader *reader)
{
	if (reader->stream) {
		fclose(reader->stream);
	}
	sr_digest_free(reader->digest);
	*reader = (struct sr_manifest_reader){0};
}

void sr_manifest_reader_cleanup(struct sr_manifest_reader *reader)
{
	sr_manifest_reader_free(reader);
}

int sr_manifest_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	/* '/' ends a segment, and so comes before every other character but the text's end. */
	const int left = *a == '/' ? 1 : (unsigned char)*a + (*a ? 1 : 0);
	const int right = *b == '/' ? 1 : (unsigned char)*b + (*b ? 1 : 0);
	return left - right;
}
