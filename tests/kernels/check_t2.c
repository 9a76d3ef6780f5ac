/* check_t2.c - products of ternary weights and int8: t2_gemm. */
#include "harness.h"

#include <math.h>
#include <string.h>

enum { CODES_RANDOM = 4, CODES_TERNARY, N_CODES }; /* below 4: all weights have that code */
enum { X_RANDOM, X_TOP, X_BOTTOM, X_ZERO, N_X };
static const char *const codes_names[N_CODES] = {"0", "1", "2", "3", "0..3", "0..2"};
static const char *const x_names[N_X] = {"random", "127", "-127", "0"};

static void fill_t2(uint8_t *w, size_t n, int codes)
{
    if (codes < CODES_RANDOM)
        memset(w, codes * 0x55, n);
    else
        fill_bytes(w, n);
    if (codes == CODES_TERNARY) /* 3 becomes 1: take the high bit from where the low one is set */
        for (size_t i = 0; i < n; i++)
            w[i] &= (uint8_t)(0xff - (w[i] << 1 & 0xaa));
}

static void fill_x(int8_t *x, size_t n, int kind)
{
    if (kind == X_RANDOM)
        fill_int8(x, n);
    else
        memset(x, kind == X_TOP ? 127 : kind == X_BOTTOM ? -127 : 0, n);
}

static void t2_case(size_t n_rows, size_t n_cols, size_t n_tokens, int codes, int kind)
{
    const size_t ldy = n_rows + (below(2) ? 0 : below(6));
    begin("n_rows %zu, n_cols %zu, n_tokens %zu, ldy %zu, codes %s, x %s", n_rows, n_cols, n_tokens,
          ldy, codes_names[codes], x_names[kind]);

    const bool none = n_rows == 0 || n_tokens == 0;
    uint8_t *w = input(n_rows * n_cols / 4, 1);
    int8_t *x = input(n_tokens * n_cols, 1);
    struct trit_q8 *xq = input(n_tokens * sizeof *xq, 4);
    const struct output y = output(none ? 0 : ((n_tokens - 1) * ldy + n_rows) * sizeof(float), 4);
    fill_t2(w, n_rows * n_cols / 4, codes);
    fill_x(x, n_tokens * n_cols, kind);
    for (size_t t = 0; t < n_tokens; t++) {
        xq[t] = (struct trit_q8){.s = ldexpf(1.5f + uniform() * 0.5f, (int)below(20) - 5)};
        for (size_t i = 0; i < n_cols; i++)
            xq[t].sum += x[t * n_cols + i];
    }
    const float w_scale = uniform() * 4.0f;
    for (const struct trit_walk *walk = trit_walks; walk->name; walk++) {
        if (!walk_matters(walk, TRIT_WALK_T2, n_tokens))
            continue;
        for (int side = walk > trit_walks; side < 2; side++)
            enter(side)->t2_gemm(floats(&y, side), ldy, w, x, xq, w_scale, n_rows, n_cols, n_tokens,
                                 walk);
        compare_rows(&y, walk->name, FLOATS, n_rows * sizeof(float), ldy * sizeof(float),
                     none ? 0 : n_tokens);
    }
}

static void check_t2_gemm(int unused)
{
    /* Near powers of two and near multiples of 8, 10 and 16 blocks, where sums are widened. */
    static const size_t blocks[] = {1, 2, 3, 7, 8, 9, 10, 11, 15, 16, 17, 20, 21, 30, 31, 54, 128};
    static const size_t shapes[][2] = {{1, 1}, {2, 4}, {5, 5}, {4, 1}};
    /* Near the sizes of panels and tiles. */
    static const size_t many[] = {12, 15, 16, 17, 31, 33, 47, 48, 49, 64, 127, 128, 129, 150};
    (void)unused;

    for (size_t rows = 0; rows <= 9; rows++)
        for (size_t tokens = 0; tokens <= 10; tokens++)
            t2_case(rows, 128 * (1 + below(12)), tokens < 10 ? tokens : 17, CODES_RANDOM, X_RANDOM);
    for (size_t i = 0; i < LENGTH(blocks); i++)
        for (int codes = 0; codes < N_CODES; codes++)
            for (int x = 0; x < N_X; x++) {
                const size_t *shape = shapes[below(LENGTH(shapes))];
                t2_case(shape[0], 128 * blocks[i], shape[1], codes, x);
            }
    for (int i = 0; i < 8; i++)
        t2_case(11 + 2 * below(30), 128 * (1 + below(20)), 1 + below(9), CODES_TERNARY, X_RANDOM);
    for (size_t i = 0; i < LENGTH(many); i++)
        t2_case(many[below(LENGTH(many))], 128 * (1 + below(13)), many[i], CODES_RANDOM, X_RANDOM);
    t2_case(1, (size_t)1 << 18, 17, 3, X_BOTTOM);
    t2_case(1, (size_t)1 << 22, 1, 3, X_TOP); /* the widest: the sum is close to 2^31 */
    t2_case(1, (size_t)1 << 22, 1, 3, X_BOTTOM);
}

static void fill_stream(const struct bench *b)
{
    fill_t2(bench_data.stream, b->n_weight_bytes, CODES_TERNARY);
}

static void bench_t2(const struct trit_kernels *k, const struct bench *b)
{
    k->t2_gemm(bench_data.y, b->n_rows, bench_data.stream + bench_data.at, bench_data.q,
               bench_data.xq, 1.0f, b->n_rows, b->n_cols, b->n_tokens, bench_data.walk);
}

static const struct check checks[] = {
    {"t2_gemm", check_t2_gemm, 0},
};

/* With up to three tokens, weights come from memory, as in generation. */
#define T2(rows, cols, tokens)                                                                     \
    "t2_gemm", 0, rows, cols, tokens, bench_t2, (rows) * (cols) / 4, fill_stream,                  \
        (tokens) <= 3 ? LIMIT_READ : LIMIT_MACS, TRIT_WALK_T2

static const struct bench benches[] = {
    /* two or three tokens may also be the digits of a single one (linear.c) */
    {T2(2560, 2560, 1)},   {T2(2560, 2560, 2)},   {T2(2560, 2560, 3)},
    {T2(2560, 2560, 8)},   {T2(2560, 2560, 64)},  {T2(6912, 2560, 1)},
    {T2(6912, 2560, 64)},  {T2(2560, 6912, 1)},   {T2(4096, 14336, 1)},
    {T2(2560, 6912, 8)},   {T2(2560, 6912, 64)},  {T2(2560, 2560, 512)}, /* a batch for AMX */
    {T2(4096, 4096, 512)}, {T2(2560, 6912, 512)},
};

const struct family t2_family = {checks, LENGTH(checks), benches, LENGTH(benches)};
