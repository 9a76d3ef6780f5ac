/* input.h - reads files, prompts and numbers. */
#ifndef TRIT_TOOLS_INPUT_H
#define TRIT_TOOLS_INPUT_H

#include "args.h"

/* Read a whole file of at most `most` bytes, and append a NUL. *text is released with free(), also
 * after an error. @return exit code */
int read_file(char **text, size_t *len, const char *path, size_t most);

/* Read the text of -p, -f, "-" or standard input. *text is released with free(), also after an
 * error. @return exit code */
int read_prompt(char **text, size_t *len, const struct text_args *args);

/* Whether text begins with a decimal number followed by one of `ends` or the end. (strtod() and
 * others also accept blanks, hexadecimal and names.) */
bool is_plain_number(const char *text, const char *ends);

/* Parse token ids separated by commas. *out is released with trit_free(), also after an error.
 * @return exit code */
int parse_ids(int32_t **out, int32_t *n, const char *option, const char *text);

#endif
