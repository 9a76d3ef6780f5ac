/* input.c - see input.h. */
#define _POSIX_C_SOURCE 200809L

#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "report.h"

static int read_stream(char **text, size_t *len, FILE *f, const char *name, size_t most)
{
    struct bytes all = {0};
    char piece[1 << 16];
    size_t n;
    bool ok;

    do {
        n = fread(piece, 1, sizeof piece, f);
        ok = bytes_add(&all, piece, n);
    } while (ok && n == sizeof piece && all.len <= most);
    *text = all.data;
    *len = all.len;
    if (!ok)
        return out_of_memory();
    if (*len > most)
        return file_error("%s is larger than %zu MB", name, most / 1000000);
    return ferror(f) ? file_error("cannot read %s: %s", name, strerror(errno)) : EXIT_DONE;
}

int read_file(char **text, size_t *len, const char *path, size_t most)
{
    if (strcmp(path, "-") == 0)
        return read_stream(text, len, stdin, "standard input", most);
    FILE *f = fopen(path, "rb");
    if (!f)
        return file_error("%s: %s", path, strerror(errno));
    const int code = read_stream(text, len, f, path, most);
    fclose(f);
    return code;
}

int read_prompt(char **text, size_t *len, const struct text_args *args)
{
    if (!!args->prompt + !!args->file + args->stdin_prompt > 1)
        return usage_error("give only one prompt: -p, -f or -");
    if (args->prompt) {
        *len = strlen(args->prompt);
        *text = strdup(args->prompt);
        return *text ? EXIT_DONE : out_of_memory();
    }
    if (args->file)
        return read_file(text, len, args->file, SIZE_MAX / 4);
    if (!args->stdin_prompt && isatty(STDIN_FILENO))
        return usage_error("no prompt given; use -p TEXT, -f FILE, or a pipe");
    return read_stream(text, len, stdin, "standard input", SIZE_MAX / 4);
}

bool is_plain_number(const char *text, const char *ends)
{
    const size_t n = strspn(text, "0123456789.eE+-");
    return ((text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '.') &&
           (!text[n] || strchr(ends, text[n]));
}

int parse_ids(int32_t **out, int32_t *n, const char *option, const char *text)
{
    size_t most = 1;
    for (const char *p = text; *p; p++)
        most += *p == ',';
    int32_t *ids = malloc(most * sizeof *ids);
    *out = ids;
    *n = 0;
    if (!ids)
        return out_of_memory();
    bool open = text[0] == '['; /* as printed by tokenize */
    for (const char *p = text + open;; p++) {
        char *end;
        errno = 0;
        const long long id = strtoll(p, &end, 10);
        const bool plain = is_plain_number(p, ",]") && end != p && !errno;
        if (open && *end == ']' && !end[1]) {
            open = false;
            end++;
        }
        if (!plain || id < 0 || id > INT32_MAX || (*end && *end != ',') || (!*end && open))
            return usage_error("%s needs token ids such as 1,2,3, not '%.20s'", option, p);
        ids[(*n)++] = (int32_t)id;
        p = end;
        if (!*p)
            return EXIT_DONE;
    }
}
