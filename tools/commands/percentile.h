/* percentile.h - medians and their like. */
#ifndef TRIT_TOOLS_PERCENTILE_H
#define TRIT_TOOLS_PERCENTILE_H

#include <stdint.h>

void sort_ascending(double *x, int64_t n);

/* The value that a part 0..1 of n >= 1 sorted values is below, interpolated linearly. */
double percentile(const double *x, int64_t n, double part);

#endif
