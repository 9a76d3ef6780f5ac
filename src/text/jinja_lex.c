/* jinja_lex.c - splits a template into tokens. See jinja_syntax.h. */
#include "jinja_syntax.h"

struct lexer {
    struct jinja *j;
    const char *s;
    size_t len, at;
    struct jinja_token *tokens;
    size_t n, room;
    enum { SKIP_NOTHING, SKIP_NEWLINE, SKIP_BLANKS } skip; /* what the last tag removes after it */
};

static void add_token(struct lexer *x, enum jinja_token_kind kind, int op, size_t from, size_t to)
{
    struct jinja_token *tokens = trit_jinja_grow(x->j, x->tokens, x->n, &x->room, sizeof *tokens);

    if (!tokens)
        return;
    x->tokens = tokens;
    x->tokens[x->n++] = (struct jinja_token){kind, op, (uint32_t)from, {x->s + from, to - from}};
}

static void fail_at(struct lexer *x, size_t at, const char *text)
{
    x->j->at = (uint32_t)at;
    trit_jinja_fail(x->j, "%s", text);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char byte_at(const struct lexer *x, size_t at)
{
    return at < x->len ? x->s[at] : 0;
}

static bool starts(const struct lexer *x, size_t at, const char *word)
{
    const size_t n = strlen(word);
    return at <= x->len && n <= x->len - at && memcmp(x->s + at, word, n) == 0;
}

static size_t after_blanks(const struct lexer *x, size_t at)
{
    while (at < x->len && is_blank(x->s[at]))
        at++;
    return at;
}

/* The place of a word from `at` on; x->len if there is none. */
static size_t find(const struct lexer *x, size_t at, const char *word)
{
    while (at < x->len && !starts(x, at, word))
        at++;
    return at;
}

/* ---- Texts between tags ---------------------------------------------------------------------- */

/* Where a text [from, to) before a tag ends: '-' removes all white space, and otherwise a block or
 * comment that is first in its line loses the blanks before it (lstrip_blocks). */
static size_t strip_end(const struct lexer *x, size_t from, size_t to, char sign, bool is_block)
{
    size_t end = to;

    if (sign == '-') {
        while (end > from && is_blank(x->s[end - 1]))
            end--;
        return end;
    }
    if (sign == '+' || !is_block)
        return to;
    while (end > from && is_blank(x->s[end - 1]) && x->s[end - 1] != '\n')
        end--;
    return end == 0 || x->s[end - 1] == '\n' ? end : to;
}

static void add_text(struct lexer *x, size_t to, char sign, bool is_block)
{
    size_t from = x->at;

    if (x->skip == SKIP_BLANKS)
        from = after_blanks(x, from);
    else if (x->skip == SKIP_NEWLINE && byte_at(x, from) == '\n')
        from++;
    if (from > to)
        from = to;
    const size_t end = strip_end(x, from, to, sign, is_block);
    if (end > from)
        add_token(x, JINJA_T_TEXT, 0, from, end);
    x->skip = SKIP_NOTHING;
}

/* The sign - or + of a tag's begin; 0: none. */
static char sign_at(const struct lexer *x, size_t at)
{
    const char c = byte_at(x, at);
    return c == '-' || c == '+' ? c : 0;
}

static void skip_comment(struct lexer *x, size_t at)
{
    const size_t end = find(x, at + 2, "#}");

    if (end == x->len) {
        fail_at(x, at, "the comment has no end #}");
        return;
    }
    x->at = end + 2;
    x->skip = x->s[end - 1] == '-'   ? SKIP_BLANKS
              : x->s[end - 1] == '+' ? SKIP_NOTHING
                                     : SKIP_NEWLINE;
}

/* If `word` and the end of a block follow, return where the text after it begins, else 0. */
static size_t take_block(const struct lexer *x, size_t at, const char *word, char *sign)
{
    at += sign_at(x, at) != 0;
    at = after_blanks(x, at);
    if (!starts(x, at, word))
        return 0;
    at = after_blanks(x, at + strlen(word));
    *sign = sign_at(x, at);
    at += *sign != 0;
    return starts(x, at, "%}") ? at + 2 : 0;
}

/* {% raw %} … {% endraw %}, whose text begins at x->at. */
static void split_raw(struct lexer *x, size_t begin)
{
    size_t tag = x->at, after = 0;
    char sign = 0;

    for (;; tag += 2) {
        tag = find(x, tag, "{%");
        if (tag == x->len) {
            fail_at(x, begin, "the block raw has no endraw");
            return;
        }
        after = take_block(x, tag + 2, "endraw", &sign);
        if (after)
            break;
    }
    add_text(x, tag, sign_at(x, tag + 2), true);
    x->at = after;
    x->skip = sign == '-' ? SKIP_BLANKS : sign == '+' ? SKIP_NOTHING : SKIP_NEWLINE;
}

/* ---- Within tags ----------------------------------------------------------------------------- */

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c > 127 ||
           (!first && c >= '0' && c <= '9');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void split_string(struct lexer *x)
{
    const size_t begin = x->at;
    const char quote = x->s[begin];
    size_t at = begin + 1;

    while (at < x->len && x->s[at] != quote)
        at += x->s[at] == '\\' ? 2 : 1;
    if (at >= x->len) {
        fail_at(x, begin, "the string has no end");
        return;
    }
    add_token(x, JINJA_T_STRING, 0, begin + 1, at);
    x->at = at + 1;
}

static void split_number(struct lexer *x)
{
    size_t at = x->at;
    bool is_real = false;

    while (is_digit(byte_at(x, at)) || (byte_at(x, at) == '_' && is_digit(byte_at(x, at + 1))))
        at++;
    if (byte_at(x, at) == '.' && is_digit(byte_at(x, at + 1))) {
        is_real = true;
        at++;
        while (is_digit(byte_at(x, at)))
            at++;
    }
    if (byte_at(x, at) == 'e' || byte_at(x, at) == 'E') {
        const size_t digits = at + 1 + (sign_at(x, at + 1) != 0);
        if (is_digit(byte_at(x, digits))) {
            is_real = true;
            for (at = digits; is_digit(byte_at(x, at));)
                at++;
        }
    }
    add_token(x, is_real ? JINJA_T_FLOAT : JINJA_T_INT, 0, x->at, at);
    x->at = at;
}

static void split_operator(struct lexer *x)
{
    static const struct {
        char text[3];
        int op;
    } pairs[] = {{"==", JINJA_EQ}, {"!=", JINJA_NE},    {"<=", JINJA_LE},
                 {">=", JINJA_GE}, {"**", JINJA_POWER}, {"//", JINJA_FLOOR}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (starts(x, x->at, pairs[i].text)) {
            add_token(x, JINJA_T_OPERATOR, pairs[i].op, x->at, x->at + 2);
            x->at += 2;
            return;
        }
    if (!strchr("+-*/%~<>=.,:|()[]{}", x->s[x->at]) || !x->s[x->at]) {
        fail_at(x, x->at, "this character has no meaning here");
        return;
    }
    add_token(x, JINJA_T_OPERATOR, x->s[x->at], x->at, x->at + 1);
    x->at++;
}

/* The tokens of a tag that begins at x->at, up to its end. */
static void split_tag(struct lexer *x, bool is_block)
{
    const char *end = is_block ? "%}" : "}}";
    const size_t begin = x->at;
    int open = 0;

    add_token(x, is_block ? JINJA_T_BLOCK : JINJA_T_WRITE, 0, begin, begin + 2);
    x->at += 2;
    x->at += sign_at(x, x->at) != 0;
    while (!x->j->failed && trit_jinja_step(x->j, 1)) {
        x->at = after_blanks(x, x->at);
        if (x->at >= x->len) {
            fail_at(x, begin, is_block ? "the tag has no end %}" : "the tag has no end }}");
            return;
        }
        const char c = x->s[x->at], sign = is_block || c == '-' ? sign_at(x, x->at) : 0;
        const size_t at = x->at + (sign != 0);
        if (open <= 0 && starts(x, at, end)) {
            add_token(x, is_block ? JINJA_T_BLOCK_END : JINJA_T_WRITE_END, 0, x->at, at + 2);
            x->at = at + 2;
            x->skip = sign == '-'               ? SKIP_BLANKS
                      : is_block && sign != '+' ? SKIP_NEWLINE
                                                : SKIP_NOTHING;
            return;
        }
        if (is_name_char(c, true)) {
            const size_t from = x->at;
            while (is_name_char(byte_at(x, x->at), false))
                x->at++;
            add_token(x, JINJA_T_NAME, 0, from, x->at);
        } else if (is_digit(c)) {
            split_number(x);
        } else if (c == '\'' || c == '"') {
            split_string(x);
        } else {
            open += strchr("([{", c) && c ? 1 : strchr(")]}", c) && c ? -1 : 0;
            split_operator(x);
        }
    }
}

/* The next {{, {% or {#; x->len if there is none. */
static size_t find_tag(const struct lexer *x, size_t at)
{
    while (at < x->len &&
           !(x->s[at] == '{' &&
             (byte_at(x, at + 1) == '{' || byte_at(x, at + 1) == '%' || byte_at(x, at + 1) == '#')))
        at++;
    return at;
}

const struct jinja_token *trit_jinja_split(struct jinja *j)
{
    struct lexer x = {.j = j, .s = j->source.bytes, .len = j->source.len};

    while (!j->failed) {
        const size_t tag = find_tag(&x, x.at);
        const char kind = byte_at(&x, tag + 1);
        char sign = 0;
        add_text(&x, tag, tag < x.len ? sign_at(&x, tag + 2) : 0, tag < x.len && kind != '{');
        x.at = tag;
        if (tag == x.len)
            break;
        const size_t raw = kind == '%' ? take_block(&x, tag + 2, "raw", &sign) : 0;
        if (raw) {
            x.at = raw;
            x.skip = sign == '-' ? SKIP_BLANKS : SKIP_NOTHING;
            split_raw(&x, tag);
        } else if (kind == '#') {
            skip_comment(&x, tag);
        } else {
            split_tag(&x, kind == '%');
        }
    }
    add_token(&x, JINJA_T_END, 0, x.len, x.len);
    return j->failed ? NULL : x.tokens;
}
