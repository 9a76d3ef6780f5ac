/* test_kernels.c - compares the scalar kernels with formulas that are written a second time here.
 *
 * check_kernels compares every instruction set with scalar.c; this suite tests scalar.c. Expected
 * values are integers, double arithmetic, or single float operations in order, by kernels.h and
 * ggml's published block layouts, never by scalar.c. Weights are packed here and must come out of
 * the decoder again. */
#include "kernels.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "half.h"
#include "suite.h"

#define LENGTH(a) (sizeof(a) / sizeof *(a))

static struct trit_kernels k; /* the scalar row */

static int setup(void **state)
{
    (void)state;
    trit_kernels_init(&k, &trit_isas[0]);
    return 0;
}

/* ---- Chance and comparison ------------------------------------------------------------------- */

static uint32_t random_u32(void) /* a fixed sequence: failures repeat */
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 32);
}

static float uniform(void) /* -1..1 */
{
    return (float)((double)random_u32() * 0x1p-31 - 1.0);
}

static void fill_uniform(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = uniform();
}

static uint32_t bits_of(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static void assert_same(float got, float want, const char *what, size_t i)
{
    if (bits_of(got) != bits_of(want))
        fail_msg("%s %zu: %.9g (%08x) instead of %.9g (%08x)", what, i, (double)got,
                 (unsigned)bits_of(got), (double)want, (unsigned)bits_of(want));
}

static void assert_near(double got, double want, double tolerance, const char *what, size_t i)
{
    if (!(fabs(got - want) <= tolerance)) /* in this form a NaN fails */
        fail_msg("%s %zu: %.9g instead of %.9g (off by %.3g, may be off by %.3g)", what, i, got,
                 want, fabs(got - want), tolerance);
}

static double relative_error(double got, double want)
{
    return fabs(got - want) / fabs(want);
}

/* ---- fmaf and the lane rule ------------------------------------------------------------------ */

/* Cases where an fma computed in double rounds twice: a*b is exact in double and is at, or next to,
 * the middle of two floats; c is too small to change it in double, but decides the result. */
static const struct fma_case {
    float a, b, c, fused, by_double;
} fma_cases[] = {
    {0x1.001p+0f, 0x1.001p+0f, 0x1p-80f, 0x1.002002p+0f, 0x1.002p+0f},
    {-0x1.001p+0f, 0x1.001p+0f, -0x1p-80f, -0x1.002002p+0f, -0x1.002p+0f},
    {0x1.003p+0f, 0x1.001p+0f, -0x1p-80f, 0x1.004002p+0f, 0x1.004004p+0f},
};

static void test_fmaf(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(fma_cases); i++) {
        const volatile struct fma_case c = fma_cases[i]; /* not constant-folded */
        assert_same(fmaf(c.a, c.b, c.c), c.fused, "fmaf", i);
        assert_same((float)((double)c.a * (double)c.b + (double)c.c), c.by_double, "by double", i);
    }
}

/* The kernel's own fma: a lane takes c*1, then a*b, and all other lanes stay 0. */
static void test_gemm_is_fused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(fma_cases); i++) {
        const struct fma_case *c = &fma_cases[i];
        const float w[17] = {c->c, [16] = c->a}, x[17] = {1.0f, [16] = c->b};
        float y;
        k.gemm[TRIT_FORMAT_F32](&y, 1, w, x, 17, 1, 17, 1, trit_walks);
        assert_same(y, c->fused, "gemm_f32", i);
    }
}

/* The lane rule of kernels.h, lane by lane. */
static float lane_dot(const float *a, const float *b, size_t n)
{
    const size_t n_padded = (n + 15) / 16 * 16;
    float lane[16];

    for (size_t j = 0; j < 16; j++) {
        lane[j] = 0.0f;
        for (size_t i = j; i < n_padded; i += 16)
            lane[j] = fmaf(i < n ? a[i] : 0.0f, i < n ? b[i] : 0.0f, lane[j]);
    }
    for (size_t step = 8; step >= 1; step /= 2)
        for (size_t j = 0; j < step; j++)
            lane[j] = lane[j] + lane[j + step];
    return lane[0];
}

static void test_lane_rule(void **state)
{
    enum { MAX = 1200, ROWS = 3, TOKENS = 2 };
    static float w[ROWS * MAX], x[TOKENS * (MAX + 3)];
    (void)state;
    for (size_t n = 1; n <= MAX; n += n < 70 ? 1 : 113) {
        const size_t ldx = n + 3, ldy = ROWS + 1;
        float y[TOKENS * (ROWS + 1)];
        fill_uniform(w, ROWS * n);
        fill_uniform(x, TOKENS * ldx);
        k.gemm[TRIT_FORMAT_F32](y, ldy, w, x, ldx, ROWS, n, TOKENS, trit_walks);
        for (size_t t = 0; t < TOKENS; t++)
            for (size_t r = 0; r < ROWS; r++) {
                const float *a = w + r * n, *b = x + t * ldx;
                double exact = 0.0;
                for (size_t i = 0; i < n; i++)
                    exact += (double)a[i] * (double)b[i];
                assert_same(y[t * ldy + r], lane_dot(a, b, n), "dot of width", n);
                assert_near((double)y[t * ldy + r], exact, 1e-6 * (1.0 + sqrt((double)n)),
                            "dot of width", n);
            }
    }
}

/* Products that underflow below 0 leave a lane at -0; the padded tail's fma makes it +0 again. */
static void test_lane_rule_pads(void **state)
{
    float w[20], x[20], y;
    (void)state;
    for (size_t i = 0; i < 20; i++)
        w[i] = -1e-30f, x[i] = 1e-30f;
    k.gemm[TRIT_FORMAT_F32](&y, 1, w, x, 16, 1, 16, 1, trit_walks);
    assert_same(y, -0.0f, "sum of lanes that are all -0, width", 16);
    k.gemm[TRIT_FORMAT_F32](&y, 1, w, x, 17, 1, 17, 1, trit_walks);
    assert_same(y, 0.0f, "sum of padded lanes, width", 17);
}

/* ---- Ternary --------------------------------------------------------------------------------- */

/* Put code c of weight i where the diagram in kernels.h has it. */
static void put_code(uint8_t *w, size_t i, unsigned c)
{
    const size_t block = i / 128, plane = i % 128 / 32, byte = i % 32;
    const unsigned shift = 6 - 2 * (unsigned)plane;
    w[32 * block + byte] = (uint8_t)((w[32 * block + byte] & ~(3u << shift)) | c << shift);
}

/* One weight at a time, selected by an x that is 1 there and 0 elsewhere. */
static void test_t2_packing(void **state)
{
    enum { N = 256 };
    uint8_t w[N / 4] = {0}, codes[N];
    (void)state;
    for (size_t i = 0; i < N; i++)
        put_code(w, i, codes[i] = (uint8_t)(random_u32() % 4));
    for (size_t i = 0; i < N; i++) {
        int8_t x[N] = {0};
        const struct trit_q8 xq = {.s = 1.0f, .sum = 1};
        float y;
        x[i] = 1;
        k.t2_gemm(&y, 1, w, x, &xq, 1.0f, 1, N, 1, trit_walks);
        assert_same(y, (float)codes[i] - 1.0f, "weight", i);
    }

    /* By hand: byte 0 of the second block holds -1, 0, +1, +2 at 128, 160, 192, 224. */
    int8_t x[N] = {[128] = 1, [160] = 2, [192] = 4, [224] = 8};
    const struct trit_q8 xq = {.s = 0.5f, .sum = 15};
    float y;
    w[32] = 0x1b;
    k.t2_gemm(&y, 1, w, x, &xq, 3.0f, 1, N, 1, trit_walks);
    assert_same(y, (-1.0f + 4.0f + 16.0f) * (3.0f / 0.5f), "by hand", 0);
}

static void test_t2_gemm(void **state)
{
    enum { ROWS = 5, COLS = 6912, TOKENS = 3, LDY = 7 };
    static uint8_t w[ROWS * COLS / 4];
    static int8_t ternary[ROWS * COLS], x[TOKENS * COLS];
    struct trit_q8 xq[TOKENS];
    float y[TOKENS * LDY];
    (void)state;

    for (size_t i = 0; i < ROWS * COLS; i++) {
        ternary[i] = (int8_t)(random_u32() % 3 - 1);
        put_code(w + i / COLS * (COLS / 4), i % COLS, (unsigned)(ternary[i] + 1));
    }
    for (size_t t = 0; t < TOKENS; t++) {
        xq[t] = (struct trit_q8){.s = 0.3f + (float)t};
        for (size_t i = 0; i < COLS; i++) {
            x[t * COLS + i] = (int8_t)((int)(random_u32() % 255) - 127);
            xq[t].sum += x[t * COLS + i];
        }
    }
    k.t2_gemm(y, LDY, w, x, xq, 0.7f, ROWS, COLS, TOKENS, trit_walks);
    for (size_t t = 0; t < TOKENS; t++)
        for (size_t r = 0; r < ROWS; r++) {
            int64_t exact = 0;
            for (size_t i = 0; i < COLS; i++)
                exact += ternary[r * COLS + i] * x[t * COLS + i];
            const float factor = 0.7f / xq[t].s;
            assert_same(y[t * LDY + r], (float)exact * factor, "row", r);
        }
}

/* ---- Activation rows ------------------------------------------------------------------------- */

/* Nearest whole number, half to even. */
static double round_half_even(double x)
{
    const double down = floor(x), rest = x - down;
    if (rest != 0.5)
        return rest < 0.5 ? down : down + 1.0;
    return fmod(down, 2.0) == 0.0 ? down : down + 1.0;
}

static void check_quantized_as(enum trit_act_form form, const float *x, size_t n, size_t n_padded,
                               float eps, float q_max)
{
    int8_t q[512];
    struct trit_q8 xq;
    float m = eps;
    int32_t sum = 0;

    memset(q, 99, sizeof q);
    assert_true(k.quantize_row[form](q, &xq, x, n, n_padded, eps, q_max));
    for (size_t i = 0; i < n; i++)
        m = fabsf(x[i]) > m ? fabsf(x[i]) : m;
    assert_same(xq.s, q_max / m, "s of width", n);
    for (size_t i = 0; i < n; i++) {
        const float top = x[i] * q_max;
        const float scaled = form == TRIT_ACT_FORM_DIV ? top / m : x[i] * xq.s;
        assert_int_equal(q[i], (int)round_half_even((double)scaled));
        assert_in_range(q[i] + 127, 0, 254);
        sum += q[i];
    }
    for (size_t i = n; i < n_padded; i++)
        assert_int_equal(q[i], 0);
    assert_int_equal(xq.sum, sum);
    assert_int_equal(q[n_padded], 99);
}

static void check_quantized(const float *x, size_t n, size_t n_padded, float eps, float q_max)
{
    check_quantized_as(TRIT_ACT_FORM_MUL, x, n, n_padded, eps, q_max);
    check_quantized_as(TRIT_ACT_FORM_DIV, x, n, n_padded, eps, q_max);
}

static void test_quantize_row(void **state)
{
    float x[300];
    (void)state;
    for (size_t n = 1; n <= 300; n += 13) {
        fill_uniform(x, n);
        check_quantized(x, n, n, 1e-5f, 127.0f);
        check_quantized(x, n, (n + 127) / 128 * 128, 1e-5f, 127.0f);
        check_quantized(x, n, n, 3.0f, 127.0f); /* eps above them all */
        check_quantized(x, n, n, 1e-5f, 7.0f);
    }
    for (size_t i = 0; i < 254; i++) /* every tie in 8 bits */
        x[i] = ((float)i - 126.5f) / 8.0f;
    x[254] = 127.0f / 8.0f;
    check_quantized(x, 255, 256, 1e-5f, 127.0f);
    memset(x, 0, sizeof x);
    check_quantized(x, 100, 128, 1e-5f, 127.0f);
}

static void test_quantize_row_not_finite(void **state)
{
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    (void)state;
    for (size_t b = 0; b < LENGTH(bad); b++)
        for (size_t at = 0; at < 40; at++) {
            float x[40];
            int8_t q[128];
            struct trit_q8 xq;
            fill_uniform(x, 40);
            x[at] = bad[b];
            memset(q, 99, sizeof q);
            for (int form = 0; form < TRIT_N_ACT_FORMS; form++) {
                assert_false(k.quantize_row[form](q, &xq, x, 40, 128, 1e-5f, 127.0f));
                for (size_t i = 0; i < 128; i++)
                    assert_int_equal(q[i], 0);
            }
        }
    float x[2] = {0x1.8p120f, 1};
    int8_t q[2];
    struct trit_q8 xq;
    assert_true(k.quantize_row[TRIT_ACT_FORM_MUL](q, &xq, x, 2, 2, 1e-5f, 127.0f));
    assert_false(k.quantize_row[TRIT_ACT_FORM_DIV](q, &xq, x, 2, 2, 1e-5f, 127.0f));
    x[0] = TRIT_DIV_MAX;
    assert_true(k.quantize_row[TRIT_ACT_FORM_DIV](q, &xq, x, 2, 2, 1e-5f, 127.0f));
    assert_int_equal(q[0], 127);
}

/* ---- 16-bit floats --------------------------------------------------------------------------- */

/* The value of a finite f16 by IEEE 754: 5 bits of exponent, 10 of fraction. */
static double f16_value(unsigned h)
{
    const int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 1023);
    const double magnitude =
        exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return h & 0x8000 ? -magnitude : magnitude;
}

static bool f16_is_nan(unsigned h)
{
    return (h & 0x7fff) > 0x7c00;
}

static float *decode_all(enum trit_format format)
{
    static float y[65536];
    static uint16_t all[65536];
    for (size_t i = 0; i < 65536; i++)
        all[i] = (uint16_t)i;
    k.decode[format](y, all, 65536);
    return y;
}

static void test_f16_values(void **state)
{
    const float *y = decode_all(TRIT_FORMAT_F16);
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        if (f16_is_nan(h))
            assert_true(isnan(y[h]) && !signbit(y[h]) == !(h & 0x8000));
        else if ((h & 0x7fff) == 0x7c00)
            assert_same(y[h], h & 0x8000 ? -INFINITY : INFINITY, "f16", h);
        else
            assert_same(y[h], (float)f16_value(h), "f16", h);
    }
}

static void test_f16_round_trip(void **state)
{
    static uint16_t back[65536];
    const float *y = decode_all(TRIT_FORMAT_F16);
    (void)state;
    k.kv_store[TRIT_KV_F16](back, NULL, y, 65536);
    for (unsigned h = 0; h < 65536; h++)
        if (f16_is_nan(h)) {
            assert_true(f16_is_nan(back[h]));
        } else if ((h & 0x7fff) == 0x7c00) {
            assert_int_equal(back[h], h - 1); /* saturated: the largest finite one */
            assert_int_equal(trit_f32_to_f16(y[h]), h);
        } else {
            assert_int_equal(back[h], h);
            assert_int_equal(trit_f32_to_f16(y[h]), h);
        }
}

static unsigned stored_f16(float x)
{
    uint16_t h;
    k.kv_store[TRIT_KV_F16](&h, NULL, &x, 1);
    return h;
}

/* Between every two neighbors: the middle rounds to the even one, other values to the nearer
 * one. */
static void test_f16_rounding(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x7bff; h++) {
        const float middle = (float)((f16_value(h) + f16_value(h + 1)) / 2.0); /* exact */
        const unsigned even = h + (h & 1);
        assert_int_equal(stored_f16(middle), even);
        assert_int_equal(stored_f16(nextafterf(middle, 0.0f)), h);
        assert_int_equal(stored_f16(nextafterf(middle, 1e9f)), h + 1);
        assert_int_equal(stored_f16(-middle), even | 0x8000);
        assert_int_equal(trit_f32_to_f16(middle), even);
    }
}

static void test_f16_saturation(void **state)
{
    static const float big[] = {65504.0f, 65519.99f, 65520.0f, 65536.0f, 1e30f, INFINITY};
    (void)state;
    for (size_t i = 0; i < LENGTH(big); i++) {
        assert_int_equal(stored_f16(big[i]), 0x7bff);
        assert_int_equal(stored_f16(-big[i]), 0xfbff);
    }
    assert_true(f16_is_nan(stored_f16(NAN)));
    assert_int_equal(trit_f32_to_f16(65519.99f), 0x7bff);
    assert_int_equal(trit_f32_to_f16(65520.0f), 0x7c00);
    assert_int_equal(stored_f16(1e-40f), 0);
    assert_int_equal(stored_f16(-1e-40f), 0x8000);
}

static void test_bf16_values(void **state)
{
    const float *y = decode_all(TRIT_FORMAT_BF16);
    (void)state;
    for (uint32_t h = 0; h < 65536; h++)
        assert_int_equal(bits_of(y[h]), h << 16);
}

/* ---- Block formats: packed as ggml packs them ------------------------------------------------ */

static void put_f16(uint8_t *p, unsigned h)
{
    p[0] = (uint8_t)h;
    p[1] = (uint8_t)(h >> 8);
}

enum { F16_ONE_HALF = 0x3800, F16_TWO = 0x4000, F16_MINUS_QUARTER = 0xb400, F16_EIGHTH = 0x3000 };

static void test_formats(void **state)
{
    static const struct {
        size_t block, bytes;
    } want[TRIT_N_FORMATS] = {
        [TRIT_FORMAT_F32] = {1, 4},      [TRIT_FORMAT_F16] = {1, 2},
        [TRIT_FORMAT_BF16] = {1, 2},     [TRIT_FORMAT_Q8_0] = {32, 34},
        [TRIT_FORMAT_Q4_0] = {32, 18},   [TRIT_FORMAT_Q4_K] = {256, 144},
        [TRIT_FORMAT_Q6_K] = {256, 210},
    };
    (void)state;
    for (int f = 0; f < TRIT_N_FORMATS; f++) {
        assert_int_equal(trit_format_block((enum trit_format)f), want[f].block);
        assert_int_equal(trit_format_bytes((enum trit_format)f, 5 * want[f].block),
                         5 * want[f].bytes);
    }
}

static void test_f32_decode(void **state)
{
    float x[37], y[37];
    (void)state;
    fill_uniform(x, 37);
    k.decode[TRIT_FORMAT_F32](y, x, 37);
    assert_memory_equal(x, y, sizeof x);
}

static void test_q8_0(void **state)
{
    uint8_t blocks[2 * 34];
    float y[64];
    (void)state;
    put_f16(blocks, F16_ONE_HALF);
    put_f16(blocks + 34, F16_MINUS_QUARTER);
    for (int i = 0; i < 32; i++) {
        blocks[2 + i] = (uint8_t)(i * 8 - 128); /* -128..120 */
        blocks[36 + i] = (uint8_t)(127 - i);
    }
    k.decode[TRIT_FORMAT_Q8_0](y, blocks, 64);
    for (int i = 0; i < 32; i++) {
        assert_same(y[i], 0.5f * (float)(i * 8 - 128), "q8_0", (size_t)i);
        assert_same(y[32 + i], -0.25f * (float)(127 - i), "q8_0", (size_t)(32 + i));
    }
}

/* Weight i of a block is in the low nibble of byte i, weight 16+i in the high one. */
static void test_q4_0(void **state)
{
    uint8_t blocks[2 * 18] = {0};
    int q[64];
    float y[64];
    (void)state;
    for (size_t i = 0; i < 64; i++) {
        uint8_t *block = blocks + i / 32 * 18;
        q[i] = (int)(random_u32() % 16);
        put_f16(block, F16_TWO);
        block[2 + i % 16] |= (uint8_t)(i % 32 < 16 ? q[i] : q[i] << 4);
    }
    k.decode[TRIT_FORMAT_Q4_0](y, blocks, 64);
    for (size_t i = 0; i < 64; i++)
        assert_same(y[i], 2.0f * (float)(q[i] - 8), "q4_0", i);
}

/* As ggml's quantize_row_q4_K_ref packs: scales and minimums of 6 bits, 64 weights to 32 bytes. */
static void pack_q4_k(uint8_t *block, const int scale[8], const int min[8], const int q[256])
{
    uint8_t *scales = block + 4, *qs = block + 16;
    memset(block, 0, 144);
    put_f16(block, F16_ONE_HALF);
    put_f16(block + 2, F16_EIGHTH);
    for (int j = 0; j < 4; j++) {
        scales[j] = (uint8_t)(scale[j] | scale[j + 4] >> 4 << 6);
        scales[4 + j] = (uint8_t)(min[j] | min[j + 4] >> 4 << 6);
        scales[8 + j] = (uint8_t)((scale[j + 4] & 15) | (min[j + 4] & 15) << 4);
    }
    for (int j = 0; j < 256; j += 64)
        for (int l = 0; l < 32; l++)
            qs[j / 2 + l] = (uint8_t)(q[j + l] | q[j + 32 + l] << 4);
}

static void test_q4_k(void **state)
{
    uint8_t blocks[2 * 144];
    int scale[2][8], min[2][8], q[2][256];
    float y[512];
    (void)state;
    for (int b = 0; b < 2; b++) {
        for (int j = 0; j < 8; j++) {
            scale[b][j] = (int)(random_u32() % 64);
            min[b][j] = (int)(random_u32() % 64);
        }
        for (int i = 0; i < 256; i++)
            q[b][i] = (int)(random_u32() % 16);
        pack_q4_k(blocks + 144 * b, scale[b], min[b], q[b]);
    }
    k.decode[TRIT_FORMAT_Q4_K](y, blocks, 512);
    for (size_t i = 0; i < 512; i++) { /* powers of two: exact */
        const size_t b = i / 256, j = i % 256 / 32;
        const double want = 0.5 * scale[b][j] * q[b][i % 256] - 0.125 * min[b][j];
        assert_same(y[i], (float)want, "q4_k", i);
    }
}

/* As ggml's quantize_row_q6_K_ref packs: 128 weights to 64 bytes of low nibbles and 32 of pairs. */
static void pack_q6_k(uint8_t *block, const int scale[16], const int q[256])
{
    uint8_t *ql = block, *qh = block + 128;
    memset(block, 0, 210);
    for (int j = 0; j < 256; j += 128, ql += 64, qh += 32)
        for (int l = 0; l < 32; l++) {
            const int q1 = q[j + l], q2 = q[j + l + 32], q3 = q[j + l + 64], q4 = q[j + l + 96];
            ql[l] = (uint8_t)((q1 & 15) | (q3 & 15) << 4);
            ql[l + 32] = (uint8_t)((q2 & 15) | (q4 & 15) << 4);
            qh[l] = (uint8_t)(q1 >> 4 | q2 >> 4 << 2 | q3 >> 4 << 4 | q4 >> 4 << 6);
        }
    for (int j = 0; j < 16; j++)
        block[192 + j] = (uint8_t)scale[j];
    put_f16(block + 208, F16_ONE_HALF);
}

static void test_q6_k(void **state)
{
    uint8_t blocks[2 * 210];
    int scale[2][16], q[2][256];
    float y[512];
    (void)state;
    for (int b = 0; b < 2; b++) {
        for (int j = 0; j < 16; j++)
            scale[b][j] = (int)(random_u32() % 256) - 128;
        for (int i = 0; i < 256; i++)
            q[b][i] = (int)(random_u32() % 64);
        pack_q6_k(blocks + 210 * b, scale[b], q[b]);
    }
    k.decode[TRIT_FORMAT_Q6_K](y, blocks, 512);
    for (size_t i = 0; i < 512; i++) {
        const size_t b = i / 256, in = i % 256;
        const float want = 0.5f * (float)scale[b][in / 16] * (float)(q[b][in] - 32);
        assert_same(y[i], want, "q6_k", i);
    }
}

/* Every format's gemm is its decoder and the lane rule. Quantized rows start at an odd address. */
static void test_gemm_decodes(void **state)
{
    enum { ROWS = 3, COLS = 1280, TOKENS = 2 };
    static _Alignas(4) uint8_t bytes[ROWS * COLS * 4 + 4];
    static float row[COLS], x[TOKENS * COLS];
    (void)state;
    fill_uniform(x, TOKENS * COLS);
    for (int f = 0; f < TRIT_N_FORMATS; f++) {
        const enum trit_format format = (enum trit_format)f;
        const size_t row_bytes = trit_format_bytes(format, COLS);
        const size_t offset = trit_format_block(format) > 1 ? 1 : 4;
        float y[TOKENS * ROWS];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(random_u32() & 0xbf); /* no exponent is all ones */
        k.gemm[f](y, ROWS, bytes + offset, x, COLS, ROWS, COLS, TOKENS, trit_walks);
        for (size_t r = 0; r < ROWS; r++) {
            k.decode[f](row, bytes + offset + r * row_bytes, COLS);
            for (size_t t = 0; t < TOKENS; t++)
                assert_same(y[t * ROWS + r], lane_dot(row, x + t * COLS, COLS), "format",
                            (size_t)f);
        }
    }
}

/* ---- exp, and what is built on it ------------------------------------------------------------ */

enum { EXP_STEPS = 200000 };

/* exp alone, for x <= 0: merging with a block of maximum 0 scales what was there by exp(x). */
static float merged_exp(float x)
{
    const float zero = 0.0f;
    const struct trit_softmax block = {.max = 0.0f, .sum = 0.0f};
    struct trit_softmax sm = {.max = x, .sum = 1.0f};
    float acc = 1.0f;
    k.attn_merge(&acc, &sm, &zero, &block, 1, 1, 1);
    assert_same(sm.sum, acc, "sum and acc of a merge", 0);
    return acc;
}

static void test_exp(void **state)
{
    double worst = 0.0;
    (void)state;
    for (int i = 0; i <= EXP_STEPS; i++) {
        const float x = -87.0f * (float)i / (float)EXP_STEPS;
        const double error = relative_error((double)merged_exp(x), exp((double)x));
        worst = error > worst ? error : worst;
    }
    assert_near(worst, 0.0, 3e-7, "worst relative error of exp", 0);
    assert_same(merged_exp(0.0f), 1.0f, "exp(0)", 0);
    assert_same(merged_exp(-0.0f), 1.0f, "exp(-0)", 0);
    assert_same(merged_exp(-1000.0f), merged_exp(-87.0f), "exp below its range", 0);
    assert_true(merged_exp(-INFINITY) < 2e-38f); /* e^-87 is not 0 */
    assert_true(isnan(merged_exp(NAN)));
}

static void test_silu(void **state)
{
    static float gate[EXP_STEPS + 1], up[EXP_STEPS + 1], y[EXP_STEPS + 1];
    double worst = 0.0;
    (void)state;
    for (int i = 0; i <= EXP_STEPS; i++) {
        gate[i] = -87.0f + 175.0f * ((float)i / (float)EXP_STEPS);
        up[i] = i % 2 ? 1.0f : -2.0f; /* exact factors */
    }
    k.glu[TRIT_ACT_SILU](y, gate, up, EXP_STEPS + 1);
    for (int i = 0; i <= EXP_STEPS; i++) {
        const double g = (double)gate[i], want = g / (1.0 + exp(-g)) * (double)up[i];
        if (want != 0.0) {
            const double error = relative_error((double)y[i], want);
            worst = error > worst ? error : worst;
        }
    }
    assert_near(worst, 0.0, 3e-7, "worst relative error of silu", 0);
}

static void test_silu_extremes(void **state)
{
    const float gate[] = {0.0f, -0.0f, 1e30f, -1e30f, FLT_MAX, 200.0f, -200.0f, NAN, 1.0f};
    const float up[] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 3.0f, 1.0f, 1.0f, NAN};
    float y[LENGTH(gate)];
    (void)state;
    k.glu[TRIT_ACT_SILU](y, gate, up, LENGTH(gate));
    assert_same(y[0], 0.0f, "silu of", 0);
    assert_same(y[1], -0.0f, "silu of", 1);
    assert_same(y[2], 1e30f, "silu of", 2);
    assert_near((double)y[3], 0.0, 1e-7, "silu of", 3); /* exp ends at e^88 */
    assert_same(y[4], FLT_MAX, "silu of", 4);
    assert_same(y[5], 600.0f, "silu of", 5);
    assert_near((double)y[6], 0.0, 1e-35, "silu of", 6);
    assert_true(isnan(y[7]) && isnan(y[8]));
}

static void test_relu2(void **state)
{
    enum { N = 101 };
    float gate[N], up[N], y[N];
    (void)state;
    for (int i = 0; i < N; i++) {
        gate[i] = (float)(i - 50) * 0.37f;
        up[i] = uniform();
    }
    k.glu[TRIT_ACT_RELU2](y, gate, up, N);
    for (size_t i = 0; i < N; i++) {
        const float r = gate[i] > 0.0f ? gate[i] : 0.0f, square = r * r;
        assert_same(y[i], square * up[i], "relu2", i);
    }
    const float bad = NAN, one = 1.0f;
    k.glu[TRIT_ACT_RELU2](y, &bad, &one, 1);
    assert_true(isnan(y[0]));
    k.glu[TRIT_ACT_RELU2](gate, gate, up, N); /* in place */
    assert_same(gate[N - 1], 18.5f * 18.5f * up[N - 1], "relu2 in place", N - 1);
}

/* ---- Norms, Hadamard transform and rope ------------------------------------------------------ */

static void test_rmsnorm(void **state)
{
    enum { MAX = 900 };
    static float x[MAX], w[MAX], y[MAX];
    const float eps = 1e-5f;
    (void)state;
    for (size_t n = 1; n <= MAX; n += n < 40 ? 1 : 61) {
        double ss = 0.0;
        fill_uniform(x, n);
        fill_uniform(w, n);
        for (size_t i = 0; i < n; i++)
            ss += (double)x[i] * (double)x[i];
        const double root = sqrt(ss / (double)n + (double)eps);
        const float mean = lane_dot(x, x, n) / (float)n, sum = mean + eps;
        const float r = 1.0f / sqrtf(sum);
        assert_true(k.rmsnorm(y, x, w, n, eps));
        for (size_t i = 0; i < n; i++) {
            const float scaled = x[i] * r, want = (float)((double)x[i] / root * (double)w[i]);
            assert_same(y[i], scaled * w[i], "rmsnorm", i);
            assert_near((double)y[i], (double)want, 2e-6 * fabs((double)want), "rmsnorm", i);
        }
        assert_true(k.rmsnorm(x, x, w, n, eps));
        assert_memory_equal(x, y, n * sizeof *x);
    }
}

static void test_rmsnorm_not_finite(void **state)
{
    const float bad[] = {NAN, INFINITY, -1e30f};
    (void)state;
    for (size_t b = 0; b < LENGTH(bad); b++) {
        float x[20], w[20], y[20];
        fill_uniform(x, 20);
        fill_uniform(w, 20);
        x[17] = bad[b];
        assert_false(k.rmsnorm(y, x, w, 20, 1e-5f));
    }
}

static void test_layernorm(void **state)
{
    enum { MAX = 900 };
    static float x[MAX], w[MAX], b[MAX], y[MAX], plain[MAX];
    (void)state;
    for (size_t n = 1; n <= MAX; n += n < 40 ? 1 : 61) {
        double mean = 0.0, ss = 0.0;
        fill_uniform(x, n);
        fill_uniform(w, n);
        fill_uniform(b, n);
        for (size_t i = 0; i < n; i++)
            mean += (double)x[i] / (double)n;
        for (size_t i = 0; i < n; i++)
            ss += ((double)x[i] - mean) * ((double)x[i] - mean);
        const double root = sqrt(ss / (double)n + 1e-3);
        assert_true(k.layernorm(y, x, w, b, n, 1e-3f));
        assert_true(k.layernorm(plain, x, NULL, NULL, n, 1e-3f));
        for (size_t i = 0; i < n; i++) {
            const double want = ((double)x[i] - mean) / root;
            assert_near((double)plain[i], want, 1e-5, "layernorm", i);
            assert_near((double)y[i], want * (double)w[i] + (double)b[i], 1e-5, "layernorm", i);
            assert_same(y[i], plain[i] * w[i] + b[i], "layernorm", i);
        }
        assert_true(k.layernorm(x, x, w, b, n, 1e-3f));
        assert_memory_equal(x, y, n * sizeof *x);
    }
    x[0] = INFINITY;
    assert_false(k.layernorm(y, x, w, b, 20, 1e-3f));
}

/* Row i, column j of the matrix is -1 to the number of bits that i and j share. */
static void test_fwht(void **state)
{
    enum { MAX = 256 };
    float x[MAX], before[MAX];
    (void)state;
    for (size_t n = 1; n <= MAX; n *= 2) {
        for (size_t i = 0; i < n; i++)
            before[i] = x[i] = (float)(int)(uniform() * 127.0f);
        k.fwht(x, n);
        for (size_t i = 0; i < n; i++) {
            float sum = 0.0f; /* exact: whole numbers */
            for (size_t j = 0; j < n; j++) {
                size_t shared = 0;
                for (size_t bits = i & j; bits; bits &= bits - 1)
                    shared++;
                sum += shared % 2 ? -before[j] : before[j];
            }
            assert_same(x[i], sum, "fwht", i);
        }
        k.fwht(x, n); /* twice: n times what it was */
        for (size_t i = 0; i < n; i++)
            assert_same(x[i], (float)n * before[i], "fwht twice", i);
    }
}

static void check_rope(enum trit_rope_style style, size_t n_rot)
{
    float x[130], before[130], cosines[65], sines[65];
    fill_uniform(x, 130);
    for (size_t i = 0; i < n_rot / 2; i++) {
        const double angle = (double)uniform() * 100.0;
        cosines[i] = (float)cos(angle);
        sines[i] = (float)sin(angle);
    }
    memcpy(before, x, sizeof x);
    k.rope[style](x, cosines, sines, n_rot);
    for (size_t i = 0; i < n_rot / 2; i++) {
        const size_t at_a = style == TRIT_ROPE_HALF ? i : 2 * i;
        const size_t at_b = style == TRIT_ROPE_HALF ? i + n_rot / 2 : 2 * i + 1;
        const float a = before[at_a], b = before[at_b], c = cosines[i], s = sines[i];
        const volatile float ac = a * c, bs = b * s, as = a * s, bc = b * c; /* never fused */
        assert_same(x[at_a], ac - bs, "rope a", i);
        assert_same(x[at_b], as + bc, "rope b", i);
    }
    assert_memory_equal(x + n_rot, before + n_rot, (130 - n_rot) * sizeof *x);
}

static void test_rope(void **state)
{
    (void)state;
    for (size_t n_rot = 2; n_rot <= 128; n_rot += 2) {
        check_rope(TRIT_ROPE_HALF, n_rot);
        check_rope(TRIT_ROPE_PAIRS, n_rot);
    }
    float x[4] = {1.0f, 2.0f, 3.0f, 4.0f};
    const float zero[2] = {0.0f, 0.0f}, one[2] = {1.0f, 1.0f};
    k.rope[TRIT_ROPE_HALF](x, zero, one, 4); /* a quarter turn: (a, b) -> (-b, a) */
    assert_true(x[0] == -3.0f && x[1] == -4.0f && x[2] == 1.0f && x[3] == 2.0f);
    k.rope[TRIT_ROPE_PAIRS](x, zero, one, 4);
    assert_true(x[0] == 4.0f && x[1] == -3.0f && x[2] == -2.0f && x[3] == 1.0f);
}

/* ---- Key and value rows ---------------------------------------------------------------------- */

static void test_kv_i8(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 130; n++) {
        float x[130], scale, m = 0.0f;
        int8_t q[131];
        fill_uniform(x, n);
        for (size_t i = 0; i < n; i++)
            m = fabsf(x[i]) > m ? fabsf(x[i]) : m;
        q[n] = 99;
        k.kv_store[TRIT_KV_I8](q, &scale, x, n);
        assert_same(scale, m / 127.0f, "scale of width", n);
        for (size_t i = 0; i < n; i++) {
            const float factor = 127.0f / m, product = x[i] * factor;
            assert_int_equal(q[i], (int)round_half_even((double)product));
            assert_near((double)q[i] * (double)scale, (double)x[i], 0.5001 * (double)scale, "i8",
                        i);
        }
        assert_int_equal(q[n], 99);
    }
}

static void test_kv_i8_edges(void **state)
{
    float x[5] = {127.0f, 0.5f, 1.5f, -2.5f, -126.5f}, scale; /* ties */
    const float bad[] = {NAN, INFINITY, -INFINITY};
    int8_t q[5];
    (void)state;
    k.kv_store[TRIT_KV_I8](q, &scale, x, 5);
    assert_same(scale, 1.0f, "scale of ties", 0);
    assert_true(q[0] == 127 && q[1] == 0 && q[2] == 2 && q[3] == -2 && q[4] == -126);

    for (size_t i = 0; i < LENGTH(bad); i++) {
        x[2] = bad[i];
        k.kv_store[TRIT_KV_I8](q, &scale, x, 5);
        assert_true(isnan(scale));
    }
    memset(x, 0, sizeof x);
    k.kv_store[TRIT_KV_I8](q, &scale, x, 5);
    assert_same(scale, 0.0f, "scale of zeros", 0);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(q[i], 0);
}

/* Rows so small that 127/max overflows must give nearly 0, without a conversion to integer that is
 * undefined in C (FE_INVALID) and differs between machines. */
static void test_kv_i8_tiny(void **state)
{
    (void)state;
    for (int e = -149; e <= -110; e++)
        for (int quarter = 4; quarter < 8; quarter++) {
            const float m = ldexpf((float)quarter, e - 2);
            const float x[4] = {m, -m, 0.0f, m / 2.0f};
            float scale;
            int8_t q[4];
            feclearexcept(FE_ALL_EXCEPT);
            k.kv_store[TRIT_KV_I8](q, &scale, x, 4);
            if (fetestexcept(FE_INVALID))
                fail_msg("storing a row with the maximum %g converts infinity or NaN to int8",
                         (double)m);
            for (size_t i = 0; i < 4; i++)
                assert_near((double)q[i] * (double)scale, (double)x[i],
                            0.51 * (double)scale + 127.0 / (double)FLT_MAX, "tiny i8", i);
        }
}

static void test_kv_f32(void **state)
{
    float x[9], y[9];
    (void)state;
    fill_uniform(x, 9);
    k.kv_store[TRIT_KV_F32](y, NULL, x, 9);
    assert_memory_equal(x, y, sizeof x);
}

/* ---- Attention ------------------------------------------------------------------------------- */

enum { MAX_KEYS = 200, MAX_DIM = 128 };

/* Keys or values as stored, and as the doubles that they represent. */
struct rows {
    _Alignas(4) uint8_t bytes[MAX_KEYS * MAX_DIM * 4];
    float scale[MAX_KEYS];
    double value[MAX_KEYS][MAX_DIM];
};

static const size_t kv_bytes[TRIT_N_KV_FORMATS] = {
    [TRIT_KV_F16] = 2, [TRIT_KV_F32] = 4, [TRIT_KV_I8] = 1};

static double stored_value(const struct rows *rows, int format, size_t row, size_t at)
{
    const uint8_t *p = rows->bytes + at * kv_bytes[format];
    uint16_t h;
    float x;
    switch (format) {
    case TRIT_KV_F16:
        memcpy(&h, p, sizeof h);
        return f16_value(h);
    case TRIT_KV_F32:
        memcpy(&x, p, sizeof x);
        return (double)x;
    default:
        return (double)(int8_t)*p * (double)rows->scale[row];
    }
}

static void fill_rows(struct rows *rows, int format, size_t n_keys, size_t d)
{
    for (size_t j = 0; j < n_keys; j++) {
        float x[MAX_DIM];
        fill_uniform(x, d);
        k.kv_store[format](rows->bytes + j * d * kv_bytes[format], &rows->scale[j], x, d);
        for (size_t i = 0; i < d; i++)
            rows->value[j][i] = stored_value(rows, format, j, j * d + i);
    }
}

/* One query over all keys: computes blocks of 64, merges them one by one, then divides by the
 * sum. */
static void attend(float *out, int format, const float *q, const struct rows *keys,
                   const struct rows *values, size_t n_keys, size_t d, float scale)
{
    struct trit_softmax sm, merged_sm, block_sm;
    float merged[MAX_DIM], block[MAX_DIM];
    for (size_t at = 0; at < n_keys; at += TRIT_ATTN_BLOCK) {
        const size_t rest = n_keys - at, n = rest < TRIT_ATTN_BLOCK ? rest : TRIT_ATTN_BLOCK;
        const size_t offset = at * d * kv_bytes[format];
        struct trit_attn_shape shape = {n, d, scale, 1, d, at > 0, NULL, TRIT_HINT_T0};
        k.attn_block[format](out, &sm, &shape, q, keys->bytes + offset, keys->scale + at,
                             values->bytes + offset, values->scale + at);
        shape.accumulate = false;
        k.attn_block[format](at ? block : merged, at ? &block_sm : &merged_sm, &shape, q,
                             keys->bytes + offset, keys->scale + at, values->bytes + offset,
                             values->scale + at);
        if (at)
            k.attn_merge(merged, &merged_sm, block, &block_sm, d, 1, 1);
        assert_memory_equal(merged, out, d * sizeof *out);
        assert_memory_equal(&merged_sm, &sm, sizeof sm);
    }
    for (size_t i = 0; i < d; i++)
        out[i] /= sm.sum;
}

static void attend_exactly(double *out, const float *q, const struct rows *keys,
                           const struct rows *values, size_t n_keys, size_t d, double scale)
{
    double score[MAX_KEYS], max = -INFINITY, sum = 0.0;
    for (size_t j = 0; j < n_keys; j++) {
        score[j] = 0.0;
        for (size_t i = 0; i < d; i++)
            score[j] += (double)q[i] * keys->value[j][i];
        score[j] *= scale;
        max = score[j] > max ? score[j] : max;
    }
    memset(out, 0, d * sizeof *out);
    for (size_t j = 0; j < n_keys; j++) {
        const double p = exp(score[j] - max);
        sum += p;
        for (size_t i = 0; i < d; i++)
            out[i] += p * values->value[j][i];
    }
    for (size_t i = 0; i < d; i++)
        out[i] /= sum;
}

static void check_attention(int format)
{
    static struct rows keys, values;
    static const size_t dims[] = {1, 3, 16, 64, 100, 128};
    for (size_t n_keys = 1; n_keys <= MAX_KEYS; n_keys++) {
        const size_t d = dims[n_keys % LENGTH(dims)];
        const float scale = 1.0f / sqrtf((float)d), sharpness = n_keys % 2 ? 2.0f : 20.0f;
        float q[MAX_DIM], out[MAX_DIM];
        double want[MAX_DIM];
        fill_uniform(q, d);
        for (size_t i = 0; i < d; i++)
            q[i] *= sharpness;
        fill_rows(&keys, format, n_keys, d);
        fill_rows(&values, format, n_keys, d);
        attend(out, format, q, &keys, &values, n_keys, d, scale);
        attend_exactly(want, q, &keys, &values, n_keys, d, (double)scale);
        for (size_t i = 0; i < d; i++) /* scores up to 20 have errors of about 1e-6 */
            assert_near((double)out[i], want[i], 1e-5, "attention over keys", n_keys);
    }
}

static void test_attention_f16(void **state)
{
    (void)state;
    check_attention(TRIT_KV_F16);
}

static void test_attention_f32(void **state)
{
    (void)state;
    check_attention(TRIT_KV_F32);
}

static void test_attention_i8(void **state)
{
    (void)state;
    check_attention(TRIT_KV_I8);
}

/* Exact bits: scores by the lane rule, the sum in lanes of adds, values in one chain. */
static void test_attention_order(void **state)
{
    enum { KEYS = 37, D = 21 };
    const struct trit_attn_shape shape = {KEYS, D, 0.3f, 1, D, false, NULL, TRIT_HINT_T0};
    float q[D], keys[KEYS * D], values[KEYS * D], p[48] = {0}, ones[48], acc[D], max = -INFINITY;
    struct trit_softmax sm;
    (void)state;
    fill_uniform(q, D);
    fill_uniform(keys, KEYS * D);
    fill_uniform(values, KEYS * D);
    k.attn_block[TRIT_KV_F32](acc, &sm, &shape, q, keys, NULL, values, NULL);

    for (size_t j = 0; j < KEYS; j++) {
        p[j] = lane_dot(q, keys + j * D, D) * shape.scale;
        max = p[j] > max ? p[j] : max;
    }
    assert_same(sm.max, max, "maximum", 0);
    for (size_t j = 0; j < 48; j++) {
        p[j] = j < KEYS ? merged_exp(p[j] - max) : 0.0f;
        ones[j] = 1.0f; /* p*1 added by fma is p added */
    }
    assert_same(sm.sum, lane_dot(p, ones, 48), "sum", 0);
    for (size_t i = 0; i < D; i++) {
        float chain = 0.0f;
        for (size_t j = 0; j < KEYS; j++)
            chain = fmaf(p[j], values[j * D + i], chain);
        assert_same(acc[i], chain, "acc", i);
    }
}

static void test_attention_nan(void **state)
{
    const struct trit_attn_shape shape = {3, 2, 1.0f, 1, 2, false, NULL, TRIT_HINT_T0};
    const float q[2] = {1.0f, 1.0f};
    float keys[6] = {1, 2, 3, 4, 5, 6}, acc[2];
    struct trit_softmax sm;
    (void)state;
    for (size_t i = 0; i < 6; i++) { /* first, middle or last key */
        float bad[6];
        memcpy(bad, keys, sizeof bad);
        bad[i] = NAN;
        k.attn_block[TRIT_KV_F32](acc, &sm, &shape, q, bad, NULL, keys, NULL);
        assert_true(isnan(sm.sum) && isnan(acc[0]) && isnan(acc[1]));
    }
}

/* ---- The table of instruction sets ----------------------------------------------------------- */

static void test_isa_table(void **state)
{
    size_t n = 0;
    (void)state;
    assert_string_equal(trit_isas[0].name, "scalar");
    assert_int_equal(trit_isas[0].cpu, 0);
    assert_true(trit_isa_usable(&trit_isas[0]));
    for (; trit_isas[n].name; n++) {
        assert_ptr_equal(trit_isa_find(trit_isas[n].name), &trit_isas[n]);
        for (size_t i = 0; i < n; i++)
            assert_string_not_equal(trit_isas[i].name, trit_isas[n].name);
    }
    assert_null(trit_isa_find("no such row"));
    assert_null(trit_isa_find(""));

    const struct trit_isa *best = trit_isa_best();
    assert_true(trit_isa_usable(best));
    for (const struct trit_isa *isa = best + 1; isa->name; isa++)
        assert_false(trit_isa_usable(isa));
}

/* No operation is missing: each row is filled from the rows below. */
static void test_isa_rows_are_whole(void **state)
{
    (void)state;
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++) {
        struct trit_kernels row;
        void (*none)(void) = NULL;
        if (!trit_isa_usable(isa))
            continue;
        memset(&row, 0, sizeof row);
        trit_kernels_init(&row, isa);
        for (size_t at = 0; at < sizeof row; at += sizeof none)
            assert_memory_not_equal((const char *)&row + at, &none, sizeof none);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_fmaf),
    cmocka_unit_test(test_gemm_is_fused),
    cmocka_unit_test(test_lane_rule),
    cmocka_unit_test(test_lane_rule_pads),
    cmocka_unit_test(test_t2_packing),
    cmocka_unit_test(test_t2_gemm),
    cmocka_unit_test(test_quantize_row),
    cmocka_unit_test(test_quantize_row_not_finite),
    cmocka_unit_test(test_f16_values),
    cmocka_unit_test(test_f16_round_trip),
    cmocka_unit_test(test_f16_rounding),
    cmocka_unit_test(test_f16_saturation),
    cmocka_unit_test(test_bf16_values),
    cmocka_unit_test(test_formats),
    cmocka_unit_test(test_f32_decode),
    cmocka_unit_test(test_q8_0),
    cmocka_unit_test(test_q4_0),
    cmocka_unit_test(test_q4_k),
    cmocka_unit_test(test_q6_k),
    cmocka_unit_test(test_gemm_decodes),
    cmocka_unit_test(test_exp),
    cmocka_unit_test(test_silu),
    cmocka_unit_test(test_silu_extremes),
    cmocka_unit_test(test_relu2),
    cmocka_unit_test(test_rmsnorm),
    cmocka_unit_test(test_rmsnorm_not_finite),
    cmocka_unit_test(test_layernorm),
    cmocka_unit_test(test_fwht),
    cmocka_unit_test(test_rope),
    cmocka_unit_test(test_kv_i8),
    cmocka_unit_test(test_kv_i8_edges),
    cmocka_unit_test(test_kv_i8_tiny),
    cmocka_unit_test(test_kv_f32),
    cmocka_unit_test(test_attention_f16),
    cmocka_unit_test(test_attention_f32),
    cmocka_unit_test(test_attention_i8),
    cmocka_unit_test(test_attention_order),
    cmocka_unit_test(test_attention_nan),
    cmocka_unit_test(test_isa_table),
    cmocka_unit_test(test_isa_rows_are_whole),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = setup};
