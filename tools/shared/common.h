/* common.h - what every command does: open things, report, write. */
#ifndef TRIT_TOOLS_COMMON_H
#define TRIT_TOOLS_COMMON_H

#include <stdio.h>

#include "args.h"

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

/* @return EXIT_MEMORY, with the message */
int out_of_memory(void);

/* Say that writing to what failed, by errno; nothing where the reader just went away.
 * @return EXIT_RUNTIME */
int write_error(const char *what);

/* Flush stdout. @return EXIT_DONE, or write_error(). */
int finish_stdout(void);

/* The file, model and session that the options ask for; each NULL until opened. */
struct opened {
    trit_file *file;
    trit_model *model;
    trit_tokenizer *tokenizer;
    trit_session *session;
    double load_ms;
};

/* @return EXIT_DONE, or an exit code after a message; close either way. */
int open_file(struct opened *o, const struct args *args);
int open_tokenizer(struct opened *o); /* of a file that is open */
int open_model(struct opened *o, const struct args *args);
/* Opens the model too, where that has not been done. */
int open_session(struct opened *o, const struct args *args);
void session_options(struct trit_session_options *opt, const struct args *args);
void close_all(struct opened *o);

/* The bytes of a whole file of `most` at most, and a NUL behind them; *text is released with
 * free(), also after an error. @return exit code */
int read_file(char **text, size_t *len, const char *path, size_t most);

/* The text that -p, -f, "-" or standard input gives; *text is released with free().
 * @return exit code */
int read_prompt(char **text, size_t *len, const struct args *args);

/* Whether text begins with a decimal number and nothing follows it but one of `ends` or the end:
 * strtod and friends also take blanks, signs, hexadecimal and names. */
bool is_plain_number(const char *text, const char *ends);

/* Open the tokenizer of o->file and encode text; *ids is released with free(). @return exit code */
int encode_text(struct opened *o, const char *text, size_t len, unsigned flags, int32_t **ids,
                int32_t *n);

/* Token ids separated by commas; *out is released with free(). @return exit code */
int parse_ids(int32_t **out, int32_t *n, const char *option, const char *text);

/* Ctrl-C: the first one is noted and cancels what the session (which may be NULL) evaluates, the
 * second one ends the program at once. Nothing is changed where the signal was ignored from the
 * start, as in scripts' background jobs. */
void watch_interrupts(trit_session *session);
bool interrupted(void);
void forget_interrupts(void); /* those that were noted */

/* Whether a stream is a terminal on which colours, bars and lines that pass are welcome. */
bool is_lively(int fd);

/* A bar on stdout of so many characters, a part of it full, in eighths. */
void print_bar(double part, int width);

/* Whether to show how a long command gets on. */
bool show_progress(const struct args *args);

/* Lines on stderr that pass: each stands alone, cut to the width of the terminal, until it is
 * cleared, as every error does. */
void show_status(const char *fmt, ...) TRIT_PRINTF(1, 2);
void clear_status(void);

/* Says in such a line how far the evaluation of a prompt is, where show_progress() allows it and it
 * takes longer than a moment. */
void watch_prompt(trit_session *session, const struct args *args);

double now_ms(void);

#endif
