/* exit_sweep.h - trit bench --exit-sweep: what a model is after each of its layers. */
#ifndef TRIT_TOOLS_EXIT_SWEEP_H
#define TRIT_TOOLS_EXIT_SWEEP_H

#include "args.h"

/* A row for each number of layers. @return exit code, after a message */
int exit_sweep(const struct args *args, int n_gen, int n_threads);

#endif
