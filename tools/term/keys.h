/* keys.h - parses the bytes that a terminal sends into keys. */
#ifndef TRIT_TOOLS_KEYS_H
#define TRIT_TOOLS_KEYS_H

#include "bytes.h"
#include "editor_io.h"

enum key_kind {
    KEY_OTHER, /* has no meaning */
    KEY_TEXT,  /* typed characters */
    KEY_PASTE, /* pasted text; its line breaks are LF */
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
    KEY_CANCEL,
    KEY_NO_INPUT, /* end of the input */

    /* These leave a search open. */
    KEY_CLEAR,
    KEY_SUSPEND,
    KEY_WAKE, /* no key, but the window may have changed */
    KEY_REDRAW,
    KEY_FAILED,
    KEY_NO_MEMORY,
};

struct key {
    enum key_kind kind;
    const char *text; /* of KEY_TEXT and KEY_PASTE; valid until the next key */
    size_t len;
};

/* Initialize to zero except io. */
struct keys {
    struct editor_io io;
    unsigned char in[4096];
    int at, n;          /* in[at..n) is not parsed yet */
    int answer;         /* a negative result of io.read that is not reported yet */
    struct bytes paste; /* the part of a paste that has arrived */
    bool pasting;       /* the end of a paste has not arrived */
    bool after_return;  /* the last byte was a CR: an LF belongs to it */
    bool idle;          /* within a paste, nothing has arrived for a while */
};

void keys_free(struct keys *k);

/* Wait for the next key. */
struct key next_key(struct keys *k);

/* @return whether input is waiting */
bool keys_waiting(struct keys *k);

#endif
