/* percentile.h - medians and other percentiles. */
#ifndef TRIT_TOOLS_PERCENTILE_H
#define TRIT_TOOLS_PERCENTILE_H

#include <stdint.h>

void sort_ascending(double *x, int64_t n);

/* The percentile at part 0..1 of n >= 1 ascending values, interpolated linearly. */
double percentile(const double *x, int64_t n, double part);

#endif
