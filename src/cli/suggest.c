/* Which commands a mistyped line may have meant. */
#include "cli/command.h"

#include <string.h>

enum { WORD_MAX = 32, SUGGESTIONS_MAX = 3, TYPED_MAX = 4 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be put in, left out, changed or swapped with the next to make one word of the other. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len > WORD_MAX || b_len > WORD_MAX) {
		return WORD_MAX;
	}
	size_t cost[WORD_MAX + 1][WORD_MAX + 1];
	for (size_t i = 0; i <= a_len; i++) {
		for (size_t j = 0; j <= b_len; j++) {
			if (i == 0 || j == 0) {
				cost[i][j] = i + j;
				continue;
			}
			size_t changed = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			cost[i][j] = least(changed, least(cost[i - 1][j], cost[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
				cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
			}
		}
	}
	return cost[a_len][b_len];
}

/* How far a command is from the line, in any order of its words; SIZE_MAX where it is too far to be meant. */
static size_t far_from(const struct sr_command *command, int count, char **words)
{
	const char *word = command->words;
	word += strncmp(word, "identity ", 9) == 0 ? 9 : 0; /* which often is left out */
	size_t sum = 0;
	size_t letters = 0;
	while (*word) {
		size_t len = strcspn(word, " ");
		size_t nearest = len;
		for (int i = 0; i < count && i < TYPED_MAX && words[i][0] != '-'; i++) {
			nearest = least(nearest, distance(word, len, words[i], strlen(words[i])));
		}
		sum += nearest;
		letters += len;
		word += len + (word[len] == ' ');
	}
	/* of two as near, the one that explains more letters */
	return sum <= least(3, letters / 3) ? sum * 64 + 63 - least(63, letters) : SIZE_MAX;
}

void sr_cli_suggest(FILE *out, int count, char **words)
{
	const struct sr_command *nearest[SUGGESTIONS_MAX + 1] = {NULL};
	size_t found = 0;
	const struct sr_command *command;
	for (size_t index = 0; (command = sr_command_at(index)); index++) {
		size_t far = command->is_hidden ? SIZE_MAX : far_from(command, count, words);
		if (far == SIZE_MAX) {
			continue;
		}
		size_t place = found;
		for (; place > 0 && far_from(nearest[place - 1], count, words) > far; place--) {
			nearest[place] = nearest[place - 1];
		}
		nearest[place] = command;
		found = least(found + 1, SUGGESTIONS_MAX);
	}
	for (size_t i = 0; i < found; i++) {
		fprintf(out, "%s  strongroom %s %s\n", i ? "" : "Did you mean:\n", nearest[i]->words, nearest[i]->synopsis);
	}
}
