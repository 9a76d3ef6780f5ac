/* cmd_man.c - trit man: the manual, as roff for man(1), from the tables of options.c. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "options.h"
#include "report.h"

/* Text in which nothing is taken for a request of roff. */
static void roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++)
        switch (*text) {
        case '\\':
            fputs("\\e", stdout);
            break;
        case '-':
            fputs("\\-", stdout);
            break;
        case '\'':
            fputs("\\(aq", stdout);
            break;
        case '"':
            fputs("\\(dq", stdout);
            break;
        default:
            if ((unsigned char)*text < 0x80)
                putchar(*text);
            else if (memcmp(text, "…", 3) == 0) {
                fputs("...", stdout);
                text += 2;
            }
        }
}

static void man_option(const struct option *o)
{
    char text[256];

    printf(".TP\n.B ");
    if (o->letter)
        printf("\\-%c, ", o->letter);
    printf("\\-\\-");
    roff(o->name);
    if (o->arg) {
        printf(" \\fI");
        roff(o->arg);
        printf("\\fR");
    }
    putchar('\n');
    describe_option(text, sizeof text, o, true);
    roff(text);
    printf(".\n");
}

static void man_command(const struct command_row *c)
{
    printf(".SS trit %s%s%s\n", c->name, c->operand ? " " : "", c->operand ? c->operand : "");
    roff(c->help);
    printf(".\n");
    for (size_t i = 0; i < sizeof c->examples / sizeof *c->examples && c->examples[i]; i++) {
        printf(".PP\n.RS\n.nf\n");
        roff(c->examples[i]);
        printf("\n.fi\n.RE\n");
    }
    for (const struct option *o = options; o->name; o++)
        if (is_listed(o, c->bit) && (o->commands & common_commands) != common_commands)
            man_option(o);
}

static void print_aliases(void)
{
    printf(".SH NAMES FROM ELSEWHERE\nOptions of bitnet.cpp and llama.cpp that are understood:\n");
    for (const struct alias *a = aliases; a->spelling; a++) {
        printf(".TP\n.B ");
        roff(a->spelling);
        putchar('\n');
        if (a->option) {
            printf("\\-\\-");
            roff(a->option);
        } else {
            roff(a->word ? a->word : "nothing");
        }
        putchar('\n');
    }
}

int man_main(const struct args *args)
{
    printf(".TH TRIT 1 \"\" \"trit %s\" \"User Commands\"\n", trit_version());
    printf(".SH NAME\ntrit \\- run ternary language models on this computer\n");
    printf(".SH SYNOPSIS\n.B trit\n.I COMMAND\n.RI [ OPTIONS ]\n");
    printf(".SH DESCRIPTION\nThe result is on standard output and nothing else is; everything else "
           "is on standard error.\n");
    printf(".SH COMMANDS\n");
    for (const struct command_row *c = args->commands; c->name; c++)
        man_command(c);
    printf(".SH OPTIONS OF ALL COMMANDS\n");
    for (const struct option *o = options; o->name; o++)
        if ((o->commands & common_commands) == common_commands)
            man_option(o);
    printf(".SH SAMPLING\nSampling takes these steps in this order: penalties over the last "
           "tokens, \\-\\-logit\\-bias, \\-\\-top\\-k, \\-\\-top\\-p, \\-\\-min\\-p, \\-\\-temp. "
           "Each is off at its neutral value.\n");
    print_aliases();
    printf(".SH ENVIRONMENT\n.TP\n.B TRIT_MODEL\nthe model where \\-m is absent\n"
           ".TP\n.B NO_COLOR\nno colour and no progress\n");
    printf(".SH EXIT STATUS\n0 done, 1 failed while running, 2 usage, 3 a file cannot be read or "
           "is damaged, 4 not supported, 5 out of memory, 130 interrupted.\n");
    return finish_stdout();
}
