/* dotprod.c - the ternary product for Arm with the dot product (ARMv8.2: Cortex-A76 2018, Apple M1,
 * Graviton 2, Raspberry Pi 5).
 *
 * sdot adds four products of bytes at once into 32 bits, so sums need not be widened. */
#include "kernels.h"

#include <arm_neon.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#include "arm_t2.inc"

enum { CHUNK_BLOCKS = 1 << 20, TILE_TOKENS = 4, PANEL_COLS = 1280 };

#include "arm_dot.inc"

#include "t2_gemv.inc"

#include "t2_panel.inc"

#include "t2_gemm.inc"

/* ---- Probe ----------------------------------------------------------------------------------- */

#define PROBE probe_macs
#define CHAIN int32x4_t
#define CHAIN_ZERO vdupq_n_s32(0)
#define ONES int8x16_t
#define ONES_SET vdupq_n_s8(1)
#define STEP(sums) __asm__ volatile("sdot %0.4s, %1.16b, %1.16b" : "+w"(sums) : "w"(ones))
#define CHAIN_SUM(v) ((uint64_t)vaddlvq_s32((v)))

#include "probe.inc"

void trit_kernels_init_dotprod(struct trit_kernels *k)
{
    k->t2_gemm = t2_gemm;
    k->probe_macs = probe_macs;
}
