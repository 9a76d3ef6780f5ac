/* forward.c - one decoder block and the stack; the same code for one token and for many.
 *
 *   x = norm(h) quantised          one int8 row per token, shared by q, k and v unless each has
 *                                  a norm of its own on its input
 *   q, k, v = W x; rope; k, v into the cache; attention
 *   h += W_o quantised(sub_norm(attention))
 *   x = norm(h) quantised
 *   h += W_down quantised(sub_norm(act(W_gate x) * W_up x))
 *
 * (2B-4T: transformers' modeling_bitnet; without sub-norms: the Llama block.) Each step is a loop
 * over tokens or over rows of weights that the pool shares out; every element of every result is
 * computed whole by one worker, in an order that does not depend on the split. */
#include <assert.h>
#include <string.h>

#include "half.h"
#include "session.h"

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

/* rows: [n tokens, width] -> joined with up by the activation (unless NULL) -> norm (unless NULL)
 * -> the linear's own norm (unless NULL) -> s->xq, s->xq_scale: one pass per token. */
struct quantize_job {
    struct batch *b;
    const float *rows, *up, *norm, *own_norm;
    size_t width;
};

static void quantize_tokens(void *ctx, size_t begin, size_t end, int worker)
{
    const struct quantize_job *job = ctx;
    struct trit_session *s = job->b->s;
    const struct trit_knobs *k = &s->model->knobs;
    const size_t padded = (job->width + TRIT_T2_BLOCK - 1) / TRIT_T2_BLOCK * TRIT_T2_BLOCK;
    float *scratch = s->norm_row + (size_t)worker * s->widest;

    for (size_t t = begin; t < end; t++) {
        const float *row = job->rows + t * job->width;
        bool finite = true;
        if (job->up) {
            s->kernels.glu[k->ffn_act](scratch, row, job->up + t * job->width, job->width);
            row = scratch;
        }
        if (job->norm) {
            finite = s->kernels.rmsnorm(scratch, row, job->norm, job->width, k->norm_eps);
            row = scratch;
        }
        if (job->own_norm) {
            finite &=
                s->kernels.rmsnorm(scratch, row, job->own_norm, job->width, k->linear_norm_eps);
            row = scratch;
        }
        finite &= s->kernels.quantize_row[k->act_form](s->xq + t * padded, &s->xq_scale[t], row,
                                                       job->width, padded, k->act_eps, k->act_max);
        if (!finite)
            atomic_store(&job->b->bad, true);
    }
}

/* For the linear w. */
static void quantize(struct batch *b, const float *rows, const float *up, const float *norm,
                     const struct trit_linear *w)
{
    struct quantize_job job = {b, rows, up, norm, w->norm, w->n_in};
    trit_pool_run(b->s->pool, quantize_tokens, &job, b->n, 1);
}

/* ---- Linears --------------------------------------------------------------------------------- */

/* Tokens whose activations stay in a core's second-level cache while rows of weights pass. */
enum { TOKEN_BLOCK = 128 };

/* Rows of weights that a worker takes at a time: enough to be worth the taking, few enough that the
 * last piece does not keep the others waiting. Many tokens make each row long work. */
static size_t row_chunk(size_t row_bytes, size_t n_tokens)
{
    enum { ONE_TOKEN_BYTES = 64 << 10, MANY_TOKENS_ROWS = 48 };
    const size_t n = ONE_TOKEN_BYTES / row_bytes / 16 * 16;
    return n < MANY_TOKENS_ROWS || n_tokens > 1 ? MANY_TOKENS_ROWS : n;
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
    float *sum;    /* NULL, or what y is added to; of a single part */
    size_t n_rows; /* of all parts; set by run_linears() */
};

static void relu2(float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float r = y[i] > 0.0f ? y[i] : 0.0f;
        y[i] = r * r;
    }
}

/* Rows begin..end-1 of part i for n_t tokens from token t on. */
static void part_rows(const struct linears_job *job, size_t i, size_t t, size_t n_t, size_t begin,
                      size_t end)
{
    const struct trit_session *s = job->b->s;
    const struct trit_linear *w = job->parts[i].w;
    float *y = job->parts[i].y + t * w->n_out + begin;

    s->kernels.t2_gemm(y, w->n_out, w->t2 + begin * (w->n_cols / 4), s->xq + t * w->n_cols,
                       s->xq_scale + t, w->scale, end - begin, w->n_cols, n_t);
    if (s->model->knobs.linear_post == TRIT_LINEAR_POST_RELU2)
        for (size_t k = 0; k < n_t; k++)
            relu2(y + k * w->n_out, end - begin);
    if (!job->sum)
        return;
    float *sum = job->sum + t * w->n_out + begin;
    for (size_t k = 0; k < n_t; k++)
        for (size_t r = 0; r < end - begin; r++)
            sum[k * w->n_out + r] += y[k * w->n_out + r];
}

static void linears_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const struct linears_job *job = ctx;
    (void)worker;

    while (begin < end) {
        const size_t block = begin / job->n_rows, from = begin % job->n_rows;
        const size_t n = end - begin < job->n_rows - from ? end - begin : job->n_rows - from;
        const size_t t = block * TOKEN_BLOCK, left = job->b->n - t;
        size_t first = 0;
        for (size_t i = 0; i < job->n; first += job->parts[i++].w->n_out) {
            const size_t n_out = job->parts[i].w->n_out;
            const size_t lo = from > first ? from - first : 0;
            const size_t hi = from + n < first           ? 0
                              : from + n - first < n_out ? from + n - first
                                                         : n_out;
            if (lo < hi)
                part_rows(job, i, t, left < TOKEN_BLOCK ? left : TOKEN_BLOCK, lo, hi);
        }
        begin += n;
    }
}

static void run_linears(struct linears_job *job)
{
    struct batch *b = job->b;
    const size_t n_blocks = (b->n + TOKEN_BLOCK - 1) / TOKEN_BLOCK;

    for (size_t i = 0; i < job->n; i++)
        job->n_rows += job->parts[i].w->n_out;
    trit_pool_run(b->s->pool, linears_rows, job, n_blocks * job->n_rows,
                  row_chunk(job->parts[0].w->n_cols / 4, b->n));
}

/* The parts of job, linears of norm(h): of the same activations, or of ones of their own. */
static void run_normed(const struct linears_job *job, const float *norm)
{
    struct batch *b = job->b;
    const size_t n_at_once = job->parts[0].w->norm ? 1 : job->n;

    for (size_t i = 0; i < job->n; i += n_at_once) {
        struct linears_job part = {.b = b, .n = n_at_once};
        memcpy(part.parts, job->parts + i, n_at_once * sizeof *part.parts);
        quantize(b, b->s->h, NULL, norm, part.parts[0].w);
        run_linears(&part);
    }
}

/* h += w * xq */
static void add_residual(struct batch *b, const struct trit_linear *w)
{
    struct linears_job job = {b, 1, {{w, b->s->proj}}, b->s->h, 0};
    run_linears(&job);
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
        const size_t pos = (size_t)s->places[t];
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
    const int32_t *places = b->s->places;
    size_t end;

    for (size_t row = 0; row < b->n; row = end) {
        for (end = row + 1; end < b->n && places[end] == places[end - 1] + 1;)
            end++;
        trit_attention(b->s, b->il, row, (size_t)places[row], end - row);
    }
}

/* ---- The stack ------------------------------------------------------------------------------- */

static void block(struct batch *b)
{
    struct trit_session *s = b->s;
    const struct trit_layer *l = b->layer;
    const struct linears_job qkv = {
        b, 3, {{&l->attn_q, s->q}, {&l->attn_k, s->k}, {&l->attn_v, s->v}}, NULL, 0};
    const struct linears_job ffn = {b, 2, {{&l->ffn_gate, s->gate}, {&l->ffn_up, s->up}}, NULL, 0};

    run_normed(&qkv, l->attn_norm);
    trit_pool_run(s->pool, place_tokens, b, b->n, 1);
    attend(b);
    quantize(b, s->att, NULL, l->attn_sub_norm, &l->attn_output);
    add_residual(b, &l->attn_output);

    run_normed(&ffn, l->ffn_norm);
    quantize(b, s->gate, s->up, l->ffn_sub_norm, &l->ffn_down);
    add_residual(b, &l->ffn_down);
}

void trit_embed(struct trit_session *s, const int32_t *tokens, size_t n)
{
    const struct trit_matrix *embd = &s->model->token_embd;

    for (size_t t = 0; t < n; t++)
        s->kernels.decode[embd->format](s->h + t * embd->n_cols,
                                        embd->data + (size_t)tokens[t] * embd->row_bytes,
                                        embd->n_cols);
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
    _Atomic bool bad;
};

static void head_rows(void *ctx, size_t begin, size_t end, int worker)
{
    struct head_job *job = ctx;
    const struct trit_session *s = job->s;
    const struct trit_matrix *w = &s->model->output;
    (void)worker;

    s->kernels.gemm[w->format](s->logits + begin, w->n_rows, w->data + begin * w->row_bytes,
                               s->head_in, w->n_cols, end - begin, w->n_cols, job->n);
    for (size_t t = 0; t < job->n; t++)
        if (!all_finite(s->logits + t * w->n_rows + begin, end - begin))
            atomic_store(&job->bad, true);
}

bool trit_forward_head(struct trit_session *s, size_t first, size_t n)
{
    const struct trit_model *m = s->model;
    const size_t width = m->output.n_cols;
    struct head_job job = {.s = s, .n = n};
    bool finite = true;

    assert(n <= TRIT_HEAD_TOKENS);
    const bool normed = m->knobs.exit_norm || s->last_depth == m->knobs.n_layer;
    for (size_t t = 0; t < n; t++) {
        const float *row = s->h + (first + t) * width;
        finite &= s->kernels.rmsnorm(s->head_in + t * width, row, m->output_norm, width,
                                     m->knobs.norm_eps);
        if (!normed) /* but it has told whether the row is finite */
            memcpy(s->head_in + t * width, row, width * sizeof *row);
    }
    if (finite)
        trit_pool_run(s->pool, head_rows, &job, m->output.n_rows,
                      row_chunk(m->output.row_bytes, n));
    return finite && !atomic_load(&job.bad);
}
