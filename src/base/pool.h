/* pool.h - a thread pool with work stealing that runs one loop at a time.
 *
 * The caller is worker 0 and always takes part; with one thread there are no others. Each worker
 * has its own range, which it takes in chunks, to read memory in order. A worker that is done
 * steals the last chunks of the others' ranges. So a slow, late or descheduled worker does not
 * delay the rest: a loop ends when its items are done, not when every worker has woken up. The
 * result of an item must not depend on which worker computes it.
 *
 * Workers spin briefly between loops, then sleep. They run in the default floating-point
 * environment (nearest even, subnormals kept), whatever the host program has set; the caller's
 * environment is not changed. */
#ifndef TRIT_BASE_POOL_H
#define TRIT_BASE_POOL_H

#include "error.h"

enum { TRIT_MAX_THREADS = 512 };

struct trit_pool;

/* Items begin..end-1; worker in 0..n_threads-1. */
typedef void (*trit_task_fn)(void *ctx, size_t begin, size_t end, int worker);

/* @param n_threads  1..TRIT_MAX_THREADS, the caller included.
 * @return TRIT_OK, TRIT_E_MEMORY, or TRIT_E_FAILED if the system refuses a thread. */
trit_status trit_pool_open(struct trit_pool **out, int n_threads, struct trit_error *err);
void trit_pool_close(struct trit_pool **pool);

/* Call fn on 0..n-1 in pieces of chunk items (the last may be shorter), or in one piece if other
 * workers cannot help. Returns when all items are done.
 * Not thread-safe, and not to be called from within fn. */
void trit_pool_run(struct trit_pool *pool, trit_task_fn fn, void *ctx, size_t n, size_t chunk);

/* The same, but the caller runs first(ctx) before any item. Meanwhile each other worker that has
 * items calls ahead(ctx, item, step), for example to read ahead what they need. item is its first
 * one; step counts 0, 1, 2, … until ahead returns false or first() has returned. A step should take
 * a microsecond or less, as the loop waits for it. The last step may run concurrently with fn; it
 * must not access what first or fn write. */
void trit_pool_run_after(struct trit_pool *pool, void (*first)(void *ctx),
                         bool (*ahead)(void *ctx, size_t item, size_t step), trit_task_fn fn,
                         void *ctx, size_t n, size_t chunk);

#endif
