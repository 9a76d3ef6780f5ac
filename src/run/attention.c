/* attention.c - see attention.h. Attention with grouped heads, in blocks of keys.
 *
 * A query's keys are cut into blocks of 64 from position 0, whatever its batch is. Each block is a
 * softmax of its own, and blocks are merged in ascending order. So the result of a query does not
 * depend on the rest of its batch. Keys after the query are left out, not masked. If the model is
 * not causal, every query sees the keys of the whole text.
 *
 * Queries that see the same keys share the reading of a block. For a block that several tokens see
 * whole, these are the queries of all of them. For the block that a token is in, and for all blocks
 * of a single token, they are the heads of a group.
 *
 * A single token far into a context has few heads but many blocks, so workers take blocks. If a
 * worker's blocks are the next ones of their head, it merges them at once, while they are in its
 * cache. From the first block out of order on, a head's blocks stay in memory and are merged at the
 * end, in the same order. */
#include "attention.h"

#include <math.h>

#include "linear.h"

/* Tokens that one worker takes at a time, within one block of positions. */
enum { TILE_TOKENS = TRIT_ATTN_QUERIES };

struct job {
    struct trit_session *s;
    size_t layer, row, pos, n;
    size_t first_tile; /* the tile that contains pos */
    enum trit_hint hint;
};

/* n queries of one KV head that see the same keys, ldq floats apart in s->q and in acc. */
struct queries {
    size_t layer, kv_head;
    size_t at, n, ldq; /* at: index of the first query's first element */
    enum trit_hint hint;
};

/* Write one block's contribution to each query, or add it (accumulate). The block has the keys from
 * position key on that are before position end. */
static void one_block(const struct trit_session *s, float *acc, struct trit_softmax *sm,
                      const struct queries *q, size_t key, size_t end, bool accumulate)
{
    const struct trit_kv *kv = &s->kv;
    const size_t row = trit_kv_row(kv, q->layer, q->kv_head, key), after = key + TRIT_ATTN_BLOCK;
    const size_t next = after < end ? trit_kv_row(kv, q->layer, q->kv_head, after)
                                    : trit_kv_row(kv, q->layer, q->kv_head + 1, 0);
    const struct trit_attn_shape shape = {
        .n_keys = after < end ? TRIT_ATTN_BLOCK : end - key,
        .head_dim = kv->head_dim,
        .scale = (float)(1.0 / sqrt((double)kv->head_dim)),
        .n_q = q->n,
        .ldq = q->ldq,
        .accumulate = accumulate,
        .prefetch = kv->k + next * kv->row_bytes,
        .hint = q->hint,
    };
    s->kernels.attn_block[kv->format](acc, sm, &shape, s->q + q->at, kv->k + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->k_scale, row),
                                      kv->v + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->v_scale, row));
}

/* Add the keys from position key, where a block begins, to end-1 to s->att and sm, which hold all
 * earlier keys. With key 0 they are overwritten. */
static void add_keys(const struct trit_session *s, const struct queries *q, struct trit_softmax *sm,
                     size_t key, size_t end)
{
    for (; key < end; key += TRIT_ATTN_BLOCK)
        one_block(s, s->att + q->at, sm, q, key, end, key > 0);
}

static void normalize(float *out, const struct trit_softmax *sm, size_t d)
{
    const float inverse = 1.0f / sm->sum;
    for (size_t i = 0; i < d; i++)
        out[i] *= inverse;
}

/* All query heads of one KV head, for n_tokens tokens from token t of the batch on, all in one
 * block. Keys that all of them see are read once per head for all tokens, those of their own block
 * once per token for all heads. */
static void attend(const struct job *job, size_t kv_head, size_t t, size_t n_tokens)
{
    const struct trit_session *s = job->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv, pos = job->pos + t;
    const size_t shared = k->causal ? pos / TRIT_ATTN_BLOCK * TRIT_ATTN_BLOCK : job->pos + job->n;

    for (size_t first = 0; first < group; first += TRIT_ATTN_QUERIES) {
        const size_t n_heads =
            group - first < TRIT_ATTN_QUERIES ? group - first : TRIT_ATTN_QUERIES;
        const size_t at = ((job->row + t) * n_head + kv_head * group + first) * d;
        struct trit_softmax sm[TRIT_ATTN_QUERIES][TILE_TOKENS] = {{{0}}};

        for (size_t h = 0; n_tokens > 1 && h < n_heads; h++) {
            const struct queries q = {job->layer, kv_head,    at + h * d,
                                      n_tokens,   n_head * d, job->hint};
            add_keys(s, &q, sm[h], 0, shared);
        }
        for (size_t i = 0; i < n_tokens; i++) {
            const struct queries q = {job->layer, kv_head, at + i * n_head * d,
                                      n_heads,    d,       job->hint};
            struct trit_softmax of_heads[TRIT_ATTN_QUERIES];
            for (size_t h = 0; h < n_heads; h++)
                of_heads[h] = sm[h][i]; /* still nothing if the token is a single one */
            add_keys(s, &q, of_heads, n_tokens > 1 ? shared : 0, k->causal ? pos + i + 1 : shared);
            for (size_t h = 0; h < n_heads; h++)
                normalize(s->att + q.at + h * d, &of_heads[h], d);
        }
    }
}

/* ---- A single token, by blocks --------------------------------------------------------------- */

enum { BLOCKS_AT_ONCE = 2 }; /* for one worker */

/* n blocks of a KV head from block first on. If they are in order, because att and head_sm hold all
 * earlier blocks, they are added there. No other worker touches that head's rows until n_merged is
 * raised. Otherwise block i of query head h goes to row i*n_head + h of block_acc and block_sm. */
static void split_head(const struct job *job, size_t kv_head, size_t first, size_t n)
{
    const struct trit_session *s = job->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv;
    const bool in_order = atomic_load(&s->merge_progress[kv_head].n_merged) == first;

    for (size_t h = 0; h < group; h += TRIT_ATTN_QUERIES) {
        const size_t head = kv_head * group + h, left = group - h;
        const struct queries q = {job->layer,
                                  kv_head,
                                  (job->row * n_head + head) * d,
                                  left < TRIT_ATTN_QUERIES ? left : TRIT_ATTN_QUERIES,
                                  d,
                                  job->hint};
        for (size_t i = first; i < first + n; i++) {
            const size_t at = i * n_head + head;
            one_block(s, in_order ? s->att + q.at : s->block_acc + at * d,
                      in_order ? s->head_sm + kv_head * s->ldsm + h : s->block_sm + at, &q,
                      i * TRIT_ATTN_BLOCK, job->pos + 1, in_order && i > 0);
        }
    }
    if (in_order)
        atomic_store(&s->merge_progress[kv_head].n_merged, first + n);
}

/* Items are the blocks of the first KV head, then those of the second, and so on. */
static void split_blocks(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const size_t n_blocks = job->pos / TRIT_ATTN_BLOCK + 1;
    (void)worker;

    while (begin < end) {
        const size_t first = begin % n_blocks, left = n_blocks - first;
        const size_t n = end - begin < left ? end - begin : left;
        split_head(job, begin / n_blocks, first, n);
        begin += n;
    }
}

/* Merge the blocks left in memory, and divide by the sums. Items are query heads. */
static void merge_rest(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const struct trit_session *s = job->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv, n_blocks = job->pos / TRIT_ATTN_BLOCK + 1;
    (void)worker;

    for (size_t h = begin; h < end; h++) {
        const size_t kv_head = h / group, first = atomic_load(&s->merge_progress[kv_head].n_merged);
        struct trit_softmax sm = s->head_sm[kv_head * s->ldsm + h % group];
        float *out = s->att + (job->row * n_head + h) * d;
        if (first < n_blocks)
            s->kernels.attn_merge(out, &sm, s->block_acc + (first * n_head + h) * d,
                                  s->block_sm + first * n_head + h, d, n_blocks - first, n_head);
        normalize(out, &sm, d);
    }
}

static void attend_by_blocks(struct job *job)
{
    const struct trit_session *s = job->s;
    const size_t n_kv = (size_t)s->model->knobs.n_head_kv, n_head = (size_t)s->model->knobs.n_head;
    const size_t n_blocks = job->pos / TRIT_ATTN_BLOCK + 1;

    for (size_t h = 0; h < n_kv; h++)
        atomic_store(&s->merge_progress[h].n_merged, 0);
    trit_pool_run(s->pool, split_blocks, job, n_kv * n_blocks, BLOCKS_AT_ONCE);
    trit_pool_run(s->pool, merge_rest, job, n_head, 1);
}

/* ---- The batch ------------------------------------------------------------------------------- */

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

static void attend_all(struct job *job)
{
    const size_t n_kv = (size_t)job->s->model->knobs.n_head_kv, pos = job->pos, n = job->n;
    const size_t n_tiles = (pos + n - 1) / TILE_TOKENS - job->first_tile + 1;

    if (n == 1 && job->s->n_threads > 1 && pos / TRIT_ATTN_BLOCK + 1 >= TRIT_SPLIT_BLOCKS)
        attend_by_blocks(job);
    else
        trit_pool_run(job->s->pool, attend_items, job, n_tiles * n_kv, 1);
}

/* Rows row..row+n-1 of s->q, at consecutive positions from pos on. If a single token has many keys
 * and values, those of each layer are timed until the best hint for them is known. */
static void attend_run(const struct trit_batch *b, size_t row, size_t pos, size_t n)
{
    enum { LEAST_BYTES = 1 << 20 };
    struct trit_session *s = b->s;
    const struct trit_kv *kv = &s->kv;
    const size_t n_bytes = 2 * (pos + 1) * kv->n_head * kv->row_bytes;
    struct trit_tuned *class = trit_tuner_class(s->tuner, TRIT_WALK_KV, "kv", kv->row_bytes);
    const struct trit_walk *walk = class ? class->walk : trit_walks;
    const bool measures = class && n == 1 && s->warm && n_bytes >= LEAST_BYTES &&
                          trit_tuner_next(s->tuner, class, &walk);
    struct job job = {s, b->il, row, pos, n, pos / TILE_TOKENS, walk->hint};
    const double start = measures ? s->tuner->now_ms() : 0;

    attend_all(&job);
    if (measures)
        trit_tuner_took(s->tuner, class, n_bytes, s->tuner->now_ms() - start);
}

static void store(const struct trit_session *s, uint8_t *rows, float *scales, size_t row,
                  const float *x)
{
    const struct trit_kv *kv = &s->kv;
    s->kernels.kv_store[kv->format](rows + row * kv->row_bytes, trit_kv_scales(kv, scales, row), x,
                                    kv->head_dim);
}

/* Rotate the queries and keys of each token to its position, and store keys and values. */
static void place_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    struct trit_batch *b = ctx;
    const struct trit_session *s = b->s;
    const struct trit_kv *kv = &s->kv;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t d = kv->head_dim, n_rot = (size_t)k->n_rot;
    const size_t n_head = (size_t)k->n_head, n_kv = kv->n_head;
    (void)worker;

    for (size_t t = begin; t < end; t++) {
        const size_t pos = (size_t)s->positions[t];
        const float *cos = s->rope_cos + pos * (n_rot / 2);
        const float *sin = s->rope_sin + pos * (n_rot / 2);
        for (size_t i = 0; i < n_head; i++)
            s->kernels.rope[k->rope](s->q + (t * n_head + i) * d, cos, sin, n_rot);
        for (size_t i = 0; i < n_kv; i++)
            s->kernels.rope[k->rope](s->k + (t * n_kv + i) * d, cos, sin, n_rot);
        /* Infinity must be found here: f16 rows saturate, and exp(-infinity) is just 0. */
        if (!trit_all_finite(s->q + t * n_head * d, n_head * d) ||
            !trit_all_finite(s->k + t * n_kv * d, n_kv * d) ||
            !trit_all_finite(s->v + t * n_kv * d, n_kv * d))
            atomic_store(&b->bad, true);
        for (size_t i = 0; i < n_kv; i++) {
            const size_t at = (t * n_kv + i) * d, row = trit_kv_row(kv, b->il, i, pos);
            store(s, kv->k, kv->k_scale, row, s->k + at);
            store(s, kv->v, kv->v_scale, row, s->v + at);
        }
    }
}

/* Consecutive positions share what they read. */
void trit_attention(struct trit_batch *b)
{
    const int32_t *positions = b->s->positions;
    size_t end;

    trit_pool_run(b->s->pool, place_tokens, b, b->n, 1);
    for (size_t row = 0; row < b->n; row = end) {
        for (end = row + 1; end < b->n && positions[end] == positions[end - 1] + 1;)
            end++;
        attend_run(b, row, (size_t)positions[row], end - row);
    }
}
