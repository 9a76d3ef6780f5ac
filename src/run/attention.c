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
#include "session_state.h"

/* Tokens that one worker takes at a time, within one block of positions. */
enum { TILE_TOKENS = TRIT_ATTN_QUERIES };

struct job {
    struct trit_engine *e;
    size_t layer;
    const struct trit_run *run; /* the run, or the first of n_runs */
    size_t n_runs;
    enum trit_hint hint;
};

/* n queries of one KV head that see the same keys, ldq floats apart in e->q and in acc. */
struct queries {
    const struct trit_kv *kv;
    size_t layer, kv_head;
    size_t at, n, ldq; /* at: index of the first query's first element */
    enum trit_hint hint;
};

/* Write one block's contribution to each query, or add it (accumulate). The block has the keys from
 * position key on that are before position end. */
static void one_block(const struct trit_engine *e, float *acc, struct trit_softmax *sm,
                      const struct queries *q, size_t key, size_t end, bool accumulate)
{
    const struct trit_kv *kv = q->kv;
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
    e->kernels.attn_block[kv->format](acc, sm, &shape, e->q + q->at, kv->k + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->k_scale, row),
                                      kv->v + row * kv->row_bytes,
                                      trit_kv_scales(kv, kv->v_scale, row));
}

/* Add the keys from position key, where a block begins, to end-1 to e->att and sm, which hold all
 * earlier keys. With key 0 they are overwritten. */
static void add_keys(const struct trit_engine *e, const struct queries *q, struct trit_softmax *sm,
                     size_t key, size_t end)
{
    for (; key < end; key += TRIT_ATTN_BLOCK)
        one_block(e, e->att + q->at, sm, q, key, end, key > 0);
}

static void normalize(float *out, const struct trit_softmax *sm, size_t d)
{
    const float inverse = 1.0f / sm->sum;
    for (size_t i = 0; i < d; i++)
        out[i] *= inverse;
}

/* All query heads of one KV head, for n_tokens tokens from token t of a run on, all in one block.
 * Keys that all of them see are read once per head for all tokens, those of their own block once
 * per token for all heads. */
static void attend(const struct job *job, const struct trit_run *run, size_t kv_head, size_t t,
                   size_t n_tokens)
{
    const struct trit_engine *e = job->e;
    const struct trit_kv *kv = &run->s->kv;
    const struct trit_knobs *k = &e->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv, pos = run->pos + t;
    const size_t shared = k->causal ? pos / TRIT_ATTN_BLOCK * TRIT_ATTN_BLOCK : run->pos + run->n;

    for (size_t first = 0; first < group; first += TRIT_ATTN_QUERIES) {
        const size_t n_heads =
            group - first < TRIT_ATTN_QUERIES ? group - first : TRIT_ATTN_QUERIES;
        const size_t at = ((run->row + t) * n_head + kv_head * group + first) * d;
        struct trit_softmax sm[TRIT_ATTN_QUERIES][TILE_TOKENS] = {{{0}}};

        for (size_t h = 0; n_tokens > 1 && h < n_heads; h++) {
            const struct queries q = {kv,       job->layer, kv_head,  at + h * d,
                                      n_tokens, n_head * d, job->hint};
            add_keys(e, &q, sm[h], 0, shared);
        }
        for (size_t i = 0; i < n_tokens; i++) {
            const struct queries q = {kv,      job->layer, kv_head,  at + i * n_head * d,
                                      n_heads, d,          job->hint};
            struct trit_softmax of_heads[TRIT_ATTN_QUERIES];
            for (size_t h = 0; h < n_heads; h++)
                of_heads[h] = sm[h][i]; /* still nothing if the token is a single one */
            add_keys(e, &q, of_heads, n_tokens > 1 ? shared : 0, k->causal ? pos + i + 1 : shared);
            for (size_t h = 0; h < n_heads; h++)
                normalize(e->att + q.at + h * d, &of_heads[h], d);
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
    const struct trit_engine *e = job->e;
    const struct trit_knobs *k = &e->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv;
    const bool in_order = atomic_load(&e->merge_progress[kv_head].n_merged) == first;

    for (size_t h = 0; h < group; h += TRIT_ATTN_QUERIES) {
        const size_t head = kv_head * group + h, left = group - h;
        const struct queries q = {&job->run->s->kv,
                                  job->layer,
                                  kv_head,
                                  (job->run->row * n_head + head) * d,
                                  left < TRIT_ATTN_QUERIES ? left : TRIT_ATTN_QUERIES,
                                  d,
                                  job->hint};
        for (size_t i = first; i < first + n; i++) {
            const size_t at = i * n_head + head;
            one_block(e, in_order ? e->att + q.at : e->block_acc + at * d,
                      in_order ? e->head_sm + kv_head * e->ldsm + h : e->block_sm + at, &q,
                      i * TRIT_ATTN_BLOCK, job->run->pos + 1, in_order && i > 0);
        }
    }
    if (in_order)
        atomic_store(&e->merge_progress[kv_head].n_merged, first + n);
}

/* Items are the blocks of the first KV head, then those of the second, and so on. */
static void split_blocks(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const size_t n_blocks = job->run->pos / TRIT_ATTN_BLOCK + 1;
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
    const struct trit_engine *e = job->e;
    const struct trit_knobs *k = &e->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head;
    const size_t group = n_head / (size_t)k->n_head_kv,
                 n_blocks = job->run->pos / TRIT_ATTN_BLOCK + 1;
    (void)worker;

    for (size_t h = begin; h < end; h++) {
        const size_t kv_head = h / group, first = atomic_load(&e->merge_progress[kv_head].n_merged);
        struct trit_softmax sm = e->head_sm[kv_head * e->ldsm + h % group];
        float *out = e->att + (job->run->row * n_head + h) * d;
        if (first < n_blocks)
            e->kernels.attn_merge(out, &sm, e->block_acc + (first * n_head + h) * d,
                                  e->block_sm + first * n_head + h, d, n_blocks - first, n_head);
        normalize(out, &sm, d);
    }
}

static void attend_by_blocks(struct job *job)
{
    const struct trit_engine *e = job->e;
    const size_t n_kv = (size_t)e->model->knobs.n_head_kv, n_head = (size_t)e->model->knobs.n_head;
    const size_t n_blocks = job->run->pos / TRIT_ATTN_BLOCK + 1;

    for (size_t h = 0; h < n_kv; h++)
        atomic_store(&e->merge_progress[h].n_merged, 0);
    trit_pool_run(e->pool, split_blocks, job, n_kv * n_blocks, BLOCKS_AT_ONCE);
    trit_pool_run(e->pool, merge_rest, job, n_head, 1);
}

/* ---- The batch ------------------------------------------------------------------------------- */

static size_t n_tiles(const struct trit_run *run)
{
    return (run->pos + run->n - 1) / TILE_TOKENS - run->pos / TILE_TOKENS + 1;
}

/* Items are pairs of a tile of positions and a KV head, those of the first run first. */
static void attend_items(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const size_t n_kv = (size_t)job->e->model->knobs.n_head_kv;
    size_t r = 0;
    (void)worker;

    for (size_t above = job->n_runs; above - r > 1;) {
        const size_t middle = r + (above - r) / 2;
        *(job->run[middle].first_item <= begin ? &r : &above) = middle;
    }
    for (size_t i = begin; i < end; i++) {
        r += r + 1 < job->n_runs && job->run[r + 1].first_item == i;
        const struct trit_run *run = &job->run[r];
        const size_t item = i - run->first_item, stop = run->pos + run->n;
        const size_t tile = (run->pos / TILE_TOKENS + item / n_kv) * TILE_TOKENS;
        const size_t first = tile > run->pos ? tile : run->pos;
        const size_t last = tile + TILE_TOKENS < stop ? tile + TILE_TOKENS : stop;
        attend(job, run, item % n_kv, first - run->pos, last - first);
    }
}

static void attend_runs(struct job *job, size_t n_items)
{
    if (job->n_runs == 1 && job->run->n == 1 && job->e->n_threads > 1 &&
        job->run->pos / TRIT_ATTN_BLOCK + 1 >= TRIT_SPLIT_BLOCKS)
        attend_by_blocks(job);
    else
        trit_pool_run(job->e->pool, attend_items, job, n_items, 1);
}

/* If a single token has many keys and values, those of each layer are timed until the best hint for
 * them is known. */
static void attend_all(const struct trit_batch *b, size_t n_runs, size_t n_items)
{
    enum { LEAST_BYTES = 1 << 20 };
    struct trit_engine *e = b->e;
    const struct trit_kv *kv = &e->runs->s->kv;
    const size_t n_bytes = 2 * (e->runs->pos + 1) * kv->n_head * kv->row_bytes;
    struct trit_tuned *class = trit_tuner_class(e->tuner, TRIT_WALK_KV, "kv", kv->row_bytes);
    const struct trit_walk *walk = class ? class->walk : trit_walks;
    const bool measures = class && b->n == 1 && e->warm && n_bytes >= LEAST_BYTES &&
                          trit_tuner_next(e->tuner, class, &walk);
    struct job job = {e, b->il, e->runs, n_runs, walk->hint};
    const double start = measures ? e->tuner->now_ms() : 0;

    attend_runs(&job, n_items);
    if (measures)
        trit_tuner_took(e->tuner, class, n_bytes, e->tuner->now_ms() - start);
}

static void store(const struct trit_engine *e, const struct trit_kv *kv, uint8_t *rows,
                  float *scales, size_t row, const float *x)
{
    e->kernels.kv_store[kv->format](rows + row * kv->row_bytes, trit_kv_scales(kv, scales, row), x,
                                    kv->head_dim);
}

/* Norm each of n heads of d elements, if the model does, and rotate it. */
static void place_heads(const struct trit_batch *b, float *x, const struct trit_norm *norm,
                        size_t n, size_t pos)
{
    const struct trit_engine *e = b->e;
    const struct trit_knobs *k = &e->model->knobs;
    const size_t d = (size_t)k->head_dim, n_rot = (size_t)k->n_rot, at = pos * (n_rot / 2);

    for (size_t i = 0; i < n; i++, x += d) {
        if (norm->w)
            trit_norm_row(e, x, x, norm, k->norm, k->norm_eps, d);
        e->kernels.rope[k->rope](x, e->rope_cos + at, e->rope_sin + at, n_rot);
    }
}

/* Rotate the queries and keys of each token to its position, and store keys and values. */
static void place_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    struct trit_batch *b = ctx;
    const struct trit_engine *e = b->e;
    const struct trit_knobs *k = &e->model->knobs;
    const size_t d = (size_t)k->head_dim, n_head = (size_t)k->n_head, n_kv = (size_t)k->n_head_kv;
    (void)worker;

    for (size_t t = begin; t < end; t++) {
        const struct trit_kv *kv = &e->rows[t].s->kv;
        const size_t pos = (size_t)e->rows[t].pos;
        place_heads(b, e->q + t * n_head * d, &b->layer->attn_q_norm, n_head, pos);
        place_heads(b, e->k + t * n_kv * d, &b->layer->attn_k_norm, n_kv, pos);
        /* Infinity must be found here: f16 rows saturate, and exp(-infinity) is just 0. */
        if (!trit_all_finite(e->q + t * n_head * d, n_head * d) ||
            !trit_all_finite(e->k + t * n_kv * d, n_kv * d) ||
            !trit_all_finite(e->v + t * n_kv * d, n_kv * d))
            trit_bad_row(b, t);
        for (size_t i = 0; i < n_kv; i++) {
            const size_t at = (t * n_kv + i) * d, row = trit_kv_row(kv, b->il, i, pos);
            store(e, kv, kv->k, kv->k_scale, row, e->k + at);
            store(e, kv, kv->v, kv->v_scale, row, e->v + at);
        }
    }
}

void trit_attention(struct trit_batch *b)
{
    struct trit_engine *e = b->e;
    const struct trit_row *rows = e->rows;
    const size_t n_kv = (size_t)e->model->knobs.n_head_kv;
    size_t n_runs = 0, n_items = 0, end;

    trit_pool_run(e->pool, place_tokens, b, b->n, 1);
    for (size_t row = 0; row < b->n; row = end) {
        struct trit_run *run = &e->runs[n_runs++];
        for (end = row + 1;
             end < b->n && rows[end].s == rows[row].s && rows[end].pos == rows[end - 1].pos + 1;)
            end++;
        *run = (struct trit_run){rows[row].s, row, (size_t)rows[row].pos, end - row, n_items};
        n_items += n_tiles(run) * n_kv;
    }
    attend_all(b, n_runs, n_items);
}
