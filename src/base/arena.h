/* arena.h - one block of memory, laid out before it is taken.
 *
 * Parts are reserved first, each giving its offset; then the block is allocated, its size known,
 * and the offsets become pointers. Parts are aligned to 64 bytes with a gap after each, poisoned
 * under AddressSanitizer, so that running off a part is seen. */
#ifndef TRIT_BASE_ARENA_H
#define TRIT_BASE_ARENA_H

#include "error.h"

enum { TRIT_ALIGN = 64 };

struct trit_arena {
    uint64_t size;  /* of what was reserved so far */
    bool overflow;  /* a reservation did not fit into 64 bits */
    uint8_t *block; /* NULL until allocated */
};

/* Reserve n items of `bytes` each; returns the offset. An overflow is remembered, and reported by
 * trit_arena_alloc(). */
uint64_t trit_arena_reserve(struct trit_arena *a, uint64_t n, uint64_t bytes);

/* Allocate what was reserved. @return TRIT_OK or TRIT_E_MEMORY. */
trit_status trit_arena_alloc(struct trit_arena *a, const char *what_for, struct trit_error *err);

/* The part at an offset, once allocated. */
void *trit_arena_at(const struct trit_arena *a, uint64_t offset, uint64_t n, uint64_t bytes);

void trit_arena_free(struct trit_arena *a);

#endif
