/* percentile.h - medians and their like. */
#ifndef TRIT_TOOLS_PERCENTILE_H
#define TRIT_TOOLS_PERCENTILE_H

#include <stdint.h>

void sort_ascending(double *x, int64_t n);

/* Of n >= 1 sorted values the one that part of them, 0..1, are below; between two in proportion. */
double percentile(const double *x, int64_t n, double part);

#endif
