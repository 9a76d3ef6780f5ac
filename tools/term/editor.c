/* editor.c - see editor.h. Keys change the text; it is drawn when no more input is waiting. */
#define _POSIX_C_SOURCE 200809L

#include "editor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "screen.h"
#include "text_buffer.h"
#include "width.h"

enum { MAX_QUERY = 256, MAX_LISTED = 200 };

/* An entry of the history as the user changed it before moving to another one. */
struct draft {
    size_t entry;
    struct bytes text;
};

struct search {
    bool on, failed;
    char query[MAX_QUERY + 1], prompt[MAX_QUERY + 32];
    size_t n_query;
    size_t entry;      /* the one found; the number of entries: none so far */
    struct bytes text; /* the text and the cursor before the search */
    size_t cursor;
};

struct editor {
    struct editor_options opt;
    struct keys keys;
    struct screen screen;
    const char *prompt;
    struct text_buffer buffer;
    struct bytes answer;

    size_t entry; /* the entry of the history being edited; the number of entries: the new text */
    struct draft *drafts;
    size_t n_drafts;
    struct search search;

    enum key_kind last_key;
    bool from_history; /* the last key fetched this text from the history */
    int wanted_column; /* of Up and Down; -1: the cursor's column */
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
    e->buffer.max_len = EDITOR_MAX_TEXT;
    return e;
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
    forget_drafts(e);
    free(e->drafts);
    keys_free(&e->keys);
    screen_free(&e->screen);
    text_free(&e->buffer);
    bytes_free(&e->answer);
    bytes_free(&e->search.text);
    free(e);
}

bool editor_set_text(struct editor *e, const char *text, size_t len)
{
    return text_set(&e->buffer, text, len) == TEXT_OK;
}

static bool has_memory(struct editor *e, bool ok)
{
    e->no_memory = e->no_memory || !ok;
    return ok;
}

/* Note the result of a change. @return whether it was made */
static bool is_changed(struct editor *e, enum text_result result)
{
    e->bell = e->bell || result == TEXT_REFUSED;
    return has_memory(e, result != TEXT_NO_MEMORY) && result == TEXT_OK;
}

/* ---- Drawing --------------------------------------------------------------------------------- */

static struct view make_view(struct editor *e)
{
    struct search *s = &e->search;
    const struct bytes *text = &e->buffer.text;
    struct view v = {
        .prompt = e->prompt,
        .more = e->opt.more,
        .text = bytes_text(text),
        .len = text->len,
        .cursor = e->buffer.cursor,
        .style = e->opt.prompt_style,
        .color = e->opt.color,
    };
    if (s->on) {
        snprintf(s->prompt, sizeof s->prompt, "(%s: %s) ", s->failed ? "not found" : "search",
                 s->query);
        v.prompt = s->prompt;
    } else if (e->opt.hint && v.color && v.cursor == v.len) {
        v.hint = e->opt.hint(e->opt.user, v.text, v.len);
    }
    return v;
}

static void draw_text(struct editor *e)
{
    const struct view v = make_view(e);
    screen_draw(&e->screen, &v);
}

/* Draw the text for the last time, and go below it. */
static void leave_text(struct editor *e)
{
    struct view v = make_view(e);

    v.cursor = v.len;
    v.hint = NULL;
    screen_draw(&e->screen, &v);
    screen_leave(&e->screen);
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

/* Keep the text as the draft of this entry, unless it is the same as the entry. */
static bool keep_draft(struct editor *e, const struct bytes *text)
{
    struct draft *d = find_draft(e, e->entry);

    if (!d && e->entry < n_entries(e)) {
        size_t len;
        const char *entry = history_entry(e->opt.history, e->entry, &len);
        if (len == text->len && memcmp(entry, bytes_text(text), len) == 0)
            return true;
    }
    if (!d) {
        struct draft *larger = realloc(e->drafts, (e->n_drafts + 1) * sizeof *larger);
        if (!has_memory(e, larger != NULL))
            return false;
        e->drafts = larger;
        d = &larger[e->n_drafts++];
        *d = (struct draft){.entry = e->entry};
    }
    return has_memory(e, bytes_replace(&d->text, 0, d->text.len, bytes_text(text), text->len));
}

static void go_to_entry(struct editor *e, size_t entry)
{
    if (!keep_draft(e, &e->buffer.text))
        return;
    const struct draft *d = find_draft(e, entry);
    size_t len = d ? d->text.len : 0;
    const char *text = d ? bytes_text(&d->text) : history_entry(e->opt.history, entry, &len);
    if (is_changed(e, text_set(&e->buffer, text, len))) {
        e->entry = entry;
        e->from_history = true;
    }
}

/* Up (-1) or down (1): go to another row of the text. If there is none, or the last key fetched
 * this text from the history, go to another entry. */
static void move_row(struct editor *e, int rows, bool from_history)
{
    const struct view v = make_view(e);
    size_t position;

    if (!from_history && screen_move(&e->screen, &v, rows, &e->wanted_column, &position))
        e->buffer.cursor = position;
    else if (rows < 0 ? e->entry > 0 : e->entry < n_entries(e))
        go_to_entry(e, rows < 0 ? e->entry - 1 : e->entry + 1);
    else
        e->bell = true;
}

/* ---- Search ---------------------------------------------------------------------------------- */

/* Case matters only if the query has capitals. @return the query's place in text, or len */
static size_t find_query(const struct search *s, const char *text, size_t len)
{
    bool exact = false;

    for (size_t i = 0; i < s->n_query; i++)
        exact = exact || isupper((unsigned char)s->query[i]);
    for (size_t at = 0; at + s->n_query <= len; at++) {
        size_t i = 0;
        while (i < s->n_query &&
               (exact ? text[at + i] : (char)tolower((unsigned char)text[at + i])) == s->query[i])
            i++;
        if (i == s->n_query)
            return at;
    }
    return len;
}

/* Search from an entry towards older or newer ones. */
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
        if (is_changed(e, text_set(&e->buffer, text, len)))
            e->buffer.cursor = snap_glyph(text, len, at);
        return;
    }
    s->failed = true;
    e->bell = true;
}

static void begin_search(struct editor *e)
{
    struct search *s = &e->search;
    const struct bytes *text = &e->buffer.text;

    if (!has_memory(e, bytes_replace(&s->text, 0, s->text.len, bytes_text(text), text->len)))
        return;
    s->cursor = e->buffer.cursor;
    s->on = true;
    s->failed = false;
    s->n_query = 0;
    s->query[0] = '\0';
    s->entry = n_entries(e);
}

/* End the search at the entry found. The text before the search becomes a draft. */
static void accept_found(struct editor *e)
{
    struct search *s = &e->search;

    s->on = false;
    if (s->entry < n_entries(e) && keep_draft(e, &s->text))
        e->entry = s->entry;
}

static void abort_search(struct editor *e)
{
    struct search *s = &e->search;

    s->on = false;
    if (is_changed(e, text_set(&e->buffer, bytes_text(&s->text), s->text.len)))
        e->buffer.cursor = s->cursor;
}

/* Keep the first `keep` bytes of the query and append text. */
static void change_query(struct editor *e, size_t keep, const char *text, size_t len)
{
    struct search *s = &e->search;
    const size_t n = n_entries(e);

    if (keep + len > MAX_QUERY || memchr(text, '\0', len)) {
        e->bell = true;
        return;
    }
    memcpy(s->query + keep, text, len);
    s->n_query = keep + len;
    s->query[s->n_query] = '\0';
    if (s->n_query > 0 && n > 0) /* a shorter query may match a newer entry */
        search_from(e, len > 0 && s->entry < n ? s->entry : n - 1, false);
    else
        s->failed = s->n_query > 0;
}

/* @return whether the search used the key */
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
    default:
        if (key->kind != KEY_OTHER && key->kind < KEY_CLEAR)
            accept_found(e);
        return key->kind == KEY_ESCAPE;
    }
}

/* ---- Completion ------------------------------------------------------------------------------ */

struct editor_candidates {
    size_t start;
    char *common; /* the common start of all, in whole characters */
    char **shown;
    size_t n;
    bool failed; /* no memory for one of them */
};

bool editor_add_candidate(struct editor_candidates *c, size_t start, const char *text,
                          const char *shown)
{
    char *copy = strdup(shown ? shown : text);
    char **list = realloc(c->shown, (c->n + 1) * sizeof *list);
    size_t len = 0;

    if (list)
        c->shown = list;
    if (!c->common)
        c->common = strdup(text);
    if (!copy || !list || !c->common) {
        free(copy);
        c->failed = true;
        return false;
    }
    while (c->common[len] && c->common[len] == text[len])
        len++;
    while (len > 0 && ((unsigned char)c->common[len] & 0xC0) == 0x80)
        len--;
    c->common[len] = '\0';
    c->start = start;
    c->shown[c->n++] = copy;
    return true;
}

static void complete_text(struct editor *e)
{
    struct text_buffer *b = &e->buffer;
    struct editor_candidates c = {0};

    if (e->opt.complete)
        e->opt.complete(e->opt.user, bytes_text(&b->text), b->text.len, b->cursor, &c);
    has_memory(e, !c.failed);
    if (c.n == 0 || c.start > b->cursor) {
        e->bell = true;
    } else if (!c.failed) {
        const size_t n_old = b->cursor - c.start, n_new = strlen(c.common);
        const char *old = bytes_text(&b->text) + c.start;
        const bool same = n_new == n_old && memcmp(c.common, old, n_old) == 0;
        if (c.n == 1 || (!same && n_new >= n_old)) {
            is_changed(e, text_replace(b, c.start, n_old, c.common, n_new));
        } else {
            leave_text(e);
            screen_list(&e->screen, (const char *const *)c.shown,
                        c.n < MAX_LISTED ? c.n : MAX_LISTED);
        }
    }
    while (c.n > 0)
        free(c.shown[--c.n]);
    free(c.shown);
    free(c.common);
}

/* ---- Messages in quotes ---------------------------------------------------------------------- */

static const char quotes[] = "\"\"\"";
enum { N_QUOTES = sizeof quotes - 1 };

/* Whether text begins with """ and does not end with another one. */
static bool lacks_end_quotes(const char *text, size_t len)
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
    const bool unfinished = lacks_end_quotes(p, n);
    while (!unfinished && (p[n - 1] == ' ' || p[n - 1] == '\n'))
        n--;
    n -= unfinished ? N_QUOTES : 2 * N_QUOTES;
    p += N_QUOTES;
    if (n > 0 && *p == '\n') {
        p++;
        n--;
    }
    if (!unfinished && n > 0 && p[n - 1] == '\n')
        n--;
    *text = p;
    *len = n;
    return true;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* The use of a motion: move the cursor, or delete or cut what it passes. */
enum motion_use { USE_NONE, USE_MOVE, USE_DELETE, USE_CUT };

static const struct {
    enum motion_use use;
    enum text_motion motion;
} motion_keys[KEY_NO_MEMORY + 1] = {
    [KEY_LEFT] = {USE_MOVE, TEXT_LEFT},
    [KEY_RIGHT] = {USE_MOVE, TEXT_RIGHT},
    [KEY_WORD_LEFT] = {USE_MOVE, TEXT_WORD_LEFT},
    [KEY_WORD_RIGHT] = {USE_MOVE, TEXT_WORD_RIGHT},
    [KEY_HOME] = {USE_MOVE, TEXT_LINE_START},
    [KEY_END] = {USE_MOVE, TEXT_LINE_END},
    [KEY_FIRST] = {USE_MOVE, TEXT_START},
    [KEY_LAST] = {USE_MOVE, TEXT_END},
    [KEY_BACKSPACE] = {USE_DELETE, TEXT_LEFT},
    [KEY_DELETE] = {USE_DELETE, TEXT_RIGHT},
    [KEY_DELETE_OR_LEAVE] = {USE_DELETE, TEXT_RIGHT},
    [KEY_CUT_LEFT] = {USE_CUT, TEXT_CUT_LEFT},
    [KEY_CUT_RIGHT] = {USE_CUT, TEXT_CUT_RIGHT},
    [KEY_CUT_BLANK] = {USE_CUT, TEXT_BLANK_LEFT},
    [KEY_CUT_WORD_LEFT] = {USE_CUT, TEXT_WORD_LEFT},
    [KEY_CUT_WORD_RIGHT] = {USE_CUT, TEXT_WORD_RIGHT},
};

static void apply_motion(struct editor *e, enum key_kind kind)
{
    struct text_buffer *b = &e->buffer;
    const enum motion_use use = motion_keys[kind].use;
    const size_t to = text_target(b, motion_keys[kind].motion);

    if (use == USE_MOVE)
        b->cursor = to;
    else if (use == USE_DELETE)
        is_changed(e, text_delete(b, to));
    else if (use == USE_CUT)
        is_changed(e, text_cut(b, to, motion_keys[e->last_key].use == USE_CUT));
}

/* Handle a key that does not end the message. */
static void apply_key(struct editor *e, const struct key *key)
{
    struct text_buffer *b = &e->buffer;
    const bool from_history = e->from_history;

    e->from_history = false;
    if (key->kind != KEY_UP && key->kind != KEY_DOWN)
        e->wanted_column = -1;
    switch (key->kind) {
    case KEY_TEXT:
        is_changed(e, text_type(b, key->text, key->len, e->last_key == KEY_TEXT));
        break;
    case KEY_PASTE:
        is_changed(e, text_replace(b, b->cursor, 0, key->text, key->len));
        break;
    case KEY_ENTER:
    case KEY_BREAK:
        is_changed(e, text_replace(b, b->cursor, 0, "\n", 1));
        break;
    case KEY_YANK:
        is_changed(e, text_replace(b, b->cursor, 0, bytes_text(&b->cut), b->cut.len));
        break;
    case KEY_UP:
        move_row(e, -1, from_history);
        break;
    case KEY_DOWN:
        move_row(e, 1, from_history);
        break;
    case KEY_EXCHANGE:
        is_changed(e, text_exchange(b));
        break;
    case KEY_UNDO:
        is_changed(e, text_undo(b));
        break;
    case KEY_OLDER:
        begin_search(e);
        break;
    case KEY_COMPLETE:
        complete_text(e);
        break;
    case KEY_CLEAR:
        screen_reset(&e->screen, SCREEN_CLEAR_ALL);
        break;
    default:
        apply_motion(e, key->kind);
        break;
    }
}

static void suspend_program(struct editor *e)
{
    if (e->opt.io.suspend) {
        leave_text(e);
        if (!e->screen.status)
            e->opt.io.suspend(e->opt.io.user);
    }
}

/* ---- Reading --------------------------------------------------------------------------------- */

enum { GO_ON = -1 }; /* not an event: the message has not ended */

/* @return the event of a failed write or allocation, or GO_ON */
static int event_of_failure(const struct editor *e)
{
    if (e->screen.status == SCREEN_FAILED)
        return EDITOR_FAILED;
    return e->no_memory || e->screen.status ? EDITOR_NO_MEMORY : GO_ON;
}

static void forget_failures(struct editor *e)
{
    e->screen.status = SCREEN_OK;
    e->no_memory = false;
}

/* Leave the message on the screen, and take it from the buffer if the event says so. */
static int end_message(struct editor *e, int event)
{
    struct text_buffer *b = &e->buffer;

    forget_failures(e);
    e->search.on = false;
    leave_text(e);
    const int failure = event_of_failure(e);
    if (failure != GO_ON)
        return failure;
    if (event == EDITOR_CANCEL && b->text.len > 0) /* if memory is short, Ctrl-Y cannot insert it */
        bytes_replace(&b->cut, 0, b->cut.len, b->text.data, b->text.len);
    if (event == EDITOR_TEXT || event == EDITOR_CANCEL) {
        e->answer = text_detach(b);
        forget_drafts(e);
    }
    return event;
}

/* @return the event with which a key ends the message, or GO_ON */
static int event_of_key(const struct editor *e, const struct key *key)
{
    const struct bytes *text = &e->buffer.text;

    switch (key->kind) {
    case KEY_ENTER:
        return lacks_end_quotes(bytes_text(text), text->len) ? GO_ON : EDITOR_TEXT;
    case KEY_CANCEL:
        return EDITOR_CANCEL;
    case KEY_DELETE_OR_LEAVE:
        return text->len > 0 ? GO_ON : EDITOR_END;
    case KEY_NO_INPUT:
        return EDITOR_END;
    case KEY_FAILED:
        return EDITOR_FAILED;
    case KEY_NO_MEMORY:
        return EDITOR_NO_MEMORY;
    default:
        return GO_ON;
    }
}

/* @return the event that ends the message, or GO_ON */
static int handle_key(struct editor *e, const struct key *key)
{
    const bool searched = e->search.on && search_key(e, key);
    const int event = searched ? GO_ON : event_of_key(e, key);

    if (event != GO_ON)
        return event;
    if (searched) {
        e->last_key = KEY_OTHER;
    } else if (key->kind == KEY_REDRAW) {
        screen_reset(&e->screen, SCREEN_CLEAR_LINE);
    } else if (key->kind == KEY_SUSPEND) {
        suspend_program(e);
    } else if (key->kind != KEY_WAKE && key->kind != KEY_OTHER) {
        apply_key(e, key);
        e->last_key = key->kind;
    }
    if (e->bell)
        screen_bell(&e->screen);
    e->bell = false;
    return event_of_failure(e);
}

static int read_edited(struct editor *e)
{
    int event = GO_ON;

    screen_forget(&e->screen);
    forget_drafts(e);
    forget_failures(e);
    e->entry = n_entries(e);
    e->last_key = KEY_OTHER;
    e->wanted_column = -1;
    e->from_history = e->bell = false;
    while (event == GO_ON) {
        if (!keys_waiting(&e->keys))
            draw_text(e);
        event = event_of_failure(e);
        if (event != GO_ON)
            return event;
        const struct key key = next_key(&e->keys);
        event = handle_key(e, &key);
    }
    return event == EDITOR_FAILED ? event : end_message(e, event);
}

/* ---- Without editing ------------------------------------------------------------------------- */

static bool write_prompt(struct editor *e, const char *prompt)
{
    return e->opt.io.write(e->opt.io.user, prompt, strlen(prompt));
}

/* Append the input up to the end of a line, which is dropped. @return whether the line has ended;
 * *ok false: no memory */
static bool append_line(struct keys *k, struct bytes *line, bool *ok)
{
    const char *in = (const char *)k->in + k->at;
    const size_t n_in = (size_t)(k->n - k->at), n = line_length(in, n_in);

    *ok = bytes_add(line, in, n);
    k->at += (int)(n + (n < n_in));
    if (n < n_in && line->len > 0 && line->data[line->len - 1] == '\r')
        line->data[--line->len] = '\0';
    return n < n_in;
}

/* Read lines, first from the bytes that were read as keys. */
static int read_plain(struct editor *e)
{
    struct keys *k = &e->keys;
    struct bytes *text = &e->answer;
    bool ok = true;

    if (!write_prompt(e, e->prompt))
        return EDITOR_FAILED;
    for (;;) {
        if (k->at == k->n) {
            const int n = k->io.read(k->io.user, k->in, (int)sizeof k->in, -1);
            k->at = 0;
            k->n = n > 0 ? n : 0;
            if (n == EDITOR_READ_INTERRUPT)
                return write_prompt(e, "\n") ? EDITOR_CANCEL : EDITOR_FAILED;
            if (n == EDITOR_READ_END)
                return text->len > 0 ? EDITOR_TEXT : EDITOR_END;
            if (n == EDITOR_READ_FAILED)
                return EDITOR_FAILED;
        } else if (append_line(k, text, &ok)) {
            if (ok && !lacks_end_quotes(bytes_text(text), text->len))
                return EDITOR_TEXT;
            ok = ok && bytes_add(text, "\n", 1);
            if (ok && !write_prompt(e, e->opt.more))
                return EDITOR_FAILED;
        }
        if (!ok)
            return EDITOR_NO_MEMORY;
    }
}

enum editor_event editor_read(struct editor *e, const char *prompt, const char **text, size_t *len)
{
    e->prompt = prompt;
    bytes_free(&e->answer);
    const int event = e->opt.plain ? read_plain(e) : read_edited(e);
    *text = bytes_text(&e->answer);
    *len = e->answer.len;
    return (enum editor_event)event;
}
