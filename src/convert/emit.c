/* emit.c - see emit.h. */
#include "emit.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "platform.h"

enum { STRETCH_BYTES = 1 << 20 };

trit_status trit_convert_pool(struct trit_pool **out, int32_t n_threads, struct trit_error *err)
{
    if (n_threads < 0 || n_threads > TRIT_MAX_THREADS)
        return trit_fail(err, TRIT_E_ARGUMENT, "n_threads %s",
                         trit_out_of_range(n_threads, 1, TRIT_MAX_THREADS).text);
    return trit_pool_open(out, n_threads ? n_threads : trit_threads_default(), err);
}

trit_status trit_emitter_init(struct trit_emitter *e, struct gguf_writer *w, struct trit_pool *pool,
                              struct trit_error *err)
{
    *e = (struct trit_emitter){.w = w, .pool = pool, .stretch_bytes = STRETCH_BYTES};
    e->stretch = trit_alloc_aligned(STRETCH_BYTES);
    return e->stretch ? TRIT_OK : trit_fail_memory(err, STRETCH_BYTES, "what is being written");
}

void trit_emitter_free(struct trit_emitter *e)
{
    trit_free_aligned(e->stretch);
    e->stretch = NULL;
}

trit_status trit_emit_check(const struct trit_type *type, size_t n_rows, size_t n_cols,
                            struct trit_error *why)
{
    if (n_cols % type->block)
        return trit_fail(why, TRIT_E_UNSUPPORTED,
                         "has rows of %zu weights; type %s needs a multiple of %u", n_cols,
                         type->name, type->block);
    if (type->tensor_block && n_rows * n_cols % type->tensor_block)
        return trit_fail(why, TRIT_E_UNSUPPORTED,
                         "holds %zu weights; type %s needs a multiple of %u", n_rows * n_cols,
                         type->name, type->tensor_block);
    return TRIT_OK;
}

void trit_emit_tell(const struct trit_convert_options *opt, const char *name, const char *source,
                    const char *from_type, const struct trit_type *type, size_t n_cols,
                    size_t n_rows)
{
    struct trit_converted_tensor t = {
        .name = name,
        .source = source,
        .from_type = from_type,
        .type = type->name,
        .n_dims = n_rows == 1 ? 1 : 2,
        .dims = {n_cols, n_rows, 1, 1},
    };
    (void)trit_type_bytes(type, n_cols, n_rows, &t.n_bytes);
    if (opt->on_tensor)
        opt->on_tensor(opt->user, &t);
}

/* ---- Rows in parallel ------------------------------------------------------------------------ */

/* Part of a tensor: n_rows rows are packed into the stretch, row_block rows per item of work. */
struct emit_job {
    const struct trit_type *type;
    uint8_t *out;
    size_t n_rows, n_cols, row_block;
    const uint8_t *rows; /* T2, or floats of the format */
    float scale;
    bool floats;
    enum trit_format from;
    struct trit_kernels kernels;
    _Atomic bool bad; /* a weight is not finite */
};

static size_t out_bytes(const struct emit_job *job, size_t n_rows)
{
    return n_rows * job->n_cols / job->type->block * job->type->block_bytes;
}

enum { MOST = 2048 }; /* floats at a time: whole blocks of all types */

/* Encode n floats. @return whether all are finite, before and after */
static bool encode_stretch(const struct emit_job *job, uint8_t *out, const float *x, size_t n)
{
    float back[MOST];
    float sum = 0.0f;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * 0.0f; /* NaN if any is not finite */
    if (sum != 0.0f)
        return false;
    job->type->encode(out, x, n);
    job->kernels.decode[job->type->format](back, out, n);
    for (size_t i = 0; i < n; i++)
        sum += back[i] * 0.0f;
    return sum == 0.0f;
}

static void emit_floats(struct emit_job *job, size_t row, size_t end)
{
    const size_t from_bytes = trit_format_bytes(job->from, job->n_cols);
    float x[MOST];

    for (; row < end; row++)
        for (size_t k = 0; k < job->n_cols; k += MOST) {
            const size_t n = job->n_cols - k < MOST ? job->n_cols - k : MOST;
            uint8_t *out =
                job->out + out_bytes(job, row) + k / job->type->block * job->type->block_bytes;
            job->kernels.decode[job->from](
                x, job->rows + row * from_bytes + trit_format_bytes(job->from, k), n);
            if (!encode_stretch(job, out, x, n))
                atomic_store(&job->bad, true);
        }
}

static void emit_items(void *ctx, size_t begin, size_t end, int worker)
{
    struct emit_job *job = ctx;
    const size_t row = begin * job->row_block;
    const size_t last = end * job->row_block < job->n_rows ? end * job->row_block : job->n_rows;
    (void)worker;

    if (job->floats)
        emit_floats(job, row, last);
    else
        job->type->pack_t2(job->out + out_bytes(job, row),
                           job->rows + row * trit_t2_row_bytes(job->n_cols), job->scale, last - row,
                           job->n_cols);
}

/* Pack and write all rows, in stretches of whole row blocks. row_bytes: of a row in job->rows. */
static trit_status emit(struct trit_emitter *e, struct emit_job *job, size_t row_bytes,
                        struct trit_error *why)
{
    const size_t n_rows = job->n_rows, block_bytes = out_bytes(job, job->row_block);
    const size_t blocks = e->stretch_bytes / block_bytes ? e->stretch_bytes / block_bytes : 1;

    if (block_bytes > e->stretch_bytes) {
        trit_free_aligned(e->stretch);
        e->stretch = trit_alloc_aligned(block_bytes);
        e->stretch_bytes = e->stretch ? block_bytes : 0;
        if (!e->stretch)
            return trit_fail_memory(why, block_bytes, "what is being written");
    }
    job->out = e->stretch;
    for (size_t row = 0; row < n_rows; row += job->n_rows) {
        const size_t most = blocks * job->row_block;
        job->n_rows = n_rows - row < most ? n_rows - row : most;
        trit_pool_run(e->pool, emit_items, job, (job->n_rows - 1) / job->row_block + 1, 1);
        if (atomic_load(&job->bad))
            return trit_fail(why, TRIT_E_FILE,
                             "holds a weight that is not finite, or beyond the range of type %s",
                             job->type->name);
        if (!trit_gguf_write_data(e->w, e->stretch, out_bytes(job, job->n_rows)))
            return trit_fail(why, TRIT_E_CANCELLED, "stopped");
        job->rows += job->n_rows * row_bytes;
    }
    return TRIT_OK;
}

static trit_status finish(struct trit_emitter *e, const struct trit_type *type, float scale,
                          struct trit_error *err)
{
    return trit_gguf_write_tail(e->w, type, scale) ? TRIT_OK
                                                   : trit_fail(err, TRIT_E_CANCELLED, "stopped");
}

/* ---- Tensors --------------------------------------------------------------------------------- */

/* A positive scale must stay positive. */
static trit_status check_scale(const struct trit_type *type, float scale, struct trit_error *why)
{
    const float kept = type->scale ? type->scale(scale) : scale;

    if (kept > 0.0f && isfinite(kept))
        return TRIT_OK;
    return trit_fail(why, TRIT_E_UNSUPPORTED, "has the scale %g, which type %s cannot hold",
                     (double)scale, type->name);
}

trit_status trit_emit_t2(struct trit_emitter *e, const struct trit_type *type, const uint8_t *t2,
                         float scale, size_t n_rows, size_t n_cols, struct trit_error *why)
{
    struct emit_job job = {.type = type,
                           .n_rows = n_rows,
                           .n_cols = n_cols,
                           .row_block = TRIT_T2_BLOCK, /* whole blocks of I2_S, at any width */
                           .rows = t2,
                           .scale = scale};
    trit_status status = check_scale(type, scale, why);

    if (status || (status = emit(e, &job, trit_t2_row_bytes(n_cols), why)))
        return status;
    return finish(e, type, scale, why);
}

trit_status trit_emit_rows(struct trit_emitter *e, const struct trit_type *type,
                           enum trit_format from, const uint8_t *rows, size_t n_rows, size_t n_cols,
                           struct trit_error *why)
{
    struct emit_job job = {.type = type,
                           .n_rows = n_rows,
                           .n_cols = n_cols,
                           .row_block = 1,
                           .rows = rows,
                           .floats = true,
                           .from = from};
    trit_kernels_init(&job.kernels, trit_isa_best());
    const trit_status status = emit(e, &job, trit_format_bytes(from, n_cols), why);
    return status ? status : finish(e, type, 0.0f, why);
}
