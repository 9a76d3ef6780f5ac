/* dispatch.c - the table of instruction sets and the choice of a row. */
#include "kernels.h"

#include <stddef.h>
#include <string.h>

/* CMake defines TRIT_INIT_x for each x of TRIT_ISAS(): its init function, or NULL if this build
 * lacks it. */
#define TRIT_INIT_scalar trit_kernels_init_scalar
#define ISA_ROW(name, cpu) {#name, cpu, TRIT_INIT_##name},

const struct trit_isa trit_isas[] = {TRIT_ISAS(ISA_ROW){0}};

bool trit_isa_usable(const struct trit_isa *isa)
{
    return isa->init && (trit_cpu_features() & isa->cpu) == isa->cpu;
}

const struct trit_isa *trit_isa_best(void)
{
    const struct trit_isa *best = trit_isas;
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++)
        if (trit_isa_usable(isa))
            best = isa;
    return best;
}

const struct trit_isa *trit_isa_find(const char *name)
{
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++)
        if (strcmp(isa->name, name) == 0)
            return isa;
    return NULL;
}

void trit_kernels_init(struct trit_kernels *k, const struct trit_isa *isa)
{
    for (const struct trit_isa *row = trit_isas; row <= isa; row++)
        if (trit_isa_usable(row))
            row->init(k);
}

/* ---- Operations ------------------------------------------------------------------------------ */

#define AT(member) offsetof(struct trit_kernels, member)

const struct trit_operation trit_operations[] = {
    {"quantize_row_mul", AT(quantize_row[TRIT_ACT_FORM_MUL])},
    {"quantize_row_div", AT(quantize_row[TRIT_ACT_FORM_DIV])},
    {"t2_gemm", AT(t2_gemm)},
    {"decode_f32", AT(decode[TRIT_FORMAT_F32])},
    {"decode_f16", AT(decode[TRIT_FORMAT_F16])},
    {"decode_bf16", AT(decode[TRIT_FORMAT_BF16])},
    {"decode_q8_0", AT(decode[TRIT_FORMAT_Q8_0])},
    {"decode_q4_0", AT(decode[TRIT_FORMAT_Q4_0])},
    {"decode_q4_k", AT(decode[TRIT_FORMAT_Q4_K])},
    {"decode_q6_k", AT(decode[TRIT_FORMAT_Q6_K])},
    {"gemm_f32", AT(gemm[TRIT_FORMAT_F32])},
    {"gemm_f16", AT(gemm[TRIT_FORMAT_F16])},
    {"gemm_bf16", AT(gemm[TRIT_FORMAT_BF16])},
    {"gemm_q8_0", AT(gemm[TRIT_FORMAT_Q8_0])},
    {"gemm_q4_0", AT(gemm[TRIT_FORMAT_Q4_0])},
    {"gemm_q4_k", AT(gemm[TRIT_FORMAT_Q4_K])},
    {"gemm_q6_k", AT(gemm[TRIT_FORMAT_Q6_K])},
    {"rmsnorm", AT(rmsnorm)},
    {"layernorm", AT(layernorm)},
    {"fwht", AT(fwht)},
    {"rope_half", AT(rope[TRIT_ROPE_HALF])},
    {"rope_pairs", AT(rope[TRIT_ROPE_PAIRS])},
    {"glu_silu", AT(glu[TRIT_ACT_SILU])},
    {"glu_relu2", AT(glu[TRIT_ACT_RELU2])},
    {"kv_store_f16", AT(kv_store[TRIT_KV_F16])},
    {"kv_store_f32", AT(kv_store[TRIT_KV_F32])},
    {"kv_store_i8", AT(kv_store[TRIT_KV_I8])},
    {"attn_block_f16", AT(attn_block[TRIT_KV_F16])},
    {"attn_block_f32", AT(attn_block[TRIT_KV_F32])},
    {"attn_block_i8", AT(attn_block[TRIT_KV_I8])},
    {"attn_merge", AT(attn_merge)},
    {"probe_read", AT(probe_read)},
    {"probe_macs", AT(probe_macs)},
    {"probe_fmas", AT(probe_fmas)},
    {0},
};

_Static_assert(sizeof(struct trit_kernels) ==
                   (sizeof trit_operations / sizeof *trit_operations - 1) * sizeof(void (*)(void)),
               "every function of struct trit_kernels has a row in trit_operations[]");

const struct trit_isa *trit_operation_row(const struct trit_operation *op,
                                          const struct trit_isa *isa)
{
    typedef unsigned char pointer[sizeof(void (*)(void))];
    const struct trit_isa *last = trit_isas;
    struct trit_kernels k = {0};
    pointer before = {0};

    for (const struct trit_isa *row = trit_isas; row <= isa; row++) {
        if (!trit_isa_usable(row))
            continue;
        row->init(&k);
        const unsigned char *now = (const unsigned char *)&k + op->offset;
        if (memcmp(now, before, sizeof before) != 0)
            last = row;
        memcpy(before, now, sizeof before);
    }
    return last;
}
