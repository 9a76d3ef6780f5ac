/* make_fixtures.c - writes the model files for the tests in tests/cli:
 *
 *   good.gguf          the fixture's default model
 *   truncated.gguf     the same without its second half
 *   empty.gguf         no bytes
 *   text.gguf          not a GGUF
 *   unknown_type.gguf  one linear of an unknown type
 *   unknown_arch.gguf  an unknown architecture
 *   evil_names.gguf    terminal control sequences in its names
 *   non_finite.gguf    a valid file whose first linear overflows
 *   small_vocab.gguf   as good.gguf, but with fewer tokens
 *   bos.gguf           as good.gguf, but with a BOS before a text, and a chat template
 *   chat.gguf          as bos.gguf, with markers of Llama-3 from 259 on and a chat template that is
 *                      wrong for it, as in the published 2B-4T
 *   vocab_only.gguf    the vocabulary of good.gguf without a tensor
 *   spm.gguf           a SentencePiece vocabulary without a tensor
 *   checkpoint/        a folder as Hugging Face holds it, of a model like good.gguf
 *   bin/checkpoint/    the same with pytorch_model.bin; shards/checkpoint/: in two of them
 *   bins/              files of torch.save that are refused
 *   bitskip-v2/        one of that family: norms and Hadamard transforms on 4-bit linears
 *   bitnet-8bit/       and of that: post-norm, LayerNorm, learned positions
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "checkpoint.h"
#include "fixture.h"
#include "torch_writer.h"

static bool put_file(const char *dir, const char *name, const void *bytes, size_t len)
{
    char path[1024];
    const int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "wb") : NULL;
    const bool ok = f && fwrite(bytes, 1, len, f) == len;
    if ((f && fclose(f) != 0) || !ok) {
        fprintf(stderr, "make_fixtures: cannot write %s in %s\n", name, dir);
        return false;
    }
    return true;
}

/* Set the type of a tensor, whose record begins with its name: then dimensions, then the type. */
static bool set_type(struct fx_gguf *g, const char *name, uint32_t type)
{
    const size_t len = strlen(name);
    for (size_t i = 0; i + len + 4 <= g->infos.len; i++)
        if (memcmp(g->infos.data + i, name, len) == 0) {
            uint32_t n_dims;
            memcpy(&n_dims, g->infos.data + i + len, sizeof n_dims);
            memcpy(g->infos.data + i + len + 4 + 8 * n_dims, &type, sizeof type);
            return true;
        }
    fprintf(stderr, "make_fixtures: no tensor %s\n", name);
    return false;
}

static bool put_model(const char *dir, const char *name, const struct fx_spec *spec,
                      const char *unknown_tensor)
{
    struct fx_gguf g;
    struct fx_model m;
    size_t len;

    fx_model_gguf(&g, &m, spec);
    fx_model_free(&m);
    bool ok = !unknown_tensor || set_type(&g, unknown_tensor, 99);
    uint8_t *image = fx_image(&g, &len);
    ok = ok && put_file(dir, name, image, len);
    if (ok && strcmp(name, "good.gguf") == 0)
        ok = put_file(dir, "truncated.gguf", image, len / 2);
    free(image);
    fx_free(&g);
    return ok;
}

static bool put_gguf(const char *dir, const char *name, struct fx_gguf *g)
{
    size_t len;
    uint8_t *image = fx_image(g, &len);
    const bool ok = put_file(dir, name, image, len);
    free(image);
    fx_free(g);
    return ok;
}

/* Names with control sequences, which would change the terminal that shows them. */
static bool put_evil_names(const char *dir)
{
    const uint64_t dims[] = {1, 0};
    const float zero = 0;
    struct fx_gguf g;

    fx_init(&g);
    fx_str(&g, "general.architecture", "llama");
    fx_str(&g, "\x1b[31mevil\x1b]0;owned\a", "\x1b[2J");
    fx_tensor(&g, "\x1b[31mtensor\xC2\x9B", FX_F32, dims, &zero, sizeof zero);
    return put_gguf(dir, "evil_names.gguf", &g);
}

static bool put_bos(const char *dir)
{
    struct fx_spec spec = fx_default;
    struct fx_gguf g;
    struct fx_model m;

    spec.no_bos_key = true;
    fx_model_gguf(&g, &m, &spec);
    fx_model_free(&m);
    fx_bool(&g, "tokenizer.ggml.add_bos_token", true);
    fx_str(&g, "tokenizer.chat_template",
           "{% for m in messages %}\n\t<{{ m.role }}>\x1b{{ m.content }}\n{% endfor %}");
    return put_gguf(dir, "bos.gguf", &g);
}

static bool put_chat(const char *dir)
{
    static const char *const special[] = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
                                          NULL};
    struct fx_spec spec = fx_default;
    struct fx_gguf g;
    struct fx_model m;

    spec.no_bos_key = true;
    spec.special = special;
    fx_model_gguf(&g, &m, &spec);
    fx_model_free(&m);
    fx_bool(&g, "tokenizer.ggml.add_bos_token", true);
    fx_str(&g, "tokenizer.chat_template", "Human: {{ m }}\n\nBITNETAssistant: {{ eos_token }}");
    return put_gguf(dir, "chat.gguf", &g);
}

static bool put_vocab_only(const char *dir)
{
    struct fx_gguf g;
    struct fx_model m;

    fx_model_gguf(&g, &m, &fx_default);
    fx_model_free(&m);
    g.n_tensors = g.infos.len = g.data.len = 0;
    return put_gguf(dir, "vocab_only.gguf", &g);
}

/* Control tokens, a few words with U+2581 for their spaces, one that is always found in text, and
 * all bytes but 0xff. */
static bool put_spm(const char *dir)
{
    static const struct {
        const char *text;
        int32_t type;
        float score;
    } words[] = {
        {"<unk>", 2, 0},
        {"<s>", 3, 0},
        {"</s>", 3, 0},
        {"\xE2\x96\x81", 1, -9},
        {"a", 1, -8},
        {"b", 1, -7},
        {"ab", 1, -3},
        {"\xE2\x96\x81"
         "ab",
         1, -4},
        {"\xE2\x96\x81"
         "a",
         1, -2},
        {"[tool]", 4, 0},
    };
    enum { N_WORDS = sizeof words / sizeof *words, N = N_WORDS + 255 };
    const char *tokens[N];
    char bytes[N][8];
    int32_t types[N];
    float scores[N];
    struct fx_gguf g;

    for (int i = 0; i < N; i++) {
        if (i >= N_WORDS)
            snprintf(bytes[i], sizeof bytes[i], "<0x%02X>", i - N_WORDS);
        tokens[i] = i < N_WORDS ? words[i].text : bytes[i];
        types[i] = i < N_WORDS ? words[i].type : 6;
        scores[i] = i < N_WORDS ? words[i].score : 0;
    }
    fx_init(&g);
    fx_str(&g, "general.architecture", "llama");
    fx_str(&g, "tokenizer.ggml.model", "llama");
    fx_str_array(&g, "tokenizer.ggml.tokens", tokens, N);
    fx_i32_array(&g, "tokenizer.ggml.token_type", types, N);
    fx_put_string(&g.kv, "tokenizer.ggml.scores");
    fx_put_u32(&g.kv, TRIT_VALUE_ARRAY);
    fx_put_u32(&g.kv, TRIT_VALUE_F32);
    fx_put_u64(&g.kv, N);
    fx_put(&g.kv, scores, sizeof scores);
    g.n_kv++;
    fx_u32(&g, "tokenizer.ggml.bos_token_id", 1);
    fx_u32(&g, "tokenizer.ggml.eos_token_id", 2);
    return put_gguf(dir, "spm.gguf", &g);
}

/* A checkpoint folder: DIRECTORY/name. */
static bool put_checkpoint(const char *dir, const char *name, struct ck_spec spec)
{
    static const char *const files[] = {"config.json",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "generation_config.json",
                                        "model.safetensors",
                                        "pytorch_model.bin",
                                        "pytorch_model.bin.index.json",
                                        "pytorch_model-00001-of-00002.bin",
                                        "pytorch_model-00002-of-00002.bin"};
    struct ck *ck = ck_new(&spec);
    const char *folder = ck_write(ck, "checkpoint");
    char path[1024];
    bool ok;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    ok = mkdir(path, 0777) == 0 || errno == EEXIST;
    for (size_t i = 0; ok && i < sizeof files / sizeof *files; i++) {
        static char bytes[4 << 20];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        FILE *f = fopen(path, "rb");
        if (!f)
            continue; /* a family may lack some of them */
        const size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        snprintf(path, sizeof path, "%s/%s", name, files[i]);
        ok = n > 0 && n < sizeof bytes && put_file(dir, path, bytes, n);
    }
    ck_free(ck);
    return ok;
}

/* The same checkpoint as pytorch_model.bin and as its shards: bin/checkpoint, shards/checkpoint. */
static bool put_torch_checkpoints(const char *dir)
{
    struct ck_spec bin = ck_default, shards = ck_default;
    char path[1024];
    bool ok = true;

    bin.torch = shards.torch = true;
    shards.n_shards = 2;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, i ? "shards" : "bin");
        ok = ok && (mkdir(path, 0777) == 0 || errno == EEXIST);
    }
    return ok && put_checkpoint(dir, "bin/checkpoint", bin) &&
           put_checkpoint(dir, "shards/checkpoint", shards);
}

static bool put_bin(const char *dir, const char *name, struct tw_file *f)
{
    size_t len;
    uint8_t *image = tw_image(f, &len);
    const bool ok = put_file(dir, name, image, len);
    free(image);
    return ok;
}

/* Files of torch.save that are refused: bins/NAME.bin. */
static bool put_bins(const char *dir)
{
    static const struct {
        const char *name, *pickle; /* NULL: a transposed tensor */
        struct tw_file with;
    } all[] = {
        {"system",
         "\x80\x02"
         "cposix\nsystem\n\x8c\x09touch bad\x85R.",
         {.method = 0}},
        {"eval",
         "\x80\x02"
         "cbuiltins\neval\n)R.",
         {.method = 0}},
        {"eval4",
         "\x80\x04\x8c\x08"
         "builtins\x8c\x04"
         "eval\x93)R.",
         {.method = 0}},
        {"instance", "\x80\x02(isubprocess\nPopen\n.", {.method = 0}},
        {"object",
         "\x80\x02"
         "ccollections\nOrderedDict\n)\x81.",
         {.method = 0}},
        {"number", "K\1.", {.method = 0}},
        {"extra", "}\x8c\4stepK\1s.", {.method = 0}},
        {"damaged", "}u.", {.method = 0}},
        {"compressed", "}.", {.method = 8}},
        {"big", "}.", {.order = "big"}},
        {"transposed", NULL, {.method = 0}},
    };
    char path[1024];

    snprintf(path, sizeof path, "%s/bins", dir);
    bool ok = mkdir(path, 0777) == 0 || errno == EEXIST;
    for (size_t i = 0; ok && i < sizeof all / sizeof *all; i++) {
        struct tw_file f = all[i].with;
        if (all[i].pickle) {
            tw_op(&f, all[i].pickle);
        } else {
            const uint64_t dims[] = {2, 3}, strides[] = {1, 2};
            tw_begin(&f);
            tw_entry(&f, "data/0", "abcdefghijkl", 12);
            tw_view(&f, "model.norm.weight", "F16", 2, dims, strides, "0", 0, 6);
            tw_end(&f);
        }
        snprintf(path, sizeof path, "bins/%s.bin", all[i].name);
        ok = put_bin(dir, path, &f);
    }
    return ok;
}

int main(int argc, char **argv)
{
    static const char text[] = "Once upon a time there was a file that was only text.\n";
    struct fx_spec unknown_arch = fx_default, non_finite = fx_default, small = fx_default;

    if (argc != 2) {
        fprintf(stderr, "usage: make_fixtures DIRECTORY\n");
        return 2;
    }
    unknown_arch.arch = "perceptron";
    non_finite.weight_scale = 1e38f;
    small.n_vocab = 280;
    return put_model(argv[1], "good.gguf", &fx_default, NULL) &&
                   put_model(argv[1], "unknown_type.gguf", &fx_default, "blk.1.ffn_up.weight") &&
                   put_model(argv[1], "unknown_arch.gguf", &unknown_arch, NULL) &&
                   put_model(argv[1], "non_finite.gguf", &non_finite, NULL) &&
                   put_model(argv[1], "small_vocab.gguf", &small, NULL) &&
                   put_evil_names(argv[1]) && put_bos(argv[1]) && put_chat(argv[1]) &&
                   put_vocab_only(argv[1]) && put_spm(argv[1]) &&
                   put_checkpoint(argv[1], "checkpoint", ck_default) &&
                   put_checkpoint(argv[1], "bitskip-v2", ck_bitskip(2)) &&
                   put_checkpoint(argv[1], "bitnet-8bit", ck_bitnet8()) &&
                   put_torch_checkpoints(argv[1]) && put_bins(argv[1]) &&
                   put_file(argv[1], "empty.gguf", "", 0) &&
                   put_file(argv[1], "text.gguf", text, sizeof text - 1)
               ? 0
               : 1;
}
