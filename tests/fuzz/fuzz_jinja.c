/* fuzz_jinja.c - the input is a template, and behind a first NUL the text of a message. */
#include <string.h>

#include "fuzz.h"
#include "jinja.h"

static const char json_text[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"properties\":{\"a\":"
    "{\"type\":\"string\"}},\"required\":[\"a\",1,2.5,null,true]}}}]";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *source = (const char *)data;
    const char *end = len ? memchr(source, 0, len) : NULL;
    const size_t n = end ? (size_t)(end - source) : len;
    const struct trit_string text = {n < len ? source + n + 1 : "", n < len ? len - n - 1 : 0};
    const struct trit_message messages[] = {{TRIT_ROLE_SYSTEM, {"Be brief.", 9}},
                                            {TRIT_ROLE_USER, text},
                                            {TRIT_ROLE_ASSISTANT, text},
                                            {TRIT_ROLE_USER, {"Why?", 4}}};
    struct trit_json *tools = NULL;
    struct trit_jinja_output out;
    struct trit_error err = {0};

    FUZZ_CHECK(trit_json_read(&tools, json_text, sizeof json_text - 1, &err) == TRIT_OK);
    const struct trit_jinja_input in = {
        .messages = messages,
        .n = 4,
        .tools = trit_json_root(tools),
        .bos_token = {"<s>", 3},
        .add_generation_prompt = true,
        .enable_thinking = (int)(len % 3) - 1,
        .has_now = len % 2,
        .now = (int64_t)len * 1000000,
    };
    const trit_status status = trit_jinja_render(&out, (struct trit_string){source, n}, &in, &err);
    FUZZ_CHECK((status == TRIT_OK) == (out.text != NULL));
    FUZZ_CHECK(!status || (err.code == status && err.text[0]));
    FUZZ_CHECK(memchr(err.text, '\0', sizeof err.text));
    for (size_t i = 0; i < out.len; i++)
        FUZZ_CHECK(out.origin[i] < TRIT_JINJA_ANSWERS + text.len);
    trit_jinja_free(&out);
    trit_json_free(&tools);
    return 0;
}
