/* report.c - see report.h. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "status.h"

/* @return code, after "trit: …" */
static int complain(int code, const char *fmt, va_list list)
{
    clear_status();
    fputs("trit: ", stderr);
    vfprintf(stderr, fmt, list);
    fputc('\n', stderr);
    return code;
}

int usage_error(const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    const int code = complain(EXIT_USAGE, fmt, list);
    va_end(list);
    return code;
}

int file_error(const char *fmt, ...)
{
    va_list list;
    va_start(list, fmt);
    const int code = complain(EXIT_FILE, fmt, list);
    va_end(list);
    return code;
}

int report(const struct trit_error *err)
{
    return report_hint(err, NULL);
}

int report_hint(const struct trit_error *err, const char *hint)
{
    static const int codes[] = {
        [TRIT_OK] = EXIT_DONE,
        [TRIT_E_FAILED] = EXIT_RUNTIME,
        [TRIT_E_ARGUMENT] = EXIT_USAGE,
        [TRIT_E_FILE] = EXIT_FILE,
        [TRIT_E_UNSUPPORTED] = EXIT_UNSUPPORTED,
        [TRIT_E_MEMORY] = EXIT_MEMORY,
        [TRIT_E_CANCELLED] = EXIT_RUNTIME,
    };
    clear_status();
    fprintf(stderr, "trit: %s", err->text);
    if (hint)
        fprintf(stderr, " (%s)", hint);
    fputc('\n', stderr);
    return codes[err->code];
}

int out_of_memory(void)
{
    clear_status();
    fputs("trit: out of memory\n", stderr);
    return EXIT_MEMORY;
}

int write_error(const char *what)
{
    const int error = errno;

    clear_status();
    if (error != EPIPE)
        fprintf(stderr, "trit: cannot write to %s: %s\n", what, strerror(error));
    return EXIT_RUNTIME;
}

int finish_stdout(void)
{
    return fflush(stdout) != 0 || ferror(stdout) ? write_error("stdout") : EXIT_DONE;
}
