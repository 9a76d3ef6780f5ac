/* output.c - see output.h. */
#define _XOPEN_SOURCE 700

#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

/* What a signal that ends the program removes. One output at a time. */
static char *volatile unfinished;

void discard_output(void)
{
    if (unfinished)
        unlink(unfinished);
}

static void on_end(int sig)
{
    discard_output();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void watch(int sig)
{
    const struct sigaction action = {.sa_handler = on_end};
    struct sigaction before;
    if (sigaction(sig, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        sigaction(sig, &action, NULL);
}

/* The file that a link leads to, or the path itself; NULL: no memory. */
static char *resolve(const char *path)
{
    struct stat st;
    char *target = NULL;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        target = realpath(path, NULL); /* of a link that leads nowhere, none */
    if (target)
        return target;
    target = malloc(strlen(path) + 1);
    return target ? strcpy(target, path) : NULL;
}

static FILE *open_partial(char *partial)
{
    const mode_t mask = umask(0);
    umask(mask);
    const int fd = mkstemp(partial);
    if (fd < 0)
        return NULL;
    fchmod(fd, 0666 & ~mask);
    FILE *f = fdopen(fd, "wb");
    if (!f) {
        close(fd);
        unlink(partial);
    }
    return f;
}

int open_output(struct output *out, const char *path)
{
    struct stat st;

    *out = (struct output){.path = path, .target = resolve(path)};
    if (!out->target)
        return out_of_memory();
    if (lstat(out->target, &st) == 0 && !S_ISREG(st.st_mode)) {
        out->f = fopen(path, "wb");
        return out->f ? EXIT_DONE : write_error(path);
    }
    const size_t size = strlen(out->target) + sizeof ".XXXXXX";
    if (!(out->partial = malloc(size)))
        return out_of_memory();
    snprintf(out->partial, size, "%s.XXXXXX", out->target);
    out->f = open_partial(out->partial);
    if (!out->f)
        return write_error(path);
    unfinished = out->partial;
    watch(SIGTERM);
    watch(SIGHUP);
    return EXIT_DONE;
}

int close_output(struct output *out, int code)
{
    errno = 0;
    if (out->f && fclose(out->f) != 0 && !code)
        code = write_error(out->path);
    if (out->f && out->partial && !code && rename(out->partial, out->target) != 0)
        code = write_error(out->path);
    if (out->f && out->partial && code)
        unlink(out->partial);
    unfinished = NULL;
    free(out->partial);
    free(out->target);
    return code;
}
