/* input.h - what a command reads: files, prompts and numbers. */
#ifndef TRIT_TOOLS_INPUT_H
#define TRIT_TOOLS_INPUT_H

#include "args.h"

/* The bytes of a whole file of `most` at most, and a NUL behind them; *text is released with
 * free(), also after an error. @return exit code */
int read_file(char **text, size_t *len, const char *path, size_t most);

/* The text that -p, -f, "-" or standard input gives; *text is released with free().
 * @return exit code */
int read_prompt(char **text, size_t *len, const struct text_args *args);

/* Whether text begins with a decimal number and nothing follows it but one of `ends` or the end:
 * strtod and friends also take blanks, signs, hexadecimal and names. */
bool is_plain_number(const char *text, const char *ends);

/* Token ids separated by commas; *out is released with free(). @return exit code */
int parse_ids(int32_t **out, int32_t *n, const char *option, const char *text);

#endif
