/* thoughts.c - see thoughts.h. */
#include "thoughts.h"

#include <string.h>

static const char begin_marker[] = "<think>", end_marker[] = "</think>";

void thoughts_begin(struct thoughts *t, bool open)
{
    *t = (struct thoughts){.state = open ? THOUGHTS_FIRST : THOUGHTS_MAYBE};
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Pass on what is held, which was no marker. */
static bool release(struct thoughts *t, bool is_thought, thoughts_fn fn, void *user)
{
    const size_t n = t->n_held;

    t->n_held = 0;
    return n == 0 || fn(user, t->held, n, is_thought);
}

/* Before the answer's first word: blanks and a part of the marker are held.
 * @return the bytes taken */
static size_t look_for_begin(struct thoughts *t, const char *text, size_t len)
{
    size_t blanks = 0;

    if (t->n_held == sizeof t->held || len == 0) {
        t->state = THOUGHTS_NONE;
        return 0;
    }
    t->held[t->n_held++] = *text;
    while (blanks < t->n_held && is_blank(t->held[blanks]))
        blanks++;
    const size_t n = t->n_held - blanks;
    if (memcmp(t->held + blanks, begin_marker, n) != 0) {
        t->n_held--;
        t->state = THOUGHTS_NONE;
        return 0;
    }
    if (n == sizeof begin_marker - 1) {
        t->n_held = 0;
        t->state = THOUGHTS_FIRST;
    }
    return 1;
}

/* Within a thought, up to its end or the end of the text. @return the bytes taken */
static size_t look_for_end(struct thoughts *t, const char *text, size_t len, thoughts_fn fn,
                           void *user, bool *go_on)
{
    if (t->n_held == 0 && *text != '<') {
        const char *next = memchr(text, '<', len);
        const size_t n = next ? (size_t)(next - text) : len;
        *go_on = fn(user, text, n, true);
        return n;
    }
    if (*text != end_marker[t->n_held]) {
        *go_on = release(t, true, fn, user);
        return 0;
    }
    t->held[t->n_held++] = *text;
    if (t->n_held == sizeof end_marker - 1) {
        t->n_held = 0;
        t->state = THOUGHTS_AFTER;
    }
    return 1;
}

bool thoughts_push(struct thoughts *t, const char *text, size_t len, thoughts_fn fn, void *user)
{
    bool go_on = true;

    while (len && go_on) {
        size_t n = 0;
        if (t->state == THOUGHTS_MAYBE) {
            n = look_for_begin(t, text, len);
        } else if (t->state == THOUGHTS_WITHIN) {
            n = look_for_end(t, text, len, fn, user, &go_on);
        } else if (t->state == THOUGHTS_NONE) {
            go_on = release(t, false, fn, user) && fn(user, text, len, false);
            n = len;
        } else if (is_blank(*text)) {
            n = 1;
        } else {
            t->state = t->state == THOUGHTS_FIRST ? THOUGHTS_WITHIN : THOUGHTS_NONE;
        }
        text += n;
        len -= n;
    }
    return go_on;
}

bool thoughts_finish(struct thoughts *t, thoughts_fn fn, void *user)
{
    return release(t, t->state == THOUGHTS_WITHIN, fn, user);
}
