/* linear.c - see linear.h.
 *
 *   q = round(x * 127 / max|x|)             int8, per token (BitNet b1.58, arXiv 2402.17764)
 *   y = scale * (T q) * max|x| / 127        T in {-1, 0, 1}, exact sums
 *
 * Each step is a loop over tokens or over rows of weights that the pool shares out. One worker
 * computes an element of a result from beginning to end, in an order that does not depend on the
 * split. With a single token the caller quantizes it as the first part of the loop over rows. */
#include "linear.h"

#include <math.h>
#include <string.h>

#include "checked.h"
#include "half.h"
#include "prefetch.h"

/* On bits, which compilers vectorise. */
bool trit_all_finite(const float *x, size_t n)
{
    uint32_t top = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t a = trit_f32_bits(x[i]) & 0x7fffffffu;
        top = a > top ? a : top;
    }
    return top < 0x7f800000u;
}

/* Rows of weights read by a walk, for a single token. */
struct streamed {
    size_t first;                 /* the row that item 0 of the loop is */
    const struct trit_walk *walk; /* of t2_gemm or gemm */
    void (*before)(void *ctx);    /* or NULL; both as of trit_pool_run_after() */
    bool (*ahead)(void *ctx, size_t item, size_t step);
};

/* Linears that read the same activations. Items are the rows of the first linear for the first
 * block of tokens, then of the second linear, and so on, then the same for the next block. So a
 * worker's own items are of few tokens, and it does not share the lines that it writes. */
struct job {
    struct trit_batch *b;
    const struct trit_activations *x;
    const struct trit_product *products;
    size_t n;
    float *sum;    /* NULL, or what y is added to; of a single product */
    size_t n_rows; /* of all products */
    struct streamed at;
};

/* ---- Norms ----------------------------------------------------------------------------------- */

bool trit_norm_row(const struct trit_engine *e, float *y, const float *x,
                   const struct trit_norm *norm, enum trit_norm_kind kind, float eps, size_t n)
{
    return kind == TRIT_NORM_LAYER ? e->kernels.layernorm(y, x, norm->w, norm->b, n, eps)
                                   : e->kernels.rmsnorm(y, x, norm->w, n, eps);
}

struct norm_job {
    struct trit_batch *b;
    const struct trit_norm *norm;
};

static void norm_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    const struct norm_job *job = ctx;
    const struct trit_engine *e = job->b->e;
    const struct trit_knobs *k = &e->model->knobs;
    const size_t width = (size_t)k->n_embd;
    (void)worker;

    for (size_t t = begin; t < end; t++) {
        float *row = e->h + t * width;
        if (!trit_norm_row(e, row, row, job->norm, k->norm, k->norm_eps, width))
            trit_bad_row(job->b, t);
    }
}

void trit_norm_residual(struct trit_batch *b, const struct trit_norm *norm)
{
    struct norm_job job = {b, norm};
    trit_pool_run(b->e->pool, norm_tokens, &job, b->n, 1);
}

/* ---- Activations ----------------------------------------------------------------------------- */

/* In place. */
static void hadamard(const struct trit_engine *e, float *x, size_t n)
{
    e->kernels.fwht(x, n);
    if (!e->model->knobs.hadamard_norm)
        return;
    const float root = sqrtf((float)n);
    for (size_t i = 0; i < n; i++)
        x[i] /= root;
}

/* A transformed activation no longer fits int8, so it is split into base-255 digits (-127..127) and
 * t2_gemm runs once per digit. Two digits hold 127 * 256, three more than 127 * TRIT_MAX_HADAMARD.
 * Floats hold a digit's sums over a row exactly, too. 1: activations are plain. */
#define DIGIT_BASE 255.0f
#define ROUND 0x1.8p23f /* adding and subtracting it rounds to the nearest whole number */

static size_t digits_of(const struct trit_knobs *k, size_t n_in)
{
    return k->hadamard != TRIT_HADAMARD_AFTER       ? 1
           : (size_t)k->act_max * n_in <= 127 * 256 ? 2
                                                    : TRIT_MAX_DIGITS;
}

/* q: [n] of quantized activations -> [digits, padded], the digits of their transform, lowest first.
 * x: scratch of n. */
static void transform_quantized(const struct trit_engine *e, int8_t *q, struct trit_q8 *scales,
                                size_t digits, float *x, size_t n, size_t padded)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)q[i];
    e->kernels.fwht(x, n);
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

/* One row to what t2_gemm multiplies. x: [n], scratch. */
static bool quantize_row(struct trit_engine *e, size_t t, const float *row, float *x, size_t n)
{
    const struct trit_knobs *k = &e->model->knobs;
    const size_t padded = trit_round_up(n, TRIT_T2_BLOCK), digits = digits_of(k, n);
    int8_t *q = e->xq + t * digits * padded;
    struct trit_q8 scale;

    if (k->hadamard == TRIT_HADAMARD_BEFORE) {
        memmove(x, row, n * sizeof *x);
        hadamard(e, x, n);
        row = x;
    }
    const bool finite =
        e->kernels.quantize_row[k->act_form](q, &scale, row, n, padded, k->act_eps, k->act_max);
    if (k->act_dequant == TRIT_ACT_DEQUANT_LEGACY_DIV)
        scale.s = k->act_max / scale.s;
    e->xq_scale[t * digits] = scale;
    if (digits > 1) {
        e->digit_scale[t] = k->hadamard_norm ? scale.s * sqrtf((float)n) : scale.s;
        transform_quantized(e, q, e->xq_scale + t * digits, digits, x, n, padded);
    }
    return finite;
}

bool trit_round_row(struct trit_engine *e, float *x, float scale, size_t n)
{
    const struct trit_knobs *k = &e->model->knobs;
    struct trit_q8 q;
    const bool finite = e->kernels.quantize_row[k->act_form](
        e->xq, &q, x, n, trit_round_up(n, TRIT_T2_BLOCK), k->act_eps, k->act_max);

    scale /= q.s;
    for (size_t i = 0; i < n; i++)
        x[i] = (float)e->xq[i] * scale;
    return finite;
}

/* What a linear reads of token t: activation, norm and the linear's own norm. scratch: memory for
 * it, which is not used if there are none of these. *finite becomes false if a value is not. */
static const float *input_row(const struct job *job, size_t t, float *scratch, bool *finite)
{
    const struct trit_activations *x = job->x;
    const struct trit_linear *w = job->products[0].w;
    const struct trit_engine *e = job->b->e;
    const struct trit_knobs *k = &e->model->knobs;
    const enum trit_norm_kind input_norm =
        k->linear_norm == TRIT_LINEAR_NORM_LAYER ? TRIT_NORM_LAYER : TRIT_NORM_RMS;
    const float *row = x->rows + t * w->n_in;

    if (x->up) {
        e->kernels.glu[k->ffn_act](scratch, row, x->up + t * x->ldup, w->n_in);
        row = scratch;
    }
    if (x->norm) {
        *finite &= trit_norm_row(e, scratch, row, x->norm, x->kind, k->norm_eps, w->n_in);
        row = scratch;
    }
    if (w->norm.w) {
        *finite &=
            trit_norm_row(e, scratch, row, &w->norm, input_norm, k->linear_norm_eps, w->n_in);
        row = scratch;
    }
    return row;
}

/* The input and its quantization, in one pass per token: rows to e->xq, e->xq_scale. */
static void quantize_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    struct trit_engine *e = job->b->e;
    float *scratch = e->norm_row + (size_t)worker * e->widest;

    for (size_t t = begin; t < end; t++) {
        bool finite = true;
        const float *row = input_row(job, t, scratch, &finite);
        finite &= quantize_row(e, t, row, scratch, job->products[0].w->n_in);
        if (!finite)
            trit_bad_row(job->b, t);
    }
}

/* The input of a linear of floats: rows to e->xf. */
static void gather_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    const struct trit_engine *e = job->b->e;
    const size_t n = job->products[0].w->n_in;
    (void)worker;

    for (size_t t = begin; t < end; t++) {
        bool finite = true;
        float *x = e->xf + t * n;
        const float *row = input_row(job, t, x, &finite);
        if (row != x)
            memcpy(x, row, n * sizeof *x);
        if (!finite || !trit_all_finite(x, n))
            trit_bad_row(job->b, t);
    }
}

/* ---- Rows of weights ------------------------------------------------------------------------- */

/* Rows that a worker takes at a time: enough to outweigh taking them, few enough that no worker
 * waits long for the last piece. With many tokens each row is long work. */
static size_t row_chunk(size_t row_bytes, size_t n_tokens)
{
    enum { ONE_TOKEN_BYTES = 64 << 10, MANY_TOKENS_ROWS = 48 };
    const size_t n = ONE_TOKEN_BYTES / row_bytes / 16 * 16;
    return n < MANY_TOKENS_ROWS || n_tokens > 1 ? MANY_TOKENS_ROWS : n;
}

/* The same for a single token, with a walk. Streams that are far apart should be long, but a chunk
 * is at most an eighth of a worker's rows. */
static size_t walk_chunk(const struct trit_engine *e, size_t n_rows, size_t row_bytes,
                         const struct trit_walk *walk)
{
    enum { APART_BYTES = 1 << 20, SHARES = 8 };
    const size_t most = n_rows / (SHARES * (size_t)e->n_threads), n = APART_BYTES / row_bytes;
    const size_t least = row_chunk(row_bytes, 1);

    if (walk->order != TRIT_ORDER_APART || most < least)
        return least;
    return n < least ? least : (n < most ? n : most) / 16 * 16;
}

/* A loop over n rows of weights for a single token. Until the best walk of their class is known, it
 * runs in pieces, and each piece is timed. ctx holds *at. */
static void stream_rows(struct trit_engine *e, struct trit_tuned *class, trit_task_fn fn, void *ctx,
                        struct streamed *at, size_t n, size_t row_bytes)
{
    enum { MOST_THREADS = 4 }; /* with more, a loop of the smaller models would have no pieces */
    const size_t n_threads = (size_t)(e->n_threads < MOST_THREADS ? e->n_threads : MOST_THREADS);
    const size_t piece = trit_round_up(n_threads * e->tuner->piece_bytes / row_bytes + 1, 16);

    at->walk = class ? class->walk : trit_walks;
    while (class && e->warm && 2 * (n - at->first) >= piece &&
           trit_tuner_next(e->tuner, class, &at->walk)) {
        const size_t n_rows = n - at->first < piece ? n - at->first : piece;
        const size_t chunk = walk_chunk(e, n, row_bytes, at->walk), all = (size_t)e->n_threads;
        const size_t each = trit_round_up((n_rows + all - 1) / all, 16);
        if (at->before)
            at->before(ctx);
        at->before = NULL;
        const double start = e->tuner->now_ms();
        trit_pool_run(e->pool, fn, ctx, n_rows, chunk < each ? chunk : each);
        trit_tuner_took(e->tuner, class, n_rows * row_bytes, e->tuner->now_ms() - start);
        at->first += n_rows;
        at->walk = class->walk;
    }
    trit_pool_run_after(e->pool, at->before, at->ahead, fn, ctx, n - at->first,
                        walk_chunk(e, n, row_bytes, at->walk));
}

/* ---- Ternary matrices ------------------------------------------------------------------------ */

/* The last step for n elements of an output row, with their biases or NULL; adds them to sum,
 * unless that is NULL. */
static void finish_outputs(const struct trit_engine *e, float *y, const float *bias, float *sum,
                           size_t n)
{
    for (size_t i = 0; bias && i < n; i++)
        y[i] += bias[i];
    if (e->model->knobs.linear_post == TRIT_LINEAR_POST_RELU2)
        for (size_t i = 0; i < n; i++) {
            const float r = 0.0f > y[i] ? 0.0f : y[i]; /* in this order a NaN stays */
            y[i] = r * r;
        }
    for (size_t i = 0; sum && i < n; i++)
        sum[i] += y[i];
}

/* The product of activations that have digits. Each digit is a token to t2_gemm, and the sums are
 * combined as whole numbers, exactly. */
static void digit_rows(const struct trit_engine *e, float *y, const struct trit_linear *w, size_t t,
                       size_t n_t, size_t begin, size_t end, size_t digits, int worker)
{
    float *sums = e->digit_sums + (size_t)worker * TRIT_DIGIT_SUMS;

    for (size_t n; begin < end; begin += n, y += n) {
        n = end - begin < TRIT_DIGIT_ROWS ? end - begin : TRIT_DIGIT_ROWS;
        e->kernels.t2_gemm(sums, n, w->t2 + begin * w->row_bytes, e->xq + t * digits * w->n_cols,
                           e->xq_scale + t * digits, 1.0f, n, w->n_cols, n_t * digits, trit_walks);
        for (size_t k = 0; k < n_t; k++) {
            const float scale = w->scale / e->digit_scale[t + k];
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

/* Rows begin..end-1 of product i for n_t tokens from token t on. */
static void product_rows(const struct job *job, size_t i, size_t t, size_t n_t, size_t begin,
                         size_t end, int worker)
{
    const struct trit_engine *e = job->b->e;
    const struct trit_knobs *knobs = &e->model->knobs;
    const struct trit_linear *w = job->products[i].w;
    const size_t digits = digits_of(knobs, w->n_in), at = t * w->n_out + begin;
    float *y = job->products[i].y + at;

    if (w->floats.data)
        e->kernels.gemm[w->floats.format](y, w->n_out, w->floats.data + begin * w->floats.row_bytes,
                                          e->xf + t * w->n_in, w->n_in, end - begin, w->n_in, n_t,
                                          job->at.walk);
    else if (digits > 1)
        digit_rows(e, y, w, t, n_t, begin, end, digits, worker);
    else
        e->kernels.t2_gemm(y, w->n_out, w->t2 + begin * w->row_bytes, e->xq + t * w->n_cols,
                           e->xq_scale + t, w->scale, end - begin, w->n_cols, n_t, job->at.walk);
    for (size_t k = 0; k < n_t && !knobs->hadamard_output; k++)
        finish_outputs(e, y + k * w->n_out, w->bias ? w->bias + begin : NULL,
                       job->sum ? job->sum + at + k * w->n_out : NULL, end - begin);
}

static void all_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;

    begin += job->at.first, end += job->at.first;
    while (begin < end) {
        const size_t block = begin / job->n_rows, from = begin % job->n_rows;
        const size_t n = end - begin < job->n_rows - from ? end - begin : job->n_rows - from;
        const size_t t = block * TRIT_TOKEN_BLOCK, left = job->b->n - t;
        size_t first = 0;
        for (size_t i = 0; i < job->n; first += job->products[i++].w->n_out) {
            const size_t n_out = job->products[i].w->n_out;
            const size_t lo = from > first ? from - first : 0;
            const size_t hi = from + n < first           ? 0
                              : from + n - first < n_out ? from + n - first
                                                         : n_out;
            if (lo < hi)
                product_rows(job, i, t, left < TRIT_TOKEN_BLOCK ? left : TRIT_TOKEN_BLOCK, lo, hi,
                             worker);
        }
        begin += n;
    }
}

/* Whole output rows of tokens, if they are transformed. */
static void transform_outputs(void *ctx, size_t begin, size_t end, int worker)
{
    const struct job *job = ctx;
    (void)worker;

    for (size_t t = begin; t < end; t++)
        for (size_t i = 0; i < job->n; i++) {
            const size_t n_out = job->products[i].w->n_out;
            float *y = job->products[i].y + t * n_out;
            hadamard(job->b->e, y, n_out);
            finish_outputs(job->b->e, y, job->products[i].w->bias,
                           job->sum ? job->sum + t * n_out : NULL, n_out);
        }
}

/* Two things are far away, so they are prefetched: the norm's weights, which lie in memory, and the
 * lines of xq, which the other workers' cores hold. A store fetches a line. */
static void quantize_single(void *ctx)
{
    const struct job *job = ctx;
    const struct trit_linear *w = job->products[0].w;
    const struct trit_norm *norm = job->x->norm;
    int8_t *xq = job->b->e->xq;

    if (norm && norm->w)
        trit_prefetch((const uint8_t *)norm->w, w->n_in * sizeof *norm->w, TRIT_HINT_T1);
    for (size_t i = 0; i < w->n_cols; i += TRIT_LINE_BYTES)
        xq[i] = 0;
    quantize_tokens(ctx, 0, 1, 0);
}

/* Read the first of a worker's rows, from an item on, into its second-level cache: memory would be
 * idle while the single token's activations are made. */
static bool read_ahead(void *ctx, size_t item, size_t step)
{
    enum { STEP_BYTES = 4 << 10, MOST_BYTES = 256 << 10 };
    const struct job *job = ctx;
    const struct trit_engine *e = job->b->e;
    size_t i = 0;

    for (; item >= job->products[i].w->n_out; i++)
        item -= job->products[i].w->n_out;
    const struct trit_linear *w = job->products[i].w;
    const size_t begin = item * w->row_bytes + step * STEP_BYTES;
    const size_t end = (step + 1) * STEP_BYTES; /* of the bytes read then */
    if (end > MOST_BYTES || end > job->n_rows / (size_t)e->n_threads * w->row_bytes ||
        begin + STEP_BYTES > w->n_out * w->row_bytes)
        return false;
    e->kernels.probe_read(w->t2 + begin, STEP_BYTES, TRIT_HINT_NONE);
    return true;
}

/* Quantize the activations, unless the linear is one of floats, and multiply. */
static void multiply(struct job *job)
{
    struct trit_engine *e = job->b->e;
    const struct trit_linear *w = job->products[0].w;
    const size_t n = job->b->n, n_blocks = (n + TRIT_TOKEN_BLOCK - 1) / TRIT_TOKEN_BLOCK;
    const bool floats = w->floats.data != NULL;
    const size_t row_bytes = floats ? w->floats.row_bytes : w->row_bytes;

    for (size_t i = 0; i < job->n; i++)
        job->n_rows += job->products[i].w->n_out;
    if (n == 1 && !floats && digits_of(&e->model->knobs, w->n_in) == 1) {
        job->at = (struct streamed){.before = quantize_single, .ahead = read_ahead};
        stream_rows(e, trit_tuner_class(e->tuner, TRIT_WALK_T2, "t2", w->row_bytes), all_rows, job,
                    &job->at, job->n_rows, w->row_bytes);
    } else {
        job->at.walk = trit_walks;
        trit_pool_run(e->pool, floats ? gather_tokens : quantize_tokens, job, n, 1);
        trit_pool_run(e->pool, all_rows, job, n_blocks * job->n_rows, row_chunk(row_bytes, n));
    }
    if (e->model->knobs.hadamard_output)
        trit_pool_run(e->pool, transform_outputs, job, n, 1);
}

/* Whether linears of the same x read the same quantized activations. */
static bool shares_input(const struct trit_linear *w)
{
    return !w->norm.w && !w->floats.data;
}

void trit_linears(struct trit_batch *b, const struct trit_activations *x, size_t n,
                  const struct trit_product *products)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && shares_input(products[i].w) && shares_input(products[end].w);)
            end++;
        multiply(&(struct job){.b = b, .x = x, .products = products + i, .n = end - i});
    }
}

void trit_linear_add(struct trit_batch *b, const struct trit_activations *x,
                     const struct trit_linear *w)
{
    const struct trit_product product = {w, b->e->proj};
    multiply(&(struct job){.b = b, .x = x, .products = &product, .n = 1, .sum = b->e->h});
}

/* ---- Float matrices -------------------------------------------------------------------------- */

struct matrix_job {
    struct trit_engine *e;
    const struct trit_matrix *m;
    const float *x;
    float *y;
    size_t n;
    struct streamed at;
    _Atomic uint32_t bad; /* bit t: row t of y is not finite */
};

static void matrix_rows(void *ctx, size_t begin, size_t end, int worker)
{
    struct matrix_job *job = ctx;
    const struct trit_matrix *m = job->m;
    (void)worker;

    begin += job->at.first, end += job->at.first;
    job->e->kernels.gemm[m->format](job->y + begin, m->n_rows, m->data + begin * m->row_bytes,
                                    job->x, m->n_cols, end - begin, m->n_cols, job->n,
                                    job->at.walk);
    for (size_t t = 0; t < job->n; t++)
        if (!trit_all_finite(job->y + t * m->n_rows + begin, end - begin))
            atomic_fetch_or(&job->bad, 1u << t);
}

uint32_t trit_matrix_product(struct trit_engine *e, float *y, const struct trit_matrix *m,
                             const float *x, size_t n)
{
    struct matrix_job job = {e, m, x, y, n, .at = {.walk = trit_walks}};
    const char *type = trit_format_name(m->format);

    if (n == 1)
        stream_rows(e, trit_tuner_class(e->tuner, TRIT_WALK_FLOAT, type, m->row_bytes), matrix_rows,
                    &job, &job.at, m->n_rows, m->row_bytes);
    else
        trit_pool_run(e->pool, matrix_rows, &job, m->n_rows, row_chunk(m->row_bytes, n));
    return atomic_load(&job.bad);
}
