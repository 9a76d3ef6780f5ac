/* amx.c - the ternary product of prompts for x86 with AMX-INT8 (Sapphire Rapids 2023 and later).
 *
 * A tile is 16 rows of 64 bytes; one instruction multiplies 16 tokens by 16 rows of weights over 64
 * columns. The activations of 16 tokens are such a tile as they lie in memory. Weights want four
 * columns of each of the 16 rows side by side: a block's packed bytes are transposed once, as
 * 32-bit words, and its four planes then fall out by shifts. The 16,384 products of an instruction
 * take 16 cycles; three chains of sums hide its latency of 52.
 *
 * Tiles are configured at the start of a call and released at its end, so no thread has to be
 * prepared; the permission that Linux wants is asked for in cpu.c, for the process. */
#include "kernels.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "avx512_t2.inc"

enum {
    TILE_ROWS = 16,
    TILE_COLS = 64,
    TILE_BYTES = TILE_ROWS * TILE_COLS,
    MAX_GROUPS = 3, /* of 16 rows of weights, in a panel */
    PANEL_ROWS = MAX_GROUPS * TILE_ROWS,
    PANEL_COLS = 512,
    PANEL_TOKENS = 128,
    FEW_TOKENS = 8, /* for which unpacking a panel does not pay */
};

/* Tile registers; the instructions want them as literals: sums of group g are tile g, its codes
 * tile 4 + g. */
#define X_TILE 3

/* What p points at has to be in memory now: gcc 12 does not know that tiles and their configuration
 * are loaded from there. */
INLINE void written(const void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

/* ---- Configuration --------------------------------------------------------------------------- */

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};
_Static_assert(sizeof(struct tile_config) == 64, "as LDTILECFG reads it");

/* Sums and activations of n_t tokens, 1..16; codes of 16 rows of weights. Clears all tiles. */
INLINE void tiles_begin(size_t n_t)
{
    struct tile_config c = {.palette = 1};

    for (int i = 0; i < 7; i++) {
        c.row_bytes[i] = TILE_COLS;
        c.rows[i] = i <= X_TILE ? (uint8_t)n_t : TILE_ROWS;
    }
    written(&c);
    _tile_loadconfig(&c);
}

/* ---- Weights --------------------------------------------------------------------------------- */

/* Bytes at..at+15 of rows j, 4+j, 8+j, 12+j of 16. */
INLINE __m512i load_lanes(const uint8_t *const rows[TILE_ROWS], size_t j, size_t at)
{
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(rows[j] + at)));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(rows[4 + j] + at)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(rows[8 + j] + at)), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(rows[12 + j] + at)), 3);
}

INLINE void put_plane(uint8_t *out, __m512i words, uint8_t shift) /* compilers differ on its sign */
{
    const __m512i three = _mm512_set1_epi8(3);
    _mm512_store_si512(out, _mm512_and_si512(_mm512_srli_epi16(words, shift), three));
}

/* One block of 16 rows as two tiles, of columns 0..63 and of 64..127. Word k of a row's 32 bytes
 * holds columns 4k..4k+3 of each plane: row k of a tile, or row 8+k. */
INLINE void unpack_block(uint8_t *tiles, const uint8_t *const rows[TILE_ROWS], size_t at)
{
    for (size_t half = 0; half < 2; half++) {
        const __m512i a = load_lanes(rows, 0, at + 16 * half);
        const __m512i b = load_lanes(rows, 1, at + 16 * half);
        const __m512i c = load_lanes(rows, 2, at + 16 * half);
        const __m512i d = load_lanes(rows, 3, at + 16 * half);
        const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
        const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
        const __m512i words[4] = {
            _mm512_unpacklo_epi64(ab_low, cd_low), _mm512_unpackhi_epi64(ab_low, cd_low),
            _mm512_unpacklo_epi64(ab_high, cd_high), _mm512_unpackhi_epi64(ab_high, cd_high)};
        for (size_t k = 0; k < 4; k++) {
            uint8_t *out = tiles + (4 * half + k) * TILE_COLS;
            put_plane(out, words[k], 6);
            put_plane(out + TILE_BYTES / 2, words[k], 4);
            put_plane(out + TILE_BYTES, words[k], 2);
            put_plane(out + TILE_BYTES + TILE_BYTES / 2, words[k], 0);
        }
    }
}

/* n_r <= PANEL_ROWS rows, in groups of 16; where a group is not full its last row stands in. */
static void unpack_panel(uint8_t *codes, const uint8_t *w, size_t row_bytes, size_t n_r,
                         size_t n_cols)
{
    for (size_t r = 0; r < n_r; r += TILE_ROWS, codes += TILE_ROWS * PANEL_COLS) {
        const uint8_t *rows[TILE_ROWS];
        for (size_t i = 0; i < TILE_ROWS; i++)
            rows[i] = w + (r + i < n_r ? r + i : n_r - 1) * row_bytes;
        for (size_t b = 0; b < n_cols / TRIT_T2_BLOCK; b++)
            unpack_block(codes + b * 2 * TILE_BYTES, rows, b * TRIT_T2_BLOCK_BYTES);
    }
    written(codes);
}

/* ---- Products -------------------------------------------------------------------------------- */

/* sums[t*PANEL_ROWS + r] = or += the tile's tokens by n_g groups of rows, over n columns. */
INLINE void panel_tile(int32_t *sums, const uint8_t *codes, const int8_t *x, size_t ldx, size_t n,
                       size_t n_g, bool add)
{
    enum { STRIDE = PANEL_ROWS * sizeof *sums, GROUP = TILE_ROWS * PANEL_COLS };

    if (add) {
        _tile_loadd(0, sums, STRIDE);
        _tile_loadd(1, sums + TILE_ROWS, STRIDE);
        _tile_loadd(2, sums + 2 * TILE_ROWS, STRIDE);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
    }
    for (size_t i = 0; i < n; i += TILE_COLS, codes += TILE_BYTES) {
        _tile_loadd(X_TILE, x + i, ldx);
        _tile_loadd(4, codes, TILE_COLS);
        _tile_dpbsud(0, X_TILE, 4);
        if (n_g > 1) {
            _tile_loadd(5, codes + GROUP, TILE_COLS);
            _tile_dpbsud(1, X_TILE, 5);
        }
        if (n_g > 2) {
            _tile_loadd(6, codes + 2 * GROUP, TILE_COLS);
            _tile_dpbsud(2, X_TILE, 6);
        }
    }
    _tile_stored(0, sums, STRIDE);
    _tile_stored(1, sums + TILE_ROWS, STRIDE);
    _tile_stored(2, sums + 2 * TILE_ROWS, STRIDE);
}

static void store_sums(float *y, const int32_t *sums, const struct trit_q8 *xq, float w_scale,
                       size_t n_r)
{
    const __m512 scale = _mm512_set1_ps(w_scale / xq->s);

    for (size_t r = 0; r < n_r; r += TILE_ROWS) {
        const __mmask16 mask = (__mmask16)(n_r - r < TILE_ROWS ? (1u << (n_r - r)) - 1 : 0xffff);
        const __m512i d =
            _mm512_sub_epi32(_mm512_loadu_si512(sums + r), _mm512_set1_epi32(xq->sum));
        _mm512_mask_storeu_ps(y + r, mask, _mm512_mul_ps(_mm512_cvtepi32_ps(d), scale));
    }
}

/* n_r <= PANEL_ROWS rows for n_t <= PANEL_TOKENS tokens. Tiles are configured for 16 tokens, before
 * and after. */
static void t2_panels(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                      const struct trit_q8 *xq, float w_scale, size_t n_cols, size_t n_r,
                      size_t n_t)
{
    _Alignas(64) uint8_t codes[PANEL_ROWS * PANEL_COLS];
    _Alignas(64) int32_t sums[PANEL_TOKENS * PANEL_ROWS];
    const size_t n_g = (n_r + TILE_ROWS - 1) / TILE_ROWS;

    for (size_t k = 0; k < n_cols; k += PANEL_COLS) {
        const size_t n = n_cols - k < PANEL_COLS ? n_cols - k : PANEL_COLS;
        unpack_panel(codes, w + k / 4, n_cols / 4, n_r, n);
        for (size_t t = 0; t < n_t; t += TILE_ROWS) {
            const bool whole = n_t - t >= TILE_ROWS;
            if (!whole)
                tiles_begin(n_t - t);
            panel_tile(sums + t * PANEL_ROWS, codes, x + t * n_cols + k, n_cols, n, n_g, k > 0);
            if (!whole)
                tiles_begin(TILE_ROWS);
        }
    }
    for (size_t t = 0; t < n_t; t++)
        store_sums(y + t * ldy, sums + t * PANEL_ROWS, &xq[t], w_scale, n_r);
}

static void t2_gemm(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_tokens, const struct trit_walk *walk)
{
    if (n_tokens <= FEW_TOKENS) {
        t2_gemm_vnni(y, ldy, w, x, xq, w_scale, n_rows, n_cols, n_tokens, walk);
        return;
    }
    tiles_begin(TILE_ROWS);
    for (size_t t = 0; t < n_tokens; t += PANEL_TOKENS) {
        const size_t n_t = n_tokens - t < PANEL_TOKENS ? n_tokens - t : PANEL_TOKENS;
        for (size_t r = 0; r < n_rows; r += PANEL_ROWS)
            t2_panels(y + t * ldy + r, ldy, w + r * (n_cols / 4), x + t * n_cols, xq + t, w_scale,
                      n_cols, n_rows - r < PANEL_ROWS ? n_rows - r : PANEL_ROWS, n_t);
    }
    _tile_release();
}

/* ---- Probe ----------------------------------------------------------------------------------- */

static uint64_t probe_macs(size_t n_rounds)
{
    _Alignas(64) uint8_t ones[TILE_BYTES];
    _Alignas(64) int32_t sums[4][TILE_ROWS * TILE_ROWS];
    uint64_t sum = 0;

    memset(ones, 1, sizeof ones);
    written(ones);
    tiles_begin(TILE_ROWS);
    _tile_loadd(X_TILE, ones, TILE_COLS);
    _tile_loadd(4, ones, TILE_COLS);
    for (size_t n = 0; n < n_rounds; n++) {
        _tile_dpbsud(0, X_TILE, 4);
        _tile_dpbsud(1, X_TILE, 4);
        _tile_dpbsud(2, X_TILE, 4);
        _tile_dpbsud(5, X_TILE, 4);
    }
    _tile_stored(0, sums[0], TILE_COLS);
    _tile_stored(1, sums[1], TILE_COLS);
    _tile_stored(2, sums[2], TILE_COLS);
    _tile_stored(5, sums[3], TILE_COLS);
    _tile_release();
    for (size_t i = 0; i < 4 * TILE_ROWS * TILE_ROWS; i++)
        sum += (uint64_t)sums[i / (TILE_ROWS * TILE_ROWS)][i % (TILE_ROWS * TILE_ROWS)];
    return sum;
}

void trit_kernels_init_amx(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
}
