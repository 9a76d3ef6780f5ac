/* rope.h - the angles of rotary position embedding. */
#ifndef TRIT_RUN_ROPE_H
#define TRIT_RUN_ROPE_H

#include "session_state.h"

/* Fill rope_cos and rope_sin. */
void trit_rope_table(struct trit_session *s);

#endif
