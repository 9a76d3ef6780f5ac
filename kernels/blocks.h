/* blocks.h - ggml's block formats: sizes, and how Q4_K packs its scales. */
#ifndef TRIT_BLOCKS_H
#define TRIT_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum {
    Q8_0_BLOCK = 32,
    Q8_0_BYTES = 2 + 32,
    Q4_0_BLOCK = 32,
    Q4_0_BYTES = 2 + 16,
    K_BLOCK = 256,
    Q4_K_BYTES = 2 + 2 + 12 + 128,
    Q6_K_BYTES = 128 + 64 + 16 + 2,
};

/* The 6-bit scale and minimum of sub-block j in 0..7 of Q4_K, from the 12 packed bytes: the first
 * four of each lie in bits 5-0 of bytes 0..3 and 4..7; the last four take their low nibbles from
 * bytes 8..11 and their top pairs from bits 7-6 of bytes 0..3 (scales) and 4..7 (minimums). */
static inline void q4_k_scale(const uint8_t packed[12], size_t j, int *scale, int *min)
{
    if (j < 4) {
        *scale = packed[j] & 63;
        *min = packed[4 + j] & 63;
    } else {
        *scale = (packed[4 + j] & 15) | packed[j - 4] >> 6 << 4;
        *min = packed[4 + j] >> 4 | packed[j] >> 6 << 4;
    }
}

#endif
