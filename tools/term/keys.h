/* keys.h - what keys a terminal's bytes mean. */
#ifndef TRIT_TOOLS_KEYS_H
#define TRIT_TOOLS_KEYS_H

#include "bytes.h"
#include "editor_io.h"

enum key_kind {
    KEY_OTHER, /* one without a meaning */
    KEY_TEXT,  /* characters typed */
    KEY_PASTE, /* a piece of text, its line breaks LF */
    KEY_ENTER,
    KEY_BREAK, /* a line break */
    KEY_LEFT,
    KEY_RIGHT,
    KEY_WORD_LEFT,
    KEY_WORD_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_FIRST, /* the start of the text */
    KEY_LAST,  /* its end */
    KEY_UP,
    KEY_DOWN,
    KEY_BACKSPACE,
    KEY_DELETE,
    KEY_DELETE_OR_LEAVE,
    KEY_CUT_LEFT,
    KEY_CUT_RIGHT,
    KEY_CUT_BLANK, /* back to a blank */
    KEY_CUT_WORD_LEFT,
    KEY_CUT_WORD_RIGHT,
    KEY_YANK,
    KEY_EXCHANGE,
    KEY_UNDO,
    KEY_COMPLETE,
    KEY_OLDER, /* search back */
    KEY_NEWER,
    KEY_ABORT,
    KEY_ESCAPE,
    KEY_CLEAR,
    KEY_SUSPEND,
    KEY_CANCEL,
    KEY_WAKE, /* none, but the window may have changed */
    KEY_REDRAW,
    KEY_NO_INPUT, /* the input's end */
    KEY_FAILED,
    KEY_NO_MEMORY,
};

struct key {
    enum key_kind kind;
    const char *text; /* of KEY_TEXT and KEY_PASTE, until the next key */
    size_t len;
};

/* Zero but io. */
struct keys {
    struct editor_io io;
    unsigned char in[4096];
    int at, n;          /* what of it is still to be read */
    int answer;         /* of io.read, still to be told: negative */
    struct bytes paste; /* what came of one */
    bool pasting;       /* its end has not come */
    bool after_return;  /* a CR came last: an LF would be the same key */
    bool idle;          /* nothing came for a while within a paste */
};

void keys_free(struct keys *k);

/* Wait for the next key. */
struct key next_key(struct keys *k);

/* Whether there is more to be read at once. */
bool keys_waiting(struct keys *k);

#endif
