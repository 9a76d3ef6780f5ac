/* exit.h - early exit: tokens that do not pass all layers. */
#ifndef TRIT_RUN_EXIT_H
#define TRIT_RUN_EXIT_H

#include "session_state.h"

/* As trit_forward_layers() through the first exit_layer layers, of new tokens at positions
 * n_tokens.. of a session with early_exit. With decide, the last token may leave at an earlier
 * layer that is checked, if it is sure of the next token: its logits are computed then, and
 * *decided becomes true. */
trit_status trit_exit_forward(struct trit_session *s, size_t n, bool decide, bool *decided,
                              struct trit_error *err);

/* Compute the keys and values of all layers that positions skipped.
 * @return as trit_forward_layers() */
trit_status trit_exit_catch_up(struct trit_session *s, struct trit_error *err);

#endif
