/* chat.c - conversations in the form that a model was trained on.
 *
 * A template is a row of strings, not a program: what stands before and after the text of each
 * role. The answer is to come after what stands before the assistant's text. The template that a
 * file carries is a program (Jinja); it is looked at to see which row it is, and never executed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "str.h"
#include "tokenizer.h"

enum { N_ROLES = TRIT_ROLE_ASSISTANT + 1 };

struct trit_chat_template {
    const char *name;
    bool trim;                                    /* white space around each text goes */
    const char *before[N_ROLES], *after[N_ROLES]; /* of system, user, assistant */
    const char *markers[4];                       /* special tokens in these strings */
    const char *stop[1];                          /* beside the end tokens */

    /* What it is recognised by. Lists end with NULL. */
    const char *must_contain[3];     /* texts: the file's own template has all of these */
    const char *must_not_contain[3]; /* and none of these */
    const char *archs[3];            /* with this vocabulary, whatever the file's template says */
    const char *vocabulary[3];       /* special tokens */
    const char *pre;                 /* or this pre-tokeniser */
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
        /* In the published GGUF of 2B-4T, where an end token follows "BITNETAssistant: ": that
         * makes answers unrelated and is left out. It has no system message; here that is a text
         * in front. Turns are told apart by lines, so that no vocabulary lacks anything. */
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

/* Over the items of a list that ends with NULL or with its array. */
#define FOR_EACH(item, list)                                                                       \
    for (size_t item##_i = 0;                                                                      \
         item##_i < sizeof(list) / sizeof *(list) && ((item) = (list)[item##_i]) != NULL;          \
         item##_i++)

const char *trit_chat_template_at(int i)
{
    return i >= 0 && i < N_TEMPLATES ? templates[i].name : NULL;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether word, in lower case, occurs in s; any_case: as it stands, or in capitals. */
static bool contains(struct trit_string s, const char *word, bool any_case)
{
    const size_t n = strlen(word);

    for (size_t at = 0; at + n <= s.len; at++) {
        size_t i = 0;
        while (i < n && (any_case ? lower(s.bytes[at + i]) : s.bytes[at + i]) == word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

/* What the choice is made by. */
struct evidence {
    const trit_tokenizer *tokenizer;
    struct trit_string arch, name, finetune;
    bool has_template;                /* of any kind */
    struct trit_string template_text; /* empty unless it is a string */
    uint32_t eos;                     /* UINT32_MAX: none */
};

/* A string of the metadata; empty where there is none. */
static struct trit_string string_of(const trit_file *file, const char *key)
{
    struct trit_string s = {"", 0};
    if (gguf_get_string(file, key, &s, NULL))
        s = (struct trit_string){"", 0};
    return s;
}

static struct evidence gather(const trit_file *file, const trit_tokenizer *t)
{
    struct evidence e = {
        .tokenizer = t,
        .arch = string_of(file, "general.architecture"),
        .name = string_of(file, "general.name"),
        .finetune = string_of(file, "general.finetune"),
        .has_template = gguf_find(file, "tokenizer.chat_template") != NULL,
        .template_text = string_of(file, "tokenizer.chat_template"),
        .eos = UINT32_MAX,
    };
    if (gguf_get_u32(file, "tokenizer.ggml.eos_token_id", &e.eos, NULL))
        e.eos = UINT32_MAX;
    return e;
}

/* The id of a marker, or -1. A normal token of that name may be text, and is none. */
static int32_t marker_id(const trit_tokenizer *t, const char *marker)
{
    return trit_vocab_find(&t->vocab, trit_string_of(marker), ~(1u << TRIT_TOKEN_NORMAL));
}

static bool fits_vocabulary(const struct trit_chat_template *form, const struct evidence *e)
{
    const char *const *pre = form->pre && e->tokenizer->pre ? e->tokenizer->pre->names : NULL;
    const char *marker;

    for (; pre && *pre; pre++)
        if (strcmp(*pre, form->pre) == 0)
            return true;
    FOR_EACH(marker, form->vocabulary)
    if (marker_id(e->tokenizer, marker) < 0)
        return false;
    return form->vocabulary[0] != NULL;
}

static bool is_for_arch(const struct trit_chat_template *form, const struct evidence *e)
{
    const char *arch;
    FOR_EACH(arch, form->archs)
    if (trit_string_is(e->arch, arch))
        return true;
    return false;
}

static bool is_said(const struct trit_chat_template *form, const struct evidence *e)
{
    const char *word;
    FOR_EACH(word, form->must_not_contain)
    if (contains(e->template_text, word, false))
        return false;
    FOR_EACH(word, form->must_contain)
    if (!contains(e->template_text, word, false))
        return false;
    return form->must_contain[0] != NULL;
}

static bool name_says_chat(const struct evidence *e)
{
    return contains(e->name, "instruct", true) || contains(e->name, "chat", true) ||
           contains(e->finetune, "instruct", true) || contains(e->finetune, "chat", true);
}

/* The marker that text begins with, or NULL. */
static const char *marker_at(const struct trit_chat_template *form, const char *text)
{
    const char *marker;
    FOR_EACH(marker, form->markers)
    if (strncmp(text, marker, strlen(marker)) == 0)
        return marker;
    return NULL;
}

/* Whether the file's end token ends a turn of the template, as base models' do not. */
static bool eos_ends_turn(const struct trit_chat_template *form, const struct evidence *e)
{
    const char *marker = marker_at(form, form->after[TRIT_ROLE_ASSISTANT]);
    const int32_t id = marker ? marker_id(e->tokenizer, marker) : -1;
    return id >= 0 && (uint32_t)id == e->eos;
}

static void set_form(struct trit_chat *c, const struct trit_chat_template *form, const char *why)
{
    c->form = form;
    c->name = form->name;
    snprintf(c->why, sizeof c->why, "%s", why);
}

/* By the vocabulary, which base models share. */
static void choose_by_vocabulary(struct trit_chat *c, const struct evidence *e)
{
    const bool named = name_says_chat(e);

    for (int i = 0; i < N_TEMPLATES; i++) {
        const struct trit_chat_template *form = &templates[i];
        if (form->archs[0] || !fits_vocabulary(form, e))
            continue;
        if (e->has_template)
            set_form(c, form,
                     "the file's chat template is not known here; a guess by the tokens "
                     "of its vocabulary");
        else if (eos_ends_turn(form, e))
            set_form(c, form,
                     "the file has no chat template, but its end token ends a turn of "
                     "this one");
        else if (named)
            set_form(c, form,
                     "the file has no chat template, but the model's name says that it "
                     "chats, and its vocabulary has the tokens of this one");
        else
            continue;
        return;
    }
    c->base = !e->has_template && !named;
    set_form(c, &templates[PLAIN],
             e->has_template ? "the file's chat template is not known here, and its vocabulary "
                               "does not tell which it is"
             : named ? "the file has no chat template, and its vocabulary does not tell which one "
                       "the model wants"
                     : "the file has no chat template, and neither its name nor its end token is "
                       "a chat model's");
}

static void choose_by_file(struct trit_chat *c, const struct evidence *e)
{
    for (int i = 0; i < N_TEMPLATES; i++)
        if (is_for_arch(&templates[i], e) && fits_vocabulary(&templates[i], e)) {
            set_form(c, &templates[i],
                     !e->has_template || is_said(&templates[i], e)
                         ? "what this architecture with the Llama-3 vocabulary (2B-4T) was "
                           "trained on"
                         : "what this architecture with the Llama-3 vocabulary (2B-4T) was "
                           "trained on; the file's own template is another one, wrong for it, "
                           "and is not used");
            return;
        }
    for (int i = 0; i < N_TEMPLATES; i++)
        if (is_said(&templates[i], e)) {
            set_form(c, &templates[i], "recognised in the file's chat template");
            return;
        }
    c->guessed = e->has_template;
    choose_by_vocabulary(c, e);
}

static trit_status choose_by_name(struct trit_chat *c, const char *name, struct trit_error *err)
{
    char names[96];
    size_t n = 0;

    for (int i = 0; i < N_TEMPLATES; i++) {
        if (strcmp(templates[i].name, name) == 0) {
            set_form(c, &templates[i], "asked for by name");
            c->guessed = false;
            return TRIT_OK;
        }
        n += (size_t)snprintf(names + n, sizeof names - n, " %s", templates[i].name);
    }
    return trit_fail(err, TRIT_E_ARGUMENT, "there is no chat template '%s'; there are:%s",
                     trit_quote_text(name).text, names);
}

/* Say which marker of the template the vocabulary lacks. */
static void check_markers(struct trit_chat *c, const trit_tokenizer *t)
{
    const size_t n = strlen(c->why);
    const char *marker;

    FOR_EACH(marker, c->form->markers)
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
    const struct evidence e = gather(file, tokenizer);

    *out = (struct trit_chat){0};
    choose_by_file(out, &e);
    const trit_status status = name ? choose_by_name(out, name, err) : TRIT_OK;
    if (status)
        return status;
    check_markers(out, tokenizer);
    out->stop = out->form->stop;
    out->n_stop = out->form->stop[0] ? 1 : 0;
    return TRIT_OK;
}

/* ---- Writing --------------------------------------------------------------------------------- */

/* A conversation as it is written, and encoded as far as it is: what comes after `from` is plain
 * text that waits for its end. */
struct writer {
    const struct trit_chat_template *form;
    char *text; /* has room for all of it */
    size_t len, from;
    const trit_tokenizer *tokenizer; /* NULL: text only */
    struct trit_encoding encoding;
    enum trit_encode_result result;
    bool continues; /* plain text was cut before `from` */
};

static void put(struct writer *w, const char *bytes, size_t len)
{
    if (len)
        memcpy(w->text + w->len, bytes, len);
    w->len += len;
}

/* Encode the plain text so far: what comes next is encoded apart from it. */
static void cut(struct writer *w)
{
    const struct trit_string plain = {w->text + w->from, w->len - w->from};
    const unsigned flags = TRIT_ENCODE_NO_MARKUP | (w->continues ? TRIT_ENCODE_CONTINUES : 0u);

    if (!w->tokenizer || !plain.len || w->result != TRIT_ENCODED)
        return;
    w->result = trit_encoding_text(w->tokenizer, &w->encoding, plain, flags);
    w->continues = true;
    w->from = w->len;
}

/* A string of the template: markers that the vocabulary has become their tokens. */
static void put_form(struct writer *w, const char *text)
{
    while (*text) {
        const char *marker = w->tokenizer ? marker_at(w->form, text) : NULL;
        const int32_t id = marker ? marker_id(w->tokenizer, marker) : -1;
        const size_t len = marker ? strlen(marker) : 1;
        if (id >= 0)
            cut(w);
        put(w, text, len);
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
    const struct trit_string text = w->form->trim ? trim(m->text) : m->text;
    const bool answer = m->role == TRIT_ROLE_ASSISTANT;

    put_form(w, w->form->before[m->role]);
    if (answer)
        cut(w);
    put(w, text.bytes, text.len);
    if (answer)
        cut(w);
    put_form(w, w->form->after[m->role]);
}

/* Bytes that n messages take at most, and what comes before the answer. */
static trit_status measure(const struct trit_chat_template *form,
                           const struct trit_message *messages, int32_t n, size_t *size,
                           struct trit_error *err)
{
    const size_t most = INT32_MAX / 4;

    *size = strlen(form->before[TRIT_ROLE_ASSISTANT]);
    for (int32_t i = 0; i < n; i++) {
        const trit_role role = messages[i].role;
        if ((unsigned)role >= N_ROLES)
            return trit_fail(err, TRIT_E_ARGUMENT, "message %d has no role that there is", i);
        const size_t around = strlen(form->before[role]) + strlen(form->after[role]);
        if (messages[i].text.len > most || around + messages[i].text.len > most - *size)
            return trit_fail(err, TRIT_E_ARGUMENT, "a conversation of more than %zu bytes", most);
        *size += around + messages[i].text.len;
    }
    return TRIT_OK;
}

/* Write n messages, and then what comes before an answer. w->text is to be freed either way. */
static trit_status write_all(struct writer *w, const struct trit_message *messages, int32_t n,
                             bool answer, struct trit_error *err)
{
    size_t size;
    const trit_status status = measure(w->form, messages, n, &size, err);

    if (status)
        return status;
    w->text = malloc(size + 1);
    if (!w->text)
        return trit_fail_memory(err, size + 1, "the conversation");
    for (int32_t i = 0; i < n; i++)
        put_message(w, &messages[i]);
    if (answer)
        put_form(w, w->form->before[TRIT_ROLE_ASSISTANT]);
    cut(w);
    return TRIT_OK;
}

trit_status trit_chat_render(const struct trit_chat *chat, const struct trit_message *messages,
                             int32_t n, char **out, size_t *len, struct trit_error *err)
{
    struct writer w = {.form = chat->form};
    const trit_status status = write_all(&w, messages, n, true, err);

    *out = status ? NULL : w.text;
    *len = status ? 0 : w.len;
    return status;
}

static trit_status encode(const struct trit_chat *chat, const trit_tokenizer *t,
                          const struct trit_message *messages, int32_t n, bool answer,
                          int32_t **out, int32_t *n_ids, struct trit_error *err)
{
    struct writer w = {.form = chat->form, .tokenizer = t, .encoding.size = 64};

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
    trit_status status = encode(chat, tokenizer, messages, n, true, out, n_ids, err);

    if (status || !n_keep)
        return status;
    while (n_system < n && messages[n_system].role == TRIT_ROLE_SYSTEM)
        n_system++;
    status = encode(chat, tokenizer, messages, n_system, false, &start, &n_start, err);
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
