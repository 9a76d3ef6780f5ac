/* chat.h - a conversation at a terminal: what its loop (chat.c) and its commands (chat_commands.c)
 * share. */
#ifndef TRIT_TOOLS_CHAT_H
#define TRIT_TOOLS_CHAT_H

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
    struct bytes attached; /* what /read put before the next message */
    bool leave, color;
};

/* ---- chat.c ---------------------------------------------------------------------------------- */

/* Send a message and show the answer. Where *result is ASK_TAKEN_BACK the owner puts the message
 * back to where it was. @return exit code; only of what ends the chat it is not EXIT_DONE */
int chat_ask(struct chat *c, const char *text, size_t len, enum ask_result *result);

/* Have the message in the line again. @return exit code */
int chat_put_back(struct chat *c, const char *text, size_t len);

void chat_show_stats(const struct chat *c);

/* Of the terminal; 0: not known, or too few to wrap words in. */
int chat_columns(void);

/* ---- chat_commands.c ------------------------------------------------------------------------- */

/* "/name argument". @return exit code, after a message */
int chat_command(struct chat *c, const char *text);

/* The session to a file, and from one. @return exit code, after a message */
int chat_save(struct chat *c, const char *path);
int chat_load(struct chat *c, const char *path);

/* As struct editor_options has them. */
void chat_complete(void *user, const char *text, size_t len, size_t cursor,
                   struct editor_candidates *list);
const char *chat_hint(void *user, const char *text, size_t len);

#endif
