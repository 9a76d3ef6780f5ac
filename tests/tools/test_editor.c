/* test_editor.c - the text buffer; the line editor on a terminal in memory (screen and cursor after
 * keys); its history file; and the modes of a pseudo-terminal. */
#define _XOPEN_SOURCE 700

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "editor.h"
#include "history.h"
#include "suite.h"
#include "terminal.h"
#include "text_buffer.h"
#include "width.h"
#include "trit_tools.h"

/* ---- The text buffer ------------------------------------------------------------------------- */

static void assert_text(const struct text_buffer *b, const char *text, size_t cursor)
{
    assert_string_equal(bytes_text(&b->text), text);
    assert_int_equal(b->text.len, strlen(text));
    assert_int_equal(b->cursor, cursor);
}

/* A refused change alters neither the text nor the undo history. */
static void test_buffer_limit(void **state)
{
    struct text_buffer b = {.max_len = 4};
    (void)state;
    assert_int_equal(text_type(&b, "abc", 3, false), TEXT_OK);
    assert_int_equal(text_type(&b, "de", 2, true), TEXT_REFUSED);
    assert_int_equal(text_replace(&b, 1, 1, "xyz", 3), TEXT_REFUSED);
    assert_int_equal(text_set(&b, "abcde", 5), TEXT_REFUSED);
    assert_text(&b, "abc", 3);
    assert_int_equal(text_replace(&b, 1, 1, "xy", 2), TEXT_OK);
    assert_text(&b, "axyc", 3);
    assert_int_equal(text_undo(&b), TEXT_OK);
    assert_int_equal(text_undo(&b), TEXT_OK);
    assert_text(&b, "", 0);
    assert_int_equal(text_undo(&b), TEXT_REFUSED);
    text_free(&b);
}

/* After very many changes, the oldest cannot be undone, but all of the newest can. */
static void test_buffer_undo(void **state)
{
    enum { N = 1500, N_KEPT = 1000 };
    struct text_buffer b = {.max_len = N};
    (void)state;
    for (int i = 0; i < N; i++)
        assert_int_equal(text_type(&b, "x", 1, false), TEXT_OK);
    for (int i = 0; i < N_KEPT; i++)
        assert_int_equal(text_undo(&b), TEXT_OK);
    assert_int_equal(text_undo(&b), TEXT_REFUSED);
    assert_int_equal(b.text.len, N - N_KEPT);
    assert_int_equal(text_set(&b, "one", 3), TEXT_OK);
    assert_int_equal(text_type(&b, " t", 2, false), TEXT_OK);
    assert_int_equal(text_type(&b, "wo", 2, true), TEXT_OK);
    assert_int_equal(text_undo(&b), TEXT_OK); /* consecutive typing is one step */
    assert_text(&b, "one", 3);
    assert_int_equal(text_undo(&b), TEXT_REFUSED); /* text_set() cannot be undone */
    text_free(&b);
}

static void test_buffer_cut(void **state)
{
    struct text_buffer b = {.max_len = 100};
    (void)state;
    assert_int_equal(text_set(&b, "one two\nthree", 13), TEXT_OK);
    b.cursor = 4;
    assert_int_equal(text_cut(&b, text_target(&b, TEXT_WORD_RIGHT), false), TEXT_OK);
    assert_int_equal(text_cut(&b, text_target(&b, TEXT_CUT_RIGHT), true), TEXT_OK);
    assert_int_equal(text_cut(&b, text_target(&b, TEXT_CUT_LEFT), true), TEXT_OK);
    assert_text(&b, "three", 0);
    assert_string_equal(bytes_text(&b.cut), "one two\n");
    assert_int_equal(text_cut(&b, b.cursor, false), TEXT_OK); /* nothing */
    assert_string_equal(bytes_text(&b.cut), "one two\n");
    struct bytes text = text_detach(&b);
    assert_string_equal(bytes_text(&text), "three");
    assert_text(&b, "", 0);
    assert_string_equal(bytes_text(&b.cut), "one two\n");
    assert_int_equal(text_undo(&b), TEXT_REFUSED);
    bytes_free(&text);
    text_free(&b);
}

/* No motion, from any place, ends inside a character. */
static void test_buffer_motions(void **state)
{
    static const char text[] = "a 日本 e\xCC\x81.\n\U0001F468\u200D\U0001F469 \xFF end\n";
    const size_t len = sizeof text - 1;
    struct text_buffer b = {.max_len = 100};
    (void)state;
    assert_int_equal(text_set(&b, text, len), TEXT_OK);
    for (size_t at = 0;; at = following_glyph(text, len, at)) {
        for (enum text_motion m = TEXT_LEFT; m <= TEXT_END; m++) {
            b.cursor = at;
            const size_t to = text_target(&b, m);
            assert_in_range(to, 0, len);
            assert_int_equal(snap_glyph(text, len, to), to);
        }
        if (at == len)
            break;
    }
    text_free(&b);
}

/* ---- A terminal ------------------------------------------------------------------------------ */

enum { MAX_COLUMNS = 100, MAX_ROWS = 40, CELL = 24 };

/* A terminal that measures every code point separately, as older ones do. */
struct window {
    int columns, rows, row, column;
    bool pending; /* the last column is full; the next character goes to the next row */
    bool no_wrap; /* that is off */
    bool wrapped; /* it happened */
    char cells[MAX_ROWS][MAX_COLUMNS][CELL]; /* "": blank; "\1": the right half of a wide one */
    char sequence[64];
    int n_sequence;
};

static void scroll(struct window *w)
{
    memmove(w->cells[0], w->cells[1], sizeof w->cells[0] * (MAX_ROWS - 1));
    memset(w->cells[w->rows - 1], 0, sizeof w->cells[0]);
}

static void line_feed(struct window *w)
{
    if (w->row == w->rows - 1)
        scroll(w);
    else
        w->row++;
}

static void put_character(struct window *w, const char *text, size_t n, enum width_kind kind)
{
    const int columns = kind == WIDTH_WIDE ? 2 : 1;

    assert_true(kind != WIDTH_HIDDEN);
    if (kind == WIDTH_MARK) {
        const int at = w->pending ? w->column : w->column - 1;
        char *cell = w->cells[w->row][at > 0 ? at : 0];
        if (*cell == '\1' && at > 0)
            cell = w->cells[w->row][at - 1];
        if (strlen(cell) + n < CELL)
            strncat(cell, text, n);
        return;
    }
    if (w->pending || w->column + columns > w->columns) {
        if (w->no_wrap) {
            w->column = w->columns > columns ? w->columns - columns : 0;
        } else {
            w->wrapped = true;
            w->column = 0;
            line_feed(w);
        }
        w->pending = false;
    }
    if (w->column < 0)
        w->column = 0;
    memset(w->cells[w->row][w->column], 0, CELL);
    memcpy(w->cells[w->row][w->column], text, n);
    if (columns == 2)
        strcpy(w->cells[w->row][w->column + 1], "\1");
    w->column += columns;
    if (w->column >= w->columns) {
        w->column = w->columns - 1;
        w->pending = true;
    }
}

static void clear_cells(struct window *w, int row, int from)
{
    for (int i = from; i < MAX_COLUMNS; i++)
        memset(w->cells[row][i], 0, CELL);
}

static void do_sequence(struct window *w, const char *p, char final)
{
    const int n = atoi(p) > 0 ? atoi(p) : 1;

    if (strchr("ABCDH", final))
        w->pending = false;
    switch (final) {
    case 'A':
        w->row = w->row > n ? w->row - n : 0;
        break;
    case 'B':
        w->row = w->row + n < w->rows ? w->row + n : w->rows - 1;
        break;
    case 'C':
        w->column = w->column + n < w->columns ? w->column + n : w->columns - 1;
        break;
    case 'D':
        w->column = w->column > n ? w->column - n : 0;
        break;
    case 'H':
        w->row = w->column = 0;
        break;
    case 'J':
        for (int i = atoi(p) == 2 ? 0 : w->row; i < w->rows; i++)
            clear_cells(w, i, i == w->row && atoi(p) != 2 ? w->column : 0);
        break;
    case 'K':
        clear_cells(w, w->row, w->column);
        break;
    case 'm':
        break;
    case 'h':
    case 'l':
        assert_string_equal(p, "?7");
        w->no_wrap = final == 'l';
        break;
    default:
        fail_msg("an unknown sequence: %s%c", p, final);
    }
}

static void feed_sequence(struct window *w, char c)
{
    if (w->n_sequence == 1) {
        assert_int_equal(c, '[');
        w->n_sequence = 2;
    } else if (c >= 0x40) {
        w->sequence[w->n_sequence] = '\0';
        w->n_sequence = 0;
        do_sequence(w, w->sequence + 2, c);
    } else {
        assert_in_range(w->n_sequence, 2, 60);
        w->sequence[w->n_sequence++] = c;
    }
}

static void feed(struct window *w, const char *p, size_t len)
{
    while (len > 0) {
        size_t n = 1;
        if (w->n_sequence > 0) {
            feed_sequence(w, *p);
        } else if (*p == '\033') {
            w->n_sequence = 1;
        } else if (*p == '\r') {
            w->column = 0;
            w->pending = false;
        } else if (*p == '\n') {
            w->pending = false;
            line_feed(w);
        } else if (*p == '\b') {
            w->pending = false;
            w->column -= w->column > 0;
        } else if (*p != '\a') {
            const uint32_t code = trit_utf8_decode(p, len, &n);
            put_character(w, p, n, width_kind(code));
        }
        p += n;
        len -= n;
    }
}

static const char *row_text(const struct window *w, int row)
{
    static char text[2][MAX_COLUMNS * CELL];
    static int turn;
    char *t = text[turn ^= 1];
    int n = 0;

    for (int i = 0; i < w->columns; i++) {
        const char *c = w->cells[row][i];
        if (*c != '\1')
            n += sprintf(t + n, "%s", *c ? c : " ");
    }
    while (n > 0 && t[n - 1] == ' ')
        n--;
    t[n] = '\0';
    return t;
}

/* Like a terminal: long rows are broken, and the cursor stays at its character. */
static void resize(struct window *w, int columns, int rows)
{
    struct window *old = malloc(sizeof *old);
    int row = 0, column = 0;

    assert_non_null(old);
    *old = *w;
    memset(w->cells, 0, sizeof w->cells);
    w->columns = columns;
    w->rows = MAX_ROWS;
    w->row = w->column = 0;
    w->pending = false;
    for (int i = 0; i < old->rows; i++) {
        int last = old->columns;
        while (last > 0 && !*old->cells[i][last - 1])
            last--;
        if (i > old->row && last == 0)
            break;
        if (i > 0)
            line_feed(w);
        w->column = 0;
        for (int j = 0; j < last || (i == old->row && j <= old->column); j++) {
            if (w->column == columns) {
                row -= w->row == w->rows - 1;
                line_feed(w);
                w->column = 0;
            }
            if (i == old->row && j == old->column) {
                row = w->row;
                column = w->column;
            }
            memcpy(w->cells[w->row][w->column++], old->cells[i][j], CELL);
        }
    }
    for (; row >= rows; row--) {
        w->rows = MAX_ROWS;
        scroll(w);
    }
    w->row = row > 0 ? row : 0;
    w->column = column;
    w->rows = rows;
    for (int i = rows; i < MAX_ROWS; i++)
        memset(w->cells[i], 0, sizeof w->cells[0]);
    free(old);
}

/* ---- Somebody at it -------------------------------------------------------------------------- */

struct desk {
    struct window window, seen; /* seen: the screen after all input was read */
    const char *input;          /* what is typed */
    size_t n_input;
    size_t piece; /* the largest piece at once; 0: everything */
    int n_writes;
    size_t n_written;
    void (*on_idle)(struct desk *d); /* provides more input, or none */
    struct editor *e;
    enum editor_event event;
    const char *text;
    size_t len;
    struct editor_options opt;
    void *user;
};

static int read_desk(void *user, void *bytes, int n, int timeout_ms)
{
    struct desk *d = user;

    if (d->n_input == 0 && timeout_ms >= 0)
        return EDITOR_READ_NOTHING;
    if (d->n_input == 0 && d->on_idle)
        d->on_idle(d);
    if (d->n_input == 0) {
        d->seen = d->window;
        return EDITOR_READ_END;
    }
    size_t take = d->n_input < (size_t)n ? d->n_input : (size_t)n;
    if (d->piece && take > d->piece)
        take = d->piece;
    memcpy(bytes, d->input, take);
    d->input += take;
    d->n_input -= take;
    return (int)take;
}

static bool write_desk(void *user, const void *bytes, size_t n)
{
    struct desk *d = user;

    d->n_writes++;
    d->n_written += n;
    feed(&d->window, bytes, n);
    assert_false(d->window.wrapped);
    return true;
}

static void size_of_desk(void *user, int *columns, int *rows)
{
    const struct desk *d = user;
    *columns = d->window.columns;
    *rows = d->window.rows;
}

static struct desk *new_desk(int columns, int rows)
{
    struct desk *d = calloc(1, sizeof *d);

    assert_non_null(d);
    d->window.columns = columns;
    d->window.rows = rows;
    d->opt.io = (struct editor_io){d, read_desk, write_desk, size_of_desk, NULL};
    d->opt.user = d;
    return d;
}

static void type_bytes(struct desk *d, const char *keys, size_t n)
{
    if (!d->e)
        d->e = editor_open(&d->opt);
    assert_non_null(d->e);
    d->input = keys;
    d->n_input = n;
    d->event = editor_read(d->e, "> ", &d->text, &d->len);
}

static void type(struct desk *d, const char *keys)
{
    type_bytes(d, keys, strlen(keys));
}

static void free_desk(struct desk *d)
{
    editor_close(d->e);
    free(d);
}

#define assert_cursor(d, r, c)                                                                     \
    do {                                                                                           \
        assert_int_equal((d)->seen.row, r);                                                        \
        assert_int_equal((d)->seen.column, c);                                                     \
    } while (0)

/* On a new window: keys, then rows joined by |, and the cursor; repeated with the keys in single
 * bytes. */
static void expect(int columns, const char *keys, const char *rows, int row, int column)
{
    for (size_t piece = 0; piece < 2; piece++) {
        struct desk *d = new_desk(columns, 12);
        char text[4096] = "";
        int n = 0, last = 0;
        d->piece = piece;
        type(d, keys);
        assert_int_equal(d->event, EDITOR_END);
        for (int i = 0; i < d->seen.rows; i++)
            if (*row_text(&d->seen, i))
                last = i;
        for (int i = 0; i <= last; i++)
            n += sprintf(text + n, "%s%s", i ? "|" : "", row_text(&d->seen, i));
        assert_string_equal(text, rows);
        assert_cursor(d, row, column);
        free_desk(d);
    }
}

/* The text that is sent at the end of the keys. */
static void expect_text(const char *keys, const char *text)
{
    struct desk *d = new_desk(40, 12);
    char all[1024];

    d->piece = 1; /* as typed */
    snprintf(all, sizeof all, "%s\r", keys);
    type(d, all);
    assert_int_equal(d->event, EDITOR_TEXT);
    assert_string_equal(d->text, text);
    assert_int_equal(d->len, strlen(text));
    free_desk(d);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void test_moving(void **state)
{
    (void)state;
    expect(40, "", ">", 0, 2);
    expect(40, "hello", "> hello", 0, 7);
    expect(40, "helo\033[Dl", "> hello", 0, 6);
    expect(40, "bc\001a", "> abc", 0, 3);
    expect(40, "bc\033[Ha\033OFd\033[1~_\033[4~!", "> _abcd!", 0, 8);
    expect(40, "abc\002\002\006x", "> abxc", 0, 5);
    expect(40, "one two three\033b\033[1;5D", "> one two three", 0, 6);
    expect(40, "one two three\001\033f\033Oc", "> one two three", 0, 9);
    expect(40, "abc\033[99;99z\033]0;x\007\033[[A\033[?1;2cd", "> abcd", 0, 6);
}

static void test_editing(void **state)
{
    (void)state;
    expect_text("abc\177\010d", "ad");
    expect_text("abc\001\033[3~\004", "c");
    expect_text("one two\027x\031", "one xtwo");
    expect_text("one two three\033\177\033\177\031!", "one two three!");
    expect_text("one two\001\033d\005\031", " twoone");
    expect_text("one two\002\013\025\031", "one two");
    expect_text("ab\024", "ba");
    expect_text("abc\002\024", "acb");
    expect_text("one two\037", "one");
    expect_text("one two\027\037\037", "one");
    expect_text("a\033\rb\033\nc\033[13;2ud", "a\nb\nc\nd");
    expect_text("a\033\rbc\033[Ax\033[B\033[Fy", "ax\nbcy");
    expect_text("\"\"\"a\rb\r\"\"\"", "\"\"\"a\nb\n\"\"\"");
}

static void test_unquote(void **state)
{
    static const struct {
        const char *text, *inside; /* NULL: not quoted */
    } rows[] = {
        {"\"\"\"a\"\"\"", "a"}, {"\"\"\"\na\n\nb\n\"\"\"", "a\n\nb"},
        {"\"\"\"\"\"\" ", ""},  {"\"\"\"", ""},
        {"\"\"a", NULL},        {"\"\"\"\n\"\"\"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *text = rows[i].text;
        size_t len = strlen(text);
        assert_int_equal(editor_unquote(&text, &len), rows[i].inside != NULL);
        if (rows[i].inside) {
            assert_int_equal(len, strlen(rows[i].inside));
            assert_memory_equal(text, rows[i].inside, len);
        }
    }
}

static void test_characters(void **state)
{
    (void)state;
    expect(40, "日本\033[Dx", "> 日x本", 0, 5);
    expect(40, "e\xCC\x81u\033[D\177", "> u", 0, 2);
    expect(40, "\xCC\x81", "> \xE2\x97\x8C\xCC\x81", 0, 3);
    expect(40, "a\xFF\xE6\x97z", "> a<FF><E6><97>z", 0, 16);
    expect(40, "\xE2\x80\xAE!", "> <U+202E>!", 0, 11);
    expect(40, "\033[200~a\033[31m\tb\033[201~", "> a^[[31m       b", 0, 17);
    /* a family, a flag, a heart: two columns each in any terminal */
    expect(40, "\U0001F468\u200D\U0001F469\u200D\U0001F467x\033[D\033[D", "> \U0001F468\u200Dx", 0,
           2);
    expect(40, "\U0001F1E9\U0001F1EAx", "> \U0001F1E9\U0001F1EAx", 0, 5);
    expect(40, "\u2764\uFE0Fx\177\177y", "> y", 0, 3);
    expect(40, "\U0001F44D\U0001F3FDx\177\177", ">", 0, 2);
}

static void test_wrap(void **state)
{
    (void)state;
    expect(6, "abcd", "> abcd", 1, 0);
    expect(6, "abcde\033[D", "> abcd|e", 1, 0);
    expect(6, "abcdef\001", "> abcd|ef", 0, 2);
    expect(5, "ab日", "> ab|日", 1, 2);
    expect(5, "ab日\033[D", "> ab|日", 1, 0);
    expect(5, "ab日\177c", "> abc", 1, 0);
    expect(1, "日a", ">||?|a", 4, 0);
    expect(6, "ab\033\rcd\033\ref\033[A", "> ab|. cd|. ef", 1, 4);
    expect(6, "abcdefgh\033[A", "> abcd|efgh", 0, 4);
}

/* Any text at every width: typing it gives the same screen as a full redraw. */
static void test_widths(void **state)
{
    static const char text[] = "a日本e\xCC\x81語xyz\xFF\U0001F468\u200D\U0001F469 end\033\rmore日";
    (void)state;
    for (int columns = 1; columns <= 20; columns++) {
        struct desk *d = new_desk(columns, 30), *again = new_desk(columns, 30);
        char keys[128];
        d->piece = 1;
        type(d, text);
        snprintf(keys, sizeof keys, "%s\014", text);
        type(again, keys);
        assert_cursor(d, again->seen.row, again->seen.column);
        assert_memory_equal(d->seen.cells, again->seen.cells, sizeof d->seen.cells);
        free_desk(d);
        free_desk(again);
    }
}

static void test_little_is_written(void **state)
{
    struct desk *d = new_desk(40, 12);
    (void)state;
    d->piece = 1;
    type(d, "hello");
    assert_in_range(d->n_written, 1, 2 + 5 + 10);
    free_desk(d);
}

static void test_tall(void **state)
{
    struct desk *d = new_desk(10, 4);
    (void)state;
    type(d, "1\033\r2\033\r3\033\r4\033\r5\033\r6");
    assert_string_equal(row_text(&d->seen, 0), ". 3");
    assert_string_equal(row_text(&d->seen, 3), ". 6");
    assert_cursor(d, 3, 3);
    type(d, "\033[1;5Hx");
    assert_string_equal(row_text(&d->seen, 0), "> x1");
    assert_string_equal(row_text(&d->seen, 3), ". 4");
    assert_cursor(d, 0, 3);
    free_desk(d);
}

static void test_events(void **state)
{
    struct desk *d = new_desk(40, 12);
    (void)state;
    type(d, "abc\003");
    assert_int_equal(d->event, EDITOR_CANCEL);
    assert_int_equal(d->len, 3);
    type(d, "\003");
    assert_int_equal(d->event, EDITOR_CANCEL);
    assert_int_equal(d->len, 0);
    type(d, "\031\r"); /* the cancelled text */
    assert_string_equal(d->text, "abc");
    type(d, "x\n");
    assert_int_equal(d->event, EDITOR_TEXT);
    type(d, "x\004\r");
    assert_string_equal(d->text, "x");
    type(d, "\004");
    assert_int_equal(d->event, EDITOR_END);
    assert_true(editor_set_text(d->e, "begin", 5));
    type(d, "!\r");
    assert_string_equal(d->text, "begin!");
    type(d, "one\rtwo\r"); /* text that was typed ahead stays */
    assert_string_equal(d->text, "one");
    d->event = editor_read(d->e, "> ", &d->text, &d->len);
    assert_string_equal(d->text, "two");
    free_desk(d);
}

/* ---- Paste ----------------------------------------------------------------------------------- */

static void test_paste(void **state)
{
    enum { N = 10000 };
    static char keys[N + 32];
    struct desk *d = new_desk(80, 24);
    char *p = keys;
    (void)state;

    p += sprintf(p, "\033[200~");
    for (int i = 0; i < N; i++)
        *p++ = (char)(i % 50 == 49 ? '\r' : 'a' + i % 26);
    strcpy(p, "\033[201~");
    type(d, keys);
    assert_int_equal(d->event, EDITOR_END);
    assert_in_range(d->n_writes, 1, 6);
    type(d, "\r");
    assert_int_equal(d->len, N);
    assert_int_equal(d->text[49], '\n');
    d->piece = 7;
    type(d, keys);
    type(d, "\r");
    assert_int_equal(d->len, N);
    type(d, "\033[200~a\r\nb\033[201~\r");
    assert_string_equal(d->text, "a\nb");
    type(d, "\033[200~left open");
    type(d, "\003");
    assert_int_equal(d->event, EDITOR_CANCEL);
    free_desk(d);
}

/* ---- Completion, hints ----------------------------------------------------------------------- */

static void complete(void *user, const char *text, size_t len, size_t cursor,
                     struct editor_candidates *c)
{
    static const char *const names[] = {"/clear ", "/context ", "/help "};
    (void)user;
    (void)len;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(names[i], text, cursor) == 0)
            assert_true(editor_add_candidate(c, 0, names[i], NULL));
}

static const char *hint(void *user, const char *text, size_t len)
{
    (void)user;
    return len == 5 && memcmp(text, "/read", 5) == 0 ? " FILE" : NULL;
}

static void test_completion(void **state)
{
    struct desk *d = new_desk(40, 12);
    (void)state;
    d->opt.complete = complete;
    type(d, "/h\t");
    assert_string_equal(row_text(&d->seen, 0), "> /help");
    assert_cursor(d, 0, 8);
    type(d, "\025/\t");
    assert_string_equal(row_text(&d->seen, 1), "> /");
    assert_string_equal(row_text(&d->seen, 2), "/clear     /context   /help");
    assert_string_equal(row_text(&d->seen, 3), "> /");
    type(d, "c\tle\t\r");
    assert_string_equal(d->text, "/clear ");
    free_desk(d);
}

static void test_hint(void **state)
{
    struct desk *d = new_desk(40, 12);
    (void)state;
    d->opt.hint = hint;
    d->opt.color = true;
    d->opt.prompt_style = "1";
    type(d, "/read");
    assert_string_equal(row_text(&d->seen, 0), "> /read FILE");
    assert_cursor(d, 0, 7);
    type(d, " x");
    assert_string_equal(row_text(&d->seen, 1), "> /read x");
    type(d, "\r");
    assert_string_equal(row_text(&d->window, 2), "> /read x");
    free_desk(d);
}

/* ---- Resizing -------------------------------------------------------------------------------- */

static void shrink_once(struct desk *d)
{
    d->on_idle = NULL;
    resize(&d->window, 8, 12);
    d->input = "!";
    d->n_input = 1;
}

static void test_resize(void **state)
{
    struct desk *d = new_desk(40, 12);
    (void)state;
    feed(&d->window, "before\r\n", 8);
    d->on_idle = shrink_once;
    type(d, "hello world again");
    assert_string_equal(row_text(&d->seen, 0), "before");
    assert_string_equal(row_text(&d->seen, 1), "> hello");
    assert_string_equal(row_text(&d->seen, 2), "world ag");
    assert_string_equal(row_text(&d->seen, 3), "ain!");
    assert_string_equal(row_text(&d->seen, 4), "");
    assert_cursor(d, 3, 4);
    free_desk(d);
}

/* ---- Fuzz ------------------------------------------------------------------------------------ */

struct fuzz {
    uint32_t random;
    int left; /* bytes still to come */
    int n;    /* pieces received */
    bool redrawn;
    struct window before;
    char piece[80];
};

static uint32_t next_random(struct fuzz *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 17;
    f->random ^= f->random << 5;
    return f->random;
}

/* The screen after small updates equals a full redraw from the top. */
static void compare_windows(const struct window *a, const struct window *b)
{
    const int down = a->row - b->row;

    assert_true(down >= 0);
    assert_int_equal(a->column, b->column);
    for (int i = 0; i + down < a->rows; i++)
        assert_string_equal(row_text(a, i + down), row_text(b, i));
}

static void add_random(struct fuzz *f, size_t *n)
{
    static const char *const parts[] = {
        "\033[A",           "\033[B",   "\033[D", "\033[C", "日",
        "\xCC\x81",         "\003",     "\r",     "\033\r", "\033[200~",
        "\U0001F468\u200D", "\022",     "\031",   "\t",     "abc ",
        "\033[201~",        "\xE6\x97", "\037",   "\u200D"};
    if (next_random(f) % 3 == 0) {
        f->piece[(*n)++] = (char)next_random(f);
    } else {
        const char *part = parts[next_random(f) % (sizeof parts / sizeof *parts)];
        *n += (size_t)sprintf(f->piece + *n, "%s", part);
    }
}

static void fuzz_on(struct desk *d)
{
    struct fuzz *f = d->user;
    size_t n = 0;

    d->input = f->piece;
    if (!f->redrawn) {
        f->before = d->window;
        f->piece[0] = '\014';
        d->n_input = 1;
        f->redrawn = true;
        return;
    }
    compare_windows(&f->before, &d->window);
    if (f->left <= 0 ||
        ++f->n % 50 == 0) /* another editor, because yanking makes texts grow without limit */
        return;
    if (next_random(f) % 64 == 0)
        resize(&d->window, 1 + (int)(next_random(f) % 30), 1 + (int)(next_random(f) % 10));
    for (uint32_t i = next_random(f) % 6; i < 6; i++)
        add_random(f, &n);
    f->left -= (int)n;
    n += (size_t)sprintf(f->piece + n, "\033[201~");
    d->n_input = n;
    d->piece = next_random(f) % 4;
    f->redrawn = false;
}

static void test_fuzz(void **state)
{
    struct desk *d = new_desk(20, 8);
    struct fuzz f = {.random = 1, .left = 100000};
    struct history *h = history_open(NULL);
    (void)state;

    d->opt.history = h;
    d->opt.complete = complete;
    d->opt.hint = hint;
    d->opt.color = true;
    d->user = &f;
    d->on_idle = fuzz_on;
    do {
        const char *rest = d->input;
        type_bytes(d, rest, d->n_input);
        if (d->event == EDITOR_TEXT && d->len < 200)
            assert_int_equal(history_add(h, d->text, d->len), 0);
        assert_true(d->event <= EDITOR_END);
        if (d->event == EDITOR_END && d->n_input == 0) {
            editor_close(d->e);
            d->e = NULL;
            f.redrawn = false;
        }
    } while (d->event != EDITOR_END || f.left > 0);
    free_desk(d);
    history_close(h);
}

/* ---- History --------------------------------------------------------------------------------- */

static struct history *three_entries(void)
{
    struct history *h = history_open(NULL);

    assert_non_null(h);
    assert_int_equal(history_add(h, "first", 5), 0);
    assert_int_equal(history_add(h, "Second one", 10), 0);
    assert_int_equal(history_add(h, "third\nline", 10), 0);
    assert_int_equal(history_add(h, "third\nline", 10), 0);
    assert_int_equal(history_count(h), 3);
    return h;
}

static void expect_history(const char *keys, const char *text)
{
    struct history *h = three_entries();
    struct desk *d = new_desk(40, 12);
    (void)d;
    d->opt.history = h;
    type(d, keys);
    assert_int_equal(d->event, EDITOR_TEXT);
    assert_string_equal(d->text, text);
    free_desk(d);
    history_close(h);
}

static void test_history(void **state)
{
    (void)state;
    expect_history("draft\033[A\r", "third\nline");
    expect_history("draft\020\020\r", "Second one");
    expect_history("draft\020\020\020\020\r", "first");
    expect_history("draft\020\020\016\016\016!\r", "draft!");
    expect_history("draft\020\020x\020\016\r", "Second onex"); /* an edited one */
    expect_history("draft\020\020x\020\016\016\016\r", "draft");
    expect_history("draft\020\002\020x\r", "thixrd\nline"); /* first inside the text */
}

static void test_search(void **state)
{
    (void)state;
    expect_history("\022sec\r", "Second one");
    expect_history("\022i\022\r", "first");
    expect_history("\022i\022\023\r", "third\nline");
    expect_history("draft\022zzz\007\r", "draft");
    expect_history("draft\022sec\003!\r", "draft!");
    expect_history("draft\022sec\033[D!\r", "!Second one");
    expect_history("draft\022sec\005!\016\016\r", "draft");
    expect_history("\022SEC\177\177\177fir\r", "first");
    struct history *h = three_entries();
    struct desk *d = new_desk(40, 12);
    d->opt.history = h;
    type(d, "\022on");
    assert_string_equal(row_text(&d->seen, 0), "(search: on) Second one");
    assert_cursor(d, 0, 16);
    free_desk(d);
    history_close(h);
}

static char folder[] = "/tmp/trit-editor-XXXXXX";

static void join(char *out, const char *name)
{
    sprintf(out, "%s/%s", folder, name);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void test_history_file(void **state)
{
    static const char entry[] = "a\\n\nb\r\0c";
    char path[64], parent[64];
    struct stat st;
    size_t len;
    (void)state;

    join(path, "state/trit/history");
    join(parent, "state/trit");
    struct history *h = history_open(path);
    assert_int_equal(history_add(h, entry, sizeof entry - 1), 0);
    assert_int_equal(history_add(h, "x", 1), 0);
    history_close(h);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(parent, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    h = history_open(path);
    assert_int_equal(history_count(h), 2);
    const char *text = history_entry(h, 0, &len);
    assert_int_equal(len, sizeof entry - 1);
    assert_memory_equal(text, entry, len);
    history_close(h);
    h = history_open(parent); /* a folder */
    assert_int_equal(history_count(h), 0);
    assert_int_not_equal(history_add(h, "x", 1), 0);
    assert_int_equal(history_count(h), 1);
    history_close(h);
}

static void add_many(const char *path, char letter)
{
    struct history *h = history_open(path);

    for (int i = 0; h && i < 200; i++) {
        char text[16];
        const int n = sprintf(text, "%c%d", letter, i);
        if (history_add(h, text, (size_t)n) != 0)
            _exit(1);
    }
    history_close(h);
    _exit(0);
}

static void test_two_writers(void **state)
{
    char path[64];
    int status;
    (void)state;

    join(path, "two");
    for (char letter = 'a'; letter <= 'b'; letter++)
        if (fork() == 0)
            add_many(path, letter);
    for (int i = 0; i < 2; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    struct history *h = history_open(path);
    assert_int_equal(history_count(h), 400);
    history_close(h);
}

static void test_garbage_file(void **state)
{
    struct fuzz f = {.random = 7};
    char path[64];
    struct stat st;
    (void)state;

    join(path, "garbage");
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < 1000000; i++)
        putc((int)(next_random(&f) & 0xFF), file);
    fclose(file);
    struct history *h = history_open(path); /* about 3,900 lines */
    assert_in_range(history_count(h), 1, HISTORY_MAX);
    assert_int_equal(history_add(h, "after", 5), 0);
    history_close(h);
    file = fopen(path, "wb");
    for (int i = 0; i < 5000; i++)
        fprintf(file, "line %d\n", i);
    fclose(file);
    h = history_open(path);
    size_t len;
    assert_string_equal(history_entry(h, HISTORY_MAX - 1, &len), "line 4999");
    assert_int_equal(stat(path, &st), 0); /* trimmed */
    assert_int_equal(st.st_size, HISTORY_MAX * strlen("line 4999\n"));
    assert_int_equal(st.st_mode & 0777, 0600);
    history_close(h);
}

/* ---- Without editing, and a real terminal ---------------------------------------------------- */

static void test_plain(void **state)
{
    static char line[200001];
    struct desk *d = new_desk(40, 12);
    (void)state;

    d->opt.plain = true;
    memset(line, 'x', sizeof line - 1);
    d->piece = 0;
    d->opt.io.write = write_desk;
    type(d, "one\n");
    assert_string_equal(d->text, "one");
    line[sizeof line - 2] = '\n';
    memcpy(line + 1, "\033[A", 3); /* ignored */
    type(d, line);
    assert_int_equal(d->len, sizeof line - 2);
    type(d, "\"\"\"a\nb\"\"\"\n");
    assert_string_equal(d->text, "\"\"\"a\nb\"\"\"");
    type(d, "no end");
    assert_string_equal(d->text, "no end");
    type(d, "");
    assert_int_equal(d->event, EDITOR_END);
    free_desk(d);
}

static int open_pty(int *slave)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);

    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0 ||
        (*slave = open(ptsname(master), O_RDWR | O_NOCTTY)) < 0)
        return -1;
    return master;
}

static bool is_raw(int fd)
{
    struct termios mode;
    return tcgetattr(fd, &mode) == 0 && !(mode.c_lflag & ICANON);
}

static void test_modes(void **state)
{
    int slave = -1;
    const int master = open_pty(&slave);
    (void)state;

    if (master < 0) {
        print_message("no pseudo-terminals here: skipped\n");
        skip();
    }
    setenv("TERM", "xterm", 1);
    struct terminal *t = terminal_open(slave, slave);
    assert_non_null(t);
    assert_true(terminal_can_edit(t));
    assert_true(terminal_edit(t));
    assert_true(is_raw(slave));
    struct editor_options opt = {0};
    const char *text;
    size_t len;
    terminal_io(t, &opt.io);
    struct editor *e = editor_open(&opt);
    assert_int_equal(write(master, "hi\033[D!\r", 7), 7);
    assert_int_equal(editor_read(e, "> ", &text, &len), EDITOR_TEXT);
    assert_string_equal(text, "h!i");
    raise(SIGINT);
    assert_int_equal(editor_read(e, "> ", &text, &len), EDITOR_CANCEL);
    terminal_leave(t);
    assert_false(is_raw(slave));
    static const int ends[] = {SIGTERM, SIGHUP, SIGQUIT, SIGABRT};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int status;
        const pid_t child = fork();
        if (child == 0) {
            terminal_edit(t);
            raise(ends[i]);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), ends[i]);
        assert_false(is_raw(slave));
    }
    editor_close(e);
    terminal_close(t);
    setenv("TERM", "dumb", 1);
    t = terminal_open(slave, slave);
    assert_false(terminal_can_edit(t));
    terminal_close(t);
    close(slave);
    close(master);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_buffer_limit),
    cmocka_unit_test(test_buffer_undo),
    cmocka_unit_test(test_buffer_cut),
    cmocka_unit_test(test_buffer_motions),
    cmocka_unit_test(test_moving),
    cmocka_unit_test(test_editing),
    cmocka_unit_test(test_unquote),
    cmocka_unit_test(test_characters),
    cmocka_unit_test(test_wrap),
    cmocka_unit_test(test_widths),
    cmocka_unit_test(test_little_is_written),
    cmocka_unit_test(test_tall),
    cmocka_unit_test(test_events),
    cmocka_unit_test(test_paste),
    cmocka_unit_test(test_completion),
    cmocka_unit_test(test_hint),
    cmocka_unit_test(test_resize),
    cmocka_unit_test(test_fuzz),
    cmocka_unit_test(test_history),
    cmocka_unit_test(test_search),
    cmocka_unit_test(test_history_file),
    cmocka_unit_test(test_two_writers),
    cmocka_unit_test(test_garbage_file),
    cmocka_unit_test(test_plain),
    cmocka_unit_test(test_modes),
};

const struct suite suite = {SUITE_TESTS(tests), .setup = make_folder, .teardown = remove_folder};
