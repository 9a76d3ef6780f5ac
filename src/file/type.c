/* type.c - the table of tensor types. Ids and block sizes are ggml's, bitnet.cpp's (36..39) and
 * ik_llama's (134, 135, 335); ids 36..42 have meant different things in different programs. */
#include "type.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "checked.h"

#define DECODABLE(fmt) .format = TRIT_FORMAT_##fmt
#define NOT_DECODABLE .format = -1

/* Powers of two as f16. */
enum { HALF_2_5 = 0x2800 /* 2^-5 */, HALF_2_12 = 0x0c00, HALF_2_16 = 0x0100 };

/* Types that can be written come first. The first for linears and for embeddings is the default. */
static const struct trit_type types[] = {
    {36, "I2_S", 4, 1, NOT_DECODABLE, .id_is_shared = true, .tensor_block = TRIT_T2_BLOCK,
     .tail_bytes = 32, .file_type = 40, .unpack_t2 = trit_unpack_i2s, .pack_t2 = trit_pack_i2s,
     .random = {.two_bit = true}},
    {34, "TQ1_0", 256, 54, NOT_DECODABLE, .file_type = 36, .unpack_t2 = trit_unpack_tq1,
     .pack_t2 = trit_pack_tq1, .scale = trit_scale_f16, .random = {1, 52, HALF_2_5, false}},
    {35, "TQ2_0", 256, 66, NOT_DECODABLE, .file_type = 37, .unpack_t2 = trit_unpack_tq2,
     .pack_t2 = trit_pack_tq2, .scale = trit_scale_f16, .random = {1, 64, HALF_2_5, true}},
    {1, "F16", 1, 2, DECODABLE(F16), .file_type = 1, .unpack_t2 = trit_unpack_float,
     .pack_t2 = trit_pack_f16, .scale = trit_scale_f16, .encode = trit_encode_f16},
    {30, "BF16", 1, 2, DECODABLE(BF16), .file_type = 32, .unpack_t2 = trit_unpack_float,
     .pack_t2 = trit_pack_bf16, .scale = trit_scale_bf16, .encode = trit_encode_bf16},
    {0, "F32", 1, 4, DECODABLE(F32), .file_type = 0, .unpack_t2 = trit_unpack_float,
     .pack_t2 = trit_pack_f32, .encode = trit_encode_f32},
    {8, "Q8_0", 32, 34, DECODABLE(Q8_0), .encode = trit_encode_q8_0,
     .random = {1, 0, HALF_2_12, false}},
    {14, "Q6_K", 256, 210, DECODABLE(Q6_K), .encode = trit_encode_q6_k,
     .random = {1, 208, HALF_2_16, false}},
    {12, "Q4_K", 256, 144, DECODABLE(Q4_K), .encode = trit_encode_q4_k,
     .random = {2, 0, HALF_2_12, false}},
    {2, "Q4_0", 32, 18, DECODABLE(Q4_0), .encode = trit_encode_q4_0,
     .random = {1, 0, HALF_2_12, false}},
    {3, "Q4_1", 32, 20, NOT_DECODABLE},
    {6, "Q5_0", 32, 22, NOT_DECODABLE},
    {7, "Q5_1", 32, 24, NOT_DECODABLE},
    {9, "Q8_1", 32, 36, NOT_DECODABLE},
    {10, "Q2_K", 256, 84, NOT_DECODABLE},
    {11, "Q3_K", 256, 110, NOT_DECODABLE},
    {13, "Q5_K", 256, 176, NOT_DECODABLE},
    {15, "Q8_K", 256, 292, NOT_DECODABLE},
    {16, "IQ2_XXS", 256, 66, NOT_DECODABLE},
    {17, "IQ2_XS", 256, 74, NOT_DECODABLE},
    {18, "IQ3_XXS", 256, 98, NOT_DECODABLE},
    {19, "IQ1_S", 256, 50, NOT_DECODABLE},
    {20, "IQ4_NL", 32, 18, NOT_DECODABLE},
    {21, "IQ3_S", 256, 110, NOT_DECODABLE},
    {22, "IQ2_S", 256, 82, NOT_DECODABLE},
    {23, "IQ4_XS", 256, 136, NOT_DECODABLE},
    {24, "I8", 1, 1, NOT_DECODABLE},
    {25, "I16", 1, 2, NOT_DECODABLE},
    {26, "I32", 1, 4, NOT_DECODABLE},
    {27, "I64", 1, 8, NOT_DECODABLE},
    {28, "F64", 1, 8, NOT_DECODABLE},
    {29, "IQ1_M", 256, 56, NOT_DECODABLE},
    {37, "I8_S", .id_is_shared = true, NOT_DECODABLE},
    {38, "TL1", .id_is_shared = true, NOT_DECODABLE,
     .note = "its layout depends on a kernel configuration that is not in the file"},
    {39, "TL2 or MXFP4", .id_is_shared = true, NOT_DECODABLE,
     .note = "TL2 in bitnet.cpp, MXFP4 in ggml"},
    {40, "NVFP4", .id_is_shared = true, NOT_DECODABLE},
    {41, "Q1_0", .id_is_shared = true, NOT_DECODABLE},
    {42, "Q2_0", .id_is_shared = true, NOT_DECODABLE,
     .note = "64 weights per scale in ggml, 128 in other programs"},
    {134, "IQ1_BN", NOT_DECODABLE, .note = "a type of ik_llama"},
    {135, "IQ2_BN", NOT_DECODABLE, .note = "a type of ik_llama"},
    {142, "PQ2_0", NOT_DECODABLE, .note = "needs a Hadamard transform of the activations"},
    {143, "PTQ1_0", NOT_DECODABLE, .note = "needs a Hadamard transform of the activations"},
    {335, "IQ2_BN_R4", NOT_DECODABLE, .note = "a type of ik_llama"},
};
enum { N_TYPES = sizeof types / sizeof *types };

const struct trit_type *trit_type_find(uint32_t id)
{
    for (size_t i = 0; i < N_TYPES; i++)
        if (types[i].id == id)
            return &types[i];
    return NULL;
}

static bool serves(const struct trit_type *type, enum trit_type_use use)
{
    switch (use) {
    case TRIT_READ_LINEARS:
        return type->unpack_t2 != NULL;
    case TRIT_READ_FLOATS:
        return type->format >= 0;
    case TRIT_WRITE_LINEARS:
        return type->pack_t2 != NULL;
    default:
        return type->encode != NULL;
    }
}

/* Names are lower-case in options. */
static void make_lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

struct trit_type_list trit_types_for(enum trit_type_use use)
{
    struct trit_type_list list = {""};

    for (size_t i = 0; i < N_TYPES; i++)
        if (serves(&types[i], use))
            trit_append(list.text, sizeof list.text, "%s%s", *list.text ? ", " : "", types[i].name);
    if (use == TRIT_WRITE_LINEARS || use == TRIT_WRITE_FLOATS)
        make_lower(list.text);
    return list;
}

trit_status trit_type_named(const struct trit_type **out, const char *name, bool linear,
                            struct trit_error *err)
{
    const enum trit_type_use use = linear ? TRIT_WRITE_LINEARS : TRIT_WRITE_FLOATS;

    for (size_t i = 0; i < N_TYPES; i++) {
        *out = &types[i];
        if (serves(&types[i], use) && (!name || strcasecmp(types[i].name, name) == 0))
            return TRIT_OK;
    }
    return trit_fail(err, TRIT_E_ARGUMENT,
                     "%s cannot be written as type '%s'; it must be one of %s",
                     linear ? "linears" : "embeddings", name, trit_types_for(use).text);
}

bool trit_weight_type_at(int i, struct trit_weight_type *out)
{
    for (size_t k = 0; i >= 0 && k < N_TYPES; k++) {
        const bool linear = serves(&types[k], TRIT_WRITE_LINEARS);
        const bool embd = serves(&types[k], TRIT_WRITE_FLOATS);
        if ((!linear && !embd) || i-- > 0)
            continue;
        *out = (struct trit_weight_type){.linear = linear, .embd = embd};
        snprintf(out->name, sizeof out->name, "%s", types[k].name);
        make_lower(out->name);
        return true;
    }
    return false;
}

bool trit_type_bytes(const struct trit_type *type, uint64_t row_len, uint64_t n_rows,
                     uint64_t *bytes)
{
    uint64_t n;
    return row_len % type->block == 0 && trit_mul_u64(row_len / type->block, n_rows, &n) &&
           trit_mul_u64(n, type->block_bytes, &n) && trit_add_u64(n, type->tail_bytes, bytes);
}
