/* utf8.c - see utf8.h. */
#include "utf8.h"

#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

/* How many bytes follow this first one, or -1 if it cannot begin a character. */
static int continuation_bytes(unsigned char c)
{
    if (c < 0x80)
        return 0;
    if (c >= 0xC2 && c <= 0xDF)
        return 1;
    if (c >= 0xE0 && c <= 0xEF)
        return 2;
    if (c >= 0xF0 && c <= 0xF4)
        return 3;
    return -1;
}

/* Whether c may come next. The second byte has tighter bounds if the first one alone would allow
 * overlong forms, surrogates, or more than U+10FFFF. */
static bool may_follow(const struct trit_utf8 *u, unsigned char c)
{
    if (u->n == 1)
        switch (u->pending[0]) {
        case 0xE0:
            return c >= 0xA0 && c <= 0xBF;
        case 0xED:
            return c >= 0x80 && c <= 0x9F;
        case 0xF0:
            return c >= 0x90 && c <= 0xBF;
        case 0xF4:
            return c >= 0x80 && c <= 0x8F;
        default:
            break;
        }
    return c >= 0x80 && c <= 0xBF;
}

/* Text collected before it is passed on, so that fn is not called for every character. */
struct gather {
    char text[TRIT_UTF8_GATHER];
    size_t len;
    trit_text_fn fn;
    void *user;
};

static bool gather_flush(struct gather *g)
{
    const size_t len = g->len;
    g->len = 0;
    return len == 0 || g->fn(g->user, g->text, len);
}

static bool gather_add(struct gather *g, const void *bytes, size_t len)
{
    if (g->len + len > sizeof g->text && !gather_flush(g))
        return false;
    memcpy(g->text + g->len, bytes, len);
    g->len += len;
    return true;
}

static bool push_byte(struct trit_utf8 *u, unsigned char c, struct gather *g)
{
    if (u->n > 0 && !may_follow(u, c)) {
        u->n = 0;
        if (!gather_add(g, replacement, 3))
            return false;
    }
    if (u->n == 0) {
        u->missing = continuation_bytes(c);
        if (u->missing < 0)
            return gather_add(g, replacement, 3);
    } else {
        u->missing--;
    }
    u->pending[u->n++] = c;
    if (u->missing > 0)
        return true;
    const size_t len = (size_t)u->n;
    u->n = 0;
    return gather_add(g, u->pending, len);
}

bool trit_utf8_push(struct trit_utf8 *u, const char *bytes, size_t len, trit_text_fn fn, void *user)
{
    struct gather g = {.fn = fn, .user = user};
    for (size_t i = 0; i < len; i++)
        if (!push_byte(u, (unsigned char)bytes[i], &g))
            return false;
    return gather_flush(&g);
}

bool trit_utf8_finish(struct trit_utf8 *u, trit_text_fn fn, void *user)
{
    const bool incomplete = u->n > 0;
    u->n = 0;
    return !incomplete || fn(user, replacement, 3);
}
