/* handed_over.h - what a path is that was given as a model or as a checkpoint. */
#ifndef TRIT_TOOLS_HANDED_OVER_H
#define TRIT_TOOLS_HANDED_OVER_H

#include <stdbool.h>
#include <stddef.h>

/* Write what a path is that could not be opened as a model, a folder or the name of a model
 * elsewhere, and which command helps. @return whether there is anything to say */
int advise_about_path(char *text, size_t size, const char *path);

/* Find the checkpoint that a folder is or, as a download cache, holds (snapshots/REVISION, the one
 * that refs/main names or the only one). *found is the folder, or in text, [size], another one.
 * @return false: there is none; *found is what the folder is, in text */
bool find_checkpoint(char *text, size_t size, const char *folder, const char **found);

#endif
