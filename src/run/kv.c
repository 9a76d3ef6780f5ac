/* kv.c - see kv.h. */
#include "kv.h"

static const size_t element_bytes[TRIT_N_KV_FORMATS] = {
    [TRIT_KV_F16] = 2,
    [TRIT_KV_F32] = 4,
    [TRIT_KV_I8] = 1,
};

static size_t n_rows(const struct trit_kv *kv)
{
    return kv->n_layer * kv->n_head * kv->n_ctx; /* at most 2^42 by the limits of arch.c */
}

static size_t n_scales(const struct trit_kv *kv)
{
    return kv->format == TRIT_KV_I8 ? n_rows(kv) : 0;
}

void trit_kv_reserve(struct trit_kv *kv, struct trit_arena *arena, const struct trit_knobs *knobs,
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
    kv->k_offset = trit_arena_reserve(arena, n_rows(kv), kv->row_bytes);
    kv->v_offset = trit_arena_reserve(arena, n_rows(kv), kv->row_bytes);
    kv->k_scale_offset = trit_arena_reserve(arena, n_scales(kv), sizeof(float));
    kv->v_scale_offset = trit_arena_reserve(arena, n_scales(kv), sizeof(float));
}

void trit_kv_place(struct trit_kv *kv, const struct trit_arena *arena)
{
    kv->k = trit_arena_at(arena, kv->k_offset, n_rows(kv), kv->row_bytes);
    kv->v = trit_arena_at(arena, kv->v_offset, n_rows(kv), kv->row_bytes);
    kv->k_scale = trit_arena_at(arena, kv->k_scale_offset, n_scales(kv), sizeof(float));
    kv->v_scale = trit_arena_at(arena, kv->v_scale_offset, n_scales(kv), sizeof(float));
}
