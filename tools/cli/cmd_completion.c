/* cmd_completion.c - trit completion bash|zsh|fish, from the tables of options.c. The scripts
 * complete a line without running trit. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "options.h"
#include "report.h"

/* Print the choices of an option between two texts; nothing if it has none. */
static void print_choices(const struct option *o, const char *before, const char *after)
{
    for (int i = 0; o->choice && o->choice(i); i++)
        printf("%s%s", i ? " " : before, o->choice(i));
    fputs(o->choice ? after : "", stdout);
}

/* The same for the words of an operand such as "bash|zsh|fish"; nothing for file names. */
static void print_words(const struct command_row *c, const char *before, const char *after)
{
    if (!c->operand || n_files_of(c))
        return;
    fputs(before, stdout);
    for (const char *p = c->operand; *p; p++)
        putchar(*p == '|' ? ' ' : *p);
    fputs(after, stdout);
}

/* Print text with a backslash before characters in `escaped`, and `quote` for single quotes. */
static void print_quoted(const char *text, const char *escaped, const char *quote)
{
    for (; *text; text++) {
        if (strchr(escaped, *text))
            putchar('\\');
        if (*text == '\'')
            fputs(quote, stdout);
        else
            putchar(*text);
    }
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void bash_values(const struct command_row *c)
{
    for (const struct option *o = options; o->name; o++) {
        if (!is_listed(o, c->bit) || o->value == FLAG)
            continue;
        printf("    %s:--%s", c->name, o->name);
        if (o->letter)
            printf(" | %s:-%c", c->name, o->letter);
        print_choices(o, ") COMPREPLY=($(compgen -W '", "' -- \"$cur\")); return ;;\n");
        if (!o->choice)
            printf(o->value == PATH ? ") compopt -o default; return ;;\n" : ") return ;;\n");
    }
}

static void bash_words(const struct command_row *c)
{
    printf("    %s) words='", c->name);
    print_words(c, "", " ");
    for (const struct option *o = options; o->name; o++)
        if (is_listed(o, c->bit))
            printf("--%s ", o->name);
    printf("'%s ;;\n", n_files_of(c) ? " files=-f" : "");
}

static void print_bash(const struct command_row *commands)
{
    printf("# bash completion of trit %s\n"
           "_trit() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local command=${COMP_WORDS[1]} words= files=\n"
           "    COMPREPLY=()\n"
           "    if [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}\n"
           "    elif [ \"$cur\" = = ]; then cur=\n"
           "    fi\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ] || [ \"$command:$COMP_CWORD\" = help:2 ]; then\n"
           "        COMPREPLY=($(compgen -W '",
           trit_version());
    for (const struct command_row *c = commands; c->name; c++)
        printf("%s ", c->name);
    printf("help --help --version' -- \"$cur\"))\n"
           "        return\n"
           "    fi\n"
           "    case $command:$prev in\n");
    for (const struct command_row *c = commands; c->name; c++)
        bash_values(c);
    printf("    esac\n"
           "    case $command in\n");
    for (const struct command_row *c = commands; c->name; c++)
        bash_words(c);
    printf("    esac\n"
           "    COMPREPLY=($(compgen $files -W \"$words\" -- \"$cur\"))\n"
           "}\n"
           "complete -F _trit trit\n");
}

/* ---- zsh ------------------------------------------------------------------------------------- */

/* For text in single quotes that is part of an argument of _arguments. */
static const char zsh_escaped[] = "[]:", zsh_quote[] = "'\\''";

static void zsh_option(const struct option *o)
{
    printf(" \\\n            ");
    if (o->letter)
        printf("'(-%c --%s)'{-%c,--%s}'[", o->letter, o->name, o->letter, o->name);
    else
        printf("'%s--%s[", o->value == LIST ? "*" : "", o->name);
    print_quoted(o->help, zsh_escaped, zsh_quote);
    putchar(']');
    if (o->value != FLAG)
        printf(":%s:%s", o->name, o->value == PATH ? "_files" : "");
    print_choices(o, "(", ")");
    putchar('\'');
}

static void print_zsh(const struct command_row *commands)
{
    printf("#compdef trit\n"
           "# zsh completion of trit %s\n"
           "_trit() {\n"
           "    local -a commands\n"
           "    commands=(\n",
           trit_version());
    for (const struct command_row *c = commands; c->name; c++) {
        printf("        '%s:", c->name);
        print_quoted(c->help, zsh_escaped, zsh_quote);
        printf("'\n");
    }
    printf(
        "        'help:show help for a command' '--help:show help' '--version:show the version'\n"
        "    )\n"
        "    if ((CURRENT == 2)) || [[ $CURRENT = 3 && $words[2] = help ]]; then\n"
        "        _describe command commands\n"
        "        return\n"
        "    fi\n"
        "    local command=$words[2]\n"
        "    shift words\n"
        "    ((CURRENT--))\n"
        "    case $command in\n");
    for (const struct command_row *c = commands; c->name; c++) {
        printf("    %s)\n        _arguments", c->name);
        for (int i = 0; i < n_files_of(c); i++)
            printf(" ':file:_files'");
        print_words(c, " ':shell:(", ")'");
        for (const struct option *o = options; o->name; o++)
            if (is_listed(o, c->bit))
                zsh_option(o);
        printf("\n        ;;\n");
    }
    printf("    esac\n"
           "}\n"
           "if [[ $funcstack[1] = _trit ]]; then _trit \"$@\"; else compdef _trit trit; fi\n");
}

/* ---- fish ------------------------------------------------------------------------------------ */

static void fish_option(const struct command_row *c, const struct option *o)
{
    printf("complete -c trit -n '__trit_command %s' -l %s", c->name, o->name);
    if (o->letter)
        printf(" -s %c", o->letter);
    print_choices(o, " -x -a '", "'");
    if (!o->choice && o->value != FLAG)
        printf(o->value == PATH ? " -r -F" : " -x");
    printf(" -d '");
    print_quoted(o->help, "\\", "\\'");
    printf("'\n");
}

static void print_fish(const struct command_row *commands)
{
    printf("# fish completion of trit %s\n"
           "function __trit_command; set -l words (commandline -opc);"
           " test (count $words) -gt 1; and test $words[2] = $argv[1]; end\n"
           "function __trit_no_command; set -l words (commandline -opc);"
           " test (count $words) -eq 1; or test (count $words) -eq 2 -a $words[2] = help; end\n"
           "complete -c trit -f\n"
           "complete -c trit -n __trit_no_command -a help -d 'show help for a command'\n"
           "complete -c trit -n __trit_no_command -l help -s h -d 'show help'\n"
           "complete -c trit -n __trit_no_command -l version -d 'show the version'\n",
           trit_version());
    for (const struct command_row *c = commands; c->name; c++) {
        printf("complete -c trit -n __trit_no_command -a %s -d '", c->name);
        print_quoted(c->help, "\\", "\\'");
        printf("'\n");
        if (n_files_of(c))
            printf("complete -c trit -n '__trit_command %s' -F\n", c->name);
        else if (c->operand)
            printf("complete -c trit -n '__trit_command %s'", c->name);
        print_words(c, " -a '", "'\n");
        for (const struct option *o = options; o->name; o++)
            if (is_listed(o, c->bit))
                fish_option(c, o);
    }
}

/* ---- The command ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*print)(const struct command_row *commands);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

int completion_main(const struct args *args)
{
    if (!args->operand)
        return usage_error("trit completion needs a shell: bash, zsh or fish");
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, args->operand) == 0) {
            shells[i].print(args->commands);
            return finish_stdout();
        }
    return usage_error("no completion for '%s'; choose bash, zsh or fish", args->operand);
}
