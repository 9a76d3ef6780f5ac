/* exit_sweep.h - trit bench --exit-sweep: speed and quality of a model after each of its layers. */
#ifndef TRIT_TOOLS_EXIT_SWEEP_H
#define TRIT_TOOLS_EXIT_SWEEP_H

#include "args.h"

/* A row for each number of layers. @return exit code, after a message */
int exit_sweep(const struct args *args, int n_gen, int n_threads);

/* Name of the output format: that of -o, "json" with --json, else "table". */
const char *bench_format(const struct args *args);

#endif
