/* width.h - characters as people see them: where one ends, and how many columns it takes. */
#ifndef TRIT_TOOLS_WIDTH_H
#define TRIT_TOOLS_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trit.h"

/* Kinds of code points; in the order of scripts/gen-width.py. */
enum width_kind {
    WIDTH_NARROW, /* one column */
    WIDTH_WIDE,   /* two */
    WIDTH_MARK,   /* part of what precedes it */
    WIDTH_HIDDEN, /* acts, or is nothing to see: only shown in an escaped form */
};

extern const uint32_t width_table[];
extern const size_t width_table_len;

enum width_kind width_kind(uint32_t code);

/* One character: a base with its marks, a sequence that is one picture, or a byte that is none. */
struct glyph {
    size_t len;    /* bytes */
    uint32_t code; /* the first code point, or TRIT_NO_CHARACTER */
    int columns;   /* 1 or 2; 0 where it is shown in an escaped form */
    bool plain;    /* every terminal takes as many columns for it; others differ over sequences */
    bool bare;     /* a mark without a base */
};

/* The character at the start of len > 0 bytes. */
struct glyph next_glyph(const char *text, size_t len);

/* The length of the line text[0..len) begins with, without its end. */
size_t line_length(const char *text, size_t len);

/* The start of the character before, and the end of the character at, a position that is between
 * two; positions that are not are taken to the next such one by snap_glyph(). */
size_t previous_glyph(const char *text, size_t len, size_t at);
size_t following_glyph(const char *text, size_t len, size_t at);
size_t snap_glyph(const char *text, size_t len, size_t at);

#endif
