/* shared.h - reference data below TRIT_SHARED, for tests that skip where it is not there. */
#ifndef TRIT_TESTS_SHARED_H
#define TRIT_TESTS_SHARED_H

#include "error.h"

/* The path of a file or folder there, whose name a format gives; a test without it is skipped, and
 * says why. Not freed; good until the next call. */
const char *shared_path(const char *fmt, ...) TRIT_PRINTF(1, 2);

/* A .tokens file: ids with commas between. Release with free(). */
int32_t *shared_ids(const char *path, int32_t *n);

/* A .npy file of floats, in C order, of that shape. Release with free(). */
float *shared_npy(const char *path, int32_t n_rows, int32_t n_cols);

#endif
