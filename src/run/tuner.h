/* tuner.h - which walk reads the weights of a lone token fastest on this machine.
 *
 * No walk changes a bit, so it is chosen while the model works: pieces of the first tokens'
 * products are read by one walk after the other and timed. The pieces are rows of the model itself,
 * which no cache holds, as a whole model has been read since; nothing is computed for the sake of
 * measuring. Matrices whose rows are alike (type and length) are a class and share what was found.
 *
 * Walks take turns; after five rounds those far behind the best are out. In the end the one with
 * the best median gain over the default is taken, if that is TRIT_TUNE_GAIN. */
#ifndef TRIT_RUN_TUNER_H
#define TRIT_RUN_TUNER_H

#include "kernels.h"

enum { TRIT_TUNED_MAX = 6, TRIT_TUNE_WALKS = 8 };

/* Rounds. Two pieces of one walk follow each other where a round ends, and what stops the machine
 * for half a millisecond meets both: so a median of five puts a walk out, and no fewer than three
 * choose one. */
enum { TRIT_TUNE_ENOUGH = 3, TRIT_TUNE_SURE = 5, TRIT_TUNE_ROUNDS = 24 };

#define TRIT_TUNE_MS 10.0 /* of measured products in all, shared by the classes */
#define TRIT_TUNE_GAIN 1.05
#define TRIT_TUNE_OUT 0.7 /* of the best gain: a walk below it is out */

/* A class of matrices and what is known of it. */
struct trit_tuned {
    const char *type; /* "t2", "f16", … */
    size_t row_bytes;
    const struct trit_walk *walk; /* the best that is known: the default, until `decided` */
    bool decided, measured;
    double spent_ms; /* so far */
    double round_ms; /* of that, in this round */
    size_t n_rounds; /* that are over */
    size_t next;     /* whose turn it is in this one: tuner.c */
    size_t n_tried;
    struct trit_try {
        const struct trit_walk *walk;
        bool out;                       /* too slow to be tried further */
        double speed[TRIT_TUNE_ROUNDS]; /* bytes/ms, [n_rounds]; of a walk that is not out */
    } tried[TRIT_TUNE_WALKS];           /* the default first */
};

struct trit_tuner {
    bool on;                /* pieces are to be measured */
    double (*now_ms)(void); /* trit_now_ms, but for tests */
    size_t piece_bytes;     /* of a piece, for each thread */
    unsigned cpu;           /* what the kernels' row needs: walks that need more are not tried */
    const struct trit_walk *fixed; /* what was asked for by name, or NULL */
    size_t n;
    struct trit_tuned classes[TRIT_TUNED_MAX];
};

/* The class of such matrices, new ones included; NULL: there are too many, take the default. */
struct trit_tuned *trit_tuner_class(struct trit_tuner *t, unsigned of, const char *type,
                                    size_t row_bytes);

/* Whether the next piece of the class is to be measured, and by which walk it is to be read. */
bool trit_tuner_next(const struct trit_tuner *t, const struct trit_tuned *c,
                     const struct trit_walk **walk);

/* That piece took so long. */
void trit_tuner_took(struct trit_tuner *t, struct trit_tuned *c, size_t n_bytes, double ms);

#endif
