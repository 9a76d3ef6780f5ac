/* baseline.c - see baseline.h. */
#include "baseline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "json_write.h"
#include "plain_text.h"
#include "report.h"
#include "trit_tools.h"

/* The member of a row that is missing or invalid; NULL: none. */
static const char *missing(const struct trit_json_value *row)
{
    int64_t threads;

    if (trit_json_type_of(trit_json_member(row, "test")) != TRIT_JSON_STRING)
        return "test";
    if (trit_json_type_of(trit_json_member(row, "model_type")) != TRIT_JSON_STRING)
        return "model_type";
    if (!trit_json_int64(trit_json_member(row, "n_threads"), &threads))
        return "n_threads";
    return trit_json_double(trit_json_member(row, "avg_ts")) > 0 ? NULL : "avg_ts";
}

static int check_baseline(const struct baseline *base)
{
    const struct trit_json_value *root = trit_json_root(base->tree);
    int n = 1;

    if (trit_json_count(root) == 0)
        return file_error("%s has no rows from trit bench", base->path);
    for (const struct trit_json_value *row = trit_json_first(root); row;
         row = trit_json_next(row), n++)
        if (missing(row))
            return file_error("%s is not a trit bench result: row %d has no valid '%s'", base->path,
                              n, missing(row));
    return EXIT_DONE;
}

int baseline_open(struct baseline *base, const char *path)
{
    struct trit_error err;
    char *text = NULL;
    size_t len;
    int code = read_file(&text, &len, path, TRIT_JSON_MAX_BYTES);

    base->path = path;
    if (!code) {
        const size_t blanks = strspn(text, " \t\r\n");
        const trit_status status = len > blanks && text[blanks] == '['
                                       ? trit_json_read(&base->tree, text, len, &err)
                                       : trit_json_read_lines(&base->tree, text, len, &err);
        code = status == TRIT_E_FILE ? file_error("%s: %s", path, err.text)
               : status              ? report(&err)
                                     : check_baseline(base);
    }
    free(text);
    return code;
}

void baseline_close(struct baseline *base)
{
    trit_json_free(&base->tree);
}

void baseline_choose_model(struct baseline *base, const char *model_type, bool quiet)
{
    const struct trit_json_value *first = trit_json_first(trit_json_root(base->tree));
    const struct trit_string other = trit_json_text(trit_json_member(first, "model_type"));

    for (const struct trit_json_value *row = first; row && !base->same_model;
         row = trit_json_next(row))
        base->same_model = trit_json_is_text(trit_json_member(row, "model_type"), model_type);
    if (base->same_model || quiet)
        return;
    safe_printf(stderr, "trit: %s was measured with another model: ", base->path);
    plain_string(stderr, other.bytes, other.len);
    safe_printf(stderr, ", not %s\n", model_type);
}

double baseline_find(const struct baseline *base, const char *model_type, const char *test,
                     int n_threads)
{
    double found = NAN;

    for (const struct trit_json_value *row = trit_json_first(trit_json_root(base->tree)); row;
         row = trit_json_next(row)) {
        int64_t threads;
        if (trit_json_is_text(trit_json_member(row, "test"), test) &&
            trit_json_int64(trit_json_member(row, "n_threads"), &threads) && threads == n_threads &&
            (!base->same_model ||
             trit_json_is_text(trit_json_member(row, "model_type"), model_type)))
            found = trit_json_double(trit_json_member(row, "avg_ts"));
    }
    return found;
}
