/* editor.c - see editor.h. Keys change the text; once nothing more is to be read, it is drawn. */
#define _POSIX_C_SOURCE 200809L

#include "editor.h"

#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "screen.h"
#include "trit.h"
#include "width.h"

enum { MAX_UNDO = 1000, MAX_UNDO_BYTES = 16 << 20, MAX_QUERY = 256, MAX_LISTED = 200 };

/* A change that can be taken back. */
struct change {
    size_t at, n_new; /* what stands there now */
    char *old;        /* what stood there before */
    size_t n_old;
    size_t cursor;
    bool typed; /* what is typed next belongs to it */
};

/* A text that is left for another one of the history. */
struct draft {
    size_t entry;
    struct bytes text;
};

struct search {
    bool on, failed;
    char query[MAX_QUERY + 1];
    size_t n_query;
    size_t entry;      /* what is found, or number of entries */
    struct bytes text; /* what was there before */
    size_t cursor;
};

struct editor {
    struct editor_options opt;
    struct keys keys;
    struct screen screen;
    const char *prompt;
    struct bytes text, cut, answer;
    size_t cursor;

    struct change *changes;
    int n_changes;
    size_t change_bytes;

    size_t entry; /* of the history; number of entries: the new text */
    struct draft *drafts;
    size_t n_drafts;
    struct search search;

    enum key_kind last; /* the key before */
    bool cutting;       /* it cut something */
    bool from_history;  /* it brought this text from the history */
    int wanted_column;  /* of Up and Down; -1: where the cursor is */
    bool bell, no_memory;
};

/* ---- Open, close ----------------------------------------------------------------------------- */

struct editor *editor_open(const struct editor_options *opt)
{
    struct editor *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    e->opt = *opt;
    if (!e->opt.more)
        e->opt.more = ". ";
    e->keys.io = e->screen.io = opt->io;
    return e;
}

static void forget_changes(struct editor *e)
{
    for (int i = 0; i < e->n_changes; i++)
        free(e->changes[i].old);
    e->n_changes = 0;
    e->change_bytes = 0;
}

static void forget_drafts(struct editor *e)
{
    for (size_t i = 0; i < e->n_drafts; i++)
        bytes_free(&e->drafts[i].text);
    e->n_drafts = 0;
}

void editor_close(struct editor *e)
{
    if (!e)
        return;
    forget_changes(e);
    forget_drafts(e);
    free(e->changes);
    free(e->drafts);
    keys_free(&e->keys);
    screen_free(&e->screen);
    bytes_free(&e->text);
    bytes_free(&e->cut);
    bytes_free(&e->answer);
    bytes_free(&e->search.text);
    free(e);
}

/* ---- Changing the text ----------------------------------------------------------------------- */

static bool has_memory(struct editor *e, bool ok)
{
    if (!ok)
        e->no_memory = true;
    return ok;
}

/* Room for one change more. */
static bool make_change(struct editor *e)
{
    if (!e->changes)
        e->changes = malloc(MAX_UNDO * sizeof *e->changes);
    if (e->changes && e->n_changes == MAX_UNDO) {
        e->change_bytes -= e->changes[0].n_old;
        free(e->changes[0].old);
        e->n_changes--;
        memmove(e->changes, e->changes + 1, (size_t)e->n_changes * sizeof *e->changes);
    }
    return e->changes != NULL;
}

/* Typing goes on: word for word it is one change. */
static bool joins_change(const struct editor *e, size_t at, size_t n_old, const char *new)
{
    const struct change *c = e->n_changes > 0 ? &e->changes[e->n_changes - 1] : NULL;
    return c && c->typed && e->last == KEY_TEXT && n_old == 0 && c->at + c->n_new == at &&
           !(*new == ' ' && at > 0 && e->text.data[at - 1] != ' ');
}

static bool note_change(struct editor *e, size_t at, size_t n_old, const char *new, size_t n_new,
                        bool typed)
{
    if (typed && joins_change(e, at, n_old, new)) {
        e->changes[e->n_changes - 1].n_new += n_new;
        return true;
    }
    if (e->change_bytes + n_old > MAX_UNDO_BYTES)
        forget_changes(e);
    char *old = malloc(n_old + 1);
    if (!old || !make_change(e)) {
        free(old);
        return false;
    }
    if (n_old > 0)
        memcpy(old, e->text.data + at, n_old);
    e->changes[e->n_changes++] = (struct change){at, n_new, old, n_old, e->cursor, typed};
    e->change_bytes += n_old;
    return true;
}

/* Every change goes through here. The cursor comes to stand behind what is new. */
static bool change(struct editor *e, size_t at, size_t n_old, const char *new, size_t n_new,
                   bool typed)
{
    if (n_old == 0 && n_new == 0)
        return true;
    if (n_new > EDITOR_MAX_TEXT || e->text.len - n_old + n_new > EDITOR_MAX_TEXT) {
        e->bell = true;
        return false;
    }
    if (!has_memory(e, note_change(e, at, n_old, new, n_new, typed)))
        return false;
    if (!has_memory(e, bytes_replace(&e->text, at, n_old, new, n_new))) {
        forget_changes(e); /* the last one did not happen */
        return false;
    }
    e->cursor = snap_glyph(bytes_text(&e->text), e->text.len, at + n_new);
    return true;
}

static void undo(struct editor *e)
{
    if (e->n_changes == 0) {
        e->bell = true;
        return;
    }
    struct change *c = &e->changes[e->n_changes - 1];
    if (!has_memory(e, bytes_replace(&e->text, c->at, c->n_new, c->old, c->n_old)))
        return;
    e->cursor = c->cursor;
    e->change_bytes -= c->n_old;
    free(c->old);
    e->n_changes--;
}

/* Another text takes the place of all; there is no way back by undo. */
static bool set_text(struct editor *e, const char *text, size_t len)
{
    if (!has_memory(e, bytes_replace(&e->text, 0, e->text.len, text, len)))
        return false;
    e->cursor = len;
    forget_changes(e);
    return true;
}

bool editor_set_text(struct editor *e, const char *text, size_t len)
{
    const bool ok = len <= EDITOR_MAX_TEXT && set_text(e, text, len);

    e->no_memory = false;
    return ok;
}

/* Cut what is between; behind what the key before cut, or in front of it, if that cut too. */
static void cut(struct editor *e, size_t from, size_t to, bool front)
{
    const char *text = bytes_text(&e->text) + from;
    const size_t at = e->cutting && !front ? e->cut.len : 0;
    const size_t n_old = e->cutting ? 0 : e->cut.len;

    if (from < to && has_memory(e, bytes_replace(&e->cut, at, n_old, text, to - from)))
        change(e, from, to - from, "", 0, false);
}

/* ---- Places in the text ---------------------------------------------------------------------- */

static size_t line_begin(const struct editor *e)
{
    size_t i = e->cursor;
    while (i > 0 && e->text.data[i - 1] != '\n')
        i--;
    return i;
}

static size_t line_end(const struct editor *e)
{
    return e->cursor + line_length(bytes_text(&e->text) + e->cursor, e->text.len - e->cursor);
}

static size_t before(const struct editor *e, size_t at)
{
    return previous_glyph(bytes_text(&e->text), e->text.len, at);
}

static size_t behind(const struct editor *e, size_t at)
{
    return following_glyph(bytes_text(&e->text), e->text.len, at);
}

static bool is_blank(const struct editor *e, size_t at)
{
    const char c = e->text.data[at];
    return c == ' ' || c == '\n' || c == '\t';
}

/* Letters, digits, and what is not ASCII but for its usual punctuation. */
static bool is_word(const struct editor *e, size_t at)
{
    const unsigned char c = (unsigned char)e->text.data[at];
    size_t n;

    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_';
    const uint32_t code = trit_utf8_decode(e->text.data + at, e->text.len - at, &n);
    return code != TRIT_NO_CHARACTER && !(code >= 0x80 && code <= 0xBF) &&
           !(code >= 0x2000 && code <= 0x206F) && !(code >= 0x3000 && code <= 0x303F) &&
           !(code >= 0xFF00 && code <= 0xFF0F);
}

static size_t word_left(const struct editor *e)
{
    size_t i = e->cursor, previous = 0;
    bool in_word = false;

    for (; i > 0; i = previous) {
        previous = before(e, i);
        if (in_word && !is_word(e, previous))
            break;
        in_word = in_word || is_word(e, previous);
    }
    return i;
}

static size_t word_right(const struct editor *e)
{
    size_t i = e->cursor;

    while (i < e->text.len && !is_word(e, i))
        i = behind(e, i);
    while (i < e->text.len && is_word(e, i))
        i = behind(e, i);
    return i;
}

static size_t blank_left(const struct editor *e)
{
    size_t i = e->cursor;

    while (i > 0 && is_blank(e, i - 1))
        i--;
    while (i > 0 && !is_blank(e, i - 1))
        i--;
    return i;
}

static void exchange(struct editor *e)
{
    const size_t at = e->cursor == line_end(e) && e->cursor > 0 ? before(e, e->cursor) : e->cursor;
    const size_t first = before(e, at), end = behind(e, at);
    char *pair;

    if (at == 0 || at == end || e->text.data[first] == '\n' || e->text.data[at] == '\n') {
        e->bell = true;
        return;
    }
    pair = malloc(end - first);
    if (!has_memory(e, pair != NULL))
        return;
    memcpy(pair, e->text.data + at, end - at);
    memcpy(pair + (end - at), e->text.data + first, at - first);
    change(e, first, end - first, pair, end - first, false);
    free(pair);
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static struct view make_view(struct editor *e, char *prompt, size_t size)
{
    const struct search *s = &e->search;
    struct view v = {
        .prompt = e->prompt,
        .more = e->opt.more,
        .text = bytes_text(&e->text),
        .len = e->text.len,
        .cursor = e->cursor,
        .style = e->opt.prompt_style,
        .color = e->opt.color,
    };
    if (s->on) {
        static const char *const words[] = {"search", "not found"};
        const char *const parts[] = {"(", words[s->failed], ": ", s->query, ") "};
        size_t n = 0;
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            for (const char *c = parts[i]; *c && n + 1 < size; c++)
                prompt[n++] = *c;
        prompt[n] = '\0';
        v.prompt = prompt;
    } else if (e->opt.hint && e->opt.color && e->cursor == e->text.len) {
        v.hint = e->opt.hint(e->opt.user, v.text, v.len);
    }
    return v;
}

static enum screen_status draw(struct editor *e)
{
    char prompt[MAX_QUERY + 32];
    const struct view v = make_view(e, prompt, sizeof prompt);
    return screen_draw(&e->screen, &v);
}

/* Show the text as it is in the end, and go below it. */
static enum screen_status leave(struct editor *e)
{
    char prompt[MAX_QUERY + 32];
    struct view v = make_view(e, prompt, sizeof prompt);

    v.cursor = v.len;
    v.hint = NULL;
    const enum screen_status status = screen_draw(&e->screen, &v);
    return status ? status : screen_leave(&e->screen);
}

/* Rows up or down. @return false where there are none */
static bool move_rows(struct editor *e, int rows)
{
    char prompt[MAX_QUERY + 32];
    const struct view v = make_view(e, prompt, sizeof prompt);
    size_t position;

    if (!screen_move(&e->screen, &v, rows, &e->wanted_column, &position))
        return false;
    e->cursor = position;
    return true;
}

/* ---- History --------------------------------------------------------------------------------- */

static size_t n_entries(const struct editor *e)
{
    return e->opt.history ? history_count(e->opt.history) : 0;
}

static struct draft *find_draft(const struct editor *e, size_t entry)
{
    for (size_t i = 0; i < e->n_drafts; i++)
        if (e->drafts[i].entry == entry)
            return &e->drafts[i];
    return NULL;
}

static struct draft *new_draft(struct editor *e)
{
    struct draft *drafts = realloc(e->drafts, (e->n_drafts + 1) * sizeof *drafts);

    if (!drafts)
        return NULL;
    e->drafts = drafts;
    drafts[e->n_drafts] = (struct draft){.entry = e->entry};
    return &drafts[e->n_drafts++];
}

/* Keep the text, if it is not what the history holds anyway. */
static bool keep_draft(struct editor *e)
{
    struct draft *d = find_draft(e, e->entry);

    if (!d && e->entry < n_entries(e)) {
        size_t len;
        const char *text = history_entry(e->opt.history, e->entry, &len);
        if (len == e->text.len && memcmp(text, bytes_text(&e->text), len) == 0)
            return true;
    }
    if (!d)
        d = new_draft(e);
    return has_memory(
        e, d && bytes_replace(&d->text, 0, d->text.len, bytes_text(&e->text), e->text.len));
}

static void go_to_entry(struct editor *e, size_t entry)
{
    size_t len;

    if (!keep_draft(e))
        return;
    const struct draft *d = find_draft(e, entry);
    const char *text = d ? bytes_text(&d->text) : history_entry(e->opt.history, entry, &len);
    if (d)
        len = d->text.len;
    if (set_text(e, text, len)) {
        e->entry = entry;
        e->from_history = true;
    }
}

static void up(struct editor *e, bool from_history)
{
    if (!from_history && move_rows(e, -1))
        return;
    if (e->entry > 0)
        go_to_entry(e, e->entry - 1);
    else
        e->bell = true;
}

static void down(struct editor *e, bool from_history)
{
    if (!from_history && move_rows(e, 1))
        return;
    if (e->entry < n_entries(e))
        go_to_entry(e, e->entry + 1);
    else
        e->bell = true;
}

/* ---- Search ---------------------------------------------------------------------------------- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Where text holds the query; capitals count only where the query has some. @return len: nowhere */
static size_t find_query(const struct search *s, const char *text, size_t len)
{
    bool exact = false;

    for (size_t i = 0; i < s->n_query; i++)
        exact = exact || s->query[i] != lower(s->query[i]);
    for (size_t at = 0; at + s->n_query <= len; at++) {
        size_t i = 0;
        while (i < s->n_query && (exact ? text[at + i] : lower(text[at + i])) == s->query[i])
            i++;
        if (i == s->n_query)
            return at;
    }
    return len;
}

/* Look from an entry on, towards older or newer ones. */
static void search_from(struct editor *e, size_t entry, bool newer)
{
    struct search *s = &e->search;

    for (; entry < n_entries(e); entry += newer ? 1 : (size_t)-1) {
        size_t len;
        const char *text = history_entry(e->opt.history, entry, &len);
        const size_t at = find_query(s, text, len);
        if (at == len)
            continue;
        s->failed = false;
        s->entry = entry;
        if (set_text(e, text, len))
            e->cursor = snap_glyph(text, len, at);
        return;
    }
    s->failed = true;
    e->bell = true;
}

static void begin_search(struct editor *e)
{
    struct search *s = &e->search;

    s->text.len = 0;
    if (!has_memory(e, bytes_add(&s->text, bytes_text(&e->text), e->text.len)))
        return;
    s->cursor = e->cursor;
    s->on = true;
    s->failed = false;
    s->n_query = 0;
    s->query[0] = '\0';
    s->entry = n_entries(e);
}

/* Go on with what was found. */
static void take_found(struct editor *e)
{
    struct search *s = &e->search;

    s->on = false;
    if (s->entry == n_entries(e))
        return;
    const size_t entry = s->entry, cursor = e->cursor;
    struct bytes found = e->text; /* the text that was there before is a draft */
    e->text = s->text;
    s->text = (struct bytes){0};
    if (keep_draft(e))
        e->entry = entry;
    s->text = e->text;
    e->text = found;
    e->cursor = cursor;
}

static void abort_search(struct editor *e)
{
    struct search *s = &e->search;

    s->on = false;
    if (set_text(e, bytes_text(&s->text), s->text.len))
        e->cursor = s->cursor;
}

static void change_query(struct editor *e, size_t keep, const char *text, size_t len)
{
    struct search *s = &e->search;

    if (keep + len > MAX_QUERY || memchr(text, '\0', len)) {
        e->bell = true;
        return;
    }
    memcpy(s->query + keep, text, len);
    s->n_query = keep + len;
    s->query[s->n_query] = '\0';
    const size_t n = n_entries(e);
    if (s->n_query > 0 && n > 0) /* a shorter one may be found further on */
        search_from(e, len > 0 && s->entry < n ? s->entry : n - 1, false);
    else
        s->failed = s->n_query > 0;
}

/* @return whether the key was the search's */
static bool search_key(struct editor *e, const struct key *key)
{
    struct search *s = &e->search;

    switch (key->kind) {
    case KEY_TEXT:
        change_query(e, s->n_query, key->text, key->len);
        return true;
    case KEY_BACKSPACE:
        change_query(e, previous_glyph(s->query, s->n_query, s->n_query), "", 0);
        return true;
    case KEY_OLDER:
        search_from(e, s->entry - 1, false);
        return true;
    case KEY_NEWER:
        search_from(e, s->entry + 1, true);
        return true;
    case KEY_ABORT:
    case KEY_CANCEL:
        abort_search(e);
        return true;
    case KEY_ESCAPE:
        take_found(e);
        return true;
    case KEY_OTHER:
    case KEY_WAKE:
    case KEY_REDRAW:
    case KEY_CLEAR:
    case KEY_SUSPEND:
    case KEY_FAILED:
    case KEY_NO_MEMORY:
        return false;
    default:
        take_found(e);
        return false;
    }
}

/* ---- Completion ------------------------------------------------------------------------------ */

struct editor_candidates {
    size_t start;
    char **texts, **shown;
    size_t n, size;
    bool failed;
};

/* Room for n + 1 of them; two arrays in one. */
static bool grow(struct editor_candidates *c)
{
    if (c->n < c->size)
        return true;
    const size_t size = c->size * 2 + 16;
    char **texts = realloc(c->texts, size * sizeof *texts);
    if (texts)
        c->texts = texts;
    char **shown = texts ? realloc(c->shown, size * sizeof *shown) : NULL;
    if (!shown)
        return false;
    c->shown = shown;
    c->size = size;
    return true;
}

bool editor_add_candidate(struct editor_candidates *c, size_t start, const char *text,
                          const char *shown)
{
    char *a = NULL, *b = NULL;

    if (!grow(c) || !(a = strdup(text)) || !(b = strdup(shown ? shown : text))) {
        free(a);
        c->failed = true;
        return false;
    }
    c->start = start;
    c->texts[c->n] = a;
    c->shown[c->n++] = b;
    return true;
}

/* How much all of them have in common, in whole characters. */
static size_t common_prefix(const struct editor_candidates *c)
{
    const char *first = c->texts[0];
    size_t len = strlen(first);

    for (size_t i = 1; i < c->n; i++) {
        size_t n = 0;
        while (n < len && c->texts[i][n] == first[n])
            n++;
        len = n;
    }
    while (len > 0 && ((unsigned char)first[len] & 0xC0) == 0x80)
        len--;
    return len;
}

static enum screen_status list_candidates(struct editor *e, const struct editor_candidates *c)
{
    const enum screen_status status = leave(e);
    const size_t n = c->n < MAX_LISTED ? c->n : MAX_LISTED;
    return status ? status : screen_list(&e->screen, (const char *const *)c->shown, n);
}

static enum screen_status complete(struct editor *e)
{
    struct editor_candidates c = {0};
    enum screen_status status = SCREEN_OK;

    if (e->opt.complete)
        e->opt.complete(e->opt.user, bytes_text(&e->text), e->text.len, e->cursor, &c);
    has_memory(e, !c.failed);
    if (c.n == 0 || c.start > e->cursor) {
        e->bell = true;
    } else if (!c.failed) {
        const size_t n_old = e->cursor - c.start, n_new = common_prefix(&c);
        const bool same = n_new == n_old && memcmp(c.texts[0], e->text.data + c.start, n_old) == 0;
        if (c.n == 1 || (!same && n_new >= n_old))
            change(e, c.start, n_old, c.texts[0], n_new, false);
        else
            status = list_candidates(e, &c);
    }
    for (size_t i = 0; i < c.n; i++) {
        free(c.texts[i]);
        free(c.shown[i]);
    }
    free(c.texts);
    free(c.shown);
    return status;
}

/* ---- Messages in quotes ---------------------------------------------------------------------- */

static const char quotes[] = "\"\"\"";
enum { N_QUOTES = sizeof quotes - 1 };

static bool is_open(const char *text, size_t len)
{
    if (len < N_QUOTES || memcmp(text, quotes, N_QUOTES) != 0)
        return false;
    while (len > N_QUOTES && (text[len - 1] == ' ' || text[len - 1] == '\n'))
        len--;
    return len < 2 * N_QUOTES || memcmp(text + len - N_QUOTES, quotes, N_QUOTES) != 0;
}

bool editor_unquote(const char **text, size_t *len)
{
    const char *p = *text;
    size_t n = *len;

    if (n < N_QUOTES || memcmp(p, quotes, N_QUOTES) != 0)
        return false;
    const bool open = is_open(p, n);
    while (!open && (p[n - 1] == ' ' || p[n - 1] == '\n'))
        n--;
    n -= open ? N_QUOTES : 2 * N_QUOTES;
    p += N_QUOTES;
    if (n > 0 && *p == '\n') {
        p++;
        n--;
    }
    if (!open && n > 0 && p[n - 1] == '\n')
        n--;
    *text = p;
    *len = n;
    return true;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void move_or_cut(struct editor *e, enum key_kind kind)
{
    const size_t at = e->cursor;

    switch (kind) {
    case KEY_LEFT:
        e->cursor = before(e, at);
        break;
    case KEY_RIGHT:
        e->cursor = behind(e, at);
        break;
    case KEY_WORD_LEFT:
        e->cursor = word_left(e);
        break;
    case KEY_WORD_RIGHT:
        e->cursor = word_right(e);
        break;
    case KEY_HOME:
        e->cursor = line_begin(e);
        break;
    case KEY_END:
        e->cursor = line_end(e);
        break;
    case KEY_FIRST:
        e->cursor = 0;
        break;
    case KEY_LAST:
        e->cursor = e->text.len;
        break;
    case KEY_BACKSPACE:
        change(e, before(e, at), at - before(e, at), "", 0, false);
        break;
    case KEY_DELETE:
    case KEY_DELETE_OR_LEAVE:
        change(e, at, behind(e, at) - at, "", 0, false);
        break;
    case KEY_CUT_LEFT: /* at its start, the line break */
        cut(e, at > 0 && line_begin(e) == at ? at - 1 : line_begin(e), at, true);
        break;
    case KEY_CUT_RIGHT:
        cut(e, at, line_end(e) == at && at < e->text.len ? at + 1 : line_end(e), false);
        break;
    case KEY_CUT_BLANK:
        cut(e, blank_left(e), at, true);
        break;
    case KEY_CUT_WORD_LEFT:
        cut(e, word_left(e), at, true);
        break;
    case KEY_CUT_WORD_RIGHT:
        cut(e, at, word_right(e), false);
        break;
    case KEY_YANK:
        change(e, at, 0, bytes_text(&e->cut), e->cut.len, false);
        break;
    default:
        break;
    }
}

static bool is_cut(enum key_kind kind)
{
    return kind >= KEY_CUT_LEFT && kind <= KEY_CUT_WORD_RIGHT;
}

/* Keys that end nothing. */
static enum screen_status edit(struct editor *e, const struct key *key)
{
    const bool from_history = e->from_history;

    e->from_history = false;
    e->cutting = is_cut(key->kind) && is_cut(e->last);
    if (key->kind != KEY_UP && key->kind != KEY_DOWN)
        e->wanted_column = -1;
    switch (key->kind) {
    case KEY_TEXT:
    case KEY_PASTE:
        change(e, e->cursor, 0, key->text, key->len, key->kind == KEY_TEXT);
        break;
    case KEY_ENTER:
    case KEY_BREAK:
        change(e, e->cursor, 0, "\n", 1, false);
        break;
    case KEY_UP:
        up(e, from_history);
        break;
    case KEY_DOWN:
        down(e, from_history);
        break;
    case KEY_EXCHANGE:
        exchange(e);
        break;
    case KEY_UNDO:
        undo(e);
        break;
    case KEY_OLDER:
        begin_search(e);
        break;
    case KEY_COMPLETE:
        return complete(e);
    case KEY_CLEAR:
        return screen_clear(&e->screen);
    default:
        move_or_cut(e, key->kind);
        break;
    }
    return SCREEN_OK;
}

static enum screen_status suspend(struct editor *e)
{
    if (!e->opt.io.suspend)
        return SCREEN_OK;
    const enum screen_status status = leave(e);
    if (!status)
        e->opt.io.suspend(e->opt.io.user);
    return status;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* The text becomes the answer, and the next one begins empty. */
static bool take_answer(struct editor *e, const char **text, size_t *len)
{
    if (!e->text.data && !bytes_add(&e->text, "", 0))
        return false;
    const struct bytes old = e->answer;
    e->answer = e->text;
    e->text = old;
    e->text.len = 0;
    e->cursor = 0;
    forget_changes(e);
    forget_drafts(e);
    *text = e->answer.data;
    *len = e->answer.len;
    return true;
}

static enum editor_event end_with(struct editor *e, enum editor_event event, const char **text,
                                  size_t *len)
{
    e->search.on = false;
    const enum screen_status status = leave(e);
    if (status)
        return status == SCREEN_FAILED ? EDITOR_FAILED : EDITOR_NO_MEMORY;
    if (event == EDITOR_CANCEL && e->text.len > 0) {
        e->cut.len = 0;
        has_memory(e, bytes_add(&e->cut, e->text.data, e->text.len));
        e->no_memory = false; /* it cannot be brought back then */
    }
    if ((event == EDITOR_TEXT || event == EDITOR_CANCEL) && !take_answer(e, text, len))
        return EDITOR_NO_MEMORY;
    return event;
}

/* What a key means for the reading as a whole. @return whether it ends it */
static bool is_last_key(const struct editor *e, const struct key *key, enum editor_event *event)
{
    switch (key->kind) {
    case KEY_ENTER:
        *event = EDITOR_TEXT;
        return !is_open(bytes_text(&e->text), e->text.len);
    case KEY_CANCEL:
        *event = EDITOR_CANCEL;
        return true;
    case KEY_DELETE_OR_LEAVE:
        *event = EDITOR_END;
        return e->text.len == 0;
    case KEY_NO_INPUT:
        *event = EDITOR_END;
        return true;
    case KEY_FAILED:
        *event = EDITOR_FAILED;
        return true;
    case KEY_NO_MEMORY:
        *event = EDITOR_NO_MEMORY;
        return true;
    default:
        return false;
    }
}

/* @return whether the reading is over */
static bool do_key(struct editor *e, const struct key *key, enum editor_event *event)
{
    enum screen_status status = SCREEN_OK;

    if (e->search.on && search_key(e, key)) {
        e->last = KEY_OTHER;
    } else if (is_last_key(e, key, event)) {
        return true;
    } else if (key->kind == KEY_REDRAW) {
        status = screen_restart(&e->screen);
    } else if (key->kind == KEY_SUSPEND) {
        status = suspend(e);
    } else if (key->kind != KEY_WAKE && key->kind != KEY_OTHER) {
        status = edit(e, key);
        e->last = key->kind;
    }
    if (!status && e->bell)
        status = screen_bell(&e->screen);
    e->bell = false;
    if (status == SCREEN_NO_MEMORY || e->no_memory)
        *event = EDITOR_NO_MEMORY;
    else
        *event = EDITOR_FAILED;
    return status != SCREEN_OK || e->no_memory;
}

static enum editor_event edit_message(struct editor *e, const char **text, size_t *len)
{
    enum editor_event event = EDITOR_FAILED;
    struct key key;

    screen_forget(&e->screen);
    forget_drafts(e);
    e->entry = n_entries(e);
    e->last = KEY_OTHER;
    e->wanted_column = -1;
    e->from_history = e->no_memory = e->bell = false;
    do {
        const enum screen_status status = keys_waiting(&e->keys) ? SCREEN_OK : draw(e);
        if (status)
            return status == SCREEN_FAILED ? EDITOR_FAILED : EDITOR_NO_MEMORY;
        key = next_key(&e->keys);
    } while (!do_key(e, &key, &event));
    return event == EDITOR_FAILED ? event : end_with(e, event, text, len);
}

/* ---- Without editing ------------------------------------------------------------------------- */

static bool write_prompt(struct editor *e, const char *prompt)
{
    return e->opt.io.write(e->opt.io.user, prompt, strlen(prompt));
}

/* Lines as they come, from what the keys have read already on. */
static enum editor_event read_plain(struct editor *e, const char **text, size_t *len)
{
    struct keys *k = &e->keys;

    e->text.len = 0;
    if (!write_prompt(e, e->prompt))
        return EDITOR_FAILED;
    for (;;) {
        if (k->at == k->n) {
            k->at = 0;
            k->n = 0;
            const int n = k->io.read(k->io.user, k->in, (int)sizeof k->in, -1);
            if (n == EDITOR_READ_INTERRUPT)
                return write_prompt(e, "\n") && take_answer(e, text, len) ? EDITOR_CANCEL
                                                                          : EDITOR_FAILED;
            if (n == EDITOR_READ_END && e->text.len > 0)
                return take_answer(e, text, len) ? EDITOR_TEXT : EDITOR_NO_MEMORY;
            if (n == EDITOR_READ_END)
                return EDITOR_END;
            if (n == EDITOR_READ_FAILED)
                return EDITOR_FAILED;
            k->n = n > 0 ? n : 0;
            continue;
        }
        const char *in = (const char *)k->in + k->at;
        const size_t n_in = (size_t)(k->n - k->at), n = line_length(in, n_in);
        if (!bytes_add(&e->text, in, n))
            return EDITOR_NO_MEMORY;
        k->at += (int)(n + (n < n_in));
        if (n == n_in)
            continue;
        if (e->text.len > 0 && e->text.data[e->text.len - 1] == '\r')
            e->text.len--;
        if (!is_open(bytes_text(&e->text), e->text.len))
            return take_answer(e, text, len) ? EDITOR_TEXT : EDITOR_NO_MEMORY;
        if (!bytes_add(&e->text, "\n", 1))
            return EDITOR_NO_MEMORY;
        if (!write_prompt(e, e->opt.more))
            return EDITOR_FAILED;
    }
}

enum editor_event editor_read(struct editor *e, const char *prompt, const char **text, size_t *len)
{
    *text = "";
    *len = 0;
    e->prompt = prompt;
    return e->opt.plain ? read_plain(e, text, len) : edit_message(e, text, len);
}
