/* arena.h - one block of memory, laid out before it is allocated.
 *
 * The same code takes the parts twice, in the same order: first from an empty arena, which only
 * counts and returns NULL, then, after trit_arena_alloc(), from its block. Parts are aligned to 64
 * bytes. AddressSanitizer poisons the gap after each, to detect accesses beyond a part. */
#ifndef TRIT_BASE_ARENA_H
#define TRIT_BASE_ARENA_H

#include "platform.h"

struct trit_arena {
    uint64_t size;  /* of the parts taken so far */
    uint64_t total; /* of the block */
    bool overflow;  /* the size exceeds 64 bits */
    uint8_t *block; /* NULL: counting */
};

/* The next part, n items of `bytes` each; NULL while counting. An overflow is remembered, and
 * reported by trit_arena_alloc(). */
void *trit_arena_take(struct trit_arena *a, uint64_t n, uint64_t bytes);

/* Allocate the size counted, and start over at the first part. @return TRIT_OK or TRIT_E_MEMORY */
trit_status trit_arena_alloc(struct trit_arena *a, const char *what_for, struct trit_error *err);

void trit_arena_free(struct trit_arena *a);

#endif
