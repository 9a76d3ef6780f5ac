/* rows.h - memory of the reference computations, which abort where there is none. */
#ifndef TRIT_TESTS_ROWS_H
#define TRIT_TESTS_ROWS_H

#include <stddef.h>

/* n items of that size, zeros, to be released with free(). */
void *take(size_t n, size_t size);

/* [n, width] */
double *new_rows(int n, int width);

#endif
