#!/usr/bin/env python3
"""export.py --data FOLDER [--packed] CHECKPOINT OUT: writes a checkpoint folder for `trit convert`.

It has the layout of microsoft/bitnet-b1.58-2B-4T: config.json, model.safetensors and the tokenizer
of the data folder. The linears are the bf16 master (quantization_mode "online", as in the -bf16
repository) or, with --packed, four codes per byte with a bf16 scale ("offline"). The packed folder
holds exactly the function that was trained; values of the master at the edge between two codes may
round to the other side.
"""
import argparse
import json
import os
import pathlib
import shutil
import struct

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

import model


def bf16_bytes(x):
    return x.to(torch.bfloat16).contiguous().view(torch.int16).numpy().tobytes()


def pack(t):
    """Byte row r of R = rows / 4 holds rows r, r + R, r + 2R, r + 3R, the first in the low bits."""
    codes = (t + 1).to(torch.uint8).numpy().reshape(4, -1, t.shape[1])
    return codes[0] | codes[1] << 2 | codes[2] << 4 | codes[3] << 6


def tensors(config, params, packed):
    """Yields name, type, shape and bytes of each tensor."""
    linears = {model.name(i, part) for i in range(config.layers) for part, _, _ in config.linears()}
    for key, p in params.items():
        if packed and key in linears:
            t, scale = model.ternary(p)
            data = pack(t)
            yield key, "U8", data.shape, data.tobytes()
            yield key + "_scale", "BF16", (1,), bf16_bytes(scale.view(1))
        else:
            yield key, "BF16", tuple(p.shape), bf16_bytes(p)


def save_safetensors(path, entries):
    header, at, parts = {"__metadata__": {"format": "pt"}}, 0, []
    for key, dtype, shape, data in entries:
        header[key] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
        parts.append(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for data in parts:
            file.write(data)


def config_json(config, end, packed):
    return {
        "architectures": ["BitNetForCausalLM"], "attention_bias": False, "attention_dropout": 0.0,
        "bos_token_id": end, "eos_token_id": end, "hidden_act": "relu2",
        "hidden_size": config.embd, "initializer_range": 0.02, "intermediate_size": config.ff,
        "max_position_embeddings": config.context, "model_type": "bitnet",
        "num_attention_heads": config.heads, "num_hidden_layers": config.layers,
        "num_key_value_heads": config.kv_heads, "rms_norm_eps": model.EPS,
        "rope_theta": model.THETA, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
        "use_cache": True, "vocab_size": config.vocab,
        "quantization_config": {
            "quant_method": "bitnet", "linear_class": "autobitlinear",
            "quantization_mode": "offline" if packed else "online",
            "modules_to_not_convert": None},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("checkpoint", help="checkpoint.pt of train.py")
    parser.add_argument("out", metavar="OUT", type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--packed", action="store_true")
    args = parser.parse_args()
    saved = torch.load(args.checkpoint, map_location="cpu")
    config = model.Config(**saved["config"])
    end = json.loads((args.data / "data.json").read_text())["end"]
    args.out.mkdir(parents=True, exist_ok=True)
    save_safetensors(args.out / "model.safetensors", tensors(config, saved["params"], args.packed))
    (args.out / "config.json").write_text(
        json.dumps(config_json(config, end, args.packed), indent=2) + "\n")
    shutil.copy(args.data / "tokenizer.json", args.out)
    about = json.loads((args.data / "tokenizer_config.json").read_text())
    about["model_max_length"] = config.context
    (args.out / "tokenizer_config.json").write_text(json.dumps(about, indent=2) + "\n")


if __name__ == "__main__":
    main()
