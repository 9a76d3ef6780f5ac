/* json.c - the JSON reader of trit.h.
 *
 * Recursive descent, at most TRIT_JSON_MAX_DEPTH deep. Values are stored in one array in text
 * order, each followed by its children. Strings are stored unescaped in one buffer, allocated once:
 * a string with its terminating NUL is never longer than its source with the quotes. */
#include "error.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform.h"
#include "str.h"

struct trit_json_value {
    const char *key; /* of a member; else NULL */
    union {
        const char *text;
        double number;
        int64_t whole;
        bool truth;
    } of;
    uint32_t key_len;
    uint32_t n;    /* of a string: bytes; of an array or object: children */
    uint32_t size; /* number of values, itself and all descendants */
    uint8_t type;
    bool is_whole, is_last;
};

struct trit_json {
    struct trit_json_value *values;
    char *bytes;
};

struct parser {
    const char *text;
    size_t len, at;
    struct trit_json *tree;
    size_t n_values, room; /* of tree->values */
    size_t n_bytes;        /* of tree->bytes */
    int depth;
    struct trit_error *err;
};

/* ---- Errors ---------------------------------------------------------------------------------- */

static bool json_fail(struct parser *p, trit_status code, const char *text)
{
    p->err->code = code;
    snprintf(p->err->text, sizeof p->err->text, "%s", text);
    return false;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c && strchr("_+-.\\", c));
}

/* Describe the text at p->at, for a message: a word, a character, a byte, or the end. */
static void describe(const struct parser *p, char *out, size_t size)
{
    const char *text = p->text + p->at;
    const size_t left = p->len - p->at;
    int n = 0;

    while (n < 16 && (size_t)n < left && is_word(text[n]))
        n++;
    if (left == 0)
        snprintf(out, size, "the end of the text");
    else if (n > 0)
        snprintf(out, size, "'%.*s'", n, text);
    else if (text[0] == '\n' || text[0] == '\r')
        snprintf(out, size, "the end of the line");
    else if (text[0] >= 0x20 && text[0] < 0x7f)
        snprintf(out, size, "'%c'", text[0]);
    else
        snprintf(out, size, "byte 0x%02x", (unsigned)(unsigned char)text[0]);
}

/* Report that the text at p->at is not what was expected. */
static bool json_unexpected(struct parser *p, const char *expected)
{
    size_t line = 1, column = 1;
    char found[40];

    for (size_t i = 0; i < p->at; i++) {
        const bool within = ((unsigned char)p->text[i] & 0xC0) == 0x80; /* within a character */
        line += p->text[i] == '\n';
        column = p->text[i] == '\n' ? 1 : column + !within;
    }
    describe(p, found, sizeof found);
    p->err->code = TRIT_E_FILE;
    snprintf(p->err->text, sizeof p->err->text, "line %zu, column %zu: found %s, expected %s", line,
             column, found, expected);
    return false;
}

/* ---- Characters ------------------------------------------------------------------------------ */

/* The next byte, or -1 at the end. */
static int peek(const struct parser *p)
{
    return p->at < p->len ? (unsigned char)p->text[p->at] : -1;
}

static bool take_char(struct parser *p, char c)
{
    if (peek(p) != (unsigned char)c)
        return false;
    p->at++;
    return true;
}

static void skip_any(struct parser *p, const char *blanks)
{
    while (p->at < p->len && p->text[p->at] && strchr(blanks, p->text[p->at]))
        p->at++;
}

static void skip_blanks(struct parser *p)
{
    skip_any(p, " \t\r\n");
}

/* ---- Values ---------------------------------------------------------------------------------- */

static const struct trit_string no_key = {NULL, 0};

static bool add_value(struct parser *p, enum trit_json_type type, struct trit_string key)
{
    if (p->n_values == TRIT_JSON_MAX_VALUES)
        return json_unexpected(p, "at most 16777216 values");
    if (p->n_values == p->room) {
        const size_t room = p->room ? 2 * p->room : 64;
        struct trit_json_value *values = realloc(p->tree->values, room * sizeof *values);
        if (!values)
            return json_fail(p, TRIT_E_MEMORY, "out of memory");
        p->tree->values = values;
        p->room = room;
    }
    p->tree->values[p->n_values++] = (struct trit_json_value){
        .key = key.bytes, .key_len = (uint32_t)key.len, .size = 1, .type = (uint8_t)type};
    return true;
}

static struct trit_json_value *newest(struct parser *p)
{
    return &p->tree->values[p->n_values - 1];
}

static void put_byte(struct parser *p, char byte)
{
    p->tree->bytes[p->n_bytes++] = byte;
}

/* The four digits of \uXXXX. */
static bool parse_hex(struct parser *p, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    *out = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = peek(p) > 0 ? strchr(digits, peek(p)) : NULL;
        if (!digit)
            return json_unexpected(p, "four hexadecimal digits");
        *out = *out << 4 | (uint32_t)(digit - digits) % 16;
        p->at++;
    }
    return true;
}

/* After \u: a character, or a surrogate pair that encodes one. */
static bool parse_unicode(struct parser *p)
{
    const size_t start = p->at - 2;
    uint32_t c, low = 0;

    if (!parse_hex(p, &c))
        return false;
    if (c >= 0xDC00 && c < 0xE000) {
        p->at = start;
        return json_unexpected(p, "a high surrogate (\\ud800 to \\udbff) before a low one");
    }
    if (c >= 0xD800 && c < 0xDC00) {
        const size_t second = p->at;
        if (take_char(p, '\\') && take_char(p, 'u') && !parse_hex(p, &low))
            return false;
        if (low < 0xDC00 || low >= 0xE000) {
            p->at = second;
            return json_unexpected(p, "a low surrogate (\\udc00 to \\udfff) after a high one");
        }
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    p->n_bytes += trit_utf8_encode(p->tree->bytes + p->n_bytes, c);
    return true;
}

/* After a backslash. */
static bool parse_escape(struct parser *p)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *name = peek(p) > 0 ? strchr(names, peek(p)) : NULL;

    if (take_char(p, 'u'))
        return parse_unicode(p);
    if (!name)
        return json_unexpected(p, "one of \"\\/bfnrtu after a backslash");
    put_byte(p, bytes[name - names]);
    p->at++;
    return true;
}

/* From quote to quote. */
static bool parse_string(struct parser *p, struct trit_string *out)
{
    const size_t start = p->n_bytes;

    p->at++;
    while (peek(p) != '"') {
        if (take_char(p, '\\')) {
            if (!parse_escape(p))
                return false;
            continue;
        }
        if (peek(p) < 0)
            return json_unexpected(p, "'\"' at the end of a string");
        if (peek(p) < 0x20)
            return json_unexpected(p, "an escape for a control character");
        size_t n;
        if (trit_utf8_decode(p->text + p->at, p->len - p->at, &n) == TRIT_NO_CHARACTER)
            return json_unexpected(p, "UTF-8");
        memcpy(p->tree->bytes + p->n_bytes, p->text + p->at, n);
        p->n_bytes += n;
        p->at += n;
    }
    p->at++;
    *out = (struct trit_string){p->tree->bytes + start, p->n_bytes - start};
    put_byte(p, 0);
    return true;
}

static bool skip_digits(struct parser *p)
{
    if (peek(p) < '0' || peek(p) > '9')
        return json_unexpected(p, "a digit");
    while (peek(p) >= '0' && peek(p) <= '9')
        p->at++;
    return true;
}

/* Check the grammar; *whole: the number has neither fraction nor exponent. */
static bool skip_number(struct parser *p, bool *whole)
{
    take_char(p, '-');
    if (!take_char(p, '0') && !skip_digits(p))
        return false;
    const size_t end = p->at;
    if (take_char(p, '.') && !skip_digits(p))
        return false;
    if (take_char(p, 'e') || take_char(p, 'E')) {
        if (!take_char(p, '+'))
            take_char(p, '-');
        if (!skip_digits(p))
            return false;
    }
    *whole = p->at == end;
    return true;
}

static bool parse_number(struct parser *p, struct trit_string key)
{
    const size_t start = p->at;
    bool whole;

    if (!skip_number(p, &whole) || !add_value(p, TRIT_JSON_NUMBER, key))
        return false;
    char *copy = p->tree->bytes + p->n_bytes; /* the buffer has room for it */
    memcpy(copy, p->text + start, p->at - start);
    copy[p->at - start] = 0;
    errno = 0;
    const long long integer = whole ? strtoll(copy, NULL, 10) : 0;
    newest(p)->is_whole = whole && !errno;
    if (newest(p)->is_whole) {
        newest(p)->of.whole = integer;
        return true;
    }
    const double number = strtod(copy, NULL);
    newest(p)->of.number = number;
    if (isfinite(number))
        return true;
    p->at = start;
    return json_unexpected(p, "a number in the range of a double");
}

static bool parse_value(struct parser *p, struct trit_string key);

/* "key": value */
static bool parse_member(struct parser *p)
{
    struct trit_string key;

    if (peek(p) != '"')
        return json_unexpected(p, "a key in quotes");
    if (!parse_string(p, &key))
        return false;
    skip_blanks(p);
    if (!take_char(p, ':'))
        return json_unexpected(p, "':' after a key");
    skip_blanks(p);
    return parse_value(p, key);
}

static bool parse_items(struct parser *p, size_t container, char close)
{
    const bool object = close == '}';
    uint32_t n = 0;
    size_t last;

    skip_blanks(p);
    if (take_char(p, close))
        return true;
    do {
        skip_blanks(p);
        last = p->n_values;
        if (object ? !parse_member(p) : !parse_value(p, no_key))
            return false;
        n++;
        skip_blanks(p);
    } while (take_char(p, ','));
    p->tree->values[last].is_last = true;
    p->tree->values[container].n = n;
    return take_char(p, close) || json_unexpected(p, object ? "',' or '}'" : "',' or ']'");
}

static bool parse_container(struct parser *p, enum trit_json_type type, struct trit_string key)
{
    const size_t container = p->n_values;

    if (p->depth == TRIT_JSON_MAX_DEPTH)
        return json_unexpected(p, "at most 64 nested arrays and objects");
    if (!add_value(p, type, key))
        return false;
    p->at++;
    p->depth++;
    if (!parse_items(p, container, type == TRIT_JSON_OBJECT ? '}' : ']'))
        return false;
    p->depth--;
    p->tree->values[container].size = (uint32_t)(p->n_values - container);
    return true;
}

static bool parse_name(struct parser *p, struct trit_string key)
{
    static const struct {
        const char *name;
        enum trit_json_type type;
    } names[] = {{"null", TRIT_JSON_NULL}, {"false", TRIT_JSON_BOOL}, {"true", TRIT_JSON_BOOL}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const size_t n = strlen(names[i].name);
        if (p->len - p->at < n || memcmp(p->text + p->at, names[i].name, n) != 0 ||
            (p->len - p->at > n && is_word(p->text[p->at + n])))
            continue;
        if (!add_value(p, names[i].type, key))
            return false;
        newest(p)->of.truth = names[i].name[0] == 't';
        p->at += n;
        return true;
    }
    return json_unexpected(p, "a value");
}

static bool parse_value(struct parser *p, struct trit_string key)
{
    struct trit_string text;

    switch (peek(p)) {
    case '{':
        return parse_container(p, TRIT_JSON_OBJECT, key);
    case '[':
        return parse_container(p, TRIT_JSON_ARRAY, key);
    case '"':
        if (!parse_string(p, &text) || !add_value(p, TRIT_JSON_STRING, key))
            return false;
        newest(p)->of.text = text.bytes;
        newest(p)->n = (uint32_t)text.len;
        return true;
    case '-':
        return parse_number(p, key);
    default:
        return peek(p) >= '0' && peek(p) <= '9' ? parse_number(p, key) : parse_name(p, key);
    }
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static bool parse_text(struct parser *p)
{
    skip_blanks(p);
    if (!parse_value(p, no_key))
        return false;
    p->tree->values[0].is_last = true;
    skip_blanks(p);
    return p->at == p->len || json_unexpected(p, "the end of the text");
}

static bool parse_lines(struct parser *p)
{
    uint32_t n = 0;
    size_t last = 0; /* the root itself if there are no lines */

    if (!add_value(p, TRIT_JSON_ARRAY, no_key))
        return false;
    for (skip_blanks(p); p->at < p->len; skip_blanks(p)) {
        last = p->n_values;
        if (!parse_value(p, no_key))
            return false;
        n++;
        skip_any(p, " \t\r");
        if (p->at < p->len && peek(p) != '\n')
            return json_unexpected(p, "the end of the line");
    }
    p->tree->values[0].is_last = p->tree->values[last].is_last = true;
    p->tree->values[0].n = n;
    p->tree->values[0].size = (uint32_t)p->n_values;
    return true;
}

static trit_status read_with(bool (*parse)(struct parser *p), struct trit_json **out,
                             const char *text, size_t len, struct trit_error *err)
{
    struct trit_error unused;
    struct parser p = {.text = text, .len = len, .err = err ? err : &unused};
    struct trit_json *tree = NULL;
    bool ok =
        len <= TRIT_JSON_MAX_BYTES || json_fail(&p, TRIT_E_FILE, "the text is larger than 256 MiB");

    *out = NULL;
    if (ok) {
        tree = p.tree = calloc(1, sizeof *tree);
        if (tree)
            tree->bytes = malloc(len + 1);
        ok = (tree && tree->bytes) || json_fail(&p, TRIT_E_MEMORY, "out of memory");
    }
    ok = ok && parse(&p);
    if (!ok) {
        trit_json_free(&tree);
        return p.err->code;
    }
    *out = tree;
    return TRIT_OK;
}

trit_status trit_json_read(struct trit_json **out, const char *text, size_t len,
                           struct trit_error *err)
{
    return read_with(parse_text, out, text, len, err);
}

trit_status trit_json_read_lines(struct trit_json **out, const char *text, size_t len,
                                 struct trit_error *err)
{
    return read_with(parse_lines, out, text, len, err);
}

trit_status trit_json_open(struct trit_json **out, const char *path, struct trit_error *err)
{
    struct trit_bytes file;
    struct trit_error why;
    trit_status status = trit_bytes_open(&file, path, false, err);

    *out = NULL;
    if (status)
        return status;
    status = trit_json_read(out, (const char *)file.data, file.size, &why);
    trit_bytes_close(&file);
    return status ? trit_fail(err, status, "%s: %s", path, why.text) : TRIT_OK;
}

void trit_json_free(struct trit_json **tree)
{
    if (tree && *tree) {
        free((*tree)->values);
        free((*tree)->bytes);
        free(*tree);
        *tree = NULL;
    }
}

/* ---- Lookup ---------------------------------------------------------------------------------- */

const struct trit_json_value *trit_json_root(const struct trit_json *tree)
{
    return tree ? tree->values : NULL;
}

enum trit_json_type trit_json_type_of(const struct trit_json_value *value)
{
    return value ? (enum trit_json_type)value->type : TRIT_JSON_ABSENT;
}

static bool is_container(const struct trit_json_value *value)
{
    return trit_json_type_of(value) == TRIT_JSON_ARRAY ||
           trit_json_type_of(value) == TRIT_JSON_OBJECT;
}

size_t trit_json_count(const struct trit_json_value *value)
{
    return is_container(value) ? value->n : 0;
}

const struct trit_json_value *trit_json_first(const struct trit_json_value *value)
{
    return trit_json_count(value) ? value + 1 : NULL;
}

const struct trit_json_value *trit_json_next(const struct trit_json_value *value)
{
    return value && !value->is_last ? value + value->size : NULL;
}

const struct trit_json_value *trit_json_item(const struct trit_json_value *array, size_t i)
{
    if (trit_json_type_of(array) != TRIT_JSON_ARRAY || i >= array->n)
        return NULL;
    const struct trit_json_value *item = trit_json_first(array);
    while (i--)
        item = trit_json_next(item);
    return item;
}

const struct trit_json_value *trit_json_member(const struct trit_json_value *object,
                                               const char *key)
{
    const size_t len = strlen(key);
    const struct trit_json_value *found = NULL;

    if (trit_json_type_of(object) != TRIT_JSON_OBJECT)
        return NULL;
    for (const struct trit_json_value *m = trit_json_first(object); m; m = trit_json_next(m))
        if (m->key_len == len && memcmp(m->key, key, len) == 0)
            found = m;
    return found;
}

struct trit_string trit_json_key(const struct trit_json_value *member)
{
    return member && member->key ? (struct trit_string){member->key, member->key_len}
                                 : (struct trit_string){"", 0};
}

struct trit_string trit_json_text(const struct trit_json_value *value)
{
    return trit_json_type_of(value) == TRIT_JSON_STRING
               ? (struct trit_string){value->of.text, value->n}
               : (struct trit_string){"", 0};
}

bool trit_json_is_text(const struct trit_json_value *value, const char *text)
{
    return trit_json_type_of(value) == TRIT_JSON_STRING &&
           trit_string_is(trit_json_text(value), text);
}

double trit_json_double(const struct trit_json_value *value)
{
    if (trit_json_type_of(value) != TRIT_JSON_NUMBER)
        return (double)NAN;
    return value->is_whole ? (double)value->of.whole : value->of.number;
}

bool trit_json_int64(const struct trit_json_value *value, int64_t *out)
{
    if (trit_json_type_of(value) != TRIT_JSON_NUMBER || !value->is_whole)
        return false;
    *out = value->of.whole;
    return true;
}

bool trit_json_is_true(const struct trit_json_value *value)
{
    return trit_json_type_of(value) == TRIT_JSON_BOOL && value->of.truth;
}
