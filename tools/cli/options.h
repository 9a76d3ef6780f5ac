/* options.h - the command line as tables: one row per option and per name that people know from
 * elsewhere. Parsing, help, suggestions, completion and the manual are all made from them and from
 * the table of commands. */
#ifndef TRIT_TOOLS_OPTIONS_H
#define TRIT_TOOLS_OPTIONS_H

#include "args.h"

enum option_value {
    FLAG,
    TEXT,
    PATH,   /* a file's name */
    CHOICE, /* one of arg's words, which | separates */
    INTEGER,
    NUMBER,
    SEED,
    LIST, /* TEXT that may be given several times */
};

struct option {
    const char *name;
    char letter; /* 0: none */
    bool common; /* whether --help lists it; --help-all lists every one */
    unsigned commands;
    enum option_value value;
    size_t member;        /* of struct args */
    double lo, hi;        /* of INTEGER and NUMBER */
    const char *arg;      /* what the value is called; NULL for a FLAG */
    const char *fallback; /* the value where none is given, or NULL; numbers are set from it */
    const char *help;     /* NULL: taken and not listed */
};
extern const struct option options[]; /* ends with name NULL; in the order of help */

/* What options have that all commands share, or nearly all: a manual says them once. */
extern const unsigned common_commands;

/* Whether help, manual and completion of a command have the option. */
bool is_listed(const struct option *o, enum command bit);

/* A spelling of other programs, dashes included. */
struct alias {
    const char *spelling;
    const char *option; /* the long name that it means, or NULL: it means nothing here */
    bool takes_value;   /* where it means nothing */
    const char *word;   /* what is said then; NULL: nothing */
};
extern const struct alias aliases[]; /* ends with spelling NULL */

/* The row of that name, or NULL. */
const struct command_row *find_command(const struct command_row *commands, const char *name);

/* How many files a command takes besides options. */
int n_files_of(const struct command_row *c);

/* The option of this command (failing that, of any) that arg names: "--name", "--name=value",
 * "-n", or an alias of one. *value: the part behind '=', or NULL. NULL if there is none. */
const struct option *find_option(const char *arg, unsigned command, const char **value);
const struct alias *find_alias(const char *arg);

/* "temperature; 0: always the most likely token (default: 0.8; 0 to 1000)"; help.c */
void describe_option(char *text, size_t size, const struct option *o, bool range);

/* Set what an option sets, as on the command line; cli.c. @return exit code */
int cli_set(struct args *args, const struct option *o, const char *value);

/* What was probably meant: the nearest command, or long option of a command, if one is near; else
 * NULL. */
const char *suggest_command(const struct command_row *commands, const char *name);
const char *suggest_option(const char *arg, unsigned command);

#endif
