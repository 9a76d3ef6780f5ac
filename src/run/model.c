/* model.c - see model.h. From the tensors of a file to a model.
 *
 * Three passes over one table of slots: find each tensor, check its type and shape, and reserve
 * memory for what cannot stay in the file; take that memory; fill it. A tensor without a slot is an
 * error: its effect on the result is unknown. */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checked.h"
#include "str.h"

enum { MAX_ROWS = 1 << 24, PER_SLOT = 4 /* a linear, its bias, its norm's weight and bias */ };

/* ---- Slots ----------------------------------------------------------------------------------- */

#define SLOT(name, order) #name, .member = offsetof(struct trit_layer, name), .file_order = order
static const struct trit_slot slots[] = {
    {SLOT(attn_norm, 0), .kind = TRIT_NORM, .in = TRIT_WIDTH_EMBD, .where = TRIT_IF_PRE_NORM},
    {SLOT(attn_q, 9), .kind = TRIT_LINEAR, .in = TRIT_WIDTH_EMBD, .out = TRIT_WIDTH_Q},
    {SLOT(attn_k, 7), .kind = TRIT_LINEAR, .in = TRIT_WIDTH_EMBD, .out = TRIT_WIDTH_KV},
    {SLOT(attn_v, 10), .kind = TRIT_LINEAR, .in = TRIT_WIDTH_EMBD, .out = TRIT_WIDTH_KV},
    {SLOT(attn_q_norm, 13), .kind = TRIT_NORM, .in = TRIT_WIDTH_HEAD, .where = TRIT_IF_QK_NORM},
    {SLOT(attn_k_norm, 14), .kind = TRIT_NORM, .in = TRIT_WIDTH_HEAD, .where = TRIT_IF_QK_NORM},
    {SLOT(attn_sub_norm, 6), .kind = TRIT_NORM, .in = TRIT_WIDTH_Q, .where = TRIT_IF_ATTN_SUB_NORM},
    {SLOT(attn_output, 8), .kind = TRIT_LINEAR, .in = TRIT_WIDTH_Q, .out = TRIT_WIDTH_EMBD},
    {SLOT(attn_norm_post, 11), .kind = TRIT_NORM, .in = TRIT_WIDTH_EMBD,
     .where = TRIT_IF_POST_NORM},
    {SLOT(ffn_norm, 5), .kind = TRIT_NORM, .in = TRIT_WIDTH_EMBD, .where = TRIT_IF_PRE_NORM},
    {SLOT(ffn_gate, 3), .kind = TRIT_LINEAR, .in = TRIT_WIDTH_EMBD, .out = TRIT_WIDTH_FF,
     .where = TRIT_IF_GATED},
    {SLOT(ffn_up, 4), .kind = TRIT_LINEAR, .in = TRIT_WIDTH_EMBD, .out = TRIT_WIDTH_FF},
    {SLOT(ffn_sub_norm, 2), .kind = TRIT_NORM, .in = TRIT_WIDTH_FF, .where = TRIT_IF_FFN_SUB_NORM},
    {SLOT(ffn_down, 1), .kind = TRIT_LINEAR, .in = TRIT_WIDTH_FF, .out = TRIT_WIDTH_EMBD},
    {SLOT(ffn_norm_post, 12), .kind = TRIT_NORM, .in = TRIT_WIDTH_EMBD, .where = TRIT_IF_POST_NORM},
};
enum { N_SLOTS = sizeof slots / sizeof *slots };

const struct trit_slot *trit_slot_at(size_t i)
{
    return i < N_SLOTS ? &slots[i] : NULL;
}

const struct trit_linear *trit_layer_linear(const struct trit_layer *layer, size_t i)
{
    for (size_t k = 0; k < N_SLOTS; k++)
        if (slots[k].kind == TRIT_LINEAR && i-- == 0)
            return (const void *)((const char *)layer + slots[k].member);
    return NULL;
}

bool trit_slot_exists(const struct trit_slot *s, const struct trit_knobs *k)
{
    switch (s->where) {
    case TRIT_IF_PRE_NORM:
        return k->block == TRIT_BLOCK_PRE;
    case TRIT_IF_POST_NORM:
        return k->block == TRIT_BLOCK_POST;
    case TRIT_IF_ATTN_SUB_NORM:
        return k->attn_sub_norm;
    case TRIT_IF_FFN_SUB_NORM:
        return k->ffn_sub_norm;
    case TRIT_IF_GATED:
        return k->ffn == TRIT_FFN_GATED;
    case TRIT_IF_QK_NORM:
        return k->qk_norm;
    default:
        return true;
    }
}

size_t trit_width(const struct trit_knobs *k, enum trit_width w)
{
    switch (w) {
    case TRIT_WIDTH_EMBD:
        return (size_t)k->n_embd;
    case TRIT_WIDTH_Q:
        return (size_t)k->n_head * (size_t)k->head_dim;
    case TRIT_WIDTH_KV:
        return (size_t)k->n_head_kv * (size_t)k->head_dim;
    case TRIT_WIDTH_HEAD:
        return (size_t)k->head_dim;
    default:
        return (size_t)k->n_ff;
    }
}

bool trit_is_float_linear(const trit_file *file, struct trit_string name)
{
    enum { MOST = 1024 * N_SLOTS }; /* a longer list is invalid */
    const struct gguf_kv *kv;
    const uint8_t *p;

    if (!trit_string_ends(name, ".weight") ||
        trit_gguf_get_array(file, TRIT_FLOAT_LINEARS, TRIT_VALUE_STRING, &kv, NULL) || !kv ||
        kv->n_items > MOST)
        return false;
    p = kv->items;
    name.len -= strlen(".weight");
    for (uint64_t i = 0; i < kv->n_items; i++) {
        const struct trit_string s = trit_gguf_next_value(TRIT_VALUE_STRING, &p).s;
        if (s.len == name.len && memcmp(s.bytes, name.bytes, s.len) == 0)
            return true;
    }
    return false;
}

/* ---- Loading --------------------------------------------------------------------------------- */

/* A tensor that was found; the memory for its values is not there yet. */
struct pending {
    const struct gguf_tensor *tensor;
    float **vector; /* or NULL: linear */
    struct trit_linear *linear;
};

struct loader {
    struct trit_model *m;
    struct trit_error *err;
    struct pending *pending; /* [n_pending] */
    size_t n_pending;
    bool *used; /* [n_tensors] */
};

#define FAIL(l, t, code, ...)                                                                      \
    trit_fail_tensor((l)->err, code, (l)->m->file->path, (t)->name, __VA_ARGS__)

/* Find a tensor by name. If there is none, *out is NULL, and that is an error unless the tensor is
 * optional. */
static trit_status find(struct loader *l, const char *name, bool optional,
                        const struct gguf_tensor **out)
{
    *out = trit_gguf_find_tensor(l->m->file, name);
    if (*out)
        l->used[*out - l->m->file->tensors] = true;
    else if (!optional)
        return trit_fail(l->err, TRIT_E_FILE, "%s: tensor '%s' is missing", l->m->file->path, name);
    return TRIT_OK;
}

static trit_status check_shape(const struct loader *l, const struct gguf_tensor *t, size_t n_cols,
                               size_t n_rows)
{
    if (t->dims[0] == n_cols && t->dims[1] == n_rows && t->dims[2] == 1 && t->dims[3] == 1)
        return TRIT_OK;
    return FAIL(l, t, TRIT_E_FILE, "has shape [%llu, %llu, %llu, %llu]; expected [%zu, %zu]",
                (unsigned long long)t->dims[0], (unsigned long long)t->dims[1],
                (unsigned long long)t->dims[2], (unsigned long long)t->dims[3], n_cols, n_rows);
}

/* Check that the type is known, can be used for this tensor, and fits its bytes in the file. */
static trit_status check_type(const struct loader *l, const struct gguf_tensor *t, bool ternary)
{
    const struct trit_type *type = t->type;
    const struct trit_type_list usable_types =
        trit_types_for(ternary ? TRIT_READ_LINEARS : TRIT_READ_FLOATS);
    const char *if_ternary = ternary ? " with ternary values" : "";
    const bool usable = type && (ternary ? type->unpack_t2 != NULL : type->format >= 0);

    if (usable && (!type->id_is_shared || t->fits_span))
        return TRIT_OK;
    if (usable)
        return FAIL(l, t, TRIT_E_UNSUPPORTED,
                    "has type %u, which is %s here and takes %llu bytes, but the tensor has %llu: "
                    "the file means another type. Supported are %s%s",
                    t->type_id, type->name, (unsigned long long)t->n_bytes,
                    (unsigned long long)t->span, usable_types.text, if_ternary);
    return FAIL(l, t, TRIT_E_UNSUPPORTED,
                "has type %u (%s%s%s), which is not supported for it; supported are %s%s",
                t->type_id, type ? type->name : "unknown", type && type->note ? ": " : "",
                type && type->note ? type->note : "", usable_types.text, if_ternary);
}

/* Count its part of the arena now; it is taken in the same order when it is filled. */
static void defer(struct loader *l, const struct pending *p, uint64_t bytes)
{
    l->pending[l->n_pending++] = *p;
    trit_arena_take(&l->m->memory, bytes, 1);
}

/* A vector of floats, to be decoded into memory. */
static trit_status find_vector(struct loader *l, const char *name, size_t n, bool optional,
                               float **to)
{
    const struct gguf_tensor *t;
    trit_status status = find(l, name, optional, &t);

    *to = NULL;
    if (status || !t)
        return status;
    if ((status = check_type(l, t, false)) || (status = check_shape(l, t, n, 1)))
        return status;
    l->m->n_params += n;
    defer(l, &(struct pending){.tensor = t, .vector = to}, n * sizeof(float));
    return TRIT_OK;
}

/* <stem>.weight, and <stem>.bias for a LayerNorm. */
static trit_status find_norm(struct loader *l, const char *stem, size_t n, bool layer,
                             struct trit_norm *out)
{
    char name[96];

    snprintf(name, sizeof name, "%s.weight", stem);
    const trit_status status = find_vector(l, name, n, false, &out->w);
    snprintf(name, sizeof name, "%s.bias", stem);
    return status || !layer ? status : find_vector(l, name, n, false, &out->b);
}

static trit_status use_matrix(struct loader *l, const struct gguf_tensor *t, size_t n_cols,
                              size_t n_rows, struct trit_matrix *out)
{
    trit_status status;

    if ((status = check_type(l, t, false)) || (status = check_shape(l, t, n_cols, n_rows)))
        return status;
    *out = (struct trit_matrix){
        .type = t->type,
        .format = (enum trit_format)t->type->format,
        .data = trit_gguf_data(l->m->file, t),
        .n_rows = (size_t)t->dims[1],
        .n_cols = (size_t)t->dims[0],
        .row_bytes = trit_format_bytes((enum trit_format)t->type->format, (size_t)t->dims[0]),
    };
    l->m->n_params += out->n_rows * out->n_cols;
    return TRIT_OK;
}

/* The embedding, positions or the head. */
static trit_status find_matrix(struct loader *l, const char *name, bool optional,
                               struct trit_matrix *out)
{
    const struct gguf_tensor *t;
    const trit_status status = find(l, name, optional, &t);

    *out = (struct trit_matrix){0};
    if (status || !t)
        return status;
    if (t->dims[1] > MAX_ROWS)
        return FAIL(l, t, TRIT_E_FILE, "has too many rows");
    return use_matrix(l, t, (size_t)l->m->knobs.n_embd, (size_t)t->dims[1], out);
}

/* The scale must be positive and finite. It is 0 in a TQ or float tensor of zeros only. */
static trit_status check_scale(const struct loader *l, const struct gguf_tensor *t, float scale,
                               bool zero_is_fine)
{
    if (isfinite(scale) && (scale > 0.0f || (zero_is_fine && scale == 0.0f)))
        return TRIT_OK;
    return FAIL(l, t, TRIT_E_FILE, "has the scale %g; it must be positive", (double)scale);
}

/* The optional F32 tensor <stem>.scale multiplies the linear's own scale. */
static trit_status find_extra_scale(struct loader *l, const char *stem, float *scale)
{
    char name[80];
    const struct gguf_tensor *t;

    *scale = 1.0f;
    snprintf(name, sizeof name, "%s.scale", stem);
    trit_status status = find(l, name, true, &t);
    if (status || !t)
        return status;
    if (t->type_id != TRIT_TYPE_F32)
        return FAIL(l, t, TRIT_E_UNSUPPORTED, "is a scale and must be of type F32");
    if ((status = check_shape(l, t, 1, 1)))
        return status;
    memcpy(scale, trit_gguf_data(l->m->file, t), sizeof *scale);
    return check_scale(l, t, *scale, false);
}

/* One that is T2 in the file stays there, and its scale is known at once. */
static trit_status use_ternary(struct loader *l, const struct gguf_tensor *t, const char *stem,
                               struct trit_linear *out)
{
    const size_t n_in = out->n_in, n_out = out->n_out;
    trit_status status;

    out->n_cols = (size_t)trit_round_up(n_in, TRIT_T2_BLOCK);
    out->row_bytes = trit_t2_row_bytes(n_in);
    if ((status = check_type(l, t, true)) || (status = check_shape(l, t, n_in, n_out)) ||
        (status = find_extra_scale(l, stem, &out->scale)))
        return status;
    if (trit_gguf_is_t2(l->m->file, t)) {
        const float scale = trit_i2s_scale(trit_gguf_data(l->m->file, t), n_in * n_out);
        if ((status = check_scale(l, t, scale, false)))
            return status;
        out->scale *= scale;
        if ((status = check_scale(l, t, out->scale, false)))
            return status;
        out->t2 = trit_gguf_data(l->m->file, t);
    } else {
        defer(l, &(struct pending){.tensor = t, .linear = out}, (uint64_t)n_out * out->row_bytes);
    }
    l->m->n_params += n_in * n_out;
    l->m->n_ternary += n_in * n_out;
    l->m->linear_bytes += n_out * out->row_bytes;
    return TRIT_OK;
}

/* A linear, its bias if there is one, and the norm on its input; one of floats has no such norm. */
static trit_status find_linear(struct loader *l, const char *stem, size_t n_in, size_t n_out,
                               struct trit_linear *out)
{
    const bool fixed = l->m->arch->open; /* these have ternary linears without biases */
    const struct gguf_tensor *t;
    char name[80];
    trit_status status;

    *out = (struct trit_linear){.n_in = n_in, .n_out = n_out};
    snprintf(name, sizeof name, "%s.weight", stem);
    if ((status = find(l, name, false, &t)))
        return status;
    const bool floats = !fixed && trit_is_float_linear(l->m->file, t->name);
    if (floats) {
        status = use_matrix(l, t, n_in, n_out, &out->floats);
        l->m->linear_bytes += n_out * out->floats.row_bytes;
        l->m->n_float_linears++;
    } else {
        status = use_ternary(l, t, stem, out);
    }
    snprintf(name, sizeof name, "%s.bias", stem);
    if (!status && !fixed)
        status = find_vector(l, name, n_out, true, &out->bias);
    snprintf(name, sizeof name, "%s_norm_in", stem);
    if (status || floats || l->m->knobs.linear_norm == TRIT_LINEAR_NORM_NONE)
        return status;
    return find_norm(l, name, n_in, l->m->knobs.linear_norm == TRIT_LINEAR_NORM_LAYER, &out->norm);
}

static trit_status find_layer(struct loader *l, int32_t il)
{
    const struct trit_knobs *k = &l->m->knobs;
    struct trit_layer *layer = &l->m->layers[il];
    trit_status status = TRIT_OK;

    for (size_t i = 0; i < N_SLOTS && !status; i++) {
        const struct trit_slot *s = &slots[i];
        void *member = (char *)layer + s->member;
        char name[64];
        if (!trit_slot_exists(s, k))
            continue;
        snprintf(name, sizeof name, "blk.%d.%s", il, s->name);
        status = s->kind == TRIT_NORM
                     ? find_norm(l, name, trit_width(k, s->in), k->norm == TRIT_NORM_LAYER, member)
                     : find_linear(l, name, trit_width(k, s->in), trit_width(k, s->out), member);
    }
    return status;
}

/* Every token needs a row. Rows without a token are padding. */
static trit_status check_vocabulary(const struct loader *l)
{
    const struct gguf_kv *tokens = trit_gguf_find(l->m->file, "tokenizer.ggml.tokens");
    const size_t n_rows = l->m->token_embd.n_rows;

    if (tokens && tokens->n_items > n_rows)
        return trit_fail(l->err, TRIT_E_FILE,
                         "%s has %llu tokens, but token_embd.weight has rows for %zu",
                         l->m->file->path, (unsigned long long)tokens->n_items, n_rows);
    return TRIT_OK;
}

/* Every position up to the file's context length needs a row. */
static trit_status find_positions(struct loader *l)
{
    struct trit_model *m = l->m;
    const trit_status status = find_matrix(l, "position_embd.weight", false, &m->position_embd);

    if (!status && m->position_embd.n_rows < (size_t)m->knobs.n_ctx)
        return trit_fail(l->err, TRIT_E_FILE,
                         "%s: %s.context_length is %d, but position_embd.weight has %zu rows",
                         m->file->path, m->arch->name, m->knobs.n_ctx, m->position_embd.n_rows);
    return status;
}

/* Each linear that the file lists as one of floats must be there. */
static trit_status check_float_linears(const struct loader *l)
{
    const struct gguf_kv *kv;
    const trit_status status =
        trit_gguf_get_array(l->m->file, TRIT_FLOAT_LINEARS, TRIT_VALUE_STRING, &kv, l->err);

    if (status)
        return status;
    if (!kv || kv->n_items == l->m->n_float_linears)
        return TRIT_OK;
    return trit_fail(l->err, TRIT_E_FILE,
                     "%s: metadata '" TRIT_FLOAT_LINEARS
                     "' must list linears of the model, each once; of its %llu items %llu are",
                     l->m->file->path, (unsigned long long)kv->n_items,
                     (unsigned long long)l->m->n_float_linears);
}

/* What a head that is a BitLinear has besides its weights. */
static trit_status find_head(struct loader *l)
{
    struct trit_model *m = l->m;
    const enum trit_linear_norm norm = m->knobs.linear_norm;
    trit_status status =
        trit_gguf_get_bool(m->file, TRIT_QUANTIZED_HEAD, &m->quantized_head, l->err);

    if (status || !m->quantized_head)
        return status;
    if (m->tied || m->arch->open)
        return trit_fail(l->err, TRIT_E_UNSUPPORTED,
                         "%s: metadata '" TRIT_QUANTIZED_HEAD "' needs a head of its own",
                         m->file->path);
    if ((status = find_extra_scale(l, "output", &m->head_scale)) || norm == TRIT_LINEAR_NORM_NONE)
        return status;
    return find_norm(l, "output_norm_in", (size_t)m->knobs.n_embd, norm == TRIT_LINEAR_NORM_LAYER,
                     &m->head_norm);
}

static trit_status find_all(struct loader *l)
{
    struct trit_model *m = l->m;
    const struct trit_knobs *k = &m->knobs;
    trit_status status;

    if ((status = find_matrix(l, "token_embd.weight", false, &m->token_embd)) ||
        (status = find_matrix(l, "output.weight", true, &m->output)) ||
        (k->learned_positions && (status = find_positions(l))) ||
        (status = find_norm(l, "output_norm", (size_t)k->n_embd, k->norm == TRIT_NORM_LAYER,
                            &m->output_norm)) ||
        (status =
             find_vector(l, "rope_freqs.weight", (size_t)k->n_rot / 2, true, &m->rope_factors)))
        return status;
    m->tied = m->output.data == NULL;
    if (m->tied)
        m->output = m->token_embd;
    else if (m->output.n_rows != m->token_embd.n_rows)
        return trit_fail(l->err, TRIT_E_FILE,
                         "%s: output.weight has %zu rows, token_embd.weight %zu", m->file->path,
                         m->output.n_rows, m->token_embd.n_rows);
    if ((status = check_vocabulary(l)) || (status = find_head(l)))
        return status;
    for (int32_t i = 0; i < k->n_layer && !status; i++)
        status = find_layer(l, i);
    if (!status)
        status = check_float_linears(l);
    for (size_t i = 0; i < m->file->n_tensors && !status; i++)
        if (!l->used[i])
            status = trit_fail(l->err, TRIT_E_UNSUPPORTED,
                               "%s: unexpected tensor '%s' for architecture '%s'", m->file->path,
                               trit_quote(m->file->tensors[i].name).text, m->arch->name);
    return status;
}

static trit_status fill_linear(const struct loader *l, const struct pending *p)
{
    struct trit_linear *linear = p->linear;
    const struct trit_packed packed = trit_gguf_packed(l->m->file, p->tensor);
    uint8_t *t2 = trit_arena_take(&l->m->memory, linear->n_out * linear->row_bytes, 1);
    struct trit_error why;
    float scale;

    trit_status status = p->tensor->type->unpack_t2(t2, &scale, &packed, &why);
    if (status)
        return FAIL(l, p->tensor, status, "%s", why.text);
    if ((status = check_scale(l, p->tensor, scale, p->tensor->type_id != TRIT_TYPE_I2_S)))
        return status;
    linear->scale *= scale;
    linear->t2 = t2;
    return check_scale(l, p->tensor, linear->scale, true);
}

static void fill_vector(const struct loader *l, const struct pending *p)
{
    const size_t n = (size_t)p->tensor->dims[0];
    struct trit_kernels scalar;

    trit_kernels_init_scalar(&scalar);
    *p->vector = trit_arena_take(&l->m->memory, n * sizeof(float), 1);
    scalar.decode[p->tensor->type->format](*p->vector, trit_gguf_data(l->m->file, p->tensor), n);
}

/* The angles that the divisors give must be in the range of fmath.h. */
static trit_status check_rope_factors(const struct loader *l)
{
    const float *f = l->m->rope_factors;
    for (int32_t i = 0; f && i < l->m->knobs.n_rot / 2; i++)
        if (!(f[i] >= TRIT_MIN_ROPE_FACTOR && f[i] <= TRIT_MAX_ROPE_FACTOR))
            return trit_fail(
                l->err, TRIT_E_FILE, "%s: a value of tensor 'rope_freqs.weight' %s",
                l->m->file->path,
                trit_out_of_range((double)f[i], TRIT_MIN_ROPE_FACTOR, TRIT_MAX_ROPE_FACTOR).text);
    return TRIT_OK;
}

static trit_status load(struct loader *l)
{
    struct trit_model *m = l->m;
    const size_t n_layer = (size_t)m->knobs.n_layer;
    trit_status status;

    m->layers = calloc(n_layer, sizeof *m->layers);
    l->pending = calloc(n_layer * PER_SLOT * N_SLOTS + 5, sizeof *l->pending);
    l->used = calloc(m->file->n_tensors + 1, sizeof *l->used);
    if (!m->layers || !l->pending || !l->used)
        return trit_fail_memory(l->err, n_layer * sizeof *m->layers, "the model's tables");
    if ((status = find_all(l)) ||
        (status = trit_arena_alloc(&m->memory, "norms and repacked weights", l->err)))
        return status;
    for (size_t i = 0; i < l->n_pending && !status; i++)
        if (l->pending[i].vector)
            fill_vector(l, &l->pending[i]);
        else
            status = fill_linear(l, &l->pending[i]);
    return status ? status : check_rope_factors(l);
}

trit_status trit_model_open(trit_model **out, const trit_file *file, struct trit_error *err)
{
    trit_model *m = calloc(1, sizeof *m);
    trit_status status;

    *out = NULL;
    if (!m)
        return trit_fail_memory(err, sizeof *m, "the model");
    m->file = file;
    const fenv_t env = trit_default_float_env();
    status = trit_arch_read(&m->arch, &m->knobs, file, err);
    if (!status) {
        struct loader l = {.m = m, .err = err};
        status = load(&l);
        free(l.used);
        free(l.pending);
    }
    fesetenv(&env);
    if (status)
        trit_model_close(&m);
    *out = m;
    return status;
}

void trit_model_close(trit_model **model)
{
    trit_model *m = model ? *model : NULL;
    if (!m)
        return;
    *model = NULL;
    trit_arena_free(&m->memory);
    free(m->layers);
    free(m);
}

int32_t trit_model_vocab_size(const trit_model *model)
{
    return (int32_t)model->output.n_rows;
}

/* ---- What is in it --------------------------------------------------------------------------- */

void trit_model_get_info(const trit_model *m, struct trit_model_info *out)
{
    const struct trit_knobs *k = &m->knobs;
    *out = (struct trit_model_info){
        .arch = m->arch->name,
        .ffn_act = k->ffn_act == TRIT_ACT_SILU ? "silu" : "relu2",
        .ffn_act_why = k->ffn_act_why,
        .rope_style = k->rope == TRIT_ROPE_HALF ? "half" : "pairs",
        .embd_type = m->token_embd.type->name,
        .head_type = m->output.type->name,
        .tied = m->tied,
        .sub_norms = k->attn_sub_norm,
        .linear_norms = k->linear_norm != TRIT_LINEAR_NORM_NONE,
        .causal = k->causal,
        .n_layer = k->n_layer,
        .n_embd = k->n_embd,
        .n_head = k->n_head,
        .n_head_kv = k->n_head_kv,
        .head_dim = k->head_dim,
        .n_ff = k->n_ff,
        .n_vocab = trit_model_vocab_size(m),
        .n_ctx = k->n_ctx,
        .max_ctx = k->learned_positions ? (int32_t)m->position_embd.n_rows : INT32_MAX,
        .rope_base = k->rope_base,
        .norm_eps = (double)k->norm_eps,
        .n_params = m->n_params,
        .n_ternary = m->n_ternary,
        .repacked_bytes = m->memory.size,
        .token_bytes = m->linear_bytes + (uint64_t)m->output.n_rows * m->output.row_bytes +
                       m->token_embd.row_bytes,
    };
}

bool trit_model_knob_at(const trit_model *m, int i, struct trit_knob_info *out)
{
    const struct trit_knob *knob = i < 0 ? NULL : trit_knob_at((size_t)i);
    const struct trit_arch *usual = trit_arch_named(trit_string_of("bitnet-b1.58"));

    if (!knob)
        return false;
    *out = (struct trit_knob_info){
        .name = knob->name,
        .is_word = knob->kind == TRIT_KNOB_WORD,
        .notable =
            m->arch->open || trit_knob_get(knob, &m->knobs) != trit_knob_get(knob, &usual->knobs),
    };
    snprintf(out->value, sizeof out->value, "%.31s", trit_knob_value(knob, &m->knobs).text);
    return true;
}
