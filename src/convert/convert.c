/* convert.c - from a checkpoint folder to a GGUF.
 *
 * First read everything but the weights: the config, the list of tensors and the vocabulary, and
 * plan the tensors of the GGUF (plan.h). Then write the metadata, then the tensors, with only one
 * in memory at a time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "model.h"
#include "packed.h"
#include "plan.h"
#include "str.h"
#include "vocabulary.h"
#include "read_options.h"

struct converter {
    const char *dir;
    const struct trit_convert_options *opt;
    struct trit_error *err;

    const struct trit_type *type, *embd, *f32;
    struct trit_json *json; /* of config.json */
    struct trit_config config;
    struct trit_weights weights;
    struct trit_names names;
    struct trit_vocabulary vocabulary;
    struct trit_notes notes;
    struct trit_plan plan;

    struct gguf_writer w;
    struct trit_pool *pool;
    struct trit_emitter emitter;
    uint8_t *t2, *rearranged; /* one linear; rearranged: only if some need it */
    float head_scale;         /* of a ternary head */
    bool *exact;              /* [plan.n] whether a MASTER is ternary already */
};

#define FAIL(c, t, code, ...)                                                                      \
    trit_fail_tensor((c)->err, code, trit_weights_path(&(c)->weights, (t)->from), (t)->from->name, \
                     __VA_ARGS__)

/* ---- Reading --------------------------------------------------------------------------------- */

/* config.json and the list of tensors, by which some families are recognized. */
static trit_status read_config(struct converter *c)
{
    char path[4096];
    trit_status status;

    if (snprintf(path, sizeof path, "%s/config.json", c->dir) >= (int)sizeof path)
        return trit_fail(c->err, TRIT_E_ARGUMENT, "the name of the folder is too long");
    if ((status = trit_json_open(&c->json, path, c->err)) ||
        (status = trit_weights_open(&c->weights, c->dir, c->err)))
        return status;
    const struct trit_config_source from = {
        .path = path,
        .root = trit_json_root(c->json),
        .weights = &c->weights,
        .names = &c->names,
        .knobs = c->opt->knobs,
        .n_knobs = c->opt->n_knobs,
    };
    return trit_config_read(&c->config, &from, &c->notes, c->err);
}

static trit_status read_folder(struct converter *c)
{
    trit_status status;

    if (c->opt->map && (status = trit_names_read(&c->names, c->opt->map, c->err)))
        return status;
    if ((status = read_config(c)))
        return status;
    c->plan = (struct trit_plan){.config = &c->config, .weights = &c->weights, .names = &c->names};
    if ((status = trit_plan_make(&c->plan, &c->notes, c->err)))
        return status;
    return trit_vocabulary_read(&c->vocabulary, c->dir, trit_json_root(c->json), c->config.n_vocab,
                                &c->notes, c->err);
}

/* ---- Linears --------------------------------------------------------------------------------- */

static trit_status take_buffers(struct converter *c)
{
    size_t most = 0;
    bool rearranged = false;

    for (size_t i = 0; i < c->plan.n; i++) {
        const struct trit_planned *t = &c->plan.tensors[i];
        const bool ternary = t->kind == TRIT_PLANNED_PACKED || t->kind == TRIT_PLANNED_MASTER;
        const bool floats = t->kind == TRIT_PLANNED_BIAS || t->head_rows;
        const size_t bytes = ternary  ? t->n_rows * trit_t2_row_bytes(t->n_cols)
                             : floats ? t->n_rows * t->n_cols * sizeof(float)
                                      : 0;
        most = bytes > most ? bytes : most;
        rearranged |= t->head_rows != 0;
    }
    c->t2 = trit_alloc_aligned(most);
    c->rearranged = rearranged ? trit_alloc_aligned(most) : NULL;
    c->exact = calloc(c->plan.n, sizeof *c->exact);
    if (!c->t2 || !c->exact || (rearranged && !c->rearranged))
        return trit_fail_memory(c->err, 2 * most, "a linear");
    return TRIT_OK;
}

static struct trit_packed master(const struct trit_planned *t)
{
    return (struct trit_packed){
        .data = t->from->data, .n_rows = t->n_rows, .n_cols = t->n_cols, .format = t->format};
}

static bool is_exact(struct converter *c, const struct trit_planned *t)
{
    const struct trit_packed m = master(t);
    const bool exact = trit_floats_are_ternary(c->t2, &m);

    trit_weights_done(&c->weights, t->from->data, t->from->n_bytes);
    return exact;
}

/* Whether a linear of floats that is not ternary may be quantized. */
static trit_status check_master(const struct converter *c, const struct trit_planned *t)
{
    const struct trit_packed m = master(t);
    struct trit_error why;
    float scale;

    if (trit_floats_are_grouped(&m))
        return FAIL(c, t, TRIT_E_UNSUPPORTED,
                    "holds ternary values of several scales, so it is no full-precision master; "
                    "one scale per tensor is supported");
    if (c->config.offline && trit_unpack_float(c->t2, &scale, &m, &why))
        return FAIL(c, t, TRIT_E_UNSUPPORTED,
                    "is not ternary, but quantization_mode offline of config.json says that "
                    "linears are (full-precision masters have online)");
    if (c->config.family->quantization_config && !c->config.scale_why)
        return trit_fail(c->err, TRIT_E_UNSUPPORTED,
                         "%s/config.json: 'quantization_config' is missing, and tensor '%s' is not "
                         "ternary: nothing says that this model was trained to be, and quantizing "
                         "another would destroy it. (For the master of a ternary model, put "
                         "{\"quant_method\": \"bitnet\"} there)",
                         c->dir, trit_quote(t->from->name).text);
    return TRIT_OK;
}

static void note_exact(struct converter *c, size_t n)
{
    const bool online = c->config.scale_why && !c->config.offline;

    trit_note(&c->notes, "%zu float linears are ternary already and are kept unchanged%s", n,
              online ? "; transformers' absmean at run time would multiply each scale by the share "
                       "of nonzero weights"
                     : "");
    if (!c->config.scale_why && c->config.family->quantization_config)
        trit_note(&c->notes,
                  "config.json has no quantization_config, but the values of all linears "
                  "are -s, 0 and +s: the model is run as BitNet b1.58, with activations "
                  "of 8 bits");
}

/* Find the masters that are ternary already; the others will be quantized. */
static trit_status sort_masters(struct converter *c)
{
    trit_status status = TRIT_OK;
    size_t n = 0;

    for (size_t i = 0; i < c->plan.n && !status; i++) {
        const struct trit_planned *t = &c->plan.tensors[i];
        if (t->kind != TRIT_PLANNED_MASTER || c->config.family->all_masters)
            continue;
        c->exact[i] = is_exact(c, t);
        n += c->exact[i];
        if (!c->exact[i])
            status = check_master(c, t);
    }
    if (status)
        return status;
    if (c->plan.n_masters > n)
        trit_note(&c->notes,
                  "%zu linears are full-precision masters and are quantized: the scale of a "
                  "tensor is the mean of its |w|, weights are rounded to -1, 0 or 1 times that",
                  c->plan.n_masters - n);
    if (n > 0)
        note_exact(c, n);
    return TRIT_OK;
}

/* Row h*d + 2j + l of the output is row h*d + l*d/2 + j of the checkpoint. Transformers rotates
 * element j of a head with element d/2 + j; architecture llama rotates element 2j with 2j + 1. */
static void rearrange(uint8_t *to, const uint8_t *from, size_t n_rows, size_t row_bytes, size_t d)
{
    for (size_t r = 0; r < n_rows; r++) {
        const size_t h = r / d, j = r % d / 2, l = r % 2;
        memcpy(to + r * row_bytes, from + (h * d + l * d / 2 + j) * row_bytes, row_bytes);
    }
}

/* Whether it is a ternary head: ones in floats, beside a scale, so that any reader finds a head. */
static bool is_head(const struct trit_planned *t)
{
    return strcmp(t->name, "output.weight") == 0;
}

static const struct trit_type *type_of(const struct converter *c, const struct trit_planned *t)
{
    switch (t->kind) {
    case TRIT_PLANNED_PACKED:
    case TRIT_PLANNED_MASTER:
        return is_head(t) ? trit_type_find(TRIT_TYPE_F16) : c->type;
    case TRIT_PLANNED_MATRIX:
        return c->embd;
    case TRIT_PLANNED_KEPT:
        return trit_type_find(t->format == TRIT_FORMAT_BF16  ? TRIT_TYPE_BF16
                              : t->format == TRIT_FORMAT_F16 ? TRIT_TYPE_F16
                                                             : TRIT_TYPE_F32);
    default:
        return c->f32;
    }
}

static trit_status convert_linear(struct converter *c, size_t i)
{
    const struct trit_planned *t = &c->plan.tensors[i];
    const struct trit_packed m = master(t);
    const uint8_t *t2 = c->t2;
    float scale = t->scale;
    struct trit_error why = {0};
    trit_status status;

    if (t->kind == TRIT_PLANNED_PACKED)
        status =
            trit_unpack_transformers(c->t2, t->from->data, t->n_rows, t->n_cols, c->pool, &why);
    else if (c->exact[i])
        status = trit_unpack_float(c->t2, &scale, &m, &why);
    else
        status = trit_absmean_t2(c->t2, &scale, &m, c->config.family->absmean, c->pool, &why);
    if (status)
        return FAIL(c, t, status, "%s", why.text);
    if (t->kind == TRIT_PLANNED_MASTER)
        scale *= t->scale;
    if (t->head_rows) {
        rearrange(c->rearranged, c->t2, t->n_rows, trit_t2_row_bytes(t->n_cols), t->head_rows);
        t2 = c->rearranged;
    }
    if (is_head(t)) {
        c->head_scale = scale;
        scale = 1.0f;
    }
    status = trit_emit_t2(&c->emitter, type_of(c, t), t2, scale, t->n_rows, t->n_cols, &why);
    return status == TRIT_E_UNSUPPORTED ? FAIL(c, t, status, "%s", why.text)
           : status                     ? trit_fail(c->err, status, "%s", why.text)
                                        : TRIT_OK;
}

/* ---- Everything else ------------------------------------------------------------------------- */

/* The divisors of the frequencies for RoPE of type "llama3": 1 for short wavelengths, the factor
 * for long ones, and in between the inverse of an interpolation of their inverses (transformers'
 * modeling_rope_utils). Computed in double, since no kernel is involved. */
static void rope_divisors(float *out, const struct trit_config *c)
{
    const struct trit_knobs *k = &c->knobs;
    const double tau = 6.283185307179586, low = (double)c->rope_low, high = (double)c->rope_high;

    for (int32_t i = 0; i < k->n_rot / 2; i++) {
        const double turn = tau * pow(k->rope_base, 2.0 * i / k->n_rot); /* positions */
        const double turns = (double)c->rope_original / turn;
        const double smooth = (turns - low) / (high - low);
        const double part = smooth < 0 ? 0 : smooth > 1 ? 1 : smooth;
        out[i] = (float)(1 / ((1 - part) / k->rope_factor + part));
    }
}

/* A bias as F32, times the scale that the library gives it; or the rows of a linear. In the order
 * of the GGUF. */
static const uint8_t *arrange_floats(struct converter *c, const struct trit_planned *t)
{
    struct trit_kernels scalar;
    float *x = (float *)(void *)c->t2;

    if (t->kind == TRIT_PLANNED_KEPT) {
        rearrange(c->t2, t->from->data, t->n_rows, trit_format_bytes(t->format, t->n_cols),
                  t->head_rows);
        return c->t2;
    }
    trit_kernels_init_scalar(&scalar);
    scalar.decode[t->format](x, t->from->data, t->n_cols);
    for (size_t i = 0; i < t->n_cols; i++)
        x[i] *= t->scale;
    if (!t->head_rows)
        return c->t2;
    rearrange(c->rearranged, c->t2, t->n_cols, sizeof *x, t->head_rows);
    return c->rearranged;
}

static trit_status convert_floats(struct converter *c, const struct trit_planned *t)
{
    float divisors[TRIT_MAX_HEAD_DIM / 2];
    const uint8_t *data = (const uint8_t *)divisors;
    const bool bias = t->kind == TRIT_PLANNED_BIAS;
    struct trit_error why = {0};

    if (t->kind == TRIT_PLANNED_FREQS)
        rope_divisors(divisors, &c->config);
    else if (t->kind == TRIT_PLANNED_SCALE)
        divisors[0] = c->head_scale;
    else
        data = bias || t->head_rows ? arrange_floats(c, t) : t->from->data;
    const trit_status status =
        trit_emit_rows(&c->emitter, type_of(c, t), bias ? TRIT_FORMAT_F32 : t->format, data,
                       t->n_rows, t->n_cols, &why);
    if (status && t->from && status != TRIT_E_CANCELLED)
        return FAIL(c, t, status, "%s", why.text);
    return status ? trit_fail(c->err, status, "%s", why.text) : TRIT_OK;
}

/* ---- Metadata -------------------------------------------------------------------------------- */

/* The last part of a path, without trailing slashes. */
static struct trit_string base_name(struct trit_string path)
{
    while (path.len > 1 && path.bytes[path.len - 1] == '/')
        path.len--;
    for (size_t i = path.len; i-- > 0;)
        if (path.bytes[i] == '/' && i + 1 < path.len)
            return (struct trit_string){path.bytes + i + 1, path.len - i - 1};
    return path;
}

static void write_general(struct converter *c)
{
    struct trit_string name =
        trit_json_text(trit_json_member(trit_json_root(c->json), "_name_or_path"));
    char text[121];

    if (!name.len)
        name = trit_string_of(c->dir);
    name = base_name(name);
    snprintf(text, sizeof text, "%.*s", (int)name.len, name.bytes);
    trit_drop_partial_character(text);
    trit_gguf_write_string(&c->w, "general.architecture", c->config.family->arch);
    trit_gguf_write_string(&c->w, "general.name", text);
    trit_gguf_write_u32(&c->w, "general.file_type", c->type->file_type);
    trit_gguf_write_u32(&c->w, "general.quantization_version", 2);
}

/* Divisors of the frequencies take the place of one factor. */
static void write_knobs(struct converter *c)
{
    struct trit_knobs k = c->config.knobs;

    if (c->config.rope_original > 0)
        k.rope_factor = 1;
    trit_arch_write(c->config.arch, &k, c->config.n_vocab, c->config.act, &c->w);
    if (c->plan.ternary_head)
        trit_gguf_write_bool(&c->w, TRIT_QUANTIZED_HEAD, true);
    if (!c->plan.n_kept)
        return;
    trit_gguf_write_array(&c->w, TRIT_FLOAT_LINEARS, TRIT_VALUE_STRING, c->plan.n_kept);
    for (size_t i = 0; i < c->plan.n; i++)
        if (c->plan.tensors[i].kind == TRIT_PLANNED_KEPT)
            trit_gguf_write_item_string(&c->w, c->plan.tensors[i].name,
                                        strlen(c->plan.tensors[i].name) - strlen(".weight"));
}

static trit_status list_tensors(struct converter *c)
{
    struct trit_error why;

    for (size_t i = 0; i < c->plan.n; i++) {
        const struct trit_planned *t = &c->plan.tensors[i];
        const trit_status status = trit_emit_check(type_of(c, t), t->n_rows, t->n_cols, &why);
        if (status)
            return FAIL(c, t, status, "%s", why.text);
        (void)trit_gguf_write_tensor(&c->w, t->name, type_of(c, t), t->n_cols, t->n_rows);
    }
    return TRIT_OK;
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void tell(const struct converter *c, const struct trit_planned *t)
{
    char source[TRIT_MAX_NAME] = "computed", from[32] = "F64";

    if (t->from) {
        snprintf(source, sizeof source, "%.*s", (int)t->from->name.len, t->from->name.bytes);
        snprintf(from, sizeof from, "%s%s", t->from->dtype,
                 t->kind == TRIT_PLANNED_PACKED ? " packed" : "");
    }
    trit_emit_tell(c->opt, t->name, source, from, type_of(c, t), t->n_cols, t->n_rows);
}

static trit_status write_tensors(struct converter *c, bool dry)
{
    trit_status status = dry ? TRIT_OK : trit_gguf_write_begin(&c->w, c->err);

    for (size_t i = 0; i < c->plan.n && !status; i++) {
        const struct trit_planned *t = &c->plan.tensors[i];
        tell(c, t);
        if (dry)
            continue;
        status = t->kind == TRIT_PLANNED_PACKED || t->kind == TRIT_PLANNED_MASTER
                     ? convert_linear(c, i)
                     : convert_floats(c, t);
        if (t->from)
            trit_weights_done(&c->weights, t->from->data, t->from->n_bytes);
    }
    return status || dry ? status : trit_gguf_write_end(&c->w, c->err);
}

static trit_status convert(struct converter *c, uint64_t *n_bytes)
{
    trit_status status;

    if ((status = trit_type_named(&c->type, c->opt->type, true, c->err)) ||
        (status = trit_type_named(&c->embd, c->opt->embd, false, c->err)) ||
        (status = read_folder(c)) || (status = take_buffers(c)) ||
        (status = trit_convert_pool(&c->pool, c->opt->n_threads, c->err)) ||
        (status = trit_emitter_init(&c->emitter, &c->w, c->pool, c->err)))
        return status;
    if ((status = sort_masters(c)))
        return status;
    if (c->notes.no_memory)
        return trit_fail_memory(c->err, 512, "a note");
    write_general(c);
    write_knobs(c);
    trit_vocabulary_write(&c->vocabulary, &c->w);
    trit_gguf_write_array(&c->w, "trit.notes", TRIT_VALUE_STRING, c->notes.n);
    trit_notes_write(&c->notes, &c->w, c->opt);
    if ((status = list_tensors(c)))
        return status;
    if (n_bytes)
        *n_bytes = trit_gguf_writer_bytes(&c->w);
    return write_tensors(c, !c->w.write);
}

trit_status trit_convert(const char *dir, const struct trit_convert_options *opt,
                         trit_write_fn write, void *user, uint64_t *n_bytes, struct trit_error *err)
{
    struct trit_convert_options own;
    struct converter c = {
        .dir = dir,
        .opt = &own,
        .err = err,
        .f32 = trit_type_find(TRIT_TYPE_F32),
        .w = {.write = write, .user = user},
    };
    trit_status status = trit_read_options(&own, sizeof own, opt, err);

    if (!status)
        status = convert(&c, n_bytes);

    trit_emitter_free(&c.emitter);
    trit_pool_close(&c.pool);
    trit_gguf_writer_free(&c.w);
    trit_free_aligned(c.t2);
    trit_free_aligned(c.rearranged);
    free(c.exact);
    trit_vocabulary_free(&c.vocabulary);
    trit_plan_free(&c.plan);
    trit_names_free(&c.names);
    trit_weights_close(&c.weights);
    trit_notes_free(&c.notes);
    trit_json_free(&c.json);
    return status;
}
