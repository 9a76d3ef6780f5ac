/* bench_kernels.h - measures the kernels of every instruction set and their limits. */
#ifndef TRIT_TESTS_BENCH_KERNELS_H
#define TRIT_TESTS_BENCH_KERNELS_H

#include "harness.h"

/* Measures and prints all benches that the options select. families ends with NULL. @return the
 * exit status: 0, or 2 without enough memory */
int bench_all(const struct options *o, const struct family *const *families);

#endif
