/* windows.h - a text cut into windows; each is predicted from an empty context. */
#ifndef TRIT_TOOLS_WINDOWS_H
#define TRIT_TOOLS_WINDOWS_H

#include "open.h"

struct windows {
    int32_t *ids, n_ids;    /* tokens of the whole text; ids is released with free() */
    int32_t ctx, n_text, n; /* positions and text tokens per window; number of windows */
    int32_t bos;            /* -1: none */
    int32_t first_scored;   /* position in the window */
};

/* Encode a text, and plan its windows. The model is open; this opens the tokenizer. ctx: positions
 * per window; 0: the default. @return exit code, after a message */
int plan_windows(struct windows *w, struct opened *o, const char *text, size_t len, int ctx,
                 const struct window_args *args);

/* Copy the tokens of window i: tokens[w->ctx]. */
void take_window(int32_t *tokens, const struct windows *w, int32_t i);

#endif
