/* pretokenize.h - splitting text into the pieces that BPE may not merge across.
 *
 * Tokenizers publish these rules as regular expressions. They differ in a few points only, so each
 * is a row of switches here, for one hand-written matcher. */
#ifndef TRIT_TEXT_PRETOKENIZE_H
#define TRIT_TEXT_PRETOKENIZE_H

#include "trit.h"

struct trit_pretokenizer {
    const char *const *names; /* values of tokenizer.ggml.pre, ending with NULL */
    bool ignore_merges;       /* a piece that is a token becomes that token without merges */
    bool add_bos;             /* if the file does not say */
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
    size_t at;    /* start of the next piece */
    size_t limit; /* end of the part that is being split, see part_end() */
};

/* The next piece in order; false at the end. Together, the pieces are the whole text. */
bool trit_next_piece(struct trit_pieces *p, struct trit_string *piece);

#endif
