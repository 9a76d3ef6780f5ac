/* merge.h - the merging that both kinds of BPE do: join neighbours, best pair first.
 *
 * Symbols are a linked list over a text; the pairs that could join wait in a heap. n log n in the
 * number of symbols, whatever the text. */
#ifndef TRIT_TEXT_MERGE_H
#define TRIT_TEXT_MERGE_H

#include "error.h"

struct trit_symbol {
    int32_t id;       /* token, or -1 */
    uint32_t at, len; /* its bytes in the text; len 0: joined to the one before */
    int32_t prev, next;
};

struct trit_merger {
    struct trit_symbol *symbols;
    uint32_t n_symbols, symbols_size;
    struct trit_pair *heap;
    uint32_t n_heap, heap_size;

    /* May left and right join? Then what token (or -1) they make; lower keys go first. */
    bool (*may_join)(const void *ctx, const struct trit_symbol *left,
                     const struct trit_symbol *right, uint32_t *key, int32_t *joined);
    const void *ctx;
};

/* Append a symbol. False: out of memory. */
bool trit_merger_add(struct trit_merger *m, int32_t id, size_t at, size_t len);

/* Join until no pair may. Afterwards the symbols of len > 0, in order, are the result. The heap of
 * equal keys gives the leftmost pair first. False: out of memory. */
bool trit_merger_run(struct trit_merger *m);

void trit_merger_clear(struct trit_merger *m); /* for the next text; keeps the memory */
void trit_merger_free(struct trit_merger *m);

#endif
