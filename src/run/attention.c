/* attention.c - causal attention with grouped heads, in blocks of keys.
 *
 * A query's keys are cut into blocks of 64 from position 0, whatever batch it came in; each block
 * is a softmax of its own and blocks are merged in ascending order. So the result of a query does
 * not depend on what was computed beside it. Keys after the query are left out, not masked.
 *
 * Queries that see the same keys share the reading of a block: those of several tokens for a block
 * that all of them see whole; those of a group's heads for the block that a token is in, and for
 * all blocks of a token that is alone. */
#include <math.h>
#include <string.h>

#include "session.h"

/* Tokens that one worker takes, within one block of positions. */
enum { TILE_TOKENS = TRIT_ATTN_QUERIES };

struct job {
    struct trit_session *s;
    size_t layer, pos, n;
    size_t first_tile; /* the tile of positions that pos is in */
};

/* Queries of one KV head that see the same keys: n of them, ldq floats apart in s->q and in s->att,
 * each with its state so far in sm, which is empty (sum 0) before its first block. */
struct queries {
    size_t at, n, ldq; /* at: index of the first one's first element */
    struct trit_softmax *sm[TRIT_ATTN_QUERIES];
};

/* Add the block of n_keys rows that begins at row of the cache. */
static void add_block(const struct trit_session *s, const struct queries *q, size_t row,
                      size_t n_keys)
{
    const struct trit_kv *kv = &s->kv;
    const size_t d = kv->head_dim;
    const struct trit_attn_shape shape = {
        .n_keys = n_keys,
        .head_dim = d,
        .scale = (float)(1.0 / sqrt((double)d)),
        .n_q = q->n,
        .ldq = q->ldq,
    };
    float acc[TRIT_ATTN_QUERIES * TRIT_MAX_HEAD_DIM];
    struct trit_softmax sm[TRIT_ATTN_QUERIES];

    s->kernels.attn_block[kv->format](acc, sm, &shape, s->q + q->at, kv->k + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->k_scale, row),
                                      kv->v + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->v_scale, row));
    for (size_t i = 0; i < q->n; i++) {
        float *out = s->att + q->at + i * q->ldq;
        if (q->sm[i]->sum == 0.0f) {
            memcpy(out, acc + i * d, d * sizeof *out);
            *q->sm[i] = sm[i];
        } else {
            s->kernels.attn_merge(out, q->sm[i], acc + i * d, &sm[i], d);
        }
    }
}

/* All query heads of one KV head, for n_tokens tokens from position pos on (number t of the batch),
 * which lie in one block. */
static void attend(const struct job *job, size_t kv_head, size_t t, size_t n_tokens)
{
    const struct trit_session *s = job->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv, pos = job->pos + t;
    const size_t row = trit_kv_row(&s->kv, job->layer, kv_head, 0);
    const size_t own = pos / TRIT_ATTN_BLOCK * TRIT_ATTN_BLOCK;

    for (size_t first = 0; first < group; first += TRIT_ATTN_QUERIES) {
        const size_t n_heads =
            group - first < TRIT_ATTN_QUERIES ? group - first : TRIT_ATTN_QUERIES;
        const size_t at = (t * n_head + kv_head * group + first) * d;
        struct trit_softmax sm[TILE_TOKENS][TRIT_ATTN_QUERIES] = {{{0}}};

        for (size_t h = 0; n_tokens > 1 && h < n_heads; h++) {
            struct queries q = {at + h * d, n_tokens, n_head * d, {NULL}};
            for (size_t i = 0; i < n_tokens; i++)
                q.sm[i] = &sm[i][h];
            for (size_t j = 0; j < own; j += TRIT_ATTN_BLOCK)
                add_block(s, &q, row + j, TRIT_ATTN_BLOCK);
        }
        for (size_t i = 0; i < n_tokens; i++) {
            struct queries q = {at + i * n_head * d, n_heads, d, {NULL}};
            for (size_t h = 0; h < n_heads; h++)
                q.sm[h] = &sm[i][h];
            for (size_t j = 0; n_tokens == 1 && j < own; j += TRIT_ATTN_BLOCK)
                add_block(s, &q, row + j, TRIT_ATTN_BLOCK);
            add_block(s, &q, row + own, pos + i - own + 1);
            for (size_t h = 0; h < n_heads; h++) {
                float *out = s->att + q.at + h * d;
                const float inverse = 1.0f / sm[i][h].sum;
                for (size_t e = 0; e < d; e++)
                    out[e] *= inverse;
            }
        }
    }
}

/* Items are pairs of a tile of positions and a KV head. */
static void attend_items(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const size_t n_kv = (size_t)job->s->model->knobs.n_head_kv;
    (void)worker;

    for (size_t i = begin; i < end; i++) {
        const size_t tile = (job->first_tile + i / n_kv) * TILE_TOKENS;
        const size_t first = tile > job->pos ? tile : job->pos;
        const size_t last =
            tile + TILE_TOKENS < job->pos + job->n ? tile + TILE_TOKENS : job->pos + job->n;
        attend(job, i % n_kv, first - job->pos, last - first);
    }
}

void trit_attention(struct trit_session *s, size_t il, size_t pos, size_t n)
{
    struct job job = {s, il, pos, n, pos / TILE_TOKENS};
    const size_t n_tiles = (pos + n - 1) / TILE_TOKENS - job.first_tile + 1;
    trit_pool_run(s->pool, attend_items, &job, n_tiles * (size_t)s->model->knobs.n_head_kv, 1);
}
