/* Prints who greets whom. */
void greet(const char *whom);
