/* plain_text.c - see plain_text.h. */
#include "plain_text.h"

#include <stdbool.h>
#include <string.h>

#include "utf8_length.h"

static void write_escaped(FILE *f, const char *text, size_t len, const char *allowed)
{
    for (size_t i = 0; i < len;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t n = utf8_character(text + i, len - i);
        const bool c1 = utf8_is_c1(text + i, n);
        if (n == 0 || (c < 0x20 && (c == 0 || !strchr(allowed, c))) || c == 0x7f || c1)
            fprintf(f, "\\x%02x", c);
        else
            fwrite(text + i, 1, n, f);
        i += n && !c1 ? n : 1;
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
