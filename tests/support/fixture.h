/* fixture.h - GGUF files made in memory, from single entries up to a tiny model.
 *
 * Files are written below a directory of their own in the current folder and removed at exit of the
 * test program. An error in the fixture aborts the test. */
#ifndef TRIT_TESTS_FIXTURE_H
#define TRIT_TESTS_FIXTURE_H

#include "kernels.h"
#include "trit.h"

/* ---- A GGUF in the making -------------------------------------------------------------------- */

struct fx_bytes {
    uint8_t *data;
    size_t len, size;
};

struct fx_gguf {
    struct fx_bytes kv, infos, data;
    uint64_t n_kv, n_tensors;
    uint32_t version;   /* 3 */
    uint32_t alignment; /* 32; written as general.alignment only if it differs */
};

void fx_init(struct fx_gguf *g);
void fx_free(struct fx_gguf *g);

void fx_put(struct fx_bytes *b, const void *p, size_t n);
bool fx_append(void *fx_bytes, const void *p, size_t n); /* the same, as a trit_write_fn */
void fx_put_u32(struct fx_bytes *b, uint32_t x);
void fx_put_u64(struct fx_bytes *b, uint64_t x);
void fx_put_string(struct fx_bytes *b, const char *s);

void fx_u32(struct fx_gguf *g, const char *key, uint32_t x);
void fx_i32(struct fx_gguf *g, const char *key, int32_t x);
void fx_f32(struct fx_gguf *g, const char *key, float x);
void fx_bool(struct fx_gguf *g, const char *key, bool x);
void fx_str(struct fx_gguf *g, const char *key, const char *s);
void fx_str_array(struct fx_gguf *g, const char *key, const char *const *items, size_t n);
void fx_i32_array(struct fx_gguf *g, const char *key, const int32_t *items, size_t n);

/* One tensor of any type id, with its data as in the file. dims ends with 0. */
void fx_tensor(struct fx_gguf *g, const char *name, uint32_t type, const uint64_t *dims,
               const void *data, size_t n_bytes);

/* The whole file. Release with free(). */
uint8_t *fx_image(const struct fx_gguf *g, size_t *len);

/* Write bytes to a new file of that name, which may lie in a folder of fx_folder(): "folder/name".
 * The returned path is valid until exit. */
const char *fx_write(const char *name, const void *data, size_t len);
const char *fx_write_gguf(const char *name, const struct fx_gguf *g);

/* Make an empty folder for files, or return one that was made before, unchanged; its path lives
 * until exit. */
const char *fx_folder(const char *name);

/* ---- A tiny model ---------------------------------------------------------------------------- */

/* Type ids. */
enum {
    FX_F32 = 0,
    FX_F16 = 1,
    FX_Q4_0 = 2,
    FX_Q8_0 = 8,
    FX_Q4_K = 12,
    FX_Q6_K = 14,
    FX_BF16 = 30,
    FX_TQ1_0 = 34,
    FX_TQ2_0 = 35,
    FX_I2_S = 36
};

struct fx_spec {
    const char *arch; /* "bitnet-b1.58" */
    int n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_vocab, n_ctx;
    uint32_t linear_type; /* one of the ternary types, or F16, BF16, F32 */
    uint32_t embd_type;   /* of the embedding, and of an untied head */
    bool untied, sub_norms, linear_norms, linear_relu2, extra_scales, no_bos_key;
    float rope_base, weight_scale;
    float head_scale;              /* of the final norm; small: flat distributions; 0: 1 */
    const char *hidden_activation; /* NULL: no key */
    const char *const *special;    /* NULL, or names of the control tokens from 259 on; ends with
                                      NULL */
    uint64_t seed;
};

/* Two layers, width 256, FFN 384, 4 heads of 64 (2 KV), vocabulary 300, context 256, I2_S, F16
 * embedding, tied, sub-norms. */
extern const struct fx_spec fx_default;

/* A ternary matrix as generated, before packing. */
struct fx_linear {
    int n_in, n_out;
    int8_t *t;   /* [n_out, n_in] in -1, 0, 1 */
    float scale; /* with all factors folded in */
    float *norm; /* [n_in] of the RMSNorm of its input (eps 1e-3), or NULL */
};

struct fx_layer {
    float *attn_norm, *attn_sub_norm, *ffn_norm, *ffn_sub_norm;
    struct fx_linear q, k, v, o, gate, up, down;
};

/* The weights of a model file, exactly as in the file (embeddings after rounding to their type),
 * for a reference computation. */
struct fx_model {
    struct fx_spec spec;
    const char *path;
    float *embd, *head; /* [n_vocab, n_embd]; the same pointer if tied */
    float *output_norm;
    struct fx_layer *layers;
};

/* Generate by seed and write it. Freed at exit. */
const struct fx_model *fx_model(const char *name, const struct fx_spec *spec);

/* The same entries before writing, so that a caller can add to them or damage them. */
void fx_model_gguf(struct fx_gguf *g, struct fx_model *m, const struct fx_spec *spec);

/* Free the weights that fx_model_gguf() allocated for m. */
void fx_model_free(struct fx_model *m);

/* A small generator, the same everywhere. */
uint64_t fx_random(uint64_t *state);
float fx_normal(uint64_t *state); /* mean 0, deviation 1, roughly */
void fx_ids(int32_t *ids, int n, int n_vocab, uint64_t seed);

#endif
