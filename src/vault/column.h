/* What the stores of secrets bind to columns and read from them: times that may be unset, texts that may be NULL. */
#ifndef SR_VAULT_COLUMN_H
#define SR_VAULT_COLUMN_H

#include "base/arena.h"
#include "seal/database.h"
#include "vault/key_rules.h"

/* NULL is SR_NO_TIME. */
static inline int64_t sr_column_time(struct sr_statement *statement, int column)
{
	return sr_column_is_null(statement, column) ? SR_NO_TIME : sr_column_int(statement, column);
}

static inline void sr_bind_time(struct sr_statement *statement, int index, int64_t time)
{
	if (time == SR_NO_TIME) {
		sr_bind_null(statement, index);
	} else {
		sr_bind_int(statement, index, time);
	}
}

/* A copy in the arena; NULL for NULL. */
static inline char *sr_column_arena_text(struct sr_arena *arena, struct sr_statement *statement, int column)
{
	return sr_column_is_null(statement, column) ? NULL : sr_arena_text(arena, sr_column_text(statement, column));
}

#endif
