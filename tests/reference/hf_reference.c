/* hf_reference.c - see hf_reference.h. Arrays of several rows are [n tokens, width]. Formulas are
 * those of transformers (modeling_bitnet.py, modeling_llama.py, integrations/bitnet.py) and of
 * 1bitLLM's modeling_bitnet.py and utils_quant.py, without their roundings to bf16. */
#include "hf_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

/* y = scale * T quantized(x), possibly after a norm of the linear's own */
struct linear {
    int n_in, n_out;
    int8_t *t; /* [n_out, n_in] */
    double scale;
    double *norm; /* [n_in] or NULL */
    double norm_eps;
};

struct layer {
    double *input_norm, *post_norm, *attn_sub_norm, *ffn_sub_norm; /* sub-norms may be NULL */
    struct linear q, k, v, o, gate, up, down;
};

struct pass {
    const struct ck *c;
    int n;
    double eps;
};

/* ---- Weights --------------------------------------------------------------------------------- */

static void check_shape(const struct ck_tensor *t, int n_rows, int n_cols)
{
    const bool matrix = t->n_dims == 2 && t->dims[0] == (uint64_t)n_rows;
    const bool vector = t->n_dims == 1 && n_rows == 1;
    if ((matrix || vector) && t->dims[t->n_dims - 1] == (uint64_t)n_cols)
        return;
    fprintf(stderr, "hf_reference: %s is not [%d, %d]\n", t->name, n_rows, n_cols);
    abort();
}

static double *floats(const struct ck *c, const char *name, int n_rows, int n_cols)
{
    const struct ck_tensor *t = ck_tensor(c, name);
    double *x = new_rows(n_rows, n_cols);

    check_shape(t, n_rows, n_cols);
    for (size_t i = 0; i < (size_t)n_rows * (size_t)n_cols; i++)
        x[i] = ck_value(t, i);
    return x;
}

static double *layer_norm(const struct ck *c, int layer, const char *where, int n)
{
    char name[128];
    snprintf(name, sizeof name, "model.layers.%d.%s.weight", layer, where);
    return floats(c, name, 1, n);
}

/* a = max(mean |W|, 1e-5), T = clamp(round(W / a), -1, 1) */
static void absmean(struct linear *l, const double *w)
{
    const size_t n = (size_t)l->n_in * (size_t)l->n_out;
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += fabs(w[i]);
    l->scale = fmax(sum / (double)n, 1e-5);
    for (size_t i = 0; i < n; i++)
        l->t[i] = (int8_t)fmax(-1, fmin(1, rint(w[i] / l->scale)));
}

/* AutoBitLinear: weight_scale is the value of +1. BitLinear: its reciprocal. */
static void unpack(struct linear *l, const struct ck *c, const struct ck_tensor *t,
                   const char *stem)
{
    char name[128];

    snprintf(name, sizeof name, "%s.weight_scale", stem);
    const double scale = ck_value(ck_tensor(c, name), 0);
    l->scale = c->spec.autobit ? scale : 1 / scale;
    for (int r = 0; r < l->n_out; r++)
        for (int i = 0; i < l->n_in; i++)
            l->t[(size_t)r * (size_t)l->n_in + (size_t)i] = (int8_t)ck_code(t, l->n_out, r, i);
}

static struct linear new_linear(const struct ck *c, int layer, const char *where, int n_out,
                                int n_in)
{
    struct linear l = {.n_in = n_in, .n_out = n_out, .norm_eps = c->spec.rms_eps};
    char stem[96], name[128];

    l.t = take((size_t)n_in * (size_t)n_out, 1);
    snprintf(stem, sizeof stem, "model.layers.%d.%s", layer, where);
    snprintf(name, sizeof name, "%s.weight", stem);
    const struct ck_tensor *t = ck_tensor(c, name);
    if (strcmp(t->dtype, "U8") == 0) {
        unpack(&l, c, t, stem);
    } else {
        double *w = floats(c, name, n_out, n_in);
        absmean(&l, w);
        free(w);
    }
    if (c->spec.rms_norm) {
        snprintf(name, sizeof name, "%s.rms_norm.weight", stem);
        l.norm = floats(c, name, 1, n_in);
    }
    return l;
}

static void new_layer(struct layer *l, const struct ck *c, int i)
{
    const struct ck_spec *s = &c->spec;
    const int nq = s->heads * s->head_dim, nkv = s->kv_heads * s->head_dim;
    const bool bitnet = s->family == CK_BITNET;

    *l = (struct layer){
        .input_norm = layer_norm(c, i, "input_layernorm", s->hidden),
        .post_norm = layer_norm(c, i, "post_attention_layernorm", s->hidden),
        .q = new_linear(c, i, "self_attn.q_proj", nq, s->hidden),
        .k = new_linear(c, i, "self_attn.k_proj", nkv, s->hidden),
        .v = new_linear(c, i, "self_attn.v_proj", nkv, s->hidden),
        .o = new_linear(c, i, "self_attn.o_proj", s->hidden, nq),
        .gate = new_linear(c, i, "mlp.gate_proj", s->ffn, s->hidden),
        .up = new_linear(c, i, "mlp.up_proj", s->ffn, s->hidden),
        .down = new_linear(c, i, "mlp.down_proj", s->hidden, s->ffn),
    };
    if (s->family == CK_LLAMA)
        return;
    l->attn_sub_norm =
        layer_norm(c, i, bitnet ? "self_attn.attn_sub_norm" : "self_attn.inner_attn_ln", nq);
    l->ffn_sub_norm = layer_norm(c, i, bitnet ? "mlp.ffn_sub_norm" : "mlp.ffn_layernorm", s->ffn);
}

static void free_layer(struct layer *l)
{
    struct linear *linears[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    for (size_t i = 0; i < sizeof linears / sizeof *linears; i++) {
        free(linears[i]->t);
        free(linears[i]->norm);
    }
    free(l->input_norm);
    free(l->post_norm);
    free(l->attn_sub_norm);
    free(l->ffn_sub_norm);
}

/* ---- Forward pass ---------------------------------------------------------------------------- */

/* y = w * x / sqrt(mean(x^2) + eps); y may be x */
static void rmsnorm(double *y, const double *x, const double *w, double eps, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * x[i];
    const double r = 1 / sqrt(sum / n + eps);
    for (int i = 0; i < n; i++)
        y[i] = w[i] * (x[i] * r);
}

/* s = 127 / max(max |x|, 1e-5), q = round(x * s) to even; y = scale / s * sum T q */
static void apply(double *y, const struct linear *l, const double *x)
{
    double *normed = new_rows(1, l->n_in), m = 1e-5;
    int32_t *q = take((size_t)l->n_in, sizeof *q);

    memcpy(normed, x, (size_t)l->n_in * sizeof *x);
    if (l->norm)
        rmsnorm(normed, normed, l->norm, l->norm_eps, l->n_in);
    for (int i = 0; i < l->n_in; i++)
        m = fmax(m, fabs(normed[i]));
    for (int i = 0; i < l->n_in; i++)
        q[i] = (int32_t)rint(normed[i] * (127 / m));
    for (int r = 0; r < l->n_out; r++) {
        const int8_t *t = l->t + (size_t)r * (size_t)l->n_in;
        int32_t sum = 0;
        for (int i = 0; i < l->n_in; i++)
            sum += t[i] * q[i];
        y[r] = l->scale * (m / 127) * sum;
    }
    free(q);
    free(normed);
}

/* rotate_half: element i of a head is paired with element i + d/2. */
static void rotate(const struct ck_spec *s, double *head, int pos)
{
    const int half = s->head_dim / 2;
    const double at = s->rope_factor > 0 ? pos / s->rope_factor : pos;

    for (int i = 0; i < half; i++) {
        const double angle = at * pow(s->rope_theta, -2.0 * i / s->head_dim);
        const double a = head[i], b = head[i + half];
        head[i] = a * cos(angle) - b * sin(angle);
        head[i + half] = b * cos(angle) + a * sin(angle);
    }
}

/* One query head at position t. keys and values are those of its group in rows of stride; p: [t+1]
 * scratch */
static void attend(double *out, const double *q, const double *keys, const double *values, int t,
                   int d, int stride, double *p)
{
    double max = -INFINITY, sum = 0;

    for (int j = 0; j <= t; j++) {
        p[j] = 0;
        for (int i = 0; i < d; i++)
            p[j] += q[i] * keys[j * stride + i];
        p[j] *= pow(d, -0.5);
        max = fmax(max, p[j]);
    }
    for (int j = 0; j <= t; j++)
        sum += p[j] = exp(p[j] - max);
    memset(out, 0, (size_t)d * sizeof *out);
    for (int j = 0; j <= t; j++)
        for (int i = 0; i < d; i++)
            out[i] += p[j] / sum * values[j * stride + i];
}

/* h += o_proj(sub_norm(attention(input_layernorm(h)))) */
static void self_attn(const struct pass *p, const struct layer *l, double *h)
{
    const struct ck_spec *s = &p->c->spec;
    const int d = s->head_dim, nq = s->heads * d, nkv = s->kv_heads * d;
    double *q = new_rows(p->n, nq), *k = new_rows(p->n, nkv), *v = new_rows(p->n, nkv);
    double *x = new_rows(1, s->hidden), *a = new_rows(1, nq), *weight = new_rows(1, p->n);

    for (int t = 0; t < p->n; t++) {
        rmsnorm(x, h + t * s->hidden, l->input_norm, p->eps, s->hidden);
        apply(q + t * nq, &l->q, x);
        apply(k + t * nkv, &l->k, x);
        apply(v + t * nkv, &l->v, x);
        for (int i = 0; i < s->heads; i++)
            rotate(s, q + t * nq + i * d, t);
        for (int i = 0; i < s->kv_heads; i++)
            rotate(s, k + t * nkv + i * d, t);
    }
    for (int t = 0; t < p->n; t++) {
        for (int i = 0; i < s->heads; i++) {
            const int group = i / (s->heads / s->kv_heads); /* repeat_interleave */
            attend(a + i * d, q + t * nq + i * d, k + group * d, v + group * d, t, d, nkv, weight);
        }
        if (l->attn_sub_norm)
            rmsnorm(a, a, l->attn_sub_norm, p->eps, nq);
        apply(x, &l->o, a);
        for (int i = 0; i < s->hidden; i++)
            h[t * s->hidden + i] += x[i];
    }
    free(weight), free(a), free(x), free(v), free(k), free(q);
}

/* h += down_proj(sub_norm(act(gate_proj(x)) * up_proj(x))), x = post_attention_layernorm(h) */
static void mlp(const struct pass *p, const struct layer *l, double *h)
{
    const struct ck_spec *s = &p->c->spec;
    const bool relu2 = s->family == CK_BITNET;
    double *x = new_rows(1, s->hidden), *g = new_rows(1, s->ffn), *u = new_rows(1, s->ffn);

    for (int t = 0; t < p->n; t++) {
        rmsnorm(x, h + t * s->hidden, l->post_norm, p->eps, s->hidden);
        apply(g, &l->gate, x);
        apply(u, &l->up, x);
        for (int i = 0; i < s->ffn; i++)
            u[i] *= relu2 ? (g[i] > 0 ? g[i] * g[i] : 0) : g[i] / (1 + exp(-g[i]));
        if (l->ffn_sub_norm)
            rmsnorm(u, u, l->ffn_sub_norm, p->eps, s->ffn);
        apply(x, &l->down, u);
        for (int i = 0; i < s->hidden; i++)
            h[t * s->hidden + i] += x[i];
    }
    free(u), free(g), free(x);
}

double *hf_logits(const struct ck *c, const int32_t *ids, int n)
{
    const struct ck_spec *s = &c->spec;
    const struct pass p = {.c = c, .n = n, .eps = s->eps};
    double *embd = floats(c, "model.embed_tokens.weight", s->vocab, s->hidden);
    double *head = s->untied ? floats(c, "lm_head.weight", s->vocab, s->hidden) : embd;
    double *norm = floats(c, "model.norm.weight", 1, s->hidden);
    double *h = new_rows(n, s->hidden), *x = new_rows(1, s->hidden);
    double *logits = new_rows(n, s->vocab);

    for (int t = 0; t < n; t++)
        memcpy(h + t * s->hidden, embd + ids[t] * s->hidden, (size_t)s->hidden * sizeof *h);
    for (int i = 0; i < s->n_layer; i++) {
        struct layer l;
        new_layer(&l, c, i);
        self_attn(&p, &l, h);
        mlp(&p, &l, h);
        free_layer(&l);
    }
    for (int t = 0; t < n; t++) {
        rmsnorm(x, h + t * s->hidden, norm, s->eps, s->hidden);
        for (int r = 0; r < s->vocab; r++)
            for (int i = 0; i < s->hidden; i++)
                logits[(size_t)t * (size_t)s->vocab + (size_t)r] += head[r * s->hidden + i] * x[i];
    }
    free(x), free(h), free(norm), free(embd);
    if (s->untied)
        free(head);
    return logits;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

static double log_sum_exp(const double *x, size_t n)
{
    double max = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++)
        max = fmax(max, x[i]);
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i] - max);
    return max + log(sum);
}

static size_t argmax(const double *x, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

struct hf_distance hf_compare(const double *reference, const float *measured, size_t n_rows,
                              size_t n_cols)
{
    const size_t n = n_rows * n_cols;
    double *y = take(n_cols, sizeof *y), mean = 0, variance = 0;
    struct hf_distance d = {.finite = true};

    for (size_t r = 0; r < n_rows; r++) {
        const double *x = reference + r * n_cols;
        for (size_t i = 0; i < n_cols; i++)
            y[i] = (double)measured[r * n_cols + i];
        const double zx = log_sum_exp(x, n_cols), zy = log_sum_exp(y, n_cols);
        for (size_t i = 0; i < n_cols; i++) {
            d.kl += exp(x[i] - zx) * (x[i] - zx - (y[i] - zy)) / (double)n_rows;
            d.error += fabs(x[i] - y[i]) / (double)n;
            d.finite = d.finite && isfinite(y[i]);
            mean += x[i] / (double)n;
        }
        d.top1 += (argmax(x, n_cols) == argmax(y, n_cols)) / (double)n_rows;
    }
    for (size_t i = 0; i < n; i++)
        variance += (reference[i] - mean) * (reference[i] - mean) / (double)n;
    d.error /= sqrt(variance);
    free(y);
    return d;
}

bool hf_close(const struct hf_distance *d)
{
    return d->finite && d->kl < 2e-3 && d->top1 >= 0.95 && d->error < 2e-2;
}
