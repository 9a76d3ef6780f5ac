/* builtin.h - the model embedded in the program, if the build has one. */
#ifndef TRIT_TOOLS_BUILTIN_H
#define TRIT_TOOLS_BUILTIN_H

#include <stddef.h>

/* Its name on the command line: -m built-in. A file of that name is ./built-in. */
#define BUILT_IN "built-in"

/* @return the bytes of a GGUF file; NULL: no model is embedded */
const void *built_in_model(size_t *n_bytes);

/* The default of -m, for the help. */
extern const char default_model[];

#endif
