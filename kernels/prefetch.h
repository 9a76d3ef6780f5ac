/* prefetch.h - asking for weights before they are needed, where a lone token streams them.
 *
 * The rows of a tile are contiguous, but the tile walks down several of them at once, a pattern
 * that hardware prefetchers do not follow. So each step of a tile asks for as many bytes of a later
 * tile as it takes of its own, in the order of memory: a line is asked for early enough, and once
 * but at the ends and at the start of a page. Into which cache is the walk's to say. What lies
 * beyond the end, mapped or not, may be asked for: that reads nothing and cannot fault. */
#ifndef TRIT_PREFETCH_H
#define TRIT_PREFETCH_H

#include "kernels.h"

enum { TRIT_LINE_BYTES = 64, TRIT_PAGE_BYTES = 4096, TRIT_PROBE_AHEAD = 4096 };

/* Bytes from a tile to the one to ask for meanwhile: whole tiles. */
static inline size_t trit_stream_distance(const struct trit_walk *walk, size_t tile_bytes)
{
    return tile_bytes ? (walk->ahead + tile_bytes - 1) / tile_bytes * tile_bytes : 0;
}

/* gcc takes a function that does nothing but ask for one without effect, and drops calls to it. */
#define TRIT_ASKING static inline __attribute__((always_inline)) void

/* Ask for the lines of n_bytes at p. The hint is an operand of the instruction. */
TRIT_ASKING trit_stream_ask(const uint8_t *p, size_t n_bytes, enum trit_hint hint)
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

/* Lines of n_bytes at p are being asked for: ask for one line of each page that follows, so that
 * its address is known by then. (A file is mapped by small pages; looking one up takes as long as
 * reading several lines, in a virtual machine above all.) */
TRIT_ASKING trit_stream_pages(const uint8_t *p, size_t n_bytes, enum trit_hint hint)
{
    for (size_t i = 0; i < n_bytes && hint != TRIT_HINT_NONE; i += TRIT_PAGE_BYTES)
        __builtin_prefetch(p + TRIT_PAGE_BYTES + i, 0, 2);
}

/* While tile i of n is multiplied: ask for its share of the next panel, n_rows rows of n_bytes. */
TRIT_ASKING trit_ask_panel(const uint8_t *w, size_t row_bytes, size_t n_rows, size_t n_bytes,
                           size_t i, size_t n)
{
    const size_t each = (n_rows + n - 1) / n;

    for (size_t r = i * each; r < (i + 1) * each && r < n_rows; r++)
        trit_stream_ask(w + r * row_bytes, n_bytes, TRIT_HINT_T0);
}

/* Ask for the first tiles of n_bytes, which no tile before asked for. */
TRIT_ASKING trit_stream_begin(const struct trit_walk *walk, const uint8_t *p, size_t n_bytes,
                              size_t tile_bytes)
{
    const size_t ahead = trit_stream_distance(walk, tile_bytes);
    trit_stream_ask(p, ahead < n_bytes ? ahead : n_bytes, walk->hint);
}

#endif
