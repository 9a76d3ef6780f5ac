/* kind.c - see kind.h. */
#include "kind.h"

#include <string.h>

#define MAGIC(s) s, sizeof(s) - 1

static const struct {
    const char *magic;
    size_t len;
    const char *what;
} kinds[] = {
    {MAGIC("version https://git-lfs"), "; it is a pointer of Git LFS, not the file: git lfs pull "
                                       "downloads it"},
    {MAGIC("<!doctype html"), "; it is a web page (HTML): download the file itself"},
    {MAGIC("<html"), "; it is a web page (HTML): download the file itself"},
    {MAGIC("<?xml"), "; it is XML, perhaps a server's error: download it again"},
    {MAGIC("{"), "; it is JSON"},
    {MAGIC("tritsess"), "; it is a saved session: give it to --session"},
    {MAGIC("pk\x03\x04"),
     "; it is a zip archive: unpack it, or if it is a checkpoint of PyTorch, use "
     "trit convert on its folder"},
    {MAGIC("\x80\x02"),
     "; it is a pickle, perhaps a checkpoint of PyTorch: use trit convert on its "
     "folder"},
    {MAGIC("\x1f\x8b"), "; it is compressed by gzip: unpack it"},
    {MAGIC("bzh"), "; it is compressed by bzip2: unpack it"},
    {MAGIC("\xfd"
           "7zxz"),
     "; it is compressed by xz: unpack it"},
    {MAGIC("\x28\xb5\x2f\xfd"), "; it is compressed by zstd: unpack it"},
    {MAGIC("7z\xbc\xaf"), "; it is a 7z archive: unpack it"},
    {MAGIC("rar!"), "; it is a RAR archive: unpack it"},
    {MAGIC("lmgg"), "; it is a GGML file of 2023, an older format: get the model as GGUF"},
    {MAGIC("fmgg"), "; it is a GGML file of 2023, an older format: get the model as GGUF"},
    {MAGIC("tjgg"), "; it is a GGML file of 2023, an older format: get the model as GGUF"},
    {MAGIC("algg"), "; it is an adapter in the format GGLA: merge it into its model first"},
    {MAGIC("\x93numpy"), "; it is a NumPy array"},
    {MAGIC("%pdf"), "; it is a PDF document"},
    {MAGIC("\x7f"
           "elf"),
     "; it is a program"},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool begins(struct trit_string s, const char *magic, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (i >= s.len || lower(s.bytes[i]) != magic[i])
            return false;
    return true;
}

/* A header of JSON, with its length before it. */
static bool is_safetensors(struct trit_string s)
{
    uint64_t n = 0;

    for (int i = 8; s.len > 8 && i-- > 0;)
        n = n << 8 | (unsigned char)s.bytes[i];
    return s.len > 8 && s.bytes[8] == '{' && n <= s.len - 8;
}

const char *trit_kind_of_bytes(struct trit_string bytes)
{
    if (bytes.len == 0)
        return "; it is empty";
    if (is_safetensors(bytes))
        return "; it is a safetensors file: trit convert makes a GGUF of a checkpoint folder";
    while (bytes.len && strchr(" \t\r\n", bytes.bytes[0]) && bytes.bytes[0])
        bytes.bytes++, bytes.len--;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (begins(bytes, kinds[i].magic, kinds[i].len))
            return kinds[i].what;
    return "";
}
