/* forward.c - the model: embedding, decoder blocks, head; the same code for one token and for many.
 *
 * A block of form pre, for h [n, embd], the residual stream:
 *
 *   x = quantize(norm(h))            norm(h) = w * h / sqrt(mean(h^2) + eps)
 *   q, k, v = W x                    W ternary, x int8: linear.h
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

static void attention(struct trit_batch *b)
{
    static const struct trit_norm no_weights = {NULL, NULL};
    const struct trit_session *s = b->s;
    const struct trit_layer *l = b->layer;
    const struct trit_knobs *k = &s->model->knobs;
    const bool pre = k->block == TRIT_BLOCK_PRE;
    const struct trit_norm *in_norm = k->attn_in_norm ? &no_weights : NULL;
    const struct trit_activations x = {.rows = s->h,
                                       .norm = pre ? &l->attn_norm : in_norm,
                                       .kind = pre ? k->norm : TRIT_NORM_LAYER};
    const struct trit_product qkv[] = {{&l->attn_q, s->q}, {&l->attn_k, s->k}, {&l->attn_v, s->v}};
    const struct trit_activations a = {
        .rows = s->att, .norm = k->attn_sub_norm ? &l->attn_sub_norm : NULL, .kind = k->norm};

    trit_linears(b, &x, 3, qkv);             /* q, k, v = W x */
    trit_attention(b);                       /* rope, cache, a = softmax(q k^T / sqrt(d)) v */
    trit_linear_add(b, &a, &l->attn_output); /* h += W_o a */
    if (!pre)
        trit_norm_residual(b, &l->attn_norm_post);
}

static void feed_forward(struct trit_batch *b)
{
    const struct trit_session *s = b->s;
    const struct trit_layer *l = b->layer;
    const struct trit_knobs *k = &s->model->knobs;
    const bool pre = k->block == TRIT_BLOCK_PRE, gated = k->ffn == TRIT_FFN_GATED;
    const struct trit_activations x = {
        .rows = s->h, .norm = pre ? &l->ffn_norm : NULL, .kind = k->norm};
    const struct trit_product gate_up[] = {{&l->ffn_gate, s->gate}, {&l->ffn_up, s->up}};
    const struct trit_activations middle = {
        .rows = gated ? s->gate : s->up,
        .up = gated ? s->up : s->ones, /* act(up) * 1 without a gate */
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
        s->positions[t] = s->n_tokens + (int32_t)t;
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
    struct trit_batch b = {.s = s, .n = n};

    assert(n <= (size_t)s->n_batch);
    for (int32_t il = begin; il < end; il++) {
        b.il = (size_t)il;
        b.layer = &s->model->layers[il];
        if (s->skip[il])
            continue;
        attention(&b);
        feed_forward(&b);
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

bool trit_forward_head(struct trit_session *s, size_t first, size_t n)
{
    const struct trit_model *m = s->model;
    const size_t width = m->output.n_cols;
    const bool normed = m->knobs.exit_norm || s->last_depth == m->knobs.n_layer;
    bool finite = true;

    assert(n <= TRIT_HEAD_TOKENS);
    for (size_t t = 0; t < n; t++) {
        const float *row = s->h + (first + t) * width;
        finite &= trit_norm_row(s, s->head_in + t * width, row, &m->output_norm, m->knobs.norm,
                                m->knobs.norm_eps, width);
        if (!normed) /* the norm was only asked whether the row is finite */
            memcpy(s->head_in + t * width, row, width * sizeof *row);
    }
    return finite && trit_matrix_product(s, s->logits, &m->output, s->head_in, n);
}
