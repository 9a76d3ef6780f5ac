/* make_seeds.c - writes inputs that fuzzers begin with: the smallest models, in many forms, and the
 * templates of JSON Lines. Usage: make_seeds GGUFS TORCH TEMPLATES FILE.jsonl...; the first three
 * are existing folders, in which files are replaced. */
#include <stdio.h>
#include <stdlib.h>

#include "checkpoint.h"
#include "fixture.h"
#include "torch_writer.h"
#include "trit_tools.h"

static bool put(const char *folder, const char *name, const void *bytes, size_t len)
{
    char path[1024];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "wb") : NULL;
    const bool ok = f && fwrite(bytes, 1, len, f) == len;
    if ((f && fclose(f) != 0) || !ok)
        fprintf(stderr, "make_seeds: cannot write %s\n", path);
    return ok;
}

/* Every template of a file, as a file of its own. */
static bool put_templates(const char *folder, const char *path, int file)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    struct trit_json *json = NULL;
    struct trit_error err = {.text = "it cannot be opened"};
    int number = 0;
    bool ok = f != NULL;

    if (f) {
        const size_t n = fread(text, 1, sizeof text, f);
        fclose(f);
        ok = trit_json_read_lines(&json, text, n, &err) == TRIT_OK;
    }
    if (!ok)
        fprintf(stderr, "make_seeds: %s: %s\n", path, err.text);
    for (const struct trit_json_value *v = ok ? trit_json_first(trit_json_root(json)) : NULL; v;
         v = trit_json_next(v)) {
        const struct trit_string source = trit_json_text(trit_json_member(v, "template"));
        char name[32];
        snprintf(name, sizeof name, "%d-%d.jinja", file, number++);
        ok = ok && put(folder, name, source.bytes, source.len);
    }
    trit_json_free(&json);
    return ok;
}

/* A model of one layer by the spec; blocks: in blocks of 256 weights, which some types need. */
static bool put_model(const char *folder, const char *name, struct fx_spec spec, bool blocks)
{
    struct fx_gguf g;
    struct fx_model m;
    size_t len;

    spec.n_layer = 1;
    spec.n_embd = spec.n_ff = blocks ? 256 : 128;
    spec.n_head = spec.n_embd / 64;
    spec.n_head_kv = 1;
    spec.n_vocab = 262;
    fx_model_gguf(&g, &m, &spec);
    fx_model_free(&m);
    uint8_t *image = fx_image(&g, &len);
    const bool ok = put(folder, name, image, len);
    free(image);
    fx_free(&g);
    return ok;
}

/* A checkpoint of a family that computes in its own ways, converted. */
static bool put_family(const char *folder, const char *name, struct ck_spec spec)
{
    struct ck *ck = ck_new(&spec);
    struct fx_bytes bytes = {0};
    struct trit_error err;
    const struct trit_convert_options opt = {.n_threads = 1};
    bool ok = trit_convert(ck_write(ck, name), &opt, fx_append, &bytes, NULL, &err) == TRIT_OK;

    if (ok)
        ok = put(folder, name, bytes.data, bytes.len);
    else
        fprintf(stderr, "make_seeds: %s\n", err.text);
    free(bytes.data);
    ck_free(ck);
    return ok;
}

/* A file of torch.save with three tensors, one a view, in the classic format or in ZIP64. */
static bool put_torch(const char *folder, const char *name, bool zip64)
{
    static const uint64_t matrix[] = {2, 3}, vector[] = {2};
    struct tw_file f = {.zip64 = zip64};
    size_t len;

    tw_begin(&f);
    tw_tensor(&f, "a.weight", "BF16", 2, matrix, "abcdefghijkl", 12);
    tw_view(&f, "a.part", "BF16", 1, vector, NULL, "0", 3, 6);
    tw_tensor(&f, "scale", "F32", 0, NULL, "abcd", 4);
    tw_end(&f);
    uint8_t *image = tw_image(&f, &len);
    const bool ok = put(folder, name, image, len);
    free(image);
    return ok;
}

int main(int argc, char **argv)
{
    static const char *const special[] = {"<|start_header_id|>", "<|eot_id|>", NULL};
    struct fx_spec i2s = fx_default, tq1 = fx_default, tq2 = fx_default, f16 = fx_default;
    struct fx_spec llama = fx_default, norms = fx_default;

    if (argc < 4) {
        fprintf(stderr, "usage: make_seeds GGUFS TORCH TEMPLATES FILE.jsonl...\n");
        return 2;
    }
    for (int i = 4; i < argc; i++)
        if (!put_templates(argv[3], argv[i], i))
            return 1;
    i2s.special = special;
    tq1.linear_type = FX_TQ1_0;
    tq1.embd_type = FX_Q6_K;
    tq2.linear_type = FX_TQ2_0;
    tq2.embd_type = FX_Q4_K;
    tq2.untied = true;
    f16.linear_type = FX_F16;
    f16.embd_type = FX_Q4_0;
    llama.arch = "llama";
    llama.sub_norms = false;
    llama.embd_type = FX_BF16;
    norms.linear_norms = norms.linear_relu2 = norms.no_bos_key = true;
    norms.embd_type = FX_Q8_0;
    return put_model(argv[1], "i2s.gguf", i2s, false) &&
                   put_model(argv[1], "tq1.gguf", tq1, true) &&
                   put_model(argv[1], "tq2.gguf", tq2, true) &&
                   put_model(argv[1], "f16.gguf", f16, false) &&
                   put_model(argv[1], "llama.gguf", llama, false) &&
                   put_model(argv[1], "norms.gguf", norms, false) &&
                   put_family(argv[1], "bitskip.gguf", ck_bitskip(2)) &&
                   put_family(argv[1], "bitnet-8bit.gguf", ck_bitnet8()) &&
                   put_torch(argv[2], "classic.bin", false) && put_torch(argv[2], "zip64.bin", true)
               ? 0
               : 1;
}
