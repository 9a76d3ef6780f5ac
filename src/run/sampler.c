/* sampler.c - from logits to a token.
 *
 * A table of stages runs in order on a list of candidates. Each stage shortens the list or changes
 * its logits; a stage at its neutral value is skipped. The draw comes last. All arithmetic is in
 * doubles with the project's own exp, in a fixed order, so a seed gives the same tokens everywhere.
 *
 * Ties: of two equal candidates the one with the lower id is first, in every stage. */
#include "trit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "fmath.h"
#include "random.h"
#include "gguf.h"
#include "read_options.h"

struct candidate {
    double logit;
    int32_t id;
};

struct trit_sampler {
    struct trit_sampler_options opt;
    int32_t n_vocab;
    uint64_t rng[4];
    struct trit_logit_bias *bias; /* [opt.n_bias] */
    int32_t *counts;              /* [n_vocab], 0 between calls */
    struct candidate *list;       /* [n_vocab], the first n of them */
    int32_t n;
    const int32_t *history; /* during a call: the last tokens, for penalties */
    int32_t n_history;
};

/* ---- Random numbers: xoshiro256** (Blackman, Vigna), seeded by splitmix64 -------------------- */

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static uint64_t next_random(uint64_t s[4])
{
    const uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

static void seed_random(uint64_t s[4], uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        s[i] = trit_random_bits(&seed);
}

/* ---- The list -------------------------------------------------------------------------------- */

static bool goes_first(const struct candidate *a, const struct candidate *b)
{
    return a->logit > b->logit || (a->logit == b->logit && a->id < b->id);
}

static void sift_down(struct candidate *heap, int32_t n, int32_t i)
{
    const struct candidate c = heap[i];
    int32_t child;

    for (; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && goes_first(&heap[child + 1], &heap[child]))
            child++;
        if (!goes_first(&heap[child], &c))
            break;
        heap[i] = heap[child];
    }
    heap[i] = c;
}

/* Put the best candidates first, in order, while more() returns true. Drop the others. */
static void keep_best(struct trit_sampler *s, bool (*more)(void *ctx, const struct candidate *best),
                      void *ctx)
{
    struct candidate *heap = s->list;
    int32_t left = s->n, kept = 0;

    for (int32_t i = left / 2; i-- > 0;)
        sift_down(heap, left, i);
    while (left > 0 && more(ctx, &heap[0])) { /* the best ones collect after the heap */
        const struct candidate best = heap[0];
        heap[0] = heap[--left];
        heap[left] = best;
        if (left > 0)
            sift_down(heap, left, 0);
        kept++;
    }
    for (int32_t i = 0; i < kept / 2; i++) { /* there they are in reverse order */
        const struct candidate swap = heap[left + i];
        heap[left + i] = heap[s->n - 1 - i];
        heap[s->n - 1 - i] = swap;
    }
    memmove(heap, heap + left, (size_t)kept * sizeof *heap);
    s->n = kept;
}

static double max_logit(const struct trit_sampler *s)
{
    double max = s->list[0].logit;
    for (int32_t i = 1; i < s->n; i++)
        max = s->list[i].logit > max ? s->list[i].logit : max;
    return max;
}

/* exp(x) for x <= 0; 0 if it is too small to matter */
static double weight(double x)
{
    return x < -700 ? 0 : trit_exp(x);
}

/* ---- Stages ---------------------------------------------------------------------------------- */

/* If a token occurs c times in the history, its logit is divided by repeat_penalty (multiplied if
 * it is negative; Keskar et al., arXiv 1909.05858), then presence + c*frequency is subtracted. */
static void penalties(struct trit_sampler *s)
{
    const struct trit_sampler_options *o = &s->opt;

    for (int32_t i = 0; i < s->n_history; i++)
        s->counts[s->history[i]]++;
    for (int32_t i = 0; i < s->n_history; i++) {
        const int32_t id = s->history[i], count = s->counts[id];
        struct candidate *c = &s->list[id]; /* list[i] is still token i */
        if (count == 0)
            continue;
        s->counts[id] = 0;
        c->logit *= c->logit > 0 ? 1 / (double)o->repeat_penalty : (double)o->repeat_penalty;
        c->logit -= (double)o->presence_penalty + count * (double)o->frequency_penalty;
    }
}

static void logit_bias(struct trit_sampler *s)
{
    for (int32_t i = 0; i < s->opt.n_bias; i++)
        s->list[s->bias[i].id].logit += (double)s->bias[i].value;
}

static bool until_k(void *ctx, const struct candidate *best)
{
    int32_t *left = ctx;
    (void)best;
    return (*left)-- > 0;
}

static void top_k(struct trit_sampler *s)
{
    int32_t left = s->opt.top_k;
    keep_best(s, until_k, &left);
}

struct mass {
    double max, left; /* left: probability times the total sum, still missing */
    bool any;         /* whether there is one; the first is always kept */
};

static bool until_mass(void *ctx, const struct candidate *best)
{
    struct mass *m = ctx;
    const bool more = !m->any || m->left > 0;
    m->any = true;
    m->left -= weight(best->logit - m->max);
    return more;
}

/* The fewest best candidates that together reach top_p (Holtzman et al., arXiv 1904.09751). */
static void top_p(struct trit_sampler *s)
{
    struct mass m = {.max = max_logit(s)};
    double sum = 0;

    for (int32_t i = 0; i < s->n; i++)
        sum += weight(s->list[i].logit - m.max);
    m.left = sum * (double)s->opt.top_p;
    keep_best(s, until_mass, &m);
}

/* Candidates at least min_p times as likely as the best one (Nguyen et al., arXiv 2407.01082). */
static void min_p(struct trit_sampler *s)
{
    const double least = max_logit(s) + trit_log((double)s->opt.min_p);
    int32_t kept = 0;

    for (int32_t i = 0; i < s->n; i++)
        if (s->list[i].logit >= least)
            s->list[kept++] = s->list[i];
    s->n = kept;
}

static void temperature(struct trit_sampler *s)
{
    for (int32_t i = 0; i < s->n; i++)
        s->list[i].logit /= (double)s->opt.temp;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static int32_t best(const struct trit_sampler *s)
{
    const struct candidate *c = &s->list[0];
    for (int32_t i = 1; i < s->n; i++)
        c = goes_first(&s->list[i], c) ? &s->list[i] : c;
    return c->id;
}

static int32_t draw(struct trit_sampler *s)
{
    const double max = max_logit(s);
    double sum = 0;

    for (int32_t i = 0; i < s->n; i++)
        sum += s->list[i].logit = weight(s->list[i].logit - max);
    double at = sum * ((double)(next_random(s->rng) >> 11) * 0x1p-53);
    for (int32_t i = 0; i < s->n; i++) {
        at -= s->list[i].logit;
        if (at < 0)
            return s->list[i].id;
    }
    return s->list[s->n - 1].id; /* only through rounding */
}

int32_t trit_sampler_next(trit_sampler *s, const float *logits, const int32_t *history, int32_t n)
{
    const struct trit_sampler_options *o = &s->opt;
    const bool greedy = o->temp <= 0; /* later stages do not change which token is the best */
    const int32_t last_n = o->repeat_last_n;
    const bool penalize =
        o->repeat_penalty != 1 || o->presence_penalty != 0 || o->frequency_penalty != 0;
    const struct {
        void (*apply)(struct trit_sampler *s);
        bool on;
    } stages[] = {
        {penalties, penalize && last_n != 0}, {logit_bias, o->n_bias > 0},
        {top_k, !greedy && o->top_k > 0},     {top_p, !greedy && o->top_p < 1},
        {min_p, !greedy && o->min_p > 0},     {temperature, !greedy && o->temp != 1},
    };

    s->n_history = last_n < 0 || n < last_n ? n : last_n;
    s->history = s->n_history ? history + (n - s->n_history) : NULL;
    s->n = s->n_vocab;
    for (int32_t i = 0; i < s->n; i++)
        s->list[i] = (struct candidate){(double)logits[i], i};
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++)
        if (stages[i].on)
            stages[i].apply(s);
    return greedy ? best(s) : draw(s);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* The number of a key if it is in range, else `missing`. */
static float suggested(const trit_file *file, const char *key, double lo, double hi, float missing)
{
    double x = (double)missing;
    uint32_t whole = 0;

    if (file && trit_gguf_get_f64(file, key, &x, NULL) &&
        !trit_gguf_get_u32(file, key, &whole, NULL))
        x = whole;
    return x >= lo && x <= hi ? (float)x : missing;
}

void trit_sampler_suggest(struct trit_sampler_options *opt, size_t size, const trit_file *file)
{
    struct trit_sampler_options o = {.size = size};

    o.temp = suggested(file, "general.sampling.temp", 0, 1000, 0.8f);
    o.min_p = suggested(file, "general.sampling.min_p", 0, 1, 0.05f);
    o.top_p = suggested(file, "general.sampling.top_p", 0, 1, 0);
    o.top_k = (int32_t)suggested(file, "general.sampling.top_k", 0, 1 << 24, 0);
    o.repeat_penalty = suggested(file, "general.sampling.penalty_repeat", 0.001, 1000, 0);
    o.repeat_last_n = (int32_t)suggested(file, "general.sampling.penalty_last_n", 1, 1 << 24, 0);
    memset(opt, 0, size);
    memcpy(opt, &o, size < sizeof o ? size : sizeof o);
}

static void fill_defaults(struct trit_sampler_options *o)
{
    o->top_p = o->top_p == 0 ? 1 : o->top_p;
    o->repeat_penalty = o->repeat_penalty == 0 ? 1 : o->repeat_penalty;
    o->repeat_last_n = o->repeat_last_n == 0 ? 64 : o->repeat_last_n;
}

static trit_status check_options(const struct trit_sampler_options *o, int32_t n_vocab,
                                 struct trit_error *err)
{
    const struct {
        const char *name;
        double value, lo, hi;
    } ranges[] = {
        {"temp", o->temp, 0, 1000},
        {"top_p", o->top_p, 0, 1},
        {"min_p", o->min_p, 0, 1},
        {"repeat_penalty", o->repeat_penalty, 0.001, 1000},
        {"presence_penalty", o->presence_penalty, -1000, 1000},
        {"frequency_penalty", o->frequency_penalty, -1000, 1000},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!(ranges[i].value >= ranges[i].lo && ranges[i].value <= ranges[i].hi))
            return trit_fail(err, TRIT_E_ARGUMENT, "%s %s", ranges[i].name,
                             trit_out_of_range(ranges[i].value, ranges[i].lo, ranges[i].hi).text);
    if (n_vocab < 1)
        return trit_fail(err, TRIT_E_ARGUMENT, "invalid vocabulary size %d", n_vocab);
    if (o->top_k < 0 || o->repeat_last_n < -1 || o->n_bias < 0)
        return trit_fail(err, TRIT_E_ARGUMENT, "top_k, repeat_last_n or n_bias is negative");
    for (int32_t i = 0; i < o->n_bias; i++)
        if (o->bias[i].id < 0 || o->bias[i].id >= n_vocab || !isfinite(o->bias[i].value))
            return trit_fail(err, TRIT_E_ARGUMENT,
                             "invalid bias %g of token %d; it must be finite, and the vocabulary "
                             "has %d tokens",
                             (double)o->bias[i].value, o->bias[i].id, n_vocab);
    return TRIT_OK;
}

trit_status trit_sampler_open(trit_sampler **out, int32_t n_vocab,
                              const struct trit_sampler_options *options, struct trit_error *err)
{
    struct trit_sampler_options opt;
    trit_status status = trit_read_options(&opt, sizeof opt, options, err);
    trit_sampler *s;

    *out = NULL;
    fill_defaults(&opt);
    if (status || (status = check_options(&opt, n_vocab, err)))
        return status;
    const size_t n = (size_t)n_vocab, n_bias = (size_t)opt.n_bias;
    if (!(s = calloc(1, sizeof *s)))
        return trit_fail_memory(err, sizeof *s, "the sampler");
    s->opt = opt;
    s->n_vocab = n_vocab;
    s->counts = calloc(n, sizeof *s->counts);
    s->list = malloc(n * sizeof *s->list);
    s->bias = malloc(n_bias * sizeof *s->bias + 1);
    if (!s->counts || !s->list || !s->bias) {
        trit_sampler_close(&s);
        return trit_fail_memory(err, n * sizeof(struct candidate), "the sampler");
    }
    if (n_bias)
        memcpy(s->bias, opt.bias, n_bias * sizeof *s->bias);
    s->opt.bias = s->bias;
    seed_random(s->rng, opt.seed);
    *out = s;
    return TRIT_OK;
}

void trit_sampler_close(trit_sampler **sampler)
{
    trit_sampler *s = sampler ? *sampler : NULL;
    if (!s)
        return;
    *sampler = NULL;
    free(s->bias);
    free(s->list);
    free(s->counts);
    free(s);
}

/* ---- Probabilities --------------------------------------------------------------------------- */

int32_t trit_argmax(const float *logits, int32_t n)
{
    int32_t top = 0;
    for (int32_t i = 1; i < n; i++)
        if (logits[i] > logits[top])
            top = i;
    return top;
}

double trit_logprob(const float *logits, int32_t n, int32_t id)
{
    const double max = (double)logits[trit_argmax(logits, n)];
    double sum = 0;

    for (int32_t i = 0; i < n; i++)
        sum += weight((double)logits[i] - max);
    return (double)logits[id] - max - trit_log(sum);
}
