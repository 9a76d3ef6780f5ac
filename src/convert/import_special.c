/* import_special.c - added tokens, BOS and end tokens, and the chat template.
 *
 * Files may contradict each other. The tokenizer's files come before config.json, whose ids are
 * often left over from another vocabulary. */
#include <string.h>

#include "import.h"
#include "str.h"

/* ---- Added tokens ---------------------------------------------------------------------------- */

static trit_status read_added_tokens(struct trit_import *im)
{
    struct trit_json *json;
    trit_status status = trit_import_json(im, &json, "added_tokens.json");

    if (!status && json)
        status = trit_import_ids(im, trit_json_root(json), TRIT_TOKEN_USER_DEFINED);
    trit_json_free(&json);
    return status;
}

/* tokenizer_config.json's added_tokens_decoder: {"id": {"content": text, "special": …}}. */
static trit_status read_decoder(struct trit_import *im)
{
    const struct trit_json_value *list = trit_json_member(im->settings, "added_tokens_decoder");
    trit_status status = TRIT_OK;

    trit_import_at(im, "tokenizer_config.json");
    for (const struct trit_json_value *t = trit_json_first(list); t && !status;
         t = trit_json_next(t)) {
        const struct trit_string key = trit_json_key(t);
        const struct trit_string text = trit_json_text(trit_json_member(t, "content"));
        const bool special = trit_json_is_true(trit_json_member(t, "special"));
        int64_t id = 0;
        for (size_t i = 0; i < key.len && id >= 0; i++)
            id = key.bytes[i] >= '0' && key.bytes[i] <= '9' && id < INT32_MAX / 10
                     ? 10 * id + (key.bytes[i] - '0')
                     : -1;
        if (!key.len || id < 0 || !text.len)
            return trit_import_fail(im, TRIT_E_FILE,
                                    "added_tokens_decoder holds '%s', which has no id or content",
                                    trit_quote(key).text);
        status = trit_import_token(im, id, text,
                                   special ? TRIT_TOKEN_CONTROL : TRIT_TOKEN_USER_DEFINED, 0.0f);
    }
    return status;
}

/* ---- Where text begins and ends -------------------------------------------------------------- */

/* The id of a token that tokenizer_config.json names, as text or as {"content": text}; or -1. */
static int32_t named(struct trit_import *im, const char *key)
{
    const struct trit_json_value *v = trit_json_member(im->settings, key);
    const struct trit_string text = trit_json_type_of(v) == TRIT_JSON_OBJECT
                                        ? trit_json_text(trit_json_member(v, "content"))
                                        : trit_json_text(v);
    const int32_t id = text.len ? trit_import_find(im, text) : -1;

    if (text.len && id < 0)
        trit_note(im->notes, "tokenizer_config.json's %s is '%s', which is not a token", key,
                  trit_quote(text).text);
    return id;
}

/* Ids that a config lists, if the vocabulary has them. */
struct ids {
    int32_t id[16];
    size_t n;
};

static bool has(const struct ids *ids, int32_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->id[i] == id)
            return true;
    return false;
}

/* The ids at a key: one number or a list. */
static struct ids numbered(struct trit_import *im, const struct trit_json_value *config,
                           const char *file, const char *key)
{
    const struct trit_json_value *v = trit_json_member(config, key);
    const bool list = trit_json_type_of(v) == TRIT_JSON_ARRAY;
    struct ids out = {.n = 0};

    if (list)
        v = trit_json_first(v);
    for (size_t i = 0; v && i < sizeof out.id / sizeof *out.id; i++) {
        int64_t id;
        if (trit_json_int64(v, &id) && trit_import_is_token(im, id))
            out.id[out.n++] = (int32_t)id;
        else if (trit_json_int64(v, &id))
            trit_note(im->notes, "%s's %s is %lld, which is not a token", file, key, (long long)id);
        v = list ? trit_json_next(v) : NULL;
    }
    return out;
}

/* The ids that the two configs give for a token. */
struct said {
    struct ids by_generation, by_config;
};

/* Choose a token. In this order: the name in tokenizer_config.json; *out, which the files of the
 * vocabulary set; generation_config.json; config.json. A config that differs is noted. */
static struct said choose(struct trit_import *im, int32_t *out, const char *what,
                          const char *name_key, const char *id_key,
                          const struct trit_json_value *generation)
{
    const int32_t by_name = named(im, name_key);
    const struct said said = {numbered(im, generation, "generation_config.json", id_key),
                              numbered(im, im->config, "config.json", id_key)};
    const struct ids *by_generation = &said.by_generation, *by_config = &said.by_config;

    *out = by_name >= 0       ? by_name
           : *out >= 0        ? *out
           : by_generation->n ? by_generation->id[0]
           : by_config->n     ? by_config->id[0]
                              : -1;
    if (*out >= 0 && by_config->n && !has(by_config, *out))
        trit_note(im->notes, "%s is %d (%s), from the tokenizer; config.json says %d (%s)", what,
                  *out, trit_quote(im->v->tokens[*out].text).text, by_config->id[0],
                  trit_quote(im->v->tokens[by_config->id[0]].text).text);
    else if (*out >= 0 && (im->v->tokens[*out].type == TRIT_TOKEN_CONTROL))
        trit_note(im->notes, "%s is %d (%s)", what, *out,
                  trit_quote(im->v->tokens[*out].text).text);
    return said;
}

/* Add the other end tokens of a list. A GGUF has two more keys for end tokens. */
static void add_ends(struct trit_import *im, const struct ids *ids, const char *file)
{
    struct trit_vocabulary *v = im->v;

    for (size_t i = 0; i < ids->n; i++) {
        const int32_t id = ids->id[i];
        int32_t *to = v->eot < 0 ? &v->eot : &v->eom;
        const struct trit_quoted text = trit_quote(v->tokens[id].text);
        if (id == v->eos || id == v->eot || id == v->eom)
            continue;
        if (*to >= 0) {
            trit_note(im->notes, "the end token %d (%s) is left out: a GGUF holds three", id,
                      text.text);
            continue;
        }
        *to = id;
        trit_note(im->notes, "token %d (%s) ends a text too (from %s)", id, text.text, file);
    }
}

/* ---- The post-processor ---------------------------------------------------------------------- */

/* The template of a post-processor, which may be in a sequence; or NULL. */
static const struct trit_json_value *template_in(const struct trit_json_value *post)
{
    const struct trit_json_value *type = trit_json_member(post, "type"), *found = NULL;

    if (trit_json_is_text(type, "TemplateProcessing"))
        return post;
    if (trit_json_is_text(type, "Sequence"))
        for (const struct trit_json_value *p =
                 trit_json_first(trit_json_member(post, "processors"));
             p && !found; p = trit_json_next(p))
            found = template_in(p);
    return found;
}

/* The special token that a template puts before or after a single text. */
struct edge {
    struct trit_string name; /* empty: none */
    int32_t id;              /* -1: the vocabulary does not have it */
    bool several;            /* there are more before the text; this is the first */
};

static struct edge edge_of(const struct trit_import *im, const struct trit_json_value *tokenizer,
                           bool first)
{
    const struct trit_json_value *t = template_in(trit_json_member(tokenizer, "post_processor"));
    const struct trit_json_value *single = trit_json_member(t, "single");
    const size_t n = trit_json_count(single);
    const struct trit_json_value *ids;
    struct edge e = {.id = -1};
    int64_t id;

    if (n == 0)
        return e;
    e.name = trit_json_text(trit_json_member(
        trit_json_member(trit_json_item(single, first ? 0 : n - 1), "SpecialToken"), "id"));
    if (!e.name.len)
        return e;
    ids = trit_json_member(trit_json_member(trit_json_member(t, "special_tokens"), e.name.bytes),
                           "ids");
    e.several = trit_json_count(ids) > 1 ||
                (first && trit_json_member(trit_json_item(single, 1), "SpecialToken"));
    if (!ids)
        e.id = trit_import_find(im, e.name);
    else if (trit_json_int64(trit_json_item(ids, 0), &id) && trit_import_is_token(im, id))
        e.id = (int32_t)id;
    return e;
}

/* Set the BOS, and whether texts begin with it, by the post-processor. The token that it puts first
 * is the BOS, even if bos_token names another: then ids are the same as those of the original
 * tokenizer. bos_token is often changed only for a chat template. */
static trit_status follow_template(struct trit_import *im, const struct edge *begin)
{
    struct trit_vocabulary *v = im->v;

    v->add_bos = begin->name.len > 0;
    if (!v->add_bos)
        return TRIT_OK;
    trit_import_at(im, "tokenizer.json");
    if (begin->several)
        return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                "has a post-processor that puts more than one token before a text, "
                                "'%s' first; supported is one",
                                trit_quote(begin->name).text);
    if (begin->id < 0)
        return trit_import_fail(im, TRIT_E_FILE,
                                "has a post-processor that puts '%s' before a text; the vocabulary "
                                "has no such token",
                                trit_quote(begin->name).text);
    if (begin->id != v->bos)
        trit_note(im->notes,
                  "the BOS is %d (%s), not bos_token %d (%s): tokenizer.json's post-processor puts "
                  "it before texts",
                  begin->id, trit_quote(v->tokens[begin->id].text).text, v->bos,
                  trit_quote(v->tokens[v->bos].text).text);
    v->bos = begin->id;
    return TRIT_OK;
}

/* tokenizer_config.json comes first, then the post-processor of tokenizer.json. Without both, the
 * reader of the vocabulary has decided. */
static trit_status choose_flags(struct trit_import *im, const struct trit_json_value *tokenizer,
                                const struct edge *begin)
{
    const struct trit_json_value *bos = trit_json_member(im->settings, "add_bos_token");
    const struct trit_json_value *eos = trit_json_member(im->settings, "add_eos_token");
    const bool by_settings = trit_json_type_of(bos) == TRIT_JSON_BOOL;
    struct trit_vocabulary *v = im->v;
    trit_status status = TRIT_OK;

    if (by_settings)
        v->add_bos = trit_json_is_true(bos);
    else if (tokenizer)
        status = follow_template(im, begin);
    if (status)
        return status;
    if (v->add_bos > 0 && v->bos < 0) {
        v->add_bos = 0;
        trit_note(im->notes,
                  "no BOS is put before texts: add_bos_token is true, but the vocabulary "
                  "has none");
    } else if (by_settings || tokenizer) {
        trit_note(im->notes, "%s BOS is put before texts (%s)", v->add_bos ? "the" : "no",
                  !by_settings ? "from tokenizer.json's post-processor"
                  : v->add_bos ? "add_bos_token is true"
                               : "add_bos_token is false");
    }
    if (trit_json_type_of(eos) == TRIT_JSON_BOOL)
        v->add_eos = trit_json_is_true(eos);
    else if (tokenizer)
        v->add_eos = edge_of(im, tokenizer, false).name.len > 0;
    return TRIT_OK;
}

/* ---- The chat template ----------------------------------------------------------------------- */

/* The template of tokenizer_config.json: a text, or a list of {name, template}. */
static struct trit_string template_of(const struct trit_json_value *v)
{
    if (trit_json_type_of(v) != TRIT_JSON_ARRAY)
        return trit_json_text(v);
    for (const struct trit_json_value *t = trit_json_first(v); t; t = trit_json_next(t))
        if (trit_json_is_text(trit_json_member(t, "name"), "default"))
            return trit_json_text(trit_json_member(t, "template"));
    return (struct trit_string){"", 0};
}

static trit_status read_template(struct trit_import *im)
{
    struct trit_string text = template_of(trit_json_member(im->settings, "chat_template"));
    const char *from = "tokenizer_config.json";
    const bool there = trit_import_has(im, "chat_template.jinja");
    struct trit_bytes file = {0};

    if (there && trit_is_empty_file(im->path)) {
        trit_note(im->notes, "chat_template.jinja is empty and is ignored");
    } else if (there) {
        const trit_status status = trit_import_open(im, &file, "chat_template.jinja");
        if (status)
            return status;
        text = (struct trit_string){(const char *)file.data, file.size};
        from = "chat_template.jinja";
    }
    if (text.len) {
        im->v->chat_template = trit_import_keep(im, text.bytes, text.len);
        trit_note(im->notes, "the chat template is from %s", from);
    }
    trit_bytes_close(&file);
    return text.len && !im->v->chat_template.bytes
               ? trit_fail_memory(im->err, text.len, "the chat template")
               : TRIT_OK;
}

trit_status trit_import_special(struct trit_import *im, const struct trit_json_value *tokenizer)
{
    struct trit_vocabulary *v = im->v;
    struct trit_json *json;
    trit_status status;

    if ((status = read_added_tokens(im)) || (status = read_decoder(im)) ||
        (status = trit_import_json(im, &json, "generation_config.json")))
        return status;
    const struct trit_json_value *generation = json ? trit_json_root(json) : NULL;
    const struct edge begin = edge_of(im, tokenizer, true);
    if (begin.id >= 0 && !begin.several)
        v->bos = begin.id;
    choose(im, &v->bos, "the BOS", "bos_token", "bos_token_id", generation);
    const struct said ends =
        choose(im, &v->eos, "the end token", "eos_token", "eos_token_id", generation);
    choose(im, &v->unknown, "the unknown token", "unk_token", "unk_token_id", NULL);
    choose(im, &v->pad, "the padding token", "pad_token", "pad_token_id", generation);
    add_ends(im, &ends.by_generation, "generation_config.json");
    if (has(&ends.by_config, v->eos)) /* otherwise they belong to another vocabulary */
        add_ends(im, &ends.by_config, "config.json");
    status = choose_flags(im, tokenizer, &begin);
    trit_json_free(&json);
    return status ? status : read_template(im);
}
