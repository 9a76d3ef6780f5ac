/* jinja_builtins.c - see jinja_builtins.h. Case is that of ASCII letters. */
#include "jinja_builtins.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct jinja_value value;
typedef struct jinja_string string;
typedef const struct jinja_args *args_of;

#define BUILTIN(name) static value name(struct jinja *j, value self, args_of args)
#define UNUSED (void)j, (void)self, (void)args

/* A test, by a condition on self. */
#define TEST(name, condition)                                                                      \
    BUILTIN(name)                                                                                  \
    {                                                                                              \
        UNUSED;                                                                                    \
        return trit_jinja_bool(condition);                                                         \
    }

static const size_t not_found = SIZE_MAX;

/* ---- Arguments ------------------------------------------------------------------------------- */

/* A string, of any other kind an error. */
static string need_string(struct jinja *j, value v, const char *what)
{
    if (v.kind != JINJA_STRING)
        trit_jinja_fail(j, "%s must be a string, not %s", what, trit_jinja_kind_name(v));
    return v.kind == JINJA_STRING ? v.of.text : (string){"", 0, NULL, 0};
}

static int64_t whole_or(struct jinja *j, value v, int64_t otherwise)
{
    if (v.kind == JINJA_UNDEFINED || v.kind == JINJA_NONE)
        return otherwise;
    if (v.kind != JINJA_INT && v.kind != JINJA_BOOL)
        trit_jinja_fail(j, "an argument must be a whole number, not %s", trit_jinja_kind_name(v));
    return j->failed ? otherwise : trit_jinja_whole(v);
}

static value named(struct jinja *j, args_of args, const char *name)
{
    const value *v =
        args->named ? trit_jinja_find_name(j, args->named, trit_string_of(name)) : NULL;
    return v ? *v : trit_jinja_undefined();
}

/* The place of `name` among words; not_found: it is none of them. */
static size_t word_index(const char *words, struct trit_string name)
{
    for (size_t i = 0; *words; i++) {
        const size_t n = strcspn(words, " ");
        if (n == name.len && memcmp(words, name.bytes, n) == 0)
            return i;
        words += n + (words[n] == ' ');
    }
    return not_found;
}

/* Put named arguments into the places of parameters. */
static void place_named(struct jinja *j, const struct jinja_builtin *builtin,
                        struct jinja_args *args)
{
    for (size_t i = 0; args->named && i < args->named->n; i++) {
        const struct trit_string key = trit_jinja_plain(args->named->items[i].key.of.text);
        const size_t place = word_index(builtin->params, key);
        if (place == not_found) {
            trit_jinja_fail(j, "%s has no argument '%s'", builtin->name, trit_quote(key).text);
            return;
        }
        args->v[place] = args->named->items[i].value;
        args->n = place + 1 > args->n ? place + 1 : args->n;
    }
}

value trit_jinja_call(struct jinja *j, const struct jinja_builtin *builtin, value self,
                      const struct jinja_args *given)
{
    struct jinja_args args = *given;
    size_t most = 0;

    for (const char *p = builtin->params; p && *p; p++)
        most += p == builtin->params || *p == ' ';
    if (builtin->params && args.n > most)
        trit_jinja_fail(j, "%s takes at most %zu arguments, not %zu", builtin->name, most, args.n);
    if (builtin->params && !j->failed)
        place_named(j, builtin, &args);
    if (args.n < builtin->least)
        trit_jinja_fail(j, "%s needs %zu argument%s", builtin->name, builtin->least,
                        builtin->least == 1 ? "" : "s");
    return j->failed ? trit_jinja_undefined() : builtin->fn(j, self, &args);
}

value trit_jinja_callable(struct jinja *j, const struct jinja_builtin *builtin, value self)
{
    struct jinja_callable *c = trit_jinja_take(j, 1, sizeof *c);
    if (!c)
        return trit_jinja_undefined();
    c->builtin = builtin;
    c->self = self;
    return JINJA_VALUE(JINJA_CALLABLE, callable, c);
}

/* ---- Characters ------------------------------------------------------------------------------ */

static char lower_char(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char upper_char(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool is_letter(char c)
{
    return lower_char(c) >= 'a' && lower_char(c) <= 'z';
}

/* White space as Python's str.isspace() has it. */
static bool is_space(string s, size_t at, size_t len)
{
    static const char *const wide[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
        "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
        "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    const char c = s.bytes[at];

    if (len == 1)
        return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (strlen(wide[i]) == len && memcmp(wide[i], s.bytes + at, len) == 0)
            return true;
    return false;
}

static bool starts(string s, string with)
{
    return s.len >= with.len && (!with.len || memcmp(s.bytes, with.bytes, with.len) == 0);
}

static bool ends(string s, string with)
{
    return s.len >= with.len &&
           (!with.len || memcmp(s.bytes + s.len - with.len, with.bytes, with.len) == 0);
}

/* ---- Strings: strip, split, replace ---------------------------------------------------------- */

/* Whether the character of s is one of `chars`, or white space if that is undefined or none. */
static bool is_one_of(struct jinja *j, string s, size_t at, size_t len, value chars)
{
    if (chars.kind != JINJA_STRING)
        return is_space(s, at, len);
    return trit_jinja_find_part(j, chars.of.text, trit_jinja_part(s, at, at + len), 0) != not_found;
}

static size_t last_char(string s, size_t to)
{
    size_t at = to - 1;
    while (at > 0 && to - at < 4 && ((unsigned char)s.bytes[at] & 0xC0) == 0x80)
        at--;
    return at + trit_jinja_char_len(s, at) == to ? at : to - 1;
}

static value strip(struct jinja *j, value self, value chars, bool left, bool right)
{
    const string s = need_string(j, self, "what is stripped");
    size_t from = 0, to = s.len;

    while (left && from < to && trit_jinja_step(j, 1)) {
        const size_t n = trit_jinja_char_len(s, from);
        if (!is_one_of(j, s, from, n, chars))
            break;
        from += n;
    }
    while (right && to > from && trit_jinja_step(j, 1)) {
        const size_t at = last_char(s, to);
        if (!is_one_of(j, s, at, to - at, chars))
            break;
        to = at;
    }
    return trit_jinja_text_value(trit_jinja_part(s, from, to));
}

BUILTIN(do_strip)
{
    return strip(j,
                 self.kind == JINJA_STRING ? self : trit_jinja_text_value(trit_jinja_str(j, self)),
                 args->v[0], true, true);
}

BUILTIN(do_lstrip)
{
    return strip(j, self, args->v[0], true, false);
}

BUILTIN(do_rstrip)
{
    return strip(j, self, args->v[0], false, true);
}

static void append_part(struct jinja *j, value list, string s, size_t from, size_t to)
{
    trit_jinja_append(j, list.of.list, trit_jinja_text_value(trit_jinja_part(s, from, to)));
}

/* At white space. */
static value split_words(struct jinja *j, string s, int64_t most)
{
    const value out = trit_jinja_list(j, 8);
    size_t at = 0, from;

    while (!j->failed) {
        for (; at < s.len && is_space(s, at, trit_jinja_char_len(s, at));)
            at += trit_jinja_char_len(s, at);
        if (at == s.len)
            break;
        from = at;
        if (most-- == 0) {
            append_part(j, out, s, from, s.len);
            break;
        }
        for (; at < s.len && !is_space(s, at, trit_jinja_char_len(s, at));)
            at += trit_jinja_char_len(s, at);
        append_part(j, out, s, from, at);
    }
    return out;
}

BUILTIN(do_split)
{
    const string s = need_string(j, self, "what is split");
    int64_t most = whole_or(j, args->v[1], -1);
    size_t from = 0;

    if (args->v[0].kind == JINJA_UNDEFINED || args->v[0].kind == JINJA_NONE)
        return split_words(j, s, most);
    const string at = need_string(j, args->v[0], "the separator");
    const value out = trit_jinja_list(j, 8);
    if (!at.len)
        trit_jinja_fail(j, "the separator is empty");
    while (!j->failed) {
        const size_t next = most-- == 0 ? not_found : trit_jinja_find_part(j, s, at, from);
        append_part(j, out, s, from, next == not_found ? s.len : next);
        if (next == not_found)
            break;
        from = next + at.len;
    }
    return out;
}

/* With a limit, from the right. */
BUILTIN(do_rsplit)
{
    struct jinja_args all = *args;
    const int64_t most = whole_or(j, args->v[1], -1);

    all.v[1] = trit_jinja_undefined();
    const value parts = do_split(j, self, &all);
    if (j->failed || most < 0 || parts.of.list->n <= (uint64_t)most + 1)
        return parts;
    const value out = trit_jinja_list(j, (size_t)most + 1);
    const size_t kept = parts.of.list->n - (size_t)most;
    const string first = parts.of.list->items[0].of.text,
                 last = parts.of.list->items[kept - 1].of.text;
    append_part(j, out, self.of.text, (size_t)(first.bytes - self.of.text.bytes),
                (size_t)(last.bytes - self.of.text.bytes) + last.len);
    for (size_t i = kept; i < parts.of.list->n && !j->failed; i++)
        trit_jinja_append(j, out.of.list, parts.of.list->items[i]);
    return out;
}

BUILTIN(do_splitlines)
{
    const string s = need_string(j, self, "what is split");
    const bool keep = trit_jinja_truth(args->v[0]);
    const value out = trit_jinja_list(j, 8);

    for (size_t from = 0, at; from < s.len && !j->failed;) {
        for (at = from; at < s.len && s.bytes[at] != '\n' && s.bytes[at] != '\r';)
            at++;
        const size_t end =
            at + (at < s.len) + (at + 1 < s.len && s.bytes[at] == '\r' && s.bytes[at + 1] == '\n');
        append_part(j, out, s, from, keep ? end : at);
        from = end;
        trit_jinja_step(j, 1 + (end - from) / 16);
    }
    return out;
}

BUILTIN(do_replace)
{
    const string s = trit_jinja_str(j, self), old = need_string(j, args->v[0], "what is replaced"),
                 new = need_string(j, args->v[1], "the replacement");
    int64_t most = whole_or(j, args->v[2], -1);
    struct jinja_text t = {0};
    size_t from = 0;

    if (!old.len)
        trit_jinja_fail(j, "what is replaced is empty");
    while (!j->failed) {
        const size_t next = most-- == 0 ? not_found : trit_jinja_find_part(j, s, old, from);
        trit_jinja_add(j, &t, trit_jinja_part(s, from, next == not_found ? s.len : next));
        if (next == not_found)
            break;
        trit_jinja_add(j, &t, new);
        from = next + old.len;
    }
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

/* ---- Strings: find, compare ------------------------------------------------------------------ */

static bool has_any(struct jinja *j, value self, value with, bool (*has)(string, string))
{
    const string s = need_string(j, self, "what is searched");

    if (with.kind != JINJA_LIST)
        return has(s, need_string(j, with, "what is looked for"));
    for (size_t i = 0; i < with.of.list->n && !j->failed; i++)
        if (has(s, need_string(j, with.of.list->items[i], "what is looked for")))
            return true;
    return false;
}

BUILTIN(do_startswith)
{
    return trit_jinja_bool(has_any(j, self, args->v[0], starts));
}

BUILTIN(do_endswith)
{
    return trit_jinja_bool(has_any(j, self, args->v[0], ends));
}

/* The place in characters; -1: none. */
static int64_t place_of(struct jinja *j, value self, value what, bool last)
{
    const string s = need_string(j, self, "what is searched"),
                 part = need_string(j, what, "what is looked for");
    size_t at = trit_jinja_find_part(j, s, part, 0);

    for (size_t next = at; last && next != not_found;) {
        at = next;
        next = next < s.len ? trit_jinja_find_part(j, s, part, next + 1) : not_found;
    }
    return at == not_found ? -1 : (int64_t)trit_jinja_n_chars(trit_jinja_part(s, 0, at));
}

BUILTIN(do_find)
{
    return trit_jinja_int(place_of(j, self, args->v[0], false));
}

BUILTIN(do_rfind)
{
    return trit_jinja_int(place_of(j, self, args->v[0], true));
}

static value must_be_found(struct jinja *j, int64_t place)
{
    if (place < 0)
        trit_jinja_fail(j, "what is looked for is not there");
    return trit_jinja_int(place);
}

BUILTIN(do_index)
{
    if (self.kind == JINJA_STRING)
        return must_be_found(j, place_of(j, self, args->v[0], false));
    for (size_t i = 0; i < self.of.list->n; i++)
        if (trit_jinja_equal(j, self.of.list->items[i], args->v[0]))
            return trit_jinja_int((int64_t)i);
    return must_be_found(j, -1);
}

BUILTIN(do_count_of)
{
    int64_t n = 0;

    if (self.kind == JINJA_LIST) {
        for (size_t i = 0; i < self.of.list->n; i++)
            n += trit_jinja_equal(j, self.of.list->items[i], args->v[0]);
        return trit_jinja_int(n);
    }
    const string s = self.of.text, part = need_string(j, args->v[0], "what is counted");
    for (size_t at = 0; part.len && (at = trit_jinja_find_part(j, s, part, at)) != not_found;
         at += part.len)
        n++;
    return trit_jinja_int(n);
}

BUILTIN(do_removeprefix)
{
    const string s = need_string(j, self, "the string"),
                 part = need_string(j, args->v[0], "the prefix");
    return trit_jinja_text_value(trit_jinja_part(s, starts(s, part) ? part.len : 0, s.len));
}

BUILTIN(do_removesuffix)
{
    const string s = need_string(j, self, "the string"),
                 part = need_string(j, args->v[0], "the suffix");
    return trit_jinja_text_value(trit_jinja_part(s, 0, s.len - (ends(s, part) ? part.len : 0)));
}

/* ---- Strings: case and kinds ----------------------------------------------------------------- */

/* Python capitalizes after all but letters; Jinja's filter after white space and some others. */
enum change { TO_LOWER, TO_UPPER, TO_TITLE, TO_JINJA_TITLE, TO_CAPITALIZED };

static value change_case(struct jinja *j, value self, enum change change)
{
    const string s = trit_jinja_str(j, self);
    struct jinja_text t = {0};
    bool within = false;

    trit_jinja_add(j, &t, s);
    for (size_t i = 0; i < t.n && !j->failed; i++) {
        const bool up = change == TO_UPPER || (change == TO_CAPITALIZED && i == 0) ||
                        ((change == TO_TITLE || change == TO_JINJA_TITLE) && !within);
        t.bytes[i] = up ? upper_char(t.bytes[i]) : lower_char(t.bytes[i]);
        within = change == TO_JINJA_TITLE
                     ? !t.bytes[i] || !strchr("-({[< \t\n\v\f\r", t.bytes[i])
                     : is_letter(t.bytes[i]) || (unsigned char)t.bytes[i] > 127;
    }
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

BUILTIN(do_lower)
{
    (void)args;
    return change_case(j, self, TO_LOWER);
}

BUILTIN(do_upper)
{
    (void)args;
    return change_case(j, self, TO_UPPER);
}

BUILTIN(do_title)
{
    (void)args;
    return change_case(j, self, TO_TITLE);
}

BUILTIN(do_title_words)
{
    (void)args;
    return change_case(j, self, TO_JINJA_TITLE);
}

BUILTIN(do_capitalize)
{
    (void)args;
    return change_case(j, self, TO_CAPITALIZED);
}

static bool has_case(string s, bool upper)
{
    bool any = false;
    for (size_t i = 0; i < s.len; i++) {
        if (is_letter(s.bytes[i]) && (upper_char(s.bytes[i]) == s.bytes[i]) != upper)
            return false;
        any = any || is_letter(s.bytes[i]);
    }
    return any;
}

TEST(is_lower, self.kind == JINJA_STRING && has_case(self.of.text, false))
TEST(is_upper, self.kind == JINJA_STRING && has_case(self.of.text, true))

static bool all_bytes(string s, bool digits, bool letters)
{
    bool all = s.len > 0;
    for (size_t i = 0; i < s.len; i++)
        all = all && ((digits && s.bytes[i] >= '0' && s.bytes[i] <= '9') ||
                      (letters && (is_letter(s.bytes[i]) || (unsigned char)s.bytes[i] > 127)));
    return all;
}

TEST(is_digits, all_bytes(self.of.text, true, false))
TEST(is_alpha, all_bytes(self.of.text, false, true))
TEST(is_alnum, all_bytes(self.of.text, true, true))

BUILTIN(is_blank)
{
    const string s = self.of.text;
    bool all = s.len > 0;
    UNUSED;
    for (size_t at = 0; at < s.len; at += trit_jinja_char_len(s, at))
        all = all && is_space(s, at, trit_jinja_char_len(s, at));
    return trit_jinja_bool(all);
}

/* ---- Strings: others ------------------------------------------------------------------------- */

BUILTIN(do_escape)
{
    static const char from[] = "&<>'\"";
    static const char *const to[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    const string s = trit_jinja_str(j, self);
    struct jinja_text t = {0};

    (void)args;
    for (size_t i = 0; i < s.len && !j->failed; i++) {
        const char *found = s.bytes[i] ? strchr(from, s.bytes[i]) : NULL;
        if (found)
            trit_jinja_add_bytes(j, &t, to[found - from], strlen(to[found - from]),
                                 TRIT_JINJA_DATA);
        else
            trit_jinja_add(j, &t, trit_jinja_part(s, i, i + 1));
    }
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

BUILTIN(do_string)
{
    (void)args;
    return trit_jinja_text_value(trit_jinja_str(j, self));
}

static void add_spaces(struct jinja *j, struct jinja_text *t, int64_t n)
{
    for (int64_t i = 0; i < n && !j->failed; i++)
        trit_jinja_add_bytes(j, t, " ", 1, TRIT_JINJA_TEMPLATE);
}

/* indent(width=4, first=false, blank=false); width may be the text to put before lines */
BUILTIN(do_indent)
{
    const string s = trit_jinja_str(j, self);
    const bool text = args->v[0].kind == JINJA_STRING;
    const int64_t width = text ? 0 : whole_or(j, args->v[0], 4);
    struct jinja_text t = {0};

    for (size_t from = 0, at; from <= s.len && !j->failed; from = at + 1) {
        for (at = from; at < s.len && s.bytes[at] != '\n';)
            at++;
        const bool wanted =
            from ? at > from || trit_jinja_truth(args->v[2]) : trit_jinja_truth(args->v[1]);
        if (wanted && text)
            trit_jinja_add(j, &t, args->v[0].of.text);
        else if (wanted)
            add_spaces(j, &t, width);
        trit_jinja_add(j, &t, trit_jinja_part(s, from, at + (at < s.len)));
    }
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

BUILTIN(do_wordcount)
{
    (void)args;
    const value words = split_words(j, trit_jinja_str(j, self), -1);
    return trit_jinja_int(j->failed ? 0 : (int64_t)words.of.list->n);
}

/* One field of a format: its end in *at, behind the %. */
static void add_field(struct jinja *j, struct jinja_text *t, string format, size_t *at, value v)
{
    char spec[16] = "%", out[64];
    size_t n = 1;

    while (*at < format.len && strchr("0123456789.+- ", format.bytes[*at]) && n < 8)
        spec[n++] = format.bytes[(*at)++];
    const char kind = *at < format.len ? format.bytes[*at] : 0;
    ++*at;
    if (kind == 's' && n == 1) {
        trit_jinja_add_value(j, t, v, false);
    } else if (kind == 'r' && n == 1) {
        trit_jinja_add_value(j, t, v, true);
    } else if ((kind == 'd' || kind == 'i' || kind == 'x') && trit_jinja_is_number(v)) {
        memcpy(spec + n, kind == 'x' ? "llx" : "lld", 4);
        const double real = v.kind == JINJA_FLOAT && fabs(v.of.real) < 9e18 ? v.of.real : 0;
        snprintf(out, sizeof out, spec,
                 v.kind == JINJA_FLOAT ? (long long)real : (long long)trit_jinja_whole(v));
        trit_jinja_add_bytes(j, t, out, strlen(out), TRIT_JINJA_TEMPLATE);
    } else if (kind == 'f' && trit_jinja_is_number(v)) {
        memcpy(spec + n, "f", 2);
        snprintf(out, sizeof out, spec, trit_jinja_real(v));
        trit_jinja_add_bytes(j, t, out, strlen(out), TRIT_JINJA_TEMPLATE);
    } else {
        trit_jinja_fail(j, "the format has a field that is not supported for %s",
                        trit_jinja_kind_name(v));
    }
}

value trit_jinja_format(struct jinja *j, string format, value with)
{
    struct jinja_text t = {0};
    size_t used = 0;

    for (size_t at = 0, n; at < format.len && trit_jinja_step(j, 1);) {
        for (n = 0; at + n < format.len && format.bytes[at + n] != '%';)
            n++;
        trit_jinja_add(j, &t, trit_jinja_part(format, at, at + n));
        at += n + 1;
        if (at > format.len)
            break;
        if (at < format.len && format.bytes[at] == '%') {
            trit_jinja_add(j, &t, trit_jinja_part(format, at, at + 1));
            at++;
            continue;
        }
        const bool is_tuple = with.kind == JINJA_LIST && with.is_tuple;
        if (used >= (is_tuple ? with.of.list->n : 1))
            trit_jinja_fail(j, "the format needs more values");
        else
            add_field(j, &t, format, &at, is_tuple ? with.of.list->items[used] : with);
        used++;
    }
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

BUILTIN(do_format)
{
    value all = trit_jinja_list(j, args->n);

    for (size_t i = 0; i < args->n && !j->failed; i++)
        trit_jinja_append(j, all.of.list, args->v[i]);
    all.is_tuple = true;
    const string format = need_string(j, self, "a format");
    return j->failed ? all : trit_jinja_format(j, format, all);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

BUILTIN(do_tojson)
{
    const value given = args->n ? args->v[0] : named(j, args, "indent"),
                separators = named(j, args, "separators");
    struct jinja_json_style style = {.indent = whole_or(j, given, -1),
                                     .sort_keys = trit_jinja_truth(named(j, args, "sort_keys")),
                                     .colon = {": ", 2, NULL, 0}};
    struct jinja_text t = {0};

    style.between = (string){", ", style.indent < 0 ? 2 : 1, NULL, 0};
    if (trit_jinja_truth(named(j, args, "ensure_ascii")))
        trit_jinja_fail(j, "tojson with ensure_ascii is not supported");
    if (style.indent > 16)
        trit_jinja_fail(j, "an indent of %lld spaces is too much", (long long)style.indent);
    if (separators.kind == JINJA_LIST && separators.of.list->n == 2) {
        style.between = need_string(j, separators.of.list->items[0], "a separator");
        style.colon = need_string(j, separators.of.list->items[1], "a separator");
    }
    if (!j->failed)
        trit_jinja_add_json(j, &t, self, &style);
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

/* ---- Numbers --------------------------------------------------------------------------------- */

BUILTIN(do_abs)
{
    (void)args;
    if (!trit_jinja_is_number(self))
        trit_jinja_fail(j, "abs needs a number, not %s", trit_jinja_kind_name(self));
    if (self.kind == JINJA_FLOAT)
        return JINJA_VALUE(JINJA_FLOAT, real, fabs(self.of.real));
    const int64_t x = j->failed ? 0 : trit_jinja_whole(self);
    return trit_jinja_int(x < 0 && x > INT64_MIN ? -x : x);
}

/* The number that a string spells, or not a number. */
static double read_number(string s)
{
    char text[64], *end;

    if (!s.len || s.len >= sizeof text || !strchr("+-.0123456789 ", s.bytes[0]))
        return NAN;
    memcpy(text, s.bytes, s.len);
    text[s.len] = 0;
    const double x = strtod(text, &end);
    while (*end == ' ' || *end == '\n')
        end++;
    return *end ? NAN : x;
}

static double number_of(value v)
{
    return v.kind == JINJA_STRING    ? read_number(v.of.text)
           : trit_jinja_is_number(v) ? trit_jinja_real(v)
                                     : NAN;
}

BUILTIN(do_int)
{
    const double x = number_of(self);

    if (self.kind == JINJA_INT || self.kind == JINJA_BOOL)
        return trit_jinja_int(trit_jinja_whole(self));
    return fabs(x) < 9e18 ? trit_jinja_int((int64_t)x) : trit_jinja_int(whole_or(j, args->v[0], 0));
}

BUILTIN(do_float)
{
    const double x = number_of(self);
    (void)j;
    return JINJA_VALUE(JINJA_FLOAT, real,
                       isnan(x) && trit_jinja_is_number(args->v[0]) ? trit_jinja_real(args->v[0])
                       : isnan(x)                                   ? 0.0
                                                                    : x);
}

BUILTIN(do_round)
{
    const double scale = pow(10, (double)whole_or(j, args->v[0], 0));
    const bool is_named = args->v[1].kind == JINJA_STRING;
    const struct trit_string method =
        is_named ? trit_jinja_plain(args->v[1].of.text) : trit_string_of("common");

    if (!trit_jinja_is_number(self))
        trit_jinja_fail(j, "round needs a number, not %s", trit_jinja_kind_name(self));
    const double x = j->failed ? 0 : trit_jinja_real(self) * scale;
    return JINJA_VALUE(JINJA_FLOAT, real,
                       (trit_string_is(method, "ceil")    ? ceil(x)
                        : trit_string_is(method, "floor") ? floor(x)
                                                          : nearbyint(x)) /
                           scale);
}

/* ---- Lists ----------------------------------------------------------------------------------- */

BUILTIN(do_length)
{
    (void)args;
    switch (self.kind) {
    case JINJA_UNDEFINED:
        return trit_jinja_int(0);
    case JINJA_STRING:
        return trit_jinja_int((int64_t)trit_jinja_n_chars(self.of.text));
    case JINJA_LIST:
        return trit_jinja_int((int64_t)self.of.list->n);
    case JINJA_DICT:
        return trit_jinja_int((int64_t)self.of.dict->n);
    default:
        trit_jinja_fail(j, "%s has no length", trit_jinja_kind_name(self));
        return self;
    }
}

BUILTIN(do_first)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    (void)args;
    return list->n ? list->items[0] : trit_jinja_undefined();
}

BUILTIN(do_last)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    (void)args;
    return list->n ? list->items[list->n - 1] : trit_jinja_undefined();
}

/* A copy that may be changed. */
static value copy_list(struct jinja *j, const struct jinja_list *list)
{
    const value out = trit_jinja_list(j, list->n);
    for (size_t i = 0; i < list->n && trit_jinja_step(j, 1); i++)
        trit_jinja_append(j, out.of.list, list->items[i]);
    return out;
}

BUILTIN(do_list)
{
    (void)args;
    return copy_list(j, trit_jinja_items(j, self));
}

static void reverse_items(struct jinja_list *list)
{
    for (size_t i = 0; i < list->n / 2; i++) {
        const value v = list->items[i];
        list->items[i] = list->items[list->n - 1 - i];
        list->items[list->n - 1 - i] = v;
    }
}

BUILTIN(do_reverse)
{
    const value out = copy_list(j, trit_jinja_items(j, self));
    struct jinja_text t = {0};

    (void)args;
    if (!j->failed)
        reverse_items(out.of.list);
    if (self.kind != JINJA_STRING)
        return out;
    for (size_t i = 0; !j->failed && i < out.of.list->n; i++)
        trit_jinja_add_value(j, &t, out.of.list->items[i], false);
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

/* a.b.0 of a value, or `otherwise` if it is undefined; the value itself if path is no string. */
static value follow_or(struct jinja *j, value v, value path, value otherwise)
{
    if (path.kind == JINJA_INT)
        return trit_jinja_item(j, v, path);
    if (path.kind != JINJA_STRING)
        return v;
    const string s = path.of.text;
    for (size_t from = 0, at; from <= s.len && !j->failed; from = at + 1) {
        for (at = from; at < s.len && s.bytes[at] != '.';)
            at++;
        const string name = trit_jinja_part(s, from, at);
        v = trit_jinja_item(j, v,
                            all_bytes(name, true, false)
                                ? trit_jinja_int((int64_t)read_number(name))
                                : trit_jinja_text_value(name));
        if (v.kind == JINJA_UNDEFINED && otherwise.kind != JINJA_UNDEFINED)
            return otherwise;
    }
    return v;
}

static value follow(struct jinja *j, value v, value path)
{
    return follow_or(j, v, path, trit_jinja_undefined());
}

BUILTIN(do_join)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    struct jinja_text t = {0};

    for (size_t i = 0; i < list->n && trit_jinja_step(j, 1); i++) {
        if (i && args->v[0].kind == JINJA_STRING)
            trit_jinja_add(j, &t, args->v[0].of.text);
        trit_jinja_add_value(j, &t, follow(j, list->items[i], args->v[1]), false);
    }
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

/* The method: separator.join(items). */
BUILTIN(do_join_with)
{
    struct jinja_args a = {.v = {self}, .n = 1};
    return do_join(j, args->v[0], &a);
}

struct sort_by {
    value path;
    bool case_sensitive, reverse;
};

/* What an item is sorted by. */
static value sort_key(struct jinja *j, value v, const struct sort_by *by)
{
    v = follow(j, v, by->path);
    return v.kind == JINJA_STRING && !by->case_sensitive ? change_case(j, v, TO_LOWER) : v;
}

static int order_by(struct jinja *j, value a, value b, const struct sort_by *by)
{
    return trit_jinja_order(j, sort_key(j, a, by), sort_key(j, b, by));
}

/* Insertion: stable, and lists in templates are short. Steps bound the time of long ones. */
static void sort_items(struct jinja *j, struct jinja_list *list, const struct sort_by *by)
{
    for (size_t i = 1; i < list->n && !j->failed; i++) {
        const value v = list->items[i];
        size_t k = i;
        for (; k > 0 && !j->failed; k--) {
            const int order = order_by(j, list->items[k - 1], v, by);
            if (by->reverse ? order >= 0 : order <= 0)
                break;
            list->items[k] = list->items[k - 1];
        }
        list->items[k] = v;
    }
}

/* sort(reverse=false, case_sensitive=false, attribute=none) */
BUILTIN(do_sort)
{
    const value out = copy_list(j, trit_jinja_items(j, self));
    const struct sort_by by = {args->v[2], trit_jinja_truth(args->v[1]),
                               trit_jinja_truth(args->v[0])};
    if (!j->failed)
        sort_items(j, out.of.list, &by);
    return out;
}

static value pairs_of(struct jinja *j, value self);

/* dictsort(case_sensitive=false, by='key', reverse=false) */
BUILTIN(do_dictsort)
{
    const value out = pairs_of(j, self);
    const bool by_value = args->v[1].kind == JINJA_STRING &&
                          trit_string_is(trit_jinja_plain(args->v[1].of.text), "value");
    const struct sort_by by = {trit_jinja_int(by_value), trit_jinja_truth(args->v[0]),
                               trit_jinja_truth(args->v[2])};
    if (!j->failed)
        sort_items(j, out.of.list, &by);
    return out;
}

/* unique(case_sensitive=false, attribute=none) */
BUILTIN(do_unique)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    const struct sort_by by = {args->v[1], trit_jinja_truth(args->v[0]), false};
    const value out = trit_jinja_list(j, 0);

    for (size_t i = 0, k; i < list->n && !j->failed; i++) {
        for (k = 0; k < out.of.list->n && !j->failed; k++)
            if (trit_jinja_equal(j, sort_key(j, out.of.list->items[k], &by),
                                 sort_key(j, list->items[i], &by)))
                break;
        if (k == out.of.list->n)
            trit_jinja_append(j, out.of.list, list->items[i]);
    }
    return out;
}

static value extreme(struct jinja *j, value self, args_of args, int sign)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    const struct sort_by by = {args->v[1], trit_jinja_truth(args->v[0]), false};
    value best = list->n ? list->items[0] : trit_jinja_undefined();

    for (size_t i = 1; i < list->n && !j->failed; i++)
        if (sign * order_by(j, list->items[i], best, &by) > 0)
            best = list->items[i];
    return best;
}

BUILTIN(do_max)
{
    return extreme(j, self, args, 1);
}

BUILTIN(do_min)
{
    return extreme(j, self, args, -1);
}

/* sum(attribute=none, start=0) */
BUILTIN(do_sum)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    double sum = trit_jinja_is_number(args->v[1]) ? trit_jinja_real(args->v[1]) : 0;
    bool whole = args->v[1].kind != JINJA_FLOAT;

    for (size_t i = 0; i < list->n && trit_jinja_step(j, 1); i++) {
        const value v = follow(j, list->items[i], args->v[0]);
        if (!trit_jinja_is_number(v))
            trit_jinja_fail(j, "sum needs numbers, not %s", trit_jinja_kind_name(v));
        else
            sum += trit_jinja_real(v);
        whole = whole && v.kind != JINJA_FLOAT;
    }
    return whole && fabs(sum) < 9e15 ? trit_jinja_int((int64_t)sum)
                                     : JINJA_VALUE(JINJA_FLOAT, real, sum);
}

BUILTIN(do_append)
{
    trit_jinja_append(j, self.of.list, args->v[0]);
    return (value){.kind = JINJA_NONE};
}

/* ---- map, select and their kin --------------------------------------------------------------- */

/* The arguments from the `from`-th on. */
static struct jinja_args rest_of(args_of args, size_t from)
{
    struct jinja_args rest = {.named = args->named};
    for (size_t i = from; i < args->n; i++)
        rest.v[rest.n++] = args->v[i];
    return rest;
}

/* map('filter', …) or map(attribute='name', default=…) */
BUILTIN(do_map)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    const value path = named(j, args, "attribute"), otherwise = named(j, args, "default");
    const value out = trit_jinja_list(j, list->n);
    const struct jinja_args rest = rest_of(args, 1);
    const struct jinja_builtin *filter = NULL;

    if (path.kind == JINJA_UNDEFINED) {
        const string name = need_string(j, args->v[0], "the filter of map");
        filter = trit_jinja_filter(trit_jinja_plain(name));
        if (!filter)
            trit_jinja_fail(j, "there is no filter '%s'", trit_quote(trit_jinja_plain(name)).text);
    }
    for (size_t i = 0; i < list->n && trit_jinja_step(j, 1); i++) {
        trit_jinja_append(j, out.of.list,
                          filter ? trit_jinja_call(j, filter, list->items[i], &rest)
                                 : follow_or(j, list->items[i], path, otherwise));
    }
    return out;
}

/* Items, or their attribute args[0], that pass (wanted) or fail a test, by default truth. */
static value choose(struct jinja *j, value self, args_of args, bool by_attribute, bool wanted)
{
    const struct jinja_list *list = trit_jinja_items(j, self);
    const size_t at = by_attribute;
    const value out = trit_jinja_list(j, 0);
    const struct jinja_args rest = rest_of(args, at + 1);
    const struct jinja_builtin *test = NULL;

    if (args->n > at) {
        const string name = need_string(j, args->v[at], "the test");
        test = trit_jinja_test(trit_jinja_plain(name));
        if (!test)
            trit_jinja_fail(j, "there is no test '%s'", trit_quote(trit_jinja_plain(name)).text);
    }
    for (size_t i = 0; i < list->n && trit_jinja_step(j, 1); i++) {
        const value v = by_attribute ? follow(j, list->items[i], args->v[0]) : list->items[i];
        if (trit_jinja_truth(test ? trit_jinja_call(j, test, v, &rest) : v) == wanted)
            trit_jinja_append(j, out.of.list, list->items[i]);
    }
    return out;
}

BUILTIN(do_select)
{
    return choose(j, self, args, false, true);
}

BUILTIN(do_reject)
{
    return choose(j, self, args, false, false);
}

BUILTIN(do_selectattr)
{
    return choose(j, self, args, true, true);
}

BUILTIN(do_rejectattr)
{
    return choose(j, self, args, true, false);
}

/* ---- Objects --------------------------------------------------------------------------------- */

static value pair_of(struct jinja *j, value a, value b)
{
    value out = trit_jinja_list(j, 2);

    out.is_tuple = true;
    if (!j->failed) {
        trit_jinja_append(j, out.of.list, a);
        trit_jinja_append(j, out.of.list, b);
    }
    return out;
}

static value pairs_of(struct jinja *j, value self)
{
    const value out = trit_jinja_list(j, 0);

    if (self.kind == JINJA_UNDEFINED)
        return out;
    if (self.kind != JINJA_DICT)
        trit_jinja_fail(j, "%s has no keys", trit_jinja_kind_name(self));
    for (size_t i = 0; !j->failed && i < self.of.dict->n; i++)
        trit_jinja_append(j, out.of.list,
                          pair_of(j, self.of.dict->items[i].key, self.of.dict->items[i].value));
    return out;
}

BUILTIN(do_items)
{
    (void)args;
    return pairs_of(j, self);
}

BUILTIN(do_keys)
{
    (void)args;
    return copy_list(j, trit_jinja_items(j, self));
}

BUILTIN(do_values)
{
    const value out = trit_jinja_list(j, self.of.dict->n);
    (void)args;
    for (size_t i = 0; i < self.of.dict->n && !j->failed; i++)
        trit_jinja_append(j, out.of.list, self.of.dict->items[i].value);
    return out;
}

BUILTIN(do_get)
{
    const value *v = trit_jinja_find(j, self.of.dict, args->v[0]);
    return v ? *v : args->n > 1 ? args->v[1] : (value){.kind = JINJA_NONE};
}

/* Not what a plain object has at a key. */
BUILTIN(do_attr)
{
    const string name = need_string(j, args->v[0], "an attribute");
    const value v = trit_jinja_attribute(j, self, trit_jinja_plain(name));
    return self.kind == JINJA_DICT && self.of.dict->use == JINJA_PLAIN && v.kind != JINJA_CALLABLE
               ? trit_jinja_undefined()
               : v;
}

/* default(value='', boolean=false) */
BUILTIN(do_default)
{
    const bool use =
        self.kind == JINJA_UNDEFINED || (trit_jinja_truth(args->v[1]) && !trit_jinja_truth(self));
    (void)j;
    if (use && args->n == 0)
        return trit_jinja_string((struct trit_string){"", 0}, TRIT_JINJA_TEMPLATE);
    return use ? args->v[0] : self;
}

BUILTIN(do_safe)
{
    UNUSED;
    return self;
}

/* ---- Loops ----------------------------------------------------------------------------------- */

BUILTIN(do_cycle)
{
    const value *index = trit_jinja_find_name(j, self.of.dict, trit_string_of("index0"));
    return args->n && index ? args->v[(size_t)index->of.whole % args->n] : trit_jinja_undefined();
}

BUILTIN(do_changed)
{
    const value *last = trit_jinja_find_name(j, self.of.dict, trit_string_of("changed "));
    const bool changed = !last || !trit_jinja_equal(j, *last, args->v[0]);
    trit_jinja_put_name(j, self.of.dict, "changed ", args->v[0]);
    return trit_jinja_bool(changed);
}

/* ---- Functions ------------------------------------------------------------------------------- */

BUILTIN(do_range)
{
    const int64_t from = args->n > 1 ? whole_or(j, args->v[0], 0) : 0;
    const int64_t to = whole_or(j, args->v[args->n > 1], 0), step = whole_or(j, args->v[2], 1);
    const value out = trit_jinja_list(j, 0);

    (void)self;
    if (step == 0 || step > INT32_MAX || step < -INT32_MAX || from > INT32_MAX || from < -INT32_MAX)
        trit_jinja_fail(j, "the range has no end");
    for (int64_t i = from; !j->failed && (step > 0 ? i < to : i > to) && trit_jinja_step(j, 1);
         i += step)
        trit_jinja_append(j, out.of.list, trit_jinja_int(i));
    return out;
}

BUILTIN(do_dict)
{
    const value out = trit_jinja_dict(j);
    const struct jinja_dict *from[] = {args->v[0].kind == JINJA_DICT ? args->v[0].of.dict : NULL,
                                       args->named};

    (void)self;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; from[k] && i < from[k]->n && !j->failed; i++)
            trit_jinja_put(j, out.of.dict, from[k]->items[i].key, from[k]->items[i].value);
    return out;
}

BUILTIN(do_namespace)
{
    const value out = do_dict(j, self, args);
    if (!j->failed)
        out.of.dict->use = JINJA_NAMESPACE;
    return out;
}

BUILTIN(do_raise)
{
    const struct trit_string text = trit_jinja_plain(trit_jinja_str(j, args->v[0]));
    (void)self;
    trit_jinja_fail(j, "the template says: %s", trit_quote(text).text);
    return trit_jinja_undefined();
}

/* The date of a day since 1970 (the civil calendar; 1970-01-01 was a Thursday). */
struct date {
    int64_t year;
    int month, day, day_of_year, weekday, hour, minute, second; /* month and day from 1 */
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static struct date date_of(int64_t seconds)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = seconds / 86400 - (seconds % 86400 < 0);
    const int of_day = (int)(seconds - day * 86400);
    struct date d = {.year = 1970,
                     .weekday = (int)(((day + 4) % 7 + 7) % 7),
                     .hour = of_day / 3600,
                     .minute = of_day / 60 % 60,
                     .second = of_day % 60};

    for (; day < 0; day += 365 + is_leap(d.year))
        d.year--;
    for (; day >= 365 + is_leap(d.year); d.year++)
        day -= 365 + is_leap(d.year);
    d.day_of_year = (int)day + 1;
    for (d.month = 1; day >= lengths[d.month - 1] + (d.month == 2 && is_leap(d.year)); d.month++)
        day -= lengths[d.month - 1] + (d.month == 2 && is_leap(d.year));
    d.day = (int)day + 1;
    return d;
}

/* One field of strftime. @return its length; 0: unknown */
static int write_date(char out[32], const struct date *d, char field)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
    const int hour12 = d->hour % 12 ? d->hour % 12 : 12;

    switch (field) {
    case 'Y':
        return snprintf(out, 32, "%lld", (long long)d->year);
    case 'y':
        return snprintf(out, 32, "%02d", (int)(d->year % 100));
    case 'm':
        return snprintf(out, 32, "%02d", d->month);
    case 'd':
        return snprintf(out, 32, "%02d", d->day);
    case 'e':
        return snprintf(out, 32, "%2d", d->day);
    case 'j':
        return snprintf(out, 32, "%03d", d->day_of_year);
    case 'B':
        return snprintf(out, 32, "%s", months[d->month - 1]);
    case 'b':
        return snprintf(out, 32, "%.3s", months[d->month - 1]);
    case 'A':
        return snprintf(out, 32, "%s", days[d->weekday]);
    case 'a':
        return snprintf(out, 32, "%.3s", days[d->weekday]);
    case 'H':
        return snprintf(out, 32, "%02d", d->hour);
    case 'I':
        return snprintf(out, 32, "%02d", hour12);
    case 'M':
        return snprintf(out, 32, "%02d", d->minute);
    case 'S':
        return snprintf(out, 32, "%02d", d->second);
    case 'p':
        return snprintf(out, 32, "%s", d->hour < 12 ? "AM" : "PM");
    case 'F':
        return snprintf(out, 32, "%lld-%02d-%02d", (long long)d->year, d->month, d->day);
    case 'T':
        return snprintf(out, 32, "%02d:%02d:%02d", d->hour, d->minute, d->second);
    case '%':
        return snprintf(out, 32, "%%");
    default:
        return 0;
    }
}

BUILTIN(do_strftime_now)
{
    const string format = need_string(j, args->v[0], "the format of a date");
    const int64_t most = (int64_t)1 << 36; /* some two thousand years */
    const int64_t now = j->input->now;
    const struct date d = date_of(now > most ? most : now < -most ? -most : now);
    struct jinja_text t = {0};

    (void)self;
    for (size_t i = 0; i < format.len && !j->failed; i++) {
        char out[32];
        bool bare = false; /* %-d: without a leading zero */
        if (format.bytes[i] != '%' || i + 1 == format.len) {
            trit_jinja_add(j, &t, trit_jinja_part(format, i, i + 1));
            continue;
        }
        if (format.bytes[++i] == '-' && i + 1 < format.len)
            bare = ++i > 0;
        if (!write_date(out, &d, format.bytes[i]))
            trit_jinja_fail(j, "the format of a date has the unknown field %%%c",
                            is_letter(format.bytes[i]) ? format.bytes[i] : '?');
        else
            trit_jinja_add_bytes(j, &t, out + (bare && (out[0] == '0' || out[0] == ' ')),
                                 strlen(out) - (bare && (out[0] == '0' || out[0] == ' ')),
                                 TRIT_JINJA_TEMPLATE);
    }
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

/* ---- Tests ----------------------------------------------------------------------------------- */

TEST(is_defined, self.kind != JINJA_UNDEFINED)
TEST(is_undefined, self.kind == JINJA_UNDEFINED)
TEST(is_none, self.kind == JINJA_NONE)
TEST(is_true, self.kind == JINJA_BOOL && self.of.truth)
TEST(is_false, self.kind == JINJA_BOOL && !self.of.truth)
TEST(is_boolean, self.kind == JINJA_BOOL)
TEST(is_number, trit_jinja_is_number(self))
TEST(is_integer, self.kind == JINJA_INT)
TEST(is_float, self.kind == JINJA_FLOAT)
TEST(is_string, self.kind == JINJA_STRING)
TEST(is_mapping, self.kind == JINJA_DICT)
TEST(is_iterable, self.kind == JINJA_STRING || self.kind == JINJA_LIST || self.kind == JINJA_DICT ||
                      self.kind == JINJA_UNDEFINED)
TEST(is_callable, self.kind == JINJA_CALLABLE)
TEST(is_equal, trit_jinja_equal(j, self, args->v[0]))
TEST(is_unequal, !trit_jinja_equal(j, self, args->v[0]))
TEST(is_less, trit_jinja_order(j, self, args->v[0]) < 0)
TEST(is_less_or_equal, trit_jinja_order(j, self, args->v[0]) <= 0)
TEST(is_greater, trit_jinja_order(j, self, args->v[0]) > 0)
TEST(is_greater_or_equal, trit_jinja_order(j, self, args->v[0]) >= 0)
TEST(is_in, trit_jinja_contains(j, args->v[0], self))
TEST(is_same, self.kind == args->v[0].kind && trit_jinja_equal(j, self, args->v[0]))

static bool divides(struct jinja *j, value self, int64_t by)
{
    if (self.kind != JINJA_INT || by == 0)
        trit_jinja_fail(j, "only a whole number can be divided, and not by zero");
    return !j->failed && (by == -1 || self.of.whole % by == 0);
}

TEST(is_even, divides(j, self, 2))
TEST(is_odd, !divides(j, self, 2))
TEST(is_divisible, divides(j, self, whole_or(j, args->v[0], 0)))

/* ---- Tables ---------------------------------------------------------------------------------- */

static const struct jinja_builtin filters[] = {
    {"abs", 0, "", do_abs},
    {"attr", 1, "name", do_attr},
    {"capitalize", 0, "", do_capitalize},
    {"count", 0, "", do_length},
    {"d", 0, "default_value boolean", do_default},
    {"default", 0, "default_value boolean", do_default},
    {"dictsort", 0, "case_sensitive by reverse", do_dictsort},
    {"e", 0, "", do_escape},
    {"escape", 0, "", do_escape},
    {"first", 0, "", do_first},
    {"float", 0, "default", do_float},
    {"format", 0, NULL, do_format},
    {"indent", 0, "width first blank", do_indent},
    {"int", 0, "default base", do_int},
    {"items", 0, "", do_items},
    {"join", 0, "d attribute", do_join},
    {"last", 0, "", do_last},
    {"length", 0, "", do_length},
    {"list", 0, "", do_list},
    {"lower", 0, "", do_lower},
    {"map", 0, NULL, do_map},
    {"max", 0, "case_sensitive attribute", do_max},
    {"min", 0, "case_sensitive attribute", do_min},
    {"reject", 0, NULL, do_reject},
    {"rejectattr", 1, NULL, do_rejectattr},
    {"replace", 2, "old new count", do_replace},
    {"reverse", 0, "", do_reverse},
    {"round", 0, "precision method", do_round},
    {"safe", 0, "", do_safe},
    {"select", 0, NULL, do_select},
    {"selectattr", 1, NULL, do_selectattr},
    {"sort", 0, "reverse case_sensitive attribute", do_sort},
    {"string", 0, "", do_string},
    {"sum", 0, "attribute start", do_sum},
    {"title", 0, "", do_title_words},
    {"tojson", 0, NULL, do_tojson},
    {"trim", 0, "chars", do_strip},
    {"unique", 0, "case_sensitive attribute", do_unique},
    {"upper", 0, "", do_upper},
    {"wordcount", 0, "", do_wordcount},
};

static const struct jinja_builtin tests[] = {
    {"!=", 1, "other", is_unequal},
    {"<", 1, "other", is_less},
    {"<=", 1, "other", is_less_or_equal},
    {"==", 1, "other", is_equal},
    {">", 1, "other", is_greater},
    {">=", 1, "other", is_greater_or_equal},
    {"boolean", 0, "", is_boolean},
    {"callable", 0, "", is_callable},
    {"defined", 0, "", is_defined},
    {"divisibleby", 1, "num", is_divisible},
    {"eq", 1, "other", is_equal},
    {"equalto", 1, "other", is_equal},
    {"even", 0, "", is_even},
    {"false", 0, "", is_false},
    {"float", 0, "", is_float},
    {"ge", 1, "other", is_greater_or_equal},
    {"greaterthan", 1, "other", is_greater},
    {"gt", 1, "other", is_greater},
    {"in", 1, "seq", is_in},
    {"integer", 0, "", is_integer},
    {"iterable", 0, "", is_iterable},
    {"le", 1, "other", is_less_or_equal},
    {"lessthan", 1, "other", is_less},
    {"lower", 0, "", is_lower},
    {"lt", 1, "other", is_less},
    {"mapping", 0, "", is_mapping},
    {"ne", 1, "other", is_unequal},
    {"none", 0, "", is_none},
    {"number", 0, "", is_number},
    {"odd", 0, "", is_odd},
    {"sameas", 1, "other", is_same},
    {"sequence", 0, "", is_iterable},
    {"string", 0, "", is_string},
    {"true", 0, "", is_true},
    {"undefined", 0, "", is_undefined},
    {"upper", 0, "", is_upper},
};

static const struct jinja_builtin functions[] = {
    {"dict", 0, NULL, do_dict},
    {"namespace", 0, NULL, do_namespace},
    {"raise_exception", 1, "message", do_raise},
    {"range", 1, "start stop step", do_range},
    {"strftime_now", 1, "format", do_strftime_now},
};

static const struct jinja_builtin string_methods[] = {
    {"capitalize", 0, "", do_capitalize},
    {"count", 1, "sub", do_count_of},
    {"endswith", 1, "suffix", do_endswith},
    {"find", 1, "sub", do_find},
    {"index", 1, "sub", do_index},
    {"isalnum", 0, "", is_alnum},
    {"isalpha", 0, "", is_alpha},
    {"isdecimal", 0, "", is_digits},
    {"isdigit", 0, "", is_digits},
    {"islower", 0, "", is_lower},
    {"isnumeric", 0, "", is_digits},
    {"isspace", 0, "", is_blank},
    {"isupper", 0, "", is_upper},
    {"join", 1, "iterable", do_join_with},
    {"lower", 0, "", do_lower},
    {"lstrip", 0, "chars", do_lstrip},
    {"removeprefix", 1, "prefix", do_removeprefix},
    {"removesuffix", 1, "suffix", do_removesuffix},
    {"replace", 2, "old new count", do_replace},
    {"rfind", 1, "sub", do_rfind},
    {"rsplit", 0, "sep maxsplit", do_rsplit},
    {"rstrip", 0, "chars", do_rstrip},
    {"split", 0, "sep maxsplit", do_split},
    {"splitlines", 0, "keepends", do_splitlines},
    {"startswith", 1, "prefix", do_startswith},
    {"strip", 0, "chars", do_strip},
    {"title", 0, "", do_title},
    {"upper", 0, "", do_upper},
};

static const struct jinja_builtin list_methods[] = {
    {"append", 1, "item", do_append},
    {"count", 1, "item", do_count_of},
    {"index", 1, "item", do_index},
};

static const struct jinja_builtin dict_methods[] = {
    {"get", 1, "key default", do_get},
    {"items", 0, "", do_items},
    {"keys", 0, "", do_keys},
    {"values", 0, "", do_values},
};

static const struct jinja_builtin loop_methods[] = {
    {"changed", 1, "value", do_changed},
    {"cycle", 1, NULL, do_cycle},
};

#define LOOK_UP(table, name) look_up(table, sizeof(table) / sizeof *(table), name)

static const struct jinja_builtin *look_up(const struct jinja_builtin *table, size_t n,
                                           struct trit_string name)
{
    for (size_t i = 0; i < n; i++)
        if (trit_string_is(name, table[i].name))
            return &table[i];
    return NULL;
}

const struct jinja_builtin *trit_jinja_filter(struct trit_string name)
{
    return LOOK_UP(filters, name);
}

const struct jinja_builtin *trit_jinja_test(struct trit_string name)
{
    return LOOK_UP(tests, name);
}

const struct jinja_builtin *trit_jinja_function(struct trit_string name)
{
    return LOOK_UP(functions, name);
}

static const struct jinja_builtin *method_of(value v, struct trit_string name)
{
    if (v.kind == JINJA_STRING)
        return LOOK_UP(string_methods, name);
    if (v.kind == JINJA_LIST)
        return LOOK_UP(list_methods, name);
    if (v.kind != JINJA_DICT || v.of.dict->use == JINJA_NAMESPACE)
        return NULL;
    return v.of.dict->use == JINJA_LOOP ? LOOK_UP(loop_methods, name) : LOOK_UP(dict_methods, name);
}

/* ---- Attributes ------------------------------------------------------------------------------ */

static bool is_usable(struct jinja *j, value v, struct trit_string name)
{
    if (v.kind == JINJA_UNDEFINED)
        trit_jinja_fail(j, "the value that should have '%s' is undefined", trit_quote(name).text);
    return !j->failed;
}

value trit_jinja_attribute(struct jinja *j, value v, struct trit_string name)
{
    const struct jinja_builtin *method = method_of(v, name);

    if (!is_usable(j, v, name))
        return v;
    if (method)
        return trit_jinja_callable(j, method, v);
    const value *found = v.kind == JINJA_DICT ? trit_jinja_find_name(j, v.of.dict, name) : NULL;
    return found ? *found : trit_jinja_undefined();
}

/* The i-th item, from the end if i is negative. */
static value item_at(struct jinja *j, value v, int64_t i)
{
    const struct jinja_list *list = trit_jinja_items(j, v);

    i += i < 0 ? (int64_t)list->n : 0;
    return i >= 0 && i < (int64_t)list->n ? list->items[i] : trit_jinja_undefined();
}

value trit_jinja_item(struct jinja *j, value v, value key)
{
    const struct trit_string name =
        key.kind == JINJA_STRING ? trit_jinja_plain(key.of.text) : trit_string_of("an item");

    if (!is_usable(j, v, name))
        return v;
    if (v.kind == JINJA_DICT) {
        const value *found = trit_jinja_find(j, v.of.dict, key);
        if (found)
            return *found;
    } else if (key.kind == JINJA_INT && (v.kind == JINJA_LIST || v.kind == JINJA_STRING)) {
        return item_at(j, v, key.of.whole);
    }
    return key.kind == JINJA_STRING ? trit_jinja_attribute(j, v, name) : trit_jinja_undefined();
}
