/* type_ternary.c - from every ternary file type to the one layout in memory, T2 (kernels.h). */
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

/* Write codes 0..3 of n_cols weights as one T2 row; the padding is code 1. */
static void pack_t2_row(uint8_t *t2, const uint8_t *codes, size_t n_cols)
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

/* Rows are produced this many codes at a time: whole blocks of every type and of T2. */
enum { STRETCH = 2048 };

/* ---- I2_S ------------------------------------------------------------------------------------
 *
 * T2 blocks over the whole tensor as one flat run of weights, then 32 bytes whose first four are
 * the scale. Where rows are whole blocks this is T2 as it stands; else blocks straddle rows. */

float trit_i2s_scale(const uint8_t *data, size_t n_weights)
{
    float scale;
    memcpy(&scale, data + n_weights / 4, sizeof scale);
    return scale;
}

trit_status trit_unpack_i2s(uint8_t *t2, float *scale, const struct trit_packed *m,
                            struct trit_error *why)
{
    const size_t n = m->n_rows * m->n_cols;
    uint8_t codes[STRETCH];

    *scale = trit_i2s_scale(m->data, n);
    if (n % TRIT_T2_BLOCK)
        return trit_fail(why, TRIT_E_UNSUPPORTED,
                         "holds %zu weights, which are no whole blocks of %d", n, TRIT_T2_BLOCK);
    for (size_t r = 0; r < m->n_rows; r++, t2 += trit_t2_row_bytes(m->n_cols))
        for (size_t k = 0; k < m->n_cols; k += STRETCH) {
            const size_t end = m->n_cols - k < STRETCH ? m->n_cols : k + STRETCH;
            for (size_t j = k; j < end; j++) {
                const size_t flat = r * m->n_cols + j, in_block = flat % TRIT_T2_BLOCK;
                const uint8_t byte = m->data[flat / TRIT_T2_BLOCK * 32 + in_block % 32];
                codes[j - k] = byte >> (6 - 2 * (in_block / 32)) & 3;
            }
            pack_t2_row(t2 + k / 4, codes, end - k);
        }
    return TRIT_OK;
}

/* ---- TQ1_0 and TQ2_0 -------------------------------------------------------------------------
 *
 * Blocks of 256 with an f16 scale at the end. As T2 has one scale per tensor, the blocks' must be
 * equal; a block of scale 0 is all zeros whatever its codes say. */

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

/* Take the scale of one block into that of the tensor; 0 means none so far. */
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
            pack_t2_row(t2 + k / 4, codes, TQ_BLOCK);
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

/* ---- F32, F16, BF16 --------------------------------------------------------------------------
 *
 * Ternary if every weight is -s, 0 or +s for one s. */

/* Codes of w[0..n), all of which must be 0 or +-*scale; *scale 0 is set by the first that is not.
 * @return the first weight that does not fit, or n */
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
                                 "is not ternary (it holds %g and %g); `trit quantize` makes "
                                 "ternary weights of a full-precision master",
                                 (double)*scale, (double)w[bad]);
            pack_t2_row(t2 + k / 4, codes, n);
        }
    return TRIT_OK;
}
