/* bench_kernels.h - how fast the kernels of every instruction set are, beside what limits them. */
#ifndef TRIT_TESTS_BENCH_KERNELS_H
#define TRIT_TESTS_BENCH_KERNELS_H

#include "harness.h"

/* Measure and print all benches that the options name. families ends with NULL.
 * @return the exit status: 0, or 2 where memory is short */
int bench_all(const struct options *o, const struct family *const *families);

#endif
