/* pretokenize.c - see pretokenize.h. The expressions are those of the published tokenizer.json
 * files (also llama.cpp's llama-vocab.cpp). At every position, alternatives are tried in this
 * order:
 *
 *   contraction   's 't 're 've 'm 'll 'd                    case-sensitive, or not
 *   word          an optional lead, then letters
 *   number        \p{N}, one, up to three, or any; lead " " in gpt-2
 *   symbols       " "? [^\s\p{L}\p{N}]+ [tail]*
 *   newlines      \s*[\r\n]+                                 not in gpt-2
 *   space         \s+(?!\S), else \s+
 */
#include "pretokenize.h"

#include <string.h>

#include "gguf.h"
#include "unicode.h"

/* The differences between the expressions. */
struct trit_pre_rules {
    bool any_case; /* contractions in capitals too */
    bool contractions;
    bool free_lead;    /* a word's lead is [^\r\n\p{L}\p{N}], not just a space */
    bool cased_words;  /* a word is upper-case letters, then lower-case ones; else any letters */
    size_t max_digits; /* 0: any number, and a space may precede them */
    const char *tail;  /* of symbols */
    bool newlines;
    bool split_symbols; /* runs of punctuation are split off before anything else */
};

static const struct trit_pre_rules gpt2 = {.contractions = true, .tail = ""};
static const struct trit_pre_rules llama3 = {.contractions = true,
                                             .any_case = true,
                                             .free_lead = true,
                                             .max_digits = 3,
                                             .tail = "\r\n",
                                             .newlines = true};
static const struct trit_pre_rules qwen2 = {.contractions = true,
                                            .any_case = true,
                                            .free_lead = true,
                                            .max_digits = 1,
                                            .tail = "\r\n",
                                            .newlines = true};
static const struct trit_pre_rules falcon_e = {.free_lead = true,
                                               .cased_words = true,
                                               .max_digits = 1,
                                               .tail = "\r\n/",
                                               .newlines = true,
                                               .split_symbols = true};

#define NAMES(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
/* Names with the same expressions are those of llama.cpp. */
static const struct trit_pretokenizer rows[] = {
    {NAMES("gpt-2", "gpt2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat",
           "a.x-4.0", "mellum", "modern-bert", "exaone4", "mpt", "olmo", "jais", "trillion",
           "granite-docling"),
     false, false, &gpt2},
    {NAMES("llama-bpe", "llama3", "llama-v3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
           "jina-v5-nano"),
     true, true, &llama3},
    {NAMES("falcon3"), true, false, &llama3},
    {NAMES("smaug-bpe", "dbrx"), false, false, &llama3},
    {NAMES("falcon_e", "falcon-e"), false, false, &falcon_e},
    {NAMES("qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan",
           "solar-open"),
     false, false, &qwen2},
};
const char trit_pretokenizer_names[] = "gpt-2, llama-bpe, falcon3, falcon_e, qwen2";

const struct trit_pretokenizer *trit_pretokenizer_find(struct trit_string name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (const char *const *n = rows[i].names; *n; n++)
            if (trit_string_is(name, *n))
                return &rows[i];
    return NULL;
}

/* ---- Runs of characters ---------------------------------------------------------------------- */

enum {
    L = TRIT_CHARS_L,
    N = TRIT_CHAR_NUMBER,
    SPACE = TRIT_CHAR_SPACE,
    NOT_WORD = ~(L | N | SPACE), /* [^\s\p{L}\p{N}] */
    CAPITAL =
        TRIT_CHAR_UPPER | TRIT_CHAR_TITLE | TRIT_CHAR_MODIFIER | TRIT_CHAR_LETTER | TRIT_CHAR_MARK,
    SMALL = TRIT_CHAR_LOWER | TRIT_CHAR_MODIFIER | TRIT_CHAR_LETTER | TRIT_CHAR_MARK,
};

struct text {
    const char *p;
    size_t len;
};

/* Class of the character at i, its length in *n; 0 at the end. */
static unsigned class_at(struct text t, size_t i, size_t *n)
{
    *n = 0;
    return i < t.len ? trit_char_class(trit_utf8_decode(t.p + i, t.len - i, n)) : 0;
}

/* End of the run of at most `most` characters of these classes that begins at i. */
static size_t run_end(struct text t, size_t i, int classes, size_t most)
{
    size_t n;
    for (; most > 0 && (class_at(t, i, &n) & (unsigned)classes); most--)
        i += n;
    return i;
}

static bool is_newline(char c)
{
    return c == '\r' || c == '\n';
}

/* ---- Alternatives: each returns the end of its match at 0, or 0 ------------------------------ */

/* Unicode's simple case folding also maps U+017F to s. */
static size_t match_contraction(const struct trit_pre_rules *r, struct text t)
{
    static const char *const endings[] = {"s", "t", "re", "ve", "m", "ll", "d"};

    if (!r->contractions || t.len < 2 || t.p[0] != '\'')
        return 0;
    if (r->any_case && t.len >= 3 && memcmp(t.p + 1, "\xC5\xBF", 2) == 0)
        return 3;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t n = strlen(endings[i]);
        size_t j = 0;
        while (j < n && 1 + j < t.len &&
               (r->any_case && t.p[1 + j] >= 'A' && t.p[1 + j] <= 'Z'
                    ? t.p[1 + j] + 32
                    : t.p[1 + j]) == endings[i][j])
            j++;
        if (j == n)
            return 1 + n;
    }
    return 0;
}

/* Capital*Small+ from i, or else Capital+Small*. Letters without case are in both classes, so the
 * first form backtracks to the last one that can be the small part. */
static size_t cased_word_first(struct text t, size_t i)
{
    const size_t capitals = run_end(t, i, CAPITAL, SIZE_MAX),
                 end = run_end(t, capitals, SMALL, SIZE_MAX);
    size_t last = 0, n;

    if (end > capitals)
        return end;
    for (size_t j = i; j < capitals; j += n)
        if (class_at(t, j, &n) & SMALL)
            last = j + n; /* backtrack to the last such letter */
    return last;
}

static size_t cased_word_second(struct text t, size_t i)
{
    const size_t capitals = run_end(t, i, CAPITAL, SIZE_MAX);
    return capitals > i ? run_end(t, capitals, SMALL, SIZE_MAX) : 0;
}

static size_t plain_word(struct text t, size_t i)
{
    const size_t end = run_end(t, i, L, SIZE_MAX);
    return end > i ? end : 0;
}

/* Length of the lead at the start of the text. */
static size_t lead_bytes(const struct trit_pre_rules *r, struct text t)
{
    size_t n;
    if (!r->free_lead)
        return t.p[0] == ' ';
    return (class_at(t, 0, &n) & (L | N)) || is_newline(t.p[0]) ? 0 : n;
}

static size_t match_word(const struct trit_pre_rules *r, struct text t)
{
    size_t (*const forms[])(struct text, size_t) = {
        r->cased_words ? cased_word_first : plain_word,
        r->cased_words ? cased_word_second : NULL,
    };
    const size_t n_lead = lead_bytes(r, t);

    for (int i = 0; i < 2 && forms[i]; i++) {
        size_t end = n_lead ? forms[i](t, n_lead) : 0;
        if (!end)
            end = forms[i](t, 0);
        if (end)
            return end;
    }
    return 0;
}

static size_t match_number(const struct trit_pre_rules *r, struct text t)
{
    const size_t n_lead = r->max_digits == 0 && t.p[0] == ' ';
    const size_t end = run_end(t, n_lead, N, r->max_digits ? r->max_digits : SIZE_MAX);
    return end > n_lead ? end : 0;
}

static size_t match_symbols(const struct trit_pre_rules *r, struct text t)
{
    const size_t n_lead = t.p[0] == ' ';
    size_t end = run_end(t, n_lead, NOT_WORD, SIZE_MAX);

    if (end == n_lead)
        return 0;
    while (end < t.len && t.p[end] && strchr(r->tail, t.p[end]))
        end++;
    return end;
}

static size_t match_space(const struct trit_pre_rules *r, struct text t)
{
    size_t end = 0, before_last = 0, after_newline = 0, n;

    while (class_at(t, end, &n) & SPACE) {
        before_last = end;
        end += n;
        if (is_newline(t.p[before_last]))
            after_newline = end;
    }
    if (r->newlines && after_newline)
        return after_newline;
    return end < t.len && before_last > 0 ? before_last : end;
}

static size_t match_piece(const struct trit_pre_rules *r, struct text t)
{
    size_t (*const alternatives[])(const struct trit_pre_rules *, struct text) = {
        match_contraction, match_word, match_number, match_symbols, match_space};
    for (int i = 0; i < 5; i++) {
        const size_t end = alternatives[i](r, t);
        if (end)
            return end;
    }
    return t.len; /* not reached: every character has a class */
}

/* ---- Walking --------------------------------------------------------------------------------- */

/* [\p{P}$+<=>^~|`] */
static bool is_cut_symbol(struct text t, size_t i, size_t *n)
{
    return (class_at(t, i, n) & TRIT_CHAR_PUNCT) || (t.p[i] && strchr("$+<=>^~|`", t.p[i]));
}

/* End of the part that begins at p->at: a run of such symbols, or everything up to the next one. */
static size_t part_end(const struct trit_pieces *p)
{
    const struct text t = {p->text, p->len};
    size_t i = p->at, n;
    const bool cut = is_cut_symbol(t, i, &n);

    if (!p->rules->split_symbols)
        return p->len;
    while (i < p->len && is_cut_symbol(t, i, &n) == cut)
        i += n;
    return i;
}

bool trit_next_piece(struct trit_pieces *p, struct trit_string *piece)
{
    if (p->at == p->len)
        return false;
    if (p->at >= p->limit)
        p->limit = part_end(p);
    const struct text rest = {p->text + p->at, p->limit - p->at};
    *piece = (struct trit_string){rest.p, match_piece(p->rules, rest)};
    p->at += piece->len;
    return true;
}
