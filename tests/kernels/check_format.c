/* check_format.c - weights in the formats of a file: decode and gemm. */
#include "harness.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* The positions of the 16-bit floats in a block, so that random blocks can get finite ones. The
 * files are little-endian: the upper half of an F32 is a BF16. */
static const struct format {
    size_t n_bytes, at[2], n_floats;
    int mantissa_bits;
} formats[TRIT_N_FORMATS] = {
    [TRIT_FORMAT_F32] = {4, {2}, 1, 7},       [TRIT_FORMAT_F16] = {2, {0}, 1, 10},
    [TRIT_FORMAT_BF16] = {2, {0}, 1, 7},      [TRIT_FORMAT_Q8_0] = {34, {0}, 1, 10},
    [TRIT_FORMAT_Q4_0] = {18, {0}, 1, 10},    [TRIT_FORMAT_Q4_K] = {144, {0, 2}, 2, 10},
    [TRIT_FORMAT_Q6_K] = {210, {208}, 1, 10},
};

/* Kinds of floats: of similar size, as in a model; any finite; subnormal; any at all. */
enum weights { ALIKE, FINITE, SUBNORMAL, ANY, N_WEIGHTS };
static const char *const weights_names[N_WEIGHTS] = {"alike", "finite", "subnormal", "any"};

static uint16_t random_half(uint16_t h, int mantissa_bits, enum weights kind)
{
    const uint32_t mantissa = (1u << mantissa_bits) - 1;
    const uint32_t exponent = 0x7fffu & ~mantissa, bias = (exponent >> mantissa_bits) / 2;
    uint32_t u = h;
    if (kind == ALIKE)
        u = (u & ~exponent) | (bias - (uint32_t)below(4)) << mantissa_bits;
    else if (kind == SUBNORMAL)
        u &= ~exponent;
    else if (kind == FINITE && (u & exponent) == exponent)
        u &= ~(1u << mantissa_bits);
    return (uint16_t)u;
}

static void fill_weights(uint8_t *w, size_t n_bytes, enum trit_format format, enum weights kind)
{
    const struct format *f = &formats[format];
    fill_bytes(w, n_bytes);
    for (size_t b = 0; b < n_bytes; b += f->n_bytes)
        for (size_t i = 0; i < f->n_floats; i++) {
            uint16_t h;
            memcpy(&h, w + b + f->at[i], sizeof h);
            h = random_half(h, f->mantissa_bits, kind);
            memcpy(w + b + f->at[i], &h, sizeof h);
        }
}

/* The alignment of a weight pointer: 1 if quantized. */
static size_t weight_align(enum trit_format format)
{
    return trit_format_block(format) > 1 ? 1 : trit_format_bytes(format, 1);
}

static void decode_case(enum trit_format format, size_t n, enum weights kind)
{
    begin("n %zu, weights %s", n, weights_names[kind]);
    const size_t n_bytes = trit_format_bytes(format, n);
    uint8_t *w = input(n_bytes, weight_align(format));
    const struct output y = output(n * sizeof(float), 4);
    fill_weights(w, n_bytes, format, kind);
    for (int side = 0; side < 2; side++)
        enter(side)->decode[format](floats(&y, side), w, n);
    compare(&y, "y", trit_format_block(format) > 1 ? FLOATS : BITS);
}

static void every_half(enum trit_format format)
{
    begin("all 65536 values");
    const struct output y = output(65536 * sizeof(float), 4);
    uint16_t *w = input(65536 * sizeof *w, sizeof *w);
    for (size_t i = 0; i < 65536; i++)
        w[i] = (uint16_t)i;
    for (int side = 0; side < 2; side++)
        enter(side)->decode[format](floats(&y, side), w, 65536);
    compare(&y, "y", BITS);
}

static void check_decode(int index)
{
    const enum trit_format format = (enum trit_format)index;
    const size_t block = trit_format_block(format);
    for (size_t n = 1; n <= 40; n++)
        for (int kind = 0; kind < N_WEIGHTS; kind++)
            decode_case(format, n * block, (enum weights)kind);
    decode_case(format, 10240, FINITE);
    if (format == TRIT_FORMAT_F16 || format == TRIT_FORMAT_BF16)
        every_half(format);
}

/* Activations whose every product with the first row of weights is negative and too small for a
 * float: the lanes become -0, and the sum shows which of them the tail was added to. */
static void fill_underflow(float *x, size_t ldx, const uint8_t *w, enum trit_format format,
                           size_t n_cols, size_t n_tokens)
{
    static float row[1 << 13];
    assert(n_cols <= LENGTH(row));
    enter(0)->decode[format](row, w, n_cols);
    for (size_t t = 0; t < n_tokens; t++)
        for (size_t i = 0; i < n_cols; i++)
            x[t * ldx + i] = copysignf(from_bits(1), -row[i]);
}

enum { X_UNIFORM, X_WIDE, X_SPIKES, X_UNDERFLOW, N_GEMM_X };
static const char *const gemm_x_names[N_GEMM_X] = {"uniform", "wide", "spikes", "underflow"};
static const enum fill gemm_x_fills[X_UNDERFLOW] = {UNIFORM, WIDE, SPIKES};

static void gemm_case(enum trit_format format, size_t n_rows, size_t n_cols, size_t n_tokens,
                      enum weights kind, int x_kind)
{
    const size_t ldy = n_rows + (below(2) ? 0 : below(6)), ldx = n_cols + (below(2) ? 0 : below(6));
    begin("n_rows %zu, n_cols %zu, n_tokens %zu, ldy %zu, ldx %zu, weights %s, x %s", n_rows,
          n_cols, n_tokens, ldy, ldx, weights_names[kind], gemm_x_names[x_kind]);

    const bool none = n_rows == 0 || n_tokens == 0;
    const size_t n_bytes = n_rows * trit_format_bytes(format, n_cols);
    const size_t n_x = n_tokens ? (n_tokens - 1) * ldx + n_cols : 0;
    uint8_t *w = input(n_bytes, weight_align(format));
    float *x = input(n_x * sizeof *x, sizeof *x);
    const struct output y = output(none ? 0 : ((n_tokens - 1) * ldy + n_rows) * sizeof(float), 4);
    fill_weights(w, n_bytes, format, kind);
    memset(x, 0xff, n_x * sizeof *x); /* NaNs between rows */
    if (x_kind == X_UNDERFLOW)
        fill_underflow(x, ldx, w, format, n_cols, n_tokens);
    else
        for (size_t t = 0; t < n_tokens; t++)
            fill_floats(x + t * ldx, n_cols, gemm_x_fills[x_kind]);
    for (const struct trit_walk *walk = trit_walks; walk->name; walk++) {
        if (!walk_matters(walk, TRIT_WALK_FLOAT, n_tokens))
            continue;
        for (int side = walk > trit_walks; side < 2; side++)
            enter(side)->gemm[format](floats(&y, side), ldy, w, x, ldx, n_rows, n_cols, n_tokens,
                                      walk);
        compare_rows(&y, walk->name, FLOATS, n_rows * sizeof(float), ldy * sizeof(float),
                     none ? 0 : n_tokens);
    }
}

static void gemm_width(enum trit_format format, size_t n_cols)
{
    for (int x = 0; x < X_UNDERFLOW; x++) {
        gemm_case(format, 1 + below(9), n_cols, 1 + below(9), ALIKE, x);
        gemm_case(format, 1 + below(9), n_cols, 1 + below(9), FINITE, x);
    }
    gemm_case(format, 1 + below(9), n_cols, 1 + below(9), SUBNORMAL, X_UNIFORM);
    gemm_case(format, 1 + below(3), n_cols, 1 + below(5), SUBNORMAL, X_UNDERFLOW);
}

static void check_gemm(int index)
{
    /* From 512 columns on, a decoder may split a row in two. */
    static const size_t wide[] = {100, 320, 511, 512, 513, 864, 1040};
    static const size_t wide_blocks[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20};
    const enum trit_format format = (enum trit_format)index;
    const size_t block = trit_format_block(format), narrow = block > 1 ? block : 35;

    for (size_t rows = 0; rows <= 9; rows++)
        for (size_t tokens = 0; tokens <= 17; tokens += tokens == 9 ? 7 : 1)
            gemm_case(format, rows, narrow, tokens, ALIKE, X_UNIFORM);
    if (block == 1) {
        for (size_t n = 1; n <= 40; n++)
            gemm_width(format, n);
        for (size_t i = 0; i < LENGTH(wide); i++)
            gemm_width(format, wide[i]);
    } else {
        for (size_t i = 0; i < LENGTH(wide_blocks); i++)
            gemm_width(format, wide_blocks[i] * block);
    }
    for (int i = 0; i < 4; i++)
        gemm_case(format, 11 + 2 * below(30), narrow, 1 + below(9), ALIKE, X_UNIFORM);
}

static void fill_stream(const struct bench *b)
{
    fill_weights(bench_data.stream, b->n_weight_bytes, (enum trit_format)b->index, ALIKE);
}

static void bench_gemm(const struct trit_kernels *k, const struct bench *b)
{
    k->gemm[b->index](bench_data.y, b->n_rows, bench_data.stream + bench_data.at, bench_data.x,
                      b->n_cols, b->n_rows, b->n_cols, b->n_tokens, bench_data.walk);
}

static const struct check checks[] = {
    {"decode_f32", check_decode, TRIT_FORMAT_F32},
    {"decode_f16", check_decode, TRIT_FORMAT_F16},
    {"decode_bf16", check_decode, TRIT_FORMAT_BF16},
    {"decode_q8_0", check_decode, TRIT_FORMAT_Q8_0},
    {"decode_q4_0", check_decode, TRIT_FORMAT_Q4_0},
    {"decode_q4_k", check_decode, TRIT_FORMAT_Q4_K},
    {"decode_q6_k", check_decode, TRIT_FORMAT_Q6_K},
    {"gemm_f32", check_gemm, TRIT_FORMAT_F32},
    {"gemm_f16", check_gemm, TRIT_FORMAT_F16},
    {"gemm_bf16", check_gemm, TRIT_FORMAT_BF16},
    {"gemm_q8_0", check_gemm, TRIT_FORMAT_Q8_0},
    {"gemm_q4_0", check_gemm, TRIT_FORMAT_Q4_0},
    {"gemm_q4_k", check_gemm, TRIT_FORMAT_Q4_K},
    {"gemm_q6_k", check_gemm, TRIT_FORMAT_Q6_K},
};

/* Weights come from memory, as those of a head. */
#define GEMM(name, FORMAT, rows, tokens, block, bytes)                                             \
    "gemm_" name, FORMAT, rows, 2560, tokens, bench_gemm, (rows)*2560 / (block) * (bytes),         \
        fill_stream, LIMIT_READ, TRIT_WALK_FLOAT

static const struct bench benches[] = {
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 1, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 2, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 3, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 4, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 5, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 6, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 7, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 8, 1, 2)},
    {GEMM("f16", TRIT_FORMAT_F16, 2048, 16, 1, 2)},
    {GEMM("bf16", TRIT_FORMAT_BF16, 2048, 1, 1, 2)},
    {GEMM("bf16", TRIT_FORMAT_BF16, 2048, 3, 1, 2)},
    {GEMM("bf16", TRIT_FORMAT_BF16, 2048, 8, 1, 2)},
    {GEMM("f32", TRIT_FORMAT_F32, 2048, 1, 1, 4)},
    {GEMM("f32", TRIT_FORMAT_F32, 2048, 3, 1, 4)},
    {GEMM("f32", TRIT_FORMAT_F32, 2048, 8, 1, 4)},
    {GEMM("q8_0", TRIT_FORMAT_Q8_0, 2048, 1, 32, 34)},
    {GEMM("q8_0", TRIT_FORMAT_Q8_0, 2048, 3, 32, 34)},
    {GEMM("q8_0", TRIT_FORMAT_Q8_0, 2048, 8, 32, 34)},
    {GEMM("q4_0", TRIT_FORMAT_Q4_0, 2048, 1, 32, 18)},
    {GEMM("q4_0", TRIT_FORMAT_Q4_0, 2048, 3, 32, 18)},
    {GEMM("q4_0", TRIT_FORMAT_Q4_0, 2048, 8, 32, 18)},
    {GEMM("q4_k", TRIT_FORMAT_Q4_K, 2048, 1, 256, 144)},
    {GEMM("q4_k", TRIT_FORMAT_Q4_K, 2048, 3, 256, 144)},
    {GEMM("q4_k", TRIT_FORMAT_Q4_K, 2048, 8, 256, 144)},
    {GEMM("q6_k", TRIT_FORMAT_Q6_K, 2048, 1, 256, 210)},
    {GEMM("q6_k", TRIT_FORMAT_Q6_K, 2048, 3, 256, 210)},
    {GEMM("q6_k", TRIT_FORMAT_Q6_K, 2048, 8, 256, 210)},
};

const struct family format_family = {checks, LENGTH(checks), benches, LENGTH(benches)};
