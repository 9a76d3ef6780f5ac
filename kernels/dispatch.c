/* dispatch.c - the table of instruction sets and the choice of a row. A new one is a file that
 * exports one init function, a row here, and where a CPU may lack it a bit in cpu.c. */
#include "kernels.h"

#include <stddef.h>
#include <string.h>

/* TRIT_HAVE_X says that this build holds x.c: right architecture, and the compiler knew its flags.
 */
#if TRIT_HAVE_AVX2
#define INIT_AVX2 trit_kernels_init_avx2
#else
#define INIT_AVX2 NULL
#endif

#if TRIT_HAVE_AVXVNNI
#define INIT_AVXVNNI trit_kernels_init_avxvnni
#else
#define INIT_AVXVNNI NULL
#endif
#if TRIT_HAVE_AVX512
#define INIT_AVX512 trit_kernels_init_avx512
#else
#define INIT_AVX512 NULL
#endif
#if TRIT_HAVE_AMX
#define INIT_AMX trit_kernels_init_amx
#else
#define INIT_AMX NULL
#endif

#if TRIT_HAVE_NEON
#define INIT_NEON trit_kernels_init_neon
#else
#define INIT_NEON NULL
#endif
#if TRIT_HAVE_DOTPROD
#define INIT_DOTPROD trit_kernels_init_dotprod
#else
#define INIT_DOTPROD NULL
#endif
#if TRIT_HAVE_I8MM
#define INIT_I8MM trit_kernels_init_i8mm
#else
#define INIT_I8MM NULL
#endif

/* Worst first on each architecture. Each row overwrites what it improves on the rows above it that
 * the CPU can run. */
const struct trit_isa trit_isas[] = {
    {"scalar", 0, trit_kernels_init_scalar},
    {"avx2", TRIT_CPU_AVX2, INIT_AVX2},
    {"avxvnni", TRIT_CPU_AVX2 | TRIT_CPU_AVXVNNI, INIT_AVXVNNI},
    {"avx512", TRIT_CPU_AVX2 | TRIT_CPU_AVX512, INIT_AVX512},
    {"amx", TRIT_CPU_AVX2 | TRIT_CPU_AVX512 | TRIT_CPU_AMX, INIT_AMX},
    {"neon", TRIT_CPU_NEON, INIT_NEON},
    {"dotprod", TRIT_CPU_NEON | TRIT_CPU_DOTPROD, INIT_DOTPROD},
    {"i8mm", TRIT_CPU_NEON | TRIT_CPU_DOTPROD | TRIT_CPU_I8MM, INIT_I8MM},
    {0},
};

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
               "every function of struct trit_kernels has its row in trit_operations[]");

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
