/* What people see: tables, sizes, times, JSON, a question. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { COLUMNS_MAX = 12 };

struct row {
	const char *cells[COLUMNS_MAX];
	struct row *next;
};

struct sr_cli_table {
	struct sr_cli *cli;
	size_t column_count;
	struct row *first, *last;
};

void sr_cli_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
}

const char *sr_cli_time(struct sr_cli *cli, int64_t unix_s)
{
	if (!unix_s) {
		return "-";
	}
	time_t when = (time_t)unix_s;
	struct tm utc;
	gmtime_r(&when, &utc);
	char text[32];
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &utc);
	return sr_arena_strdup(cli->arena, text);
}

const char *sr_cli_size(struct sr_cli *cli, int64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double value = (double)bytes;
	size_t unit = 0;
	while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
		value /= 1024;
		unit++;
	}
	return unit ? sr_arena_printf(cli->arena, "%.1f %s", value, units[unit])
	            : sr_arena_printf(cli->arena, "%lld B", (long long)bytes);
}

struct sr_cli_table *sr_cli_table_new(struct sr_cli *cli, const char *const *headings, size_t column_count)
{
	struct sr_cli_table *table = sr_arena_alloc(cli->arena, sizeof *table);
	table->cli = cli;
	table->column_count = column_count < COLUMNS_MAX ? column_count : COLUMNS_MAX;
	sr_cli_table_row(table, headings);
	return table;
}

void sr_cli_table_row(struct sr_cli_table *table, const char *const *cells)
{
	struct row *row = sr_arena_alloc(table->cli->arena, sizeof *row);
	for (size_t i = 0; i < table->column_count; i++) {
		row->cells[i] = sr_arena_strdup(table->cli->arena, cells[i]);
	}
	if (table->last) {
		table->last->next = row;
	} else {
		table->first = row;
	}
	table->last = row;
}

void sr_cli_table_print(const struct sr_cli_table *table)
{
	size_t widths[COLUMNS_MAX] = {0};
	for (const struct row *row = table->first; row; row = row->next) {
		for (size_t i = 0; i < table->column_count; i++) {
			size_t len = strlen(row->cells[i]);
			widths[i] = len > widths[i] ? len : widths[i];
		}
	}
	for (const struct row *row = table->first; row; row = row->next) {
		for (size_t i = 0; i < table->column_count; i++) {
			bool is_last = i + 1 == table->column_count;
			printf("%-*s%s", is_last ? 0 : (int)widths[i], row->cells[i], is_last ? "\n" : "  ");
		}
	}
}

void sr_cli_print_list(struct sr_cli *cli, const json_t *list, const struct sr_cli_column *columns, size_t column_count)
{
	if (sr_cli_wants_json(cli)) {
		sr_cli_print_json(list);
		return;
	}
	const char *cells[COLUMNS_MAX];
	for (size_t i = 0; i < column_count; i++) {
		cells[i] = columns[i].heading;
	}
	struct sr_cli_table *table = sr_cli_table_new(cli, cells, column_count);
	size_t at;
	json_t *item;
	json_array_foreach(list, at, item)
	{
		for (size_t i = 0; i < column_count; i++) {
			cells[i] = sr_cli_text(item, columns[i].member);
		}
		sr_cli_table_row(table, cells);
	}
	sr_cli_table_print(table);
}

bool sr_cli_confirm(const char *question)
{
	if (!isatty(STDIN_FILENO)) {
		return false;
	}
	printf("%s [y/N] ", question);
	fflush(stdout);
	char answer[16];
	return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}
