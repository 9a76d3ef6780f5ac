/* absmean.c - see absmean.h. */
#include "absmean.h"

#include <math.h>
#include <stdlib.h>

const struct trit_absmean trit_absmean_b158 = {.least = TRIT_ABSMEAN_LEAST};

enum { STRETCH = 2048, ROWS_AT_ONCE = 16 }; /* whole blocks of T2 */

struct absmean_job {
    const struct trit_packed *m;
    struct trit_kernels kernels;
    double *sums; /* [n_rows] of |w| */
    uint8_t *t2;
    float factor, edge; /* T = sign(w*factor) if |w*factor| > edge, else 0 */
};

/* Weights k.. of a row as floats: as many as are left, at most STRETCH. @return how many */
static size_t read_stretch(float w[STRETCH], const struct absmean_job *job, size_t row, size_t k)
{
    const struct trit_packed *m = job->m;
    const size_t n = m->n_cols - k < STRETCH ? m->n_cols - k : STRETCH;
    const uint8_t *data = m->data + row * trit_format_bytes(m->format, m->n_cols);

    job->kernels.decode[m->format](w, data + trit_format_bytes(m->format, k), n);
    return n;
}

static void sum_rows(void *ctx, size_t begin, size_t end, int worker)
{
    struct absmean_job *job = ctx;
    float w[STRETCH];
    (void)worker;

    for (size_t r = begin; r < end; r++) {
        job->sums[r] = 0;
        for (size_t k = 0; k < job->m->n_cols; k += STRETCH) {
            const size_t n = read_stretch(w, job, r, k);
            for (size_t i = 0; i < n; i++)
                job->sums[r] += (double)fabsf(w[i]);
        }
    }
}

static void round_rows(void *ctx, size_t begin, size_t end, int worker)
{
    struct absmean_job *job = ctx;
    const size_t row_bytes = trit_t2_row_bytes(job->m->n_cols);
    uint8_t codes[STRETCH];
    float w[STRETCH];
    (void)worker;

    for (size_t r = begin; r < end; r++)
        for (size_t k = 0; k < job->m->n_cols; k += STRETCH) {
            const size_t n = read_stretch(w, job, r, k);
            for (size_t i = 0; i < n; i++) {
                const float x = w[i] * job->factor;
                codes[i] = (uint8_t)(1 + (x > job->edge) - (x < -job->edge));
            }
            trit_pack_t2_row(job->t2 + r * row_bytes + k / 4, codes, n);
        }
}

trit_status trit_absmean_t2(uint8_t *t2, float *scale, const struct trit_packed *m,
                            const struct trit_absmean *rule, struct trit_pool *pool,
                            struct trit_error *why)
{
    struct absmean_job job = {.m = m, .t2 = t2, .sums = malloc(m->n_rows * sizeof(double))};
    double sum = 0;

    if (!job.sums)
        return trit_fail_memory(why, m->n_rows * sizeof(double), "the mean of a tensor");
    trit_kernels_init(&job.kernels, trit_isa_best());
    trit_pool_run(pool, sum_rows, &job, m->n_rows, ROWS_AT_ONCE);
    for (size_t r = 0; r < m->n_rows; r++)
        sum += job.sums[r];
    free(job.sums);
    if (!isfinite(sum))
        return trit_fail(why, TRIT_E_FILE, "holds a weight that is not finite");
    *scale = fmaxf((float)(sum / ((double)m->n_rows * (double)m->n_cols)), rule->least);
    job.factor = rule->halves ? 1.0f : 1.0f / *scale;
    job.edge = rule->halves ? 0.5f * *scale : 0.5f; /* up to there rint() gives 0, which is even */
    trit_pool_run(pool, round_rows, &job, m->n_rows, ROWS_AT_ONCE);
    return TRIT_OK;
}

bool trit_floats_are_ternary(uint8_t *t2, const struct trit_packed *m)
{
    struct trit_packed row = *m;
    struct trit_error why;
    float scale;

    row.n_rows = 1;
    return !trit_unpack_float(t2, &scale, &row, &why) && !trit_unpack_float(t2, &scale, m, &why) &&
           scale > 0.0f;
}

bool trit_floats_are_grouped(const struct trit_packed *m)
{
    enum { RUN = 32 };
    struct absmean_job job = {.m = m};
    bool any = false;
    float w[STRETCH];

    trit_kernels_init_scalar(&job.kernels);
    for (size_t r = 0; r < m->n_rows; r++)
        for (size_t k = 0; k < m->n_cols; k += STRETCH) {
            const size_t n = read_stretch(w, &job, r, k);
            for (size_t i = 0, begin = 0; i < n; i++) {
                begin = i % RUN == 0 || w[begin] == 0.0f ? i : begin;
                if (w[i] != 0.0f && fabsf(w[i]) != fabsf(w[begin]))
                    return false;
                any |= w[i] != 0.0f;
            }
        }
    return any;
}
