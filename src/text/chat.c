/* chat.c - conversations in the chat template that a model was trained on.
 *
 * A template is a Jinja program (jinja.h): the file's own, one of the rows below, or the caller's.
 * It sees the messages, and every byte that it writes has an origin. So its own markers become
 * tokens, and the same bytes in a message stay text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jinja.h"
#include "str.h"
#include "tokenizer.h"

enum { N_ROLES = TRIT_ROLE_ASSISTANT + 1 };

/* A template for files without one. */
struct row {
    const char *name, *source;
    const char *markers[4]; /* special tokens in the source */
    const char *end;        /* the one that ends an answer, or NULL */
    const char *stop[1];    /* in addition to the end tokens */

    /* How a model for it is recognized. Lists end with NULL. */
    const char *archs[3];      /* these with this vocabulary: even if the file's template differs */
    const char *vocabulary[3]; /* special tokens that it must have */
    const char *pre;           /* or the pre-tokenizer that it must have */
};

#define TURNS(turn) "{% for m in messages %}{{ " turn " }}{% endfor %}"
#define ANSWER(text) "{% if add_generation_prompt %}{{ '" text "' }}{% endif %}"

static const struct row rows[] = {
    {
        /* microsoft/bitnet-b1.58-2B-4T. The trailing space is in the published template. */
        .name = "bitnet",
        .source = TURNS("m.role | capitalize + ': ' + m.content | trim + '<|eot_id|>'")
            ANSWER("Assistant: "),
        .markers = {"<|eot_id|>"},
        .end = "<|eot_id|>",
        .archs = {"bitnet-b1.58", "bitnet-25"},
        .vocabulary = {"<|start_header_id|>", "<|eot_id|>"},
    },
    {
        .name = "llama3",
        .source = TURNS("'<|start_header_id|>' + m.role + '<|end_header_id|>\n\n' + m.content | "
                        "trim + '<|eot_id|>'")
            ANSWER("<|start_header_id|>assistant<|end_header_id|>\n\n"),
        .markers = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
        .end = "<|eot_id|>",
        .vocabulary = {"<|start_header_id|>", "<|eot_id|>"},
    },
    {
        .name = "falcon3",
        .source = TURNS("'<|' + m.role + '|>\n' + m.content + '\n'") ANSWER("<|assistant|>\n"),
        .markers = {"<|system|>", "<|user|>", "<|assistant|>"},
        .vocabulary = {"<|user|>", "<|assistant|>"},
        .pre = "falcon3",
    },
    {
        .name = "chatml",
        .source = TURNS("'<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n'")
            ANSWER("<|im_start|>assistant\n"),
        .markers = {"<|im_start|>", "<|im_end|>"},
        .end = "<|im_end|>",
        .vocabulary = {"<|im_start|>", "<|im_end|>"},
        .pre = "falcon_e",
    },
    {
        /* From the published GGUF of 2B-4T, without its end token after "BITNETAssistant: ", which
         * makes answers unrelated to the question. It has no system message; here, that is plain
         * text at the start. Newlines separate turns, so it needs no special tokens. */
        .name = "human",
        .source = TURNS("{'user': 'Human: ', 'assistant': 'BITNETAssistant: '}[m.role] | "
                        "default('') + m.content + '\n\n'") ANSWER("BITNETAssistant: "),
        .stop = {"\nHuman:"},
    },
    {
        .name = "plain",
        .source = TURNS("m.content"),
    },
};
enum { N_ROWS = sizeof rows / sizeof *rows, PLAIN = N_ROWS - 1 };

/* What shows that a file's own template is the one of the published GGUFs of 2B-4T. */
static const char wrong_template[] = "BITNETAssistant";

/* Iterate over a list that ends with NULL or at the end of its array. */
#define FOR_EACH(item, list)                                                                       \
    for (size_t item##_i = 0;                                                                      \
         item##_i < sizeof(list) / sizeof *(list) && ((item) = (list)[item##_i]) != NULL;          \
         item##_i++)

const char *trit_chat_template_at(int i)
{
    return i >= 0 && i < N_ROWS ? rows[i].name : NULL;
}

/* ---- Evidence -------------------------------------------------------------------------------- */

static char lower_case(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether s contains word, which is in lower case, in any case. */
static bool contains(struct trit_string s, const char *word)
{
    const size_t n = strlen(word);

    for (size_t at = 0; at + n <= s.len; at++) {
        size_t i = 0;
        while (i < n && lower_case(s.bytes[at + i]) == word[i])
            i++;
        if (i == n)
            return true;
    }
    return false;
}

static bool has(struct trit_string s, const char *word)
{
    return trit_string_has(s, trit_string_of(word));
}

/* What the choice is based on. */
struct evidence {
    const trit_tokenizer *tokenizer;
    struct trit_string arch, name, finetune;
    struct trit_string bos_text, eos_text; /* of the end and begin tokens; empty: none */
    struct trit_string template_text;      /* empty: none */
    uint32_t eos;                          /* UINT32_MAX: none */
    bool is_2b4t;                          /* of that shape under the architecture "bitnet" */
};

/* A string of the metadata; empty if it is missing. */
static struct trit_string string_of(const trit_file *file, const char *key)
{
    struct trit_string s = {"", 0};
    if (trit_gguf_get_string(file, key, &s, NULL))
        s = (struct trit_string){"", 0};
    return s;
}

/* Patched converters write 2B-4T as the architecture "bitnet". */
static bool has_shape_of_2b4t(const trit_file *file)
{
    uint32_t n_embd = 0, n_ff = 0;
    return !trit_gguf_get_u32(file, "bitnet.embedding_length", &n_embd, NULL) && n_embd == 2560 &&
           !trit_gguf_get_u32(file, "bitnet.feed_forward_length", &n_ff, NULL) && n_ff == 6912;
}

static struct evidence gather_evidence(const trit_file *file, const trit_tokenizer *t)
{
    struct evidence e = {
        .tokenizer = t,
        .arch = string_of(file, "general.architecture"),
        .name = string_of(file, "general.name"),
        .finetune = string_of(file, "general.finetune"),
        .template_text = string_of(file, "tokenizer.chat_template"),
        .eos = UINT32_MAX,
        .bos_text = {"", 0},
        .eos_text = {"", 0},
    };
    e.is_2b4t = has_shape_of_2b4t(file);
    if (trit_gguf_get_u32(file, "tokenizer.ggml.eos_token_id", &e.eos, NULL))
        e.eos = UINT32_MAX;
    if (e.eos < (uint32_t)t->vocab.n)
        e.eos_text = trit_vocab_text(&t->vocab, (int32_t)e.eos);
    if (t->bos >= 0)
        e.bos_text = trit_vocab_text(&t->vocab, t->bos);
    return e;
}

/* The id of a marker, or -1. Converters type some markers as normal tokens. */
static int32_t marker_id(const trit_tokenizer *t, const char *marker)
{
    return trit_vocab_find(&t->vocab, trit_string_of(marker), TRIT_ANY_TOKEN);
}

static bool fits_vocabulary(const struct row *row, const struct evidence *e)
{
    const char *const *pre = row->pre && e->tokenizer->pre ? e->tokenizer->pre->names : NULL;
    const char *marker;

    for (; pre && *pre; pre++)
        if (strcmp(*pre, row->pre) == 0)
            return true;
    FOR_EACH(marker, row->vocabulary)
    if (marker_id(e->tokenizer, marker) < 0)
        return false;
    return row->vocabulary[0] != NULL;
}

static bool is_for_arch(const struct row *row, const struct evidence *e)
{
    const char *arch;

    if (row->archs[0] && e->is_2b4t)
        return true;
    FOR_EACH(arch, row->archs)
    if (trit_string_is(e->arch, arch))
        return true;
    return false;
}

static bool is_named_chat(const struct evidence *e)
{
    return contains(e->name, "instruct") || contains(e->name, "chat") ||
           contains(e->finetune, "instruct") || contains(e->finetune, "chat");
}

/* Whether the file's end token ends a turn of the template. In base models it does not. */
static bool eos_ends_turn(const struct row *row, const struct evidence *e)
{
    const int32_t id = row->end ? marker_id(e->tokenizer, row->end) : -1;
    return id >= 0 && (uint32_t)id == e->eos;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static void use_source(struct trit_chat *c, const char *name, struct trit_string source,
                       const char *why)
{
    c->name = name;
    c->source = source;
    c->stop = NULL;
    c->n_stop = 0;
    snprintf(c->why, sizeof c->why, "%s", why);
}

static void use_row(struct trit_chat *c, const struct row *row, const struct evidence *e,
                    const char *why)
{
    const char *marker;

    use_source(c, row->name, trit_string_of(row->source), why);
    c->stop = row->stop;
    c->n_stop = row->stop[0] ? 1 : 0;
    FOR_EACH(marker, row->markers)
    if (marker_id(e->tokenizer, marker) < 0) {
        const size_t n = strlen(c->why);
        c->missing_markers = true;
        snprintf(c->why + n, sizeof c->why - n,
                 "; the vocabulary lacks its %s, which becomes plain text", marker);
        return;
    }
}

/* Choose for a file without a template, by the vocabulary, which chat and base models share. */
static void choose_by_vocabulary(struct trit_chat *c, const struct evidence *e)
{
    const bool is_named = is_named_chat(e);

    for (int i = 0; i < N_ROWS; i++) {
        const bool fits = !rows[i].archs[0] && fits_vocabulary(&rows[i], e);
        if (fits && eos_ends_turn(&rows[i], e)) {
            use_row(c, &rows[i], e,
                    "the file has no chat template, but its end token ends a turn of this one");
            return;
        }
        if (fits && is_named) {
            use_row(c, &rows[i], e,
                    "the file has no chat template, but the model's name indicates a chat model "
                    "and its vocabulary has the tokens of this one");
            return;
        }
    }
    use_row(c, &rows[PLAIN], e,
            is_named ? "the file has no chat template, and its vocabulary does not indicate which "
                       "one the model expects"
                     : "the file has no chat template, and neither its name nor its end token "
                       "indicates a chat model");
    c->base = !is_named;
}

static trit_status use_own(struct trit_chat *c, struct trit_string source, const char *name,
                           const char *why, struct trit_error *err)
{
    struct trit_error found;
    const trit_status status = trit_jinja_check(source, &found);

    if (status)
        return trit_fail(err, status,
                         "the chat template (%s) cannot be used: %s; choose another one with "
                         "--template",
                         name, found.text);
    use_source(c, name, source, why);
    return TRIT_OK;
}

static trit_status choose_by_file(struct trit_chat *c, const struct evidence *e,
                                  struct trit_error *err)
{
    const bool is_wrong = has(e->template_text, wrong_template);

    for (int i = 0; i < N_ROWS; i++)
        if ((!e->template_text.len || is_wrong) && is_for_arch(&rows[i], e) &&
            fits_vocabulary(&rows[i], e)) {
            use_row(c, &rows[i], e,
                    is_wrong
                        ? "this architecture with the Llama-3 vocabulary (2B-4T) was trained on "
                          "it; the file's own template is a different one, wrong for this model, "
                          "and is ignored"
                        : "this architecture with the Llama-3 vocabulary (2B-4T) was trained on "
                          "it");
            return TRIT_OK;
        }
    if (e->template_text.len)
        return use_own(c, e->template_text, "own", "the file's own chat template", err);
    choose_by_vocabulary(c, e);
    return TRIT_OK;
}

/* A further template of the file, tokenizer.chat_template.NAME; empty: none. */
static struct trit_string named_template(const trit_file *file, const char *name)
{
    char key[96];
    const int n = snprintf(key, sizeof key, "tokenizer.chat_template.%s", name);
    return n > 0 && n < (int)sizeof key ? string_of(file, key) : (struct trit_string){"", 0};
}

static trit_status choose_by_name(struct trit_chat *c, const struct evidence *e,
                                  const trit_file *file, const char *name, struct trit_error *err)
{
    const struct trit_string further = named_template(file, name);
    char names[96] = "";

    for (int i = 0; i < N_ROWS; i++) {
        trit_append(names, sizeof names, " %s", rows[i].name);
        if (strcmp(rows[i].name, name) == 0) {
            use_row(c, &rows[i], e, "chosen by name");
            return TRIT_OK;
        }
    }
    if (strcmp(name, "own") == 0 && e->template_text.len)
        return use_own(c, e->template_text, "own", "the file's own chat template, chosen by name",
                       err);
    if (further.len)
        return use_own(c, further, "own", "one of the file's own chat templates, chosen by name",
                       err);
    if (has(trit_string_of(name), "{{") || has(trit_string_of(name), "{%"))
        return use_own(c, trit_string_of(name), "given", "given as a text", err);
    return trit_fail(err, TRIT_E_ARGUMENT, "unknown chat template '%s'; choose from:%s%s",
                     trit_quote_text(name).text, names, e->template_text.len ? " own" : "");
}

trit_status trit_chat_choose(struct trit_chat *out, const trit_file *file,
                             const trit_tokenizer *tokenizer, const char *name,
                             struct trit_error *err)
{
    const struct evidence e = gather_evidence(file, tokenizer);

    *out = (struct trit_chat){.enable_thinking = -1, .bos = e.bos_text, .eos = e.eos_text};
    trit_status status = choose_by_file(out, &e, err);
    if (name)
        status = choose_by_name(out, &e, file, name, err);
    if (status)
        return status;
    out->knows_thinking = has(out->source, "enable_thinking");
    return TRIT_OK;
}

/* ---- Rendering ------------------------------------------------------------------------------- */

static trit_status check_messages(const struct trit_message *messages, int32_t n,
                                  struct trit_error *err)
{
    const size_t most = INT32_MAX / 4;
    size_t size = 0;

    for (int32_t i = 0; i < n; i++) {
        if ((unsigned)messages[i].role >= N_ROLES)
            return trit_fail(err, TRIT_E_ARGUMENT, "message %d: unknown role", i);
        if (messages[i].text.len >= most - size)
            return trit_fail(err, TRIT_E_ARGUMENT, "the conversation exceeds %zu bytes", most);
        size += messages[i].text.len;
    }
    return TRIT_OK;
}

/* answer: with what precedes an answer. Release *out with trit_jinja_free() in any case. */
static trit_status render(struct trit_jinja_output *out, const struct trit_chat *chat,
                          const struct trit_message *messages, int32_t n, bool answer,
                          struct trit_error *err)
{
    const struct trit_jinja_input in = {
        .messages = messages,
        .n = n,
        .bos_token = chat->bos,
        .eos_token = chat->eos,
        .add_generation_prompt = answer,
        .enable_thinking = chat->enable_thinking,
        .has_now = chat->has_now,
        .now = chat->now,
    };
    struct trit_error found;

    *out = (struct trit_jinja_output){0};
    trit_status status = check_messages(messages, n, err);
    if (status)
        return status;
    status = trit_jinja_render(out, chat->source, &in, &found);
    if (status)
        trit_fail(err, status, "chat template %s: %s", chat->name, found.text);
    return status;
}

trit_status trit_chat_render(const struct trit_chat *chat, const struct trit_message *messages,
                             int32_t n, char **out, size_t *len, struct trit_error *err)
{
    struct trit_jinja_output text;
    const trit_status status = render(&text, chat, messages, n, true, err);

    *out = text.text;
    *len = text.len;
    text.text = NULL;
    trit_jinja_free(&text);
    return status;
}

/* ---- Encoding -------------------------------------------------------------------------------- */

struct encoder {
    const struct trit_chat *chat;
    const trit_tokenizer *tokenizer;
    const struct trit_message *messages;
    const struct trit_answer_ids *answers; /* [n], or NULL */
    int32_t n;
    struct trit_encoding encoding;
    enum trit_encode_result result;
};

/* A text with the origins of its bytes. */
static void encode_part(struct encoder *e, const struct trit_jinja_output *out, size_t from,
                        size_t to)
{
    if (e->result != TRIT_ENCODED || from == to)
        return;
    e->encoding.origin = out->origin + from;
    e->encoding.source = e->chat->source;
    e->result =
        trit_encoding_text(e->tokenizer, &e->encoding,
                           (struct trit_string){out->text + from, to - from}, TRIT_ENCODE_SPECIAL);
}

static void add_ids(struct encoder *e, const int32_t *ids, int32_t n)
{
    for (int32_t i = 0; i < n && e->result == TRIT_ENCODED; i++)
        if (!trit_encoding_add(&e->encoding, ids[i]))
            e->result = TRIT_ENCODED_NO_MEMORY;
    e->encoding.continues = true;
}

/* The message of the byte `at` of all answers; *begin: of its first byte. -1: none */
static int32_t answer_of(const struct encoder *e, size_t at, size_t *begin)
{
    *begin = 0;
    for (int32_t i = 0; i < e->n; i++) {
        if (e->messages[i].role != TRIT_ROLE_ASSISTANT)
            continue;
        if (at < *begin + e->messages[i].text.len)
            return i;
        *begin += e->messages[i].text.len;
    }
    return -1;
}

static bool is_blank(struct trit_string s)
{
    while (s.len && (s.bytes[0] == ' ' || (s.bytes[0] >= '\t' && s.bytes[0] <= '\r')))
        s.bytes++, s.len--;
    return s.len == 0;
}

/* Bytes [from, to) of an answer whose tokens are known, which are out's bytes from `at` on. Tokens
 * that lie within are taken as the model wrote them; a part of a token is encoded again. If the
 * template only trimmed white space off, all tokens are taken. */
static void encode_written(struct encoder *e, const struct trit_jinja_output *out, size_t at,
                           struct trit_string text, const struct trit_answer_ids *ids, size_t from,
                           size_t to)
{
    size_t place = 0;
    int32_t first = 0, last;

    if (is_blank((struct trit_string){text.bytes, from}) &&
        is_blank((struct trit_string){text.bytes + to, text.len - to})) {
        add_ids(e, ids->ids, ids->n);
        return;
    }
    for (; first < ids->n && place < from; first++)
        place += trit_tokenizer_piece(e->tokenizer, ids->ids[first], false).len;
    const size_t begin = place < to ? place : to;
    size_t end = begin;
    for (last = first; last < ids->n; last++) {
        const size_t len = trit_tokenizer_piece(e->tokenizer, ids->ids[last], false).len;
        if (end + len > to)
            break;
        end += len;
    }
    encode_part(e, out, at, at + begin - from);
    add_ids(e, ids->ids + first, last - first);
    encode_part(e, out, at + end - from, at + to - from);
}

/* Bytes [from, to) of the output, which are a run of one answer. */
static void encode_answer(struct encoder *e, const struct trit_jinja_output *out, size_t from,
                          size_t to)
{
    const size_t at = out->origin[from] - TRIT_JINJA_ANSWERS;
    size_t begin;
    const int32_t i = answer_of(e, at, &begin);

    if (i >= 0 && e->answers && e->answers[i].ids)
        encode_written(e, out, from, e->messages[i].text, &e->answers[i], at - begin,
                       at - begin + (to - from));
    else
        encode_part(e, out, from, to);
}

/* The end of the run that begins at `at`: of bytes of one answer, one after the other, or of all
 * other bytes. */
static size_t run_end(const struct encoder *e, const struct trit_jinja_output *out, size_t at)
{
    const uint32_t first = out->origin[at];
    size_t begin = 0, end = at + 1;

    if (first < TRIT_JINJA_ANSWERS) {
        while (end < out->len && out->origin[end] < TRIT_JINJA_ANSWERS)
            end++;
        return end;
    }
    const int32_t i = answer_of(e, first - TRIT_JINJA_ANSWERS, &begin);
    const size_t most = i < 0 ? 1 : begin + e->messages[i].text.len - (first - TRIT_JINJA_ANSWERS);
    while (end < out->len && end - at < most && out->origin[end] == first + (end - at))
        end++;
    return end;
}

static bool begins_with_bos(const struct trit_jinja_output *out, const struct trit_chat *chat)
{
    const size_t n = chat->bos.len;
    for (size_t i = 0; i < n && i < out->len; i++)
        if (out->origin[i] != TRIT_JINJA_TEMPLATE)
            return false;
    return n && out->len >= n && memcmp(out->text, chat->bos.bytes, n) == 0;
}

static trit_status encode_chat(struct encoder e, bool answer, int32_t **ids, int32_t *n_ids,
                               struct trit_error *err)
{
    struct trit_jinja_output out;
    const trit_status status = render(&out, e.chat, e.messages, e.n, answer, err);

    *ids = NULL;
    *n_ids = 0;
    e.encoding = (struct trit_encoding){.size = 64};
    if (!status) {
        e.encoding.ids = malloc(e.encoding.size * sizeof *e.encoding.ids);
        e.result = !e.encoding.ids ? TRIT_ENCODED_NO_MEMORY
                   : begins_with_bos(&out, e.chat)
                       ? TRIT_ENCODED
                       : trit_encoding_text(e.tokenizer, &e.encoding, (struct trit_string){"", 0},
                                            TRIT_ENCODE_BOS);
        for (size_t at = 0, end; at < out.len && e.result == TRIT_ENCODED; at = end) {
            end = run_end(&e, &out, at);
            if (out.origin[at] < TRIT_JINJA_ANSWERS)
                encode_part(&e, &out, at, end);
            else
                encode_answer(&e, &out, at, end);
        }
    }
    trit_jinja_free(&out);
    return status ? status : trit_encoding_finish(&e.encoding, e.result, ids, n_ids, err);
}

trit_status trit_chat_encode_answers(const struct trit_chat *chat, const trit_tokenizer *tokenizer,
                                     const struct trit_message *messages,
                                     const struct trit_answer_ids *answers, int32_t n,
                                     int32_t **out, int32_t *n_ids, int32_t *n_keep,
                                     struct trit_error *err)
{
    const struct encoder all = {chat, tokenizer, messages, answers, n, .result = TRIT_ENCODED};
    struct encoder system = all;
    int32_t n_start = 0, *start = NULL;
    trit_status status = encode_chat(all, true, out, n_ids, err);

    if (status || !n_keep)
        return status;
    for (system.n = 0; system.n < n && messages[system.n].role == TRIT_ROLE_SYSTEM;)
        system.n++;
    status = encode_chat(system, false, &start, &n_start, err);
    if (status == TRIT_E_FILE) /* the template refuses system messages alone: keep the BOS */
        n_start = *n_ids > 0 && (*out)[0] == tokenizer->bos;
    else if (status) {
        free(*out);
        *out = NULL;
        *n_ids = 0;
        return status;
    }
    for (*n_keep = 0; *n_keep < n_start && *n_keep < *n_ids; ++*n_keep)
        if (start && start[*n_keep] != (*out)[*n_keep])
            break;
    free(start);
    return TRIT_OK;
}

trit_status trit_chat_encode(const struct trit_chat *chat, const trit_tokenizer *tokenizer,
                             const struct trit_message *messages, int32_t n, int32_t **out,
                             int32_t *n_ids, int32_t *n_keep, struct trit_error *err)
{
    return trit_chat_encode_answers(chat, tokenizer, messages, NULL, n, out, n_ids, n_keep, err);
}
