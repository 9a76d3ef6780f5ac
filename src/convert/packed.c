/* packed.c - see packed.h. */
#include "packed.h"

#include <stdatomic.h>

#include "type.h"

enum { STRETCH = 2048 }; /* whole blocks of T2 */

struct unpack_job {
    uint8_t *t2;
    const uint8_t *packed;
    size_t n_rows, n_cols;
    _Atomic size_t bad_row; /* the first with a code 3, or n_rows */
};

/* Unpack n codes of a row. @return whether there is a code 3 */
static bool take_codes(uint8_t *codes, const uint8_t *from, size_t n, unsigned shift)
{
    uint8_t threes = 0;
    for (size_t i = 0; i < n; i++) {
        codes[i] = from[i] >> shift & 3;
        threes |= codes[i] & codes[i] >> 1;
    }
    return threes != 0;
}

static void unpack_rows(void *ctx, size_t begin, size_t end, int worker)
{
    struct unpack_job *job = ctx;
    const size_t quarter = (job->n_rows + 3) / 4, row_bytes = trit_t2_row_bytes(job->n_cols);
    uint8_t codes[STRETCH];
    (void)worker;

    for (size_t r = begin; r < end; r++) {
        const uint8_t *from = job->packed + r % quarter * job->n_cols;
        bool bad = false;
        for (size_t k = 0; k < job->n_cols; k += STRETCH) {
            const size_t n = job->n_cols - k < STRETCH ? job->n_cols - k : STRETCH;
            bad |= take_codes(codes, from + k, n, 2 * (unsigned)(r / quarter));
            trit_pack_t2_row(job->t2 + r * row_bytes + k / 4, codes, n);
        }
        size_t first = atomic_load(&job->bad_row);
        while (bad && r < first && !atomic_compare_exchange_weak(&job->bad_row, &first, r))
            ;
    }
}

trit_status trit_unpack_transformers(uint8_t *t2, const uint8_t *packed, size_t n_rows,
                                     size_t n_cols, struct trit_pool *pool, struct trit_error *why)
{
    struct unpack_job job = {t2, packed, n_rows, n_cols, n_rows};

    trit_pool_run(pool, unpack_rows, &job, n_rows, 16);
    const size_t bad = atomic_load(&job.bad_row);
    if (bad < n_rows)
        return trit_fail(why, TRIT_E_FILE,
                         "holds a code 3 in row %zu; codes of weights are 0, 1 and 2", bad);
    return TRIT_OK;
}
