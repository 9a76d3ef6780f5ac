/* output.c - see output.h. */
#define _XOPEN_SOURCE 700

#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

/* The temporary file, for signals that end the program. One output is open at a time. */
static char *volatile unfinished;

void discard_output(void)
{
    if (unfinished)
        unlink(unfinished);
}

static void on_end_signal(int sig)
{
    discard_output();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Signals that end a program. SIGXFSZ is not among them: it is ignored, and the write fails. */
static const int ends[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGXCPU, SIGALRM, SIGUSR1,
                           SIGUSR2, SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL};
enum { N_ENDS = sizeof ends / sizeof *ends };

void watch_end_signals(void)
{
    const struct sigaction action = {.sa_handler = on_end_signal};

    for (int i = 0; i < N_ENDS; i++) {
        struct sigaction before;
        if (sigaction(ends[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(ends[i], &action, NULL);
    }
}

/* @return the target of a link, or a copy of the path if it is not a link. NULL: errno says why; a
 * dangling link is an error. */
static char *resolve_link(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return realpath(path, NULL);
    char *copy = malloc(strlen(path) + 1);
    return copy ? strcpy(copy, path) : NULL;
}

/* @return the standard stream that already writes to this file, as for /dev/stdout; or -1 */
static int standard_stream(const struct stat *st)
{
    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat open;
        if (fstat(fd, &open) == 0 && open.st_dev == st->st_dev && open.st_ino == st->st_ino)
            return fd;
    }
    return -1;
}

/* Open a file that is not replaced. A standard stream continues at its position. */
static FILE *open_direct(const char *path, const struct stat *st)
{
    const int fd = standard_stream(st);
    return fd < 0 ? fopen(path, "wb") : fdopen(dup(fd), "wb");
}

/* Create the temporary file with the mode of the replaced one, or with `mode` as the umask says. */
static FILE *open_partial(char *partial, const struct stat *replaced, mode_t mode)
{
    const mode_t mask = umask(0);
    umask(mask);
    const int fd = mkstemp(partial);
    if (fd < 0)
        return NULL;
    unfinished = partial;
    fchmod(fd, replaced ? replaced->st_mode & 0777 : mode & ~mask);
    FILE *f = fdopen(fd, "wb");
    if (!f) {
        unfinished = NULL;
        close(fd);
        unlink(partial);
    }
    return f;
}

/* Block signals between creating the file and noting its name. */
static FILE *open_watched(char *partial, const struct stat *replaced, mode_t mode)
{
    sigset_t set, before;
    sigemptyset(&set);
    for (int i = 0; i < N_ENDS; i++)
        sigaddset(&set, ends[i]);
    sigprocmask(SIG_BLOCK, &set, &before);
    FILE *f = open_partial(partial, replaced, mode);
    const int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return f;
}

static int open_with_mode(struct output *out, const char *path, mode_t mode)
{
    struct stat st;

    *out = (struct output){.path = path};
    const bool exists = stat(path, &st) == 0;
    if (exists && (!S_ISREG(st.st_mode) || standard_stream(&st) >= 0)) {
        out->f = open_direct(path, &st);
        return out->f ? EXIT_DONE : write_error(path);
    }
    if (!(out->target = resolve_link(path)))
        return write_error(path);
    if (exists && access(out->target, W_OK) != 0)
        return write_error(path);
    const size_t size = strlen(out->target) + sizeof ".XXXXXX";
    if (!(out->partial = malloc(size)))
        return out_of_memory();
    snprintf(out->partial, size, "%s.XXXXXX", out->target);
    out->f = open_watched(out->partial, exists ? &st : NULL, mode);
    return out->f ? EXIT_DONE : write_error(path);
}

int open_output(struct output *out, const char *path)
{
    return open_with_mode(out, path, 0666);
}

int open_private_output(struct output *out, const char *path)
{
    return open_with_mode(out, path, 0600);
}

int close_output(struct output *out, int code)
{
    errno = 0;
    const bool failed = out->f && ferror(out->f);
    if (out->f && (fclose(out->f) != 0 || failed) && !code)
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
