/* jinja_syntax.h - the syntax tree of a template. */
#ifndef TRIT_TEXT_JINJA_SYNTAX_H
#define TRIT_TEXT_JINJA_SYNTAX_H

#include "jinja_value.h"

enum jinja_node_kind {
    /* statements */
    JINJA_TEXT,         /* value */
    JINJA_OUTPUT,       /* a */
    JINJA_IF,           /* a (NULL: always), list: what to do; other: the next branch */
    JINJA_FOR,          /* a: target, b: items, c: condition or NULL; list; other: block if empty */
    JINJA_SET,          /* a: target, b: value */
    JINJA_SET_BLOCK,    /* a: target, b: filters, list */
    JINJA_MACRO,        /* name; a: parameters, each with a default in a, or NULL; list */
    JINJA_CALL_BLOCK,   /* a: parameters; b: the call; list */
    JINJA_FILTER_BLOCK, /* b: filters; list */
    JINJA_WITH,         /* a: SETs; list */
    JINJA_GROUP,        /* list */
    JINJA_BREAK,
    JINJA_CONTINUE,
    JINJA_DO, /* a */
    /* expressions */
    JINJA_LITERAL,     /* value */
    JINJA_NAME,        /* name */
    JINJA_LIST_OF,     /* list */
    JINJA_TUPLE_OF,    /* list */
    JINJA_DICT_OF,     /* list of keys, each with its value in b */
    JINJA_ATTRIBUTE,   /* a.name */
    JINJA_ITEM,        /* a[b] */
    JINJA_SLICE,       /* a[b:c:other], each or NULL */
    JINJA_CALL,        /* a(list) */
    JINJA_KEYWORD,     /* name=a, an argument */
    JINJA_FILTER,      /* a | name(list); a is NULL in a block */
    JINJA_TEST,        /* a is name(list) */
    JINJA_NOT,         /* a */
    JINJA_NEGATIVE,    /* a */
    JINJA_AND,         /* a, b */
    JINJA_OR,          /* a, b */
    JINJA_BINARY,      /* a op b */
    JINJA_COMPARE,     /* a, then list of operands, each compared with the one before by its op */
    JINJA_CONDITIONAL, /* a if b else c, c or NULL */
};

/* Operators are their characters; these have more than one. */
enum {
    JINJA_EQ = 1,
    JINJA_NE,
    JINJA_LE,
    JINJA_GE,
    JINJA_POWER,
    JINJA_FLOOR,
    JINJA_IN,
    JINJA_NOT_IN
};

struct jinja_node {
    enum jinja_node_kind kind;
    int op;
    uint32_t at; /* in the source */
    struct trit_string name;
    struct jinja_value value;
    struct jinja_node *a, *b, *c, *list, *other;
    struct jinja_node *next; /* in a list */
};

enum jinja_token_kind {
    JINJA_T_END,
    JINJA_T_TEXT,
    JINJA_T_BLOCK,     /* {% */
    JINJA_T_BLOCK_END, /* %} */
    JINJA_T_WRITE,     /* {{ */
    JINJA_T_WRITE_END, /* }} */
    JINJA_T_NAME,
    JINJA_T_STRING, /* text: between the quotes, not unescaped */
    JINJA_T_INT,
    JINJA_T_FLOAT,
    JINJA_T_OPERATOR
};

struct jinja_token {
    enum jinja_token_kind kind;
    int op;
    uint32_t at;
    struct trit_string text;
};

/* Split j->source into tokens, the last of which is JINJA_T_END. @return NULL after a failure */
const struct jinja_token *trit_jinja_split(struct jinja *j);

/* Parse j->source. @return a JINJA_GROUP; NULL after a failure */
const struct jinja_node *trit_jinja_parse(struct jinja *j);

#endif
