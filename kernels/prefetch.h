/* prefetch.h - software prefetch of weights that a single token streams.
 *
 * The rows of a tile are contiguous, but the tile reads several of them at once, a pattern that
 * hardware prefetchers do not follow. So each step of a tile prefetches as many bytes of a later
 * tile as it reads of its own, in memory order. A line is prefetched early enough, and only once
 * except at the ends and at the start of a page. The walk chooses the cache. Addresses beyond the
 * end, mapped or not, may be prefetched: that reads nothing and cannot fault. */
#ifndef TRIT_PREFETCH_H
#define TRIT_PREFETCH_H

#include "kernels.h"

enum { TRIT_LINE_BYTES = 64, TRIT_PAGE_BYTES = 4096, TRIT_PROBE_AHEAD = 4096 };

/* Bytes from a tile to the one that it prefetches: whole tiles. */
static inline size_t trit_prefetch_distance(const struct trit_walk *walk, size_t tile_bytes)
{
    return tile_bytes ? (walk->ahead + tile_bytes - 1) / tile_bytes * tile_bytes : 0;
}

/* Always inlined: gcc believes that a function that only prefetches has no effect, and drops calls
 * to it. */
#define TRIT_PREFETCH static inline __attribute__((always_inline)) void

/* Prefetch the lines of n_bytes at p. The hint is an operand of the instruction. */
TRIT_PREFETCH trit_prefetch(const uint8_t *p, size_t n_bytes, enum trit_hint hint)
{
    if (hint == TRIT_HINT_T0)
        for (size_t i = 0; i < n_bytes; i += TRIT_LINE_BYTES)
            __builtin_prefetch(p + i, 0, 3);
    else if (hint == TRIT_HINT_T1)
        for (size_t i = 0; i < n_bytes; i += TRIT_LINE_BYTES)
            __builtin_prefetch(p + i, 0, 2);
    else if (hint == TRIT_HINT_NTA)
        for (size_t i = 0; i < n_bytes; i += TRIT_LINE_BYTES)
            __builtin_prefetch(p + i, 0, 0);
}

/* While the lines of n_bytes at p are prefetched, prefetch one line of each page that follows, so
 * that the TLB holds it by then. (Files are mapped in small pages; a page walk takes as long as
 * reading several lines, especially in a virtual machine.) */
TRIT_PREFETCH trit_prefetch_pages(const uint8_t *p, size_t n_bytes, enum trit_hint hint)
{
    for (size_t i = 0; i < n_bytes && hint != TRIT_HINT_NONE; i += TRIT_PAGE_BYTES)
        __builtin_prefetch(p + TRIT_PAGE_BYTES + i, 0, 2);
}

/* While tile i of n is multiplied: prefetch its share of the next panel, n_rows rows of n_bytes. */
TRIT_PREFETCH trit_prefetch_panel(const uint8_t *w, size_t row_bytes, size_t n_rows, size_t n_bytes,
                                  size_t i, size_t n)
{
    const size_t each = (n_rows + n - 1) / n;

    for (size_t r = i * each; r < (i + 1) * each && r < n_rows; r++)
        trit_prefetch(w + r * row_bytes, n_bytes, TRIT_HINT_T0);
}

/* Prefetch the first tiles of n_bytes, which no earlier tile prefetches. */
TRIT_PREFETCH trit_prefetch_first(const struct trit_walk *walk, const uint8_t *p, size_t n_bytes,
                                  size_t tile_bytes)
{
    const size_t ahead = trit_prefetch_distance(walk, tile_bytes);
    trit_prefetch(p, ahead < n_bytes ? ahead : n_bytes, walk->hint);
}

#endif
