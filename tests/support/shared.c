/* shared.c - see shared.h. */
#include "shared.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const char *shared_path(const char *fmt, ...)
{
    static char path[1024];
    const char *root = getenv("TRIT_SHARED");
    va_list args;

    if (!root || !*root) {
        printf("skipped: TRIT_SHARED is not set\n");
        skip();
    }
    const int n = snprintf(path, sizeof path, "%s/", root);
    assert_true(n > 0 && (size_t)n < sizeof path);
    va_start(args, fmt);
    const int m = vsnprintf(path + n, sizeof path - (size_t)n, fmt, args);
    va_end(args);
    assert_true(m > 0 && (size_t)(n + m) < sizeof path);
    if (access(path, R_OK) != 0) {
        printf("skipped: %s does not exist\n", path);
        skip();
    }
    return path;
}

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    const long size = ftell(f);
    assert_true(size > 0);
    rewind(f);
    uint8_t *data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, f), (size_t)size);
    data[size] = '\0';
    fclose(f);
    *len = (size_t)size;
    return data;
}

int32_t *shared_ids(const char *path, int32_t *n)
{
    size_t len;
    char *text = (char *)read_file(path, &len), *p = text;
    int32_t *ids = malloc((len + 1) * sizeof *ids);

    assert_non_null(ids);
    for (*n = 0; isdigit((unsigned char)*p); p += *p == ',') {
        char *end;
        ids[(*n)++] = (int32_t)strtol(p, &end, 10);
        p = end;
    }
    assert_true(*n > 0 && (*p == '\0' || isspace((unsigned char)*p)));
    free(text);
    return ids;
}

/* Of format 1.0. */
float *shared_npy(const char *path, int32_t n_rows, int32_t n_cols)
{
    size_t len;
    uint8_t *data = read_file(path, &len);
    char shape[64];

    assert_true(len > 10 && memcmp(data, "\x93NUMPY\x01\x00", 8) == 0);
    const size_t header = 10 + (size_t)data[8] + 256 * (size_t)data[9];
    const size_t n = (size_t)n_rows * (size_t)n_cols;
    assert_true(len == header + n * sizeof(float));
    char *dict = (char *)data + 10;
    dict[header - 11] = '\0'; /* was the newline */
    snprintf(shape, sizeof shape, "'shape': (%d, %d)", n_rows, n_cols);
    assert_non_null(strstr(dict, "'descr': '<f4'"));
    assert_non_null(strstr(dict, "'fortran_order': False"));
    assert_non_null(strstr(dict, shape));
    float *logits = malloc(n * sizeof *logits);
    assert_non_null(logits);
    memcpy(logits, data + header, n * sizeof *logits);
    free(data);
    return logits;
}
