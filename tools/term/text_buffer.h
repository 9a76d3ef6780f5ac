/* text_buffer.h - a text that is being edited: its cursor, motions, undo, and what was cut.
 *
 * It knows neither keys nor the screen. Positions are in bytes; the cursor is always between two
 * characters as people see them (width.h). */
#ifndef TRIT_TOOLS_TEXT_BUFFER_H
#define TRIT_TOOLS_TEXT_BUFFER_H

#include "bytes.h"

/* Zero but for max_len. Release with text_free(). Callers read the members and set the cursor; they
 * change the text through the functions below, which keep the undo list right. */
struct text_buffer {
    size_t max_len; /* of text, in bytes */
    struct bytes text, cut;
    size_t cursor;
    struct text_change *changes; /* for undo, oldest first */
    int n_changes;
    size_t change_bytes; /* that the changes hold */
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
    TEXT_CUT_LEFT, /* to the start of the line; from there, over the line break */
    TEXT_CUT_RIGHT,
    TEXT_START,
    TEXT_END,
};

void text_free(struct text_buffer *b);

/* @return the position to which a motion leads; the cursor itself does not move */
size_t text_target(const struct text_buffer *b, enum text_motion motion);

/* Replace n_old bytes at `at` by n_new others; the cursor goes after them. `new` must not point
 * into the text. Replacing nothing by nothing changes nothing. */
enum text_result text_replace(struct text_buffer *b, size_t at, size_t n_old, const char *new,
                              size_t n_new);

/* Insert at the cursor what was typed. goes_on: the key before was typed too; undo then takes back
 * both at once, up to the start of a word. */
enum text_result text_type(struct text_buffer *b, const char *new, size_t n_new, bool goes_on);

/* Delete what is between the cursor and `to`. */
enum text_result text_delete(struct text_buffer *b, size_t to);

/* Delete it and keep it in b->cut. goes_on: the key before cut too; b->cut then grows, at its start
 * where `to` is before the cursor, else at its end. */
enum text_result text_cut(struct text_buffer *b, size_t to, bool goes_on);

/* Exchange the characters around the cursor; at the end of a line, the two before it. */
enum text_result text_exchange(struct text_buffer *b);

/* Take back the newest change. */
enum text_result text_undo(struct text_buffer *b);

/* Make this the whole text, with the cursor at its end. The undo list is emptied. */
enum text_result text_set(struct text_buffer *b, const char *text, size_t len);

/* @return the text, to be released with bytes_free(). The buffer's text and undo list are empty
 * then; b->cut stays. */
struct bytes text_detach(struct text_buffer *b);

#endif
