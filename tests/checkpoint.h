/* checkpoint.h - checkpoint folders as Hugging Face holds them, small and random, and what a model
 * of such weights computes, in double.
 *
 * The forward pass works on the tensors by their names in the checkpoint and by the formulas of the
 * models' own code; nothing in it comes from the engine or the converter. Only the quantisation of
 * activations to int8 is imitated, as it is part of what the models compute. */
#ifndef TRIT_TESTS_CHECKPOINT_H
#define TRIT_TESTS_CHECKPOINT_H

#include "fixture.h"
#include "safe_writer.h"

enum ck_form {
    CK_PACKED, /* 2-bit codes and a weight_scale */
    CK_MASTER, /* full-precision weights */
    CK_EXACT,  /* floats that are ternary already */
};

/* Zero is a default: BF16, 4 heads of hidden/4, 2 of them KV, FFN 384, theta 10000, eps 1e-5. */
struct ck_spec {
    const char *architecture;
    enum ck_form form;
    const char *dtype;        /* of all floats: "BF16", "F16", "F32" */
    const char *linear_class; /* NULL: not said */
    bool quantization_config, rms_norms;
    const char *attn_sub, *ffn_sub; /* names of the sub-norms; NULL: none */
    const char *act;
    bool tied, spm;
    int n_layer, hidden, n_head, n_head_kv, head_dim, ffn, n_vocab, n_ctx;
    double theta, eps, rope_factor;
    const char *config; /* NULL, or members of config.json that replace or join the others */
    const char *drop;   /* NULL, or a member of config.json that is left out */
    uint64_t seed;
};

/* A linear as the model computes with it. */
struct ck_linear {
    char name[96];
    int n_in, n_out;
    int8_t *t;    /* [n_out, n_in] */
    double scale; /* what +1 stands for */
    float *norm;  /* [n_in], or NULL */
};

struct ck_floats {
    char name[96];
    int n;
    float *x;
};

struct ck {
    struct ck_spec spec;
    const char *folder;
    struct sw_file file;       /* may be spoiled before it is written */
    struct ck_linear *linears; /* [n_linears] */
    struct ck_floats *floats;  /* [n_floats] norms, embedding, head */
    int n_linears, n_floats;
};

/* Make the tensors of a model, in a folder of that name. */
void ck_make(struct ck *ck, const char *folder, const struct ck_spec *spec);

/* Write config.json, the tokenizer's files and the weights, in n_shards files. */
void ck_write(struct ck *ck, size_t n_shards);

/* The entry of a tensor in ck->file. */
struct sw_tensor *ck_entry(struct ck *ck, const char *name);

void ck_free(struct ck *ck);

/* Logits after each token: [n, n_vocab], to be released with free(). */
double *ck_logits(const struct ck *ck, const int32_t *tokens, int n);

#endif
