/* cli.c - parsing and help, both from the tables below. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

/* ---- Commands -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum command bit;
    int (*main)(const struct args *args);
    const char *help, *example;
} commands[] = {
    {"run", CMD_RUN, run_main, "continue a text", "trit run -m model.gguf -p \"Once upon a time\""},
    {"logits", CMD_LOGITS, logits_main, "write the logits of every position to a .npy file",
     "trit logits -m model.gguf --tokens 1,2,3 -o out.npy"},
    {"info", CMD_INFO, info_main, "what is in a model file; without one, what this CPU can run",
     "trit info -m model.gguf --tensors"},
    {"perplexity", CMD_PERPLEXITY, perplexity_main, "how well a model predicts a text",
     "trit perplexity -m model.gguf -f text.txt"},
    {"bench", CMD_BENCH, bench_main, "how fast a model runs here, beside the limits of the machine",
     "trit bench -m model.gguf -p 512 -n 128"},
    {"dummy", CMD_DUMMY, dummy_main, "write a model of random weights, to measure a size",
     "trit dummy --shape 2b4t -o dummy.gguf"},
    {"tokenize", CMD_TOKENIZE, tokenize_main, "text to token ids",
     "trit tokenize -m model.gguf -p \"Hello\" --ids"},
    {"detokenize", CMD_DETOKENIZE, detokenize_main, "token ids to text",
     "trit detokenize -m model.gguf --ids 1,2,3"},
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* ---- Options --------------------------------------------------------------------------------- */

enum {
    SESSION_USERS = CMD_RUN | CMD_LOGITS | CMD_PERPLEXITY | CMD_BENCH,
    TOKENIZERS = CMD_TOKENIZE | CMD_DETOKENIZE,
    TEXT_USERS = CMD_RUN | CMD_TOKENIZE | CMD_PERPLEXITY,
    /* a command ignores what is nothing to it */
    COMMON = SESSION_USERS | TOKENIZERS | CMD_INFO | CMD_DUMMY,
};

enum value { FLAG, STRING, INTEGER, NUMBER, SEED, LIST };

static const struct option {
    const char *name;
    char letter; /* 0: none */
    unsigned commands;
    enum value value;
    size_t member;
    double lo, hi; /* of INTEGER and NUMBER */
    const char *arg, *help;
} options[] = {
#define TO(member) offsetof(struct args, member)
    {"model", 'm', COMMON, STRING, TO(model), 0, 0, "FILE", "the model (default: $TRIT_MODEL)"},
    {"prompt", 'p', TEXT_USERS | CMD_LOGITS, STRING, TO(prompt), 0, 0, "TEXT",
     "the text, as it stands"},
    {"file", 'f', TEXT_USERS, STRING, TO(file), 0, 0, "FILE", "read the text from a file"},
    {"prompt", 'p', CMD_BENCH, STRING, TO(n_prompts), 0, 0, "N,...",
     "lengths of the prompts to evaluate (512)"},
    {"gen", 'n', CMD_BENCH, STRING, TO(n_gens), 0, 0, "N,...", "tokens to generate (128)"},
    {"depth", 'd', CMD_BENCH, STRING, TO(n_depths), 0, 0, "N,...",
     "tokens that are there before (0)"},
    {"threads", 't', CMD_BENCH, STRING, TO(n_threads), 0, 0, "N,...",
     "threads (default: physical performance cores)"},
    {"repeat", 'r', CMD_BENCH, INTEGER, TO(repeats), 1, 1000, "N", "times to measure each (5)"},
    {"output", 'o', CMD_BENCH, STRING, TO(format), 0, 0, "md|csv|json|jsonl",
     "form of the result (default: table, which grows)"},
    {"shape", 0, CMD_DUMMY, STRING, TO(shape), 0, 0, "NAME",
     "sizes of which model: 700m 2b4t 3b 8b falcon3-10b …; none lists them all"},
    {"type", 0, CMD_DUMMY, STRING, TO(type), 0, 0, "TYPE",
     "of the ternary weights: i2_s tq1_0 tq2_0 f16 bf16 f32 (i2_s)"},
    {"embd", 0, CMD_DUMMY, STRING, TO(embd), 0, 0, "TYPE",
     "of embedding and head: f16 f32 bf16 q8_0 q6_k q4_k q4_0 (f16)"},
    {"output", 'o', CMD_DUMMY, STRING, TO(out), 0, 0, "FILE", "the file to write"},
    {"max-tokens", 'n', CMD_RUN, INTEGER, TO(max_tokens), -1, INT32_MAX, "N",
     "stop after N new tokens (-1: at an end token or a full context)"},
    {"temp", 0, CMD_RUN, NUMBER, TO(temp), 0, 1000, "T",
     "temperature (0.8; 0: always the most likely token)"},
    {"top-k", 0, CMD_RUN, INTEGER, TO(top_k), 0, INT32_MAX, "K",
     "choose among the K most likely (0: all)"},
    {"top-p", 0, CMD_RUN, NUMBER, TO(top_p), 0, 1, "P",
     "choose among the likeliest that reach probability P (1: all)"},
    {"min-p", 0, CMD_RUN, NUMBER, TO(min_p), 0, 1, "P",
     "choose among those with P of the best one's probability (0.05; 0: all)"},
    {"repeat-penalty", 0, CMD_RUN, NUMBER, TO(repeat_penalty), 0.001, 1000, "X",
     "make tokens less likely that occurred (1: not)"},
    {"repeat-last-n", 0, CMD_RUN, INTEGER, TO(repeat_last_n), -1, INT32_MAX, "N",
     "tokens that penalties look back on (64; -1: all)"},
    {"presence-penalty", 0, CMD_RUN, NUMBER, TO(presence_penalty), -1000, 1000, "X",
     "taken from a logit if its token occurred (0)"},
    {"frequency-penalty", 0, CMD_RUN, NUMBER, TO(frequency_penalty), -1000, 1000, "X",
     "taken from a logit for each time its token occurred (0)"},
    {"logit-bias", 0, CMD_RUN, LIST, TO(logit_bias), 0, 0, "ID=V",
     "add V to the logit of token ID (repeatable)"},
    {"seed", 0, CMD_RUN, SEED, TO(seed), 0, 0, "N",
     "the same seed gives the same text (default: random, printed)"},
    {"seed", 0, CMD_DUMMY, SEED, TO(seed), 0, 0, "N", "the same seed gives the same file (0)"},
    {"stop", 0, CMD_RUN, LIST, TO(stop), 0, 0, "TEXT", "end before this text (repeatable)"},
    {"ignore-eos", 0, CMD_RUN, FLAG, TO(ignore_eos), 0, 0, NULL, "go on after an end token"},
    {"echo", 0, CMD_RUN, FLAG, TO(echo), 0, 0, NULL, "print the prompt first"},
    {"stream", 0, CMD_RUN, FLAG, TO(stream), 0, 0, NULL, "with --json: one object per token too"},
    {"tokens", 0, CMD_LOGITS, STRING, TO(tokens), 0, 0, "1,2,3", "token ids, taken as they are"},
    {"output", 'o', CMD_LOGITS, STRING, TO(out), 0, 0, "OUT.npy",
     "float32 array [tokens, vocabulary]"},
    {"ids", 0, CMD_TOKENIZE, FLAG, TO(ids), 0, 0, NULL, "print [1,2,3] instead of a line each"},
    {"ids", 0, CMD_DETOKENIZE, STRING, TO(id_list), 0, 0, "1,2,3", "the token ids"},
    {"no-bos", 0, CMD_TOKENIZE, FLAG, TO(no_bos), 0, 0, NULL, "never put the BOS first"},
    {"special", 0, CMD_RUN | TOKENIZERS, FLAG, TO(special), 0, 0, NULL,
     "control tokens in the text are those tokens (and detokenize shows them)"},
    {"chunks", 0, CMD_PERPLEXITY, INTEGER, TO(chunks), 1, INT32_MAX, "N", "windows at most"},
    {"second-half", 0, CMD_PERPLEXITY, FLAG, TO(second_half), 0, 0, NULL,
     "score the second half of each window only"},
    {"tensors", 0, CMD_INFO, FLAG, TO(list_tensors), 0, 0, NULL, "list the tensors"},
    {"metadata", 0, CMD_INFO, FLAG, TO(list_metadata), 0, 0, NULL, "list the metadata"},
    {"template", 0, CMD_INFO, FLAG, TO(show_template), 0, 0, NULL, "print the chat template"},
    {"threads", 't', COMMON & ~CMD_BENCH, INTEGER, TO(threads), 1, 512, "N",
     "threads (default: physical performance cores)"},
    {"ctx", 'c', COMMON, INTEGER, TO(ctx), 1, 1 << 20, "N",
     "positions to make room for (default: the model's, at most 4096; perplexity: 512)"},
    {"batch", 'b', COMMON, INTEGER, TO(batch), 1, 65536, "N",
     "most tokens of a prompt at once (512)"},
    {"isa", 0, COMMON, STRING, TO(isa), 0, 0, "NAME",
     "instruction set to use (default: the best; see trit info)"},
    {"kv", 0, COMMON, STRING, TO(kv), 0, 0, "f16|f32|i8", "type of the cache (f16; logits: f32)"},
    {"mlock", 0, COMMON, FLAG, TO(mlock), 0, 0, NULL, "keep the file in physical memory"},
    {"no-mmap", 0, COMMON, FLAG, TO(no_mmap), 0, 0, NULL, "read the file instead of mapping it"},
    {"json", 0, COMMON, FLAG, TO(json), 0, 0, NULL, "JSON instead of text"},
    {"quiet", 'q', COMMON, FLAG, TO(quiet), 0, 0, NULL, "nothing on stderr but errors"},
    {"verbose", 'v', COMMON, FLAG, TO(verbose), 0, 0, NULL, "say more on stderr"},
    {"help", 'h', ~0u, FLAG, TO(help), 0, 0, NULL, "this"},
#undef TO
};
enum { N_OPTIONS = sizeof options / sizeof *options };

/* The option of this command (failing that, of any) that arg names ("--name", "--name=value",
 * "-n"); *value: the part after '='. */
static const struct option *find_option(const char *arg, unsigned command, const char **value)
{
    const struct option *other = NULL;
    const char *equals = strchr(arg, '=');
    const size_t len = equals ? (size_t)(equals - arg) : strlen(arg);

    *value = NULL;
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        const bool is_long = strncmp(arg, "--", 2) == 0 && strlen(o->name) == len - 2 &&
                             strncmp(arg + 2, o->name, len - 2) == 0;
        if (!is_long && !(o->letter && arg[1] == o->letter && !arg[2]))
            continue;
        *value = is_long && equals ? equals + 1 : NULL;
        if (o->commands & command)
            return o;
        other = o;
    }
    return other;
}

static bool parse_number(double *out, const char *text, bool whole)
{
    char *end;
    errno = 0;
    const double x = strtod(text, &end);
    if (!is_plain_number(text, "") || end == text || *end || errno || !isfinite(x) ||
        (whole && x != rint(x)))
        return false;
    *out = x;
    return true;
}

static int parse_seed(struct args *args, const char *text)
{
    char *end;
    errno = 0;
    args->seed = strtoull(text, &end, 10);
    args->has_seed = true;
    if (!is_plain_number(text, "") || end == text || *end || errno || *text == '-')
        return usage_error("--seed wants a whole number of at most 64 bits, not '%s'", text);
    return EXIT_DONE;
}

static int set_option(struct args *args, const struct option *o, const char *value)
{
    char *member = (char *)args + o->member;
    double x = 0;

    if (o->value == INTEGER || o->value == NUMBER) {
        if (!parse_number(&x, value, o->value == INTEGER))
            return usage_error("--%s wants a %snumber, not '%s'", o->name,
                               o->value == INTEGER ? "whole " : "", value);
        if (x < o->lo || x > o->hi)
            return usage_error("--%s %s is out of range; possible is %.10g to %.10g", o->name,
                               value, o->lo, o->hi);
    }
    switch (o->value) {
    case FLAG:
        *(bool *)member = true;
        break;
    case STRING:
        *(const char **)member = value;
        break;
    case INTEGER:
        *(int *)member = (int)x;
        break;
    case NUMBER:
        *(double *)member = x;
        break;
    case SEED:
        return parse_seed(args, value);
    case LIST:
        ((struct values *)member)->items[((struct values *)member)->n++] = value;
        break;
    }
    return EXIT_DONE;
}

static int parse_command(struct args *args, const char *name)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0) {
            args->command = commands[i].bit;
            return EXIT_DONE;
        }
    return usage_error("unknown command '%s'; see trit --help", name);
}

static const char *command_name(enum command command)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (commands[i].bit == command)
            return commands[i].name;
    return "";
}

/* One option at argv[*i], and its value. */
static int parse_option(struct args *args, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *value;
    const struct option *o = find_option(arg, args->command, &value);

    if (!o)
        return usage_error("unknown option '%s'; see trit%s%s --help", arg,
                           args->command ? " " : "", command_name(args->command));
    if (!(o->commands & args->command) && o->commands != ~0u)
        return usage_error("option '%s' does not belong here; see trit%s%s --help", arg,
                           args->command ? " " : "", command_name(args->command));
    if (o->value == FLAG && value)
        return usage_error("--%s takes no value", o->name);
    if (o->value != FLAG && !value) {
        if (*i + 1 == argc)
            return usage_error("--%s wants a value: %s", o->name, o->arg);
        value = argv[++*i];
    }
    return set_option(args, o, value);
}

/* Lists have room for as many values as there are arguments. */
static int set_defaults(struct args *args, int argc)
{
    struct trit_sampler_options s;
    trit_sampler_defaults(&s);
    *args = (struct args){
        .max_tokens = -1,
        .repeats = 5,
        .temp = (double)s.temp,
        .top_p = (double)s.top_p,
        .min_p = (double)s.min_p,
        .repeat_penalty = (double)s.repeat_penalty,
        .presence_penalty = (double)s.presence_penalty,
        .frequency_penalty = (double)s.frequency_penalty,
        .top_k = s.top_k,
        .repeat_last_n = s.repeat_last_n,
        .stop.items = malloc((size_t)argc * sizeof(char *)),
        .logit_bias.items = malloc((size_t)argc * sizeof(char *)),
    };
    return args->stop.items && args->logit_bias.items ? EXIT_DONE : out_of_memory();
}

void cli_free(struct args *args)
{
    free(args->stop.items);
    free(args->logit_bias.items);
}

int cli_parse(struct args *args, int argc, char **argv)
{
    int code = set_defaults(args, argc);

    for (int i = 1; i < argc && !code; i++) {
        if (strcmp(argv[i], "--version") == 0)
            args->version = true;
        else if (!args->command && argv[i][0] != '-')
            code = parse_command(args, argv[i]);
        else if (strcmp(argv[i], "-") == 0 && (args->command & TEXT_USERS))
            args->stdin_prompt = true;
        else if (argv[i][0] == '-')
            code = parse_option(args, argc, argv, &i);
        else
            code = usage_error("unexpected argument '%s' (the model is given with -m)", argv[i]);
    }
    if (!code && !args->command && !args->help && !args->version)
        code = usage_error("no command given; see trit --help");
    if (!args->model)
        args->model = getenv("TRIT_MODEL");
    if (args->model && !*args->model) /* as if unset */
        args->model = NULL;
    return code;
}

int cli_run_command(const struct args *args)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (commands[i].bit == args->command)
            return commands[i].main(args);
    return EXIT_USAGE;
}

static void print_options(enum command command)
{
    char left[48];
    printf("\noptions:\n");
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        if (!(o->commands & command))
            continue;
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter ? '-' : ' ',
                 o->letter ? o->letter : ' ', o->letter ? ", " : "  ", o->name, o->arg ? " " : "",
                 o->arg ? o->arg : "");
        printf("  %-26s %s\n", left, o->help);
    }
}

void cli_help(const struct args *args)
{
    for (int i = 0; i < N_COMMANDS; i++)
        if (commands[i].bit == args->command) {
            printf("trit %s: %s\n\n  %s\n", commands[i].name, commands[i].help,
                   commands[i].example);
            print_options(args->command);
            return;
        }
    printf("trit: run ternary language models on this computer\n\n");
    for (int i = 0; i < N_COMMANDS; i++)
        printf("  trit %-11s %s\n", commands[i].name, commands[i].help);
    printf("\n  trit COMMAND --help, trit --version\n");
}
