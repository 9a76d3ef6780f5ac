/* type.c - the table of tensor types. Ids and block sizes are ggml's, bitnet.cpp's (36..39) and
 * ik_llama's (134, 135, 335); ids 36..42 have meant different things in different programs. */
#include "type.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "checked.h"

#define DECODABLE(fmt) .format = TRIT_FORMAT_##fmt
#define NOT_DECODABLE .format = -1

static const struct trit_type types[] = {
    {0, "F32", 1, 4, DECODABLE(F32), .unpack_t2 = trit_unpack_float, .pack_t2 = trit_pack_f32,
     .encode = trit_encode_f32, .file_type = 0},
    {1, "F16", 1, 2, DECODABLE(F16), .unpack_t2 = trit_unpack_float, .pack_t2 = trit_pack_f16,
     .encode = trit_encode_f16, .file_type = 1},
    {2, "Q4_0", 32, 18, DECODABLE(Q4_0), .encode = trit_encode_q4_0},
    {3, "Q4_1", 32, 20, NOT_DECODABLE},
    {6, "Q5_0", 32, 22, NOT_DECODABLE},
    {7, "Q5_1", 32, 24, NOT_DECODABLE},
    {8, "Q8_0", 32, 34, DECODABLE(Q8_0), .encode = trit_encode_q8_0},
    {9, "Q8_1", 32, 36, NOT_DECODABLE},
    {10, "Q2_K", 256, 84, NOT_DECODABLE},
    {11, "Q3_K", 256, 110, NOT_DECODABLE},
    {12, "Q4_K", 256, 144, DECODABLE(Q4_K), .encode = trit_encode_q4_k},
    {13, "Q5_K", 256, 176, NOT_DECODABLE},
    {14, "Q6_K", 256, 210, DECODABLE(Q6_K), .encode = trit_encode_q6_k},
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
    {30, "BF16", 1, 2, DECODABLE(BF16), .unpack_t2 = trit_unpack_float, .pack_t2 = trit_pack_bf16,
     .encode = trit_encode_bf16, .file_type = 32},
    {34, "TQ1_0", 256, 54, NOT_DECODABLE, .unpack_t2 = trit_unpack_tq1, .pack_t2 = trit_pack_tq1,
     .file_type = 36},
    {35, "TQ2_0", 256, 66, NOT_DECODABLE, .unpack_t2 = trit_unpack_tq2, .pack_t2 = trit_pack_tq2,
     .file_type = 37},
    {36, "I2_S", 4, 1, 32, true, NOT_DECODABLE, .unpack_t2 = trit_unpack_i2s,
     .pack_t2 = trit_pack_i2s, .file_type = 40},
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

const struct trit_type *trit_type_find(uint32_t id)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].id == id)
            return &types[i];
    return NULL;
}

trit_status trit_type_named(const struct trit_type **out, const char *name, bool linear,
                            struct trit_error *err)
{
    char known[128] = "";
    size_t n = 0;

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        *out = &types[i];
        if (linear ? !types[i].pack_t2 : !types[i].encode)
            continue;
        if (strcasecmp(types[i].name, name) == 0)
            return TRIT_OK;
        n += (size_t)snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", types[i].name);
    }
    for (size_t i = 0; i < n; i++)
        known[i] = (char)tolower((unsigned char)known[i]); /* as options are given */
    return trit_fail(err, TRIT_E_ARGUMENT, "%s cannot be written as type '%s'; possible are %s",
                     linear ? "linears" : "embeddings", name, known);
}

bool trit_type_bytes(const struct trit_type *type, uint64_t row_len, uint64_t n_rows,
                     uint64_t *bytes)
{
    uint64_t n;
    return row_len % type->block == 0 && trit_mul_u64(row_len / type->block, n_rows, &n) &&
           trit_mul_u64(n, type->block_bytes, &n) && trit_add_u64(n, type->tail_bytes, bytes);
}
