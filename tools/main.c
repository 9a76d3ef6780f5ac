/* main.c - the program trit. */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <stdio.h>

#include "cli.h"
#include "commands.h"
#include "report.h"

static void print_version(void)
{
    struct trit_isa_info isa;

    printf("trit %s (%s, %s) isa:", trit_version(), TRIT_COMMIT, TRIT_COMPILER);
    for (int i = 0; trit_isa_at(i, &isa); i++)
        if (isa.built)
            printf(" %s", isa.name);
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct args args;

    signal(SIGPIPE, SIG_IGN); /* a closed pipe is reported by the failing write */
    int code = cli_parse(&args, argc, argv, commands);
    if (!code && !args.version && !args.help) {
        code = args.row->main(&args);
    } else if (!code) {
        if (args.version)
            print_version();
        else
            cli_help(&args);
        code = finish_stdout();
    }
    cli_free(&args);
    return code;
}
