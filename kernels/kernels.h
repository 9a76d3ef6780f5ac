/* kernels.h - every piece of arithmetic in trit, as one table of functions per instruction set.
 *
 * A kernel only computes: it allocates no memory, starts no threads, does no I/O and returns no
 * errors. scalar.c defines the result of each; every other file must give the same bits
 * (check_kernels compares them), so the output does not depend on the row that a machine picks.
 *
 * Exactness, by kind:
 *
 *   integer dots      exact in int32, in any order.
 *
 *   float dots, sums  the lane rule: 16 interleaved lanes; lane j takes elements j, 16+j, 32+j, ...
 *                     by fmaf; the tail behaves as if padded with +0 (its fma is executed); then
 *                     lane j += lane j+8, then j+4, j+2, j+1.
 *
 *   everything else   one IEEE operation at a time, in the order of the scalar code, fused only
 *                     where it says fmaf; no reciprocal or square-root estimates.
 *
 * NaN always propagates, also through comparisons. Infinity may be lost (f16 rows saturate):
 * callers check for it first.
 *
 * Pointers are aligned to their element; quantized weights need no alignment. Inputs and outputs do
 * not overlap unless a comment says so. */
#ifndef TRIT_KERNELS_H
#define TRIT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Layouts --------------------------------------------------------------------------------
 *
 * T2: 128 ternary weights in 32 bytes. Byte i of a block holds weights i, 32+i, 64+i, 96+i,
 * two bits each from the top; code c stands for c-1 (3 decodes as +2 and is never written):
 *
 *   byte i:   bit 7 6 | 5 4     | 3 2     | 1 0         0 -> -1
 *             w[i]    | w[32+i] | w[64+i] | w[96+i]     1 ->  0
 *                                                       2 -> +1
 *
 * Rows are contiguous, n_cols/4 bytes each; n_cols is a multiple of TRIT_T2_BLOCK (narrower rows
 * are padded with code 1). The bytes are the same on every CPU and equal to GGUF's published I2_S.
 *
 * A future layout with one scale per 64*k weights (T2G) would add a row of scales to the same
 * codes; its product would be a new entry of the table, next to t2_gemm. */
enum { TRIT_T2_BLOCK = 128, TRIT_T2_BLOCK_BYTES = 32 };

/* Storage formats of a float matrix (embedding, head); block layouts are ggml's. */
enum trit_format {
    TRIT_FORMAT_F32,
    TRIT_FORMAT_F16,
    TRIT_FORMAT_BF16,
    TRIT_FORMAT_Q8_0, /*  32 weights: f16 d, 32 int8;              w = d*q */
    TRIT_FORMAT_Q4_0, /*  32 weights: f16 d, 16 bytes of nibbles;  w = d*(q-8) */
    TRIT_FORMAT_Q4_K, /* 256 weights: f16 d, f16 m, 12 B of 6-bit scales, 128 B of nibbles */
    TRIT_FORMAT_Q6_K, /* 256 weights: 128 B low nibbles, 64 B high pairs, 16 int8 scales, f16 d */
    TRIT_N_FORMATS
};

/* Storage formats of a key or value row. I8 has one f32 scale per row of head_dim. */
enum trit_kv_format { TRIT_KV_F16, TRIT_KV_F32, TRIT_KV_I8, TRIT_N_KV_FORMATS };

/* If max|x| is below this, 127/max|x| could overflow. */
#define TRIT_KV_TINY 0x1p-121f

/* The activation of a gated linear unit: ACT(gate) * up. */
enum trit_act { TRIT_ACT_SILU, TRIT_ACT_RELU2, TRIT_N_ACTS };

/* Which elements RoPE rotates together: (i, i+n/2) or (2i, 2i+1). */
enum trit_rope_style { TRIT_ROPE_HALF, TRIT_ROPE_PAIRS, TRIT_N_ROPE_STYLES };

enum {
    TRIT_LANES = 16,          /* of the lane rule */
    TRIT_ATTN_BLOCK = 64,     /* keys in one attention block */
    TRIT_ATTN_QUERIES = 8,    /* queries that may share a block */
    TRIT_MAX_HEAD_DIM = 512,  /* callers may size stack buffers by it */
    TRIT_PROBE_ROUNDS = 8192, /* with more, 16-bit sums of pairs could overflow */
};

/* ---- Walks ----------------------------------------------------------------------------------
 *
 * A single token reads each weight once, as fast as memory delivers it. The best read order and
 * prefetch distance depend on the machine, and can double the speed. A walk is one choice of both.
 * Walks never change a bit of any result, so each machine picks its own: run/tuner.h. */

enum trit_order {
    TRIT_ORDER_TILES, /* several neighboring rows at once; the hint says how to prefetch more */
    TRIT_ORDER_APART, /* four rows far apart, read in bursts: four long streams */
    TRIT_ORDER_WIDE,  /* as TILES, with the widest registers */
};

/* The cache that lines are prefetched into; NTA: non-temporal, used only once. */
enum trit_hint { TRIT_HINT_NONE, TRIT_HINT_T0, TRIT_HINT_T1, TRIT_HINT_NTA };

/* What a walk is for: ternary matrices, float matrices, keys and values (only the hint). */
enum { TRIT_WALK_T2 = 1 << 0, TRIT_WALK_FLOAT = 1 << 1, TRIT_WALK_KV = 1 << 2 };

struct trit_walk {
    const char *name;
    enum trit_order order;
    unsigned n_rows; /* of a T2 tile; half as many for plain floats, four for blocks */
    enum trit_hint hint;
    size_t ahead;     /* minimum prefetch distance, in bytes */
    unsigned of;      /* bits of TRIT_WALK_*: t2_gemm, gemm, attn_block */
    bool tried;       /* by the tuner; others are used only if the user names them */
    unsigned cpu;     /* bits of trit_cpu_features(); only rows that need them have this walk */
    const char *note; /* description for people */
};

extern const struct trit_walk trit_walks[]; /* ends with name NULL; the first one is the default */
const struct trit_walk *trit_walk_find(const char *name); /* or NULL */

/* ---- Kernels --------------------------------------------------------------------------------- */

/* The scalars that belong to a quantized activation row: q = rint(x*s). */
struct trit_q8 {
    float s;     /* 127 / max|x| */
    int32_t sum; /* of all q */
};

/* Running softmax: what one block, or several merged ones, contribute to a query's output. */
struct trit_softmax {
    float max; /* largest score */
    float sum; /* of exp(score - max) */
};

/* How activations are quantized; the results differ by rounding. */
enum trit_act_form { TRIT_ACT_FORM_MUL, TRIT_ACT_FORM_DIV, TRIT_N_ACT_FORMS };
#define TRIT_DIV_MAX 0x1p120f /* q_max times a larger number may be infinite */

/* The widths of one attention call. */
struct trit_attn_shape {
    size_t n_keys;        /* 1..TRIT_ATTN_BLOCK */
    size_t head_dim;      /* 1..TRIT_MAX_HEAD_DIM */
    float scale;          /* multiplies each score */
    size_t n_q;           /* queries, 1..TRIT_ATTN_QUERIES; each sees all the keys */
    size_t ldq;           /* floats from one query to the next, in q and in acc */
    bool accumulate;      /* add this block to the earlier ones that acc and sm hold */
    const void *prefetch; /* n_keys keys that may come next, or NULL */
    enum trit_hint hint;  /* for the prefetch of these and of the values */
};

struct trit_kernels {
    /* MUL: q[i] = rint(x[i]*s); DIV: q[i] = rint((x[i]*q_max)/m); i < n, half to even, s = q_max/m,
     * m the larger of eps and max|x| (the integer maximum of the bit patterns without sign);
     * q[n..n_padded) = 0. x: [n], q: [n_padded]. eps >= 1e-30; q_max is 127 for 8 bits.
     * Returns false, and q all 0, if an x is NaN or infinite, or for DIV beyond TRIT_DIV_MAX. */
    bool (*quantize_row[TRIT_N_ACT_FORMS])(int8_t *q, struct trit_q8 *out, const float *x, size_t n,
                                           size_t n_padded, float eps, float q_max);

    /* y[t*ldy + r] = (float)(sum_k c[r][k]*x[t][k] - xq[t].sum) * (w_scale / xq[t].s)
     * with c the T2 codes 0..3. w: [n_rows, n_cols] T2; x: [n_tokens, n_cols] int8;
     * xq: [n_tokens]; y: n_tokens rows, ldy floats apart. n_cols <= 2^22. Any n_rows, n_tokens.
     * walk: its order is used for up to three tokens; for more, which wait less for memory, only
     * its hint. An order that is not for T2, or that this row lacks, is treated as TILES. */
    void (*t2_gemm)(float *y, size_t ldy, const uint8_t *w, const int8_t *x,
                    const struct trit_q8 *xq, float w_scale, size_t n_rows, size_t n_cols,
                    size_t n_tokens, const struct trit_walk *walk);

    /* y[0..n) = the weights at w as f32, by the formula of the format. n: whole blocks. */
    void (*decode[TRIT_N_FORMATS])(float *y, const void *w, size_t n);

    /* y[t*ldy + r] = dot(decode(w[r]), x[t]) by the lane rule.
     * w: [n_rows, n_cols] in the format, rows contiguous; x: [n_tokens, n_cols], ldx floats apart.
     * walk: its order is used for a single token; for more, only its hint and distance. */
    void (*gemm[TRIT_N_FORMATS])(float *y, size_t ldy, const void *w, const float *x, size_t ldx,
                                 size_t n_rows, size_t n_cols, size_t n_tokens,
                                 const struct trit_walk *walk);

    /* y[i] = (x[i] * r) * w[i], r = 1/sqrtf(ss/n + eps), ss = sum x[i]^2 by the lane rule.
     * x, y, w: [n]; y may be x. Returns false if ss is not finite. */
    bool (*rmsnorm)(float *y, const float *x, const float *w, size_t n, float eps);

    /* y[i] = ((x[i] - mean) * r) * w[i] + b[i], r = 1/sqrtf(ss/n + eps), mean = (sum x[i])/n by the
     * lane rule with adds, ss = sum (x[i] - mean)^2 by the lane rule. If w and b are NULL,
     * y[i] = (x[i] - mean) * r. x, y, w, b: [n]; y may be x. Returns false if ss is not finite. */
    bool (*layernorm)(float *y, const float *x, const float *w, const float *b, size_t n,
                      float eps);

    /* The Walsh-Hadamard transform of x in place, natural order, not normalized: for len = 1, 2, 4,
     * ..., n/2 the pairs (x[i], x[i+len]) with bit len of i clear become (a+b, a-b). n is a power
     * of two. The result is exact for whole numbers as long as none exceeds 2^24. */
    void (*fwht)(float *x, size_t n);

    /* Rotate x[0..n_rot) in place by the position's angles. cos, sin: [n_rot/2].
     * (a, b) -> (a*c - b*s, a*s + b*c), each product rounded. */
    void (*rope[TRIT_N_ROPE_STYLES])(float *x, const float *cos, const float *sin, size_t n_rot);

    /* y[i] = act(gate[i]) * up[i]. SILU: g/(1+exp(-g)) * u; RELU2: (r*r)*u, r = max(g,0).
     * All [n]; y may be gate or up. */
    void (*glu[TRIT_N_ACTS])(float *y, const float *gate, const float *up, size_t n);

    /* Store one key or value row x: [n]. F16: round to nearest even, saturating at +-65504 (NaN
     * stays NaN). I8: *row_scale = max|x|/127, q = rint(x * (127/max|x|)); if max|x| is below
     * TRIT_KV_TINY the row is stored as zeros, and if an x is not finite *row_scale is NaN.
     * row_scale is written by I8 only. */
    void (*kv_store[TRIT_N_KV_FORMATS])(void *dst, float *row_scale, const float *x, size_t n);

    /* Independent queries against one block of keys. q, acc: n_q rows of head_dim, ldq floats
     * apart; k, v: [n_keys, head_dim]; k_scale, v_scale: [n_keys], read by I8 only. Computes each
     * query's softmax over the block, sm: [n_q], and acc = sum_j p_j*v_j, one fma chain per element
     * in key order, where
     *   score_j = dot(q, k_j)*scale       (I8: (dot(q, k_j)*k_scale_j)*scale)
     *   p_j = exp(score_j - max)          (I8: values weigh p_j*v_scale_j)
     * The sum of the p_j follows the lane rule with adds, the maximum with a > b ? a : b. With
     * shape->accumulate the block is added to sm and acc as attn_merge() does. */
    void (*attn_block[TRIT_N_KV_FORMATS])(float *acc, struct trit_softmax *sm,
                                          const struct trit_attn_shape *shape, const float *q,
                                          const void *k, const float *k_scale, const void *v,
                                          const float *v_scale);

    /* Add later blocks to an earlier state, one after the other:  M = max of both, a = exp(m-M),
     * b = exp(m'-M); sum = fmaf(sum', b, sum*a); acc = fmaf(acc', b, acc*a).
     * acc: [head_dim]; block i is block_sm[i*stride], block_acc[i*stride*head_dim..]. */
    void (*attn_merge)(float *acc, struct trit_softmax *sm, const float *block_acc,
                       const struct trit_softmax *block_sm, size_t head_dim, size_t n_blocks,
                       size_t stride);

    /* Probes measure the peak rates of a row, for comparison; probe_read also reads weights ahead.
     * No output of a model depends on them. */

    /* XOR of the 64-bit words at p (the last one padded with zeros): reads n_bytes in memory order,
     * prefetching as the hint says. */
    uint64_t (*probe_read)(const void *p, size_t n_bytes, enum trit_hint hint);

    /* Run n_rounds rounds of t2_gemm's multiply-add instructions on registers that hold ones, in
     * enough independent chains to hide their latency. Returns the sum of all chains, which is the
     * number of multiply-adds done. n_rounds <= TRIT_PROBE_ROUNDS. */
    uint64_t (*probe_macs)(size_t n_rounds);

    /* The same for the fused multiply-adds of floats that attention and float matrices use. */
    uint64_t (*probe_fmas)(size_t n_rounds);
};

/* ---- Choosing a row ------------------------------------------------------------------------- */

/* A row of the instruction-set table. Rows that this build lacks (another architecture, a compiler
 * without the flags) have init NULL. */
struct trit_isa {
    const char *name;
    unsigned cpu;                         /* bits of trit_cpu_features() that it needs */
    void (*init)(struct trit_kernels *k); /* overwrites the kernels that it improves */
};

extern const struct trit_isa trit_isas[]; /* ends with name NULL; row 0 is scalar */

/* What this CPU and its operating system can run: one bit per row after scalar. */
enum {
    TRIT_CPU_AVX2 = 1 << 0,    /* AVX2, FMA, F16C, BMI1/2, with the OS saving ymm */
    TRIT_CPU_AVXVNNI = 1 << 1, /* AVX-VNNI */
    TRIT_CPU_AVX512 = 1 << 2,  /* AVX-512 F, BW, DQ, VL and VNNI, with the OS saving zmm */
    TRIT_CPU_AMX = 1 << 3,     /* AMX-TILE and AMX-INT8, with permission from the OS */
    TRIT_CPU_NEON = 1 << 4,    /* 64-bit Arm: always */
    TRIT_CPU_DOTPROD = 1 << 5, /* sdot */
    TRIT_CPU_I8MM = 1 << 6,    /* smmla */
};
unsigned trit_cpu_features(void);

/* The best row this CPU can run. */
const struct trit_isa *trit_isa_best(void);

/* The row of that name, or NULL. This build or CPU may still lack it: see trit_isa_usable(). */
const struct trit_isa *trit_isa_find(const char *name);

bool trit_isa_usable(const struct trit_isa *isa);

/* Fill k from the usable rows up to and including isa, which must be usable. */
void trit_kernels_init(struct trit_kernels *k, const struct trit_isa *isa);

/* An operation: a function of struct trit_kernels by name. */
struct trit_operation {
    const char *name;
    size_t offset; /* in struct trit_kernels */
};
extern const struct trit_operation trit_operations[]; /* all of them; ends with name NULL */

/* The row whose function an operation uses if isa is chosen, which must be usable. */
const struct trit_isa *trit_operation_row(const struct trit_operation *op,
                                          const struct trit_isa *isa);

/* Bytes of n weights in a format; n: whole blocks of trit_format_block(). */
size_t trit_format_bytes(enum trit_format format, size_t n);
size_t trit_format_block(enum trit_format format);
const char *trit_format_name(enum trit_format format); /* "f16" */

/* The table: row(name, cpu) for each file of kernels, slowest first on each architecture. Each row
 * overwrites what it improves on the usable rows before it. A new instruction set needs a file, a
 * row here, a line in CMakeLists.txt and, if a CPU may lack it, a bit above and in cpu.c. */
/* clang-format off */
#define TRIT_ISAS(row) \
    row(scalar, 0) \
    row(avx2, TRIT_CPU_AVX2) \
    row(avxvnni, TRIT_CPU_AVX2 | TRIT_CPU_AVXVNNI) \
    row(avx512, TRIT_CPU_AVX2 | TRIT_CPU_AVX512) \
    row(amx, TRIT_CPU_AVX2 | TRIT_CPU_AVX512 | TRIT_CPU_AMX) \
    row(neon, TRIT_CPU_NEON) \
    row(dotprod, TRIT_CPU_NEON | TRIT_CPU_DOTPROD) \
    row(i8mm, TRIT_CPU_NEON | TRIT_CPU_DOTPROD | TRIT_CPU_I8MM)
/* clang-format on */

#define TRIT_ISA_INIT(name, cpu) void trit_kernels_init_##name(struct trit_kernels *k);
TRIT_ISAS(TRIT_ISA_INIT)

#endif
