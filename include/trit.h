/* trit.h - run ternary (BitNet b1.58) language models on ordinary CPUs.
 *
 *   #include <stdio.h>
 *   #include <string.h>
 *   #include "trit.h"
 *
 *   static bool print(void *user, const char *text, size_t len)
 *   {
 *       (void)user;
 *       return fwrite(text, 1, len, stdout) == len;
 *   }
 *
 *   int main(void)
 *   {
 *       static const char prompt[] = "Once upon a time";
 *       const struct trit_generate_options opt = {.max_tokens = 100, .on_text = print};
 *       struct trit_generate_result result;
 *       struct trit_error err;
 *       trit_file *file = NULL;
 *       trit_tokenizer *tokenizer = NULL;
 *       trit_model *model = NULL;
 *       trit_session *session = NULL;
 *       int32_t *ids = NULL, n = 0;
 *       const bool failed = trit_file_open(&file, "model.gguf", NULL, &err) ||
 *                           trit_tokenizer_open(&tokenizer, file, &err) ||
 *                           trit_model_open(&model, file, &err) ||
 *                           trit_session_open(&session, model, NULL, &err) ||
 *                           trit_tokenizer_encode(tokenizer, prompt, strlen(prompt),
 *                                                 TRIT_ENCODE_BOS, &ids, &n, &err) ||
 *                           trit_generate(session, tokenizer, ids, n, &opt, &result, &err);
 *       if (failed)
 *           fprintf(stderr, "%s\n", err.text);
 *       trit_free(ids);
 *       trit_session_close(&session);
 *       trit_model_close(&model);
 *       trit_tokenizer_close(&tokenizer);
 *       trit_file_close(&file);
 *       return failed;
 *   }
 *
 * Objects. A file is a mapped GGUF; a model borrows its weights from a file; an engine has threads
 * and memory to evaluate a model; a session is one timeline of tokens, with its keys and values,
 * over an engine, its own unless it was opened on one; a tokenizer copies what it needs. Close them
 * in reverse order. Any number of each may be open. There is no global state, except that a process
 * on a CPU with AMX asks Linux once for permission to use it.
 *
 * Threads. Files, models and tokenizers do not change once open and may be shared; an engine and
 * its sessions are for one thread at a time. Functions that only report (names, sizes) may be
 * called from any.
 *
 * Errors. A function that can fail returns a trit_status and, unless err is NULL, writes the reason
 * into it, for people, without a newline. An open function sets *out, to NULL if it fails. A close
 * function sets the caller's pointer to NULL, and accepts NULL and a pointer to NULL.
 *
 * Options. In a struct of options a field that is zero has its default, and NULL for the struct
 * means all defaults. Its first field, size, is the sizeof the struct that the caller was compiled
 * with, so that a field added later breaks no program and no binding; 0 means its size in version
 * 0.2, the first one with it.
 *
 * Results. Logits depend on the model, the tokens and the type of the KV cache, and on nothing
 * else: not on the instruction set, the number of threads, the split of tokens into batches, or the
 * other sessions in them.
 *
 * Tables. trit_..._at(i) gives row i of a table, counted from 0; past the last, false or NULL.
 *
 * Versions. The functions and structs of this header keep working as long as the shared library has
 * the same soname; new ones may be added. trit_tools.h may change with any release. */
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

/* ---- Version and memory ---------------------------------------------------------------------- */

#define TRIT_VERSION_MAJOR 0
#define TRIT_VERSION_MINOR 2
#define TRIT_VERSION_PATCH 0

/** The version of the library: "0.2.0". The macros are those of this header. */
TRIT_API const char *trit_version(void);

/** Release memory that a function hands out, ids or text. NULL is allowed. */
TRIT_API void trit_free(void *memory);

/* ---- Errors --------------------------------------------------------------------------------- */

/** Values are stable. */
typedef enum trit_status {
    TRIT_OK = 0,
    TRIT_E_FAILED = 1,      /**< failed while running: a write, a non-finite activation */
    TRIT_E_ARGUMENT = 2,    /**< invalid argument or option */
    TRIT_E_FILE = 3,        /**< a file cannot be read, is of another kind, or is damaged */
    TRIT_E_UNSUPPORTED = 4, /**< the file or request is valid, but this build cannot do it */
    TRIT_E_MEMORY = 5,      /**< out of memory */
    TRIT_E_CANCELLED = 6,   /**< a callback asked to stop */
} trit_status;

/** "TRIT_E_FILE" for TRIT_E_FILE, and so on; "unknown status" for any other value. */
TRIT_API const char *trit_status_name(trit_status status);

struct trit_error {
    trit_status code;
    char text[512]; /**< UTF-8 if the caller's paths are; bytes from files are escaped */
};

/** Bytes: not terminated, and not necessarily UTF-8, unless stated otherwise. */
struct trit_string {
    const char *bytes;
    size_t len;
};

/* ---- Program -------------------------------------------------------------------------------- */

/** One row of the instruction-set table. */
struct trit_isa_info {
    const char *name; /**< as options take it: "scalar", "avx2", … */
    bool built;       /**< in this build */
    bool usable;      /**< and this CPU and operating system can run it */
};

/** The table of instruction sets, slowest first. */
TRIT_API bool trit_isa_at(int i, struct trit_isa_info *out);

/** The instruction set that sessions use by default: the best usable one. */
TRIT_API const char *trit_isa_default(void);

/** The number of threads that sessions use by default: the physical performance cores that this
 *  process may run on, limited to the CPU time that its container allows, rounded down; at least
 *  1. */
TRIT_API int trit_threads_default(void);

/* ---- File ----------------------------------------------------------------------------------- */

typedef struct trit_file trit_file;

struct trit_file_options {
    size_t size;  /**< sizeof the struct, or 0: see above */
    bool no_mmap; /**< read the file into memory instead of mapping it. Default false */
    bool lock;    /**< lock its bytes in physical memory (mlock). Default false */
    /** The layout of its I2_S tensors, which the file does not record: "128" (NULL) is the
     *  published one; "64", "4row" and "seq" were written by some builds of bitnet.cpp; in "128row"
     *  a row that is not a multiple of 128 has a tail of its own. */
    const char *i2s_layout;
    /** [n_bytes] The file's contents in memory, borrowed; path is then only a name for messages.
     *  NULL: the file is opened. */
    const void *bytes;
    size_t n_bytes;
    /** [n_overrides] Metadata that replaces the file's or adds to it, "KEY=VALUE", with the type
     *  that the key has in the file or is known to have, or "KEY=TYPE:VALUE" with int, float, bool
     *  or str. The texts are copied. */
    const char *const *overrides;
    int32_t n_overrides;
};

/** Open a GGUF file, version 2 or 3, and check every length, offset and size in it against the
 *  size of the file. The meaning of its tensors is not checked. The file must not change while it
 *  is open (reading a mapping of a shortened file faults).
 *
 *  @param path  of a regular file, unless opt->bytes is set.
 *  @param opt   NULL for the defaults.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: unknown layout, or an override that makes no sense;
 *          TRIT_E_FILE: it cannot be read, is not a GGUF file, is damaged or ends early;
 *          TRIT_E_UNSUPPORTED: big-endian, version 1, one part of a split model; TRIT_E_MEMORY:
 *          also if that much memory cannot be locked. */
TRIT_API trit_status trit_file_open(trit_file **out, const char *path,
                                    const struct trit_file_options *opt, struct trit_error *err);
TRIT_API void trit_file_close(trit_file **file);

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

/** One value. Its type determines the member that holds it. */
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
    trit_value_type item_type; /**< of an ARRAY's items; otherwise the same as type */
    uint64_t n_items;          /**< of an ARRAY; otherwise 1 */
};

TRIT_API size_t trit_file_n_metadata(const trit_file *file);

/** Entry i < trit_file_n_metadata(), in the order of the file. */
TRIT_API struct trit_metadata trit_file_metadata(const trit_file *file, size_t i);

/** The index of the entry with that key, or trit_file_n_metadata() if there is none. */
TRIT_API size_t trit_file_find_metadata(const trit_file *file, const char *key);

/** Call fn for the value of entry i, or for each item of its array in order, until fn returns
 *  false. */
TRIT_API void trit_file_values(const trit_file *file, size_t i,
                               bool (*fn)(void *user, const struct trit_value *value), void *user);

/** One tensor. */
struct trit_tensor_info {
    struct trit_string name;
    uint32_t type;         /**< id in the file */
    const char *type_name; /**< "?" for an unknown id */
    uint32_t n_dims;       /**< 1..4 */
    uint64_t dims[4];      /**< dims[0] is contiguous (the row length); unused ones are 1 */
    uint64_t offset;       /**< from the start of the file */
    uint64_t n_bytes;      /**< of its data; 0 for a type of unknown size */
};

TRIT_API size_t trit_file_n_tensors(const trit_file *file);

/** Tensor i < trit_file_n_tensors(), in the order of the file. */
TRIT_API struct trit_tensor_info trit_file_tensor(const trit_file *file, size_t i);

/* ---- Model ---------------------------------------------------------------------------------- */

typedef struct trit_model trit_model;

/** Recognize the architecture, find every tensor it needs, and check types and shapes. I2_S weights
 *  whose rows are multiples of 128 are used in place, in the file; other ternary weights are
 *  repacked into the same layout in memory.
 *
 *  @param file  borrowed; must stay open as long as the model.
 *  @return TRIT_OK; TRIT_E_UNSUPPORTED: an architecture, tensor type or option that is not
 *          supported (the text says what was found and what is supported); TRIT_E_FILE: a key or
 *          tensor is missing, contradicts another, or has the wrong shape; TRIT_E_MEMORY. */
TRIT_API trit_status trit_model_open(trit_model **out, const trit_file *file,
                                     struct trit_error *err);
TRIT_API void trit_model_close(trit_model **model);

/** The number of logits: the rows of the head. */
TRIT_API int32_t trit_model_vocab_size(const trit_model *model);

/** Properties and sizes of a model. Strings live as long as the model. */
struct trit_model_info {
    const char *arch;        /**< row of the architecture table */
    const char *ffn_act;     /**< "silu" or "relu2" */
    const char *ffn_act_why; /**< why */
    const char *rope_style;  /**< "half" or "pairs" */
    const char *embd_type;   /**< type of the embedding */
    const char *head_type;   /**< type of the head */
    bool tied;               /**< head and embedding are one tensor */
    bool sub_norms;          /**< it has attn_sub_norm and ffn_sub_norm */
    bool linear_norms;       /**< each linear has its own norm on its input */
    bool causal;             /**< tokens do not attend to later ones */
    int32_t n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_vocab;
    int32_t n_ctx;   /**< positions it was trained for */
    int32_t max_ctx; /**< the most positions; INT32_MAX: no limit */
    double rope_base, norm_eps;
    uint64_t n_params;       /**< weights in all tensors */
    uint64_t n_ternary;      /**< the ternary ones among them */
    uint64_t repacked_bytes; /**< memory of the model itself, in addition to the file */
    uint64_t token_bytes;    /**< weight bytes read per generated token */
};
TRIT_API void trit_model_get_info(const trit_model *model, struct trit_model_info *out);

/* ---- Engine --------------------------------------------------------------------------------- */

/** What evaluates tokens: the kernels, the threads, and memory for a batch. Sessions, which are
 *  timelines of tokens, share it: rows of many sessions go through the weights together. An engine
 *  and its sessions are for one thread at a time; engines over one model run in any threads. */
typedef struct trit_engine trit_engine;

/** A field that is zero has its default. */
struct trit_engine_options {
    size_t size;       /**< sizeof the struct, or 0: see above */
    int32_t n_ctx;     /**< the most positions of a session; default: the smaller of the model's and
                            4096 */
    int32_t n_batch;   /**< tokens evaluated at once, of all sessions, 1..65536; default 512 */
    int32_t n_threads; /**< 1..512; default: trit_threads_default() */
    const char *isa;   /**< row of the instruction-set table; NULL: the best */
    /** The walk (trit_walk_at()) for the matrices that it applies to; NULL: chosen by timing the
     *  products of the first tokens after the first evaluation. */
    const char *walk;
};

/** The size of the block of memory that an engine with these options allocates, besides stacks of
 *  threads and a few hundred bytes. @return as trit_engine_open() */
TRIT_API trit_status trit_engine_bytes(uint64_t *out, const trit_model *model,
                                       const struct trit_engine_options *opt,
                                       struct trit_error *err);

/** Allocate memory and start threads. Nothing is allocated after this.
 *
 *  @param model  borrowed; must stay open as long as the engine.
 *  @param opt    NULL for the defaults; copied.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: an option out of range, or an unknown ISA or walk;
 *          TRIT_E_UNSUPPORTED: an ISA that this build or CPU lacks, a walk that the ISA lacks;
 *          TRIT_E_MEMORY; TRIT_E_FAILED: the system refuses a thread. */
TRIT_API trit_status trit_engine_open(trit_engine **out, const trit_model *model,
                                      const struct trit_engine_options *opt,
                                      struct trit_error *err);

/** Its sessions may still be open; they keep it until the last of them is closed. */
TRIT_API void trit_engine_close(trit_engine **engine);

/* ---- Session -------------------------------------------------------------------------------- */

typedef struct trit_session trit_session;

typedef enum trit_kv_type { TRIT_KV_TYPE_F16, TRIT_KV_TYPE_F32, TRIT_KV_TYPE_I8 } trit_kv_type;

/** A field that is zero has its default. */
struct trit_session_options {
    size_t size;     /**< sizeof the struct, or 0: see above */
    int32_t n_ctx;   /**< positions; default: the engine's, or as trit_engine_options says */
    int32_t n_batch; /**< this and the next, isa and walk: of a private engine */
    int32_t n_threads;
    trit_kv_type kv; /**< of the key and value cache; default F16 */
    const char *isa;
    const char *walk;
    /** Tokens may exit before the last layer, see trit_session_set_exit_layer(). Takes a row of
     *  floats per position. */
    bool early_exit;
    /** Layers to skip, numbered from 0: [n_skip], copied. */
    const int32_t *skip_layers;
    int32_t n_skip;
    /** Evaluate whole texts only, each from an empty timeline; needs an engine whose n_batch is at
     *  least n_ctx. Required for a model that is not causal. */
    bool whole;
};

/** The memory that trit_session_open() allocates with these options, besides stacks of threads and
 *  a few hundred bytes: that of the engine, and that of the session. @return as
 *  trit_session_open() */
TRIT_API trit_status trit_session_bytes(uint64_t *out, const trit_model *model,
                                        const struct trit_session_options *opt,
                                        struct trit_error *err);

/** Open an engine and a session on it. Nothing is allocated after this. The engine is closed with
 *  its last session.
 *
 *  @param model  borrowed; must stay open as long as the session.
 *  @param opt    NULL for the defaults; copied.
 *  @return as trit_engine_open() and trit_session_open_on() */
TRIT_API trit_status trit_session_open(trit_session **out, const trit_model *model,
                                       const struct trit_session_options *opt,
                                       struct trit_error *err);

/** Open a session on an engine. It takes memory for its tokens, their keys and values, and a row of
 *  logits.
 *
 *  @param opt  NULL for the defaults; copied. n_batch, n_threads, isa and walk must be 0 or NULL.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: an option out of range, or beyond the engine's;
 *          TRIT_E_UNSUPPORTED: a model that is not causal without `whole`; TRIT_E_MEMORY. */
TRIT_API trit_status trit_session_open_on(trit_session **out, trit_engine *engine,
                                          const struct trit_session_options *opt,
                                          struct trit_error *err);

/** Open another session on the same engine, with the same options and early exit, and with a copy
 *  of the first n_tokens tokens, their keys and values. It has no logits, and no callbacks.
 *
 *  @param n_tokens  0 to the length of the timeline; 0 if the session is for whole texts.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: n_tokens is out of range; TRIT_E_MEMORY. */
TRIT_API trit_status trit_session_fork(trit_session **out, trit_session *session, int32_t n_tokens,
                                       struct trit_error *err);

TRIT_API void trit_session_close(trit_session **session);

/** The engine that the session was opened on, or its private one. */
TRIT_API trit_engine *trit_session_engine(const trit_session *session);

/** Called for each evaluated token in order. logits: [trit_model_vocab_size()], valid during the
 *  call. It runs in the default floating-point environment, and must not use the session.
 *  @return false to stop the evaluation */
typedef bool (*trit_logits_fn)(void *user, int32_t position, const float *logits);

/** Of which tokens of a step the logits are wanted. */
typedef enum trit_want {
    TRIT_WANT_LAST, /**< for trit_session_logits() */
    TRIT_WANT_NONE,
    TRIT_WANT_ALL, /**< for on_logits; the last token's also for trit_session_logits() */
} trit_want;

/** Tokens to append to the timeline of a session, and to evaluate. */
struct trit_step {
    trit_session *session;
    const int32_t *tokens; /**< [n], as of trit_session_eval() */
    int32_t n;
    trit_want want;
    trit_logits_fn on_logits; /**< of TRIT_WANT_ALL; may be NULL */
    void *user;               /**< of on_logits */
    struct trit_error error;  /**< receives the step's status and, if it fails, the reason */
};

/** Evaluate the steps of many sessions together. A session's logits are the same bits as if it were
 *  evaluated alone. A step that fails does not affect the others. Nothing is allocated.
 *
 *  @param steps  [n_steps] of different sessions of this engine.
 *  @return TRIT_OK if all steps succeed, otherwise the status of the first that fails: as
 *          trit_session_eval(); TRIT_E_ARGUMENT also for a session of another engine, and for the
 *          second step of a session. err receives its reason. */
TRIT_API trit_status trit_engine_eval(trit_engine *engine, struct trit_step *steps, int32_t n_steps,
                                      struct trit_error *err);

/** Append tokens to the timeline and evaluate them. Without fn, only the last token's logits are
 *  computed; read them with trit_session_logits().
 *
 *  @param tokens  [n], each in 0..vocabulary-1; 1 <= n <= the room left in the context. If the
 *                 session is for whole texts, the timeline must be empty.
 *  @param fn      NULL, or receives the logits of every token as they are computed.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: a token or n out of range, nothing was evaluated;
 *          TRIT_E_FAILED: the model produced a non-finite value; TRIT_E_CANCELLED: fn returned
 *          false. After the last two, the timeline is unchanged. */
TRIT_API trit_status trit_session_eval(trit_session *session, const int32_t *tokens, int32_t n,
                                       trit_logits_fn fn, void *user, struct trit_error *err);

/** Make the timeline exactly these tokens, reusing the longest common prefix, and compute the
 *  logits of the last one. @return as trit_session_eval(), except that after TRIT_E_FAILED and
 *  TRIT_E_CANCELLED the timeline is the common prefix */
TRIT_API trit_status trit_session_sync(trit_session *session, const int32_t *tokens, int32_t n,
                                       struct trit_error *err);

/** Drop all tokens but the first n (all, if there are fewer). Takes no time. There are no logits
 *  until the next evaluation. */
TRIT_API void trit_session_rewind(trit_session *session, int32_t n);

/** Make room: keep the first n_keep tokens and the newest half of the others, which are evaluated
 *  again at their new positions. The session is then as if it had never seen the rest. Does nothing
 *  if n_keep is the whole timeline. The logits are those of the last token; there are none if only
 *  the first n_keep are left.
 *
 *  @param n_keep      clamped to the length of the timeline.
 *  @param n_left_out  receives the number of dropped tokens, or 0.
 *  @return TRIT_OK; TRIT_E_FAILED, TRIT_E_CANCELLED: the timeline is the first n_keep tokens. */
TRIT_API trit_status trit_session_shift(trit_session *session, int32_t n_keep, int32_t *n_left_out,
                                        struct trit_error *err);

/** The logits of the last evaluated token, [trit_model_vocab_size()], valid until the next call on
 *  the session; NULL if there are none. */
TRIT_API const float *trit_session_logits(const trit_session *session);

/** The timeline, [trit_session_n_tokens()]. */
TRIT_API const int32_t *trit_session_tokens(const trit_session *session);
TRIT_API int32_t trit_session_n_tokens(const trit_session *session);

/** Its context, with the default filled in, and the number of logits. */
TRIT_API int32_t trit_session_n_ctx(const trit_session *session);
TRIT_API int32_t trit_session_n_vocab(const trit_session *session);

/** Call fn between the layers of every evaluation; NULL: never. If it returns true, the evaluation
 *  returns TRIT_E_CANCELLED and the timeline is unchanged. fn must be quick; it is called by the
 *  evaluating thread. */
TRIT_API void trit_session_set_cancel(trit_session *session, bool (*fn)(void *user), void *user);

/** Call fn between the layers of every evaluation of more than one token with the part that is
 *  done, ascending to 1; NULL: never. fn must be quick; it is called by the evaluating thread. */
TRIT_API void trit_session_set_progress(trit_session *session, void (*fn)(void *user, double part),
                                        void *user);

/* ---- Early exit ------------------------------------------------------------------------------ */

/** Let the tokens evaluated from now on exit after n layers, counted from the embedding and
 *  including skipped ones; the final norm and the head follow. Layers that earlier tokens did not
 *  pass are computed first when a later token needs them, so its result is the same as if no token
 *  had exited early. After a change there are no logits until the next evaluation.
 *
 *  @param n  1 to the number of layers, which is the default.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: out of range, or the session was opened without early_exit. */
TRIT_API trit_status trit_session_set_exit_layer(trit_session *session, int32_t n,
                                                 struct trit_error *err);

/** Let tokens exit at the first of the layers check[0..n_check) after which the most likely next
 *  token has a probability strictly above the threshold. Only tokens whose logits are requested are
 *  checked; the others of a batch pass as many layers as the last one. Each check computes the
 *  head, which may cost more than the layers it saves.
 *
 *  @param threshold  0..1; 0 turns it off, at 1 no token exits.
 *  @param check      numbers of layers passed; NULL: all, from the model's minimum on.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: as above; TRIT_E_UNSUPPORTED: the model is not causal. */
TRIT_API trit_status trit_session_set_exit_threshold(trit_session *session, float threshold,
                                                     const int32_t *check, int32_t n_check,
                                                     struct trit_error *err);

/** The number of layers that the last evaluated token passed before the head. */
TRIT_API int32_t trit_session_exit_layer(const trit_session *session);

/* ---- Session files --------------------------------------------------------------------------- */

/** Receives the bytes of a file from front to back, in pieces of any size. @return false to stop */
typedef bool (*trit_write_fn)(void *user, const void *bytes, size_t n);

/** Write the timeline, so that trit_session_load() can continue it in another process: its tokens
 *  with their keys and values, checksums, and a fingerprint of the model. The file is as large as
 *  the tokens' part of the cache. The state of a sampler is not included. Layers that tokens
 *  skipped by an early exit are computed first. Nothing is allocated.
 *
 *  The fingerprint covers the architecture, all metadata that affects the computation, and the
 *  name, type, shape and size of every tensor, but only samples of the data: all of it up to 2 KiB,
 *  otherwise eight pieces of 256 bytes, including the first and the last. It distinguishes
 *  published models; a copy that was edited by hand may pass as the original.
 *
 *  @return TRIT_OK; TRIT_E_ARGUMENT: the timeline is empty; TRIT_E_CANCELLED: write returned
 *          false; or as trit_session_eval(). */
TRIT_API trit_status trit_session_save(trit_session *session, trit_write_fn write, void *user,
                                       struct trit_error *err);

/** The result of loading a session file. */
struct trit_session_loaded {
    int32_t n_tokens; /**< in the timeline now */
    bool reread;      /**< its keys and values could not be used; the tokens were evaluated again */
    const char *why;  /**< if reread: the reason, such as "its keys and values are damaged" */
};

/** Replace the timeline by that of a session file. Later logits are bit-identical to those of the
 *  saved session or, if the tokens were evaluated again, of one that evaluates them. There may be
 *  no logits of the last token; trit_session_sync() and trit_generate() handle that.
 *
 *  Keys and values are used if they are intact, of this session's type, and from this version of
 *  the program. Otherwise the tokens, if they are intact, are evaluated again. Checksums cover all
 *  bytes and detect damage, but not forgery: a forged file can make the model say anything, but
 *  nothing worse. Nothing is allocated.
 *
 *  @param path  of a regular file, which must not change during the call.
 *  @return TRIT_OK; TRIT_E_FILE: it cannot be read, is not a session file, its tokens are damaged
 *          or incomplete, or it was made with another model; TRIT_E_ARGUMENT: it has more tokens
 *          than the context; TRIT_E_MEMORY: it cannot be mapped. The timeline is then unchanged.
 *          TRIT_E_FAILED, TRIT_E_CANCELLED: while evaluating again; the timeline is then empty. */
TRIT_API trit_status trit_session_load(trit_session *session, const char *path,
                                       struct trit_session_loaded *out, struct trit_error *err);

/* ---- Tokenizer ------------------------------------------------------------------------------ */

typedef struct trit_tokenizer trit_tokenizer;

/** Build a tokenizer from a file's metadata. The file need not have tensors, and may be closed
 *  afterwards. Kinds: byte-level BPE ("gpt2") with the pre-tokenizers gpt-2, llama-bpe, falcon3,
 *  falcon_e and qwen2, and SentencePiece-style BPE ("llama") with byte fallback.
 *  @return TRIT_OK; TRIT_E_UNSUPPORTED: another kind or pre-tokenizer; TRIT_E_FILE: keys missing or
 *          contradicting each other; TRIT_E_MEMORY. */
TRIT_API trit_status trit_tokenizer_open(trit_tokenizer **out, const trit_file *file,
                                         struct trit_error *err);
TRIT_API void trit_tokenizer_close(trit_tokenizer **tokenizer);

enum {
    TRIT_ENCODE_BOS = 1,     /**< the BOS first, if the model expects one: trit_tokenizer_bos() */
    TRIT_ENCODE_SPECIAL = 2, /**< parse control tokens written in the text */
};

/** Text to ids. User-defined tokens are always parsed. Takes O(n log n) time.
 *
 *  @param text   [len] bytes; need not be UTF-8.
 *  @param flags  TRIT_ENCODE_*.
 *  @param out    receives an array of *n ids, never NULL on success; release with trit_free().
 *  @return TRIT_OK; TRIT_E_FAILED: the vocabulary lacks a byte of the text; TRIT_E_ARGUMENT:
 *          512 MiB of text or more; TRIT_E_MEMORY. */
TRIT_API trit_status trit_tokenizer_encode(const trit_tokenizer *tokenizer, const char *text,
                                           size_t len, unsigned flags, int32_t **out, int32_t *n,
                                           struct trit_error *err);

/** The bytes of one token, valid as long as the tokenizer. Empty for an id out of range, and for
 *  control and unknown tokens; with special, those give their names. */
TRIT_API struct trit_string trit_tokenizer_piece(const trit_tokenizer *tokenizer, int32_t id,
                                                 bool special);

/** Number of tokens. */
TRIT_API int32_t trit_tokenizer_n_vocab(const trit_tokenizer *tokenizer);

/** The token that TRIT_ENCODE_BOS puts first, or -1. The file decides, or if it does not say, the
 *  kind of its vocabulary (yes for SentencePiece and the llama-bpe pre-tokenizer). */
TRIT_API int32_t trit_tokenizer_bos(const trit_tokenizer *tokenizer);

/** Whether generation ends with this token: an end of text, turn or message, by the file's metadata
 *  or by one of the usual names. */
TRIT_API bool trit_tokenizer_is_end(const trit_tokenizer *tokenizer, int32_t id);

/* ---- Chat ----------------------------------------------------------------------------------- */

typedef enum trit_role { TRIT_ROLE_SYSTEM, TRIT_ROLE_USER, TRIT_ROLE_ASSISTANT } trit_role;

/** One turn of a conversation. The text need be neither terminated nor UTF-8. */
struct trit_message {
    trit_role role;
    struct trit_string text;
};

/** The names of the built-in chat templates, for files without one: bitnet, llama3, falcon3,
 *  chatml, human, plain. */
TRIT_API const char *trit_chat_template_at(int i);

/** A template, and why it was chosen. Pointers are to constants, into the file, or to the caller's
 *  name. The members from enable_thinking to now are input of the template, to be changed by the
 *  caller. */
struct trit_chat {
    const char *name; /**< of a built-in one, or "own": the file's, "given": the caller's */
    struct trit_string source; /**< in the language Jinja */
    char why[224];             /**< the reason, for people; no full stop */
    bool base;                 /**< the file looks like a base model, which only completes text */
    bool missing_markers; /**< the vocabulary lacks a marker of the template; it becomes text */
    bool knows_thinking;  /**< the template looks at enable_thinking */
    /** [n_stop] texts that end an answer, like end tokens, for trit_generate_options. */
    const char *const *stop;
    int32_t n_stop;
    struct trit_string bos, eos; /**< what the template sees as bos_token and eos_token */

    int enable_thinking; /**< 0, 1, or -1 (the default): what the template does by itself */
    bool has_now;        /**< the template may ask for the date; false: it takes a fixed one */
    int64_t now;         /**< local time in seconds since 1970 */
};

/** Choose the template that a model was trained on, by the first of these that applies:
 *
 *  1. name, unless it is NULL: one of trit_chat_template_at(); "own" or the NAME of a further
 *     template in the file (tokenizer.chat_template.NAME); or the text of a template.
 *  2. Architecture bitnet-b1.58 or bitnet-25 with the Llama-3 vocabulary, which is 2B-4T, if it has
 *     no template or the one of its published GGUFs, on which it was not trained: bitnet.
 *  3. The file's own, tokenizer.chat_template.
 *  4. A vocabulary with the markers of llama3, falcon3 or chatml (or Falcon's pre-tokenizers), if
 *     the end token ends a turn of that template or the model's name contains "instruct" or "chat".
 *     Base models have these vocabularies too.
 *  5. plain: a base model, unless its name says otherwise.
 *
 *  A template is a program, which is run: it computes a text from the messages and sees nothing
 *  else. Its steps and memory are bounded.
 *
 *  @param file       only its metadata is used; it must outlive *out.
 *  @param tokenizer  of that file.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: unknown name; the text lists all. TRIT_E_FILE: the template
 *          cannot be understood; the text says where. */
TRIT_API trit_status trit_chat_choose(struct trit_chat *out, const trit_file *file,
                                      const trit_tokenizer *tokenizer, const char *name,
                                      struct trit_error *err);

/** The text of a conversation as the model sees it, up to the start of its answer, with a BOS only
 *  if the template writes one. Nothing is added that is not in the template.
 *
 *  @param messages  [n] in order, system first if there is one; n may be 0.
 *  @param out       receives *len bytes, never NULL on success; release with trit_free().
 *  @return TRIT_OK; TRIT_E_ARGUMENT: a role out of range, or 512 MiB of text or more;
 *          TRIT_E_FILE: the template failed or refused the messages; TRIT_E_MEMORY. */
TRIT_API trit_status trit_chat_render(const struct trit_chat *chat,
                                      const struct trit_message *messages, int32_t n, char **out,
                                      size_t *len, struct trit_error *err);

/** The same as ids, with the BOS first if the model expects one. Markers of the template become
 *  their tokens. What a message contains never does: control tokens, end tokens, <…> and the words
 *  of the template stay text, whatever type the file gives them; other user-defined tokens,
 *  which stand for text, are parsed as usual.
 *
 *  The text between two markers is encoded as one piece: the user's text together with the text
 *  that the template puts around it. An assistant's text is encoded alone, as it was generated. So
 *  the ids of a longer conversation begin with those of a shorter one, and a session synced to them
 *  evaluates only what is new. This holds if the answer's tokens are those that its text encodes
 *  to, and the template trims nothing off it.
 *
 *  @param out     receives an array of *n_ids ids, never NULL on success; release with trit_free().
 *  @param n_keep  NULL, or receives how many of them are the BOS and the system messages at the
 *                 start, which a shift of the context should keep. If no marker follows them
 *                 (human, plain), a token that extends into the next message is not counted.
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

/** The stages run in this order; each is off at zero. */
struct trit_sampler_options {
    size_t size;                        /**< sizeof the struct, or 0: see above */
    float repeat_penalty;               /**< 0.001..1000; 0 and 1: off */
    float presence_penalty;             /**< -1000..1000 */
    float frequency_penalty;            /**< -1000..1000 */
    int32_t repeat_last_n;              /**< how far back penalties look; -1: all tokens; 0: 64 */
    const struct trit_logit_bias *bias; /**< [n_bias], copied */
    int32_t n_bias;
    int32_t top_k; /**< keep the k most likely */
    float top_p;   /**< keep the likeliest that together reach this; 0 and 1: off */
    float min_p;   /**< keep those at least this times as likely as the best */
    float temp;    /**< divides logits; 0: take the most likely */
    uint64_t seed; /**< the same seed gives the same choices on every machine */
};

/** Options to sample with when the user has no wishes: temp 0.8 and min_p 0.05, or what the file's
 *  keys general.sampling.temp, top_k, top_p, min_p, penalty_repeat and penalty_last_n say. Values
 *  of another type or out of range are ignored.
 *
 *  @param opt   receives all fields.
 *  @param size  sizeof *opt.
 *  @param file  may be NULL. */
TRIT_API void trit_sampler_suggest(struct trit_sampler_options *opt, size_t size,
                                   const trit_file *file);

/** @param n_vocab  the number of logits; at least 1. Tokens of the history must be below it.
 *  @return TRIT_OK, TRIT_E_ARGUMENT: a value out of range, TRIT_E_MEMORY. */
TRIT_API trit_status trit_sampler_open(trit_sampler **out, int32_t n_vocab,
                                       const struct trit_sampler_options *opt,
                                       struct trit_error *err);
TRIT_API void trit_sampler_close(trit_sampler **sampler);

/** Choose a token. logits: [n_vocab], finite; history: [n] tokens so far, prompt included. */
TRIT_API int32_t trit_sampler_next(trit_sampler *sampler, const float *logits,
                                   const int32_t *history, int32_t n);

/** The index of the largest value, the lowest of equal ones. n >= 1. */
TRIT_API int32_t trit_argmax(const float *logits, int32_t n);

/** The natural logarithm of the probability of id under softmax(logits[0..n)). */
TRIT_API double trit_logprob(const float *logits, int32_t n, int32_t id);

/* ---- Generate ------------------------------------------------------------------------------- */

typedef enum trit_finish {
    TRIT_FINISH_EOS,       /**< an end token */
    TRIT_FINISH_LENGTH,    /**< max_tokens */
    TRIT_FINISH_STOP,      /**< a stop text */
    TRIT_FINISH_CONTEXT,   /**< the context is full */
    TRIT_FINISH_INTERRUPT, /**< a callback stopped it */
} trit_finish;

/** What to do when the context is full. */
typedef enum trit_on_full {
    TRIT_ON_FULL_STOP,  /**< end with TRIT_FINISH_CONTEXT */
    TRIT_ON_FULL_SHIFT, /**< trit_session_shift() and continue; end if it cannot drop any */
} trit_on_full;

enum { TRIT_MAX_STOP = 1024 }; /**< bytes of a stop text */

struct trit_generate_options {
    size_t size;             /**< sizeof the struct, or 0: see above */
    int32_t max_tokens;      /**< 0: only the prompt is evaluated; negative: until an end token or a
                                  full context (see on_full) */
    bool ignore_eos;         /**< end tokens do not end it; their text is empty */
    const char *const *stop; /**< [n_stop] texts that end it and are not passed on */
    int32_t n_stop;
    trit_sampler *sampler; /**< NULL: the most likely token. After a shift, penalties see only the
                                remaining timeline */
    trit_on_full on_full;  /**< default TRIT_ON_FULL_STOP */
    int32_t n_keep;        /**< first tokens that a shift never drops: a BOS, a system turn */
    /** Called after each shift with the number of dropped tokens. May be NULL. */
    void (*on_shift)(void *user, int32_t n_left_out);
    /** Called for each chosen token with its bytes and the logits it was chosen from. May be NULL.
     *  @return false to stop */
    bool (*on_token)(void *user, int32_t id, struct trit_string piece, const float *logits);
    /** Receives the text in whole UTF-8 characters; invalid bytes become U+FFFD. Text that could
     *  begin a stop text is held back. May be NULL. @return false to stop */
    bool (*on_text)(void *user, const char *text, size_t len);
    void *user;
};

struct trit_generate_result {
    trit_finish finish;
    int32_t n_prompt, n_new;
    int32_t n_left_out;    /**< tokens dropped by all shifts */
    int32_t pending;       /**< the last token, if it was chosen but not evaluated; -1: none */
    double mean_layers;    /**< layers passed per new token, on average */
    double prompt_ms;      /**< evaluating the prompt */
    double first_token_ms; /**< from the start until the first token is known */
    double generate_ms;    /**< from then on */
};

/** Evaluate a prompt (reusing the session's common prefix) and continue it. The timeline then holds
 *  the prompt and the generated tokens, except for an end token, tokens dropped by shifts, and the
 *  last token if it was not evaluated (see pending). Nothing is allocated.
 *
 *  @param tokens  [n], n >= 1, n <= the session's context.
 *  @return as trit_session_eval(), except that a cancelled evaluation is TRIT_OK with
 *          TRIT_FINISH_INTERRUPT (if a shift was cancelled, with the timeline it leaves);
 *          TRIT_E_ARGUMENT also for a stop text that is too long or not UTF-8. */
TRIT_API trit_status trit_generate(trit_session *session, const trit_tokenizer *tokenizer,
                                   const int32_t *tokens, int32_t n,
                                   const struct trit_generate_options *opt,
                                   struct trit_generate_result *out, struct trit_error *err);

/** The same, one token at a time, for a caller with a loop of its own:
 *
 *    trit_generator_open(&g, session, tokenizer, tokens, n, &opt, &err);
 *    while (!(status = trit_generator_next(g, &more, &err)) && more)
 *        ...
 *
 *  Until it is closed, nothing else may change the session's timeline. */
typedef struct trit_generator trit_generator;

/** Find what the session's timeline shares with the prompt; nothing is evaluated yet.
 *
 *  @param tokens  [n], borrowed until they are evaluated; n >= 1, n <= the session's context.
 *  @param opt     copied; what it points to is borrowed.
 *  @return TRIT_OK; TRIT_E_ARGUMENT: a token or n out of range, or a stop text that is too long or
 *          not UTF-8; TRIT_E_MEMORY. */
TRIT_API trit_status trit_generator_open(trit_generator **out, trit_session *session,
                                         const trit_tokenizer *tokenizer, const int32_t *tokens,
                                         int32_t n, const struct trit_generate_options *opt,
                                         struct trit_error *err);
TRIT_API void trit_generator_close(trit_generator **generator);

/** Evaluate what is pending, choose a token, and pass it and its text on. Nothing is allocated.
 *
 *  @param more  false once the generation is over; the last call may choose no token.
 *  @return as trit_generate() */
TRIT_API trit_status trit_generator_next(trit_generator *generator, bool *more,
                                         struct trit_error *err);

/** What trit_generator_next() would evaluate, for a caller that evaluates many sessions together
 *  with trit_engine_eval(); if a step failed, next() will report it.
 *
 *  @param max_tokens  >= 1: of a prompt at a time. next() evaluates the rest of it.
 *  @param step        receives the step. Its tokens are valid until the next call.
 *  @return false: nothing is pending, or next() must make room first, or the generation is over */
TRIT_API bool trit_generator_step(trit_generator *generator, int32_t max_tokens,
                                  struct trit_step *step);

/** The result so far; complete once the generation is over. */
TRIT_API const struct trit_generate_result *trit_generator_result(const trit_generator *generator);

#ifdef __cplusplus
}
#endif

#endif
