/* jinja_value.h - values of a template and the memory that they live in. */
#ifndef TRIT_TEXT_JINJA_VALUE_H
#define TRIT_TEXT_JINJA_VALUE_H

#include "error.h"
#include "jinja.h"
#include "str.h"

enum {
    JINJA_MAX_DEPTH = 256,      /* of nested expressions, blocks and calls */
    JINJA_MAX_VALUE_DEPTH = 64, /* of lists within lists */
    JINJA_MAX_STEPS = 20000000, /* nodes evaluated, and bytes and items handled / 16 */
    JINJA_MAX_SOURCE = 1 << 20  /* bytes of a template */
};

/* One rendering. The first error ends it: `failed` is set, every function returns at once, and what
 * it returns does not matter. All memory is released at the end. */
struct jinja {
    struct jinja_block *blocks;
    size_t used, limit; /* bytes of memory */
    uint64_t steps;
    int depth;
    uint32_t at; /* the place in the source that is being evaluated, for messages */
    struct trit_string source;
    bool failed;
    trit_status status;
    struct trit_error *err;
    const struct trit_jinja_input *input;
    struct jinja_scope *globals;
    struct jinja_list *nothing; /* without items; what a failed operation returns */
};

/* A string whose bytes have origins: origin[i], or for all of them `from` if origin is NULL. */
struct jinja_string {
    const char *bytes;
    size_t len;
    const uint32_t *origin;
    uint32_t from;
};

enum jinja_kind {
    JINJA_UNDEFINED,
    JINJA_NONE,
    JINJA_BOOL,
    JINJA_INT,
    JINJA_FLOAT,
    JINJA_STRING,
    JINJA_LIST,
    JINJA_DICT,
    JINJA_CALLABLE
};

struct jinja_value {
    enum jinja_kind kind;
    bool is_tuple; /* of a list: it prints as (…) */
    union {
        bool truth;
        int64_t whole;
        double real;
        struct jinja_string text;
        struct jinja_list *list;
        struct jinja_dict *dict;
        const struct jinja_callable *callable;
    } of;
};

struct jinja_list {
    struct jinja_value *items;
    size_t n, room;
};

struct jinja_pair {
    struct jinja_value key, value;
};

struct jinja_dict {
    struct jinja_pair *items;
    size_t n, room;
    enum { JINJA_PLAIN, JINJA_NAMESPACE, JINJA_LOOP } use;
};

/* A text that grows. */
struct jinja_text {
    char *bytes;
    uint32_t *origin;
    size_t n, room;
};

/* ---- Errors and memory ----------------------------------------------------------------------- */

/* Fail with "line L, column C: …"; a later failure changes nothing. */
void trit_jinja_fail(struct jinja *j, const char *fmt, ...) TRIT_PRINTF(2, 3);

/* Count steps. @return false if there were too many, or after another failure */
bool trit_jinja_step(struct jinja *j, size_t n);

/* Zeroed memory; NULL after a failure. */
void *trit_jinja_take(struct jinja *j, size_t n, size_t size);

/* Room for item n of an array, which may move. @return the array; NULL after a failure */
void *trit_jinja_grow(struct jinja *j, void *items, size_t n, size_t *room, size_t size);
void trit_jinja_release(struct jinja *j);

/* ---- Making values --------------------------------------------------------------------------- */

#define JINJA_VALUE(k, member, x) ((struct jinja_value){.kind = (k), .of.member = (x)})

static inline struct jinja_value trit_jinja_undefined(void)
{
    return (struct jinja_value){.kind = JINJA_UNDEFINED};
}

static inline struct jinja_value trit_jinja_bool(bool x)
{
    return JINJA_VALUE(JINJA_BOOL, truth, x);
}

static inline struct jinja_value trit_jinja_int(int64_t x)
{
    return JINJA_VALUE(JINJA_INT, whole, x);
}

static inline struct jinja_value trit_jinja_text_value(struct jinja_string s)
{
    return JINJA_VALUE(JINJA_STRING, text, s);
}

/* A string of one origin; its bytes are borrowed. */
static inline struct jinja_value trit_jinja_string(struct trit_string s, uint32_t from)
{
    return trit_jinja_text_value((struct jinja_string){s.bytes ? s.bytes : "", s.len, NULL, from});
}

static inline struct jinja_string trit_jinja_part(struct jinja_string s, size_t from, size_t to)
{
    return (struct jinja_string){s.bytes + from, to - from, s.origin ? s.origin + from : NULL,
                                 s.from};
}

static inline struct trit_string trit_jinja_plain(struct jinja_string s)
{
    return (struct trit_string){s.bytes, s.len};
}

struct jinja_value trit_jinja_list(struct jinja *j, size_t room);
void trit_jinja_append(struct jinja *j, struct jinja_list *list, struct jinja_value item);
struct jinja_value trit_jinja_dict(struct jinja *j);

/* The value of a key, or NULL. The pointer holds until the dict grows. */
struct jinja_value *trit_jinja_find(struct jinja *j, const struct jinja_dict *d,
                                    struct jinja_value key);
struct jinja_value *trit_jinja_find_name(struct jinja *j, const struct jinja_dict *d,
                                         struct trit_string name);
void trit_jinja_put(struct jinja *j, struct jinja_dict *d, struct jinja_value key,
                    struct jinja_value value);
void trit_jinja_put_name(struct jinja *j, struct jinja_dict *d, const char *name,
                         struct jinja_value value);

/* The value of JSON. Strings are data. */
struct jinja_value trit_jinja_from_json(struct jinja *j, const struct trit_json_value *v);

/* ---- Texts ----------------------------------------------------------------------------------- */

void trit_jinja_add(struct jinja *j, struct jinja_text *t, struct jinja_string s);
void trit_jinja_add_bytes(struct jinja *j, struct jinja_text *t, const char *bytes, size_t len,
                          uint32_t from);
struct jinja_string trit_jinja_text_string(const struct jinja_text *t);

/* Add a value as {{ value }} prints it; repr: as it prints within a list. */
void trit_jinja_add_value(struct jinja *j, struct jinja_text *t, struct jinja_value v, bool repr);
struct jinja_string trit_jinja_str(struct jinja *j, struct jinja_value v);

struct jinja_json_style {
    int64_t indent; /* spaces a level; -1: one line */
    bool sort_keys;
    struct jinja_string between, colon; /* what separates items, and keys from values */
};
/* Add a value as JSON. */
void trit_jinja_add_json(struct jinja *j, struct jinja_text *t, struct jinja_value v,
                         const struct jinja_json_style *style);

/* Bytes of the character at s[at], at least 1. */
size_t trit_jinja_char_len(struct jinja_string s, size_t at);
/* Characters of a string. */
size_t trit_jinja_n_chars(struct jinja_string s);

/* ---- Comparing ------------------------------------------------------------------------------- */

bool trit_jinja_truth(struct jinja_value v);
bool trit_jinja_equal(struct jinja *j, struct jinja_value a, struct jinja_value b);
/* Negative, 0, positive; fails unless both are numbers, strings or lists. */
int trit_jinja_order(struct jinja *j, struct jinja_value a, struct jinja_value b);
/* The first place of part in s from `at` on; SIZE_MAX: none. */
size_t trit_jinja_find_part(struct jinja *j, struct jinja_string s, struct jinja_string part,
                            size_t at);
bool trit_jinja_contains(struct jinja *j, struct jinja_value all, struct jinja_value item);

/* The items that a loop over v visits: items of a list, keys of a dict, characters of a string. */
struct jinja_list *trit_jinja_items(struct jinja *j, struct jinja_value v);

const char *trit_jinja_kind_name(struct jinja_value v);

static inline bool trit_jinja_is_number(struct jinja_value v)
{
    return v.kind == JINJA_INT || v.kind == JINJA_FLOAT || v.kind == JINJA_BOOL;
}

static inline double trit_jinja_real(struct jinja_value v)
{
    return v.kind == JINJA_FLOAT  ? v.of.real
           : v.kind == JINJA_BOOL ? (double)v.of.truth
                                  : (double)v.of.whole;
}

static inline int64_t trit_jinja_whole(struct jinja_value v)
{
    return v.kind == JINJA_BOOL ? v.of.truth : v.of.whole;
}

#endif
