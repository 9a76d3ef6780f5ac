/* cli.h - the command line as tables: commands, and one row per option. */
#ifndef TRIT_TOOLS_CLI_H
#define TRIT_TOOLS_CLI_H

#include "trit.h"

/* Commands, as bits of an option's row. */
enum command {
    CMD_RUN = 1 << 0,
    CMD_LOGITS = 1 << 1,
    CMD_INFO = 1 << 2,
};

/* Everything that options set. Zero is "not given" but where parse says otherwise. */
struct args {
    enum command command;
    const char *model, *prompt, *file, *out, *tokens, *isa, *kv;
    int threads, ctx, batch, max_tokens;
    double temp;
    bool no_mmap, quiet, verbose, json, help, version, echo, ignore_eos, list_tensors,
        list_metadata;
    bool stdin_prompt; /* a lone "-" */
};

/* Parse argv. @return 0, or the exit code after a message. */
int cli_parse(struct args *args, int argc, char **argv);

/* Print help for args->command, or the program where that is 0, to stdout. */
void cli_help(const struct args *args);

/* Run the command. @return exit code. */
int cli_run_command(const struct args *args);

int run_main(const struct args *args);
int logits_main(const struct args *args);
int info_main(const struct args *args);

#endif
