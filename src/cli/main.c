/* The command line: finds the subcommand and runs it. */
#include <stdio.h>

int main(void)
{
	puts("strongroom " SR_VERSION);
	return 0;
}
