/* chat_commands.h - the commands of a chat: lines that begin with a slash. */
#ifndef TRIT_TOOLS_CHAT_COMMANDS_H
#define TRIT_TOOLS_CHAT_COMMANDS_H

#include "chat_turn.h"

/* Run "/name argument". @return exit code, after an error message */
int chat_command(struct chat *c, const char *text);

/* Save the conversation to a session file; load one. @return exit code, after an error message */
int chat_save(struct chat *c, const char *path);
int chat_load(struct chat *c, const char *path);

/* Callbacks of struct editor_options; they do not use user. */
void chat_complete(void *user, const char *text, size_t len, size_t cursor,
                   struct editor_candidates *list);
const char *chat_hint(void *user, const char *text, size_t len);

#endif
