/* test_quantize.c - trit_quantize(): the model is the same in every type of linears, from masters,
 * and from I2_S files with the layouts of other programs; and its errors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gguf.h"
#include "running.h"
#include "suite.h"
#include "trit_tools.h"

enum { N_TOKENS = 12, N_VOCAB = 300 };

static const char *const linear_types[] = {"f32", "f16", "bf16", "tq1_0", "tq2_0", "i2_s"};
static const uint32_t linear_ids[] = {FX_F32, FX_F16, FX_BF16, FX_TQ1_0, FX_TQ2_0, FX_I2_S};

/* ---- Helpers --------------------------------------------------------------------------------- */

static trit_file *open_as(const char *path, const char *layout)
{
    const struct trit_file_options opt = {.i2s_layout = layout};
    trit_file *file;
    OK(trit_file_open(&file, path, &opt, &why));
    return file;
}

static const char *quantized(const char *path, const struct trit_convert_options *opt,
                             const char *layout)
{
    trit_file *file = open_as(path, layout);
    struct fx_bytes b = {0};
    uint64_t n_bytes = 0;

    OK(trit_quantize(file, opt, fx_append, &b, &n_bytes, &why));
    assert_int_equal(n_bytes, b.len);
    trit_file_close(&file);
    const char *out = fx_write("quantized.gguf", b.data, b.len);
    free(b.data);
    return out;
}

static float *logits_from(const char *path, const char *layout)
{
    const struct trit_session_options opt = {.n_threads = 1, .kv = TRIT_KV_TYPE_F32};
    static const int32_t tokens[N_TOKENS] = {1, 5, 17, 200, 77, 33, 250, 4, 4, 99, 131, 8};
    trit_file *file = open_as(path, layout);
    trit_model *model = NULL;

    OK(trit_model_open(&model, file, &why));
    float *logits = logits_of(model, tokens, N_TOKENS, &opt);
    trit_model_close(&model);
    trit_file_close(&file);
    return logits;
}

static void assert_runs(const char *path)
{
    free(logits_from(path, NULL));
}

static void assert_same_logits(const char *a, const char *b, const char *layout)
{
    float *x = logits_from(a, NULL), *y = logits_from(b, layout);
    assert_memory_equal(x, y, N_TOKENS * N_VOCAB * sizeof *x);
    free(x);
    free(y);
}

/* A model whose scales have eight bits, which every type keeps. */
static const struct fx_model *model_of(uint32_t type, const char *arch)
{
    struct fx_spec spec = fx_default;
    spec.arch = arch;
    spec.sub_norms = strncmp(arch, "bitnet", 6) == 0;
    spec.linear_type = type;
    spec.n_ff = 512;
    spec.seed = 5;
    spec.n_layer = 1;
    spec.weight_scale = 0.0625f;
    return fx_model("quantize.gguf", &spec);
}

static void refuse(const char *path, const struct trit_convert_options *opt, const char *layout,
                   trit_status status, const char *part, const char *other)
{
    trit_file *file = open_as(path, layout);
    struct fx_bytes b = {0};
    const trit_status got = trit_quantize(file, opt, fx_append, &b, NULL, &why);

    free(b.data);
    trit_file_close(&file);
    if (got != status || !strstr(why.text, part) || !strstr(why.text, other))
        fail_msg("expected status %d, '%s' and '%s', got %d: %s", (int)status, part, other,
                 (int)got, got ? why.text : "");
}

/* ---- Types ----------------------------------------------------------------------------------- */

static uint32_t type_of(const trit_file *file, const char *name)
{
    const struct gguf_tensor *t = trit_gguf_find_tensor(file, name);
    assert_non_null(t);
    return t->type_id;
}

static void every_type_to_every_other(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        const struct fx_model *m = model_of(linear_ids[i], "bitnet-b1.58");
        for (int k = 0; k < 6; k++) {
            const struct trit_convert_options opt = {.type = linear_types[k], .n_threads = 1 + k};
            const char *path = quantized(m->path, &opt, NULL);
            trit_file *file = open_as(path, NULL);
            assert_int_equal(type_of(file, "blk.0.ffn_down.weight"), linear_ids[k]);
            assert_int_equal(type_of(file, "blk.0.ffn_norm.weight"), FX_F32);
            assert_int_equal(type_of(file, "token_embd.weight"), FX_F16);
            trit_file_close(&file);
            if (linear_ids[i] == FX_I2_S || linear_ids[k] == FX_I2_S || linear_ids[k] == FX_F32) {
                float *x = logits_from(m->path, NULL), *y = logits_from(path, NULL);
                const bool exact = linear_ids[k] == FX_I2_S || linear_ids[k] == FX_F32;
                for (int j = 0; j < N_TOKENS * N_VOCAB && exact; j++)
                    if (x[j] < y[j] || x[j] > y[j])
                        fail_msg("%s to %s: logit %d is %g, was %g", linear_types[i],
                                 linear_types[k], j, (double)y[j], (double)x[j]);
                free(x);
                free(y);
            }
        }
    }
}

/* After conversion there and back, only the scale was rounded to f16. */
static void there_and_back(void **state)
{
    const struct fx_model *m = model_of(FX_I2_S, "bitnet-b1.58");
    (void)state;
    for (int k = 1; k < 5; k++) {
        const struct trit_convert_options to = {.type = linear_types[k]}, from = {.type = "i2_s"};
        const char *first = quantized(m->path, &to, NULL);
        const char *back = quantized(first, &from, NULL);
        trit_file *a = open_as(m->path, NULL), *b = open_as(back, NULL);
        const struct gguf_tensor *t = trit_gguf_find_tensor(a, "blk.0.ffn_up.weight");
        const struct gguf_tensor *u = trit_gguf_find_tensor(b, "blk.0.ffn_up.weight");
        const size_t n = (size_t)t->n_bytes - 32;
        float x, y;
        assert_int_equal(t->n_bytes, u->n_bytes);
        assert_memory_equal(trit_gguf_data(a, t), trit_gguf_data(b, u), n);
        memcpy(&x, trit_gguf_data(a, t) + n, sizeof x);
        memcpy(&y, trit_gguf_data(b, u) + n, sizeof y);
        assert_true(fabsf(x - y) <= x * (k == 2 ? 0x1p-8f : 0x1p-11f));
        trit_file_close(&a);
        trit_file_close(&b);
    }
}

/* The bytes equal those that the fixture packs. */
static void packed_as_others_pack(void **state)
{
    (void)state;
    for (int k = 0; k < 6; k++) {
        const struct trit_convert_options opt = {.type = linear_types[k]};
        const char *ours = quantized(model_of(FX_I2_S, "bitnet-b1.58")->path, &opt, NULL);
        trit_file *a = open_as(ours, NULL);
        trit_file *b = open_as(model_of(linear_ids[k], "bitnet-b1.58")->path, NULL);
        for (size_t i = 0; i < a->n_tensors; i++) {
            const struct gguf_tensor *t = &a->tensors[i], *u = &b->tensors[i];
            const size_t tail = t->type_id == FX_I2_S ? 28 : 0; /* it has no meaning */
            assert_int_equal(t->n_bytes, u->n_bytes);
            assert_memory_equal(trit_gguf_data(a, t), trit_gguf_data(b, u), t->n_bytes - tail);
        }
        trit_file_close(&a);
        trit_file_close(&b);
    }
}

/* The numbers that `trit info` shows for a tensor. */
static void weights_are_counted(void **state)
{
    (void)state;
    for (int k = 0; k < 6; k++) {
        const struct fx_model *m = model_of(linear_ids[k], "bitnet-b1.58");
        const struct fx_linear *l = &m->layers[0].down;
        trit_file *file = open_as(m->path, NULL);
        const struct gguf_tensor *t = trit_gguf_find_tensor(file, "blk.0.ffn_down.weight");
        struct trit_tensor_stats stats;
        uint64_t counts[3] = {0};
        for (int i = 0; i < l->n_in * l->n_out; i++)
            counts[l->t[i] + 1]++;
        OK(trit_file_tensor_stats(file, (size_t)(t - file->tensors), &stats, &why));
        assert_true(stats.ternary);
        assert_int_equal(stats.n, 512 * 256);
        assert_int_equal(stats.n_minus, counts[0]);
        assert_int_equal(stats.n_zero, counts[1]);
        assert_int_equal(stats.n_plus, counts[2]);
        assert_int_equal(stats.n_invalid, 0);
        assert_true(stats.scale == l->scale);
        t = trit_gguf_find_tensor(file, "token_embd.weight");
        OK(trit_file_tensor_stats(file, (size_t)(t - file->tensors), &stats, &why));
        assert_true(!stats.ternary && stats.n == 300 * 256 && stats.n_zero == 0);
        t = trit_gguf_find_tensor(file, "output_norm.weight");
        OK(trit_file_tensor_stats(file, (size_t)(t - file->tensors), &stats, &why));
        assert_false(stats.ternary);
        trit_file_close(&file);
    }
}

/* Rows that end inside a block have padding, which does not count; codes 3 are counted. */
static void odd_weights_are_counted(void **state)
{
    struct fx_spec spec = fx_default;
    struct trit_tensor_stats stats;
    (void)state;
    spec.n_layer = 1;
    spec.n_embd = 320;
    const struct fx_model *m = fx_model("odd.gguf", &spec);
    trit_file *file = open_as(m->path, NULL);
    const struct gguf_tensor *t = trit_gguf_find_tensor(file, "blk.0.attn_q.weight");
    OK(trit_file_tensor_stats(file, (size_t)(t - file->tensors), &stats, &why));
    assert_int_equal(stats.n, 320 * 256);
    assert_int_equal(stats.n_minus + stats.n_zero + stats.n_plus, stats.n);
    const size_t size = (size_t)trit_file_size(file), at = (size_t)t->offset;
    uint8_t *bytes = malloc(size);
    FILE *f = fopen(m->path, "rb");
    assert_true(f && bytes && fread(bytes, 1, size, f) == size);
    fclose(f);
    trit_file_close(&file);
    bytes[at + 5] |= 0x30;
    file = open_as(fx_write("odd3.gguf", bytes, size), NULL);
    t = trit_gguf_find_tensor(file, "blk.0.attn_q.weight");
    OK(trit_file_tensor_stats(file, (size_t)(t - file->tensors), &stats, &why));
    assert_int_equal(stats.n_invalid, 1);
    trit_file_close(&file);
    free(bytes);
}

static void metadata_is_kept(void **state)
{
    const struct fx_model *m = model_of(FX_I2_S, "bitnet-b1.58");
    const struct trit_convert_options opt = {.type = "tq2_0", .embd = "q8_0"};
    const char *first = quantized(m->path, &opt, NULL);
    const char *second = quantized(first, &(struct trit_convert_options){.type = "i2_s"}, NULL);
    trit_file *a = open_as(m->path, NULL), *b = open_as(second, NULL);
    const struct gguf_kv *notes;
    uint32_t type = 0;
    size_t n = 0;
    (void)state;

    for (size_t i = 0; i < a->n_kv; i++) {
        const struct gguf_kv *x = &a->kv[i];
        char key[96];
        snprintf(key, sizeof key, "%.*s", (int)x->key.len, x->key.bytes);
        const struct gguf_kv *y = trit_gguf_find(b, key);
        if (strcmp(key, "general.file_type") == 0)
            continue;
        assert_non_null(y);
        assert_int_equal(x->type, y->type);
        assert_int_equal(x->n_items, y->n_items);
        n++;
    }
    assert_true(n > 15);
    OK(trit_gguf_get_u32(b, "general.file_type", &type, &why));
    assert_int_equal(type, 40);
    OK(trit_gguf_get_array(b, "trit.notes", TRIT_VALUE_STRING, &notes, &why));
    assert_int_equal(notes->n_items, 3); /* two of the first time, one of the second */
    assert_int_equal(type_of(b, "token_embd.weight"), FX_Q8_0);
    trit_file_close(&a);
    trit_file_close(&b);
}

/* ---- Odd layouts ----------------------------------------------------------------------------- */

/* Rearrange the codes of an I2_S tensor to another layout. */
static void lay_out_as(const char *layout, uint8_t *data, size_t n_rows, size_t n_cols)
{
    const size_t n = n_rows * n_cols;
    uint8_t *out = calloc(1, n / 4);

    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        const size_t r = i / n_cols, k = i % n_cols, whole = n_cols / 128 * 128;
        const unsigned code = data[i / 128 * 32 + i % 32] >> (6 - 2 * (i % 128 / 32)) & 3;
        size_t byte = i / 4, shift = 6 - 2 * (i % 4); /* seq */
        if (strcmp(layout, "64") == 0) {
            byte = i / 64 * 16 + i % 16;
            shift = 6 - 2 * (i % 64 / 16);
        } else if (strcmp(layout, "4row") == 0) {
            byte = r / 4 * n_cols + k;
            shift = 6 - 2 * (r % 4);
        } else if (strcmp(layout, "128row") == 0) {
            byte = r * n_cols / 4 + (k < whole ? k / 128 * 32 + k % 32 : k / 4);
            shift = 6 - 2 * (k < whole ? k % 128 / 32 : k % 4);
        }
        out[byte] |= (uint8_t)(code << shift);
    }
    memcpy(data, out, n / 4);
    free(out);
}

static const char *odd_file(const char *path, const char *layout)
{
    trit_file *file = open_as(path, NULL);
    FILE *f = fopen(path, "rb");
    const size_t size = (size_t)trit_file_size(file);
    uint8_t *bytes = malloc(size);

    assert_true(f && bytes && fread(bytes, 1, size, f) == size);
    fclose(f);
    for (size_t i = 0; i < file->n_tensors; i++) {
        const struct gguf_tensor *t = &file->tensors[i];
        if (t->type_id == FX_I2_S)
            lay_out_as(layout, bytes + t->offset, (size_t)t->dims[1], (size_t)t->dims[0]);
    }
    trit_file_close(&file);
    const char *out = fx_write("odd.gguf", bytes, size);
    free(bytes);
    return out;
}

static void odd_layouts(void **state)
{
    static const char *const layouts[] = {"64", "4row", "seq", "128row"};
    struct fx_spec spec = fx_default;
    (void)state;
    spec.n_layer = 1;
    for (int wide = 0; wide < 2; wide++) { /* rows of whole blocks, and not */
        spec.n_embd = wide ? 320 : 256;
        spec.n_ff = wide ? 864 : 384;
        const struct fx_model *m = fx_model("layout.gguf", &spec);
        for (int i = 0; i < 4; i++) {
            const char *odd = odd_file(m->path, layouts[i]);
            assert_same_logits(m->path, odd, layouts[i]);
            const char *mended = quantized(odd, NULL, layouts[i]);
            assert_same_logits(m->path, mended, NULL);
        }
    }
    const struct trit_file_options bad = {.i2s_layout = "256"};
    trit_file *file;
    assert_int_equal(
        trit_file_open(&file, odd_file(fx_model("layout.gguf", &spec)->path, "64"), &bad, &why),
        TRIT_E_ARGUMENT);
    assert_non_null(strstr(why.text, "4row"));
}

/* ---- Masters, and what would destroy a model ------------------------------------------------- */

/* A file whose linears are floats that are not ternary. */
static const char *master(const char *arch)
{
    struct fx_spec spec = fx_default;
    struct fx_gguf g;
    struct fx_model m;
    size_t len;

    spec.arch = arch;
    spec.sub_norms = strncmp(arch, "bitnet", 6) == 0;
    spec.linear_type = FX_F32;
    spec.n_layer = 1;
    fx_model_gguf(&g, &m, &spec);
    uint8_t *image = fx_image(&g, &len);
    const char *path = fx_write("plain.gguf", image, len);
    trit_file *file = open_as(path, NULL);
    uint64_t rng = 4;
    for (size_t i = 0; i < file->n_tensors; i++) {
        const struct gguf_tensor *t = &file->tensors[i];
        for (uint64_t k = 0; t->type_id == FX_F32 && t->n_dims == 2 && k < t->dims[0] * t->dims[1];
             k++) {
            const float x = 0.05f * fx_normal(&rng);
            memcpy(image + t->offset + 4 * k, &x, sizeof x);
        }
    }
    trit_file_close(&file);
    path = fx_write("master.gguf", image, len);
    free(image);
    fx_free(&g);
    fx_model_free(&m);
    return path;
}

static void masters(void **state)
{
    const char *path = master("bitnet-b1.58");
    trit_file *file = open_as(path, NULL);
    const struct gguf_tensor *t = trit_gguf_find_tensor(file, "blk.0.ffn_up.weight");
    const size_t n = 256 * 384;
    float w, scale;
    double sum = 0;
    (void)state;

    for (size_t i = 0; i < n; i++) {
        memcpy(&w, trit_gguf_data(file, t) + 4 * i, sizeof w);
        sum += fabs((double)w);
    }
    const char *out = quantized(path, NULL, NULL);
    trit_file *q = open_as(out, NULL);
    const struct gguf_tensor *u = trit_gguf_find_tensor(q, "blk.0.ffn_up.weight");
    const uint8_t *codes = trit_gguf_data(q, u);
    memcpy(&scale, codes + n / 4, sizeof scale);
    assert_true(fabs((double)scale - sum / (double)n) < 1e-7);
    for (size_t i = 0; i < n; i++) {
        memcpy(&w, trit_gguf_data(file, t) + 4 * i, sizeof w);
        const float r = w / scale;
        const int code = codes[i / 128 * 32 + i % 32] >> (6 - 2 * (i % 128 / 32)) & 3;
        if (fabsf(fabsf(r) - 0.5f) > 1e-5f)
            assert_int_equal(code, r > 0.5f ? 2 : r < -0.5f ? 0 : 1);
    }
    trit_file_close(&q);
    trit_file_close(&file);
    assert_runs(out);
    assert_runs(quantized(master("bitskip"), NULL, NULL)); /* always trained to be ternary */
    path = master("llama");
    refuse(path, NULL, NULL, TRIT_E_UNSUPPORTED, "blk.0.attn_q.weight", "forced");
    assert_runs(quantized(path, &(struct trit_convert_options){.force = true}, NULL));
}

static void refusals(void **state)
{
    const struct fx_model *m = model_of(FX_I2_S, "bitnet-b1.58");
    struct fx_spec spec = fx_default;
    uint64_t n_bytes = 0;
    (void)state;
    refuse(m->path, &(struct trit_convert_options){.type = "q4_0"}, NULL, TRIT_E_ARGUMENT, "q4_0",
           "tq1_0");
    refuse(m->path, &(struct trit_convert_options){.embd = "q9"}, NULL, TRIT_E_ARGUMENT, "q9",
           "q6_k");
    refuse(m->path, &(struct trit_convert_options){.embd = "i2_s"}, NULL, TRIT_E_UNSUPPORTED,
           "destroys", "forced");
    spec.n_embd = 320;
    spec.n_layer = 1;
    refuse(fx_model("narrow.gguf", &spec)->path, &(struct trit_convert_options){.type = "tq1_0"},
           NULL, TRIT_E_UNSUPPORTED, "blk.0.attn_q.weight", "rows of 320");

    /* with force it is written */
    const struct trit_convert_options forced = {.embd = "tq2_0", .force = true};
    trit_file *file = open_as(quantized(m->path, &forced, NULL), NULL);
    assert_int_equal(type_of(file, "token_embd.weight"), FX_TQ2_0);
    trit_file_close(&file);

    /* a code 3 */
    file = open_as(m->path, NULL);
    const size_t size = (size_t)trit_file_size(file);
    const struct gguf_tensor *t = trit_gguf_find_tensor(file, "blk.0.attn_v.weight");
    uint8_t *bytes = malloc(size);
    FILE *f = fopen(m->path, "rb");
    assert_true(f && bytes && fread(bytes, 1, size, f) == size);
    fclose(f);
    bytes[t->offset + 100] |= 0x0c;
    trit_file_close(&file);
    refuse(fx_write("code3.gguf", bytes, size), NULL, NULL, TRIT_E_FILE, "blk.0.attn_v.weight",
           "code 3");
    free(bytes);

    /* dry runs write nothing */
    file = open_as(m->path, NULL);
    OK(trit_quantize(file, NULL, NULL, NULL, &n_bytes, &why));
    assert_true(n_bytes > 100000);
    trit_file_close(&file);
}

/* A tensor of zeros may have any scale; a scale of 0 under weights is damage, as for running. */
static void scales_of_zero(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct fx_model *m = model_of(FX_I2_S, "bitnet-b1.58");
        trit_file *file = open_as(m->path, NULL);
        const struct gguf_tensor *t = trit_gguf_find_tensor(file, "blk.0.attn_v.weight");
        const size_t size = (size_t)trit_file_size(file), n = (size_t)(t->dims[0] * t->dims[1] / 4);
        uint8_t *bytes = malloc(size);
        FILE *f = fopen(m->path, "rb");
        assert_true(f && bytes && fread(bytes, 1, size, f) == size);
        fclose(f);
        uint8_t *data = bytes + (trit_gguf_data(file, t) - file->bytes.data);
        memcpy(data + n, &(float){i == 1 ? -0.0f : 0.0f}, 4);
        if (i == 2)
            memset(data, 0x55, n);
        trit_file_close(&file);
        const char *path = fx_write("scale0.gguf", bytes, size);
        if (i < 2)
            refuse(path, NULL, NULL, TRIT_E_FILE, "blk.0.attn_v.weight", "positive");
        else
            quantized(path, &(struct trit_convert_options){.type = "f32"}, NULL);
        free(bytes);
    }
}

/* A scale that 16 bits cannot hold; a ternary embedding in another layout, which is not a
 * linear. */
static void scales_and_other_tensors(void **state)
{
    static const struct {
        const char *to;
        float tiny, huge;
    } halves[] = {{"f16", 1e-9f, 1e6f},
                  {"tq1_0", 1e-9f, 1e6f},
                  {"tq2_0", 1e-9f, 1e6f},
                  {"bf16", 1e-41f, 3.4e38f / 1.04f}}; /* the fixture has 1.04 of it here */
    struct fx_spec spec = fx_default;
    const uint64_t dims[] = {256, 8, 0};
    struct fx_gguf g;
    struct fx_model m;
    uint8_t data[256 * 8 / 4 + 32];
    size_t len;
    (void)state;

    spec.n_layer = 1;
    spec.n_ff = 512;
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        const struct trit_convert_options opt = {.type = halves[i].to};
        spec.weight_scale = halves[i].tiny;
        refuse(fx_model("tiny.gguf", &spec)->path, &opt, NULL, TRIT_E_UNSUPPORTED,
               "blk.0.attn_q.weight", "cannot hold");
        spec.weight_scale = halves[i].huge;
        refuse(fx_model("huge.gguf", &spec)->path, &opt, NULL, TRIT_E_UNSUPPORTED,
               "blk.0.attn_q.weight", "cannot hold");
    }
    spec.weight_scale = 0.1f;
    fx_model_gguf(&g, &m, &spec);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(0x15 + (i % 5 == 0) * 0x10);
    memcpy(data + sizeof data - 32, &(float){0.5f}, 4);
    fx_tensor(&g, "other.weight", FX_I2_S, dims, data, sizeof data);
    uint8_t *image = fx_image(&g, &len);
    const char *odd = odd_file(fx_write("other.gguf", image, len), "seq");
    const char *mended = quantized(odd, &(struct trit_convert_options){.type = "tq2_0"}, "seq");
    trit_file *file = open_as(mended, NULL);
    const struct gguf_tensor *t = trit_gguf_find_tensor(file, "other.weight");
    assert_int_equal(t->type_id, FX_I2_S);
    assert_memory_equal(trit_gguf_data(file, t), data, sizeof data - 28);
    trit_file_close(&file);
    free(image);
    fx_free(&g);
    fx_model_free(&m);
}

static bool stop_after(void *user, const void *bytes, size_t n)
{
    long *left = user;
    (void)bytes;
    return (*left -= (long)n) > 0;
}

static void the_sink_may_stop(void **state)
{
    trit_file *file = open_as(model_of(FX_I2_S, "bitnet-b1.58")->path, NULL);
    (void)state;
    for (long most = 0; most < 300000; most += 20000) {
        long left = most;
        assert_int_equal(trit_quantize(file, NULL, stop_after, &left, NULL, &why),
                         TRIT_E_CANCELLED);
    }
    trit_file_close(&file);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_type_to_every_other),
    cmocka_unit_test(there_and_back),
    cmocka_unit_test(packed_as_others_pack),
    cmocka_unit_test(weights_are_counted),
    cmocka_unit_test(odd_weights_are_counted),

    cmocka_unit_test(metadata_is_kept),
    cmocka_unit_test(odd_layouts),
    cmocka_unit_test(masters),
    cmocka_unit_test(refusals),
    cmocka_unit_test(the_sink_may_stop),
    cmocka_unit_test(scales_of_zero),
    cmocka_unit_test(scales_and_other_tensors),
};

const struct suite suite = {SUITE_TESTS(tests)};
