/* complete_path.h - names of files, for the editor's completion. */
#ifndef TRIT_TOOLS_COMPLETE_PATH_H
#define TRIT_TOOLS_COMPLETE_PATH_H

#include "editor.h"

/* Add the files whose names begin with text[start..cursor), hidden ones only where that asks for
 * them; "~/" is the home folder, and folders end with a slash. */
void complete_file(struct editor_candidates *list, const char *text, size_t start, size_t cursor);

#endif
