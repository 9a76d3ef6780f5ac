/* history.h - earlier messages, kept in a file.
 *
 * The file has one entry per line, oldest first, with \n, \r, \0 and \\ for these bytes. Only its
 * owner can read it (0600). Several programs may add to it at once; each sees the entries that were
 * there when it opened the file and its own. Any content is valid: it is only ever text. */
#ifndef TRIT_TOOLS_HISTORY_H
#define TRIT_TOOLS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* Entries kept in memory; the file keeps at least that many. */
enum { HISTORY_MAX = 2000 };

struct history;

/* $XDG_STATE_HOME/trit/history, or ~/.local/state/trit/history. Release with free().
 * @return NULL: neither variable is set, or no memory */
char *history_default_path(void);

/* Load a file. One that does not exist or cannot be read gives an empty history.
 * @param path  NULL: in memory only
 * @return NULL: no memory; release with history_close() */
struct history *history_open(const char *path);
void history_close(struct history *h);

size_t history_count(const struct history *h);

/* Entry i (0: the oldest) with a NUL after its bytes, or "" past the end; valid until the next
 * history_add(). */
const char *history_entry(const struct history *h, size_t i, size_t *len);

/* Add an entry to the history and its file; missing folders are made (0700). Empty entries, a
 * repetition of the last one and entries over a MiB are left out.
 * @return 0 or errno; the entry is then in memory, unless that is ENOMEM */
int history_add(struct history *h, const char *text, size_t len);

#endif
