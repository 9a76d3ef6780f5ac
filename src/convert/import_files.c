/* import_files.c - vocabularies in plain files: GPT-2's vocab.json with merges.txt, and tiktoken's
 * list of ranks. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "import.h"
#include "str.h"
#include "tokenizer.h"

/* The next line of a text, without its end. @return false after the last */
static bool next_line(const char **at, const char *end, struct trit_string *line)
{
    if (*at == end)
        return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    const char *stop = newline ? newline : end;
    *line = (struct trit_string){*at, (size_t)(stop - *at)};
    if (line->len && line->bytes[line->len - 1] == '\r')
        line->len--;
    *at = newline ? newline + 1 : end;
    return true;
}

/* ---- vocab.json and merges.txt --------------------------------------------------------------- */

static trit_status read_merges(struct trit_import *im)
{
    struct trit_bytes file;
    struct trit_string line, left, right;
    size_t number = 0;
    trit_status status = trit_import_open(im, &file, "merges.txt");

    if (status)
        return status;
    const char *p = (const char *)file.data, *end = p + file.size;
    while (!status && next_line(&p, end, &line)) {
        number++;
        if (!line.len || (number == 1 && line.len > 8 && memcmp(line.bytes, "#version", 8) == 0))
            continue;
        if (trit_import_split(line, &left, &right))
            status = trit_import_merge(im, left, right);
        else
            status = trit_import_fail(im, TRIT_E_FILE, "line %zu does not have two parts", number);
    }
    trit_bytes_close(&file);
    return status;
}

/* These files do not name the pre-tokenizer; tokenizer_class decides. */
static trit_status find_pre(struct trit_import *im)
{
    static const struct {
        const char *class, *pre;
    } classes[] = {{"GPT2Tokenizer", "gpt-2"},
                   {"GPT2TokenizerFast", "gpt-2"},
                   {"Qwen2Tokenizer", "qwen2"},
                   {"Qwen2TokenizerFast", "qwen2"}};
    const struct trit_string name =
        trit_json_text(trit_json_member(im->settings, "tokenizer_class"));

    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (trit_string_is(name, classes[i].class)) {
            im->v->pre = classes[i].pre;
            trit_note(im->notes,
                      "the vocabulary is byte-level BPE, read from vocab.json and merges.txt; "
                      "its pre-tokenizer is %s's (from tokenizer_class %s)",
                      classes[i].pre, classes[i].class);
            return TRIT_OK;
        }
    return trit_fail(im->err, TRIT_E_UNSUPPORTED,
                     "%s: vocab.json and merges.txt need a tokenizer_config.json whose "
                     "tokenizer_class says how text is split; it is '%s'; supported are "
                     "GPT2Tokenizer and Qwen2Tokenizer",
                     im->dir, trit_quote(name).text);
}

trit_status trit_import_vocab_json(struct trit_import *im)
{
    struct trit_json *json;
    trit_status status = trit_import_json(im, &json, "vocab.json");

    if (status)
        return status;
    im->v->model = "gpt2";
    status = trit_import_ids(im, trit_json_root(json), TRIT_TOKEN_NORMAL);
    trit_json_free(&json);
    return status || (status = find_pre(im)) ? status : read_merges(im);
}

/* ---- tiktoken -------------------------------------------------------------------------------- */

/* Most bytes of a token; Llama 3 has up to 128. */
enum { LONGEST = 160 };

/* The tokens as bytes, and a hash table from bytes to rank, to find merges. */
struct ranks {
    struct trit_string *bytes; /* [n] */
    int32_t n;
    int32_t *slots; /* [mask + 1]; -1: empty */
    size_t mask;
};

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *p = c ? strchr(digits, c) : NULL;
    return p ? (int)(p - digits) : -1;
}

/* Decode into out, which must be large enough. @return the length, or -1 if invalid */
static int decode_base64(char *out, struct trit_string text)
{
    unsigned bits = 0;
    int n_bits = 0, n = 0;

    while (text.len && text.bytes[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        const int digit = base64_digit(text.bytes[i]);
        if (digit < 0)
            return -1;
        bits = (bits << 6 | (unsigned)digit) & 0xffffff;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            out[n++] = (char)(bits >> n_bits & 0xff);
        }
    }
    return text.len ? n : -1;
}

/* Split "BASE64 RANK". @return false if the line is something else */
static bool split_line(struct trit_string line, struct trit_string *text, int64_t *rank)
{
    const char *space = line.len ? memchr(line.bytes, ' ', line.len) : NULL;

    if (!space)
        return false;
    *text = (struct trit_string){line.bytes, (size_t)(space - line.bytes)};
    *rank = 0;
    for (const char *p = space + 1; p < line.bytes + line.len; p++) {
        if (*p < '0' || *p > '9' || *rank > INT32_MAX / 10)
            return false;
        *rank = 10 * *rank + (*p - '0');
    }
    return text->len && text->len < 1024 && space + 1 < line.bytes + line.len;
}

bool trit_import_is_tiktoken(const struct trit_bytes *file)
{
    const char *p = (const char *)file->data;
    struct trit_string line, text;
    char bytes[1024];
    int64_t rank;

    return next_line(&p, p + file->size, &line) && split_line(line, &text, &rank) &&
           decode_base64(bytes, text) > 0;
}

static size_t slot_of(const struct ranks *r, const char *bytes, size_t len)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3;
    size_t i = (size_t)(h ^ h >> 32) & r->mask;
    while (r->slots[i] >= 0) {
        const struct trit_string s = r->bytes[r->slots[i]];
        if (s.len == len && memcmp(s.bytes, bytes, len) == 0)
            break;
        i = (i + 1) & r->mask;
    }
    return i;
}

static int32_t rank_of(const struct ranks *r, const char *bytes, size_t len)
{
    return r->slots[slot_of(r, bytes, len)];
}

/* Merge the bytes of token `rank`, using earlier tokens only, until two parts are left.
 * @return the length of the left part; 0: no merges lead to two parts */
static size_t last_merge(const struct ranks *r, int32_t rank)
{
    const struct trit_string s = r->bytes[rank];
    size_t ends[LONGEST], n = s.len; /* ends of the parts */

    for (size_t i = 0; i < n; i++)
        ends[i] = i + 1;
    while (n > 2) {
        int32_t best = rank;
        size_t at = 0;
        for (size_t i = 0; i + 1 < n; i++) {
            const size_t begin = i ? ends[i - 1] : 0;
            const int32_t joined = rank_of(r, s.bytes + begin, ends[i + 1] - begin);
            if (joined >= 0 && joined < best) {
                best = joined;
                at = i;
            }
        }
        if (best == rank)
            return 0;
        memmove(ends + at, ends + at + 1, (n - at - 1) * sizeof *ends);
        n--;
    }
    return n == 2 ? ends[0] : 0;
}

/* Bytes spelled in the alphabet of byte-level BPE. */
static struct trit_string spelled(char *out, const char *bytes, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += trit_utf8_encode(out + n, trit_code_of_byte((unsigned char)bytes[i]));
    return (struct trit_string){out, n};
}

static trit_status read_ranks(struct trit_import *im, struct ranks *r,
                              const struct trit_bytes *file)
{
    const char *p = (const char *)file->data, *end = p + file->size;
    struct trit_string line, text;
    char bytes[1024];
    int64_t rank;

    for (; next_line(&p, end, &line); r->n++) {
        const int len = split_line(line, &text, &rank) ? decode_base64(bytes, text) : -1;
        if (!line.len && p == end)
            break;
        if (len <= 0 || len > LONGEST || rank != r->n)
            return trit_import_fail(im, TRIT_E_FILE,
                                    "line %d is not a base64 token followed by rank %d", r->n + 1,
                                    r->n);
        if (r->n == im->n_rows)
            return trit_import_fail(im, TRIT_E_FILE,
                                    "has more tokens than the embedding has rows (%d)", im->n_rows);
        r->bytes[r->n] = trit_import_keep(im, bytes, (size_t)len);
        if (!r->bytes[r->n].bytes)
            return trit_fail_memory(im->err, (uint64_t)len, "the vocabulary");
        const size_t slot = slot_of(r, bytes, (size_t)len);
        if (r->slots[slot] >= 0)
            return trit_import_fail(im, TRIT_E_FILE, "line %d repeats token %d", r->n + 1,
                                    r->slots[slot]);
        r->slots[slot] = r->n;
    }
    return TRIT_OK;
}

static trit_status list_tokens(struct trit_import *im, const struct ranks *r)
{
    trit_status status = TRIT_OK;

    for (int32_t i = 0; i < r->n && !status; i++) {
        char whole[1024], left[1024], right[1024];
        const struct trit_string s = r->bytes[i];
        status = trit_import_token(im, i, spelled(whole, s.bytes, s.len), TRIT_TOKEN_NORMAL, 0.0f);
        const size_t cut = s.len > 1 && !status ? last_merge(r, i) : 0;
        if (cut)
            status = trit_import_merge(im, spelled(left, s.bytes, cut),
                                       spelled(right, s.bytes + cut, s.len - cut));
    }
    return status;
}

/* The 256 control tokens of Llama 3, which its tokenizer.model does not list. */
static trit_status add_llama3_specials(struct trit_import *im, int32_t first)
{
    static const struct {
        int32_t at;
        const char *name;
    } named[] = {{0, "<|begin_of_text|>"},
                 {1, "<|end_of_text|>"},
                 {6, "<|start_header_id|>"},
                 {7, "<|end_header_id|>"},
                 {9, "<|eot_id|>"}};
    trit_status status = TRIT_OK;
    int reserved = 0;

    for (int32_t i = 0; i < 256 && !status; i++) {
        char name[48];
        snprintf(name, sizeof name, "<|reserved_special_token_%d|>", reserved);
        bool has_name = false;
        for (size_t k = 0; k < sizeof named / sizeof *named; k++)
            if (named[k].at == i) {
                snprintf(name, sizeof name, "%s", named[k].name);
                has_name = true;
            }
        reserved += !has_name;
        status = trit_import_token(im, first + i, trit_string_of(name), TRIT_TOKEN_CONTROL, 0.0f);
    }
    im->v->bos = first;
    im->v->eos = first + 1;
    return status;
}

trit_status trit_import_tiktoken(struct trit_import *im, const struct trit_bytes *file)
{
    enum { LLAMA3_TOKENS = 128000, LLAMA3_ROWS = 128256 };
    struct ranks r = {.mask = 15};
    trit_status status;

    while (r.mask < 2 * (size_t)im->n_rows)
        r.mask = 2 * r.mask + 1;
    r.bytes = malloc((size_t)im->n_rows * sizeof *r.bytes);
    r.slots = malloc((r.mask + 1) * sizeof *r.slots);
    if (!r.bytes || !r.slots) {
        status = trit_fail_memory(im->err, r.mask * sizeof *r.slots, "the vocabulary");
    } else {
        memset(r.slots, 0xff, (r.mask + 1) * sizeof *r.slots);
        status = read_ranks(im, &r, file);
    }
    if (!status && (r.n != LLAMA3_TOKENS || im->n_rows < LLAMA3_ROWS))
        status = trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                  "is a tiktoken vocabulary of %d tokens; supported is Llama 3's, "
                                  "which has 128000 and 256 control tokens",
                                  r.n);
    if (!status)
        status = list_tokens(im, &r);
    if (!status)
        status = add_llama3_specials(im, r.n);
    im->v->model = "gpt2";
    im->v->pre = "llama-bpe";
    im->v->add_bos = 1;
    if (!status)
        trit_note(im->notes,
                  "the vocabulary is Llama 3's, read from tokenizer.model (tiktoken): "
                  "merges are derived from its ranks; control tokens and BOS are Llama 3's");
    free(r.bytes);
    free(r.slots);
    return status;
}
