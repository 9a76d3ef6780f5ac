/* json_read.h - reading JSON (RFC 8259, strictly) of unknown origin into a tree.
 *
 *   struct json_tree *tree;
 *   if (json_read(&tree, text, len, &err))
 *       return report(&err);
 *   const struct json_value *name = json_member(json_root(tree), "name");
 *   if (json_type_of(name) == JSON_STRING)
 *       printf("%s\n", json_text(name).bytes);
 *   json_free(&tree);
 *
 * Nothing beyond the grammar is taken: no comments, no commas at the end, no byte order mark, no
 * bytes that are not UTF-8, no lone surrogates, no numbers beyond a double's range. Arrays and
 * objects nest JSON_MAX_DEPTH deep at most. Where an object has a key twice, the last one counts.
 *
 * Values live as long as their tree. Functions that look into one take NULL for a value that is not
 * there, so that lookups can be chained and only what comes out has to be checked. */
#ifndef TRIT_TOOLS_JSON_READ_H
#define TRIT_TOOLS_JSON_READ_H

#include "trit.h"

enum {
    JSON_MAX_DEPTH = 64,
    JSON_MAX_BYTES = 1 << 28,  /* of text */
    JSON_MAX_VALUES = 1 << 24, /* in it */
};

/* ABSENT is the type of NULL. */
enum json_type {
    JSON_ABSENT,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_tree;
struct json_value;

/* Read a whole text, one value. *out is released with json_free(), and NULL after an error.
 * @return TRIT_OK; TRIT_E_FILE: the text is no JSON ("line 2, column 5: found ']', expected a
 *         value"; a column is a character) or beyond the limits; TRIT_E_MEMORY. */
trit_status json_read(struct json_tree **out, const char *text, size_t len, struct trit_error *err);

/* The same for JSON Lines: a value a line, empty lines allowed; the root is an array of them. */
trit_status json_read_lines(struct json_tree **out, const char *text, size_t len,
                            struct trit_error *err);

void json_free(struct json_tree **tree);

const struct json_value *json_root(const struct json_tree *tree);
enum json_type json_type_of(const struct json_value *value);

/* Items of an array or members of an object, in order: how many, the first, and the one after
 * value; NULL where there is none. */
size_t json_count(const struct json_value *value);
const struct json_value *json_first(const struct json_value *value);
const struct json_value *json_next(const struct json_value *value);

/* Item i of an array, or the member of an object with that key; NULL where there is none. Both walk
 * over those before it. */
const struct json_value *json_item(const struct json_value *array, size_t i);
const struct json_value *json_member(const struct json_value *object, const char *key);

/* The key of a member, the bytes of a string: UTF-8, a NUL behind them and perhaps among them;
 * len is 0 of anything else. */
struct trit_string json_key(const struct json_value *member);
struct trit_string json_text(const struct json_value *value);

/* The number, or NAN of anything else. */
double json_double(const struct json_value *value);

/* The number where it is written without fraction and exponent and fits. @return whether it is */
bool json_int64(const struct json_value *value, int64_t *out);

/* Whether it is true: not false, and nothing else. */
bool json_is_true(const struct json_value *value);

#endif
