/* attention.c - causal attention with grouped heads, in blocks of keys.
 *
 * A query's keys are cut into blocks of 64 from position 0, whatever batch it came in; each block
 * is a softmax of its own and blocks are merged in ascending order. So the result of a query does
 * not depend on what was computed beside it. Keys after the query are left out, not masked. */
#include <math.h>

#include "session.h"

struct job {
    struct trit_session *s;
    size_t layer, pos;
};

/* One query head over n_keys rows that begin at `row` of the cache. out: [head_dim] */
static void attend(const struct trit_session *s, float *out, const float *q, size_t row,
                   size_t n_keys, float scale)
{
    const struct trit_kv *kv = &s->kv;
    struct trit_attn_shape shape = {.head_dim = kv->head_dim, .scale = scale};
    struct trit_softmax sm = {0}, block_sm;
    float block[TRIT_MAX_HEAD_DIM];

    for (size_t j = 0; j < n_keys; j += TRIT_ATTN_BLOCK) {
        shape.n_keys = n_keys - j < TRIT_ATTN_BLOCK ? n_keys - j : TRIT_ATTN_BLOCK;
        s->kernels.attn_block[kv->format](
            j ? block : out, j ? &block_sm : &sm, &shape, q, kv->k + (row + j) * kv->row_bytes,
            trit_kv_scales(kv, kv->k_scale, row + j), kv->v + (row + j) * kv->row_bytes,
            trit_kv_scales(kv, kv->v_scale, row + j));
        if (j)
            s->kernels.attn_merge(out, &sm, block, &block_sm, kv->head_dim);
    }
    const float inverse = 1.0f / sm.sum;
    for (size_t i = 0; i < kv->head_dim; i++)
        out[i] *= inverse;
}

/* Items are pairs of a token and a KV head, with all query heads of its group. */
static void attend_items(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const struct trit_session *s = job->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t n_kv = (size_t)k->n_head_kv, group = n_head / n_kv;
    const float scale = (float)(1.0 / sqrt((double)d));
    (void)worker;

    for (size_t i = begin; i < end; i++) {
        const size_t t = i / n_kv, kv_head = i % n_kv;
        const size_t row = trit_kv_row(&s->kv, job->layer, kv_head, 0);
        for (size_t g = 0; g < group; g++) {
            const size_t at = (t * n_head + kv_head * group + g) * d;
            attend(s, s->att + at, s->q + at, row, job->pos + t + 1, scale);
        }
    }
}

void trit_attention(struct trit_session *s, size_t il, size_t pos, size_t n)
{
    struct job job = {s, il, pos};
    trit_pool_run(s->pool, attend_items, &job, n * (size_t)s->model->knobs.n_head_kv, 1);
}
