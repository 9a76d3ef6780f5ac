/* screen.c - see screen.h. */
#include "screen.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trit.h"
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

/* Goes over the cells of a view from the start. */
struct pen {
    const struct view *v;
    int columns;
    int row, column; /* where the next cell goes; column may be one too many */
    enum style style, written;
    struct frame *frame; /* receives the rows from first to before last; or NULL */
    int first, last;
    bool failed; /* no memory */

    int cursor_row, cursor_column;
    int want_row, want_column; /* a place, */
    size_t found;              /* and what stands there or before it in that row */
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

static void put_style(struct pen *p, enum style style)
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
    put_style(p, STYLE_NONE);
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
            p->frame = NULL; /* nothing more is written */
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

static void cell(struct pen *p, const char *text, size_t n, int columns)
{
    make_room(p, columns);
    if (is_seen(p)) {
        put_style(p, p->style);
        pen_write(p, text, n);
    }
    p->column += columns;
}

static void cells(struct pen *p, const char *ascii)
{
    for (; *ascii; ascii++)
        cell(p, ascii, 1, 1);
}

/* What cannot be shown as it is. */
static void escaped(struct pen *p, const struct glyph *g, const char *text)
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
    cells(p, form);
    p->style = style;
}

/* Say in which column the next cell is, and take away what the terminal showed beyond it. */
static void set_column(struct pen *p)
{
    char move[32];

    p->frame->rows[p->frame->n - 1].plain = false;
    if (p->column >= p->columns)
        return;
    const int n = snprintf(move, sizeof move, "\r\033[%dC\033[K", p->column);
    pen_write(p, move, (size_t)n);
}

static void glyph(struct pen *p, const struct glyph *g, const char *text)
{
    if (g->code == '\t') {
        make_room(p, 1);
        for (int n = TAB - p->column % TAB; n > 0 && p->column < p->columns; n--)
            cell(p, " ", 1, 1);
    } else if (g->columns == 0) {
        escaped(p, g, text);
    } else if (g->columns > p->columns) {
        cell(p, "?", 1, 1);
    } else if (g->bare) {
        char based[160] = "\xE2\x97\x8C"; /* a dotted circle */
        memcpy(based + 3, text, g->len);
        cell(p, based, 3 + g->len, 1);
    } else {
        cell(p, text, g->len, g->columns);
    }
    if (!g->plain && is_seen(p))
        set_column(p);
}

/* How many columns the first cell of a character needs. */
static int first_columns(const struct pen *p, const struct glyph *g)
{
    return g->columns == 2 && p->columns > 1 ? 2 : 1;
}

/* The next cell stands at a position of the text. */
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
        glyph(p, &g, text);
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
        make_room(p, first_columns(p, &g));
        note_position(p, i);
        if (g.code == '\n') {
            next_row(p);
            lay_string(p, v->more, STYLE_PROMPT);
        } else {
            glyph(p, &g, v->text + i);
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

/* Make s->next of v: the rows that are in the window. */
static bool make_frame(struct screen *s, const struct view *v)
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
    return !p.failed;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static bool screen_printf(struct screen *s, const char *fmt, ...) TRIT_PRINTF(2, 3);

static bool screen_printf(struct screen *s, const char *fmt, ...)
{
    char text[64];
    va_list list;

    va_start(list, fmt);
    const int n = vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    return bytes_add(&s->out, text, (size_t)n);
}

static bool go_to_row(struct screen *s, int row)
{
    bool ok = true;

    if (row < s->row)
        ok = screen_printf(s, "\033[%dA", s->row - row);
    const int there = row < s->extent ? row : s->extent - 1;
    if (there > s->row)
        ok = screen_printf(s, "\033[%dB", there - s->row);
    if (row > there) {
        for (int i = there; i < row && ok; i++)
            ok = screen_printf(s, "\r\n");
        s->column = 0;
        s->extent = row + 1;
    }
    s->row = row;
    return ok;
}

static bool go_to(struct screen *s, int row, int column)
{
    if (row != s->row && !go_to_row(s, row))
        return false;
    if (column == s->column)
        return true;
    const bool back = s->column - 1 == column && s->column > 0; /* the most frequent move */
    s->column = column;
    if (back)
        return screen_printf(s, "\b");
    return screen_printf(s, "\r") && (column == 0 || screen_printf(s, "\033[%dC", column));
}

/* How many bytes, each a column, two rows have in common at their start. */
static int common_start(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t i = 0;

    while (i < n_a && i < n_b && a[i] == b[i] && a[i] >= 0x20 && a[i] < 0x7F)
        i++;
    const bool marked = (i < n_a && (a[i] & 0x80)) || (i < n_b && (b[i] & 0x80));
    return (int)i - (marked && i > 0);
}

static bool draw_row(struct screen *s, int i)
{
    static const struct screen_row none = {.plain = true};
    const struct frame *f = &s->next;
    const struct screen_row *new = &f->rows[i], *old = i < s->shown.n ? &s->shown.rows[i] : &none;
    const char *text = bytes_text(&f->bytes) + new->start;
    const char *before = bytes_text(&s->shown.bytes) + old->start;
    const bool plain = new->plain && old->plain;

    if (i < s->shown.n && new->len == old->len && memcmp(text, before, new->len) == 0)
        return true;
    int from = plain ? common_start(text, new->len, before, old->len) : 0;
    if (from >= s->columns)
        from = s->columns - 1;
    if (!go_to(s, i, from))
        return false;
    if (!plain && !screen_printf(s, "\033[?7l\033[K"))
        return false;
    if (!bytes_add(&s->out, text + from, new->len - (size_t)from))
        return false;
    s->column = new->columns < s->columns &&plain ? new->columns : -1;
    if (!plain)
        return screen_printf(s, "\033[?7h");
    return new->columns >= old->columns || new->columns >= s->columns || screen_printf(s, "\033[K");
}

/* The window's width has changed: a terminal breaks rows that are too long now, so that the first
 * one is further up. */
static bool erase_drawn(struct screen *s)
{
    int up = s->shown.column / s->columns;

    for (int i = 0; i < s->row; i++) {
        const int columns = s->shown.rows[i].columns;
        up += columns > 0 ? (columns + s->columns - 1) / s->columns : 1;
    }
    screen_forget(s);
    if (!screen_printf(s, "\r"))
        return false;
    return (up == 0 || screen_printf(s, "\033[%dA", up)) && screen_printf(s, "\033[J");
}

static bool write_changes(struct screen *s)
{
    const struct frame *f = &s->next;
    bool ok = true;

    for (int i = 0; i < f->n && ok; i++)
        ok = draw_row(s, i);
    if (ok && s->drawn && s->shown.n > f->n)
        ok = go_to(s, f->n, 0) && screen_printf(s, "\033[J");
    return ok && go_to(s, f->row, f->column);
}

static enum screen_status screen_send(struct screen *s)
{
    const size_t n = s->out.len;

    s->out.len = 0;
    return n == 0 || s->io.write(s->io.user, s->out.data, n) ? SCREEN_OK : SCREEN_FAILED;
}

enum screen_status screen_draw(struct screen *s, const struct view *v)
{
    const bool changed = ask_size(s);

    if (changed && s->drawn && !erase_drawn(s))
        return SCREEN_NO_MEMORY;
    if (!s->drawn) {
        s->extent = 1;
        s->row = 0;
        s->column = 0;
        s->shown.n = 0;
    }
    if (!make_frame(s, v) || !write_changes(s)) {
        s->out.len = 0;
        screen_forget(s);
        return SCREEN_NO_MEMORY;
    }
    const struct frame old = s->shown;
    s->shown = s->next;
    s->next = old;
    s->drawn = true;
    return screen_send(s);
}

void screen_forget(struct screen *s)
{
    s->drawn = false;
    s->shown.n = 0;
}

enum screen_status screen_restart(struct screen *s)
{
    screen_forget(s);
    return screen_printf(s, "\r\033[J") ? screen_send(s) : SCREEN_NO_MEMORY;
}

enum screen_status screen_clear(struct screen *s)
{
    screen_forget(s);
    return screen_printf(s, "\033[H\033[2J") ? screen_send(s) : SCREEN_NO_MEMORY;
}

enum screen_status screen_leave(struct screen *s)
{
    const bool ok = !s->drawn || (go_to(s, s->shown.n - 1, 0) && screen_printf(s, "\r\n"));

    screen_forget(s);
    s->top = 0;
    return ok ? screen_send(s) : SCREEN_NO_MEMORY;
}

enum screen_status screen_bell(struct screen *s)
{
    return screen_printf(s, "\a") ? screen_send(s) : SCREEN_NO_MEMORY;
}

/* ---- Lists ----------------------------------------------------------------------------------- */

/* Print text into a frame's row of its own, and take its bytes. */
static int print_item(struct screen *s, const char *text)
{
    const struct view v = {.prompt = text, .more = "", .text = ""};
    struct pen p = new_pen(s, &v);

    s->next.bytes.len = 0;
    s->next.n = 0;
    p.frame = &s->next;
    p.last = 1;
    lay_out(&p);
    if (p.failed || !bytes_add(&s->out, bytes_text(&s->next.bytes), s->next.rows[0].len))
        return -1;
    return s->next.rows[0].columns;
}

enum screen_status screen_list(struct screen *s, const char *const *items, size_t n)
{
    enum screen_status status = screen_leave(s);
    int widest = 1;

    for (size_t i = 0; i < n && !status; i++) {
        const size_t before = s->out.len;
        const int columns = print_item(s, items[i]);
        if (columns < 0)
            status = SCREEN_NO_MEMORY;
        s->out.len = before;
        widest = columns > widest ? columns : widest;
    }
    const int across = s->columns / (widest + 2) > 0 ? s->columns / (widest + 2) : 1;
    const size_t lines = (n + (size_t)across - 1) / (size_t)across;
    for (size_t line = 0; line < lines && !status; line++) {
        for (size_t i = line; i < n && !status; i += lines) {
            const int columns = print_item(s, items[i]);
            bool ok = columns >= 0;
            for (int pad = columns; i + lines < n && pad < widest + 2 && ok; pad++)
                ok = screen_printf(s, " ");
            status = ok ? SCREEN_OK : SCREEN_NO_MEMORY;
        }
        if (!status && !screen_printf(s, "\r\n"))
            status = SCREEN_NO_MEMORY;
    }
    if (status)
        s->out.len = 0;
    return status ? status : screen_send(s);
}
