/* cli.h - the command line: parsing, help, and the commands that print the tables of options.h. */
#ifndef TRIT_TOOLS_CLI_H
#define TRIT_TOOLS_CLI_H

#include "args.h"

/* Parse argv. commands: the command table; its last row has name NULL.
 * @return 0, or the exit code after a message. Release with cli_free() either way. */
int cli_parse(struct args *args, int argc, char **argv, const struct command_row *commands);
void cli_free(struct args *args);

/* Print help to stdout for args->command, or for the program if that is 0: every option if
 * args->help_all, else the common ones. */
void cli_help(const struct args *args);

int completion_main(const struct args *args);
int man_main(const struct args *args);

#endif
