/* import_spm.c - a SentencePiece model (tokenizer.model): a protobuf message. This much is read:
 *
 *   ModelProto       1: SentencePiece (repeated), 2: TrainerSpec, 3: NormalizerSpec
 *   SentencePiece    1: piece (text), 2: score (float), 3: type (as tokenizer.ggml.token_type)
 *   TrainerSpec      3: model_type (2: BPE), 40 to 43: ids of unknown, BOS, EOS and padding
 *   NormalizerSpec   3: add_dummy_prefix, 4: remove_extra_whitespaces (both true unless said)
 */
#include <string.h>

#include "import.h"

/* ---- Protobuf's wire format ------------------------------------------------------------------ */

/* The rest of a message. */
struct message {
    const uint8_t *p, *end;
};

/* A field. The wire type decides which member holds it. */
struct field {
    uint32_t number;
    enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 } type;
    uint64_t value;       /* of number types */
    struct message bytes; /* of BYTES */
};

static bool read_varint(struct message *m, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; m->p < m->end && shift < 64; shift += 7) {
        const uint8_t byte = *m->p++;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool read_fixed(struct message *m, uint64_t *out, size_t n)
{
    if ((size_t)(m->end - m->p) < n)
        return false;
    *out = 0;
    memcpy(out, m->p, n);
    m->p += n;
    return true;
}

/* The next field. @return 1; 0 at the end; -1: damaged */
static int next_field(struct message *m, struct field *f)
{
    uint64_t key, len;

    if (m->p == m->end)
        return 0;
    if (!read_varint(m, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return -1;
    *f = (struct field){.number = (uint32_t)(key >> 3)};
    switch (key & 7) {
    case VARINT:
        f->type = VARINT;
        return read_varint(m, &f->value) ? 1 : -1;
    case FIXED64:
        f->type = FIXED64;
        return read_fixed(m, &f->value, 8) ? 1 : -1;
    case FIXED32:
        f->type = FIXED32;
        return read_fixed(m, &f->value, 4) ? 1 : -1;
    case BYTES:
        f->type = BYTES;
        if (!read_varint(m, &len) || len > (uint64_t)(m->end - m->p))
            return -1;
        f->bytes = (struct message){m->p, m->p + len};
        m->p += len;
        return 1;
    default: /* groups are obsolete */
        return -1;
    }
}

/* ---- The model ------------------------------------------------------------------------------- */

static trit_status damaged(struct trit_import *im)
{
    return trit_import_fail(im, TRIT_E_FILE,
                            "is damaged, ends early, or is neither a SentencePiece model nor a "
                            "tiktoken vocabulary");
}

static trit_status read_piece(struct trit_import *im, struct message m, int32_t id)
{
    struct trit_string text = {"", 0};
    int32_t type = TRIT_TOKEN_NORMAL;
    float score = 0.0f;
    struct field f;
    int more;

    while ((more = next_field(&m, &f)) > 0) {
        if (f.number == 1 && f.type == BYTES)
            text = (struct trit_string){(const char *)f.bytes.p, (size_t)(f.bytes.end - f.bytes.p)};
        else if (f.number == 2 && f.type == FIXED32)
            memcpy(&score, &f.value, sizeof score);
        else if (f.number == 3 && f.type == VARINT)
            type = f.value <= TRIT_TOKEN_BYTE ? (int32_t)f.value : 0;
    }
    if (more < 0 || type < TRIT_TOKEN_NORMAL || !(score - score == 0.0f))
        return damaged(im);
    if (type == TRIT_TOKEN_UNKNOWN)
        im->v->unknown = id;
    return trit_import_token(im, id, text, type, score);
}

static trit_status read_trainer(struct trit_import *im, struct message m)
{
    static const char *const types[] = {"?", "unigram", "BPE", "word", "char"};
    struct trit_vocabulary *v = im->v;
    uint64_t type = 1; /* the default in the schema */
    struct field f;
    int more;

    while ((more = next_field(&m, &f)) > 0) {
        int32_t *id = f.number == 40   ? &v->unknown
                      : f.number == 41 ? &v->bos
                      : f.number == 42 ? &v->eos
                      : f.number == 43 ? &v->pad
                                       : NULL;
        if (f.number == 3 && f.type == VARINT)
            type = f.value;
        else if (id && f.type == VARINT) /* -1: none */
            *id = f.value <= INT32_MAX ? (int32_t)f.value : -1;
    }
    if (more < 0)
        return damaged(im);
    if (type != 2)
        return trit_import_fail(im, TRIT_E_UNSUPPORTED,
                                "is a SentencePiece model of type %s; supported is BPE",
                                types[type < 5 ? type : 0]);
    return TRIT_OK;
}

static trit_status read_normalizer(struct trit_import *im, struct message m)
{
    bool prefix = true, squeeze = true;
    struct field f;
    int more;

    while ((more = next_field(&m, &f)) > 0) {
        if (f.number == 3 && f.type == VARINT)
            prefix = f.value != 0;
        else if (f.number == 4 && f.type == VARINT)
            squeeze = f.value != 0;
    }
    im->v->space_prefix = prefix;
    if (squeeze)
        trit_note(im->notes, "the tokenizer removes extra spaces; trit uses text unchanged");
    return more < 0 ? damaged(im) : TRIT_OK;
}

/* TrainerSpec may come before the pieces it names, so ids are checked after all are read. */
static trit_status check_ids(struct trit_import *im)
{
    const struct trit_vocabulary *v = im->v;
    const struct {
        const char *name;
        int32_t id;
    } ids[] = {{"UNK", v->unknown}, {"BOS", v->bos}, {"EOS", v->eos}, {"PAD", v->pad}};

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        if (ids[i].id >= 0 && !trit_import_is_token(im, ids[i].id))
            return trit_import_fail(im, TRIT_E_FILE,
                                    "says that the %s is %d; its pieces are 0 to %d", ids[i].name,
                                    ids[i].id, v->n_tokens - 1);
    return TRIT_OK;
}

trit_status trit_import_sentencepiece(struct trit_import *im, const struct trit_bytes *file)
{
    struct message m = {file->data, file->data + file->size};
    trit_status status = TRIT_OK;
    bool trainer = false;
    struct field f;
    int32_t n = 0;
    int more;

    im->v->model = "llama";
    while (!status && (more = next_field(&m, &f)) > 0) {
        if (f.type != BYTES)
            continue;
        if (f.number == 1)
            status = read_piece(im, f.bytes, n++);
        else if (f.number == 2)
            status = read_trainer(im, f.bytes);
        else if (f.number == 3)
            status = read_normalizer(im, f.bytes);
        trainer |= f.number == 2;
    }
    if (status)
        return status;
    if (more < 0 || n == 0 || !trainer)
        return damaged(im);
    if ((status = check_ids(im)))
        return status;
    trit_note(im->notes, "the vocabulary is SentencePiece's, read from tokenizer.model");
    return TRIT_OK;
}
