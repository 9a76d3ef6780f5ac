/* report.h - error messages on stderr, and exit codes. */
#ifndef TRIT_TOOLS_REPORT_H
#define TRIT_TOOLS_REPORT_H

#include "trit.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_RUNTIME = 1,
    EXIT_USAGE = 2,
    EXIT_FILE = 3,
    EXIT_UNSUPPORTED = 4,
    EXIT_MEMORY = 5,
    EXIT_INTERRUPTED = 130,
};

/* Print "trit: …" on stderr. @return code */
int report_text(enum exit_code code, const char *fmt, ...) TRIT_PRINTF(2, 3);
#define usage_error(...) report_text(EXIT_USAGE, __VA_ARGS__)
#define file_error(...) report_text(EXIT_FILE, __VA_ARGS__)

/* Print an error of the library. @return the exit code of its status */
int report(const struct trit_error *err);

/* The same with a hint for the user in parentheses; NULL: none. */
int report_hint(const struct trit_error *err, const char *hint);

/* Print "trit: out of memory". @return EXIT_MEMORY */
int out_of_memory(void);

/* Report by errno that writing to `what` failed; print nothing if its reader has closed the pipe.
 * @return EXIT_RUNTIME */
int write_error(const char *what);

/* Flush stdout. @return EXIT_DONE or write_error() */
int finish_stdout(void);

#endif
