/* chat.c - conversations in the chat template that a model was trained on.
 *
 * A template here is a row of strings, not a program: the strings before and after each role's
 * text. The model answers after the string before the assistant's text. The template in a file is a
 * program (Jinja). It is never executed, only searched for known strings to choose a row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "tokenizer.h"

enum { N_ROLES = TRIT_ROLE_ASSISTANT + 1 };

struct trit_chat_template {
    const char *name;
    bool trim;                                    /* remove white space around each text */
    const char *before[N_ROLES], *after[N_ROLES]; /* of system, user, assistant */
    const char *markers[4];                       /* special tokens in these strings */
    const char *stop[1];                          /* in addition to the end tokens */

    /* How it is recognized. Lists end with NULL. */
    const char *must_contain[3];     /* strings in the file's template: all of these, */
    const char *must_not_contain[3]; /* none of these */
    const char *archs[3];      /* these with this vocabulary: even if the file's template differs */
    const char *vocabulary[3]; /* special tokens that it must have */
    const char *pre;           /* or the pre-tokenizer that it must have */
};

static const struct trit_chat_template templates[] = {
    {
        /* microsoft/bitnet-b1.58-2B-4T. The trailing space is in the published template. */
        .name = "bitnet",
        .trim = true,
        .before = {"System: ", "User: ", "Assistant: "},
        .after = {"<|eot_id|>", "<|eot_id|>", "<|eot_id|>"},
        .markers = {"<|eot_id|>"},
        .must_contain = {"capitalize", "<|eot_id|>"},
        .must_not_contain = {"<|start_header_id|>"},
        .archs = {"bitnet-b1.58", "bitnet-25"},
        .vocabulary = {"<|start_header_id|>", "<|eot_id|>"},
    },
    {
        .name = "llama3",
        .trim = true,
        .before = {"<|start_header_id|>system<|end_header_id|>\n\n",
                   "<|start_header_id|>user<|end_header_id|>\n\n",
                   "<|start_header_id|>assistant<|end_header_id|>\n\n"},
        .after = {"<|eot_id|>", "<|eot_id|>", "<|eot_id|>"},
        .markers = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
        .must_contain = {"<|start_header_id|>"},
        .vocabulary = {"<|start_header_id|>", "<|eot_id|>"},
    },
    {
        /* Phi-3 and Zephyr have the same markers, but end each turn with a token. */
        .name = "falcon3",
        .before = {"<|system|>\n", "<|user|>\n", "<|assistant|>\n"},
        .after = {"\n", "\n", "\n"},
        .markers = {"<|system|>", "<|user|>", "<|assistant|>"},
        .must_contain = {"<|user|>", "<|assistant|>"},
        .must_not_contain = {"<|end|>", "<|endoftext|>"},
        .vocabulary = {"<|user|>", "<|assistant|>"},
        .pre = "falcon3",
    },
    {
        .name = "chatml",
        .before = {"<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n"},
        .after = {"<|im_end|>\n", "<|im_end|>\n", "<|im_end|>\n"},
        .markers = {"<|im_start|>", "<|im_end|>"},
        .must_contain = {"<|im_start|>"},
        .must_not_contain = {"<|im_sep|>"}, /* Phi-4 */
        .vocabulary = {"<|im_start|>", "<|im_end|>"},
        .pre = "falcon_e",
    },
    {
        /* From the published GGUF of 2B-4T, without its end token after "BITNETAssistant: ", which
         * makes answers unrelated to the question. It has no system message; here, that is plain
         * text at the start. Newlines separate turns, so it needs no special tokens. */
        .name = "human",
        .before = {"", "Human: ", "BITNETAssistant: "},
        .after = {"\n\n", "\n\n", "\n\n"},
        .stop = {"\nHuman:"},
        .must_contain = {"BITNETAssistant"},
    },
    {
        .name = "plain",
        .before = {"", "", ""},
        .after = {"", "", ""},
    },
};
enum { N_TEMPLATES = sizeof templates / sizeof *templates, PLAIN = N_TEMPLATES - 1 };

/* Iterate over a list that ends with NULL or at the end of its array. */
#define FOR_EACH(item, list)                                                                       \
    for (size_t item##_i = 0;                                                                      \
         item##_i < sizeof(list) / sizeof *(list) && ((item) = (list)[item##_i]) != NULL;          \
         item##_i++)

const char *trit_chat_template_at(int i)
{
    return i >= 0 && i < N_TEMPLATES ? templates[i].name : NULL;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static char lower_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether s contains word, which is in lower case; any_case: ignoring case. */
static bool contains(struct trit_string s, const char *word, bool any_case)
{
    const size_t n = strlen(word);

    for (size_t at = 0; at + n <= s.len; at++) {
        size_t i = 0;
        while (i < n && (any_case ? lower_case(s.bytes[at + i]) : s.bytes[at + i]) == word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* What the choice is based on. */
struct evidence {
    const trit_tokenizer *tokenizer;
    struct trit_string arch, name, finetune;
    bool has_template;                /* of any kind */
    struct trit_string template_text; /* empty unless it is a string */
    uint32_t eos;                     /* UINT32_MAX: none */
};

/* A string of the metadata; empty if it is missing. */
static struct trit_string string_of(const trit_file *file, const char *key)
{
    struct trit_string s = {"", 0};
    if (trit_gguf_get_string(file, key, &s, NULL))
        s = (struct trit_string){"", 0};
    return s;
}

static struct evidence gather_evidence(const trit_file *file, const trit_tokenizer *t)
{
    struct evidence e = {
        .tokenizer = t,
        .arch = string_of(file, "general.architecture"),
        .name = string_of(file, "general.name"),
        .finetune = string_of(file, "general.finetune"),
        .has_template = trit_gguf_find(file, "tokenizer.chat_template") != NULL,
        .template_text = string_of(file, "tokenizer.chat_template"),
        .eos = UINT32_MAX,
    };
    if (trit_gguf_get_u32(file, "tokenizer.ggml.eos_token_id", &e.eos, NULL))
        e.eos = UINT32_MAX;
    return e;
}

/* The id of a marker, or -1. Normal tokens of that name do not count: they may be text. */
static int32_t marker_id(const trit_tokenizer *t, const char *marker)
{
    return trit_vocab_find(&t->vocab, trit_string_of(marker), ~(1u << TRIT_TOKEN_NORMAL));
}

static bool fits_vocabulary(const struct trit_chat_template *template, const struct evidence *e)
{
    const char *const *pre = template->pre && e->tokenizer->pre ? e->tokenizer->pre->names : NULL;
    const char *marker;

    for (; pre && *pre; pre++)
        if (strcmp(*pre, template->pre) == 0)
            return true;
    FOR_EACH(marker, template->vocabulary)
    if (marker_id(e->tokenizer, marker) < 0)
        return false;
    return template->vocabulary[0] != NULL;
}

static bool is_for_arch(const struct trit_chat_template *template, const struct evidence *e)
{
    const char *arch;
    FOR_EACH(arch, template->archs)
    if (trit_string_is(e->arch, arch))
        return true;
    return false;
}

static bool matches_text(const struct trit_chat_template *template, const struct evidence *e)
{
    const char *word;
    FOR_EACH(word, template->must_not_contain)
    if (contains(e->template_text, word, false))
        return false;
    FOR_EACH(word, template->must_contain)
    if (!contains(e->template_text, word, false))
        return false;
    return template->must_contain[0] != NULL;
}

static bool is_named_chat(const struct evidence *e)
{
    return contains(e->name, "instruct", true) || contains(e->name, "chat", true) ||
           contains(e->finetune, "instruct", true) || contains(e->finetune, "chat", true);
}

/* The marker that text begins with, or NULL. */
static const char *marker_at(const struct trit_chat_template *template, const char *text)
{
    const char *marker;
    FOR_EACH(marker, template->markers)
    if (strncmp(text, marker, strlen(marker)) == 0)
        return marker;
    return NULL;
}

/* Whether the file's end token ends a turn of the template. In base models it does not. */
static bool eos_ends_turn(const struct trit_chat_template *template, const struct evidence *e)
{
    const char *marker = marker_at(template, template->after[TRIT_ROLE_ASSISTANT]);
    const int32_t id = marker ? marker_id(e->tokenizer, marker) : -1;
    return id >= 0 && (uint32_t)id == e->eos;
}

static void set_template(struct trit_chat *c, const struct trit_chat_template *template,
                         const char *why)
{
    c->chat_template = template;
    c->name = template->name;
    snprintf(c->why, sizeof c->why, "%s", why);
}

/* Choose by the vocabulary, which chat and base models share. */
static void choose_by_vocabulary(struct trit_chat *c, const struct evidence *e)
{
    const bool named = is_named_chat(e);

    for (int i = 0; i < N_TEMPLATES; i++) {
        const struct trit_chat_template *template = &templates[i];
        if (template->archs[0] || !fits_vocabulary(template, e))
            continue;
        if (e->has_template)
            set_template(c, template,
                         "the file's chat template is unknown; guessed from the tokens of its "
                         "vocabulary");
        else if (eos_ends_turn(template, e))
            set_template(
                c, template,
                "the file has no chat template, but its end token ends a turn of this one");
        else if (named)
            set_template(
                c, template,
                "the file has no chat template, but the model's name indicates a chat model "
                "and its vocabulary has the tokens of this one");
        else
            continue;
        return;
    }
    c->base = !e->has_template && !named;
    set_template(c, &templates[PLAIN],
                 e->has_template
                     ? "the file's chat template is unknown, and its vocabulary does not "
                       "indicate which one it is"
                 : named ? "the file has no chat template, and its vocabulary does not "
                           "indicate which one the model expects"
                         : "the file has no chat template, and neither its name nor its end "
                           "token indicates a chat model");
}

static void choose_by_file(struct trit_chat *c, const struct evidence *e)
{
    for (int i = 0; i < N_TEMPLATES; i++)
        if (is_for_arch(&templates[i], e) && fits_vocabulary(&templates[i], e)) {
            set_template(
                c, &templates[i],
                !e->has_template || matches_text(&templates[i], e)
                    ? "this architecture with the Llama-3 vocabulary (2B-4T) was trained on it"
                    : "this architecture with the Llama-3 vocabulary (2B-4T) was trained on "
                      "it; the file's own template is a different one, wrong for this model, "
                      "and is ignored");
            return;
        }
    for (int i = 0; i < N_TEMPLATES; i++)
        if (matches_text(&templates[i], e)) {
            set_template(c, &templates[i], "recognized in the file's chat template");
            return;
        }
    c->guessed = e->has_template;
    choose_by_vocabulary(c, e);
}

static trit_status choose_by_name(struct trit_chat *c, const char *name, struct trit_error *err)
{
    char names[96] = "";

    for (int i = 0; i < N_TEMPLATES; i++) {
        if (strcmp(templates[i].name, name) == 0) {
            set_template(c, &templates[i], "chosen by name");
            c->guessed = false;
            return TRIT_OK;
        }
        trit_append(names, sizeof names, " %s", templates[i].name);
    }
    return trit_fail(err, TRIT_E_ARGUMENT, "unknown chat template '%s'; choose from:%s",
                     trit_quote_text(name).text, names);
}

/* Add to c->why the first marker of the template that the vocabulary lacks. */
static void check_markers(struct trit_chat *c, const trit_tokenizer *t)
{
    const size_t n = strlen(c->why);
    const char *marker;

    FOR_EACH(marker, c->chat_template->markers)
    if (marker_id(t, marker) < 0) {
        c->missing_markers = true;
        snprintf(c->why + n, sizeof c->why - n,
                 "; the vocabulary lacks its %s, which becomes plain text", marker);
        return;
    }
}

trit_status trit_chat_choose(struct trit_chat *out, const trit_file *file,
                             const trit_tokenizer *tokenizer, const char *name,
                             struct trit_error *err)
{
    const struct evidence e = gather_evidence(file, tokenizer);

    *out = (struct trit_chat){0};
    choose_by_file(out, &e);
    const trit_status status = name ? choose_by_name(out, name, err) : TRIT_OK;
    if (status)
        return status;
    check_markers(out, tokenizer);
    out->stop = out->chat_template->stop;
    out->n_stop = out->chat_template->stop[0] ? 1 : 0;
    return TRIT_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* A conversation being written. It is encoded up to `from`; the rest is plain text that may still
 * grow. */
struct writer {
    const struct trit_chat_template *template;
    char *text; /* has room for all of it */
    size_t len, from;
    const trit_tokenizer *tokenizer; /* NULL: text only */
    struct trit_encoding encoding;
    enum trit_encode_result result;
    bool continues; /* plain text was split at `from` */
};

static void put_bytes(struct writer *w, const char *bytes, size_t len)
{
    if (len)
        memcpy(w->text + w->len, bytes, len);
    w->len += len;
}

/* Encode the plain text so far, separately from what comes next. */
static void encode_pending(struct writer *w)
{
    const struct trit_string plain = {w->text + w->from, w->len - w->from};
    const unsigned flags = TRIT_ENCODE_NO_MARKUP | (w->continues ? TRIT_ENCODE_CONTINUES : 0u);

    if (!w->tokenizer || !plain.len || w->result != TRIT_ENCODED)
        return;
    w->result = trit_encoding_text(w->tokenizer, &w->encoding, plain, flags);
    w->continues = true;
    w->from = w->len;
}

/* Write a string of the template: markers become their tokens if the vocabulary has them. */
static void put_template(struct writer *w, const char *text)
{
    while (*text) {
        const char *marker = w->tokenizer ? marker_at(w->template, text) : NULL;
        const int32_t id = marker ? marker_id(w->tokenizer, marker) : -1;
        const size_t len = marker ? strlen(marker) : 1;
        if (id >= 0)
            encode_pending(w);
        put_bytes(w, text, len);
        text += len;
        if (id < 0)
            continue;
        w->from = w->len;
        w->continues = false;
        if (w->result == TRIT_ENCODED && !trit_encoding_add(&w->encoding, id))
            w->result = TRIT_ENCODED_NO_MEMORY;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct trit_string trim(struct trit_string s)
{
    while (s.len && is_blank(s.bytes[0])) {
        s.bytes++;
        s.len--;
    }
    while (s.len && is_blank(s.bytes[s.len - 1]))
        s.len--;
    return s;
}

static void put_message(struct writer *w, const struct trit_message *m)
{
    const struct trit_string text = w->template->trim ? trim(m->text) : m->text;
    const bool answer = m->role == TRIT_ROLE_ASSISTANT;

    put_template(w, w->template->before[m->role]);
    if (answer)
        encode_pending(w);
    put_bytes(w, text.bytes, text.len);
    if (answer)
        encode_pending(w);
    put_template(w, w->template->after[m->role]);
}

/* The most bytes that n messages and what precedes the answer can take. */
static trit_status measure_conversation(const struct trit_chat_template *template,
                                        const struct trit_message *messages, int32_t n,
                                        size_t *size, struct trit_error *err)
{
    const size_t most = INT32_MAX / 4;

    *size = strlen(template->before[TRIT_ROLE_ASSISTANT]);
    for (int32_t i = 0; i < n; i++) {
        const trit_role role = messages[i].role;
        if ((unsigned)role >= N_ROLES)
            return trit_fail(err, TRIT_E_ARGUMENT, "message %d: unknown role", i);
        const size_t around = strlen(template->before[role]) + strlen(template->after[role]);
        if (messages[i].text.len > most || around + messages[i].text.len > most - *size)
            return trit_fail(err, TRIT_E_ARGUMENT, "the conversation exceeds %zu bytes", most);
        *size += around + messages[i].text.len;
    }
    return TRIT_OK;
}

/* Write n messages and, if answer, what precedes an answer. Free w->text in any case. */
static trit_status write_all(struct writer *w, const struct trit_message *messages, int32_t n,
                             bool answer, struct trit_error *err)
{
    size_t size;
    const trit_status status = measure_conversation(w->template, messages, n, &size, err);

    if (status)
        return status;
    w->text = malloc(size + 1);
    if (!w->text)
        return trit_fail_memory(err, size + 1, "the conversation");
    for (int32_t i = 0; i < n; i++)
        put_message(w, &messages[i]);
    if (answer)
        put_template(w, w->template->before[TRIT_ROLE_ASSISTANT]);
    encode_pending(w);
    return TRIT_OK;
}

trit_status trit_chat_render(const struct trit_chat *chat, const struct trit_message *messages,
                             int32_t n, char **out, size_t *len, struct trit_error *err)
{
    struct writer w = {.template = chat->chat_template};
    const trit_status status = write_all(&w, messages, n, true, err);

    *out = status ? NULL : w.text;
    *len = status ? 0 : w.len;
    return status;
}

static trit_status encode_chat(const struct trit_chat *chat, const trit_tokenizer *t,
                               const struct trit_message *messages, int32_t n, bool answer,
                               int32_t **out, int32_t *n_ids, struct trit_error *err)
{
    struct writer w = {.template = chat->chat_template, .tokenizer = t, .encoding.size = 64};

    *out = NULL;
    *n_ids = 0;
    w.encoding.ids = malloc(w.encoding.size * sizeof *w.encoding.ids);
    w.result = w.encoding.ids ? trit_encoding_text(t, &w.encoding, (struct trit_string){"", 0},
                                                   TRIT_ENCODE_BOS)
                              : TRIT_ENCODED_NO_MEMORY;
    const trit_status written = write_all(&w, messages, n, answer, err);
    free(w.text);
    const trit_status encoded =
        trit_encoding_finish(&w.encoding, w.result, out, n_ids, written ? NULL : err);
    if (written) {
        free(*out);
        *out = NULL;
        *n_ids = 0;
    }
    return written ? written : encoded;
}

trit_status trit_chat_encode(const struct trit_chat *chat, const trit_tokenizer *tokenizer,
                             const struct trit_message *messages, int32_t n, int32_t **out,
                             int32_t *n_ids, int32_t *n_keep, struct trit_error *err)
{
    int32_t n_system = 0, n_start, *start;
    trit_status status = encode_chat(chat, tokenizer, messages, n, true, out, n_ids, err);

    if (status || !n_keep)
        return status;
    while (n_system < n && messages[n_system].role == TRIT_ROLE_SYSTEM)
        n_system++;
    status = encode_chat(chat, tokenizer, messages, n_system, false, &start, &n_start, err);
    if (status) {
        free(*out);
        *out = NULL;
        *n_ids = 0;
        return status;
    }
    for (*n_keep = 0; *n_keep < n_start && *n_keep < *n_ids; ++*n_keep)
        if (start[*n_keep] != (*out)[*n_keep])
            break;
    free(start);
    return TRIT_OK;
}
