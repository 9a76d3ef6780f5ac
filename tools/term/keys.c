/* keys.c - see keys.h. */
#include "keys.h"

#include <string.h>

enum {
    NOTHING = -10,       /* no byte arrived in time */
    SEQUENCE_WAIT = 100, /* ms to wait for the rest of a sequence */
    MAX_PARAMETERS = 32,
};

void keys_free(struct keys *k)
{
    bytes_free(&k->paste);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* @return whether k->in holds a byte; if not, k->answer may say why */
static bool fill_input(struct keys *k, int timeout_ms)
{
    if (k->at < k->n)
        return true;
    if (k->answer)
        return false;
    k->at = k->n = 0;
    const int n = k->io.read(k->io.user, k->in, (int)sizeof k->in, timeout_ms);
    if (n < 0)
        k->answer = n;
    else
        k->n = n;
    return n > 0;
}

static int next_byte(struct keys *k, int timeout_ms)
{
    return fill_input(k, timeout_ms) ? k->in[k->at++] : NOTHING;
}

bool keys_waiting(struct keys *k)
{
    return fill_input(k, 0);
}

static struct key take_reply(struct keys *k)
{
    static const enum key_kind kinds[] = {
        [0] = KEY_WAKE,
        [-EDITOR_READ_END] = KEY_NO_INPUT,
        [-EDITOR_READ_FAILED] = KEY_FAILED,
        [-EDITOR_READ_INTERRUPT] = KEY_CANCEL,
        [-EDITOR_READ_REDRAW] = KEY_REDRAW,
    };
    const int a = -k->answer;
    k->answer = 0;
    return (struct key){.kind = a <= -EDITOR_READ_REDRAW ? kinds[a] : KEY_FAILED};
}

/* ---- Paste ----------------------------------------------------------------------------------- */

static const char paste_end[] = "\033[201~";
enum { PASTE_END_LEN = sizeof paste_end - 1 };

/* The first n bytes of the paste. */
static struct key paste_key(struct keys *k, size_t n)
{
    return (struct key){.kind = KEY_PASTE, .text = bytes_text(&k->paste), .len = n};
}

static bool paste_byte(struct keys *k, int c)
{
    const bool second = c == '\n' && k->after_return;
    const char byte = c == '\r' ? '\n' : (char)c;

    k->after_return = c == '\r';
    if (second)
        return true;
    if (k->paste.len > EDITOR_MAX_TEXT + PASTE_END_LEN) /* already too long: keep only its end */
        bytes_replace(&k->paste, k->paste.len - PASTE_END_LEN, 1, "", 0);
    return bytes_add(&k->paste, &byte, 1);
}

static bool paste_ended(const struct keys *k)
{
    return k->paste.len >= PASTE_END_LEN &&
           memcmp(k->paste.data + k->paste.len - PASTE_END_LEN, paste_end, PASTE_END_LEN) == 0;
}

static struct key next_paste(struct keys *k)
{
    k->paste.len = 0;
    for (;;) {
        const int c = next_byte(k, k->idle ? -1 : SEQUENCE_WAIT);
        if (c == NOTHING && k->answer) {
            k->pasting = k->answer == EDITOR_READ_REDRAW;
            return take_reply(k);
        }
        if (c == NOTHING && k->idle)
            return (struct key){.kind = KEY_WAKE};
        if (c == NOTHING) {
            k->idle = true;
            return paste_key(k, k->paste.len);
        }
        /* the end of the paste was lost: this byte after a pause is typed, not pasted */
        if (c == 'C' - '@' && k->idle && k->paste.len == 0) {
            k->pasting = false;
            return (struct key){.kind = KEY_CANCEL};
        }
        k->idle = false;
        if (!paste_byte(k, c))
            return (struct key){.kind = KEY_NO_MEMORY};
        if (c == '~' && paste_ended(k)) {
            k->pasting = false;
            k->after_return = false;
            return paste_key(k, k->paste.len - PASTE_END_LEN);
        }
    }
}

static struct key begin_paste(struct keys *k)
{
    k->pasting = true;
    k->idle = k->after_return = false;
    return next_paste(k);
}

/* ---- Sequences ------------------------------------------------------------------------------- */

struct row {
    int code;
    enum key_kind kind, changed; /* changed: with Ctrl or Alt */
};

static enum key_kind find_row(const struct row *rows, size_t n, int code, bool change)
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].code == code)
            return change ? rows[i].changed : rows[i].kind;
    return KEY_OTHER;
}

/* Keys by the last byte of a sequence. */
static const struct row finals[] = {
    {'A', KEY_UP, KEY_UP},          {'B', KEY_DOWN, KEY_DOWN},  {'C', KEY_RIGHT, KEY_WORD_RIGHT},
    {'D', KEY_LEFT, KEY_WORD_LEFT}, {'H', KEY_HOME, KEY_FIRST}, {'F', KEY_END, KEY_LAST},
};

/* Keys by the number before ~. */
static const struct row numbers[] = {
    {1, KEY_HOME, KEY_FIRST},
    {7, KEY_HOME, KEY_FIRST},
    {4, KEY_END, KEY_LAST},
    {8, KEY_END, KEY_LAST},
    {3, KEY_DELETE, KEY_CUT_WORD_RIGHT},
};

static const struct row after_escape[] = {
    {'\r', KEY_BREAK, KEY_BREAK},
    {'\n', KEY_BREAK, KEY_BREAK},
    {'b', KEY_WORD_LEFT, KEY_WORD_LEFT},
    {'f', KEY_WORD_RIGHT, KEY_WORD_RIGHT},
    {'d', KEY_CUT_WORD_RIGHT, KEY_CUT_WORD_RIGHT},
    {0x7F, KEY_CUT_WORD_LEFT, KEY_CUT_WORD_LEFT},
    {'H' - '@', KEY_CUT_WORD_LEFT, KEY_CUT_WORD_LEFT},
    {'C' - '@', KEY_CANCEL, KEY_CANCEL},
    {'<', KEY_FIRST, KEY_FIRST},
    {'>', KEY_LAST, KEY_LAST},
};

#define FIND(rows, code, change) find_row(rows, sizeof rows / sizeof *rows, code, change)

static int parse_number(const char **p)
{
    int n = 0;
    for (; **p >= '0' && **p <= '9'; ++*p)
        n = n < 1000 ? n * 10 + (**p - '0') : n;
    return n;
}

/* The rest of ESC [ or ESC O: parameters and a last byte. */
static struct key control_sequence(struct keys *k, bool alt, bool o)
{
    char text[MAX_PARAMETERS + 1] = {0};
    int n = 0, c;

    while ((c = next_byte(k, SEQUENCE_WAIT)) >= 0x20 && c < 0x40)
        if (n < MAX_PARAMETERS)
            text[n++] = (char)c;
    if (c == '[' && n == 0 && !o) { /* a function key of the Linux console */
        next_byte(k, SEQUENCE_WAIT);
        return (struct key){.kind = KEY_OTHER};
    }
    if (c < 0x20 || c > 0x7E) { /* the sequence is incomplete */
        if (c != NOTHING)
            k->at--;
        return (struct key){.kind = KEY_OTHER};
    }
    const char *p = text;
    int p1 = parse_number(&p), p2 = 0, p3 = 0;
    if (*p == ';')
        p++, p2 = parse_number(&p);
    if (*p == ';')
        p++, p3 = parse_number(&p);
    if (o && p1 && !p2)
        p2 = p1; /* ESC O 5 C */
    const bool change = alt || (p2 > 0 && ((p2 - 1) & 6) != 0);
    enum key_kind kind;
    if (*p) /* not a key's parameters */
        return (struct key){.kind = KEY_OTHER};
    if (o && c == 'M')
        kind = KEY_ENTER;
    else if (o && (c == 'c' || c == 'd')) /* Ctrl in rxvt */
        kind = c == 'c' ? KEY_WORD_RIGHT : KEY_WORD_LEFT;
    else if ((c == 'u' && p1 == 13) || (c == '~' && p1 == 27 && p3 == 13))
        kind = p2 > 1 ? KEY_BREAK : KEY_ENTER;
    else if (c == '~' && p1 == 200 && !o)
        return begin_paste(k);
    else
        kind = c == '~' ? FIND(numbers, p1, change) : FIND(finals, c, change);
    return (struct key){.kind = kind};
}

/* Skip a string up to BEL, ESC \ or a pause. */
static struct key control_string(struct keys *k)
{
    int c, last = 0;

    while ((c = next_byte(k, SEQUENCE_WAIT)) != NOTHING && c != '\a' &&
           !(last == '\033' && c == '\\')) {
        if (c == 'C' - '@')
            return (struct key){.kind = KEY_CANCEL};
        last = c;
    }
    return (struct key){.kind = KEY_OTHER};
}

/* @return the length of the character that begins with this byte; 1 also if none does */
static int character_length(int first)
{
    return first < 0xC2 || first > 0xF4 ? 1 : 2 + (first >= 0xE0) + (first >= 0xF0);
}

static struct key escape_key(struct keys *k)
{
    bool alt = false;
    int c;

    while ((c = next_byte(k, SEQUENCE_WAIT)) == '\033')
        alt = true;
    if (c == NOTHING)
        return (struct key){.kind = KEY_ESCAPE};
    if (c == '[' || c == 'O')
        return control_sequence(k, alt, c == 'O');
    if (memchr("]PX^_", c, 5))
        return control_string(k);
    for (int n = character_length(c); n > 1; n--) {
        const int next = next_byte(k, SEQUENCE_WAIT);
        if (next != NOTHING && (next & 0xC0) != 0x80) {
            k->at--;
            break;
        }
    }
    return (struct key){.kind = FIND(after_escape, c, false)};
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static const unsigned char controls[] = {
    ['A' - '@'] = KEY_HOME,      ['B' - '@'] = KEY_LEFT,
    ['C' - '@'] = KEY_CANCEL,    ['D' - '@'] = KEY_DELETE_OR_LEAVE,
    ['E' - '@'] = KEY_END,       ['F' - '@'] = KEY_RIGHT,
    ['G' - '@'] = KEY_ABORT,     ['H' - '@'] = KEY_BACKSPACE,
    ['I' - '@'] = KEY_COMPLETE,  ['J' - '@'] = KEY_ENTER,
    ['K' - '@'] = KEY_CUT_RIGHT, ['L' - '@'] = KEY_CLEAR,
    ['M' - '@'] = KEY_ENTER,     ['N' - '@'] = KEY_DOWN,
    ['P' - '@'] = KEY_UP,        ['R' - '@'] = KEY_OLDER,
    ['S' - '@'] = KEY_NEWER,     ['T' - '@'] = KEY_EXCHANGE,
    ['U' - '@'] = KEY_CUT_LEFT,  ['W' - '@'] = KEY_CUT_BLANK,
    ['Y' - '@'] = KEY_YANK,      ['Z' - '@'] = KEY_SUSPEND,
    ['_' - '@'] = KEY_UNDO,
};

static bool is_text(int c)
{
    return c >= 0x20 && c != 0x7F;
}

/* @return how many of the last bytes are an incomplete character */
static int count_incomplete(const unsigned char *p, int n)
{
    for (int back = 1; back <= 3 && back <= n; back++)
        if ((p[n - back] & 0xC0) != 0x80)
            return character_length(p[n - back]) > back ? back : 0;
    return 0;
}

/* The typed text that has arrived, in whole characters. */
static struct key text_key(struct keys *k)
{
    int end = k->at;

    for (;;) {
        while (end < k->n && is_text(k->in[end]))
            end++;
        const int rest = end == k->n ? count_incomplete(k->in + k->at, end - k->at) : 0;
        if (rest == 0)
            break;
        if (rest < end - k->at) { /* whole characters first */
            end -= rest;
            break;
        }
        memmove(k->in, k->in + k->at, (size_t)rest);
        k->at = 0;
        k->n = end = rest;
        const int n = k->io.read(k->io.user, k->in + rest, (int)sizeof k->in - rest, SEQUENCE_WAIT);
        if (n < 0)
            k->answer = n;
        if (n <= 0)
            break;
        k->n += n;
    }
    const struct key key = {KEY_TEXT, (const char *)k->in + k->at, (size_t)(end - k->at)};
    k->at = end;
    return key;
}

struct key next_key(struct keys *k)
{
    if (k->pasting)
        return next_paste(k);
    const int c = next_byte(k, -1);
    const bool second = c == '\n' && k->after_return;

    if (c == NOTHING)
        return take_reply(k);
    k->after_return = c == '\r';
    if (second)
        return (struct key){.kind = KEY_OTHER};
    if (c == '\033')
        return escape_key(k);
    if (c == 0x7F)
        return (struct key){.kind = KEY_BACKSPACE};
    if (!is_text(c))
        return (struct key){.kind = (size_t)c < sizeof controls ? controls[c] : KEY_OTHER};
    k->at--;
    return text_key(k);
}
