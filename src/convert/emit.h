/* emit.h - from weights, whatever they came from, to the data of tensors of the types asked for.
 *
 * What `convert` and `quantize` have in common. A ternary matrix passes through T2 (kernels.h), a
 * float one row by row through f32; both are packed by the functions of the type table, rows shared
 * among the threads of the pool, and given to the writer in order, in stretches. */
#ifndef TRIT_CONVERT_EMIT_H
#define TRIT_CONVERT_EMIT_H

#include "gguf_write.h"
#include "pool.h"
#include "type.h"

struct trit_emitter {
    struct gguf_writer *w;
    struct trit_pool *pool;
    uint8_t *stretch; /* what is given to the writer at a time */
    size_t stretch_bytes;
};

/* The pool of a conversion. n_threads: 0 is the default.
 * @return as trit_pool_open(); TRIT_E_ARGUMENT: out of range */
trit_status trit_convert_pool(struct trit_pool **out, int32_t n_threads, struct trit_error *err);

/* Memory for stretches. @return TRIT_OK or TRIT_E_MEMORY; release with trit_emitter_free() */
trit_status trit_emitter_init(struct trit_emitter *e, struct gguf_writer *w, struct trit_pool *pool,
                              struct trit_error *err);
void trit_emitter_free(struct trit_emitter *e);

/* Whether a tensor of these sizes can be of that type; the text of an error is the rest of a
 * sentence whose subject is the tensor. @return TRIT_OK or TRIT_E_UNSUPPORTED */
trit_status trit_emit_check(const struct trit_type *type, size_t n_rows, size_t n_cols,
                            struct trit_error *why);

/* The data of one ternary tensor, padding included. t2: n_rows rows of T2.
 * @return TRIT_OK; TRIT_E_UNSUPPORTED: the type cannot keep such a scale (the text is the rest of a
 *         sentence whose subject is the tensor); TRIT_E_CANCELLED: the sink wants no more;
 *         TRIT_E_MEMORY */
trit_status trit_emit_t2(struct trit_emitter *e, const struct trit_type *type, const uint8_t *t2,
                         float scale, size_t n_rows, size_t n_cols, struct trit_error *why);

/* The data of one float tensor, padding included, from n_rows rows of a decodable format.
 * @return TRIT_OK; TRIT_E_FILE: a weight is not finite, as it is or in the new type (the text is
 *         the rest of a sentence whose subject is the tensor); TRIT_E_CANCELLED */
trit_status trit_emit_rows(struct trit_emitter *e, const struct trit_type *type,
                           enum trit_format from, const uint8_t *rows, size_t n_rows, size_t n_cols,
                           struct trit_error *why);

#endif
