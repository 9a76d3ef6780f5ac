/* running.h - models opened and evaluated, whose errors fail the test. */
#ifndef TRIT_TESTS_RUNNING_H
#define TRIT_TESTS_RUNNING_H

#include "trit.h"

struct opened_model {
    trit_file *file;
    trit_model *model;
};

struct opened_model open_path(const char *path);
void close_opened(struct opened_model *o);

/* Logits after each of n tokens: [n, vocabulary], released with free(); in an empty session, or in
 * one of its own. */
float *logits_in(trit_session *session, const int32_t *ids, int32_t n);
float *logits_of(const trit_model *model, const int32_t *ids, int32_t n,
                 const struct trit_session_options *opt);

#endif
