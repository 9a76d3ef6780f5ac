/* check_norm.c - norms and the Hadamard transform: rmsnorm, layernorm, fwht. */
#include "harness.h"

enum { HUGE_VALUE = N_FILLS, N_NORM_KINDS };

enum { RMSNORM, LAYERNORM, LAYERNORM_PLAIN, N_NORMS };

static void norm_case(int norm, size_t n, int kind, bool in_place)
{
    begin("n %zu, %s%s%s", n, kind == HUGE_VALUE ? "with 1e30" : fill_names[kind],
          norm == LAYERNORM_PLAIN ? ", no weights" : "", in_place ? ", in place" : "");
    float *x = input_floats(n, kind == HUGE_VALUE ? UNIFORM : (enum fill)kind);
    const float *w = input_floats(n, below(4) ? UNIFORM : WIDE);
    const float *b = input_floats(n, UNIFORM);
    const struct output y = output(n * sizeof *x, sizeof *x);
    const float eps = below(2) ? 1e-5f : 1e-6f;
    bool ok[2];
    if (kind == HUGE_VALUE)
        x[below(n)] = 1e30f;
    if (in_place)
        preload(&y, x);
    for (int side = 0; side < 2; side++) {
        float *p = floats(&y, side);
        const float *from = in_place ? p : x;
        const struct trit_kernels *k = enter(side);
        ok[side] = norm == RMSNORM     ? k->rmsnorm(p, from, w, n, eps)
                   : norm == LAYERNORM ? k->layernorm(p, from, w, b, n, eps)
                                       : k->layernorm(p, from, NULL, NULL, n, eps);
    }
    compare(&y, "y", FLOATS);
    /* one element minus its mean is 0 */
    const bool finite = kind < N_FINITE_FILLS || (kind == HUGE_VALUE && norm != RMSNORM && n == 1);
    if (ok[0] != finite || ok[1] != finite)
        fail("returns %d, scalar %d, instead of %d", ok[1], ok[0], finite);
}

static void check_norm(int norm)
{
    static const size_t wide[] = {320, 864, 2560, 6912};
    for (size_t i = 1; i <= 70 + LENGTH(wide); i++)
        for (int kind = 0; kind < N_NORM_KINDS; kind++) {
            norm_case(norm, i <= 70 ? i : wide[i - 71], kind, false);
            norm_case(norm, i <= 70 ? i : wide[i - 71], kind, true);
        }
    if (norm == LAYERNORM)
        check_norm(LAYERNORM_PLAIN);
}

static void check_fwht(int unused)
{
    (void)unused;
    for (size_t n = 1; n <= 32768; n *= 2)
        for (int kind = 0; kind < N_FILLS; kind++) {
            begin("n %zu, %s", n, fill_names[kind]);
            const float *before = input_floats(n, (enum fill)kind);
            const struct output x = output(n * sizeof *before, sizeof *before);
            preload(&x, before);
            for (int side = 0; side < 2; side++)
                enter(side)->fwht(floats(&x, side), n);
            compare(&x, "x", FLOATS);
        }
}

static void bench_rmsnorm(const struct trit_kernels *k, const struct bench *b)
{
    k->rmsnorm(bench_data.y, bench_data.x, bench_data.x + b->n_cols, b->n_cols, 1e-5f);
}

static void bench_layernorm(const struct trit_kernels *k, const struct bench *b)
{
    k->layernorm(bench_data.y, bench_data.x, bench_data.x + b->n_cols, bench_data.x, b->n_cols,
                 1e-5f);
}

/* In place: values grow to infinity, which does not change the speed. */
static void bench_fwht(const struct trit_kernels *k, const struct bench *b)
{
    k->fwht(bench_data.y, b->n_cols);
}

static const struct check checks[] = {
    {"rmsnorm", check_norm, RMSNORM},
    {"layernorm", check_norm, LAYERNORM},
    {"fwht", check_fwht, 0},
};

static const struct bench benches[] = {
    {"rmsnorm", 0, 1, 2560, 1, bench_rmsnorm, 2 * 2560 * 4, NULL, LIMIT_NONE, 0},
    {"layernorm", 0, 1, 2048, 1, bench_layernorm, 3 * 2048 * 4, NULL, LIMIT_NONE, 0},
    {"fwht", 0, 1, 2048, 1, bench_fwht, 2048 * 4, NULL, LIMIT_NONE, 0},
};

const struct family norm_family = {checks, LENGTH(checks), benches, LENGTH(benches)};
