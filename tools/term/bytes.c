/* bytes.c - see bytes.h. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

bool bytes_replace(struct bytes *b, size_t at, size_t n_old, const char *new, size_t n_new)
{
    const size_t rest = b->len - at - n_old, len = at + n_new + rest;

    if (len >= b->size) {
        const size_t size = len + len / 2 + 64;
        char *data = realloc(b->data, size);
        if (!data)
            return false;
        b->data = data;
        b->size = size;
    }
    memmove(b->data + at + n_new, b->data + at + n_old, rest);
    if (n_new > 0)
        memcpy(b->data + at, new, n_new);
    b->len = len;
    b->data[len] = '\0';
    return true;
}

bool bytes_add(struct bytes *b, const char *new, size_t n_new)
{
    return bytes_replace(b, b->len, 0, new, n_new);
}

const char *bytes_text(const struct bytes *b)
{
    return b->data ? b->data : "";
}
