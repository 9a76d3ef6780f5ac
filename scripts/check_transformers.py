"""check_transformers.py TRIT [--fixtures FOLDER] [CASE...]: trit against the published library.

Makes random checkpoints of each family with transformers' own classes, in every form in which people
save them, converts them with trit and compares the logits with the library's in float32. A case
agrees if one of its seeds is exact and none is far off: a value on the edge of two int8 activations
may fall to either side, and that grows from layer to layer.

--fixtures writes the small checkpoints that tests/convert/test_transformers.c reads, with their
logits. scripts/check-transformers.sh installs what this needs and runs it.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

os.environ.update(TORCHDYNAMO_DISABLE="1", HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error",
                  TQDM_DISABLE="1", HF_HUB_DISABLE_PROGRESS_BARS="1")
warnings.filterwarnings("ignore")
import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import (AutoModelForCausalLM, BitNetConfig, BitNetQuantConfig,  # noqa: E402
                          LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config)
from transformers.integrations.bitnet import (BitLinear, pack_weights,  # noqa: E402
                                              replace_with_bitnet_linear)
from transformers.quantizers.quantizers_utils import should_convert_module  # noqa: E402

FAMILIES = {"bitnet": BitNetConfig, "llama": LlamaConfig, "mistral": MistralConfig,
            "qwen2": Qwen2Config, "qwen3": Qwen3Config}
LARGE = dict(vocab_size=320, hidden_size=256, intermediate_size=384, num_hidden_layers=3,
             num_attention_heads=4, num_key_value_heads=2)
SMALL = dict(vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=2,
             num_attention_heads=4, num_key_value_heads=2)
DTYPES = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0,
              high_freq_factor=4.0, original_max_position_embeddings=64)


class Case:
    """form: packed, floats (ternary ones with a scale beside), plain (ternary ones without any
    config) or master. keep: modules_to_not_convert. quant, config: further entries of these."""

    def __init__(self, family, form, dtype="bf16", auto=False, keep=("lm_head",), shards=False,
                 quant=None, refused=None, **config):
        self.family, self.form, self.dtype, self.auto = family, form, DTYPES[dtype], auto
        self.keep, self.shards, self.quant_more, self.config_more = keep, shards, quant or {}, config
        self.refused = refused

    def quant(self):
        online = self.form == "master"
        auto = self.auto or self.form in ("master", "floats")
        return BitNetQuantConfig(linear_class="autobitlinear" if auto else "bitlinear",
                                 quantization_mode="online" if online else "offline",
                                 modules_to_not_convert=None if self.keep is None else
                                 list(self.keep), **self.quant_more)

    def config(self, sizes):
        more = dict(max_position_embeddings=512, bos_token_id=0, eos_token_id=0, pad_token_id=None)
        if self.family == "bitnet":
            more.update(hidden_act="relu2", rms_norm_eps=1e-5)
        if self.family == "qwen3":
            more.update(head_dim=sizes["hidden_size"] // sizes["num_attention_heads"])
        return FAMILIES[self.family](**{**sizes, **more, **self.config_more})


def fill(model, seed):
    """Random values for all parameters, of the sizes that trained ones have."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            x = torch.randn(p.shape, generator=rng)
            if p.ndim == 1:
                p.copy_(1 + 0.1 * x if "norm" in name else 0.1 * x)
            else:
                p.copy_(0.2 * x if "embed" in name or "lm_head" in name else x / p.shape[1] ** 0.5)


def ternary(w):
    scale = w.float().abs().mean().clamp(min=1e-5)
    return (w.float() / scale).round().clamp(-1, 1), scale


def tensors(case, model, quant, seed):
    """The tensors of the checkpoint, by name."""
    out = {}
    keep = quant.modules_to_not_convert
    keep = ["lm_head"] if keep is None else keep
    rng = torch.Generator().manual_seed(1000 + seed)
    for name, w in model.state_dict().items():
        module = name.removesuffix(".weight")
        linear = w.ndim == 2 and "embed" not in name and should_convert_module(module, keep)
        out[name] = w.clone()
        if linear and quant.use_rms_norm:
            x = torch.randn(w.shape[1], generator=rng)
            out[module + ".rms_norm.weight"] = (1 + 0.1 * x).to(w.dtype)
        if not linear or case.form == "master":
            continue
        t, scale = ternary(w)
        multiplies = quant.linear_class == "autobitlinear"
        if case.form == "plain":
            out[name] = (t * scale.to(w.dtype).float()).to(w.dtype)
            continue
        out[name] = pack_weights(t.clone()) if case.form == "packed" else t.to(w.dtype)
        out[module + ".weight_scale"] = (scale if multiplies else 1 / scale).view(1).to(w.dtype)
    if model.config.tie_word_embeddings:
        out.pop("lm_head.weight", None)
    return out


def save(folder, named, shards):
    os.makedirs(folder, exist_ok=True)
    named = {k: v.contiguous() for k, v in named.items()}
    if not shards:
        save_file(named, folder + "/model.safetensors", {"format": "pt"})
        return
    names, index = sorted(named), {}
    for i in range(3):
        file = f"model-0000{i + 1}-of-00003.safetensors"
        part = {k: named[k] for k in names[i::3]}
        save_file(part, f"{folder}/{file}", {"format": "pt"})
        index.update({k: file for k in part})
    with open(folder + "/model.safetensors.index.json", "w") as f:
        json.dump({"metadata": {}, "weight_map": index}, f)


def write_tokenizer(folder, n):
    """A byte-level BPE of n tokens; its texts do not matter here."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]
    words = (["<end>"] + letters + [f"<unused{i}>" for i in range(n)])[:n]
    added = [dict(id=0, content="<end>", single_word=False, lstrip=False, rstrip=False,
                  normalized=False, special=True)]
    level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    with open(folder + "/tokenizer.json", "w") as f:
        json.dump(dict(version="1.0", truncation=None, padding=None, added_tokens=added,
                       normalizer=None, pre_tokenizer=level, post_processor=None, decoder=level,
                       model=dict(type="BPE", vocab={w: i for i, w in enumerate(words)},
                                  merges=[])), f)
    with open(folder + "/tokenizer_config.json", "w") as f:
        json.dump(dict(tokenizer_class="PreTrainedTokenizerFast", eos_token="<end>"), f)


def make(case, folder, seed, sizes):
    config, quant = case.config(sizes), case.quant()
    model = AutoModelForCausalLM.from_config(config).to(case.dtype)
    fill(model, seed)
    save(folder, tensors(case, model, quant, seed), case.shards)
    config.architectures = [type(model).__name__]
    config.dtype = case.dtype
    if case.form != "plain":
        config.quantization_config = quant
    config.save_pretrained(folder)
    write_tokenizer(folder, sizes["vocab_size"])


def reference(case, folder, ids):
    """The library's logits in float32."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    if case.form == "plain":  # BitNet's function of weights that are used as they are
        weights = {k: v.clone() for k, v in model.state_dict().items()}
        quant = BitNetQuantConfig(linear_class="autobitlinear", quantization_mode="offline")
        model = replace_with_bitnet_linear(model, ["lm_head"], quant)
        for m in model.modules():
            if hasattr(m, "weight_scale"):
                m.weight_scale = torch.ones(1)
        model.load_state_dict(weights, assign=True, strict=False)
    for m in model.modules():
        if isinstance(m, BitLinear):
            m.dtype = torch.float32
    torch.nn.Module.float(model)
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float().numpy()


def trit_logits(trit, folder, ids):
    """trit's logits, or the line with which it refuses."""
    embd = ["--embd", "f32"]
    for command in (["convert", "-q", folder, "-o", folder + ".gguf", *embd],
                    ["logits", "-m", folder + ".gguf", "--tokens", ",".join(map(str, ids)),
                     "-o", folder + ".npy", "--kv", "f32"]):
        r = subprocess.run([trit, *command], capture_output=True, text=True)
        if r.returncode:
            return r.stderr.strip().splitlines()[-1]
    return np.load(folder + ".npy")


def tokens(seed, n, vocab):
    return [int(x) for x in np.random.default_rng(seed).integers(1, vocab - 1, n)]


def run(trit, name, case, root):
    """@return whether the case agrees."""
    errors = []
    for seed in range(1, 17):
        if len(errors) > 2 and min(errors) < 1e-6:
            break
        folder = f"{root}/{name}-{seed}"
        ids = tokens(seed, 20, LARGE["vocab_size"])
        make(case, folder, seed, LARGE)
        got = trit_logits(trit, folder, ids)
        if case.refused or isinstance(got, str):
            fine = isinstance(got, str) and case.refused and re.search(case.refused, got)
            print(f"{name:34} {'is refused' if fine else 'WRONG'}: {str(got)[:200]}")
            return bool(fine)
        want = reference(case, folder, ids)
        errors.append(float(abs(got - want).mean() / want.std()))
        shutil.rmtree(folder)
    good = min(errors) < 1e-6 and max(errors) < 0.06
    print(f"{name:34} {'agrees' if good else 'DIFFERS'} {' '.join(f'{e:.1e}' for e in errors)}")
    return good


def all_cases():
    cases = {}
    for f in FAMILIES:
        tied = {"tie_word_embeddings": f == "bitnet"}
        other = {"tie_word_embeddings": f != "bitnet"}
        cases[f + "-packed"] = Case(f, "packed", **tied)
        cases[f + "-packed-" + ("untied" if f == "bitnet" else "tied")] = Case(f, "packed", **other)
        cases[f + "-packed-auto"] = Case(f, "packed", auto=True, **tied)
        cases[f + "-packed-shards"] = Case(f, "packed", shards=True, **tied)
        cases[f + "-packed-norms"] = Case(f, "packed", quant=dict(use_rms_norm=True), **tied)
        cases[f + "-packed-kept"] = Case(
            f, "packed", keep=("lm_head", "model.layers.0.mlp.down_proj", "k_proj"), **tied)
        cases[f + "-packed-kept-layer"] = Case(
            f, "packed", keep=("lm_head", "model.layers.1", r"model.layers.\d+.self_attn.q_proj"),
            **tied)
        for d in DTYPES:
            cases[f"{f}-master-{d}"] = Case(f, "master", d, **tied)
            cases[f"{f}-packed-{d}"] = Case(f, "packed", d, **tied)
        cases[f + "-master-norms"] = Case(f, "master", quant=dict(use_rms_norm=True), **tied)
        cases[f + "-floats-norms"] = Case(f, "floats", quant=dict(use_rms_norm=True), **tied)
        cases[f + "-auto-norms-kept"] = Case(f, "packed", auto=True, keep=("lm_head", "up_proj"),
                                             quant=dict(use_rms_norm=True), **tied)
        cases[f + "-heads"] = Case(f, "packed", num_key_value_heads=4, **tied)
        cases[f + "-master-kept"] = Case(f, "master", keep=("lm_head", "o_proj"), **tied)
        cases[f + "-floats"] = Case(f, "floats", **tied)
        cases[f + "-floats-f16"] = Case(f, "floats", "f16", **tied)
        cases[f + "-plain"] = Case(f, "plain", **tied)
    for f, biases in (("llama", ("attention_bias", "mlp_bias")), ("bitnet", ("attention_bias",)),
                      ("qwen3", ("attention_bias",))):
        for form in ("packed", "master", "floats", "plain"):
            cases[f"{f}-{form}-bias"] = Case(f, form, **dict.fromkeys(biases, True),
                                             tie_word_embeddings=f == "bitnet")
        cases[f"{f}-packed-auto-bias"] = Case(f, "packed", auto=True,
                                              **dict.fromkeys(biases, True),
                                              tie_word_embeddings=f == "bitnet")
        cases[f"{f}-kept-bias"] = Case(f, "packed", keep=("lm_head", "q_proj", "layers.1.mlp"),
                                       **dict.fromkeys(biases, True),
                                       tie_word_embeddings=f == "bitnet")
    untied = {"tie_word_embeddings": False}
    cases["llama-packed-head"] = Case("llama", "packed", keep=(), **untied)
    cases["llama-packed-head-norms"] = Case("llama", "packed", keep=(),
                                            quant=dict(use_rms_norm=True), **untied)
    cases["bitnet-packed-auto-head"] = Case("bitnet", "packed", auto=True, keep=(), **untied)
    cases["llama-master-head"] = Case("llama", "master", keep=(), **untied)
    cases["llama-floats-head"] = Case("llama", "floats", keep=(), **untied)
    cases["llama-nothing-listed"] = Case("llama", "packed", keep=None, **untied)
    cases["llama-rope"] = Case("llama", "packed", rope_parameters=LLAMA3, **untied)
    cases["bitnet-silu"] = Case("bitnet", "packed", hidden_act="silu", tie_word_embeddings=True)
    cases["mistral-head-dim"] = Case("mistral", "packed", head_dim=96)
    cases["llama-head-dim"] = Case("llama", "master", head_dim=32, **untied)
    cases["qwen2-unused-window"] = Case("qwen2", "packed", sliding_window=8)
    cases["qwen2-window"] = Case("qwen2", "packed", sliding_window=8, use_sliding_window=True,
                                 max_window_layers=0, refused="sliding_window")
    cases["mistral-no-window"] = Case("mistral", "packed", sliding_window=None)
    cases["mistral-long-window"] = Case("mistral", "packed", sliding_window=512)
    cases["mistral-window"] = Case("mistral", "packed", sliding_window=8, refused="sliding_window")
    return cases


FIXTURES = {
    "llama-bias": Case("llama", "packed", attention_bias=True, mlp_bias=True),
    "llama-kept": Case("llama", "packed", num_hidden_layers=1,
                       keep=("lm_head", "model.layers.0.mlp", "q_proj"),
                       intermediate_size=32),
    "llama-head": Case("llama", "packed", keep=(), quant=dict(use_rms_norm=True)),
    "bitnet-floats": Case("bitnet", "floats", num_hidden_layers=1, intermediate_size=32,
                          attention_bias=True, tie_word_embeddings=True),
    "mistral-plain": Case("mistral", "plain", "f16", num_hidden_layers=1, intermediate_size=32,
                          tie_word_embeddings=True),
    "qwen2-packed": Case("qwen2", "packed", auto=True, tie_word_embeddings=True),
    "qwen3-packed": Case("qwen3", "packed", shards=True),
}


def write_fixtures(trit, to):
    """Each with the first seed for which no activation lies on an edge."""
    for name, case in FIXTURES.items():
        for seed in range(1, 100):
            folder, ids = f"{to}/{name}", tokens(seed, 8, SMALL["vocab_size"])
            shutil.rmtree(folder, ignore_errors=True)
            make(case, folder, seed, SMALL)
            want = reference(case, folder, ids)
            got = trit_logits(trit, folder, ids)
            for end in (".gguf", ".npy"):
                if os.path.exists(folder + end):
                    os.remove(folder + end)
            if isinstance(got, str):
                sys.exit(f"{name}: {got}")
            if abs(got - want).mean() / want.std() < 1e-6:
                break
        np.save(folder + "/logits.npy", want)
        with open(folder + "/logits.tokens", "w") as f:
            f.write(",".join(map(str, ids)) + "\n")
        print(f"{name}: seed {seed}")


def main(trit, *args):
    if args and args[0] == "--fixtures":
        return write_fixtures(trit, args[1])
    cases = all_cases()
    chosen = [n for n in cases if not args or n in args]
    with tempfile.TemporaryDirectory() as root:
        good = sum(run(trit, n, cases[n], root) for n in chosen)
    print(f"{good} of {len(chosen)} cases are as they should be")
    return good < len(chosen)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
