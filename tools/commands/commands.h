/* commands.h - the command table, and the main functions of the commands in this folder. */
#ifndef TRIT_TOOLS_COMMANDS_H
#define TRIT_TOOLS_COMMANDS_H

#include "args.h"

extern const struct command_row commands[]; /* ends with name NULL */

/* @return exit code */
int run_main(const struct args *args);
int logits_main(const struct args *args);
int info_main(const struct args *args);
int template_main(const struct args *args);
int tokenize_main(const struct args *args);
int detokenize_main(const struct args *args);
int perplexity_main(const struct args *args);
int bench_main(const struct args *args);
int dummy_main(const struct args *args);
int convert_main(const struct args *args);
int quantize_main(const struct args *args);

/* trit bench --exit-sweep: speed and quality of a model after each of its layers. */
int exit_sweep(const struct args *args, int n_gen, int n_threads);

/* Output format of trit bench: the -o value, else "json" with --json, else "table". */
const char *bench_format(const struct args *args);

#endif
