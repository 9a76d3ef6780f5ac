/* error.c - see error.h. */
#include "error.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

const char *trit_status_name(trit_status status)
{
    static const char *const names[] = {"TRIT_OK",         "TRIT_E_FAILED",      "TRIT_E_ARGUMENT",
                                        "TRIT_E_FILE",     "TRIT_E_UNSUPPORTED", "TRIT_E_MEMORY",
                                        "TRIT_E_CANCELLED"};
    const size_t i = (size_t)status;
    return i < sizeof names / sizeof *names ? names[i] : "unknown status";
}

void trit_drop_partial_character(char *text)
{
    size_t n = strlen(text), i = n;
    while (i > 0 && n - i < 4 && ((unsigned char)text[i - 1] & 0xC0) == 0x80)
        i--;
    if (i == 0)
        return;
    const unsigned char first = (unsigned char)text[i - 1];
    const size_t len = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (n - (i - 1) < len)
        text[i - 1] = '\0';
}

void trit_append(char *text, size_t size, const char *fmt, ...)
{
    const size_t n = strlen(text);
    va_list args;

    va_start(args, fmt);
    vsnprintf(text + n, size - n, fmt, args);
    va_end(args);
}

trit_status trit_fail(struct trit_error *err, trit_status code, const char *fmt, ...)
{
    if (err) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, args);
        va_end(args);
        trit_drop_partial_character(err->text);
        err->code = code;
    }
    return code;
}

trit_status trit_fail_memory(struct trit_error *err, uint64_t bytes, const char *what_for)
{
    return trit_fail(err, TRIT_E_MEMORY, "out of memory: %.1f MiB for %s", (double)bytes / 0x1p20,
                     what_for);
}

trit_status trit_fail_tensor(struct trit_error *err, trit_status code, const char *path,
                             struct trit_string name, const char *fmt, ...)
{
    char what[sizeof err->text];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return trit_fail(err, code, "%s: tensor '%s' %s", path, trit_quote(name).text, what);
}

/* Significant digits to print: whole numbers in full. */
static int digits(double x)
{
    return x == rint(x) ? 15 : 6;
}

struct trit_range trit_out_of_range(double x, double lo, double hi)
{
    struct trit_range r;
    snprintf(r.text, sizeof r.text, "is %.*g; it must be %.*g to %.*g", digits(x), x, digits(lo),
             lo, digits(hi), hi);
    return r;
}

struct trit_quoted trit_quote(struct trit_string s)
{
    static const char hex[] = "0123456789abcdef", cut[] = "…";
    struct trit_quoted q;
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        const unsigned char c = (unsigned char)s.bytes[i];
        if (n + 4 + sizeof cut > sizeof q.text) {
            memcpy(q.text + n, cut, sizeof cut - 1);
            n += sizeof cut - 1;
            break;
        }
        if (c >= 0x20 && c < 0x7f) {
            q.text[n++] = (char)c;
        } else {
            q.text[n++] = '\\';
            q.text[n++] = 'x';
            q.text[n++] = hex[c >> 4];
            q.text[n++] = hex[c & 15];
        }
    }
    q.text[n] = '\0';
    return q;
}

struct trit_quoted trit_quote_text(const char *s)
{
    return trit_quote(trit_string_of(s));
}
