/* test_type.c - tensor types: their sizes, unpacking each ternary one into T2, and writing floats.
 *
 * The packers here are written independently from the description of each format, so that an error
 * would have to be made twice. Every buffer is malloc'ed with its exact size, so that the address
 * sanitizer detects an access past its end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "suite.h"
#include "type.h"
#include "trit_tools.h"

/* Numbers as f16 and bf16, by hand. */
enum {
    H_ZERO = 0x0000,
    H_MINUS_ZERO = 0x8000,
    H_HALF = 0x3800,
    H_MINUS_HALF = 0xB800,
    H_QUARTER = 0x3400,
    H_TINY = 0x0001,
    H_INF = 0x7C00,
    H_NAN = 0x7E00,
    H_LARGEST = 0x7BFF,
    B_HALF = 0x3F00,
    B_MINUS_HALF = 0xBF00,
    B_QUARTER = 0x3E80,
    B_MINUS_ZERO = 0x8000,
    B_NAN = 0x7FC0,
    B_INF = 0x7F80
};

/* ---- Helpers --------------------------------------------------------------------------------- */

struct matrix {
    size_t n_rows, n_cols;
    int8_t *t; /* [n_rows, n_cols] in -1, 0, 1 */
};

/* The first weight is not 0, so that a scale exists. */
static struct matrix random_matrix(size_t n_rows, size_t n_cols, uint64_t seed)
{
    struct matrix m = {n_rows, n_cols, malloc(n_rows * n_cols)};
    assert_non_null(m.t);
    for (size_t i = 0; i < n_rows * n_cols; i++)
        m.t[i] = i ? (int8_t)((int)(fx_random(&seed) % 3) - 1) : 1;
    return m;
}

/* A row with all combinations of five trits, which TQ1_0 packs into one byte, if it is long
 * enough. */
static struct matrix counting_matrix(size_t n_rows, size_t n_cols)
{
    struct matrix m = {n_rows, n_cols, malloc(n_rows * n_cols)};
    assert_non_null(m.t);
    for (size_t i = 0; i < n_rows * n_cols; i++) {
        size_t v = i % 32 + i / 256 * 32;
        for (size_t digit = i % 256 / 32; digit > 0; digit--)
            v /= 3;
        m.t[i] = (int8_t)((int)(v % 3) - 1);
    }
    return m;
}

static uint8_t *new_bytes(size_t n)
{
    uint8_t *p = malloc(n);
    assert_non_null(p);
    return p;
}

/* The weight that T2 rows hold, by the layout's definition in kernels.h. */
static int t2_weight(const uint8_t *t2, size_t n_cols, size_t row, size_t col)
{
    const size_t row_bytes = (n_cols + 127) / 128 * 32;
    const uint8_t byte = t2[row * row_bytes + col / 128 * 32 + col % 32];
    return (byte >> (6 - 2 * (col % 128 / 32)) & 3) - 1;
}

static trit_status unpack(trit_unpack_fn *fn, uint8_t **t2, float *scale, const uint8_t *data,
                          const struct matrix *m, enum trit_format format, struct trit_error *why)
{
    const struct trit_packed packed = {
        .data = data, .n_rows = m->n_rows, .n_cols = m->n_cols, .format = format};
    *t2 = new_bytes(m->n_rows * ((m->n_cols + 127) / 128 * 32));
    memset(*t2, 0xFF, m->n_rows * ((m->n_cols + 127) / 128 * 32)); /* no code is 3 */
    why->text[0] = '\0';
    return fn(t2[0], scale, &packed, why);
}

/* Unpacks valid weights; compares every weight and the padding. Frees everything. */
static void check(trit_unpack_fn *fn, uint8_t *data, struct matrix m, enum trit_format format,
                  float scale)
{
    struct trit_error why;
    float got_scale = -1;
    uint8_t *t2;

    if (unpack(fn, &t2, &got_scale, data, &m, format, &why))
        fail_msg("refused: %s", why.text);
    if (got_scale != scale)
        fail_msg("scale %g, expected %g", (double)got_scale, (double)scale);
    for (size_t r = 0; r < m.n_rows; r++)
        for (size_t c = 0; c < (m.n_cols + 127) / 128 * 128; c++) {
            const int wanted = c < m.n_cols ? m.t[r * m.n_cols + c] : 0;
            if (t2_weight(t2, m.n_cols, r, c) != wanted)
                fail_msg("row %zu of %zu, column %zu of %zu: %d, expected %d", r, m.n_rows, c,
                         m.n_cols, t2_weight(t2, m.n_cols, r, c), wanted);
        }
    free(t2);
    free(m.t);
    free(data);
}

/* Unpacks invalid weights; checks parts of the message. Frees everything. */
static void refuse(trit_unpack_fn *fn, uint8_t *data, struct matrix m, enum trit_format format,
                   trit_status wanted, const char *part, const char *other)
{
    struct trit_error why;
    float scale;
    uint8_t *t2;

    const trit_status status = unpack(fn, &t2, &scale, data, &m, format, &why);
    if (status != wanted || why.code != wanted || !strstr(why.text, part) ||
        !strstr(why.text, other))
        fail_msg("expected status %d, '%s' and '%s', got %d: %s", (int)wanted, part, other,
                 (int)status, why.text);
    free(t2);
    free(m.t);
    free(data);
}

/* ---- The table ------------------------------------------------------------------------------- */

static void sizes(void **state)
{
    static const struct {
        uint32_t id;
        const char *name;
        uint64_t row_len, n_rows, bytes;
    } cases[] = {
        {0, "F32", 7, 3, 84},           {1, "F16", 7, 3, 42},       {30, "BF16", 7, 3, 42},
        {2, "Q4_0", 64, 3, 108},        {8, "Q8_0", 64, 3, 204},    {12, "Q4_K", 512, 2, 576},
        {14, "Q6_K", 512, 2, 840},      {34, "TQ1_0", 512, 2, 216}, {35, "TQ2_0", 512, 2, 264},
        {36, "I2_S", 320, 2, 160 + 32}, {36, "I2_S", 4, 1, 33},
    };
    static const struct {
        uint32_t id;
        uint64_t row_len;
    } partial[] = {{2, 33}, {8, 16}, {12, 128}, {14, 255}, {34, 128}, {35, 257}, {36, 6}};
    uint64_t bytes;
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct trit_type *type = trit_type_find(cases[i].id);
        assert_non_null(type);
        assert_int_equal(type->id, cases[i].id);
        assert_string_equal(type->name, cases[i].name);
        assert_true(trit_type_bytes(type, cases[i].row_len, cases[i].n_rows, &bytes));
        assert_int_equal(bytes, cases[i].bytes);
    }
    for (size_t i = 0; i < sizeof partial / sizeof *partial; i++)
        assert_false(trit_type_bytes(trit_type_find(partial[i].id), partial[i].row_len, 1, &bytes));
    assert_false(trit_type_bytes(trit_type_find(0), (uint64_t)1 << 62, 1, &bytes));
    assert_false(trit_type_bytes(trit_type_find(0), (uint64_t)1 << 40, (uint64_t)1 << 40, &bytes));
    assert_false(trit_type_bytes(trit_type_find(35), (uint64_t)1 << 63, 16, &bytes));
    assert_null(trit_type_find(99));
    assert_null(trit_type_find(4)); /* removed from ggml */
    assert_null(trit_type_find(UINT32_MAX));
}

/* The types in the list of trit_weight_type_at() can be written. The defaults come first. */
static void weight_types(void **state)
{
    const char *first_linear = NULL, *first_embd = NULL;
    struct trit_weight_type w[16];
    const struct trit_type *type;
    int n = 0;
    (void)state;

    for (; trit_weight_type_at(n, &w[n]); n++) {
        assert_int_equal(!trit_type_named(&type, w[n].name, true, NULL), w[n].linear);
        assert_int_equal(!trit_type_named(&type, w[n].name, false, NULL), w[n].embd);
        first_linear = first_linear || !w[n].linear ? first_linear : w[n].name;
        first_embd = first_embd || !w[n].embd ? first_embd : w[n].name;
    }
    int n_written = 0;
    for (uint32_t id = 0; id < 1 << 16; id++) {
        type = trit_type_find(id);
        n_written += type && (type->pack_t2 || type->encode);
    }
    assert_true(n >= 10);
    assert_int_equal(n, n_written);
    assert_string_equal(first_linear, "i2_s");
    assert_string_equal(first_embd, "f16");
    assert_false(trit_weight_type_at(-1, &w[n]));
    assert_int_equal(trit_type_named(&type, NULL, false, NULL), TRIT_OK);
    assert_int_equal(type->id, TRIT_TYPE_F16);
}

/* Names of I2_S layouts and of cache types. */
static void names(void **state)
{
    enum trit_i2s_layout layout;
    int n = 0;
    (void)state;

    for (; trit_i2s_layout_at(n); n++) {
        assert_int_equal(trit_i2s_layout_named(&layout, trit_i2s_layout_at(n), NULL), TRIT_OK);
        assert_int_equal(layout, n);
    }
    assert_int_equal(n, 5);
    assert_string_equal(trit_i2s_layout_at(0), "128");
    assert_null(trit_i2s_layout_at(-1));
    assert_string_equal(trit_kv_type_at(TRIT_KV_TYPE_F16), "f16");
    assert_string_equal(trit_kv_type_at(TRIT_KV_TYPE_F32), "f32");
    assert_string_equal(trit_kv_type_at(TRIT_KV_TYPE_I8), "i8");
    assert_null(trit_kv_type_at(3));
    assert_null(trit_kv_type_at(-1));
}

/* Which types may be what; the ids that programs disagree on must be marked. */
static void kinds(void **state)
{
    static const uint32_t ternary[] = {0, 1, 30, 34, 35, 36};
    static const uint32_t shared[] = {36, 37, 38, 39, 40, 41, 42};
    static const uint32_t decodable[] = {0, 1, 2, 8, 12, 14, 30};
    size_t n_ternary = 0, n_decodable = 0;
    (void)state;

    for (size_t i = 0; i < sizeof ternary / sizeof *ternary; i++)
        assert_true(trit_type_find(ternary[i])->unpack_t2 != NULL);
    for (size_t i = 0; i < sizeof decodable / sizeof *decodable; i++)
        assert_true(trit_type_find(decodable[i])->format >= 0);
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        assert_true(trit_type_find(shared[i])->id_is_shared);
    for (uint32_t id = 0; id < 1000; id++) {
        const struct trit_type *type = trit_type_find(id);
        n_ternary += type && type->unpack_t2;
        n_decodable += type && type->format >= 0;
    }
    assert_int_equal(n_ternary, sizeof ternary / sizeof *ternary);
    assert_int_equal(n_decodable, sizeof decodable / sizeof *decodable);
}

static void t2_row_bytes(void **state)
{
    (void)state;
    assert_int_equal(trit_t2_row_bytes(1), 32);
    assert_int_equal(trit_t2_row_bytes(128), 32);
    assert_int_equal(trit_t2_row_bytes(129), 64);
    assert_int_equal(trit_t2_row_bytes(320), 96);
    assert_int_equal(trit_t2_row_bytes(6912), 1728);
}

/* ---- I2_S ------------------------------------------------------------------------------------ */

/* codecs.py, i2s_pack: the whole tensor as one sequence of blocks of 128, then the scale. */
static uint8_t *pack_i2s(const struct matrix *m, float scale)
{
    const size_t n = m->n_rows * m->n_cols;
    uint8_t *p = new_bytes(n / 4 + 32);

    memset(p, 0, n / 4 + 32);
    for (size_t i = 0; i < n; i++)
        p[i / 128 * 32 + i % 32] |= (uint8_t)((m->t[i] + 1) << (6 - 2 * (i / 32 % 4)));
    memcpy(p + n / 4, &scale, sizeof scale);
    memset(p + n / 4 + 4, 0xA5, 28); /* unspecified; must be ignored */
    return p;
}

static void i2s(void **state)
{
    static const size_t shapes[][2] = {{1, 128},  {3, 128},  {2, 256},
                                       {5, 2048}, {3, 2176}, {1, 6912}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct matrix m = random_matrix(shapes[i][0], shapes[i][1], i + 1);
        uint8_t *data = pack_i2s(&m, 0.0625f);
        assert_true(trit_i2s_scale(data, m.n_rows * m.n_cols) == 0.0625f);
        check(trit_unpack_i2s, data, m, TRIT_FORMAT_F32, 0.0625f);
    }
}

/* If rows are whole blocks, I2_S is T2. */
static void i2s_is_t2(void **state)
{
    struct matrix m = random_matrix(7, 384, 3);
    uint8_t *data = pack_i2s(&m, 1.5f), *t2;
    struct trit_error why;
    float scale;
    (void)state;

    assert_int_equal(unpack(trit_unpack_i2s, &t2, &scale, data, &m, TRIT_FORMAT_F32, &why), 0);
    assert_memory_equal(t2, data, m.n_rows * m.n_cols / 4);
    free(t2);
    free(data);
    free(m.t);
}

/* Blocks straddle rows: a row of 320 begins in the middle of one. */
static void i2s_flat(void **state)
{
    static const size_t shapes[][2] = {{2, 320},   {8, 320}, {320, 8},
                                       {64, 4160}, {32, 4},  {4, 8640}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct matrix m = random_matrix(shapes[i][0], shapes[i][1], i + 20);
        check(trit_unpack_i2s, pack_i2s(&m, 0.02f), m, TRIT_FORMAT_F32, 0.02f);
    }
}

static void i2s_refused(void **state)
{
    const struct matrix m = random_matrix(1, 320, 1); /* two and a half blocks */
    (void)state;
    refuse(trit_unpack_i2s, pack_i2s(&m, 1), m, TRIT_FORMAT_F32, TRIT_E_UNSUPPORTED, "320", "128");
}

/* ---- TQ2_0 and TQ1_0 ------------------------------------------------------------------------- */

static void put_u16(uint8_t *p, unsigned u)
{
    p[0] = (uint8_t)u;
    p[1] = (uint8_t)(u >> 8);
}

/* codecs.py, tq2_pack: half h, byte m; element 128h + 32l + m at bits 2l. */
static uint8_t *pack_tq2(const struct matrix *m, unsigned d)
{
    const size_t n_blocks = m->n_rows * m->n_cols / 256;
    uint8_t *p = new_bytes(n_blocks * 66);

    for (size_t b = 0; b < n_blocks; b++) {
        const int8_t *w = m->t + 256 * b;
        for (size_t h = 0; h < 2; h++)
            for (size_t j = 0; j < 32; j++) {
                unsigned byte = 0;
                for (size_t l = 0; l < 4; l++)
                    byte |= (unsigned)(w[128 * h + 32 * l + j] + 1) << (2 * l);
                p[66 * b + 32 * h + j] = (uint8_t)byte;
            }
        put_u16(p + 66 * b + 64, d);
    }
    return p;
}

/* n trits as digits of base 3, the first one worth 81, then scaled to 256 and rounded up. */
static uint8_t tq1_byte(const int8_t *first, size_t step, size_t n)
{
    static const unsigned worth[5] = {81, 27, 9, 3, 1};
    unsigned v = 0;
    for (size_t i = 0; i < n; i++)
        v += worth[i] * (unsigned)(first[i * step] + 1);
    return (uint8_t)((v * 256 + 242) / 243);
}

/* codecs.py, tq1_pack: 32 bytes of 5 trits a distance of 32 apart, 16 of 5, 4 of 4. */
static uint8_t *pack_tq1(const struct matrix *m, unsigned d)
{
    const size_t n_blocks = m->n_rows * m->n_cols / 256;
    uint8_t *p = new_bytes(n_blocks * 54);

    for (size_t b = 0; b < n_blocks; b++) {
        const int8_t *w = m->t + 256 * b;
        uint8_t *q = p + 54 * b;
        for (size_t j = 0; j < 32; j++)
            q[j] = tq1_byte(w + j, 32, 5);
        for (size_t j = 0; j < 16; j++)
            q[32 + j] = tq1_byte(w + 160 + j, 16, 5);
        for (size_t j = 0; j < 4; j++)
            q[48 + j] = tq1_byte(w + 240 + j, 4, 4);
        put_u16(q + 52, d);
    }
    return p;
}

/* Both kinds, for one list of cases. */
static const struct tq {
    trit_unpack_fn *unpack;
    uint8_t *(*pack)(const struct matrix *m, unsigned d);
    size_t block_bytes;
} tqs[] = {{trit_unpack_tq1, pack_tq1, 54}, {trit_unpack_tq2, pack_tq2, 66}};
enum { N_TQS = sizeof tqs / sizeof *tqs };

static void tq(void **state)
{
    static const size_t shapes[][2] = {{1, 256}, {3, 256}, {2, 512}, {4, 2304}};
    (void)state;
    for (int k = 0; k < N_TQS; k++) {
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            const struct matrix m = random_matrix(shapes[i][0], shapes[i][1], i + 40);
            check(tqs[k].unpack, tqs[k].pack(&m, H_HALF), m, TRIT_FORMAT_F32, 0.5f);
        }
        const struct matrix m = counting_matrix(8, 256);
        check(tqs[k].unpack, tqs[k].pack(&m, H_QUARTER), m, TRIT_FORMAT_F32, 0.25f);
    }
}

static void tq_scales(void **state)
{
    static const struct {
        unsigned d;
        float scale;
    } fine[] = {{H_TINY, 0x1p-24f}, {H_LARGEST, 65504.0f}};
    static const unsigned bad[] = {H_INF, H_NAN, H_MINUS_HALF, H_INF | 0x8000, H_NAN | 0x8000};
    (void)state;
    for (int k = 0; k < N_TQS; k++) {
        for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
            const struct matrix m = random_matrix(2, 512, 60);
            check(tqs[k].unpack, tqs[k].pack(&m, fine[i].d), m, TRIT_FORMAT_F32, fine[i].scale);
        }
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            const struct matrix m = random_matrix(2, 512, 61);
            uint8_t *data = tqs[k].pack(&m, H_HALF);
            put_u16(data + 3 * tqs[k].block_bytes - 2, bad[i]);
            refuse(tqs[k].unpack, data, m, TRIT_FORMAT_F32, TRIT_E_FILE, "scale", "");
        }
    }
}

/* A tensor must have one scale; the message names the two that were found. */
static void tq_differing_scales(void **state)
{
    (void)state;
    for (int k = 0; k < N_TQS; k++) {
        const struct matrix m = random_matrix(2, 512, 62);
        uint8_t *data = tqs[k].pack(&m, H_HALF);
        put_u16(data + 4 * tqs[k].block_bytes - 2, H_QUARTER);
        refuse(tqs[k].unpack, data, m, TRIT_FORMAT_F32, TRIT_E_UNSUPPORTED, "0.5", "0.25");
    }
}

/* A block of zeros may have d = 0; so may one with other codes, which then mean 0. */
static void tq_zero_blocks(void **state)
{
    (void)state;
    for (int k = 0; k < N_TQS; k++)
        for (size_t zero = 0; zero < 4; zero++) {
            struct matrix m = random_matrix(2, 512, 63);
            uint8_t *data;
            if (zero % 2)
                memset(m.t + 256 * zero, 0, 256);
            data = tqs[k].pack(&m, H_HALF);
            put_u16(data + (zero + 1) * tqs[k].block_bytes - 2, zero == 1 ? H_MINUS_ZERO : H_ZERO);
            memset(m.t + 256 * zero, 0, 256);
            check(tqs[k].unpack, data, m, TRIT_FORMAT_F32, 0.5f);
        }
    for (int k = 0; k < N_TQS; k++) {
        const struct matrix m = random_matrix(1, 512, 64);
        uint8_t *data = tqs[k].pack(&m, H_ZERO);
        memset(m.t, 0, 512);
        check(tqs[k].unpack, data, m, TRIT_FORMAT_F32, 0.0f);
    }
}

/* ---- F32, F16, BF16 -------------------------------------------------------------------------- */

static uint8_t *pack_f32(const struct matrix *m, float scale)
{
    const size_t n = m->n_rows * m->n_cols;
    uint8_t *p = new_bytes(n * 4);
    for (size_t i = 0; i < n; i++) {
        const float x = scale * (float)m->t[i];
        memcpy(p + 4 * i, &x, sizeof x);
    }
    return p;
}

/* Types of 16 bits per weight, with the bits of -1, 0 and 1. */
static uint8_t *pack_16(const struct matrix *m, const unsigned bits[3])
{
    const size_t n = m->n_rows * m->n_cols;
    uint8_t *p = new_bytes(n * 2);
    for (size_t i = 0; i < n; i++)
        put_u16(p + 2 * i, bits[m->t[i] + 1]);
    return p;
}

static const unsigned f16_bits[3] = {H_MINUS_HALF, H_ZERO, H_HALF};
static const unsigned bf16_bits[3] = {B_MINUS_HALF, H_ZERO, B_HALF};

static const size_t float_shapes[][2] = {{1, 128}, {3, 100},  {2, 1},    {5, 320},
                                         {1, 864}, {2, 2048}, {3, 2049}, {2, 4200}};
enum { N_FLOAT_SHAPES = sizeof float_shapes / sizeof *float_shapes };

static void floats(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FLOAT_SHAPES; i++) {
        struct matrix m = random_matrix(float_shapes[i][0], float_shapes[i][1], 80 + i);
        check(trit_unpack_float, pack_f32(&m, 0.0123f), m, TRIT_FORMAT_F32, 0.0123f);
        m = random_matrix(float_shapes[i][0], float_shapes[i][1], 90 + i);
        check(trit_unpack_float, pack_16(&m, f16_bits), m, TRIT_FORMAT_F16, 0.5f);
        m = random_matrix(float_shapes[i][0], float_shapes[i][1], 100 + i);
        check(trit_unpack_float, pack_16(&m, bf16_bits), m, TRIT_FORMAT_BF16, 0.5f);
    }
}

/* -0 counts as 0 and does not set a scale. */
static void float_zeros(void **state)
{
    static const unsigned minus_f16[3] = {H_MINUS_HALF, H_MINUS_ZERO, H_HALF};
    static const unsigned minus_bf16[3] = {B_MINUS_HALF, B_MINUS_ZERO, B_HALF};
    struct matrix m = random_matrix(3, 200, 110);
    (void)state;

    m.t[0] = 0, m.t[1] = 1;
    check(trit_unpack_float, pack_16(&m, minus_f16), m, TRIT_FORMAT_F16, 0.5f);
    m = random_matrix(3, 200, 111);
    m.t[0] = 0, m.t[1] = -1;
    check(trit_unpack_float, pack_16(&m, minus_bf16), m, TRIT_FORMAT_BF16, 0.5f);
    m = random_matrix(3, 200, 112);
    m.t[0] = 0, m.t[1] = -1;
    uint8_t *data = pack_f32(&m, -0.75f); /* 0 * -0.75 is -0 */
    assert_int_equal(data[3], 0x80);
    for (size_t i = 0; i < 600; i++)
        m.t[i] = (int8_t)-m.t[i];
    check(trit_unpack_float, data, m, TRIT_FORMAT_F32, 0.75f);
    m = random_matrix(2, 64, 113);
    memset(m.t, 0, 128);
    check(trit_unpack_float, pack_f32(&m, 1), m, TRIT_FORMAT_F32, 0.0f);
    m = random_matrix(2, 64, 114);
    memset(m.t, 0, 128);
    check(trit_unpack_float, pack_16(&m, minus_f16), m, TRIT_FORMAT_F16, 0.0f);
}

static void floats_not_ternary(void **state)
{
    static const float odd[] = {0.25f, -0.25f, 1.0f, 0x1p-140f, -0x1.000002p-1f, 3e38f};
    struct matrix m;
    uint8_t *data;
    (void)state;

    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        for (size_t at = 1; at < 600; at += 299) {
            m = random_matrix(3, 200, 120);
            m.t[0] = 1;
            data = pack_f32(&m, 0.5f);
            memcpy(data + 4 * at, &odd[i], sizeof odd[i]);
            refuse(trit_unpack_float, data, m, TRIT_FORMAT_F32, TRIT_E_UNSUPPORTED, "quantize",
                   "0.5");
        }
    m = random_matrix(3, 200, 121);
    data = pack_16(&m, f16_bits);
    put_u16(data + 2 * 599, H_QUARTER);
    refuse(trit_unpack_float, data, m, TRIT_FORMAT_F16, TRIT_E_UNSUPPORTED, "quantize", "0.25");
    m = random_matrix(3, 200, 122);
    data = pack_16(&m, bf16_bits);
    put_u16(data + 2 * 599, B_QUARTER);
    refuse(trit_unpack_float, data, m, TRIT_FORMAT_BF16, TRIT_E_UNSUPPORTED, "quantize", "0.25");
}

static void floats_not_finite(void **state)
{
    static const size_t places[] = {0, 1, 599};
    static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    static const unsigned bad_f16[] = {H_NAN, H_INF, 0xFFFF, H_INF | 0x8000};
    static const unsigned bad_bf16[] = {B_NAN, B_INF, 0xFFFF, B_INF | 0x8000};
    (void)state;
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < 4; i++) {
            struct matrix m = random_matrix(3, 200, 130);
            uint8_t *data = pack_f32(&m, 0.5f);
            memcpy(data + 4 * places[p], &bad[i], sizeof bad[i]);
            refuse(trit_unpack_float, data, m, TRIT_FORMAT_F32, TRIT_E_FILE, "not finite", "");
            m = random_matrix(3, 200, 131);
            data = pack_16(&m, f16_bits);
            put_u16(data + 2 * places[p], bad_f16[i]);
            refuse(trit_unpack_float, data, m, TRIT_FORMAT_F16, TRIT_E_FILE, "not finite", "");
            m = random_matrix(3, 200, 132);
            data = pack_16(&m, bf16_bits);
            put_u16(data + 2 * places[p], bad_bf16[i]);
            refuse(trit_unpack_float, data, m, TRIT_FORMAT_BF16, TRIT_E_FILE, "not finite", "");
        }
}

/* ---- Floats written ------------------------------------------------------------------------- */

/* The error of a type for n normal numbers, divided by their deviation; each row of the table uses
 * 256. */
static double relative_error(uint32_t id, float scale, uint64_t seed)
{
    enum { N = 256 * 40 };
    const struct trit_type *type = trit_type_find(id);
    static float x[N], y[N];
    struct trit_kernels scalar;
    double error = 0, squares = 0;
    uint64_t bytes, rng = seed;

    trit_kernels_init_scalar(&scalar);
    assert_true(trit_type_bytes(type, N, 1, &bytes));
    uint8_t *out = new_bytes((size_t)bytes);
    for (size_t i = 0; i < N; i++)
        x[i] = scale * fx_normal(&rng);
    type->encode(out, x, N);
    scalar.decode[type->format](y, out, N);
    for (size_t i = 0; i < N; i++) {
        error += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        squares += (double)x[i] * (double)x[i];
    }
    free(out);
    return sqrt(error / squares);
}

/* The error that the bits allow: about 2^-b for a type of b bits with a scale per block. */
static void encoders_are_accurate(void **state)
{
    static const struct {
        uint32_t id;
        double most;
    } types[] = {{FX_F32, 0},     {FX_F16, 3e-4},   {FX_BF16, 2.5e-3}, {FX_Q8_0, 6e-3},
                 {FX_Q6_K, 0.02}, {FX_Q4_K, 0.085}, {FX_Q4_0, 0.095}};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (uint64_t seed = 1; seed < 4; seed++) {
            const double error = relative_error(types[i].id, seed == 2 ? 0.01f : 1.0f, seed);
            if (!(error <= types[i].most))
                fail_msg("type %u: error %g of the deviation; at most %g", types[i].id, error,
                         types[i].most);
        }
}

/* Blocks of one value, of zeros, of one spike, of values so small that scales vanish. */
static void encoders_take_odd_blocks(void **state)
{
    static const uint32_t ids[] = {FX_F32, FX_F16, FX_BF16, FX_Q8_0, FX_Q6_K, FX_Q4_K, FX_Q4_0};
    struct trit_kernels scalar;
    (void)state;
    trit_kernels_init_scalar(&scalar);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        for (int kind = 0; kind < 6; kind++) {
            const struct trit_type *type = trit_type_find(ids[i]);
            float x[256], y[256];
            uint64_t bytes;
            assert_true(trit_type_bytes(type, 256, 1, &bytes));
            uint8_t *out = new_bytes((size_t)bytes);
            for (int k = 0; k < 256; k++)
                x[k] = kind == 0   ? 0.0f
                       : kind == 1 ? 1.5f
                       : kind == 2 ? -1.5f
                       : kind == 3 ? (k == 77 ? -8.0f : 0.0f)
                       : kind == 4 ? 1e-38f * (float)(k - 128)
                                   : 1e-7f * (float)(k % 7 - 3);
            type->encode(out, x, 256);
            scalar.decode[type->format](y, out, 256);
            /* a zero of Q4_K is the sum of a multiple of the scale and of the minimum */
            const float least = ids[i] == FX_Q4_K && kind == 3 ? 5e-3f : 4e-7f;
            for (int k = 0; k < 256; k++)
                if (!(fabsf(x[k] - y[k]) <= 0.13f * fabsf(x[k]) + least))
                    fail_msg("type %u, kind %d: %g became %g", ids[i], kind, (double)x[k],
                             (double)y[k]);
            free(out);
        }
}

/* To nearest, half to even. */
static void halves_are_rounded(void **state)
{
    static const struct {
        float x;
        unsigned f16, bf16;
    } cases[] = {
        {1.0f, 0x3C00, 0x3F80},
        {1.0f + 0x1p-11f, 0x3C00, 0x3F80},
        {1.0f + 0x1.8p-10f, 0x3C02, 0x3F80},
        {1.0f + 0x1p-8f, 0x3C04, 0x3F80},
        {1.0f + 0x1.8p-7f, 0x3C0C, 0x3F82},
        {-65504.0f, 0xFBFF, 0xC780},
        {70000.0f, 0x7C00, 0x4789},
        {0x1p-24f, 0x0001, 0x3380},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t half;
        trit_encode_f16((uint8_t *)&half, &cases[i].x, 1);
        assert_int_equal(half, cases[i].f16);
        trit_encode_bf16((uint8_t *)&half, &cases[i].x, 1);
        assert_int_equal(half, cases[i].bf16);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(encoders_are_accurate),
    cmocka_unit_test(encoders_take_odd_blocks),
    cmocka_unit_test(halves_are_rounded),
    cmocka_unit_test(sizes),
    cmocka_unit_test(kinds),
    cmocka_unit_test(weight_types),
    cmocka_unit_test(names),
    cmocka_unit_test(t2_row_bytes),
    cmocka_unit_test(i2s),
    cmocka_unit_test(i2s_is_t2),
    cmocka_unit_test(i2s_flat),
    cmocka_unit_test(i2s_refused),
    cmocka_unit_test(tq),
    cmocka_unit_test(tq_scales),
    cmocka_unit_test(tq_differing_scales),
    cmocka_unit_test(tq_zero_blocks),
    cmocka_unit_test(floats),
    cmocka_unit_test(float_zeros),
    cmocka_unit_test(floats_not_ternary),
    cmocka_unit_test(floats_not_finite),
};

const struct suite suite = {SUITE_TESTS(tests)};
