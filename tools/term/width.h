/* width.h - characters as people see them (grapheme clusters): their ends and their columns. */
#ifndef TRIT_TOOLS_WIDTH_H
#define TRIT_TOOLS_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trit.h"

/* Kinds of code points, in the order of scripts/gen-width.py. */
enum width_kind {
    WIDTH_NARROW, /* one column */
    WIDTH_WIDE,   /* two */
    WIDTH_MARK,   /* part of what precedes it */
    WIDTH_HIDDEN, /* a control or invisible: shown in an escaped form */
};

extern const uint32_t width_table[];
extern const size_t width_table_len;

enum width_kind width_kind(uint32_t code);

/* A base with its marks, a sequence that is one picture, or an invalid byte. */
struct glyph {
    size_t len;    /* bytes */
    uint32_t code; /* the first code point, or TRIT_NO_CHARACTER */
    int columns;   /* 1 or 2; 0 if it is shown in an escaped form */
    bool plain;    /* takes the same columns on every terminal, unlike some sequences */
    bool bare;     /* a mark without a base */
};

/* The character at the start of len > 0 bytes. */
struct glyph next_glyph(const char *text, size_t len);

/* The length of the first line of text[0..len), without its line break. */
size_t line_length(const char *text, size_t len);

/* The start of the line that holds position `at`. */
size_t line_start(const char *text, size_t at);

/* The start of the character before, and the end of the character at, a position between two
 * characters. snap_glyph() moves any other position on to the next such one. */
size_t previous_glyph(const char *text, size_t len, size_t at);
size_t following_glyph(const char *text, size_t len, size_t at);
size_t snap_glyph(const char *text, size_t len, size_t at);

#endif
