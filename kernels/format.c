/* format.c - the sizes of the float formats. */
#include "kernels.h"

static const struct {
    size_t block, bytes;
} formats[TRIT_N_FORMATS] = {
    [TRIT_FORMAT_F32] = {1, 4},
    [TRIT_FORMAT_F16] = {1, 2},
    [TRIT_FORMAT_BF16] = {1, 2},
    [TRIT_FORMAT_Q8_0] = {32, 2 + 32},
    [TRIT_FORMAT_Q4_0] = {32, 2 + 16},
    [TRIT_FORMAT_Q4_K] = {256, 2 + 2 + 12 + 128},
    [TRIT_FORMAT_Q6_K] = {256, 128 + 64 + 16 + 2},
};

size_t trit_format_block(enum trit_format format)
{
    return formats[format].block;
}

size_t trit_format_bytes(enum trit_format format, size_t n)
{
    return n / formats[format].block * formats[format].bytes;
}
