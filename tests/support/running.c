/* running.c - see running.h. */
#include "running.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct trit_error why;

static struct opened_model open_model(const char *path, bool no_mmap)
{
    const struct trit_file_options opt = {.no_mmap = no_mmap};
    struct opened_model o = {0};
    OK(trit_file_open(&o.file, path, &opt, &why));
    OK(trit_model_open(&o.model, o.file, &why));
    o.n_vocab = trit_model_vocab_size(o.model);
    return o;
}

struct opened_model open_path(const char *path)
{
    return open_model(path, false);
}

struct opened_model open_unmapped(const char *path)
{
    return open_model(path, true);
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

    rows.logits = malloc((size_t)n * (size_t)rows.n_vocab * sizeof(float));
    assert_non_null(rows.logits);
    OK(trit_session_eval(session, ids, n, keep_row, &rows, &why));
    assert_int_equal(rows.n, n);
    return rows.logits;
}

float *logits_of(const trit_model *model, const int32_t *ids, int32_t n,
                 const struct trit_session_options *opt)
{
    trit_session *s;

    OK(trit_session_open(&s, model, opt, &why));
    float *logits = logits_in(s, ids, n);
    trit_session_close(&s);
    return logits;
}
