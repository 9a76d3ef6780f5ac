/* main.c - the program trit. */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "output.h"
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

/* A closed standard stream becomes /dev/null. Else the next file that is opened would be that
 * stream, and messages would be written into it. @return exit code, after a message */
static int open_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return report_text(EXIT_RUNTIME, "cannot open /dev/null for a closed stream");
    return EXIT_DONE;
}

static void set_signals(void)
{
    /* the failing write reports a closed pipe, and a file that is larger than the limit */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    watch_end_signals();
}

int main(int argc, char **argv)
{
    struct args args;

    if (open_streams())
        return EXIT_RUNTIME;
    set_signals();
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
