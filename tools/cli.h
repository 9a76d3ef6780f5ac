/* cli.h - the command line: what options set, and the commands. Their tables are in options.h. */
#ifndef TRIT_TOOLS_CLI_H
#define TRIT_TOOLS_CLI_H

#include "trit.h"

/* Commands, as bits of an option's row. */
enum command {
    CMD_RUN = 1 << 0,
    CMD_LOGITS = 1 << 1,
    CMD_INFO = 1 << 2,
    CMD_TOKENIZE = 1 << 3,
    CMD_DETOKENIZE = 1 << 4,
    CMD_PERPLEXITY = 1 << 5,
    CMD_BENCH = 1 << 6,
    CMD_DUMMY = 1 << 7,
    CMD_COMPLETION = 1 << 8,
    CMD_MAN = 1 << 9,
    CMD_CHAT = 1 << 10,
    CMD_TEMPLATE = 1 << 11,
    CMD_CONVERT = 1 << 12,
    CMD_QUANTIZE = 1 << 13,
};

/* The values of an option that may be given several times. */
struct values {
    const char **items;
    int n;
};

/* Everything that options set. Zero is "not given" but where the defaults say otherwise. */
struct args {
    enum command command;
    const char *model, *prompt, *file, *out, *tokens, *id_list, *isa, *walk, *kv, *shape, *type,
        *embd;
    const char *n_prompts, *n_gens, *n_depths, *n_threads, *format, *compare; /* of bench */
    const char *system, *template_name, *turns;                               /* of a chat */
    const char *save_logits, *kl;                                             /* of perplexity */
    const char *session, *on_full;
    const char *map, *from_gguf, *i2s_layout;
    const char *skip_layers, *exit_check;
    const char *operand, *operand2; /* of a command that takes them */
    int threads, ctx, batch, max_tokens, chunks, repeats, logprobs, exit_layer, exit_min_layer;
    double exit_threshold, layer_drop;
    bool no_mmap, mlock, quiet, verbose, json, help, help_all, version;
    bool chat, cnv, echo, ignore_eos, stream, ids, no_bos, special, second_half;
    bool list_tensors, list_metadata, show_template, force, dry_run, exit_sweep, samples;
    bool stdin_prompt; /* a lone "-" */

    /* Sampling. */
    double temp, top_p, min_p, repeat_penalty, presence_penalty, frequency_penalty;
    int top_k, repeat_last_n;
    uint64_t seed;
    bool has_seed;
    struct values stop, logit_bias, knob;
};

/* Parse argv. @return 0, or the exit code after a message. Release with cli_free() either way. */
int cli_parse(struct args *args, int argc, char **argv);
void cli_free(struct args *args);

/* Print help for args->command, or the program where that is 0, to stdout: every option where
 * args->help_all, else the common ones. */
void cli_help(const struct args *args);

/* Run the command. @return exit code. */
int cli_run_command(const struct args *args);

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
int completion_main(const struct args *args);
int man_main(const struct args *args);
int chat_main(const struct args *args);

#endif
