/* test_sampler.c - the sampler: every stage, alone and combined, against a plain computation of the
 * expected distribution; ties; and choices that must be the same for a seed on every machine.
 *
 * Distributions are compared by chi-square. Seeds are fixed, so a test passes always or never; the
 * bound is so large that correct code would not exceed it with any seed. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "running.h"
#include "suite.h"

enum { MAX_VOCAB = 200, MAX_HISTORY = 300, N_DRAWS = 3000 };

static const int sizes[] = {2, 3, 17, 64, 150, 200}; /* of vocabularies */
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* The input of a sampler. */
struct scene {
    int n_vocab, n_history;
    float logits[MAX_VOCAB];
    int32_t history[MAX_HISTORY];
};

/* ---- Helpers --------------------------------------------------------------------------------- */

static double uniform(uint64_t *rng, double lo, double hi)
{
    return lo + (hi - lo) * ((double)(fx_random(rng) >> 11) * 0x1p-53);
}

static int pick(uint64_t *rng, int n)
{
    return (int)(fx_random(rng) % (uint64_t)n);
}

/* Logits of both signs; a history in which some tokens occur often. */
static struct scene random_scene(uint64_t *rng, int n_vocab, int n_history)
{
    struct scene s = {.n_vocab = n_vocab, .n_history = n_history};
    const float spread = (float)uniform(rng, 0.5, 3);
    for (int i = 0; i < n_vocab; i++)
        s.logits[i] = spread * fx_normal(rng);
    for (int i = 0; i < n_history; i++)
        s.history[i] = pick(rng, 1 + pick(rng, n_vocab));
    return s;
}

/* Every stage off. */
static struct trit_sampler_options neutral(void)
{
    struct trit_sampler_options o;
    trit_sampler_suggest(&o, sizeof o, NULL);
    o.min_p = 0;
    o.temp = 1;
    return o;
}

static trit_sampler *open_sampler(int n_vocab, const struct trit_sampler_options *opt)
{
    struct trit_error err = {.text = "?"};
    trit_sampler *s = NULL;
    if (trit_sampler_open(&s, n_vocab, opt, &err) != TRIT_OK)
        fail_msg("trit_sampler_open: %s", err.text);
    assert_non_null(s);
    return s;
}

static int32_t next(trit_sampler *s, const struct scene *x)
{
    return trit_sampler_next(s, x->logits, x->n_history ? x->history : NULL, x->n_history);
}

static void draw_many(const struct scene *x, const struct trit_sampler_options *opt, int32_t *out,
                      int n)
{
    trit_sampler *s = open_sampler(x->n_vocab, opt);
    for (int i = 0; i < n; i++) {
        out[i] = next(s, x);
        assert_in_range(out[i], 0, x->n_vocab - 1);
    }
    trit_sampler_close(&s);
}

/* The choice with temp 0, which is always the same. */
static int32_t greedy(const struct scene *x, struct trit_sampler_options opt)
{
    int32_t id[2];
    opt.temp = 0;
    draw_many(x, &opt, id, 2);
    assert_int_equal(id[0], id[1]);
    return id[0];
}

/* ---- The definitions ------------------------------------------------------------------------- */

struct spread {
    int n;
    double x[MAX_VOCAB], p[MAX_VOCAB];
    bool kept[MAX_VOCAB];
};

static void softmax(struct spread *s)
{
    double max = -INFINITY, sum = 0;
    for (int i = 0; i < s->n; i++)
        max = s->kept[i] ? fmax(max, s->x[i]) : max;
    for (int i = 0; i < s->n; i++)
        sum += s->p[i] = s->kept[i] ? exp(s->x[i] - max) : 0;
    for (int i = 0; i < s->n; i++)
        s->p[i] /= sum;
}

static bool is_before(const struct spread *s, int i, int id)
{
    return s->kept[i] && (s->x[i] > s->x[id] || (s->x[i] == s->x[id] && i < id));
}

static void apply_penalties(struct spread *s, const struct scene *sc,
                            const struct trit_sampler_options *o)
{
    const int last_n = o->repeat_last_n ? o->repeat_last_n : 64;
    const float repeat = o->repeat_penalty > 0 ? o->repeat_penalty : 1;

    for (int id = 0; id < s->n; id++) {
        int count = 0;
        for (int i = 0; i < sc->n_history; i++)
            if (last_n < 0 || i >= sc->n_history - last_n)
                count += sc->history[i] == id;
        if (count == 0)
            continue;
        if (s->x[id] > 0)
            s->x[id] /= (double)repeat;
        else
            s->x[id] *= (double)repeat;
        s->x[id] -= (double)o->presence_penalty;
        s->x[id] -= count * (double)o->frequency_penalty;
    }
}

static void apply_top_k(struct spread *s, int k)
{
    bool kept[MAX_VOCAB];
    for (int id = 0; id < s->n; id++) {
        int n_before = 0;
        for (int i = 0; i < s->n; i++)
            n_before += is_before(s, i, id);
        kept[id] = s->kept[id] && n_before < k;
    }
    memcpy(s->kept, kept, sizeof kept);
}

/* A token is kept if those before it are not enough. */
static void apply_top_p(struct spread *s, double top_p)
{
    bool kept[MAX_VOCAB];
    softmax(s);
    for (int id = 0; id < s->n; id++) {
        double mass = 0;
        int n_before = 0;
        for (int i = 0; i < s->n; i++)
            if (is_before(s, i, id)) {
                mass += s->p[i];
                n_before++;
            }
        kept[id] = s->kept[id] && (n_before == 0 || mass < top_p);
    }
    memcpy(s->kept, kept, sizeof kept);
}

static void apply_min_p(struct spread *s, double min_p)
{
    double best = 0;
    softmax(s);
    for (int i = 0; i < s->n; i++)
        best = fmax(best, s->p[i]);
    for (int i = 0; i < s->n; i++)
        s->kept[i] = s->kept[i] && s->p[i] >= min_p * best;
}

/* The final distribution. */
static struct spread expected(const struct scene *sc, const struct trit_sampler_options *o)
{
    struct spread s = {.n = sc->n_vocab};

    for (int i = 0; i < s.n; i++) {
        s.x[i] = (double)sc->logits[i];
        s.kept[i] = true;
    }
    apply_penalties(&s, sc, o);
    for (int i = 0; i < o->n_bias; i++)
        s.x[o->bias[i].id] += (double)o->bias[i].value;
    if (o->top_k > 0)
        apply_top_k(&s, o->top_k);
    if (o->top_p > 0 && o->top_p < 1)
        apply_top_p(&s, (double)o->top_p);
    if (o->min_p > 0)
        apply_min_p(&s, (double)o->min_p);
    for (int i = 0; i < s.n; i++)
        s.x[i] /= (double)o->temp;
    softmax(&s);
    return s;
}

static int n_kept(const struct spread *s)
{
    int n = 0;
    for (int i = 0; i < s->n; i++)
        n += s->kept[i];
    return n;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

/* Eight deviations out (Wilson and Hilferty's approximation): about 1 in 10^15. */
static double chi_square_bound(int freedom)
{
    const double v = 2 / (9.0 * freedom), c = 1 - v + 8 * sqrt(v);
    return freedom * c * c * c;
}

/* Neighbors are merged until a cell has an expected count of at least 20. */
static void compare_counts(const char *what, const double *p, const int *counts, int n, int n_draws)
{
    double e = 0, o = 0, rest_e = 0, rest_o = 0, chi = 0;
    int n_cells = 0;

    for (int i = 0; i <= n; i++) {
        if (i < n) {
            rest_e += p[i] * n_draws;
            rest_o += counts[i];
        }
        if (i < n && rest_e < 20)
            continue;
        if (rest_e < 20) { /* the rest at the end goes to the last cell */
            e += rest_e;
            o += rest_o;
            rest_e = rest_o = 0;
        }
        if (e > 0) {
            chi += (o - e) * (o - e) / e;
            n_cells++;
        }
        e = rest_e;
        o = rest_o;
        rest_e = rest_o = 0;
    }
    if (n_cells > 1 && !(chi <= chi_square_bound(n_cells - 1)))
        fail_msg("%s: chi-square %g in %d cells, at most %g", what, chi, n_cells,
                 chi_square_bound(n_cells - 1));
}

static void check(const char *what, const struct scene *x, const struct trit_sampler_options *opt)
{
    const struct spread s = expected(x, opt);
    int32_t ids[N_DRAWS];
    int counts[MAX_VOCAB] = {0};

    draw_many(x, opt, ids, N_DRAWS);
    for (int i = 0; i < N_DRAWS; i++) {
        counts[ids[i]]++;
        if (!s.kept[ids[i]])
            fail_msg("%s: token %d of %d was drawn, which should have been dropped (%d are kept)",
                     what, (int)ids[i], x->n_vocab, n_kept(&s));
    }
    compare_counts(what, s.p, counts, x->n_vocab, N_DRAWS);
}

/* ---- One stage alone ------------------------------------------------------------------------- */

static void test_all_off(void **state)
{
    uint64_t rng = 1;
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        struct trit_sampler_options o = neutral();
        const struct scene x = random_scene(&rng, sizes[i], 100);
        o.seed = (uint64_t)i;
        check("all off", &x, &o);
    }
}

static void test_repeat_penalty(void **state)
{
    static const float values[] = {0.5f, 0.9f, 1.1f, 1.5f, 3, 1000};
    uint64_t rng = 2;
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        struct trit_sampler_options o = neutral();
        const struct scene x = random_scene(&rng, sizes[i], 40);
        o.repeat_penalty = values[i];
        check("repeat_penalty", &x, &o);
    }
}

static void test_presence_penalty(void **state)
{
    static const float values[] = {0.7f, -0.7f, 1.5f, 2, -1, 0.3f};
    uint64_t rng = 3;
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        struct trit_sampler_options o = neutral();
        const struct scene x = random_scene(&rng, sizes[i], 40);
        o.presence_penalty = values[i];
        check("presence_penalty", &x, &o);
    }
}

static void test_frequency_penalty(void **state)
{
    static const float values[] = {0.05f, -0.05f, 0.2f, 0.4f, -0.2f, 0.3f};
    uint64_t rng = 4;
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        struct trit_sampler_options o = neutral();
        const struct scene x = random_scene(&rng, sizes[i], 60);
        o.frequency_penalty = values[i];
        check("frequency_penalty", &x, &o);
    }
}

static void test_logit_bias(void **state)
{
    uint64_t rng = 5;
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        struct trit_sampler_options o = neutral();
        const struct scene x = random_scene(&rng, sizes[i], 0);
        struct trit_logit_bias bias[5];
        for (int j = 0; j < 5; j++) /* an id may come twice; both count */
            bias[j] = (struct trit_logit_bias){pick(&rng, sizes[i]), (float)uniform(&rng, -3, 3)};
        bias[4].value = i % 2 ? -1000 : 1;
        o.bias = bias;
        o.n_bias = 5;
        check("logit_bias", &x, &o);
    }
}

static void test_top_k(void **state)
{
    uint64_t rng = 6;
    (void)state;
    for (int i = 0; i < N_SIZES; i++) {
        const struct scene x = random_scene(&rng, sizes[i], 0);
        const int ks[] = {1, 2, 1 + pick(&rng, sizes[i]), sizes[i] - 1, sizes[i], 100000};
        for (int j = 0; j < 6; j++) {
            struct trit_sampler_options o = neutral();
            o.top_k = ks[j];
            const struct spread s = expected(&x, &o);
            assert_int_equal(n_kept(&s), ks[j] < sizes[i] ? ks[j] : sizes[i]);
            check("top_k", &x, &o);
        }
    }
}

static void test_top_p(void **state)
{
    static const float values[] = {1e-30f, 0.01f, 0.3f, 0.5f, 0.9f, 0.99f};
    uint64_t rng = 7;
    (void)state;
    for (int i = 0; i < N_SIZES; i++)
        for (int j = 0; j < 6; j++) {
            struct trit_sampler_options o = neutral();
            const struct scene x = random_scene(&rng, sizes[i], 0);
            o.top_p = values[j];
            const struct spread s = expected(&x, &o);
            assert_true(j > 0 || n_kept(&s) == 1);
            check("top_p", &x, &o);
        }
}

static void test_min_p(void **state)
{
    static const float values[] = {1e-6f, 0.01f, 0.05f, 0.2f, 0.7f, 1};
    uint64_t rng = 8;
    (void)state;
    for (int i = 0; i < N_SIZES; i++)
        for (int j = 0; j < 6; j++) {
            struct trit_sampler_options o = neutral();
            const struct scene x = random_scene(&rng, sizes[i], 0);
            o.min_p = values[j];
            check("min_p", &x, &o);
        }
}

static void test_temp(void **state)
{
    static const float values[] = {0.05f, 0.5f, 0.8f, 1.3f, 5, 1000};
    uint64_t rng = 9;
    (void)state;
    for (int i = 0; i < N_SIZES; i++)
        for (int j = 0; j < 6; j++) {
            struct trit_sampler_options o = neutral();
            const struct scene x = random_scene(&rng, sizes[i], 0);
            o.temp = values[j];
            check("temp", &x, &o);
        }
}

/* ---- Several, in their order ----------------------------------------------------------------- */

static float maybe(uint64_t *rng, double off, double lo, double hi)
{
    const double value = uniform(rng, lo, hi);
    return (float)(pick(rng, 4) ? value : off);
}

static void test_combinations(void **state)
{
    uint64_t rng = 10;
    (void)state;
    for (int i = 0; i < 80; i++) {
        const int n_vocab = 2 + pick(&rng, MAX_VOCAB - 1);
        const struct scene x = random_scene(&rng, n_vocab, pick(&rng, MAX_HISTORY));
        struct trit_logit_bias bias[8];
        struct trit_sampler_options o = neutral();
        for (int j = 0; j < 8; j++)
            bias[j] = (struct trit_logit_bias){pick(&rng, n_vocab), (float)uniform(&rng, -2, 4)};
        o.repeat_penalty = maybe(&rng, 1, 0.6, 2);
        o.presence_penalty = maybe(&rng, 0, -0.5, 1);
        o.frequency_penalty = maybe(&rng, 0, -0.1, 0.3);
        o.repeat_last_n = pick(&rng, 4) ? pick(&rng, 120) : -1;
        o.bias = bias;
        o.n_bias = pick(&rng, 9);
        o.top_k = pick(&rng, 4) ? 1 + pick(&rng, n_vocab) : 0;
        o.top_p = maybe(&rng, 1, 0.5, 1);
        o.min_p = maybe(&rng, 0, 0, 0.2);
        o.temp = maybe(&rng, 1, 0.4, 2);
        o.seed = fx_random(&rng);
        check("combination", &x, &o);
    }
}

/* Logarithms of the probabilities 0.4 0.3 0.2 0.1, the last one at id 0. */
static struct scene four(void)
{
    const struct scene x = {4, 1, {logf(0.1f), logf(0.4f), logf(0.3f), logf(0.2f)}, {1}};
    return x;
}

/* The kept tokens in cases in which another order of stages would keep others. */
static void test_order(void **state)
{
    const struct trit_logit_bias up = {0, logf(6)}; /* then 0.4 0.267 0.2 0.133, relative to 1.5 */
    const struct scene x = four();
    struct {
        struct trit_sampler_options o;
        bool kept[4];
    } cases[7];
    (void)state;

    for (int i = 0; i < 7; i++)
        cases[i].o = neutral();
    cases[0].o.bias = &up; /* the bias counts in top-k */
    cases[0].o.n_bias = 1;
    cases[0].o.top_k = 1;
    memcpy(cases[0].kept, (bool[]){true, false, false, false}, 4);
    cases[1].o.top_k = 2; /* of 0.57 and 0.43 the first is enough; of all four it is not */
    cases[1].o.top_p = 0.55f;
    memcpy(cases[1].kept, (bool[]){false, true, false, false}, 4);
    cases[2].o.top_p = 0.65f; /* keeps two at temperature 1, and would keep one at 0.1 */
    cases[2].o.temp = 0.1f;
    memcpy(cases[2].kept, (bool[]){false, true, true, false}, 4);
    cases[3].o.min_p = 0.45f; /* 0.2 is half of 0.4; at 0.1 it would be next to nothing */
    cases[3].o.temp = 0.1f;
    memcpy(cases[3].kept, (bool[]){false, true, true, true}, 4);
    cases[4].o.min_p = 0.3f; /* drops the last one; with 10 it would not */
    cases[4].o.temp = 10;
    memcpy(cases[4].kept, (bool[]){false, true, true, true}, 4);
    cases[5].o.top_p = 0.75f; /* three, and min-p keeps them; in the other order two */
    cases[5].o.min_p = 0.45f;
    memcpy(cases[5].kept, (bool[]){false, true, true, true}, 4);
    cases[6].o.presence_penalty = 10; /* the best one is removed before top-k counts */
    cases[6].o.top_k = 1;
    memcpy(cases[6].kept, (bool[]){false, false, true, false}, 4);
    for (int i = 0; i < 7; i++) {
        const struct spread s = expected(&x, &cases[i].o);
        assert_memory_equal(s.kept, cases[i].kept, 4); /* the definitions above agree */
        cases[i].o.seed = 3;
        check("order", &x, &cases[i].o);
    }
}

/* Neutral values change no choice, not only no distribution. */
static void test_neutral_values(void **state)
{
    const struct trit_logit_bias nothing = {1, 0};
    uint64_t rng = 11;
    const struct scene x = random_scene(&rng, 50, 100);
    struct trit_sampler_options o[5];
    int32_t first[200], ids[200];
    (void)state;

    for (int i = 0; i < 5; i++)
        o[i] = neutral();
    draw_many(&x, &o[0], first, 200);
    o[1].bias = &nothing;
    o[1].n_bias = 1;
    o[2] = (struct trit_sampler_options){.temp = o[0].temp, .seed = o[0].seed}; /* zeros: off */
    o[3].repeat_last_n = -1;
    o[4].repeat_last_n = 10000;
    for (int i = 1; i < 5; i++) {
        draw_many(&x, &o[i], ids, 200);
        assert_memory_equal(ids, first, sizeof ids);
    }
}

static void test_suggestions(void **state)
{
    struct trit_sampler_options o, expected = {.size = sizeof o, .min_p = 0.05f, .temp = 0.8f};
    struct fx_gguf g;
    trit_file *file = NULL;
    (void)state;

    memset(&o, 0xff, sizeof o);
    trit_sampler_suggest(&o, sizeof o, NULL);
    assert_memory_equal(&o, &expected, sizeof o);

    fx_init(&g);
    fx_f32(&g, "general.sampling.temp", 0.25f);
    fx_f32(&g, "general.sampling.min_p", 7); /* out of range */
    fx_str(&g, "general.sampling.top_p", "0.5");
    fx_i32(&g, "general.sampling.top_k", 20);
    fx_f32(&g, "general.sampling.penalty_repeat", 1.5f);
    fx_i32(&g, "general.sampling.penalty_last_n", 99);
    OK(trit_file_open(&file, fx_write_gguf("sampling", &g), NULL, &why));
    fx_free(&g);
    trit_sampler_suggest(&o, sizeof o, file);
    expected.temp = 0.25f;
    expected.top_k = 20;
    expected.repeat_penalty = 1.5f;
    expected.repeat_last_n = 99;
    assert_memory_equal(&o, &expected, sizeof o);
    trit_file_close(&file);
}

/* ---- Penalties, exactly ---------------------------------------------------------------------- */

/* All logits are equal, and the history counts down to 0, so the best token is the first one
 * outside the window. */
static void test_windows(void **state)
{
    static const int windows[] = {3, 1, 2, 63, 64, 65, 150, 100000, INT32_MAX, -1};
    static const int lengths[] = {0, 1, 2, 63, 64, 65, 150};
    (void)state;
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 7; j++) {
            const int w = windows[i], n = lengths[j];
            struct scene x = {.n_vocab = MAX_VOCAB, .n_history = n};
            struct trit_sampler_options o = neutral();
            for (int k = 0; k < n; k++)
                x.history[k] = n - 1 - k;
            o.presence_penalty = 1;
            o.repeat_last_n = w;
            assert_int_equal(greedy(&x, o), w < 0 || w > n ? n : w);
            o.presence_penalty = 0;
            o.frequency_penalty = 1;
            assert_int_equal(greedy(&x, o), w < 0 || w > n ? n : w);
        }
}

/* The effect of the window on the distribution. */
static void test_window_draws(void **state)
{
    static const int windows[] = {0, 1, 10, 64, -1, 1000}; /* 0: 64 */
    uint64_t rng = 12;
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct trit_sampler_options o = neutral();
        const struct scene x = random_scene(&rng, 12, 90);
        o.repeat_last_n = windows[i];
        o.repeat_penalty = 1.7f;
        o.presence_penalty = 0.3f;
        o.frequency_penalty = 0.1f;
        check("repeat_last_n", &x, &o);
    }
}

/* Token 0 with a logit and n occurrences in the history, against token 1 with a logit just below
 * and just above the expected result. */
static void assert_becomes(struct trit_sampler_options o, float logit, int n, double value)
{
    struct scene x = {.n_vocab = 2, .n_history = n, .logits = {logit}};
    x.logits[1] = (float)(value - 1e-4);
    assert_int_equal(greedy(&x, o), 0);
    x.logits[1] = (float)(value + 1e-4);
    assert_int_equal(greedy(&x, o), 1);
}

static void test_penalty_values(void **state)
{
    struct trit_sampler_options o = neutral();
    const struct trit_logit_bias bias = {0, 5};
    (void)state;

    o.repeat_penalty = 2;
    assert_becomes(o, 3, 0, 3);
    assert_becomes(o, 3, 1, 1.5);
    assert_becomes(o, 3, 5, 1.5); /* once, for any number of occurrences */
    assert_becomes(o, -3, 1, -6);
    assert_becomes(o, 0, 1, 0);
    o.presence_penalty = 1; /* after the division */
    assert_becomes(o, 3, 1, 0.5);
    assert_becomes(o, -3, 4, -7);
    o.frequency_penalty = 0.25f; /* for each one */
    assert_becomes(o, 3, 1, 0.25);
    assert_becomes(o, 3, 4, -0.5);
    assert_becomes(o, 3, 100, 0.5 - 64 * 0.25); /* for those in the window */
    o.bias = &bias;                             /* added afterwards */
    o.n_bias = 1;
    assert_becomes(o, 3, 4, 4.5);
    assert_becomes(o, -1, 4, 1);
    assert_becomes(o, -1, 0, 4);
    o = neutral();
    o.frequency_penalty = -0.5f;
    assert_becomes(o, 1, 3, 2.5);
}

/* A sampler keeps nothing of earlier histories. */
static void test_histories_in_turn(void **state)
{
    uint64_t rng = 13;
    struct trit_sampler_options o = neutral();
    struct scene x[3];
    (void)state;

    o.frequency_penalty = 0.5f;
    o.repeat_penalty = 1.3f;
    o.repeat_last_n = -1;
    o.temp = 0;
    for (int i = 0; i < 3; i++)
        x[i] = random_scene(&rng, 60, 100 * i);
    trit_sampler *s = open_sampler(60, &o);
    for (int i = 0; i < 30; i++)
        assert_int_equal(next(s, &x[i * 7 % 3]), greedy(&x[i * 7 % 3], o));
    trit_sampler_close(&s);
}

/* ---- Ties ------------------------------------------------------------------------------------ */

/* The ids that are ever drawn with these logits, as a mask. */
static unsigned drawn(const struct scene *x, const struct trit_sampler_options *o)
{
    int32_t ids[500];
    unsigned mask = 0;
    draw_many(x, o, ids, 500);
    for (int i = 0; i < 500; i++)
        mask |= 1u << ids[i];
    return mask;
}

static void test_ties_top_k(void **state)
{
    /* in order: 3, then 1 4 6 7, then 0 2 5 */
    const struct scene x = {.n_vocab = 8, .logits = {1, 2, 1, 3, 2, 1, 2, 2}};
    static const unsigned masks[] = {0xff, 0x08, 0x0a, 0x1a, 0x5a, 0xda, 0xdb, 0xdf, 0xff};
    (void)state;
    for (int k = 0; k <= 8; k++) {
        struct trit_sampler_options o = neutral();
        o.top_k = k;
        assert_int_equal(drawn(&x, &o), masks[k]);
    }
    for (int k = 1; k <= 20; k++) { /* all the same */
        const struct scene same = {.n_vocab = 20};
        struct trit_sampler_options o = neutral();
        o.top_k = k;
        assert_int_equal(drawn(&same, &o), (1u << k) - 1);
    }
}

static void test_ties_top_p(void **state)
{
    const struct scene same = {.n_vocab = 8};
    (void)state;
    for (int n = 1; n <= 8; n++) { /* eighths are exact, so their sums are too */
        struct trit_sampler_options o = neutral();
        o.top_p = (float)n / 8;
        assert_int_equal(drawn(&same, &o), (1u << n) - 1);
        o.top_p -= 0.01f;
        assert_int_equal(drawn(&same, &o), (1u << n) - 1);
        o.top_p = n < 8 ? (float)n / 8 + 0.01f : 1;
        assert_int_equal(drawn(&same, &o), n < 8 ? (2u << n) - 1 : 0xff);
    }
    struct trit_sampler_options o = neutral();
    o.top_p = 1e-30f;
    assert_int_equal(drawn(&same, &o), 1);
    const struct scene late = {.n_vocab = 4, .logits = {0, 1, 1, 1}};
    assert_int_equal(drawn(&late, &o), 2);
}

static void test_ties_min_p(void **state)
{
    const struct scene x = {.n_vocab = 6, .logits = {2, 5, 4.999f, 5, -9, 5}};
    struct trit_sampler_options o = neutral();
    (void)state;
    o.min_p = 1; /* the best one and those equal to it */
    assert_int_equal(drawn(&x, &o), 0x2a);
    o.min_p = 0.99f;
    assert_int_equal(drawn(&x, &o), 0x2e);
}

static void test_ties_greedy(void **state)
{
    const struct scene x = {.n_vocab = 6, .logits = {-2, 1, 4, 4, 3.5f, 4}};
    const struct scene same = {.n_vocab = 5, .logits = {-7, -7, -7, -7, -7}};
    const struct trit_logit_bias bias = {4, 0.5f}, zero = {1, 3};
    struct trit_sampler_options o = neutral();
    (void)state;
    assert_int_equal(greedy(&x, o), 2);
    assert_int_equal(greedy(&same, o), 0);
    o.bias = &bias; /* as good as the best ones, but later */
    o.n_bias = 1;
    assert_int_equal(greedy(&x, o), 2);
    o.bias = &zero; /* earlier */
    assert_int_equal(greedy(&x, o), 1);
}

/* temp 0: the best one after penalties and bias, for any other options. */
static void test_greedy(void **state)
{
    uint64_t rng = 14;
    (void)state;
    for (int i = 0; i < 200; i++) {
        const int n_vocab = 2 + pick(&rng, MAX_VOCAB - 1);
        const struct scene x = random_scene(&rng, n_vocab, pick(&rng, MAX_HISTORY));
        const struct trit_logit_bias bias = {pick(&rng, n_vocab), (float)uniform(&rng, -5, 5)};
        struct trit_sampler_options o = neutral();
        o.repeat_penalty = maybe(&rng, 1, 0.6, 2);
        o.presence_penalty = maybe(&rng, 0, -2, 2);
        o.frequency_penalty = maybe(&rng, 0, -1, 1);
        o.repeat_last_n = pick(&rng, 120) - 1;
        o.bias = &bias;
        o.n_bias = pick(&rng, 2);
        const struct spread s = expected(&x, &o);
        int best = 0;
        for (int id = 1; id < n_vocab; id++)
            best = s.p[id] > s.p[best] ? id : best;
        o.top_k = pick(&rng, 3);
        o.top_p = maybe(&rng, 1, 0, 1);
        o.min_p = maybe(&rng, 0, 0, 1);
        o.seed = fx_random(&rng);
        assert_int_equal(greedy(&x, o), best);
    }
}

/* The largest and smallest values of options and logits. */
static void test_extremes(void **state)
{
    static const float temps[] = {0, 1e-45f, 1e-30f, 0.5f, 1, 1000};
    const struct scene x = {3, 2, {-3e38f, 3e38f, 0}, {1, 0}};
    const struct scene far = {.n_vocab = 3, .logits = {-3e38f, -3e38f, -3e38f}};
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct trit_sampler_options o = neutral();
        o.temp = temps[i];
        assert_int_equal(drawn(&x, &o), 2);
        o.repeat_penalty = 1000;
        o.presence_penalty = o.frequency_penalty = 1000;
        assert_int_equal(drawn(&x, &o), 2);
        o.repeat_penalty = 0.001f;
        o.presence_penalty = o.frequency_penalty = -1000;
        o.min_p = 1e-45f;
        o.top_p = 0.99999994f;
        assert_int_equal(drawn(&x, &o), 2);
        assert_int_equal(drawn(&far, &o), temps[i] > 0 ? 7 : 1);
    }
    const struct scene one = {.n_vocab = 1, .logits = {-4}};
    struct trit_sampler_options o;
    trit_sampler_suggest(&o, sizeof o, NULL);
    o.top_k = 1;
    o.top_p = 1e-30f;
    assert_int_equal(drawn(&one, &o), 1);
}

/* ---- The same on every machine --------------------------------------------------------------- */

static const uint64_t seeds[4] = {0, 1, 42, UINT64_MAX};

/* With 256 equal logits, the choice is the top byte of a random number. (From another
 * implementation of splitmix64 and xoshiro256**, checked against the authors' numbers, as in the
 * other two.) */
static void test_golden_bytes(void **state)
{
    static const uint8_t bytes[4][16] = {
        {153, 191, 26, 106, 187, 255, 108, 137, 219, 235, 29, 17, 27, 167, 126, 75},
        {179, 133, 146, 100, 178, 36, 18, 97, 221, 141, 238, 245, 238, 171, 153, 227},
        {21, 97, 174, 236, 253, 197, 184, 217, 194, 149, 174, 74, 205, 82, 182, 224},
        {143, 196, 129, 191, 145, 187, 94, 196, 160, 157, 65, 11, 122, 123, 48, 198},
    };
    static const float logits[256];
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct trit_sampler_options o = neutral();
        o.seed = seeds[i];
        trit_sampler *s = open_sampler(256, &o);
        for (int j = 0; j < 16; j++)
            assert_int_equal(trit_sampler_next(s, logits, NULL, 0), bytes[i][j]);
        trit_sampler_close(&s);
    }
}

static void assert_choices(const struct scene *x, const struct trit_sampler_options *o,
                           const char *digits)
{
    int32_t ids[24];
    char text[25] = {0};
    draw_many(x, o, ids, 24);
    for (int i = 0; i < 24; i++)
        text[i] = (char)('0' + ids[i]);
    assert_string_equal(text, digits);
}

static void test_golden_choices(void **state)
{
    static const char *const falling[] = {"120129113400021020100101", "211020003156521401001110",
                                          "002582232120302413220011", "121212021100110202110121"};
    static const char *const top_6[] = {"030035003600030030000000", "300030006069630600000000",
                                        "003623333030303603330000", "030303030000000303000030"};
    struct scene x = {.n_vocab = 10}, y = {.n_vocab = 10};
    (void)state;
    for (int i = 0; i < 10; i++) {
        x.logits[i] = -0.5f * (float)i;
        y.logits[i] = -0.5f * (float)(7 * i % 10);
    }
    for (int i = 0; i < 4; i++) {
        struct trit_sampler_options o = neutral();
        o.seed = seeds[i];
        assert_choices(&x, &o, falling[i]);
        o.top_k = 6;
        o.temp = 0.5f;
        assert_choices(&y, &o, top_6[i]);
    }
}

static void test_uniform(void **state)
{
    enum { N = 40000 };
    const struct scene many = {.n_vocab = 128}, few = {.n_vocab = 16};
    static double p[256];
    static int32_t ids[N];
    int counts[256] = {0};
    struct trit_sampler_options o = neutral();
    (void)state;

    o.seed = 7;
    draw_many(&many, &o, ids, N);
    for (int i = 0; i < N; i++) {
        counts[ids[i]]++;
        p[i % 128] = 1 / 128.0;
    }
    compare_counts("one draw", p, counts, 128, N);
    memset(counts, 0, sizeof counts);
    o.seed = 8;
    draw_many(&few, &o, ids, N);
    for (int i = 0; i + 1 < N; i += 2) {
        counts[ids[i] * 16 + ids[i + 1]]++;
        p[i / 2 % 256] = 1 / 256.0;
    }
    compare_counts("two draws", p, counts, 256, N / 2);
}

static void test_seeds(void **state)
{
    enum { N_SEEDS = 40 };
    static int32_t ids[N_SEEDS][32];
    uint64_t rng = 15;
    const struct scene x = random_scene(&rng, 200, 10);
    int32_t again[32];
    (void)state;

    for (int i = 0; i < N_SEEDS; i++) {
        struct trit_sampler_options o = neutral();
        o.seed = i < 20 ? (uint64_t)i : (uint64_t)1 << (i + 20);
        draw_many(&x, &o, ids[i], 32);
        draw_many(&x, &o, again, 32);
        assert_memory_equal(ids[i], again, sizeof again);
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(ids[i], ids[j], sizeof ids[i]);
    }
}

/* ---- Probabilities --------------------------------------------------------------------------- */

static void test_logprob(void **state)
{
    static const float spreads[] = {0, 1, 10, 300, 1e30f};
    uint64_t rng = 16;
    float x[MAX_VOCAB];
    (void)state;

    for (int i = 0; i < N_SIZES * 5; i++) {
        const int n = sizes[i % N_SIZES];
        double max = -INFINITY, sum = 0;
        for (int j = 0; j < n; j++) {
            x[j] = spreads[i / N_SIZES] * fx_normal(&rng);
            max = fmax(max, (double)x[j]);
        }
        for (int j = 0; j < n; j++)
            sum += exp((double)x[j] - max);
        for (int j = 0; j < n; j++) {
            const double e = (double)x[j] - max - log(sum), got = trit_logprob(x, n, j);
            if (!(fabs(got - e) <= 1e-13 * (1 + fabs(e))))
                fail_msg("log-probability %.17g, expected %.17g", got, e);
            assert_true(got <= 0);
        }
    }
    assert_true(trit_logprob(x, 1, 0) == 0);
}

static void test_argmax(void **state)
{
    static const float x[] = {-1, 3, 3, -5, 3}, last[] = {1, 2, 3}, low[] = {-3e38f, -3e38f, -1};
    static const float zeros[] = {-0.0f, 0.0f};
    (void)state;
    assert_int_equal(trit_argmax(x, 5), 1);
    assert_int_equal(trit_argmax(x, 1), 0);
    assert_int_equal(trit_argmax(last, 3), 2);
    assert_int_equal(trit_argmax(low, 2), 0);
    assert_int_equal(trit_argmax(low, 3), 2);
    assert_int_equal(trit_argmax(zeros, 2), 0); /* they are equal */
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static void assert_refused(const struct trit_sampler_options *o, const char *name)
{
    struct trit_error err = {0};
    trit_sampler *s = (trit_sampler *)&err; /* anything but NULL */
    const trit_status status = trit_sampler_open(&s, 10, o, &err);

    if (status != TRIT_E_ARGUMENT || err.code != status || !strstr(err.text, name))
        fail_msg("status %d for a bad %s: '%s'", (int)status, name, err.text);
    assert_null(s);
    assert_int_equal(trit_sampler_open(&s, 10, o, NULL), TRIT_E_ARGUMENT);
    assert_null(s);
}

static void test_bad_numbers(void **state)
{
    const struct {
        const char *name;
        size_t offset;
        float bad[5];
    } fields[] = {
#define FIELD(name) #name, offsetof(struct trit_sampler_options, name)
        {FIELD(temp), {-0.1f, -1e-30f, -INFINITY, INFINITY, NAN}},
        {FIELD(top_p), {-0.01f, 1.01f, -INFINITY, INFINITY, NAN}},
        {FIELD(min_p), {-0.01f, 1.01f, -INFINITY, INFINITY, NAN}},
        {FIELD(repeat_penalty), {-0.5f, -1, 0.0009f, 1001, NAN}},
        {FIELD(presence_penalty), {-INFINITY, INFINITY, NAN, -1e30f, 1e30f}},
        {FIELD(frequency_penalty), {-INFINITY, INFINITY, NAN, -1e30f, 1e30f}},
#undef FIELD
    };
    (void)state;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (int j = 0; j < 5; j++) {
            struct trit_sampler_options o;
            trit_sampler_suggest(&o, sizeof o, NULL);
            memcpy((char *)&o + fields[i].offset, &fields[i].bad[j], sizeof(float));
            assert_refused(&o, fields[i].name);
        }
}

static void test_bad_integers(void **state)
{
    const struct trit_logit_bias bad[] = {{-1, 1},  {10, 1},       {INT32_MIN, 1}, {INT32_MAX, 1},
                                          {3, NAN}, {3, INFINITY}, {3, -INFINITY}};
    struct trit_sampler_options o;
    (void)state;

    trit_sampler_suggest(&o, sizeof o, NULL);
    o.top_k = -1;
    assert_refused(&o, "top_k");
    o.top_k = INT32_MIN;
    assert_refused(&o, "top_k");
    trit_sampler_suggest(&o, sizeof o, NULL);
    o.repeat_last_n = -2;
    assert_refused(&o, "repeat_last_n");
    trit_sampler_suggest(&o, sizeof o, NULL);
    o.n_bias = -1;
    assert_refused(&o, "n_bias");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct trit_logit_bias list[3] = {{0, 1}, {9, -1}, bad[i]};
        trit_sampler_suggest(&o, sizeof o, NULL);
        o.bias = list;
        o.n_bias = 3;
        assert_refused(&o, "bias");
    }
}

/* Ranges include their ends; the list of biases is copied. */
static void test_good_options(void **state)
{
    const struct scene x = {.n_vocab = 10, .n_history = 1};
    struct trit_logit_bias bias[] = {{0, 1}, {9, 2}};
    struct trit_sampler_options o = neutral();
    (void)state;

    for (int i = 0; i < 2; i++) {
        o.temp = i ? 0 : 1e-45f;
        o.top_p = o.min_p = (float)i;
        o.repeat_penalty = i ? 1000 : 0.001f;
        o.presence_penalty = o.frequency_penalty = i ? 1000 : -1000;
        o.repeat_last_n = i ? INT32_MAX : -1;
        o.top_k = i ? INT32_MAX : 0;
        drawn(&x, &o);
    }
    o = neutral();
    o.temp = 0;
    o.bias = bias;
    o.n_bias = 2;
    trit_sampler *s = open_sampler(10, &o);
    bias[1] = (struct trit_logit_bias){-5, -9};
    assert_int_equal(next(s, &x), 9);
    trit_sampler_close(&s);
    assert_null(s);
    trit_sampler_close(&s); /* a pointer to NULL */
}

/* As the header promises. This test is last, because it may end the program. */
static void test_close_null(void **state)
{
    (void)state;
    trit_sampler_close(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_all_off),
    cmocka_unit_test(test_repeat_penalty),
    cmocka_unit_test(test_presence_penalty),
    cmocka_unit_test(test_frequency_penalty),
    cmocka_unit_test(test_logit_bias),
    cmocka_unit_test(test_top_k),
    cmocka_unit_test(test_top_p),
    cmocka_unit_test(test_min_p),
    cmocka_unit_test(test_temp),
    cmocka_unit_test(test_combinations),
    cmocka_unit_test(test_order),
    cmocka_unit_test(test_neutral_values),
    cmocka_unit_test(test_suggestions),
    cmocka_unit_test(test_windows),
    cmocka_unit_test(test_window_draws),
    cmocka_unit_test(test_penalty_values),
    cmocka_unit_test(test_histories_in_turn),
    cmocka_unit_test(test_ties_top_k),
    cmocka_unit_test(test_ties_top_p),
    cmocka_unit_test(test_ties_min_p),
    cmocka_unit_test(test_ties_greedy),
    cmocka_unit_test(test_greedy),
    cmocka_unit_test(test_extremes),
    cmocka_unit_test(test_golden_bytes),
    cmocka_unit_test(test_golden_choices),
    cmocka_unit_test(test_uniform),
    cmocka_unit_test(test_seeds),
    cmocka_unit_test(test_logprob),
    cmocka_unit_test(test_argmax),
    cmocka_unit_test(test_bad_numbers),
    cmocka_unit_test(test_bad_integers),
    cmocka_unit_test(test_good_options),
    cmocka_unit_test(test_close_null),
};

const struct suite suite = {SUITE_TESTS(tests)};
