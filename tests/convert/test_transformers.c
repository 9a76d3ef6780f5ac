/* test_transformers.c - checkpoints that transformers saved, against the logits of that library.
 *
 * transformers/NAME is such a folder, with logits.npy in float32 for the ids in logits.tokens;
 * scripts/check_transformers.py writes them. No activation of theirs lies on the edge of two int8
 * values, so the logits agree closely. All instruction sets give the same bits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "kernels.h"
#include "running.h"
#include "shared.h"
#include "suite.h"
#include "trit_tools.h"

static const char *const names[] = {
    "bitnet-floats", "llama-bias",   "llama-head",   "llama-kept",
    "mistral-plain", "qwen2-packed", "qwen3-packed",
};

static const char *path_of(const char *name, const char *file)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s%s", TRIT_CHECKPOINTS, name, file);
    return path;
}

/* The mean error, as a part of the spread of the logits. */
static double error_of(const float *x, const float *y, size_t n)
{
    double error = 0, mean = 0, variance = 0;

    for (size_t i = 0; i < n; i++) {
        error += fabs((double)x[i] - (double)y[i]) / (double)n;
        mean += (double)y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++)
        variance += ((double)y[i] - mean) * ((double)y[i] - mean) / (double)n;
    return error / sqrt(variance);
}

static void agrees(const char *name, const struct trit_convert_options *opt)
{
    struct fx_bytes b = {0};
    int32_t n;

    OK(trit_convert(path_of(name, ""), opt, fx_append, &b, NULL, &why));
    struct opened_model o = open_path(fx_write("transformers.gguf", b.data, b.len));
    int32_t *ids = shared_ids(path_of(name, "/logits.tokens"), &n);
    float *want = shared_npy(path_of(name, "/logits.npy"), n, o.n_vocab);
    const size_t n_logits = (size_t)n * (size_t)o.n_vocab;
    struct trit_session_options how = {.kv = TRIT_KV_TYPE_F32, .n_threads = 1, .isa = "scalar"};
    float *scalar = logits_of(o.model, ids, n, &how);
    const double error = error_of(scalar, want, n_logits);

    if (!(error < 1e-5))
        fail_msg("%s: the mean error is %g of the spread", name, error);
    for (const struct trit_isa *isa = trit_isas; isa->name; isa++) {
        how.isa = isa->name;
        how.n_threads = 2;
        if (!isa->init || !trit_isa_usable(isa))
            continue;
        float *logits = logits_of(o.model, ids, n, &how);
        assert_memory_equal(logits, scalar, n_logits * sizeof *scalar);
        free(logits);
    }
    free(scalar);
    free(want);
    free(ids);
    close_opened(&o);
    free(b.data);
}

static void checkpoint(void **state)
{
    static const struct trit_convert_options as_f32 = {.type = "f32", .embd = "f32"};
    const char *const *name = *state;

    agrees(*name, NULL);
    agrees(*name, &as_f32);
}

const struct suite suite = {SUITE_ROWS(checkpoint, names)};
