/* zip.c - reading untrusted zip archives; see zip.h.
 *
 * From the end of the file: the end record, or that of ZIP64 if a locator precedes it, says where
 * the central directory is; its records say where the entries are. */
#include "zip.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

enum {
    END_BYTES = 22,
    LOCATOR_BYTES = 20,
    END64_BYTES = 56,
    RECORD_BYTES = 46,
    LOCAL_BYTES = 30,
    EXTRA64 = 1, /* the id of ZIP64's extra field */
};
#define END_SIGNATURE 0x06054b50u
#define LOCATOR_SIGNATURE 0x07064b50u
#define END64_SIGNATURE 0x06064b50u
#define RECORD_SIGNATURE 0x02014b50u
#define LOCAL_SIGNATURE 0x04034b50u

struct archive {
    const uint8_t *data;
    uint64_t size;
    const char *path;
    struct trit_error *err;
    uint64_t at, end, n; /* of the central directory: its place, and the number of records */
    uint64_t limit;      /* where the end records begin */
};

/* A record of the central directory, and where its entry lies. */
struct record {
    struct trit_zip_entry entry;
    uint64_t begin, end; /* in the archive, with its local header */
};

static uint64_t load(const uint8_t *p, unsigned n_bytes)
{
    uint64_t x = 0;
    for (unsigned i = 0; i < n_bytes; i++)
        x |= (uint64_t)p[i] << 8 * i;
    return x;
}

static trit_status damaged(const struct archive *a, const char *what)
{
    return trit_fail(a->err, TRIT_E_FILE,
                     "%s is not a whole zip archive, as torch.save writes it: %s", a->path, what);
}

/* ---- The end --------------------------------------------------------------------------------- */

/* Find the end record, which a comment may follow. */
static const uint8_t *find_end(const struct archive *a)
{
    for (uint64_t comment = 0; comment <= UINT16_MAX && comment + END_BYTES <= a->size; comment++) {
        const uint8_t *p = a->data + (a->size - END_BYTES - comment);
        if (load(p, 4) == END_SIGNATURE && load(p + 20, 2) == comment)
            return p;
    }
    return NULL;
}

/* Read the end record of ZIP64 that the locator points to. */
static trit_status read_end64(struct archive *a, const uint8_t *locator)
{
    const uint64_t at = load(locator + 8, 8);

    a->limit = (uint64_t)(locator - a->data);
    if (a->limit < END64_BYTES || at > a->limit - END64_BYTES)
        return damaged(a, "the end record of ZIP64 is outside");
    const uint8_t *p = a->data + at;
    if (load(p, 4) != END64_SIGNATURE)
        return damaged(a, "there is no end record of ZIP64 where its locator points");
    if (load(p + 16, 4) || load(p + 20, 4) || load(p + 24, 8) != load(p + 32, 8))
        return trit_fail(a->err, TRIT_E_UNSUPPORTED, "%s is a zip archive in several volumes",
                         a->path);
    a->limit = at;
    a->n = load(p + 32, 8);
    a->end = load(p + 40, 8); /* the size, yet */
    a->at = load(p + 48, 8);
    return TRIT_OK;
}

/* Find the central directory. */
static trit_status read_end(struct archive *a)
{
    const uint8_t *p = find_end(a);

    if (!p && (a->size < 4 || load(a->data, 4) != LOCAL_SIGNATURE))
        return trit_fail(
            a->err, TRIT_E_FILE,
            "%s is not a zip archive, as torch.save writes it: it begins with '%s'", a->path,
            trit_quote((struct trit_string){(const char *)a->data, a->size < 16 ? a->size : 16})
                .text);
    if (!p)
        return damaged(a, "it has no end record; perhaps the file is cut off");
    a->limit = (uint64_t)(p - a->data);
    if (a->limit >= LOCATOR_BYTES && load(p - LOCATOR_BYTES, 4) == LOCATOR_SIGNATURE) {
        const trit_status status = read_end64(a, p - LOCATOR_BYTES);
        if (status)
            return status;
    } else {
        if (load(p + 4, 4) || load(p + 8, 2) != load(p + 10, 2))
            return trit_fail(a->err, TRIT_E_UNSUPPORTED, "%s is a zip archive in several volumes",
                             a->path);
        a->n = load(p + 10, 2);
        a->end = load(p + 12, 4);
        a->at = load(p + 16, 4);
    }
    if (a->at > a->limit || a->end > a->limit - a->at)
        return damaged(a, "its directory is outside");
    if (a->n > a->end / RECORD_BYTES)
        return damaged(a, "its directory is too short for the number of its entries");
    a->end += a->at;
    return TRIT_OK;
}

/* ---- Entries --------------------------------------------------------------------------------- */

/* Read those of size, compressed size and offset that are all ones from ZIP64's extra field.
 * @return false if it lacks one */
static bool read_extra64(uint64_t values[3], const uint8_t *p, uint64_t n)
{
    uint64_t len = 0;

    while (n >= 4 && load(p, 2) != EXTRA64) {
        len = 4 + load(p + 2, 2);
        if (len > n)
            return false;
        p += len;
        n -= len;
    }
    len = n >= 4 ? load(p + 2, 2) : 0;
    len = n >= 4 && len <= n - 4 ? len : 0;
    p += n >= 4 ? 4 : 0;
    for (int i = 0; i < 3; i++) {
        if (values[i] != UINT32_MAX)
            continue;
        if (len < 8)
            return false;
        values[i] = load(p, 8);
        p += 8;
        len -= 8;
    }
    return true;
}

/* Find the data behind the local header at r->begin. */
static trit_status read_local(const struct archive *a, struct record *r)
{
    const struct trit_string name = r->entry.name;

    if (a->at < LOCAL_BYTES || r->begin > a->at - LOCAL_BYTES)
        return damaged(a, "an entry is outside");
    const uint8_t *p = a->data + r->begin;
    const uint64_t n_name = load(p + 26, 2), n_head = LOCAL_BYTES + n_name + load(p + 28, 2);
    if (load(p, 4) != LOCAL_SIGNATURE)
        return damaged(a, "an entry has no header where the directory points");
    if (n_head > a->at - r->begin || r->entry.n_bytes > a->at - r->begin - n_head)
        return damaged(a, "an entry ends outside");
    if (n_name != name.len || memcmp(p + LOCAL_BYTES, name.bytes, name.len) != 0)
        return damaged(a, "an entry has another name than in the directory");
    r->entry.data = p + n_head;
    r->end = r->begin + n_head + r->entry.n_bytes;
    return TRIT_OK;
}

/* Read the record at *at, and move behind it. */
static trit_status read_record(const struct archive *a, uint64_t *at, struct record *r)
{
    const uint8_t *p = a->data + *at;
    uint64_t left = a->end - *at;

    if (left < RECORD_BYTES || load(p, 4) != RECORD_SIGNATURE)
        return damaged(a, "its directory is damaged");
    const uint64_t n_name = load(p + 28, 2), n_extra = load(p + 30, 2);
    const uint64_t n_record = RECORD_BYTES + n_name + n_extra + load(p + 32, 2);
    const unsigned method = (unsigned)load(p + 10, 2);
    uint64_t values[] = {load(p + 24, 4), load(p + 20, 4), load(p + 42, 4)};
    if (n_record > left)
        return damaged(a, "its directory is damaged");
    r->entry.name = (struct trit_string){(const char *)p + RECORD_BYTES, (size_t)n_name};
    if (load(p + 8, 2) & 1)
        return trit_fail(a->err, TRIT_E_UNSUPPORTED, "%s: entry '%s' is encrypted", a->path,
                         trit_quote(r->entry.name).text);
    if (method)
        return trit_fail(a->err, TRIT_E_UNSUPPORTED,
                         "%s: entry '%s' is compressed (%s %u); torch.save stores tensors as they "
                         "are (of TorchScript, save the model's state_dict instead)",
                         a->path, trit_quote(r->entry.name).text,
                         method == 8 ? "deflate, method" : "method", method);
    if (!read_extra64(values, p + RECORD_BYTES + n_name, n_extra) || values[0] != values[1])
        return damaged(a, "the sizes of an entry are damaged");
    r->entry.n_bytes = values[0];
    r->begin = values[2];
    *at += n_record;
    return read_local(a, r);
}

/* ---- All ------------------------------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
    const struct record *x = a, *y = b;
    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int compare_names(const void *a, const void *b)
{
    const struct trit_zip_entry *x = a, *y = b;
    return trit_string_order(x->name, y->name);
}

static trit_status read_records(const struct archive *a, struct record *records)
{
    uint64_t at = a->at;

    for (uint64_t i = 0; i < a->n; i++) {
        const trit_status status = read_record(a, &at, &records[i]);
        if (status)
            return status;
    }
    qsort(records, a->n, sizeof *records, compare_places);
    for (uint64_t i = 1; i < a->n; i++)
        if (records[i].begin < records[i - 1].end)
            return trit_fail(a->err, TRIT_E_FILE, "%s: entries '%s' and '%s' overlap", a->path,
                             trit_quote(records[i - 1].entry.name).text,
                             trit_quote(records[i].entry.name).text);
    return TRIT_OK;
}

/* Sort by name; equal neighbors are duplicates. */
static trit_status sort_entries(const struct archive *a, const struct trit_zip *zip)
{
    qsort(zip->entries, zip->n, sizeof *zip->entries, compare_names);
    for (size_t i = 1; i < zip->n; i++)
        if (compare_names(&zip->entries[i - 1], &zip->entries[i]) == 0)
            return trit_fail(a->err, TRIT_E_FILE, "%s has two entries '%s'", a->path,
                             trit_quote(zip->entries[i].name).text);
    return TRIT_OK;
}

trit_status trit_zip_open(struct trit_zip *out, const uint8_t *data, size_t size, const char *path,
                          struct trit_error *err)
{
    struct archive a = {.data = data, .size = size, .path = path, .err = err};
    trit_status status;

    *out = (struct trit_zip){0};
    if ((status = read_end(&a)))
        return status;
    struct record *records = calloc(a.n + 1, sizeof *records);
    out->entries = calloc(a.n + 1, sizeof *out->entries);
    if (!records || !out->entries)
        status = trit_fail_memory(err, a.n * sizeof *records, "the entries of an archive");
    if (!status)
        status = read_records(&a, records);
    for (; !status && out->n < a.n; out->n++)
        out->entries[out->n] = records[out->n].entry;
    if (!status)
        status = sort_entries(&a, out);
    free(records);
    if (status)
        trit_zip_free(out);
    return status;
}

void trit_zip_free(struct trit_zip *zip)
{
    free(zip->entries);
    *zip = (struct trit_zip){0};
}

const struct trit_zip_entry *trit_zip_find(const struct trit_zip *zip, struct trit_string folder,
                                           struct trit_string name)
{
    size_t low = 0, high = zip->n;

    while (low < high) {
        const size_t i = low + (high - low) / 2;
        const struct trit_string s = zip->entries[i].name;
        const size_t cut = s.len < folder.len ? s.len : folder.len;
        int order = trit_string_order(folder, (struct trit_string){s.bytes, cut});
        if (order == 0)
            order = trit_string_order(name, (struct trit_string){s.bytes + cut, s.len - cut});
        if (order == 0)
            return &zip->entries[i];
        low = order < 0 ? low : i + 1;
        high = order < 0 ? i : high;
    }
    return NULL;
}
