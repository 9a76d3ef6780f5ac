/* knobs.c - see knobs.h. */
#include "knobs.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "str.h"

/* ---- The table ------------------------------------------------------------------------------- */

static const char *const blocks[] = {"pre", "post"};
static const char *const norms[] = {"rms", "layer"};
static const char *const ffns[] = {"gated", "plain"};
static const char *const linear_norms[] = {"none", "rms", "layer"};
static const char *const hadamards[] = {"none", "before", "after"};
static const char *const act_forms[] = {"mul", "div"};
static const char *const act_dequants[] = {"standard", "legacy_div"};
static const char *const linear_posts[] = {"none", "relu2"};

#define AT(member)                                                                                 \
#member, .offset = offsetof(struct trit_knobs, member),                                        \
             .size = sizeof(((struct trit_knobs *)NULL)->member)
#define WORDS(list) .kind = TRIT_KNOB_WORD, .words = list, .n_words = sizeof list / sizeof *list
#define BOOL .kind = TRIT_KNOB_BOOL
#define INT(least, most) .kind = TRIT_KNOB_INT, .lo = least, .hi = most
#define REAL(least, most) .kind = TRIT_KNOB_REAL, .lo = least, .hi = most

#define IMPLIED(type) .kind = TRIT_KNOB_##type, .implied = true

/* The implied ones in the order of the fingerprint, then the others in the order of `trit info`.
 * n_ctx, n_window and ffn_act_why are not here: they change no logits. act_bits determines
 * act_max. */
static const struct trit_knob knobs[] = {
    {AT(n_layer), IMPLIED(INT)},
    {AT(n_embd), IMPLIED(INT)},
    {AT(n_head), IMPLIED(INT)},
    {AT(n_head_kv), IMPLIED(INT)},
    {AT(head_dim), IMPLIED(INT)},
    {AT(n_ff), IMPLIED(INT)},
    {AT(attn_sub_norm), IMPLIED(BOOL)},
    {AT(ffn_sub_norm), IMPLIED(BOOL)},
    {AT(ffn_act), IMPLIED(WORD)},
    {AT(rope), IMPLIED(WORD)},
    {AT(n_rot), IMPLIED(INT)},
    {AT(norm_eps), IMPLIED(REAL)},
    {AT(rope_base), IMPLIED(REAL)},
    {AT(rope_factor), IMPLIED(REAL)},
    {AT(causal), BOOL},
    {AT(block), WORDS(blocks)},
    {AT(norm), WORDS(norms)},
    {AT(attn_in_norm), BOOL},
    {AT(ffn), WORDS(ffns)},
    {AT(learned_positions), BOOL},
    {AT(linear_norm), WORDS(linear_norms)},
    {AT(linear_norm_eps), REAL(0, 1)},
    {AT(hadamard), WORDS(hadamards)},
    {AT(hadamard_norm), BOOL},
    {AT(hadamard_output), BOOL},
    {AT(act_bits), INT(2, 8)},
    {AT(act_eps), REAL(1e-30, 1)},
    {AT(act_form), WORDS(act_forms)},
    {AT(act_dequant), WORDS(act_dequants)},
    {AT(linear_post), WORDS(linear_posts)},
    {AT(exit_norm), BOOL},
    {AT(exit_min_layers), INT(0, 1024)},
    {AT(exit_threshold), REAL(0, 1)},
};
enum { N_KNOBS = sizeof knobs / sizeof *knobs };

const struct trit_knob *trit_knob_at(size_t i)
{
    for (size_t k = 0; k < N_KNOBS; k++)
        if (!knobs[k].implied && i-- == 0)
            return &knobs[k];
    return NULL;
}

const struct trit_knob *trit_knob_named(struct trit_string name)
{
    const struct trit_knob *knob;
    size_t i = 0;

    while ((knob = trit_knob_at(i++)) && !trit_string_is(name, knob->name))
        ;
    return knob;
}

/* ---- Values ---------------------------------------------------------------------------------- */

double trit_knob_get(const struct trit_knob *knob, const struct trit_knobs *k)
{
    const char *p = (const char *)k + knob->offset;
    int32_t i;
    double d;
    float f;
    bool b;

    switch (knob->kind) {
    case TRIT_KNOB_BOOL:
        memcpy(&b, p, sizeof b);
        return b;
    case TRIT_KNOB_REAL:
        if (knob->size == sizeof d) {
            memcpy(&d, p, sizeof d);
            return d;
        }
        memcpy(&f, p, sizeof f);
        return (double)f;
    default:
        assert(knob->size == sizeof i);
        memcpy(&i, p, sizeof i);
        return i;
    }
}

void trit_knob_set(const struct trit_knob *knob, struct trit_knobs *k, double value)
{
    char *p = (char *)k + knob->offset;
    const int32_t i = (int32_t)value;
    const float f = (float)value;
    const bool b = value != 0;

    switch (knob->kind) {
    case TRIT_KNOB_BOOL:
        memcpy(p, &b, sizeof b);
        break;
    case TRIT_KNOB_REAL:
        memcpy(p, &f, sizeof f);
        break;
    default:
        memcpy(p, &i, sizeof i);
    }
}

struct trit_knob_text trit_knob_range(const struct trit_knob *knob)
{
    struct trit_knob_text t = {""};

    if (knob->kind == TRIT_KNOB_BOOL)
        trit_append(t.text, sizeof t.text, "'true' or 'false'");
    if (knob->kind == TRIT_KNOB_INT || knob->kind == TRIT_KNOB_REAL)
        trit_append(t.text, sizeof t.text, "%g to %g", knob->lo, knob->hi);
    for (int i = 0; i < knob->n_words; i++)
        trit_append(t.text, sizeof t.text, "%s'%s'",
                    !i                       ? ""
                    : i + 1 == knob->n_words ? " or "
                                             : ", ",
                    knob->words[i]);
    return t;
}

struct trit_knob_text trit_knob_value(const struct trit_knob *knob, const struct trit_knobs *k)
{
    const double x = trit_knob_get(knob, k);
    struct trit_knob_text t;

    if (knob->kind == TRIT_KNOB_BOOL)
        snprintf(t.text, sizeof t.text, "%s", x != 0 ? "true" : "false");
    else if (knob->kind == TRIT_KNOB_WORD)
        snprintf(t.text, sizeof t.text, "%s", knob->words[(int)x]);
    else
        snprintf(t.text, sizeof t.text, "%.7g", x);
    return t;
}

/* False: the text is not one of the possible values. */
static bool parse(const struct trit_knob *knob, const char *text, double *x)
{
    char *end;

    switch (knob->kind) {
    case TRIT_KNOB_BOOL:
        *x = strcmp(text, "true") == 0;
        return *x != 0 || strcmp(text, "false") == 0;
    case TRIT_KNOB_WORD:
        for (int i = 0; i < knob->n_words; i++)
            if (strcmp(text, knob->words[i]) == 0) {
                *x = i;
                return true;
            }
        return false;
    default:
        *x = strtod(text, &end);
        return end != text && !*end && *x >= knob->lo && *x <= knob->hi &&
               (knob->kind == TRIT_KNOB_REAL || *x == floor(*x));
    }
}

trit_status trit_knob_parse(const struct trit_knob *knob, struct trit_knobs *k,
                            struct trit_string text, struct trit_error *err)
{
    char value[64];
    double x = 0;

    snprintf(value, sizeof value, "%.*s", (int)(text.len < 63 ? text.len : 63), text.bytes);
    if (text.len >= sizeof value || !parse(knob, value, &x))
        return trit_fail(err, TRIT_E_ARGUMENT, "knob '%s' is '%s'; it must be %s", knob->name,
                         trit_quote(text).text, trit_knob_range(knob).text);
    trit_knob_set(knob, k, x);
    return TRIT_OK;
}

trit_status trit_knobs_apply(struct trit_knobs *k, const char *text, struct trit_error *err)
{
    trit_status status = TRIT_OK;

    while (text && *text && !status) {
        const struct trit_string name = {text, strcspn(text, "=")};
        const char *value = text + name.len + (text[name.len] == '=');
        const size_t len = strcspn(value, " ");
        const struct trit_knob *knob = trit_knob_named(name);
        status = knob ? trit_knob_parse(knob, k, (struct trit_string){value, len}, err)
                      : trit_fail(err, TRIT_E_ARGUMENT, "unknown knob '%s'", trit_quote(name).text);
        text = value + len + strspn(value + len, " ");
    }
    return status;
}

/* Implied whole numbers are hashed as int64, all other values as doubles. Session files depend on
 * this. */
void trit_knobs_hash(const struct trit_knobs *k, struct trit_hash *h)
{
    for (size_t i = 0; i < N_KNOBS; i++) {
        const double value = trit_knob_get(&knobs[i], k);
        const int64_t whole = (int64_t)value;
        if (knobs[i].implied && knobs[i].kind != TRIT_KNOB_REAL)
            trit_hash_add(h, &whole, sizeof whole);
        else
            trit_hash_add(h, &value, sizeof value);
    }
    if (k->qk_norm) /* session files are older than it */
        trit_hash_add(h, &k->qk_norm, sizeof k->qk_norm);
}

/* ---- Consistency ----------------------------------------------------------------------------- */

static trit_status check_width(const char *whose, int32_t width, struct trit_error *why)
{
    if ((width & (width - 1)) == 0 && width <= TRIT_MAX_HADAMARD)
        return TRIT_OK;
    return trit_fail(why, TRIT_E_UNSUPPORTED,
                     "asks for Hadamard transforms, which need row widths that are powers of two "
                     "up to %d; those of %s are %d wide",
                     TRIT_MAX_HADAMARD, whose, width);
}

static trit_status check_hadamard(const struct trit_knobs *k, struct trit_error *why)
{
    trit_status status;

    if (k->hadamard == TRIT_HADAMARD_NONE && !k->hadamard_output)
        return TRIT_OK;
    if ((status = check_width("the model", k->n_embd, why)) ||
        (status = check_width("all query heads", k->n_head * k->head_dim, why)) ||
        (status = check_width("the FFN", k->n_ff, why)))
        return status;
    return k->hadamard_output ? check_width("all KV heads", k->n_head_kv * k->head_dim, why)
                              : TRIT_OK;
}

trit_status trit_knobs_finish(struct trit_knobs *k, struct trit_error *why)
{
    k->act_max = (float)((1 << (k->act_bits - 1)) - 1);
    if (k->attn_in_norm && k->block != TRIT_BLOCK_POST)
        return trit_fail(why, TRIT_E_UNSUPPORTED,
                         "asks for attn_in_norm, which requires block 'post'");
    if (k->linear_norm != TRIT_LINEAR_NORM_NONE && !(k->linear_norm_eps > 0))
        return trit_fail(why, TRIT_E_FILE,
                         "has norms on its linears, but trit.linear_norm_eps is missing");
    return check_hadamard(k, why);
}
