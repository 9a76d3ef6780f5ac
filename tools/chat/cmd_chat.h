/* cmd_chat.h - the command trit chat: a conversation at a terminal. */
#ifndef TRIT_TOOLS_CMD_CHAT_H
#define TRIT_TOOLS_CMD_CHAT_H

#include "args.h"

/* @return exit code */
int chat_main(const struct args *args);

#endif
