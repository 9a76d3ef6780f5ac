/* plan.c - see plan.h. */
#include "plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "half.h"
#include "model.h"
#include "str.h"

/* The most tensors of a slot: a linear, its bias, and the weight and bias of its norm. The most
 * outside the layers: two embeddings, frequencies, weight and bias of the final norm, the head, its
 * scale, and the weight and bias of its norm. */
enum { MAX_PER_SLOT = 4, MAX_OUTSIDE = 9 };

struct planner {
    struct trit_plan *plan;
    struct trit_notes *notes;
    struct trit_error *err;
};

#define FAIL(p, t, code, ...)                                                                      \
    trit_fail_tensor((p)->err, code, trit_weights_path((p)->plan->weights, t), (t)->name,          \
                     __VA_ARGS__)

/* ---- One tensor of the checkpoint ------------------------------------------------------------ */

/* Find a tensor. If there is none, fail, or set *out to NULL if it is optional. */
static trit_status find(const struct planner *p, const char *name, bool optional,
                        const struct trit_weight **out)
{
    const struct trit_weights *w = p->plan->weights;

    *out = trit_weights_find(w, name);
    if (*out && trit_names_ignores(p->plan->names, (*out)->name))
        return FAIL(p, *out, TRIT_E_FILE, "is needed, but the file of names ignores it");
    if (*out && p->plan->used[*out - w->tensors])
        return FAIL(p, *out, TRIT_E_FILE, "is used twice; the file of names is wrong");
    if (*out)
        p->plan->used[*out - w->tensors] = true;
    else if (!optional)
        return trit_fail(p->err, TRIT_E_FILE,
                         "the checkpoint has no tensor '%s'; its family (%s) needs it",
                         trit_quote_text(name).text, p->plan->config->family->what);
    return TRIT_OK;
}

static trit_status check_shape(const struct planner *p, const struct trit_weight *t, size_t n_rows,
                               size_t n_cols)
{
    const struct trit_weights_shape shape = trit_weights_shape(t);

    if (t->n_dims == 2 && t->dims[0] == n_rows && t->dims[1] == n_cols)
        return TRIT_OK;
    if (t->n_dims == 1 && n_rows == 1 && t->dims[0] == n_cols)
        return TRIT_OK;
    if (n_rows == 1)
        return FAIL(p, t, TRIT_E_FILE, "has shape %s; expected [%zu]", shape.text, n_cols);
    return FAIL(p, t, TRIT_E_FILE, "has shape %s; expected [%zu, %zu]", shape.text, n_rows, n_cols);
}

static trit_status check_float(const struct planner *p, const struct trit_weight *t,
                               enum trit_format *format)
{
    static const struct {
        const char *dtype;
        enum trit_format format;
    } floats[] = {{"BF16", TRIT_FORMAT_BF16}, {"F16", TRIT_FORMAT_F16}, {"F32", TRIT_FORMAT_F32}};

    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        if (strcmp(t->dtype, floats[i].dtype) == 0) {
            *format = floats[i].format;
            return TRIT_OK;
        }
    return FAIL(p, t, TRIT_E_UNSUPPORTED, "has type %s; supported are BF16, F16 and F32", t->dtype);
}

static struct trit_planned *add_tensor(struct trit_plan *plan, const char *name,
                                       enum trit_planned_kind kind, const struct trit_weight *from,
                                       size_t n_rows, size_t n_cols)
{
    struct trit_planned *t = &plan->tensors[plan->n++];

    *t = (struct trit_planned){.kind = kind, .from = from, .n_rows = n_rows, .n_cols = n_cols};
    snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

/* A vector or a matrix of floats. */
static trit_status plan_floats(const struct planner *p, int32_t layer, const char *slot,
                               enum trit_name_end end, size_t n_rows, size_t n_cols)
{
    const enum trit_planned_kind kind = n_rows > 1 ? TRIT_PLANNED_MATRIX : TRIT_PLANNED_VECTOR;
    const struct trit_weight *from;
    enum trit_format format = TRIT_FORMAT_F32;
    char name[64], source[TRIT_MAX_NAME];
    trit_status status;

    trit_names_target(name, layer, slot, end);
    trit_names_source(source, p->plan->names, layer, slot, end);
    if ((status = find(p, source, false, &from)) || (status = check_float(p, from, &format)) ||
        (status = check_shape(p, from, n_rows, n_cols)))
        return status;
    add_tensor(p->plan, name, kind, from, n_rows, n_cols)->format = format;
    return TRIT_OK;
}

/* The weight of a norm, and its bias if it has one. own: the norm on the input of a linear. */
static trit_status plan_norm(const struct planner *p, int32_t layer, const char *slot, bool own,
                             bool bias, size_t n)
{
    const trit_status status =
        plan_floats(p, layer, slot, own ? TRIT_NAME_NORM_WEIGHT : TRIT_NAME_WEIGHT, 1, n);

    if (status || !bias)
        return status;
    return plan_floats(p, layer, slot, own ? TRIT_NAME_NORM_BIAS : TRIT_NAME_BIAS, 1, n);
}

/* ---- Linears --------------------------------------------------------------------------------- */

/* The value of +1 in packed weights, by the convention that the config names. */
static trit_status read_scale(const struct planner *p, const struct trit_weight *t, float *out)
{
    const struct trit_config *c = p->plan->config;
    enum trit_format format = TRIT_FORMAT_F32;
    struct trit_kernels scalar;
    float stored;

    const trit_status status = check_float(p, t, &format);
    if (status)
        return status;
    if (t->n_bytes != trit_format_bytes(format, 1))
        return FAIL(p, t, TRIT_E_FILE, "has shape %s; expected [1], a scale",
                    trit_weights_shape(t).text);
    trit_kernels_init_scalar(&scalar);
    scalar.decode[format](&stored, t->data, 1);
    *out = c->scale == TRIT_SCALE_DIVIDES ? 1.0f / stored : stored;
    if (isfinite(stored) && stored > 0.0f && isfinite(*out) && *out > 0.0f)
        return TRIT_OK;
    return FAIL(p, t, TRIT_E_FILE, "is a scale of %g; it must be positive%s", (double)stored,
                isfinite(stored) && stored > 0.0f ? " and have an inverse" : "");
}

static trit_status plan_packed(const struct planner *p, struct trit_planned *t,
                               const char *scale_name)
{
    const size_t n_packed = (t->n_rows + 3) / 4;
    const struct trit_weight *scale;
    trit_status status;

    t->kind = TRIT_PLANNED_PACKED;
    p->plan->n_packed++;
    if (t->from->n_dims != 2 || t->from->dims[0] != n_packed || t->from->dims[1] != t->n_cols)
        return FAIL(p, t->from, TRIT_E_FILE,
                    "has shape %s, which is %llu rows, four to a byte; expected [%zu, %zu], which "
                    "is %zu rows",
                    trit_weights_shape(t->from).text, (unsigned long long)t->from->dims[0] * 4,
                    n_packed, t->n_cols, t->n_rows);
    if ((status = find(p, scale_name, false, &scale)))
        return status;
    if (!p->plan->config->scale_why)
        return FAIL(p, t->from, TRIT_E_FILE,
                    "is packed (U8), but config.json has no quantization_config, which would say "
                    "whether its scale multiplies or divides");
    return read_scale(p, scale, &t->scale);
}

/* Floats that will be ternary: masters, or ternary ones with a scale of their own beside. */
static trit_status plan_master(const struct planner *p, struct trit_planned *t,
                               const char *scale_name)
{
    const struct trit_config *c = p->plan->config;
    const struct trit_weight *scale;
    trit_status status;

    p->plan->n_masters++;
    if (strcmp(t->from->dtype, "I8") == 0)
        return FAIL(p, t->from, TRIT_E_UNSUPPORTED,
                    "has type I8, a weight to a byte; supported are U8, four weights to a byte, "
                    "with a scale, and the floats BF16, F16 and F32");
    if ((status = check_float(p, t->from, &t->format)) ||
        (status = check_shape(p, t->from, t->n_rows, t->n_cols)) ||
        (status = find(p, scale_name, true, &scale)))
        return status;
    if (!scale || trit_family_ignores(c->family, scale->name))
        return TRIT_OK;
    if (c->offline)
        return read_scale(p, scale, &t->scale);
    return FAIL(p, scale, TRIT_E_UNSUPPORTED,
                "is the scale of a tensor that is not packed (U8); its meaning is unknown, unless "
                "quantization_config has linear_class autobitlinear and quantization_mode offline");
}

/* A linear that modules_to_not_convert names. */
static trit_status plan_kept(const struct planner *p, struct trit_planned *t)
{
    trit_status status;

    t->kind = TRIT_PLANNED_KEPT;
    p->plan->n_kept++;
    if (strcmp(t->from->dtype, "U8") == 0)
        return FAIL(p, t->from, TRIT_E_FILE,
                    "is packed (U8), but modules_to_not_convert of config.json names it");
    status = check_float(p, t->from, &t->format);
    return status ? status : check_shape(p, t->from, t->n_rows, t->n_cols);
}

/* What the config says about the bias of a linear. */
static enum trit_bias bias_of(const struct trit_config *c, const char *slot)
{
    const bool attn = strncmp(slot, "attn_", 5) == 0;

    if (c->arch->open)
        return TRIT_BIAS_NEVER;
    if (attn && c->family->qkv_bias)
        return strcmp(slot, "attn_output") == 0 ? TRIT_BIAS_NEVER : TRIT_BIAS_MUST;
    return attn ? c->attn_bias : c->mlp_bias;
}

/* The words for whether there is a bias: the key that says so, or the family. */
static const char *why_bias(const struct trit_config *c, const char *slot)
{
    const bool attn = strncmp(slot, "attn_", 5) == 0;
    const bool must = bias_of(c, slot) == TRIT_BIAS_MUST;

    if (attn && c->family->qkv_bias)
        return must ? "its family always has biases there" : "its family has none there";
    if (attn)
        return must ? "attention_bias of config.json is true"
                    : "attention_bias of config.json is false";
    return must ? "mlp_bias of config.json is true" : "mlp_bias of config.json is false";
}

/* of: its linear. */
static trit_status plan_bias(const struct planner *p, int32_t layer, const char *slot,
                             const struct trit_planned *of)
{
    const struct trit_config *c = p->plan->config;
    const enum trit_bias bias = bias_of(c, slot);
    const struct trit_weight *from;
    enum trit_format format = TRIT_FORMAT_F32;
    char name[64], source[TRIT_MAX_NAME];
    trit_status status;

    if (c->arch->open)
        return TRIT_OK;
    trit_names_source(source, p->plan->names, layer, slot, TRIT_NAME_BIAS);
    from = trit_weights_find(p->plan->weights, source);
    if (from && bias == TRIT_BIAS_NEVER && !trit_names_ignores(p->plan->names, from->name))
        return FAIL(p, from, TRIT_E_UNSUPPORTED, "is a bias, but %s", why_bias(c, slot));
    if (!from && bias == TRIT_BIAS_MUST)
        return trit_fail(p->err, TRIT_E_FILE, "the checkpoint has no tensor '%s', but %s", source,
                         why_bias(c, slot));
    if (!from || trit_names_ignores(p->plan->names, from->name))
        return TRIT_OK;
    if ((status = find(p, source, false, &from)))
        return status;
    trit_names_target(name, layer, slot, TRIT_NAME_BIAS);
    if ((status = check_float(p, from, &format)) || (status = check_shape(p, from, 1, of->n_rows)))
        return status;
    struct trit_planned *t = add_tensor(p->plan, name, TRIT_PLANNED_BIAS, from, 1, of->n_rows);
    t->format = format;
    t->head_rows = of->head_rows;
    t->scale = c->offline && of->kind != TRIT_PLANNED_KEPT ? of->scale : 1.0f;
    return TRIT_OK;
}

static trit_status plan_linear(const struct planner *p, int32_t layer, const struct trit_slot *s)
{
    const struct trit_config *c = p->plan->config;
    const size_t n_cols = trit_width(&c->knobs, s->in), n_rows = trit_width(&c->knobs, s->out);
    const bool rotates = strcmp(s->name, "attn_q") == 0 || strcmp(s->name, "attn_k") == 0;
    char name[64], source[TRIT_MAX_NAME], scale_name[TRIT_MAX_NAME], module[TRIT_MAX_NAME];
    const struct trit_weight *from;
    trit_status status;

    trit_names_target(name, layer, s->name, TRIT_NAME_WEIGHT);
    trit_names_source(source, p->plan->names, layer, s->name, TRIT_NAME_WEIGHT);
    trit_names_source(scale_name, p->plan->names, layer, s->name, TRIT_NAME_SCALE);
    if ((status = find(p, source, false, &from)))
        return status;
    struct trit_planned *t = add_tensor(p->plan, name, TRIT_PLANNED_MASTER, from, n_rows, n_cols);
    t->head_rows = c->knobs.rope == TRIT_ROPE_PAIRS && rotates ? (size_t)c->knobs.head_dim : 0;
    t->scale = 1.0f;
    snprintf(module, sizeof module, "%s", source);
    if (trit_string_ends(from->name, ".weight"))
        module[strlen(module) - strlen(".weight")] = '\0';
    const bool kept = !c->arch->open && trit_config_keeps(c, module);
    status = kept                             ? plan_kept(p, t)
             : strcmp(from->dtype, "U8") == 0 ? plan_packed(p, t, scale_name)
                                              : plan_master(p, t, scale_name);
    if (!status)
        status = plan_bias(p, layer, s->name, t);
    if (status || kept || c->knobs.linear_norm == TRIT_LINEAR_NORM_NONE)
        return status;
    return plan_norm(p, layer, s->name, true, c->knobs.linear_norm == TRIT_LINEAR_NORM_LAYER,
                     n_cols);
}

static trit_status plan_layer(const struct planner *p, int32_t layer)
{
    const struct trit_config *c = p->plan->config;
    const struct trit_slot *s;
    trit_status status = TRIT_OK;

    for (size_t i = 0; !status && (s = trit_slot_at(i)); i++) {
        if (!trit_slot_exists(s, &c->knobs))
            continue;
        status = s->kind == TRIT_LINEAR
                     ? plan_linear(p, layer, s)
                     : plan_norm(p, layer, s->name, false, c->knobs.norm == TRIT_NORM_LAYER,
                                 trit_width(&c->knobs, s->in));
    }
    return status;
}

/* ---- The rest -------------------------------------------------------------------------------- */

/* The head of a tied model is left out, but it must be valid. */
static trit_status leave_out_head(const struct planner *p, const struct trit_weight *head)
{
    const struct trit_config *c = p->plan->config;
    char source[TRIT_MAX_NAME];
    enum trit_format format;
    trit_status status;

    if ((status = check_float(p, head, &format)) ||
        (status = check_shape(p, head, (size_t)c->n_vocab, (size_t)c->knobs.n_embd)))
        return status;
    p->plan->used[head - p->plan->weights->tensors] = true;
    trit_names_source(source, p->plan->names, -1, "token_embd", TRIT_NAME_WEIGHT);
    const struct trit_weight *embd = trit_weights_find(p->plan->weights, source);
    const bool same = embd && strcmp(embd->dtype, head->dtype) == 0 &&
                      embd->n_bytes == head->n_bytes &&
                      memcmp(embd->data, head->data, head->n_bytes) == 0;
    trit_note(p->notes, "%s is left out: tie_word_embeddings makes the embedding the head%s",
              trit_quote(head->name).text,
              same ? ""
                   : "; the two differ, so if the head was trained, set tie_word_embeddings to "
                     "false");
    return TRIT_OK;
}

/* Whether the head is a BitLinear: it is packed, or was not left out of those to convert. */
static bool head_is_ternary(const struct trit_config *c, const struct trit_weight *head)
{
    const bool packed = strcmp(head->dtype, "U8") == 0;
    const bool autobit = c->scale_why && c->scale == TRIT_SCALE_MULTIPLIES;

    return !c->arch->open && (packed || (autobit && c->kept && !trit_config_keeps(c, "lm_head")));
}

/* Its values become floats, with a scale beside. */
static trit_status plan_ternary_head(const struct planner *p, const char *source)
{
    const struct trit_config *c = p->plan->config;
    const size_t n_cols = (size_t)c->knobs.n_embd;
    const struct trit_weight *from;
    char scale_name[TRIT_MAX_NAME];
    trit_status status;

    if ((status = find(p, source, false, &from)))
        return status;
    if (trit_config_keeps(c, "lm_head"))
        return FAIL(p, from, TRIT_E_FILE,
                    "is packed (U8), but modules_to_not_convert of config.json names it");
    trit_names_source(scale_name, p->plan->names, -1, "output", TRIT_NAME_SCALE);
    struct trit_planned *t =
        add_tensor(p->plan, "output.weight", TRIT_PLANNED_MASTER, from, (size_t)c->n_vocab, n_cols);
    t->scale = 1.0f;
    status = strcmp(from->dtype, "U8") == 0 ? plan_packed(p, t, scale_name)
                                            : plan_master(p, t, scale_name);
    if (status)
        return status;
    p->plan->ternary_head = true;
    add_tensor(p->plan, "output.scale", TRIT_PLANNED_SCALE, NULL, 1, 1);
    trit_note(p->notes, "the head is ternary, too: its values are kept as floats beside a scale, "
                        "and its activations are quantized");
    if (c->knobs.linear_norm == TRIT_LINEAR_NORM_NONE)
        return TRIT_OK;
    return plan_norm(p, -1, "output", true, c->knobs.linear_norm == TRIT_LINEAR_NORM_LAYER, n_cols);
}

/* The head: a tensor of its own, or the embedding. */
static trit_status plan_head(const struct planner *p)
{
    const struct trit_config *c = p->plan->config;
    const struct trit_weight *head;
    char source[TRIT_MAX_NAME];

    trit_names_source(source, p->plan->names, -1, "output", TRIT_NAME_WEIGHT);
    head = trit_weights_find(p->plan->weights, source);
    p->plan->tied = c->tied == TRIT_TIED || (c->tied == TRIT_TIED_UNSAID && !head);
    if (c->tied == TRIT_TIED_UNSAID)
        trit_note(p->notes,
                  "the head is %s: config.json has no tie_word_embeddings, and there is "
                  "%s tensor %s",
                  head ? "a tensor of its own" : "the embedding", head ? "a" : "no", source);
    if (!p->plan->tied && head && head_is_ternary(c, head))
        return plan_ternary_head(p, source);
    if (!p->plan->tied)
        return plan_floats(p, -1, "output", TRIT_NAME_WEIGHT, (size_t)c->n_vocab,
                           (size_t)c->knobs.n_embd);
    return head && !trit_names_ignores(p->plan->names, head->name) ? leave_out_head(p, head)
                                                                   : TRIT_OK;
}

/* Note the lines of the file of names that ignore a tensor which does not exist: perhaps a typo. */
static void note_idle_lines(const struct planner *p)
{
    const struct trit_weights *w = p->plan->weights;
    const struct trit_names *names = p->plan->names;

    for (size_t i = 0; i < names->n; i++) {
        const struct trit_names line = {.pairs = &names->pairs[i], .n = 1};
        const char *source = names->pairs[i].source;
        size_t t = 0;
        if (names->pairs[i].target)
            continue;
        while (t < w->n && !trit_names_ignores(&line, w->tensors[t].name))
            t++;
        if (t == w->n)
            trit_note(p->notes,
                      "line %zu of the file of names ignores '%s', but no tensor has that name",
                      names->pairs[i].line, trit_quote_text(source).text);
    }
}

/* Refuse unused tensors: each could change the result. */
static trit_status check_unused(const struct planner *p)
{
    const struct trit_weights *w = p->plan->weights;
    const struct trit_family *family = p->plan->config->family;
    struct trit_string ignored = {"", 0};
    size_t n_ignored = 0;

    for (size_t i = 0; i < w->n; i++) {
        if (p->plan->used[i])
            continue;
        if (trit_names_ignores(p->plan->names, w->tensors[i].name)) {
            trit_note(p->notes, "tensor %s is left out, as the file of names says",
                      trit_quote(w->tensors[i].name).text);
        } else if (!w->tensors[i].n_bytes ||
                   (!w->tensors[i].n_dims && *w->tensors[i].dtype == 'I')) {
            trit_note(p->notes, "tensor %s is left out: it is %s",
                      trit_quote(w->tensors[i].name).text,
                      w->tensors[i].n_bytes ? "a counter" : "empty");
        } else if (trit_family_ignores(family, w->tensors[i].name)) {
            ignored = w->tensors[i].name;
            n_ignored++;
        } else {
            return FAIL(p, &w->tensors[i], TRIT_E_UNSUPPORTED,
                        "is unknown to its family (%s); a file of names (--map) can say what "
                        "it is, or ignore it",
                        family->what);
        }
    }
    if (n_ignored)
        trit_note(p->notes,
                  "%zu tensors that the forward pass does not read are left out, such as %s",
                  n_ignored, trit_quote(ignored).text);
    return TRIT_OK;
}

static void note_linears(const struct planner *p)
{
    const struct trit_config *c = p->plan->config;

    if (p->plan->n_packed)
        trit_note(p->notes, "%zu linears are packed; their weight_scale %s the ternary values (%s)",
                  p->plan->n_packed, c->scale == TRIT_SCALE_DIVIDES ? "divides" : "multiplies",
                  c->scale_why);
    if (p->plan->n_kept)
        trit_note(p->notes,
                  "%zu linears stay in floats, as modules_to_not_convert says; their activations "
                  "are not quantized",
                  p->plan->n_kept);
    for (size_t i = 0; i < p->plan->n; i++)
        if (p->plan->tensors[i].head_rows) {
            trit_note(p->notes,
                      "rows of Q and K are rearranged: RoPE of architecture %s rotates neighbors",
                      c->family->arch);
            break;
        }
}

static trit_status plan_all(const struct planner *p)
{
    const struct trit_config *c = p->plan->config;
    const size_t n_embd = (size_t)c->knobs.n_embd;
    trit_status status;

    if ((status = plan_floats(p, -1, "token_embd", TRIT_NAME_WEIGHT, (size_t)c->n_vocab, n_embd)) ||
        (c->knobs.learned_positions &&
         (status = plan_floats(p, -1, "position_embd", TRIT_NAME_WEIGHT, (size_t)c->knobs.n_ctx,
                               n_embd))))
        return status;
    if (c->rope_original > 0)
        add_tensor(p->plan, "rope_freqs.weight", TRIT_PLANNED_FREQS, NULL, 1,
                   (size_t)c->knobs.n_rot / 2);
    for (int32_t i = 0; i < c->knobs.n_layer; i++)
        if ((status = plan_layer(p, i)))
            return status;
    if ((status =
             plan_norm(p, -1, "output_norm", false, c->knobs.norm == TRIT_NORM_LAYER, n_embd)) ||
        (status = plan_head(p)) || (status = trit_names_check(p->plan->names, p->err)) ||
        (status = check_unused(p)))
        return status;
    note_idle_lines(p);
    note_linears(p);
    return TRIT_OK;
}

trit_status trit_plan_make(struct trit_plan *plan, struct trit_notes *notes, struct trit_error *err)
{
    const struct planner p = {plan, notes, err};
    size_t n_slots = 0;

    while (trit_slot_at(n_slots))
        n_slots++;
    const size_t most = (size_t)plan->config->knobs.n_layer * n_slots * MAX_PER_SLOT + MAX_OUTSIDE;

    plan->n = plan->n_packed = plan->n_masters = plan->n_kept = 0;
    plan->tensors = calloc(most, sizeof *plan->tensors);
    plan->used = calloc(plan->weights->n + 1, sizeof *plan->used);
    if (!plan->tensors || !plan->used)
        return trit_fail_memory(err, most * sizeof *plan->tensors, "the list of tensors");
    return plan_all(&p);
}

void trit_plan_free(struct trit_plan *plan)
{
    free(plan->tensors);
    free(plan->used);
    plan->tensors = NULL;
    plan->used = NULL;
}
