/* json.c - see json.h. */
#include "json.h"

#include <math.h>
#include <string.h>

#include "utf8.h"

/* Whether two bytes of UTF-8 are one of U+0080..U+009F, which terminals may obey. */
static bool is_c1(const char *text)
{
    return (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0;
}

void json_string(FILE *f, const char *text, size_t len)
{
    fputc('"', f);
    for (size_t i = 0; i < len;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t n = utf8_character(text + i, len - i);
        if (n == 0)
            fputs("\\ufffd", f);
        else if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", f);
        else if (c < 0x20 || c == 0x7f)
            fprintf(f, "\\u%04x", c);
        else if (n == 2 && is_c1(text + i))
            fprintf(f, "\\u%04x", (unsigned char)text[i + 1]);
        else
            fwrite(text + i, 1, n, f);
        i += n ? n : 1;
    }
    fputc('"', f);
}

static void plain(FILE *f, const char *text, size_t len, const char *allowed)
{
    for (size_t i = 0; i < len;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t n = utf8_character(text + i, len - i);
        const bool c1 = n == 2 && is_c1(text + i);
        if (n == 0 || (c < 0x20 && (c == 0 || !strchr(allowed, c))) || c == 0x7f || c1)
            fprintf(f, "\\x%02x", c);
        else
            fwrite(text + i, 1, n, f);
        i += n && !c1 ? n : 1;
    }
}

void plain_string(FILE *f, const char *text, size_t len)
{
    plain(f, text, len, "");
}

void plain_text(FILE *f, const char *text, size_t len)
{
    plain(f, text, len, "\n\t");
}

static void number(FILE *f, double x, int digits)
{
    if (isfinite(x))
        fprintf(f, "%.*g", digits, x);
    else
        fputs("null", f);
}

void json_number(FILE *f, double x)
{
    number(f, x, 9);
}

void json_exact(FILE *f, double x)
{
    number(f, x, 17);
}

void json_ids(FILE *f, const int32_t *ids, int32_t n)
{
    fputc('[', f);
    for (int32_t i = 0; i < n; i++)
        fprintf(f, "%s%d", i ? "," : "", ids[i]);
    fputc(']', f);
}
