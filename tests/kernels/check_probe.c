/* check_probe.c - the probes of the limits of a machine: probe_read, probe_macs, probe_fmas. */
#include "harness.h"

static void check_probe_read(int unused)
{
    (void)unused;
    for (size_t i = 0; i < 700; i++) {
        const size_t n = i < 600 ? i : below(100000);
        begin("%zu bytes", n);
        uint8_t *p = input(n, 1);
        uint64_t got[2];
        fill_bytes(p, n);
        for (int side = 0; side < 2; side++)
            got[side] = enter(side)->probe_read(p, n, (enum trit_hint)(i % 4));
        if (got[0] != got[1])
            fail("the sum is %llx, scalar has %llx", (unsigned long long)got[1],
                 (unsigned long long)got[0]);
    }
}

/* The number of operations that it reports must grow with the rounds and be a whole number of
 * vectors. */
static void check_probe(int of_floats)
{
    const struct trit_kernels *k = enter(1);
    uint64_t (*const probe)(size_t) = of_floats ? k->probe_fmas : k->probe_macs;
    const uint64_t one = probe(1), step = of_floats ? 4 : 32;

    for (size_t n = 0; n <= TRIT_PROBE_ROUNDS; n = 2 * n + 1) {
        begin("%zu rounds", n);
        const uint64_t sum = probe(n);
        if (sum != n * one || one % step)
            fail("the sum is %llu, one round's %llu", (unsigned long long)sum,
                 (unsigned long long)one);
    }
    begin("all rounds");
    if (probe(TRIT_PROBE_ROUNDS) != TRIT_PROBE_ROUNDS * one)
        fail("sums overflow");
}

static volatile uint64_t sum; /* so that the compiler omits no call */

void bench_read(const struct trit_kernels *k, const struct bench *b)
{
    sum ^= k->probe_read(bench_data.stream + bench_data.at, b->n_weight_bytes, TRIT_HINT_NONE);
}

void bench_macs(const struct trit_kernels *k, const struct bench *b)
{
    sum ^= k->probe_macs(b->n_rows);
}

static const struct check checks[] = {
    {"probe_read", check_probe_read, 0},
    {"probe_macs", check_probe, 0},
    {"probe_fmas", check_probe, 1},
};

const struct family probe_family = {checks, LENGTH(checks), NULL, 0};
