/* import_json.c - the vocabulary of a tokenizer.json (Hugging Face tokenizers), model type BPE.
 *
 * Two kinds are supported: byte-level BPE, and converted SentencePiece vocabularies with byte
 * fallback. The pre-tokenizer of the first kind is recognized by its steps and expressions, not by
 * a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "str.h"
#include "pretokenize.h"

/* The member of an object at a path of one or two keys. */
static const struct trit_json_value *at(const struct trit_json_value *v, const char *key,
                                        const char *below)
{
    v = trit_json_member(v, key);
    return below ? trit_json_member(v, below) : v;
}

static bool is_set(const struct trit_json_value *v)
{
    return trit_json_type_of(v) != TRIT_JSON_ABSENT && trit_json_type_of(v) != TRIT_JSON_NULL;
}

/* ---- Pre-tokenizers -------------------------------------------------------------------------- */

#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define ANY_CASE "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define REST "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CAPITALS "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALLS "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define LEAD "[^\\r\\n\\p{L}\\p{N}]?"
#define FALCON_E                                                                                   \
    LEAD CAPITALS "*" SMALLS "+|" LEAD CAPITALS "+" SMALLS "*"                                     \
                  "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

enum { MAX_STEPS = 4 };

/* The steps of each pre-tokenizer, as describe_step() describes them, and its name in a GGUF. */
static const struct {
    const char *pre;
    const char *steps[MAX_STEPS];
} known[] = {
    {"gpt-2", {"ByteLevel with its expression"}},
    {"gpt-2", {GPT2, "ByteLevel"}},
    {"llama-bpe", {ANY_CASE "\\p{N}{1,3}" REST, "ByteLevel"}},
    {"qwen2", {ANY_CASE "\\p{N}" REST, "ByteLevel"}},
    {"falcon_e", {"Punctuation, contiguous", FALCON_E, "Digits, single", "ByteLevel"}},
    {"falcon_e", {"[\\p{P}\\$\\+<=>\\^~\\|`]+", FALCON_E, "[0-9]", "ByteLevel"}},
    {"falcon_e", {"Punctuation, contiguous", FALCON_E, "[0-9]", "ByteLevel"}},
    {"falcon_e", {"[\\p{P}\\$\\+<=>\\^~\\|`]+", FALCON_E, "Digits, single", "ByteLevel"}},
};

struct steps {
    char text[MAX_STEPS][512];
    int n;
};

/* A name for a step; empty if no known pre-tokenizer has it. */
static void describe_step(char *out, size_t size, const struct trit_json_value *step)
{
    const struct trit_json_value *type = trit_json_member(step, "type");
    const struct trit_json_value *behavior = trit_json_member(step, "behavior");
    const struct trit_string regex = trit_json_text(at(step, "pattern", "Regex"));
    const struct trit_json_value *own = trit_json_member(step, "use_regex");

    *out = '\0';
    if (trit_json_is_text(type, "ByteLevel") &&
        !trit_json_is_true(at(step, "add_prefix_space", NULL)))
        snprintf(out, size, "%s",
                 !is_set(own) || trit_json_is_true(own) ? "ByteLevel with its expression"
                                                        : "ByteLevel");
    else if (trit_json_is_text(type, "Split") && regex.len < size &&
             trit_json_is_text(behavior, "Isolated") &&
             !trit_json_is_true(at(step, "invert", NULL)))
        snprintf(out, size, "%.*s", (int)regex.len, regex.bytes);
    else if (trit_json_is_text(type, "Punctuation") && trit_json_is_text(behavior, "Contiguous"))
        snprintf(out, size, "Punctuation, contiguous");
    else if (trit_json_is_text(type, "Digits") &&
             trit_json_is_true(at(step, "individual_digits", NULL)))
        snprintf(out, size, "Digits, single");
}

static trit_status fail_step(struct trit_import *im, const struct trit_json_value *step)
{
    const struct trit_string type = trit_json_text(trit_json_member(step, "type"));
    const struct trit_string regex = trit_json_text(at(step, "pattern", "Regex"));

    return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                            "has an unknown pre-tokenizer of type '%s'%s%s%s; supported are those "
                            "of %s",
                            trit_quote(type).text, regex.len ? " with the expression '" : "",
                            regex.len ? trit_quote(regex).text : "", regex.len ? "'" : "",
                            trit_pretokenizer_names);
}

static trit_status list_steps(struct trit_import *im, struct steps *out,
                              const struct trit_json_value *pre)
{
    const bool sequence = trit_json_is_text(trit_json_member(pre, "type"), "Sequence");
    const struct trit_json_value *step =
        sequence ? trit_json_first(trit_json_member(pre, "pretokenizers")) : pre;

    for (out->n = 0; step; step = sequence ? trit_json_next(step) : NULL) {
        if (out->n == MAX_STEPS)
            return fail_step(im, step);
        describe_step(out->text[out->n], sizeof *out->text, step);
        if (!*out->text[out->n++])
            return fail_step(im, step);
    }
    return TRIT_OK;
}

static trit_status find_pre(struct trit_import *im, const struct trit_json_value *root)
{
    const struct trit_json_value *pre = trit_json_member(root, "pre_tokenizer");
    struct steps steps;
    const trit_status status = list_steps(im, &steps, pre);

    if (status)
        return status;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        bool same = true;
        for (int s = 0; s < MAX_STEPS; s++)
            same &= strcmp(s < steps.n ? steps.text[s] : "",
                           known[i].steps[s] ? known[i].steps[s] : "") == 0;
        if (!same)
            continue;
        im->v->pre = known[i].pre;
        return TRIT_OK;
    }
    if (steps.n == 0)
        return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                "has no pre-tokenizer; supported are those of %s",
                                trit_pretokenizer_names);
    return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                            "has an unknown sequence of %d pre-tokenization steps, the first "
                            "'%s'; supported are those of %s",
                            steps.n, trit_quote_text(steps.text[0]).text, trit_pretokenizer_names);
}

/* ---- Tokens ---------------------------------------------------------------------------------- */

static trit_status read_vocab(struct trit_import *im, const struct trit_json_value *vocab)
{
    if (trit_json_type_of(vocab) != TRIT_JSON_OBJECT || !trit_json_count(vocab))
        return trit_import_fail(im, TRIT_E_FILE, "has no model.vocab");
    return trit_import_ids(im, vocab, TRIT_TOKEN_NORMAL);
}

/* "left right", or ["left", "right"]. */
static bool merge_parts(const struct trit_json_value *m, struct trit_string *left,
                        struct trit_string *right)
{
    if (trit_json_type_of(m) != TRIT_JSON_ARRAY)
        return trit_import_split(trit_json_text(m), left, right);
    *left = trit_json_text(trit_json_item(m, 0));
    *right = trit_json_text(trit_json_item(m, 1));
    return trit_json_count(m) == 2;
}

static trit_status read_merges(struct trit_import *im, const struct trit_json_value *merges)
{
    trit_status status = TRIT_OK;
    size_t n = 0;

    if (trit_json_type_of(merges) != TRIT_JSON_ARRAY)
        return trit_import_fail(im, TRIT_E_FILE, "has no model.merges");
    for (const struct trit_json_value *m = trit_json_first(merges); m && !status;
         m = trit_json_next(m), n++) {
        struct trit_string left, right;
        if (!merge_parts(m, &left, &right))
            return trit_import_fail(im, TRIT_E_FILE, "merge %zu does not have two parts", n);
        status = trit_import_merge(im, left, right);
    }
    return status;
}

trit_status trit_import_added(struct trit_import *im, const struct trit_json_value *root)
{
    const struct trit_json_value *list = trit_json_member(root, "added_tokens");
    trit_status status = TRIT_OK;

    for (const struct trit_json_value *t = trit_json_first(list); t && !status;
         t = trit_json_next(t)) {
        const struct trit_string text = trit_json_text(trit_json_member(t, "content"));
        const bool special = trit_json_is_true(trit_json_member(t, "special"));
        int64_t id;
        if (!trit_json_int64(trit_json_member(t, "id"), &id) || !text.len)
            return trit_import_fail(im, TRIT_E_FILE, "has an added token without id or content");
        status = trit_import_token(im, id, text,
                                   special ? TRIT_TOKEN_CONTROL : TRIT_TOKEN_USER_DEFINED, 0.0f);
    }
    return status;
}

/* ---- SentencePiece's vocabularies ------------------------------------------------------------ */

/* U+2581, which stands for a space. */
#define MARK "\xE2\x96\x81"

/* A pre-tokenizer that replaces spaces by marks, and may put one before a text. */
static trit_status read_metaspace(struct trit_import *im, const struct trit_json_value *pre)
{
    const struct trit_json_value *mark = trit_json_member(pre, "replacement");
    const struct trit_json_value *scheme = trit_json_member(pre, "prepend_scheme");
    const struct trit_json_value *prefix = trit_json_member(pre, "add_prefix_space");
    const bool first = trit_json_is_text(scheme, "first");

    if (is_set(mark) && !trit_json_is_text(mark, MARK))
        return trit_import_fail(
            im, TRIT_E_UNSUPPORTED,
            "has a Metaspace pre-tokenizer with the replacement '%s'; supported is U+2581",
            trit_quote(trit_json_text(mark)).text);
    if (is_set(scheme) && !first && !trit_json_is_text(scheme, "always") &&
        !trit_json_is_text(scheme, "never"))
        return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                "has a Metaspace pre-tokenizer with the prepend_scheme '%s'; "
                                "supported are always, first and never",
                                trit_quote(trit_json_text(scheme)).text);
    im->v->space_prefix = is_set(scheme)   ? !trit_json_is_text(scheme, "never")
                          : is_set(prefix) ? trit_json_is_true(prefix)
                                           : true;
    if (first)
        trit_note(im->notes, "the tokenizer puts a space before the first text only; trit puts one "
                             "after each special token too");
    return TRIT_OK;
}

/* With split, no token may span two words. The runtime does not check that, so the vocabulary must
 * not have such a token. */
static trit_status check_split(struct trit_import *im, const struct trit_json_value *root)
{
    const struct trit_json_value *pre = trit_json_member(root, "pre_tokenizer");
    const struct trit_json_value *split = trit_json_member(pre, "split");

    if (!is_set(pre) || (is_set(split) && !trit_json_is_true(split)))
        return TRIT_OK;
    for (int32_t i = 0; i < im->v->n_tokens; i++) {
        const struct trit_token *t = &im->v->tokens[i];
        for (size_t at = 1; t->type == TRIT_TOKEN_NORMAL && at + strlen(MARK) <= t->text.len; at++)
            if (memcmp(t->text.bytes + at, MARK, strlen(MARK)) == 0)
                return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                        "has a Metaspace pre-tokenizer with split, but token '%s' "
                                        "contains a space; supported is split false",
                                        trit_quote(t->text).text);
    }
    return TRIT_OK;
}

/* Whether a mark is put before a text, by a Prepend normalizer or a Metaspace step. */
static trit_status read_space_prefix(struct trit_import *im, const struct trit_json_value *root)
{
    const struct trit_json_value *normalizer = trit_json_member(root, "normalizer");
    const struct trit_json_value *pre = trit_json_member(root, "pre_tokenizer");
    const bool sequence = trit_json_is_text(trit_json_member(normalizer, "type"), "Sequence");
    const struct trit_json_value *step =
        sequence ? trit_json_first(trit_json_member(normalizer, "normalizers")) : normalizer;

    im->v->space_prefix = 0;
    for (; is_set(step); step = sequence ? trit_json_next(step) : NULL) {
        const struct trit_json_value *type = trit_json_member(step, "type");
        if (trit_json_is_text(type, "Prepend") &&
            trit_json_is_text(trit_json_member(step, "prepend"), MARK))
            im->v->space_prefix = 1;
        else if (!trit_json_is_text(type, "Replace") ||
                 !trit_json_is_text(at(step, "pattern", "String"), " ") ||
                 !trit_json_is_text(trit_json_member(step, "content"), MARK))
            return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                    "has a normalizer of type '%s', which is not supported with "
                                    "byte fallback",
                                    trit_quote(trit_json_text(type)).text);
    }
    if (!is_set(pre))
        return TRIT_OK;
    if (!trit_json_is_text(trit_json_member(pre, "type"), "Metaspace"))
        return trit_import_fail(
            im, TRIT_E_UNSUPPORTED,
            "has a pre-tokenizer of type '%s' with byte fallback; supported is Metaspace",
            trit_quote(trit_json_text(trit_json_member(pre, "type"))).text);
    return read_metaspace(im, pre);
}

struct ranked {
    struct trit_string text;
    int32_t id;
};

static int by_text(const void *a, const void *b)
{
    return trit_string_order(((const struct ranked *)a)->text, ((const struct ranked *)b)->text);
}

/* SentencePiece joins the neighbors whose union has the highest score; this file joins those whose
 * merge has the lowest rank. A converted SentencePiece vocabulary lists every way to cut a piece in
 * two as a merge, in the order of the scores of the pieces. So the score of a piece is minus the
 * rank of its first merge. Pieces that no merge makes get the lowest score. */
static trit_status score_by_rank(struct trit_import *im)
{
    struct trit_vocabulary *v = im->v;
    struct ranked *sorted = malloc(((size_t)v->n_tokens + 1) * sizeof *sorted);
    char joined[1024];
    int32_t n = 0;

    if (!sorted)
        return trit_fail_memory(im->err, (uint64_t)v->n_tokens * sizeof *sorted, "the vocabulary");
    for (int32_t i = 0; i < v->n_tokens; i++)
        if (v->tokens[i].type) {
            v->tokens[i].score = -(float)v->n_merges - 1.0f;
            sorted[n++] = (struct ranked){v->tokens[i].text, i};
        }
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    for (int32_t rank = v->n_merges; rank-- > 0;) { /* so the first merge of a piece counts */
        const struct trit_string m = v->merges[rank];
        const size_t left = (size_t)((const char *)memchr(m.bytes, ' ', m.len) - m.bytes);
        memcpy(joined, m.bytes, left);
        memcpy(joined + left, m.bytes + left + 1, m.len - left - 1);
        const struct ranked key = {{joined, m.len - 1}, 0};
        const struct ranked *found = bsearch(&key, sorted, (size_t)n, sizeof *sorted, by_text);
        if (found)
            v->tokens[found->id].score = -(float)rank;
    }
    free(sorted);
    return TRIT_OK;
}

/* <0x00> to <0xFF>, and the unknown token. */
static void set_spm_types(struct trit_import *im, const struct trit_json_value *model)
{
    const struct trit_string unknown = trit_json_text(trit_json_member(model, "unk_token"));

    for (int32_t i = 0; i < im->v->n_tokens; i++) {
        struct trit_token *t = &im->v->tokens[i];
        if (!t->type)
            continue;
        if (t->text.len == 6 && memcmp(t->text.bytes, "<0x", 3) == 0 && t->text.bytes[5] == '>') {
            t->type = TRIT_TOKEN_BYTE;
            t->score = 0.0f;
        }
        if (unknown.len && trit_string_order(t->text, unknown) == 0) {
            t->type = TRIT_TOKEN_UNKNOWN;
            im->v->unknown = i;
        }
    }
}

static trit_status read_spm(struct trit_import *im, const struct trit_json_value *root)
{
    const struct trit_json_value *model = trit_json_member(root, "model");
    trit_status status;

    im->v->model = "llama";
    if ((status = read_space_prefix(im, root)) || (status = score_by_rank(im)))
        return status;
    set_spm_types(im, model);
    trit_note(im->notes, "the vocabulary is SentencePiece's, read from tokenizer.json: scores are "
                         "derived from the ranks of its merges");
    return TRIT_OK;
}

/* ---- Byte-level BPE -------------------------------------------------------------------------- */

static trit_status read_byte_level(struct trit_import *im, const struct trit_json_value *root)
{
    const struct trit_json_value *normalizer = trit_json_member(root, "normalizer");
    const bool ignore_merges = trit_json_is_true(at(root, "model", "ignore_merges"));
    const trit_status status = find_pre(im, root);
    struct trit_vocabulary *v = im->v;

    if (status)
        return status;
    v->model = "gpt2";
    if (is_set(normalizer) && !trit_json_is_text(trit_json_member(normalizer, "type"), "NFC"))
        return trit_import_fail(
            im, TRIT_E_UNSUPPORTED, "has a normalizer of type '%s'; supported are NFC and none",
            trit_quote(trit_json_text(trit_json_member(normalizer, "type"))).text);
    if (is_set(normalizer))
        trit_note(im->notes, "the tokenizer composes characters (NFC); trit uses text unchanged");
    const struct trit_string name = trit_string_of(v->pre);
    if (trit_pretokenizer_find(name)->ignore_merges != ignore_merges)
        v->ignore_merges = ignore_merges;
    trit_note(im->notes,
              "the vocabulary is byte-level BPE, read from tokenizer.json; its pre-tokenizer is "
              "%s's (recognized by its regular expressions)",
              v->pre);
    return TRIT_OK;
}

trit_status trit_import_tokenizer_json(struct trit_import *im, const struct trit_json_value *root)
{
    static const char *const must_be_empty[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    const struct trit_json_value *model = trit_json_member(root, "model");
    const struct trit_json_value *type = trit_json_member(model, "type");
    trit_status status;

    if (is_set(type) && !trit_json_is_text(type, "BPE"))
        return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                "has a model of type '%s'; supported is BPE",
                                trit_quote(trit_json_text(type)).text);
    for (size_t i = 0; i < 2; i++)
        if (trit_json_text(trit_json_member(model, must_be_empty[i])).len)
            return trit_import_fail(im, TRIT_E_UNSUPPORTED, "has a model with %s",
                                    must_be_empty[i]);
    if ((status = read_vocab(im, trit_json_member(model, "vocab"))) ||
        (status = read_merges(im, trit_json_member(model, "merges"))))
        return status;
    const bool spm = trit_json_is_true(trit_json_member(model, "byte_fallback"));
    if ((status = spm ? read_spm(im, root) : read_byte_level(im, root)) ||
        (status = trit_import_added(im, root)))
        return status;
    return spm ? check_split(im, root) : TRIT_OK;
}
