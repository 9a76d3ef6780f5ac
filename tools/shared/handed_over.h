/* handed_over.h - advice about a path that was given as a model and is none. */
#ifndef TRIT_TOOLS_HANDED_OVER_H
#define TRIT_TOOLS_HANDED_OVER_H

#include <stddef.h>

/* Write what a path is that could not be opened as a model, a folder or the name of a model
 * elsewhere, and which command helps. @return whether there is anything to say */
int advise_about_path(char *text, size_t size, const char *path);

#endif
