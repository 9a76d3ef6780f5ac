/* measure.c - the limits of this machine, as a reference for the speed of a session: how fast its
 * threads can read the weights and do nothing else, and how fast they can multiply. */
#include "session_state.h"

#include <stdlib.h>

/* ---- Reading --------------------------------------------------------------------------------- */

/* A piece of the weights that one token reads. Workers take pieces in order. */
struct piece {
    const uint8_t *p;
    size_t n_bytes;
};

enum { PIECE_BYTES = 1 << 19 };

struct read_job {
    const struct trit_session *s;
    struct trit_kernels kernels; /* of the best row, whichever the session uses */
    enum trit_hint hint;
    size_t first;         /* the first piece to read */
    struct piece *pieces; /* NULL: counting */
    size_t n_pieces;
    uint64_t n_bytes;
    _Atomic uint64_t sum; /* uses the result, so that reads are not optimized away */
};

static void add_pieces(struct read_job *job, const uint8_t *p, size_t n_bytes)
{
    job->n_bytes += n_bytes;
    while (n_bytes > 0) {
        const size_t n = n_bytes < PIECE_BYTES ? n_bytes : PIECE_BYTES;
        if (job->pieces)
            job->pieces[job->n_pieces] = (struct piece){p, n};
        job->n_pieces++;
        p += n, n_bytes -= n;
    }
}

static void add_all(struct read_job *job)
{
    const struct trit_model *m = job->s->engine->model;
    const struct trit_linear *w;

    job->n_pieces = 0;
    job->n_bytes = 0;
    for (int32_t il = 0; il < job->s->exit_layer; il++)
        for (size_t i = 0; !job->s->skip[il] && (w = trit_layer_linear(&m->layers[il], i)); i++)
            if (w->t2)
                add_pieces(job, w->t2, w->n_out * w->row_bytes);
            else
                add_pieces(job, w->floats.data, w->floats.n_rows * w->floats.row_bytes);
    add_pieces(job, m->output.data, m->output.n_rows * m->output.row_bytes);
    add_pieces(job, m->token_embd.data, m->token_embd.row_bytes); /* any row */
}

static void read_pieces(void *ctx, size_t begin, size_t end, int worker)
{
    struct read_job *job = ctx;
    uint64_t sum = 0;
    (void)worker;

    for (size_t i = job->first + begin; i < job->first + end; i++)
        sum ^= job->kernels.probe_read(job->pieces[i].p, job->pieces[i].n_bytes, job->hint);
    atomic_fetch_xor(&job->sum, sum);
}

uint64_t trit_session_token_bytes(const trit_session *s)
{
    struct read_job job = {.s = s};
    add_all(&job);
    return job.n_bytes;
}

/* Which hint reads fastest. The hints take turns over groups of pieces, in the order of memory, a
 * few times through the weights. Their total times are compared: the least time of one would be
 * luck. */
static enum trit_hint find_hint(const trit_session *s, struct read_job *job)
{
    static const enum trit_hint hints[] = {TRIT_HINT_NONE, TRIT_HINT_T0, TRIT_HINT_T1,
                                           TRIT_HINT_NTA};
    enum { N_HINTS = sizeof hints / sizeof *hints, GROUP = 16, TRIES_MS = 100 };
    double bytes[N_HINTS] = {0}, ms[N_HINTS] = {0};
    const double start = trit_now_ms();
    size_t best = 0, sweep = 0; /* shifts the turns, so that each hint reads each group */

    job->first = 0;
    for (size_t k = 0; k < N_HINTS || trit_now_ms() - start < TRIES_MS; k++) {
        const size_t h = (k + sweep) % N_HINTS, left = job->n_pieces - job->first;
        const size_t n = left < GROUP ? left : GROUP;
        const double begin = trit_now_ms();
        job->hint = hints[h];
        trit_pool_run(s->engine->pool, read_pieces, job, n, 1);
        ms[h] += trit_now_ms() - begin;
        for (size_t i = 0; i < n; i++)
            bytes[h] += (double)job->pieces[job->first + i].n_bytes;
        job->first = n < left ? job->first + n : 0;
        sweep += job->first == 0;
    }
    job->first = 0;
    for (size_t h = 1; h < N_HINTS; h++)
        if (bytes[h] * ms[best] > bytes[best] * ms[h])
            best = h;
    return hints[best];
}

double trit_session_measure_read(trit_session *s, double ms)
{
    struct read_job job = {.s = s};
    size_t n = 0;

    trit_kernels_init(&job.kernels, trit_isa_best());
    add_all(&job);
    job.pieces = malloc(job.n_pieces * sizeof *job.pieces);
    if (!job.pieces)
        return 0;
    add_all(&job);
    if (!s->engine->hint_known)
        s->engine->read_hint = find_hint(s, &job);
    s->engine->hint_known = true;
    job.hint = s->engine->read_hint;
    const double start = trit_now_ms();
    double taken;
    do {
        trit_pool_run(s->engine->pool, read_pieces, &job, job.n_pieces, 1);
        n++;
    } while ((taken = trit_now_ms() - start) < ms);
    free(job.pieces);
    return (double)job.n_bytes * (double)n / taken * 1e-6;
}

/* ---- Multiplying ----------------------------------------------------------------------------- */

struct macs_job {
    uint64_t (*probe)(size_t n_rounds);
    _Atomic uint64_t n_macs;
};

static void do_macs(void *ctx, size_t begin, size_t end, int worker)
{
    struct macs_job *job = ctx;
    uint64_t n = 0;
    (void)worker;

    for (size_t i = begin; i < end; i++)
        n += job->probe(TRIT_PROBE_ROUNDS);
    atomic_fetch_add(&job->n_macs, n);
}

static double measure_macs(trit_session *s, uint64_t (*probe)(size_t n_rounds), double ms)
{
    struct macs_job job = {.probe = probe};
    const double start = trit_now_ms();
    double taken;

    do
        trit_pool_run(s->engine->pool, do_macs, &job, 64 * (size_t)s->engine->n_threads, 4);
    while ((taken = trit_now_ms() - start) < ms);
    return (double)job.n_macs / taken * 1e-6;
}

double trit_session_measure_macs(trit_session *s, double ms)
{
    return measure_macs(s, s->engine->kernels.probe_macs, ms);
}

double trit_session_measure_fmas(trit_session *s, double ms)
{
    return measure_macs(s, s->engine->kernels.probe_fmas, ms);
}
