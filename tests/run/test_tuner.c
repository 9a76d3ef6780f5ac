/* test_tuner.c - the choice of a walk with simulated times; no walk changes a bit. */
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "running.h"
#include "session_state.h"
#include "suite.h"
#include "tuner.h"
#include "trit_tools.h"

/* ---- By made-up times ------------------------------------------------------------------------ */

/* A machine that reads at `speed` GB/s. At random times it switches to a second state, in which its
 * speed is multiplied by `slow`, and back. */
struct machine {
    double speed; /* of all walks but one */
    const char *best;
    double gain; /* of that one */
    int n_late;  /* of its first pieces, which take twenty times as long */
    double slow;
    double total_ms; /* measured so far */
    int n_pieces;
    bool in_slow;
    uint64_t rng;
};

static double take(struct machine *m, const struct trit_walk *walk, size_t n_bytes)
{
    const bool best = m->best && strcmp(walk->name, m->best) == 0;

    m->in_slow ^= fx_random(&m->rng) % 8 == 0;
    const double gain = !best ? 1 : m->n_late-- > 0 ? 0.05 : m->gain;
    const double speed = m->speed * gain * (m->in_slow ? m->slow : 1);
    const double ms = (double)n_bytes / (speed * 1e6);

    m->n_pieces++;
    m->total_ms += ms;
    return ms;
}

/* The choice for each of n classes, if the model repeats all of them. */
static struct trit_tuner tune(struct machine *m, size_t n_classes, size_t n_bytes)
{
    struct trit_tuner t = {.on = true, .cpu = TRIT_CPU_AVX2 | TRIT_CPU_AVX512};
    const struct trit_walk *walk;

    for (size_t i = 0; i < n_classes; i++)
        assert_non_null(trit_tuner_class(&t, i ? TRIT_WALK_T2 : TRIT_WALK_FLOAT, "x", 640 + i));
    for (int i = 0; i < 10000; i++) {
        struct trit_tuned *c = &t.classes[(size_t)i % n_classes];
        if (trit_tuner_next(&t, c, &walk))
            trit_tuner_took(&t, c, n_bytes, take(m, walk, n_bytes));
        else
            assert_ptr_equal(walk, c->walk);
    }
    for (size_t i = 0; i < n_classes; i++)
        assert_true(t.classes[i].decided && t.classes[i].measured);
    return t;
}

static const char *chosen(struct machine m)
{
    return tune(&m, 1, 1 << 20).classes[0].walk->name;
}

static void test_faster_is_taken(void **state)
{
    static const double slow[] = {1, 0.5, 1.7};
    (void)state;

    for (const struct trit_walk *w = trit_walks + 1; w->name; w++)
        for (size_t i = 0; i < 3 && w->tried && (w->of & TRIT_WALK_FLOAT); i++) {
            struct machine m = {.speed = 20, .best = w->name, .slow = slow[i]};
            m.gain = 1.3;
            assert_string_equal(chosen(m), w->name);
            m.gain = 3;
            assert_string_equal(chosen(m), w->name);
            m.gain = i ? 1 : 1.06; /* so small a difference may be hidden by noise */
            assert_string_equal(chosen(m), i ? trit_walks->name : w->name);
        }
}

/* Pieces that the system interrupted do not exclude a walk: two pieces of the same walk may follow
 * each other. */
static void test_late_pieces(void **state)
{
    (void)state;
    assert_string_equal(
        chosen((struct machine){.speed = 20, .best = "apart", .gain = 1.3, .n_late = 2, .slow = 1}),
        "apart");
}

static void test_default_stays(void **state)
{
    (void)state;
    assert_string_equal(chosen((struct machine){.speed = 20, .slow = 1}), trit_walks->name);
    assert_string_equal(
        chosen((struct machine){.speed = 20, .best = "apart", .gain = 1.04, .slow = 1}),
        trit_walks->name);
    assert_string_equal(
        chosen((struct machine){.speed = 20, .best = "apart", .gain = 0.3, .slow = 1}),
        trit_walks->name);
    assert_string_equal(
        chosen((struct machine){.speed = 20, .best = trit_walks->name, .gain = 2, .slow = 1}),
        trit_walks->name);
}

/* From a core that reads 4 GB/s to a server that reads 300, for one class and for several. */
static void test_time(void **state)
{
    (void)state;
    for (double speed = 4; speed < 300; speed *= 1.5)
        for (size_t n = 1; n <= 3; n++) {
            struct machine m = {.speed = speed, .best = "t1", .gain = 0.5, .slow = 1};
            tune(&m, n, 1 << 20);
            assert_true(m.total_ms < TRIT_TUNE_MS);
            assert_true(m.n_pieces >= 8);
        }
}

static void test_classes(void **state)
{
    struct trit_tuner t = {.on = true};
    const struct trit_walk *walk;
    (void)state;

    struct trit_tuned *c = trit_tuner_class(&t, TRIT_WALK_T2, "t2", 640);
    assert_ptr_equal(c, trit_tuner_class(&t, TRIT_WALK_T2, "t2", 640));
    assert_ptr_not_equal(c, trit_tuner_class(&t, TRIT_WALK_T2, "t2", 641));
    assert_ptr_not_equal(c, trit_tuner_class(&t, TRIT_WALK_FLOAT, "f16", 640));
    for (size_t i = 0; i < c->n_tried; i++) /* walks that this row lacks are not tried */
        assert_string_not_equal(c->tried[i].walk->name, "wide");
    assert_ptr_equal(c->tried[0].walk, trit_walks);
    for (size_t i = t.n; i < TRIT_TUNED_MAX; i++)
        assert_non_null(trit_tuner_class(&t, TRIT_WALK_T2, "t2", 1000 + i));
    assert_null(trit_tuner_class(&t, TRIT_WALK_T2, "t2", 1));

    t = (struct trit_tuner){.on = false};
    assert_false(trit_tuner_next(&t, trit_tuner_class(&t, TRIT_WALK_T2, "t2", 640), &walk));
    assert_ptr_equal(walk, trit_walks);

    t = (struct trit_tuner){.on = true, .fixed = trit_walk_find("wide")};
    assert_false(trit_tuner_next(&t, trit_tuner_class(&t, TRIT_WALK_T2, "t2", 640), &walk));
    assert_string_equal(walk->name, "wide");
    assert_false(trit_tuner_next(&t, trit_tuner_class(&t, TRIT_WALK_FLOAT, "f16", 640), &walk));
    assert_ptr_equal(walk, trit_walks); /* it is only for T2 */
}

/* ---- In a session ---------------------------------------------------------------------------- */

enum { N_TOKENS = 40 };

static int32_t tokens[N_TOKENS];
static struct opened_model opened;
static float *want; /* of the scalar kernels, in one batch */
static size_t n_bytes;

static int setup(void **state)
{
    const struct trit_session_options first = {.n_threads = 1, .isa = "scalar"};
    (void)state;

    opened = open_path(fx_model("walks", &fx_default)->path);
    for (int i = 0; i < N_TOKENS; i++)
        tokens[i] = i * 7 % trit_model_vocab_size(opened.model);
    want = logits_of(opened.model, tokens, N_TOKENS, &first);
    n_bytes = N_TOKENS * (size_t)trit_model_vocab_size(opened.model) * sizeof *want;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(want);
    close_opened(&opened);
    return 0;
}

static void test_every_walk(void **state)
{
    struct trit_walk_info walk;
    struct trit_isa_info isa;
    (void)state;

    for (int r = 0; trit_isa_at(r, &isa); r++)
        for (int w = 0; isa.usable && trit_walk_at(w, &walk); w++)
            for (int i = 0; i < 19; i++) { /* single tokens by threads, then batches */
                const struct trit_session_options opt = {.n_threads = 1 + i % 3,
                                                         .n_batch = i < 3 ? 1 : i - 1,
                                                         .isa = isa.name,
                                                         .walk = walk.name};
                uint64_t bytes;
                if (trit_session_bytes(&bytes, opened.model, &opt, &why) == TRIT_E_UNSUPPORTED)
                    continue; /* not for this instruction set */
                float *got = logits_of(opened.model, tokens, N_TOKENS, &opt);
                if (memcmp(got, want, n_bytes) != 0)
                    fail_msg("--isa %s --walk %s, %d threads, batches of %d: the bits differ",
                             isa.name, walk.name, opt.n_threads, opt.n_batch);
                free(got);
            }
}

static double made_up_ms(void)
{
    static double ms;
    return ms += 0.05;
}

/* All walks take turns while the model runs, and no bit changes. */
static void test_while_measuring(void **state)
{
    (void)state;
    for (int n_threads = 1; n_threads <= 3; n_threads++) {
        const struct trit_session_options opt = {.n_threads = n_threads, .n_batch = 1};
        struct trit_session_walk walk;
        trit_session *s = NULL;
        int n = 0;
        assert_int_equal(trit_session_open(&s, opened.model, &opt, &why), TRIT_OK);
        s->engine->tuner->on = s->engine->warm = true; /* although this model fits into any cache */
        s->engine->tuner->now_ms = made_up_ms;
        s->engine->tuner->piece_bytes = 512;
        float *got = logits_in(s, tokens, N_TOKENS);
        assert_memory_equal(got, want, n_bytes);
        for (; trit_session_walk_at(s, n, &walk); n++) {
            assert_true(walk.measured == (strcmp(walk.type, "kv") != 0)); /* too few measurements */
            assert_string_equal(walk.walk, trit_walks->name); /* that clock shows no difference */
        }
        assert_true(n >= 2);
        free(got);
        trit_session_close(&s);
    }
}

/* A model that fits into a cache, or has a fixed walk, is not measured. */
static void test_unmeasured(void **state)
{
    struct trit_session_walk walk;
    trit_session *s = NULL;
    (void)state;

    for (int i = 0; i < 2; i++) {
        const struct trit_session_options opt = {.walk = i ? "t1" : NULL};
        assert_int_equal(trit_session_open(&s, opened.model, &opt, &why), TRIT_OK);
        free(logits_in(s, tokens, N_TOKENS));
        for (int k = 0; trit_session_walk_at(s, k, &walk); k++) {
            assert_false(walk.measured);
            assert_string_equal(walk.walk, i ? "t1" : "t0");
        }
        trit_session_close(&s);
    }
    const struct trit_session_options bad = {.walk = "t3"};
    assert_int_equal(trit_session_open(&s, opened.model, &bad, &why), TRIT_E_ARGUMENT);
    assert_non_null(strstr(why.text, "t3"));
    const struct trit_session_options scalar = {.walk = "wide", .isa = "scalar"};
    assert_int_equal(trit_session_open(&s, opened.model, &scalar, &why), TRIT_E_UNSUPPORTED);
    assert_null(s);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_faster_is_taken), cmocka_unit_test(test_late_pieces),
    cmocka_unit_test(test_default_stays),   cmocka_unit_test(test_time),
    cmocka_unit_test(test_classes),         cmocka_unit_test(test_every_walk),
    cmocka_unit_test(test_while_measuring), cmocka_unit_test(test_unmeasured),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = setup, .teardown = teardown};
