/* rope.c - the angles of rotary position embedding, computed once per engine.
 *
 * Pair i of n_rot/2 rotates by pos / factor * base^(-2i/n_rot) (Su et al., arXiv 2104.09864). A
 * file's rope_freqs divide the frequency further. Angles are doubles, computed by the project's own
 * functions and rounded to f32 once, so every machine has the same table. */
#include "attention.h"

#include "fmath.h"

/* Each angle is computed directly, not from the one before it. The largest one is n_ctx. */
static void rope_rows(void *ctx, size_t begin, size_t end, int worker)
{
    struct trit_engine *e = ctx;
    const struct trit_knobs *k = &e->model->knobs;
    const size_t n = (size_t)k->n_rot / 2;
    (void)worker;

    for (size_t i = 0; i < n; i++) {
        double freq = trit_exp(-2.0 * (double)i / k->n_rot * trit_log(k->rope_base));
        freq /= k->rope_factor;
        if (e->model->rope_factors)
            freq /= (double)e->model->rope_factors[i];
        for (size_t pos = begin; pos < end; pos++) {
            e->rope_cos[pos * n + i] = (float)trit_cos((double)pos * freq);
            e->rope_sin[pos * n + i] = (float)trit_sin((double)pos * freq);
        }
    }
}

void trit_rope_table(struct trit_engine *e)
{
    trit_pool_run(e->pool, rope_rows, e, (size_t)e->n_ctx, 256);
}
