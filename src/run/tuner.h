/* tuner.h - which walk reads the weights of a single token fastest on this machine.
 *
 * No walk changes a bit of a result, so the choice is made while the model works: the products of
 * the first tokens are cut into pieces, the walks take turns at them, and each piece is timed.
 * Nothing is computed only to be measured. A piece is rows of the model itself, and no cache holds
 * them, because the whole model has been read since. Matrices with rows of the same type and length
 * are a class and share the result.
 *
 * After five rounds the walks far slower than the best are dropped. In the end the walk with the
 * best median gain over the default is taken, if that gain is at least TRIT_TUNE_GAIN. */
#ifndef TRIT_RUN_TUNER_H
#define TRIT_RUN_TUNER_H

#include "kernels.h"

enum { TRIT_TUNED_MAX = 6, TRIT_TUNE_WALKS = 8 };

/* Rounds. At the end of a round two pieces of one walk follow each other, so an interruption of
 * half a millisecond may hit both. So a median of five rounds drops a walk, and at least three
 * rounds choose one. */
enum { TRIT_TUNE_ENOUGH = 3, TRIT_TUNE_SURE = 5, TRIT_TUNE_ROUNDS = 24 };

#define TRIT_TUNE_MS 10.0 /* of measured products in total, shared by the classes */
#define TRIT_TUNE_GAIN 1.05
#define TRIT_TUNE_OUT 0.7 /* of the best gain: a walk below it is dropped */

/* A class of matrices and what is known about it. */
struct trit_tuned {
    const char *type; /* "t2", "f16", … */
    size_t row_bytes;
    const struct trit_walk *walk; /* the best one known: the default until `decided` */
    bool decided, measured;
    double spent_ms; /* so far */
    double round_ms; /* of it in this round */
    size_t n_rounds; /* completed */
    size_t next;     /* turns taken in this round: tuner.c */
    size_t n_tried;
    struct trit_try {
        const struct trit_walk *walk;
        bool out;                       /* dropped: too slow */
        double speed[TRIT_TUNE_ROUNDS]; /* bytes/ms, [n_rounds]; while not out */
    } tried[TRIT_TUNE_WALKS];           /* the default first */
};

struct trit_tuner {
    bool on;                /* measure pieces */
    double (*now_ms)(void); /* trit_now_ms, except in tests */
    size_t piece_bytes;     /* of a piece, per thread */
    unsigned cpu;           /* features of the kernels' row: walks that need more are not tried */
    const struct trit_walk *fixed; /* the one requested by name, or NULL */
    size_t n;
    struct trit_tuned classes[TRIT_TUNED_MAX];
};

/* Find or add the class of these matrices. NULL: there are too many classes; use the default. */
struct trit_tuned *trit_tuner_class(struct trit_tuner *t, unsigned of, const char *type,
                                    size_t row_bytes);

/* Whether to measure the next piece of the class, and by which walk to read it. */
bool trit_tuner_next(const struct trit_tuner *t, const struct trit_tuned *c,
                     const struct trit_walk **walk);

/* Record how long that piece took. */
void trit_tuner_took(struct trit_tuner *t, struct trit_tuned *c, size_t n_bytes, double ms);

#endif
