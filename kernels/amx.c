/* amx.c - the ternary product for prompts on x86 with AMX-INT8 (Sapphire Rapids 2023 and later).
 *
 * One instruction multiplies 16 tokens by 16 rows of weights over 64 columns. The activations of 16
 * tokens are already a tile in memory; avx512_panel.inc turns weights into tiles. The 16,384
 * products take 16 cycles; three chains of sums hide the latency of 52 cycles.
 *
 * Tiles are configured at the start of a call and released at its end, so threads need no setup.
 * cpu.c requests the permission that Linux requires, for the whole process. */
#include "kernels.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "avx512_t2.inc"

enum { PANEL_COLS = 512, FEW_TOKENS = 8 /* too few to pay for unpacking a panel */ };

#include "avx512_panel.inc"

/* Tile registers, which the instructions take as literals: the sums of group g are tile g, its
 * codes tile 4 + g. */
#define X_TILE 3

/* ---- Configuration --------------------------------------------------------------------------- */

struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};
_Static_assert(sizeof(struct tile_config) == 64, "the layout that LDTILECFG reads");

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

/* ---- Products -------------------------------------------------------------------------------- */

/* sums[t*PANEL_ROWS + r] = (if add: +=) the tile's tokens by n_g groups of rows, over n columns. */
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

/* Tiles are configured for 16 tokens on entry and on return. */
static void panel_tokens(int32_t *sums, const uint8_t *codes, const int8_t *x, size_t ldx, size_t n,
                         size_t n_g, size_t n_t, bool add, const uint8_t *next)
{
    (void)next;

    for (size_t t = 0; t < n_t; t += TILE_ROWS) {
        const bool whole = n_t - t >= TILE_ROWS;
        if (!whole)
            tiles_begin(n_t - t);
        panel_tile(sums + t * PANEL_ROWS, codes, x + t * ldx, ldx, n, n_g, add);
        if (!whole)
            tiles_begin(TILE_ROWS);
    }
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
    t2_by_panels(y, ldy, w, x, xq, w_scale, n_rows, n_cols, n_tokens);
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
