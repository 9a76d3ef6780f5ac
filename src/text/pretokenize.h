/* pretokenize.h - cutting text into the pieces that BPE may not merge across.
 *
 * Tokenizers publish these rules as regular expressions; here each is a row of switches over one
 * hand-written matcher, since the expressions differ in few places. */
#ifndef TRIT_TEXT_PRETOKENIZE_H
#define TRIT_TEXT_PRETOKENIZE_H

#include "trit.h"

struct trit_pretokenizer {
    const char *const *names; /* values of tokenizer.ggml.pre, ending with NULL */
    bool ignore_merges;       /* a piece that is a token is that token, merges or not */
    bool add_bos;             /* where the file does not say */
    const struct trit_pre_rules *rules;
};

/* The row of a name, or NULL. */
const struct trit_pretokenizer *trit_pretokenizer_find(struct trit_string name);

/* The names of all rows, for messages. */
extern const char trit_pretokenizer_names[];

/* A walk over the pieces of a text. */
struct trit_pieces {
    const struct trit_pre_rules *rules;
    const char *text;
    size_t len;
    size_t at;    /* what comes next */
    size_t limit; /* end of the part that the rule is applied to on its own */
};

/* The next piece in order; false at the end. Pieces joined are the text. */
bool trit_next_piece(struct trit_pieces *p, struct trit_string *piece);

#endif
