/* baseline.h - what trit bench printed as JSON before, to compare with. */
#ifndef TRIT_TOOLS_BASELINE_H
#define TRIT_TOOLS_BASELINE_H

#include "trit.h"

struct baseline {
    const char *path; /* NULL: none */
    struct trit_json *tree;
    bool same_model; /* rows of other models are passed over */
};

/* Read what -o json or -o jsonl wrote, and check that every row has what is compared: test,
 * n_threads, avg_ts and model_type. @return exit code; close either way. */
int baseline_open(struct baseline *base, const char *path);
void baseline_close(struct baseline *base);

/* Compare with the rows of that model. Where there are none all rows count, and unless quiet stderr
 * says of which model they are. */
void baseline_choose_model(struct baseline *base, const char *model_type, bool quiet);

/* Tokens/s of that test with so many threads, of the last such row; NAN where there is none. */
double baseline_find(const struct baseline *base, const char *model_type, const char *test,
                     int n_threads);

#endif
