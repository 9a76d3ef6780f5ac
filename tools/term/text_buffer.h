/* text_buffer.h - a text that is being edited: cursor, motions, undo, cut text.
 *
 * It knows neither keys nor the screen. Positions are in bytes; the cursor is always between two
 * characters as width.h defines them. */
#ifndef TRIT_TOOLS_TEXT_BUFFER_H
#define TRIT_TOOLS_TEXT_BUFFER_H

#include "bytes.h"

/* Initialize to zero except max_len; release with text_free(). Callers may read the members and set
 * the cursor. Only the functions below change the text, as they maintain the undo list. */
struct text_buffer {
    size_t max_len; /* of text, in bytes */
    struct bytes text, cut;
    size_t cursor;
    struct text_change *changes; /* for undo, oldest first */
    int n_changes;
    size_t change_bytes; /* held by the changes */
};

enum text_result {
    TEXT_OK,
    TEXT_REFUSED,   /* not possible, or the text would be too long; nothing has changed */
    TEXT_NO_MEMORY, /* the text has not changed; the undo list may be empty now */
};

/* Where the cursor can go. */
enum text_motion {
    TEXT_LEFT, /* a character */
    TEXT_RIGHT,
    TEXT_WORD_LEFT, /* to the start of a word */
    TEXT_WORD_RIGHT,
    TEXT_BLANK_LEFT, /* to the start of a run of characters that are not blank */
    TEXT_LINE_START,
    TEXT_LINE_END,
    TEXT_CUT_LEFT, /* to the start of the line; there, over the line break */
    TEXT_CUT_RIGHT,
    TEXT_START,
    TEXT_END,
};

void text_free(struct text_buffer *b);

/* @return the end of a motion; the cursor does not move */
size_t text_target(const struct text_buffer *b, enum text_motion motion);

/* Replace n_old bytes at `at` with n_new others and put the cursor after them. `new` must not point
 * into the text. */
enum text_result text_replace(struct text_buffer *b, size_t at, size_t n_old, const char *new,
                              size_t n_new);

/* Insert typed text at the cursor. goes_on: the key before was typed too; undo then removes both at
 * once, back to the start of a word. */
enum text_result text_type(struct text_buffer *b, const char *new, size_t n_new, bool goes_on);

/* Delete the text between the cursor and `to`. */
enum text_result text_delete(struct text_buffer *b, size_t to);

/* Move the text between the cursor and `to` to b->cut. goes_on: the key before cut too; b->cut then
 * grows, at its start if `to` is before the cursor, else at its end. */
enum text_result text_cut(struct text_buffer *b, size_t to, bool goes_on);

/* Exchange the characters around the cursor; at the end of a line, the two before it. */
enum text_result text_exchange(struct text_buffer *b);

/* Undo the newest change. */
enum text_result text_undo(struct text_buffer *b);

/* Replace the whole text, put the cursor at its end, and empty the undo list. */
enum text_result text_set(struct text_buffer *b, const char *text, size_t len);

/* Take the text out and empty the undo list; b->cut stays. @return the text, to be released with
 * bytes_free() */
struct bytes text_detach(struct text_buffer *b);

#endif
