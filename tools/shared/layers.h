/* layers.h - the options that select layers. */
#ifndef TRIT_TOOLS_LAYERS_H
#define TRIT_TOOLS_LAYERS_H

#include "args.h"

enum { MAX_LAYERS = 1024 };

/* The layers that a session skips; opt->skip_layers points into it. */
struct layer_list {
    int32_t items[MAX_LAYERS], n;
};

/* Set the layer options of a session to be opened. @return exit code, after a message */
int plan_layers(struct trit_session_options *opt, struct layer_list *skip, const struct args *args,
                const trit_model *model);

/* Set the exit options of an open session. @return exit code, after a message */
int set_exits(trit_session *session, const struct layer_args *args);

#endif
