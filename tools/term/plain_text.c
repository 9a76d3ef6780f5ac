/* plain_text.c - see plain_text.h. */
#define _POSIX_C_SOURCE 200809L

#include "plain_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trit_tools.h"

bool acts_on_terminal(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xA0) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == TRIT_NO_CHARACTER;
}

static void write_escaped(FILE *f, const char *text, size_t len, const char *allowed)
{
    for (size_t i = 0; i < len;) {
        size_t n;
        const uint32_t code = trit_utf8_decode(text + i, len - i, &n);
        const bool is_allowed = code > 0 && code < 0x20 && strchr(allowed, (int)code);
        if (acts_on_terminal(code) && !is_allowed)
            for (size_t k = 0; k < n; k++)
                fprintf(f, "\\x%02x", (unsigned char)text[i + k]);
        else
            fwrite(text + i, 1, n, f);
        i += n;
    }
}

void plain_string(FILE *f, const char *text, size_t len)
{
    write_escaped(f, text, len, "");
}

void plain_text(FILE *f, const char *text, size_t len)
{
    write_escaped(f, text, len, "\n\t");
}

void safe_text(FILE *f, const char *text, size_t len)
{
    if (isatty(fileno(f)))
        plain_text(f, text, len);
    else
        fwrite(text, 1, len, f);
}

void safe_vprintf(FILE *f, const char *fmt, va_list args)
{
    char text[2048];
    va_list again;

    va_copy(again, args);
    const int len = vsnprintf(text, sizeof text, fmt, args);
    char *whole = len < (int)sizeof text ? NULL : malloc((size_t)len + 1);
    if (whole)
        vsnprintf(whole, (size_t)len + 1, fmt, again);
    if (len > 0) /* without memory: the beginning */
        safe_text(f, whole ? whole : text, whole ? (size_t)len : strnlen(text, sizeof text));
    va_end(again);
    free(whole);
}

void safe_printf(FILE *f, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    safe_vprintf(f, fmt, args);
    va_end(args);
}
