/* One connection to a sealed database and the statements that it keeps prepared. Private to the room. */
#ifndef SR_SEAL_CONNECTION_H
#define SR_SEAL_CONNECTION_H

#include "seal/database.h"
#include "seal/vfs.h"

enum { SR_CONNECTION_BUCKETS = 64 };

struct sr_statement {
	struct sr_connection *connection;
	sqlite3_stmt *native;
	const char *sql; /* a literal: its address is the key */
	struct sr_statement *next;
	bool in_use;
	int bind_outcome; /* the first binding that failed */
};

struct sr_connection {
	sqlite3 *native;
	struct sr_statement *statements[SR_CONNECTION_BUCKETS]; /* by the literal's address */
	unsigned in_use_count;
	int log_frames;             /* writer: the log's length after the last commit */
	struct sr_connection *next; /* in the pool of readers */
};

struct sr_connection_options {
	const char *path;
	const char *vfs_name;
	unsigned cache_kib;
};

/* Opens a connection with the settings that sealing needs. It checkpoints at close only after sr_connection_trust. */
SR_MUST struct sr_result sr_connection_open(const struct sr_connection_options *options,
                                            struct sr_connection **ret_connection);
/* From now on the last connection to close moves the log into the main file; before, closing changes nothing. */
SR_MUST struct sr_result sr_connection_trust(struct sr_connection *connection);
/* Takes that back: the connection leaves the log as it is. */
void sr_connection_distrust(struct sr_connection *connection);
void sr_connection_close(struct sr_connection *connection);
void sr_connection_cleanup(struct sr_connection **connection);
/* Runs a literal without rows that is kept prepared ("BEGIN", "COMMIT"). */
SR_MUST struct sr_result sr_connection_run(struct sr_connection *connection, const char *literal);
/* The first column of the first row of a literal. */
SR_MUST struct sr_result sr_connection_get_int(struct sr_connection *connection, const char *literal,
                                               int64_t *ret_value);
/* Ends statements that work has left in use. */
void sr_connection_end_statements(struct sr_connection *connection);

#endif
