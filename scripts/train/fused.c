/* fused.c - the fused passes between the matrix products of a training step, for CPUs.
 *
 * fast.py compiles this file and calls it; torch computes the products in bf16. A quantized row is
 * stored as integers -127..127 in bf16, which are exact, together with the factor `inv` that
 * restores their size; a ternary matrix as -1, 0, 1 with its scale. The raw output y of a product
 * therefore stands for y * inv[row] * scale. Its gradient enters torch's products as G = g *
 * inv[row] * scale, so that G' q / scale is the gradient of the weights and G T / inv[row] that of
 * the row. bf16 is a uint16_t here. Everything runs on the thread of the caller: several threads
 * take a microbatch each.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define WIDE 8192 /* widest row */
#define HD 64     /* width of a head */

typedef uint16_t bf16;
typedef float vec __attribute__((vector_size(64), aligned(4)));

static inline float get(bf16 x)
{
    uint32_t u = (uint32_t)x << 16;
    float f;
    memcpy(&f, &u, 4);
    return f;
}

static inline bf16 put(float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return (bf16)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

/* n = RMSNorm of x. Returns 1/rms. */
static float rmsnorm(const float *restrict x, const float *restrict w, float *restrict n, int d)
{
    float ss = 0;
    for (int i = 0; i < d; i++)
        ss += x[i] * x[i];
    float r = 1 / sqrtf(ss / d + 1e-5f);
    for (int i = 0; i < d; i++)
        n[i] = x[i] * r * w[i];
    return r;
}

/* Quantizes to int8 by the largest magnitude of the row. Returns the size of a step. */
static float quantize(const float *restrict n, bf16 *restrict q, int d)
{
    float m = 1e-5f;
    for (int i = 0; i < d; i++) {
        float a = fabsf(n[i]);
        m = a > m ? a : m;
    }
    float s = 127 / m;
    for (int i = 0; i < d; i++)
        q[i] = put(rintf(n[i] * s));
    return m / 127;
}

/* Gradient of x = xhat / r from that of the norm's output; adds the weights' gradient to gw. */
static void rmsnorm_back(const float *restrict x, const float *restrict w, float r,
                         const float *restrict gn, float *restrict gx, float *restrict gw, int d)
{
    float c = 0;
    for (int i = 0; i < d; i++) {
        gw[i] += gn[i] * x[i] * r;
        c += gn[i] * w[i] * x[i];
    }
    c *= r * r / d;
    for (int i = 0; i < d; i++)
        gx[i] = r * (gn[i] * w[i] - x[i] * c);
}

/* xo = x + y * yinv * a, or x if y is NULL; q = the quantized norm of xo, or the norm itself in
 * bf16 if inv is NULL. */
void add_norm(int m, int d, const float *x, const bf16 *y, const float *yinv, float a, float *xo,
              const float *w, bf16 *q, float *inv, float *r)
{
    for (int t = 0; t < m; t++) {
        float n[WIDE];
        const float *row = x + (size_t)t * d;
        if (y) {
            const bf16 *yr = y + (size_t)t * d;
            float *to = xo + (size_t)t * d, f = yinv[t] * a;
            for (int i = 0; i < d; i++)
                to[i] = row[i] + get(yr[i]) * f;
            row = to;
        }
        r[t] = rmsnorm(row, w, n, d);
        bf16 *qr = q + (size_t)t * d;
        if (inv)
            inv[t] = quantize(n, qr, d);
        else
            for (int i = 0; i < d; i++)
                qr[i] = put(n[i]);
    }
}

/* gh += gradient through the norm of x, given g / ginv (g if ginv is NULL); then G = gh * yinv * a
 * for the product that was added to x, if there was one. */
void add_norm_back(int m, int d, const float *x, const float *w, const float *r, const bf16 *g,
                   const float *ginv, float *gh, float *gw, const float *yinv, float a, bf16 *G)
{
    for (int t = 0; t < m; t++) {
        float gn[WIDE], gx[WIDE];
        const bf16 *gr = g + (size_t)t * d;
        float *h = gh + (size_t)t * d, f = ginv ? 1 / ginv[t] : 1;
        for (int i = 0; i < d; i++)
            gn[i] = get(gr[i]) * f;
        rmsnorm_back(x + (size_t)t * d, w, r[t], gn, gx, gw, d);
        for (int i = 0; i < d; i++)
            h[i] += gx[i];
        if (G)
            for (int i = 0; i < d; i++)
                G[(size_t)t * d + i] = put(h[i] * yinv[t] * a);
    }
}

/* The sub-norm of attention's output. */
void sub_norm(int m, int d, const bf16 *x, const float *w, bf16 *q, float *inv, float *r)
{
    for (int t = 0; t < m; t++) {
        float row[WIDE], n[WIDE];
        for (int i = 0; i < d; i++)
            row[i] = get(x[(size_t)t * d + i]);
        r[t] = rmsnorm(row, w, n, d);
        inv[t] = quantize(n, q + (size_t)t * d, d);
    }
}

void sub_norm_back(int m, int d, const bf16 *x, const float *w, const float *r, const bf16 *g,
                   const float *ginv, float *gw, bf16 *go)
{
    for (int t = 0; t < m; t++) {
        float row[WIDE], gn[WIDE], gx[WIDE];
        float f = 1 / ginv[t];
        for (int i = 0; i < d; i++) {
            row[i] = get(x[(size_t)t * d + i]);
            gn[i] = get(g[(size_t)t * d + i]) * f;
        }
        rmsnorm_back(row, w, r[t], gn, gx, gw, d);
        for (int i = 0; i < d; i++)
            go[(size_t)t * d + i] = put(gx[i]);
    }
}

/* relu(gate)^2 * up, its norm, quantized. y is gate and up side by side. */
void glu(int m, int d, const bf16 *y, const float *yinv, float ag, float au, const float *w,
         bf16 *q, float *inv, float *r)
{
    for (int t = 0; t < m; t++) {
        float u[WIDE], n[WIDE], fg = yinv[t] * ag, fu = yinv[t] * au;
        const bf16 *gate = y + (size_t)t * 2 * d, *up = gate + d;
        for (int i = 0; i < d; i++) {
            float a = get(gate[i]) * fg;
            a = a > 0 ? a : 0;
            u[i] = a * a * (get(up[i]) * fu);
        }
        r[t] = rmsnorm(u, w, n, d);
        inv[t] = quantize(n, q + (size_t)t * d, d);
    }
}

void glu_back(int m, int d, const bf16 *y, const float *yinv, float ag, float au, const float *w,
              const float *r, const bf16 *g, const float *ginv, float *gw, bf16 *G)
{
    for (int t = 0; t < m; t++) {
        float u[WIDE], gn[WIDE], gu[WIDE];
        float fg = yinv[t] * ag, fu = yinv[t] * au, f = 1 / ginv[t];
        const bf16 *gate = y + (size_t)t * 2 * d, *up = gate + d;
        const bf16 *gr = g + (size_t)t * d;
        bf16 *Gg = G + (size_t)t * 2 * d, *Gu = Gg + d;
        for (int i = 0; i < d; i++) {
            float a = get(gate[i]) * fg;
            a = a > 0 ? a : 0;
            u[i] = a * a * (get(up[i]) * fu);
            gn[i] = get(gr[i]) * f;
        }
        rmsnorm_back(u, w, r[t], gn, gu, gw, d);
        for (int i = 0; i < d; i++) {
            float a = get(gate[i]) * fg;
            a = a > 0 ? a : 0;
            Gg[i] = put(gu[i] * 2 * a * (get(up[i]) * fu) * fg);
            Gu[i] = put(gu[i] * a * a * fu);
        }
    }
}

/* ---- Attention: a sequence and a key-value head at a time, in the cache --------------------- */

/* c[n_rows, 64] (+)= a[row * ar + k * ak] b[k, 64], n_rows a multiple of 4. */
static void product(int n_rows, int k0, int k1, const float *a, int ar, int ak, const float *b,
                    int ldb, float *c, int ldc, int add)
{
    for (int i = 0; i < n_rows; i += 4) {
        vec s[4][4];
        for (int p = 0; p < 4; p++)
            for (int j = 0; j < 4; j++)
                s[p][j] = add ? *(const vec *)(c + (size_t)(i + p) * ldc + 16 * j) : (vec){0};
        const float *ai = a + (size_t)i * ar;
        for (int k = k0; k < k1; k++) {
            const float *bk = b + (size_t)k * ldb, *aik = ai + (size_t)k * ak;
            vec b0 = *(const vec *)bk, b1 = *(const vec *)(bk + 16);
            vec b2 = *(const vec *)(bk + 32), b3 = *(const vec *)(bk + 48);
#pragma GCC unroll 4
            for (int p = 0; p < 4; p++) {
                float x = aik[(size_t)p * ar];
                s[p][0] += b0 * x;
                s[p][1] += b1 * x;
                s[p][2] += b2 * x;
                s[p][3] += b3 * x;
            }
        }
        for (int p = 0; p < 4; p++)
            for (int j = 0; j < 4; j++)
                *(vec *)(c + (size_t)(i + p) * ldc + 16 * j) = s[p][j];
    }
}

/* The rows of y of one head as floats, rotated by their positions if there is a table of cosines
 * and sines; xt, if not NULL, is the transpose. */
static void load_head(int n, const bf16 *y, int ld, const float *yinv, float a, const float *cs,
                      float *restrict x, float *restrict xt)
{
    for (int t = 0; t < n; t++) {
        const bf16 *row = y + (size_t)t * ld;
        const float *c = cs + (size_t)t * HD, *s = c + HD / 2;
        float f = yinv ? yinv[t] * a : 1, *to = x + (size_t)t * HD;
        for (int i = 0; i < HD / 2; i++) {
            float lo = get(row[i]) * f, hi = get(row[i + HD / 2]) * f;
            to[i] = cs ? lo * c[i] - hi * s[i] : lo;
            to[i + HD / 2] = cs ? lo * s[i] + hi * c[i] : hi;
        }
    }
    for (int t = 0; xt && t < n; t += 16)
        for (int i = 0; i < HD; i++)
            for (int j = t; j < t + 16; j++)
                xt[(size_t)i * n + j] = x[(size_t)j * HD + i];
}

static void store_head(int n, const float *x, const float *yinv, float a, const float *cs, bf16 *y,
                       int ld)
{
    for (int t = 0; t < n; t++) {
        bf16 *row = y + (size_t)t * ld;
        const float *c = cs + (size_t)t * HD, *s = c + HD / 2, *from = x + (size_t)t * HD;
        float f = yinv ? yinv[t] * a : 1;
        for (int i = 0; i < HD / 2; i++) {
            float lo = from[i] * f, hi = from[i + HD / 2] * f;
            row[i] = put(cs ? lo * c[i] + hi * s[i] : lo);
            row[i + HD / 2] = put(cs ? hi * c[i] - lo * s[i] : hi);
        }
    }
}

/* Causal probabilities of one head, row t in p[t, 0..n), zeros after t up to its block's end. */
static void attend(int n, const float *q, const float *kt, float *p)
{
    float scale = 1 / sqrtf(HD);
    for (int t = 0; t < n; t += 64)
        for (int j = 0; j <= t; j += 64)
            product(64, 0, HD, q + (size_t)t * HD, HD, 1, kt + j, n, p + (size_t)t * n + j, n, 0);
    for (int t = 0; t < n; t++) {
        float *row = p + (size_t)t * n, top = row[0], sum = 0;
        for (int j = 0; j <= t; j++)
            top = row[j] > top ? row[j] : top;
        for (int j = 0; j <= t; j++) {
            row[j] = expf((row[j] - top) * scale);
            sum += row[j];
        }
        sum = 1 / sum;
        for (int j = 0; j <= t; j++)
            row[j] *= sum;
        for (int j = t + 1; j < (t | 63) + 1; j++)
            row[j] = 0;
    }
}

/* y: heads of q, then k, then v side by side; o: [b * n, heads * 64]; n a multiple of 64. */
void attention(int b, int n, int heads, int kv, const bf16 *y, const float *yinv, float aq,
               float ak, float av, const float *cs, bf16 *o)
{
    int ld = (heads + 2 * kv) * HD, rep = heads / kv;
    for (int task = 0; task < b * kv; task++) {
        size_t at = (size_t)(task / kv) * n;
        int g = task % kv;
        float *buf = aligned_alloc(64, ((size_t)5 * n * HD + (size_t)n * n) * sizeof *buf);
        float *k = buf, *kt = k + n * HD, *v = kt + n * HD, *q = v + n * HD, *c = q + n * HD;
        float *p = c + n * HD;
        load_head(n, y + at * ld + (heads + g) * HD, ld, yinv + at, ak, cs, k, kt);
        load_head(n, y + at * ld + (heads + kv + g) * HD, ld, yinv + at, av, NULL, v, NULL);
        for (int h = g * rep; h < (g + 1) * rep; h++) {
            load_head(n, y + at * ld + h * HD, ld, yinv + at, aq, cs, q, NULL);
            attend(n, q, kt, p);
            for (int t = 0; t < n; t += 64)
                product(64, 0, t + 64, p + (size_t)t * n, n, 1, v, HD, c + (size_t)t * HD, HD, 0);
            store_head(n, c, NULL, 0, NULL, o + at * heads * HD + h * HD, heads * HD);
        }
        free(buf);
    }
}

void attention_back(int b, int n, int heads, int kv, const bf16 *y, const float *yinv, float aq,
                    float ak, float av, const float *cs, const bf16 *go, bf16 *G)
{
    int ld = (heads + 2 * kv) * HD, rep = heads / kv;
    float scale = 1 / sqrtf(HD);
    for (int task = 0; task < b * kv; task++) {
        size_t at = (size_t)(task / kv) * n;
        int g = task % kv, size = n * HD;
        float *buf = aligned_alloc(64, ((size_t)9 * size + 2 * (size_t)n * n) * sizeof *buf);
        float *k = buf, *kt = k + size, *v = kt + size, *vt = v + size, *q = vt + size;
        float *d = q + size, *gq = d + size, *gk = gq + size, *gv = gk + size;
        float *p = gv + size, *gp = p + (size_t)n * n;
        memset(gk, 0, 2 * size * sizeof *gk);
        load_head(n, y + at * ld + (heads + g) * HD, ld, yinv + at, ak, cs, k, kt);
        load_head(n, y + at * ld + (heads + kv + g) * HD, ld, yinv + at, av, NULL, v, vt);
        for (int h = g * rep; h < (g + 1) * rep; h++) {
            load_head(n, y + at * ld + h * HD, ld, yinv + at, aq, cs, q, NULL);
            load_head(n, go + at * heads * HD + h * HD, heads * HD, NULL, 0, NULL, d, NULL);
            attend(n, q, kt, p);
            for (int s = 0; s < n; s += 64)
                product(64, s, n, p + s, 1, n, d, HD, gv + (size_t)s * HD, HD, 1);
            for (int t = 0; t < n; t += 64)
                for (int j = 0; j <= t; j += 64)
                    product(64, 0, HD, d + (size_t)t * HD, HD, 1, vt + j, n, gp + (size_t)t * n + j,
                            n, 0);
            for (int t = 0; t < n; t++) {
                float *row = gp + (size_t)t * n, *pr = p + (size_t)t * n, sum = 0;
                int end = (t | 63) + 1;
                for (int j = 0; j < end; j++)
                    sum += row[j] * pr[j];
                for (int j = 0; j < end; j++)
                    row[j] = (row[j] - sum) * pr[j] * scale;
            }
            for (int t = 0; t < n; t += 64)
                product(64, 0, t + 64, gp + (size_t)t * n, n, 1, k, HD, gq + (size_t)t * HD, HD, 0);
            for (int s = 0; s < n; s += 64)
                product(64, s, n, gp + s, 1, n, q, HD, gk + (size_t)s * HD, HD, 1);
            store_head(n, gq, yinv + at, aq, cs, G + at * ld + h * HD, ld);
        }
        store_head(n, gk, yinv + at, ak, cs, G + at * ld + (heads + g) * HD, ld);
        store_head(n, gv, yinv + at, av, NULL, G + at * ld + (heads + kv + g) * HD, ld);
        free(buf);
    }
}

/* Loss of each row of logits, which become the gradient: (p - 1 at the target) * f. */
void cross_entropy(int m, int v, bf16 *logits, const int64_t *target, float f, float *loss)
{
    for (int t = 0; t < m; t++) {
        float e[1 << 16];
        bf16 *row = logits + (size_t)t * v;
        float top = -INFINITY, sum = 0, right = get(row[target[t]]);
        for (int i = 0; i < v; i++) {
            e[i] = get(row[i]);
            top = e[i] > top ? e[i] : top;
        }
        for (int i = 0; i < v; i++) {
            e[i] = expf(e[i] - top);
            sum += e[i];
        }
        loss[t] = logf(sum) + top - right;
        float g = f / sum;
        for (int i = 0; i < v; i++)
            row[i] = put(e[i] * g);
        row[target[t]] = put(e[target[t]] * g - f);
    }
}
