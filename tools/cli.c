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
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

/* ---- Options --------------------------------------------------------------------------------- */

enum { MODEL_USERS = CMD_RUN | CMD_LOGITS | CMD_INFO, SESSION_USERS = CMD_RUN | CMD_LOGITS };

enum value { FLAG, STRING, INTEGER, NUMBER };

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
    {"model", 'm', MODEL_USERS, STRING, TO(model), 0, 0, "FILE",
     "the model (default: $TRIT_MODEL)"},
    {"prompt", 'p', SESSION_USERS, STRING, TO(prompt), 0, 0, "TEXT", "the prompt, as it stands"},
    {"file", 'f', CMD_RUN, STRING, TO(file), 0, 0, "FILE", "read the prompt from a file"},
    {"max-tokens", 'n', CMD_RUN, INTEGER, TO(max_tokens), -1, INT32_MAX, "N",
     "stop after N new tokens (-1: at an end token or a full context)"},
    {"temp", 0, CMD_RUN, NUMBER, TO(temp), 0, 100, "T",
     "temperature; so far only 0, always the most likely token"},
    {"echo", 0, CMD_RUN, FLAG, TO(echo), 0, 0, NULL, "print the prompt first"},
    {"ignore-eos", 0, CMD_RUN, FLAG, TO(ignore_eos), 0, 0, NULL, "go on after an end token"},
    {"tokens", 0, CMD_LOGITS, STRING, TO(tokens), 0, 0, "1,2,3", "token ids, taken as they are"},
    {"output", 'o', CMD_LOGITS, STRING, TO(out), 0, 0, "OUT.npy",
     "float32 array [tokens, vocabulary]"},
    {"tensors", 0, CMD_INFO, FLAG, TO(list_tensors), 0, 0, NULL, "list the tensors"},
    {"metadata", 0, CMD_INFO, FLAG, TO(list_metadata), 0, 0, NULL, "list the metadata"},
    {"threads", 't', SESSION_USERS, INTEGER, TO(threads), 1, 512, "N",
     "threads (default: physical cores)"},
    {"ctx", 'c', MODEL_USERS, INTEGER, TO(ctx), 1, 1 << 20, "N",
     "positions to make room for (default: the model's, at most 4096)"},
    {"batch", 'b', MODEL_USERS, INTEGER, TO(batch), 1, 65536, "N",
     "most tokens of a prompt at once (default: 512)"},
    {"isa", 0, SESSION_USERS, STRING, TO(isa), 0, 0, "NAME",
     "instruction set to use (default: the best; see trit info)"},
    {"kv", 0, MODEL_USERS, STRING, TO(kv), 0, 0, "f16|f32|i8",
     "type of the cache (default: f16; logits: f32)"},
    {"no-mmap", 0, MODEL_USERS, FLAG, TO(no_mmap), 0, 0, NULL,
     "read the file instead of mapping it"},
    {"json", 0, CMD_RUN | CMD_INFO, FLAG, TO(json), 0, 0, NULL, "one JSON object instead of text"},
    {"quiet", 'q', MODEL_USERS, FLAG, TO(quiet), 0, 0, NULL, "nothing on stderr but errors"},
    {"verbose", 'v', MODEL_USERS, FLAG, TO(verbose), 0, 0, NULL, "say more on stderr"},
    {"help", 'h', ~0u, FLAG, TO(help), 0, 0, NULL, "this"},
#undef TO
};
enum { N_OPTIONS = sizeof options / sizeof *options };

/* The option that arg names ("--name", "--name=value", "-n"), *value the part after '='. */
static const struct option *find_option(const char *arg, const char **value)
{
    const char *equals = strchr(arg, '=');
    const size_t len = equals ? (size_t)(equals - arg) : strlen(arg);

    *value = NULL;
    for (int i = 0; i < N_OPTIONS; i++) {
        const struct option *o = &options[i];
        if (strncmp(arg, "--", 2) == 0 && strlen(o->name) == len - 2 &&
            strncmp(arg + 2, o->name, len - 2) == 0) {
            *value = equals ? equals + 1 : NULL;
            return o;
        }
        if (o->letter && arg[1] == o->letter && !arg[2])
            return o;
    }
    return NULL;
}

static bool parse_number(double *out, const char *text, bool whole)
{
    char *end;
    errno = 0;
    const double x = strtod(text, &end);
    if (end == text || *end || errno || !isfinite(x) || (whole && x != rint(x)))
        return false;
    *out = x;
    return true;
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

/* One option at argv[*i], and its value. */
static int parse_option(struct args *args, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *value;
    const struct option *o = find_option(arg, &value);

    if (!o)
        return usage_error("unknown option '%s'; see trit%s --help", arg,
                           args->command ? " COMMAND" : "");
    if (!(o->commands & args->command) && o->commands != ~0u)
        return usage_error("option '%s' does not belong here; see trit%s --help", arg,
                           args->command ? " COMMAND" : "");
    if (o->value == FLAG && value)
        return usage_error("--%s takes no value", o->name);
    if (o->value != FLAG && !value) {
        if (*i + 1 == argc)
            return usage_error("--%s wants a value: %s", o->name, o->arg);
        value = argv[++*i];
    }
    return set_option(args, o, value);
}

int cli_parse(struct args *args, int argc, char **argv)
{
    int code = EXIT_DONE;
    *args = (struct args){.max_tokens = -1, .temp = -1};

    for (int i = 1; i < argc && !code; i++) {
        if (strcmp(argv[i], "--version") == 0)
            args->version = true;
        else if (!args->command && argv[i][0] != '-')
            code = parse_command(args, argv[i]);
        else if (strcmp(argv[i], "-") == 0 && args->command == CMD_RUN)
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
        printf("  trit %-8s %s\n", commands[i].name, commands[i].help);
    printf("\n  trit COMMAND --help, trit --version\n");
}
