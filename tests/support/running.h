/* running.h - opening and evaluating models; an error fails the test. */
#ifndef TRIT_TESTS_RUNNING_H
#define TRIT_TESTS_RUNNING_H

#include "trit.h"

/* Fail the test unless the call succeeds. The call reports its error to &why. */
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != TRIT_OK)                                                                     \
            fail_msg("%s: %s", #call, why.text);                                                   \
    } while (0)
extern struct trit_error why;

struct opened_model {
    trit_file *file;
    trit_model *model;
    int32_t n_vocab;
};

/* open_unmapped() reads the file into memory instead of mapping it. */
struct opened_model open_path(const char *path);
struct opened_model open_unmapped(const char *path);
void close_opened(struct opened_model *o);

/* Logits after each of n tokens: [n, n_vocab], released with free(). The first evaluates them in an
 * empty session of the caller, the second in a session of its own. */
float *logits_in(trit_session *session, const int32_t *ids, int32_t n);
float *logits_of(const trit_model *model, const int32_t *ids, int32_t n,
                 const struct trit_session_options *opt);

#endif
