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

/* A text: -p, -f, or a lone "-". */
struct text_args {
    const char *prompt, *file;
    bool stdin_prompt;
};

/* The model's file. */
struct model_args {
    const char *path, *i2s_layout;
    bool no_mmap, mlock;
};

/* How it is computed. */
struct compute_args {
    int threads, ctx, batch;
    const char *isa, *walk, *kv;
};

/* Which layers tokens pass. */
struct layer_args {
    int exit_layer, exit_min_layer;
    double exit_threshold, layer_drop;
    const char *exit_check, *skip_layers;
    bool exit_sweep;
};

struct sampling_args {
    double temp, top_p, min_p, repeat_penalty, presence_penalty, frequency_penalty;
    int top_k, repeat_last_n;
    struct values logit_bias;
};

/* How long run and chat generate, and what they go on from. */
struct generate_args {
    int max_tokens;
    struct values stop;
    const char *session, *on_full;
    bool ignore_eos;
};

/* The messages before the first prompt, and the template that all are put into. */
struct chat_args {
    const char *system, *template_name, *turns;
};

struct run_args {
    bool chat, cnv, echo, stream;
    int logprobs;
};

/* ids: those given; print_ids: instead of text. */
struct token_args {
    const char *ids;
    bool print_ids, no_bos, special;
};

/* Of a text that is scored, as windows.h has it. */
struct window_args {
    int chunks;
    bool second_half;
};

struct perplexity_args {
    const char *save_logits, *kl;
};

struct bench_args {
    const char *n_prompts, *n_gens, *n_depths, *n_threads, *format, *compare;
    int repeats;
    bool samples;
};

/* Of dummy, convert and quantize. */
struct convert_args {
    const char *shape, *type, *embd, *map, *from_gguf;
    struct values knob;
    bool force, dry_run;
};

struct info_args {
    bool list_tensors, list_metadata, show_template;
};

/* Everything that options set. Zero is "not given" but where the defaults say otherwise. */
struct args {
    const struct command_row *commands, *row; /* the program's table, and the row of command */
    enum command command;
    const char *operand, *operand2; /* of a command that takes them */
    const char *out;
    uint64_t seed;
    bool has_seed, quiet, verbose, json, help, help_all, version;
    struct text_args text;
    struct model_args model;
    struct compute_args compute;
    struct layer_args layers;
    struct sampling_args sampling;
    struct generate_args generate;
    struct chat_args chat;
    struct run_args run;
    struct token_args tokens;
    struct window_args windows;
    struct perplexity_args perplexity;
    struct bench_args bench;
    struct convert_args convert;
    struct info_args info;
};

#endif
