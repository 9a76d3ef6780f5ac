/* cli.c - parsing, by the tables of options.c. */
#include "cli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "builtin.h"
#include "input.h"
#include "options.h"
#include "report.h"

/* ---- Values ---------------------------------------------------------------------------------- */

static bool parse_value(double *out, const char *text, bool whole)
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

/* "f16, f32 or i8" from "f16|f32|i8" */
static int choice_error(const struct option *o, const char *value)
{
    char words[128];
    size_t n = 0;

    for (const char *p = o->arg; *p && n < sizeof words - 8; p++) {
        const char *joint = strchr(p + 1, '|') ? ", " : " or ";
        if (*p == '|')
            n += (size_t)snprintf(words + n, sizeof words - n, "%s", joint);
        else
            words[n++] = *p;
    }
    words[n] = 0;
    return usage_error("--%s is %s, not '%s'", o->name, words, value);
}

static bool is_choice(const char *choices, const char *value)
{
    const size_t len = strlen(value);

    for (const char *p = choices; *p; p += strcspn(p, "|"), p += *p == '|')
        if (strcspn(p, "|") == len && memcmp(p, value, len) == 0)
            return true;
    return false;
}

int cli_set(struct args *args, const struct option *o, const char *value)
{
    char *member = (char *)args + o->member;
    double x = 0;

    if (o->value == INTEGER || o->value == NUMBER) {
        if (!parse_value(&x, value, o->value == INTEGER))
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
    case CHOICE:
        if (!is_choice(o->arg, value))
            return choice_error(o, value);
        *(const char **)member = value;
        break;
    case TEXT:
    case PATH:
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

/* ---- Words ----------------------------------------------------------------------------------- */

static int parse_command(struct args *args, const char *name)
{
    const struct command_row *c = find_command(args->commands, name);
    const char *near = suggest_command(args->commands, name);

    if (!c)
        return near ? usage_error("unknown command '%s'; did you mean %s? See trit --help", name,
                                  near)
                    : usage_error("unknown command '%s'; see trit --help", name);
    args->row = c;
    args->command = c->bit;
    return EXIT_DONE;
}

/* "trit run --help", or "trit --help" before a command is known */
struct help_hint {
    char text[64];
};

static struct help_hint help_of(const struct args *args)
{
    struct help_hint p;
    const struct command_row *c = args->row;
    snprintf(p.text, sizeof p.text, "trit %s%s--help", c ? c->name : "", c ? " " : "");
    return p;
}

static int unknown_option(const struct args *args, const char *arg)
{
    const char *near = suggest_option(arg, args->command ? args->command : ~0u);

    const char letter[] = {arg[0], arg[1], 0};
    const char *value;
    const struct option *o =
        arg[1] && arg[1] != '-' ? find_option(letter, args->command, &value) : NULL;

    if (near)
        return usage_error("unknown option '%s'; did you mean --%s? See %s", arg, near,
                           help_of(args).text);
    if (o && o->value != FLAG && arg[2])
        return usage_error("unknown option '%s'; did you mean %s %s? See %s", arg, letter,
                           arg + 2 + (arg[2] == '='), help_of(args).text);
    return usage_error("unknown option '%s'; see %s", arg, help_of(args).text);
}

/* A spelling of other programs that means nothing here. */
static void skip_alias(const struct alias *a, char **argv, int argc, int *i)
{
    if (a->word)
        fprintf(stderr, "trit: %s: %s\n", a->spelling, a->word);
    if (a->takes_value && !strchr(argv[*i], '=') && *i + 1 < argc && argv[*i + 1][0] != '-')
        ++*i;
}

/* One option at argv[*i], and its value. */
static int parse_option(struct args *args, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *value;
    const struct alias *a = find_alias(arg);
    const struct option *o = find_option(arg, args->command, &value);

    if (a && !a->option) {
        skip_alias(a, argv, argc, i);
        return EXIT_DONE;
    }
    if (!o)
        return unknown_option(args, arg);
    if (!(o->commands & args->command) && o->commands != ~0u)
        return usage_error("option '%s' does not belong here; see %s", arg, help_of(args).text);
    if (o->value == FLAG && value)
        return usage_error("--%s takes no value", o->name);
    if (o->value != FLAG && !value) {
        if (*i + 1 == argc)
            return usage_error("--%s wants a value: %s", o->name, o->arg);
        value = argv[++*i];
    }
    return cli_set(args, o, value);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static struct values *list_of(struct args *args, const struct option *o)
{
    return o->value == LIST ? (struct values *)((char *)args + o->member) : NULL;
}

/* Lists have room for as many values as there are arguments. */
static int set_defaults(struct args *args, int argc, const struct command_row *commands)
{
    *args = (struct args){.commands = commands};
    for (const struct option *o = options; o->name; o++) {
        struct values *list = list_of(args, o);
        double x;
        if (list && !list->items && !(list->items = malloc((size_t)argc * sizeof(char *))))
            return out_of_memory();
        if (!o->fallback || !parse_value(&x, o->fallback, o->value == INTEGER))
            continue;
        if (o->value == INTEGER)
            *(int *)((char *)args + o->member) = (int)x;
        else if (o->value == NUMBER)
            *(double *)((char *)args + o->member) = x;
    }
    return EXIT_DONE;
}

void cli_free(struct args *args)
{
    for (const struct option *o = options; o->name; o++) {
        struct values *list = list_of(args, o);
        if (!list)
            continue;
        free(list->items); /* of one list there may be several options */
        list->items = NULL;
    }
}

static bool reads_text(enum command command)
{
    const char *value;
    return find_option("--file", command, &value)->commands & command;
}

int cli_parse(struct args *args, int argc, char **argv, const struct command_row *commands)
{
    int code = set_defaults(args, argc, commands);
    size_t n_bytes;

    for (int i = 1; i < argc && !code; i++) {
        if (strcmp(argv[i], "help") == 0 && !args->command)
            args->help = true;
        else if (!args->command && argv[i][0] != '-')
            code = parse_command(args, argv[i]);
        else if (strcmp(argv[i], "-") == 0 && reads_text(args->command))
            args->text.stdin_prompt = true;
        else if (argv[i][0] == '-')
            code = parse_option(args, argc, argv, &i);
        else if (args->row->operand && !args->operand)
            args->operand = argv[i];
        else if (n_files_of(args->row) > 1 && !args->operand2)
            args->operand2 = argv[i];
        else
            code = usage_error("unexpected argument '%s' (the model is given with -m)", argv[i]);
    }
    args->help |= args->help_all;
    if (!code && !args->command && !args->help && !args->version)
        code = usage_error("no command given; see trit --help");
    if (!args->model.path)
        args->model.path = getenv("TRIT_MODEL");
    if (args->model.path && !*args->model.path) /* as if unset */
        args->model.path = NULL;
    if (!args->model.path && args->command != CMD_INFO && built_in_model(&n_bytes))
        args->model.path = BUILT_IN;
    return code;
}
