/* args.h - what the command line says: the command, and the value of every option. */
#ifndef TRIT_TOOLS_ARGS_H
#define TRIT_TOOLS_ARGS_H

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

struct args;

/* A row of the table of commands, which ends with name NULL. */
struct command_row {
    const char *name;
    enum command bit;
    int (*main)(const struct args *args);
    const char *help;
    const char *examples[3]; /* unused ones NULL */
    /* What the command takes besides options, or NULL: one of words ("bash|zsh|fish"), or names of
     * files ("IN OUT") */
    const char *operand;
};

/* The values of an option that may be given several times. */
struct values {
    const char **items;
    int n;
};

/* Everything that options set. Zero is "not given" but where the defaults say otherwise. */
struct args {
    const struct command_row *commands, *row; /* the program's table, and the row of command */
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

#endif
