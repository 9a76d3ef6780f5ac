/* builtin.h - the model that the program carries, where the build has given it one. */
#ifndef TRIT_TOOLS_BUILTIN_H
#define TRIT_TOOLS_BUILTIN_H

#include <stddef.h>

/* What people call it: -m built-in. A file of that name is ./built-in. */
#define BUILT_IN "built-in"

/* The bytes of a GGUF, or NULL. */
const void *built_in_model(size_t *n_bytes);

/* What runs where -m names no model, for people. */
extern const char default_model[];

#endif
