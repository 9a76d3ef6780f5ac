/* notes.h - what a conversion interpreted: sentences for a person, kept in the file too. */
#ifndef TRIT_CONVERT_NOTES_H
#define TRIT_CONVERT_NOTES_H

#include "gguf_write.h"

/* Zero is the empty list, released with trit_notes_free(). */
struct trit_notes {
    char **text;
    size_t n, size;
    bool no_memory; /* a note could not be added */
};

void trit_note(struct trit_notes *notes, const char *fmt, ...) TRIT_PRINTF(2, 3);
void trit_notes_free(struct trit_notes *notes);

/* All of them to the caller of a conversion, and as items of the array that was begun. */
void trit_notes_write(const struct trit_notes *notes, struct gguf_writer *w,
                      const struct trit_convert_options *opt);

#endif
