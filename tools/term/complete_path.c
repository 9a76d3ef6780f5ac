/* complete_path.c - see complete_path.h. */
#define _POSIX_C_SOURCE 200809L

#include "complete_path.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void complete_file(struct editor_candidates *list, const char *text, size_t start, size_t cursor)
{
    char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
    struct stat st;
    size_t slash = cursor;

    while (slash > start && text[slash - 1] != '/')
        slash--;
    const char *written = text + start; /* the folder as typed: n_written bytes */
    const size_t n_written = slash - start, n_name = cursor - slash;
    const char *home = n_written > 1 && memcmp(written, "~/", 2) == 0 ? getenv("HOME") : NULL;
    if ((home ? strlen(home) : 0) + n_written >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%s%.*s", home ? home : "", (int)n_written - !!home,
             written + !!home);
    DIR *dir = opendir(*folder ? folder : ".");
    for (const struct dirent *d; dir && (d = readdir(dir));) {
        const char *name = d->d_name;
        if (strncmp(name, text + slash, n_name) != 0 || (name[0] == '.' && !n_name))
            continue;
        snprintf(path, sizeof path, "%s%s", folder, name);
        const bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
        snprintf(path, sizeof path, "%.*s%s%s", (int)n_written, written, name,
                 is_folder ? "/" : "");
        editor_add_candidate(list, start, path, path + n_written);
    }
    if (dir)
        closedir(dir);
}
