/* prompts.h - trit run --prompts: answers many prompts, several at a time. */
#ifndef TRIT_TOOLS_PROMPTS_H
#define TRIT_TOOLS_PROMPTS_H

#include "args.h"

int prompts_main(const struct args *args);

#endif
