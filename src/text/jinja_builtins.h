/* jinja_builtins.h - the filters, tests, methods and functions of templates, and attributes. */
#ifndef TRIT_TEXT_JINJA_BUILTINS_H
#define TRIT_TEXT_JINJA_BUILTINS_H

#include "jinja_value.h"

enum { JINJA_MAX_ARGS = 12 };

struct jinja_args {
    struct jinja_value v[JINJA_MAX_ARGS]; /* those beyond n are undefined */
    size_t n;
    struct jinja_dict *named; /* by name, or NULL */
};

struct jinja_builtin {
    const char *name;
    size_t least;       /* arguments that it needs */
    const char *params; /* the names of its arguments, "a b c"; NULL: it takes any */
    struct jinja_value (*fn)(struct jinja *j, struct jinja_value self,
                             const struct jinja_args *args);
};

struct jinja_callable {
    const struct jinja_builtin *builtin;
    struct jinja_value self;
    /* or a macro: */
    const struct jinja_node *macro;
    struct jinja_scope *scope; /* in which it was defined */
};

/* NULL: there is none of this name. */
const struct jinja_builtin *trit_jinja_filter(struct trit_string name);
const struct jinja_builtin *trit_jinja_test(struct trit_string name);
const struct jinja_builtin *trit_jinja_function(struct trit_string name);

/* Call a builtin. Named arguments take the places of its parameters. */
struct jinja_value trit_jinja_call(struct jinja *j, const struct jinja_builtin *builtin,
                                   struct jinja_value self, const struct jinja_args *args);

struct jinja_value trit_jinja_callable(struct jinja *j, const struct jinja_builtin *builtin,
                                       struct jinja_value self);

/* v.name and v[key]: undefined if there is no such thing. */
struct jinja_value trit_jinja_attribute(struct jinja *j, struct jinja_value v,
                                        struct trit_string name);
struct jinja_value trit_jinja_item(struct jinja *j, struct jinja_value v, struct jinja_value key);

/* The string with its % fields replaced, as Python's operator does. */
struct jinja_value trit_jinja_format(struct jinja *j, struct jinja_string format,
                                     struct jinja_value with);

#endif
