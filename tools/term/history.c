/* history.c - see history.h. */
#define _DEFAULT_SOURCE /* flock */
#define _DARWIN_C_SOURCE

#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"

enum {
    MAX_ENTRY = 1 << 20,
    MAX_FILE = 16 << 20, /* bytes that are read, from the end of the file */
    LOCK_TRIES = 50,     /* 10 ms each */
};

struct entry {
    char *text;
    size_t len;
};

struct history {
    char *path; /* or NULL */
    struct entry *entries;
    size_t n;
};

char *history_default_path(void)
{
    static const char end[] = "/trit/history";
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME"), *between = "";

    if (!state || *state != '/') { /* the XDG rules say to ignore a relative path */
        state = home;
        between = "/.local/state";
    }
    if (!state || !*state)
        return NULL;
    const size_t size = strlen(state) + strlen(between) + sizeof end;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s%s%s", state, between, end);
    return path;
}

/* ---- Entries --------------------------------------------------------------------------------- */

size_t history_count(const struct history *h)
{
    return h->n;
}

const char *history_entry(const struct history *h, size_t i, size_t *len)
{
    *len = i < h->n ? h->entries[i].len : 0;
    return i < h->n ? h->entries[i].text : "";
}

/* Whether to leave an entry out: empty, too long, or the same as the last one. */
static bool is_skipped(const struct history *h, const char *text, size_t len)
{
    const struct entry *last = h->n > 0 ? &h->entries[h->n - 1] : NULL;
    return len == 0 || len > MAX_ENTRY ||
           (last && last->len == len && memcmp(last->text, text, len) == 0);
}

/* Takes ownership of text. */
static void push_message(struct history *h, char *text, size_t len)
{
    if (h->n == HISTORY_MAX) {
        free(h->entries[0].text);
        h->n--;
        memmove(h->entries, h->entries + 1, h->n * sizeof *h->entries);
    }
    h->entries[h->n++] = (struct entry){text, len};
}

/* Add a line of the file. @return false: no memory */
static bool push_line(struct history *h, const char *line, size_t len)
{
    char *text = malloc(len + 1);
    size_t n = 0;

    if (!text)
        return false;
    for (size_t i = 0; i < len; i++) {
        static const char letters[] = "nr0\\", meanings[] = "\n\r\0\\";
        const char *letter =
            line[i] == '\\' && i + 1 < len ? memchr(letters, line[i + 1], 4) : NULL;
        text[n++] = letter ? meanings[letter - letters] : line[i];
        i += letter != NULL;
    }
    text[n] = '\0';
    if (is_skipped(h, text, n))
        free(text);
    else
        push_message(h, text, n);
    return true;
}

static bool escape_entry(struct bytes *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char c = text[i];
        const char *form = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\\' ? "\\\\" : "\\0";
        const bool special = c == '\n' || c == '\r' || c == '\\' || c == '\0';
        if (!bytes_add(out, special ? form : &c, special ? 2 : 1))
            return false;
    }
    return bytes_add(out, "\n", 1);
}

/* ---- The file -------------------------------------------------------------------------------- */

/* Read the end of a file, from the start of a line. @return false: errno says why */
static bool read_end(int fd, struct bytes *out)
{
    struct stat st;
    char piece[1 << 16];

    if (fstat(fd, &st) != 0)
        return false;
    const bool cut = st.st_size > MAX_FILE;
    off_t at = cut ? st.st_size - MAX_FILE : 0;
    while (out->len < MAX_FILE) {
        const ssize_t n = pread(fd, piece, sizeof piece, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (!bytes_add(out, piece, (size_t)n)) {
            errno = ENOMEM;
            return false;
        }
        at += n;
    }
    if (cut) {
        const char *line = out->len > 0 ? memchr(out->data, '\n', out->len) : NULL;
        bytes_replace(out, 0, line ? (size_t)(line - out->data) + 1 : out->len, "", 0);
    }
    return true;
}

/* Add the lines of the file. @return how many, or -1: no memory */
static long load_lines(struct history *h, const struct bytes *b)
{
    const char *p = bytes_text(b), *end = p + b->len;
    long n = 0;

    for (; p < end; n++) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));
        const size_t len = (size_t)((line_end ? line_end : end) - p);
        if (len <= 2 * MAX_ENTRY && !push_line(h, p, len))
            return -1;
        p += len + 1;
    }
    return n;
}

static bool lock_file(int fd)
{
    const struct timespec wait = {.tv_nsec = 10000000};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return true; /* a file system without locks */
        nanosleep(&wait, NULL);
    }
    errno = EWOULDBLOCK;
    return false;
}

/* Open and lock a file, again if another program replaces it meanwhile.
 * @return -1: errno says why */
static int open_locked(const char *path, int flags)
{
    struct stat st, named;

    for (;;) {
        const int fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
        if (fd < 0)
            return -1;
        if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !lock_file(fd)) {
            const int error = S_ISREG(st.st_mode) ? errno : EINVAL;
            close(fd);
            errno = error;
            return -1;
        }
        if (stat(path, &named) == 0 && named.st_ino == st.st_ino && named.st_dev == st.st_dev) {
            if (st.st_mode & 077)
                (void)!fchmod(fd, 0600);
            return fd;
        }
        close(fd);
    }
}

static bool write_bytes_to(int fd, const char *p, size_t n)
{
    while (n > 0) {
        const ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            return false;
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

/* Replace the locked file with one of the entries only. A failure leaves it unchanged. */
static void trim_file(const struct history *h)
{
    const size_t size = strlen(h->path) + 8;
    char *path = malloc(size);
    struct bytes b = {0};
    bool ok = path != NULL;

    for (size_t i = 0; i < h->n && ok; i++)
        ok = escape_entry(&b, h->entries[i].text, h->entries[i].len);
    if (ok) {
        snprintf(path, size, "%s.XXXXXX", h->path);
        const int fd = mkstemp(path); /* 0600 */
        ok = fd >= 0 && write_bytes_to(fd, bytes_text(&b), b.len);
        if (fd >= 0) {
            ok = close(fd) == 0 && ok;
            if (!ok || rename(path, h->path) != 0)
                unlink(path);
        }
    }
    bytes_free(&b);
    free(path);
}

/* A file that cannot be read is ignored. @return false: no memory */
static bool load_history(struct history *h)
{
    struct bytes b = {0};
    const int fd = open_locked(h->path, 0);
    bool ok = true;

    if (fd < 0)
        return true;
    if (read_end(fd, &b)) {
        const long n = load_lines(h, &b);
        ok = n >= 0;
        if (n > 2 * HISTORY_MAX || b.len > MAX_FILE / 2)
            trim_file(h);
    } else {
        ok = errno != ENOMEM;
    }
    bytes_free(&b);
    close(fd);
    return ok;
}

/* Make the folders of a file, for its owner only. */
static void make_folders(char *path)
{
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            mkdir(path, 0700); /* opening the file reports a failure */
            *p = '/';
        }
}

/* Append a line to the file, all of it or nothing. @return 0 or errno */
static int append_to_file(struct history *h, const struct bytes *line)
{
    struct stat st;
    char last = '\n';
    int error = 0;

    make_folders(h->path);
    const int fd = open_locked(h->path, O_CREAT | O_APPEND);
    if (fd < 0)
        return errno;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
        last = '\n';
    if ((last != '\n' && !write_bytes_to(fd, "\n", 1)) ||
        !write_bytes_to(fd, line->data, line->len)) {
        error = errno;
        (void)!ftruncate(fd, st.st_size);
    }
    if (close(fd) != 0 && !error)
        error = errno;
    return error;
}

/* ---- Open, add, close ------------------------------------------------------------------------ */

struct history *history_open(const char *path)
{
    struct history *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->entries = malloc(HISTORY_MAX * sizeof *h->entries);
    h->path = path ? strdup(path) : NULL;
    if (!h->entries || (path && !h->path) || (path && !load_history(h))) {
        history_close(h);
        return NULL;
    }
    return h;
}

void history_close(struct history *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->n; i++)
        free(h->entries[i].text);
    free(h->entries);
    free(h->path);
    free(h);
}

int history_add(struct history *h, const char *text, size_t len)
{
    struct bytes line = {0};
    int error = ENOMEM;

    if (is_skipped(h, text, len))
        return 0;
    char *copy = malloc(len + 1);
    if (copy && escape_entry(&line, text, len)) {
        memcpy(copy, text, len);
        copy[len] = '\0';
        push_message(h, copy, len);
        copy = NULL;
        error = h->path ? append_to_file(h, &line) : 0;
    }
    free(copy);
    bytes_free(&line);
    return error;
}
