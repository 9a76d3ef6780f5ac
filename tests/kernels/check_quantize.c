/* check_quantize.c - activations to int8: quantize_row. */
#include "harness.h"

#include <math.h>

enum { TIES = N_FILLS, BELOW_EPS, N_QUANTIZE_KINDS };

static void fill_quantize(float *x, size_t n, int kind, float q_max)
{
    if (kind == TIES) { /* s is 8 or 1/8: all products are integers plus one half */
        const float s = below(2) ? 8.0f : 0.125f;
        for (size_t i = 0; i < n; i++)
            x[i] = (floorf(uniform() * q_max) + 0.5f) / s;
        x[below(n)] = copysignf(q_max / s, uniform());
    } else if (kind == BELOW_EPS) {
        for (size_t i = 0; i < n; i++)
            x[i] = uniform() * 0.5f;
    } else {
        fill_floats(x, n, (enum fill)kind);
    }
}

static void quantize_case(enum trit_act_form form, size_t n, size_t n_padded, int kind)
{
    const float q_max = below(8) ? 127.0f : 7.0f;
    const float eps = kind == BELOW_EPS ? 1.0f : kind == SMALL ? 1e-35f : 1e-5f;
    static const char *const names[] = {"ties", "below eps"};
    begin("%s, n %zu, n_padded %zu, %s, eps %g, q_max %g",
          form == TRIT_ACT_FORM_DIV ? "div" : "mul", n, n_padded,
          kind < N_FILLS ? fill_names[kind] : names[kind - N_FILLS], (double)eps, (double)q_max);

    float *x = input(n * sizeof *x, sizeof *x);
    fill_quantize(x, n, kind, q_max);
    const struct output q = output(n_padded, 1);
    const struct output xq = output(sizeof(struct trit_q8), 4);
    bool ok[2];
    for (int side = 0; side < 2; side++)
        ok[side] = enter(side)->quantize_row[form]((int8_t *)q.p[side], (void *)xq.p[side], x, n,
                                                   n_padded, eps, q_max);
    compare(&q, "q", BITS);
    compare(&xq, "out", BITS);

    const bool finite = kind != WITH_NAN && kind != WITH_INF;
    if (ok[0] != finite || ok[1] != finite)
        fail("returns %d, scalar %d, instead of %d", ok[1], ok[0], finite);
    for (size_t i = finite ? n : 0; i < n_padded; i++)
        if (q.p[1][i] != 0)
            fail("q[%zu] is not 0", i);
}

static void check_quantize_row(int form)
{
    static const size_t wide[] = {320, 864, 2560, 6912};
    for (size_t i = 1; i <= 70 + LENGTH(wide); i++)
        for (int kind = 0; kind < N_QUANTIZE_KINDS; kind++) {
            const size_t n = i <= 70 ? i : wide[i - 71];
            quantize_case((enum trit_act_form)form, n, n, kind);
            quantize_case((enum trit_act_form)form, n, (n + 127) / 128 * 128, kind);
            quantize_case((enum trit_act_form)form, n, n + below(40), kind);
        }
}

static void bench_quantize(const struct trit_kernels *k, const struct bench *b)
{
    k->quantize_row[TRIT_ACT_FORM_MUL](bench_data.q, bench_data.xq, bench_data.x, b->n_cols,
                                       b->n_cols, 1e-5f, 127.0f);
}

static const struct check checks[] = {
    {"quantize_row_mul", check_quantize_row, TRIT_ACT_FORM_MUL},
    {"quantize_row_div", check_quantize_row, TRIT_ACT_FORM_DIV},
};

static const struct bench benches[] = {
    {"quantize_row", 0, 1, 2560, 1, bench_quantize, 2560 * 4, NULL, LIMIT_NONE, 0},
};

const struct family quantize_family = {checks, LENGTH(checks), benches, LENGTH(benches)};
