/* platform.h - what differs between operating systems; platform.c implements it for POSIX. */
#ifndef TRIT_BASE_PLATFORM_H
#define TRIT_BASE_PLATFORM_H

#include <fenv.h>

#include "error.h"

enum { TRIT_ALIGN = 64 };

/* Memory aligned to TRIT_ALIGN, not cleared; NULL if out of memory. Release with
 * trit_free_aligned(). */
void *trit_alloc_aligned(size_t bytes);
void trit_free_aligned(void *p);

/* Mark memory as inaccessible, or as usable again. Does nothing without AddressSanitizer. */
void trit_poison(void *p, size_t bytes);
void trit_unpoison(void *p, size_t bytes);

/* Whether path exists. True for a dangling link, and if the answer cannot be determined, so that
 * opening the path reports the reason. */
bool trit_exists(const char *path);

/* Call take with each name in a folder, in no order; not at all if the folder cannot be read. */
void trit_each_name(const char *dir, void (*take)(void *user, const char *name), void *user);

/* Whether path is an empty regular file, which trit_bytes_open() rejects. */
bool trit_is_empty_file(const char *path);

/* The bytes of a whole regular file. */
struct trit_bytes {
    const uint8_t *data;
    size_t size;
    enum { TRIT_BYTES_READ, TRIT_BYTES_MAPPED, TRIT_BYTES_BORROWED } kind; /* READ: into memory */
};

/* @return TRIT_OK; TRIT_E_FILE: missing, unreadable, empty, not a regular file; TRIT_E_MEMORY. */
trit_status trit_bytes_open(struct trit_bytes *out, const char *path, bool no_mmap,
                            struct trit_error *err);

/* Read a file as JSON. *out is NULL after an error. @return as trit_bytes_open(), or as
 * trit_json_read() with the path in front of the text */
trit_status trit_json_open(struct trit_json **out, const char *path, struct trit_error *err);

/* Lock the bytes in physical memory. @return TRIT_OK or TRIT_E_MEMORY */
trit_status trit_bytes_lock(const struct trit_bytes *b, const char *path, struct trit_error *err);

/* Release the pages of n bytes at data, within b, if b is mapped; a later read loads them again.
 * This includes the page that the bytes begin in, but not one that they end inside. So releasing
 * consecutive pieces of any size leaves no page behind. */
void trit_bytes_release(const struct trit_bytes *b, const uint8_t *data, size_t n);
void trit_bytes_close(struct trit_bytes *b);

/* Put this thread into the default floating-point environment: round to nearest even, keep
 * subnormals. @return the previous one, for fesetenv() */
fenv_t trit_default_float_env(void);

/* A monotonic clock. */
double trit_now_ms(void);

/* Hint to the CPU that this is a spin wait. */
void trit_cpu_relax(void);

#endif
