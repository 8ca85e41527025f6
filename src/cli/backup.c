/* backup and restore: each service freezes its files, the frozen ones go into a repository, the vault seals what was
 * taken; and the way back, into an empty state directory. */
#include "cli/command.h"

#include "base/clock.h"
#include "base/memory.h"
#include "seal/archive.h"
#include "seal/file.h"
#include "seal/image.h"
#include "seal/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEAL_MAX = 4096, PROGRESS_MS = 200, SMALL_MAX = 1024 * 1024 };

/* The order of freezing: the vault last, so that it knows every key that the others' files are under. */
static const char *const freezing[] = {"blob", "workspace", "identity", "vault"};
/* The order of names in a manifest. */
static const char *const archived[] = {"blob", "identity", "vault", "workspace"};
enum { SERVICE_COUNT = 4 };

/* All that a manifest may name: a repository is in somebody else's hands until the vault has checked its seal. */
static const char *const names[] = {"beside", "blob", "identity", "vault", "workspace", NULL};

/* Files beside the services' folders; the root key's folder is never among them. */
static const char *const beside[] = {"ca.pem", "strongroom.conf"};

struct progress {
	const char *verb;
	uint64_t at_ms;
	bool is_shown;
};

static void tell(uint64_t files, uint64_t bytes, void *context)
{
	struct progress *progress = context;
	const uint64_t now_ms = sr_boottime_ms();
	if (progress->is_shown && now_ms >= progress->at_ms) {
		fprintf(stderr, "\r%s: %llu files, %.1f MB\033[K", progress->verb, (unsigned long long)files,
		        (double)bytes / 1e6);
		progress->at_ms = now_ms + PROGRESS_MS;
	}
}

static struct progress progress_of(const struct sr_cli *cli, const char *verb)
{
	return (struct progress){.verb = verb, .is_shown = !sr_cli_wants_json(cli) && isatty(STDERR_FILENO)};
}

static void end_progress(const struct progress *progress)
{
	if (progress->is_shown) {
		fputs("\r\033[K", stderr);
	}
}

static struct sr_result freeze(struct sr_cli *cli)
{
	for (size_t i = 0; i < SERVICE_COUNT; i++) {
		SR_CLEANUP(sr_json) json_t *answer = NULL;
		SR_TRY(sr_cli_call(cli, freezing[i], "POST", "/_strongroom/image", NULL, &answer));
	}
	return sr_ok();
}

/* Also what only some services made. */
static struct sr_result thaw(struct sr_cli *cli)
{
	struct sr_result result = sr_ok();
	for (size_t i = 0; i < SERVICE_COUNT; i++) {
		SR_CLEANUP(sr_json) json_t *answer = NULL;
		result = sr_first_error(result, sr_cli_call(cli, freezing[i], "DELETE", "/_strongroom/image", NULL, &answer));
	}
	return result;
}

/* Copies of those that there are (a configuration may lie elsewhere) in an image of the folder. */
static struct sr_result freeze_beside(struct sr_cli *cli, const char *folder)
{
	SR_CLEANUP(sr_image) struct sr_image *image = NULL;
	SR_TRY(sr_image_begin(folder, &image));
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
		SR_CLEANUP(sr_buf) struct sr_buf bytes = SR_BUF(SMALL_MAX);
		struct sr_result result =
		    sr_file_read(sr_arena_printf(cli->arena, "%s/%s", cli->config.state, beside[i]), SMALL_MAX, &bytes);
		if (sr_result_code(result) == SR_NOT_FOUND) {
			sr_ignore(result);
			continue;
		}
		SR_TRY(result);
		SR_TRY(
		    sr_file_write_durable(sr_arena_printf(cli->arena, "%s/image/%s", folder, beside[i]), sr_buf_bytes(&bytes)));
	}
	return sr_ok();
}

static struct sr_result add_beside(struct sr_cli *cli, struct sr_archive *archive,
                                   const struct sr_archive_progress *progress)
{
	const char *folder = sr_arena_printf(cli->arena, "%s/run", cli->config.state);
	struct sr_result result = freeze_beside(cli, folder);
	if (sr_is_ok(result)) {
		result = sr_archive_add_tree(archive, "beside", sr_arena_printf(cli->arena, "%s/image", folder), progress);
	}
	return sr_first_error(result, sr_image_remove(folder));
}

static struct sr_result copy(struct sr_cli *cli, struct sr_archive *archive, const struct sr_archive_progress *progress)
{
	SR_TRY(sr_archive_begin(archive, sr_unix_s()));
	SR_TRY(add_beside(cli, archive, progress));
	for (size_t i = 0; i < SERVICE_COUNT; i++) {
		const char *folder = sr_arena_printf(cli->arena, "%s/%s/image", cli->config.state, archived[i]);
		SR_TRY(sr_archive_add_tree(archive, archived[i], folder, progress));
	}
	return sr_ok();
}

/* The vault's seal on the manifest, so that a restored installation knows its own. */
static struct sr_result publish(struct sr_cli *cli, struct sr_archive *archive, struct sr_archive_figures *ret_figures,
                                char ret_id[static SR_ID_TEXT_LEN])
{
	uint8_t sha256[32];
	char hex[65];
	SR_TRY(sr_archive_complete(archive, sha256, ret_figures));
	sr_hex_encode(sr_bytes_of(sha256, sizeof sha256), hex);
	SR_CLEANUP(sr_json) json_t *question = json_pack("{s:s}", "sha256", hex);
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	SR_TRY(sr_cli_call(cli, "vault", "POST", "/_strongroom/manifest-seal", question, &answer));
	struct sr_bytes seal = {0};
	SR_TRY(sr_json_get_base64url(cli->arena, answer, "seal", &seal));
	return sr_archive_publish(archive, seal, ret_id);
}

static void print_backup(struct sr_cli *cli, const char *id, const struct sr_archive_figures *figures)
{
	if (sr_cli_wants_json(cli)) {
		SR_CLEANUP(sr_json)
		json_t *object = json_pack("{s:s, s:I, s:I, s:I}", "snapshot", id, "files", (json_int_t)figures->files, "bytes",
		                           (json_int_t)figures->bytes, "newBytes", (json_int_t)figures->new_bytes);
		sr_cli_print_json(object);
		return;
	}
	printf(
	    "Snapshot %s: %llu files, %s, of which %s are new.\nIt opens with this installation's root key alone: keep a "
	    "copy of that elsewhere.\n",
	    id, (unsigned long long)figures->files, sr_cli_size(cli, (int64_t)figures->bytes),
	    sr_cli_size(cli, (int64_t)figures->new_bytes));
}

static struct sr_result run_backup(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(sr_seal_init());
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	SR_TRY(sr_archive_open(cli->arguments[0], true, &archive));
	struct progress shown = progress_of(cli, "backing up");
	const struct sr_archive_progress progress = {tell, &shown};
	struct sr_archive_figures figures;
	char id[SR_ID_TEXT_LEN];
	struct sr_result result = freeze(cli);
	if (sr_is_ok(result)) {
		result = copy(cli, archive, &progress);
	}
	result = sr_first_error(result, thaw(cli));
	end_progress(&shown);
	SR_TRY(result);
	SR_TRY(publish(cli, archive, &figures, id));
	print_backup(cli, id, &figures);
	return sr_ok();
}

static struct sr_result backup_list(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(sr_seal_init());
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	SR_TRY(sr_archive_open(cli->arguments[0], false, &archive));
	struct sr_archive_snapshot *snapshots;
	size_t count;
	SR_TRY(sr_archive_list(archive, &snapshots, &count));
	static const char *const headings[] = {"SNAPSHOT", "TIME"};
	struct sr_cli_table *table = sr_cli_table_new(cli, headings, 2);
	SR_CLEANUP(sr_json) json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		const char *const cells[] = {snapshots[i].id, sr_cli_time(cli, snapshots[i].time_s)};
		sr_cli_table_row(table, cells);
		json_array_append_new(
		    list, json_pack("{s:s, s:I}", "snapshot", snapshots[i].id, "time", (json_int_t)snapshots[i].time_s));
	}
	sr_free(snapshots);
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(list);
	} else {
		sr_cli_table_print(table);
	}
	return sr_ok();
}

/* The one that is named, or the newest. */
static struct sr_result choose(struct sr_cli *cli, struct sr_archive *archive, const char **ret_id)
{
	const char *asked = sr_cli_option(cli, "snapshot");
	struct sr_archive_snapshot *snapshots;
	size_t count;
	SR_TRY(sr_archive_list(archive, &snapshots, &count));
	const char *found = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!asked || strcmp(asked, snapshots[i].id) == 0) {
			found = sr_arena_strdup(cli->arena, snapshots[i].id);
		}
	}
	sr_free(snapshots);
	if (!found) {
		return sr_fail(SR_NOT_FOUND, "%s has no snapshot%s%s: strongroom backup list %s", cli->arguments[0],
		               asked ? " " : "", asked ? asked : "", cli->arguments[0]);
	}
	*ret_id = found;
	return sr_ok();
}

static struct sr_result backup_verify(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(sr_seal_init());
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	SR_TRY(sr_archive_open(cli->arguments[0], false, &archive));
	const char *id;
	SR_TRY(choose(cli, archive, &id));
	struct progress shown = progress_of(cli, "checking");
	const struct sr_archive_progress progress = {tell, &shown};
	SR_CLEANUP(sr_buf) struct sr_buf seal = SR_BUF(SEAL_MAX);
	uint8_t sha256[32];
	struct sr_result result = sr_archive_read(archive, id, NULL, names, &progress, sha256, &seal);
	end_progress(&shown);
	SR_TRY(result);
	printf("Snapshot %s is whole: every block has its content.\n", id);
	return sr_ok();
}

static struct sr_result backup_prune(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	uint64_t keep, freed;
	SR_TRY(sr_cli_number(cli, "keep", 0, &keep));
	if (keep == 0) {
		return sr_fail(SR_INVALID, "--keep N: how many of the newest snapshots stay, at least one");
	}
	SR_TRY(sr_seal_init());
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	SR_TRY(sr_archive_open(cli->arguments[0], false, &archive));
	SR_TRY(sr_archive_prune(archive, keep, &freed));
	printf("%s freed.\n", sr_cli_size(cli, (int64_t)freed));
	return sr_ok();
}

static struct sr_result refuse_existing(const struct sr_cli *cli)
{
	struct stat status;
	SR_CLEANUP(sr_string) char *master = sr_strdupf("%s/vault/master", cli->config.state);
	return stat(master, &status) == 0
	           ? sr_fail(SR_EXISTS, "there is an installation in %s already: restore into another --state",
	                     cli->config.state)
	           : sr_ok();
}

static struct sr_result make_folder(const char *path)
{
	if (mkdir(path, 0700)) {
		return errno == EEXIST ? sr_ok() : sr_fail_errno(errno, "make the folder %s", path);
	}
	return sr_file_sync_name(path);
}

/* What lay beside the services' folders goes where it was. */
static struct sr_result place_beside(struct sr_cli *cli)
{
	const char *state = cli->config.state;
	for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
		const char *from = sr_arena_printf(cli->arena, "%s/beside/%s", state, beside[i]);
		const char *to = sr_arena_printf(cli->arena, "%s/%s", state, beside[i]);
		if (rename(from, to) && errno != ENOENT) {
			return sr_fail_errno(errno, "move %s to its place", from);
		}
	}
	const char *folder = sr_arena_printf(cli->arena, "%s/beside", state);
	return rmdir(folder) && errno != ENOENT ? sr_fail_errno(errno, "remove %s", folder) : sr_file_sync_name(folder);
}

/* For the vault's check at its first start: the digest of what was read, and the seal that came with it. A mark without
 * a seal, left before anything else, keeps half a restored installation from starting. */
static struct sr_result leave_mark(struct sr_cli *cli, const uint8_t sha256[static 32], struct sr_bytes seal)
{
	SR_TRY(make_folder(sr_arena_printf(cli->arena, "%s/vault", cli->config.state)));
	SR_CLEANUP(sr_buf) struct sr_buf mark = SR_BUF(SEAL_MAX + 32);
	sr_buf_append(&mark, sr_bytes_of(sha256, 32));
	sr_buf_append(&mark, seal);
	SR_TRY(sr_buf_result(&mark));
	return sr_file_write_durable(sr_arena_printf(cli->arena, "%s/vault/restored", cli->config.state),
	                             sr_buf_bytes(&mark));
}

/* The root key's file, where one is given: a copy at the place where this installation looks for it. */
static struct sr_result place_root_key(struct sr_cli *cli)
{
	const char *given = sr_cli_option(cli, "root-key-file");
	if (!given) {
		return sr_ok();
	}
	SR_CLEANUP(sr_buf) struct sr_buf key = SR_BUF(SEAL_MAX);
	SR_TRY(sr_file_read(given, SEAL_MAX, &key));
	const char *folder = sr_arena_printf(cli->arena, "%s/root", cli->config.state);
	struct sr_result written = make_folder(folder);
	if (sr_is_ok(written)) {
		written = sr_file_write_durable(sr_arena_printf(cli->arena, "%s/root.key", folder), sr_buf_bytes(&key));
	}
	sr_wipe(key.data, key.cap);
	return written;
}

static struct sr_result restore(struct sr_cli *cli, struct sr_archive *archive, const char *id)
{
	struct progress shown = progress_of(cli, "restoring");
	const struct sr_archive_progress progress = {tell, &shown};
	SR_CLEANUP(sr_buf) struct sr_buf seal = SR_BUF(SEAL_MAX);
	uint8_t sha256[32] = {0};
	SR_TRY(leave_mark(cli, sha256, (struct sr_bytes){0}));
	struct sr_result result = sr_archive_read(archive, id, cli->config.state, names, &progress, sha256, &seal);
	end_progress(&shown);
	SR_TRY(result);
	SR_TRY(place_beside(cli));
	SR_TRY(place_root_key(cli));
	return leave_mark(cli, sha256, sr_buf_bytes(&seal));
}

static struct sr_result run_restore(struct sr_cli *cli, int *ret_status)
{
	(void)ret_status;
	SR_TRY(sr_seal_init());
	SR_TRY(refuse_existing(cli));
	SR_CLEANUP(sr_archive) struct sr_archive *archive = NULL;
	SR_TRY(sr_archive_open(cli->arguments[0], false, &archive));
	const char *id;
	SR_TRY(choose(cli, archive, &id));
	SR_TRY(make_folder(cli->config.state));
	SR_TRY(restore(cli, archive, id));
	if (!sr_cli_wants_json(cli)) {
		printf("Snapshot %s is in %s. Start it with strongroom serve --state %s: it opens with the root key of the "
		       "installation that was backed up%s.\n",
		       id, cli->config.state, cli->config.state,
		       sr_cli_option(cli, "root-key-file") ? "" : ", which a backup never holds");
		if (access(sr_arena_printf(cli->arena, "%s/strongroom.conf", cli->config.state), F_OK) == 0) {
			printf("Look at %s/strongroom.conf first: it came with the backup, is read before the vault can check the\n"
			       "backup's seal, and may name libraries to load (pkcs11-module, tpm).\n",
			       cli->config.state);
		}
	}
	return sr_ok();
}

const struct sr_command sr_backup_commands[] = {
    {
        .words = "backup",
        .synopsis = "FOLDER",
        .summary = "back the whole installation up while it runs",
        .text = "Freezes what each service keeps, copies it into a repository in FOLDER (made where there is none),\n"
                "and has the vault seal what was taken. Everything in it is sealed as it is at rest; the root key\n"
                "is not in it. What an earlier snapshot holds already is not written again. Run it as the user that\n"
                "runs the services.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = run_backup,
    },
    {
        .words = "backup list",
        .synopsis = "FOLDER",
        .summary = "list the snapshots of a backup",
        .text = "Lists the snapshots, oldest first.",
        .options = {SR_CLI_FORMAT},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = backup_list,
    },
    {
        .words = "backup verify",
        .synopsis = "FOLDER [--snapshot ID]",
        .summary = "read a snapshot and check every block",
        .text = "Reads all blocks of the newest snapshot, or of the one named, and holds each against its digest.\n"
                "Needs no key.",
        .options = {SR_CLI_FORMAT, {"snapshot", "ID", "which, instead of the newest"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = backup_verify,
    },
    {
        .words = "backup prune",
        .synopsis = "FOLDER --keep N",
        .summary = "remove all but the newest snapshots",
        .text = "Removes older snapshots, and the blocks that no other needs.",
        .options = {SR_CLI_FORMAT, {"keep", "N", "how many stay"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = backup_prune,
    },
    {
        .words = "restore",
        .synopsis = "FOLDER [--snapshot ID] [--root-key-file FILE]",
        .summary = "make an installation from a backup",
        .text = "Puts the newest snapshot, or the one named, into --state DIR, which must hold no installation.\n"
                "Every block is checked on the way, and the vault checks at its first start that the whole is what\n"
                "it backed up. It opens with the root key of the installation that was backed up: a file\n"
                "(--root-key-file copies it to its place), or by strongroom unseal.",
        .options = {SR_CLI_FORMAT,
                    {"snapshot", "ID", "which, instead of the newest"},
                    {"root-key-file", "FILE", "the root key, to be copied to DIR/root/root.key"}},
        .least_arguments = 1,
        .most_arguments = 1,
        .run = run_restore,
    },
    {0},
};
