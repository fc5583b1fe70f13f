#include <stdio.h>

#include "greet.h"

void greet(const char *whom)
{
	printf("a program in c: The harbour " WORD " %s", whom);
}
