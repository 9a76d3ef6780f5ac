/* stats.c - statistics of the weights of a ternary tensor. */
#include <string.h>

#include "gguf.h"

/* Add the number of occurrences of each code 0..3 in n_bytes of T2 to counts. */
static void count_codes(uint64_t counts[4], const uint8_t *t2, size_t n_bytes)
{
    uint64_t of_byte[256] = {0};

    for (size_t i = 0; i < n_bytes; i++)
        of_byte[t2[i]]++;
    for (size_t b = 0; b < 256; b++)
        for (unsigned shift = 0; shift < 8; shift += 2)
            counts[b >> shift & 3] += of_byte[b];
}

/* Count in a T2 copy. *ternary: false if the tensor's floats are not ternary */
static trit_status count_unpacked(uint64_t counts[4], float *scale, bool *ternary,
                                  const trit_file *f, const struct gguf_tensor *t,
                                  struct trit_error *why)
{
    const struct trit_packed m = trit_gguf_packed(f, t);
    const size_t n_bytes = m.n_rows * trit_t2_row_bytes(m.n_cols);
    uint8_t *t2 = trit_alloc_aligned(n_bytes);

    if (!t2)
        return trit_fail_memory(why, n_bytes, "a tensor");
    trit_status status = t->type->unpack_t2(t2, scale, &m, why);
    *ternary = !status;
    if (!status) {
        count_codes(counts, t2, n_bytes);
        counts[1] -= 4 * (uint64_t)n_bytes - (uint64_t)m.n_rows * m.n_cols; /* padding */
    } else if (status == TRIT_E_UNSUPPORTED && t->type->format >= 0) {
        *scale = 0.0f;
        status = TRIT_OK;
    }
    trit_free_aligned(t2);
    return status;
}

trit_status trit_file_tensor_stats(const trit_file *f, size_t i, struct trit_tensor_stats *out,
                                   struct trit_error *err)
{
    const struct gguf_tensor *t = &f->tensors[i];
    uint64_t counts[4] = {0};
    struct trit_error why = {0};
    trit_status status = TRIT_OK;

    *out = (struct trit_tensor_stats){.n = trit_gguf_n_elements(t)};
    if (!t->type || !t->type->unpack_t2 || (t->type->id_is_shared && !t->fits_span) ||
        t->n_dims != 2)
        return TRIT_OK;
    if (trit_gguf_is_t2(f, t)) {
        out->ternary = true;
        out->scale = trit_i2s_scale(trit_gguf_data(f, t), (size_t)out->n);
        count_codes(counts, trit_gguf_data(f, t), (size_t)out->n / 4);
    } else {
        status = count_unpacked(counts, &out->scale, &out->ternary, f, t, &why);
    }
    if (status)
        return trit_fail_tensor(err, status, f->path, t->name, "%s", why.text);
    out->n_minus = counts[0];
    out->n_zero = counts[1];
    out->n_plus = counts[2];
    out->n_invalid = counts[3];
    return TRIT_OK;
}
