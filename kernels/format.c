/* format.c - the names and sizes of the float formats. */
#include "kernels.h"

#include "blocks.h"

static const struct {
    const char *name;
    size_t block, bytes;
} formats[TRIT_N_FORMATS] = {
    [TRIT_FORMAT_F32] = {"f32", 1, 4},
    [TRIT_FORMAT_F16] = {"f16", 1, 2},
    [TRIT_FORMAT_BF16] = {"bf16", 1, 2},
    [TRIT_FORMAT_Q8_0] = {"q8_0", Q8_0_BLOCK, Q8_0_BYTES},
    [TRIT_FORMAT_Q4_0] = {"q4_0", Q4_0_BLOCK, Q4_0_BYTES},
    [TRIT_FORMAT_Q4_K] = {"q4_k", K_BLOCK, Q4_K_BYTES},
    [TRIT_FORMAT_Q6_K] = {"q6_k", K_BLOCK, Q6_K_BYTES},
};

size_t trit_format_block(enum trit_format format)
{
    return formats[format].block;
}

size_t trit_format_bytes(enum trit_format format, size_t n)
{
    return n / formats[format].block * formats[format].bytes;
}

const char *trit_format_name(enum trit_format format)
{
    return formats[format].name;
}
