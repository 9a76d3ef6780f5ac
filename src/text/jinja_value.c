/* jinja_value.c - see jinja_value.h. */
#include "jinja_value.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Errors and memory ----------------------------------------------------------------------- */

static void fail_as(struct jinja *j, trit_status status, const char *text)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < j->at && i < j->source.len; i++) {
        const char c = j->source.bytes[i];
        line += c == '\n';
        column = c == '\n' ? 1 : column + (((unsigned char)c & 0xC0) != 0x80);
    }
    j->failed = true;
    j->status = trit_fail(j->err, status, "line %zu, column %zu: %s", line, column, text);
}

void trit_jinja_fail(struct jinja *j, const char *fmt, ...)
{
    char text[192];
    va_list args;

    if (j->failed)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    trit_drop_partial_character(text);
    fail_as(j, TRIT_E_FILE, text);
}

bool trit_jinja_step(struct jinja *j, size_t n)
{
    j->steps += n;
    if (j->steps > JINJA_MAX_STEPS)
        trit_jinja_fail(j, "the template takes too many steps");
    return !j->failed;
}

struct jinja_block {
    struct jinja_block *next;
    size_t n, size;
    max_align_t data[];
};

void *trit_jinja_take(struct jinja *j, size_t n, size_t size)
{
    const size_t most = SIZE_MAX / 4, align = sizeof(max_align_t);
    struct jinja_block *b = j->blocks;

    if (j->failed)
        return NULL;
    const size_t bytes = size && n > most / size ? most : (n * size + align - 1) / align * align;
    if (!b || b->size - b->n < bytes) {
        const size_t room = bytes > 1 << 16 ? bytes : 1 << 16;
        if (room > j->limit - j->used) {
            fail_as(j, TRIT_E_MEMORY, "the template needs too much memory");
            return NULL;
        }
        b = calloc(1, sizeof *b + room);
        if (!b) {
            fail_as(j, TRIT_E_MEMORY, "out of memory");
            return NULL;
        }
        b->next = j->blocks;
        b->size = room;
        j->used += room;
        j->blocks = b;
    }
    void *p = (char *)b->data + b->n;
    b->n += bytes;
    return p;
}

void *trit_jinja_grow(struct jinja *j, void *items, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return items;
    const size_t more = *room ? 2 * *room : 8;
    void *larger = trit_jinja_take(j, more, size);
    if (!larger)
        return NULL;
    if (n)
        memcpy(larger, items, n * size);
    *room = more;
    return larger;
}

void trit_jinja_release(struct jinja *j)
{
    while (j->blocks) {
        struct jinja_block *b = j->blocks;
        j->blocks = b->next;
        free(b);
    }
}

/* ---- Making values --------------------------------------------------------------------------- */

struct jinja_value trit_jinja_list(struct jinja *j, size_t room)
{
    struct jinja_list *list = trit_jinja_take(j, 1, sizeof *list);

    if (!list)
        return trit_jinja_undefined();
    list->items = room ? trit_jinja_take(j, room, sizeof *list->items) : NULL;
    list->room = list->items ? room : 0;
    return JINJA_VALUE(JINJA_LIST, list, list);
}

void trit_jinja_append(struct jinja *j, struct jinja_list *list, struct jinja_value item)
{
    struct jinja_value *items =
        j->failed ? NULL /* then the list may be none */
                  : trit_jinja_grow(j, list->items, list->n, &list->room, sizeof *items);

    if (!items)
        return;
    list->items = items;
    list->items[list->n++] = item;
}

struct jinja_value trit_jinja_dict(struct jinja *j)
{
    struct jinja_dict *d = trit_jinja_take(j, 1, sizeof *d);
    return d ? JINJA_VALUE(JINJA_DICT, dict, d) : trit_jinja_undefined();
}

struct jinja_value *trit_jinja_find(struct jinja *j, const struct jinja_dict *d,
                                    struct jinja_value key)
{
    for (size_t i = 0; i < d->n && trit_jinja_step(j, i % 16 == 0); i++)
        if (trit_jinja_equal(j, d->items[i].key, key))
            return &d->items[i].value;
    return NULL;
}

struct jinja_value *trit_jinja_find_name(struct jinja *j, const struct jinja_dict *d,
                                         struct trit_string name)
{
    return trit_jinja_find(j, d, trit_jinja_string(name, TRIT_JINJA_TEMPLATE));
}

void trit_jinja_put(struct jinja *j, struct jinja_dict *d, struct jinja_value key,
                    struct jinja_value value)
{
    struct jinja_value *found = trit_jinja_find(j, d, key);

    if (j->failed)
        return;
    if (found) {
        *found = value;
        return;
    }
    struct jinja_pair *items = trit_jinja_grow(j, d->items, d->n, &d->room, sizeof *items);
    if (!items)
        return;
    d->items = items;
    d->items[d->n++] = (struct jinja_pair){key, value};
}

void trit_jinja_put_name(struct jinja *j, struct jinja_dict *d, const char *name,
                         struct jinja_value value)
{
    trit_jinja_put(j, d, trit_jinja_string(trit_string_of(name), TRIT_JINJA_TEMPLATE), value);
}

static struct jinja_value from_json(struct jinja *j, const struct trit_json_value *v, int depth)
{
    struct jinja_value out = trit_jinja_undefined();
    int64_t whole;

    if (depth > JINJA_MAX_VALUE_DEPTH)
        trit_jinja_fail(j, "the data are nested too deeply");
    if (!trit_jinja_step(j, 1))
        return out;
    switch (trit_json_type_of(v)) {
    case TRIT_JSON_NULL:
        return (struct jinja_value){.kind = JINJA_NONE};
    case TRIT_JSON_BOOL:
        return trit_jinja_bool(trit_json_is_true(v));
    case TRIT_JSON_NUMBER:
        return trit_json_int64(v, &whole) ? trit_jinja_int(whole)
                                          : JINJA_VALUE(JINJA_FLOAT, real, trit_json_double(v));
    case TRIT_JSON_STRING:
        return trit_jinja_string(trit_json_text(v), TRIT_JINJA_DATA);
    case TRIT_JSON_ARRAY:
        out = trit_jinja_list(j, trit_json_count(v));
        for (v = trit_json_first(v); v && !j->failed; v = trit_json_next(v))
            trit_jinja_append(j, out.of.list, from_json(j, v, depth + 1));
        return out;
    case TRIT_JSON_OBJECT:
        out = trit_jinja_dict(j);
        for (v = trit_json_first(v); v && !j->failed; v = trit_json_next(v))
            trit_jinja_put(j, out.of.dict, trit_jinja_string(trit_json_key(v), TRIT_JINJA_DATA),
                           from_json(j, v, depth + 1));
        return out;
    default:
        return out;
    }
}

struct jinja_value trit_jinja_from_json(struct jinja *j, const struct trit_json_value *v)
{
    return from_json(j, v, 0);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* Make room for len more bytes. */
static bool grow_text(struct jinja *j, struct jinja_text *t, size_t len)
{
    if (!trit_jinja_step(j, 1 + len / 16))
        return false;
    if (t->room - t->n >= len)
        return true;
    size_t room = t->room ? t->room : 64;
    while (room - t->n < len && room < SIZE_MAX / 16)
        room *= 2;
    char *bytes = trit_jinja_take(j, room, 1);
    uint32_t *origin = trit_jinja_take(j, room, sizeof *origin);
    if (!bytes || !origin)
        return false;
    if (t->n) {
        memcpy(bytes, t->bytes, t->n);
        memcpy(origin, t->origin, t->n * sizeof *origin);
    }
    t->bytes = bytes;
    t->origin = origin;
    t->room = room;
    return true;
}

void trit_jinja_add(struct jinja *j, struct jinja_text *t, struct jinja_string s)
{
    if (!s.len || !grow_text(j, t, s.len))
        return;
    memcpy(t->bytes + t->n, s.bytes, s.len);
    for (size_t i = 0; i < s.len; i++)
        t->origin[t->n + i] = s.origin ? s.origin[i] : s.from;
    t->n += s.len;
}

void trit_jinja_add_bytes(struct jinja *j, struct jinja_text *t, const char *bytes, size_t len,
                          uint32_t from)
{
    trit_jinja_add(j, t, (struct jinja_string){bytes, len, NULL, from});
}

static void add_plain(struct jinja *j, struct jinja_text *t, const char *text)
{
    trit_jinja_add_bytes(j, t, text, strlen(text), TRIT_JINJA_TEMPLATE);
}

struct jinja_string trit_jinja_text_string(const struct jinja_text *t)
{
    return (struct jinja_string){t->n ? t->bytes : "", t->n, t->origin, TRIT_JINJA_TEMPLATE};
}

/* The shortest digits that read back as x, as Python prints them. */
static void add_real(struct jinja *j, struct jinja_text *t, double x)
{
    char digits[40], out[96] = "";
    int n = 0, exponent;

    if (!isfinite(x)) {
        add_plain(j, t, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
        return;
    }
    do
        snprintf(digits, sizeof digits, "%.*e", n, fabs(x));
    while (strtod(digits, NULL) != fabs(x) && ++n < 17);
    exponent = atoi(strchr(digits, 'e') + 1);
    n = n ? n + 1 : 1;
    if (n > 1)
        memmove(digits + 1, digits + 2, (size_t)n - 1); /* without the decimal separator */
    digits[n] = 0;
    if (exponent < -4 || exponent >= 16)
        snprintf(out, sizeof out, "%c%s%se%c%02d", digits[0], n > 1 ? "." : "", digits + 1,
                 exponent < 0 ? '-' : '+', abs(exponent));
    else if (exponent < 0)
        snprintf(out, sizeof out, "0.%.*s%s", -exponent - 1, "0000", digits);
    else if (n <= exponent + 1)
        snprintf(out, sizeof out, "%s%.*s.0", digits, exponent + 1 - n, "0000000000000000");
    else
        snprintf(out, sizeof out, "%.*s.%s", exponent + 1, digits, digits + exponent + 1);
    if (signbit(x))
        add_plain(j, t, "-");
    add_plain(j, t, out);
}

static void add_whole(struct jinja *j, struct jinja_text *t, int64_t x)
{
    char out[24];
    snprintf(out, sizeof out, "%lld", (long long)x);
    add_plain(j, t, out);
}

/* A string in quotes, as Python prints it within a list. */
static void add_repr(struct jinja *j, struct jinja_text *t, struct jinja_string s)
{
    const bool twice = s.len && memchr(s.bytes, '\'', s.len) && !memchr(s.bytes, '"', s.len);
    const char quote = twice ? '"' : '\'';

    trit_jinja_add_bytes(j, t, &quote, 1, TRIT_JINJA_TEMPLATE);
    for (size_t i = 0; i < s.len && !j->failed; i++) {
        const char c = s.bytes[i];
        char hex[8];
        if (c == '\n' || c == '\r' || c == '\t') {
            add_plain(j, t, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        } else if ((unsigned char)c < 0x20 || c == 0x7f) {
            snprintf(hex, sizeof hex, "\\x%02x", (unsigned)(unsigned char)c);
            add_plain(j, t, hex);
        } else {
            if (c == '\\' || c == quote)
                add_plain(j, t, "\\");
            trit_jinja_add(j, t, trit_jinja_part(s, i, i + 1));
        }
    }
    trit_jinja_add_bytes(j, t, &quote, 1, TRIT_JINJA_TEMPLATE);
}

static void add_value(struct jinja *j, struct jinja_text *t, struct jinja_value v, bool repr,
                      int depth)
{
    if (depth > JINJA_MAX_VALUE_DEPTH)
        trit_jinja_fail(j, "the value is nested too deeply");
    if (!trit_jinja_step(j, 1))
        return;
    switch (v.kind) {
    case JINJA_UNDEFINED:
        if (repr)
            add_plain(j, t, "Undefined");
        break;
    case JINJA_NONE:
        add_plain(j, t, "None");
        break;
    case JINJA_BOOL:
        add_plain(j, t, v.of.truth ? "True" : "False");
        break;
    case JINJA_INT:
        add_whole(j, t, v.of.whole);
        break;
    case JINJA_FLOAT:
        add_real(j, t, v.of.real);
        break;
    case JINJA_STRING:
        if (repr)
            add_repr(j, t, v.of.text);
        else
            trit_jinja_add(j, t, v.of.text);
        break;
    case JINJA_LIST:
        add_plain(j, t, v.is_tuple ? "(" : "[");
        for (size_t i = 0; i < v.of.list->n && !j->failed; i++) {
            add_plain(j, t, i ? ", " : "");
            add_value(j, t, v.of.list->items[i], true, depth + 1);
        }
        add_plain(j, t, !v.is_tuple ? "]" : v.of.list->n == 1 ? ",)" : ")");
        break;
    case JINJA_DICT:
        add_plain(j, t, "{");
        for (size_t i = 0; i < v.of.dict->n && !j->failed; i++) {
            add_plain(j, t, i ? ", " : "");
            add_value(j, t, v.of.dict->items[i].key, true, depth + 1);
            add_plain(j, t, ": ");
            add_value(j, t, v.of.dict->items[i].value, true, depth + 1);
        }
        add_plain(j, t, "}");
        break;
    case JINJA_CALLABLE:
        trit_jinja_fail(j, "a function cannot be written; is a () missing?");
    }
}

void trit_jinja_add_value(struct jinja *j, struct jinja_text *t, struct jinja_value v, bool repr)
{
    add_value(j, t, v, repr, 0);
}

struct jinja_string trit_jinja_str(struct jinja *j, struct jinja_value v)
{
    struct jinja_text t = {0};

    if (v.kind == JINJA_STRING)
        return v.of.text;
    add_value(j, &t, v, false, 0);
    return trit_jinja_text_string(&t);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_json_string(struct jinja *j, struct jinja_text *t, struct jinja_string s)
{
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    add_plain(j, t, "\"");
    for (size_t i = 0, from = 0; i <= s.len && !j->failed; i++) {
        const char c = i < s.len ? s.bytes[i] : 0;
        const bool special = i < s.len && ((unsigned char)c < 0x20 || c == '"' || c == '\\');
        char escape[8] = "";
        if (i < s.len && !special)
            continue;
        trit_jinja_add(j, t, trit_jinja_part(s, from, i));
        from = i + 1;
        for (size_t k = 0; special && k + 2 < sizeof names; k += 2)
            if (names[k] == c)
                snprintf(escape, sizeof escape, "\\%c", names[k + 1]);
        if (special && !escape[0])
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(unsigned char)c);
        add_plain(j, t, escape);
    }
    add_plain(j, t, "\"");
}

static void add_json(struct jinja *j, struct jinja_text *t, struct jinja_value v,
                     const struct jinja_json_style *style, int depth);

static void start_line(struct jinja *j, struct jinja_text *t, const struct jinja_json_style *style,
                       int depth)
{
    if (style->indent < 0)
        return;
    add_plain(j, t, "\n");
    for (int64_t i = 0; i < style->indent * depth && !j->failed; i++)
        add_plain(j, t, " ");
}

static void separate(struct jinja *j, struct jinja_text *t, const struct jinja_json_style *style,
                     size_t i, int depth)
{
    if (i)
        trit_jinja_add(j, t, style->between);
    start_line(j, t, style, depth + 1);
}

/* The index of the smallest key that is larger than key `last`, or the first if last is n. */
static size_t next_key(struct jinja *j, const struct jinja_dict *d, size_t last)
{
    size_t best = d->n;

    for (size_t i = 0; i < d->n && !j->failed; i++)
        if ((last == d->n || trit_jinja_order(j, d->items[i].key, d->items[last].key) > 0) &&
            (best == d->n || trit_jinja_order(j, d->items[i].key, d->items[best].key) < 0))
            best = i;
    return best;
}

static void add_json_dict(struct jinja *j, struct jinja_text *t, const struct jinja_dict *d,
                          const struct jinja_json_style *style, int depth)
{
    size_t k = d->n;

    add_plain(j, t, "{");
    for (size_t i = 0; i < d->n && !j->failed; i++) {
        k = style->sort_keys ? next_key(j, d, k) : i;
        if (k == d->n)
            break;
        separate(j, t, style, i, depth);
        add_json_string(j, t, trit_jinja_str(j, d->items[k].key));
        trit_jinja_add(j, t, style->colon);
        add_json(j, t, d->items[k].value, style, depth + 1);
    }
    if (d->n)
        start_line(j, t, style, depth);
    add_plain(j, t, "}");
}

static void add_json(struct jinja *j, struct jinja_text *t, struct jinja_value v,
                     const struct jinja_json_style *style, int depth)
{
    if (depth > JINJA_MAX_VALUE_DEPTH)
        trit_jinja_fail(j, "the value is nested too deeply");
    if (!trit_jinja_step(j, 1))
        return;
    switch (v.kind) {
    case JINJA_NONE:
        add_plain(j, t, "null");
        break;
    case JINJA_BOOL:
        add_plain(j, t, v.of.truth ? "true" : "false");
        break;
    case JINJA_STRING:
        add_json_string(j, t, v.of.text);
        break;
    case JINJA_LIST:
        add_plain(j, t, "[");
        for (size_t i = 0; i < v.of.list->n && !j->failed; i++) {
            separate(j, t, style, i, depth);
            add_json(j, t, v.of.list->items[i], style, depth + 1);
        }
        if (v.of.list->n)
            start_line(j, t, style, depth);
        add_plain(j, t, "]");
        break;
    case JINJA_DICT:
        add_json_dict(j, t, v.of.dict, style, depth);
        break;
    case JINJA_INT:
    case JINJA_FLOAT:
        add_value(j, t, v, false, 0);
        break;
    default:
        trit_jinja_fail(j, "%s cannot be written as JSON", trit_jinja_kind_name(v));
    }
}

void trit_jinja_add_json(struct jinja *j, struct jinja_text *t, struct jinja_value v,
                         const struct jinja_json_style *style)
{
    add_json(j, t, v, style, 0);
}

/* ---- Characters ------------------------------------------------------------------------------ */

size_t trit_jinja_char_len(struct jinja_string s, size_t at)
{
    size_t n = 1;

    if (((unsigned char)s.bytes[at] & 0xC0) != 0xC0)
        return 1;
    while (n < 4 && at + n < s.len && ((unsigned char)s.bytes[at + n] & 0xC0) == 0x80)
        n++;
    return n;
}

size_t trit_jinja_n_chars(struct jinja_string s)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len; at += trit_jinja_char_len(s, at))
        n++;
    return n;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

bool trit_jinja_truth(struct jinja_value v)
{
    switch (v.kind) {
    case JINJA_UNDEFINED:
    case JINJA_NONE:
        return false;
    case JINJA_BOOL:
        return v.of.truth;
    case JINJA_INT:
        return v.of.whole != 0;
    case JINJA_FLOAT:
        return v.of.real != 0;
    case JINJA_STRING:
        return v.of.text.len > 0;
    case JINJA_LIST:
        return v.of.list->n > 0;
    case JINJA_DICT:
        return v.of.dict->use != JINJA_PLAIN || v.of.dict->n > 0;
    default:
        return true;
    }
}

static bool equal(struct jinja *j, struct jinja_value a, struct jinja_value b, int depth)
{
    if (depth > JINJA_MAX_VALUE_DEPTH)
        trit_jinja_fail(j, "the value is nested too deeply");
    if (!trit_jinja_step(j, 1))
        return false;
    if (trit_jinja_is_number(a) && trit_jinja_is_number(b))
        return a.kind == JINJA_FLOAT || b.kind == JINJA_FLOAT
                   ? trit_jinja_real(a) == trit_jinja_real(b)
                   : trit_jinja_whole(a) == trit_jinja_whole(b);
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case JINJA_STRING:
        return a.of.text.len == b.of.text.len && trit_jinja_step(j, a.of.text.len / 16) &&
               memcmp(a.of.text.bytes, b.of.text.bytes, a.of.text.len) == 0;
    case JINJA_LIST:
        for (size_t i = 0; a.of.list->n == b.of.list->n && i < a.of.list->n; i++)
            if (!equal(j, a.of.list->items[i], b.of.list->items[i], depth + 1))
                return false;
        return a.of.list->n == b.of.list->n && a.is_tuple == b.is_tuple;
    case JINJA_DICT:
        for (size_t i = 0; a.of.dict->n == b.of.dict->n && i < a.of.dict->n; i++) {
            const struct jinja_value *v = trit_jinja_find(j, b.of.dict, a.of.dict->items[i].key);
            if (!v || !equal(j, a.of.dict->items[i].value, *v, depth + 1))
                return false;
        }
        return a.of.dict->n == b.of.dict->n;
    case JINJA_CALLABLE:
        return a.of.callable == b.of.callable;
    default:
        return true; /* undefined, none */
    }
}

bool trit_jinja_equal(struct jinja *j, struct jinja_value a, struct jinja_value b)
{
    return equal(j, a, b, 0);
}

int trit_jinja_order(struct jinja *j, struct jinja_value a, struct jinja_value b)
{
    if (!trit_jinja_step(j, 1))
        return 0;
    if (trit_jinja_is_number(a) && trit_jinja_is_number(b)) {
        if (a.kind == JINJA_FLOAT || b.kind == JINJA_FLOAT) {
            const double x = trit_jinja_real(a), y = trit_jinja_real(b);
            return (x > y) - (x < y);
        }
        const int64_t x = trit_jinja_whole(a), y = trit_jinja_whole(b);
        return (x > y) - (x < y);
    }
    if (a.kind == JINJA_STRING && b.kind == JINJA_STRING)
        return trit_string_order(trit_jinja_plain(a.of.text), trit_jinja_plain(b.of.text));
    trit_jinja_fail(j, "%s and %s cannot be ordered", trit_jinja_kind_name(a),
                    trit_jinja_kind_name(b));
    return 0;
}

size_t trit_jinja_find_part(struct jinja *j, struct jinja_string s, struct jinja_string part,
                            size_t at)
{
    for (; at <= s.len && part.len <= s.len - at && trit_jinja_step(j, at % 16 == 0); at++)
        if (!part.len || memcmp(s.bytes + at, part.bytes, part.len) == 0)
            return at;
    return SIZE_MAX;
}

bool trit_jinja_contains(struct jinja *j, struct jinja_value all, struct jinja_value item)
{
    switch (all.kind) {
    case JINJA_UNDEFINED:
        return false;
    case JINJA_STRING:
        if (item.kind != JINJA_STRING)
            trit_jinja_fail(j, "only a string can be in a string, not %s",
                            trit_jinja_kind_name(item));
        return !j->failed && trit_jinja_find_part(j, all.of.text, item.of.text, 0) != SIZE_MAX;
    case JINJA_LIST:
        for (size_t i = 0; i < all.of.list->n; i++)
            if (trit_jinja_equal(j, all.of.list->items[i], item))
                return true;
        return false;
    case JINJA_DICT:
        return trit_jinja_find(j, all.of.dict, item) != NULL;
    default:
        trit_jinja_fail(j, "nothing can be in %s", trit_jinja_kind_name(all));
        return false;
    }
}

struct jinja_list *trit_jinja_items(struct jinja *j, struct jinja_value v)
{
    struct jinja_value out = trit_jinja_undefined();

    switch (v.kind) {
    case JINJA_LIST:
        return v.of.list;
    case JINJA_UNDEFINED:
        out = trit_jinja_list(j, 0);
        break;
    case JINJA_DICT:
        out = trit_jinja_list(j, v.of.dict->n);
        for (size_t i = 0; i < v.of.dict->n && !j->failed; i++)
            trit_jinja_append(j, out.of.list, v.of.dict->items[i].key);
        break;
    case JINJA_STRING:
        out = trit_jinja_list(j, 0);
        for (size_t at = 0, n; at < v.of.text.len && !j->failed; at += n) {
            n = trit_jinja_char_len(v.of.text, at);
            trit_jinja_append(j, out.of.list,
                              trit_jinja_text_value(trit_jinja_part(v.of.text, at, at + n)));
        }
        break;
    default:
        trit_jinja_fail(j, "%s has no items", trit_jinja_kind_name(v));
    }
    return j->failed ? j->nothing : out.of.list;
}

const char *trit_jinja_kind_name(struct jinja_value v)
{
    static const char *const names[] = {
        [JINJA_UNDEFINED] = "an undefined value",
        [JINJA_NONE] = "none",
        [JINJA_BOOL] = "a boolean",
        [JINJA_INT] = "a number",
        [JINJA_FLOAT] = "a number",
        [JINJA_STRING] = "a string",
        [JINJA_LIST] = "a list",
        [JINJA_DICT] = "an object",
        [JINJA_CALLABLE] = "a function",
    };
    return names[v.kind];
}
