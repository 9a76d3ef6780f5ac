/* torch_writer.c - see torch_writer.h. */
#include "torch_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_u16(struct fx_bytes *b, uint64_t x)
{
    fx_put(b, (const uint8_t[]){(uint8_t)x, (uint8_t)(x >> 8)}, 2);
}

/* A size or a place: all ones if it is in ZIP64's field. */
static void put_size(const struct tw_file *f, struct fx_bytes *b, uint64_t x)
{
    fx_put_u32(b, f->zip64 ? UINT32_MAX : (uint32_t)x);
}

/* ---- Opcodes --------------------------------------------------------------------------------- */

void tw_op(struct tw_file *f, const char *opcodes)
{
    fx_put(&f->pickle, opcodes, strlen(opcodes));
}

void tw_text(struct tw_file *f, const char *text)
{
    tw_op(f, "X");
    fx_put_u32(&f->pickle, (uint32_t)strlen(text));
    tw_op(f, text);
}

/* In the shortest form, as Python does. */
void tw_number(struct tw_file *f, uint64_t x)
{
    const uint8_t byte = (uint8_t)x;

    tw_op(f, x <= UINT8_MAX ? "K" : x <= UINT16_MAX ? "M" : x <= INT32_MAX ? "J" : "\x8a\x08");
    if (x <= UINT8_MAX)
        fx_put(&f->pickle, &byte, 1);
    else if (x <= UINT16_MAX)
        put_u16(&f->pickle, x);
    else if (x <= INT32_MAX)
        fx_put_u32(&f->pickle, (uint32_t)x);
    else
        fx_put_u64(&f->pickle, x);
}

void tw_global(struct tw_file *f, const char *module, const char *name)
{
    tw_op(f, "c");
    tw_op(f, module);
    tw_op(f, "\n");
    tw_op(f, name);
    tw_op(f, "\n");
}

/* ---- A state_dict ---------------------------------------------------------------------------- */

void tw_begin(struct tw_file *f)
{
    tw_op(f, "\x80\x02");
    tw_text(f, "storage");
    tw_op(f, "q\x01"
             "0"); /* to the memo, as text 1 */
    tw_global(f, "collections", "OrderedDict");
    tw_op(f, ")R(");
}

static const char *storage_of(const char *dtype)
{
    static const char *const all[][2] = {{"F32", "FloatStorage"},     {"F16", "HalfStorage"},
                                         {"BF16", "BFloat16Storage"}, {"F64", "DoubleStorage"},
                                         {"U8", "ByteStorage"},       {"I8", "CharStorage"},
                                         {"I16", "ShortStorage"},     {"I32", "IntStorage"},
                                         {"I64", "LongStorage"},      {"BOOL", "BoolStorage"}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(all[i][0], dtype) == 0)
            return all[i][1];
    return dtype; /* of a test that wants it */
}

void tw_view(struct tw_file *f, const char *name, const char *dtype, uint32_t n_dims,
             const uint64_t *dims, const uint64_t *strides, const char *key, uint64_t offset,
             uint64_t n_stored)
{
    uint64_t contiguous[16], n = 1;

    for (uint32_t i = n_dims; i-- > 0; n *= dims[i] ? dims[i] : 1)
        contiguous[i] = n;
    tw_text(f, name);
    tw_global(f, "torch._utils", "_rebuild_tensor_v2");
    tw_op(f, "((h\x01");
    tw_global(f, "torch", storage_of(dtype));
    tw_text(f, key);
    tw_text(f, "cpu");
    tw_number(f, n_stored);
    tw_op(f, "tQ");
    tw_number(f, offset);
    tw_op(f, "(");
    for (uint32_t i = 0; i < n_dims; i++)
        tw_number(f, dims[i]);
    tw_op(f, "t(");
    for (uint32_t i = 0; i < n_dims; i++)
        tw_number(f, strides ? strides[i] : contiguous[i]);
    tw_op(f, "t\x89"); /* False: requires_grad */
    tw_global(f, "collections", "OrderedDict");
    tw_op(f, ")RtR");
}

void tw_tensor(struct tw_file *f, const char *name, const char *dtype, uint32_t n_dims,
               const uint64_t *dims, const void *data, size_t n_bytes)
{
    char key[16], entry[32];
    uint64_t n = 1;

    for (uint32_t i = 0; i < n_dims; i++)
        n *= dims[i];
    snprintf(key, sizeof key, "%u", f->n_storages++);
    snprintf(entry, sizeof entry, "data/%s", key);
    tw_entry(f, entry, data, n_bytes);
    tw_view(f, name, dtype, n_dims, dims, NULL, key, 0, n);
}

void tw_end(struct tw_file *f)
{
    tw_op(f, "u}");
    tw_text(f, "_metadata");
    tw_op(f, "Nsb."); /* an attribute, as state_dict() sets it */
}

/* ---- The archive ----------------------------------------------------------------------------- */

/* The fields that both headers of an entry share, without signature and version. */
static void put_fields(const struct tw_file *f, struct fx_bytes *b, size_t n, size_t n_name,
                       size_t n_extra)
{
    put_u16(b, 0); /* flags */
    put_u16(b, f->method);
    fx_put_u32(b, 0); /* time and date */
    fx_put_u32(b, 0); /* checksum */
    put_size(f, b, n);
    put_size(f, b, n);
    put_u16(b, n_name);
    put_u16(b, n_extra);
}

/* ZIP64's extra field. at: of the entry; only in the directory */
static void put_extra64(struct fx_bytes *b, size_t n, const uint64_t *at)
{
    put_u16(b, 1);
    put_u16(b, at ? 24 : 16);
    fx_put_u64(b, n);
    fx_put_u64(b, n);
    if (at)
        fx_put_u64(b, *at);
}

void tw_entry(struct tw_file *f, const char *name, const void *data, size_t n)
{
    char path[64];
    const int n_name = snprintf(path, sizeof path, "archive/%s", name);
    const uint64_t at = f->zip.len;

    fx_put_u32(&f->zip, 0x04034b50);
    put_u16(&f->zip, 45);
    put_fields(f, &f->zip, n, (size_t)n_name, f->zip64 ? 20 : 0);
    fx_put(&f->zip, path, (size_t)n_name);
    if (f->zip64)
        put_extra64(&f->zip, n, NULL);
    fx_put(&f->zip, data, n);

    fx_put_u32(&f->directory, 0x02014b50);
    put_u16(&f->directory, 0);
    put_u16(&f->directory, 45);
    put_fields(f, &f->directory, n, (size_t)n_name, f->zip64 ? 32 : 0);
    put_u16(&f->directory, 0);    /* comment */
    fx_put_u64(&f->directory, 0); /* volume and attributes */
    put_size(f, &f->directory, at);
    fx_put(&f->directory, path, (size_t)n_name);
    if (f->zip64) { /* after a field that is not of interest */
        put_u16(&f->directory, 0x4246);
        put_u16(&f->directory, 0);
        put_extra64(&f->directory, n, &at);
    }
    f->n_entries++;
}

static void put_end64(struct fx_bytes *b, uint64_t n, uint64_t at, uint64_t size)
{
    const uint64_t end = b->len;

    fx_put_u32(b, 0x06064b50);
    fx_put_u64(b, 44);
    put_u16(b, 45);
    put_u16(b, 45);
    fx_put_u64(b, 0); /* volumes */
    fx_put_u64(b, n);
    fx_put_u64(b, n);
    fx_put_u64(b, size);
    fx_put_u64(b, at);
    fx_put_u32(b, 0x07064b50);
    fx_put_u32(b, 0);
    fx_put_u64(b, end);
    fx_put_u32(b, 1);
}

uint8_t *tw_image(struct tw_file *f, size_t *len)
{
    const char *order = f->order ? f->order : "little", *comment = f->comment ? f->comment : "";

    tw_entry(f, "data.pkl", f->pickle.data, f->pickle.len);
    tw_entry(f, "byteorder", order, strlen(order));
    tw_entry(f, "version", "3\n", 2);
    const uint64_t at = f->zip.len;
    fx_put(&f->zip, f->directory.data, f->directory.len);
    if (f->zip64)
        put_end64(&f->zip, f->n_entries, at, f->directory.len);
    fx_put_u32(&f->zip, 0x06054b50);
    fx_put_u32(&f->zip, 0); /* volumes */
    put_u16(&f->zip, f->zip64 ? UINT16_MAX : f->n_entries);
    put_u16(&f->zip, f->zip64 ? UINT16_MAX : f->n_entries);
    put_size(f, &f->zip, f->directory.len);
    put_size(f, &f->zip, at);
    put_u16(&f->zip, strlen(comment));
    fx_put(&f->zip, comment, strlen(comment));
    uint8_t *image = f->zip.data;
    *len = f->zip.len;
    free(f->pickle.data);
    free(f->directory.data);
    *f = (struct tw_file){0};
    return image;
}
