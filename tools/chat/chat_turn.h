/* chat_turn.h - one turn of a chat at a terminal; shared by its loop and its commands. */
#ifndef TRIT_TOOLS_CHAT_TURN_H
#define TRIT_TOOLS_CHAT_TURN_H

#include "conversation.h"
#include "editor.h"

struct chat {
    struct args args; /* changed by /set */
    struct opened o;
    struct conversation talk;
    struct terminal *terminal;
    struct history *history;
    struct editor *editor;
    struct bytes attached; /* the files of /read, to be put before the next message */
    bool leave, color;
};

/* Send a message and show the answer. If *result is ASK_TAKEN_BACK, the caller puts the message
 * back where it came from. @return EXIT_DONE, or a code that ends the chat */
int chat_ask(struct chat *c, const char *text, size_t len, enum ask_result *result);

/* Put a message back into the input line. @return exit code */
int chat_put_back(struct chat *c, const char *text, size_t len);

/* Print the speed of the last answer on stderr. */
void chat_show_stats(const struct chat *c);

/* @return the columns of the terminal; 0: unknown, or too few to wrap words */
int chat_columns(void);

#endif
