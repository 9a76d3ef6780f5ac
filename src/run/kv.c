/* kv.c - see kv.h. */
#include "kv.h"

static const size_t element_bytes[TRIT_N_KV_FORMATS] = {
    [TRIT_KV_F16] = 2,
    [TRIT_KV_F32] = 4,
    [TRIT_KV_I8] = 1,
};

void trit_kv_lay_out(struct trit_kv *kv, struct trit_arena *arena, const struct trit_knobs *knobs,
                     enum trit_kv_format format, size_t n_ctx)
{
    *kv = (struct trit_kv){
        .format = format,
        .n_layer = (size_t)knobs->n_layer,
        .n_head = (size_t)knobs->n_head_kv,
        .n_ctx = n_ctx,
        .head_dim = (size_t)knobs->head_dim,
        .row_bytes = (size_t)knobs->head_dim * element_bytes[format],
    };
    const uint64_t n_rows = trit_kv_row(kv, kv->n_layer, 0, 0); /* at most 2^42: see arch.c */
    const uint64_t n_scales = format == TRIT_KV_I8 ? n_rows : 0;

    kv->k = trit_arena_take(arena, n_rows, kv->row_bytes);
    kv->v = trit_arena_take(arena, n_rows, kv->row_bytes);
    kv->k_scale = trit_arena_take(arena, n_scales, sizeof(float));
    kv->v_scale = trit_arena_take(arena, n_scales, sizeof(float));
}
