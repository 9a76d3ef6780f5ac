/* baseline.h - an earlier JSON result of trit bench, to compare with. */
#ifndef TRIT_TOOLS_BASELINE_H
#define TRIT_TOOLS_BASELINE_H

#include "trit_tools.h"

struct baseline {
    const char *path; /* NULL: none */
    struct trit_json *tree;
    bool same_model; /* ignore rows of other models */
};

/* Read a result of -o json or -o jsonl, and check that each row has test, n_threads, avg_ts and
 * model_type. @return exit code, after a message; close either way. */
int baseline_open(struct baseline *base, const char *path);
void baseline_close(struct baseline *base);

/* Use only the rows of that model. If it has none, use all rows and, unless quiet, print which
 * model they are from. */
void baseline_choose_model(struct baseline *base, const char *model_type, bool quiet);

/* Tokens/s of the last row with that test and number of threads; NAN: none. */
double baseline_find(const struct baseline *base, const char *model_type, const char *test,
                     int n_threads);

#endif
