/* vocabulary_write.c - the keys tokenizer.* of a GGUF. */
#include "vocabulary.h"

static void write_id(struct gguf_writer *w, const char *key, int32_t id)
{
    if (id >= 0)
        trit_gguf_write_u32(w, key, (uint32_t)id);
}

static void write_flag(struct gguf_writer *w, const char *key, int flag)
{
    if (flag >= 0)
        trit_gguf_write_bool(w, key, flag);
}

static void write_arrays(const struct trit_vocabulary *v, struct gguf_writer *w)
{
    const uint64_t n = (uint64_t)v->n_tokens;

    trit_gguf_write_array(w, "tokenizer.ggml.tokens", TRIT_VALUE_STRING, n);
    for (int32_t i = 0; i < v->n_tokens; i++)
        trit_gguf_write_item_string(w, v->tokens[i].text.bytes, v->tokens[i].text.len);
    if (!v->pre) {
        trit_gguf_write_array(w, "tokenizer.ggml.scores", TRIT_VALUE_F32, n);
        for (int32_t i = 0; i < v->n_tokens; i++)
            trit_gguf_write_item(w, &v->tokens[i].score, sizeof v->tokens[i].score);
    }
    trit_gguf_write_array(w, "tokenizer.ggml.token_type", TRIT_VALUE_I32, n);
    for (int32_t i = 0; i < v->n_tokens; i++)
        trit_gguf_write_item(w, &v->tokens[i].type, sizeof v->tokens[i].type);
    if (!v->pre)
        return;
    trit_gguf_write_array(w, "tokenizer.ggml.merges", TRIT_VALUE_STRING, (uint64_t)v->n_merges);
    for (int32_t i = 0; i < v->n_merges; i++)
        trit_gguf_write_item_string(w, v->merges[i].bytes, v->merges[i].len);
}

void trit_vocabulary_write(const struct trit_vocabulary *v, struct gguf_writer *w)
{
    trit_gguf_write_string(w, "tokenizer.ggml.model", v->model);
    if (v->pre)
        trit_gguf_write_string(w, "tokenizer.ggml.pre", v->pre);
    write_arrays(v, w);
    write_id(w, "tokenizer.ggml.bos_token_id", v->bos);
    write_id(w, "tokenizer.ggml.eos_token_id", v->eos);
    write_id(w, "tokenizer.ggml.eot_token_id", v->eot);
    write_id(w, "tokenizer.ggml.eom_token_id", v->eom);
    write_id(w, "tokenizer.ggml.unknown_token_id", v->unknown);
    write_id(w, "tokenizer.ggml.padding_token_id", v->pad);
    write_flag(w, "tokenizer.ggml.add_bos_token", v->add_bos);
    write_flag(w, "tokenizer.ggml.add_eos_token", v->add_eos);
    write_flag(w, "tokenizer.ggml.add_space_prefix", v->space_prefix);
    write_flag(w, "trit.ignore_merges", v->ignore_merges);
    if (v->chat_template.len)
        trit_gguf_write_text(w, "tokenizer.chat_template", v->chat_template);
}
