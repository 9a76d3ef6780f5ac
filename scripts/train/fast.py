#!/usr/bin/env python3
"""The training step for CPUs: torch computes the products in bf16, fused.c everything between them.

The results are those of model.Plain, several times as fast; forward and backward are written out
here. Each thread takes whole microbatches, so that no thread waits for another within one and other
programs on the same cores cost little; torch itself uses one thread. Compiles fused.c with $CC (cc)
into a folder of the caller. `fast.py FOLDER` compares it with model.Plain on a small model.
"""
import concurrent.futures
import copy
import ctypes
import os
import pathlib
import subprocess
import sys

import torch

import model

HALF = torch.bfloat16
CHUNK = 1024  # rows of logits at a time


def compile_passes(folder):
    """The functions of fused.c, compiled for this machine."""
    if sys.platform == "linux":  # keep large blocks: fresh pages for them cost a tenth of the time
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD
    source = pathlib.Path(__file__).with_name("fused.c")
    out = pathlib.Path(folder).resolve() / "fused.so"
    fresh = out.with_suffix(f".{os.getpid()}")
    subprocess.run([*os.environ.get("CC", "cc").split(), "-O3", "-march=native", "-ffast-math",
                    "-shared", "-fPIC", "-o", fresh, source, "-lm"], check=True)
    fresh.replace(out)
    return ctypes.CDLL(out)


def call(function, *args):
    function(*(None if a is None else
               ctypes.c_void_p(a.data_ptr()) if isinstance(a, torch.Tensor) else
               ctypes.c_float(a) if isinstance(a, float) else ctypes.c_int(a) for a in args))


class Fast:
    def __init__(self, config, params, folder, threads=1):
        if config.head_dim != 64 or config.context % 64 or max(config.embd, config.ff) > 8192:
            raise ValueError("fused.c needs heads of 64, a context of 64 n and rows up to 8192")
        self.config, self.params, self.lib = config, params, compile_passes(folder)
        self.table = model.rotations(config).contiguous()
        self.threads, self.pool = threads, concurrent.futures.ThreadPoolExecutor(threads)
        self.parts = [("qkv", ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")),
                      ("o", ("self_attn.o_proj",)), ("gu", ("mlp.gate_proj", "mlp.up_proj")),
                      ("down", ("mlp.down_proj",))]

    # ---- Weights of a step -----------------------------------------------------------------------

    def load(self):
        """Copies the weights of this step, quantised once for all its microbatches."""
        self.embed = self.params[model.EMBED].to(HALF)
        self.norm = self.params[model.NORM].to(HALF).float()
        self.layers = []
        for i in range(self.config.layers):
            layer = {part: self.params[model.name(i, part)].to(HALF).float()
                     for part, _ in self.config.norms()}
            for key, names in self.parts:
                both = [model.ternary(self.params[model.name(i, n)]) for n in names]
                layer[key] = torch.cat([t for t, _ in both]).to(HALF)
                layer[key + " scales"] = [s.item() for _, s in both]
            self.layers.append(layer)
        self.workers = None  # so that no worker keeps those of the previous step alive
        self.workers = [copy.copy(self) for _ in range(self.threads)]
        for worker in self.workers:
            worker.sums = {}

    def steps(self, work):
        """Calls step(*arguments) for all arguments in work, assigned to threads in a fixed way."""
        def run(w):
            return [self.workers[w].step(*arguments) for arguments in work[w::self.threads]]

        done = list(self.pool.map(run, range(self.threads)))
        self.sums = {}
        for worker in self.workers:
            for key, g in worker.sums.items():
                self.add(key, g.shape).add_(g)
            worker.sums = {}
        return [done[k % self.threads][k // self.threads] for k in range(len(work))]

    def add(self, key, shape):
        if key not in self.sums:
            self.sums[key] = torch.zeros(shape)
        return self.sums[key]

    def add_product(self, key, g, x):
        self.add(key, (g.shape[1], x.shape[1])).add_(g.t() @ x)

    def gradients(self):
        grads = {k: torch.zeros_like(p) for k, p in self.params.items()}
        for key in (model.EMBED, model.NORM):
            grads[key] = self.add(key, self.params[key].shape)
        for i, layer in enumerate(self.layers):
            for part, n in self.config.norms():
                grads[model.name(i, part)] = self.add((i, part), n)
            for key, names in self.parts:
                if (i, key) in self.sums:
                    rows = [self.params[model.name(i, n)].shape[0] for n in names]
                    for n, g, scale in zip(names, self.sums[i, key].split(rows),
                                           layer[key + " scales"]):
                        grads[model.name(i, n)] = g / scale
        return grads

    # ---- Forward ---------------------------------------------------------------------------------

    def normed(self, h, w, pending, quantised=True):
        """Adds the pending product to h. Returns h, its norm, and what backward needs."""
        m, d = h.shape
        y, yinv, a = pending or (None, None, 0.0)
        out = torch.empty_like(h) if pending else h
        q, r = torch.empty(m, d, dtype=HALF), torch.empty(m)
        inv = torch.empty(m) if quantised else None
        call(self.lib.add_norm, m, d, h, y, yinv, a, out, w, q, inv, r)
        return out, q, inv, r

    def layer(self, layer, h, pending, batch):
        config, m = self.config, h.shape[0]
        s = {"pending": pending}
        s["h1"], s["q1"], s["inv1"], s["r1"] = self.normed(h, layer["input_layernorm"], pending)
        s["qkv"] = s["q1"] @ layer["qkv"].t()
        s["a"] = torch.empty(m, config.embd, dtype=HALF)
        call(self.lib.attention, batch, m // batch, config.heads, config.kv_heads, s["qkv"],
             s["inv1"], *layer["qkv scales"], self.table, s["a"])
        s["q2"], s["inv2"], s["r2"] = torch.empty_like(s["a"]), torch.empty(m), torch.empty(m)
        call(self.lib.sub_norm, m, config.embd, s["a"], layer["self_attn.attn_sub_norm"], s["q2"],
             s["inv2"], s["r2"])
        s["pending2"] = s["q2"] @ layer["o"].t(), s["inv2"], layer["o scales"][0]
        s["h3"], s["q3"], s["inv3"], s["r3"] = self.normed(
            s["h1"], layer["post_attention_layernorm"], s["pending2"])
        s["gu"] = s["q3"] @ layer["gu"].t()
        s["q4"] = torch.empty(m, config.ff, dtype=HALF)
        s["inv4"], s["r4"] = torch.empty(m), torch.empty(m)
        call(self.lib.glu, m, config.ff, s["gu"], s["inv3"], *layer["gu scales"],
             layer["mlp.ffn_sub_norm"], s["q4"], s["inv4"], s["r4"])
        return s, s["h3"], (s["q4"] @ layer["down"].t(), s["inv4"], layer["down scales"][0])

    def head(self, n, targets, factor):
        """Losses of the rows; with a factor, also adds gradients and returns that of n."""
        losses = torch.empty(len(n))
        gn = torch.empty_like(n) if factor else None
        for at in range(0, len(n), CHUNK):
            rows = slice(at, min(at + CHUNK, len(n)))
            scores = n[rows] @ self.embed.t()
            call(self.lib.cross_entropy, len(scores), scores.shape[1], scores, targets[rows],
                 float(factor), losses[rows])
            if factor:
                self.add_product(model.EMBED, scores, n[rows])
                torch.mm(scores, self.embed, out=gn[rows])
        return losses, gn

    def embedded(self, tokens):
        return self.embed[tokens.flatten()].float()

    # ---- A step ----------------------------------------------------------------------------------

    def step(self, tokens, targets, share, skip=(), early=None):
        """See model.Plain.step."""
        batch, flat = len(tokens), targets.flatten().contiguous()
        h, pending, saved = self.embedded(tokens), None, []
        exit_at, rows, weight = early or (None, 0, 0)
        rows *= targets.shape[1]
        for i, layer in enumerate(self.layers):
            if i not in skip:
                s, h, pending = self.layer(layer, h, pending, batch)
                saved.append((i, s))
        h, n, _, r = self.normed(h, self.norm, pending, False)
        losses, g = self.head(n, flat, share / len(flat))
        gh, norm_sum = torch.zeros_like(h), self.add(model.NORM, self.config.embd)
        other = torch.zeros(1)
        # The state after exit_at layers is the input of the first layer run after them.
        after = next((k for k, (i, _) in enumerate(saved) if early and i >= exit_at), None)

        def leave(x):
            nonlocal other
            _, n, _, r = self.normed(x[:rows], self.norm, None, False)
            other, g = self.head(n, flat[:rows], weight * share / rows)
            call(self.lib.add_norm_back, rows, x.shape[1], x, self.norm, r, g, None, gh, norm_sum,
                 None, 0.0, None)

        if early and after is None:
            leave(h)
        G = self.norm_back(h, self.norm, r, g, None, gh, norm_sum, pending)
        for k in range(len(saved) - 1, -1, -1):
            i, s = saved.pop()
            here = (lambda: leave(s["h1"])) if k == after else None
            G = self.layer_back(i, s, G, gh, batch, here)
        self.add(model.EMBED, self.embed.shape).index_add_(0, tokens.flatten(), gh)
        return losses.mean().item(), other.mean().item()

    def norm_back(self, h, w, r, g, ginv, gh, gw, pending):
        """Adds to gh; returns the gradient of the pending product."""
        y, yinv, a = pending or (None, None, 0.0)
        G = torch.empty(h.shape, dtype=HALF) if pending else None
        call(self.lib.add_norm_back, *h.shape, h, w, r, g, ginv, gh, gw, yinv, a, G)
        return G

    def layer_back(self, i, s, G, gh, batch, leave):
        config, layer, m = self.config, self.layers[i], len(gh)

        def norm_sum(part, n=config.embd):
            return self.add((i, part), n)

        self.add_product((i, "down"), G, s["q4"])
        g = G @ layer["down"]
        G = torch.empty_like(s["gu"])
        call(self.lib.glu_back, m, config.ff, s["gu"], s["inv3"], *layer["gu scales"],
             layer["mlp.ffn_sub_norm"], s["r4"], g, s["inv4"],
             norm_sum("mlp.ffn_sub_norm", config.ff), G)
        self.add_product((i, "gu"), G, s["q3"])
        G = self.norm_back(s["h3"], layer["post_attention_layernorm"], s["r3"], G @ layer["gu"],
                           s["inv3"], gh, norm_sum("post_attention_layernorm"), s["pending2"])
        self.add_product((i, "o"), G, s["q2"])
        ga = torch.empty_like(s["a"])
        call(self.lib.sub_norm_back, m, config.embd, s["a"], layer["self_attn.attn_sub_norm"],
             s["r2"], G @ layer["o"], s["inv2"], norm_sum("self_attn.attn_sub_norm"), ga)
        G = torch.empty_like(s["qkv"])
        call(self.lib.attention_back, batch, m // batch, config.heads, config.kv_heads, s["qkv"],
             s["inv1"], *layer["qkv scales"], self.table, ga, G)
        self.add_product((i, "qkv"), G, s["q1"])
        if leave:
            leave()
        return self.norm_back(s["h1"], layer["input_layernorm"], s["r1"], G @ layer["qkv"],
                              s["inv1"], gh, norm_sum("input_layernorm"), s["pending"])

    def losses(self, tokens, targets):
        """See model.Plain.losses."""
        flat, out = targets.flatten().contiguous(), []
        h, pending = self.embedded(tokens), None
        for layer in self.layers:
            _, h, pending = self.layer(layer, h, pending, len(tokens))
            out.append(self.head(self.normed(h, self.norm, pending, False)[1], flat, 0.0)[0])
        return torch.stack(out).view(-1, *targets.shape)


def main(folder):
    torch.set_num_threads(1)
    torch.manual_seed(1)
    config = model.Config(vocab=512, embd=256, layers=4, heads=4, ff=384, context=128)
    params = {k: p + 0.05 * torch.randn_like(p) for k, p in model.init(config, 1).items()}
    plain, fast = model.Plain(config, params), Fast(config, params, folder)
    tokens, targets = torch.randint(config.vocab, (2, 4, config.context))
    worst = 0.0
    for skip, early in (((), None), ((), (2, 2, 0.3)), ((2,), (2, 4, 0.3)), ((3,), (3, 1, 0.2))):
        for m in (plain, fast):
            m.load()
        a, b = (m.steps([(tokens, targets, 1.0, skip, early)])[0] for m in (plain, fast))
        print("losses", a, b)
        worst = max(worst, *(abs(x - y) for x, y in zip(a, b)))
        for k, g in plain.gradients().items():
            error = (g - fast.gradients()[k]).norm() / g.norm().clamp(min=1e-9)
            if error > 0.05:
                print(f"{k}: {error:.3f}")
            worst = max(worst, error.item())
    print((plain.losses(tokens, targets) - fast.losses(tokens, targets)).abs().max().item())
    print(f"worst {worst:.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
