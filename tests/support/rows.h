/* rows.h - memory for the reference computations, which abort without it. */
#ifndef TRIT_TESTS_ROWS_H
#define TRIT_TESTS_ROWS_H

#include <stddef.h>

/* n zeroed items of that size. Release with free(). */
void *take(size_t n, size_t size);

/* [n, width] */
double *new_rows(int n, int width);

#endif
