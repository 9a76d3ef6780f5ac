/* bench_kernels.c - see bench_kernels.h.
 *
 * Float products, and ternary ones of one or a few tokens, stream weights from memory, as in
 * generation: calls cycle through a buffer larger than any cache, and the limit is that of
 * probe_read over the same bytes. All others are measured with warm caches; the limit of the
 * ternary product is probe_macs. Kernel and limit take turns, so that other programs slow both. */
#define _DEFAULT_SOURCE /* clock_gettime under -std=c11 */

#include "bench_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct bench_data bench_data;

static bool streams(const struct bench *b)
{
    return b->limit == LIMIT_READ;
}

/* The limit of a bench, as a bench; its run is NULL if there is no limit. */
static struct bench limit_of(const struct bench *b)
{
    struct bench limit = {.name = "limit",
                          .n_rows = 256,
                          .n_cols = 1,
                          .n_tokens = 1,
                          .n_weight_bytes = b->n_weight_bytes};
    limit.run = b->limit == LIMIT_READ ? bench_read : b->limit == LIMIT_MACS ? bench_macs : NULL;
    return limit;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The time of n calls, in seconds. If weights stream, each call gets the next ones. */
static double seconds_of(const struct trit_kernels *k, const struct bench *b, size_t n, bool stream)
{
    const double start = now();
    for (size_t i = 0; i < n; i++) {
        if (stream && (bench_data.at += b->n_weight_bytes) > STREAM_BYTES - b->n_weight_bytes)
            bench_data.at = 0;
        b->run(k, b);
    }
    return now() - start;
}

/* The number of calls that take 1 ms, or 8 ms if memory is measured. */
static size_t calls_per_repeat(const struct trit_kernels *k, const struct bench *b, bool stream)
{
    size_t n = 1;
    while (n < 1u << 20 && seconds_of(k, b, n, stream) < (stream ? 8e-3 : 1e-3))
        n *= 2;
    return n;
}

/* Medians over the repeats, in seconds per call. */
struct times {
    double kernel, limit; /* limit: 0 if there is none */
};

static struct times measure(const struct trit_kernels *k, const struct bench *b)
{
    enum { MIN_REPEATS = 3, MAX_REPEATS = 25 };
    const struct bench limit = limit_of(b);
    const bool stream = streams(b);
    double kernel[MAX_REPEATS], limits[MAX_REPEATS];
    size_t n = 0;

    bench_data.at = 0;
    const size_t n_kernel = calls_per_repeat(k, b, stream);
    const size_t n_limit = limit.run ? calls_per_repeat(k, &limit, stream) : 0;
    const double start = now();
    for (; n < MAX_REPEATS && (n < MIN_REPEATS || now() - start < 0.4); n++) {
        kernel[n] = seconds_of(k, b, n_kernel, stream) / (double)n_kernel;
        if (limit.run)
            limits[n] = seconds_of(k, &limit, n_limit, stream) / (double)n_limit;
    }
    qsort(kernel, n, sizeof *kernel, by_value);
    qsort(limits, limit.run ? n : 0, sizeof *limits, by_value);
    return (struct times){kernel[n / 2], limit.run ? limits[n / 2] : 0};
}

static void fill_data(const struct bench *b)
{
    begin_chance(b->name);
    if (b->fill) {
        b->fill(b);
        for (size_t at = b->n_weight_bytes; at + b->n_weight_bytes <= STREAM_BYTES;
             at += b->n_weight_bytes)
            memcpy(bench_data.stream + at, bench_data.stream, b->n_weight_bytes);
    }
    fill_floats(bench_data.x, BENCH_FLOATS, UNIFORM);
    fill_int8(bench_data.q, BENCH_FLOATS);
    for (size_t t = 0; t < BENCH_TOKENS; t++)
        bench_data.xq[t] = (struct trit_q8){.s = 10.0f};
}

static void bench_one(const struct bench *b, const struct trit_isa *isa)
{
    struct trit_kernels k;
    trit_kernels_init(&k, isa);
    const struct times t = measure(&k, b);
    const double n_macs = (double)b->n_rows * (double)b->n_cols * (double)b->n_tokens;

    printf("%-15s %5zu x %-5zu %6zu  %-8s %-5s %10.2f %8.2f %8.2f", b->name, b->n_rows, b->n_cols,
           b->n_tokens, isa->name, streams(b) ? bench_data.walk->name : "", t.kernel * 1e6,
           (double)b->n_weight_bytes / t.kernel * 1e-9, n_macs / t.kernel * 1e-9);
    if (streams(b))
        printf("  %3.0f %% of %.1f GB/s", 100 * t.limit / t.kernel,
               (double)b->n_weight_bytes / t.limit * 1e-9);
    else if (t.limit > 0) {
        const double peak = (double)k.probe_macs(256) / t.limit;
        printf("  %3.0f %% of %.1f GMAC/s", 100 * n_macs / t.kernel / peak, peak * 1e-9);
    }
    putchar('\n');
    fflush(stdout);
}

/* The scalar row would need minutes for a batch. */
static bool worth_it(const struct options *o, const struct bench *b, const struct trit_isa *isa)
{
    return wanted_row(o, isa) && (b->n_tokens <= 64 || isa != trit_isas);
}

/* Whether to measure bench_data.walk. */
static bool wanted_walk(const struct options *o, const struct bench *b)
{
    const struct trit_walk *walk = bench_data.walk;

    if (!o->walk || !streams(b))
        return walk == trit_walks;
    return (walk->of & b->walks) &&
           (strcmp(o->walk, "all") == 0 || strcmp(o->walk, walk->name) == 0);
}

static void bench_shape(const struct options *o, const struct bench *b)
{
    fill_data(b);
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++)
        for (bench_data.walk = trit_walks; bench_data.walk->name && worth_it(o, b, isa);
             bench_data.walk++)
            if (wanted_walk(o, b))
                bench_one(b, isa);
}

int bench_all(const struct options *o, const struct family *const *families)
{
    bench_data.stream = aligned_alloc(4096, STREAM_BYTES); /* as in a mapped file */
    bench_data.x = aligned_alloc(64, BENCH_FLOATS * sizeof *bench_data.x);
    bench_data.y = aligned_alloc(64, BENCH_FLOATS * sizeof *bench_data.y);
    bench_data.q = aligned_alloc(64, BENCH_FLOATS);
    if (!bench_data.stream || !bench_data.x || !bench_data.y || !bench_data.q) {
        fprintf(stderr, "check_kernels: out of memory\n");
        return 2;
    }
    printf("one thread; float products, and ternary ones of up to three tokens: weights from\n"
           "memory, beside the speed of reading them; otherwise caches warm; GB/s of weights\n"
           "(of input where there are none)\n");
    printf("%-15s %5s x %-5s %6s  %-8s %-5s %10s %8s %8s  %s\n", "kernel", "rows", "cols", "tokens",
           "isa", "walk", "us", "GB/s", "GMAC/s", "of the limit");
    for (; *families; families++)
        for (size_t i = 0; i < (*families)->n_benches; i++)
            if (matches(o, (*families)->benches[i].name))
                bench_shape(o, &(*families)->benches[i]);
    free(bench_data.stream), free(bench_data.x), free(bench_data.y), free(bench_data.q);
    return 0;
}
