/* cli.h - the command line: parsing and help, and the commands that print its tables, which are in
 * options.h. */
#ifndef TRIT_TOOLS_CLI_H
#define TRIT_TOOLS_CLI_H

#include "args.h"

/* Parse argv. commands: all there are; the last row has no name.
 * @return 0, or the exit code after a message. Release with cli_free() either way. */
int cli_parse(struct args *args, int argc, char **argv, const struct command_row *commands);
void cli_free(struct args *args);

/* Print help for args->command, or the program where that is 0, to stdout: every option where
 * args->help_all, else the common ones. */
void cli_help(const struct args *args);

int completion_main(const struct args *args);
int man_main(const struct args *args);

#endif
