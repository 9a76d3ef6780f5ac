/* forward.c - one decoder block and the stack; the same code for one token and for many.
 *
 *   x = norm(h) quantised          one int8 row per token, shared by q, k and v
 *   q, k, v = W x; rope; k, v into the cache; attention
 *   h += W_o quantised(sub_norm(attention))
 *   x = norm(h) quantised
 *   h += W_down quantised(sub_norm(act(W_gate x) * W_up x))
 *
 * (2B-4T: transformers' modeling_bitnet; without sub-norms: the Llama block.) Each step is a loop
 * over tokens or over rows of weights that the pool shares out; every element of every result is
 * computed whole by one worker, in an order that does not depend on the split. */
#include <assert.h>

#include "half.h"
#include "session.h"

/* What the steps of one batch have in common. */
struct batch {
    struct trit_session *s;
    size_t n;   /* tokens */
    size_t pos; /* of the first */
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

/* rows: [n tokens, width] -> norm (unless NULL) -> s->xq, s->xq_scale */
struct quantize_job {
    struct batch *b;
    const float *rows, *norm;
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
        if (job->norm) {
            finite = s->kernels.rmsnorm(scratch, row, job->norm, job->width, k->norm_eps);
            row = scratch;
        }
        finite &= s->kernels.quantize_row(s->xq + t * padded, &s->xq_scale[t], row, job->width,
                                          padded, k->act_eps, k->act_max);
        if (!finite)
            atomic_store(&job->b->bad, true);
    }
}

static void quantize(struct batch *b, const float *rows, const float *norm, size_t width)
{
    struct quantize_job job = {b, rows, norm, width};
    trit_pool_run(b->s->pool, quantize_tokens, &job, b->n, 1);
}

/* ---- Linears --------------------------------------------------------------------------------- */

/* Rows of weights that a worker takes at a time: enough to be worth the taking, few enough that the
 * last piece does not keep the others waiting. */
static size_t row_chunk(const struct trit_session *s, size_t n_rows)
{
    const size_t pieces = (size_t)s->n_threads * 8;
    const size_t chunk = (n_rows / pieces + 15) / 16 * 16;
    return chunk < 16 ? 16 : chunk > 256 ? 256 : chunk;
}

/* Rows begin..end-1 of w for all tokens: y[t*w->n_out + r] */
static void linear_rows(const struct batch *b, const struct trit_linear *w, float *y, size_t begin,
                        size_t end)
{
    const struct trit_session *s = b->s;
    s->kernels.t2_gemm(y + begin, w->n_out, w->t2 + begin * (w->n_cols / 4), s->xq, s->xq_scale,
                       w->scale, end - begin, w->n_cols, b->n);
}

/* Items are the rows of q, then of k, then of v. */
static void qkv_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const struct batch *b = ctx;
    const struct {
        const struct trit_linear *w;
        float *y;
    } parts[] = {
        {&b->layer->attn_q, b->s->q}, {&b->layer->attn_k, b->s->k}, {&b->layer->attn_v, b->s->v}};
    size_t first = 0;
    (void)worker;

    for (int i = 0; i < 3; first += parts[i++].w->n_out) {
        const size_t lo = begin > first ? begin - first : 0;
        const size_t hi = end < first ? 0 : end - first;
        const size_t n_out = parts[i].w->n_out;
        if (lo < n_out && lo < hi)
            linear_rows(b, parts[i].w, parts[i].y, lo, hi < n_out ? hi : n_out);
    }
}

/* Gate and up rows of the same number, joined at once. */
static void ffn_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const struct batch *b = ctx;
    const struct trit_session *s = b->s;
    const size_t n_ff = b->layer->ffn_gate.n_out;
    (void)worker;

    linear_rows(b, &b->layer->ffn_gate, s->gate, begin, end);
    linear_rows(b, &b->layer->ffn_up, s->up, begin, end);
    for (size_t t = 0; t < b->n; t++) {
        float *gate = s->gate + t * n_ff + begin;
        s->kernels.glu[s->model->knobs.ffn_act](gate, gate, s->up + t * n_ff + begin, end - begin);
    }
}

/* h += w * xq */
struct residual_job {
    struct batch *b;
    const struct trit_linear *w;
};

static void residual_rows(void *ctx, size_t begin, size_t end, int worker)
{
    const struct residual_job *job = ctx;
    const struct trit_session *s = job->b->s;
    (void)worker;

    linear_rows(job->b, job->w, s->proj, begin, end);
    for (size_t t = 0; t < job->b->n; t++)
        for (size_t r = t * job->w->n_out + begin; r < t * job->w->n_out + end; r++)
            s->h[r] += s->proj[r];
}

static void add_residual(struct batch *b, const struct trit_linear *w)
{
    struct residual_job job = {b, w};
    trit_pool_run(b->s->pool, residual_rows, &job, w->n_out, row_chunk(b->s, w->n_out));
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
        const float *cos = s->rope_cos + (b->pos + t) * (n_rot / 2);
        const float *sin = s->rope_sin + (b->pos + t) * (n_rot / 2);
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
            const size_t at = (t * n_kv + i) * d, row = trit_kv_row(kv, b->il, i, b->pos + t);
            store(s, kv->k, kv->k_scale, row, s->k + at);
            store(s, kv->v, kv->v_scale, row, s->v + at);
        }
    }
}

/* ---- The stack ------------------------------------------------------------------------------- */

static void block(struct batch *b)
{
    struct trit_session *s = b->s;
    const struct trit_layer *l = b->layer;
    const size_t n_qkv = l->attn_q.n_out + l->attn_k.n_out + l->attn_v.n_out;

    quantize(b, s->h, l->attn_norm, l->attn_q.n_in);
    trit_pool_run(s->pool, qkv_rows, b, n_qkv, row_chunk(s, n_qkv));
    trit_pool_run(s->pool, place_tokens, b, b->n, 1);
    trit_attention(s, b->il, b->pos, b->n);
    quantize(b, s->att, l->attn_sub_norm, l->attn_output.n_in);
    add_residual(b, &l->attn_output);

    quantize(b, s->h, l->ffn_norm, l->ffn_gate.n_in);
    trit_pool_run(s->pool, ffn_rows, b, l->ffn_gate.n_out, row_chunk(s, l->ffn_gate.n_out));
    quantize(b, s->gate, l->ffn_sub_norm, l->ffn_down.n_in);
    add_residual(b, &l->ffn_down);
}

trit_status trit_forward(struct trit_session *s, const int32_t *tokens, size_t n,
                         struct trit_error *err)
{
    const struct trit_matrix *embd = &s->model->token_embd;
    const struct trit_knobs *k = &s->model->knobs;
    struct batch b = {.s = s, .n = n, .pos = (size_t)s->n_tokens};

    assert(n <= (size_t)s->n_batch);
    for (size_t t = 0; t < n; t++)
        s->kernels.decode[embd->format](s->h + t * embd->n_cols,
                                        embd->data + (size_t)tokens[t] * embd->row_bytes,
                                        embd->n_cols);
    for (int32_t il = 0; il < k->n_layer; il++) {
        b.il = (size_t)il;
        b.layer = &s->model->layers[il];
        block(&b);
        if (atomic_load(&b.bad))
            return trit_fail(err, TRIT_E_FAILED,
                             "the model produced a non-finite value in layer %d", il);
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
    for (size_t t = 0; t < n; t++)
        finite &= s->kernels.rmsnorm(s->head_in + t * width, s->h + (first + t) * width,
                                     m->output_norm, width, m->knobs.norm_eps);
    if (finite)
        trit_pool_run(s->pool, head_rows, &job, m->output.n_rows, row_chunk(s, m->output.n_rows));
    return finite && !atomic_load(&job.bad);
}
