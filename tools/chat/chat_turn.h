/* chat_turn.h - one turn of a conversation at a terminal: what the loop and the commands of a chat
 * share. */
#ifndef TRIT_TOOLS_CHAT_TURN_H
#define TRIT_TOOLS_CHAT_TURN_H

#include "bytes.h"
#include "conversation.h"
#include "editor.h"

struct chat {
    struct args args; /* as /set changes them */
    struct opened o;
    struct conversation talk;
    struct terminal *terminal;
    struct history *history;
    struct editor *editor;
    struct bytes attached; /* the files of /read, which go before the next message */
    bool leave, color;
};

/* Send a message and show the answer. If *result is ASK_TAKEN_BACK, the caller puts the message
 * back to where it came from. @return EXIT_DONE, unless something ends the chat */
int chat_ask(struct chat *c, const char *text, size_t len, enum ask_result *result);

/* Put a message into the line again. @return exit code */
int chat_put_back(struct chat *c, const char *text, size_t len);

/* The speed of the last answer, on stderr. */
void chat_show_stats(const struct chat *c);

/* @return the columns of the terminal; 0: not known, or too few to wrap words */
int chat_columns(void);

#endif
