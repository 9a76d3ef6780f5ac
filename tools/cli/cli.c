/* cli.c - parse the command line, from the tables in options.c. */
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aliases.h"
#include "builtin.h"
#include "bytes.h"
#include "input.h"
#include "options.h"
#include "report.h"

/* ---- Values ---------------------------------------------------------------------------------- */

static bool parse_value(double *out, const char *text, bool whole)
{
    char *end;
    errno = 0;
    const double x = strtod(text, &end);
    if (!is_plain_number(text, "") || end == text || *end || errno || !isfinite(x) ||
        (whole && x != rint(x)))
        return false;
    *out = x;
    return true;
}

static int parse_seed(struct args *args, const char *text)
{
    char *end;
    errno = 0;
    args->seed = strtoull(text, &end, 10);
    args->has_seed = true;
    if (!is_plain_number(text, "") || end == text || *end || errno || *text == '-')
        return usage_error("--seed must be a 64-bit whole number, not '%s'", text);
    return EXIT_DONE;
}

int cli_check_choice(const struct option *o, const char *value)
{
    char names[128] = ""; /* "f16, f32 or i8" */
    size_t n = 0;

    for (int i = 0; o->choice(i); i++) {
        if (strcmp(o->choice(i), value) == 0)
            return EXIT_DONE;
        if (n < sizeof names)
            n += (size_t)snprintf(names + n, sizeof names - n, "%s%s",
                                  !i                 ? ""
                                  : o->choice(i + 1) ? ", "
                                                     : " or ",
                                  o->choice(i));
    }
    return usage_error("--%s must be %s, not '%s'", o->name, names, value);
}

/* As if the option had not been given. */
static int forget_option(struct args *args, const struct option *o)
{
    if (o->value == INTEGER)
        *(int *)((char *)args + o->member) = 0;
    if (o->value == SEED)
        args->has_seed = false;
    return EXIT_DONE;
}

int cli_set(struct args *args, const struct option *o, const char *value)
{
    char *member = (char *)args + o->member;
    const bool is_foreign = find_foreign_value(o->name, value, &value);
    double x = 0;

    if (is_foreign && !value)
        return forget_option(args, o);
    if (o->value == INTEGER || o->value == NUMBER) {
        if (!parse_value(&x, value, o->value == INTEGER))
            return usage_error("--%s needs a %snumber, not '%s'", o->name,
                               o->value == INTEGER ? "whole " : "", value);
        if (!is_foreign && (x < o->lo || x > o->hi))
            return usage_error("--%s must be between %.10g and %.10g, not %s", o->name, o->lo,
                               o->hi, value);
    }
    if (o->value == CHOICE && cli_check_choice(o, value))
        return EXIT_USAGE;
    switch (o->value) {
    case FLAG:
        *(bool *)member = true;
        break;
    case CHOICE:
    case TEXT:
    case PATH:
        *(const char **)member = value;
        break;
    case INTEGER:
        *(int *)member = (int)x;
        break;
    case NUMBER:
        *(double *)member = x;
        break;
    case SEED:
        return parse_seed(args, value);
    case LIST:
        ((struct values *)member)->items[((struct values *)member)->n++] = value;
        break;
    }
    return EXIT_DONE;
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static int parse_command(struct args *args, const char *name)
{
    const struct command_row *c = find_command(args->commands, name);
    const char *near = suggest_command(args->commands, name);

    if (!c && near)
        return usage_error("unknown command '%s'; did you mean %s? See trit --help", name, near);
    if (!c)
        return usage_error("unknown command '%s'; see trit --help", name);
    args->row = c;
    args->command = c->bit;
    return EXIT_DONE;
}

static int unknown_option(const struct args *args, const char *arg)
{
    const struct command_row *c = args->row;
    const char *near = suggest_option(arg, c ? args->command : ~0u), *value;
    const char letter[] = {arg[0], arg[1], 0};
    const struct option *o =
        arg[1] && arg[1] != '-' ? find_option(letter, args->command, &value) : NULL;
    const char *rest = o ? arg + 2 : ""; /* "-n5", "-m=FILE"; "-sys" is a name */
    char hint[160] = "; see";

    if (near)
        snprintf(hint, sizeof hint, "; did you mean --%s? See", near);
    else if (o && o->value != FLAG && (*rest == '=' || is_plain_number(rest, "")))
        snprintf(hint, sizeof hint, "; did you mean %s %.128s? See", letter, rest + (*rest == '='));
    return usage_error("unknown option '%s'%s trit %s%s--help", arg, hint, c ? c->name : "",
                       c ? " " : "");
}

static bool is_on_off(const char *text)
{
    static const char *const words[] = {"on", "off", "auto", "true", "false", "0", "1", "0,1"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

/* The value of an option of another program, or NULL. A value that is missing takes no option. */
static const char *take_value(const struct alias *a, int argc, char **argv, int *i)
{
    const char *equals = strchr(argv[*i], '='), *next = *i + 1 < argc ? argv[*i + 1] : NULL;

    if (equals)
        return equals + 1;
    const bool takes =
        next && (a->takes == SOME_VALUE ? *next != '-' || isdigit((unsigned char)next[1])
                                        : a->takes == ON_OFF && is_on_off(next));
    return takes ? argv[++*i] : NULL;
}

/* An option of another program that trit does not have. Notes are gathered for one line. */
static int parse_alias(struct bytes *notes, const struct alias *a, int argc, char **argv, int *i)
{
    const char *value = take_value(a, argc, argv, i);
    char note[160];

    if (a->refused && !(a->neutral && value && is_plain_number(value, "") &&
                        strtod(value, NULL) == strtod(a->neutral, NULL)))
        return usage_error("%s is not supported: %s", a->spelling, a->word);
    if (!a->word || a->refused)
        return EXIT_DONE;
    const int n =
        snprintf(note, sizeof note, "%s%s (%s)", notes->len ? ", " : "", a->spelling, a->word);
    return bytes_add(notes, note, (size_t)n) ? EXIT_DONE : out_of_memory();
}

static int foreign_option(const struct args *args, const char *arg)
{
    const int len = (int)strcspn(arg, "=");

    if (!args->row)
        return usage_error("option '%.*s' must come after a command; see trit --help", len, arg);
    return usage_error("trit %s has no option '%.*s'; see trit %s --help", args->row->name, len,
                       arg, args->row->name);
}

/* The option at argv[*i], and its value. */
static int parse_option(struct args *args, struct bytes *notes, int argc, char **argv, int *i)
{
    const char *arg = argv[*i], *value;
    const struct alias *a = find_alias(arg);
    const struct option *o = find_option(arg, args->command, &value);

    if (a && !a->option && !(o && (o->commands & args->command)))
        return parse_alias(notes, a, argc, argv, i);
    if (!o)
        return unknown_option(args, arg);
    if (!(o->commands & args->command) && o->commands != ~0u)
        return foreign_option(args, arg);
    if ((o->value == FLAG || (a && a->value)) && value)
        return usage_error("%.*s takes no value", (int)strcspn(arg, "="), arg);
    if (a && a->value)
        return cli_set(args, o, a->value);
    args->run.chat |= a && a->chats && args->command == CMD_RUN;
    if (o->value != FLAG && !value) {
        if (*i + 1 == argc)
            return usage_error("--%s needs a value: %s", o->name, value_name_of(o).text);
        value = argv[++*i];
    }
    return cli_set(args, o, value);
}

/* ---- Escapes --------------------------------------------------------------------------------- */

/* The number of the n <= 2 hexadecimal digits at text. */
static int hex_value(const char *text, int *n)
{
    int x = 0;
    for (*n = 0; *n < 2 && isxdigit((unsigned char)text[*n]); ++*n) {
        const int c = tolower((unsigned char)text[*n]);
        x = 16 * x + (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return x;
}

/* Decode \n \r \t \' \" \\ \xHH in place, as llama.cpp does; any other backslash stays, and so does
 * \x00, which would end the text. text is of argv, or NULL. */
static void decode_escapes(const char *text)
{
    static const char letters[] = "nrt'\"\\", meanings[] = "\n\r\t'\"\\";
    char *to = (char *)(uintptr_t)text;

    for (const char *p = text; p && *p;) {
        const char *letter = p[0] == '\\' && p[1] ? strchr(letters, p[1]) : NULL;
        int n = 0;
        const int byte = p[0] == '\\' && p[1] == 'x' ? hex_value(p + 2, &n) : 0;
        if (letter || byte) {
            *to++ = letter ? meanings[letter - letters] : (char)byte;
            p += 2 + n;
        } else {
            *to++ = *p++;
        }
    }
    if (to)
        *to = '\0';
}

/* ---- The whole line -------------------------------------------------------------------------- */

static struct values *list_of(struct args *args, const struct option *o)
{
    return o->value == LIST ? (struct values *)((char *)args + o->member) : NULL;
}

/* Each list has room for argc values. */
static int set_defaults(struct args *args, int argc, const struct command_row *commands)
{
    *args = (struct args){.commands = commands};
    for (const struct option *o = options; o->name; o++) {
        struct values *list = list_of(args, o);
        if (list && !list->items && !(list->items = malloc((size_t)argc * sizeof(char *))))
            return out_of_memory();
        if ((o->value == INTEGER || o->value == NUMBER) && o->fallback &&
            is_plain_number(o->fallback, ""))
            cli_set(args, o, o->fallback);
    }
    return EXIT_DONE;
}

void cli_free(struct args *args)
{
    for (const struct option *o = options; o->name; o++) {
        struct values *list = list_of(args, o);
        if (!list)
            continue;
        free(list->items); /* several options may share a list */
        list->items = NULL;
    }
}

static int parse_arguments(struct args *args, struct bytes *notes, int argc, char **argv)
{
    int code = EXIT_DONE;
    const char *value;

    for (int i = 1; i < argc && !code; i++) {
        if (strcmp(argv[i], "help") == 0 && !args->command)
            args->help = true;
        else if (!args->command && argv[i][0] != '-')
            code = parse_command(args, argv[i]);
        else if (strcmp(argv[i], "-") == 0 &&
                 (find_option("--file", args->command, &value)->commands & args->command))
            args->text.stdin_prompt = true;
        else if (argv[i][0] == '-')
            code = parse_option(args, notes, argc, argv, &i);
        else if (args->row->operand && !args->operand)
            args->operand = argv[i];
        else if (n_files_of(args->row) > 1 && !args->operand2)
            args->operand2 = argv[i];
        else
            code = usage_error("unexpected argument '%s' (give the model with -m)", argv[i]);
    }
    return code;
}

/* With --escape: decode in place, since a decoded text is shorter. */
static void decode_texts(struct args *args)
{
    decode_escapes(args->text.prompt);
    decode_escapes(args->chat.system);
    for (int i = 0; i < args->generate.stop.n; i++)
        decode_escapes(args->generate.stop.items[i]);
}

int cli_parse(struct args *args, int argc, char **argv, const struct command_row *commands)
{
    int code = set_defaults(args, argc, commands);
    struct bytes notes = {0};
    size_t n_bytes;

    if (!code)
        code = parse_arguments(args, &notes, argc, argv);
    if (!code && notes.len)
        report_text(EXIT_DONE, "no effect here: %s", notes.data);
    bytes_free(&notes);
    if (args->text.escape)
        decode_texts(args);
    args->help |= args->help_all;
    if (!code && !args->command && !args->help && !args->version)
        code = usage_error("no command given; see trit --help");
    if (!args->model.path)
        args->model.path = getenv("TRIT_MODEL");
    if (args->model.path && !*args->model.path) /* as if unset */
        args->model.path = NULL;
    if (!args->model.path && args->command != CMD_INFO && built_in_model(&n_bytes))
        args->model.path = BUILT_IN;
    return code;
}
