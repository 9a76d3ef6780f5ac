/* type_ternary.c - ternary file types, to and from T2, the layout in memory (kernels.h). */
#include <math.h>
#include <string.h>

#include "checked.h"
#include "half.h"
#include "type.h"

enum { TQ_BLOCK = 256, TQ1_BYTES = 54, TQ2_BYTES = 66 };

size_t trit_t2_row_bytes(size_t n_cols)
{
    return (size_t)trit_round_up(n_cols, TRIT_T2_BLOCK) / 4;
}

/* 128 codes as one block. */
static void pack_t2_block(uint8_t *t2, const uint8_t *codes)
{
    for (size_t i = 0; i < TRIT_T2_BLOCK_BYTES; i++)
        t2[i] = (uint8_t)(codes[i] << 6 | codes[32 + i] << 4 | codes[64 + i] << 2 | codes[96 + i]);
}

void trit_pack_t2_row(uint8_t *t2, const uint8_t *codes, size_t n_cols)
{
    size_t b = 0;
    for (; b + TRIT_T2_BLOCK <= n_cols; b += TRIT_T2_BLOCK)
        pack_t2_block(t2 + b / 4, codes + b);
    if (b < n_cols) {
        uint8_t last[TRIT_T2_BLOCK];
        memset(last, 1, sizeof last);
        memcpy(last, codes + b, n_cols - b);
        pack_t2_block(t2 + b / 4, last);
    }
}

void trit_unpack_t2_row(uint8_t *codes, const uint8_t *t2, size_t n_cols)
{
    for (size_t i = 0; i < n_cols; i++) {
        const size_t in_block = i % TRIT_T2_BLOCK;
        const uint8_t byte = t2[i / TRIT_T2_BLOCK * TRIT_T2_BLOCK_BYTES + in_block % 32];
        codes[i] = byte >> (6 - 2 * (in_block / 32)) & 3;
    }
}

/* Codes unpacked at a time: a multiple of the block of every type and of T2. */
enum { STRETCH = 2048 };

bool trit_t2_is_damaged(const uint8_t *t2, size_t n_bytes)
{
    uint8_t threes = 0;
    for (size_t i = 0; i < n_bytes; i++)
        threes |= t2[i] & t2[i] >> 1 & 0x55;
    return threes != 0;
}

/* ---- I2_S ------------------------------------------------------------------------------------
 *
 * Two bits per weight, the first of four in the top bits of a byte; then 32 bytes, the first four
 * of which are the scale. In the published order ("128"), the weights of the whole tensor are one
 * sequence of T2 blocks. If rows are whole blocks, that is T2 itself; else blocks straddle rows.
 * Some builds of bitnet.cpp wrote other orders with the same id:
 *
 *   64       like 128, but blocks are 64 weights in 16 bytes
 *   4row     byte [r/4, k] holds column k of rows r, r+1, r+2, r+3
 *   seq      byte i holds weights 4i .. 4i+3
 *   128row   like 128, but row by row; what is left after whole blocks is as in seq */

static const char *const layouts[] = {
    [TRIT_I2S_128] = "128",     [TRIT_I2S_128_ROWS] = "128row", [TRIT_I2S_64] = "64",
    [TRIT_I2S_4_ROWS] = "4row", [TRIT_I2S_SEQUENTIAL] = "seq",
};
enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

const char *trit_i2s_layout_at(int i)
{
    return i >= 0 && i < N_LAYOUTS ? layouts[i] : NULL;
}

trit_status trit_i2s_layout_named(enum trit_i2s_layout *out, const char *name,
                                  struct trit_error *err)
{
    for (int i = 0; i < N_LAYOUTS; i++)
        if (strcmp(layouts[i], name) == 0) {
            *out = (enum trit_i2s_layout)i;
            return TRIT_OK;
        }
    return trit_fail(err, TRIT_E_ARGUMENT,
                     "unknown I2_S layout '%s'; it must be 128, 64, 4row, seq or 128row", name);
}

/* The position of a weight. */
struct place {
    size_t byte;
    unsigned shift;
};

static struct place in_blocks(size_t i, size_t quarter)
{
    const size_t in_block = i % (4 * quarter);
    return (struct place){i / (4 * quarter) * quarter + in_block % quarter,
                          6 - 2 * (unsigned)(in_block / quarter)};
}

static struct place in_sequence(size_t i)
{
    return (struct place){i / 4, 6 - 2 * (unsigned)(i % 4)};
}

static struct place i2s_place(const struct trit_packed *m, size_t r, size_t k)
{
    const size_t flat = r * m->n_cols + k, whole = m->n_cols / TRIT_T2_BLOCK * TRIT_T2_BLOCK;
    struct place p;

    switch (m->layout) {
    case TRIT_I2S_64:
        return in_blocks(flat, 16);
    case TRIT_I2S_SEQUENTIAL:
        return in_sequence(flat);
    case TRIT_I2S_4_ROWS:
        return (struct place){r / 4 * m->n_cols + k, 6 - 2 * (unsigned)(r % 4)};
    case TRIT_I2S_128_ROWS:
        p = k < whole ? in_blocks(k, 32) : in_sequence(k);
        p.byte += r * (m->n_cols / 4);
        return p;
    default:
        return in_blocks(flat, 32);
    }
}

/* Check the number of weights, rows or columns. */
static trit_status check_i2s(const struct trit_packed *m, struct trit_error *why)
{
    const size_t n = m->n_rows * m->n_cols;

    if (m->layout == TRIT_I2S_128 && n % TRIT_T2_BLOCK)
        return trit_fail(why, TRIT_E_UNSUPPORTED,
                         "holds %zu weights, which is not a multiple of %d", n, TRIT_T2_BLOCK);
    if (m->layout == TRIT_I2S_64 && n % 64)
        return trit_fail(why, TRIT_E_UNSUPPORTED,
                         "holds %zu weights, which is not a multiple of 64", n);
    if (m->layout == TRIT_I2S_4_ROWS && m->n_rows % 4)
        return trit_fail(why, TRIT_E_UNSUPPORTED, "has %zu rows, which is not a multiple of 4",
                         m->n_rows);
    if (m->layout == TRIT_I2S_128_ROWS && m->n_cols % 4)
        return trit_fail(why, TRIT_E_UNSUPPORTED, "has rows of %zu, which is not a multiple of 4",
                         m->n_cols);
    return TRIT_OK;
}

float trit_i2s_scale(const uint8_t *data, size_t n_weights)
{
    float scale;
    memcpy(&scale, data + n_weights / 4, sizeof scale);
    return scale;
}

trit_status trit_unpack_i2s(uint8_t *t2, float *scale, const struct trit_packed *m,
                            struct trit_error *why)
{
    const trit_status status = check_i2s(m, why);
    uint8_t codes[STRETCH];

    *scale = trit_i2s_scale(m->data, m->n_rows * m->n_cols);
    if (status)
        return status;
    for (size_t r = 0; r < m->n_rows; r++, t2 += trit_t2_row_bytes(m->n_cols))
        for (size_t k = 0; k < m->n_cols; k += STRETCH) {
            const size_t end = m->n_cols - k < STRETCH ? m->n_cols : k + STRETCH;
            for (size_t j = k; j < end; j++) {
                const struct place p = i2s_place(m, r, j);
                codes[j - k] = m->data[p.byte] >> p.shift & 3;
            }
            trit_pack_t2_row(t2 + k / 4, codes, end - k);
        }
    return TRIT_OK;
}

void trit_pack_i2s(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows, size_t n_cols)
{
    const size_t row_bytes = trit_t2_row_bytes(n_cols);
    uint8_t codes[STRETCH], block[TRIT_T2_BLOCK];
    size_t n = 0; /* codes in the block */
    (void)scale;

    if (n_cols % TRIT_T2_BLOCK == 0) {
        memcpy(out, t2, n_rows * row_bytes);
        return;
    }
    for (size_t r = 0; r < n_rows; r++)
        for (size_t k = 0; k < n_cols; k += STRETCH) {
            const size_t m = n_cols - k < STRETCH ? n_cols - k : STRETCH;
            trit_unpack_t2_row(codes, t2 + r * row_bytes + k / 4, m);
            for (size_t i = 0; i < m; i++) {
                block[n++] = codes[i];
                if (n < TRIT_T2_BLOCK)
                    continue;
                pack_t2_block(out, block);
                out += TRIT_T2_BLOCK_BYTES;
                n = 0;
            }
        }
}

/* ---- TQ1_0 and TQ2_0 -------------------------------------------------------------------------
 *
 * Blocks of 256 with an f16 scale at the end. T2 has one scale per tensor, so all blocks must have
 * the same one. A block of scale 0 is all zeros, whatever its codes. */

/* 64 bytes of 2-bit codes: half h, byte m, shift 2l is weight 128h + 32l + m. */
static void tq2_codes(uint8_t codes[TQ_BLOCK], const uint8_t *block)
{
    for (size_t k = 0; k < TQ_BLOCK; k++)
        codes[k] = block[k / 128 * 32 + k % 32] >> (k % 128 / 32 * 2) & 3;
}

/* Bytes that hold several trits as the fraction byte/256 = 0.t0 t1 t2 … in base 3: multiplying by
 * 3^n drops the first n, the next one is the integer part of three times the rest. Bytes 0..31 hold
 * weights 32n+m, bytes 32..47 weights 160+16n+m, bytes 48..51 weights 240+4n+m. */
static uint8_t tq1_trit(uint8_t byte, size_t n)
{
    static const uint8_t pow3[5] = {1, 3, 9, 27, 81};
    const uint8_t rest = (uint8_t)(byte * pow3[n]);
    return (uint8_t)(rest * 3 >> 8);
}

static void tq1_codes(uint8_t codes[TQ_BLOCK], const uint8_t *block)
{
    for (size_t k = 0; k < 160; k++)
        codes[k] = tq1_trit(block[k % 32], k / 32);
    for (size_t k = 0; k < 80; k++)
        codes[160 + k] = tq1_trit(block[32 + k % 16], k / 16);
    for (size_t k = 0; k < 16; k++)
        codes[240 + k] = tq1_trit(block[48 + k % 4], k / 4);
}

/* Merge the scale of a block into that of the tensor; 0 means unknown so far. */
static trit_status join_scale(float *scale, float d, struct trit_error *why)
{
    if (!isfinite(d) || d < 0.0f)
        return trit_fail(why, TRIT_E_FILE, "holds a block with the scale %g", (double)d);
    if (d != 0.0f && *scale != 0.0f && d != *scale)
        return trit_fail(why, TRIT_E_UNSUPPORTED,
                         "holds blocks of different scales (%g and %g); one scale per tensor is "
                         "supported",
                         (double)*scale, (double)d);
    if (d != 0.0f)
        *scale = d;
    return TRIT_OK;
}

static trit_status unpack_tq(uint8_t *t2, float *scale, const struct trit_packed *m,
                             size_t block_bytes, void (*decode)(uint8_t *, const uint8_t *),
                             struct trit_error *why)
{
    const uint8_t *block = m->data;
    *scale = 0.0f;
    for (size_t r = 0; r < m->n_rows; r++, t2 += trit_t2_row_bytes(m->n_cols))
        for (size_t k = 0; k < m->n_cols; k += TQ_BLOCK, block += block_bytes) {
            uint8_t codes[TQ_BLOCK];
            const float d = trit_f16_to_f32(trit_load_u16(block + block_bytes - 2));
            const trit_status status = join_scale(scale, d, why);
            if (status)
                return status;
            if (d == 0.0f)
                memset(codes, 1, sizeof codes);
            else
                decode(codes, block);
            trit_pack_t2_row(t2 + k / 4, codes, TQ_BLOCK);
        }
    return TRIT_OK;
}

trit_status trit_unpack_tq1(uint8_t *t2, float *scale, const struct trit_packed *m,
                            struct trit_error *why)
{
    return unpack_tq(t2, scale, m, TQ1_BYTES, tq1_codes, why);
}

trit_status trit_unpack_tq2(uint8_t *t2, float *scale, const struct trit_packed *m,
                            struct trit_error *why)
{
    return unpack_tq(t2, scale, m, TQ2_BYTES, tq2_codes, why);
}

static void pack_tq(uint8_t *out, const uint8_t *t2, float scale, size_t n_blocks,
                    size_t block_bytes, void (*encode)(uint8_t *, const uint8_t *))
{
    const uint16_t d = trit_f32_to_f16(scale);
    uint8_t codes[TQ_BLOCK];

    for (size_t i = 0; i < n_blocks; i++, out += block_bytes, t2 += TQ_BLOCK / 4) {
        trit_unpack_t2_row(codes, t2, TQ_BLOCK);
        encode(out, codes);
        memcpy(out + block_bytes - sizeof d, &d, sizeof d);
    }
}

static void tq2_bytes(uint8_t *out, const uint8_t codes[TQ_BLOCK])
{
    for (size_t i = 0; i < 64; i++) {
        const uint8_t *c = codes + i / 32 * 128 + i % 32;
        out[i] = (uint8_t)(c[0] | c[32] << 2 | c[64] << 4 | c[96] << 6);
    }
}

/* The fraction 0.t0 t1 t2 t3 t4 of n trits, the rest 0, rounded up to byte/256. */
static uint8_t tq1_byte(const uint8_t *codes, size_t step, size_t n)
{
    unsigned v = 0;
    for (size_t i = 0; i < 5; i++)
        v = 3 * v + (i < n ? codes[i * step] : 0);
    return (uint8_t)((v * 256 + 242) / 243);
}

static void tq1_bytes(uint8_t *out, const uint8_t codes[TQ_BLOCK])
{
    for (size_t m = 0; m < 32; m++)
        out[m] = tq1_byte(codes + m, 32, 5);
    for (size_t m = 0; m < 16; m++)
        out[32 + m] = tq1_byte(codes + 160 + m, 16, 5);
    for (size_t m = 0; m < 4; m++)
        out[48 + m] = tq1_byte(codes + 240 + m, 4, 4);
}

void trit_pack_tq1(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows, size_t n_cols)
{
    pack_tq(out, t2, scale, n_rows * (n_cols / TQ_BLOCK), TQ1_BYTES, tq1_bytes);
}

void trit_pack_tq2(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows, size_t n_cols)
{
    pack_tq(out, t2, scale, n_rows * (n_cols / TQ_BLOCK), TQ2_BYTES, tq2_bytes);
}

/* ---- F32, F16, BF16 --------------------------------------------------------------------------
 *
 * They are ternary if every weight is -s, 0 or +s for one s. */

/* Codes of w[0..n), which must be 0 or +-*scale. If *scale is 0, the first other weight sets it.
 * @return the index of the first weight that is different, or n */
static size_t float_codes(uint8_t *codes, const float *w, size_t n, float *scale)
{
    for (size_t i = 0; *scale == 0.0f && i < n; i++)
        *scale = fabsf(w[i]);
    const float plus = isfinite(*scale) ? *scale : 0.0f, minus = -plus;
    size_t n_bad = 0;
    for (size_t i = 0; i < n; i++) {
        codes[i] = (uint8_t)(1 + (w[i] > 0.0f) - (w[i] < 0.0f));
        n_bad += (w[i] != plus) & (w[i] != minus) & (w[i] != 0.0f);
    }
    for (size_t i = 0; n_bad && i < n; i++)
        if (w[i] != plus && w[i] != minus && w[i] != 0.0f)
            return i;
    return n;
}

trit_status trit_unpack_float(uint8_t *t2, float *scale, const struct trit_packed *m,
                              struct trit_error *why)
{
    const size_t row_bytes = trit_format_bytes(m->format, m->n_cols);
    struct trit_kernels kernels;
    float w[STRETCH];
    uint8_t codes[STRETCH];

    trit_kernels_init(&kernels, trit_isa_best());
    *scale = 0.0f;
    for (size_t r = 0; r < m->n_rows; r++, t2 += trit_t2_row_bytes(m->n_cols))
        for (size_t k = 0; k < m->n_cols; k += STRETCH) {
            const size_t n = m->n_cols - k < STRETCH ? m->n_cols - k : STRETCH;
            kernels.decode[m->format](w, m->data + r * row_bytes + trit_format_bytes(m->format, k),
                                      n);
            const size_t bad = float_codes(codes, w, n, scale);
            if (bad < n && !isfinite(w[bad]))
                return trit_fail(why, TRIT_E_FILE, "holds a weight that is not finite");
            if (bad < n)
                return trit_fail(why, TRIT_E_UNSUPPORTED,
                                 "is not ternary (it holds %g and %g); quantize a full-precision "
                                 "master first",
                                 (double)*scale, (double)w[bad]);
            trit_pack_t2_row(t2 + k / 4, codes, n);
        }
    return TRIT_OK;
}

static void pack_floats(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows, size_t n_cols,
                        size_t bytes, trit_encode_fn *encode)
{
    const size_t row_bytes = trit_t2_row_bytes(n_cols);
    uint8_t codes[STRETCH];
    float x[STRETCH];

    for (size_t r = 0; r < n_rows; r++)
        for (size_t k = 0; k < n_cols; k += STRETCH) {
            const size_t n = n_cols - k < STRETCH ? n_cols - k : STRETCH;
            trit_unpack_t2_row(codes, t2 + r * row_bytes + k / 4, n);
            for (size_t i = 0; i < n; i++)
                x[i] = codes[i] == 1 ? 0.0f : scale * (float)(codes[i] - 1);
            encode(out, x, n);
            out += n * bytes;
        }
}

void trit_pack_f32(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows, size_t n_cols)
{
    pack_floats(out, t2, scale, n_rows, n_cols, 4, trit_encode_f32);
}

void trit_pack_f16(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows, size_t n_cols)
{
    pack_floats(out, t2, scale, n_rows, n_cols, 2, trit_encode_f16);
}

void trit_pack_bf16(uint8_t *out, const uint8_t *t2, float scale, size_t n_rows, size_t n_cols)
{
    pack_floats(out, t2, scale, n_rows, n_cols, 2, trit_encode_bf16);
}
