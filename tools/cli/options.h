/* options.h - the command line as a table: a row per option. Parsing, help, suggestions, completion
 * and the manual all read this table and the table of commands. aliases.h has what users of other
 * programs type. */
#ifndef TRIT_TOOLS_OPTIONS_H
#define TRIT_TOOLS_OPTIONS_H

#include "args.h"

enum option_value {
    FLAG,
    TEXT,
    PATH,   /* a file's name */
    CHOICE, /* one of the row's choices */
    INTEGER,
    NUMBER,
    SEED,
    LIST, /* TEXT that may be given several times */
};

struct option {
    const char *name;
    char letter;       /* 0: none */
    bool common;       /* --help lists it; --help-all lists every option */
    unsigned commands; /* the commands that accept it */
    unsigned unlisted; /* those that ignore it: their help does not list it */
    enum option_value value;
    size_t member;                /* offset in struct args */
    double lo, hi;                /* range of an INTEGER or NUMBER */
    const char *arg;              /* name of the value; NULL: show the choices; FLAG: none */
    const char *(*choice)(int i); /* possible value i, NULL past the last; or NULL */
    const char *fallback;         /* the default, or NULL; numbers are set from it */
    const char *help;
};
extern const struct option options[]; /* ends with name NULL; in the order of help */

/* An option that all of these accept is common; the manual lists it once. */
extern const unsigned common_commands;

/* Whether help, manual and completion of a command list the option. */
bool is_listed(const struct option *o, enum command bit);

/* The row of that name, or NULL. */
const struct command_row *find_command(const struct command_row *commands, const char *name);

/* Number of files that a command takes as well as options. */
int n_files_of(const struct command_row *c);

/* The option that arg names, of this command or else of any: "--name", "--name=value", "-n" or an
 * alias; NULL if none. *value: the part after '=', or NULL. */
const struct option *find_option(const char *arg, unsigned command, const char **value);

/* Name of the value: "FILE", "f16|f32|i8"; "" for a FLAG. */
struct value_name {
    char text[256];
};
struct value_name value_name_of(const struct option *o);

/* "temperature; 0: always the most likely token (default: 0.8; 0 to 1000)" */
struct description {
    char text[1024];
};
struct description describe_option(const struct option *o, bool range);

/* Set an option in args, as on the command line (in cli.c). @return exit code, after a message */
int cli_set(struct args *args, const struct option *o, const char *value);

/* @return 0, or the exit code after a message that lists the choices of an option (in cli.c) */
int cli_check_choice(const struct option *o, const char *value);

/* For "did you mean": the nearest command, or long option of a command; NULL: none is near. */
const char *suggest_command(const struct command_row *commands, const char *name);
const char *suggest_option(const char *arg, unsigned command);

#endif
