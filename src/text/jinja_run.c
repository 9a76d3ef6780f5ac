/* jinja_run.c - runs templates. See jinja.h; the parser is jinja_parse.c. */
#include "jinja_builtins.h"
#include "jinja_syntax.h"

#include <math.h>
#include <stdlib.h>

typedef struct jinja_value value;
typedef const struct jinja_node node;

/* Variables by name. A loop, a macro and a with have scopes of their own. */
struct jinja_scope {
    struct jinja_dict vars;
    struct jinja_scope *parent;
};

/* How a statement ended. */
enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE };

/* Where statements run: their variables, and what they write to. */
struct place {
    struct jinja_scope *scope;
    struct jinja_text *out;
};

static value evaluate(struct jinja *j, struct jinja_scope *scope, node *n);
static enum flow run_list(struct jinja *j, struct place p, node *first);

/* ---- Names ----------------------------------------------------------------------------------- */

static struct jinja_scope *inner_scope(struct jinja *j, struct jinja_scope *parent)
{
    struct jinja_scope *scope = trit_jinja_take(j, 1, sizeof *scope);
    if (scope)
        scope->parent = parent;
    return scope;
}

static void define(struct jinja *j, struct jinja_scope *scope, struct trit_string name, value v)
{
    trit_jinja_put(j, &scope->vars, trit_jinja_string(name, TRIT_JINJA_TEMPLATE), v);
}

static value look_up(struct jinja *j, struct jinja_scope *scope, struct trit_string name)
{
    for (; scope && !j->failed; scope = scope->parent) {
        const value *v = trit_jinja_find_name(j, &scope->vars, name);
        if (v)
            return *v;
    }
    const struct jinja_builtin *builtin = trit_jinja_function(name);
    const bool hidden = trit_string_is(name, "strftime_now") && !j->input->has_now;
    return builtin && !hidden ? trit_jinja_callable(j, builtin, trit_jinja_undefined())
                              : trit_jinja_undefined();
}

/* Give names, or the attribute of a namespace, a value. */
static void assign(struct jinja *j, struct jinja_scope *scope, node *target, value v)
{
    if (target->kind == JINJA_NAME) {
        define(j, scope, target->name, v);
    } else if (target->kind == JINJA_ATTRIBUTE) {
        const value space = evaluate(j, scope, target->a);
        if (space.kind != JINJA_DICT || space.of.dict->use != JINJA_NAMESPACE)
            trit_jinja_fail(j, "only attributes of a namespace can be set");
        else
            trit_jinja_put(j, space.of.dict, trit_jinja_string(target->name, TRIT_JINJA_TEMPLATE),
                           v);
    } else {
        const struct jinja_list *items = trit_jinja_items(j, v);
        size_t n = 0;
        for (node *name = target->list; name; name = name->next)
            n++;
        if (items->n != n)
            trit_jinja_fail(j, "%zu names need %zu values, not %zu", n, n, items->n);
        for (node *name = target->list; name && !j->failed; name = name->next)
            define(j, scope, name->name, items->items[items->n - n--]);
    }
}

/* ---- Operators ------------------------------------------------------------------------------- */

static value no_operator(struct jinja *j, value a, value b)
{
    trit_jinja_fail(j, "this operator does not work with %s and %s", trit_jinja_kind_name(a),
                    trit_jinja_kind_name(b));
    return trit_jinja_undefined();
}

static value joined(struct jinja *j, struct jinja_string a, struct jinja_string b)
{
    struct jinja_text t = {0};
    trit_jinja_add(j, &t, a);
    trit_jinja_add(j, &t, b);
    return trit_jinja_text_value(trit_jinja_text_string(&t));
}

static value joined_lists(struct jinja *j, value a, value b)
{
    value out = trit_jinja_list(j, a.of.list->n + b.of.list->n);
    const struct jinja_list *both[] = {a.of.list, b.of.list};

    out.is_tuple = a.is_tuple;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < both[k]->n && trit_jinja_step(j, 1); i++)
            trit_jinja_append(j, out.of.list, both[k]->items[i]);
    return out;
}

static value repeated(struct jinja *j, value v, int64_t n)
{
    struct jinja_text t = {0};
    value out = trit_jinja_list(j, 0);

    for (int64_t i = 0; i < n && trit_jinja_step(j, 1); i++)
        if (v.kind == JINJA_STRING)
            trit_jinja_add(j, &t, v.of.text);
        else
            out = joined_lists(j, out, v);
    return v.kind == JINJA_STRING ? trit_jinja_text_value(trit_jinja_text_string(&t)) : out;
}

/* Python rounds quotients down, and remainders have the divisor's sign. */
static int64_t floor_quotient(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static value whole_operator(struct jinja *j, int op, int64_t a, int64_t b)
{
    int64_t x = 0;
    bool overflow = false;

    if ((op == JINJA_FLOOR || op == '%') && (b == 0 || b == -1)) {
        if (b == 0)
            trit_jinja_fail(j, "division by zero");
        else if (op == JINJA_FLOOR)
            overflow = __builtin_mul_overflow(a, b, &x);
    } else if (op == '+') {
        overflow = __builtin_add_overflow(a, b, &x);
    } else if (op == '-') {
        overflow = __builtin_sub_overflow(a, b, &x);
    } else if (op == '*') {
        overflow = __builtin_mul_overflow(a, b, &x);
    } else {
        x = op == '%' ? a - floor_quotient(a, b) * b : floor_quotient(a, b);
    }
    if (overflow)
        trit_jinja_fail(j, "the number is too large");
    return trit_jinja_int(x);
}

static value real_operator(struct jinja *j, int op, double a, double b)
{
    if ((op == '/' || op == JINJA_FLOOR || op == '%') && b == 0)
        trit_jinja_fail(j, "division by zero");
    const double x = op == '+'           ? a + b
                     : op == '-'         ? a - b
                     : op == '*'         ? a * b
                     : op == JINJA_POWER ? pow(a, b)
                     : j->failed         ? 0
                     : op == '/'         ? a / b
                     : op == JINJA_FLOOR ? floor(a / b)
                                         : a - floor(a / b) * b;
    return JINJA_VALUE(JINJA_FLOAT, real, x);
}

static value number_operator(struct jinja *j, int op, value a, value b)
{
    const bool whole = a.kind != JINJA_FLOAT && b.kind != JINJA_FLOAT;

    if (whole && op == JINJA_POWER) {
        const value x = real_operator(j, op, trit_jinja_real(a), trit_jinja_real(b));
        return fabs(x.of.real) < 9e15 && trit_jinja_whole(b) >= 0
                   ? trit_jinja_int((int64_t)x.of.real)
                   : x;
    }
    return whole && op != '/' ? whole_operator(j, op, trit_jinja_whole(a), trit_jinja_whole(b))
                              : real_operator(j, op, trit_jinja_real(a), trit_jinja_real(b));
}

static value binary(struct jinja *j, int op, value a, value b)
{
    const bool is_row = a.kind == JINJA_STRING || a.kind == JINJA_LIST;

    if (op == '~')
        return joined(j, trit_jinja_str(j, a), trit_jinja_str(j, b));
    if (op == '%' && a.kind == JINJA_STRING)
        return trit_jinja_format(j, a.of.text, b);
    if (trit_jinja_is_number(a) && trit_jinja_is_number(b))
        return number_operator(j, op, a, b);
    if (op == '+' && a.kind == JINJA_STRING && b.kind == JINJA_STRING)
        return joined(j, a.of.text, b.of.text);
    if (op == '+' && a.kind == JINJA_LIST && b.kind == JINJA_LIST)
        return joined_lists(j, a, b);
    if (op == '*' && is_row && b.kind == JINJA_INT)
        return repeated(j, a, b.of.whole);
    if (op == '*' && a.kind == JINJA_INT && (b.kind == JINJA_STRING || b.kind == JINJA_LIST))
        return repeated(j, b, a.of.whole);
    return no_operator(j, a, b);
}

static bool compare(struct jinja *j, int op, value a, value b)
{
    switch (op) {
    case JINJA_EQ:
        return trit_jinja_equal(j, a, b);
    case JINJA_NE:
        return !trit_jinja_equal(j, a, b);
    case JINJA_IN:
        return trit_jinja_contains(j, b, a);
    case JINJA_NOT_IN:
        return !trit_jinja_contains(j, b, a);
    case '<':
        return trit_jinja_order(j, a, b) < 0;
    case '>':
        return trit_jinja_order(j, a, b) > 0;
    case JINJA_LE:
        return trit_jinja_order(j, a, b) <= 0;
    default:
        return trit_jinja_order(j, a, b) >= 0;
    }
}

/* a < b <= c: each operand is evaluated once, until a comparison fails. */
static value compare_all(struct jinja *j, struct jinja_scope *scope, node *n)
{
    value left = evaluate(j, scope, n->a);
    bool all = true;

    for (node *operand = n->list; operand && all && !j->failed; operand = operand->next) {
        const value right = evaluate(j, scope, operand->a);
        j->at = n->at;
        all = !j->failed && compare(j, operand->op, left, right);
        left = right;
    }
    return trit_jinja_bool(all);
}

static value negative(struct jinja *j, value v)
{
    if (v.kind == JINJA_FLOAT)
        return JINJA_VALUE(JINJA_FLOAT, real, -v.of.real);
    if (trit_jinja_is_number(v))
        return whole_operator(j, '-', 0, trit_jinja_whole(v));
    trit_jinja_fail(j, "%s cannot be negative", trit_jinja_kind_name(v));
    return v;
}

/* ---- Slices ---------------------------------------------------------------------------------- */

/* A bound of a slice as Python reads it: from the end if negative, then cut to lo..hi. */
static int64_t bound(struct jinja *j, struct jinja_scope *scope, node *n, int64_t otherwise,
                     int64_t count, int64_t lo, int64_t hi)
{
    const value v = n ? evaluate(j, scope, n) : (value){.kind = JINJA_NONE};

    if (v.kind == JINJA_NONE || j->failed)
        return otherwise;
    if (v.kind != JINJA_INT) {
        trit_jinja_fail(j, "a slice needs whole numbers, not %s", trit_jinja_kind_name(v));
        return otherwise;
    }
    const int64_t x = v.of.whole + (v.of.whole < 0 ? count : 0);
    return x < lo ? lo : x > hi ? hi : x;
}

static value slice(struct jinja *j, struct jinja_scope *scope, node *n)
{
    const value of = evaluate(j, scope, n->a);
    const struct jinja_list *items = trit_jinja_items(j, of);
    const int64_t count = (int64_t)items->n;
    const int64_t step = bound(j, scope, n->other, 1, 0, -INT32_MAX, INT32_MAX);
    const int64_t lo = step < 0 ? -1 : 0, hi = step < 0 ? count - 1 : count;
    const int64_t from = bound(j, scope, n->b, step < 0 ? hi : lo, count, lo, hi),
                  to = bound(j, scope, n->c, step < 0 ? lo : hi, count, lo, hi);
    value out = trit_jinja_list(j, 0);
    struct jinja_text t = {0};

    out.is_tuple = of.is_tuple;
    if (step == 0)
        trit_jinja_fail(j, "the step of a slice is zero");
    for (int64_t i = from; !j->failed && (step > 0 ? i < to : i > to); i += step)
        if (of.kind == JINJA_STRING)
            trit_jinja_add(j, &t, items->items[i].of.text);
        else
            trit_jinja_append(j, out.of.list, items->items[i]);
    return of.kind == JINJA_STRING ? trit_jinja_text_value(trit_jinja_text_string(&t)) : out;
}

/* ---- Calls ----------------------------------------------------------------------------------- */

static struct jinja_args evaluate_arguments(struct jinja *j, struct jinja_scope *scope, node *first)
{
    struct jinja_args args = {.n = 0};

    for (node *n = first; n && !j->failed; n = n->next) {
        if (n->kind == JINJA_KEYWORD) {
            if (!args.named) {
                const value d = trit_jinja_dict(j);
                args.named = j->failed ? NULL : d.of.dict;
            }
            const value v = evaluate(j, scope, n->a);
            if (!j->failed)
                trit_jinja_put(j, args.named, trit_jinja_string(n->name, TRIT_JINJA_TEMPLATE), v);
        } else if (args.n < JINJA_MAX_ARGS) {
            args.v[args.n++] = evaluate(j, scope, n);
        } else {
            trit_jinja_fail(j, "a call may have at most %d arguments", JINJA_MAX_ARGS);
        }
    }
    return args;
}

static void bind_parameters(struct jinja *j, struct jinja_scope *scope, node *macro,
                            const struct jinja_args *args)
{
    size_t i = 0, used = 0;

    for (node *param = macro->a; param && !j->failed; param = param->next, i++) {
        const value *given = args->named ? trit_jinja_find_name(j, args->named, param->name) : NULL;
        used += given != NULL;
        define(j, scope, param->name,
               i < args->n ? args->v[i]
               : given     ? *given
               : param->a  ? evaluate(j, scope, param->a)
                           : trit_jinja_undefined());
    }
    if (args->n > i || (args->named && args->named->n > used))
        trit_jinja_fail(j, "the macro has no such argument");
}

static value call_macro(struct jinja *j, const struct jinja_callable *c,
                        const struct jinja_args *args, const value *caller)
{
    struct jinja_scope *scope = inner_scope(j, c->scope);
    struct jinja_text out = {0};

    if (scope && caller)
        define(j, scope, trit_string_of("caller"), *caller);
    if (scope) {
        bind_parameters(j, scope, c->macro, args);
        run_list(j, (struct place){scope, &out}, c->macro->list);
    }
    return trit_jinja_text_value(trit_jinja_text_string(&out));
}

/* caller: what the macro may call, or NULL */
static value call(struct jinja *j, struct jinja_scope *scope, node *n, const value *caller)
{
    const value callee = evaluate(j, scope, n->a);
    const struct jinja_args args = evaluate_arguments(j, scope, n->list);

    j->at = n->at;
    if (callee.kind != JINJA_CALLABLE) {
        const struct trit_string name = n->a->name;
        trit_jinja_fail(j, "'%s' is %s and cannot be called",
                        name.len ? trit_quote(name).text : "this", trit_jinja_kind_name(callee));
    }
    if (j->failed)
        return callee;
    const struct jinja_callable *c = callee.of.callable;
    return c->macro ? call_macro(j, c, &args, caller)
                    : trit_jinja_call(j, c->builtin, c->self, &args);
}

static value macro_value(struct jinja *j, struct jinja_scope *scope, node *n)
{
    struct jinja_callable *c = trit_jinja_take(j, 1, sizeof *c);

    if (!c)
        return trit_jinja_undefined();
    c->macro = n;
    c->scope = scope;
    return JINJA_VALUE(JINJA_CALLABLE, callable, c);
}

static value apply_filter(struct jinja *j, struct jinja_scope *scope, node *n, value v)
{
    const struct jinja_builtin *filter = trit_jinja_filter(n->name);
    const struct jinja_args args = evaluate_arguments(j, scope, n->list);

    j->at = n->at;
    if (!filter)
        trit_jinja_fail(j, "there is no filter '%s'", trit_quote(n->name).text);
    return j->failed ? v : trit_jinja_call(j, filter, v, &args);
}

static value apply_filters(struct jinja *j, struct jinja_scope *scope, node *first,
                           const struct jinja_text *t)
{
    value v = trit_jinja_text_value(trit_jinja_text_string(t));
    for (node *n = first; n && !j->failed; n = n->next)
        v = apply_filter(j, scope, n, v);
    return v;
}

static value apply_test(struct jinja *j, struct jinja_scope *scope, node *n)
{
    const struct jinja_builtin *test = trit_jinja_test(n->name);
    const value v = evaluate(j, scope, n->a);
    const struct jinja_args args = evaluate_arguments(j, scope, n->list);

    j->at = n->at;
    if (!test)
        trit_jinja_fail(j, "there is no test '%s'", trit_quote(n->name).text);
    return j->failed ? v : trit_jinja_call(j, test, v, &args);
}

/* ---- Expressions ----------------------------------------------------------------------------- */

static value list_of(struct jinja *j, struct jinja_scope *scope, node *n)
{
    value out = trit_jinja_list(j, 0);

    out.is_tuple = n->kind == JINJA_TUPLE_OF;
    for (node *item = n->list; item && !j->failed; item = item->next)
        trit_jinja_append(j, out.of.list, evaluate(j, scope, item));
    return out;
}

static value dict_of(struct jinja *j, struct jinja_scope *scope, node *n)
{
    const value out = trit_jinja_dict(j);

    for (node *item = n->list; item && !j->failed; item = item->next) {
        const value key = evaluate(j, scope, item->a), v = evaluate(j, scope, item->b);
        if (!j->failed)
            trit_jinja_put(j, out.of.dict, key, v);
    }
    return out;
}

static value either(struct jinja *j, struct jinja_scope *scope, node *n)
{
    const value a = evaluate(j, scope, n->a);
    return trit_jinja_truth(a) == (n->kind == JINJA_OR) ? a : evaluate(j, scope, n->b);
}

static value evaluate_node(struct jinja *j, struct jinja_scope *scope, node *n)
{
    value a, b;

    switch (n->kind) {
    case JINJA_LITERAL:
        return n->value;
    case JINJA_NAME:
        return look_up(j, scope, n->name);
    case JINJA_LIST_OF:
    case JINJA_TUPLE_OF:
        return list_of(j, scope, n);
    case JINJA_DICT_OF:
        return dict_of(j, scope, n);
    case JINJA_ATTRIBUTE:
        a = evaluate(j, scope, n->a);
        j->at = n->at;
        return j->failed ? a : trit_jinja_attribute(j, a, n->name);
    case JINJA_ITEM:
        a = evaluate(j, scope, n->a);
        b = evaluate(j, scope, n->b);
        j->at = n->at;
        return j->failed ? a : trit_jinja_item(j, a, b);
    case JINJA_SLICE:
        return slice(j, scope, n);
    case JINJA_CALL:
        return call(j, scope, n, NULL);
    case JINJA_FILTER:
        a = evaluate(j, scope, n->a);
        return j->failed ? a : apply_filter(j, scope, n, a);
    case JINJA_TEST:
        return apply_test(j, scope, n);
    case JINJA_NOT:
        return trit_jinja_bool(!trit_jinja_truth(evaluate(j, scope, n->a)));
    case JINJA_NEGATIVE:
        return negative(j, evaluate(j, scope, n->a));
    case JINJA_AND:
    case JINJA_OR:
        return either(j, scope, n);
    case JINJA_BINARY:
        a = evaluate(j, scope, n->a);
        b = evaluate(j, scope, n->b);
        j->at = n->at;
        return j->failed ? a : binary(j, n->op, a, b);
    case JINJA_COMPARE:
        return compare_all(j, scope, n);
    case JINJA_CONDITIONAL:
        if (trit_jinja_truth(evaluate(j, scope, n->b)))
            return evaluate(j, scope, n->a);
        return n->c ? evaluate(j, scope, n->c) : trit_jinja_undefined();
    default:
        return trit_jinja_undefined();
    }
}

/* Go down a level. @return false: too deep, or failed. Either way, j->depth goes up. */
static bool enter(struct jinja *j, node *n)
{
    j->at = n->at;
    if (++j->depth > JINJA_MAX_DEPTH)
        trit_jinja_fail(j, "calls are nested too deeply");
    return trit_jinja_step(j, 1);
}

static value evaluate(struct jinja *j, struct jinja_scope *scope, node *n)
{
    const value v = enter(j, n) ? evaluate_node(j, scope, n) : trit_jinja_undefined();
    j->depth--;
    return j->failed ? trit_jinja_undefined() : v;
}

/* ---- Loops ----------------------------------------------------------------------------------- */

enum {
    LOOP_INDEX,
    LOOP_INDEX0,
    LOOP_REVINDEX,
    LOOP_REVINDEX0,
    LOOP_FIRST,
    LOOP_LAST,
    LOOP_LENGTH,
    LOOP_PREVIOUS,
    LOOP_NEXT,
    LOOP_DEPTH,
    LOOP_DEPTH0,
    N_LOOP
};

static value make_loop(struct jinja *j)
{
    static const char *const names[N_LOOP] = {"index",    "index0", "revindex", "revindex0",
                                              "first",    "last",   "length",   "previtem",
                                              "nextitem", "depth",  "depth0"};
    const value loop = trit_jinja_dict(j);

    for (size_t i = 0; i < N_LOOP && !j->failed; i++)
        trit_jinja_put_name(j, loop.of.dict, names[i], trit_jinja_undefined());
    if (!j->failed)
        loop.of.dict->use = JINJA_LOOP;
    return loop;
}

static void update_loop(const struct jinja_dict *loop, const struct jinja_list *items, size_t i)
{
    const int64_t index = (int64_t)i, n = (int64_t)items->n;
    const value now[N_LOOP] = {
        [LOOP_INDEX] = trit_jinja_int(index + 1),
        [LOOP_INDEX0] = trit_jinja_int(index),
        [LOOP_REVINDEX] = trit_jinja_int(n - index),
        [LOOP_REVINDEX0] = trit_jinja_int(n - index - 1),
        [LOOP_FIRST] = trit_jinja_bool(index == 0),
        [LOOP_LAST] = trit_jinja_bool(index == n - 1),
        [LOOP_LENGTH] = trit_jinja_int(n),
        [LOOP_PREVIOUS] = i > 0 ? items->items[i - 1] : trit_jinja_undefined(),
        [LOOP_NEXT] = i + 1 < items->n ? items->items[i + 1] : trit_jinja_undefined(),
        [LOOP_DEPTH] = trit_jinja_int(1),
        [LOOP_DEPTH0] = trit_jinja_int(0),
    };
    for (size_t k = 0; k < N_LOOP; k++)
        loop->items[k].value = now[k];
}

/* The items of a loop that fulfill its condition. */
static const struct jinja_list *loop_items(struct jinja *j, struct jinja_scope *scope, node *n)
{
    const struct jinja_list *all = trit_jinja_items(j, evaluate(j, scope, n->b));

    if (!n->c || j->failed)
        return all;
    const value chosen = trit_jinja_list(j, 0);
    struct jinja_scope *inner = inner_scope(j, scope);
    for (size_t i = 0; i < all->n && !j->failed; i++) {
        assign(j, inner, n->a, all->items[i]);
        if (trit_jinja_truth(evaluate(j, inner, n->c)))
            trit_jinja_append(j, chosen.of.list, all->items[i]);
    }
    return j->failed ? j->nothing : chosen.of.list;
}

static void run_loop(struct jinja *j, struct place p, node *n)
{
    /* a list that the loop itself extends is not followed */
    const struct jinja_list items = *loop_items(j, p.scope, n);
    const value loop = make_loop(j);
    struct jinja_scope *scope = inner_scope(j, p.scope);
    enum flow flow = FLOW_ON;

    for (size_t i = 0; i < items.n && !j->failed && flow != FLOW_BREAK; i++) {
        scope->vars.n = 0;
        update_loop(loop.of.dict, &items, i);
        define(j, scope, trit_string_of("loop"), loop);
        assign(j, scope, n->a, items.items[i]);
        flow = run_list(j, (struct place){scope, p.out}, n->list);
    }
    if (!items.n && n->other && !j->failed)
        run_list(j, p, n->other->list);
}

/* ---- Statements ------------------------------------------------------------------------------ */

static enum flow run_if(struct jinja *j, struct place p, node *n)
{
    for (; n && !j->failed; n = n->other)
        if (!n->a || trit_jinja_truth(evaluate(j, p.scope, n->a)))
            return run_list(j, p, n->list);
    return FLOW_ON;
}

static enum flow run_with(struct jinja *j, struct place p, node *n)
{
    struct jinja_scope *scope = inner_scope(j, p.scope);

    for (node *set = n->a; set && !j->failed; set = set->next)
        assign(j, scope, set->a, evaluate(j, p.scope, set->b));
    return j->failed ? FLOW_ON : run_list(j, (struct place){scope, p.out}, n->list);
}

static void run_call_block(struct jinja *j, struct place p, node *n)
{
    const value caller = macro_value(j, p.scope, n);
    const value v = call(j, p.scope, n->b, &caller);
    if (!j->failed)
        trit_jinja_add_value(j, p.out, v, false);
}

/* The body of a set or filter block, as text. */
static value captured(struct jinja *j, struct place p, node *n)
{
    struct jinja_text t = {0};
    run_list(j, (struct place){p.scope, &t}, n->list);
    return apply_filters(j, p.scope, n->b, &t);
}

static enum flow run_node(struct jinja *j, struct place p, node *n)
{
    value v;

    switch (n->kind) {
    case JINJA_TEXT:
        trit_jinja_add(j, p.out, n->value.of.text);
        break;
    case JINJA_OUTPUT:
        v = evaluate(j, p.scope, n->a);
        if (!j->failed)
            trit_jinja_add_value(j, p.out, v, false);
        break;
    case JINJA_IF:
        return run_if(j, p, n);
    case JINJA_FOR:
        run_loop(j, p, n);
        break;
    case JINJA_SET:
        v = evaluate(j, p.scope, n->b);
        if (!j->failed)
            assign(j, p.scope, n->a, v);
        break;
    case JINJA_SET_BLOCK:
        v = captured(j, p, n);
        if (!j->failed)
            assign(j, p.scope, n->a, v);
        break;
    case JINJA_MACRO:
        define(j, p.scope, n->name, macro_value(j, p.scope, n));
        break;
    case JINJA_CALL_BLOCK:
        run_call_block(j, p, n);
        break;
    case JINJA_FILTER_BLOCK:
        v = captured(j, p, n);
        if (!j->failed)
            trit_jinja_add_value(j, p.out, v, false);
        break;
    case JINJA_WITH:
        return run_with(j, p, n);
    case JINJA_GROUP:
        return run_list(j, p, n->list);
    case JINJA_BREAK:
        return FLOW_BREAK;
    case JINJA_CONTINUE:
        return FLOW_CONTINUE;
    case JINJA_DO:
        evaluate(j, p.scope, n->a);
        break;
    default:
        break;
    }
    return FLOW_ON;
}

static enum flow run_list(struct jinja *j, struct place p, node *first)
{
    enum flow flow = FLOW_ON;

    for (node *n = first; n && flow == FLOW_ON && !j->failed; n = n->next) {
        if (enter(j, n))
            flow = run_node(j, p, n);
        j->depth--;
    }
    return flow;
}

/* ---- Input ----------------------------------------------------------------------------------- */

/* Roles are names that a template may use in its markers, as in '<|' + role + '|>'. */
static bool is_known_role(struct trit_string role)
{
    static const char *const roles[] = {"system", "developer", "user", "assistant", "tool"};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (trit_string_is(role, roles[i]))
            return true;
    return false;
}

/* The content of an answer, whose bytes are numbered from *from on. */
static value answer_text(struct jinja *j, struct trit_string text, size_t *from)
{
    uint32_t *origin = trit_jinja_take(j, text.len + 1, sizeof *origin);

    for (size_t i = 0; origin && i < text.len; i++)
        origin[i] = (uint32_t)(TRIT_JINJA_ANSWERS + *from + i);
    *from += text.len;
    return trit_jinja_text_value(
        (struct jinja_string){text.bytes ? text.bytes : "", text.len, origin, 0});
}

static value message_value(struct jinja *j, const struct trit_message *m, size_t *answers)
{
    static const char *const roles[] = {
        [TRIT_ROLE_SYSTEM] = "system",
        [TRIT_ROLE_USER] = "user",
        [TRIT_ROLE_ASSISTANT] = "assistant",
    };
    const value d = trit_jinja_dict(j);

    if (j->failed)
        return d;
    trit_jinja_put_name(j, d.of.dict, "role",
                        trit_jinja_string(trit_string_of(roles[m->role]), TRIT_JINJA_TEMPLATE));
    trit_jinja_put_name(j, d.of.dict, "content",
                        m->role == TRIT_ROLE_ASSISTANT
                            ? answer_text(j, m->text, answers)
                            : trit_jinja_string(m->text, TRIT_JINJA_DATA));
    return d;
}

/* Give the strings of a message from JSON their origins. */
static void mark_message(struct jinja *j, value message, size_t *answers)
{
    if (message.kind != JINJA_DICT)
        return;
    value *role = trit_jinja_find_name(j, message.of.dict, trit_string_of("role")),
          *content = trit_jinja_find_name(j, message.of.dict, trit_string_of("content"));
    if (j->failed || !role || role->kind != JINJA_STRING)
        return;
    const struct trit_string name = trit_jinja_plain(role->of.text);
    if (is_known_role(name))
        role->of.text.from = TRIT_JINJA_TEMPLATE;
    if (trit_string_is(name, "assistant") && content && content->kind == JINJA_STRING)
        *content = answer_text(j, trit_jinja_plain(content->of.text), answers);
}

static value messages_value(struct jinja *j, const struct trit_jinja_input *in)
{
    size_t answers = 0;
    value list;

    if (in->json) {
        list = trit_jinja_from_json(j, in->json);
        for (size_t i = 0; !j->failed && list.kind == JINJA_LIST && i < list.of.list->n; i++)
            mark_message(j, list.of.list->items[i], &answers);
        return list;
    }
    list = trit_jinja_list(j, (size_t)in->n);
    for (int32_t i = 0; i < in->n && !j->failed; i++)
        trit_jinja_append(j, list.of.list, message_value(j, &in->messages[i], &answers));
    return list;
}

static void define_input(struct jinja *j, const struct trit_jinja_input *in)
{
    const value none = {.kind = JINJA_NONE};
    struct jinja_dict *vars = &j->globals->vars;

    trit_jinja_put_name(j, vars, "messages", messages_value(j, in));
    trit_jinja_put_name(j, vars, "tools", in->tools ? trit_jinja_from_json(j, in->tools) : none);
    trit_jinja_put_name(j, vars, "documents", none);
    trit_jinja_put_name(j, vars, "add_generation_prompt",
                        trit_jinja_bool(in->add_generation_prompt));
    if (in->enable_thinking >= 0)
        trit_jinja_put_name(j, vars, "enable_thinking", trit_jinja_bool(in->enable_thinking));
    if (in->bos_token.len)
        trit_jinja_put_name(j, vars, "bos_token",
                            trit_jinja_string(in->bos_token, TRIT_JINJA_TEMPLATE));
    if (in->eos_token.len)
        trit_jinja_put_name(j, vars, "eos_token",
                            trit_jinja_string(in->eos_token, TRIT_JINJA_TEMPLATE));
}

/* ---- Rendering ------------------------------------------------------------------------------- */

/* A copy of the source with \n for \r\n, and without a last newline. */
static void take_source(struct jinja *j, struct trit_string source)
{
    char *copy = trit_jinja_take(j, source.len + 1, 1);
    size_t n = 0;

    for (size_t i = 0; copy && i < source.len; i++)
        if (source.bytes[i] != '\r' || i + 1 == source.len || source.bytes[i + 1] != '\n')
            copy[n++] = source.bytes[i];
    n -= copy && n && copy[n - 1] == '\n';
    j->source = (struct trit_string){copy, copy ? n : 0};
}

/* The tree of a template; NULL after a failure. Call trit_jinja_release() either way. */
static node *begin(struct jinja *j, struct trit_string source, size_t n_data)
{
    j->limit = ((size_t)64 << 20) + 64 * n_data;
    j->nothing = trit_jinja_take(j, 1, sizeof *j->nothing);
    if (source.len > JINJA_MAX_SOURCE)
        trit_jinja_fail(j, "a template of %zu bytes is too long", source.len);
    take_source(j, source);
    return j->failed ? NULL : trit_jinja_parse(j);
}

static size_t count_data(const struct trit_jinja_input *in)
{
    size_t n = 0;
    for (int32_t i = 0; i < in->n; i++)
        n += in->messages[i].text.len;
    return n;
}

/* A copy that outlives the rendering. */
static void hand_over(struct jinja *j, struct trit_jinja_output *out, const struct jinja_text *t)
{
    out->text = malloc(t->n + 1);
    out->origin = malloc((t->n + 1) * sizeof *out->origin);
    if (!out->text || !out->origin) {
        trit_jinja_free(out);
        j->status = trit_fail_memory(j->err, t->n * 5, "the conversation");
        return;
    }
    if (t->n) {
        memcpy(out->text, t->bytes, t->n);
        memcpy(out->origin, t->origin, t->n * sizeof *out->origin);
    }
    out->len = t->n;
}

trit_status trit_jinja_render(struct trit_jinja_output *out, struct trit_string source,
                              const struct trit_jinja_input *input, struct trit_error *err)
{
    struct jinja j = {.err = err, .input = input};
    struct jinja_text text = {0};
    node *tree = begin(&j, source, count_data(input));

    *out = (struct trit_jinja_output){0};
    j.globals = inner_scope(&j, NULL);
    if (tree && j.globals) {
        j.depth = 0;
        define_input(&j, input);
        run_list(&j, (struct place){j.globals, &text}, tree->list);
    }
    if (!j.failed)
        hand_over(&j, out, &text);
    trit_jinja_release(&j);
    return j.status;
}

void trit_jinja_free(struct trit_jinja_output *out)
{
    free(out->text);
    free(out->origin);
    *out = (struct trit_jinja_output){0};
}

trit_status trit_jinja_check(struct trit_string source, struct trit_error *err)
{
    struct jinja j = {.err = err};

    begin(&j, source, 0);
    trit_jinja_release(&j);
    return j.status;
}
