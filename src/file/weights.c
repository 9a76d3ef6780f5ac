/* weights.c - see weights.h. */
#include "weights.h"

#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "str.h"

trit_status trit_weights_reserve(struct trit_weights *s, size_t n, struct trit_error *err)
{
    struct trit_weight *more = realloc(s->tensors, (s->n + n + 1) * sizeof *more);

    if (!more)
        return trit_fail_memory(err, n * sizeof *more, "the tensors of a checkpoint");
    s->tensors = more;
    return TRIT_OK;
}

trit_status trit_weights_set_shape(struct trit_weight *t, const uint64_t *dims, size_t n_dims,
                                   uint64_t item_bytes, const char *path, struct trit_error *err)
{
    uint64_t n = item_bytes;
    bool empty = false;

    if (n_dims > TRIT_WEIGHT_MAX_DIMS)
        return trit_fail_tensor(err, TRIT_E_FILE, path, t->name,
                                "has %zu dimensions; the limit is %d", n_dims,
                                TRIT_WEIGHT_MAX_DIMS);
    for (size_t i = 0; i < TRIT_WEIGHT_MAX_DIMS; i++) {
        t->dims[i] = i < n_dims ? dims[i] : 1;
        empty = empty || t->dims[i] == 0;
        if (!trit_mul_u64(n, t->dims[i] ? t->dims[i] : 1, &n) || n > INT64_MAX)
            return trit_fail_tensor(err, TRIT_E_FILE, path, t->name, "has an invalid shape");
    }
    t->n_dims = (uint32_t)n_dims;
    t->n_bytes = empty ? 0 : n;
    return TRIT_OK;
}

static int compare_tensors(const void *a, const void *b)
{
    const struct trit_weight *x = a, *y = b;
    const int order = trit_string_order(x->name, y->name);
    return order ? order : (x->file > y->file) - (x->file < y->file);
}

trit_status trit_weights_sort(const struct trit_weights *s, size_t first, struct trit_error *err)
{
    const struct trit_weight *t = s->tensors;

    if (s->n)
        qsort(s->tensors + first, s->n - first, sizeof *t, compare_tensors);
    for (size_t i = first + 1; i < s->n; i++) {
        if (trit_string_order(t[i - 1].name, t[i].name) != 0)
            continue;
        const bool same = t[i - 1].file == t[i].file;
        return trit_fail_tensor(err, TRIT_E_FILE, trit_weights_path(s, &t[i]), t[i].name, "%s%s",
                                same ? "occurs twice" : "is also in ",
                                same ? "" : s->files[t[i - 1].file].name);
    }
    return TRIT_OK;
}

void trit_weights_close(struct trit_weights *s)
{
    for (size_t i = 0; i < s->n_files; i++) {
        trit_json_free(&s->files[i].header);
        trit_bytes_close(&s->files[i].bytes);
        free(s->files[i].path);
    }
    free(s->files);
    free(s->tensors);
    *s = (struct trit_weights){0};
}

const struct trit_weight *trit_weights_find(const struct trit_weights *s, const char *name)
{
    const struct trit_string wanted = trit_string_of(name);
    size_t low = 0, high = s->n;

    while (low < high) {
        const size_t i = low + (high - low) / 2;
        const int order = trit_string_order(wanted, s->tensors[i].name);
        if (order == 0)
            return &s->tensors[i];
        low = order < 0 ? low : i + 1;
        high = order < 0 ? i : high;
    }
    return NULL;
}

const char *trit_weights_path(const struct trit_weights *s, const struct trit_weight *t)
{
    return s->files[t->file].path;
}

struct trit_weights_shape trit_weights_shape(const struct trit_weight *t)
{
    struct trit_weights_shape shape = {"["};

    for (uint32_t i = 0; i < t->n_dims; i++)
        trit_append(shape.text, sizeof shape.text, "%s%llu", i ? ", " : "",
                    (unsigned long long)t->dims[i]);
    trit_append(shape.text, sizeof shape.text, "]");
    return shape;
}

void trit_weights_done(const struct trit_weights *s, const uint8_t *data, uint64_t n_bytes)
{
    for (size_t i = 0; i < s->n_files; i++) {
        const struct trit_weights_file *f = &s->files[i];
        if ((uintptr_t)data - (uintptr_t)f->bytes.data < f->bytes.size) {
            trit_bytes_release(&f->bytes, data, (size_t)n_bytes);
            return;
        }
    }
}
