/* output.c - see output.h. */
#define _XOPEN_SOURCE 700

#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

static FILE *open_partial(char *partial)
{
    const mode_t mask = umask(0);
    umask(mask);
    const int fd = mkstemp(partial);
    if (fd < 0)
        return NULL;
    fchmod(fd, 0666 & ~mask);
    return fdopen(fd, "wb");
}

int open_output(struct output *out, const char *path)
{
    struct stat st;
    const bool direct = lstat(path, &st) == 0 && !S_ISREG(st.st_mode);
    const size_t size = strlen(path) + sizeof ".XXXXXX";

    *out = (struct output){.path = path, .partial = direct ? NULL : malloc(size)};
    if (direct) {
        out->f = fopen(path, "wb");
    } else if (out->partial) {
        snprintf(out->partial, size, "%s.XXXXXX", path);
        out->f = open_partial(out->partial);
    } else {
        return out_of_memory();
    }
    return out->f ? EXIT_DONE : write_error(path);
}

int close_output(struct output *out, int code)
{
    if (out->f && fclose(out->f) != 0 && !code)
        code = write_error(out->path);
    if (out->f && out->partial && !code && rename(out->partial, out->path) != 0)
        code = write_error(out->path);
    if (out->f && out->partial && code)
        unlink(out->partial);
    free(out->partial);
    return code;
}
