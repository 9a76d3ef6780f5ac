/* width.c - see width.h. Unicode's rules for grapheme clusters, without those for prepended marks
 * and Indic scripts. */
#include "width.h"
#include "trit_tools.h"

#include <string.h>

enum {
    LAST_CODE = 0x10FFFF,
    JOINER = 0x200D, /* zero width joiner */
    AS_PICTURE = 0xFE0F,
    FLAG = 0x1F3F4, /* tags after it name a region */
    MAX_CODES = 32, /* in one character; further marks begin another one */
};

enum width_kind width_kind(uint32_t code)
{
    size_t lo = 0, hi = width_table_len;

    if (code >= 0x20 && code < 0x7F)
        return WIDTH_NARROW;
    if (code > LAST_CODE)
        return WIDTH_HIDDEN;
    while (hi - lo > 1) {
        const size_t mid = lo + (hi - lo) / 2;
        if (width_table[mid] >> 2 <= code)
            lo = mid;
        else
            hi = mid;
    }
    return (enum width_kind)(width_table[lo] & 3);
}

static bool is_region(uint32_t code)
{
    return code >= 0x1F1E6 && code <= 0x1F1FF;
}

static bool is_skin(uint32_t code)
{
    return code >= 0x1F3FB && code <= 0x1F3FF;
}

static bool is_tag(uint32_t code)
{
    return code >= 0xE0020 && code <= 0xE007F;
}

/* Whether a joiner may join it: pictures, and arrows and signs that can be pictures. */
static bool is_joined(uint32_t code)
{
    return (code >= 0x2190 && code <= 0x2BFF) || (code >= 0x1F000 && code <= 0x1FAFF);
}

struct glyph next_glyph(const char *text, size_t len)
{
    struct glyph g = {.plain = true};

    if (text[0] >= 0x20 && text[0] < 0x7F && (len == 1 || (unsigned char)text[1] < 0x80))
        return (struct glyph){.len = 1, .code = (uint32_t)text[0], .columns = 1, .plain = true};
    g.code = trit_utf8_decode(text, len, &g.len);
    const enum width_kind kind = g.code == TRIT_NO_CHARACTER ? WIDTH_HIDDEN : width_kind(g.code);
    if (kind == WIDTH_HIDDEN)
        return g;
    g.columns = kind == WIDTH_WIDE ? 2 : 1;
    g.bare = kind == WIDTH_MARK;
    uint32_t last = g.code;
    for (int i = 1; g.len < len && i < MAX_CODES; i++) {
        size_t n;
        if ((unsigned char)text[g.len] < 0x80)
            break; /* most of the time */
        const uint32_t code = trit_utf8_decode(text + g.len, len - g.len, &n);
        const bool pair = i == 1 && is_region(last) && is_region(code);
        const bool picture = pair || code == AS_PICTURE || (is_skin(code) && is_joined(last)) ||
                             (is_tag(code) && g.code == FLAG) ||
                             (last == JOINER && is_joined(g.code) && is_joined(code));
        if (!picture && (code == TRIT_NO_CHARACTER || width_kind(code) != WIDTH_MARK))
            break;
        if (picture)
            g.columns = 2;
        g.plain = g.plain && !picture && code != JOINER;
        g.len += n;
        last = code;
    }
    g.plain = g.plain && !is_region(g.code);
    return g;
}

size_t line_length(const char *text, size_t len)
{
    const char *end = len > 0 ? memchr(text, '\n', len) : NULL;
    return end ? (size_t)(end - text) : len;
}

size_t line_start(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static bool is_ascii(const char *text, size_t len, size_t at)
{
    return at >= len || (unsigned char)text[at] < 0x80;
}

size_t previous_glyph(const char *text, size_t len, size_t at)
{
    if (at == 0)
        return 0;
    if (is_ascii(text, len, at - 1) && is_ascii(text, len, at))
        return at - 1;
    size_t last = at - 1;
    for (size_t i = line_start(text, at - 1); i < at; i += next_glyph(text + i, len - i).len)
        last = i;
    return last;
}

size_t following_glyph(const char *text, size_t len, size_t at)
{
    return at < len ? at + next_glyph(text + at, len - at).len : len;
}

size_t snap_glyph(const char *text, size_t len, size_t at)
{
    if (at >= len || (unsigned char)text[at] < 0x80)
        return at < len ? at : len;
    size_t i = line_start(text, at);
    while (i < at)
        i += next_glyph(text + i, len - i).len;
    return i;
}
