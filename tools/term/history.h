/* history.h - messages typed before, kept in a file.
 *
 * The file has one entry a line, oldest first, with \n, \r, \0 and \\ for these bytes. It is for
 * its owner alone (0600). Several programs may add to it at once; each sees what was there when it
 * opened it, and what it added. What the file holds is only ever text: garbage does no harm. */
#ifndef TRIT_TOOLS_HISTORY_H
#define TRIT_TOOLS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* Entries that are kept; of the file, at least as many. */
enum { HISTORY_MAX = 2000 };

struct history;

/* $XDG_STATE_HOME/trit/history, or ~/.local/state/trit/history. @return a string to be released
 * with free(), or NULL: neither variable is set, or no memory */
char *history_default_path(void);

/* Load a file. One that does not exist or cannot be read gives an empty history.
 * @param path  NULL: in memory only
 * @return NULL if there is no memory; release with history_close() */
struct history *history_open(const char *path);
void history_close(struct history *h);

size_t history_count(const struct history *h);

/* Entry i, 0 being the oldest, with a NUL behind its bytes; valid until the next history_add(). */
const char *history_entry(const struct history *h, size_t i, size_t *len);

/* Add an entry, here and at the end of the file, whose folders are made (0700) where they are not
 * there. Empty ones, repetitions of the last one and entries of more than a MiB are left out.
 * @return 0, or the errno of what failed; the entry then is in memory, unless that is ENOMEM */
int history_add(struct history *h, const char *text, size_t len);

#endif
