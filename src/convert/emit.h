/* emit.h - pack weights into the types asked for and write them.
 *
 * trit_convert() and trit_quantize() share this. A ternary matrix passes through T2 (kernels.h),
 * a float matrix through f32, row by row. The functions of the type table pack both. The threads of
 * the pool share the rows; the writer receives them in order, in stretches. */
#ifndef TRIT_CONVERT_EMIT_H
#define TRIT_CONVERT_EMIT_H

#include "gguf_write.h"
#include "pool.h"
#include "type.h"

struct trit_emitter {
    struct gguf_writer *w;
    struct trit_pool *pool;
    uint8_t *stretch; /* passed to the writer at once */
    size_t stretch_bytes;
};

/* Open the pool of a conversion. n_threads: 0 is the default.
 * @return as trit_pool_open(); TRIT_E_ARGUMENT: out of range */
trit_status trit_convert_pool(struct trit_pool **out, int32_t n_threads, struct trit_error *err);

/* Take memory for stretches. @return TRIT_OK or TRIT_E_MEMORY; release with trit_emitter_free() */
trit_status trit_emitter_init(struct trit_emitter *e, struct gguf_writer *w, struct trit_pool *pool,
                              struct trit_error *err);
void trit_emitter_free(struct trit_emitter *e);

/* Whether a tensor of this size can have that type. The text of an error is the rest of a sentence
 * whose subject is the tensor. @return TRIT_OK or TRIT_E_UNSUPPORTED */
trit_status trit_emit_check(const struct trit_type *type, size_t n_rows, size_t n_cols,
                            struct trit_error *why);

/* Call opt->on_tensor for a tensor that is about to be written. */
void trit_emit_tell(const struct trit_convert_options *opt, const char *name, const char *source,
                    const char *from_type, const struct trit_type *type, size_t n_cols,
                    size_t n_rows);

/* Write the data of one ternary tensor and its padding. t2: n_rows rows of T2.
 * @return TRIT_OK; TRIT_E_UNSUPPORTED: the type cannot keep this scale (the text is the rest of a
 *         sentence whose subject is the tensor); TRIT_E_CANCELLED: the sink returned false;
 *         TRIT_E_MEMORY */
trit_status trit_emit_t2(struct trit_emitter *e, const struct trit_type *type, const uint8_t *t2,
                         float scale, size_t n_rows, size_t n_cols, struct trit_error *why);

/* Write the data of one float tensor and its padding, from n_rows rows of a decodable format.
 * @return TRIT_OK; TRIT_E_FILE: a weight is not finite, before or after (the text is the rest of a
 *         sentence whose subject is the tensor); TRIT_E_CANCELLED */
trit_status trit_emit_rows(struct trit_emitter *e, const struct trit_type *type,
                           enum trit_format from, const uint8_t *rows, size_t n_rows, size_t n_cols,
                           struct trit_error *why);

#endif
