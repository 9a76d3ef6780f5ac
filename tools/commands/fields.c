/* fields.c - see fields.h. */
#include "fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json_write.h"

static void json_list(const double *x, int n)
{
    putchar('[');
    for (int i = 0; i < n; i++) {
        fputs(i ? "," : "", stdout);
        json_number(stdout, x[i]);
    }
    putchar(']');
}

void json_fields(const struct field *f, int n)
{
    for (int i = 0; i < n; i++) {
        printf("%s\"%s\":", i ? "," : "", f[i].name);
        if (f[i].text)
            json_string(stdout, f[i].text, strlen(f[i].text));
        else if (f[i].list)
            json_list(f[i].list, (int)f[i].number);
        else
            json_number(stdout, f[i].number);
    }
}

void json_numbers(const char *before, const struct number *x, int n, bool exact)
{
    for (int i = 0; i < n; i++) {
        printf("%s\"%s\":", i ? "," : before, x[i].name);
        (exact ? json_exact : json_number)(stdout, x[i].value);
    }
}

void csv_names(const struct field *f, int n)
{
    for (int i = 0; i < n; i++)
        if (!f[i].list)
            printf("%s%s", i ? "," : "", f[i].name);
    putchar('\n');
}

/* In quotes, with inner quotes doubled (RFC 4180). */
static void csv_string(const char *text)
{
    putchar('"');
    for (; *text; text++)
        printf(*text == '"' ? "\"\"" : "%c", *text);
    putchar('"');
}

void csv_values(const struct field *f, int n)
{
    for (int i = 0; i < n; i++) {
        if (f[i].list)
            continue;
        if (i)
            putchar(',');
        if (f[i].text)
            csv_string(f[i].text);
        else if (isfinite(f[i].number))
            json_number(stdout, f[i].number);
    }
    putchar('\n');
}
