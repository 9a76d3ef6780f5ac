/* handed_over.c - see handed_over.h. */
#define _POSIX_C_SOURCE 200809L

#include "handed_over.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), k = strlen(end);
    return n >= k && strcmp(text + n - k, end) == 0;
}

/* The number of files NAME.gguf in a folder, and the first in the order of names. */
static int find_ggufs(const char *path, char *first, size_t size)
{
    DIR *dir = opendir(path);
    int n = 0;

    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (ends_with(e->d_name, ".gguf") && strlen(e->d_name) < size &&
            (n++ == 0 || strcmp(e->d_name, first) < 0))
            strcpy(first, e->d_name);
    if (dir)
        closedir(dir);
    return n;
}

static bool has_file(const char *folder, const char *name)
{
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    return n > 0 && (size_t)n < sizeof path && access(path, F_OK) == 0;
}

static int advise_about_folder(char *text, size_t size, const char *path)
{
    const size_t len = strlen(path);
    const char *slash = len && path[len - 1] == '/' ? "" : "/";
    char name[256] = "";
    const int n = find_ggufs(path, name, sizeof name);

    if (n == 1)
        return snprintf(text, size, "it is a folder with one model: use -m %s%s%s", path, slash,
                        name);
    if (n > 1)
        return snprintf(text, size, "it is a folder with %d models: use -m %s%s%s, or another one",
                        n, path, slash, name);
    if (has_file(path, "adapter_config.json"))
        return snprintf(
            text, size,
            "it is an adapter (LoRA): merge it into its model first (merge_and_unload() of "
            "the Python package peft), then use trit convert");
    if (has_file(path, "config.json"))
        return snprintf(text, size,
                        "it is a checkpoint folder: trit convert %s -o NAME.gguf makes a model of "
                        "it",
                        path);
    if (has_file(path, "snapshots"))
        return snprintf(
            text, size,
            "it is a folder of a download cache: the model is in a folder of %s%ssnapshots", path,
            slash);
    return snprintf(text, size, "it is a folder, and holds no model");
}

/* Whether it looks like OWNER/NAME on a hub: one slash within, no dot or slash at the start. */
static bool is_hub_name(const char *path)
{
    const char *slash = strchr(path, '/');
    return slash && slash != path && slash[1] && !strchr(slash + 1, '/') && path[0] != '.' &&
           path[0] != '~';
}

int advise_about_path(char *text, size_t size, const char *path)
{
    struct stat s;

    if (stat(path, &s) == 0)
        return S_ISDIR(s.st_mode) ? advise_about_folder(text, size, path) : 0;
    if (strstr(path, "://"))
        return snprintf(text, size, "it is an address: download the file, and give its name");
    if (is_hub_name(path))
        return snprintf(text, size,
                        "if it is the name of a model on a hub, download its GGUF file (or its "
                        "checkpoint, for trit convert), and give the file's name");
    return 0;
}

/* The revision that refs/main of a download cache names; "": none. */
static void read_revision(char *revision, size_t size, const char *folder)
{
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/refs/main", folder);
    FILE *f = n > 0 && (size_t)n < sizeof path ? fopen(path, "r") : NULL;

    revision[0] = 0;
    if (f && !fgets(revision, (int)size, f))
        revision[0] = 0;
    if (f)
        fclose(f);
    revision[strcspn(revision, "/\r\n")] = 0;
}

/* The only folder of snapshots; "": none, or several. */
static void find_revision(char *revision, size_t size, const char *folder)
{
    char path[4096];
    const int n = snprintf(path, sizeof path, "%s/snapshots", folder);
    DIR *dir = n > 0 && (size_t)n < sizeof path ? opendir(path) : NULL;
    int count = 0;

    for (const struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.' && strlen(e->d_name) < size && count++ == 0)
            strcpy(revision, e->d_name);
    if (count != 1)
        revision[0] = 0;
    if (dir)
        closedir(dir);
}

bool find_checkpoint(char *text, size_t size, const char *folder, const char **found)
{
    char revision[256];
    struct stat s;

    *found = folder;
    if (stat(folder, &s) != 0 || !S_ISDIR(s.st_mode) || has_file(folder, "config.json"))
        return true;
    *found = text;
    read_revision(revision, sizeof revision, folder);
    if (!revision[0])
        find_revision(revision, sizeof revision, folder);
    const int n = snprintf(text, size, "%s/snapshots/%s", folder, revision);
    if (revision[0] && n > 0 && (size_t)n < size && has_file(text, "config.json"))
        return true;
    advise_about_folder(text, size, folder);
    return false;
}
