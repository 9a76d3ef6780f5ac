/* notes.c - see notes.h. */
#include "notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void trit_note(struct trit_notes *notes, const char *fmt, ...)
{
    va_list args;
    enum { MAX_TEXT = 512 };
    char *text = malloc(MAX_TEXT);

    if (notes->n == notes->size) {
        const size_t size = notes->size ? 2 * notes->size : 16;
        char **grown = realloc(notes->text, size * sizeof *grown);
        if (grown) {
            notes->text = grown;
            notes->size = size;
        }
    }
    if (!text || notes->n == notes->size) {
        free(text);
        notes->no_memory = true;
        return;
    }
    va_start(args, fmt);
    vsnprintf(text, MAX_TEXT, fmt, args);
    va_end(args);
    notes->text[notes->n++] = text;
}

void trit_notes_free(struct trit_notes *notes)
{
    for (size_t i = 0; i < notes->n; i++)
        free(notes->text[i]);
    free(notes->text);
    *notes = (struct trit_notes){0};
}

void trit_notes_write(const struct trit_notes *notes, struct gguf_writer *w,
                      const struct trit_convert_options *opt)
{
    for (size_t i = 0; i < notes->n; i++) {
        trit_gguf_write_item_string(w, notes->text[i], strlen(notes->text[i]));
        if (opt->on_note)
            opt->on_note(opt->user, notes->text[i]);
    }
}
