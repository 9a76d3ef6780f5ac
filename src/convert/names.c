/* names.c - see names.h. */
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "platform.h"
#include "str.h"

/* The ends of names in a GGUF. */
static const char *const ends[] = {
    [TRIT_NAME_WEIGHT] = ".weight",
    [TRIT_NAME_BIAS] = ".bias",
    [TRIT_NAME_SCALE] = ".scale",
    [TRIT_NAME_NORM_WEIGHT] = "_norm_in.weight",
    [TRIT_NAME_NORM_BIAS] = "_norm_in.bias",
};
enum { N_ENDS = sizeof ends / sizeof *ends };

/* The tensors outside the layers. */
static const char *const outside[] = {"token_embd", "position_embd", "output_norm", "output"};

/* ---- Patterns -------------------------------------------------------------------------------- */

/* The number in text at the position of {}. -1: text does not match; -2: the pattern has no {}. */
static int32_t match(const char *pattern, struct trit_string text)
{
    const char *hole = strstr(pattern, "{}");
    const size_t before = hole ? (size_t)(hole - pattern) : strlen(pattern);
    const size_t after = hole ? strlen(hole + 2) : 0;
    int32_t n = 0;

    if (!hole)
        return text.len == before && memcmp(text.bytes, pattern, before) == 0 ? -2 : -1;
    if (text.len <= before + after || text.len - before - after > 6 ||
        memcmp(text.bytes, pattern, before) != 0 ||
        memcmp(text.bytes + text.len - after, hole + 2, after) != 0)
        return -1;
    for (size_t i = before; i < text.len - after; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9')
            return -1;
        n = 10 * n + (text.bytes[i] - '0');
    }
    return n;
}

static void fill(char out[TRIT_MAX_NAME], const char *pattern, int32_t n)
{
    const char *hole = strstr(pattern, "{}");

    if (hole && n >= 0)
        snprintf(out, TRIT_MAX_NAME, "%.*s%d%s", (int)(hole - pattern), pattern, n, hole + 2);
    else
        snprintf(out, TRIT_MAX_NAME, "%s", pattern);
}

/* ---- The file -------------------------------------------------------------------------------- */

/* Whether a name is that of a slot, with an end that such a slot may have. */
static bool is_slot(const char *name, const char *slot, bool norm, bool linear)
{
    for (size_t e = 0; e < N_ENDS; e++) {
        const bool may = e == TRIT_NAME_WEIGHT || linear || (e == TRIT_NAME_BIAS && norm);
        const size_t n = strlen(slot);
        if (may && strncmp(name, slot, n) == 0 && strcmp(name + n, ends[e]) == 0)
            return true;
    }
    return false;
}

/* Whether any model has a tensor of that name. */
static bool is_target(const char *target)
{
    const struct trit_slot *s;

    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        if (is_slot(target, outside[i], strcmp(outside[i], "output_norm") == 0, false))
            return true;
    if (strncmp(target, "blk.", 4) != 0)
        return false;
    target += 4 + (strncmp(target + 4, "{}", 2) == 0 ? 2 : strspn(target + 4, "0123456789"));
    if (*target++ != '.')
        return false;
    for (size_t i = 0; (s = trit_slot_at(i)); i++)
        if (is_slot(target, s->name, s->kind == TRIT_NORM, s->kind == TRIT_LINEAR))
            return true;
    return false;
}

/* The text without white space at its ends. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
        *--end = '\0';
    return text;
}

/* With two {}, it would be unclear which is the layer. */
static bool has_two_holes(const char *text)
{
    const char *hole = strstr(text, "{}");
    return hole && strstr(hole + 2, "{}");
}

/* The name that a pair shares with an earlier one, or NULL. */
static const char *repeated(const struct trit_names *names, const char *source, const char *target)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct trit_name_pair *p = &names->pairs[i];
        if (strcmp(p->source, source) == 0)
            return source;
        if (target && p->target && strcmp(p->target, target) == 0)
            return target;
    }
    return NULL;
}

/* Parse one line. @return TRIT_OK, or TRIT_E_FILE; the text is the rest of a sentence that begins
 * with the line */
static trit_status read_line(struct trit_names *names, char *line, size_t number,
                             struct trit_error *why)
{
    line[strcspn(line, "#")] = '\0';
    char *equals = strchr(line, '=');
    char *source = trim(line);

    if (!*source)
        return TRIT_OK;
    if (!equals)
        return trit_fail(why, TRIT_E_FILE, "has no '='");
    *equals = '\0';
    source = trim(source);
    char *target = trim(equals + 1);
    if (!*source || strlen(source) >= TRIT_MAX_NAME - 8)
        return trit_fail(why, TRIT_E_FILE, "has no name, or one that is too long, before '='");
    if (strcmp(target, "ignore") == 0)
        target = NULL;
    else if (!is_target(target))
        return trit_fail(why, TRIT_E_FILE,
                         "has '%s' after '='; it must be a tensor of a GGUF (such as "
                         "blk.{}.attn_q.weight) or 'ignore'",
                         trit_quote_text(target).text);
    else if (!strstr(target, "{}") != !strstr(source, "{}"))
        return trit_fail(why, TRIT_E_FILE, "has {} on one side only");
    if (has_two_holes(source))
        return trit_fail(why, TRIT_E_FILE, "has {} twice in one name");
    const char *again = repeated(names, source, target);
    if (again)
        return trit_fail(why, TRIT_E_FILE, "names '%s' a second time", trit_quote_text(again).text);
    names->pairs[names->n++] = (struct trit_name_pair){source, target, number, false};
    return TRIT_OK;
}

trit_status trit_names_read(struct trit_names *out, const char *path, struct trit_error *err)
{
    struct trit_bytes file;
    size_t n_lines = 1, number = 1;

    *out = (struct trit_names){.path = path};
    const trit_status status = trit_bytes_open(&file, path, false, err);
    if (status)
        return status;
    for (size_t i = 0; i < file.size; i++)
        n_lines += file.data[i] == '\n';
    out->text = malloc(file.size + 1);
    out->pairs = calloc(n_lines, sizeof *out->pairs);
    if (out->text && out->pairs) {
        memcpy(out->text, file.data, file.size);
        out->text[file.size] = '\0';
    }
    const size_t size = file.size;
    trit_bytes_close(&file);
    if (!out->text || !out->pairs)
        return trit_fail_memory(err, size, "the file of names");
    if (strlen(out->text) != size)
        return trit_fail(err, TRIT_E_FILE, "%s holds a NUL; it must be text", path);
    for (char *line = out->text, *next; line; line = next, number++) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        struct trit_error why;
        if (read_line(out, line, number, &why))
            return trit_fail(err, TRIT_E_FILE, "%s: line %zu %s", path, number, why.text);
    }
    return TRIT_OK;
}

void trit_names_free(struct trit_names *names)
{
    free(names->pairs);
    free(names->text);
    *names = (struct trit_names){0};
}

/* ---- Looking up ------------------------------------------------------------------------------ */

/* Find the source of a target in the file of names. @return false if it has none */
static bool given(char out[TRIT_MAX_NAME], struct trit_names *names, const char *target)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct trit_string text = trit_string_of(target);
        const int32_t n = names->pairs[i].target ? match(names->pairs[i].target, text) : -1;
        if (n != -1) {
            names->pairs[i].used = true;
            fill(out, names->pairs[i].source, n);
            return true;
        }
    }
    return false;
}

/* Replace ".weight" at the end of a name by `end`, or append that. */
static void change_end(char name[TRIT_MAX_NAME], const char *end)
{
    static const char weight[] = ".weight";
    size_t len = strlen(name);

    if (len > sizeof weight - 1 && strcmp(name + len - (sizeof weight - 1), weight) == 0)
        len -= sizeof weight - 1;
    snprintf(name + len, TRIT_MAX_NAME - len, "%s", end);
}

void trit_names_bind(struct trit_names *names, const struct trit_family *family,
                     const struct trit_weights *weights)
{
    static const char embedding[] = "embed_tokens.weight";

    names->family = family;
    names->weights = weights;
    snprintf(names->prefix, sizeof names->prefix, "model.");
    for (size_t i = 0; i < weights->n; i++) {
        const struct trit_string s = weights->tensors[i].name;
        if (!trit_string_ends(s, embedding) || s.len - strlen(embedding) >= sizeof names->prefix)
            continue;
        snprintf(names->prefix, sizeof names->prefix, "%.*s", (int)(s.len - strlen(embedding)),
                 s.bytes);
        if (strcmp(names->prefix, "model.") == 0)
            break; /* the usual prefix of transformers */
    }
}

void trit_names_target(char out[64], int32_t layer, const char *slot, enum trit_name_end end)
{
    if (layer < 0)
        snprintf(out, 64, "%s%s", slot, ends[end]);
    else
        snprintf(out, 64, "blk.%d.%s%s", layer, slot, ends[end]);
}

/* A name by the rules of the family, without its end. The head is outside of "model.". */
static void by_rule(char out[TRIT_MAX_NAME], const struct trit_names *names, int32_t layer,
                    const char *slot)
{
    static const char inner[] = "model.";
    const char *source = trit_family_source(names->family, slot);
    size_t n = strlen(names->prefix);

    if (strcmp(slot, "output") == 0 && n >= sizeof inner - 1 &&
        strcmp(names->prefix + n - (sizeof inner - 1), inner) == 0)
        n -= sizeof inner - 1;
    if (layer < 0)
        snprintf(out, TRIT_MAX_NAME, "%.*s%s", (int)n, names->prefix, source);
    else
        snprintf(out, TRIT_MAX_NAME, "%slayers.%d.%s", names->prefix, layer, source);
}

/* Append the name of the linear's input norm: the first candidate that the checkpoint has. */
static void input_norm(char name[TRIT_MAX_NAME], const struct trit_names *names, const char *end)
{
    const char *const *candidates = names->family->input_norms;
    const size_t len = strlen(name);
    size_t i = 0;

    do
        snprintf(name + len, TRIT_MAX_NAME - len, ".%s%s", candidates[i], end);
    while (!trit_weights_find(names->weights, name) && candidates[++i]);
    if (!candidates[i])
        snprintf(name + len, TRIT_MAX_NAME - len, ".%s%s", candidates[0], end);
}

void trit_names_source(char out[TRIT_MAX_NAME], struct trit_names *names, int32_t layer,
                       const char *slot, enum trit_name_end end)
{
    char target[64];

    trit_names_target(target, layer, slot, end);
    if (given(out, names, target))
        return;
    if (end == TRIT_NAME_WEIGHT) {
        by_rule(out, names, layer, slot);
        change_end(out, ".weight");
        return;
    }
    trit_names_source(out, names, layer, slot, TRIT_NAME_WEIGHT); /* next to it, wherever that is */
    change_end(out, end == TRIT_NAME_SCALE  ? ".weight_scale"
                    : end == TRIT_NAME_BIAS ? ".bias"
                                            : "");
    if (end == TRIT_NAME_NORM_WEIGHT || end == TRIT_NAME_NORM_BIAS)
        input_norm(out, names, end == TRIT_NAME_NORM_WEIGHT ? ".weight" : ".bias");
}

bool trit_names_ignores(const struct trit_names *names, struct trit_string source)
{
    for (size_t i = 0; i < names->n; i++)
        if (!names->pairs[i].target && match(names->pairs[i].source, source) != -1)
            return true;
    return false;
}

trit_status trit_names_check(const struct trit_names *names, struct trit_error *err)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct trit_name_pair *p = &names->pairs[i];
        if (p->target && !p->used)
            return trit_fail(err, TRIT_E_FILE,
                             "%s: line %zu: '%s' is mapped to %s, which this model does not have",
                             names->path, p->line, trit_quote_text(p->source).text, p->target);
    }
    return TRIT_OK;
}
