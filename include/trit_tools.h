/* trit_tools.h - may change with any release: JSON, conversion, measurement and tables, which the
 * program needs beyond trit.h.
 *
 * The rules of trit.h apply: objects, threads, errors, tables. */
#ifndef TRIT_TOOLS_H
#define TRIT_TOOLS_H

#include "trit.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Text ------------------------------------------------------------------------------------ */

/** The result of trit_utf8_decode() for invalid UTF-8. */
enum { TRIT_NO_CHARACTER = 0x110000 };

/** The code point at the start of text[0..len), len > 0. *n receives its length in bytes, 1 if it
 *  is invalid. */
TRIT_API uint32_t trit_utf8_decode(const char *text, size_t len, size_t *n);

/* ---- JSON ------------------------------------------------------------------------------------ */

/** A tree of JSON (RFC 8259), read from untrusted text.
 *
 *  The reader is strict: no comments, trailing commas, byte order mark, invalid UTF-8, unpaired
 *  surrogates, or numbers beyond the range of a double. If an object repeats a key, the last one
 *  counts. Values live as long as their tree. Functions on values accept NULL for a missing value,
 *  so lookups can be chained and only the result needs a check. */
struct trit_json;
struct trit_json_value;

enum {
    TRIT_JSON_MAX_DEPTH = 64,       /**< nested arrays and objects */
    TRIT_JSON_MAX_BYTES = 1 << 28,  /**< of text */
    TRIT_JSON_MAX_VALUES = 1 << 24, /**< in one text */
};

/** ABSENT is the type of a NULL pointer. */
enum trit_json_type {
    TRIT_JSON_ABSENT,
    TRIT_JSON_NULL,
    TRIT_JSON_BOOL,
    TRIT_JSON_NUMBER,
    TRIT_JSON_STRING,
    TRIT_JSON_ARRAY,
    TRIT_JSON_OBJECT
};

/** Read a text that is one value. Release *out with trit_json_free(); it is NULL after an error.
 *  @return TRIT_OK; TRIT_E_FILE: the text is not JSON ("line 2, column 5: found ']', expected a
 *          value"; columns count characters) or exceeds a limit; TRIT_E_MEMORY. */
TRIT_API trit_status trit_json_read(struct trit_json **out, const char *text, size_t len,
                                    struct trit_error *err);

/** The same for JSON Lines: one value per line, empty lines allowed; the root is their array. */
TRIT_API trit_status trit_json_read_lines(struct trit_json **out, const char *text, size_t len,
                                          struct trit_error *err);

TRIT_API void trit_json_free(struct trit_json **json);

TRIT_API const struct trit_json_value *trit_json_root(const struct trit_json *json);
TRIT_API enum trit_json_type trit_json_type_of(const struct trit_json_value *value);

/** The items of an array or members of an object: their number, the first one, and the one after
 *  value; NULL if there is none. */
TRIT_API size_t trit_json_count(const struct trit_json_value *value);
TRIT_API const struct trit_json_value *trit_json_first(const struct trit_json_value *value);
TRIT_API const struct trit_json_value *trit_json_next(const struct trit_json_value *value);

/** Item i of an array, or the member of an object with that key; NULL if there is none. Both take
 *  linear time. */
TRIT_API const struct trit_json_value *trit_json_item(const struct trit_json_value *array,
                                                      size_t i);
TRIT_API const struct trit_json_value *trit_json_member(const struct trit_json_value *object,
                                                        const char *key);

/** The key of a member, and the value of a string: UTF-8, followed by a NUL, and possibly with NULs
 *  inside; len is 0 for anything else. */
TRIT_API struct trit_string trit_json_key(const struct trit_json_value *member);
TRIT_API struct trit_string trit_json_text(const struct trit_json_value *value);

/** Whether a value is a string equal to text. */
TRIT_API bool trit_json_is_text(const struct trit_json_value *value, const char *text);

/** The number, or NAN for anything else. */
TRIT_API double trit_json_double(const struct trit_json_value *value);

/** Get a number that is written without fraction and exponent and fits. @return false otherwise */
TRIT_API bool trit_json_int64(const struct trit_json_value *value, int64_t *out);

/** Whether the value is the literal true. */
TRIT_API bool trit_json_is_true(const struct trit_json_value *value);

/* ---- Machine and kernels --------------------------------------------------------------------- */

/** The machine. A text is "" and a size 0 if the system does not provide it. */
struct trit_machine_info {
    char cpu[128];                        /**< the processor's name: "AMD EPYC" */
    char cpu_model[128];                  /**< "AuthenticAMD 25/17/1"; names may not be unique */
    size_t l1d_bytes, l2_bytes, l3_bytes; /**< caches of the first CPU */
    int n_cores;              /**< physical performance cores that this process may run on */
    double cpu_limit;         /**< CPUs of time that its cgroups allow; INFINITY: no limit */
    char cpu_limit_from[512]; /**< the file that sets the limit, or "" */
    uint64_t memory_bytes;    /**< physical memory */
    uint64_t memory_limit;    /**< bytes that its cgroups allow; UINT64_MAX: no limit */
    char memory_limit_from[512];
};
TRIT_API void trit_machine_get_info(struct trit_machine_info *out);

/** An operation of the forward pass, and the row of the table whose code computes it. */
struct trit_operation_info {
    const char *name; /**< "t2_gemm", "attn_block_f16", … */
    const char *isa;
};

/** The operations if the row isa (NULL: the best one) is chosen. Returns false also if that row is
 *  unknown or not usable. */
TRIT_API bool trit_operation_at(int i, const char *isa, struct trit_operation_info *out);

/** A walk: an order in which to read the weights for a generated token. None changes a result. */
struct trit_walk_info {
    const char *name; /**< "t0", "apart", … */
    const char *note; /**< a description */
};

/** The table of walks, the default first. */
TRIT_API bool trit_walk_at(int i, struct trit_walk_info *out);

/* ---- File ------------------------------------------------------------------------------------ */

/** Its size in bytes, and its GGUF version, 2 or 3. */
TRIT_API uint64_t trit_file_size(const trit_file *file);
TRIT_API uint32_t trit_file_version(const trit_file *file);

/** Name i of the I2_S layouts, the default first. NULL past the last one. */
TRIT_API const char *trit_i2s_layout_at(int i);

/** The distribution of a tensor's weights. */
struct trit_tensor_stats {
    bool ternary; /**< of a ternary type, or floats that are all -s, 0 or +s; if false, every
                       member but n is 0 */
    float scale;  /**< the value of +1, as stored in the tensor itself */
    uint64_t n, n_minus, n_zero, n_plus;
    uint64_t n_invalid; /**< invalid codes */
};

/** Read a whole tensor and count. Types other than the internal one need memory for a copy: two
 *  bits per weight, rows padded to 32 bytes.
 *  @return TRIT_OK; TRIT_E_FILE, TRIT_E_UNSUPPORTED: as trit_model_open() for a linear;
 *          TRIT_E_MEMORY. */
TRIT_API trit_status trit_file_tensor_stats(const trit_file *file, size_t i,
                                            struct trit_tensor_stats *out, struct trit_error *err);

/* ---- Model and session ----------------------------------------------------------------------- */

/** A knob: a setting in which families of models differ, the key trit.<name> of a file. See
 *  models/README.md for their meanings. */
struct trit_knob_info {
    const char *name;
    char value[32]; /**< "true", "relu2", "1e-06" */
    bool is_word;   /**< a word, not a number or boolean */
    bool notable;   /**< differs from BitNet b1.58, or the family's sources leave it open */
};

/** The knobs of a model. */
TRIT_API bool trit_model_knob_at(const trit_model *model, int i, struct trit_knob_info *out);

/** Name of value i of trit_kv_type: "f16". NULL past the last one. */
TRIT_API const char *trit_kv_type_at(int i);

/** The options of the session, with defaults filled in, and its model's layers. */
TRIT_API int32_t trit_session_n_threads(const trit_session *session);
TRIT_API int32_t trit_session_n_layers(const trit_session *session);
TRIT_API const char *trit_session_isa(const trit_session *session);

/** The layers up to the exit layer, without skipped ones: those that a token passes unless it exits
 *  by confidence. */
TRIT_API int32_t trit_session_n_active(const trit_session *session);

/** Draw layers to skip: layer l of n_layer with probability p*(l/(n_layer-1))^2 (at most 1), the
 *  last one never. This is the schedule of layer dropout in training. The same seed gives the same
 *  layers. @param out  receives up to n_layer - 1 numbers, ascending. @return how many */
TRIT_API int32_t trit_layer_drop(int32_t *out, int32_t n_layer, double p, uint64_t seed);

/** The walk that reads one kind of matrices for a single token. */
struct trit_session_walk {
    const char *type; /**< of the weights: "t2" (ternary), "f16", …; "kv": keys and values */
    size_t row_bytes; /**< of a row */
    const char *walk; /**< the default until the timing is finished */
    bool measured;    /**< timing is finished */
};

/** The kinds of matrices of the session's model. */
TRIT_API bool trit_session_walk_at(const trit_session *session, int i,
                                   struct trit_session_walk *out);

/* ---- Chat ------------------------------------------------------------------------------------ */

/** The tokens of a message as the model generated them; ids NULL: unknown. */
struct trit_answer_ids {
    const int32_t *ids;
    int32_t n;
};

/** trit_chat_encode(), where answers are known as tokens. They are taken as the model wrote them,
 *  or the part that the template keeps, so that a session evaluates only what is new.
 *
 *  @param answers  [n], of each message; or NULL. */
TRIT_API trit_status trit_chat_encode_answers(const struct trit_chat *chat,
                                              const trit_tokenizer *tokenizer,
                                              const struct trit_message *messages,
                                              const struct trit_answer_ids *answers, int32_t n,
                                              int32_t **out, int32_t *n_ids, int32_t *n_keep,
                                              struct trit_error *err);

/* ---- Measuring ------------------------------------------------------------------------------ */

/** The weight bytes that a token of this session reads: the layers it passes, the head, and its row
 *  of the embedding. */
TRIT_API uint64_t trit_session_token_bytes(const trit_session *session);

/** Measure the reading speed: for about ms milliseconds, read all weights that a generated token
 *  needs, with all threads of the session and the best instructions of this CPU, and do nothing
 *  else. The first call finds the fastest way of prefetching, which later calls use. Call it from
 *  the session's thread; timeline and logits are unchanged.
 *  @return GB/s (10^9 bytes per second); 0 if there is no memory for the list of weights */
TRIT_API double trit_session_measure_read(trit_session *session, double ms);

/** Measure the speed of integer multiply-adds in registers for about ms milliseconds, with all
 *  threads of the session and the instructions that its ternary product uses. Call it from the
 *  session's thread. @return GMAC/s (10^9 multiply-adds per second), all threads together */
TRIT_API double trit_session_measure_macs(trit_session *session, double ms);

/** The same for the fused multiply-adds of floats that attention uses. */
TRIT_API double trit_session_measure_fmas(trit_session *session, double ms);

/* ---- Types of weights ----------------------------------------------------------------------- */

/** A type that weights can be written as. */
struct trit_weight_type {
    char name[16]; /**< as options take it, in upper or lower case: "i2_s" */
    bool linear;   /**< for linears */
    bool embd;     /**< for embedding and head */
};

/** The table of such types; the first of either kind is the default. */
TRIT_API bool trit_weight_type_at(int i, struct trit_weight_type *out);

/* ---- Dummy models --------------------------------------------------------------------------- */

/** The shape of a published model. */
struct trit_dummy_shape {
    const char *name;   /**< as options take it: "2b4t" */
    const char *model;  /**< the published model */
    uint64_t n_ternary; /**< its ternary weights */
};

/** The table of shapes. */
TRIT_API bool trit_dummy_shape_at(int i, struct trit_dummy_shape *out);

struct trit_dummy_options {
    size_t size;       /**< sizeof the struct, or 0: see above */
    const char *shape; /**< a name of the table; not NULL */
    const char *type;  /**< of the linears, see trit_weight_type_at(); NULL: "i2_s" */
    const char *embd;  /**< of embedding and head; NULL: "f16" */
    uint64_t seed;     /**< the same seed gives the same bytes */
};

/** Write a GGUF of random weights with the sizes and tensor order of a published model, and a
 *  made-up vocabulary of its size. It runs at the speed of the real one; its text is meaningless.
 *  Weights are scaled so that values stay finite.
 *
 *  @param write    receives the file, at most 64 KiB at a time.
 *  @param n_bytes  NULL, or receives the size of the file before the first write.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: unknown shape or type; TRIT_E_UNSUPPORTED: the shape's rows
 *          are not whole blocks of the type; TRIT_E_CANCELLED: write returned false;
 *          TRIT_E_MEMORY. */
TRIT_API trit_status trit_dummy_write(const struct trit_dummy_options *opt, trit_write_fn write,
                                      void *user, uint64_t *n_bytes, struct trit_error *err);

/* ---- Convert -------------------------------------------------------------------------------- */

/** A tensor that is about to be written. Strings are valid during the call. */
struct trit_converted_tensor {
    const char *name;      /**< in the new file */
    const char *source;    /**< its name in the checkpoint or the old file */
    const char *from_type; /**< "U8 packed", "BF16", "TQ2_0", … */
    const char *type;      /**< in the new file, like all below */
    uint32_t n_dims;
    uint64_t dims[4]; /**< dims[0] is contiguous */
    uint64_t n_bytes; /**< of its data */
};

/** A field that is zero has its default. */
struct trit_convert_options {
    size_t size;      /**< sizeof the struct, or 0: see above */
    const char *type; /**< of the linears, see trit_weight_type_at(); NULL: "i2_s" */
    const char *embd; /**< of embedding and head; NULL: "f16"; trit_quantize(): unchanged */
    const char *map;  /**< trit_convert(): path of a file of names, or NULL */
    /** trit_convert(): [n_knobs] texts "name=value", which override the checkpoint. Names are those
     *  of trit_model_knob_at(), and arch, ffn_act, head_count, head_count_kv, norm_eps,
     *  rope_base. */
    const char *const *knobs;
    int32_t n_knobs;
    bool force;        /**< trit_quantize(): allow what destroys a model */
    int32_t n_threads; /**< 1..512; default: trit_threads_default() */
    /** Called before the first tensor with each decision that was made, a sentence. May be NULL. */
    void (*on_note)(void *user, const char *text);
    /** Called for each tensor before its data is written, also if nothing is. May be NULL. */
    void (*on_tensor)(void *user, const struct trit_converted_tensor *tensor);
    void *user; /**< of these two */
};

/** Write the GGUF of a checkpoint folder in the layout of Hugging Face: config.json, the weights as
 *  safetensors or pytorch_model.bin (one file or shards), and the files of its tokenizer.
 *
 *  Families: BitNetForCausalLM (microsoft/bitnet-b1.58-2B-4T, packed or a full-precision master),
 *  LlamaForCausalLM with a quantization_config of quant_method "bitnet" (Llama3-8B-1.58, Falcon3,
 *  Falcon-E), BitnetForCausalLM (1bitLLM), BitSkipV1 to V3WithEarlyExit, and bitnet-8bit
 *  (recognized by its embed_positions.weight). A missing or unknown tensor, a wrong shape, a code 3
 *  in packed weights and a scale that is not positive are errors that name the tensor. Memory stays
 *  below twice the largest tensor, in addition to the vocabulary.
 *
 *  A file of names has a line `SOURCE = TARGET` for each tensor whose name is not its family's:
 *  SOURCE in the checkpoint, TARGET in the GGUF (blk.{}.attn_q.weight, or .scale instead of
 *  .weight), {} for the number of a layer in both; or `SOURCE = ignore`. # begins a comment.
 *
 *  @param dir      of the checkpoint.
 *  @param opt      NULL for the defaults.
 *  @param write    receives the file; NULL: everything but the weights themselves is read and
 *                  checked, and nothing is written.
 *  @param n_bytes  NULL, or receives the size of the file before the first write.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: unknown type, n_threads out of range; TRIT_E_FILE: a file is
 *          missing, damaged, or contradicts another; TRIT_E_UNSUPPORTED: a family, a tokenizer or
 *          an option of the model that is not supported, a type that cannot hold a tensor;
 *          TRIT_E_CANCELLED: write returned false; TRIT_E_MEMORY. */
TRIT_API trit_status trit_convert(const char *dir, const struct trit_convert_options *opt,
                                  trit_write_fn write, void *user, uint64_t *n_bytes,
                                  struct trit_error *err);

/** Write a GGUF again with linears of another type, and with embedding and head of the type
 *  opt->embd if that is set. All metadata but general.file_type and trit.notes is unchanged.
 *
 *  Between ternary types only the scale is rounded (TQ1_0 and TQ2_0 hold an f16). F32, F16 and BF16
 *  linears that are not ternary are quantized by absmean if the architecture is used by ternary
 *  models only; otherwise (llama), since this destroys most models, only with opt->force. A ternary
 *  type of embedding and head needs opt->force too.
 *
 *  @param file  its option i2s_layout applies to its I2_S tensors.
 *  @return as trit_convert() */
TRIT_API trit_status trit_quantize(const trit_file *file, const struct trit_convert_options *opt,
                                   trit_write_fn write, void *user, uint64_t *n_bytes,
                                   struct trit_error *err);

#ifdef __cplusplus
}
#endif

#endif
