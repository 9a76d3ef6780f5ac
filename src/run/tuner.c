/* tuner.c - see tuner.h. */
#include "tuner.h"

#include <stdlib.h>
#include <string.h>

struct trit_tuned *trit_tuner_class(struct trit_tuner *t, unsigned of, const char *type,
                                    size_t row_bytes)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->classes[i].row_bytes == row_bytes && strcmp(t->classes[i].type, type) == 0)
            return &t->classes[i];
    if (t->n == TRIT_TUNED_MAX)
        return NULL;
    struct trit_tuned *c = &t->classes[t->n++];
    *c = (struct trit_tuned){.type = type, .row_bytes = row_bytes, .walk = trit_walks};
    for (const struct trit_walk *walk = trit_walks; walk->name; walk++)
        if ((walk->of & of) && walk->tried && (walk->cpu & t->cpu) == walk->cpu &&
            c->n_tried < TRIT_TUNE_WALKS)
            c->tried[c->n_tried++].walk = walk;
    if (t->fixed && (t->fixed->of & of))
        c->walk = t->fixed;
    c->decided = t->fixed != NULL;
    return c;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* How fast a walk is compared with the default: the median over the rounds of the quotient of two
 * pieces. They were read shortly after each other, so other load on the machine slows both. */
static double gain(const struct trit_tuned *c, size_t i)
{
    const size_t n = c->n_rounds;
    double quotients[TRIT_TUNE_ROUNDS];

    for (size_t k = 0; k < n; k++)
        quotients[k] = c->tried[i].speed[k] / c->tried[0].speed[k];
    qsort(quotients, n, sizeof *quotients, by_value);
    return (quotients[n / 2] + quotients[(n - 1) / 2]) / 2;
}

static size_t best_of(const struct trit_tuned *c)
{
    size_t best = 0;

    for (size_t i = 1; i < c->n_tried; i++)
        if (!c->tried[i].out && gain(c, i) > gain(c, best))
            best = i;
    return best;
}

/* Drop walks that are hopelessly slow. The default stays, for comparison. */
static void drop_slow(struct trit_tuned *c)
{
    const double most = gain(c, best_of(c));

    for (size_t i = 1; i < c->n_tried; i++)
        c->tried[i].out |= gain(c, i) < TRIT_TUNE_OUT * most;
}

/* Use the completed rounds, if they are enough. */
static void decide(struct trit_tuned *c)
{
    const size_t best = c->n_rounds >= TRIT_TUNE_ENOUGH ? best_of(c) : 0;

    if (best > 0 && gain(c, best) >= TRIT_TUNE_GAIN)
        c->walk = c->tried[best].walk;
    c->decided = c->measured = true;
}

/* Forwards and backwards by turns, so that load in step with the pieces hits all walks. */
static size_t turn(const struct trit_tuned *c)
{
    return c->n_rounds % 2 ? c->n_tried - 1 - c->next : c->next;
}

bool trit_tuner_next(const struct trit_tuner *t, const struct trit_tuned *c,
                     const struct trit_walk **walk)
{
    const bool measures = t->on && !c->decided;
    *walk = measures ? c->tried[turn(c)].walk : c->walk;
    return measures;
}

/* Go to the next walk. @return true if the round is over */
static bool pass_on(struct trit_tuned *c)
{
    do
        c->next++;
    while (c->next < c->n_tried && c->tried[turn(c)].out);
    if (c->next < c->n_tried)
        return false;
    c->n_rounds++;
    if (c->n_rounds >= TRIT_TUNE_SURE)
        drop_slow(c);
    c->next = 0;
    while (c->tried[turn(c)].out)
        c->next++;
    return true;
}

/* The last piece may exceed the budget, but a round that would exceed it is not begun. */
void trit_tuner_took(struct trit_tuner *t, struct trit_tuned *c, size_t n_bytes, double ms)
{
    const double budget = TRIT_TUNE_MS / (double)t->n;

    c->tried[turn(c)].speed[c->n_rounds] = (double)n_bytes / (ms > 1e-6 ? ms : 1e-6);
    c->spent_ms += ms;
    c->round_ms += ms;
    if (pass_on(c)) {
        if (c->n_rounds == TRIT_TUNE_ROUNDS || c->spent_ms + c->round_ms > budget)
            decide(c);
        c->round_ms = 0;
    } else if (c->spent_ms > budget) {
        decide(c);
    }
}
