/* checkpoint.h - makes small checkpoint folders in the layout of Hugging Face, of every family that
 * `convert` takes, in memory from a seed.
 *
 * A checkpoint is a list of tensors as in safetensors, the members of its config.json and the texts
 * of its other files; a test may change any of them before it writes the folder. Folders are
 * created below a directory of their own in the current folder and removed at exit. An error in the
 * maker aborts the test. */
#ifndef TRIT_TESTS_CHECKPOINT_H
#define TRIT_TESTS_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ck_family {
    CK_BITNET,  /* BitNetForCausalLM: 2B-4T; ReLU2 and sub-norms */
    CK_LLAMA,   /* LlamaForCausalLM with quant_method bitnet */
    CK_1BITLLM, /* BitnetForCausalLM: SiLU and sub-norms by other names, latent weights */
    CK_BITSKIP, /* BitSkipV1WithEarlyExit, V2, V3: Llama's names, no quantization_config */
    CK_BITNET8  /* bitnet-8bit: learned positions, LayerNorm after each half of a block */
};

enum ck_dtype { CK_U8, CK_BF16, CK_F16, CK_F32 };

enum { CK_PRE, CK_POST };
enum { CK_NO_NORM, CK_RMS, CK_LAYER };
enum { CK_PLAIN, CK_GATED };
enum { CK_MUL, CK_DIV };
enum { CK_STANDARD, CK_LEGACY_DIV };
enum { CK_NO_POST, CK_RELU2 };
enum { CK_NO_HADAMARD, CK_BEFORE, CK_AFTER };

/* The points on which the sources of bitskip and bitnet-8bit differ or are silent. Fields have the
 * names of the keys in a converted file. */
struct ck_knobs {
    bool causal;
    int block;         /* norms before or after attention and FFN */
    int norm;          /* CK_RMS, or CK_LAYER with a bias */
    bool attn_in_norm; /* LayerNorm without weights on the attention's input; block CK_POST */
    int ffn;
    bool learned_positions;
    int act_bits, act_form;
    double act_eps;
    int act_dequant;
    int linear_norm; /* a norm of its own on each linear's input */
    double linear_norm_eps;
    int linear_post; /* on each linear's output */
    int hadamard;    /* of a linear's input, before or after it is quantized */
    bool hadamard_norm, hadamard_output;
    bool exit_norm;
    int exit_min_layers;
    double exit_threshold;
};

struct ck_spec {
    enum ck_family family;
    int n_layer, hidden, heads, kv_heads, head_dim, ffn, vocab, n_ctx;
    int n_tokens;  /* of the tokenizer; 0: 270, and the rows after them are padding */
    bool packed;   /* linears are u8 with a weight_scale; else a master of type dtype */
    bool autobit;  /* linear_class autobitlinear, whose weight_scale multiplies; else it divides */
    bool rms_norm; /* use_rms_norm: a norm of its own before each linear */
    bool untied;   /* an lm_head */
    bool old_config;  /* quantization_config without linear_class, quantization_mode and others */
    bool no_head_dim; /* config.json leaves head_dim out */
    enum ck_dtype dtype; /* of everything that is not packed */
    enum ck_dtype scale_dtype;
    double rope_theta, eps, rms_eps;
    double rope_factor;        /* of linear scaling; 0: no rope_scaling */
    const char *rope_key;      /* "type" or "rope_type" */
    const char *not_converted; /* JSON of modules_to_not_convert; NULL: no such member */
    double embd_sd;            /* of the embedding; a small one makes eps matter */
    int n_shards;              /* 0: one file and no index */
    bool torch;                /* pytorch_model.bin, or its shards, instead of safetensors */
    const char *hidden_act;    /* NULL: the family's */
    uint64_t seed;

    /* The rest is of CK_BITSKIP and CK_BITNET8. */
    int version; /* of bitskip: 1, 2 or 3 */
    struct ck_knobs knobs;
    const char *prefix;    /* of all names: "model.", which the head does not have, "module.", "" */
    const char *norm_name; /* of a linear's own norm: "norm", "layer_norm", "layernorm", "ln" */
    double position_sd;    /* of the learned positions */
    bool extras;           /* tensors that no computation uses */
    bool bare_config;      /* config.json omits everything that has a default */
};

/* Two layers, hidden 256, 4 heads of 64 (2 KV), FFN 512, 288 rows of vocabulary, context 128; like
 * the published 2B-4T: packed, bf16, tied. */
extern const struct ck_spec ck_default;

/* Two layers, hidden 128, 4 heads of 32 (2 KV), FFN 256, 288 rows of vocabulary, context 32, f32,
 * untied; the knobs of bitskip 1, 2 or 3 and of bitnet-8bit. */
struct ck_spec ck_bitskip(int version);
struct ck_spec ck_bitnet8(void);

enum { CK_MAX_DIMS = 3 };

struct ck_tensor {
    char name[128];
    char dtype[8]; /* as in the header */
    int n_dims;
    uint64_t dims[CK_MAX_DIMS + 1]; /* dims[n_dims - 1] is contiguous; followed by a 0 */
    uint8_t *data;
    size_t n_bytes;
};

struct ck_member {
    char key[64]; /* or OUTER.INNER */
    char *json;
};

struct ck_file {
    char name[64];
    char *text;
};

struct ck {
    struct ck_spec spec;
    struct ck_tensor *tensors;
    struct ck_member *members;
    struct ck_file *files;
    int n_tensors, n_members, n_files;
    char omitted[64]; /* the name of a file that is not written, or "" */
};

struct ck *ck_new(const struct ck_spec *spec);
struct ck *ck_copy(const struct ck *c);
void ck_free(struct ck *c);

/* Write it as a folder of that name, replacing an earlier one; the path lives until exit. */
const char *ck_write(const struct ck *c, const char *name);

/* The name of the head of a bitskip or bitnet-8bit, without ".weight". */
const char *ck_head(const struct ck_spec *spec, char stem[64]);

/* Read a checkpoint: config.json and model.safetensors of a folder. */
struct ck *ck_read(const char *dir);

/* ---- Changing it ----------------------------------------------------------------------------- */

/* The tensor of that name, which must exist. */
struct ck_tensor *ck_tensor(const struct ck *c, const char *name);

/* Add a tensor of zeros. dims ends with 0. */
struct ck_tensor *ck_add(struct ck *c, const char *name, const char *dtype, const uint64_t *dims);
void ck_drop(struct ck *c, const char *name);

/* Replace part of every name that contains it, once per name: "self_attn" -> "attention". */
void ck_rename(struct ck *c, const char *part, const char *with);

/* Set a member of config.json, "hidden_size" or "quantization_config.linear_class", to this JSON
 * text; NULL removes it. */
void ck_set(struct ck *c, const char *key, const char *json);

/* Put a file with this text into the folder, replacing the generated one, or leave a file out:
 * "config.json", "tokenizer.json", a shard. */
void ck_put_file(struct ck *c, const char *name, const char *text);
void ck_omit(struct ck *c, const char *name);

/* ---- Values ---------------------------------------------------------------------------------- */

/* Element i of a float tensor. */
double ck_value(const struct ck_tensor *t, size_t i);

/* Set it, rounded to its type. */
void ck_set_value(struct ck_tensor *t, size_t i, double x);

/* Ternary weight [row, col] of a packed tensor, as one of -1, 0, 1, 2. n_rows is the number of
 * unpacked rows. */
int ck_code(const struct ck_tensor *t, int n_rows, int row, int col);
void ck_set_code(struct ck_tensor *t, int n_rows, int row, int col, int code);

#endif
