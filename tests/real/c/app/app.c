/* Prints a line, with a variable of the build and whoever the container runs as. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "greet.h"

int main(void)
{
	const char *whom = getenv("WHOM");

	greet(whom ? whom : "nobody");
	printf(", uid %d\n", (int)getuid());
	return 0;
}
