/* Mistakes that the analysers must find, so that scripts/lint knows that they look. Never built. */
#include <stdlib.h>

int planted_null(int is_set);
int planted_overrun(void);

int planted_null(int is_set)
{
	int *number = is_set ? malloc(sizeof *number) : NULL;
	*number = 1;
	int copy = *number;
	free(number);
	return copy;
}

int planted_overrun(void)
{
	int numbers[4] = {0};
	return numbers[4];
}
