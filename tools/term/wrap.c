/* wrap.c - see wrap.h. */
#include "wrap.h"

#include "plain_text.h"
#include "width.h"

static bool write_plain(struct wrap *w, const struct bytes *b)
{
    plain_text(w->f, bytes_text(b), b->len);
    return !ferror(w->f);
}

/* Write the blanks and the word, in this line or the next. */
static bool end_word(struct wrap *w)
{
    const int n_blanks = (int)w->blanks.len;

    if (w->word.len) {
        /* the terminal wraps a word that continues from a full line, so copying keeps it whole */
        const bool goes_on = w->column == w->columns && n_blanks == 0;
        if (w->columns && w->column && !goes_on &&
            w->column + n_blanks + w->word_columns > w->columns) {
            putc('\n', w->f);
            w->column = 0;
        } else {
            if (!write_plain(w, &w->blanks))
                return false;
            w->column += n_blanks;
        }
        if (!write_plain(w, &w->word))
            return false;
        w->column += w->word_columns;
        if (w->columns && w->column > w->columns) /* the terminal wrapped it */
            w->column = (w->column - 1) % w->columns + 1;
        w->blanks.len = 0;
    }
    w->word.len = 0;
    w->word_columns = 0;
    return true;
}

/* Go to the terminal's next tab stop. */
static bool write_tab(struct wrap *w)
{
    if (!end_word(w) || !write_plain(w, &w->blanks))
        return false;
    w->column += (int)w->blanks.len;
    w->blanks.len = 0;
    putc('\t', w->f);
    w->column = (w->column / 8 + 1) * 8;
    if (w->columns && w->column >= w->columns)
        w->column = w->columns - 1;
    return true;
}

bool wrap_text(struct wrap *w, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        const struct glyph g = next_glyph(text + at, len - at);
        bool ok = true;
        if (text[at] == '\n') {
            ok = end_word(w);
            putc('\n', w->f);
            w->column = 0;
            w->blanks.len = 0;
        } else if (text[at] == '\t') {
            ok = write_tab(w);
        } else if (text[at] == ' ') {
            ok = end_word(w) && bytes_add(&w->blanks, " ", 1);
        } else {
            const bool alone = g.columns == 2; /* a line may end before it and after it */
            ok = (!alone || end_word(w)) && bytes_add(&w->word, text + at, g.len);
            w->word_columns += acts_on_terminal(g.code) ? 4 * (int)g.len : g.columns; /* \xNN */
            if (ok && (alone || (w->columns && w->word_columns >= w->columns)))
                ok = end_word(w);
        }
        if (!ok)
            return false;
        at += g.len;
    }
    return fflush(w->f) == 0;
}

bool wrap_finish(struct wrap *w)
{
    const bool ok = end_word(w);

    if (w->column || w->blanks.len)
        putc('\n', w->f);
    w->column = 0;
    bytes_free(&w->blanks);
    bytes_free(&w->word);
    return fflush(w->f) == 0 && ok;
}
