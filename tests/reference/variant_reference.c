/* variant_reference.c - see variant_reference.h. Arrays of several rows are [n tokens, width]. */
#include "variant_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "rows.h"

/* kind is CK_NO_NORM, CK_RMS or CK_LAYER; without weights they are 1, without biases 0. */
struct norm {
    int kind;
    double eps, *weight, *bias;
};

struct linear {
    int n_in, n_out;
    int8_t *t; /* [n_out, n_in] */
    double scale;
    struct norm norm;
};

struct layer {
    struct norm attn_norm, ffn_norm;
    struct linear q, k, v, o, gate, up, down;
};

struct pass {
    const struct ck *c;
    const struct ck_knobs *knobs;
    int n;
    double *edges; /* [n]: distance of a token from an edge, relative to the largest */
};

/* ---- Weights --------------------------------------------------------------------------------- */

/* Tensor STEM.SUFFIX as [n_rows, n_cols], or [n_cols] if n_rows is 1. */
static double *floats(const struct ck *c, const char *stem, const char *suffix, int n_rows,
                      int n_cols)
{
    double *x = new_rows(n_rows, n_cols);
    char name[128];

    snprintf(name, sizeof name, "%s.%s", stem, suffix);
    const struct ck_tensor *t = ck_tensor(c, name);
    const bool shaped = t->dims[t->n_dims - 1] == (uint64_t)n_cols &&
                        (n_rows == 1 || (t->n_dims == 2 && t->dims[0] == (uint64_t)n_rows));
    if (!shaped) {
        fprintf(stderr, "variant_reference: %s is not [%d, %d]\n", name, n_rows, n_cols);
        abort();
    }
    for (size_t i = 0; i < (size_t)n_rows * (size_t)n_cols; i++)
        x[i] = ck_value(t, i);
    return x;
}

static struct norm new_norm(const struct ck *c, const char *stem, int kind, double eps, int n)
{
    struct norm norm = {.kind = kind, .eps = eps};

    if (kind != CK_NO_NORM)
        norm.weight = floats(c, stem, "weight", 1, n);
    if (kind == CK_LAYER)
        norm.bias = floats(c, stem, "bias", 1, n);
    return norm;
}

/* scale = max(mean |W|, 1e-6); T = +1 where W > scale / 2, -1 where W < -scale / 2, else 0 */
static struct linear new_linear(const struct ck *c, int layer, const char *where, int n_out,
                                int n_in)
{
    const struct ck_spec *s = &c->spec;
    const size_t n = (size_t)n_in * (size_t)n_out;
    struct linear l = {.n_in = n_in, .n_out = n_out, .t = take(n, 1)};
    char stem[96], norm[120];
    double sum = 0;

    snprintf(stem, sizeof stem, "%slayers.%d.%s", s->prefix, layer, where);
    double *w = floats(c, stem, "weight", n_out, n_in);
    for (size_t i = 0; i < n; i++)
        sum += fabs(w[i]);
    l.scale = fmax(sum / (double)n, 1e-6);
    for (size_t i = 0; i < n; i++)
        l.t[i] = (int8_t)((w[i] > l.scale / 2) - (w[i] < -l.scale / 2));
    free(w);
    snprintf(norm, sizeof norm, "%s.%s", stem, s->norm_name);
    l.norm = new_norm(c, norm, s->knobs.linear_norm, s->knobs.linear_norm_eps, n_in);
    return l;
}

static struct norm new_block_norm(const struct ck *c, int layer, const char *where)
{
    char stem[96];
    snprintf(stem, sizeof stem, "%slayers.%d.%s", c->spec.prefix, layer, where);
    return new_norm(c, stem, c->spec.knobs.norm, c->spec.eps, c->spec.hidden);
}

static void new_layer(struct layer *l, const struct ck *c, int i)
{
    const struct ck_spec *s = &c->spec;
    const int nq = s->heads * s->head_dim, nkv = s->kv_heads * s->head_dim;
    const bool post = s->knobs.block == CK_POST, bitnet8 = s->family == CK_BITNET8;

    *l = (struct layer){
        .attn_norm = new_block_norm(c, i, post ? "self_attn_norm.norm" : "input_layernorm"),
        .ffn_norm =
            new_block_norm(c, i, post ? "feed_forward_norm.norm" : "post_attention_layernorm"),
        .q = new_linear(c, i, "self_attn.q_proj", nq, s->hidden),
        .k = new_linear(c, i, "self_attn.k_proj", nkv, s->hidden),
        .v = new_linear(c, i, "self_attn.v_proj", nkv, s->hidden),
        .o = new_linear(c, i, "self_attn.o_proj", s->hidden, nq),
        .up = new_linear(c, i, bitnet8 ? "feed_forward.up_proj" : "mlp.up_proj", s->ffn, s->hidden),
        .down = new_linear(c, i, bitnet8 ? "feed_forward.down_proj" : "mlp.down_proj", s->hidden,
                           s->ffn),
    };
    if (s->knobs.ffn == CK_GATED)
        l->gate = new_linear(c, i, bitnet8 ? "feed_forward.gate_proj" : "mlp.gate_proj", s->ffn,
                             s->hidden);
}

static void free_norm(struct norm *norm)
{
    free(norm->weight);
    free(norm->bias);
}

static void free_layer(struct layer *l)
{
    struct linear *linears[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    for (size_t i = 0; i < sizeof linears / sizeof *linears; i++) {
        free(linears[i]->t);
        free_norm(&linears[i]->norm);
    }
    free_norm(&l->attn_norm);
    free_norm(&l->ffn_norm);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* y = weight * (x - mean) / sqrt(mean square of that + eps) + bias, where an RMSNorm subtracts no
 * mean; y may be x */
static void normalize(double *y, const double *x, const struct norm *norm, int n)
{
    double mean = 0, square = 0;

    if (norm->kind == CK_NO_NORM) {
        memmove(y, x, (size_t)n * sizeof *x);
        return;
    }
    for (int i = 0; i < n && norm->kind == CK_LAYER; i++)
        mean += x[i] / n;
    for (int i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean) / n;
    for (int i = 0; i < n; i++) {
        y[i] = (x[i] - mean) / sqrt(square + norm->eps);
        y[i] = y[i] * (norm->weight ? norm->weight[i] : 1) + (norm->bias ? norm->bias[i] : 0);
    }
}

/* H of 2n is [[H, H], [H, -H]] of H of n, and H of 1 is 1. */
void variant_fwht(double *x, int n)
{
    const int half = n / 2;

    if (n == 1)
        return;
    variant_fwht(x, half);
    variant_fwht(x + half, half);
    for (int i = 0; i < half; i++) {
        const double a = x[i], b = x[half + i];
        x[i] = a + b;
        x[half + i] = a - b;
    }
}

static void transform(const struct ck_knobs *k, double *x, int n)
{
    variant_fwht(x, n);
    for (int i = 0; i < n && k->hadamard_norm; i++)
        x[i] /= sqrt(n);
}

static double relu2(double x)
{
    return x > 0 ? x * x : 0;
}

/* y = linear(input), of token t */
static void apply(double *y, const struct pass *p, int t, const struct linear *l,
                  const double *input)
{
    const struct ck_knobs *k = p->knobs;
    const double max = (1 << (k->act_bits - 1)) - 1;
    double *x = new_rows(1, l->n_in), m = k->act_eps;

    normalize(x, input, &l->norm, l->n_in);
    if (k->hadamard == CK_BEFORE)
        transform(k, x, l->n_in);
    for (int i = 0; i < l->n_in; i++)
        m = fmax(m, fabs(x[i]));
    for (int i = 0; i < l->n_in; i++) {
        x[i] = k->act_form == CK_MUL ? x[i] * (max / m) : x[i] * max / m;
        p->edges[t] = fmin(p->edges[t], (0.5 - fabs(x[i] - rint(x[i]))) / max);
        x[i] = rint(x[i]); /* to even */
    }
    if (k->hadamard == CK_AFTER)
        transform(k, x, l->n_in);
    for (int r = 0; r < l->n_out; r++) {
        double sum = 0;
        for (int i = 0; i < l->n_in; i++)
            sum += l->t[(size_t)r * (size_t)l->n_in + (size_t)i] * x[i];
        y[r] = k->act_dequant == CK_STANDARD ? l->scale * (m / max) * sum : l->scale * sum / m;
    }
    if (k->hadamard_output)
        transform(k, y, l->n_out);
    for (int r = 0; r < l->n_out && k->linear_post == CK_RELU2; r++)
        y[r] = relu2(y[r]);
    free(x);
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* Element i of a head is paired with element i + d/2. */
static void rotate(const struct ck_spec *s, double *head, int pos)
{
    const int half = s->head_dim / 2;

    for (int i = 0; i < half; i++) {
        const double angle = pos * pow(s->rope_theta, -2.0 * i / s->head_dim);
        const double a = head[i], b = head[i + half];
        head[i] = a * cos(angle) - b * sin(angle);
        head[i + half] = a * sin(angle) + b * cos(angle);
    }
}

/* One query head over the first n of keys and values, in rows of stride. p: [n] scratch */
static void attend(double *out, const double *q, const double *keys, const double *values, int n,
                   int d, int stride, double *p)
{
    double max = -INFINITY, sum = 0;

    for (int j = 0; j < n; j++) {
        p[j] = 0;
        for (int i = 0; i < d; i++)
            p[j] += q[i] * keys[j * stride + i] / sqrt(d);
        max = fmax(max, p[j]);
    }
    for (int j = 0; j < n; j++)
        sum += p[j] = exp(p[j] - max);
    for (int i = 0; i < d; i++) {
        out[i] = 0;
        for (int j = 0; j < n; j++)
            out[i] += p[j] / sum * values[j * stride + i];
    }
}

/* y = o(attention of x); both [n, hidden] */
static void self_attn(double *y, const struct pass *p, const struct layer *l, const double *x)
{
    const struct ck_spec *s = &p->c->spec;
    const int d = s->head_dim, nq = s->heads * d, nkv = s->kv_heads * d;
    double *q = new_rows(p->n, nq), *k = new_rows(p->n, nkv), *v = new_rows(p->n, nkv);
    double *a = new_rows(1, nq), *weight = new_rows(1, p->n);

    for (int t = 0; t < p->n; t++) {
        apply(q + t * nq, p, t, &l->q, x + t * s->hidden);
        apply(k + t * nkv, p, t, &l->k, x + t * s->hidden);
        apply(v + t * nkv, p, t, &l->v, x + t * s->hidden);
        for (int i = 0; i < s->heads; i++)
            rotate(s, q + t * nq + i * d, t);
        for (int i = 0; i < s->kv_heads; i++)
            rotate(s, k + t * nkv + i * d, t);
    }
    for (int t = 0; t < p->n; t++) {
        for (int i = 0; i < s->heads; i++) {
            const int group = i / (s->heads / s->kv_heads);
            attend(a + i * d, q + t * nq + i * d, k + group * d, v + group * d,
                   p->knobs->causal ? t + 1 : p->n, d, nkv, weight);
        }
        apply(y + t * s->hidden, p, t, &l->o, a);
    }
    free(weight), free(a), free(v), free(k), free(q);
}

/* One row: y = down(act(gate(x)) * up(x)), or down(act(up(x))) without a gate */
static void ffn(double *y, const struct pass *p, int t, const struct layer *l, const double *x)
{
    const struct ck_spec *s = &p->c->spec;
    const char *by_family = s->family == CK_BITNET8 ? "relu2" : "silu";
    const bool squares = strcmp(s->hidden_act ? s->hidden_act : by_family, "relu2") == 0;
    const bool gated = p->knobs->ffn == CK_GATED;
    double *g = new_rows(1, s->ffn), *u = new_rows(1, s->ffn);

    apply(u, p, t, &l->up, x);
    if (gated)
        apply(g, p, t, &l->gate, x);
    for (int i = 0; i < s->ffn; i++) {
        const double z = gated ? g[i] : u[i];
        const double act = squares ? relu2(z) : z / (1 + exp(-z));
        u[i] = gated ? act * u[i] : act;
    }
    apply(y, p, t, &l->down, u);
    free(u), free(g);
}

/* h += o(attn(norm(h))); h += ffn(norm(h)) */
static void pre_block(const struct pass *p, const struct layer *l, double *h)
{
    const int n = p->c->spec.hidden;
    double *x = new_rows(p->n, n), *y = new_rows(p->n, n);

    for (int t = 0; t < p->n; t++)
        normalize(x + t * n, h + t * n, &l->attn_norm, n);
    self_attn(y, p, l, x);
    for (int i = 0; i < p->n * n; i++)
        h[i] += y[i];
    for (int t = 0; t < p->n; t++) {
        normalize(x + t * n, h + t * n, &l->ffn_norm, n);
        ffn(y + t * n, p, t, l, x + t * n);
    }
    for (int i = 0; i < p->n * n; i++)
        h[i] += y[i];
    free(y), free(x);
}

/* h = norm(h + o(attn(x))), where x is h or its LayerNorm without weights; then h = norm(h +
 * ffn(h)) */
static void post_block(const struct pass *p, const struct layer *l, double *h)
{
    const struct norm plain = {.kind = p->knobs->attn_in_norm ? CK_LAYER : CK_NO_NORM,
                               .eps = p->c->spec.eps};
    const int n = p->c->spec.hidden;
    double *x = new_rows(p->n, n), *y = new_rows(p->n, n);

    for (int t = 0; t < p->n; t++)
        normalize(x + t * n, h + t * n, &plain, n);
    self_attn(y, p, l, x);
    for (int i = 0; i < p->n * n; i++)
        h[i] += y[i];
    for (int t = 0; t < p->n; t++) {
        normalize(h + t * n, h + t * n, &l->attn_norm, n);
        ffn(y + t * n, p, t, l, h + t * n);
    }
    for (int i = 0; i < p->n * n; i++)
        h[i] += y[i];
    for (int t = 0; t < p->n; t++)
        normalize(h + t * n, h + t * n, &l->ffn_norm, n);
    free(y), free(x);
}

/* ---- The whole ------------------------------------------------------------------------------- */

static double *embed(const struct ck *c, const double *embd, const int32_t *ids, int n)
{
    const struct ck_spec *s = &c->spec;
    double *h = new_rows(n, s->hidden);
    char stem[64];

    for (int t = 0; t < n; t++)
        memcpy(h + t * s->hidden, embd + ids[t] * s->hidden, (size_t)s->hidden * sizeof *h);
    if (!s->knobs.learned_positions)
        return h;
    snprintf(stem, sizeof stem, "%sembed_positions", s->prefix);
    double *positions = floats(c, stem, "weight", s->n_ctx, s->hidden);
    for (int i = 0; i < n * s->hidden; i++)
        h[i] += positions[i];
    free(positions);
    return h;
}

/* Logits, and the edges of struct pass. */
static double *forward(const struct ck *c, const int32_t *ids, int n, int n_layers, double *edges)
{
    const struct ck_spec *s = &c->spec;
    const struct pass p = {.c = c, .knobs = &s->knobs, .n = n, .edges = edges};
    const char *norm_name = s->family == CK_BITNET8 ? "layer_norm" : "norm";
    char stem[64];

    snprintf(stem, sizeof stem, "%sembed_tokens", s->prefix);
    double *embd = floats(c, stem, "weight", s->vocab, s->hidden);
    double *head = s->untied ? floats(c, ck_head(s, stem), "weight", s->vocab, s->hidden) : embd;
    double *h = embed(c, embd, ids, n), *logits = new_rows(n, s->vocab);

    for (int t = 0; t < n; t++)
        edges[t] = INFINITY;
    for (int i = 0; i < n_layers; i++) {
        struct layer l;
        new_layer(&l, c, i);
        if (s->knobs.block == CK_POST)
            post_block(&p, &l, h);
        else
            pre_block(&p, &l, h);
        free_layer(&l);
    }
    snprintf(stem, sizeof stem, "%s%s", s->prefix, norm_name);
    struct norm norm = new_norm(c, stem, s->knobs.norm, s->eps, s->hidden);
    for (int t = 0; t < n; t++) {
        double *x = h + t * s->hidden;
        if (s->knobs.exit_norm || n_layers == s->n_layer)
            normalize(x, x, &norm, s->hidden);
        for (int r = 0; r < s->vocab; r++)
            for (int i = 0; i < s->hidden; i++)
                logits[(size_t)t * (size_t)s->vocab + (size_t)r] += head[r * s->hidden + i] * x[i];
    }
    free_norm(&norm);
    free(h), free(embd);
    if (s->untied)
        free(head);
    return logits;
}

double *variant_logits(const struct ck *c, const int32_t *ids, int n, int n_layers)
{
    double *edges = new_rows(1, n), *logits = forward(c, ids, n, n_layers, edges);
    free(edges);
    return logits;
}

void variant_text(const struct ck *c, int32_t *ids, int n, uint64_t seed)
{
    /* 1e-6 is a dozen roundings to single precision. If a token also changes earlier ones, there
     * are too few such texts. */
    const double least = c->spec.knobs.causal ? 1e-6 : 4e-7;
    double *edges = new_rows(1, n);

    fx_ids(ids, n, c->spec.vocab, seed);
    for (int tries = 0, t = 0; t < n; tries++) {
        if (tries == 1000) {
            fprintf(stderr, "variant_reference: no text without activations at an edge\n");
            abort();
        }
        free(forward(c, ids, n, c->spec.n_layer, edges));
        for (t = 0; t < n && edges[t] > least; t++)
            ;
        if (t < n)
            ids[t] = (int32_t)(fx_random(&seed) % (uint64_t)c->spec.vocab);
    }
    free(edges);
}
