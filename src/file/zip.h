/* zip.h - the entries of a zip archive in memory, as torch.save writes it: stored, not compressed,
 * in the classic format or in ZIP64.
 *
 * The central directory counts, at the end of the file. Each entry's local header must agree with
 * it, and no two entries may share a byte. Checksums are not compared: torch has an option to leave
 * them out. */
#ifndef TRIT_FILE_ZIP_H
#define TRIT_FILE_ZIP_H

#include "error.h"

struct trit_zip_entry {
    struct trit_string name; /* in the archive */
    const uint8_t *data;     /* in the archive; not aligned */
    uint64_t n_bytes;
};

struct trit_zip {
    struct trit_zip_entry *entries; /* [n], ascending by name (bytewise) */
    size_t n;
};

/* List the entries of the archive of `size` bytes, which must outlive the list.
 * @return TRIT_OK; TRIT_E_FILE: damaged, cut off, or an entry occurs twice or overlaps another;
 *         TRIT_E_UNSUPPORTED: compressed, encrypted, in several volumes; TRIT_E_MEMORY. The text
 *         begins with path. Release with trit_zip_free(), which is optional after an error. */
trit_status trit_zip_open(struct trit_zip *out, const uint8_t *data, size_t size, const char *path,
                          struct trit_error *err);
void trit_zip_free(struct trit_zip *zip);

/* The entry named by both parts, one after the other; or NULL. */
const struct trit_zip_entry *trit_zip_find(const struct trit_zip *zip, struct trit_string folder,
                                           struct trit_string name);

#endif
