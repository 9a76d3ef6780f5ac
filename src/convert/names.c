/* names.c - see names.h. */
#include "names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "platform.h"

/* Transformers' names, those of layers below model.layers.N. Sub-norms are the family's. */
static const struct {
    const char *slot, *source;
} rules[] = {
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
};

static const char *rule(const struct trit_family *family, const char *slot)
{
    if (strcmp(slot, "attn_sub_norm") == 0)
        return family->attn_sub;
    if (strcmp(slot, "ffn_sub_norm") == 0)
        return family->ffn_sub;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (strcmp(rules[i].slot, slot) == 0)
            return rules[i].source;
    return slot;
}

/* ---- Patterns -------------------------------------------------------------------------------- */

/* The number that text has in the place of {}: -1 if it does not match, -2 if there is no {}. */
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

/* Whether a target is one that some model here has. */
static bool is_target(const char *target)
{
    const struct trit_slot *s;
    char known[96];

    for (size_t i = 0; i < 3; i++) {
        snprintf(known, sizeof known, "%s.weight", rules[i].slot);
        if (strcmp(target, known) == 0)
            return true;
    }
    if (strncmp(target, "blk.", 4) != 0)
        return false;
    target += 4 + (strncmp(target + 4, "{}", 2) == 0 ? 2 : strspn(target + 4, "0123456789"));
    if (*target++ != '.')
        return false;
    for (size_t i = 0; (s = trit_slot_at(i)); i++) {
        static const char *const ends[] = {"%s.weight", "%s.scale", "%s_norm_in.weight"};
        for (size_t e = 0; e < (s->kind == TRIT_LINEAR ? 3 : 1); e++) {
            snprintf(known, sizeof known, ends[e], s->name);
            if (strcmp(target, known) == 0)
                return true;
        }
    }
    return false;
}

/* The text without blanks at its ends, which become NULs. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
        *--end = '\0';
    return text;
}

/* More than one {} would leave open which is the number. */
static bool has_two_holes(const char *text)
{
    const char *hole = strstr(text, "{}");
    return hole && strstr(hole + 2, "{}");
}

/* What a pair has in common with an earlier one; NULL: nothing. */
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

static struct trit_quoted quoted(const char *text)
{
    return trit_quote((struct trit_string){text, strlen(text)});
}

/* Take one line apart. @return TRIT_OK, or TRIT_E_FILE with the rest of a sentence that begins with
 * the line */
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
        return trit_fail(why, TRIT_E_FILE,
                         "has no tensor of the checkpoint, or too long a name, before '='");
    if (strcmp(target, "ignore") == 0)
        target = NULL;
    else if (!is_target(target))
        return trit_fail(why, TRIT_E_FILE,
                         "has '%s' behind '=', which is none of this program's tensors (such as "
                         "blk.{}.attn_q.weight), nor 'ignore'",
                         quoted(target).text);
    else if (!strstr(target, "{}") != !strstr(source, "{}"))
        return trit_fail(why, TRIT_E_FILE, "has {} on one side only");
    if (has_two_holes(source))
        return trit_fail(why, TRIT_E_FILE, "has {} twice in one name");
    const char *again = repeated(names, source, target);
    if (again)
        return trit_fail(why, TRIT_E_FILE, "names '%s' a second time", quoted(again).text);
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
        return trit_fail(err, TRIT_E_FILE, "%s: holds a NUL; expected is text", path);
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

/* The source that the file gives a target; false: none. */
static bool given(char out[TRIT_MAX_NAME], struct trit_names *names, const char *target)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct trit_string text = {target, strlen(target)};
        const int32_t n = names->pairs[i].target ? match(names->pairs[i].target, text) : -1;
        if (n != -1) {
            names->pairs[i].used = true;
            fill(out, names->pairs[i].source, n);
            return true;
        }
    }
    return false;
}

/* Put `end` in the place of ".weight" at the end of a name, or behind it. */
static void change_end(char name[TRIT_MAX_NAME], const char *end)
{
    static const char weight[] = ".weight";
    size_t len = strlen(name);

    if (len > sizeof weight - 1 && strcmp(name + len - (sizeof weight - 1), weight) == 0)
        len -= sizeof weight - 1;
    snprintf(name + len, TRIT_MAX_NAME - len, "%s", end);
}

void trit_names_source(char out[TRIT_MAX_NAME], struct trit_names *names,
                       const struct trit_family *family, int32_t layer, const char *slot,
                       const char *what)
{
    const bool scale = strcmp(what, "scale") == 0, norm = strcmp(what, "norm_in") == 0;
    char target[96];

    if (layer < 0)
        snprintf(target, sizeof target, "%s.weight", slot);
    else
        snprintf(target, sizeof target, "blk.%d.%s%s", layer, slot,
                 scale  ? ".scale"
                 : norm ? "_norm_in.weight"
                        : ".weight");
    if (given(out, names, target))
        return;
    if (scale || norm) { /* beside the weight, wherever that is */
        trit_names_source(out, names, family, layer, slot, "weight");
        change_end(out, scale ? ".weight_scale" : ".rms_norm.weight");
    } else if (layer < 0) {
        snprintf(out, TRIT_MAX_NAME, "%s.weight", rule(family, slot));
    } else {
        snprintf(out, TRIT_MAX_NAME, "model.layers.%d.%s.weight", layer, rule(family, slot));
    }
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
                             "%s: line %zu: this model has no %s, which '%s' is to be", names->path,
                             p->line, p->target, quoted(p->source).text);
    }
    return TRIT_OK;
}
