/* screen.c - see screen.h. */
#include "screen.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trit_tools.h"
#include "width.h"

enum { DEFAULT_COLUMNS = 80, DEFAULT_ROWS = 24, MAX_COLUMNS = 1000, MAX_ROWS = 500, TAB = 8 };

void screen_free(struct screen *s)
{
    bytes_free(&s->shown.bytes);
    bytes_free(&s->next.bytes);
    bytes_free(&s->out);
    free(s->shown.rows);
    free(s->next.rows);
}

static bool ask_size(struct screen *s)
{
    const int columns = s->columns, n_rows = s->n_rows;

    s->columns = s->n_rows = 0;
    s->io.size(s->io.user, &s->columns, &s->n_rows);
    s->columns = s->columns <= 0            ? DEFAULT_COLUMNS
                 : s->columns > MAX_COLUMNS ? MAX_COLUMNS
                                            : s->columns;
    s->n_rows = s->n_rows <= 0 ? DEFAULT_ROWS : s->n_rows > MAX_ROWS ? MAX_ROWS : s->n_rows;
    return columns != s->columns || n_rows != s->n_rows;
}

/* ---- Layout ---------------------------------------------------------------------------------- */

enum style { STYLE_NONE, STYLE_PROMPT, STYLE_HINT, STYLE_ESCAPED };

/* Lays out a view cell by cell, from its start. */
struct pen {
    const struct view *v;
    int columns;
    int row, column; /* of the next cell; column == columns: the row is full */
    enum style style, written;
    struct frame *frame; /* receives rows first..last-1; or NULL */
    int first, last;
    bool failed; /* no memory */

    int cursor_row, cursor_column;
    int want_row, want_column; /* a cell to look for; want_row -1: none */
    size_t found;              /* the position in the text at that cell or before it in its row */
    bool has_found;
};

static bool is_seen(const struct pen *p)
{
    return p->frame && p->row >= p->first && p->row < p->last;
}

static void pen_write(struct pen *p, const char *text, size_t n)
{
    if (!bytes_add(&p->frame->bytes, text, n))
        p->failed = true;
}

static void write_style(struct pen *p, enum style style)
{
    static const char *const codes[] = {"", "", "2", "7"};
    const char *code = style == STYLE_PROMPT ? p->v->style : codes[style];

    if (p->written == style || !p->v->color)
        return;
    if (p->written != STYLE_NONE)
        pen_write(p, "\033[0m", 4);
    if (code && *code) {
        pen_write(p, "\033[", 2);
        pen_write(p, code, strlen(code));
        pen_write(p, "m", 1);
    }
    p->written = style;
}

static void end_row(struct pen *p)
{
    if (!is_seen(p))
        return;
    write_style(p, STYLE_NONE);
    struct screen_row *row = &p->frame->rows[p->frame->n - 1];
    row->len = p->frame->bytes.len - row->start;
    row->columns = p->column < p->columns ? p->column : p->columns;
}

static void begin_row(struct pen *p)
{
    struct frame *f = p->frame;

    p->written = STYLE_NONE;
    if (!is_seen(p))
        return;
    if (f->n == f->size) {
        const int size = f->size * 2 + 32;
        struct screen_row *rows = realloc(f->rows, (size_t)size * sizeof *rows);
        if (!rows) {
            p->failed = true;
            p->frame = NULL; /* stop writing */
            return;
        }
        f->rows = rows;
        f->size = size;
    }
    f->rows[f->n++] = (struct screen_row){.start = f->bytes.len, .plain = true};
}

static void next_row(struct pen *p)
{
    end_row(p);
    p->row++;
    p->column = 0;
    begin_row(p);
}

static void make_room(struct pen *p, int columns)
{
    if (p->column + columns > p->columns)
        next_row(p);
}

static void write_cell(struct pen *p, const char *text, size_t n, int columns)
{
    make_room(p, columns);
    if (is_seen(p)) {
        write_style(p, p->style);
        pen_write(p, text, n);
    }
    p->column += columns;
}

/* A character that a terminal cannot show, in an escaped form. */
static void write_escaped_glyph(struct pen *p, const struct glyph *g, const char *text)
{
    const enum style style = p->style;
    char form[16];

    if (g->code == TRIT_NO_CHARACTER)
        snprintf(form, sizeof form, "<%02X>", (unsigned char)*text);
    else if (g->code < 0x20 || g->code == 0x7F)
        snprintf(form, sizeof form, "^%c", (char)(g->code ^ 0x40));
    else
        snprintf(form, sizeof form, "<U+%04X>", (unsigned)g->code);
    if (style == STYLE_NONE)
        p->style = STYLE_ESCAPED;
    for (const char *c = form; *c; c++)
        write_cell(p, c, 1, 1);
    p->style = style;
}

/* Move the terminal's cursor to the pen's column, and erase what is shown after it. */
static void set_column(struct pen *p)
{
    char move[32];

    p->frame->rows[p->frame->n - 1].plain = false;
    if (p->column >= p->columns)
        return;
    const int n = snprintf(move, sizeof move, "\r\033[%dC\033[K", p->column);
    pen_write(p, move, (size_t)n);
}

static void write_glyph(struct pen *p, const struct glyph *g, const char *text)
{
    if (g->code == '\t') {
        make_room(p, 1);
        for (int n = TAB - p->column % TAB; n > 0 && p->column < p->columns; n--)
            write_cell(p, " ", 1, 1);
    } else if (g->columns == 0) {
        write_escaped_glyph(p, g, text);
    } else if (g->columns > p->columns) {
        write_cell(p, "?", 1, 1);
    } else if (g->bare) {
        char based[160] = "\xE2\x97\x8C"; /* a dotted circle */
        memcpy(based + 3, text, g->len);
        write_cell(p, based, 3 + g->len, 1);
    } else {
        write_cell(p, text, g->len, g->columns);
    }
    if (!g->plain && is_seen(p))
        set_column(p);
}

/* Note that the next cell shows position `at` of the text. */
static void note_position(struct pen *p, size_t at)
{
    if (at == p->v->cursor) {
        p->cursor_row = p->row;
        p->cursor_column = p->column;
    }
    if (p->row == p->want_row && (p->column <= p->want_column || !p->has_found)) {
        p->found = at;
        p->has_found = true;
    }
}

static void lay_string(struct pen *p, const char *text, enum style style)
{
    p->style = style;
    for (size_t len = strlen(text); len > 0;) {
        const struct glyph g = next_glyph(text, len);
        write_glyph(p, &g, text);
        text += g.len;
        len -= g.len;
    }
    p->style = STYLE_NONE;
}

static void lay_out(struct pen *p)
{
    const struct view *v = p->v;
    struct glyph g;

    begin_row(p);
    lay_string(p, v->prompt, STYLE_PROMPT);
    for (size_t i = 0; i < v->len && !p->failed; i += g.len) {
        if (p->last > 0 && p->row >= p->last)
            return; /* the rest is below the window */
        g = next_glyph(v->text + i, v->len - i);
        make_room(p, g.columns == 2 && p->columns > 1 ? 2 : 1);
        note_position(p, i);
        if (g.code == '\n') {
            next_row(p);
            lay_string(p, v->more, STYLE_PROMPT);
        } else {
            write_glyph(p, &g, v->text + i);
        }
    }
    make_room(p, 1);
    note_position(p, v->len);
    if (v->hint && v->color)
        lay_string(p, v->hint, STYLE_HINT);
    end_row(p);
}

static struct pen new_pen(const struct screen *s, const struct view *v)
{
    return (struct pen){.v = v, .columns = s->columns, .want_row = -1};
}

bool screen_move(struct screen *s, const struct view *v, int rows, int *column, size_t *position)
{
    if (s->columns == 0)
        ask_size(s);
    struct pen p = new_pen(s, v);
    lay_out(&p);
    if (*column < 0)
        *column = p.cursor_column;
    struct pen q = new_pen(s, v);
    q.want_row = p.cursor_row + rows;
    q.want_column = *column;
    lay_out(&q);
    *position = q.found;
    return q.has_found;
}

/* Lay out into s->next the rows of v that are in the window. */
static void make_frame(struct screen *s, const struct view *v)
{
    struct frame *f = &s->next;
    struct pen p = new_pen(s, v);

    lay_out(&p);
    const int n = p.row + 1, last_top = n > s->n_rows ? n - s->n_rows : 0;
    if (s->top > last_top)
        s->top = last_top;
    if (s->top > p.cursor_row)
        s->top = p.cursor_row;
    if (s->top <= p.cursor_row - s->n_rows)
        s->top = p.cursor_row - s->n_rows + 1;
    f->bytes.len = 0;
    f->n = 0;
    p = new_pen(s, v);
    p.frame = f;
    p.first = s->top;
    p.last = s->top + s->n_rows;
    lay_out(&p);
    f->row = p.cursor_row - s->top;
    f->column = p.cursor_column;
    if (p.failed)
        s->status = SCREEN_NO_MEMORY;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static void screen_write(struct screen *s, const char *text, size_t n)
{
    if (!s->status && !bytes_add(&s->out, text, n))
        s->status = SCREEN_NO_MEMORY;
}

static TRIT_PRINTF(2, 3) void screen_printf(struct screen *s, const char *fmt, ...)
{
    char text[64];
    va_list list;

    va_start(list, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    screen_write(s, text, (size_t)n);
}

static void go_to_row(struct screen *s, int row)
{
    const int there = row < s->extent ? row : s->extent - 1;

    if (row < s->row)
        screen_printf(s, "\033[%dA", s->row - row);
    if (there > s->row)
        screen_printf(s, "\033[%dB", there - s->row);
    if (row > there) {
        for (int i = there; i < row; i++)
            screen_printf(s, "\r\n");
        s->column = 0;
        s->extent = row + 1;
    }
    s->row = row;
}

static void go_to(struct screen *s, int row, int column)
{
    if (row != s->row)
        go_to_row(s, row);
    if (column == s->column)
        return;
    if (s->column > 0 && column == s->column - 1)
        screen_printf(s, "\b"); /* the most frequent move */
    else if (column > 0)
        screen_printf(s, "\r\033[%dC", column);
    else
        screen_printf(s, "\r");
    s->column = column;
}

/* Bytes that two rows have in common at their start, each one a column. */
static int common_start(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t i = 0;

    while (i < n_a && i < n_b && a[i] == b[i] && a[i] >= 0x20 && a[i] < 0x7F)
        i++;
    const bool marked = (i < n_a && (a[i] & 0x80)) || (i < n_b && (b[i] & 0x80));
    return (int)i - (marked && i > 0);
}

static void draw_row(struct screen *s, int i)
{
    static const struct screen_row none = {.plain = true};
    const struct frame *f = &s->next;
    const struct screen_row *new = &f->rows[i], *old = i < s->shown.n ? &s->shown.rows[i] : &none;
    const char *text = bytes_text(&f->bytes) + new->start;
    const char *before = bytes_text(&s->shown.bytes) + old->start;
    const bool plain = new->plain && old->plain;

    if (i < s->shown.n && new->len == old->len && memcmp(text, before, new->len) == 0)
        return;
    int from = plain ? common_start(text, new->len, before, old->len) : 0;
    if (from >= s->columns)
        from = s->columns - 1;
    go_to(s, i, from);
    if (!plain)
        screen_printf(s, "\033[?7l\033[K");
    screen_write(s, text + from, new->len - (size_t)from);
    s->column = plain && new->columns < s->columns ? new->columns : -1;
    if (!plain)
        screen_printf(s, "\033[?7h");
    else if (new->columns < old->columns &&new->columns < s->columns)
        screen_printf(s, "\033[K");
}

/* Erase after the window's width has changed: the terminal wraps rows that are now too long, so the
 * first row has moved up. */
static void erase_drawn(struct screen *s)
{
    int up = s->shown.column / s->columns;

    for (int i = 0; i < s->row; i++) {
        const int columns = s->shown.rows[i].columns;
        up += columns > 0 ? (columns + s->columns - 1) / s->columns : 1;
    }
    screen_forget(s);
    screen_printf(s, "\r");
    if (up > 0)
        screen_printf(s, "\033[%dA", up);
    screen_printf(s, "\033[J");
}

static void write_changes(struct screen *s)
{
    const struct frame *f = &s->next;

    for (int i = 0; i < f->n; i++)
        draw_row(s, i);
    if (s->drawn && s->shown.n > f->n) {
        go_to(s, f->n, 0);
        screen_printf(s, "\033[J");
    }
    go_to(s, f->row, f->column);
}

static void screen_send(struct screen *s)
{
    if (!s->status && s->out.len && !s->io.write(s->io.user, s->out.data, s->out.len))
        s->status = SCREEN_FAILED;
    s->out.len = 0;
}

void screen_draw(struct screen *s, const struct view *v)
{
    if (ask_size(s) && s->drawn)
        erase_drawn(s);
    if (!s->drawn) {
        s->extent = 1;
        s->row = 0;
        s->column = 0;
        s->shown.n = 0;
    }
    make_frame(s, v);
    if (!s->status)
        write_changes(s);
    if (!s->status) {
        const struct frame old = s->shown;
        s->shown = s->next;
        s->next = old;
    }
    s->drawn = !s->status;
    screen_send(s);
}

void screen_forget(struct screen *s)
{
    s->drawn = false;
    s->shown.n = 0;
}

void screen_reset(struct screen *s, const char *sequence)
{
    screen_forget(s);
    screen_printf(s, "%s", sequence);
    screen_send(s);
}

void screen_leave(struct screen *s)
{
    if (s->drawn) {
        go_to(s, s->shown.n - 1, 0);
        screen_printf(s, "\r\n");
    }
    screen_forget(s);
    s->top = 0;
    screen_send(s);
}

void screen_bell(struct screen *s)
{
    screen_printf(s, "\a");
    screen_send(s);
}

/* ---- Lists ----------------------------------------------------------------------------------- */

/* Write a string, cut to one row. @return its columns */
static int write_item(struct screen *s, const char *text)
{
    const struct view v = {.prompt = text, .more = "", .text = ""};
    struct pen p = new_pen(s, &v);

    s->next.bytes.len = 0;
    s->next.n = 0;
    p.frame = &s->next;
    p.last = 1;
    lay_out(&p);
    if (p.failed) {
        s->status = SCREEN_NO_MEMORY;
        return 0;
    }
    screen_write(s, bytes_text(&s->next.bytes), s->next.rows[0].len);
    return s->next.rows[0].columns;
}

void screen_list(struct screen *s, const char *const *items, size_t n)
{
    int widest = 1;

    screen_leave(s);
    for (size_t i = 0; i < n; i++) {
        const int columns = write_item(s, items[i]);
        widest = columns > widest ? columns : widest;
        s->out.len = 0; /* this pass only measures */
    }
    const int across = s->columns / (widest + 2) > 0 ? s->columns / (widest + 2) : 1;
    const size_t lines = (n + (size_t)across - 1) / (size_t)across;
    for (size_t line = 0; line < lines; line++) {
        for (size_t i = line; i < n; i += lines) {
            const int columns = write_item(s, items[i]);
            for (int pad = columns; i + lines < n && pad < widest + 2; pad++)
                screen_write(s, " ", 1);
        }
        screen_printf(s, "\r\n");
    }
    screen_send(s);
}
