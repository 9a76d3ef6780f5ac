/* check_attention.c - attention over cached keys and values: kv_store, attn_block, attn_merge. */
#include "harness.h"

#include <math.h>

/* ---- kv_store -------------------------------------------------------------------------------- */

static const size_t kv_bytes[TRIT_N_KV_FORMATS] = {
    [TRIT_KV_F16] = 2, [TRIT_KV_F32] = 4, [TRIT_KV_I8] = 1};

enum { NEAR_TOP = N_FILLS, NEAR_TINY, HALF_TIES, N_KV_KINDS };

static void fill_kv(float *x, size_t n, int kind)
{
    if (kind < N_FILLS) {
        fill_floats(x, n, (enum fill)kind);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const float sign = copysignf(1.0f, uniform());
        if (kind == NEAR_TOP) /* 65504 is the largest f16; 65520 rounds to infinity */
            x[i] = sign * (below(2) ? 65520.0f + (float)((int)below(65) - 32) : 65504.0f);
        else if (kind == NEAR_TINY) /* subnormal as f16, or 0 */
            x[i] = ldexpf(uniform(), -13 - (int)below(15));
        else /* 12 bits: exactly between two f16, subnormal ones too */
            x[i] = ldexpf(sign * (float)(2 * below(2048) + 1), (int)below(26) - 25);
    }
}

static void kv_case(int format, size_t n, int kind)
{
    static const char *const names[] = {"near 65504", "tiny", "ties"};
    begin("n %zu, %s", n, kind < N_FILLS ? fill_names[kind] : names[kind - N_FILLS]);
    float *x = input(n * sizeof *x, sizeof *x);
    fill_kv(x, n, kind);
    const bool scaled = format == TRIT_KV_I8, null_scale = !scaled && below(2);
    const struct output dst = output(n * kv_bytes[format], kv_bytes[format]);
    const struct output scale = output(scaled ? sizeof(float) : 0, 4); /* else all canary */
    for (int side = 0; side < 2; side++)
        enter(side)->kv_store[format](dst.p[side], null_scale ? NULL : floats(&scale, side), x, n);
    compare(&scale, "row_scale", FLOATS);
    compare(&dst, "dst", BITS);
}

static void check_kv_store(int format)
{
    for (size_t n = 1; n <= 130; n++)
        for (int kind = 0; kind < N_KV_KINDS; kind++)
            kv_case(format, n, kind);
}

/* ---- attn_block, attn_merge ------------------------------------------------------------------ */

enum {
    ATTN_USUAL,
    ATTN_SHARP, /* scores far apart */
    ATTN_EQUAL, /* all scores 0 */
    ATTN_TINY,  /* scores that underflow to +0 and -0 */
    ATTN_NAN_Q,
    ATTN_NAN_K,
    ATTN_NAN_V,
    ATTN_INF_Q, /* scores of both infinities, or NaN */
    N_ATTN_KINDS
};
static const char *const attn_names[N_ATTN_KINDS] = {"usual", "sharp",    "equal",    "tiny",
                                                     "NaN q", "NaN in k", "NaN in v", "infinite q"};
static const enum fill q_fills[N_ATTN_KINDS] = {[ATTN_EQUAL] = ZEROS,
                                                [ATTN_TINY] = DENORMAL,
                                                [ATTN_NAN_Q] = WITH_NAN,
                                                [ATTN_INF_Q] = WITH_INF}; /* else UNIFORM */

/* Rows of keys or values and their scales, stored by the scalar kernel. */
static void fill_rows(int format, uint8_t *rows, float *scales, const struct trit_attn_shape *shape,
                      enum fill fill, bool with_nan)
{
    const size_t bad = with_nan ? below(shape->n_keys) : shape->n_keys;
    for (size_t j = 0; j < shape->n_keys; j++) {
        float x[TRIT_MAX_HEAD_DIM];
        fill_floats(x, shape->head_dim, j == bad ? WITH_NAN : fill);
        enter(0)->kv_store[format](rows + j * shape->head_dim * kv_bytes[format],
                                   scales ? &scales[j] : NULL, x, shape->head_dim);
    }
}

/* One maximum in six is far away, infinite or NaN. */
static struct trit_softmax earlier_softmax(void)
{
    static const float maxima[] = {0.0f, 3.0f, -50.0f, 1e30f, -INFINITY, NAN};
    const size_t i = below(4 * LENGTH(maxima));
    return (struct trit_softmax){.max = i < LENGTH(maxima) ? maxima[i] : uniform() * 5.0f,
                                 .sum = 1.0f + fabsf(uniform()) * 64.0f};
}

static void attn_case(int format, size_t n_keys, size_t head_dim, size_t n_q, int kind)
{
    const struct trit_attn_shape shape = {
        .n_keys = n_keys,
        .head_dim = head_dim,
        .scale = 1.0f / sqrtf((float)head_dim),
        .n_q = n_q,
        .ldq = head_dim + (below(2) ? 0 : below(40)),
        .accumulate = below(2),
        .hint = (enum trit_hint)below(4),
        .prefetch = below(2) ? unmapped() : NULL, /* unmapped: it must not be read */
    };
    const bool scaled = format == TRIT_KV_I8;
    const size_t n_bytes = n_keys * head_dim * kv_bytes[format];
    const size_t q_len = (n_q - 1) * shape.ldq + head_dim;
    begin("n_keys %zu, head_dim %zu, %zu queries %zu apart, %s%s", n_keys, head_dim, n_q, shape.ldq,
          attn_names[kind], shape.accumulate ? ", later" : "");

    float *q = input(q_len * sizeof *q, sizeof *q);
    uint8_t *k = input(n_bytes, kv_bytes[format]), *v = input(n_bytes, kv_bytes[format]);
    float *k_scale = scaled ? input(n_keys * sizeof *k_scale, 4) : NULL;
    float *v_scale = scaled ? input(n_keys * sizeof *v_scale, 4) : NULL;
    const struct output acc = output(q_len * sizeof(float), 4);
    const struct output sm = output(n_q * sizeof(struct trit_softmax), 4);
    struct trit_softmax *earlier = input(n_q * sizeof *earlier, 4);
    const float *before = input_floats(n_q * head_dim, below(8) ? UNIFORM : WITH_INF);

    fill_floats(q, q_len, q_fills[kind]);
    for (size_t i = 0; kind == ATTN_TINY && i < q_len; i++)
        q[i] = copysignf(from_bits(1), q[i]);
    for (size_t i = 0; kind == ATTN_SHARP && i < q_len; i++)
        q[i] *= 200.0f;
    fill_rows(format, k, k_scale, &shape, kind == ATTN_SHARP ? SPIKES : UNIFORM,
              kind == ATTN_NAN_K);
    fill_rows(format, v, v_scale, &shape, UNIFORM, kind == ATTN_NAN_V);
    for (size_t i = 0; i < n_q; i++)
        earlier[i] = earlier_softmax();
    if (shape.accumulate) {
        preload(&sm, earlier);
        preload_rows(&acc, before, head_dim * sizeof *before, shape.ldq * sizeof *before, n_q);
    }
    for (int side = 0; side < 2; side++)
        enter(side)->attn_block[format](floats(&acc, side), (void *)sm.p[side], &shape, q, k,
                                        k_scale, v, v_scale);
    compare(&sm, "softmax", FLOATS);
    compare_rows(&acc, "acc", FLOATS, head_dim * sizeof(float), shape.ldq * sizeof(float), n_q);
}

static void check_attn_block(int format)
{
    static const size_t wide[] = {2, 16, 32, 48, 64, 80, 96, 100, 128, 256, 511, 512};
    for (size_t i = 0; i < 20 + LENGTH(wide); i++)
        for (size_t n_keys = 1; n_keys <= TRIT_ATTN_BLOCK; n_keys++)
            attn_case(format, n_keys, i < 20 ? 2 * i + 1 : wide[i - 20],
                      1 + (i + n_keys) % TRIT_ATTN_QUERIES, ATTN_USUAL);
    for (size_t n_keys = 1; n_keys <= TRIT_ATTN_BLOCK; n_keys++)
        for (int i = 0; i < 2 * N_ATTN_KINDS; i++)
            attn_case(format, n_keys, 1 + below(130), 1 + below(TRIT_ATTN_QUERIES),
                      i % N_ATTN_KINDS);
}

static void merge_case(size_t head_dim, size_t n_blocks, size_t stride, size_t difference)
{
    static const float differences[] = {0.0f,  0.1f,   3.0f,  50.0f,    87.0f,
                                        88.5f, 200.0f, 1e30f, INFINITY, NAN};
    float apart = differences[difference % LENGTH(differences)] * (1.0f + 0.1f * uniform());
    if (below(2))
        apart = -apart;
    begin("head_dim %zu, %zu blocks %zu apart, maxima %g apart", head_dim, n_blocks, stride,
          (double)apart);
    const size_t n = n_blocks ? (n_blocks - 1) * stride + 1 : 0;
    const float *before = input_floats(head_dim, UNIFORM);
    const float *block_acc = input_floats(n * head_dim, below(4) ? UNIFORM : WIDE);
    struct trit_softmax *block = input(n * sizeof *block, 4);
    const float max = uniform() * 10.0f;
    const struct trit_softmax sm_before = {.max = max, .sum = 1.0f + fabsf(uniform()) * 64.0f};
    for (size_t i = 0; i < n; i++)
        block[i] = (struct trit_softmax){.max = max + (i ? uniform() * 5.0f : apart),
                                         .sum = 1.0f + fabsf(uniform()) * 64.0f};
    const struct output acc = output(head_dim * sizeof *before, 4);
    const struct output sm = output(sizeof sm_before, 4);
    preload(&acc, before);
    preload(&sm, &sm_before);
    for (int side = 0; side < 2; side++)
        enter(side)->attn_merge(floats(&acc, side), (void *)sm.p[side], block_acc, block, head_dim,
                                n_blocks, stride);
    compare(&sm, "softmax", FLOATS);
    compare(&acc, "acc", FLOATS);
}

static void check_attn_merge(int unused)
{
    static const size_t wide[] = {80, 96, 100, 128, 256, 511, 512};
    (void)unused;
    for (size_t i = 1; i <= 64 + LENGTH(wide); i++)
        for (size_t d = 0; d < 20; d++)
            merge_case(i <= 64 ? i : wide[i - 65], 1, 1 + below(3), d);
    for (size_t n = 0; n < 50; n++)
        for (size_t d = 0; d < 4; d++)
            merge_case(1 + below(140), n, 1 + below(4), below(20));
}

/* ---- Bench ----------------------------------------------------------------------------------- */

/* Rows of f16. */
static void fill_stream(const struct bench *b)
{
    struct trit_kernels k;
    trit_kernels_init(&k, trit_isas);
    fill_floats(bench_data.x, b->n_weight_bytes / 2, UNIFORM);
    k.kv_store[TRIT_KV_F16](bench_data.stream, NULL, bench_data.x, b->n_weight_bytes / 2);
}

static void bench_attn(const struct trit_kernels *k, const struct bench *b)
{
    static struct trit_softmax sm[TRIT_ATTN_QUERIES];
    const struct trit_attn_shape shape = {
        .n_keys = b->n_rows / 2,
        .head_dim = b->n_cols,
        .scale = 0.1f,
        .n_q = b->n_tokens,
        .ldq = b->n_cols,
        .accumulate = true, /* results of earlier calls stay finite */
        .hint = TRIT_HINT_T0,
    };
    k->attn_block[b->index](bench_data.y, sm, &shape, bench_data.x, bench_data.stream, bench_data.x,
                            bench_data.stream + b->n_weight_bytes / 2, bench_data.x);
}

/* ---- The family ------------------------------------------------------------------------------ */

static const struct check checks[] = {
    {"kv_store_f16", check_kv_store, TRIT_KV_F16},
    {"kv_store_f32", check_kv_store, TRIT_KV_F32},
    {"kv_store_i8", check_kv_store, TRIT_KV_I8},
    {"attn_block_f16", check_attn_block, TRIT_KV_F16},
    {"attn_block_f32", check_attn_block, TRIT_KV_F32},
    {"attn_block_i8", check_attn_block, TRIT_KV_I8},
    {"attn_merge", check_attn_merge, 0},
};

static const struct bench benches[] = {
    /* 64 keys; each is multiplied twice, as a key and as a value */
    {"attn_block_f16", TRIT_KV_F16, 2 * 64, 128, 1, bench_attn, 2 * 64 * 128 * 2, fill_stream,
     LIMIT_NONE, 0},
    {"attn_block_f16", TRIT_KV_F16, 2 * 64, 128, 4, bench_attn, 2 * 64 * 128 * 2, fill_stream,
     LIMIT_NONE, 0},
    {"attn_block_f16", TRIT_KV_F16, 2 * 64, 128, 8, bench_attn, 2 * 64 * 128 * 2, fill_stream,
     LIMIT_NONE, 0},
};

const struct family attention_family = {checks, LENGTH(checks), benches, LENGTH(benches)};
