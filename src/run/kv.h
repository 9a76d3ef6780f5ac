/* kv.h - the cache of keys and values.
 *
 * One row of head_dim per layer, KV head and position. The positions of a head are contiguous:
 *
 *   k, v:              [n_layer][n_head_kv][n_ctx] rows of row_bytes
 *   k_scale, v_scale:  [n_layer][n_head_kv][n_ctx] f32, for I8 only (else NULL)
 */
#ifndef TRIT_RUN_KV_H
#define TRIT_RUN_KV_H

#include "arch.h"
#include "arena.h"

struct trit_kv {
    enum trit_kv_format format;
    size_t n_layer, n_head, n_ctx, head_dim, row_bytes;
    uint8_t *k, *v;
    float *k_scale, *v_scale;
};

/* Set the sizes, and take the memory from the arena. */
void trit_kv_lay_out(struct trit_kv *kv, struct trit_arena *arena, const struct trit_knobs *knobs,
                     enum trit_kv_format format, size_t n_ctx);

/* The row of a position in a layer's head: an index into each of the arrays above. */
static inline size_t trit_kv_row(const struct trit_kv *kv, size_t layer, size_t head, size_t pos)
{
    return (layer * kv->n_head + head) * kv->n_ctx + pos;
}

/* The scales from this row on, or NULL if the format has none. */
static inline float *trit_kv_scales(const struct trit_kv *kv, float *scales, size_t row)
{
    return kv->format == TRIT_KV_I8 ? scales + row : NULL;
}

#endif
