/* json_write.c - see json_write.h. */
#include "json_write.h"
#include "plain_text.h"
#include "trit_tools.h"

#include <math.h>

void json_string(FILE *f, const char *text, size_t len)
{
    fputc('"', f);
    for (size_t i = 0; i < len;) {
        size_t n;
        const uint32_t code = trit_utf8_decode(text + i, len - i, &n);
        if (code == TRIT_NO_CHARACTER)
            fputs("\\ufffd", f);
        else if (code == '"' || code == '\\')
            fprintf(f, "\\%c", text[i]);
        else if (code == '\n')
            fputs("\\n", f);
        else if (acts_on_terminal(code))
            fprintf(f, "\\u%04x", (unsigned)code);
        else
            fwrite(text + i, 1, n, f);
        i += n;
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
