/* args.h - the parsed command line: the command and the values of all options. */
#ifndef TRIT_TOOLS_ARGS_H
#define TRIT_TOOLS_ARGS_H

#include "trit.h"

/* Commands, as bits in the rows of the option table. */
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

/* A row of the command table, which ends with a row of name NULL. */
struct command_row {
    const char *name;
    enum command bit;
    int (*main)(const struct args *args);
    const char *help;
    const char *operand; /* "bash|zsh|fish": one of these words; "IN OUT": file names; or NULL */
    const char *examples[4]; /* ends with NULL */
};

/* The values of a repeatable option. */
struct values {
    const char **items;
    int n;
};

/* A text: -p, -f, or a single "-". */
struct text_args {
    const char *prompt, *file;
    bool stdin_prompt, escape;
};

struct model_args {
    const char *path, *i2s_layout;
    bool no_mmap, mlock;
    struct values overrides, override_kv; /* KEY=VALUE; KEY=TYPE:VALUE,… */
};

enum { CTX_OF_MODEL = -1 }; /* -c 0: all positions that the model was trained for */

struct compute_args {
    int threads, ctx, batch;
    const char *isa, *walk, *kv;
};

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

struct generate_args {
    int max_tokens;
    struct values stop;
    const char *session, *on_full;
    bool ignore_eos;
};

struct chat_args {
    const char *system, *template_name, *turns, *reasoning;
    bool show_thoughts;
};

struct run_args {
    bool chat, cnv, echo, stream;
    const char *prompts;
    int logprobs, sequences;
};

struct token_args {
    const char *ids; /* input; print_ids: output ids instead of text */
    bool print_ids, no_bos, special;
};

/* See windows.h. */
struct window_args {
    int chunks;
    bool second_half;
};

struct perplexity_args {
    const char *save_logits, *kl;
};

struct bench_args {
    const char *n_prompts, *n_gens, *n_depths, *n_threads, *n_sequences, *format, *compare;
    int repeats;
    bool samples;
};

/* Options of dummy, convert and quantize. */
struct convert_args {
    const char *shape, *type, *embd, *map, *from_gguf;
    struct values knob;
    bool force, dry_run;
};

struct info_args {
    bool list_tensors, list_metadata, show_template;
};

/* Zero means "not given", unless the option has a default. */
struct args {
    const struct command_row *commands, *row; /* the command table, and the row of command */
    enum command command;
    const char *operand, *operand2;
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
