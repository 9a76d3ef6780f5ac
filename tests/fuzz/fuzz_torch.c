/* fuzz_torch.c - the input is a file of torch.save: list its tensors and read every byte. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "torch.h"

/* Read every byte, so that one outside the file is seen. */
static void touch(const void *bytes, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        const volatile uint8_t byte = ((const uint8_t *)bytes)[i];
        (void)byte;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char path[] = "input";
    struct trit_weights_file file = {.path = path, .name = path};
    struct trit_weights s = {.files = &file, .n_files = 1};
    struct trit_error err = {0};

    file.bytes = (struct trit_bytes){.data = data, .size = len, .kind = TRIT_BYTES_BORROWED};
    const trit_status status = trit_torch_read(&s, 0, &err);
    FUZZ_CHECK(!status || (err.code == status && err.text[0]));
    FUZZ_CHECK(memchr(err.text, '\0', sizeof err.text));
    for (size_t i = 0; i < s.n && !status; i++) {
        const struct trit_weight *t = &s.tensors[i];
        FUZZ_CHECK(t->n_dims <= TRIT_WEIGHT_MAX_DIMS && t->dtype);
        touch(t->name.bytes, t->name.len);
        if (i < 16) /* they may share their bytes */
            touch(t->data, t->n_bytes);
        else if (t->n_bytes)
            touch(t->data + t->n_bytes - 1, 1);
    }
    free(s.tensors);
    return 0;
}
