/* quantize.c - write a GGUF again with matrices of other types.
 *
 * The name of a tensor determines its role. Ternary linears pass through T2. A full-precision
 * master is made ternary only if the model was trained for that; others would be destroyed.
 * Everything else is copied, except that embedding and head can get another type. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "absmean.h"
#include "emit.h"
#include "model.h"
#include "notes.h"
#include "read_options.h"

enum role { COPIED, LINEAR, MATRIX };

struct planned {
    const struct gguf_tensor *from;
    const struct trit_type *type; /* in the new file */
    enum role role;
    bool master; /* to be made ternary: a LINEAR of other floats, or a MATRIX */
};

struct quantizer {
    const trit_file *file;
    const struct trit_convert_options *opt;
    struct trit_error *err;
    const struct trit_type *type, *embd; /* embd NULL: unchanged */
    bool ternary_embd, trained;          /* trained: to be ternary */
    struct planned *plan;                /* [n_tensors] */
    size_t n_masters;
    struct trit_notes notes;
    struct gguf_writer w;
    struct trit_pool *pool;
    struct trit_emitter emitter;
    uint8_t *t2;
};

#define FAIL(q, t, code, ...)                                                                      \
    trit_fail_tensor((q)->err, code, (q)->file->path, (t)->name, __VA_ARGS__)

/* ---- Planning --------------------------------------------------------------------- */

/* blk.N.<slot>.weight, the slot a linear. */
static bool is_linear(struct trit_string name)
{
    const struct trit_slot *s;
    char copy[64];
    size_t n;

    if (name.len >= sizeof copy || name.len < 5 || memcmp(name.bytes, "blk.", 4) != 0)
        return false;
    memcpy(copy, name.bytes, name.len);
    copy[name.len] = '\0';
    n = 4 + strspn(copy + 4, "0123456789");
    for (size_t i = 0; n > 4 && copy[n] == '.' && (s = trit_slot_at(i)); i++) {
        const size_t len = strlen(s->name);
        if (s->kind == TRIT_LINEAR && strncmp(copy + n + 1, s->name, len) == 0 &&
            strcmp(copy + n + 1 + len, ".weight") == 0)
            return true;
    }
    return false;
}

static enum role role_of(const trit_file *file, struct trit_string name)
{
    if (trit_string_is(name, "token_embd.weight") || trit_string_is(name, "output.weight") ||
        trit_string_is(name, "position_embd.weight"))
        return MATRIX;
    return is_linear(name) && !trit_is_float_linear(file, name) ? LINEAR : COPIED;
}

static bool is_ternary(struct quantizer *q, const struct gguf_tensor *t)
{
    const struct trit_packed m = trit_gguf_packed(q->file, t);
    const bool ternary = trit_floats_are_ternary(q->t2, &m);

    trit_bytes_release(&q->file->bytes, m.data, (size_t)t->n_bytes);
    return ternary;
}

static trit_status plan_linear(struct quantizer *q, struct planned *p)
{
    const struct gguf_tensor *t = p->from;

    p->type = q->type;
    if (!t->type->unpack_t2)
        return FAIL(q, t, TRIT_E_UNSUPPORTED,
                    "has type %s, which cannot be made ternary; it must be one of %s",
                    t->type->name, trit_types_for(TRIT_READ_LINEARS).text);
    if (t->type->format < 0 || is_ternary(q, t))
        return TRIT_OK;
    p->master = true;
    q->n_masters++;
    if (q->trained || q->opt->force)
        return TRIT_OK;
    return FAIL(q, t, TRIT_E_UNSUPPORTED,
                "is not ternary, and nothing says that this model was trained to be (other models "
                "use its architecture too): quantizing would destroy it, so it must be forced");
}

static trit_status plan_matrix(struct quantizer *q, struct planned *p)
{
    const struct gguf_tensor *t = p->from;

    if (!q->embd)
        return TRIT_OK;
    if (t->type->format < 0)
        return FAIL(q, t, TRIT_E_UNSUPPORTED, "is not a float tensor");
    p->type = q->embd;
    p->master = q->ternary_embd;
    return TRIT_OK;
}

static trit_status plan_tensor(struct quantizer *q, struct planned *p)
{
    const struct gguf_tensor *t = p->from;
    struct trit_error why;
    trit_status status = TRIT_OK;

    if (!t->type || !t->type->block)
        return FAIL(q, t, TRIT_E_UNSUPPORTED, "has a type of unknown size");
    if (t->type->id_is_shared && !t->fits_span)
        return FAIL(q, t, TRIT_E_UNSUPPORTED, "has a size that does not match its type");
    if (t->dims[2] != 1 || t->dims[3] != 1)
        return FAIL(q, t, TRIT_E_UNSUPPORTED, "has more than two dimensions");
    p->role = role_of(q->file, t->name);
    p->type = t->type;
    if (p->role == LINEAR)
        status = plan_linear(q, p);
    else if (p->role == MATRIX)
        status = plan_matrix(q, p);
    if (!status && p->type->id == TRIT_TYPE_I2_S &&
        t->type == p->type) /* put in the published order */
        p->role = LINEAR;
    if (status || p->role == COPIED)
        return status;
    status = trit_emit_check(p->type, (size_t)t->dims[1], (size_t)t->dims[0], &why);
    return status ? FAIL(q, t, status, "%s", why.text) : TRIT_OK;
}

/* Take memory for the plan, and for the largest matrix as T2. */
static trit_status take_buffer(struct quantizer *q)
{
    size_t most = 1;

    for (size_t i = 0; i < q->file->n_tensors; i++) {
        const struct gguf_tensor *t = &q->file->tensors[i];
        const enum role role = role_of(q->file, t->name);
        const size_t bytes = (size_t)t->dims[1] * trit_t2_row_bytes((size_t)t->dims[0]);
        const bool ternary =
            role == LINEAR || t->type_id == TRIT_TYPE_I2_S || (role == MATRIX && q->ternary_embd);
        if (ternary && t->n_bytes)
            most = bytes > most ? bytes : most;
    }
    q->t2 = trit_alloc_aligned(most);
    q->plan = calloc(q->file->n_tensors + 1, sizeof *q->plan);
    return q->t2 && q->plan ? TRIT_OK : trit_fail_memory(q->err, most, "a linear");
}

/* ---- Types ----------------------------------------------------------------------------------- */

static trit_status read_types(struct quantizer *q)
{
    const struct trit_convert_options *o = q->opt;
    trit_status status = trit_type_named(&q->type, o->type, true, q->err);

    if (status || !o->embd || !trit_type_named(&q->embd, o->embd, false, NULL))
        return status;
    if (trit_type_named(&q->embd, o->embd, true, NULL))
        return trit_type_named(&q->embd, o->embd, false, q->err);
    if (!o->force)
        return trit_fail(q->err, TRIT_E_UNSUPPORTED,
                         "an embedding or head of type %s destroys a model that was not trained "
                         "for it, so it must be forced",
                         q->embd->name);
    q->ternary_embd = true;
    return TRIT_OK;
}

static void note_all(struct quantizer *q)
{
    trit_note(&q->notes, "linears now have type %s; ternary values are unchanged, %s",
              q->type->name,
              q->type->scale ? "their scales are rounded to what the type can hold"
                             : "and so are their scales");
    if (q->n_masters)
        trit_note(&q->notes,
                  "%zu linears were full-precision weights and are quantized: the scale of a "
                  "tensor is the mean of its |w|%s",
                  q->n_masters, q->trained ? "" : " (forced: this destroys most models)");
    if (q->embd)
        trit_note(&q->notes, "embedding and head now have type %s%s", q->embd->name,
                  q->ternary_embd
                      ? " (forced: this destroys models, and trit does not run such a file)"
                      : "");
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void write_metadata(struct quantizer *q)
{
    const struct gguf_kv *old = trit_gguf_find(q->file, "trit.notes");
    const bool strings =
        old && old->type == TRIT_VALUE_ARRAY && old->item_type == TRIT_VALUE_STRING;
    const uint64_t n_old = strings ? old->n_items : 0;

    for (size_t i = 0; i < q->file->n_kv; i++) {
        const struct trit_string key = q->file->kv[i].key;
        if (!trit_string_is(key, "general.file_type") && !trit_string_is(key, "trit.notes") &&
            !trit_string_is(key, "general.alignment")) /* the writer uses the usual one */
            trit_gguf_write_entry(&q->w, &q->file->kv[i]);
    }
    trit_gguf_write_u32(&q->w, "general.file_type", q->type->file_type);
    trit_gguf_write_array(&q->w, "trit.notes", TRIT_VALUE_STRING, n_old + q->notes.n);
    const uint8_t *p = strings ? old->items : NULL;
    for (uint64_t i = 0; i < n_old; i++) {
        const struct trit_string s = trit_gguf_next_value(TRIT_VALUE_STRING, &p).s;
        trit_gguf_write_item_string(&q->w, s.bytes, s.len);
    }
    trit_notes_write(&q->notes, &q->w, q->opt);
}

static trit_status list_tensors(struct quantizer *q)
{
    for (size_t i = 0; i < q->file->n_tensors; i++) {
        const struct planned *p = &q->plan[i];
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)p->from->name.len, p->from->name.bytes);
        if (strlen(name) != p->from->name.len ||
            !trit_gguf_write_tensor(&q->w, name, p->type, p->from->dims[0], p->from->dims[1]))
            return FAIL(q, p->from, TRIT_E_UNSUPPORTED,
                        "has a name that is too long, or an invalid size");
    }
    return TRIT_OK;
}

static void tell(const struct quantizer *q, const struct planned *p)
{
    const struct gguf_tensor *t = p->from;
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)t->name.len, t->name.bytes);
    trit_emit_tell(q->opt, name, name, t->type->name, p->type, (size_t)t->dims[0],
                   (size_t)t->dims[1]);
}

static bool all_zero(const uint8_t *t2, size_t n_bytes)
{
    size_t i = 0;

    while (i < n_bytes && t2[i] == 0x55) /* four times code 1 */
        i++;
    return i == n_bytes;
}

static trit_status write_ternary(struct quantizer *q, const struct planned *p)
{
    const struct gguf_tensor *t = p->from;
    const struct trit_packed m = trit_gguf_packed(q->file, t);
    const size_t n_bytes = m.n_rows * trit_t2_row_bytes(m.n_cols);
    struct trit_error why = {0};
    float scale;

    trit_status status = p->master
                             ? trit_absmean_t2(q->t2, &scale, &m, &trit_absmean_b158, q->pool, &why)
                             : t->type->unpack_t2(q->t2, &scale, &m, &why);
    if (!status && trit_t2_is_damaged(q->t2, n_bytes))
        status = trit_fail(&why, TRIT_E_FILE, "holds a code 3; codes of weights are 0, 1 and 2");
    if (!status && scale == 0.0f && all_zero(q->t2, n_bytes))
        scale = TRIT_ABSMEAN_LEAST; /* it multiplies zeros only */
    if (!status && !(scale > 0.0f && scale - scale == 0.0f))
        status =
            trit_fail(&why, TRIT_E_FILE, "has the scale %g; it must be positive", (double)scale);
    if (status)
        return FAIL(q, t, status, "%s", why.text);
    status = trit_emit_t2(&q->emitter, p->type, q->t2, scale, m.n_rows, m.n_cols, &why);
    return status == TRIT_E_UNSUPPORTED ? FAIL(q, t, status, "%s", why.text)
           : status                     ? trit_fail(q->err, status, "%s", why.text)
                                        : TRIT_OK;
}

static trit_status copy_tensor(struct quantizer *q, const struct gguf_tensor *t)
{
    return trit_gguf_write_data(&q->w, trit_gguf_data(q->file, t), (size_t)t->n_bytes) &&
                   trit_gguf_write_pad(&q->w)
               ? TRIT_OK
               : trit_fail(q->err, TRIT_E_CANCELLED, "stopped");
}

static trit_status write_tensor(struct quantizer *q, const struct planned *p)
{
    const struct gguf_tensor *t = p->from;
    struct trit_error why = {0};

    if (p->role == LINEAR || p->master)
        return write_ternary(q, p);
    if (p->type == t->type)
        return copy_tensor(q, t);
    const trit_status status =
        trit_emit_rows(&q->emitter, p->type, (enum trit_format)t->type->format,
                       trit_gguf_data(q->file, t), (size_t)t->dims[1], (size_t)t->dims[0], &why);
    return status == TRIT_E_FILE ? FAIL(q, t, status, "%s", why.text)
           : status              ? trit_fail(q->err, status, "%s", why.text)
                                 : TRIT_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static trit_status quantize(struct quantizer *q, uint64_t *n_bytes)
{
    const struct trit_arch *arch;
    struct trit_knobs knobs;
    trit_status status;

    q->trained = !trit_arch_read(&arch, &knobs, q->file, NULL) && !arch->not_always_ternary;
    if ((status = read_types(q)) || (status = take_buffer(q)) ||
        (status = trit_convert_pool(&q->pool, q->opt->n_threads, q->err)) ||
        (status = trit_emitter_init(&q->emitter, &q->w, q->pool, q->err)))
        return status;
    for (size_t i = 0; i < q->file->n_tensors && !status; i++) {
        q->plan[i].from = &q->file->tensors[i];
        status = plan_tensor(q, &q->plan[i]);
    }
    if (status)
        return status;
    note_all(q);
    if (q->notes.no_memory)
        return trit_fail_memory(q->err, 512, "a note");
    write_metadata(q);
    if ((status = list_tensors(q)))
        return status;
    if (n_bytes)
        *n_bytes = trit_gguf_writer_bytes(&q->w);
    if (q->w.write && (status = trit_gguf_write_begin(&q->w, q->err)))
        return status;
    for (size_t i = 0; i < q->file->n_tensors && !status; i++) {
        const struct gguf_tensor *t = q->plan[i].from;
        tell(q, &q->plan[i]);
        if (!q->w.write)
            continue;
        status = write_tensor(q, &q->plan[i]);
        trit_bytes_release(&q->file->bytes, trit_gguf_data(q->file, t), (size_t)t->n_bytes);
    }
    return status || !q->w.write ? status : trit_gguf_write_end(&q->w, q->err);
}

trit_status trit_quantize(const trit_file *file, const struct trit_convert_options *opt,
                          trit_write_fn write, void *user, uint64_t *n_bytes,
                          struct trit_error *err)
{
    struct trit_convert_options own;
    struct quantizer q = {
        .file = file, .opt = &own, .err = err, .w = {.write = write, .user = user}};
    trit_status status = trit_read_options(&own, sizeof own, opt, err);

    if (!status)
        status = quantize(&q, n_bytes);

    trit_emitter_free(&q.emitter);
    trit_pool_close(&q.pool);
    trit_gguf_writer_free(&q.w);
    trit_notes_free(&q.notes);
    trit_free_aligned(q.t2);
    free(q.plan);
    return status;
}
