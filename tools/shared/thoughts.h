/* thoughts.h - splits an answer into what a model thinks, <think>…</think> at its start, and what
 * it says. */
#ifndef TRIT_TOOLS_THOUGHTS_H
#define TRIT_TOOLS_THOUGHTS_H

#include <stdbool.h>
#include <stddef.h>

struct thoughts {
    enum { THOUGHTS_MAYBE, THOUGHTS_FIRST, THOUGHTS_WITHIN, THOUGHTS_AFTER, THOUGHTS_NONE } state;
    char held[32]; /* [n_held] what may be a marker */
    size_t n_held;
};

/* Receives whole characters of either part. @return false to stop */
typedef bool (*thoughts_fn)(void *user, const char *text, size_t len, bool is_thought);

/* open: the template has begun the thought. */
void thoughts_begin(struct thoughts *t, bool open);

/* The next characters of the answer. Markers and the white space around them are dropped.
 * @return false if fn did */
bool thoughts_push(struct thoughts *t, const char *text, size_t len, thoughts_fn fn, void *user);

/* The end of the answer. @return as above */
bool thoughts_finish(struct thoughts *t, thoughts_fn fn, void *user);

#endif
