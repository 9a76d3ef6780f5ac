/* pool.c - threads; see pool.h.
 *
 * One atomic word holds everything that threads wait for:
 *
 *   63        32 31     30            0
 *   | generation | open | workers inside |
 *
 * The caller opens a loop by storing the next generation with the open bit. A worker that sees it
 * joins by adding one, if it is still open. When no chunk is left, the caller clears the bit and
 * waits for the count to reach 0. The loop's fields are written only while the word is closed and
 * the count is 0, so a worker that has joined may read them.
 *
 * The exception is `begun`: it is stored while the loop is open, once first() has returned. */
#define _POSIX_C_SOURCE 200809L

#include "pool.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "platform.h"

#define OPEN ((uint64_t)1 << 31)
#define INSIDE (OPEN - 1)
#define GENERATION ((uint64_t)1 << 32)

/* How long to spin before sleeping: longer than the gaps between the loops of a token. */
static const double spin_ms = 0.05;
enum { SPINS_PER_CLOCK = 64, CACHE_LINE = 64 };

struct trit_pool {
    _Alignas(CACHE_LINE) _Atomic uint64_t state; /* alone in its line: threads spin on it */
    _Alignas(CACHE_LINE) trit_task_fn fn;
    void *ctx;
    size_t n, chunk;
    bool (*ahead)(void *ctx, size_t item, size_t step); /* until `begun` */
    _Alignas(CACHE_LINE) _Atomic bool begun;            /* first() has returned */

    _Alignas(CACHE_LINE) pthread_mutex_t lock;
    pthread_cond_t opened, left;
    _Atomic int n_sleeping;    /* workers waiting for `opened` */
    _Atomic int caller_sleeps; /* the caller waiting for `left` */
    _Atomic bool stop;

    int n_threads, n_started;
    struct worker {
        struct trit_pool *pool;
        pthread_t thread;
        int index;
    } * workers; /* [n_threads - 1] */

    struct range {
        _Alignas(CACHE_LINE) _Atomic uint64_t left; /* chunks not taken yet: first, end */
    } * ranges;                                     /* [n_threads] */
};

static uint64_t chunks(uint64_t first, uint64_t end)
{
    return first << 32 | end;
}

static size_t first_chunk(uint64_t left)
{
    return left >> 32;
}

static size_t end_chunk(uint64_t left)
{
    return left & UINT32_MAX;
}

/* Take a chunk. The owner of the range takes the first one, to read memory in order; others take
 * the last one, so as not to disturb that. */
static bool take_chunk(struct range *r, bool own, size_t *chunk)
{
    uint64_t left = atomic_load(&r->left), rest;
    do {
        const size_t first = first_chunk(left), end = end_chunk(left);
        if (first == end)
            return false;
        *chunk = own ? first : end - 1;
        rest = own ? chunks(first + 1, end) : chunks(first, end - 1);
    } while (!atomic_compare_exchange_weak(&r->left, &left, rest));
    return true;
}

/* Work through the worker's own range, then steal from the others'. */
static void run_chunks(struct trit_pool *p, int worker)
{
    for (int i = 0; i < p->n_threads; i++)
        for (size_t c; take_chunk(&p->ranges[(worker + i) % p->n_threads], i == 0, &c);) {
            const size_t begin = c * p->chunk, left = p->n - begin;
            p->fn(p->ctx, begin, left < p->chunk ? p->n : begin + p->chunk, worker);
        }
}

/* Give each worker an equal range. */
static void split_ranges(struct trit_pool *p)
{
    const size_t n_chunks = (p->n + p->chunk - 1) / p->chunk, n_threads = (size_t)p->n_threads;

    assert(n_chunks <= UINT32_MAX);
    for (size_t i = 0; i < n_threads; i++)
        atomic_store(&p->ranges[i].left,
                     chunks(n_chunks * i / n_threads, n_chunks * (i + 1) / n_threads));
}

/* Join the open loop, unless its generation is `done`. */
static bool join_loop(struct trit_pool *p, uint64_t done)
{
    uint64_t s = atomic_load(&p->state);
    while ((s & OPEN) && s / GENERATION != done)
        if (atomic_compare_exchange_weak(&p->state, &s, s + 1))
            return true;
    return false;
}

/* Wake the threads that sleep on cond. */
static void wake_sleepers(struct trit_pool *p, pthread_cond_t *cond, const _Atomic int *n_sleeping)
{
    if (!atomic_load(n_sleeping))
        return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(cond);
    pthread_mutex_unlock(&p->lock);
}

static void leave_loop(struct trit_pool *p)
{
    if (!((atomic_fetch_sub(&p->state, 1) - 1) & (OPEN | INSIDE)))
        wake_sleepers(p, &p->left, &p->caller_sleeps);
}

/* Wait until holds(): spin, then sleep. Whoever makes it hold calls wake_sleepers() after that. */
static void wait_until(struct trit_pool *p, bool (*holds)(struct trit_pool *p, uint64_t arg),
                       uint64_t arg, pthread_cond_t *cond, _Atomic int *n_sleeping)
{
    const double until = trit_now_ms() + spin_ms;
    do {
        for (int i = 0; i < SPINS_PER_CLOCK; i++) {
            if (holds(p, arg))
                return;
            trit_cpu_relax();
        }
    } while (trit_now_ms() < until);
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(n_sleeping, 1);
    while (!holds(p, arg))
        pthread_cond_wait(cond, &p->lock);
    atomic_fetch_sub(n_sleeping, 1);
    pthread_mutex_unlock(&p->lock);
}

static bool joined_or_stopped(struct trit_pool *p, uint64_t done)
{
    return join_loop(p, done) || atomic_load(&p->stop);
}

static bool has_begun(struct trit_pool *p, uint64_t unused)
{
    (void)unused;
    return atomic_load(&p->begun);
}

static bool is_empty(struct trit_pool *p, uint64_t unused)
{
    (void)unused;
    return !(atomic_load(&p->state) & INSIDE);
}

/* Read the worker's first items ahead, until first() has returned. */
static void work_ahead(struct trit_pool *p, const struct range *r)
{
    const uint64_t left = atomic_load(&r->left); /* after `begun`, any item will do */
    const size_t item = first_chunk(left) * p->chunk;

    if (first_chunk(left) < end_chunk(left))
        for (size_t step = 0; !atomic_load(&p->begun) && p->ahead(p->ctx, item, step);)
            step++;
    wait_until(p, has_begun, 0, &p->opened, &p->n_sleeping);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct trit_pool *p = w->pool;
    uint64_t done = 0;

    trit_default_float_env();
    for (;;) {
        wait_until(p, joined_or_stopped, done, &p->opened, &p->n_sleeping);
        if (atomic_load(&p->stop))
            return NULL;
        done = atomic_load(&p->state) / GENERATION; /* constant while we are inside */
        if (!atomic_load(&p->begun))
            work_ahead(p, &p->ranges[w->index]);
        run_chunks(p, w->index);
        leave_loop(p);
    }
}

/* Workers block all signals, so that only the host program's own threads get them. */
static trit_status start_workers(struct trit_pool *p, struct trit_error *err)
{
    trit_status status = TRIT_OK;
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; !status && i < p->n_threads - 1; i++) {
        struct worker *w = &p->workers[i];
        *w = (struct worker){.pool = p, .index = i + 1};
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0)
            status = trit_fail(err, TRIT_E_FAILED, "could start only %d of %d threads", i + 1,
                               p->n_threads);
        else
            p->n_started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}

trit_status trit_pool_open(struct trit_pool **out, int n_threads, struct trit_error *err)
{
    assert(n_threads >= 1 && n_threads <= TRIT_MAX_THREADS);
    *out = NULL;
    struct trit_pool *p = trit_alloc_aligned(sizeof *p);
    if (!p)
        return trit_fail_memory(err, sizeof *p, "the thread pool");
    *p = (struct trit_pool){0};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->opened, NULL);
    pthread_cond_init(&p->left, NULL);
    p->n_threads = n_threads;
    p->workers = calloc((size_t)n_threads, sizeof *p->workers);
    p->ranges = trit_alloc_aligned((size_t)n_threads * sizeof *p->ranges);
    trit_status status = p->workers && p->ranges
                             ? TRIT_OK
                             : trit_fail_memory(err, sizeof *p->workers, "the thread pool");

    if (!status)
        status = start_workers(p, err);
    if (status) {
        trit_pool_close(&p);
        return status;
    }
    *out = p;
    return TRIT_OK;
}

void trit_pool_close(struct trit_pool **pool)
{
    struct trit_pool *p = pool ? *pool : NULL;
    if (!p)
        return;
    *pool = NULL;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->stop, true);
    pthread_cond_broadcast(&p->opened);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_started; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->left);
    pthread_cond_destroy(&p->opened);
    pthread_mutex_destroy(&p->lock);
    trit_free_aligned(p->ranges);
    free(p->workers);
    trit_free_aligned(p);
}

void trit_pool_run_after(struct trit_pool *p, void (*first)(void *ctx),
                         bool (*ahead)(void *ctx, size_t item, size_t step), trit_task_fn fn,
                         void *ctx, size_t n, size_t chunk)
{
    assert(chunk > 0 && (!first || ahead));
    if (p->n_threads == 1 || n <= chunk) {
        if (first)
            first(ctx);
        if (n)
            fn(ctx, 0, n, 0);
        return;
    }
    p->fn = fn, p->ctx = ctx, p->n = n, p->chunk = chunk, p->ahead = ahead;
    atomic_store(&p->begun, !first);
    split_ranges(p);
    const uint64_t generation = atomic_load(&p->state) / GENERATION + 1;
    atomic_store(&p->state, generation * GENERATION + OPEN);
    wake_sleepers(p, &p->opened, &p->n_sleeping);
    if (first) {
        first(ctx);
        atomic_store(&p->begun, true);
        wake_sleepers(p, &p->opened, &p->n_sleeping);
    }
    run_chunks(p, 0);
    atomic_fetch_and(&p->state, ~OPEN);
    wait_until(p, is_empty, 0, &p->left, &p->caller_sleeps);
}

void trit_pool_run(struct trit_pool *p, trit_task_fn fn, void *ctx, size_t n, size_t chunk)
{
    trit_pool_run_after(p, NULL, NULL, fn, ctx, n, chunk);
}
