/* complete_path.h - completion of file names. */
#ifndef TRIT_TOOLS_COMPLETE_PATH_H
#define TRIT_TOOLS_COMPLETE_PATH_H

#include "editor.h"

/* Add the files whose names begin with text[start..cursor). "~/" is the home folder, folders get a
 * slash, and hidden files are left out unless the name begins with a dot. */
void complete_file(struct editor_candidates *list, const char *text, size_t start, size_t cursor);

#endif
