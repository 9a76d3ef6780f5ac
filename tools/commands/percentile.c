/* percentile.c - see percentile.h. */
#include "percentile.h"

#include <stdlib.h>

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void sort_ascending(double *x, int64_t n)
{
    qsort(x, (size_t)n, sizeof *x, compare_doubles);
}

double percentile(const double *x, int64_t n, double part)
{
    const double place = part * (double)(n - 1);
    const int64_t i = (int64_t)place;
    return i + 1 < n ? x[i] + (x[i + 1] - x[i]) * (place - (double)i) : x[n - 1];
}
