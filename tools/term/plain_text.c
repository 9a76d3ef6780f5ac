/* plain_text.c - see plain_text.h. */
#include "plain_text.h"

#include <string.h>

#include "trit_tools.h"

static void write_escaped(FILE *f, const char *text, size_t len, const char *allowed)
{
    for (size_t i = 0; i < len;) {
        size_t n;
        const uint32_t code = trit_utf8_decode(text + i, len - i, &n);
        const bool control = code < 0x20 || (code >= 0x7f && code < 0xA0);
        if (code == TRIT_NO_CHARACTER || (control && (!code || !strchr(allowed, (int)code))))
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
