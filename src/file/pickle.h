/* pickle.h - Python's pickles, read as data.
 *
 * A pickle is a program: it can name any function of any module and call it. This reader calls
 * nothing. The caller lists the few functions that it understands; a call of one becomes a value
 * that says so, and any other name is an error. It knows the opcodes with which dicts, tuples,
 * numbers and texts are written in protocols 2 to 5; any other opcode is an error, too. */
#ifndef TRIT_FILE_PICKLE_H
#define TRIT_FILE_PICKLE_H

#include "error.h"

enum trit_pickle_kind {
    TRIT_PICKLE_OTHER,  /* None, a float, bytes */
    TRIT_PICKLE_NUMBER, /* an integer of at most 64 bits, or a bool */
    TRIT_PICKLE_TEXT,
    TRIT_PICKLE_TUPLE, /* or a list */
    TRIT_PICKLE_DICT,
    TRIT_PICKLE_GLOBAL,  /* a name of the caller's list */
    TRIT_PICKLE_CALL,    /* of such a name, with a tuple */
    TRIT_PICKLE_OUTSIDE, /* something stored outside the pickle, described by a tuple */
};

struct trit_pickle_value {
    enum trit_pickle_kind kind;
    uint32_t global;      /* of GLOBAL and CALL: its row in the caller's list */
    uint32_t n_items;     /* of TUPLE, and of DICT: keys and values by turns */
    uint32_t first, last; /* of TUPLE and DICT: cells; of CALL and OUTSIDE, first: its tuple */
    int64_t number;
    struct trit_string text; /* in the pickle */
};

/* A name that a pickle may have. */
struct trit_pickle_global {
    const char *module, *name;
    bool makes_dict; /* calling it without arguments makes an empty dict */
};

struct trit_pickle {
    struct trit_pickle_value *values; /* [n_values] */
    struct trit_pickle_cell *cells;   /* [n_cells] */
    uint32_t n_values, n_cells;
    uint32_t root;
};

/* Read a pickle of `size` bytes, which must outlive the values.
 * @param path where it is from; the text of an error begins with it
 * @param globals [n_globals]
 * @return TRIT_OK; TRIT_E_FILE: damaged or cut off; TRIT_E_UNSUPPORTED: another name or opcode, or
 *         too large; TRIT_E_MEMORY. Release with trit_pickle_free(), which is optional after an
 *         error. */
trit_status trit_pickle_read(struct trit_pickle *out, const uint8_t *data, size_t size,
                             const struct trit_pickle_global *globals, size_t n_globals,
                             const char *path, struct trit_error *err);
void trit_pickle_free(struct trit_pickle *p);

/* The items of a tuple or a dict, in order; next returns NULL after the last. */
struct trit_pickle_items {
    const struct trit_pickle *pickle;
    uint32_t cell;
};
struct trit_pickle_items trit_pickle_items(const struct trit_pickle *p,
                                           const struct trit_pickle_value *v);
const struct trit_pickle_value *trit_pickle_next(struct trit_pickle_items *items);

/* The tuple of a CALL or of something OUTSIDE. */
const struct trit_pickle_value *trit_pickle_args(const struct trit_pickle *p,
                                                 const struct trit_pickle_value *v);

#endif
