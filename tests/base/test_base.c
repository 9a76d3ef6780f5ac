/* test_base.c - the base layer: math functions against libm, sizes that do not overflow, the arena,
 * the thread pool, error texts, files and the machine. */
#if defined(__linux__)
#define _DEFAULT_SOURCE /* usleep */
#endif

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "checked.h"
#include "error.h"
#include "fixture.h"
#include "fmath.h"
#include "hash.h"
#include "machine.h"
#include "read_options.h"
#include "platform.h"
#include "pool.h"
#include "suite.h"
#include "trit_tools.h"

/* An impossible allocation must return NULL, with a sanitizer too. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* ---- fmath ----------------------------------------------------------------------------------- */

static double uniform(uint64_t *rng, double lo, double hi)
{
    return lo + (hi - lo) * ((double)(fx_random(rng) >> 11) * 0x1p-53);
}

/* Requires |got - expected| <= bound * max(|expected|, at_least); the message names x. */
static void check_near(const char *what, double x, double got, double expected, double bound,
                       double at_least)
{
    const double size = fmax(fabs(expected), at_least);
    if (!(fabs(got - expected) <= bound * size))
        fail_msg("%s(%.17g) = %.17g, expected %.17g: off by %g of %g", what, x, got, expected,
                 fabs(got - expected) / size, bound);
}

enum { N_RANDOM = 200000 };

static void test_exp(void **state)
{
    static const double exact[] = {0, -0.0, 1e-300, -1e-300, DBL_MIN, 0x1p-60};
    uint64_t rng = 1;
    (void)state;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        assert_true(trit_exp(exact[i]) == 1.0);
    for (int i = 0; i < N_RANDOM; i++) {
        const double wide = uniform(&rng, -700, 700), near = uniform(&rng, -1, 1);
        check_near("exp", wide, trit_exp(wide), exp(wide), 1e-15, 0);
        check_near("exp", near, trit_exp(near), exp(near), 1e-15, 0);
    }
    for (int i = -1010; i <= 1010; i++) { /* where the range reduction changes */
        const double x = (i - 0.5) * 0.69314718055994531;
        if (fabs(x) <= 700)
            check_near("exp", x, trit_exp(x), exp(x), 1e-15, 0);
    }
    check_near("exp", 700, trit_exp(700), exp(700), 1e-15, 0);
    check_near("exp", -700, trit_exp(-700), exp(-700), 1e-15, 0);
}

static void test_log(void **state)
{
    uint64_t rng = 2;
    (void)state;
    assert_true(trit_log(1.0) == 0.0);
    for (int i = 0; i < N_RANDOM; i++) {
        const double wide = ldexp(uniform(&rng, 0.5, 1), (int)uniform(&rng, -1021, 1024));
        const double near = uniform(&rng, 0.5, 2);
        const double nearer = 1 + ldexp(uniform(&rng, -1, 1), (int)uniform(&rng, -50, 0));
        check_near("log", wide, trit_log(wide), log(wide), 1e-15, 0);
        check_near("log", near, trit_log(near), log(near), 1e-15, 0);
        if (nearer > 0)
            check_near("log", nearer, trit_log(nearer), log(nearer), 1e-15, 0);
    }
    check_near("log", DBL_MIN, trit_log(DBL_MIN), log(DBL_MIN), 1e-15, 0);
    check_near("log", DBL_MAX, trit_log(DBL_MAX), log(DBL_MAX), 1e-15, 0);
    for (int i = -1022; i < 1024; i++)
        check_near("log", ldexp(1, i), trit_log(ldexp(1, i)), log(ldexp(1, i)), 1e-15, 0);
}

static void check_sin_cos(double x)
{
    check_near("sin", x, trit_sin(x), sin(x), 1e-15, 1);
    check_near("cos", x, trit_cos(x), cos(x), 1e-15, 1);
}

static void test_sin_cos(void **state)
{
    static const double largest[] = {1e-3, 1, 10, 1e3, 1e6, 0x1p30};
    uint64_t rng = 3;
    (void)state;
    assert_true(trit_sin(0) == 0 && trit_cos(0) == 1);
    for (size_t j = 0; j < sizeof largest / sizeof *largest; j++)
        for (int i = 0; i < N_RANDOM / 4; i++)
            check_sin_cos(uniform(&rng, -largest[j], largest[j]));
    for (int i = -100000; i <= 100000; i++) /* multiples of pi/4: where quadrants meet */
        check_sin_cos(i * 0.78539816339744831);
    for (int i = 0; i <= 1 << 20; i += 7) /* positions */
        check_sin_cos(i);
    check_sin_cos(0x1p30);
    check_sin_cos(-0x1p30);
    for (int i = 0; i < N_RANDOM; i++) { /* small results are accurate in relative terms */
        const double x = ldexp(uniform(&rng, -1, 1), (int)uniform(&rng, -60, 0));
        check_near("sin", x, trit_sin(x), sin(x), 1e-15, 0);
    }
}

/* ---- checked --------------------------------------------------------------------------------- */

static void test_checked(void **state)
{
    const uint64_t max = UINT64_MAX, half = (uint64_t)1 << 32;
    uint64_t out = 7;
    (void)state;

    assert_true(trit_mul_u64(0, max, &out) && out == 0);
    assert_true(trit_mul_u64(max, 0, &out) && out == 0);
    assert_true(trit_mul_u64(max, 1, &out) && out == max);
    assert_true(trit_mul_u64(1, max, &out) && out == max);
    assert_true(trit_mul_u64(half, half - 1, &out) && out == max - half + 1);
    assert_true(trit_mul_u64(max / 3, 3, &out) && out == max);
    out = 7;
    assert_false(trit_mul_u64(half, half, &out));
    assert_false(trit_mul_u64(max, 2, &out));
    assert_false(trit_mul_u64(2, max, &out));
    assert_false(trit_mul_u64(max / 3 + 1, 3, &out));
    assert_false(trit_mul_u64(max, max, &out));
    assert_int_equal(out, 7);

    assert_true(trit_add_u64(max, 0, &out) && out == max);
    assert_true(trit_add_u64(0, max, &out) && out == max);
    assert_true(trit_add_u64(max - 5, 5, &out) && out == max);
    out = 7;
    assert_false(trit_add_u64(max, 1, &out));
    assert_false(trit_add_u64(max - 5, 6, &out));
    assert_false(trit_add_u64(max, max, &out));
    assert_int_equal(out, 7);

    assert_int_equal(trit_round_up(0, 64), 0);
    assert_int_equal(trit_round_up(1, 64), 64);
    assert_int_equal(trit_round_up(64, 64), 64);
    assert_int_equal(trit_round_up(65, 64), 128);
    assert_int_equal(trit_round_up(129, 128), 256);
    assert_int_equal(trit_round_up(5, 1), 5);
    assert_int_equal(trit_round_up(half + 1, 32), half + 32);
}

/* ---- arena ----------------------------------------------------------------------------------- */

static void test_arena(void **state)
{
    static const struct {
        uint64_t n, bytes;
    } parts[] = {{1, 1},  {0, 4}, {63, 1},   {64, 1},   {65, 1},
                 {16, 4}, {7, 0}, {1000, 8}, {3, 4096}, {1, 1}};
    enum { N = sizeof parts / sizeof *parts };
    struct trit_arena a = {0};
    uint8_t *at[N];
    (void)state;

    for (int i = 0; i < N; i++)
        assert_null(trit_arena_take(&a, parts[i].n, parts[i].bytes)); /* counting */
    const uint64_t size = a.size;
    assert_false(a.overflow);
    assert_null(a.block);
    assert_int_equal(trit_arena_alloc(&a, "a test", NULL), TRIT_OK);
    assert_int_equal(a.total, size);
    for (int i = 0; i < N; i++) { /* parts are aligned, apart, and inside; fill each */
        const uint64_t bytes = parts[i].n * parts[i].bytes;
        at[i] = trit_arena_take(&a, parts[i].n, parts[i].bytes);
        assert_int_equal((uintptr_t)at[i] % TRIT_ALIGN, 0);
        assert_true(i == 0 ? at[0] == a.block : at[i] > at[i - 1]);
        assert_true(at[i] + bytes < a.block + a.size && a.size <= size);
        if (bytes)
            memset(at[i], i + 1, (size_t)bytes);
    }
    assert_int_equal(a.size, size);
    for (int i = 0; i < N; i++)
        for (uint64_t j = 0; j < parts[i].n * parts[i].bytes; j++)
            assert_int_equal(at[i][j], i + 1);
    trit_arena_free(&a);
    assert_null(a.block);
    assert_int_equal(a.size, 0);
    trit_arena_free(&a); /* a second close is allowed */
}

/* An impossible size gives TRIT_E_MEMORY, not a small block. */
static void test_arena_overflow(void **state)
{
    static const struct {
        uint64_t n, bytes; /* reserved a second time */
    } cases[] = {
        {UINT64_MAX, 1},         {UINT64_MAX - 63, 1},
        {UINT64_MAX / 8 + 1, 8}, {(uint64_t)1 << 32, (uint64_t)1 << 32},
        {UINT64_MAX / 2 + 1, 1}, {UINT64_MAX / 2, 1},
        {(uint64_t)1 << 61, 1}, /* representable, but more than any machine has */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trit_arena a = {0};
        struct trit_error err = {0};
        trit_arena_take(&a, 10, 10);
        trit_arena_take(&a, cases[i].n, cases[i].bytes);
        trit_arena_take(&a, cases[i].n, cases[i].bytes);
        trit_arena_take(&a, 10, 10);
        if (trit_arena_alloc(&a, "a test", &err) != TRIT_E_MEMORY)
            fail_msg("case %zu was allocated", i);
        assert_int_equal(err.code, TRIT_E_MEMORY);
        assert_non_null(strstr(err.text, "a test"));
        assert_null(a.block);
        trit_arena_free(&a);
    }
}

/* ---- pool ------------------------------------------------------------------------------------ */

enum { MAX_ITEMS = 4096 };

struct loop {
    _Atomic int done[MAX_ITEMS];
    _Atomic int n_bad; /* invalid calls */
    size_t n, chunk;
    int n_threads;
    unsigned slow_us; /* each call takes at least that long */
    bool after;       /* begin_loop() runs first and takes first_us at least */
    unsigned first_us;
    bool waits_ahead;   /* and waits until a worker looks ahead */
    _Atomic bool begun; /* begin_loop() is done */
    _Atomic int n_ahead;
};

static void do_items(void *ctx, size_t begin, size_t end, int worker)
{
    struct loop *l = ctx;
    bool good = begin < end && end <= l->n && worker >= 0 && worker < l->n_threads;
    good &= !l->after || atomic_load(&l->begun);
    if (l->n_threads > 1 && l->n > l->chunk)
        good = good && begin % l->chunk == 0 && (end == l->n || end == begin + l->chunk);
    if (!good) {
        atomic_fetch_add(&l->n_bad, 1);
        return;
    }
    for (size_t i = begin; i < end; i++)
        atomic_fetch_add(&l->done[i], 1);
    if (l->slow_us)
        usleep(l->slow_us);
}

static void begin_loop(void *ctx)
{
    struct loop *l = ctx;
    if (l->first_us)
        usleep(l->first_us);
    for (int ms = 0; l->waits_ahead && ms < 60000 && !atomic_load(&l->n_ahead); ms++)
        usleep(1000);
    if (atomic_exchange(&l->begun, true))
        atomic_fetch_add(&l->n_bad, 1);
}

enum { MOST_STEPS = 3 };

static bool look_ahead(void *ctx, size_t item, size_t step)
{
    struct loop *l = ctx;
    if (item >= l->n || item % l->chunk != 0 || step > MOST_STEPS)
        atomic_fetch_add(&l->n_bad, 1);
    atomic_fetch_add(&l->n_ahead, 1);
    return step < MOST_STEPS;
}

static int pool_threads; /* of the pool that is open */

static void run_loop(struct trit_pool *pool, struct loop *l, size_t n, size_t chunk)
{
    atomic_store(&l->begun, false);
    l->n = n;
    l->chunk = chunk;
    l->n_threads = pool_threads;
    for (size_t i = 0; i < n; i++)
        atomic_store(&l->done[i], 0);
    if (l->after)
        trit_pool_run_after(pool, begin_loop, look_ahead, do_items, l, n, chunk);
    else
        trit_pool_run(pool, do_items, l, n, chunk);
    assert_int_equal(atomic_load(&l->begun), l->after);
    for (size_t i = 0; i < n; i++)
        if (atomic_load(&l->done[i]) != 1)
            fail_msg("%d threads, %zu items by %zu: item %zu was done %d times", l->n_threads, n,
                     chunk, i, atomic_load(&l->done[i]));
    if (atomic_load(&l->n_bad))
        fail_msg("%d threads, %zu items by %zu: called with a bad range or worker", l->n_threads, n,
                 chunk);
}

static struct trit_pool *open_pool(int n_threads)
{
    struct trit_pool *pool = NULL;
    struct trit_error err = {.text = "?"};
    if (trit_pool_open(&pool, n_threads, &err))
        fail_msg("%s", err.text);
    pool_threads = n_threads;
    return pool;
}

static void test_pool_combinations(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 3, 15, 16, 17, 63, 64, 65, 1000, MAX_ITEMS};
    static const size_t chunks[] = {1, 2, 7, 16, 64, 999, 1000, MAX_ITEMS, SIZE_MAX};
    static const int threads[] = {1, 2, 3, 4, 9};
    static struct loop l;
    (void)state;

    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        struct trit_pool *pool = open_pool(threads[t]);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (size_t j = 0; j < sizeof chunks / sizeof *chunks; j++)
                run_loop(pool, &l, sizes[i], chunks[j]);
        trit_pool_close(&pool);
        assert_null(pool);
        trit_pool_close(&pool);
    }
}

/* One loop right after another, so that workers never sleep. */
static void test_pool_succession(void **state)
{
    static struct loop l;
    (void)state;
    for (int n_threads = 1; n_threads <= 5; n_threads++) {
        struct trit_pool *pool = open_pool(n_threads);
        for (int i = 0; i < 4000; i++)
            run_loop(pool, &l, 2 + (size_t)i % 37, 1 + (size_t)i % 3);
        trit_pool_close(&pool);
    }
}

/* The same with a function before each loop that takes no time, less time than workers spin for,
 * and more: it returns before any item begins, and the other workers look ahead meanwhile. */
static void test_pool_after(void **state)
{
    static const unsigned first_us[] = {0, 20, 300};
    static struct loop l;
    (void)state;
    l.after = true;
    for (int n_threads = 1; n_threads <= 5; n_threads++) {
        struct trit_pool *pool = open_pool(n_threads);
        atomic_store(&l.n_ahead, 0);
        for (size_t k = 0; k < 3; k++) {
            l.first_us = first_us[k];
            for (int i = 0; i < (k ? 100 : 4000); i++)
                run_loop(pool, &l, (size_t)i % 37, 1 + (size_t)i % 3);
        }
        l.waits_ahead = n_threads > 1;
        run_loop(pool, &l, 36, 1);
        l.waits_ahead = false;
        assert_int_equal(atomic_load(&l.n_ahead) > 0, n_threads > 1);
        trit_pool_close(&pool);
    }
}

/* Loops with pauses about as long as workers spin, so that some sleep and some do not, and
 * loops that the caller has to wait for. */
static void test_pool_sleep(void **state)
{
    static const useconds_t pauses[] = {0, 10, 30, 60, 100, 1000};
    static struct loop l;
    (void)state;
    for (int n_threads = 2; n_threads <= 4; n_threads++) {
        struct trit_pool *pool = open_pool(n_threads);
        for (int i = 0; i < 600; i++) {
            l.slow_us = i % 10 == 9 ? 200 : 0;
            run_loop(pool, &l, 1 + (size_t)i % 9, 1);
            if (pauses[i % 6])
                usleep(pauses[i % 6]);
        }
        l.slow_us = 0;
        trit_pool_close(&pool);
    }
}

/* Many more threads than cores. */
static void test_pool_crowd(void **state)
{
    static struct loop l;
    (void)state;
    struct trit_pool *pool = open_pool(64);
    for (int i = 0; i < 200; i++)
        run_loop(pool, &l, 1 + (size_t)(i * 13) % 500, 1 + (size_t)i % 5);
    trit_pool_close(&pool);
}

/* Closed right after opening, after one loop, and after a pause. */
static void test_pool_open_close(void **state)
{
    static struct loop l;
    (void)state;
    for (int i = 0; i < 300; i++) {
        struct trit_pool *pool = open_pool(1 + i % 5);
        if (i % 3 > 0)
            run_loop(pool, &l, 20, 1);
        if (i % 30 == 2)
            usleep(1000);
        trit_pool_close(&pool);
    }
}

/* Each loop sees in plain memory what any worker wrote in the previous loop. */
static void add_one(void *ctx, size_t begin, size_t end, int worker)
{
    int *x = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++)
        x[i] = x[64 + (i * 11 + 1) % 64] + 1;
}

static void copy_on(void *ctx, size_t begin, size_t end, int worker)
{
    int *x = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++)
        x[64 + i] = x[(i * 7 + 5) % 64];
}

static void test_pool_order(void **state)
{
    struct trit_pool *pool = open_pool(3);
    int x[128] = {0};
    (void)state;
    for (int round = 1; round <= 3000; round++) {
        trit_pool_run(pool, add_one, x, 64, 4);
        trit_pool_run(pool, copy_on, x, 64, 3);
        for (int i = 0; i < 64; i++)
            if (x[i] != round || x[64 + i] != round)
                fail_msg("round %d: item %d is %d, and was seen as %d", round, i, x[i], x[64 + i]);
    }
    trit_pool_close(&pool);
}

/* ---- error ----------------------------------------------------------------------------------- */

/* Well-formed UTF-8, as far as lengths and continuation bytes go. */
static bool is_utf8(const char *s)
{
    while (*s) {
        const unsigned char c = (unsigned char)*s++;
        int more = c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1;
        if (more < 0)
            return false;
        for (; more > 0; more--)
            if (((unsigned char)*s++ & 0xc0) != 0x80)
                return false;
    }
    return true;
}

static void test_fail(void **state)
{
    struct trit_error err;
    char text[2000];
    (void)state;

    memset(&err, 'x', sizeof err);
    assert_int_equal(trit_fail(&err, TRIT_E_FILE, "%s has %d", "it", 3), TRIT_E_FILE);
    assert_int_equal(err.code, TRIT_E_FILE);
    assert_string_equal(err.text, "it has 3");
    assert_int_equal(trit_fail(NULL, TRIT_E_FAILED, "%s", "it"), TRIT_E_FAILED);

    for (size_t n = 505; n < 520; n++) { /* around the size of the text */
        memset(text, 'a', n);
        text[n] = '\0';
        memset(&err, 'x', sizeof err);
        trit_fail(&err, TRIT_E_FAILED, "%s", text);
        assert_int_equal(strlen(err.text), n < sizeof err.text ? n : sizeof err.text - 1);
        assert_memory_equal(err.text, text, strlen(err.text));
    }
    trit_fail_memory(&err, 3 << 20, "a test");
    assert_int_equal(err.code, TRIT_E_MEMORY);
    assert_non_null(strstr(err.text, "3.0 MiB"));
    assert_non_null(strstr(err.text, "a test"));
    trit_fail_memory(&err, UINT64_MAX, "a test");
}

/* A shortened text is valid UTF-8, and paths are not changed. */
static void test_fail_cuts_between_characters(void **state)
{
    static const char *const characters[] = {"é", "…", "😀"};
    struct trit_error err;
    char text[2000];
    (void)state;
    for (int i = 0; i < 3; i++)
        for (size_t shift = 0; shift < 4; shift++) {
            memset(text, 'a', shift);
            text[shift] = '\0';
            while (strlen(text) < 600)
                strcat(text, characters[i]);
            trit_fail(&err, TRIT_E_FILE, "%s", text);
            if (!is_utf8(err.text))
                fail_msg("a text of '%s' after %zu bytes is cut inside a character", characters[i],
                         shift);
        }
}

static const char *quoted(const char *bytes, size_t len)
{
    static struct trit_quoted q;
    memset(&q, 'x', sizeof q);
    q = trit_quote((struct trit_string){bytes, len});
    return q.text;
}

static void test_quote(void **state)
{
    char bytes[300];
    (void)state;

    assert_string_equal(quoted("", 0), "");
    assert_string_equal(quoted("blk.0.weight", 12), "blk.0.weight");
    assert_string_equal(quoted("a\nb\0c\x7f", 6), "a\\x0ab\\x00c\\x7f");
    assert_string_equal(quoted("\xc3\xa9\x1b[0m", 6), "\\xc3\\xa9\\x1b[0m");
    assert_string_equal(quoted("a b", 1), "a"); /* not terminated */
    for (size_t n = 0; n < sizeof bytes; n++)
        for (int kind = 0; kind < 3; kind++) { /* plain, escaped, both */
            for (size_t i = 0; i < n; i++)
                bytes[i] = kind == 0 || (kind == 2 && i % 3) ? 'k' : '\x01';
            const char *q = quoted(bytes, n);
            assert_non_null(memchr(q, '\0', sizeof(struct trit_quoted)));
            assert_true(is_utf8(q));
            const bool cut = strstr(q, "…") != NULL;
            if (n <= 20) /* short names are whole */
                assert_false(cut);
            if (n >= 96) /* long ones say that they are cut */
                assert_true(cut && strcmp(q + strlen(q) - strlen("…"), "…") == 0);
            if (!cut && kind == 0)
                assert_int_equal(strlen(q), n);
            if (!cut && kind == 1)
                assert_int_equal(strlen(q), 4 * n);
        }
}

/* ---- platform -------------------------------------------------------------------------------- */

static void test_platform(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n += 7) {
        char *p = trit_alloc_aligned(n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % TRIT_ALIGN, 0);
        memset(p, 1, n);
        trit_free_aligned(p);
    }
    trit_free_aligned(NULL);
    assert_null(trit_alloc_aligned(SIZE_MAX / 2));
    assert_in_range(trit_physical_cores(), 1, 100000);
    const double start = trit_now_ms();
    usleep(20000);
    const double passed = trit_now_ms() - start;
    assert_true(passed >= 19 && passed < 60000);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void test_exists(void **state)
{
    char link[256];
    const char *path = fx_write("exists", "?", 1);
    (void)state;

    assert_true(trit_exists(path));
    assert_true(trit_exists("."));
    assert_false(trit_exists("no-such-file"));
    assert_false(trit_exists("no-such-folder/file"));
    assert_false(trit_exists(""));
    assert_false(trit_is_empty_file(path));
    assert_false(trit_is_empty_file("."));
    assert_false(trit_is_empty_file("no-such-file"));
    assert_true(trit_is_empty_file(fx_write("empty", "", 0)));
    snprintf(link, sizeof link, "%s/below", path); /* a path below a file */
    assert_true(trit_exists(link));
    snprintf(link, sizeof link, "%s-link", path);
    assert_int_equal(symlink("nothing", link), 0);
    assert_true(trit_exists(link));
    remove(link);
}

/* Pages of this process that come from files; 0 where the system does not say. */
static long file_pages(void)
{
    long pages[3] = {0};
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f)
        return 0;
    if (fscanf(f, "%ld %ld %ld", &pages[0], &pages[1], &pages[2]) != 3)
        pages[2] = 0;
    fclose(f);
    return pages[2];
}

static void check_release(const char *path, const uint8_t *data, size_t len, size_t step,
                          bool no_mmap)
{
    struct trit_bytes b;
    size_t n;

    assert_int_equal(trit_bytes_open(&b, path, no_mmap, NULL), TRIT_OK);
    assert_int_equal(b.kind, no_mmap ? TRIT_BYTES_READ : TRIT_BYTES_MAPPED);
    const long before = file_pages();
    assert_memory_equal(b.data, data, len);
    const long after = file_pages();
    for (size_t at = 0; at < len; at += n) {
        n = step < len - at ? step : len - at;
        trit_bytes_release(&b, b.data + at, n);
    }
    /* the last page remains, and the system may read ahead */
    if (after - before > 256)
        assert_true(file_pages() - before < (after - before) / 4);
    assert_memory_equal(b.data, data, len);
    trit_bytes_close(&b);
}

/* Released pages leave memory, for any range, and come back when they are read. */
static void test_release(void **state)
{
    static const size_t steps[] = {1000, 4096, 10001, 65536, 3000000, SIZE_MAX};
    const size_t len = 4000001;
    uint8_t *data = malloc(len);
    uint64_t rng = 3;
    struct trit_bytes b;
    (void)state;

    assert_non_null(data);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)fx_random(&rng);
    const char *path = fx_write("release", data, len);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        check_release(path, data, len, steps[i], false);
        check_release(path, data, len, steps[i], true);
    }
    assert_int_equal(trit_bytes_open(&b, path, false, NULL), TRIT_OK);
    for (int i = 0; i < 1000; i++) { /* anywhere */
        const size_t at = (size_t)(fx_random(&rng) % (len + 1));
        trit_bytes_release(&b, b.data + at, (size_t)(fx_random(&rng) % (len - at + 1)));
    }
    assert_memory_equal(b.data, data, len);
    trit_bytes_close(&b);
    free(data);
}

/* ---- performance cores ----------------------------------------------------------------------- */

#if defined(__linux__)

static char sysfs[] = "/tmp/sysfs-XXXXXX";

/* Write a file below sysfs, and the folders to it. */
static void put(const char *text, const char *format, ...)
{
    char path[256], partial[256];
    va_list args;
    int n = snprintf(path, sizeof path, "%s/", sysfs);
    va_start(args, format);
    vsnprintf(path + n, sizeof path - (size_t)n, format, args);
    va_end(args);
    for (char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
        memcpy(partial, path, (size_t)(p - path));
        partial[p - path] = '\0';
        mkdir(partial, 0700);
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%s\n", text);
    fclose(f);
}

static void remove_sysfs(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", sysfs);
    assert_int_equal(system(command), 0);
}

static void new_sysfs(void)
{
    strcpy(sysfs, "/tmp/sysfs-XXXXXX");
    assert_non_null(mkdtemp(sysfs));
}

/* A CPU of that core; its capacity, unless 0. */
static void put_cpu(int cpu, int package, int core, int capacity)
{
    char text[16];
    snprintf(text, sizeof text, "%d", package);
    put(text, "system/cpu/cpu%d/topology/physical_package_id", cpu);
    snprintf(text, sizeof text, "%d", core);
    put(text, "system/cpu/cpu%d/topology/core_id", cpu);
    snprintf(text, sizeof text, "%d", capacity);
    if (capacity)
        put(text, "system/cpu/cpu%d/cpu_capacity", cpu);
}

static void test_performance_cores(void **state)
{
    static const bool all[8] = {1, 1, 1, 1, 1, 1, 1, 1}, last4[8] = {0, 0, 0, 0, 1, 1, 1, 1};
    static const bool even[8] = {1, 0, 1, 0, 1, 0, 1, 0}, none[8] = {0};
    (void)state;

    new_sysfs(); /* a bare system: every CPU counts */
    assert_int_equal(trit_performance_cores(sysfs, all, 8), 8);
    assert_int_equal(trit_performance_cores(sysfs, none, 8), 1);
    for (int cpu = 0; cpu < 8; cpu++) /* two packages of two cores with two threads */
        put_cpu(cpu, cpu / 4, cpu / 2 % 2, 0);
    assert_int_equal(trit_performance_cores(sysfs, all, 8), 4);
    assert_int_equal(trit_performance_cores(sysfs, even, 8), 4);
    assert_int_equal(trit_performance_cores(sysfs, last4, 8), 2);
    remove_sysfs();

    new_sysfs(); /* Intel: two cores with two threads, four efficiency cores */
    for (int cpu = 0; cpu < 8; cpu++)
        put_cpu(cpu, 0, cpu < 4 ? cpu / 2 : cpu, 0);
    put("4,6-7,5", "cpu_atom/cpus");
    assert_int_equal(trit_performance_cores(sysfs, all, 8), 2);
    assert_int_equal(trit_performance_cores(sysfs, last4, 8), 4); /* better than none */
    put("7", "cpu_atom/cpus");
    assert_int_equal(trit_performance_cores(sysfs, all, 8), 5);
    put("what", "cpu_atom/cpus");
    assert_int_equal(trit_performance_cores(sysfs, all, 8), 6);
    remove_sysfs();

    new_sysfs(); /* Arm: a prime core, three middle ones, four little ones */
    for (int cpu = 0; cpu < 8; cpu++)
        put_cpu(cpu, 0, cpu, cpu == 0 ? 1024 : cpu < 4 ? 780 : 380);
    assert_int_equal(trit_performance_cores(sysfs, all, 8), 4);
    assert_int_equal(trit_performance_cores(sysfs, last4, 8), 4);
    remove_sysfs();

    new_sysfs(); /* Arm: one package, three clusters, each with core_id from 0 (RK3588) */
    for (int cpu = 0; cpu < 8; cpu++) {
        put_cpu(cpu, 0, cpu < 4 ? cpu : cpu % 2, cpu < 4 ? 530 : 1024);
        put(cpu < 4 ? "0" : cpu < 6 ? "1" : "2", "system/cpu/cpu%d/topology/cluster_id", cpu);
    }
    assert_int_equal(trit_performance_cores(sysfs, all, 8), 4);
    remove_sysfs();
}

/* The limit of a made-up tree, whose files are below sysfs. */
static struct trit_machine_info limits_of(const char *cgroup, const char *mountinfo)
{
    struct trit_machine_info limits = {0};

    put(cgroup, "proc/self/cgroup");
    put(mountinfo, "proc/self/mountinfo");
    trit_cgroup_limits(&limits, sysfs);
    return limits;
}

static void assert_cpus(struct trit_machine_info limits, double n, const char *from)
{
    char path[512] = "";

    if (from)
        snprintf(path, sizeof path, "%s%s", sysfs, from);
    assert_true(limits.cpu_limit == n);
    assert_string_equal(limits.cpu_limit_from, path);
}

#define V2_MOUNT "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n"

static void test_cgroup2(void **state)
{
    (void)state;
    new_sysfs();
    struct trit_machine_info l = {0}; /* an empty tree */
    trit_cgroup_limits(&l, sysfs);
    assert_cpus(l, INFINITY, NULL);
    assert_true(l.memory_limit == UINT64_MAX && !l.memory_limit_from[0]);

    put("max 100000", "sys/fs/cgroup/a/b/cpu.max");
    assert_cpus(limits_of("0::/a/b\n", V2_MOUNT), INFINITY, NULL);
    put("250000 100000", "sys/fs/cgroup/a/b/cpu.max");
    put("max", "sys/fs/cgroup/a/b/memory.max");
    l = limits_of("0::/a/b\n", "22 1 8:1 / / rw - ext4 /dev/sda rw\n" V2_MOUNT);
    assert_cpus(l, 2.5, "/sys/fs/cgroup/a/b/cpu.max");
    assert_true(l.memory_limit == UINT64_MAX);
    put("150000 100000", "sys/fs/cgroup/a/cpu.max"); /* a smaller limit in the folder above */
    put("2147483648", "sys/fs/cgroup/memory.max");   /* and at the top */
    l = limits_of("0::/a/b\n", V2_MOUNT);
    assert_cpus(l, 1.5, "/sys/fs/cgroup/a/cpu.max");
    assert_true(l.memory_limit == (uint64_t)2 << 30);
    assert_non_null(strstr(l.memory_limit_from, "/sys/fs/cgroup/memory.max"));
    put("50000 100000", "sys/fs/cgroup/cpu.max");
    assert_cpus(limits_of("0::/\n", V2_MOUNT), 0.5, "/sys/fs/cgroup/cpu.max");
    remove_sysfs();

    new_sysfs(); /* a path that this mount lacks: the mount counts */
    put("300000 100000", "mnt/with blank/cpu.max");
    put("100000 100000", "mnt/with blank/x/cpu.max");
    const char *const mount = "30 24 0:26 /box /mnt/with\\040blank rw - cgroup2 none rw\n";
    assert_cpus(limits_of("0::/box/x\n", mount), 1, "/mnt/with blank/x/cpu.max");
    assert_cpus(limits_of("0::/box\n", mount), 3, "/mnt/with blank/cpu.max");
    assert_cpus(limits_of("0::/boxes/x\n", mount), 3, "/mnt/with blank/cpu.max");
    assert_cpus(limits_of("0::/../x\n", mount), 3, "/mnt/with blank/cpu.max");
    remove_sysfs();

    new_sysfs(); /* invalid values do not limit anything */
    static const char *const odd[] = {"",         "max", "x y",        "-1 100000", "0 100000",
                                      "100000 0", "5",   "nan 100000", "inf inf"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        put(odd[i], "sys/fs/cgroup/cpu.max");
        put(i % 2 ? "nan" : "-1", "sys/fs/cgroup/memory.max");
        assert_true(limits_of("0::/\n", V2_MOUNT).memory_limit == UINT64_MAX);
        assert_cpus(limits_of("0::/\n", V2_MOUNT), INFINITY, NULL);
    }
    assert_cpus(limits_of("nonsense\n0:\n", V2_MOUNT), INFINITY, NULL);
    assert_cpus(limits_of("0::/\n", "30 24\n - \n"), INFINITY, NULL);
    remove_sysfs();
}

static void test_cgroup1(void **state)
{
    const char *const mounts = "32 31 0:29 / /cg/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
                               "33 31 0:30 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"
                               "35 31 0:32 /docker/7 /cg/memory rw - cgroup cgroup rw,memory\n";
    const char *const paths = "5:cpuset:/set\n4:memory:/docker/7\n3:cpu,cpuacct:/docker/7\n";
    (void)state;

    new_sysfs();
    put("-1", "cg/cpu,cpuacct/cpu.cfs_quota_us");
    put("100000", "cg/cpu,cpuacct/cpu.cfs_period_us");
    put("9223372036854771712", "cg/memory/memory.limit_in_bytes");
    struct trit_machine_info l = limits_of(paths, mounts);
    assert_cpus(l, INFINITY, NULL);
    assert_true(l.memory_limit == UINT64_MAX);
    put("200000", "cg/cpu,cpuacct/docker/7/cpu.cfs_quota_us");
    assert_cpus(limits_of(paths, mounts), INFINITY, NULL); /* without a period */
    put("50000", "cg/cpu,cpuacct/docker/7/cpu.cfs_period_us");
    put("100000", "cg/cpuset/set/cpu.cfs_quota_us"); /* another controller's */
    put("100000", "cg/cpuset/set/cpu.cfs_period_us");
    put("1073741824", "cg/memory/memory.limit_in_bytes");
    l = limits_of(paths, mounts);
    assert_cpus(l, 4, "/cg/cpu,cpuacct/docker/7/cpu.cfs_quota_us");
    assert_true(l.memory_limit == (uint64_t)1 << 30);
    put("100000", "cg/cpu,cpuacct/docker/cpu.cfs_quota_us");
    put("100000", "cg/cpu,cpuacct/docker/cpu.cfs_period_us");
    assert_cpus(limits_of(paths, mounts), 1, "/cg/cpu,cpuacct/docker/cpu.cfs_quota_us");
    remove_sysfs();
}

static void test_threads_within(void **state)
{
    static const struct {
        double n_cpus;
        int n_cores, wanted;
    } cases[] = {{INFINITY, 8, 8}, {8, 8, 8},   {9.5, 8, 8}, {7.99, 8, 7},
                 {2, 64, 2},       {1.5, 4, 1}, {0.5, 4, 1}, {0.01, 1, 1}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(trit_threads_within(cases[i].n_cpus, cases[i].n_cores), cases[i].wanted);
}

#endif

/* ---- Checksum -------------------------------------------------------------------------------- */

static uint64_t hash(const void *bytes, size_t n, size_t piece)
{
    struct trit_hash h;
    trit_hash_init(&h);
    for (size_t i = 0; i < n; i += piece) {
        trit_hash_add(&h, (const char *)bytes + i, piece < n - i ? piece : n - i);
        trit_hash_value(&h); /* changes nothing */
    }
    return trit_hash_value(&h);
}

/* Values of the reference implementation, xxHash 0.8. */
static void test_hash(void **state)
{
    static const char long_text[] = "Call me Ishmael. Some years ago--never mind how long "
                                    "precisely-";
    uint8_t bytes[200];
    uint64_t rng = 7;
    (void)state;

    assert_true(hash("", 0, 1) == 0xEF46DB3751D8E999);
    assert_true(hash("a", 1, 1) == 0xD24EC4F1A98C6E5B);
    assert_true(hash("abc", 3, 1) == 0x44BC2CF5AD770999);
    assert_true(hash(long_text, 63, 63) == 0x02A2E85470D6FD96);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)fx_random(&rng);
    for (size_t n = 0; n <= sizeof bytes; n++)
        for (size_t piece = 1; piece <= 70; piece++)
            assert_true(hash(bytes, n, piece) == hash(bytes, n, sizeof bytes));
}

/* Options of a caller that was compiled with another header. */
static void test_read_options(void **state)
{
    struct options {
        size_t size;
        int a, b;
    } out;
    struct {
        struct options o;
        unsigned char after[8];
    } later = {{sizeof later, 5, 6}, {0}};
    const struct options first = {offsetof(struct options, b), 1, 2}, same = {0, 3, 4};
    const struct options none = {1, 0, 0};
    struct trit_error err;
    (void)state;

    assert_int_equal(trit_read_options(&out, sizeof out, NULL, &err), TRIT_OK);
    assert_true(out.a == 0 && out.b == 0);
    assert_int_equal(trit_read_options(&out, sizeof out, &first, &err), TRIT_OK);
    assert_true(out.a == 1 && out.b == 0); /* its caller has no b */
    assert_int_equal(trit_read_options(&out, sizeof out, &same, &err), TRIT_OK);
    assert_true(out.a == 3 && out.b == 4);
    assert_int_equal(trit_read_options(&out, sizeof out, &later, &err), TRIT_OK);
    assert_true(out.a == 5 && out.b == 6);
    later.after[7] = 1; /* a field that this version lacks is set */
    assert_int_equal(trit_read_options(&out, sizeof out, &later, &err), TRIT_E_ARGUMENT);
    assert_non_null(strstr(err.text, "lacks"));
    assert_int_equal(trit_read_options(&out, sizeof out, &none, &err), TRIT_E_ARGUMENT);
}

/* All functions that take options read them so. */
static void test_later_options(void **state)
{
    struct {
        union {
            size_t size;
            struct trit_file_options file;
            struct trit_sampler_options sampler;
            struct trit_engine_options engine;
            struct trit_session_options session;
            struct trit_generate_options generate;
            struct trit_dummy_options dummy;
            struct trit_convert_options convert;
        } o;
        unsigned char after;
    } later = {.after = 1};
    struct trit_generate_result result;
    struct trit_error err;
    trit_file *file = NULL;
    trit_sampler *sampler = NULL;
    trit_engine *engine = NULL;
    trit_session *session = NULL;
    trit_generator *generator = NULL;
    (void)state;

    later.o.size = sizeof later;
    const trit_status statuses[] = {
        trit_file_open(&file, "x", &later.o.file, &err),
        trit_sampler_open(&sampler, 1, &later.o.sampler, &err),
        trit_engine_open(&engine, NULL, &later.o.engine, &err),
        trit_session_open(&session, NULL, &later.o.session, &err),
        trit_session_open_on(&session, NULL, &later.o.session, &err),
        trit_generate(NULL, NULL, NULL, 0, &later.o.generate, &result, &err),
        trit_generator_open(&generator, NULL, NULL, NULL, 0, &later.o.generate, &err),
        trit_dummy_write(&later.o.dummy, NULL, NULL, NULL, &err),
        trit_convert("x", &later.o.convert, NULL, NULL, NULL, &err),
        trit_quantize(NULL, &later.o.convert, NULL, NULL, NULL, &err),
    };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        assert_int_equal(statuses[i], TRIT_E_ARGUMENT);
    assert_true(!file && !sampler && !engine && !session && !generator);
}

static const struct CMUnitTest tests[] = {
#if defined(__linux__)
    cmocka_unit_test(test_performance_cores),
    cmocka_unit_test(test_cgroup2),
    cmocka_unit_test(test_cgroup1),
    cmocka_unit_test(test_threads_within),
#endif
    cmocka_unit_test(test_exp),
    cmocka_unit_test(test_log),
    cmocka_unit_test(test_sin_cos),
    cmocka_unit_test(test_checked),
    cmocka_unit_test(test_hash),
    cmocka_unit_test(test_arena),
    cmocka_unit_test(test_arena_overflow),
    cmocka_unit_test(test_pool_combinations),
    cmocka_unit_test(test_pool_succession),
    cmocka_unit_test(test_pool_after),
    cmocka_unit_test(test_pool_sleep),
    cmocka_unit_test(test_pool_crowd),
    cmocka_unit_test(test_pool_open_close),
    cmocka_unit_test(test_pool_order),
    cmocka_unit_test(test_fail),
    cmocka_unit_test(test_fail_cuts_between_characters),
    cmocka_unit_test(test_quote),
    cmocka_unit_test(test_read_options),
    cmocka_unit_test(test_later_options),
    cmocka_unit_test(test_platform),
    cmocka_unit_test(test_exists),
    cmocka_unit_test(test_release),
};

const struct suite suite = {SUITE_TESTS(tests)};
