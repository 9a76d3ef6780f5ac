/* exit.h - early exit: tokens that do not pass all layers. */
#ifndef TRIT_RUN_EXIT_H
#define TRIT_RUN_EXIT_H

#include "engine_state.h"

/* As trit_forward_layers() for a batch of sessions with early_exit, each through its first
 * exit_layer layers. A last token whose logits are wanted may leave at an earlier layer that is
 * checked, if it is sure of the next token: `decided` is set and its logits are the session's. */
void trit_exit_forward(struct trit_engine *e);

/* Compute the keys and values of all layers that positions skipped.
 * @return TRIT_OK, TRIT_E_FAILED or TRIT_E_CANCELLED */
trit_status trit_exit_catch_up(struct trit_session *s, struct trit_error *err);

#endif
