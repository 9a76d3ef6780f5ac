/* reference.c - see reference.h. Arrays of several rows are [n tokens, width]. */
#include "reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

enum { MAX_WIDTH = 8192 };

struct pass {
    const struct fx_model *m;
    struct ref_rope rope;
    int n;
    bool pairs, relu2;
};

/* ReLU2 by key, else by name; but the shapes of the 1bitLLM models use SiLU with any name. */
static bool is_relu2(const struct fx_spec *s)
{
    if (s->hidden_activation)
        return strstr(s->hidden_activation, "relu") != NULL;
    if (s->n_embd == 1536 && s->n_ff == 4096)
        return false;
    return strcmp(s->arch, "bitnet-b1.58") == 0 || strcmp(s->arch, "bitnet-25") == 0;
}

enum { MODEL_NORM, LINEAR_NORM };

/* y = w * x / sqrt(mean(x^2) + eps), with the eps of the fixture's files */
static void rmsnorm_of(int which, double *y, const double *x, const float *w, int n)
{
    const double eps = (double)(which == LINEAR_NORM ? 1e-3f : 1e-5f);
    double ss = 0;
    for (int i = 0; i < n; i++)
        ss += x[i] * x[i];
    for (int i = 0; i < n; i++)
        y[i] = (double)w[i] * (x[i] / sqrt(ss / n + eps));
}

static void rmsnorm(double *y, const double *x, const float *w, int n)
{
    rmsnorm_of(MODEL_NORM, y, x, w, n);
}

/* y = W quantized(x), x normed where the linear has a norm: q = rint(x*127/m) with
 * m = max(|x|, 1e-5); y = scale * m/127 * sum t*q */
static void linear(const struct pass *p, double *y, const struct fx_linear *w, const double *x)
{
    static double normed[MAX_WIDTH];
    int32_t q[MAX_WIDTH];
    double m = 1e-5;

    if (w->n_in > MAX_WIDTH) {
        fprintf(stderr, "reference: rows of %d do not fit\n", w->n_in);
        abort();
    }
    if (w->norm) {
        rmsnorm_of(LINEAR_NORM, normed, x, w->norm, w->n_in);
        x = normed;
    }
    for (int i = 0; i < w->n_in; i++)
        m = fmax(m, fabs(x[i]));
    for (int i = 0; i < w->n_in; i++)
        q[i] = (int32_t)rint(x[i] * (127 / m));
    for (int r = 0; r < w->n_out; r++) {
        const int8_t *t = w->t + (size_t)r * (size_t)w->n_in;
        int32_t sum = 0;
        for (int i = 0; i < w->n_in; i++)
            sum += t[i] * q[i];
        y[r] = (double)w->scale * m / 127 * sum;
        if (p->m->spec.linear_relu2)
            y[r] = y[r] > 0 ? y[r] * y[r] : 0;
    }
}

/* Turn pair i of a head by pos / factor * base^(-2i/n_rot). */
static void rotate(const struct pass *p, double *head, int pos)
{
    const int n = p->rope.n_rot;
    for (int i = 0; i < n / 2; i++) {
        double angle = pos / p->rope.factor * pow((double)p->m->spec.rope_base, -2.0 * i / n);
        if (p->rope.divide)
            angle /= (double)p->rope.divide[i];
        double *a = &head[p->pairs ? 2 * i : i], *b = &head[p->pairs ? 2 * i + 1 : i + n / 2];
        const double a0 = *a, b0 = *b;
        *a = a0 * cos(angle) - b0 * sin(angle);
        *b = a0 * sin(angle) + b0 * cos(angle);
    }
}

/* One query head at position t over the keys and values of its group. weight: [n] scratch */
static void attend(const struct pass *p, double *out, const double *q, const double *k,
                   const double *v, int t, double *weight)
{
    const int d = p->m->spec.head_dim, stride = p->m->spec.n_head_kv * d;
    double max = -INFINITY, sum = 0;

    for (int j = 0; j <= t; j++) {
        weight[j] = 0;
        for (int i = 0; i < d; i++)
            weight[j] += q[i] * k[(size_t)j * (size_t)stride + (size_t)i];
        weight[j] /= sqrt(d);
        max = fmax(max, weight[j]);
    }
    for (int j = 0; j <= t; j++)
        sum += weight[j] = exp(weight[j] - max);
    memset(out, 0, (size_t)d * sizeof *out);
    for (int j = 0; j <= t; j++)
        for (int i = 0; i < d; i++)
            out[i] += weight[j] / sum * v[(size_t)j * (size_t)stride + (size_t)i];
}

/* h += W_o sub_norm(attention(norm(h))) */
static void attention(const struct pass *p, const struct fx_layer *l, double *h)
{
    const struct fx_spec *s = &p->m->spec;
    const int d = s->head_dim, nq = s->n_head * d, nkv = s->n_head_kv * d;
    double *q = new_rows(p->n, nq), *k = new_rows(p->n, nkv), *v = new_rows(p->n, nkv);
    double *x = new_rows(1, s->n_embd), *att = new_rows(1, nq), *weight = new_rows(p->n, 1);

    for (int t = 0; t < p->n; t++) {
        rmsnorm(x, h + t * s->n_embd, l->attn_norm, s->n_embd);
        linear(p, q + t * nq, &l->q, x);
        linear(p, k + t * nkv, &l->k, x);
        linear(p, v + t * nkv, &l->v, x);
        for (int i = 0; i < s->n_head; i++)
            rotate(p, q + t * nq + i * d, t);
        for (int i = 0; i < s->n_head_kv; i++)
            rotate(p, k + t * nkv + i * d, t);
    }
    for (int t = 0; t < p->n; t++) {
        for (int i = 0; i < s->n_head; i++) {
            const int group = i / (s->n_head / s->n_head_kv);
            attend(p, att + i * d, q + t * nq + i * d, k + group * d, v + group * d, t, weight);
        }
        if (l->attn_sub_norm)
            rmsnorm(att, att, l->attn_sub_norm, nq);
        linear(p, x, &l->o, att);
        for (int i = 0; i < s->n_embd; i++)
            h[t * s->n_embd + i] += x[i];
    }
    free(weight), free(att), free(x), free(v), free(k), free(q);
}

/* h += W_down sub_norm(act(W_gate norm(h)) * W_up norm(h)) */
static void ffn(const struct pass *p, const struct fx_layer *l, double *h)
{
    const struct fx_spec *s = &p->m->spec;
    double *x = new_rows(1, s->n_embd), *g = new_rows(1, s->n_ff), *u = new_rows(1, s->n_ff);

    for (int t = 0; t < p->n; t++) {
        rmsnorm(x, h + t * s->n_embd, l->ffn_norm, s->n_embd);
        linear(p, g, &l->gate, x);
        linear(p, u, &l->up, x);
        for (int i = 0; i < s->n_ff; i++)
            u[i] *= p->relu2 ? (g[i] > 0 ? g[i] * g[i] : 0) : g[i] / (1 + exp(-g[i]));
        if (l->ffn_sub_norm)
            rmsnorm(u, u, l->ffn_sub_norm, s->n_ff);
        linear(p, x, &l->down, u);
        for (int i = 0; i < s->n_embd; i++)
            h[t * s->n_embd + i] += x[i];
    }
    free(u), free(g), free(x);
}

double *ref_logits(const struct fx_model *m, const struct ref_rope *rope, const int32_t *tokens,
                   int n)
{
    const struct fx_spec *s = &m->spec;
    struct pass p = {.m = m, .n = n, .relu2 = is_relu2(s), .pairs = strcmp(s->arch, "llama") == 0};
    double *h = new_rows(n, s->n_embd), *x = new_rows(1, s->n_embd);
    double *logits = new_rows(n, s->n_vocab);

    if (rope)
        p.rope = *rope;
    p.rope.n_rot = p.rope.n_rot ? p.rope.n_rot : s->head_dim;
    p.rope.factor = p.rope.factor > 0 ? p.rope.factor : 1;
    for (int t = 0; t < n; t++)
        for (int i = 0; i < s->n_embd; i++)
            h[t * s->n_embd + i] = (double)m->embd[tokens[t] * s->n_embd + i];
    for (int il = 0; il < s->n_layer; il++) {
        attention(&p, &m->layers[il], h);
        ffn(&p, &m->layers[il], h);
    }
    for (int t = 0; t < n; t++) {
        rmsnorm(x, h + t * s->n_embd, m->output_norm, s->n_embd);
        for (int r = 0; r < s->n_vocab; r++)
            for (int i = 0; i < s->n_embd; i++)
                logits[t * s->n_vocab + r] += (double)m->head[r * s->n_embd + i] * x[i];
    }
    free(x);
    free(h);
    return logits;
}
