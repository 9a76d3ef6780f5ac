/* complete_path.c - see complete_path.h. */
#define _POSIX_C_SOURCE 200809L

#include "complete_path.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* One entry of a folder: written is what stands before its name in the line, folder where it is. */
static void add_entry(struct editor_candidates *list, size_t start, const char *written,
                      const char *folder, const char *name)
{
    char path[PATH_MAX], text[PATH_MAX];
    struct stat st;

    const int n = snprintf(path, sizeof path, "%s%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return;
    const bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    const int m = snprintf(text, sizeof text, "%s%s%s", written, name, is_folder ? "/" : "");
    if (m > 0 && (size_t)m < sizeof text)
        editor_add_candidate(list, start, text, text + strlen(written));
}

void complete_file(struct editor_candidates *list, const char *text, size_t start, size_t cursor)
{
    char written[PATH_MAX], folder[PATH_MAX];
    size_t slash = cursor;

    while (slash > start && text[slash - 1] != '/')
        slash--;
    const char *name = text + slash;
    const size_t n_name = cursor - slash, n_written = slash - start;
    if (n_written >= sizeof written)
        return;
    memcpy(written, text + start, n_written);
    written[n_written] = 0;
    const char *home = strncmp(written, "~/", 2) == 0 ? getenv("HOME") : NULL;
    const int n =
        snprintf(folder, sizeof folder, "%s%s", home ? home : "", written + (home ? 1 : 0));
    if (n < 0 || (size_t)n >= sizeof folder)
        return;
    DIR *dir = opendir(*folder ? folder : ".");
    for (const struct dirent *d; dir && (d = readdir(dir));)
        if (strncmp(d->d_name, name, n_name) == 0 && (d->d_name[0] != '.' || n_name))
            add_entry(list, start, written, folder, d->d_name);
    if (dir)
        closedir(dir);
}
