/* shared.h - reference data below TRIT_SHARED, for tests that are skipped without it. */
#ifndef TRIT_TESTS_SHARED_H
#define TRIT_TESTS_SHARED_H

#include "error.h"

/* The path of a file or folder there, named by a format. If it does not exist, the test is skipped
 * with a message. Not freed; valid until the next call. */
const char *shared_path(const char *fmt, ...) TRIT_PRINTF(1, 2);

/* A .tokens file: ids with commas between. Release with free(). */
int32_t *shared_ids(const char *path, int32_t *n);

/* A .npy file of floats with that shape, in C order. Release with free(). */
float *shared_npy(const char *path, int32_t n_rows, int32_t n_cols);

#endif
