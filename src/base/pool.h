/* pool.h - a fixed set of threads that share one loop at a time.
 *
 * The caller is worker 0 and always takes part; with one thread there are no others. Each worker
 * has a range of its own, so that it walks through memory in order, and takes it in chunks; one
 * that is done takes the last chunks of the others' ranges. So a slow, late or descheduled worker
 * holds up nobody: a loop ends when its items are done, not when every worker has woken up. Which
 * worker does an item must not matter to its result.
 *
 * Workers spin briefly between loops, then sleep. They run in the default floating-point
 * environment (nearest even, subnormals kept), whatever the host program has set; the caller's own
 * is its caller's business. */
#ifndef TRIT_BASE_POOL_H
#define TRIT_BASE_POOL_H

#include "error.h"

enum { TRIT_MAX_THREADS = 512 };

struct trit_pool;

/* Items begin..end-1; worker in 0..n_threads-1. */
typedef void (*trit_task_fn)(void *ctx, size_t begin, size_t end, int worker);

/* @param n_threads  1..TRIT_MAX_THREADS, the caller included.
 * @return TRIT_OK, TRIT_E_MEMORY, or TRIT_E_FAILED: the system gives no more threads. */
trit_status trit_pool_open(struct trit_pool **out, int n_threads, struct trit_error *err);
void trit_pool_close(struct trit_pool **pool);

/* Call fn on 0..n-1 in pieces of chunk items (the last may be shorter), or in one piece where no
 * other worker could help; returns when all are done.
 * One loop at a time: by one thread, and not from within fn. */
void trit_pool_run(struct trit_pool *pool, trit_task_fn fn, void *ctx, size_t n, size_t chunk);

/* The same where first(ctx) is to be done before any item, by the caller. Meanwhile the other
 * workers, those that come in time and have items, call ahead(ctx, item, step), say to read what is
 * needed from the first item of their range on, with step 0, 1, 2, … until that returns false or
 * first() is over. A step should be short, a microsecond or less: the loop does not end before it
 * does. The last one may run beside fn; it must not touch what first or fn write. */
void trit_pool_run_after(struct trit_pool *pool, void (*first)(void *ctx),
                         bool (*ahead)(void *ctx, size_t item, size_t step), trit_task_fn fn,
                         void *ctx, size_t n, size_t chunk);

int trit_pool_threads(const struct trit_pool *pool);

#endif
