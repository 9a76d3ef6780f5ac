/* arena.c - see arena.h. */
#include "arena.h"

#include <assert.h>

#include "checked.h"

void *trit_arena_take(struct trit_arena *a, uint64_t n, uint64_t bytes)
{
    const uint64_t offset = a->size;
    uint64_t part;

    if (!trit_mul_u64(n, bytes, &part) || part > UINT64_MAX / 2 ||
        !trit_add_u64(a->size, trit_round_up(part, TRIT_ALIGN) + TRIT_ALIGN, &a->size)) {
        a->overflow = true;
        return NULL;
    }
    if (!a->block)
        return NULL;
    assert(a->size <= a->total);
    trit_unpoison(a->block + offset, (size_t)part);
    return a->block + offset;
}

trit_status trit_arena_alloc(struct trit_arena *a, const char *what_for, struct trit_error *err)
{
    if (a->overflow || a->size > SIZE_MAX / 2)
        return trit_fail(err, TRIT_E_MEMORY, "out of memory: %s needs more than can be addressed",
                         what_for);
    a->block = trit_alloc_aligned((size_t)a->size);
    if (!a->block)
        return trit_fail_memory(err, a->size, what_for);
    a->total = a->size;
    a->size = 0;
    trit_poison(a->block, (size_t)a->total);
    return TRIT_OK;
}

void trit_arena_free(struct trit_arena *a)
{
    if (a->block)
        trit_unpoison(a->block, (size_t)a->total);
    trit_free_aligned(a->block);
    *a = (struct trit_arena){0};
}
