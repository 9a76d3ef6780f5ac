/* stream.h - asking for weights before they are needed, where a lone token streams them.
 *
 * The rows of a tile are contiguous, but the tile walks down several of them at once, a pattern
 * that hardware prefetchers do not follow. So each step of a tile asks for as many bytes of a later
 * tile as it takes of its own, in the order of memory: a line is asked for early enough, once but
 * at the ends, and into all caches: on Intel servers a line that is asked for as used once (NTA)
 * passes the second-level cache by and is often gone before it is used. What lies beyond the end,
 * mapped or not, may be asked for: that reads nothing and cannot fault. */
#ifndef TRIT_STREAM_H
#define TRIT_STREAM_H

#include <stddef.h>
#include <stdint.h>

enum { TRIT_STREAM_AHEAD = 8192, TRIT_STREAM_LINE = 64 };

/* Bytes from a tile to the one to ask for meanwhile: whole tiles. */
static inline size_t trit_stream_distance(size_t tile_bytes)
{
    return tile_bytes ? (TRIT_STREAM_AHEAD + tile_bytes - 1) / tile_bytes * tile_bytes : 0;
}

/* Ask for the lines of n_bytes at p. */
static inline void trit_stream_ask(const uint8_t *p, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes; i += TRIT_STREAM_LINE)
        __builtin_prefetch(p + i, 0, 3);
}

/* Ask for the first tiles of n_bytes, which no tile before asked for. */
static inline void trit_stream_begin(const uint8_t *p, size_t n_bytes, size_t tile_bytes)
{
    const size_t ahead = trit_stream_distance(tile_bytes);
    trit_stream_ask(p, ahead < n_bytes ? ahead : n_bytes);
}

#endif
