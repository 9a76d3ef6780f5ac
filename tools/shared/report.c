/* report.c - see report.h. */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plain_text.h"
#include "plain_text.h"
#include "status.h"

int report_text(enum exit_code code, const char *fmt, ...)
{
    va_list list;

    clear_status();
    fputs("trit: ", stderr);
    va_start(list, fmt);
    safe_vprintf(stderr, fmt, list);
    va_end(list);
    fputc('\n', stderr);
    return (int)code;
}

int report(const struct trit_error *err)
{
    return report_hint(err, NULL);
}

int report_hint(const struct trit_error *err, const char *hint)
{
    static const enum exit_code codes[] = {
        [TRIT_OK] = EXIT_DONE,
        [TRIT_E_FAILED] = EXIT_RUNTIME,
        [TRIT_E_ARGUMENT] = EXIT_USAGE,
        [TRIT_E_FILE] = EXIT_FILE,
        [TRIT_E_UNSUPPORTED] = EXIT_UNSUPPORTED,
        [TRIT_E_MEMORY] = EXIT_MEMORY,
        [TRIT_E_CANCELLED] = EXIT_RUNTIME,
    };
    return report_text(codes[err->code], "%s%s%s%s", err->text, hint ? " (" : "", hint ? hint : "",
                       hint ? ")" : "");
}

int out_of_memory(void)
{
    return report_text(EXIT_MEMORY, "out of memory");
}

int write_error(const char *what)
{
    const int error = errno;

    clear_status();
    if (error == EPIPE)
        return EXIT_RUNTIME;
    return report_text(EXIT_RUNTIME, "cannot write to %s: %s", what, strerror(error));
}

int finish_stdout(void)
{
    return fflush(stdout) != 0 || ferror(stdout) ? write_error("stdout") : EXIT_DONE;
}
