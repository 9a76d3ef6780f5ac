/* windows.h - a text cut into windows that a model predicts, each from nothing. */
#ifndef TRIT_TOOLS_WINDOWS_H
#define TRIT_TOOLS_WINDOWS_H

#include "open.h"

struct windows {
    int32_t ctx, n_text, n; /* positions, text tokens and number of windows */
    int32_t bos;            /* -1: none */
    int32_t first_scored;   /* position in the window */
};

/* The windows of a text of n_ids tokens; the tokenizer is open. ctx: positions of one, or 0.
 * @return exit code, after a message */
int plan_windows(struct windows *w, const struct opened *o, int ctx, const struct window_args *args,
                 int32_t n_ids);

/* The tokens of window i: [w->ctx]. */
void take_window(int32_t *tokens, const struct windows *w, const int32_t *ids, int32_t i);

#endif
