/* engine.h - opening an engine: its options, and sessions that own it. */
#ifndef TRIT_RUN_ENGINE_H
#define TRIT_RUN_ENGINE_H

#include "engine_state.h"

/* Whether positions 0..n_ctx-1 can be evaluated by the model. */
trit_status trit_check_ctx(const struct trit_model *model, int32_t n_ctx, struct trit_error *err);

/* Set the options and sizes of an engine, of which model, alone and whole are set, and count its
 * memory. @return as trit_engine_open() */
trit_status trit_engine_plan(struct trit_engine *e, const struct trit_engine_options *opt,
                             struct trit_error *err);

/* trit_engine_open() with the model, alone and whole of another. */
trit_status trit_engine_open_like(trit_engine **out, const struct trit_engine *like,
                                  const struct trit_engine_options *opt, struct trit_error *err);

/* The engine is freed if it is closed and no session is left. */
void trit_engine_release(struct trit_engine *e);

#endif
