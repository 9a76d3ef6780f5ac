/* platform.c - platform.h for POSIX, with extensions of Linux and macOS. */
#if defined(__linux__)
#define _DEFAULT_SOURCE /* madvise */
#elif defined(__APPLE__)
#define _DARWIN_C_SOURCE
#else
#define _POSIX_C_SOURCE 200809L
#endif

#include "platform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "checked.h"

/* ---- Memory ---------------------------------------------------------------------------------- */

void *trit_alloc_aligned(size_t bytes)
{
    void *p = NULL;
    return posix_memalign(&p, TRIT_ALIGN, bytes ? bytes : 1) == 0 ? p : NULL;
}

void trit_free_aligned(void *p)
{
    free(p);
}

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif

#if WITH_ASAN
#include <sanitizer/asan_interface.h>
void trit_poison(void *p, size_t bytes)
{
    ASAN_POISON_MEMORY_REGION(p, bytes);
}

void trit_unpoison(void *p, size_t bytes)
{
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
}
#else
void trit_poison(void *p, size_t bytes)
{
    (void)p, (void)bytes;
}

void trit_unpoison(void *p, size_t bytes)
{
    (void)p, (void)bytes;
}
#endif

/* ---- Files ----------------------------------------------------------------------------------- */

bool trit_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 || errno != ENOENT;
}

void trit_each_name(const char *dir, void (*take)(void *user, const char *name), void *user)
{
    DIR *d = opendir(*dir ? dir : ".");

    for (const struct dirent *e; d && (e = readdir(d));)
        take(user, e->d_name);
    if (d)
        closedir(d);
}

bool trit_is_empty_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

static size_t page_bytes(void)
{
    const long n = sysconf(_SC_PAGESIZE);
    return n > 0 ? (size_t)n : 4096;
}

/* Bytes of a mapping's last page beyond the file: readable, but reading them is a bug. */
static size_t bytes_beyond(const struct trit_bytes *b)
{
    return (size_t)trit_round_up(b->size, page_bytes()) - b->size;
}

static trit_status read_all(struct trit_bytes *b, int fd, const char *path, struct trit_error *err)
{
    uint8_t *data = trit_alloc_aligned(b->size);
    if (!data)
        return trit_fail_memory(err, b->size, "reading the file");
    b->data = data;
    for (size_t done = 0; done < b->size;) {
        const size_t step = b->size - done < 1u << 30 ? b->size - done : 1u << 30;
        const ssize_t got = read(fd, data + done, step);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return trit_fail(err, TRIT_E_FILE, "%s: cannot read: %s", path,
                             got < 0 ? strerror(errno) : "the file shrank while it was read");
        done += (size_t)got;
    }
    return TRIT_OK;
}

static trit_status map_all(struct trit_bytes *b, int fd, const char *path, struct trit_error *err)
{
    void *p = mmap(NULL, b->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return trit_fail(err, errno == ENOMEM ? TRIT_E_MEMORY : TRIT_E_FILE, "%s: cannot map: %s",
                         path, strerror(errno));
    b->data = p;
    b->kind = TRIT_BYTES_MAPPED;
    trit_poison((uint8_t *)p + b->size, bytes_beyond(b));
    return TRIT_OK;
}

trit_status trit_bytes_open(struct trit_bytes *out, const char *path, bool no_mmap,
                            struct trit_error *err)
{
    struct stat st;
    trit_status status;
    *out = (struct trit_bytes){0};

    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* do not block on a pipe */
    if (fd < 0)
        return trit_fail(err, TRIT_E_FILE, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0)
        status = trit_fail(err, TRIT_E_FILE, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        status = trit_fail(err, TRIT_E_FILE, "%s is not a regular file", path);
    else if (st.st_size == 0)
        status = trit_fail(err, TRIT_E_FILE, "%s is empty", path);
    else if ((uint64_t)st.st_size > SIZE_MAX / 2)
        status = trit_fail(err, TRIT_E_FILE, "%s is too large for this machine", path);
    else {
        out->size = (size_t)st.st_size;
        status = no_mmap ? read_all(out, fd, path, err) : map_all(out, fd, path, err);
    }
    close(fd);
    if (status)
        trit_bytes_close(out);
    return status;
}

trit_status trit_bytes_lock(const struct trit_bytes *b, const char *path, struct trit_error *err)
{
    if (mlock(b->data, b->size) == 0)
        return TRIT_OK;
    return trit_fail(err, TRIT_E_MEMORY, "%s: cannot lock %.0f MiB in memory: %s (see ulimit -l)",
                     path, (double)b->size / 0x1p20, strerror(errno));
}

void trit_bytes_release(const struct trit_bytes *b, const uint8_t *data, size_t n)
{
    const size_t page = page_bytes(), begin = (size_t)(data - b->data), end = begin + n;
    const size_t first = begin / page * page, last = end / page * page;

    if (b->kind != TRIT_BYTES_MAPPED || last <= first)
        return;
#ifdef MADV_DONTNEED
    madvise((void *)(b->data + first), last - first, MADV_DONTNEED);
#else
    posix_madvise((void *)(b->data + first), last - first, POSIX_MADV_DONTNEED);
#endif
}

void trit_bytes_close(struct trit_bytes *b)
{
    if (b->kind == TRIT_BYTES_MAPPED) {
        trit_unpoison((uint8_t *)b->data + b->size, bytes_beyond(b));
        munmap((void *)b->data, b->size);
    } else if (b->kind == TRIT_BYTES_READ) {
        trit_free_aligned((void *)b->data);
    }
    *b = (struct trit_bytes){0};
}

/* ---- Threads --------------------------------------------------------------------------------- */

fenv_t trit_default_float_env(void)
{
    fenv_t env;
    fegetenv(&env);
    fesetenv(FE_DFL_ENV);
    return env;
}

double trit_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

void trit_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
