/* merge.c - see merge.h. */
#include "merge.h"

#include <stdlib.h>

/* A pair as it was queued; stale if either symbol has changed since. */
struct trit_pair {
    uint32_t key, left, left_len, right_len;
    int32_t joined;
};

static void *grow(void *p, uint32_t *size, size_t item)
{
    const uint32_t larger = *size < 64 ? 64 : 2 * *size;
    void *q = *size > UINT32_MAX / 4 ? NULL : realloc(p, larger * item);
    if (q)
        *size = larger;
    return q;
}

bool trit_merger_add(struct trit_merger *m, int32_t id, size_t at, size_t len)
{
    if (m->n_symbols == m->symbols_size) {
        void *p = grow(m->symbols, &m->symbols_size, sizeof *m->symbols);
        if (!p)
            return false;
        m->symbols = p;
    }
    const int32_t i = (int32_t)m->n_symbols++;
    m->symbols[i] = (struct trit_symbol){id, (uint32_t)at, (uint32_t)len, i - 1, -1};
    if (i > 0)
        m->symbols[i - 1].next = i;
    return true;
}

static bool goes_first(const struct trit_pair *a, const struct trit_pair *b)
{
    return a->key < b->key || (a->key == b->key && a->left < b->left);
}

static bool heap_push(struct trit_merger *m, struct trit_pair pair)
{
    if (m->n_heap == m->heap_size) {
        void *p = grow(m->heap, &m->heap_size, sizeof *m->heap);
        if (!p)
            return false;
        m->heap = p;
    }
    uint32_t i = m->n_heap++;
    for (; i > 0 && goes_first(&pair, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = pair;
    return true;
}

static struct trit_pair heap_pop(struct trit_merger *m)
{
    const struct trit_pair top = m->heap[0], last = m->heap[--m->n_heap];
    uint32_t i = 0, child;

    for (; (child = 2 * i + 1) < m->n_heap; i = child) {
        if (child + 1 < m->n_heap && goes_first(&m->heap[child + 1], &m->heap[child]))
            child++;
        if (!goes_first(&m->heap[child], &last))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = last;
    return top;
}

/* Queue the pair that begins with a symbol, if the two may join. */
static bool queue_pair(struct trit_merger *m, int32_t left)
{
    const struct trit_symbol *l = left >= 0 ? &m->symbols[left] : NULL;
    struct trit_pair pair;

    if (!l || l->next < 0)
        return true;
    const struct trit_symbol *r = &m->symbols[l->next];
    if (!m->may_join(m->ctx, l, r, &pair.key, &pair.joined))
        return true;
    pair.left = (uint32_t)left;
    pair.left_len = l->len;
    pair.right_len = r->len;
    return heap_push(m, pair);
}

bool trit_merger_run(struct trit_merger *m)
{
    for (uint32_t i = 0; i < m->n_symbols; i++)
        if (!queue_pair(m, (int32_t)i))
            return false;
    while (m->n_heap > 0) {
        const struct trit_pair pair = heap_pop(m);
        struct trit_symbol *l = &m->symbols[pair.left];
        if (l->len != pair.left_len || l->next < 0 || m->symbols[l->next].len != pair.right_len)
            continue;
        struct trit_symbol *r = &m->symbols[l->next];
        l->id = pair.joined;
        l->len += r->len;
        r->len = 0;
        l->next = r->next;
        if (l->next >= 0)
            m->symbols[l->next].prev = (int32_t)pair.left;
        if (!queue_pair(m, l->prev) || !queue_pair(m, (int32_t)pair.left))
            return false;
    }
    return true;
}

void trit_merger_clear(struct trit_merger *m)
{
    m->n_symbols = m->n_heap = 0;
}

void trit_merger_free(struct trit_merger *m)
{
    free(m->symbols);
    free(m->heap);
    m->symbols = NULL;
    m->heap = NULL;
}
