/* test_divergence.c - the numbers of trit perplexity --kl: simple cases by hand, random logits by
 * the plain formula, and divergences that are too small for that formula. */
#include <math.h>

#include "divergence.h"
#include "fixture.h"
#include "suite.h"

static void is_near(double x, double wanted, double tolerance)
{
    if (!(fabs(x - wanted) <= tolerance * fmax(fabs(wanted), 1e-300)))
        fail_msg("%.17g is not %.17g", x, wanted);
}

/* Two positions of a vocabulary of 3, probabilities (1/2, 1/4, 1/4) and (1/4, 1/2, 1/4), then the
 * same twice: KL is ln(2)/2 - ln(2)/4 = ln(2)/4, then 0; token 0 goes from 1/2 to 1/4, then token 1
 * stays at 1/2. */
static void by_hand(void **state)
{
    const float half = 0, quarter = -(float)log(2);
    const float p[3] = {half, quarter, quarter}, q[3] = {quarter + 5, half + 5, quarter + 5};
    struct divergence d;
    struct divergence_summary s;
    (void)state;

    assert_true(divergence_init(&d, 2, 3));
    divergence_add(&d, p, q, 0);
    divergence_add(&d, q, q, 1);
    divergence_summarize(&d, &s);
    is_near(s.kl_mean, log(2) / 8, 1e-6);
    is_near(s.kl_stderr, log(2) / 8, 1e-6); /* |a - b| / 2 of two values */
    is_near(s.kl_median, log(2) / 8, 1e-6);
    is_near(s.kl_p99, 0.99 * log(2) / 4, 1e-6);
    is_near(s.kl_max, log(2) / 4, 1e-6);
    is_near(s.same_top, 0.5, 0);
    is_near(s.lnp_change, -log(2) / 2, 1e-6);
    is_near(s.lnp_change_stderr, log(2) / 2, 1e-6);
    is_near(s.ppl_base, 2, 1e-6);
    is_near(s.ppl_ratio, sqrt(2), 1e-6);
    divergence_free(&d);
}

static void one_position(void **state)
{
    const float p[2] = {1, 1}, q[2] = {1, 1};
    struct divergence d;
    struct divergence_summary s;
    (void)state;

    assert_true(divergence_init(&d, 1, 2));
    divergence_add(&d, p, q, 1);
    divergence_summarize(&d, &s);
    is_near(s.kl_mean + s.kl_stderr + s.kl_median + s.kl_p99 + s.kl_max, 0, 0);
    is_near(s.same_top, 1, 0);
    is_near(s.ppl_base, 2, 1e-15);
    is_near(s.ppl_ratio, 1, 0);
    divergence_free(&d);
}

/* Percentiles of 0..100, shuffled. */
static void percentiles(void **state)
{
    struct divergence d;
    struct divergence_summary s;
    (void)state;

    assert_true(divergence_init(&d, 101, 1));
    for (d.n = 0; d.n < 101; d.n++)
        d.kl[d.n] = (double)(d.n * 37 % 101);
    divergence_summarize(&d, &s);
    is_near(s.kl_mean, 50, 0);
    is_near(s.kl_median, 50, 0);
    is_near(s.kl_p99, 99, 0);
    is_near(s.kl_max, 100, 0);
    is_near(s.kl_stderr, sqrt(101.0 * 102 / 12 / 101), 1e-14);
    d.n = 100; /* 0..99: between two values */
    divergence_summarize(&d, &s);
    is_near(s.kl_median, 49.5, 0);
    is_near(s.kl_p99, 98.01, 1e-14);
    divergence_free(&d);
}

enum { N = 300, POSITIONS = 40 };

static void random_row(uint64_t *rng, float *row, float spread)
{
    for (int i = 0; i < N; i++)
        row[i] = spread * fx_normal(rng);
}

static void plain_formula(void **state)
{
    uint64_t rng = 1;
    float p[N], q[N];
    struct divergence d;
    (void)state;

    assert_true(divergence_init(&d, POSITIONS, N));
    for (int k = 0; k < POSITIONS; k++) {
        const int32_t id = k * 7 % N;
        double kl = 0;
        random_row(&rng, p, (float)(k % 8));
        random_row(&rng, q, (float)(k % 5));
        for (int32_t i = 0; i < N; i++) {
            const double lp = trit_logprob(p, N, i), lq = trit_logprob(q, N, i);
            kl += exp(lp) * (lp - lq);
        }
        divergence_add(&d, p, q, id);
        assert_true(fabs(d.kl[k] - kl) <= 1e-13 * (1 + kl));
        assert_true(fabs(d.change[k] - (trit_logprob(q, N, id) - trit_logprob(p, N, id))) < 1e-12);
    }
    divergence_free(&d);
}

/* If logits differ by e at one place, the divergence is p (1 - p) e*e / 2 plus terms of e*e*e. */
static void tiny(void **state)
{
    uint64_t rng = 2;
    float p[N], q[N];
    struct divergence d;
    (void)state;

    assert_true(divergence_init(&d, 4, N));
    for (int k = 0; k < 4; k++) {
        const float e = k < 2 ? 0x1p-16f : 0x1p-20f;
        random_row(&rng, p, 1);
        for (int i = 0; i < N; i++)
            q[i] = p[i];
        p[k] = 1;
        q[k] = 1 + e;
        const double prob = exp(trit_logprob(p, N, k));
        divergence_add(&d, p, q, k);
        is_near(d.kl[k], prob * (1 - prob) * (double)e * (double)e / 2, 1e-4);
    }
    divergence_free(&d);
}

/* Equal logits give 0, and very different ones a large, finite number. */
static void extremes(void **state)
{
    uint64_t rng = 3;
    float p[N], q[N];
    struct divergence d;
    (void)state;

    assert_true(divergence_init(&d, 3, N));
    random_row(&rng, p, 20);
    divergence_add(&d, p, p, 0);
    assert_true(d.kl[0] == 0 && d.change[0] == 0);
    for (int i = 0; i < N; i++) {
        p[i] = i ? -3e38f : 3e38f;
        q[i] = i == 1 ? 3e38f : -3e38f;
    }
    divergence_add(&d, p, q, 0);
    is_near(d.kl[1], 6e38, 1e-6);
    is_near(d.change[1], -6e38, 1e-6);
    for (int i = 0; i < N; i++)
        p[i] = q[i] = 5;
    divergence_add(&d, p, q, 0);
    assert_true(d.kl[2] == 0);
    divergence_free(&d);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(by_hand),       cmocka_unit_test(one_position), cmocka_unit_test(percentiles),
    cmocka_unit_test(plain_formula), cmocka_unit_test(tiny),         cmocka_unit_test(extremes),
};

const struct suite suite = {SUITE_TESTS(tests)};
