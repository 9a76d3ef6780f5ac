/* tiles.c - emulates the tile instructions of AMX-INT8 by Intel's manual (volume 2): LDTILECFG,
 * TILERELEASE, TILEZERO, TILELOADD(T1), TILESTORED, TDPB[SU][SU]D. */
#define _GNU_SOURCE /* the registers in ucontext_t */

#include "tiles.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

enum { N_TILES = 8, MAX_TILE_ROWS = 16, MAX_ROW_BYTES = 64 };

static struct {
    bool configured;
    size_t row_bytes[N_TILES], rows[N_TILES];
    uint8_t data[N_TILES][MAX_TILE_ROWS][MAX_ROW_BYTES];
} state;

/* ---- Decoding -------------------------------------------------------------------------------- */

/* Three-byte VEX: c4, then R' X' B' m-mmmm, then W v'vvv L pp, opcode, modrm, and for memory an SIB
 * and a displacement. */
struct instruction {
    unsigned opcode, prefix; /* prefix: 0 none, 1 66, 2 F3, 3 F2 */
    unsigned reg, rm, vvvv;
    bool memory, sib;
    uint8_t *base; /* of the memory operand, without the index */
    int64_t index; /* the scaled index register: the bytes between rows of a tile */
    size_t length;
};

static int64_t register_value(const greg_t *g, unsigned n)
{
    static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                  REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                  REG_R12, REG_R13, REG_R14, REG_R15};
    return (int64_t)g[order[n]];
}

/* The memory operand that starts at p, after modrm; returns its length. */
static size_t decode_memory(struct instruction *in, const greg_t *g, const uint8_t *p,
                            unsigned modrm, unsigned ext_x, unsigned ext_b)
{
    const unsigned mod = modrm >> 6;
    size_t n = 0;
    int64_t base = 0;
    bool wide = mod == 2;

    in->sib = (modrm & 7) == 4;
    if (in->sib) {
        const unsigned sib = p[n++], index = (sib >> 3 & 7) | ext_x << 3;
        if (index != 4)
            in->index = register_value(g, index) * (1 << (sib >> 6));
        if ((sib & 7) == 5 && mod == 0)
            wide = true;
        else
            base = register_value(g, (sib & 7) | ext_b << 3);
    } else if ((modrm & 7) == 5 && mod == 0) { /* from the next instruction on */
        wide = true;
        base = (int64_t)(uintptr_t)(p + 4);
    } else {
        base = register_value(g, (modrm & 7) | ext_b << 3);
    }
    if (wide) {
        int32_t d;
        memcpy(&d, p + n, 4);
        base += d;
        n += 4;
    } else if (mod == 1) {
        base += (int8_t)p[n++];
    }
    in->base = (uint8_t *)(uintptr_t)base; /* NOLINT: an address is what it is */
    return n;
}

static bool decode(struct instruction *in, const greg_t *g)
{
    const uint8_t *p = (const uint8_t *)(uintptr_t)g[REG_RIP];

    *in = (struct instruction){0};
    if (p[0] != 0xc4 || (p[1] & 0x1f) != 2 || p[2] & 0x84) /* map 0F38, W0, 128 bits */
        return false;
    const unsigned ext_r = !(p[1] & 0x80), ext_x = !(p[1] & 0x40), ext_b = !(p[1] & 0x20);
    in->prefix = p[2] & 3;
    in->vvvv = ~(p[2] >> 3) & 15;
    in->opcode = p[3];
    in->memory = p[4] >> 6 != 3;
    in->reg = (p[4] >> 3 & 7) | ext_r << 3;
    in->rm = (p[4] & 7) | ext_b << 3;
    in->length = 5;
    if (in->memory)
        in->length += decode_memory(in, g, p + 5, p[4], ext_x, ext_b);
    return true;
}

/* ---- Executing ------------------------------------------------------------------------------- */

static bool all_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

/* Palette 1, or 0 for none; only a load that faulted leaves a start row. */
static bool load_config(const uint8_t *p)
{
    if (p[0] > 1 || !all_zero(p + 1, 15) || !all_zero(p + 32, 16) || !all_zero(p + 56, 8))
        return false;
    memset(&state, 0, sizeof state);
    state.configured = p[0] == 1;
    for (size_t i = 0; i < N_TILES && state.configured; i++) {
        state.row_bytes[i] = p[16 + 2 * i] | (size_t)p[17 + 2 * i] << 8;
        state.rows[i] = p[48 + i];
        if (state.row_bytes[i] > MAX_ROW_BYTES || state.rows[i] > MAX_TILE_ROWS ||
            !state.row_bytes[i] != !state.rows[i])
            return false;
    }
    return true;
}

static bool usable(unsigned tile)
{
    return state.configured && tile < N_TILES && state.rows[tile] > 0;
}

static bool move(const struct instruction *in, bool store)
{
    const unsigned t = in->reg;

    if (!usable(t))
        return false;
    if (!store)
        memset(state.data[t], 0, sizeof state.data[t]);
    for (size_t r = 0; r < state.rows[t]; r++) {
        uint8_t *p = in->base + (int64_t)r * in->index;
        if (store)
            memcpy(p, state.data[t][r], state.row_bytes[t]);
        else
            memcpy(state.data[t][r], p, state.row_bytes[t]);
    }
    return true;
}

static int32_t factor(uint8_t byte, bool is_signed)
{
    return is_signed ? (int8_t)byte : byte;
}

/* c += a by b, groups of four bytes along a row of a and down a column of b. */
static bool multiply(const struct instruction *in)
{
    const unsigned c = in->reg, a = in->rm, b = in->vvvv;
    const bool a_signed = in->prefix >= 2, b_signed = in->prefix == 1 || in->prefix == 3;

    if (!usable(a) || !usable(b) || !usable(c) || a == b || a == c || b == c ||
        state.rows[a] != state.rows[c] || state.row_bytes[b] != state.row_bytes[c] ||
        state.row_bytes[a] != 4 * state.rows[b])
        return false;
    for (size_t m = 0; m < state.rows[c]; m++)
        for (size_t n = 0; n < state.row_bytes[c] / 4; n++) {
            int32_t sum;
            memcpy(&sum, &state.data[c][m][4 * n], 4);
            for (size_t k = 0; k < state.row_bytes[a]; k++)
                sum += factor(state.data[a][m][k], a_signed) *
                       factor(state.data[b][k / 4][4 * n + k % 4], b_signed);
            memcpy(&state.data[c][m][4 * n], &sum, 4);
        }
    return true;
}

static bool execute(const struct instruction *in)
{
    if (in->opcode != 0x5e && in->vvvv)
        return false;
    switch (in->opcode << 8 | in->prefix) {
    case 0x4900: /* LDTILECFG, TILERELEASE */
        if (in->reg)
            return false;
        if (in->memory)
            return load_config(in->base);
        memset(&state, 0, sizeof state);
        return in->rm == 0;
    case 0x4903: /* TILEZERO */
        if (in->memory || in->rm || !usable(in->reg))
            return false;
        memset(state.data[in->reg], 0, sizeof state.data[in->reg]);
        return true;
    case 0x4b03: /* TILELOADD */
    case 0x4b01: /* TILELOADDT1 */
        return in->memory && in->sib && move(in, false);
    case 0x4b02: /* TILESTORED */
        return in->memory && in->sib && move(in, true);
    case 0x5e00: /* TDPBUUD */
    case 0x5e01: /* TDPBUSD */
    case 0x5e02: /* TDPBSUD */
    case 0x5e03: /* TDPBSSD */
        return !in->memory && multiply(in);
    default:
        return false;
    }
}

/* If the system has enabled tiles, configuring them does not trap. */
bool tiles_emulated(void)
{
    enum { OSXSAVE = 1 << 27, TILES = 0x60000 };
    unsigned a, b, c, d;
    uint32_t lo, hi;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE))
        return false;
    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (lo & TILES) != TILES;
}

bool tiles_step(void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct instruction in;

    if (!decode(&in, g) || !execute(&in))
        return false;
    g[REG_RIP] += (greg_t)in.length;
    return true;
}

#else

bool tiles_emulated(void)
{
    return false;
}

bool tiles_step(void *context)
{
    (void)context;
    return false;
}

#endif
