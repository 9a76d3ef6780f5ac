/* trit.h - run ternary (BitNet b1.58) language models on ordinary CPUs.
 *
 *   struct trit_error err;
 *   trit_file *file = NULL;
 *   trit_model *model = NULL;
 *   trit_session *session = NULL;
 *   if (trit_file_open(&file, "model.gguf", NULL, &err) ||
 *       trit_model_open(&model, file, &err) ||
 *       trit_session_open(&session, model, NULL, &err) ||
 *       trit_session_sync(session, tokens, n_tokens, &err))
 *       fprintf(stderr, "%s\n", err.text);
 *   else
 *       next = trit_argmax(trit_session_logits(session), trit_model_vocab_size(model));
 *   trit_session_close(&session);
 *   trit_model_close(&model);
 *   trit_file_close(&file);
 *
 * Objects. A file is a mapped GGUF; a model borrows its weights from a file; a session is one
 * mutable timeline of tokens over a model, with its memory and its threads; a tokenizer copies what
 * it needs. Close in the reverse order. Any number of each may be open; there is no global state,
 * but that a process on a CPU with AMX asks Linux once for the permission to use it.
 *
 * Threads. Files, models and tokenizers do not change once open and may be shared; a session is
 * for one thread at a time. Functions that only report (names, sizes) may be called from any.
 *
 * Errors. A function that can fail returns a trit_status and, where err is not NULL, writes the
 * reason into it for a person to read, without a newline. A failed open leaves *out NULL.
 *
 * Results. Logits depend on the model, the tokens and the type of the KV cache, and on nothing
 * else: not on the instruction set, the number of threads, or how tokens were cut into batches. */
#ifndef TRIT_H
#define TRIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TRIT_API __attribute__((visibility("default")))
#define TRIT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define TRIT_API
#define TRIT_PRINTF(fmt, args)
#endif

/* ---- Errors --------------------------------------------------------------------------------- */

/** Values are stable. */
typedef enum trit_status {
    TRIT_OK = 0,
    TRIT_E_FAILED = 1,      /**< it went wrong while running: a write, a non-finite activation */
    TRIT_E_ARGUMENT = 2,    /**< the caller asked for something that cannot be */
    TRIT_E_FILE = 3,        /**< a file cannot be read, is not what it should be, or is damaged */
    TRIT_E_UNSUPPORTED = 4, /**< the file or request is sound, but this build cannot do it */
    TRIT_E_MEMORY = 5,      /**< out of memory */
    TRIT_E_CANCELLED = 6,   /**< a callback asked to stop */
} trit_status;

struct trit_error {
    trit_status code;
    char text[512]; /**< UTF-8 (if the paths given are); bytes of a file are escaped */
};

/* ---- Text and JSON -------------------------------------------------------------------------- */

/** Bytes: not terminated, and not checked to be UTF-8, unless it says so. */
struct trit_string {
    const char *bytes;
    size_t len;
};

/** What trit_utf8_decode() gives for a byte that begins no character. */
enum { TRIT_NO_CHARACTER = 0x110000 };

/** The code point that text[0..len) begins with, len > 0; *n receives the bytes it takes, 1 where
 *  there is none. */
TRIT_API uint32_t trit_utf8_decode(const char *text, size_t len, size_t *n);

/** JSON (RFC 8259, strictly) of unknown origin, read into a tree.
 *
 *  Nothing beyond the grammar is taken: no comments, no commas at the end, no byte order mark, no
 *  bytes that are not UTF-8, no lone surrogates, no numbers beyond a double's range. Where an
 *  object has a key twice, the last one counts. Values live as long as their tree. Functions that
 *  look into one take NULL for a value that is not there, so that lookups can be chained and only
 *  what comes out has to be checked. */
struct trit_json;
struct trit_json_value;

enum {
    TRIT_JSON_MAX_DEPTH = 64,       /**< arrays and objects in each other */
    TRIT_JSON_MAX_BYTES = 1 << 28,  /**< of text */
    TRIT_JSON_MAX_VALUES = 1 << 24, /**< in it */
};

/** ABSENT is the type of NULL. */
enum trit_json_type {
    TRIT_JSON_ABSENT,
    TRIT_JSON_NULL,
    TRIT_JSON_BOOL,
    TRIT_JSON_NUMBER,
    TRIT_JSON_STRING,
    TRIT_JSON_ARRAY,
    TRIT_JSON_OBJECT
};

/** Read a whole text, one value. *out is released with trit_json_free(), and NULL after an error.
 *  @return TRIT_OK; TRIT_E_FILE: the text is no JSON ("line 2, column 5: found ']', expected a
 *          value"; a column is a character) or beyond the limits; TRIT_E_MEMORY. */
TRIT_API trit_status trit_json_read(struct trit_json **out, const char *text, size_t len,
                                    struct trit_error *err);

/** The same for JSON Lines: a value a line, empty lines allowed; the root is an array of them. */
TRIT_API trit_status trit_json_read_lines(struct trit_json **out, const char *text, size_t len,
                                          struct trit_error *err);

TRIT_API void trit_json_free(struct trit_json **json);

TRIT_API const struct trit_json_value *trit_json_root(const struct trit_json *json);
TRIT_API enum trit_json_type trit_json_type_of(const struct trit_json_value *value);

/** Items of an array or members of an object, in order: how many, the first, and the one after
 *  value; NULL where there is none. */
TRIT_API size_t trit_json_count(const struct trit_json_value *value);
TRIT_API const struct trit_json_value *trit_json_first(const struct trit_json_value *value);
TRIT_API const struct trit_json_value *trit_json_next(const struct trit_json_value *value);

/** Item i of an array, or the member of an object with that key; NULL where there is none. Both
 *  walk over those before it. */
TRIT_API const struct trit_json_value *trit_json_item(const struct trit_json_value *array,
                                                      size_t i);
TRIT_API const struct trit_json_value *trit_json_member(const struct trit_json_value *object,
                                                        const char *key);

/** The key of a member, the bytes of a string: UTF-8, a NUL behind them and perhaps among them;
 *  len is 0 of anything else. */
TRIT_API struct trit_string trit_json_key(const struct trit_json_value *member);
TRIT_API struct trit_string trit_json_text(const struct trit_json_value *value);

/** Whether a value is that string. */
TRIT_API bool trit_json_is_text(const struct trit_json_value *value, const char *text);

/** The number, or NAN of anything else. */
TRIT_API double trit_json_double(const struct trit_json_value *value);

/** The number where it is written without fraction and exponent and fits. @return whether it is */
TRIT_API bool trit_json_int64(const struct trit_json_value *value, int64_t *out);

/** Whether it is true: not false, and nothing else. */
TRIT_API bool trit_json_is_true(const struct trit_json_value *value);

/* ---- Program -------------------------------------------------------------------------------- */

/** "0.1.0" */
TRIT_API const char *trit_version(void);

/** One row of the instruction-set table. */
struct trit_isa_info {
    const char *name; /**< as given to options: "scalar", "avx2", … */
    bool built;       /**< this build holds it */
    bool usable;      /**< and this CPU and operating system can run it */
};

/** Row i of the table, worst first. @return false past the last one. */
TRIT_API bool trit_isa_at(int i, struct trit_isa_info *out);

/** One operation that models are computed with, and the row whose code does it. */
struct trit_operation_info {
    const char *name; /**< "t2_gemm", "attn_block_f16", … */
    const char *isa;
};

/** Operation i, where the row of that name (NULL: the best) is chosen.
 *  @return false past the last one, or where the row is unknown or not usable. */
TRIT_API bool trit_operation_at(int i, const char *isa, struct trit_operation_info *out);

/** One way in which the weights of a generated token may be read. None changes a result. */
struct trit_walk_info {
    const char *name; /**< "t0", "apart", … */
    const char *note; /**< in words */
};

/** Walk i of the table, the default first. @return false past the last one. */
TRIT_API bool trit_walk_at(int i, struct trit_walk_info *out);

/** Name of the row that sessions use unless told otherwise: the best usable one. */
TRIT_API const char *trit_isa_default(void);

/** Number of threads that sessions use unless told otherwise: the physical performance cores that
 *  this process may run on, at most the CPUs' worth of time that its container allows, rounded
 *  down. At least 1. */
TRIT_API int trit_threads_default(void);

/** The machine. Texts are "" and sizes 0 where the system does not tell. */
struct trit_machine_info {
    char cpu[128];                        /**< name of the processor */
    char cpu_model[128];                  /**< what tells it from others of that name */
    size_t l1d_bytes, l2_bytes, l3_bytes; /**< caches of the first CPU */
    int n_cores;              /**< physical performance cores that this process may run on */
    double cpu_limit;         /**< CPUs' worth of time that its cgroups allow; INFINITY: any */
    char cpu_limit_from[512]; /**< the file that says so */
    uint64_t memory_bytes;    /**< physical memory */
    uint64_t memory_limit;    /**< bytes that its cgroups allow; UINT64_MAX: any */
    char memory_limit_from[512];
};
TRIT_API void trit_machine_info(struct trit_machine_info *out);

/* ---- File ----------------------------------------------------------------------------------- */

typedef struct trit_file trit_file;

struct trit_file_options {
    bool no_mmap; /**< read the file into memory instead of mapping it. Default false */
    bool lock;    /**< keep its bytes in physical memory (mlock). Default false */
    /** How its I2_S tensors lie, which nothing in a file tells: "128" (NULL), the published layout;
     *  "64", "4row" and "seq", as some builds of bitnet.cpp wrote it; "128row", where rows that are
     *  no whole blocks of 128 end in a tail of their own. */
    const char *i2s_layout;
    /** [n_bytes] The file, if it is in memory already: borrowed, and path is but its name for
     *  messages. NULL: it is read. */
    const void *bytes;
    size_t n_bytes;
};

/** Name i of the I2_S layouts, the default first. NULL past the last one. */
TRIT_API const char *trit_i2s_layout_at(int i);

/** Open a GGUF file, version 2 or 3, and check its structure: every length, offset and size
 *  against the bytes that are there. What its tensors mean is not looked at. The file must not
 *  change while it is open (a mapping of a shortened file faults).
 *
 *  @param out   receives the file; release with trit_file_close().
 *  @param path  of a regular file, unless opt->bytes is there.
 *  @param opt   NULL for the defaults.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: no such layout; TRIT_E_FILE: it cannot be read, is no GGUF,
 *          is damaged or ends early; TRIT_E_UNSUPPORTED: big-endian, version 1, one part of a
 *          split model; TRIT_E_MEMORY: also if the system does not let so much be locked. */
TRIT_API trit_status trit_file_open(trit_file **out, const char *path,
                                    const struct trit_file_options *opt, struct trit_error *err);

/** Close and set *file to NULL. NULL and a pointer to NULL are allowed. */
TRIT_API void trit_file_close(trit_file **file);

/** The whole size in bytes. */
TRIT_API uint64_t trit_file_size(const trit_file *file);

/** The GGUF version, 2 or 3. */
TRIT_API uint32_t trit_file_version(const trit_file *file);

/** GGUF value types, as numbered in files. */
typedef enum trit_value_type {
    TRIT_VALUE_U8,
    TRIT_VALUE_I8,
    TRIT_VALUE_U16,
    TRIT_VALUE_I16,
    TRIT_VALUE_U32,
    TRIT_VALUE_I32,
    TRIT_VALUE_F32,
    TRIT_VALUE_BOOL,
    TRIT_VALUE_STRING,
    TRIT_VALUE_ARRAY,
    TRIT_VALUE_U64,
    TRIT_VALUE_I64,
    TRIT_VALUE_F64,
    TRIT_N_VALUE_TYPES
} trit_value_type;

/** One value; which member holds it follows from its type. */
struct trit_value {
    trit_value_type type; /**< never ARRAY */
    uint64_t u;           /**< U8 U16 U32 U64 BOOL */
    int64_t i;            /**< I8 I16 I32 I64 */
    double f;             /**< F32 F64 */
    struct trit_string s; /**< STRING; points into the file */
};

/** One metadata entry. */
struct trit_metadata {
    struct trit_string key;
    trit_value_type type;
    trit_value_type item_type; /**< of an ARRAY's items; else the same as type */
    uint64_t n_items;          /**< of an ARRAY; else 1 */
};

TRIT_API size_t trit_file_n_metadata(const trit_file *file);

/** Entry i < trit_file_n_metadata(), in the order of the file. */
TRIT_API struct trit_metadata trit_file_metadata(const trit_file *file, size_t i);

/** Index of the entry with that key, or trit_file_n_metadata() if there is none. */
TRIT_API size_t trit_file_find_metadata(const trit_file *file, const char *key);

/** Calls fn for the value of entry i, or for each item of its array in order, until fn returns
 *  false. (Strings are of varying length, so items are walked, not indexed.) */
TRIT_API void trit_file_values(const trit_file *file, size_t i,
                               bool (*fn)(void *user, const struct trit_value *value), void *user);

/** One tensor. */
struct trit_tensor_info {
    struct trit_string name;
    uint32_t type;         /**< id in the file */
    const char *type_name; /**< as this program reads the id; "?" for ids it does not know */
    uint32_t n_dims;       /**< 1..4 */
    uint64_t dims[4];      /**< dims[0] is contiguous (the row length); unused ones are 1 */
    uint64_t offset;       /**< from the start of the file */
    uint64_t n_bytes;      /**< of its data; 0 for types whose size this program does not know */
};

TRIT_API size_t trit_file_n_tensors(const trit_file *file);

/** Tensor i < trit_file_n_tensors(), in the order of the file. */
TRIT_API struct trit_tensor_info trit_file_tensor(const trit_file *file, size_t i);

/** How the weights of a tensor are spread. */
struct trit_tensor_stats {
    bool ternary; /**< it is of a ternary type, or its floats are 0 and plus or minus one number;
                       else the rest is 0, but n */
    float scale;  /**< what +1 stands for, as far as the tensor itself says */
    uint64_t n, n_minus, n_zero, n_plus;
    uint64_t n_invalid; /**< codes that no weight has */
};

/** Read a whole tensor and count. Where its type is not the one that is computed with, this takes
 *  the memory of its weights in that: two bits each, rows padded to 32 bytes.
 *  @return TRIT_OK; TRIT_E_FILE, TRIT_E_UNSUPPORTED: as trit_model_open() would say of a linear;
 *          TRIT_E_MEMORY. */
TRIT_API trit_status trit_file_tensor_stats(const trit_file *file, size_t i,
                                            struct trit_tensor_stats *out, struct trit_error *err);

/* ---- Model ---------------------------------------------------------------------------------- */

typedef struct trit_model trit_model;

/** Recognise the architecture, find every tensor it needs, check types and shapes. I2_S weights
 *  whose rows are whole blocks of 128 stay where they are in the file; anything else ternary is
 *  repacked into the same layout in memory.
 *
 *  @param out   receives the model; release with trit_model_close().
 *  @param file  borrowed; must stay open as long as the model.
 *  @return TRIT_OK; TRIT_E_UNSUPPORTED: architecture, tensor type or option that this program does
 *          not compute (the text says what was found and what is supported); TRIT_E_FILE: a key or
 *          tensor is missing, contradicts another, or has the wrong shape; TRIT_E_MEMORY. */
TRIT_API trit_status trit_model_open(trit_model **out, const trit_file *file,
                                     struct trit_error *err);

/** Close and set *model to NULL. NULL and a pointer to NULL are allowed. */
TRIT_API void trit_model_close(trit_model **model);

/** Rows of the head: the number of logits. */
TRIT_API int32_t trit_model_vocab_size(const trit_model *model);

/** What was recognised, and how large it is. Strings live as long as the model. */
struct trit_model_info {
    const char *arch;        /**< row of the architecture table */
    const char *ffn_act;     /**< "silu" or "relu2" */
    const char *ffn_act_why; /**< what decided it */
    const char *rope_style;  /**< "half" or "pairs" */
    const char *embd_type;   /**< type of the embedding */
    const char *head_type;   /**< type of the head */
    bool tied;               /**< head and embedding are one tensor */
    bool sub_norms;          /**< attn_sub_norm and ffn_sub_norm are there */
    bool linear_norms;       /**< each linear has a norm of its own on its input */
    bool causal;             /**< tokens do not see those that follow them */
    int32_t n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_vocab;
    int32_t n_ctx;   /**< positions it was trained for */
    int32_t max_ctx; /**< positions that it can have; INT32_MAX where nothing bounds them */
    double rope_base, norm_eps;
    uint64_t n_params;       /**< weights in all tensors */
    uint64_t n_ternary;      /**< of which ternary */
    uint64_t repacked_bytes; /**< memory that the model itself takes, beside the file */
    uint64_t token_bytes;    /**< weight bytes read for each generated token */
};
TRIT_API void trit_model_info(const trit_model *model, struct trit_model_info *out);

/** What models of these families do in more than one way: the key trit.<name> of a file. What each
 *  means: models/README.md. */
struct trit_knob_info {
    const char *name;
    char value[32]; /**< "true", "relu2", "1e-06" */
    bool is_word;   /**< a text, not a number or a truth value */
    bool notable;   /**< not what BitNet b1.58 does, or left open by the sources of this family */
};

/** Knob i of a model, counted from 0. @return false past the last */
TRIT_API bool trit_model_knob_at(const trit_model *model, int i, struct trit_knob_info *out);

/* ---- Session -------------------------------------------------------------------------------- */

typedef struct trit_session trit_session;

typedef enum trit_kv_type { TRIT_KV_TYPE_F16, TRIT_KV_TYPE_F32, TRIT_KV_TYPE_I8 } trit_kv_type;

/** Name of value i of trit_kv_type: "f16". NULL past the last one. */
TRIT_API const char *trit_kv_type_at(int i);

/** Zero in any field is its default. */
struct trit_session_options {
    int32_t n_ctx;     /**< positions; default: the smaller of the model's and 4096 */
    int32_t n_batch;   /**< most tokens evaluated at once, 1..65536; default 512 */
    int32_t n_threads; /**< 1..512; default: trit_threads_default() */
    trit_kv_type kv;   /**< of the key and value cache; default F16 */
    const char *isa;   /**< row of the instruction-set table; NULL: the best */
    /** How weights are read (trit_walk_at()), where matrices can be read so; NULL: the machine
     *  chooses, by timing the products of the first tokens after the first evaluation. */
    const char *walk;
    /** Tokens may leave before the last layer, see trit_session_set_exit_layer(); takes a row of
     *  floats per position. */
    bool early_exit;
    /** Layers that are left out, numbered from 0: [n_skip], read when the session is opened. */
    const int32_t *skip_layers;
    int32_t n_skip;
    /** Texts are evaluated whole, each from an empty timeline, and memory is taken for as many
     *  tokens at once as the context has. A model whose tokens see later ones can do no other. */
    bool whole;
};

/** Bytes that a session with these options takes in one block. Beside it there are only the stacks
 *  of its threads and a few hundred bytes.
 *  @return TRIT_OK, or as trit_session_open() for the same options. */
TRIT_API trit_status trit_session_bytes(uint64_t *out, const trit_model *model,
                                        const struct trit_session_options *opt,
                                        struct trit_error *err);

/** Take memory and start threads. Nothing is allocated after this.
 *
 *  @param out    receives the session; release with trit_session_close().
 *  @param model  borrowed; must stay open as long as the session.
 *  @param opt    NULL for the defaults; copied.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: an option out of range, or an unknown ISA or walk;
 *          TRIT_E_UNSUPPORTED: an ISA that this build or CPU lacks, a walk that the ISA lacks, or a
 *          model that is not causal without `whole`; TRIT_E_MEMORY;
 *          TRIT_E_FAILED: the system gives no more threads. */
TRIT_API trit_status trit_session_open(trit_session **out, const trit_model *model,
                                       const struct trit_session_options *opt,
                                       struct trit_error *err);

/** Close and set *session to NULL. NULL and a pointer to NULL are allowed. */
TRIT_API void trit_session_close(trit_session **session);

/** Called for each evaluated token in order, with its logits: [trit_model_vocab_size()], valid
 *  during the call. It runs in the default floating-point environment, and must not use the
 * session.
 *  @return false to stop the evaluation. */
typedef bool (*trit_logits_fn)(void *user, int32_t position, const float *logits);

/** Append tokens to the timeline and evaluate them. Unless fn is given, only the last token's
 *  logits are computed; read them with trit_session_logits().
 *
 *  @param tokens  [n], each in 0..vocabulary-1. n >= 1, and no more than the context has left; of
 *                 a session for whole texts the timeline must be empty.
 *  @param fn      NULL, or receives the logits of every token as they are computed.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: a token or n out of range, nothing was evaluated;
 *          TRIT_E_FAILED: the model produced a non-finite value; TRIT_E_CANCELLED: fn returned
 *          false. After the last two the timeline is as it was before the call. */
TRIT_API trit_status trit_session_eval(trit_session *session, const int32_t *tokens, int32_t n,
                                       trit_logits_fn fn, void *user, struct trit_error *err);

/** Make the timeline hold exactly these tokens, reusing the longest common prefix, and have the
 *  logits of the last one. @return as trit_session_eval(), but that after TRIT_E_FAILED and
 *  TRIT_E_CANCELLED the timeline is the common prefix. */
TRIT_API trit_status trit_session_sync(trit_session *session, const int32_t *tokens, int32_t n,
                                       struct trit_error *err);

/** Forget all but the first n tokens; n is clamped to what is there. Costs nothing. The logits are
 *  gone until the next evaluation. */
TRIT_API void trit_session_rewind(trit_session *session, int32_t n);

/** Make room: forget all but the first n_keep tokens and the newest half of those after them, which
 *  move up and are evaluated anew at their new places. The session is then as if it had never seen
 *  others. A no-op where n_keep is the whole timeline. Logits are those of the last token, or gone
 *  (trit_session_logits()) where only the first n_keep are left.
 *
 *  @param n_keep      clamped to what is there.
 *  @param n_left_out  receives how many tokens were left out; 0: there were none to leave out.
 *  @return TRIT_OK; TRIT_E_FAILED, TRIT_E_CANCELLED: the timeline is the first n_keep tokens. */
TRIT_API trit_status trit_session_shift(trit_session *session, int32_t n_keep, int32_t *n_left_out,
                                        struct trit_error *err);

/** Logits of the last evaluated token, [trit_model_vocab_size()], valid until the next call on the
 *  session; NULL if there are none. */
TRIT_API const float *trit_session_logits(const trit_session *session);

/** Tokens in the timeline, [trit_session_n_tokens()]. */
TRIT_API const int32_t *trit_session_tokens(const trit_session *session);
TRIT_API int32_t trit_session_n_tokens(const trit_session *session);

/** What the session was opened with, defaults filled in; and the model's number of logits. */
TRIT_API int32_t trit_session_n_ctx(const trit_session *session);
TRIT_API int32_t trit_session_n_vocab(const trit_session *session);
TRIT_API int32_t trit_session_n_threads(const trit_session *session);
TRIT_API int32_t trit_session_n_layers(const trit_session *session); /**< of its model */
/** Layers that a token passes which does not leave by confidence: up to the exit layer, without
 *  those that are skipped. */
TRIT_API int32_t trit_session_n_active(const trit_session *session);
TRIT_API const char *trit_session_isa(const trit_session *session);

/** How the matrices of one kind are read for a lone token. */
struct trit_session_walk {
    const char *type; /**< of the weights: "t2" (ternary), "f16", …; "kv": keys and values */
    size_t row_bytes; /**< of a row */
    const char *walk; /**< the default while nothing is known */
    bool measured;    /**< found by timing, which is over */
};

/** Kind i of the model's matrices, counted from 0. @return false past the last */
TRIT_API bool trit_session_walk_at(const trit_session *session, int i,
                                   struct trit_session_walk *out);

/** Ask fn between the layers of every evaluation whether to give up; NULL for never. A given-up
 *  evaluation returns TRIT_E_CANCELLED and leaves the timeline as it was. fn must be quick; the
 *  thread that evaluates calls it. */
TRIT_API void trit_session_set_cancel(trit_session *session, bool (*fn)(void *user), void *user);

/** Tell fn between the layers of every evaluation of more than one token which part of it is done,
 *  ascending to 1; NULL for never. fn must be quick; the thread that evaluates calls it. */
TRIT_API void trit_session_set_progress(trit_session *session, void (*fn)(void *user, double part),
                                        void *user);

/* ---- Early exit ------------------------------------------------------------------------------ */

/** Let the tokens evaluated from now on pass n layers, counted from the embedding, skipped ones
 *  among them; then come the final norm and the head. Layers that a later token needs of earlier
 *  ones are made up for, exactly: what it gives is what it had given if none had ever left early.
 *
 *  @param n  1 to the number of layers, which is also where a session begins.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: out of range, or the session was opened without early_exit.
 *          After a change there are no logits until the next evaluation. */
TRIT_API trit_status trit_session_set_exit_layer(trit_session *session, int32_t n,
                                                 struct trit_error *err);

/** Let tokens leave at the first of the layers check[0..n_check) after which the most likely
 *  next token has a probability strictly above the threshold. That is looked at for tokens whose
 *  logits are wanted; the others of a batch go as far as the last one. The head is computed at each
 *  check, which may cost more than the layers that are saved.
 *
 *  @param threshold  0..1; 0 ends it, at 1 no token leaves.
 *  @param check      numbers of layers passed; NULL: all, from the model's least on.
 *  @return TRIT_OK; TRIT_E_ARGUMENT, as above. */
TRIT_API trit_status trit_session_set_exit_threshold(trit_session *session, float threshold,
                                                     const int32_t *check, int32_t n_check,
                                                     struct trit_error *err);

/** How many layers the last evaluated token passed before its logits. */
TRIT_API int32_t trit_session_exit_layer(const trit_session *session);

/** Draw layers to be left out, layer l of n_layer with probability p*(l/(n_layer-1))^2 (at most 1),
 *  the last one never: the schedule of layer dropout in training. The same seed, the same layers.
 *  @param out  receives up to n_layer - 1 numbers, ascending. @return how many */
TRIT_API int32_t trit_layer_drop(int32_t *out, int32_t n_layer, double p, uint64_t seed);

/* ---- Session files --------------------------------------------------------------------------- */

/** Receives bytes of a file in order. @return false to stop. */
typedef bool (*trit_write_fn)(void *user, const void *bytes, size_t n);

/** Write the timeline, so that trit_session_load() can go on with it in another process: its tokens
 *  with their keys and values, checksums, and a fingerprint of the model. A file has the size of
 *  the tokens' part of the cache. The state of a sampler is not in it. Nothing is allocated.
 *
 *  The fingerprint covers the architecture, everything that the file's metadata says about how to
 *  compute, and of every tensor its name, type, shape and size, but only samples of its data: all
 *  of up to 2 KiB, of larger ones eight places of 256 bytes, the first and the last among them. It
 *  tells models from each other; one that was edited by hand elsewhere may pass as the same.
 *
 *  @param write  receives the file from front to back, in pieces of any size.
 *  Layers that tokens left out by an early exit are made up for first.
 *
 *  @return TRIT_OK; TRIT_E_ARGUMENT: the timeline is empty; TRIT_E_CANCELLED: write returned
 *          false, or as trit_session_eval(). */
TRIT_API trit_status trit_session_save(trit_session *session, trit_write_fn write, void *user,
                                       struct trit_error *err);

/** What became of a session file. */
struct trit_session_loaded {
    int32_t n_tokens; /**< in the timeline now */
    bool reread;      /**< its tokens were evaluated anew: keys and values could not be used */
    const char *why;  /**< where reread: the reason, such as "its keys and values are damaged" */
};

/** Put the timeline of a session file in the place of this one. What follows it has the same logits
 *  to the last bit as in the session that was saved, or, where tokens were evaluated anew, as in
 *  one that evaluates them. There may be no logits of the last token: trit_session_sync() and
 *  trit_generate() see to that.
 *
 *  Keys and values are used if they are whole, and of this session's type and this version of the
 *  program; else the tokens are evaluated anew, if they at least are sound, and out says so. All
 *  bytes are covered by checksums, which find damage but not a forger's hand: a forged file can
 *  make the model say anything, and nothing worse. Nothing is allocated.
 *
 *  @param path  of a regular file, which must not change during the call.
 *  @param out   receives what happened.
 *  @return TRIT_OK; TRIT_E_FILE: it cannot be read, is no session file, its tokens are damaged or
 *          incomplete, or it was made with another model; TRIT_E_ARGUMENT: it has more tokens than
 *          the context; TRIT_E_MEMORY: it cannot be mapped. After these the timeline is as it was.
 *          TRIT_E_FAILED, TRIT_E_CANCELLED: evaluating anew; the timeline is then empty. */
TRIT_API trit_status trit_session_load(trit_session *session, const char *path,
                                       struct trit_session_loaded *out, struct trit_error *err);

/* ---- Measuring ------------------------------------------------------------------------------ */

/** Weight bytes that a token of this session reads: of the layers that it passes, the head, and its
 *  row of the embedding. */
TRIT_API uint64_t trit_session_token_bytes(const trit_session *session);

/** Read all the weights that a generated token needs, where they lie, over and over for about ms
 *  milliseconds, with all threads of the session and the best instructions of this CPU, and do
 *  nothing else. The first call tries which way of asking ahead is the fastest here, all later ones
 *  use it. For the thread that uses the session; timeline and logits stay as they are.
 *  @return GB/s, 10^9 bytes a second; 0 if there is no memory for the list of what to read. */
TRIT_API double trit_session_measure_read(trit_session *session, double ms);

/** Multiply and add integers in registers for about ms milliseconds, with all threads of the
 *  session and the instructions that the ternary product of its instruction set uses. For the
 *  thread that uses the session.
 *  @return GMAC/s, 10^9 multiply-adds a second of all threads together. */
TRIT_API double trit_session_measure_macs(trit_session *session, double ms);

/** The same of fused multiply-adds of floats, which attention consists of. */
TRIT_API double trit_session_measure_fmas(trit_session *session, double ms);

/* ---- Types of weights ----------------------------------------------------------------------- */

/** A type that weights can be written as. */
struct trit_weight_type {
    char name[16]; /**< as options take it, in any case: "i2_s" */
    bool linear;   /**< as the type of linears */
    bool embd;     /**< as the type of embedding and head */
};

/** Row i of the table, the default of either kind before its others. @return false past the last
 *  one. */
TRIT_API bool trit_weight_type_at(int i, struct trit_weight_type *out);

/* ---- Dummy models --------------------------------------------------------------------------- */

/** One of the shapes that dummies come in. */
struct trit_dummy_shape {
    const char *name;  /**< as options take it: "2b4t" */
    const char *model; /**< whose shape it is */
    uint64_t n_ternary;
};

/** Shape i of the table. @return false past the last one. */
TRIT_API bool trit_dummy_shape_at(int i, struct trit_dummy_shape *out);

struct trit_dummy_options {
    const char *shape; /**< a name of the table; not NULL */
    const char *type;  /**< of the linears, see trit_weight_type_at(); NULL: "i2_s" */
    const char *embd;  /**< of embedding and head; NULL: "f16" */
    uint64_t seed;     /**< the same seed, the same bytes */
};

/** Write a GGUF of random weights in the sizes and the tensor order of a published model, with a
 *  made-up vocabulary of its size: it runs at the real one's speed and says nothing. Weights are
 *  scaled so that values stay finite.
 *
 *  @param write   receives the file from front to back; at most 64 KB at a time.
 *  @param n_bytes  NULL, or receives the size of the whole file before the first write.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: no such shape or type; TRIT_E_UNSUPPORTED: the shape's rows
 *          are no whole blocks of the type; TRIT_E_CANCELLED: write returned false;
 *          TRIT_E_MEMORY. */
TRIT_API trit_status trit_dummy_write(const struct trit_dummy_options *opt, trit_write_fn write,
                                      void *user, uint64_t *n_bytes, struct trit_error *err);

/* ---- Convert -------------------------------------------------------------------------------- */

/** A tensor that is about to be written. Strings are valid during the call. */
struct trit_converted_tensor {
    const char *name;      /**< in the new file */
    const char *source;    /**< where it comes from: a name in the checkpoint */
    const char *from_type; /**< "U8 packed", "BF16", "TQ2_0", … */
    const char *type;      /**< in the new file */
    uint32_t n_dims;
    uint64_t dims[4]; /**< of the new file: dims[0] is contiguous */
    uint64_t n_bytes; /**< of its data there */
};

/** Zero in any field is its default. */
struct trit_convert_options {
    const char *type; /**< of the linears, see trit_weight_type_at(); NULL: "i2_s" */
    const char *embd; /**< of embedding and head; NULL: "f16"; trit_quantize(): as they are */
    const char *map;  /**< trit_convert(): path of a file of names, or NULL */
    /** trit_convert(): [n_knobs] texts "name=value", which come before what the checkpoint says.
     *  Names are those of trit_model_knob_at(), and arch, ffn_act, head_count, head_count_kv,
     *  norm_eps, rope_base. */
    const char *const *knobs;
    int32_t n_knobs;
    bool force;        /**< trit_quantize(): do what destroys a model, too */
    int32_t n_threads; /**< 1..512; default: trit_threads_default() */
    /** Told what was interpreted and how, a sentence each, before the first tensor. May be NULL. */
    void (*on_note)(void *user, const char *text);
    /** Told of each tensor before its data is written; of all of them where nothing is written. May
     *  be NULL. */
    void (*on_tensor)(void *user, const struct trit_converted_tensor *tensor);
    void *user; /**< of these two */
};

/** Write the GGUF of a checkpoint folder as Hugging Face holds it: config.json, the weights as
 *  safetensors (in one file or in shards), and the files of its tokenizer.
 *
 *  Families: BitNetForCausalLM (microsoft/bitnet-b1.58-2B-4T, packed or a full-precision master),
 *  LlamaForCausalLM with quantization_config of quant_method "bitnet" (Llama3-8B-1.58, Falcon3,
 *  Falcon-E), BitnetForCausalLM (1bitLLM). A tensor that is missing, has another shape, or belongs
 *  to nothing, a code 3 in packed weights and a scale that is not positive are errors that name the
 *  tensor. Memory stays below twice the largest tensor, beside what the vocabulary needs.
 *
 *  A file of names has a line `SOURCE = TARGET` for each tensor that goes by another name than its
 *  family's: SOURCE in the checkpoint, TARGET in the GGUF (blk.{}.attn_q.weight, or .scale of the
 *  same), {} for the number of a layer in both, or `ignore` for what is left out. # begins a
 *  comment.
 *
 *  @param dir      of the checkpoint.
 *  @param opt      NULL for the defaults.
 *  @param write    receives the file from front to back, or NULL: everything but the weights
 *                  themselves is read and checked, and nothing is written.
 *  @param n_bytes  NULL, or receives the size of the whole file before the first write.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: no such type, threads out of range; TRIT_E_FILE: a file is
 *          missing, damaged, or contradicts another; TRIT_E_UNSUPPORTED: a family, a tokenizer or
 *          an option of the model that is not computed here, a type that cannot hold a tensor;
 *          TRIT_E_CANCELLED: write returned false; TRIT_E_MEMORY. */
TRIT_API trit_status trit_convert(const char *dir, const struct trit_convert_options *opt,
                                  trit_write_fn write, void *user, uint64_t *n_bytes,
                                  struct trit_error *err);

/** Write another GGUF of the same model, its linears of another type, its embedding and head too if
 *  opt->embd says so; all metadata but general.file_type stays as it is.
 *
 *  Between ternary types only the scale is rounded (TQ1_0 and TQ2_0 keep it as f16). F32, F16 and
 *  BF16 linears that are no ternary values are taken for a master that absmean quantisation makes
 *  ternary, in architectures that only ternary models go by; in others (llama), most of which it
 *  destroys, only with opt->force. The same goes for a ternary type of embedding and head.
 *
 *  @param file  as opened: its option i2s_layout says how its I2_S tensors are read.
 *  @return as trit_convert(). */
TRIT_API trit_status trit_quantize(const trit_file *file, const struct trit_convert_options *opt,
                                   trit_write_fn write, void *user, uint64_t *n_bytes,
                                   struct trit_error *err);

/* ---- Tokenizer ------------------------------------------------------------------------------ */

typedef struct trit_tokenizer trit_tokenizer;

/** Build a tokenizer from a file's metadata; the file may be closed afterwards. Needs no tensors.
 *
 *  Kinds: byte-level BPE ("gpt2") with the pre-tokenisers gpt-2, llama-bpe, falcon3, falcon_e and
 *  qwen2, and SentencePiece-style BPE ("llama") with byte fallback.
 *  @return TRIT_OK; TRIT_E_UNSUPPORTED: another kind or pre-tokeniser; TRIT_E_FILE: keys missing or
 *          contradicting each other; TRIT_E_MEMORY. */
TRIT_API trit_status trit_tokenizer_open(trit_tokenizer **out, const trit_file *file,
                                         struct trit_error *err);

/** Close and set *tokenizer to NULL. NULL and a pointer to NULL are allowed. */
TRIT_API void trit_tokenizer_close(trit_tokenizer **tokenizer);

/** Flags of trit_tokenizer_encode(). */
enum {
    TRIT_ENCODE_BOS = 1,     /**< the BOS first, if the model wants one (trit_tokenizer_bos) */
    TRIT_ENCODE_SPECIAL = 2, /**< control tokens written out in the text are those tokens */
};

/** Text to ids. Text that looks like a control token is text, unless asked otherwise; user-defined
 *  tokens are always found. n log n in the length.
 *
 *  @param text   [len] bytes; need not be UTF-8.
 *  @param flags  TRIT_ENCODE_*.
 *  @param out    receives an array of *n ids, never NULL on success; release with free().
 *  @return TRIT_OK; TRIT_E_FAILED: the vocabulary lacks a byte of the text; TRIT_E_ARGUMENT:
 *          512 MiB of text or more; TRIT_E_MEMORY. */
TRIT_API trit_status trit_tokenizer_encode(const trit_tokenizer *tokenizer, const char *text,
                                           size_t len, unsigned flags, int32_t **out, int32_t *n,
                                           struct trit_error *err);

/** The bytes of one token, not terminated, valid as long as the tokenizer; ids out of range are
 *  empty, and so are control and unknown tokens unless special, which gives their names. */
TRIT_API struct trit_string trit_tokenizer_piece(const trit_tokenizer *tokenizer, int32_t id,
                                                 bool special);

/** Number of tokens. */
TRIT_API int32_t trit_tokenizer_n_vocab(const trit_tokenizer *tokenizer);

/** The token that TRIT_ENCODE_BOS puts first, or -1: what the file says, else what its kind of
 *  vocabulary has (yes for SentencePiece and the llama-bpe pre-tokeniser). */
TRIT_API int32_t trit_tokenizer_bos(const trit_tokenizer *tokenizer);

/** Whether generation ends with this token: end of text, of a turn or of a message, as the file's
 *  metadata says and by the names that are in use. */
TRIT_API bool trit_tokenizer_is_end(const trit_tokenizer *tokenizer, int32_t id);

/* ---- Chat ----------------------------------------------------------------------------------- */

typedef enum trit_role { TRIT_ROLE_SYSTEM, TRIT_ROLE_USER, TRIT_ROLE_ASSISTANT } trit_role;

/** One turn of a conversation. The text need be neither terminated nor UTF-8. */
struct trit_message {
    trit_role role;
    struct trit_string text;
};

/** Name of chat template i: bitnet, llama3, falcon3, chatml, human, plain. NULL past the last. */
TRIT_API const char *trit_chat_template_at(int i);

/** A template, and how it came to be chosen. Pointers are to constants. */
struct trit_chat {
    const char *name;
    const struct trit_chat_template *chat_template; /**< its row of the table */
    char why[224];        /**< what decided it, for a person; no full stop */
    bool base;            /**< the file looks like a base model, which completes text only */
    bool guessed;         /**< the file has a template of its own, which is not known here */
    bool missing_markers; /**< the vocabulary lacks a marker of the template, which is text then */
    /** Texts [n_stop] that end an answer beside the end tokens, for trit_generate_options. */
    const char *const *stop;
    int32_t n_stop;
};

/** Choose the template that a model was trained on. The first of these that applies decides:
 *
 *  1. name, where it is not NULL. Markers that the vocabulary lacks become text; why says so.
 *  2. Architecture bitnet-b1.58 or bitnet-25 with the Llama-3 vocabulary, which is 2B-4T: bitnet,
 *     always, as the template in its published GGUF is not what it was trained on.
 *  3. The file's tokenizer.chat_template, which is never executed: texts that occur in it tell
 *     which it is.
 *  4. Without such a template: a vocabulary with the markers of llama3, falcon3 or chatml (or
 *     Falcon's pre-tokenisers), if the end token ends a turn of that form or the model's name says
 *     "instruct" or "chat". Base models have these vocabularies too.
 *  5. With one that is not known: the same without that condition. This is a guess.
 *  6. plain. A base model, unless its name says otherwise or it has a template.
 *
 *  @param file       its metadata; need hold no tensors.
 *  @param tokenizer  of that file.
 *  @param name       one of trit_chat_template_at(), or NULL.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: no such name; the text lists them. */
TRIT_API trit_status trit_chat_choose(struct trit_chat *out, const trit_file *file,
                                      const trit_tokenizer *tokenizer, const char *name,
                                      struct trit_error *err);

/** The text that a model sees of a conversation, up to where its answer begins; without the BOS.
 *  Nothing is added that the template does not have: no system message, no date.
 *
 *  @param messages  [n] in order, system first if there is one; n may be 0.
 *  @param out       receives *len bytes, never NULL on success; release with free().
 *  @return TRIT_OK; TRIT_E_ARGUMENT: a role out of range, or 512 MiB of text or more;
 *          TRIT_E_MEMORY. */
TRIT_API trit_status trit_chat_render(const struct trit_chat *chat,
                                      const struct trit_message *messages, int32_t n, char **out,
                                      size_t *len, struct trit_error *err);

/** The same as ids, with the BOS first if the model wants one. Markers of the template are their
 *  tokens, and nothing in a message is: neither a marker nor an end token, whatever type the file
 *  gives it. (Other user-defined tokens, which stand for text, are found as ever.)
 *
 *  What is between two markers is encoded in one piece, the user's text together with what the
 *  template puts around it. An assistant's text is encoded on its own, as it was when it was
 *  generated; so the ids of a longer conversation begin with those of a shorter one, and a session
 *  that is synced to them evaluates only what is new. This holds as far as the answer's tokens are
 *  those that its text encodes to, and the template trims nothing off it.
 *
 *  @param out     receives an array of *n_ids ids, never NULL on success; release with free().
 *  @param n_keep  NULL, or receives how many of them are the BOS and the system messages at the
 *                 start, which a context that is shifted should keep. Where no marker follows these
 *                 (human, plain), a token that reaches into the next message is not counted.
 *  @return as trit_chat_render(); TRIT_E_FAILED: the vocabulary lacks a byte of the text. */
TRIT_API trit_status trit_chat_encode(const struct trit_chat *chat, const trit_tokenizer *tokenizer,
                                      const struct trit_message *messages, int32_t n, int32_t **out,
                                      int32_t *n_ids, int32_t *n_keep, struct trit_error *err);

/* ---- Sampler -------------------------------------------------------------------------------- */

typedef struct trit_sampler trit_sampler;

struct trit_logit_bias {
    int32_t id;
    float value; /**< added to the logit; finite */
};

/** The stages run in this order; each is off at its neutral value. Fill with
 *  trit_sampler_defaults(). */
struct trit_sampler_options {
    float repeat_penalty;    /**< 0.001..1000; default and neutral 1 */
    float presence_penalty;  /**< default and neutral 0 */
    float frequency_penalty; /**< default and neutral 0 */
    int32_t repeat_last_n;   /**< tokens that penalties look back on, -1 all; default 64 */
    const struct trit_logit_bias *bias; /**< [n_bias], copied */
    int32_t n_bias;
    int32_t top_k; /**< keep the k most likely; default and neutral 0 */
    float top_p;   /**< keep the likeliest that reach this probability; default and neutral 1 */
    float min_p;   /**< keep what has this part of the best one's probability; default 0.05 */
    float temp;    /**< divides logits; 0 takes the most likely; default 0.8 */
    uint64_t seed; /**< the same seed gives the same choices on every machine; default 0 */
};
TRIT_API void trit_sampler_defaults(struct trit_sampler_options *opt);

/** @param n_vocab  of the logits it will see, and of the tokens in their history; at least 1.
 *  @return TRIT_OK, TRIT_E_ARGUMENT: a value out of range, TRIT_E_MEMORY. */
TRIT_API trit_status trit_sampler_open(trit_sampler **out, int32_t n_vocab,
                                       const struct trit_sampler_options *opt,
                                       struct trit_error *err);

/** Close and set *sampler to NULL. NULL and a pointer to NULL are allowed. */
TRIT_API void trit_sampler_close(trit_sampler **sampler);

/** Choose a token. logits: [n_vocab], finite; history: [n] tokens so far, prompt included. */
TRIT_API int32_t trit_sampler_next(trit_sampler *sampler, const float *logits,
                                   const int32_t *history, int32_t n);

/** Index of the largest value, the lowest one of equals. n >= 1. */
TRIT_API int32_t trit_argmax(const float *logits, int32_t n);

/** Natural logarithm of the probability of id under softmax(logits[0..n)). */
TRIT_API double trit_logprob(const float *logits, int32_t n, int32_t id);

/* ---- Generate ------------------------------------------------------------------------------- */

typedef enum trit_finish {
    TRIT_FINISH_EOS,       /**< an end token */
    TRIT_FINISH_LENGTH,    /**< max_tokens */
    TRIT_FINISH_STOP,      /**< a stop text */
    TRIT_FINISH_CONTEXT,   /**< the context is full */
    TRIT_FINISH_INTERRUPT, /**< a callback asked for it */
} trit_finish;

/** What to do when the context is full and there is another token. */
typedef enum trit_on_full {
    TRIT_ON_FULL_STOP,  /**< end with TRIT_FINISH_CONTEXT */
    TRIT_ON_FULL_SHIFT, /**< trit_session_shift(), and go on; end where nothing can be left out */
} trit_on_full;

enum { TRIT_MAX_STOP = 1024 }; /**< bytes of a stop text */

struct trit_generate_options {
    int32_t max_tokens;      /**< negative: until an end token or a full context (see on_full) */
    bool ignore_eos;         /**< end tokens do not end it, and are shown as the nothing they are */
    const char *const *stop; /**< [n_stop] texts that end it and are not shown */
    int32_t n_stop;
    trit_sampler *sampler; /**< NULL: the most likely token. After a shift its penalties see the
                                timeline that is left, not the tokens that were left out */
    trit_on_full on_full;  /**< default TRIT_ON_FULL_STOP */
    int32_t n_keep;        /**< first tokens that a shift never leaves out: a BOS, a system turn */
    /** Told of each shift, before it goes on: how many tokens were left out. May be NULL. */
    void (*on_shift)(void *user, int32_t n_left_out);
    /** Receives each token as it is chosen, its bytes, and the logits it was chosen from; may be
     *  NULL. @return false to stop. */
    bool (*on_token)(void *user, int32_t id, struct trit_string piece, const float *logits);
    /** Receives text as it comes, in whole UTF-8 characters (bytes that can never become one are
     *  replaced by U+FFFD), held back while it could begin a stop text; may be NULL.
     *  @return false to stop. */
    bool (*on_text)(void *user, const char *text, size_t len);
    void *user;
};

struct trit_generate_result {
    trit_finish finish;
    int32_t n_prompt, n_new;
    int32_t n_left_out;    /**< by shifts, all together */
    int32_t pending;       /**< the last token, which was chosen and not evaluated; -1: none */
    double mean_layers;    /**< that were passed before each new token was chosen */
    double prompt_ms;      /**< evaluating the prompt */
    double first_token_ms; /**< from the start to the first token being known */
    double generate_ms;    /**< from then on */
};

/** Evaluate a prompt (reusing the session's common prefix) and continue it. The session's timeline
 *  then holds the prompt and what was generated, but for an end token, what shifts left out,
 *  and, as it was never evaluated, the last token (see pending). Nothing is allocated.
 *
 *  @param tokens  [n], n >= 1, n <= the session's context.
 *  @return as trit_session_eval(), but that a cancelled evaluation is an interrupted result
 *          (with the timeline of trit_session_shift() where it was that one's);
 *          TRIT_E_ARGUMENT also for a stop text that is too long or not UTF-8. */
TRIT_API trit_status trit_generate(trit_session *session, const trit_tokenizer *tokenizer,
                                   const int32_t *tokens, int32_t n,
                                   const struct trit_generate_options *opt,
                                   struct trit_generate_result *out, struct trit_error *err);

#ifdef __cplusplus
}
#endif

#endif
