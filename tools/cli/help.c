/* help.c - what --help and --help-all print. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "options.h"

enum { WIDTH = 96, NAMES_WIDTH = 27 };

/* Print text that starts at column `indent`, wrapped; later lines start there too. */
static void print_wrapped(const char *text, int indent)
{
    int column = indent;

    while (*text) {
        const size_t len = strcspn(text, " ");
        if (column > indent && column + 1 + (int)len > WIDTH)
            column = printf("\n%*s", indent, "") - 1;
        else if (column > indent)
            column += printf(" ");
        column += printf("%.*s", (int)len, text);
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

static void join_choices(char *text, size_t size, const struct option *o, const char *first,
                         const char *between)
{
    size_t n = 0;

    for (int i = 0; o->choice(i) && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%s", i ? between : first, o->choice(i));
}

struct value_name value_name_of(const struct option *o)
{
    struct value_name name = {""};

    if (o->arg)
        snprintf(name.text, sizeof name.text, "%s", o->arg);
    else if (o->choice)
        join_choices(name.text, sizeof name.text, o, "", "|");
    return name;
}

struct description describe_option(const struct option *o, bool range)
{
    const bool number = range && (o->value == INTEGER || o->value == NUMBER);
    char limits[64] = "", choices[512] = "";
    struct description d;

    if (number && o->hi < INT32_MAX)
        snprintf(limits, sizeof limits, "%.10g to %.10g", o->lo, o->hi);
    else if (number)
        snprintf(limits, sizeof limits, "at least %.10g", o->lo);
    if (o->arg && o->choice)
        join_choices(choices, sizeof choices, o, ": ", " ");
    const int n = snprintf(d.text, sizeof d.text, "%s%s", o->help, choices);
    if (o->fallback || number)
        snprintf(d.text + n, sizeof d.text - (size_t)n, " (%s%s%s%s)",
                 o->fallback ? "default: " : "", o->fallback ? o->fallback : "",
                 o->fallback && number ? "; " : "", limits);
    return d;
}

static void help_option(const struct option *o, bool ranges)
{
    const struct value_name value = value_name_of(o);
    const int n = printf("  %c%c%s--%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                         o->letter ? ", " : "  ", o->name, *value.text ? " " : "", value.text);

    if (n > NAMES_WIDTH)
        printf("\n%*s", NAMES_WIDTH + 2, "");
    else
        printf("%*s", NAMES_WIDTH + 2 - n, "");
    print_wrapped(describe_option(o, ranges).text, NAMES_WIDTH + 2);
}

static void help_command(const struct command_row *c, bool all)
{
    int n_left = 0;

    printf("trit %s: %s\n\n", c->name, c->help);
    for (int i = 0; c->examples[i]; i++)
        printf("  %s\n", c->examples[i]);
    if (c->operand)
        printf("\n  %s", c->operand);
    putchar('\n');
    for (const struct option *o = options; o->name; o++) {
        if (!is_listed(o, c->bit))
            continue;
        if (all || o->common)
            help_option(o, all);
        else
            n_left++;
    }
    if (n_left)
        printf("\n%d more options: trit %s --help-all\n", n_left, c->name);
    if (c->bit & (CMD_RUN | CMD_CHAT))
        printf("%sOptions of llama.cpp, bitnet.cpp and ollama are understood, too: trit man\n",
               n_left ? "" : "\n");
    if (all && c->bit == CMD_RUN)
        printf(
            "\nSampling applies these steps in order: penalties, --logit-bias, --top-k, --top-p, "
            "--min-p,\n--temp. A step at its neutral value is off.\n");
}

void cli_help(const struct args *args)
{
    const struct command_row *commands = args->commands;

    if (args->row) {
        help_command(args->row, args->help_all);
        return;
    }
    printf("trit: run ternary language models on this computer\n\n");
    printf("  %s\n  %s\n\n", commands[0].examples[0], commands[0].examples[2]);
    for (const struct command_row *c = commands; c->name; c++)
        printf("  trit %-11s %s\n", c->name, c->help);
    printf("\n  trit COMMAND --help, trit COMMAND --help-all, trit --version\n");
}
