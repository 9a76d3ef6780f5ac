/* jinja_parse.c - the parser of templates: tokens to a syntax tree. See jinja_syntax.h.
 *
 * Recursive descent. Every function that goes down a level counts it, as memory for calls is
 * bounded. */
#include "jinja_syntax.h"

#include <stdlib.h>

struct parser {
    struct jinja *j;
    const struct jinja_token *t; /* the next token */
};

typedef struct jinja_node node;

static node *parse_expression(struct parser *p);
static node *parse_unary(struct parser *p, bool with_filters);
static node *parse_body(struct parser *p, const char *const *ends);

/* ---- Tokens ---------------------------------------------------------------------------------- */

static void unexpected(struct parser *p, const char *expected)
{
    static const char *const names[] = {
        [JINJA_T_END] = "the end of the template",
        [JINJA_T_TEXT] = "text",
        [JINJA_T_BLOCK] = "{%",
        [JINJA_T_BLOCK_END] = "%}",
        [JINJA_T_WRITE] = "{{",
        [JINJA_T_WRITE_END] = "}}",
        [JINJA_T_STRING] = "a string",
    };
    const char *name = p->t->kind <= JINJA_T_STRING ? names[p->t->kind] : NULL;

    p->j->at = p->t->at;
    if (name)
        trit_jinja_fail(p->j, "found %s, expected %s", name, expected);
    else
        trit_jinja_fail(p->j, "found '%s', expected %s", trit_quote(p->t->text).text, expected);
}

static bool is_op(const struct parser *p, int op)
{
    return p->t->kind == JINJA_T_OPERATOR && p->t->op == op;
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->t->kind == JINJA_T_NAME && trit_string_is(p->t->text, word);
}

static bool take_op(struct parser *p, int op)
{
    const bool found = !p->j->failed && is_op(p, op);
    p->t += found;
    return found;
}

static bool take_word(struct parser *p, const char *word)
{
    const bool found = !p->j->failed && is_word(p, word);
    p->t += found;
    return found;
}

static void expect_op(struct parser *p, int op)
{
    const char text[] = {'\'', (char)op, '\'', 0};
    if (!take_op(p, op))
        unexpected(p, text);
}

static void expect(struct parser *p, enum jinja_token_kind kind, const char *name)
{
    if (p->t->kind != kind)
        unexpected(p, name);
    else
        p->t++;
}

static struct trit_string take_name(struct parser *p, const char *what)
{
    const struct trit_string name = p->t->text;
    expect(p, JINJA_T_NAME, what);
    return name;
}

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* A node at the next token. After a failure, it is a node that nobody looks at. */
static node *make(struct parser *p, enum jinja_node_kind kind)
{
    node *n = trit_jinja_step(p->j, 1) ? trit_jinja_take(p->j, 1, sizeof *n) : NULL;
    if (!n)
        return NULL;
    n->kind = kind;
    n->at = p->t->at;
    return n;
}

static node *make_with(struct parser *p, enum jinja_node_kind kind, node *a, node *b)
{
    node *n = make(p, kind);
    if (!n)
        return NULL;
    n->a = a;
    n->b = b;
    return n;
}

/* Go down a level. @return false: too deep, or failed */
static bool enter(struct parser *p)
{
    if (++p->j->depth > JINJA_MAX_DEPTH) {
        p->j->at = p->t->at;
        trit_jinja_fail(p->j, "the template is nested too deeply");
    }
    return !p->j->failed;
}

static void leave(struct parser *p)
{
    p->j->depth--;
}

/* ---- Literals -------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The number of n hexadecimal digits; UINT32_MAX: there are fewer. */
static uint32_t read_hex(struct trit_string s, size_t n)
{
    uint32_t x = 0;
    if (s.len < n)
        return UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        if (hex_digit(s.bytes[i]) < 0)
            return UINT32_MAX;
        x = x * 16 + (uint32_t)hex_digit(s.bytes[i]);
    }
    return x;
}

/* Write the escape at the start of s, behind the backslash. @return the bytes read; 0: unknown */
static size_t unescape(struct trit_string s, char out[4], size_t *n)
{
    static const char pairs[] = "n\nt\tr\rb\bf\fa\av\v\\\\''\"\"";
    const size_t digits = s.bytes[0] == 'x' ? 2 : s.bytes[0] == 'u' ? 4 : s.bytes[0] == 'U' ? 8 : 0;

    for (size_t i = 0; i + 2 < sizeof pairs; i += 2)
        if (pairs[i] == s.bytes[0]) {
            out[0] = pairs[i + 1];
            *n = 1;
            return 1;
        }
    const uint32_t code =
        digits ? read_hex((struct trit_string){s.bytes + 1, s.len - 1}, digits) : UINT32_MAX;
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *n = trit_utf8_encode(out, code);
    return 1 + digits;
}

static void add_string(struct parser *p, struct jinja_text *out, struct trit_string s)
{
    for (size_t i = 0; i < s.len && !p->j->failed;) {
        const char *slash = memchr(s.bytes + i, '\\', s.len - i);
        const size_t plain = slash ? (size_t)(slash - s.bytes) - i : s.len - i;
        char code[4];
        size_t n = 0;
        trit_jinja_add_bytes(p->j, out, s.bytes + i, plain, TRIT_JINJA_TEMPLATE);
        i += plain;
        if (!slash)
            break;
        const size_t read =
            unescape((struct trit_string){s.bytes + i + 1, s.len - i - 1}, code, &n);
        /* an unknown escape stands for itself, as in Python */
        trit_jinja_add_bytes(p->j, out, read ? code : slash, read ? n : 1, TRIT_JINJA_TEMPLATE);
        i += read ? read + 1 : 1;
    }
}

static node *parse_string(struct parser *p)
{
    struct jinja_text text = {0};
    node *n = make(p, JINJA_LITERAL);

    for (; !p->j->failed && p->t->kind == JINJA_T_STRING; p->t++)
        add_string(p, &text, p->t->text);
    if (n)
        n->value = trit_jinja_text_value(trit_jinja_text_string(&text));
    return n;
}

static node *parse_number(struct parser *p)
{
    const bool is_real = p->t->kind == JINJA_T_FLOAT;
    node *n = make(p, JINJA_LITERAL);
    char digits[64];
    size_t k = 0;

    for (size_t i = 0; i < p->t->text.len && k + 1 < sizeof digits; i++)
        if (p->t->text.bytes[i] != '_')
            digits[k++] = p->t->text.bytes[i];
    digits[k] = 0;
    if (k + 1 == sizeof digits || (!is_real && k > 18))
        unexpected(p, "a number of at most 18 digits");
    if (n)
        n->value = is_real ? JINJA_VALUE(JINJA_FLOAT, real, strtod(digits, NULL))
                           : trit_jinja_int(strtoll(digits, NULL, 10));
    p->t++;
    return n;
}

/* true, false, none, or a name */
static node *parse_name(struct parser *p)
{
    static const struct {
        const char *name;
        struct jinja_value value;
    } constants[] = {
        {"true", {.kind = JINJA_BOOL, .of.truth = true}},
        {"True", {.kind = JINJA_BOOL, .of.truth = true}},
        {"false", {.kind = JINJA_BOOL}},
        {"False", {.kind = JINJA_BOOL}},
        {"none", {.kind = JINJA_NONE}},
        {"None", {.kind = JINJA_NONE}},
    };
    node *n = make(p, JINJA_NAME);

    if (!n)
        return NULL;
    n->name = p->t->text;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (trit_string_is(n->name, constants[i].name)) {
            n->kind = JINJA_LITERAL;
            n->value = constants[i].value;
        }
    p->t++;
    return n;
}

/* Expressions separated by commas, up to and including `end`. */
static node *parse_items(struct parser *p, int end)
{
    node *first = NULL, **last = &first;

    while (!p->j->failed && !take_op(p, end)) {
        node *key = parse_expression(p);
        if (end == '}' && key) {
            expect_op(p, ':');
            key = make_with(p, JINJA_KEYWORD, key, NULL);
            if (key)
                key->b = parse_expression(p);
        }
        if (!key)
            break;
        *last = key;
        last = &key->next;
        if (!is_op(p, end))
            expect_op(p, ',');
    }
    return first;
}

static node *parse_list(struct parser *p, enum jinja_node_kind kind, int end)
{
    node *n = make(p, kind);
    p->t++;
    if (n)
        n->list = parse_items(p, end);
    return n;
}

/* ( expression ) or a tuple */
static node *parse_parentheses(struct parser *p)
{
    node *tuple = make(p, JINJA_TUPLE_OF);

    p->t++;
    if (take_op(p, ')'))
        return tuple;
    node *first = parse_expression(p);
    if (take_op(p, ')') || !tuple || !first)
        return first;
    expect_op(p, ',');
    tuple->list = first;
    first->next = parse_items(p, ')');
    return tuple;
}

static node *parse_primary(struct parser *p)
{
    if (p->t->kind == JINJA_T_NAME)
        return parse_name(p);
    if (p->t->kind == JINJA_T_STRING)
        return parse_string(p);
    if (p->t->kind == JINJA_T_INT || p->t->kind == JINJA_T_FLOAT)
        return parse_number(p);
    if (is_op(p, '('))
        return parse_parentheses(p);
    if (is_op(p, '['))
        return parse_list(p, JINJA_LIST_OF, ']');
    if (is_op(p, '{'))
        return parse_list(p, JINJA_DICT_OF, '}');
    unexpected(p, "a value");
    return NULL;
}

/* ---- Calls, attributes, items, filters, tests ------------------------------------------------ */

/* Arguments up to ')'; the '(' is taken. */
static node *parse_arguments(struct parser *p)
{
    node *first = NULL, **last = &first;

    while (!p->j->failed && !take_op(p, ')')) {
        node *n;
        if (p->t->kind == JINJA_T_NAME && p->t[1].kind == JINJA_T_OPERATOR && p->t[1].op == '=') {
            n = make(p, JINJA_KEYWORD);
            if (n)
                n->name = p->t->text;
            p->t += 2;
            if (n)
                n->a = parse_expression(p);
        } else {
            n = parse_expression(p);
        }
        if (!n)
            break;
        *last = n;
        last = &n->next;
        if (!is_op(p, ')'))
            expect_op(p, ',');
    }
    return first;
}

static node *parse_optional(struct parser *p)
{
    return is_op(p, ':') || is_op(p, ']') ? NULL : parse_expression(p);
}

/* What is between [ and ]; the '[' is taken. */
static node *parse_subscript(struct parser *p, node *of)
{
    node *n = make_with(p, JINJA_ITEM, of, NULL);

    if (!n)
        return NULL;
    n->b = parse_optional(p);
    if (take_op(p, ':')) {
        n->kind = JINJA_SLICE;
        n->c = parse_optional(p);
        if (take_op(p, ':'))
            n->other = parse_optional(p);
    } else if (!n->b) {
        unexpected(p, "an index");
    }
    expect_op(p, ']');
    return n;
}

static node *parse_attribute(struct parser *p, node *of)
{
    node *n = make_with(p, JINJA_ATTRIBUTE, of, NULL);

    if (n && p->t->kind == JINJA_T_INT) { /* list.0 */
        n->kind = JINJA_ITEM;
        n->b = parse_number(p);
    } else if (n) {
        n->name = take_name(p, "a name");
    }
    return n;
}

static node *parse_call(struct parser *p, node *callee)
{
    node *n = make_with(p, JINJA_CALL, callee, NULL);
    if (n)
        n->list = parse_arguments(p);
    return n;
}

static node *parse_filter(struct parser *p, node *of)
{
    node *n = make_with(p, JINJA_FILTER, of, NULL);

    if (!n)
        return NULL;
    n->name = take_name(p, "the name of a filter");
    if (take_op(p, '('))
        n->list = parse_arguments(p);
    return n;
}

/* Whether an argument without parentheses follows, as in "is divisibleby 3". */
static bool has_bare_argument(const struct parser *p)
{
    static const char *const others[] = {"else", "or", "and", "is", "if", "not", "in"};

    if (p->t->kind == JINJA_T_NAME)
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (is_word(p, others[i]))
                return false;
    return p->t->kind == JINJA_T_NAME || p->t->kind == JINJA_T_STRING ||
           p->t->kind == JINJA_T_INT || p->t->kind == JINJA_T_FLOAT || is_op(p, '[') ||
           is_op(p, '{');
}

static node *parse_test(struct parser *p, node *of)
{
    const bool negated = take_word(p, "not");
    node *n = make_with(p, JINJA_TEST, of, NULL);

    if (!n)
        return NULL;
    n->name = take_name(p, "the name of a test");
    if (take_op(p, '('))
        n->list = parse_arguments(p);
    else if (has_bare_argument(p))
        n->list = parse_unary(p, false);
    return negated ? make_with(p, JINJA_NOT, n, NULL) : n;
}

static node *parse_postfix(struct parser *p, node *n)
{
    while (!p->j->failed) {
        if (take_op(p, '.'))
            n = parse_attribute(p, n);
        else if (take_op(p, '['))
            n = parse_subscript(p, n);
        else if (take_op(p, '('))
            n = parse_call(p, n);
        else
            break;
    }
    return n;
}

static node *parse_filters(struct parser *p, node *n)
{
    while (!p->j->failed) {
        if (take_op(p, '|'))
            n = parse_filter(p, n);
        else if (take_word(p, "is"))
            n = parse_test(p, n);
        else if (take_op(p, '('))
            n = parse_call(p, n);
        else
            break;
    }
    return n;
}

/* ---- Operators ------------------------------------------------------------------------------- */

static node *parse_unary(struct parser *p, bool with_filters)
{
    node *n = NULL;

    if (enter(p)) {
        const bool negative = is_op(p, '-');
        if (negative || is_op(p, '+')) {
            n = make(p, JINJA_NEGATIVE);
            p->t++;
            node *of = parse_unary(p, false);
            if (n && negative)
                n->a = of;
            else
                n = of;
        } else {
            n = parse_primary(p);
        }
        n = parse_postfix(p, n);
        if (with_filters)
            n = parse_filters(p, n);
    }
    leave(p);
    return n;
}

/* Binary operators from the one that binds most: a row is a level, 0 ends it. */
static const int levels[][5] = {
    {JINJA_POWER, 0}, {'*', '/', JINJA_FLOOR, '%', 0}, {'~', 0}, {'+', '-', 0}};

static node *parse_level(struct parser *p, int level)
{
    node *n = level < 0 ? parse_unary(p, true) : parse_level(p, level - 1);

    while (level >= 0 && !p->j->failed) {
        const int *op = levels[level];
        while (*op && !is_op(p, *op))
            op++;
        if (!*op)
            break;
        n = make_with(p, JINJA_BINARY, n, NULL);
        p->t++;
        if (n) {
            n->op = *op;
            n->b = parse_level(p, level - 1);
        }
    }
    return n;
}

/* The comparison at the next token, which is taken; 0: none. */
static int take_comparison(struct parser *p)
{
    static const int ops[] = {JINJA_EQ, JINJA_NE, JINJA_LE, JINJA_GE, '<', '>'};

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (take_op(p, ops[i]))
            return ops[i];
    if (take_word(p, "in"))
        return JINJA_IN;
    if (is_word(p, "not") && p->t[1].kind == JINJA_T_NAME && trit_string_is(p->t[1].text, "in")) {
        p->t += 2;
        return JINJA_NOT_IN;
    }
    return 0;
}

static node *parse_comparison(struct parser *p)
{
    const int top = (int)(sizeof levels / sizeof *levels) - 1;
    node *first = parse_level(p, top), *n = NULL, **last = NULL;

    while (!p->j->failed) {
        const struct jinja_token *at = p->t;
        const int op = take_comparison(p);
        if (!op)
            break;
        if (!n) {
            n = make_with(p, JINJA_COMPARE, first, NULL);
            if (!n)
                break;
            n->at = at->at;
            last = &n->list;
        }
        /* a node of its own, as operands may be parts of other lists */
        node *operand = make_with(p, JINJA_KEYWORD, parse_level(p, top), NULL);
        if (!operand)
            break;
        operand->op = op;
        *last = operand;
        last = &operand->next;
    }
    return n ? n : first;
}

static node *parse_not(struct parser *p)
{
    if (!is_word(p, "not"))
        return parse_comparison(p);
    node *n = make(p, JINJA_NOT);
    p->t++;
    if (enter(p) && n)
        n->a = parse_not(p);
    leave(p);
    return n;
}

static node *parse_and(struct parser *p)
{
    node *n = parse_not(p);
    while (take_word(p, "and")) {
        n = make_with(p, JINJA_AND, n, NULL);
        if (n)
            n->b = parse_not(p);
    }
    return n;
}

static node *parse_or(struct parser *p)
{
    node *n = parse_and(p);
    while (take_word(p, "or")) {
        n = make_with(p, JINJA_OR, n, NULL);
        if (n)
            n->b = parse_and(p);
    }
    return n;
}

static node *parse_expression(struct parser *p)
{
    node *n = NULL;

    if (enter(p)) {
        n = parse_or(p);
        while (take_word(p, "if")) {
            node *condition = parse_or(p);
            n = make_with(p, JINJA_CONDITIONAL, n, condition);
            if (n && take_word(p, "else"))
                n->c = parse_expression(p);
        }
    }
    leave(p);
    return n;
}

/* An expression, or a tuple of them without parentheses. */
static node *parse_tuple(struct parser *p)
{
    node *n = make(p, JINJA_TUPLE_OF), *first = parse_expression(p);

    if (!n || !first || !is_op(p, ','))
        return first;
    n->list = first;
    for (node *last = first; last && take_op(p, ',') && p->t->kind != JINJA_T_BLOCK_END;)
        last = last->next = parse_expression(p);
    return n;
}

/* ---- Statements ------------------------------------------------------------------------------ */

static void end_tag(struct parser *p)
{
    expect(p, JINJA_T_BLOCK_END, "%}");
}

/* The body of a block, its end tag with the name, and what else that tag may hold. */
static node *parse_block_body(struct parser *p, const char *end)
{
    const char *const ends[] = {end, NULL};

    end_tag(p);
    node *body = parse_body(p, ends);
    p->t += !p->j->failed; /* the name of the end tag */
    return body;
}

/* A name, or names with commas, in parentheses or not. */
static node *parse_target(struct parser *p)
{
    const bool parentheses = take_op(p, '(');
    node *n = make(p, JINJA_TUPLE_OF), **last = n ? &n->list : NULL;
    int count = 0;

    do {
        node *name = make(p, JINJA_NAME);
        const struct trit_string text = take_name(p, "a name");
        if (!name || p->j->failed)
            return NULL;
        name->name = text;
        *last = name;
        last = &name->next;
        count++;
    } while (take_op(p, ',') && p->t->kind == JINJA_T_NAME);
    if (parentheses)
        expect_op(p, ')');
    return count == 1 && n ? n->list : n;
}

/* if and elif; the word is taken */
static node *parse_if(struct parser *p)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    node *first = make(p, JINJA_IF), *n = first;

    if (n)
        n->a = parse_tuple(p);
    while (n && !p->j->failed) {
        end_tag(p);
        n->list = parse_body(p, ends);
        if (p->j->failed || take_word(p, "endif"))
            break;
        n = n->other = make(p, JINJA_IF);
        if (n && take_word(p, "elif"))
            n->a = parse_tuple(p);
        else if (!take_word(p, "else"))
            break;
    }
    return first;
}

static node *parse_for(struct parser *p)
{
    static const char *const ends[] = {"else", "endfor", NULL}, *const else_ends[] = {"endfor",
                                                                                      NULL};
    node *n = make(p, JINJA_FOR);

    if (!n)
        return NULL;
    n->a = parse_target(p);
    if (!take_word(p, "in"))
        unexpected(p, "'in'");
    /* not a conditional expression: "if" begins the loop's own condition */
    node *items = enter(p) ? parse_or(p) : NULL;
    leave(p);
    n->b = items;
    if (items && is_op(p, ',')) {
        n->b = make(p, JINJA_TUPLE_OF);
        for (node *last = items; last && take_op(p, ',');)
            last = last->next = parse_or(p);
        if (n->b)
            n->b->list = items;
    }
    if (take_word(p, "if"))
        n->c = parse_expression(p);
    if (is_word(p, "recursive"))
        unexpected(p, "%} (recursive loops are not supported)");
    end_tag(p);
    n->list = parse_body(p, ends);
    if (take_word(p, "else")) {
        end_tag(p);
        n->other = make(p, JINJA_GROUP);
        node *body = parse_body(p, else_ends);
        if (n->other)
            n->other->list = body;
    }
    p->t += !p->j->failed;
    return n;
}

static node *parse_block_filters(struct parser *p)
{
    node *first = NULL, **last = &first;

    do {
        node *n = parse_filter(p, NULL);
        if (!n)
            break;
        *last = n;
        last = &n->next;
    } while (take_op(p, '|'));
    return first;
}

static node *parse_set(struct parser *p)
{
    node *n = make(p, JINJA_SET);

    if (!n)
        return NULL;
    n->a = parse_target(p);
    if (take_op(p, '.')) { /* of a namespace */
        node *name = make_with(p, JINJA_ATTRIBUTE, n->a, NULL);
        if (name)
            name->name = take_name(p, "a name");
        n->a = name;
    }
    if (take_op(p, '=')) {
        n->b = parse_tuple(p);
        return n;
    }
    n->kind = JINJA_SET_BLOCK;
    if (take_op(p, '|'))
        n->b = parse_block_filters(p);
    n->list = parse_block_body(p, "endset");
    return n;
}

/* Parameters up to ')'; the '(' is taken. */
static node *parse_parameters(struct parser *p)
{
    node *first = NULL, **last = &first;

    while (!p->j->failed && !take_op(p, ')')) {
        node *n = make(p, JINJA_NAME);
        if (!n)
            break;
        n->name = take_name(p, "the name of a parameter");
        if (take_op(p, '='))
            n->a = parse_expression(p);
        *last = n;
        last = &n->next;
        if (!is_op(p, ')'))
            expect_op(p, ',');
    }
    return first;
}

static node *parse_macro(struct parser *p)
{
    node *n = make(p, JINJA_MACRO);

    if (!n)
        return NULL;
    n->name = take_name(p, "the name of a macro");
    expect_op(p, '(');
    n->a = parse_parameters(p);
    n->list = parse_block_body(p, "endmacro");
    if (p->t->kind == JINJA_T_NAME && !p->j->failed)
        p->t++;
    return n;
}

static node *parse_call_block(struct parser *p)
{
    node *n = make(p, JINJA_CALL_BLOCK);

    if (!n)
        return NULL;
    if (take_op(p, '('))
        n->a = parse_parameters(p);
    n->b = parse_expression(p);
    if (n->b && n->b->kind != JINJA_CALL)
        unexpected(p, "the call of a macro");
    n->list = parse_block_body(p, "endcall");
    return n;
}

static node *parse_filter_block(struct parser *p)
{
    node *n = make(p, JINJA_FILTER_BLOCK);

    if (!n)
        return NULL;
    n->b = parse_block_filters(p);
    n->list = parse_block_body(p, "endfilter");
    return n;
}

static node *parse_with(struct parser *p)
{
    node *n = make(p, JINJA_WITH), **last = n ? &n->a : NULL;

    while (last && !p->j->failed && p->t->kind != JINJA_T_BLOCK_END) {
        node *set = make(p, JINJA_SET);
        if (!set)
            break;
        set->a = parse_target(p);
        expect_op(p, '=');
        set->b = parse_expression(p);
        *last = set;
        last = &set->next;
        if (!take_op(p, ','))
            break;
    }
    if (n)
        n->list = parse_block_body(p, "endwith");
    return n;
}

/* Marks what a model is trained on; it only groups. */
static node *parse_generation(struct parser *p)
{
    node *n = make(p, JINJA_GROUP);
    if (n)
        n->list = parse_block_body(p, "endgeneration");
    return n;
}

static node *parse_do(struct parser *p)
{
    node *n = make(p, JINJA_DO);
    if (n)
        n->a = parse_tuple(p);
    return n;
}

static node *parse_break(struct parser *p)
{
    return make(p, JINJA_BREAK);
}

static node *parse_continue(struct parser *p)
{
    return make(p, JINJA_CONTINUE);
}

static const struct {
    const char *word;
    node *(*parse)(struct parser *p);
} statements[] = {
    {"if", parse_if},
    {"for", parse_for},
    {"set", parse_set},
    {"macro", parse_macro},
    {"call", parse_call_block},
    {"filter", parse_filter_block},
    {"with", parse_with},
    {"generation", parse_generation},
    {"do", parse_do},
    {"break", parse_break},
    {"continue", parse_continue},
};

static node *parse_statement(struct parser *p)
{
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (take_word(p, statements[i].word)) {
            node *n = statements[i].parse(p);
            end_tag(p);
            return n;
        }
    unexpected(p, "a statement");
    return NULL;
}

static bool is_any(const struct parser *p, const char *const *words)
{
    while (*words && !is_word(p, *words))
        words++;
    return *words != NULL;
}

static node *parse_text(struct parser *p)
{
    node *n = make(p, JINJA_TEXT);
    if (n)
        n->value = trit_jinja_string(p->t->text, TRIT_JINJA_TEMPLATE);
    p->t++;
    return n;
}

static node *parse_output(struct parser *p)
{
    node *n = make(p, JINJA_OUTPUT);
    p->t++;
    if (n)
        n->a = parse_tuple(p);
    expect(p, JINJA_T_WRITE_END, "}}");
    return n;
}

/* Neither a text nor a tag follows, but the end of the template. */
static void unexpected_end(struct parser *p, const char *const *ends)
{
    char words[64] = "";

    for (size_t i = 0; ends && ends[i]; i++)
        trit_append(words, sizeof words, "%s%s", i ? " or " : "", ends[i]);
    unexpected(p, ends ? words : "text");
}

/* Statements up to a tag that begins with one of the words `ends`, which is then the next token; or
 * without ends, up to the end of the template. */
static node *parse_body(struct parser *p, const char *const *ends)
{
    node *first = NULL, **last = &first;

    if (enter(p))
        while (!p->j->failed && (ends || p->t->kind != JINJA_T_END)) {
            node *n;
            if (p->t->kind == JINJA_T_TEXT) {
                n = parse_text(p);
            } else if (p->t->kind == JINJA_T_WRITE) {
                n = parse_output(p);
            } else if (p->t->kind == JINJA_T_BLOCK) {
                p->t++;
                if (ends && is_any(p, ends))
                    break;
                n = parse_statement(p);
            } else {
                unexpected_end(p, ends);
                break;
            }
            if (!n)
                break;
            *last = n;
            last = &n->next;
        }
    leave(p);
    return first;
}

const struct jinja_node *trit_jinja_parse(struct jinja *j)
{
    struct parser p = {j, trit_jinja_split(j)};

    if (!p.t)
        return NULL;
    node *n = make(&p, JINJA_GROUP);
    if (n)
        n->list = parse_body(&p, NULL);
    return j->failed ? NULL : n;
}
