/* vocab_special.c - what stands beside a vocabulary: added tokens, where text begins and ends, and
 * the chat template. Files may contradict each other; a tokenizer's own word is taken before that
 * of config.json, whose ids are often left over from another vocabulary. */
#include <string.h>

#include "import.h"
#include "order.h"

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

/* The id of a token that tokenizer_config.json names, as text or as {"content": text}; -1: none. */
static int32_t named(const struct trit_import *im, const char *key)
{
    const struct trit_json_value *v = trit_json_member(im->settings, key);
    const struct trit_string text = trit_json_type_of(v) == TRIT_JSON_OBJECT
                                        ? trit_json_text(trit_json_member(v, "content"))
                                        : trit_json_text(v);
    return text.len ? trit_import_find(im, text) : -1;
}

/* An id that a config gives, alone or as item i of a list; -1: none that a token has. */
static int32_t numbered(const struct trit_import *im, const struct trit_json_value *config,
                        const char *key, size_t i)
{
    const struct trit_json_value *v = trit_json_member(config, key);
    int64_t id;

    if (trit_json_type_of(v) == TRIT_JSON_ARRAY)
        v = trit_json_item(v, i);
    else if (i > 0)
        v = NULL;
    return trit_json_int64(v, &id) && trit_import_is_token(im, id) ? (int32_t)id : -1;
}

/* The first of: the tokenizer's name for it, what the vocabulary file said, generation_config.json,
 * config.json. A config that says otherwise is noted. */
static void choose(struct trit_import *im, int32_t *out, const char *what, const char *name_key,
                   const char *id_key, const struct trit_json_value *generation)
{
    const int32_t by_name = named(im, name_key);
    const int32_t by_generation = numbered(im, generation, id_key, 0);
    const int32_t by_config = numbered(im, im->config, id_key, 0);

    *out = by_name >= 0         ? by_name
           : *out >= 0          ? *out
           : by_generation >= 0 ? by_generation
                                : by_config;
    if (*out >= 0 && by_config >= 0 && by_config != *out)
        trit_note(im->notes, "%s is %d (%s), as the tokenizer has it; config.json says %d (%s)",
                  what, *out, trit_quote(im->v->tokens[*out].text).text, by_config,
                  trit_quote(im->v->tokens[by_config].text).text);
    else if (*out >= 0 && (im->v->tokens[*out].type == TRIT_TOKEN_CONTROL))
        trit_note(im->notes, "%s is %d (%s)", what, *out,
                  trit_quote(im->v->tokens[*out].text).text);
}

/* A second end token, of the list in generation_config.json. */
static void choose_eot(struct trit_import *im, const struct trit_json_value *generation)
{
    for (size_t i = 0; i < 16; i++) {
        const int32_t id = numbered(im, generation, "eos_token_id", i);
        if (id < 0 || id == im->v->eos || im->v->eot >= 0)
            continue;
        im->v->eot = id;
        trit_note(im->notes, "text ends with %d (%s) too, by generation_config.json", id,
                  trit_quote(im->v->tokens[id].text).text);
    }
}

/* Whether a post-processor puts the BOS first (or the EOS last): a template whose `single` has a
 * special token there. */
static bool template_has(const struct trit_json_value *post, bool first)
{
    const struct trit_json_value *type = trit_json_member(post, "type");
    const struct trit_json_value *single = trit_json_member(post, "single");
    bool found = false;

    if (trit_json_is_text(type, "Sequence")) {
        for (const struct trit_json_value *p =
                 trit_json_first(trit_json_member(post, "processors"));
             p; p = trit_json_next(p))
            found |= template_has(p, first);
        return found;
    }
    const size_t n = trit_json_count(single);
    return trit_json_is_text(type, "TemplateProcessing") && n > 0 &&
           trit_json_member(trit_json_item(single, first ? 0 : n - 1), "SpecialToken");
}

/* 1, 0, or -1 where nothing says. why receives the words that decided. */
static int flag(const struct trit_import *im, const char *key,
                const struct trit_json_value *tokenizer, bool first, const char **why)
{
    const struct trit_json_value *said = trit_json_member(im->settings, key);

    *why = key;
    if (trit_json_type_of(said) == TRIT_JSON_BOOL)
        return trit_json_is_true(said);
    *why = "tokenizer.json's post-processor";
    return tokenizer ? template_has(trit_json_member(tokenizer, "post_processor"), first) : -1;
}

static void choose_flags(struct trit_import *im, const struct trit_json_value *tokenizer)
{
    struct trit_vocabulary *v = im->v;
    const char *why;
    const int bos = flag(im, "add_bos_token", tokenizer, true, &why);

    v->add_bos = bos >= 0 ? bos : v->add_bos;
    if (v->add_bos > 0 && v->bos < 0)
        v->add_bos = 0;
    if (bos >= 0)
        trit_note(im->notes, "texts %s with the BOS, by %s", v->add_bos ? "begin" : "do not begin",
                  why);
    const int eos = flag(im, "add_eos_token", tokenizer, false, &why);
    v->add_eos = eos >= 0 ? eos : v->add_eos;
}

/* ---- The chat template ----------------------------------------------------------------------- */

/* tokenizer_config.json's: a text, or a list of {name, template}. */
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
        trit_note(im->notes, "chat_template.jinja is empty: it is no template");
    } else if (there) {
        const trit_status status = trit_import_open(im, &file, "chat_template.jinja");
        if (status)
            return status;
        text = (struct trit_string){(const char *)file.data, file.size};
        from = "chat_template.jinja";
    }
    if (text.len) {
        im->v->chat_template = trit_import_keep(im, text.bytes, text.len);
        trit_note(im->notes, "the chat template is that of %s", from);
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
    choose(im, &v->bos, "the BOS", "bos_token", "bos_token_id", generation);
    choose(im, &v->eos, "the end token", "eos_token", "eos_token_id", generation);
    choose(im, &v->unknown, "the unknown token", "unk_token", "unk_token_id", NULL);
    choose(im, &v->pad, "the padding token", "pad_token", "pad_token_id", generation);
    choose_eot(im, generation);
    choose_flags(im, tokenizer);
    trit_json_free(&json);
    return read_template(im);
}
