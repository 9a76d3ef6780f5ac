#!/usr/bin/env python3
"""make-checkpoint.py FOLDER: writes a random checkpoint like microsoft/bitnet-b1.58-2B-4T.

It has the packed layout with all names, shapes and types, and a vocabulary of the same size, 1.2 GB
in one file, to measure the cost of converting the real one. The model produces nonsense. Needs only
Python's standard library; the bytes are the same every time.
"""
import json
import os
import random
import struct
import sys

LAYERS, EMBD, KV, FF, VOCAB, BASE = 30, 2560, 640, 6912, 128256, 128000
PIECE = 1 << 24

CODES = bytes(sum((b >> s & 3) % 3 << s for s in (0, 2, 4, 6)) for b in range(256))  # no code is 3
SMALL = bytes(0x3C | (b & 0x80) for b in range(256))  # upper byte of a BF16 of +-0.0078 to 0.031


def codes(rng, n):
    return rng.randbytes(n).translate(CODES)


def floats(rng, n):
    data = bytearray(rng.randbytes(n))
    data[1::2] = data[1::2].translate(SMALL)
    return bytes(data)


def ones(rng, n):
    return b"\x80\x3f" * (n // 2)


def scale(rng, n):
    return b"\x80\x3d"  # 1/16


def tensors():
    yield "model.embed_tokens.weight", "BF16", [VOCAB, EMBD], floats
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        for name, n in (("input_layernorm", EMBD), ("post_attention_layernorm", EMBD),
                        ("self_attn.attn_sub_norm", EMBD), ("mlp.ffn_sub_norm", FF)):
            yield f"{layer}{name}.weight", "BF16", [n], ones
        for name, n_out, n_in in (("self_attn.q_proj", EMBD, EMBD), ("self_attn.k_proj", KV, EMBD),
                                  ("self_attn.v_proj", KV, EMBD), ("self_attn.o_proj", EMBD, EMBD),
                                  ("mlp.gate_proj", FF, EMBD), ("mlp.up_proj", FF, EMBD),
                                  ("mlp.down_proj", EMBD, FF)):
            yield f"{layer}{name}.weight", "U8", [n_out // 4, n_in], codes
            yield f"{layer}{name}.weight_scale", "BF16", [1], scale
    yield "model.norm.weight", "BF16", [EMBD], ones


def write_weights(path):
    rng = random.Random(158)
    header, at, todo = {"__metadata__": {"format": "pt"}}, 0, []
    for name, dtype, shape, make in tensors():
        n = 2 if dtype == "BF16" else 1
        for d in shape:
            n *= d
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + n]}
        todo.append((n, make))
        at += n
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for n, make in todo:
            for begin in range(0, n, PIECE):
                f.write(make(rng, min(PIECE, n - begin)))


def vocabulary():
    """All bytes, then strings of two and three letters, each merged from its front and its end."""
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
    others = [b for b in range(256) if b not in plain]
    letters = [chr(b) for b in plain] + [chr(256 + i) for i in range(len(others))]
    tokens, merges, last = list(letters), [], list(letters)
    while len(tokens) < BASE:
        grown = []
        for head in last:
            for letter in letters:
                if len(tokens) < BASE:
                    merges.append(f"{head} {letter}")
                    grown.append(head + letter)
                    tokens.append(head + letter)
        last = grown
    return tokens, merges


def specials():
    names = ["<|begin_of_text|>", "<|end_of_text|>"]
    names += [f"<|reserved_special_token_{i}|>" for i in range(4)]
    names += ["<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_4|>", "<|eot_id|>"]
    return names + [f"<|reserved_special_token_{i}|>" for i in range(5, VOCAB - BASE - len(names) + 5)]


SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")


def write_tokenizer(path):
    tokens, merges = vocabulary()
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    added = [{"id": BASE + i, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for i, name in enumerate(specials())]
    with open(path, "w") as f:
        json.dump({
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, byte_level]},
            "post_processor": None, "decoder": dict(byte_level, use_regex=True),
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": True,
                      "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges}}, f)


def write_json(path, **keys):
    with open(path, "w") as f:
        json.dump(keys, f, indent=2)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    write_json(os.path.join(folder, "config.json"), architectures=["BitNetForCausalLM"], attention_bias=False,
               bos_token_id=128000, eos_token_id=128001, hidden_act="relu2", hidden_size=EMBD, intermediate_size=FF,
               max_position_embeddings=4096, model_type="bitnet", num_attention_heads=20, num_hidden_layers=LAYERS,
               num_key_value_heads=5, rms_norm_eps=1e-05, rope_theta=500000.0, tie_word_embeddings=True,
               torch_dtype="bfloat16", vocab_size=VOCAB,
               quantization_config={"quant_method": "bitnet", "linear_class": "autobitlinear",
                                    "quantization_mode": "offline", "modules_to_not_convert": None})
    write_json(os.path.join(folder, "tokenizer_config.json"), tokenizer_class="PreTrainedTokenizerFast",
               bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>")
    write_tokenizer(os.path.join(folder, "tokenizer.json"))
    write_weights(os.path.join(folder, "model.safetensors"))


main()
