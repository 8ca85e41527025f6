/*
 * identity run: a command that may use managed identities while it runs, by App Service's pair IDENTITY_ENDPOINT and
 * IDENTITY_HEADER. The header is taken back when the command ends, and with it the tokens that it got.
 */
#include "cli/commands.h"

#include "net/near_place.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIFETIME_S = 86400, NOT_EXECUTABLE = 126, NOT_FOUND = 127, BY_SIGNAL = 128 };

/* Signals that are passed on to the command. */
static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

/* "http://ADDRESS:PORT" of the metadata endpoint, or NULL where it is off. */
static struct sr_result metadata_origin(struct sr_cli *cli, const char **ret_origin)
{
	const char *at = cli->config.imds_listen;
	struct sr_near_place place;
	bool is_end;
	SR_TRY(sr_near_place_next(&at, &place, &is_end));
	bool is_v6 = !is_end && strchr(place.address, ':');
	*ret_origin = is_end ? NULL
	                     : sr_arena_printf(cli->arena, "http://%s%s%s:%u", is_v6 ? "[" : "", place.address,
	                                       is_v6 ? "]" : "", (unsigned)place.port);
	return sr_ok();
}

/* Asks for the header. */
static struct sr_result issue(struct sr_cli *cli, json_t **ret_header)
{
	uint64_t lifetime_s;
	SR_TRY(sr_cli_number(cli, "lifetime", LIFETIME_S, &lifetime_s));
	const char *slash = strrchr(cli->rest[0], '/');
	SR_CLEANUP(sr_json)
	json_t *body = json_pack("{s:s, s:I, s:[]}", "label", slash && slash[1] ? slash + 1 : cli->rest[0], "lifetime_s",
	                         (json_int_t)lifetime_s, "identities");
	if (!body) {
		return sr_fail(SR_INVALID, "the command's name is no UTF-8");
	}
	for (size_t i = 0; i < cli->argument_count; i++) {
		json_array_append_new(json_object_get(body, "identities"), json_string(cli->arguments[i]));
	}
	return sr_cli_call(cli, "identity", "POST", "/_strongroom/identity-headers", body, ret_header);
}

/* The command's environment: ours, with changes. */
struct environment {
	struct sr_arena *arena;
	char **items; /* ended by NULL; with room for the changes */
	size_t count;
};

enum { CHANGES_MAX = 16 };

static struct environment environment_of(struct sr_cli *cli)
{
	struct environment environment = {.arena = cli->arena};
	while (environ[environment.count]) {
		environment.count++;
	}
	environment.items = sr_arena_alloc(cli->arena, (environment.count + CHANGES_MAX) * sizeof(char *));
	for (size_t i = 0; i < environment.count; i++) {
		environment.items[i] = environ[i];
	}
	return environment;
}

/* Where a variable stands; `count` if it does not. */
static size_t place_of(const struct environment *environment, const char *name)
{
	size_t len = strlen(name);
	size_t place = 0;
	while (place < environment->count &&
	       (strncmp(environment->items[place], name, len) != 0 || environment->items[place][len] != '=')) {
		place++;
	}
	return place;
}

static void set(struct environment *environment, const char *name, const char *value)
{
	size_t place = place_of(environment, name);
	environment->count += place == environment->count;
	environment->items[place] = sr_arena_printf(environment->arena, "%s=%s", name, value);
}

static void take_out(struct environment *environment, const char *name)
{
	size_t place = place_of(environment, name);
	if (place < environment->count) {
		environment->items[place] = environment->items[--environment->count];
		environment->items[environment->count] = NULL;
	}
}

/* What the command finds there: where to ask, with what, and whom to trust. */
static struct sr_result make_environment(struct sr_cli *cli, const json_t *header, char ***ret_items)
{
	static const char *const trust[] = {"NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"};
	struct environment environment = environment_of(cli);
	const char *origin = NULL;
	SR_TRY(metadata_origin(cli, &origin));
	if (sr_cli_option(cli, "imds")) {
		if (!origin) {
			return sr_fail(SR_INVALID, "--imds needs the metadata endpoint: set imds-listen");
		}
		set(&environment, "AZURE_POD_IDENTITY_AUTHORITY_HOST", origin);
	}
	set(&environment, "IDENTITY_ENDPOINT",
	    origin ? sr_arena_printf(cli->arena, "%s/msi/token", origin) : sr_cli_text(header, "endpoint"));
	set(&environment, "IDENTITY_HEADER", sr_cli_text(header, "header"));
	take_out(&environment, "IDENTITY_SERVER_THUMBPRINT"); /* with it, clients would take this for Service Fabric */
	for (size_t i = 0; i < sizeof trust / sizeof *trust; i++) {
		if (place_of(&environment, trust[i]) == environment.count) {
			set(&environment, trust[i], sr_arena_printf(cli->arena, "%s/ca.pem", cli->config.state));
		}
	}
	*ret_items = environment.items;
	return sr_ok();
}

static void watched_signals(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	sigaddset(ret_set, SIGCHLD);
	for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; i++) {
		sigaddset(ret_set, passed_on[i]);
	}
}

/* Waits for the command; what somebody sends us goes on to it. What the terminal sends it has already. */
static int wait_for(pid_t child, const sigset_t *watched)
{
	int status = 0;
	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child) {
			return WIFEXITED(status) ? WEXITSTATUS(status) : BY_SIGNAL + WTERMSIG(status);
		}
		siginfo_t info;
		int number = sigwaitinfo(watched, &info);
		if (number > 0 && number != SIGCHLD && info.si_code != SI_KERNEL) {
			kill(child, number);
		}
	}
}

/* In the new process: becomes the command, or says why not. */
static void become(char *const *words, char *const *environment)
{
	execvpe(words[0], words, environment);
	int why = errno;
	SR_CLEANUP(sr_result) struct sr_result failure = sr_fail_errno(why, "run %s", words[0]);
	fprintf(stderr, "strongroom identity run: %s\n", sr_result_message(failure));
	_exit(why == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

static struct sr_result execute(char *const *words, char *const *environment, int *ret_status)
{
	sigset_t watched;
	sigset_t before;
	watched_signals(&watched);
	pthread_sigmask(SIG_BLOCK, &watched, &before);
	pid_t child = fork();
	if (child == 0) {
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		become(words, environment);
	}
	int why = errno;
	if (child > 0) {
		*ret_status = wait_for(child, &watched);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return child > 0 ? sr_ok() : sr_fail_errno(why, "start %s", words[0]);
}

struct sr_result sr_cli_identity_run(struct sr_cli *cli, int *ret_status)
{
	if (!cli->rest || !cli->rest[0]) {
		return sr_fail(SR_INVALID, "no command: strongroom %s %s", cli->command->words, cli->command->synopsis);
	}
	SR_CLEANUP(sr_json) json_t *header = NULL;
	SR_TRY(issue(cli, &header));
	char **environment = NULL;
	struct sr_result ran = make_environment(cli, header, &environment);
	if (sr_is_ok(ran)) {
		ran = execute(cli->rest, environment, ret_status);
	}
	SR_CLEANUP(sr_json) json_t *answer = NULL;
	const char *target = sr_arena_printf(cli->arena, "/_strongroom/identity-headers/%s", sr_cli_text(header, "id"));
	struct sr_result revoked = sr_cli_call(cli, "identity", "DELETE", target, NULL, &answer);
	if (!sr_is_ok(revoked)) {
		fprintf(stderr, "strongroom identity run: the header could not be taken back, it ends at %s: %s\n",
		        sr_cli_text(header, "expires"), sr_result_message(revoked));
		sr_ignore(revoked);
	}
	return ran;
}
