/* forward.c - one decoder block and the stack; the same code for one token and for many.
 *
 *   x = norm(h) quantised          one int8 row per token, shared by q, k and v unless each has
 *                                  a norm of its own on its input
 *   q, k, v = W x; rope; k, v into the cache; attention
 *   h += W_o quantised(sub_norm(attention))
 *   x = norm(h) quantised
 *   h += W_down quantised(sub_norm(act(W_gate x) * W_up x))
 *
 * (2B-4T: transformers' modeling_bitnet; without sub-norms: the Llama block.) In blocks of form
 * post (bitskip's public code) the norms follow the sums instead, h = norm(h + ...); an FFN without
 * a gate is W_down act(W_up x). Each step is a loop over tokens or over rows of weights that the
 * pool shares out; every element of every result is computed whole by one worker, in an order that
 * does not depend on the split. A lone token's x is made by the caller, as what the loop over the
 * rows that take it does first. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "checked.h"
#include "half.h"
#include "session.h"
#include "stream.h"

/* What the steps of one batch have in common. */
struct batch {
    struct trit_session *s;
    size_t n; /* tokens */
    size_t il;
    const struct trit_layer *layer;
    _Atomic bool bad; /* a value was not finite */
};

/* On bits, which compilers vectorise. */
static bool all_finite(const float *x, size_t n)
{
    uint32_t top = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t a = trit_f32_bits(x[i]) & 0x7fffffffu;
        top = a > top ? a : top;
    }
    return top < 0x7f800000u;
}

/* ---- Activation rows ------------------------------------------------------------------------- */

static bool norm_row(const struct trit_session *s, float *y, const float *x,
                     const struct trit_norm *norm, enum trit_norm_kind kind, float eps, size_t n)
{
    return kind == TRIT_NORM_LAYER ? s->kernels.layernorm(y, x, norm->w, norm->b, n, eps)
                                   : s->kernels.rmsnorm(y, x, norm->w, n, eps);
}

/* In place. */
static void hadamard(const struct trit_session *s, float *x, size_t n)
{
    s->kernels.fwht(x, n);
    if (!s->model->knobs.hadamard_norm)
        return;
    const float root = sqrtf((float)n);
    for (size_t i = 0; i < n; i++)
        x[i] /= root;
}

/* Numbers to the base 255, of digits -127..127, which are what t2_gemm takes: two of them reach
 * 127 * 256, three more than 127 * TRIT_MAX_HADAMARD. Sums of a digit over a row are whole numbers
 * that floats hold, too. 1: activations are plain. */
#define DIGIT_BASE 255.0f
#define ROUND 0x1.8p23f /* added and taken away again, it leaves the nearest whole number */

static size_t digits_of(const struct trit_knobs *k, size_t n_in)
{
    return k->hadamard != TRIT_HADAMARD_AFTER       ? 1
           : (size_t)k->act_max * n_in <= 127 * 256 ? 2
                                                    : TRIT_MAX_DIGITS;
}

/* q: [n] of quantised activations -> [digits, padded], the digits of their transform, lowest first.
 * x: scratch of n. */
static void transform_quantised(const struct trit_session *s, int8_t *q, struct trit_q8 *scales,
                                size_t digits, float *x, size_t n, size_t padded)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)q[i];
    s->kernels.fwht(x, n);
    for (size_t d = 0; d < digits; d++, q += padded) {
        int32_t sum = 0;
        for (size_t i = 0; i < n; i++) {
            /* never half-way, and exact below 127 * TRIT_MAX_HADAMARD: the base is odd */
            const float rest = (x[i] / DIGIT_BASE + ROUND) - ROUND;
            const int32_t digit = (int32_t)(x[i] - DIGIT_BASE * rest);
            q[i] = (int8_t)digit;
            x[i] = rest;
            sum += digit;
        }
        memset(q + n, 0, padded - n);
        scales[d] = (struct trit_q8){1.0f, sum};
    }
}

/* One row to what t2_rows() multiplies. x: [n], scratch. */
static bool quantize_row(struct trit_session *s, size_t t, const float *row, float *x, size_t n)
{
    const struct trit_knobs *k = &s->model->knobs;
    const size_t padded = trit_round_up(n, TRIT_T2_BLOCK), digits = digits_of(k, n);
    int8_t *q = s->xq + t * digits * padded;
    struct trit_q8 scale;

    if (k->hadamard == TRIT_HADAMARD_BEFORE) {
        memmove(x, row, n * sizeof *x);
        hadamard(s, x, n);
        row = x;
    }
    const bool finite =
        s->kernels.quantize_row[k->act_form](q, &scale, row, n, padded, k->act_eps, k->act_max);
    if (k->act_dequant == TRIT_ACT_DEQUANT_LEGACY_DIV)
        scale.s = k->act_max / scale.s;
    s->xq_scale[t * digits] = scale;
    if (digits > 1) {
        s->digit_scale[t] = k->hadamard_norm ? scale.s * sqrtf((float)n) : scale.s;
        transform_quantised(s, q, s->xq_scale + t * digits, digits, x, n, padded);
    }
    return finite;
}

/* rows: [n tokens, width] -> joined with up by the activation (unless NULL) -> norm (unless NULL)
 * -> the linear's own norm (where it has one) -> s->xq, s->xq_scale: one pass per token. */
struct quantize_job {
    struct batch *b;
    const struct trit_linear *w;
    const float *rows, *up;
    size_t ldup; /* 0: the same row of up for all */
    const struct trit_norm *norm;
    enum trit_norm_kind kind;
};

static void quantize_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    const struct quantize_job *job = ctx;
    struct trit_session *s = job->b->s;
    const struct trit_knobs *k = &s->model->knobs;
    const enum trit_norm_kind own =
        k->linear_norm == TRIT_LINEAR_NORM_LAYER ? TRIT_NORM_LAYER : TRIT_NORM_RMS;
    const size_t width = job->w->n_in;
    float *scratch = s->norm_row + (size_t)worker * s->widest;

    for (size_t t = begin; t < end; t++) {
        const float *row = job->rows + t * width;
        bool finite = true;
        if (job->up) {
            s->kernels.glu[k->ffn_act](scratch, row, job->up + t * job->ldup, width);
            row = scratch;
        }
        if (job->norm) {
            finite = norm_row(s, scratch, row, job->norm, job->kind, k->norm_eps, width);
            row = scratch;
        }
        if (job->w->norm.w) {
            finite &= norm_row(s, scratch, row, &job->w->norm, own, k->linear_norm_eps, width);
            row = scratch;
        }
        finite &= quantize_row(s, t, row, scratch, width);
        if (!finite)
            atomic_store(&job->b->bad, true);
    }
}

/* The FFN's middle: act(gate) * up, or act(up), which is act(up) * 1. */
static struct quantize_job middle_of(struct batch *b)
{
    const struct trit_session *s = b->s;
    const struct trit_knobs *k = &s->model->knobs;
    const bool gated = k->ffn == TRIT_FFN_GATED;

    return (struct quantize_job){.b = b,
                                 .w = &b->layer->ffn_down,
                                 .rows = gated ? s->gate : s->up,
                                 .up = gated ? s->up : s->ones,
                                 .ldup = gated ? (size_t)k->n_ff : 0,
                                 .norm = k->ffn_sub_norm ? &b->layer->ffn_sub_norm : NULL,
                                 .kind = k->norm};
}

/* ---- Linears --------------------------------------------------------------------------------- */

/* Rows of weights that a worker takes at a time: enough to be worth the taking, few enough that the
 * last piece does not keep the others waiting. Many tokens make each row long work. */
static size_t row_chunk(size_t row_bytes, size_t n_tokens)
{
    enum { ONE_TOKEN_BYTES = 64 << 10, MANY_TOKENS_ROWS = 48 };
    const size_t n = ONE_TOKEN_BYTES / row_bytes / 16 * 16;
    return n < MANY_TOKENS_ROWS || n_tokens > 1 ? MANY_TOKENS_ROWS : n;
}

/* The same for a lone token whose rows are read by a walk. Streams that are far apart should be
 * long, but a chunk is at most an eighth of a worker's rows. */
static size_t walk_chunk(const struct trit_session *s, size_t n_rows, size_t row_bytes,
                         const struct trit_walk *walk)
{
    enum { APART_BYTES = 1 << 20, SHARES = 8 };
    const size_t most = n_rows / (SHARES * (size_t)s->n_threads), n = APART_BYTES / row_bytes;
    const size_t least = row_chunk(row_bytes, 1);

    if (walk->order != TRIT_ORDER_APART || most < least)
        return least;
    return n < least ? least : (n < most ? n : most) / 16 * 16;
}

/* Rows that fn takes from a loop's item `first` on by `walk`, both of which it reads in ctx; and
 * what is to be done before, or NULL, and meanwhile: see trit_pool_run_after(). */
struct streamed {
    size_t first;
    const struct trit_walk *walk;
    void (*before)(void *ctx);
    bool (*ahead)(void *ctx, size_t item, size_t step);
};

/* A loop over n rows of weights for a lone token. While the best walk of their class is not known,
 * it runs in pieces, and each piece is timed. */
static void stream_rows(struct trit_session *s, struct trit_tuned *class, trit_task_fn fn,
                        void *ctx, struct streamed *at, size_t n, size_t row_bytes)
{
    enum { MOST_THREADS = 4 }; /* whose pieces a loop of the smaller models still has */
    const size_t n_threads = (size_t)(s->n_threads < MOST_THREADS ? s->n_threads : MOST_THREADS);
    const size_t piece = trit_round_up(n_threads * s->tuner->piece_bytes / row_bytes + 1, 16);

    at->walk = class ? class->walk : trit_walks;
    while (class && s->warm && 2 * (n - at->first) >= piece &&
           trit_tuner_next(s->tuner, class, &at->walk)) {
        const size_t n_rows = n - at->first < piece ? n - at->first : piece;
        const size_t chunk = walk_chunk(s, n, row_bytes, at->walk), all = (size_t)s->n_threads;
        const size_t each = trit_round_up((n_rows + all - 1) / all, 16);
        if (at->before)
            at->before(ctx);
        at->before = NULL;
        const double start = s->tuner->now_ms();
        trit_pool_run(s->pool, fn, ctx, n_rows, chunk < each ? chunk : each);
        trit_tuner_took(s->tuner, class, n_rows * row_bytes, s->tuner->now_ms() - start);
        at->first += n_rows;
        at->walk = class->walk;
    }
    trit_pool_run_after(s->pool, at->before, at->ahead, fn, ctx, n - at->first,
                        walk_chunk(s, n, row_bytes, at->walk));
}

/* Linears that read the same activations. Items are, for the first block of tokens, the rows of the
 * first linear, then of the second, and so on; then the same for the next block: so a worker's own
 * items are of few tokens, and it does not share the lines that it writes. */
struct linears_job {
    struct batch *b;
    size_t n;
    struct {
        const struct trit_linear *w;
        float *y; /* [n tokens, w->n_out] */
    } parts[3];
    float *sum;              /* NULL, or what y is added to; of a single part */
    struct quantize_job *in; /* what makes the activations; set by run_linears(), as the rest */
    size_t n_rows;           /* of all parts */
    struct streamed at;
};

/* A stretch of an output row: its last step, and the sum that it goes into (or NULL). */
static void finish_outputs(const struct trit_session *s, float *y, float *sum, size_t n)
{
    if (s->model->knobs.linear_post == TRIT_LINEAR_POST_RELU2)
        for (size_t i = 0; i < n; i++) {
            const float r = 0.0f > y[i] ? 0.0f : y[i]; /* this way round a NaN stays */
            y[i] = r * r;
        }
    for (size_t i = 0; sum && i < n; i++)
        sum[i] += y[i];
}

/* The same product of activations that have digits: each is a token to t2_gemm, and the sums are
 * put together as whole numbers, exactly. */
static void digit_rows(const struct trit_session *s, float *y, const struct trit_linear *w,
                       size_t t, size_t n_t, size_t begin, size_t end, size_t digits, int worker)
{
    float *sums = s->digit_sums + (size_t)worker * TRIT_DIGIT_SUMS;

    for (size_t n; begin < end; begin += n, y += n) {
        n = end - begin < TRIT_DIGIT_ROWS ? end - begin : TRIT_DIGIT_ROWS;
        s->kernels.t2_gemm(sums, n, w->t2 + begin * (w->n_cols / 4), s->xq + t * digits * w->n_cols,
                           s->xq_scale + t * digits, 1.0f, n, w->n_cols, n_t * digits, trit_walks);
        for (size_t k = 0; k < n_t; k++) {
            const float scale = w->scale / s->digit_scale[t + k];
            const float *of_token = sums + k * digits * n;
            for (size_t r = 0; r < n; r++) {
                int64_t sum = 0;
                for (size_t d = digits; d-- > 0;)
                    sum = sum * (int64_t)DIGIT_BASE + (int64_t)of_token[d * n + r];
                y[k * w->n_out + r] = (float)sum * scale;
            }
        }
    }
}

/* Rows begin..end-1 of part i for n_t tokens from token t on. */
static void part_rows(const struct linears_job *job, size_t i, size_t t, size_t n_t, size_t begin,
                      size_t end, int worker)
{
    const struct trit_session *s = job->b->s;
    const struct trit_knobs *knobs = &s->model->knobs;
    const struct trit_linear *w = job->parts[i].w;
    const size_t digits = digits_of(knobs, w->n_in), at = t * w->n_out + begin;
    float *y = job->parts[i].y + at;

    if (digits > 1)
        digit_rows(s, y, w, t, n_t, begin, end, digits, worker);
    else
        s->kernels.t2_gemm(y, w->n_out, w->t2 + begin * (w->n_cols / 4), s->xq + t * w->n_cols,
                           s->xq_scale + t, w->scale, end - begin, w->n_cols, n_t, job->at.walk);
    for (size_t k = 0; k < n_t && !knobs->hadamard_output; k++)
        finish_outputs(s, y + k * w->n_out, job->sum ? job->sum + at + k * w->n_out : NULL,
                       end - begin);
}

/* Whole output rows of tokens, where they are transformed. */
static void transform_outputs(void *ctx, size_t begin, size_t end, int worker)
{
    const struct linears_job *job = ctx;
    (void)worker;

    for (size_t t = begin; t < end; t++)
        for (size_t i = 0; i < job->n; i++) {
            const size_t n_out = job->parts[i].w->n_out;
            float *y = job->parts[i].y + t * n_out;
            hadamard(job->b->s, y, n_out);
            finish_outputs(job->b->s, y, job->sum ? job->sum + t * n_out : NULL, n_out);
        }
}

static void linears_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const struct linears_job *job = ctx;

    begin += job->at.first, end += job->at.first;
    while (begin < end) {
        const size_t block = begin / job->n_rows, from = begin % job->n_rows;
        const size_t n = end - begin < job->n_rows - from ? end - begin : job->n_rows - from;
        const size_t t = block * TRIT_TOKEN_BLOCK, left = job->b->n - t;
        size_t first = 0;
        for (size_t i = 0; i < job->n; first += job->parts[i++].w->n_out) {
            const size_t n_out = job->parts[i].w->n_out;
            const size_t lo = from > first ? from - first : 0;
            const size_t hi = from + n < first           ? 0
                              : from + n - first < n_out ? from + n - first
                                                         : n_out;
            if (lo < hi)
                part_rows(job, i, t, left < TRIT_TOKEN_BLOCK ? left : TRIT_TOKEN_BLOCK, lo, hi,
                          worker);
        }
        begin += n;
    }
}

/* Two things are slow to come, so they are asked for before the work: the norm's weights, which lie
 * in memory, and the lines of xq, which the other workers' cores hold. A store fetches a line. */
static void quantize_lone(void *ctx)
{
    const struct linears_job *job = ctx;
    const struct trit_linear *w = job->in->w;
    const struct trit_norm *norm = job->in->norm;
    int8_t *xq = job->b->s->xq;

    if (norm && norm->w)
        trit_stream_ask((const uint8_t *)norm->w, w->n_in * sizeof *norm->w, TRIT_HINT_T1);
    for (size_t i = 0; i < w->n_cols; i += TRIT_LINE_BYTES)
        xq[i] = 0;
    quantize_tokens(job->in, 0, 1, 0);
}

/* Read the first of a worker's rows, from an item on, into its second-level cache: the memory would
 * be idle while the lone token's activations are made. */
static bool read_ahead(void *ctx, size_t item, size_t step)
{
    enum { STEP_BYTES = 4 << 10, MOST_BYTES = 256 << 10 };
    const struct linears_job *job = ctx;
    const struct trit_session *s = job->b->s;
    size_t i = 0;

    for (; item >= job->parts[i].w->n_out; i++)
        item -= job->parts[i].w->n_out;
    const struct trit_linear *w = job->parts[i].w;
    const size_t row_bytes = w->n_cols / 4, begin = item * row_bytes + step * STEP_BYTES;
    const size_t end = (step + 1) * STEP_BYTES; /* of what has been read then */
    if (end > MOST_BYTES || end > job->n_rows / (size_t)s->n_threads * row_bytes ||
        begin + STEP_BYTES > w->n_out * row_bytes)
        return false;
    s->kernels.probe_read(w->t2 + begin, STEP_BYTES, TRIT_HINT_NONE);
    return true;
}

/* Make the activations, and multiply. */
static void run_linears(struct linears_job *job, struct quantize_job *in)
{
    struct batch *b = job->b;
    const size_t n_blocks = (b->n + TRIT_TOKEN_BLOCK - 1) / TRIT_TOKEN_BLOCK;
    const size_t row_bytes = job->parts[0].w->n_cols / 4;

    job->in = in;
    for (size_t i = 0; i < job->n; i++)
        job->n_rows += job->parts[i].w->n_out;
    if (b->n == 1 && digits_of(&b->s->model->knobs, job->parts[0].w->n_in) == 1) {
        job->at = (struct streamed){.before = quantize_lone, .ahead = read_ahead};
        stream_rows(b->s, trit_tuner_class(b->s->tuner, TRIT_WALK_T2, "t2", row_bytes),
                    linears_rows, job, &job->at, job->n_rows, row_bytes);
    } else {
        job->at.walk = trit_walks;
        trit_pool_run(b->s->pool, quantize_tokens, in, b->n, 1);
        trit_pool_run(b->s->pool, linears_rows, job, n_blocks * job->n_rows,
                      row_chunk(row_bytes, b->n));
    }
    if (b->s->model->knobs.hadamard_output)
        trit_pool_run(b->s->pool, transform_outputs, job, b->n, 1);
}

/* The parts of job, linears of h or of norm(h): of the same activations, or of their own. */
static void run_normed(const struct linears_job *job, const struct trit_norm *norm,
                       enum trit_norm_kind kind)
{
    struct batch *b = job->b;
    const size_t n_at_once = job->parts[0].w->norm.w ? 1 : job->n;

    for (size_t i = 0; i < job->n; i += n_at_once) {
        struct linears_job part = {.b = b, .n = n_at_once};
        struct quantize_job in = {
            .b = b, .w = job->parts[i].w, .rows = b->s->h, .norm = norm, .kind = kind};
        memcpy(part.parts, job->parts + i, n_at_once * sizeof *part.parts);
        run_linears(&part, &in);
    }
}

/* h += what the linear of in makes of its activations */
static void add_residual(struct quantize_job *in)
{
    struct batch *b = in->b;
    struct linears_job job = {.b = b, .n = 1, .parts = {{in->w, b->s->proj}}, .sum = b->s->h};
    run_linears(&job, in);
}

/* ---- Attention ------------------------------------------------------------------------------- */

static void store(const struct trit_session *s, uint8_t *rows, float *scales, size_t row,
                  const float *x)
{
    const struct trit_kv *kv = &s->kv;
    s->kernels.kv_store[kv->format](rows + row * kv->row_bytes, trit_kv_scales(kv, scales, row), x,
                                    kv->head_dim);
}

/* Turn the queries and keys of each token to its position, and put keys and values in the cache. */
static void place_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    struct batch *b = ctx;
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
        /* Infinity must be seen here: f16 rows saturate, and exp(-infinity) is just small. */
        if (!all_finite(s->q + t * n_head * d, n_head * d) ||
            !all_finite(s->k + t * n_kv * d, n_kv * d) ||
            !all_finite(s->v + t * n_kv * d, n_kv * d))
            atomic_store(&b->bad, true);
        for (size_t i = 0; i < n_kv; i++) {
            const size_t at = (t * n_kv + i) * d, row = trit_kv_row(kv, b->il, i, pos);
            store(s, kv->k, kv->k_scale, row, s->k + at);
            store(s, kv->v, kv->v_scale, row, s->v + at);
        }
    }
}

/* Positions that follow each other share what they read. */
static void attend(const struct batch *b)
{
    const int32_t *positions = b->s->positions;
    size_t end;

    for (size_t row = 0; row < b->n; row = end) {
        for (end = row + 1; end < b->n && positions[end] == positions[end - 1] + 1;)
            end++;
        trit_attention(b->s, b->il, row, (size_t)positions[row], end - row);
    }
}

/* ---- The stack ------------------------------------------------------------------------------- */

struct norm_job {
    struct batch *b;
    const struct trit_norm *norm;
};

static void norm_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    const struct norm_job *job = ctx;
    const struct trit_session *s = job->b->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t width = (size_t)k->n_embd;
    (void)worker;

    for (size_t t = begin; t < end; t++) {
        float *row = s->h + t * width;
        if (!norm_row(s, row, row, job->norm, k->norm, k->norm_eps, width))
            atomic_store(&job->b->bad, true);
    }
}

/* h = norm(h), where the block's form is post. */
static void norm_after(struct batch *b, const struct trit_norm *norm)
{
    struct norm_job job = {b, norm};

    if (b->s->model->knobs.block == TRIT_BLOCK_POST)
        trit_pool_run(b->s->pool, norm_tokens, &job, b->n, 1);
}

static void block(struct batch *b)
{
    static const struct trit_norm no_weights = {NULL, NULL};
    struct trit_session *s = b->s;
    const struct trit_layer *l = b->layer;
    const struct trit_knobs *k = &s->model->knobs;
    const bool pre = k->block == TRIT_BLOCK_PRE;
    const struct linears_job qkv = {
        .b = b, .n = 3, .parts = {{&l->attn_q, s->q}, {&l->attn_k, s->k}, {&l->attn_v, s->v}}};
    const struct linears_job gated = {
        .b = b, .n = 2, .parts = {{&l->ffn_gate, s->gate}, {&l->ffn_up, s->up}}};
    const struct linears_job plain = {.b = b, .n = 1, .parts = {{&l->ffn_up, s->up}}};
    struct quantize_job attended = {.b = b,
                                    .w = &l->attn_output,
                                    .rows = s->att,
                                    .norm = k->attn_sub_norm ? &l->attn_sub_norm : NULL,
                                    .kind = k->norm};
    struct quantize_job middle = middle_of(b);

    if (pre)
        run_normed(&qkv, &l->attn_norm, k->norm);
    else
        run_normed(&qkv, k->attn_in_norm ? &no_weights : NULL, TRIT_NORM_LAYER);
    trit_pool_run(s->pool, place_tokens, b, b->n, 1);
    attend(b);
    add_residual(&attended);
    norm_after(b, &l->attn_norm_post);

    run_normed(k->ffn == TRIT_FFN_GATED ? &gated : &plain, pre ? &l->ffn_norm : NULL, k->norm);
    add_residual(&middle);
    norm_after(b, &l->ffn_norm_post);
}

static void decode_row(const struct trit_session *s, float *y, const struct trit_matrix *m,
                       int32_t row)
{
    s->kernels.decode[m->format](y, m->data + (size_t)row * m->row_bytes, m->n_cols);
}

void trit_embed(struct trit_session *s, const int32_t *tokens, size_t n)
{
    const size_t width = s->model->token_embd.n_cols;

    for (size_t t = 0; t < n; t++) {
        float *h = s->h + t * width;
        decode_row(s, h, &s->model->token_embd, tokens[t]);
        if (!s->model->knobs.learned_positions)
            continue;
        decode_row(s, s->norm_row, &s->model->position_embd, s->positions[t]);
        for (size_t i = 0; i < width; i++)
            h[i] += s->norm_row[i];
    }
}

trit_status trit_forward_layers(struct trit_session *s, size_t n, int32_t begin, int32_t end,
                                struct trit_error *err)
{
    const int32_t n_layer = s->model->knobs.n_layer;
    struct batch b = {.s = s, .n = n};

    assert(n <= (size_t)s->n_batch);
    for (int32_t il = begin; il < end; il++) {
        b.il = (size_t)il;
        b.layer = &s->model->layers[il];
        if (s->skip[il])
            continue;
        block(&b);
        if (atomic_load(&b.bad))
            return trit_fail(err, TRIT_E_FAILED,
                             "the model produced a non-finite value in layer %d", il);
        if (s->progress && s->eval_n > 1)
            s->progress(s->progress_user,
                        (s->eval_done + (double)n * (il + 1) / n_layer) / s->eval_n);
        if (s->cancel && s->cancel(s->cancel_user))
            return trit_fail(err, TRIT_E_CANCELLED, "stopped");
    }
    return TRIT_OK;
}

/* ---- The head -------------------------------------------------------------------------------- */

struct head_job {
    struct trit_session *s;
    size_t n;
    struct streamed at;
    _Atomic bool bad;
};

static void head_rows(void *ctx, size_t begin, size_t end, int worker)
{
    struct head_job *job = ctx;
    const struct trit_session *s = job->s;
    const struct trit_matrix *w = &s->model->output;
    (void)worker;

    begin += job->at.first, end += job->at.first;
    s->kernels.gemm[w->format](s->logits + begin, w->n_rows, w->data + begin * w->row_bytes,
                               s->head_in, w->n_cols, end - begin, w->n_cols, job->n, job->at.walk);
    for (size_t t = 0; t < job->n; t++)
        if (!all_finite(s->logits + t * w->n_rows + begin, end - begin))
            atomic_store(&job->bad, true);
}

bool trit_forward_head(struct trit_session *s, size_t first, size_t n)
{
    const struct trit_model *m = s->model;
    const size_t width = m->output.n_cols;
    struct head_job job = {.s = s, .n = n, .at = {.walk = trit_walks}};
    bool finite = true;

    assert(n <= TRIT_HEAD_TOKENS);
    const bool normed = m->knobs.exit_norm || s->last_depth == m->knobs.n_layer;
    for (size_t t = 0; t < n; t++) {
        const float *row = s->h + (first + t) * width;
        finite &= norm_row(s, s->head_in + t * width, row, &m->output_norm, m->knobs.norm,
                           m->knobs.norm_eps, width);
        if (!normed) /* but it has told whether the row is finite */
            memcpy(s->head_in + t * width, row, width * sizeof *row);
    }
    const char *type = trit_format_name(m->output.format);
    const size_t row_bytes = m->output.row_bytes;
    if (finite && n == 1)
        stream_rows(s, trit_tuner_class(s->tuner, TRIT_WALK_FLOAT, type, row_bytes), head_rows,
                    &job, &job.at, m->output.n_rows, row_bytes);
    else if (finite)
        trit_pool_run(s->pool, head_rows, &job, m->output.n_rows, row_chunk(row_bytes, n));
    return finite && !atomic_load(&job.bad);
}
