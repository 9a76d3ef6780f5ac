/* merge.h - the merge loop of both kinds of BPE: join neighbors, best pair first.
 *
 * Symbols are a linked list over a text; candidate pairs are in a heap. O(n log n) in the number of
 * symbols for any text. */
#ifndef TRIT_TEXT_MERGE_H
#define TRIT_TEXT_MERGE_H

#include "error.h"

struct trit_symbol {
    int32_t id;       /* token, or -1 */
    uint32_t at, len; /* its bytes in the text; len 0: merged into the previous one */
    int32_t prev, next;
};

struct trit_merger {
    struct trit_symbol *symbols;
    uint32_t n_symbols, symbols_size;
    struct trit_pair *heap;
    uint32_t n_heap, heap_size;

    /* Whether left and right may join, and into which token (or -1). Lower keys go first. */
    bool (*may_join)(const void *ctx, const struct trit_symbol *left,
                     const struct trit_symbol *right, uint32_t *key, int32_t *joined);
    const void *ctx;
};

/* Append a symbol. False: out of memory. */
bool trit_merger_add(struct trit_merger *m, int32_t id, size_t at, size_t len);

/* Join pairs until no two may join. The result is the symbols with len > 0, in order. Among equal
 * keys the leftmost pair goes first. False: out of memory. */
bool trit_merger_run(struct trit_merger *m);

void trit_merger_clear(struct trit_merger *m); /* for the next text; keeps the memory */
void trit_merger_free(struct trit_merger *m);

#endif
