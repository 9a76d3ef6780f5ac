/* replay.c - runs a fuzz target over files without a fuzzer, as a test.
 *
 *   fuzz_replay_NAME [-n DAMAGES] [-k FILE] PATH...      PATH: a file, or a folder of files
 *
 * The target of fuzz_NAME.c gets an empty input, then each file unchanged and with DAMAGES (default
 * 0) different damages: truncated, or with numbers overwritten. The damages are the same in each
 * run. Files of more than 256 KB and nested folders are left out.
 *
 * A target that finds a fault ends the program. FILE (-k) holds each input while it runs, and so
 * the input of the fault afterwards. Exit code 1 if a path cannot be read. */
#define _GNU_SOURCE /* scandir, getopt */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

enum { MAX_BYTES = 1 << 18, MAX_EDITS = 4 }; /* scripts/fuzz.sh: -max_len */

static const char *keep;
static unsigned n_damages, n_inputs;

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* A number below n; small numbers are more likely, because a file begins with its header. */
static size_t draw_place(uint32_t *state, size_t n)
{
    size_t range = n;
    for (uint32_t halvings = draw(state) % 12; halvings && range > 64; halvings--)
        range /= 2;
    return draw(state) % range;
}

/* Overwrites 1, 2, 4 or 8 bytes with 0, the largest number, the largest signed number, the old
 * value plus one, or a random value. */
static void edit(uint8_t *data, size_t len, uint32_t *state)
{
    uint64_t value = 0;
    size_t width = (size_t)1 << draw(state) % 4;
    const size_t at = draw_place(state, len);

    width = width < len - at ? width : len - at;
    memcpy(&value, data + at, width);
    switch (draw(state) % 5) {
    case 0:
        value = 0;
        break;
    case 1:
        value = UINT64_MAX;
        break;
    case 2:
        value = UINT64_MAX >> (65 - 8 * width);
        break;
    case 3:
        value++;
        break;
    default:
        value ^= draw(state) | (uint64_t)draw(state) << 32;
    }
    memcpy(data + at, &value, width);
}

/* Passes the data to the target in a block of the exact size, so that a sanitizer sees reads past
 * the end. */
static void give(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    FUZZ_CHECK(copy);
    if (len)
        memcpy(copy, data, len);
    if (keep) {
        FILE *f = fopen(keep, "wb");
        FUZZ_CHECK(f && fwrite(copy, 1, len, f) == len && fclose(f) == 0);
    }
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    n_inputs++;
}

/* One damage in four truncates the data. */
static void give_damaged(const uint8_t *data, size_t len, unsigned number)
{
    uint32_t state = number * 7919u + (uint32_t)len;
    uint8_t *copy = malloc(len);

    FUZZ_CHECK(copy);
    memcpy(copy, data, len);
    if (number % 4 == 0)
        len = draw_place(&state, len);
    else
        for (uint32_t n = 1 + draw(&state) % MAX_EDITS; n; n--)
            edit(copy, len, &state);
    give(copy, len);
    free(copy);
}

static bool run_file(const char *path)
{
    static uint8_t data[MAX_BYTES + 1];
    FILE *f = fopen(path, "rb");
    const size_t len = f ? fread(data, 1, sizeof data, f) : 0;
    const bool ok = f && !ferror(f);

    if (f)
        fclose(f);
    if (!ok)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    if (!ok || len > MAX_BYTES)
        return ok;
    fprintf(stderr, "%s\n", path); /* a fault belongs to the last file named */
    give(data, len);
    for (unsigned i = 0; i < n_damages && len; i++)
        give_damaged(data, len, i);
    return true;
}

static bool run_folder(const char *folder)
{
    struct dirent **names;
    const int n = scandir(folder, &names, NULL, alphasort);
    bool ok = n >= 0;

    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        const int len = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        const bool fits = len > 0 && (size_t)len < sizeof path;
        if (fits && stat(path, &st) == 0 && S_ISREG(st.st_mode))
            ok = run_file(path) && ok;
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    else
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = true;
    int option;

    while ((option = getopt(argc, argv, "n:k:")) != -1) {
        if (option == '?')
            return 2;
        if (option == 'n')
            n_damages = (unsigned)strtoul(optarg, NULL, 10);
        else
            keep = optarg;
    }
    give(NULL, 0);
    for (int i = optind; i < argc; i++) {
        struct stat st;
        const bool folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        ok = (folder ? run_folder(argv[i]) : run_file(argv[i])) && ok;
    }
    printf("%u inputs\n", n_inputs);
    return ok ? 0 : 1;
}
