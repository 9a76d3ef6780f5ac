/* running.c - see running.h. */
#include "running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct opened_model open_path(const char *path)
{
    struct opened_model o = {NULL, NULL};
    struct trit_error err;
    if (trit_file_open(&o.file, path, NULL, &err) || trit_model_open(&o.model, o.file, &err))
        fail_msg("%s", err.text);
    return o;
}

void close_opened(struct opened_model *o)
{
    trit_model_close(&o->model);
    trit_file_close(&o->file);
}

struct rows {
    float *logits;
    int32_t n_vocab, n;
};

static bool keep_row(void *user, int32_t position, const float *logits)
{
    struct rows *r = user;
    const size_t n = (size_t)r->n_vocab;
    assert_int_equal(position, r->n); /* in order */
    memcpy(r->logits + (size_t)r->n++ * n, logits, n * sizeof *logits);
    return true;
}

float *logits_in(trit_session *session, const int32_t *ids, int32_t n)
{
    struct rows rows = {.n_vocab = trit_session_n_vocab(session)};
    struct trit_error err;

    rows.logits = malloc((size_t)n * (size_t)rows.n_vocab * sizeof(float));
    assert_non_null(rows.logits);
    if (trit_session_eval(session, ids, n, keep_row, &rows, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rows.n, n);
    return rows.logits;
}

float *logits_of(const trit_model *model, const int32_t *ids, int32_t n,
                 const struct trit_session_options *opt)
{
    struct trit_error err;
    trit_session *s;

    if (trit_session_open(&s, model, opt, &err))
        fail_msg("%s", err.text);
    float *logits = logits_in(s, ids, n);
    trit_session_close(&s);
    return logits;
}
