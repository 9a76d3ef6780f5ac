/* notes.h - how a conversion interpreted its input: sentences for the user and for the file. */
#ifndef TRIT_CONVERT_NOTES_H
#define TRIT_CONVERT_NOTES_H

#include "gguf_write.h"

/* Zero is the empty list. Release with trit_notes_free(). */
struct trit_notes {
    char **text;
    size_t n, size;
    bool no_memory; /* a note was lost */
};

void trit_note(struct trit_notes *notes, const char *fmt, ...) TRIT_PRINTF(2, 3);
void trit_notes_free(struct trit_notes *notes);

/* Pass all notes to the caller of a conversion, and write them as items of the current array. */
void trit_notes_write(const struct trit_notes *notes, struct gguf_writer *w,
                      const struct trit_convert_options *opt);

#endif
