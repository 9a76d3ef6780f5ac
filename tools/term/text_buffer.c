/* text_buffer.c - see text_buffer.h. */
#include "text_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "trit_tools.h"
#include "width.h"

enum { MAX_UNDO = 1000, MAX_UNDO_BYTES = 16 << 20 };

/* A change that can be undone. */
struct text_change {
    size_t at, n_old, n_new; /* n_old bytes at `at` became n_new others */
    bool typed;              /* text typed next may join it */
    char *old;               /* the n_old bytes */
    size_t cursor;           /* where it was before */
};

/* ---- Motions --------------------------------------------------------------------------------- */

static size_t glyph_before(const struct text_buffer *b, size_t at)
{
    return previous_glyph(bytes_text(&b->text), b->text.len, at);
}

static size_t glyph_after(const struct text_buffer *b, size_t at)
{
    return following_glyph(bytes_text(&b->text), b->text.len, at);
}

static size_t line_end(const struct text_buffer *b)
{
    return b->cursor + line_length(bytes_text(&b->text) + b->cursor, b->text.len - b->cursor);
}

static bool is_blank(const struct text_buffer *b, size_t at)
{
    const char c = b->text.data[at];
    return c == ' ' || c == '\n' || c == '\t';
}

/* Letters, digits, and everything else outside ASCII except its common punctuation. */
static bool is_word(const struct text_buffer *b, size_t at)
{
    const unsigned char c = (unsigned char)b->text.data[at];
    size_t n;

    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_';
    const uint32_t code = trit_utf8_decode(b->text.data + at, b->text.len - at, &n);
    return code != TRIT_NO_CHARACTER && !(code >= 0x80 && code <= 0xBF) &&
           !(code >= 0x2000 && code <= 0x206F) && !(code >= 0x3000 && code <= 0x303F) &&
           !(code >= 0xFF00 && code <= 0xFF0F);
}

static size_t word_left(const struct text_buffer *b)
{
    size_t i = b->cursor;

    while (i > 0 && !is_word(b, glyph_before(b, i)))
        i = glyph_before(b, i);
    while (i > 0 && is_word(b, glyph_before(b, i)))
        i = glyph_before(b, i);
    return i;
}

static size_t word_right(const struct text_buffer *b)
{
    size_t i = b->cursor;

    while (i < b->text.len && !is_word(b, i))
        i = glyph_after(b, i);
    while (i < b->text.len && is_word(b, i))
        i = glyph_after(b, i);
    return i;
}

static size_t blank_left(const struct text_buffer *b)
{
    size_t i = b->cursor;

    while (i > 0 && is_blank(b, i - 1))
        i--;
    while (i > 0 && !is_blank(b, i - 1))
        i--;
    return i;
}

size_t text_target(const struct text_buffer *b, enum text_motion motion)
{
    const size_t at = b->cursor;
    size_t to;

    switch (motion) {
    case TEXT_LEFT:
        return glyph_before(b, at);
    case TEXT_RIGHT:
        return glyph_after(b, at);
    case TEXT_WORD_LEFT:
        return word_left(b);
    case TEXT_WORD_RIGHT:
        return word_right(b);
    case TEXT_BLANK_LEFT:
        return blank_left(b);
    case TEXT_LINE_START:
        return line_start(bytes_text(&b->text), at);
    case TEXT_LINE_END:
        return line_end(b);
    case TEXT_CUT_LEFT:
        to = line_start(bytes_text(&b->text), at);
        return at > 0 && to == at ? at - 1 : to;
    case TEXT_CUT_RIGHT:
        return at < b->text.len && line_end(b) == at ? at + 1 : line_end(b);
    case TEXT_START:
        return 0;
    case TEXT_END:
        return b->text.len;
    }
    return at;
}

/* ---- Changes --------------------------------------------------------------------------------- */

static void forget_changes(struct text_buffer *b)
{
    for (int i = 0; i < b->n_changes; i++)
        free(b->changes[i].old);
    b->n_changes = 0;
    b->change_bytes = 0;
}

/* Add c to the undo list with the bytes that it replaces. @return false: no memory */
static bool record_change(struct text_buffer *b, struct text_change c)
{
    if (b->change_bytes + c.n_old > MAX_UNDO_BYTES)
        forget_changes(b);
    if (!b->changes && !(b->changes = malloc(MAX_UNDO * sizeof *b->changes)))
        return false;
    c.cursor = b->cursor;
    c.old = malloc(c.n_old + 1);
    if (!c.old)
        return false;
    if (c.n_old > 0)
        memcpy(c.old, b->text.data + c.at, c.n_old);
    if (b->n_changes == MAX_UNDO) {
        b->change_bytes -= b->changes[0].n_old;
        free(b->changes[0].old);
        memmove(b->changes, b->changes + 1, (size_t)--b->n_changes * sizeof *b->changes);
    }
    b->changes[b->n_changes++] = c;
    b->change_bytes += c.n_old;
    return true;
}

/* Every change goes through here. c has its numbers and `typed` set.
 * joins: c extends the newest change of the undo list. */
static enum text_result make_change(struct text_buffer *b, struct text_change c, const char *new,
                                    bool joins)
{
    if (c.n_old == 0 && c.n_new == 0)
        return TEXT_OK;
    if (c.n_new > b->max_len || b->text.len - c.n_old + c.n_new > b->max_len)
        return TEXT_REFUSED;
    if (joins)
        b->changes[b->n_changes - 1].n_new += c.n_new;
    else if (!record_change(b, c))
        return TEXT_NO_MEMORY;
    if (!bytes_replace(&b->text, c.at, c.n_old, new, c.n_new)) {
        forget_changes(b); /* the newest one did not happen */
        return TEXT_NO_MEMORY;
    }
    b->cursor = snap_glyph(bytes_text(&b->text), b->text.len, c.at + c.n_new);
    return TEXT_OK;
}

enum text_result text_replace(struct text_buffer *b, size_t at, size_t n_old, const char *new,
                              size_t n_new)
{
    return make_change(b, (struct text_change){.at = at, .n_old = n_old, .n_new = n_new}, new,
                       false);
}

enum text_result text_type(struct text_buffer *b, const char *new, size_t n_new, bool goes_on)
{
    const size_t at = b->cursor;
    const struct text_change *c = b->n_changes > 0 ? &b->changes[b->n_changes - 1] : NULL;
    const bool new_word = n_new > 0 && *new == ' ' && at > 0 && b->text.data[at - 1] != ' ';
    const bool joins = goes_on && c && c->typed && c->at + c->n_new == at && !new_word;

    return make_change(b, (struct text_change){.at = at, .n_new = n_new, .typed = true}, new,
                       joins);
}

enum text_result text_delete(struct text_buffer *b, size_t to)
{
    const size_t from = to < b->cursor ? to : b->cursor, end = to < b->cursor ? b->cursor : to;

    return text_replace(b, from, end - from, "", 0);
}

enum text_result text_cut(struct text_buffer *b, size_t to, bool goes_on)
{
    const bool left = to < b->cursor;
    const size_t from = left ? to : b->cursor, end = left ? b->cursor : to;
    const size_t at = goes_on && !left ? b->cut.len : 0, n_old = goes_on ? 0 : b->cut.len;

    if (from == end)
        return TEXT_OK;
    if (!bytes_replace(&b->cut, at, n_old, b->text.data + from, end - from))
        return TEXT_NO_MEMORY;
    return text_delete(b, to);
}

enum text_result text_exchange(struct text_buffer *b)
{
    const size_t cursor = b->cursor;
    const size_t at = cursor == line_end(b) && cursor > 0 ? glyph_before(b, cursor) : cursor;
    const size_t first = glyph_before(b, at), end = glyph_after(b, at);

    if (at == 0 || at == end || b->text.data[first] == '\n' || b->text.data[at] == '\n')
        return TEXT_REFUSED;
    char *pair = malloc(end - first);
    if (!pair)
        return TEXT_NO_MEMORY;
    memcpy(pair, b->text.data + at, end - at);
    memcpy(pair + (end - at), b->text.data + first, at - first);
    const enum text_result result = text_replace(b, first, end - first, pair, end - first);
    free(pair);
    return result;
}

enum text_result text_undo(struct text_buffer *b)
{
    if (b->n_changes == 0)
        return TEXT_REFUSED;
    const struct text_change *c = &b->changes[b->n_changes - 1];
    if (!bytes_replace(&b->text, c->at, c->n_new, c->old, c->n_old))
        return TEXT_NO_MEMORY;
    b->cursor = c->cursor;
    b->change_bytes -= c->n_old;
    free(c->old);
    b->n_changes--;
    return TEXT_OK;
}

/* ---- The whole text -------------------------------------------------------------------------- */

enum text_result text_set(struct text_buffer *b, const char *text, size_t len)
{
    if (len > b->max_len)
        return TEXT_REFUSED;
    if (!bytes_replace(&b->text, 0, b->text.len, text, len))
        return TEXT_NO_MEMORY;
    b->cursor = len;
    forget_changes(b);
    return TEXT_OK;
}

struct bytes text_detach(struct text_buffer *b)
{
    const struct bytes text = b->text;

    b->text = (struct bytes){0};
    b->cursor = 0;
    forget_changes(b);
    return text;
}

void text_free(struct text_buffer *b)
{
    forget_changes(b);
    free(b->changes);
    bytes_free(&b->text);
    bytes_free(&b->cut);
}
