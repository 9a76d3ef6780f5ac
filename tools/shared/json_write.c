/* json_write.c - see json_write.h. */
#include "json_write.h"

#include <math.h>

#include "utf8_length.h"

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
        else if (utf8_is_c1(text + i, n))
            fprintf(f, "\\u%04x", (unsigned char)text[i + 1]);
        else
            fwrite(text + i, 1, n, f);
        i += n ? n : 1;
    }
    fputc('"', f);
}

static void write_number(FILE *f, double x, int digits)
{
    if (isfinite(x))
        fprintf(f, "%.*g", digits, x);
    else
        fputs("null", f);
}

void json_number(FILE *f, double x)
{
    write_number(f, x, 9);
}

void json_exact(FILE *f, double x)
{
    write_number(f, x, 17);
}

void json_ids(FILE *f, const int32_t *ids, int32_t n)
{
    fputc('[', f);
    for (int32_t i = 0; i < n; i++)
        fprintf(f, "%s%d", i ? "," : "", ids[i]);
    fputc(']', f);
}
