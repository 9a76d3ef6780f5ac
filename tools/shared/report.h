/* report.h - what went wrong, on stderr, and the exit code that it has. */
#ifndef TRIT_TOOLS_REPORT_H
#define TRIT_TOOLS_REPORT_H

#include "trit.h"

/* What the shell sees. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_RUNTIME = 1,
    EXIT_USAGE = 2,
    EXIT_FILE = 3,
    EXIT_UNSUPPORTED = 4,
    EXIT_MEMORY = 5,
    EXIT_INTERRUPTED = 130,
};

/* Print "trit: …" to stderr. @return EXIT_USAGE */
int usage_error(const char *fmt, ...) TRIT_PRINTF(1, 2);

/* The same of a file that is not what it should be. @return EXIT_FILE */
int file_error(const char *fmt, ...) TRIT_PRINTF(1, 2);

/* Print an error of the library. @return the exit code of its status */
int report(const struct trit_error *err);

/* The same, followed by what the user can do, in the words of the command line; NULL: nothing. */
int report_hint(const struct trit_error *err, const char *hint);

/* @return EXIT_MEMORY, with the message */
int out_of_memory(void);

/* Say that writing to what failed, by errno; nothing where the reader just went away.
 * @return EXIT_RUNTIME */
int write_error(const char *what);

/* Flush stdout. @return EXIT_DONE, or write_error(). */
int finish_stdout(void);

#endif
