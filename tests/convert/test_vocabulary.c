/* test_vocabulary.c - the tokenizers of checkpoint folders, in every kind of file: each gives the
 * same vocabulary and ids; every error; and damaged files. With TRIT_SHARED, published vocabularies
 * are written as those files and read back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "gguf.h"
#include "running.h"
#include "shared.h"
#include "suite.h"
#include "tokenizer.h"
#include "vocabulary.h"
#include "trit_tools.h"

/* ---- Files ----------------------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t len, size;
};

static void add_bytes(struct text *t, const char *bytes, size_t n)
{
    if (t->size - t->len < n + 1) {
        t->size = 2 * t->size + n + 1;
        t->bytes = realloc(t->bytes, t->size);
        assert_non_null(t->bytes);
    }
    memcpy(t->bytes + t->len, bytes, n);
    t->len += n;
    t->bytes[t->len] = '\0';
}

static void add(struct text *t, const char *fmt, ...) TRIT_PRINTF(2, 3);

static void add(struct text *t, const char *fmt, ...)
{
    char piece[4096];
    va_list args;

    va_start(args, fmt);
    const int n = vsnprintf(piece, sizeof piece, fmt, args);
    va_end(args);
    assert_true(n >= 0 && n < (int)sizeof piece);
    add_bytes(t, piece, (size_t)n);
}

/* A file of a folder that fx_folder() has made. */
static void put(const char *folder, const char *name, const char *bytes, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    fx_write(path, bytes, n);
}

static void put_text(const char *folder, const char *name, const char *text)
{
    put(folder, name, text, strlen(text));
}

static void take_away(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", fx_folder(folder), name);
    (void)remove(path);
}

/* Removes all vocabulary files. */
static const char *empty_folder(void)
{
    static const char *const all[] = {
        "tokenizer.json",         "vocab.json",         "merges.txt",
        "tokenizer.model",        "added_tokens.json",  "tokenizer_config.json",
        "generation_config.json", "chat_template.jinja"};
    const char *path = fx_folder("vocabulary");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        take_away("vocabulary", all[i]);
    return path;
}

/* ---- Reading --------------------------------------------------------------------------------- */

static struct trit_json *config; /* of the test, or NULL */

static trit_status read_vocabulary(struct trit_vocabulary *v, struct trit_notes *notes,
                                   const char *folder, int32_t n_rows)
{
    *notes = (struct trit_notes){0};
    return trit_vocabulary_read(v, folder, config ? trit_json_root(config) : NULL, n_rows, notes,
                                &why);
}

/* The number of notes with this text. */
static int n_notes(const struct trit_notes *notes, const char *text)
{
    int n = 0;

    for (size_t i = 0; i < notes->n; i++)
        n += strstr(notes->text[i], text) != NULL;
    return n;
}

/* A GGUF with only the vocabulary of a folder. */
static trit_file *vocabulary_file(const char *folder, int32_t n_rows)
{
    struct trit_vocabulary v;
    struct trit_notes notes;
    struct fx_bytes b = {0};
    struct gguf_writer w = {.write = fx_append, .user = &b};
    trit_file *file;

    OK(read_vocabulary(&v, &notes, folder, n_rows));
    assert_int_equal(v.n_tokens, n_rows);
    trit_gguf_write_string(&w, "general.architecture", "llama");
    trit_vocabulary_write(&v, &w);
    OK(trit_gguf_write_begin(&w, &why));
    OK(trit_gguf_write_end(&w, &why));
    trit_gguf_writer_free(&w);
    trit_vocabulary_free(&v);
    trit_notes_free(&notes);
    OK(trit_file_open(&file, fx_write("vocabulary.gguf", b.data, b.len), NULL, &why));
    free(b.data);
    return file;
}

/* The ids of a text, as "1 2 3". */
static const char *ids_of(const trit_tokenizer *t, const char *text, unsigned flags)
{
    static char out[4096];
    int32_t *ids, n;
    size_t len = 0;

    OK(trit_tokenizer_encode(t, text, strlen(text), flags, &ids, &n, &why));
    out[0] = '\0';
    for (int32_t i = 0; i < n && len < sizeof out - 16; i++)
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%d", i ? " " : "", ids[i]);
    free(ids);
    return out;
}

static void assert_ids(const char *folder, int32_t n_rows, const char *text, const char *ids)
{
    trit_file *file = vocabulary_file(folder, n_rows);
    trit_tokenizer *t;

    OK(trit_tokenizer_open(&t, file, &why));
    assert_string_equal(ids_of(t, text, TRIT_ENCODE_BOS | TRIT_ENCODE_SPECIAL), ids);
    trit_tokenizer_close(&t);
    trit_file_close(&file);
}

static void refuse(int32_t n_rows, trit_status status, const char *part, const char *other)
{
    struct trit_vocabulary v;
    struct trit_notes notes;
    const trit_status got = read_vocabulary(&v, &notes, fx_folder("vocabulary"), n_rows);

    trit_vocabulary_free(&v);
    trit_notes_free(&notes);
    if (got != status || why.code != status || !strstr(why.text, part) || !strstr(why.text, other))
        fail_msg("expected status %d, '%s' and '%s', got %d: %s", (int)status, part, other,
                 (int)got, got ? why.text : "");
}

/* ---- Byte-level BPE -------------------------------------------------------------------------- */

#define GPT2_PRE "{\"type\": \"ByteLevel\", \"add_prefix_space\": false}"

enum { N_BPE = 262 };

/* All bytes as ids 0..255, then "Ġt", "he", "Ġthe", "12"; two added tokens. */
static void add_bpe_vocab(struct text *t)
{
    int other = 256;
    for (int i = 0; i < 256; i++) {
        const bool plain = (i >= 33 && i <= 126) || (i >= 161 && i <= 172) || i >= 174;
        add(t, "\"\\u%04x\": %d, ", (unsigned)(plain ? i : other++), i);
    }
    add(t, "\"\\u0120t\": 256, \"he\": 257, \"\\u0120the\": 258, \"12\": 259");
}

static const char bpe_merges[] = "\"\\u0120 t\", \"h e\", \"\\u0120t he\", \"1 2\"";

/* A tokenizer.json with this pre-tokenizer and additional members at the top and in the model. */
static struct text bpe_json(const char *pre, const char *members, const char *model)
{
    struct text t = {0};
    add(&t,
        "{\"added_tokens\": [{\"id\": 260, \"content\": \"<|end|>\", \"special\": true}, "
        "{\"id\": 261, \"content\": \"<tool>\", \"special\": false}], \"pre_tokenizer\": %s%s, "
        "\"model\": {\"type\": \"BPE\"%s, \"vocab\": {",
        pre, members, model);
    add_bpe_vocab(&t);
    add(&t, "}, \"merges\": [%s]}}", bpe_merges);
    return t;
}

static void put_bpe(const char *pre, const char *members, const char *model)
{
    struct text t = bpe_json(pre, members, model);
    empty_folder();
    put("vocabulary", "tokenizer.json", t.bytes, t.len);
    free(t.bytes);
}

static void byte_level(void **state)
{
    const char *folder;
    (void)state;
    put_bpe(GPT2_PRE, "", "");
    folder = fx_folder("vocabulary");
    assert_ids(folder, N_BPE, " the the", "258 258");
    assert_ids(folder, N_BPE, "12<|end|>h", "259 260 104");
    assert_ids(folder, N_BPE, "a<tool>\xff", "97 261 255");
    /* pieces cut by the pre-tokenizer: gpt-2 keeps 1212 together, and merges within it */
    assert_ids(folder, N_BPE, "1212", "259 259");
    trit_file *file = vocabulary_file(folder, 300);
    const struct gguf_kv *tokens;
    const uint8_t *p;
    OK(trit_gguf_get_array(file, "tokenizer.ggml.tokens", TRIT_VALUE_STRING, &tokens, &why));
    assert_int_equal(tokens->n_items, 300);
    p = tokens->items;
    for (int i = 0; i < 299; i++)
        (void)trit_gguf_next_value(TRIT_VALUE_STRING, &p);
    assert_true(trit_string_is(trit_gguf_next_value(TRIT_VALUE_STRING, &p).s, "[PAD299]"));
    trit_file_close(&file);
}

#define LLAMA3                                                                                     \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}| "         \
    "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define QWEN2                                                                                      \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| "              \
    "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define GPT2                                                                                       \
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| ?\\\\p{N}+| ?[^\\\\s\\\\p{L}\\\\p{N}]+|\\\\s+(?!\\\\S)|" \
    "\\\\s+"
#define FALCON_E                                                                                   \
    "[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{Lu}\\\\p{Lt}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]*[\\\\p{Ll}"      \
    "\\\\p{Lm}"                                                                                    \
    "\\\\p{Lo}\\\\p{M}]+|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?[\\\\p{Lu}\\\\p{Lt}\\\\p{Lm}\\\\p{Lo}"      \
    "\\\\p{M}]+"                                                                                   \
    "[\\\\p{Ll}\\\\p{Lm}\\\\p{Lo}\\\\p{M}]*|\\\\p{N}| "                                            \
    "?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n/]*|\\\\s*"                                              \
    "[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define SPLIT(regex)                                                                               \
    "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"" regex                                      \
    "\"}, \"behavior\": \"Isolated\", \"invert\": false}"
#define BYTES ", {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}"
#define SEQUENCE(steps) "{\"type\": \"Sequence\", \"pretokenizers\": [" steps "]}"

/* Recognized by their regular expressions. */
static void pre_tokenizers(void **state)
{
    static const struct {
        const char *pre, *name;
    } cases[] = {
        {GPT2_PRE, "gpt-2"},
        {SEQUENCE(SPLIT(GPT2) BYTES), "gpt-2"},
        {SEQUENCE(SPLIT(LLAMA3) BYTES), "llama-bpe"},
        {SEQUENCE(SPLIT(QWEN2) BYTES), "qwen2"},
        {SEQUENCE("{\"type\": \"Punctuation\", \"behavior\": \"Contiguous\"}, " SPLIT(
             FALCON_E) ", {\"type\": \"Digits\", \"individual_digits\": true}" BYTES),
         "falcon_e"},
        {SEQUENCE(SPLIT("[\\\\p{P}\\\\$\\\\+<=>\\\\^~\\\\|`]+") ", " SPLIT(FALCON_E) ", " SPLIT(
             "[0-9]") BYTES),
         "falcon_e"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trit_vocabulary v;
        struct trit_notes notes;
        put_bpe(cases[i].pre, "", "");
        OK(read_vocabulary(&v, &notes, fx_folder("vocabulary"), N_BPE));
        assert_string_equal(v.pre, cases[i].name);
        assert_true(notes.n > 0 && strstr(notes.text[0], cases[i].name));
        trit_vocabulary_free(&v);
        trit_notes_free(&notes);
    }
}

/* A token that no merges produce is found only if merges are ignored; the file has the flag. */
static void ignored_merges(void **state)
{
    static const char llama3[] = SEQUENCE(SPLIT(LLAMA3) BYTES);
    (void)state;
    for (int ignored = 0; ignored < 2; ignored++) {
        char model[64];
        snprintf(model, sizeof model, ", \"ignore_merges\": %s", ignored ? "true" : "false");
        put_bpe(llama3, "", model);
        struct text t = bpe_json(llama3, "", model);
        char *he = strstr(t.bytes, "\"h e\", ");
        assert_non_null(he);
        memset(he, ' ', strlen("\"h e\", "));
        put("vocabulary", "tokenizer.json", t.bytes, t.len);
        free(t.bytes);
        assert_ids(fx_folder("vocabulary"), N_BPE, "he", ignored ? "257" : "104 101");
    }
}

static void refused_json(void **state)
{
    static const struct {
        const char *pre, *members, *model, *part, *other;
    } cases[] = {
        {"null", "", "", "pre-tokenizer", "gpt-2"},
        {"{\"type\": \"Whitespace\"}", "", "", "Whitespace", "llama-bpe"},
        {"{\"type\": \"ByteLevel\", \"add_prefix_space\": true}", "", "", "ByteLevel", ""},
        {SEQUENCE(SPLIT("\\\\w+") BYTES), "", "", "\\w+", "known"},
        {SEQUENCE("{\"type\": \"Split\", \"pattern\": {\"Regex\": \"a\"}, \"behavior\": "
                  "\"Removed\"}"),
         "", "", "Split", "'a'"},
        {SEQUENCE(SPLIT(QWEN2) BYTES BYTES BYTES BYTES), "", "", "ByteLevel", ""},
        {GPT2_PRE, ", \"normalizer\": {\"type\": \"Lowercase\"}", "", "Lowercase", "NFC"},
        {GPT2_PRE, "", ", \"end_of_word_suffix\": \"</w>\"", "end_of_word_suffix", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_bpe(cases[i].pre, cases[i].members, cases[i].model);
        refuse(N_BPE, TRIT_E_UNSUPPORTED, cases[i].part, cases[i].other);
    }
    static const struct {
        const char *json;
        trit_status status;
        const char *part, *other;
    } whole[] = {
        {"{\"model\": {\"type\": \"Unigram\"}}", TRIT_E_UNSUPPORTED, "Unigram", "BPE"},
        {"{\"model\": {\"type\": \"BPE\"}}", TRIT_E_FILE, "model.vocab", "tokenizer.json"},
        {"{\"model\": {\"vocab\": {\"a\": 0}}}", TRIT_E_FILE, "model.merges", ""},
        {"{\"model\": {\"vocab\": {\"a\": \"b\"}}}", TRIT_E_FILE, "'a'", "id"},
        {"{\"model\": {\"vocab\": {\"a\": 0, \"b\": 0}}}", TRIT_E_FILE, "id 0", "'b'"},
        {"{\"model\": {\"vocab\": {\"a\": 400}}}", TRIT_E_FILE, "400", "rows"},
        {"{\"model\": {\"vocab\": {\"a\": -1}}}", TRIT_E_FILE, "-1", ""},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"ab\"]}}", TRIT_E_FILE, "merge 0", ""},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\"]]}}", TRIT_E_FILE, "merge 0", ""},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [[\"a\", \"b c\"]]}}", TRIT_E_FILE,
         "merge 0", "space"},
        {"{\"model\": {\"vocab\": {\"a\": 0}, \"merges\": [\"a b c\"]}}", TRIT_E_FILE, "merge 0",
         ""},
        {"{\"pre_tokenizer\": " GPT2_PRE ", \"model\": {\"vocab\": {\"a\": 0}, \"merges\": []}, "
         "\"added_tokens\": [{\"content\": \"x\"}]}",
         TRIT_E_FILE, "added token", ""},
        {"{", TRIT_E_FILE, "tokenizer.json", "line 1"},
        {"[]", TRIT_E_FILE, "tokenizer.json", "object"},
    };
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        empty_folder();
        put_text("vocabulary", "tokenizer.json", whole[i].json);
        refuse(300, whole[i].status, whole[i].part, whole[i].other);
    }
    empty_folder();
    refuse(300, TRIT_E_FILE, "no tokenizer", "tokenizer.model");
}

/* ---- vocab.json and merges.txt --------------------------------------------------------------- */

static void put_files(void)
{
    struct text t = {0};
    empty_folder();
    add(&t, "{");
    add_bpe_vocab(&t);
    add(&t, "}");
    put("vocabulary", "vocab.json", t.bytes, t.len);
    free(t.bytes);
    put_text("vocabulary", "merges.txt", "#version: 0.2\n\xC4\xA0 t\r\nh e\n\n\xC4\xA0t he\n1 2");
    put_text("vocabulary", "tokenizer_config.json",
             "{\"tokenizer_class\": \"GPT2Tokenizer\", \"eos_token\": \"<|end|>\", "
             "\"added_tokens_decoder\": {\"260\": {\"content\": \"<|end|>\", \"special\": true}}}");
    put_text("vocabulary", "added_tokens.json", "{\"<tool>\": 261}");
}

static void plain_files(void **state)
{
    (void)state;
    put_files();
    assert_ids(fx_folder("vocabulary"), N_BPE, " the the", "258 258");
    assert_ids(fx_folder("vocabulary"), N_BPE, "12<|end|>h<tool>", "259 260 104 261");
    put_files();
    take_away("vocabulary", "tokenizer_config.json");
    refuse(N_BPE, TRIT_E_UNSUPPORTED, "tokenizer_class", "GPT2Tokenizer");
    put_files();
    put_text("vocabulary", "merges.txt", "a b\nabc\n");
    refuse(N_BPE, TRIT_E_FILE, "merges.txt", "line 2");
    put_files();
    put_text("vocabulary", "vocab.json", "{\"a\": []}");
    refuse(N_BPE, TRIT_E_FILE, "vocab.json", "'a'");
    put_files();
    put_text("vocabulary", "added_tokens.json", "{\"other\": 257}");
    refuse(N_BPE, TRIT_E_FILE, "id 257", "'other'");
    put_files();
    put_text("vocabulary", "tokenizer_config.json",
             "{\"tokenizer_class\": \"GPT2Tokenizer\", \"added_tokens_decoder\": {\"x\": {}}}");
    refuse(N_BPE, TRIT_E_FILE, "added_tokens_decoder", "'x'");
}

/* ---- SentencePiece --------------------------------------------------------------------------- */

static void varint(struct text *t, uint64_t x)
{
    for (; x > 127; x >>= 7)
        add_bytes(t, &(char){(char)(x | 128)}, 1);
    add_bytes(t, &(char){(char)x}, 1);
}

static void put_bytes(struct text *t, unsigned number, const char *bytes, size_t n)
{
    varint(t, number << 3 | 2);
    varint(t, n);
    add_bytes(t, bytes, n);
}

static void put_number(struct text *t, unsigned number, uint64_t x)
{
    varint(t, number << 3);
    varint(t, x);
}

static void add_piece(struct text *model, const char *text, float score, unsigned type)
{
    struct text piece = {0};
    put_bytes(&piece, 1, text, strlen(text));
    varint(&piece, 2 << 3 | 5);
    add_bytes(&piece, (const char *)&score, sizeof score);
    if (type != 1)
        put_number(&piece, 3, type);
    put_bytes(model, 1, piece.bytes, piece.len);
    free(piece.bytes);
}

enum { N_SPM = 3 + 256 + 7 };

/* <unk>, <s>, </s>, all bytes, pieces. */
static struct text spm_model_of(unsigned type, bool prefix, const uint64_t ids[4])
{
    static const char *const pieces[] = {"\xE2\x96\x81",   "t", "h", "e", "\xE2\x96\x81t", "he",
                                         "\xE2\x96\x81the"};
    static const float scores[] = {-3, -4, -5, -6, 0, -1, -2};
    struct text model = {0}, trainer = {0}, normalizer = {0};

    add_piece(&model, "<unk>", 0, 2);
    add_piece(&model, "<s>", 0, 3);
    add_piece(&model, "</s>", 0, 3);
    for (int i = 0; i < 256; i++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)i);
        add_piece(&model, name, 0, 6);
    }
    for (int i = 0; i < 7; i++)
        add_piece(&model, pieces[i], scores[i], 1);
    put_number(&trainer, 3, type);
    for (unsigned i = 0; i < 4; i++)
        put_number(&trainer, 40 + i, ids[i]);
    put_bytes(&model, 2, trainer.bytes, trainer.len);
    put_number(&normalizer, 3, prefix);
    put_number(&normalizer, 4, 0);
    put_bytes(&model, 3, normalizer.bytes, normalizer.len);
    free(trainer.bytes);
    free(normalizer.bytes);
    return model;
}

static const uint64_t spm_ids[4] = {0, 1, 2, UINT64_MAX}; /* UNK, BOS, EOS, PAD (-1: none) */

static struct text spm_model(unsigned type, bool prefix)
{
    return spm_model_of(type, prefix, spm_ids);
}

static void put_model(unsigned type, bool prefix)
{
    struct text model = spm_model(type, prefix);
    empty_folder();
    put("vocabulary", "tokenizer.model", model.bytes, model.len);
    put_text("vocabulary", "tokenizer_config.json", "{\"add_bos_token\": true}");
    free(model.bytes);
}

#define SPM_JSON(normalizer, pre)                                                                  \
    "{\"added_tokens\": [{\"id\": 0, \"content\": \"<unk>\", \"special\": true}, "                 \
    "{\"id\": 1, \"content\": \"<s>\", \"special\": true}], "                                      \
    "\"normalizer\": " normalizer ", \"pre_tokenizer\": " pre                                      \
    ", \"model\": {\"type\": \"BPE\", \"byte_fallback\": "                                         \
    "true, \"unk_token\": \"<unk>\", \"vocab\": {\"<unk>\": 0, \"<s>\": 1, \"</s>\": 2"

static void put_spm_json(const char *head)
{
    struct text t = {0};
    empty_folder();
    add(&t, "%s", head);
    for (int i = 0; i < 256; i++)
        add(&t, ", \"<0x%02X>\": %d", (unsigned)i, 3 + i);
    add(&t, ", \"\\u2581\": 259, \"t\": 260, \"h\": 261, \"e\": 262, \"\\u2581t\": 263, \"he\": "
            "264, \"\\u2581the\": 265}, \"merges\": [\"\\u2581 t\", \"h e\", \"\\u2581t he\"]}}");
    put("vocabulary", "tokenizer.json", t.bytes, t.len);
    free(t.bytes);
    put_text("vocabulary", "tokenizer_config.json",
             "{\"bos_token\": \"<s>\", \"add_bos_token\": true}");
}

#define MARKS "{\"type\": \"Replace\", \"pattern\": {\"String\": \" \"}, \"content\": \"\\u2581\"}"

static void sentencepiece(void **state)
{
    static const char *const jsons[] = {
        SPM_JSON("{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Prepend\", \"prepend\": "
                 "\"\\u2581\"}, " MARKS "]}",
                 "null"),
        SPM_JSON("null", "{\"type\": \"Metaspace\", \"replacement\": \"\\u2581\", "
                         "\"add_prefix_space\": true}"),
        SPM_JSON("null", "{\"type\": \"Metaspace\", \"prepend_scheme\": \"first\"}"),
    };
    (void)state;
    put_model(2, true);
    assert_ids(fx_folder("vocabulary"), N_SPM, "the", "1 265");
    assert_ids(fx_folder("vocabulary"), N_SPM, "he \xC3\xA9", "1 259 264 259 198 172");
    for (size_t i = 0; i < 3; i++) {
        put_spm_json(jsons[i]);
        assert_ids(fx_folder("vocabulary"), N_SPM, "the", "1 265");
        assert_ids(fx_folder("vocabulary"), N_SPM, "he \xC3\xA9", "1 259 264 259 198 172");
    }
    put_model(2, false);
    assert_ids(fx_folder("vocabulary"), N_SPM, "the", "1 260 264");
    put_spm_json(SPM_JSON(MARKS, "null"));
    assert_ids(fx_folder("vocabulary"), N_SPM, "the", "1 260 264");

    /* <unk> keeps its type, although it is an added token */
    trit_file *file = vocabulary_file(fx_folder("vocabulary"), N_SPM);
    const struct gguf_kv *types;
    const uint8_t *p;
    OK(trit_gguf_get_array(file, "tokenizer.ggml.token_type", TRIT_VALUE_I32, &types, &why));
    p = types->items;
    assert_int_equal(trit_gguf_next_value(TRIT_VALUE_I32, &p).i, TRIT_TOKEN_UNKNOWN);
    assert_int_equal(trit_gguf_next_value(TRIT_VALUE_I32, &p).i, TRIT_TOKEN_CONTROL);
    assert_int_equal(trit_gguf_next_value(TRIT_VALUE_I32, &p).i, TRIT_TOKEN_NORMAL); /* no key */
    assert_int_equal(trit_gguf_next_value(TRIT_VALUE_I32, &p).i, TRIT_TOKEN_BYTE);
    trit_file_close(&file);

    /* if both exist, the model is read */
    put_spm_json(jsons[0]);
    struct text model = spm_model(2, false);
    put("vocabulary", "tokenizer.model", model.bytes, model.len);
    assert_ids(fx_folder("vocabulary"), N_SPM, "the", "1 260 264");
    free(model.bytes);

    put_spm_json(SPM_JSON("{\"type\": \"NFKC\"}", "null"));
    refuse(N_SPM, TRIT_E_UNSUPPORTED, "NFKC", "normalizer");
    put_spm_json(SPM_JSON("null", "{\"type\": \"Whitespace\"}"));
    refuse(N_SPM, TRIT_E_UNSUPPORTED, "Whitespace", "Metaspace");
    put_model(1, true);
    refuse(N_SPM, TRIT_E_UNSUPPORTED, "unigram", "BPE");
    put_model(2, true);
    refuse(N_SPM - 1, TRIT_E_FILE, "265", "rows");
}

#define METASPACE(members) SPM_JSON("null", "{\"type\": \"Metaspace\"" members "}")
#define SPANNING ", \"\\u2581\\u2581\": 266"

/* The settings of a Metaspace step. */
static void metaspace(void **state)
{
    static const struct {
        const char *json;
        bool prefix;
        const char *note;
    } taken[] = {
        {METASPACE(""), true, ""},
        {METASPACE(", \"replacement\": \"\\u2581\", \"add_prefix_space\": false"), false, ""},
        {METASPACE(", \"add_prefix_space\": false, \"prepend_scheme\": \"never\""), false, ""},
        {METASPACE(", \"prepend_scheme\": \"always\", \"split\": true"), true, ""},
        {METASPACE(", \"prepend_scheme\": \"first\", \"split\": false"), true, "first text"},
        {METASPACE(", \"split\": false") SPANNING, true, ""},
    };
    static const struct {
        const char *json, *part, *other;
    } refused[] = {
        {METASPACE(", \"replacement\": \"_\""), "replacement '_'", "U+2581"},
        {METASPACE(", \"replacement\": 5"), "replacement ''", "U+2581"},
        {METASPACE(", \"prepend_scheme\": \"some\""), "prepend_scheme 'some'", "always, first"},
        {METASPACE(", \"prepend_scheme\": true"), "prepend_scheme ''", "always, first"},
        {METASPACE(", \"split\": true") SPANNING, "split", "'\\xe2\\x96\\x81\\xe2\\x96\\x81'"},
        {METASPACE("") SPANNING, "split", "'\\xe2\\x96\\x81\\xe2\\x96\\x81'"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        struct trit_vocabulary v;
        struct trit_notes notes;
        put_spm_json(taken[i].json);
        OK(read_vocabulary(&v, &notes, fx_folder("vocabulary"), N_SPM + 1));
        assert_int_equal(v.space_prefix, taken[i].prefix);
        assert_true(n_notes(&notes, taken[i].note) > 0);
        trit_vocabulary_free(&v);
        trit_notes_free(&notes);
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        put_spm_json(refused[i].json);
        refuse(N_SPM + 1, TRIT_E_UNSUPPORTED, refused[i].part, refused[i].other);
    }
}

/* Tokens that a SentencePiece model names but does not have. */
static void sentencepiece_names_no_token(void **state)
{
    static const char *const names[] = {"UNK is", "BOS is", "EOS is", "PAD is"};
    static const uint64_t bad[] = {N_SPM, N_SPM + 4, 5000000, INT32_MAX};
    (void)state;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 4; k++) {
            uint64_t ids[4];
            memcpy(ids, spm_ids, sizeof ids);
            ids[i] = bad[k];
            struct text model = spm_model_of(2, true, ids);
            empty_folder();
            put("vocabulary", "tokenizer.model", model.bytes, model.len);
            refuse(N_SPM + 8, TRIT_E_FILE, names[i], "0 to 265");
            free(model.bytes);
        }
}

/* Chat markers that are only in tokenizer.json, with a SentencePiece vocabulary. */
static void added_with_sentencepiece(void **state)
{
    struct trit_vocabulary v;
    struct trit_notes notes;
    struct text model = spm_model(2, true);
    (void)state;

    empty_folder();
    put("vocabulary", "tokenizer.model", model.bytes, model.len);
    put_text(
        "vocabulary", "tokenizer.json",
        "{\"added_tokens\": [{\"id\": 267, \"content\": \"<|im_start|>\", \"special\": true}], "
        "\"model\": {\"byte_fallback\": true, \"vocab\": {}, \"merges\": []}}");
    OK(read_vocabulary(&v, &notes, fx_folder("vocabulary"), N_SPM + 2));
    assert_true(trit_string_is(v.tokens[267].text, "<|im_start|>"));
    assert_int_equal(v.tokens[267].type, TRIT_TOKEN_CONTROL);
    assert_int_equal(v.tokens[266].type, TRIT_TOKEN_UNUSED);
    trit_vocabulary_free(&v);
    trit_notes_free(&notes);
    free(model.bytes);
}

/* ---- Where text begins and ends -------------------------------------------------------------- */

/* A post-processor with one template, or in a sequence, and the place of its tokens. */
#define TOKEN(name) "{\"SpecialToken\": {\"id\": \"" name "\", \"type_id\": 0}}"
#define TEXT "{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}"
#define TEMPLATE(single, tokens)                                                                   \
    "{\"type\": \"TemplateProcessing\", \"single\": [" single "], \"special_tokens\": {" tokens "}}"
#define POST(post) ", \"post_processor\": " post
#define IN_SEQUENCE(post)                                                                          \
    POST("{\"type\": \"Sequence\", \"processors\": [{\"type\": \"ByteLevel\"}, " post "]}")
#define END_FIRST TEMPLATE(TOKEN("<|end|>") ", " TEXT, "")
#define X_FIRST(ids) TEMPLATE(TOKEN("X") ", " TEXT, "\"X\": {\"id\": \"X\", \"ids\": [" ids "]}")

static void begins_and_ends(void **state)
{
    static const struct {
        const char *settings, *generation, *config, *members;
        int bos, eos, eot, eom, add_bos;
        const char *note;
    } cases[] = {
        /* the tokenizer's name overrides config.json's id, with a note */
        {"{\"bos_token\": \"<|end|>\", \"eos_token\": {\"content\": \"<|end|>\"}}", NULL,
         "{\"bos_token_id\": 1, \"eos_token_id\": 2}", "", 260, 260, -1, -1, 0,
         "config.json says 1"},
        {NULL, "{\"eos_token_id\": [260, 261]}", NULL, "", -1, 260, 261, -1, 0, "261"},
        {NULL, NULL, "{\"bos_token_id\": 9999, \"eos_token_id\": null}", "", -1, -1, -1, -1, 0,
         "config.json's bos_token_id is 9999"},
        {NULL, "{\"pad_token_id\": -1, \"eos_token_id\": [262, 260]}", NULL, "", -1, 260, -1, -1, 0,
         "generation_config.json's eos_token_id is 262"},
        {"{\"eos_token\": \"<eos>\"}", NULL, "{\"eos_token_id\": 261}", "", -1, 261, -1, -1, 0,
         "eos_token is '<eos>'"},
        {"{\"unk_token\": {\"content\": \"<unk>\"}}", NULL, NULL, "", -1, -1, -1, -1, 0,
         "unk_token is '<unk>'"},
        /* all end tokens of a list, up to the limit of a file */
        {NULL, NULL, "{\"bos_token_id\": 260, \"eos_token_id\": [261, 257]}", "", 260, 261, 257, -1,
         0, "257 (he) ends a text too (from config.json)"},
        {NULL, "{\"eos_token_id\": [260, 261, 257]}", NULL, "", -1, 260, 261, 257, 0,
         "257 (he) ends a text too (from generation_config.json)"},
        {NULL, "{\"eos_token_id\": [260, 261, 261, 257, 104]}", NULL, "", -1, 260, 261, 257, 0,
         "104 (h) is left out"},
        {NULL, "{\"eos_token_id\": [260, 261]}", "{\"eos_token_id\": [260, 257]}", "", -1, 260, 261,
         257, 0, "257 (he) ends a text too (from config.json)"},
        /* but those of config.json only if it is of this vocabulary */
        {"{\"eos_token\": \"<|end|>\"}", NULL, "{\"eos_token_id\": [257, 260]}", "", -1, 260, 257,
         -1, 0, "257 (he) ends a text too"},
        {"{\"eos_token\": \"<|end|>\"}", NULL, "{\"eos_token_id\": [257, 2]}", "", -1, 260, -1, -1,
         0, "config.json says 257"},
        {"{\"bos_token\": \"<|end|>\", \"add_bos_token\": true}", NULL, NULL, "", 260, -1, -1, -1,
         1, "add_bos_token"},
        {"{\"add_bos_token\": true}", NULL, NULL, "", -1, -1, -1, -1, 0, "the vocabulary has none"},
        /* the BOS is what the post-processor puts first */
        {"{\"bos_token\": \"<|end|>\"}", NULL, NULL, IN_SEQUENCE(END_FIRST), 260, -1, -1, -1, 1,
         "post-processor"},
        {NULL, NULL, NULL, IN_SEQUENCE(END_FIRST), 260, -1, -1, -1, 1,
         "the BOS is put before texts"},
        {NULL, NULL, "{\"bos_token_id\": 1}", POST(END_FIRST), 260, -1, -1, -1, 1,
         "config.json says 1"},
        {NULL, NULL, NULL, POST(X_FIRST("257")), 257, -1, -1, -1, 1, "the BOS is put before texts"},
        {"{\"bos_token\": \"<tool>\"}", NULL, NULL, POST(END_FIRST), 260, -1, -1, -1, 1,
         "the BOS is 260 (<|end|>), not bos_token 261 (<tool>)"},
        /* unless add_bos_token says otherwise */
        {"{\"bos_token\": \"<tool>\", \"add_bos_token\": true}", NULL, NULL, POST(END_FIRST), 261,
         -1, -1, -1, 1, "add_bos_token"},
        {"{\"add_bos_token\": false}", NULL, NULL, POST(END_FIRST), 260, -1, -1, -1, 0,
         "no BOS is put before texts"},
        {"{\"add_bos_token\": false}", NULL, NULL, POST(X_FIRST("262")), -1, -1, -1, -1, 0,
         "no BOS is put before texts"},
        {NULL, NULL, NULL, POST(TEMPLATE(TEXT, "")), -1, -1, -1, -1, 0,
         "no BOS is put before texts"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trit_vocabulary v;
        struct trit_notes notes;
        put_bpe(GPT2_PRE, cases[i].members, "");
        if (cases[i].settings)
            put_text("vocabulary", "tokenizer_config.json", cases[i].settings);
        if (cases[i].generation)
            put_text("vocabulary", "generation_config.json", cases[i].generation);
        if (cases[i].config)
            OK(trit_json_read(&config, cases[i].config, strlen(cases[i].config), &why));
        OK(read_vocabulary(&v, &notes, fx_folder("vocabulary"), N_BPE));
        trit_json_free(&config);
        assert_int_equal(v.bos, cases[i].bos);
        assert_int_equal(v.eos, cases[i].eos);
        assert_int_equal(v.eot, cases[i].eot);
        assert_int_equal(v.eom, cases[i].eom);
        assert_int_equal(v.add_bos, cases[i].add_bos);
        if (!n_notes(&notes, cases[i].note))
            fail_msg("case %zu has no note '%s'", i, cases[i].note);
        trit_vocabulary_free(&v);
        trit_notes_free(&notes);
    }
}

/* The first item of the template must be one existing token. */
static void refused_templates(void **state)
{
    static const struct {
        const char *post;
        trit_status status;
        const char *part;
    } cases[] = {
        {X_FIRST("262"), TRIT_E_FILE, "'X'"},
        {X_FIRST("-1"), TRIT_E_FILE, "'X'"},
        {X_FIRST("\"257\""), TRIT_E_FILE, "'X'"},
        {TEMPLATE(TOKEN("<none>") ", " TEXT, ""), TRIT_E_FILE, "'<none>'"},
        {X_FIRST("257, 260"), TRIT_E_UNSUPPORTED, "more than one token"},
        {TEMPLATE(TOKEN("<|end|>") ", " TOKEN("<tool>") ", " TEXT, ""), TRIT_E_UNSUPPORTED,
         "more than one token"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char members[512];
        snprintf(members, sizeof members, POST("%s"), cases[i].post);
        put_bpe(GPT2_PRE, members, "");
        refuse(N_BPE, cases[i].status, cases[i].part, "tokenizer.json: has a post-processor");
    }
}

/* Every end token in a list ends a text. */
static void three_ends(void **state)
{
    trit_tokenizer *t;
    (void)state;

    put_bpe(GPT2_PRE, "", "");
    put_text("vocabulary", "generation_config.json", "{\"eos_token_id\": [258, 261, 257]}");
    trit_file *file = vocabulary_file(fx_folder("vocabulary"), N_BPE);
    OK(trit_tokenizer_open(&t, file, &why));
    for (int32_t id = 256; id < 260; id++)
        assert_int_equal(trit_tokenizer_is_end(t, id), id == 257 || id == 258);
    assert_true(trit_tokenizer_is_end(t, 261));
    trit_tokenizer_close(&t);
    trit_file_close(&file);
}

static void chat_templates(void **state)
{
    static const struct {
        const char *settings, *file, *expected;
    } cases[] = {
        {"{\"chat_template\": \"a\"}", NULL, "a"},
        {"{\"chat_template\": [{\"name\": \"tool\", \"template\": \"x\"}, {\"name\": \"default\", "
         "\"template\": \"b\"}]}",
         NULL, "b"},
        {"{\"chat_template\": \"a\"}", "{{ c }}\n", "{{ c }}\n"},
        {"{}", NULL, ""},
        /* an empty file is ignored */
        {"{}", "", ""},
        {"{\"chat_template\": \"a\"}", "", "a"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trit_vocabulary v;
        struct trit_notes notes;
        put_bpe(GPT2_PRE, "", "");
        put_text("vocabulary", "tokenizer_config.json", cases[i].settings);
        if (cases[i].file)
            put_text("vocabulary", "chat_template.jinja", cases[i].file);
        OK(read_vocabulary(&v, &notes, fx_folder("vocabulary"), N_BPE));
        assert_true(trit_string_is(v.chat_template, cases[i].expected));
        assert_int_equal(n_notes(&notes, "chat_template.jinja is empty"),
                         cases[i].file && !*cases[i].file);
        trit_vocabulary_free(&v);
        trit_notes_free(&notes);
    }
}

/* ---- Damage ---------------------------------------------------------------------------------- */

/* For any bytes the result is a vocabulary or an error. */
static void try_bytes(const char *name, const char *bytes, size_t n)
{
    struct trit_vocabulary v;
    struct trit_notes notes;
    put("vocabulary", name, bytes, n);
    if (read_vocabulary(&v, &notes, fx_folder("vocabulary"), 300))
        assert_true(strlen(why.text) > 0);
    trit_vocabulary_free(&v);
    trit_notes_free(&notes);
}

static void damage(const char *name, struct text t, int rounds)
{
    uint64_t rng = 17;
    char *copy = malloc(t.len + 1);

    assert_non_null(copy);
    for (size_t n = 1; n < t.len; n += 1 + t.len / 200)
        try_bytes(name, t.bytes, n);
    for (int i = 0; i < rounds; i++) {
        memcpy(copy, t.bytes, t.len);
        for (int k = 0; k < 3; k++)
            copy[fx_random(&rng) % t.len] = (char)fx_random(&rng);
        try_bytes(name, copy, t.len);
    }
    free(copy);
    free(t.bytes);
}

/* A list that is not Llama 3's is refused quickly. */
static void tiktoken_is_counted_first(void **state)
{
    struct trit_vocabulary v;
    struct trit_notes notes;
    (void)state;

    empty_folder();
    put_text("vocabulary", "tokenizer.model", "YQ== 0\nYg== 1\nYWI= 2\n");
    assert_int_equal(read_vocabulary(&v, &notes, fx_folder("vocabulary"), 128256),
                     TRIT_E_UNSUPPORTED);
    assert_non_null(strstr(why.text, "tiktoken vocabulary of 3 tokens"));
    assert_int_equal(v.n_tokens, 0);
    assert_int_equal(v.n_merges, 0);
    trit_vocabulary_free(&v);
    trit_notes_free(&notes);
}

static void damaged_files(void **state)
{
    struct text merges = {0}, ranks = {0};
    (void)state;
    empty_folder();
    damage("tokenizer.model", spm_model(2, true), 1500);
    put_bpe(GPT2_PRE, "", "");
    damage("tokenizer.json", bpe_json(GPT2_PRE, "", ""), 800);
    put_files();
    add(&merges, "\xC4\xA0 t\nh e\n\xC4\xA0t he\n1 2");
    damage("merges.txt", merges, 300);
    empty_folder();
    add(&ranks, "YQ== 0\nYg== 1\nYWI= 2\n");
    damage("tokenizer.model", ranks, 300);
    empty_folder();
    put_text("vocabulary", "tokenizer.model", "YQ== 0\nYg== 1\nYWI= 2\n");
    refuse(300, TRIT_E_UNSUPPORTED, "tiktoken vocabulary of 3 tokens", "Llama 3");
    put_text("vocabulary", "tokenizer.model", "YQ== 0\nYg== 2\n");
    refuse(300, TRIT_E_FILE, "line 2", "rank 1");
    put_text("vocabulary", "tokenizer.model", "YQ== 0\nYQ== 1\n");
    refuse(300, TRIT_E_FILE, "line 2", "repeats");
    put_text("vocabulary", "tokenizer.model", "no model");
    refuse(300, TRIT_E_FILE, "neither a SentencePiece model", "tiktoken");
}

/* ---- Published vocabularies ------------------------------------------------------------------ */

static trit_file *shared(const char *name)
{
    trit_file *file;
    OK(trit_file_open(&file, shared_path("tokenizer/%s.gguf", name), NULL, &why));
    return file;
}

static const struct gguf_kv *array(const trit_file *f, const char *key, trit_value_type type)
{
    const struct gguf_kv *kv;
    OK(trit_gguf_get_array(f, key, type, &kv, &why));
    assert_non_null(kv);
    return kv;
}

static void add_quoted(struct text *t, struct trit_string s)
{
    add(t, "\"");
    for (size_t i = 0; i < s.len; i++)
        if (s.bytes[i] == '"' || s.bytes[i] == '\\' || (unsigned char)s.bytes[i] < 32)
            add(t, "\\u%04x", (unsigned)(unsigned char)s.bytes[i]);
        else
            add_bytes(t, s.bytes + i, 1);
    add(t, "\"");
}

/* Both have the same arrays; a type that is unused in one may be missing in the other. */
static void assert_same_array(const trit_file *a, const trit_file *b, const char *key,
                              trit_value_type type)
{
    const struct gguf_kv *x = array(a, key, type), *y = array(b, key, type);
    const uint8_t *p = x->items, *q = y->items;

    assert_int_equal(x->n_items, y->n_items);
    for (uint64_t i = 0; i < x->n_items; i++) {
        const struct trit_value u = trit_gguf_next_value(type, &p),
                                v = trit_gguf_next_value(type, &q);
        if (type == TRIT_VALUE_STRING
                ? u.s.len != v.s.len || memcmp(u.s.bytes, v.s.bytes, u.s.len) != 0
                : u.i != v.i || (type == TRIT_VALUE_F32 && u.f < v.f) || u.f > v.f)
            fail_msg("%s: item %llu differs", key, (unsigned long long)i);
    }
}

/* From GGUF to tokenizer.json and back. */
static void check_published(const char *name, const char *pre, bool ignore_merges)
{
    trit_file *file = shared(name);
    const struct gguf_kv *tokens = array(file, "tokenizer.ggml.tokens", TRIT_VALUE_STRING);
    const struct gguf_kv *types = array(file, "tokenizer.ggml.token_type", TRIT_VALUE_I32);
    const struct gguf_kv *merges = array(file, "tokenizer.ggml.merges", TRIT_VALUE_STRING);
    struct text vocab = {0}, added = {0}, t = {0};
    const uint8_t *p = tokens->items, *q = types->items;

    for (uint64_t i = 0; i < tokens->n_items; i++) {
        const struct trit_string s = trit_gguf_next_value(TRIT_VALUE_STRING, &p).s;
        const int64_t type = trit_gguf_next_value(TRIT_VALUE_I32, &q).i;
        struct text *to = type == TRIT_TOKEN_NORMAL ? &vocab : &added;
        add(to, to->len ? ", " : "");
        if (to == &added)
            add(to, "{\"content\": ");
        add_quoted(to, s);
        if (to == &added)
            add(to, ", \"id\": %d, \"special\": true}", (int)i);
        else
            add(to, ": %d", (int)i);
    }
    add(&t, "{\"added_tokens\": [");
    add_bytes(&t, added.bytes, added.len);
    add(&t,
        "], \"pre_tokenizer\": %s, \"model\": {\"type\": \"BPE\", \"ignore_merges\": %s, "
        "\"vocab\": {",
        pre, ignore_merges ? "true" : "false");
    add_bytes(&t, vocab.bytes, vocab.len);
    add(&t, "}, \"merges\": [");
    p = merges->items;
    for (uint64_t i = 0; i < merges->n_items; i++) {
        add(&t, i ? ", " : "");
        add_quoted(&t, trit_gguf_next_value(TRIT_VALUE_STRING, &p).s);
    }
    add(&t, "]}}");
    empty_folder();
    put("vocabulary", "tokenizer.json", t.bytes, t.len);
    trit_file *back = vocabulary_file(fx_folder("vocabulary"), (int32_t)tokens->n_items);
    assert_same_array(file, back, "tokenizer.ggml.tokens", TRIT_VALUE_STRING);
    assert_same_array(file, back, "tokenizer.ggml.token_type", TRIT_VALUE_I32);
    assert_same_array(file, back, "tokenizer.ggml.merges", TRIT_VALUE_STRING);
    trit_file_close(&back);
    trit_file_close(&file);
    free(t.bytes), free(vocab.bytes), free(added.bytes);
}

static void published_gpt2(void **state)
{
    (void)state;
    check_published("gpt-2", GPT2_PRE, false);
}

static void published_llama3(void **state)
{
    (void)state;
    check_published("llama-bpe", SEQUENCE(SPLIT(LLAMA3) BYTES), true);
}

/* The byte that a code point of byte-level BPE's alphabet stands for. */
static char byte_of(uint32_t code)
{
    for (int i = 0; i < 256; i++)
        if (trit_code_of_byte(i) == code)
            return (char)i;
    fail_msg("U+%04X stands for no byte", (unsigned)code);
    return 0;
}

/* tiktoken stores no merges: their number and order are recovered. */
static void published_tiktoken(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    trit_file *file = shared("llama-bpe");
    const struct gguf_kv *tokens = array(file, "tokenizer.ggml.tokens", TRIT_VALUE_STRING);
    const uint8_t *p = tokens->items;
    struct text t = {0};
    char byte[0x144] = {0};
    (void)state;

    for (uint32_t code = 0x21; code < 0x144; code++)
        for (int i = 0; i < 256; i++)
            if (trit_code_of_byte(i) == code)
                byte[code] = byte_of(code);
    for (int32_t i = 0; i < 128000; i++) {
        const struct trit_string s = trit_gguf_next_value(TRIT_VALUE_STRING, &p).s;
        unsigned char bytes[512];
        size_t n = 0, step;
        for (size_t k = 0; k < s.len; k += step)
            bytes[n++] = (unsigned char)byte[trit_utf8_decode(s.bytes + k, s.len - k, &step)];
        for (size_t k = 0; k < n; k += 3) {
            const unsigned long x = (unsigned long)bytes[k] << 16 |
                                    (k + 1 < n ? (unsigned long)bytes[k + 1] << 8 : 0) |
                                    (k + 2 < n ? bytes[k + 2] : 0);
            const char four[4] = {digits[x >> 18], digits[x >> 12 & 63],
                                  k + 1 < n ? digits[x >> 6 & 63] : '=',
                                  k + 2 < n ? digits[x & 63] : '='};
            add_bytes(&t, four, 4);
        }
        add(&t, " %d\n", i);
    }
    empty_folder();
    put("vocabulary", "tokenizer.model", t.bytes, t.len);
    free(t.bytes);
    trit_file *back = vocabulary_file(fx_folder("vocabulary"), 128256);
    assert_same_array(file, back, "tokenizer.ggml.tokens", TRIT_VALUE_STRING);
    trit_tokenizer *a, *b;
    OK(trit_tokenizer_open(&a, file, &why));
    OK(trit_tokenizer_open(&b, back, &why));
    static const char *const texts[] = {"Once upon a time there was a little girl, who'd 1234 red "
                                        "shoes.\n\n  And so on: \xC3\xA9t\xC3\xA9!",
                                        "for (int i = 0; i < n; i++) { printf(\"%d\\n\", a[i]); }",
                                        "  \t\t \r\n x",
                                        "\xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80 "
                                        "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char first[4096];
        snprintf(first, sizeof first, "%s", ids_of(a, texts[i], 0));
        assert_string_equal(first, ids_of(b, texts[i], 0));
    }
    assert_int_equal(trit_tokenizer_bos(b), 128000);
    trit_tokenizer_close(&a);
    trit_tokenizer_close(&b);
    trit_file_close(&back);
    trit_file_close(&file);
}

static void published_sentencepiece(void **state)
{
    trit_file *file = shared("llama-spm");
    const struct gguf_kv *tokens = array(file, "tokenizer.ggml.tokens", TRIT_VALUE_STRING);
    const struct gguf_kv *types = array(file, "tokenizer.ggml.token_type", TRIT_VALUE_I32);
    const struct gguf_kv *scores = array(file, "tokenizer.ggml.scores", TRIT_VALUE_F32);
    const uint8_t *p = tokens->items, *q = types->items, *r = scores->items;
    struct text t = {0}, trainer = {0}, normalizer = {0};
    (void)state;

    for (uint64_t i = 0; i < tokens->n_items; i++) {
        const struct trit_string s = trit_gguf_next_value(TRIT_VALUE_STRING, &p).s;
        char text[256];
        snprintf(text, sizeof text, "%.*s", (int)s.len, s.bytes);
        const unsigned type = (unsigned)trit_gguf_next_value(TRIT_VALUE_I32, &q).i;
        add_piece(&t, text, (float)trit_gguf_next_value(TRIT_VALUE_F32, &r).f, type);
    }
    put_number(&trainer, 3, 2);
    put_bytes(&t, 2, trainer.bytes, trainer.len);
    put_number(&normalizer, 4, 0);
    put_bytes(&t, 3, normalizer.bytes, normalizer.len);
    empty_folder();
    put("vocabulary", "tokenizer.model", t.bytes, t.len);
    free(t.bytes), free(trainer.bytes), free(normalizer.bytes);
    trit_file *back = vocabulary_file(fx_folder("vocabulary"), (int32_t)tokens->n_items);
    assert_same_array(file, back, "tokenizer.ggml.tokens", TRIT_VALUE_STRING);
    assert_same_array(file, back, "tokenizer.ggml.token_type", TRIT_VALUE_I32);
    assert_same_array(file, back, "tokenizer.ggml.scores", TRIT_VALUE_F32);
    trit_file_close(&back);
    trit_file_close(&file);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(byte_level),
    cmocka_unit_test(pre_tokenizers),
    cmocka_unit_test(ignored_merges),
    cmocka_unit_test(refused_json),
    cmocka_unit_test(plain_files),
    cmocka_unit_test(sentencepiece),
    cmocka_unit_test(metaspace),
    cmocka_unit_test(sentencepiece_names_no_token),
    cmocka_unit_test(added_with_sentencepiece),
    cmocka_unit_test(begins_and_ends),
    cmocka_unit_test(refused_templates),
    cmocka_unit_test(three_ends),
    cmocka_unit_test(chat_templates),
    cmocka_unit_test(tiktoken_is_counted_first),
    cmocka_unit_test(damaged_files),
    cmocka_unit_test(published_gpt2),
    cmocka_unit_test(published_llama3),
    cmocka_unit_test(published_tiktoken),
    cmocka_unit_test(published_sentencepiece),
};

const struct suite suite = {SUITE_TESTS(tests)};
