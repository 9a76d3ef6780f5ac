/* forward.c - the model: embedding, decoder blocks, head; the same code for one token and for many.
 *
 * A block of form pre, for h [n, embd], the residual stream:
 *
 *   x = quantize(norm(h))            norm(h) = w * h / sqrt(mean(h^2) + eps)
 *   q, k, v = W x                    W ternary, x int8: linear.h
 *   q, k = norm(q), norm(k)          of each head, if the model has such norms (Qwen3)
 *   q, k = rope(q), rope(k)          pairs of elements turn by position * base^(-2i/n_rot)
 *   a = softmax(q k^T / sqrt(d)) v   for each head of d elements, over the cached k and v
 *   h += W_o quantize(sub_norm(a))
 *   x = quantize(norm(h))
 *   h += W_down quantize(sub_norm(act(W_gate x) * W_up x))     act: silu or relu^2
 *
 * (2B-4T: transformers' modeling_bitnet; without sub_norm: the Llama block.) In blocks of form post
 * (bitskip's public code) the norms follow the sums instead, h = norm(h + ...); an FFN without a
 * gate is W_down act(W_up x). */
#include "forward.h"

#include <assert.h>
#include <string.h>

#include "attention.h"
#include "linear.h"
#include "session_state.h"

static void attention(struct trit_batch *b)
{
    static const struct trit_norm no_weights = {NULL, NULL};
    const struct trit_engine *e = b->e;
    const struct trit_layer *l = b->layer;
    const struct trit_knobs *k = &e->model->knobs;
    const bool pre = k->block == TRIT_BLOCK_PRE;
    const struct trit_norm *in_norm = k->attn_in_norm ? &no_weights : NULL;
    const struct trit_activations x = {.rows = e->h,
                                       .norm = pre ? &l->attn_norm : in_norm,
                                       .kind = pre ? k->norm : TRIT_NORM_LAYER};
    const struct trit_product qkv[] = {{&l->attn_q, e->q}, {&l->attn_k, e->k}, {&l->attn_v, e->v}};
    const struct trit_activations a = {
        .rows = e->att, .norm = k->attn_sub_norm ? &l->attn_sub_norm : NULL, .kind = k->norm};

    trit_linears(b, &x, 3, qkv);             /* q, k, v = W x */
    trit_attention(b);                       /* rope, cache, a = softmax(q k^T / sqrt(d)) v */
    trit_linear_add(b, &a, &l->attn_output); /* h += W_o a */
    if (!pre)
        trit_norm_residual(b, &l->attn_norm_post);
}

static void feed_forward(struct trit_batch *b)
{
    const struct trit_engine *e = b->e;
    const struct trit_layer *l = b->layer;
    const struct trit_knobs *k = &e->model->knobs;
    const bool pre = k->block == TRIT_BLOCK_PRE, gated = k->ffn == TRIT_FFN_GATED;
    const struct trit_activations x = {
        .rows = e->h, .norm = pre ? &l->ffn_norm : NULL, .kind = k->norm};
    const struct trit_product gate_up[] = {{&l->ffn_gate, e->gate}, {&l->ffn_up, e->up}};
    const struct trit_activations middle = {
        .rows = gated ? e->gate : e->up,
        .up = gated ? e->up : e->ones, /* act(up) * 1 without a gate */
        .ldup = gated ? (size_t)k->n_ff : 0,
        .norm = k->ffn_sub_norm ? &l->ffn_sub_norm : NULL,
        .kind = k->norm,
    };

    trit_linears(b, &x, gated ? 2 : 1, gated ? gate_up : gate_up + 1); /* W_gate x, W_up x */
    trit_linear_add(b, &middle, &l->ffn_down); /* h += W_down (act(gate) * up) */
    if (!pre)
        trit_norm_residual(b, &l->ffn_norm_post);
}

/* ---- The stack ------------------------------------------------------------------------------- */

static void decode_row(const struct trit_engine *e, float *y, const struct trit_matrix *m,
                       int32_t row)
{
    e->kernels.decode[m->format](y, m->data + (size_t)row * m->row_bytes, m->n_cols);
}

void trit_embed(struct trit_engine *e, size_t row, int32_t token)
{
    const struct trit_model *m = e->model;
    const size_t width = m->token_embd.n_cols;
    float *h = e->h + row * width;

    decode_row(e, h, &m->token_embd, token);
    if (!m->knobs.learned_positions)
        return;
    decode_row(e, e->norm_row, &m->position_embd, e->rows[row].pos);
    for (size_t i = 0; i < width; i++)
        h[i] += e->norm_row[i];
}

/* Fail the steps of rows that became bad in layer il. From here on their rows are zeros, so nothing
 * that is not finite is computed with. */
static void find_bad(struct trit_batch *b)
{
    const struct trit_engine *e = b->e;
    const size_t width = (size_t)e->model->knobs.n_embd;

    for (size_t t = 0; t < b->n; t++)
        if (atomic_exchange(&e->bad[t], false))
            trit_fail(trit_step_error(e->rows[t].s), TRIT_E_FAILED,
                      "the model produced a non-finite value in layer %zu", b->il);
    for (size_t t = 0; t < b->n; t++)
        if (!trit_step_alive(e->rows[t].s))
            memset(e->h + t * width, 0, width * sizeof *e->h);
    atomic_store(&b->bad, false);
}

/* After layer il, tell the sessions of the rows how far they are, and ask whether to go on.
 * @return whether a step is alive */
static bool report_layer(const struct trit_batch *b)
{
    const struct trit_row *rows = b->e->rows;
    bool any = false;

    for (size_t t = 0; t < b->n; t++) {
        struct trit_session *s = rows[t].s;
        if ((t > 0 && s == rows[t - 1].s) || !trit_step_alive(s))
            continue;
        if (s->progress && s->step->n > 1)
            s->progress(s->progress_user, (s->n_done + (double)s->n_rows * (double)(b->il + 1) /
                                                           b->e->model->knobs.n_layer) /
                                              s->step->n);
        if (s->cancel && s->cancel(s->cancel_user))
            trit_fail(trit_step_error(s), TRIT_E_CANCELLED, "stopped");
        any |= trit_step_alive(s);
    }
    return any;
}

void trit_forward_layers(struct trit_engine *e, size_t n, int32_t begin, int32_t end)
{
    struct trit_batch b = {.e = e, .n = n};

    assert(n <= (size_t)e->n_batch);
    for (int32_t il = begin; il < end; il++) {
        b.il = (size_t)il;
        b.layer = &e->model->layers[il];
        if (e->rows[0].s->skip[il])
            continue;
        attention(&b);
        feed_forward(&b);
        if (atomic_load(&b.bad))
            find_bad(&b);
        if (!report_layer(&b))
            return;
    }
}

/* ---- The head -------------------------------------------------------------------------------- */

uint32_t trit_forward_head(struct trit_engine *e, float *logits, const size_t *rows, size_t n)
{
    const struct trit_model *m = e->model;
    const struct trit_knobs *k = &m->knobs;
    const size_t width = m->output.n_cols;
    uint32_t bad = 0;

    assert(n <= TRIT_HEAD_TOKENS);
    for (size_t i = 0; i < n; i++) {
        const float *row = e->h + rows[i] * width;
        float *x = e->head_in + i * width;
        if (!trit_norm_row(e, x, row, &m->output_norm, k->norm, k->norm_eps, width))
            bad |= 1u << i;
        if (m->head_norm.w)
            trit_norm_row(e, x, x, &m->head_norm,
                          k->linear_norm == TRIT_LINEAR_NORM_LAYER ? TRIT_NORM_LAYER
                                                                   : TRIT_NORM_RMS,
                          k->linear_norm_eps, width);
        if (m->quantized_head)
            trit_round_row(e, x, m->head_scale, width);
        if (!k->exit_norm && e->rows[rows[i]].s->last_depth != k->n_layer)
            memcpy(x, row, width * sizeof *row); /* the norm was only asked whether it is finite */
    }
    return bad | trit_matrix_product(e, logits, &m->output, e->head_in, n);
}
