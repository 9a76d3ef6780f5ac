/* pickle.c - a bounded reader of untrusted pickles; see pickle.h.
 *
 * A stack machine. Each opcode pushes at most one value, and each item of a container was pushed
 * before, so memory is bounded by the number of opcodes. Containers are lists of cells that refer
 * to values by index; nothing here follows them, so circles do no harm. */
#include "pickle.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

enum { MAX_ITEMS = 1 << 20 }; /* values, cells, and entries of the stack and of the memo */

#define NONE UINT32_MAX /* no cell; an unset entry of the memo; on the stack, a mark */

struct trit_pickle_cell {
    uint32_t value, next;
};

/* A stack of indices. */
struct indices {
    uint32_t *at; /* [room] */
    uint32_t n, room;
};

struct machine {
    struct trit_pickle *out;
    const uint8_t *data;
    size_t size, at, op; /* op: where the opcode is */
    const struct trit_pickle_global *globals;
    size_t n_globals;
    struct indices stack, memo;
    uint32_t value_room, cell_room;
    bool done;
    const char *path;
    struct trit_error *err;
};

/* ---- Errors and memory ----------------------------------------------------------------------- */

static trit_status damaged(const struct machine *m, const char *what)
{
    return trit_fail(m->err, TRIT_E_FILE, "%s: its pickle is damaged: %s (byte %zu)", m->path, what,
                     m->op);
}

/* Make room for item n of an array of items of `bytes`. */
static trit_status grow(const struct machine *m, void **array, uint32_t n, uint32_t *room,
                        size_t bytes)
{
    uint32_t more = *room ? *room : 256;

    if (n < *room)
        return TRIT_OK;
    if (n >= MAX_ITEMS)
        return trit_fail(m->err, TRIT_E_UNSUPPORTED,
                         "%s: its pickle has more than %d values; that of a model's tensors is far "
                         "smaller",
                         m->path, MAX_ITEMS);
    while (more <= n)
        more *= 2;
    void *p = realloc(*array, more * bytes);
    if (!p)
        return trit_fail_memory(m->err, more * bytes, "a pickle");
    *array = p;
    *room = more;
    return TRIT_OK;
}

static trit_status push_index(const struct machine *m, struct indices *s, uint32_t index)
{
    void *at = s->at;
    const trit_status status = grow(m, &at, s->n, &s->room, sizeof *s->at);

    s->at = at;
    if (!status)
        s->at[s->n++] = index;
    return status;
}

/* Push a new value. */
static trit_status push(struct machine *m, struct trit_pickle_value value)
{
    void *values = m->out->values;
    const trit_status status =
        grow(m, &values, m->out->n_values, &m->value_room, sizeof *m->out->values);

    m->out->values = values;
    if (status)
        return status;
    m->out->values[m->out->n_values] = value;
    return push_index(m, &m->stack, m->out->n_values++);
}

static trit_status push_number(struct machine *m, int64_t x)
{
    return push(m, (struct trit_pickle_value){.kind = TRIT_PICKLE_NUMBER, .number = x});
}

/* An empty one, for those that hold items. */
static trit_status push_kind(struct machine *m, enum trit_pickle_kind kind)
{
    return push(m, (struct trit_pickle_value){.kind = kind, .first = NONE, .last = NONE});
}

/* Append a value to a tuple or dict. */
static trit_status append(struct machine *m, uint32_t owner, uint32_t value)
{
    struct trit_pickle *out = m->out;
    void *cells = out->cells;
    const trit_status status = grow(m, &cells, out->n_cells, &m->cell_room, sizeof *out->cells);

    out->cells = cells;
    if (status)
        return status;
    struct trit_pickle_value *v = &out->values[owner];
    out->cells[out->n_cells] = (struct trit_pickle_cell){value, NONE};
    *(v->n_items ? &out->cells[v->last].next : &v->first) = out->n_cells;
    v->last = out->n_cells++;
    v->n_items++;
    return TRIT_OK;
}

/* ---- Stack ----------------------------------------------------------------------------------- */

/* The value that is `below` the top, or NULL if there is none or it is a mark. */
static struct trit_pickle_value *top(const struct machine *m, uint32_t below)
{
    if (m->stack.n <= below || m->stack.at[m->stack.n - 1 - below] == NONE)
        return NULL;
    return &m->out->values[m->stack.at[m->stack.n - 1 - below]];
}

/* The number of values above the topmost mark. @return false if there is no mark */
static bool count_to_mark(const struct machine *m, uint32_t *n)
{
    for (*n = 0; *n < m->stack.n; ++*n)
        if (m->stack.at[m->stack.n - 1 - *n] == NONE)
            return true;
    return false;
}

/* Replace the top n values, and perhaps the mark below them, by a tuple of the values. */
static trit_status make_tuple(struct machine *m, uint32_t n, bool drop_mark)
{
    const uint32_t owner = m->out->n_values, first = m->stack.n - n;
    trit_status status;

    if (n > m->stack.n || (n && !top(m, n - 1)))
        return damaged(m, "values are missing for a tuple");
    if ((status = push_kind(m, TRIT_PICKLE_TUPLE)))
        return status;
    for (uint32_t i = first; i < first + n && !status; i++)
        status = m->stack.at[i] == NONE ? damaged(m, "a mark is in a tuple")
                                        : append(m, owner, m->stack.at[i]);
    m->stack.n = first - drop_mark;
    m->stack.at[m->stack.n++] = owner;
    return status;
}

static trit_status tuple_to_mark(struct machine *m)
{
    uint32_t n;
    return count_to_mark(m, &n) ? make_tuple(m, n, true) : damaged(m, "a mark is missing");
}

/* Move the top n values, or those down to a mark, into the container below them. */
static trit_status add_items(struct machine *m, enum trit_pickle_kind kind, uint32_t n, bool marked)
{
    const uint32_t first = m->stack.n - n;
    trit_status status = TRIT_OK;

    const struct trit_pickle_value *owner = n <= m->stack.n ? top(m, n + marked) : NULL;
    if (!owner || owner->kind != kind)
        return damaged(m, "items without their container");
    if (kind == TRIT_PICKLE_DICT && n % 2)
        return damaged(m, "a key without a value");
    const uint32_t index = (uint32_t)(owner - m->out->values);
    for (uint32_t i = first; i < first + n && !status; i++)
        status = m->stack.at[i] == NONE ? damaged(m, "a mark is among items")
                                        : append(m, index, m->stack.at[i]);
    m->stack.n = first - marked;
    return status;
}

static trit_status add_to_mark(struct machine *m, enum trit_pickle_kind kind)
{
    uint32_t n;
    return count_to_mark(m, &n) ? add_items(m, kind, n, true) : damaged(m, "a mark is missing");
}

static trit_status memoize(struct machine *m, uint64_t index)
{
    if (!top(m, 0))
        return damaged(m, "nothing to remember");
    if (index >= MAX_ITEMS)
        return damaged(m, "a number of the memo is too large");
    while (m->memo.n <= index) {
        const trit_status status = push_index(m, &m->memo, NONE);
        if (status)
            return status;
    }
    m->memo.at[index] = m->stack.at[m->stack.n - 1];
    return TRIT_OK;
}

static trit_status recall(struct machine *m, uint64_t index)
{
    if (index >= m->memo.n || m->memo.at[index] == NONE)
        return damaged(m, "nothing has that number in the memo");
    return push_index(m, &m->stack, m->memo.at[index]);
}

/* ---- Names and calls ------------------------------------------------------------------------- */

static trit_status push_global(struct machine *m, struct trit_string module,
                               struct trit_string name)
{
    for (size_t i = 0; i < m->n_globals; i++)
        if (trit_string_is(module, m->globals[i].module) &&
            trit_string_is(name, m->globals[i].name))
            return push(
                m, (struct trit_pickle_value){.kind = TRIT_PICKLE_GLOBAL, .global = (uint32_t)i});
    return trit_fail(
        m->err, TRIT_E_UNSUPPORTED,
        "%s: its pickle asks for '%s.%s', which is not of a plain tensor; refused, and "
        "nothing was run. Save the tensors alone, as model.safetensors or by "
        "torch.save(model.state_dict(), …)",
        m->path, trit_quote(module).text, trit_quote(name).text);
}

static trit_status stack_global(struct machine *m)
{
    const struct trit_pickle_value *module = top(m, 1), *name = top(m, 0);

    if (!module || !name || module->kind != TRIT_PICKLE_TEXT || name->kind != TRIT_PICKLE_TEXT)
        return damaged(m, "a name that is not a text");
    m->stack.n -= 2;
    return push_global(m, module->text, name->text);
}

/* Replace a name and the tuple above it by a call. */
static trit_status reduce(struct machine *m)
{
    const struct trit_pickle_value *callee = top(m, 1), *args = top(m, 0);

    if (!callee || !args || callee->kind != TRIT_PICKLE_GLOBAL || args->kind != TRIT_PICKLE_TUPLE)
        return damaged(m, "a call of something that is not a name, or without a tuple");
    const struct trit_pickle_value call = {
        .kind = TRIT_PICKLE_CALL, .global = callee->global, .first = m->stack.at[m->stack.n - 1]};
    const bool is_dict = m->globals[callee->global].makes_dict;
    if (is_dict && args->n_items)
        return trit_fail(m->err, TRIT_E_UNSUPPORTED,
                         "%s: its pickle calls %s.%s with arguments, which was the way of Python 2",
                         m->path, m->globals[callee->global].module,
                         m->globals[callee->global].name);
    m->stack.n -= 2;
    return is_dict ? push_kind(m, TRIT_PICKLE_DICT) : push(m, call);
}

/* Replace a tuple by what it describes. */
static trit_status push_outside(struct machine *m)
{
    const struct trit_pickle_value *id = top(m, 0);

    if (!id || id->kind != TRIT_PICKLE_TUPLE)
        return damaged(m, "a reference that is not a tuple");
    m->stack.n--;
    return push(m, (struct trit_pickle_value){.kind = TRIT_PICKLE_OUTSIDE,
                                              .first = m->stack.at[m->stack.n]});
}

/* Attributes of a dict, such as a state_dict's _metadata, are of no use here. */
static trit_status drop_attributes(struct machine *m)
{
    const struct trit_pickle_value *object = top(m, 1);

    if (!object || !top(m, 0) || object->kind != TRIT_PICKLE_DICT)
        return damaged(m, "attributes of something that is not a dict");
    m->stack.n--;
    return TRIT_OK;
}

static trit_status pop(struct machine *m)
{
    if (!m->stack.n)
        return damaged(m, "the stack is empty");
    m->stack.n--;
    return TRIT_OK;
}

static trit_status stop(struct machine *m)
{
    if (m->stack.n != 1 || !top(m, 0))
        return damaged(m, "its end does not leave one value");
    m->out->root = m->stack.at[0];
    m->done = true;
    return TRIT_OK;
}

/* ---- Opcodes --------------------------------------------------------------------------------- */

/* Take n bytes. NULL: there are fewer. */
static const uint8_t *take(struct machine *m, uint64_t n)
{
    const uint8_t *p = m->data + m->at;

    if (n > m->size - m->at)
        return NULL;
    m->at += (size_t)n;
    return p;
}

static trit_status cut_off(const struct machine *m)
{
    return trit_fail(m->err, TRIT_E_FILE, "%s: its pickle ends early, at byte %zu", m->path,
                     m->size);
}

/* Take a little-endian number of n bytes. */
static bool take_number(struct machine *m, unsigned n, uint64_t *x)
{
    const uint8_t *p = take(m, n);

    *x = 0;
    for (unsigned i = 0; p && i < n; i++)
        *x |= (uint64_t)p[i] << 8 * i;
    return p;
}

/* Take a line, without its end. */
static bool take_line(struct machine *m, struct trit_string *line)
{
    const uint8_t *p = m->data + m->at;
    const uint8_t *newline = memchr(p, '\n', m->size - m->at);

    if (!newline)
        return false;
    *line = (struct trit_string){(const char *)p, (size_t)(newline - p)};
    m->at += line->len + 1;
    return true;
}

/* An integer of n bytes, in two's complement. */
static trit_status push_long(struct machine *m, uint64_t n)
{
    uint64_t x;

    if (n > 8)
        return damaged(m, "an integer has more than 64 bits");
    if (!take_number(m, (unsigned)n, &x))
        return cut_off(m);
    if (n && n < 8 && x >> (8 * n - 1))
        x |= UINT64_MAX << 8 * n;
    return push_number(m, (int64_t)x);
}

static trit_status push_bytes(struct machine *m, enum trit_pickle_kind kind, uint64_t n)
{
    const uint8_t *p = take(m, n);

    if (!p)
        return cut_off(m);
    return push(m, (struct trit_pickle_value){.kind = kind, .text = {(const char *)p, (size_t)n}});
}

static trit_status global_lines(struct machine *m)
{
    struct trit_string module, name;

    if (!take_line(m, &module) || !take_line(m, &name))
        return cut_off(m);
    return push_global(m, module, name);
}

static trit_status unknown(const struct machine *m)
{
    return trit_fail(m->err, TRIT_E_UNSUPPORTED,
                     "%s: its pickle has opcode 0x%02x at byte %zu, which is not of plain tensors; "
                     "refused, and nothing was run",
                     m->path, m->data[m->op], m->op);
}

/* Opcodes with an operand: its bytes, a number that is the value or the length of one. */
static unsigned operand_bytes(uint8_t op)
{
    static const struct {
        uint8_t op, n_bytes;
    } all[] = {{0x80, 1}, {0x95, 8}, {'q', 1},  {'r', 4}, {'h', 1},  {'j', 4},
               {'K', 1},  {'M', 2},  {'J', 4},  {'G', 8}, {0x8a, 1}, {0x8b, 4},
               {0x8c, 1}, {'X', 4},  {0x8d, 8}, {'C', 1}, {'B', 4},  {0x8e, 8}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].op == op)
            return all[i].n_bytes;
    return 0;
}

/* The opcodes that push a value or name one, by their letter in Python's pickletools. x: the
 * operand. */
static trit_status run_value(struct machine *m, uint8_t op, uint64_t x)
{
    trit_status status;

    switch (op) {
    case 'N': /* NONE */
    case 'G': /* BINFLOAT */
        return push_kind(m, TRIT_PICKLE_OTHER);
    case 0x88: /* NEWTRUE */
    case 0x89: /* NEWFALSE */
        return push_number(m, op == 0x88);
    case 'K': /* BININT1 */
    case 'M': /* BININT2 */
        return push_number(m, (int64_t)x);
    case 'J': /* BININT */
        return push_number(m, (int32_t)(uint32_t)x);
    case 0x8a: /* LONG1 */
    case 0x8b: /* LONG4 */
        return push_long(m, x);
    case 0x8c: /* SHORT_BINUNICODE */
    case 'X':  /* BINUNICODE */
    case 0x8d: /* BINUNICODE8 */
        return push_bytes(m, TRIT_PICKLE_TEXT, x);
    case 'C':  /* SHORT_BINBYTES */
    case 'B':  /* BINBYTES */
    case 0x8e: /* BINBYTES8 */
        return push_bytes(m, TRIT_PICKLE_OTHER, x);
    case '}': /* EMPTY_DICT */
        return push_kind(m, TRIT_PICKLE_DICT);
    case ')': /* EMPTY_TUPLE */
    case ']': /* EMPTY_LIST */
        return push_kind(m, TRIT_PICKLE_TUPLE);
    case 'c': /* GLOBAL */
    case 'i': /* INST: a call, which begins with a name; no known name is called so */
        status = global_lines(m);
        return status || op == 'c' ? status : unknown(m);
    default:
        return unknown(m);
    }
}

/* The opcodes that work on the stack; the others go on to run_value(). */
static trit_status run(struct machine *m, uint8_t op, uint64_t x)
{
    switch (op) {
    case 0x80: /* PROTO */
        return x <= 5 ? TRIT_OK : damaged(m, "its protocol is unknown");
    case 0x95: /* FRAME */
        return x <= m->size - m->at ? TRIT_OK : cut_off(m);
    case '(': /* MARK */
        return push_index(m, &m->stack, NONE);
    case '0': /* POP */
        return pop(m);
    case 'q': /* BINPUT */
    case 'r': /* LONG_BINPUT */
        return memoize(m, x);
    case 0x94: /* MEMOIZE */
        return memoize(m, m->memo.n);
    case 'h': /* BINGET */
    case 'j': /* LONG_BINGET */
        return recall(m, x);
    case 't': /* TUPLE */
        return tuple_to_mark(m);
    case 0x85: /* TUPLE1, TUPLE2, TUPLE3 */
    case 0x86:
    case 0x87:
        return make_tuple(m, op - 0x84u, false);
    case 'a': /* APPEND */
        return add_items(m, TRIT_PICKLE_TUPLE, 1, false);
    case 'e': /* APPENDS */
        return add_to_mark(m, TRIT_PICKLE_TUPLE);
    case 's': /* SETITEM */
        return add_items(m, TRIT_PICKLE_DICT, 2, false);
    case 'u': /* SETITEMS */
        return add_to_mark(m, TRIT_PICKLE_DICT);
    case 0x93: /* STACK_GLOBAL */
        return stack_global(m);
    case 'R': /* REDUCE */
        return reduce(m);
    case 'Q': /* BINPERSID */
        return push_outside(m);
    case 'b': /* BUILD */
        return drop_attributes(m);
    case '.': /* STOP */
        return stop(m);
    default:
        return run_value(m, op, x);
    }
}

static trit_status step(struct machine *m)
{
    const uint8_t *op = take(m, 1);
    uint64_t x = 0;

    m->op = m->at - 1;
    if (!op || !take_number(m, operand_bytes(*op), &x))
        return cut_off(m);
    return run(m, *op, x);
}

/* ---- Interface ------------------------------------------------------------------------------- */

trit_status trit_pickle_read(struct trit_pickle *out, const uint8_t *data, size_t size,
                             const struct trit_pickle_global *globals, size_t n_globals,
                             const char *path, struct trit_error *err)
{
    struct machine m = {.out = out,
                        .data = data,
                        .size = size,
                        .globals = globals,
                        .n_globals = n_globals,
                        .path = path,
                        .err = err};
    trit_status status = TRIT_OK;

    *out = (struct trit_pickle){0};
    while (!m.done && !status)
        status = step(&m);
    free(m.stack.at);
    free(m.memo.at);
    if (status)
        trit_pickle_free(out);
    return status;
}

void trit_pickle_free(struct trit_pickle *p)
{
    free(p->values);
    free(p->cells);
    *p = (struct trit_pickle){0};
}

struct trit_pickle_items trit_pickle_items(const struct trit_pickle *p,
                                           const struct trit_pickle_value *v)
{
    return (struct trit_pickle_items){p, v->n_items ? v->first : NONE};
}

const struct trit_pickle_value *trit_pickle_next(struct trit_pickle_items *items)
{
    if (items->cell == NONE)
        return NULL;
    const struct trit_pickle_cell *cell = &items->pickle->cells[items->cell];
    items->cell = cell->next;
    return &items->pickle->values[cell->value];
}

const struct trit_pickle_value *trit_pickle_args(const struct trit_pickle *p,
                                                 const struct trit_pickle_value *v)
{
    return &p->values[v->first];
}
