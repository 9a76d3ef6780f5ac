/* attention.c - attention with grouped heads, in blocks of keys.
 *
 * A query's keys are cut into blocks of 64 from position 0, whatever batch it came in; each block
 * is a softmax of its own and blocks are merged in ascending order. So the result of a query does
 * not depend on what was computed beside it. Keys after the query are left out, not masked; of a
 * model that is not causal every query sees the keys of the whole text.
 *
 * Queries that see the same keys share the reading of a block: those of several tokens for a block
 * that all of them see whole; those of a group's heads for the block that a token is in, and for
 * all blocks of a token that is alone.
 *
 * A lone token far into a context has few heads but many blocks: then workers take blocks, each
 * leaving what it contributes, and one merges those of a head, in the same order. */
#include <math.h>
#include <string.h>

#include "session.h"

/* Tokens that one worker takes, within one block of positions. */
enum { TILE_TOKENS = TRIT_ATTN_QUERIES };

struct job {
    struct trit_session *s;
    size_t layer, row, pos, n;
    size_t first_tile; /* the tile of positions that pos is in */
};

/* Queries of one KV head that see the same keys: n of them, ldq floats apart in s->q and in s->att,
 * each with its state so far in sm, which is empty (sum 0) before its first block. */
struct queries {
    size_t at, n, ldq; /* at: index of the first one's first element */
    struct trit_softmax *sm[TRIT_ATTN_QUERIES];
};

/* What the block of n_keys rows that begins at row of the cache contributes to each query.
 * acc: [q->n, head_dim]; sm: [q->n] */
static void one_block(const struct trit_session *s, float *acc, struct trit_softmax *sm,
                      const struct queries *q, size_t row, size_t n_keys)
{
    const struct trit_kv *kv = &s->kv;
    const struct trit_attn_shape shape = {
        .n_keys = n_keys,
        .head_dim = kv->head_dim,
        .scale = (float)(1.0 / sqrt((double)kv->head_dim)),
        .n_q = q->n,
        .ldq = q->ldq,
    };
    s->kernels.attn_block[kv->format](acc, sm, &shape, s->q + q->at, kv->k + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->k_scale, row),
                                      kv->v + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->v_scale, row));
}

/* Take a block's contribution into a query's state, which is empty (sum 0) before the first. */
static void add_to(const struct trit_session *s, float *out, struct trit_softmax *sm,
                   const float *block_acc, const struct trit_softmax *block_sm)
{
    const size_t d = s->kv.head_dim;
    if (sm->sum == 0.0f) {
        memcpy(out, block_acc, d * sizeof *out);
        *sm = *block_sm;
    } else {
        s->kernels.attn_merge(out, sm, block_acc, block_sm, d, 1, 1);
    }
}

static void normalise(float *out, const struct trit_softmax *sm, size_t d)
{
    const float inverse = 1.0f / sm->sum;
    for (size_t i = 0; i < d; i++)
        out[i] *= inverse;
}

static void add_block(const struct trit_session *s, const struct queries *q, size_t row,
                      size_t n_keys)
{
    float acc[TRIT_ATTN_QUERIES * TRIT_MAX_HEAD_DIM];
    struct trit_softmax sm[TRIT_ATTN_QUERIES];

    one_block(s, acc, sm, q, row, n_keys);
    for (size_t i = 0; i < q->n; i++)
        add_to(s, s->att + q->at + i * q->ldq, q->sm[i], acc + i * s->kv.head_dim, &sm[i]);
}

/* The first n_keys rows from row on. */
static void add_blocks(const struct trit_session *s, const struct queries *q, size_t row,
                       size_t n_keys)
{
    for (size_t j = 0; j < n_keys; j += TRIT_ATTN_BLOCK)
        add_block(s, q, row + j, n_keys - j < TRIT_ATTN_BLOCK ? n_keys - j : TRIT_ATTN_BLOCK);
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
    const size_t shared = k->causal ? own : job->pos + job->n; /* keys that all tokens see */

    for (size_t first = 0; first < group; first += TRIT_ATTN_QUERIES) {
        const size_t n_heads =
            group - first < TRIT_ATTN_QUERIES ? group - first : TRIT_ATTN_QUERIES;
        const size_t at = ((job->row + t) * n_head + kv_head * group + first) * d;
        struct trit_softmax sm[TILE_TOKENS][TRIT_ATTN_QUERIES] = {{{0}}};

        for (size_t h = 0; n_tokens > 1 && h < n_heads; h++) {
            struct queries q = {at + h * d, n_tokens, n_head * d, {NULL}};
            for (size_t i = 0; i < n_tokens; i++)
                q.sm[i] = &sm[i][h];
            add_blocks(s, &q, row, shared);
        }
        for (size_t i = 0; i < n_tokens; i++) {
            struct queries q = {at + i * n_head * d, n_heads, d, {NULL}};
            for (size_t h = 0; h < n_heads; h++)
                q.sm[h] = &sm[i][h];
            if (n_tokens == 1)
                add_blocks(s, &q, row, shared);
            if (k->causal)
                add_block(s, &q, row + own, pos + i - own + 1);
            for (size_t h = 0; h < n_heads; h++)
                normalise(s->att + q.at + h * d, &sm[i][h], d);
        }
    }
}

/* ---- A lone token, by blocks ----------------------------------------------------------------- */

enum { BLOCKS_AT_ONCE = 2 }; /* that a worker takes */

/* Items are the blocks of the first KV head, then of the second, and so on. What query head h of
 * block i contributes goes to row i*n_head + h of block_acc and block_sm. */
static void split_blocks(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const struct trit_session *s = job->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv;
    const size_t n_keys = job->pos + 1, n_blocks = (n_keys - 1) / TRIT_ATTN_BLOCK + 1;
    (void)worker;

    for (size_t i = begin; i < end; i++) {
        const size_t kv_head = i / n_blocks, block = i % n_blocks, first = block * TRIT_ATTN_BLOCK;
        const size_t row = trit_kv_row(&s->kv, job->layer, kv_head, first), left = n_keys - first;
        for (size_t h = 0; h < group; h += TRIT_ATTN_QUERIES) {
            const size_t head = kv_head * group + h, at = block * n_head + head;
            const struct queries q = {(job->row * n_head + head) * d,
                                      group - h < TRIT_ATTN_QUERIES ? group - h : TRIT_ATTN_QUERIES,
                                      d,
                                      {NULL}};
            one_block(s, s->block_acc + at * d, s->block_sm + at, &q, row,
                      left < TRIT_ATTN_BLOCK ? left : TRIT_ATTN_BLOCK);
        }
    }
}

/* Items are query heads. */
static void merge_blocks(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const struct trit_session *s = job->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    (void)worker;

    for (size_t h = begin; h < end; h++) {
        struct trit_softmax sm = s->block_sm[h];
        float *out = s->att + (job->row * n_head + h) * d;
        memcpy(out, s->block_acc + h * d, d * sizeof *out);
        s->kernels.attn_merge(out, &sm, s->block_acc + (n_head + h) * d, s->block_sm + n_head + h,
                              d, job->pos / TRIT_ATTN_BLOCK, n_head);
        normalise(out, &sm, d);
    }
}

/* ---- All of it ------------------------------------------------------------------------------- */

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

void trit_attention(struct trit_session *s, size_t il, size_t row, size_t pos, size_t n)
{
    struct job job = {s, il, row, pos, n, pos / TILE_TOKENS};
    const size_t n_kv = (size_t)s->model->knobs.n_head_kv;
    const size_t n_tiles = (pos + n - 1) / TILE_TOKENS - job.first_tile + 1;
    const size_t n_blocks = pos / TRIT_ATTN_BLOCK + 1;

    if (n == 1 && s->n_threads > 1 && n_blocks >= TRIT_SPLIT_BLOCKS) {
        trit_pool_run(s->pool, split_blocks, &job, n_kv * n_blocks, BLOCKS_AT_ONCE);
        trit_pool_run(s->pool, merge_blocks, &job, (size_t)s->model->knobs.n_head, 1);
    } else {
        trit_pool_run(s->pool, attend_items, &job, n_tiles * n_kv, 1);
    }
}
