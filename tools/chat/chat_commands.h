/* chat_commands.h - the commands of a chat: lines that begin with a slash. */
#ifndef TRIT_TOOLS_CHAT_COMMANDS_H
#define TRIT_TOOLS_CHAT_COMMANDS_H

#include "chat_turn.h"

/* Run "/name argument". @return exit code, after a message */
int chat_command(struct chat *c, const char *text);

/* Save the conversation as a session file, and load one. @return exit code, after a message */
int chat_save(struct chat *c, const char *path);
int chat_load(struct chat *c, const char *path);

/* The callbacks of struct editor_options; user is not used. */
void chat_complete(void *user, const char *text, size_t len, size_t cursor,
                   struct editor_candidates *list);
const char *chat_hint(void *user, const char *text, size_t len);

#endif
