"""The block of bitnet-b1.58 in plain torch: what the fused pass of fast.py must equal.

A model is a dict of float32 tensors under the names of microsoft/bitnet-b1.58-2B-4T. Linears are
quantised as they are used: weights to -1, 0, 1 by their mean magnitude, activations to int8 by each
token's largest one; gradients pass straight through. Scales, norms and embeddings enter the forward
pass rounded to bf16, as a checkpoint stores them.
"""
import dataclasses
import math

import torch
import torch.nn.functional as F

EPS, THETA = 1e-5, 10000.0


@dataclasses.dataclass
class Config:
    vocab: int = 4096
    embd: int = 384
    layers: int = 8
    heads: int = 6
    kv_heads: int = 2
    ff: int = 768
    context: int = 256

    @property
    def head_dim(self):
        return self.embd // self.heads

    def linears(self):
        """Name in a layer, rows and columns of its seven linears."""
        d, kv, ff = self.embd, self.kv_heads * self.head_dim, self.ff
        return [("self_attn.q_proj", d, d), ("self_attn.k_proj", kv, d),
                ("self_attn.v_proj", kv, d), ("self_attn.o_proj", d, d),
                ("mlp.gate_proj", ff, d), ("mlp.up_proj", ff, d), ("mlp.down_proj", d, ff)]

    def norms(self):
        return [("input_layernorm", self.embd), ("self_attn.attn_sub_norm", self.embd),
                ("post_attention_layernorm", self.embd), ("mlp.ffn_sub_norm", self.ff)]

    def n_ternary(self):
        return self.layers * sum(rows * columns for _, rows, columns in self.linears())


def name(layer, part):
    return f"model.layers.{layer}.{part}.weight"


EMBED, NORM = "model.embed_tokens.weight", "model.norm.weight"


def init(config, seed):
    rng = torch.Generator().manual_seed(seed)
    params = {EMBED: torch.randn(config.vocab, config.embd, generator=rng) * 0.02}
    for i in range(config.layers):
        for part, n in config.norms():
            params[name(i, part)] = torch.ones(n)
        for part, rows, columns in config.linears():
            std = 0.02 / math.sqrt(2 * config.layers) if part[-6:] in ("o_proj", "n_proj") else 0.02
            params[name(i, part)] = torch.randn(rows, columns, generator=rng) * std
    params[NORM] = torch.ones(config.embd)
    return params


def bf16(x):
    """Rounded to bf16, the gradient passed on."""
    return x + (x.to(torch.bfloat16).float() - x).detach()


def ternary(w):
    """-1, 0, 1 and their scale."""
    scale = w.abs().mean().clamp(min=1e-5)
    return (w * (1 / scale)).round().clamp(-1, 1), scale.to(torch.bfloat16).float()


def linear(x, w):
    s = 127 / x.abs().amax(-1, keepdim=True).clamp(min=1e-5)
    x = x + ((x * s).round() / s - x).detach()
    t, scale = ternary(w.detach())
    return F.linear(x, w + (t * scale - w).detach())


def rmsnorm(x, w):
    return x * (x.square().mean(-1, keepdim=True) + EPS).rsqrt() * bf16(w)


def rotations(config, device="cpu"):
    """[context, head_dim]: cosines, then sines."""
    half = config.head_dim // 2
    inv = THETA ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(config.context, dtype=torch.float64)[:, None] * inv
    return torch.cat([angle.cos(), angle.sin()], 1).float().to(device)


def rope(x, table):
    half = x.shape[-1] // 2
    c, s = table[:x.shape[-2], :half], table[:x.shape[-2], half:]
    lo, hi = x[..., :half], x[..., half:]
    return torch.cat([lo * c - hi * s, lo * s + hi * c], -1)


def block(config, params, i, h, table):
    def w(part):
        return params[name(i, part)]

    def heads(x, n):
        return x.view(*x.shape[:2], n, config.head_dim).transpose(1, 2)

    n = rmsnorm(h, w("input_layernorm"))
    q = rope(heads(linear(n, w("self_attn.q_proj")), config.heads), table)
    k = rope(heads(linear(n, w("self_attn.k_proj")), config.kv_heads), table)
    v = heads(linear(n, w("self_attn.v_proj")), config.kv_heads)
    k, v = (x.repeat_interleave(config.heads // config.kv_heads, 1) for x in (k, v))
    if hasattr(F, "scaled_dot_product_attention"):
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    else:
        mask = torch.ones(h.shape[1], h.shape[1], dtype=torch.bool, device=h.device).triu(1)
        scores = (q @ k.transpose(2, 3)) * config.head_dim ** -0.5
        a = scores.masked_fill(mask, -math.inf).softmax(-1) @ v
    a = a.transpose(1, 2).reshape(h.shape)
    h = h + linear(rmsnorm(a, w("self_attn.attn_sub_norm")), w("self_attn.o_proj"))
    n = rmsnorm(h, w("post_attention_layernorm"))
    u = linear(n, w("mlp.gate_proj")).relu().square() * linear(n, w("mlp.up_proj"))
    return h + linear(rmsnorm(u, w("mlp.ffn_sub_norm")), w("mlp.down_proj"))


def logits(params, h):
    return F.linear(rmsnorm(h, params[NORM]), bf16(params[EMBED]))


class Plain:
    """Losses and gradients of a step by autograd, on a CPU or a GPU; fast.Fast is its like."""

    def __init__(self, config, params):
        self.config, self.params = config, params
        self.device = params[EMBED].device
        self.table = rotations(config, self.device)

    def load(self):
        """Takes over the weights of this step."""
        self.grads = {k: torch.zeros_like(p) for k, p in self.params.items()}

    def hidden(self, params, tokens, skip=()):
        """The input of each layer, then the last one's output."""
        h = F.embedding(tokens, bf16(params[EMBED]))
        yield h
        for i in range(self.config.layers):
            if i not in skip:
                h = block(self.config, params, i, h, self.table)
            yield h

    def step(self, tokens, targets, share, skip=(), early=None):
        """Adds the gradients of share * mean loss. early: (layers, rows, weight) adds weight times
        the mean loss after so many layers of the first rows. Gives both mean losses."""
        tokens, targets = tokens.to(self.device), targets.to(self.device)
        params = {k: p.detach().requires_grad_() for k, p in self.params.items()}
        kind = self.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind != "cpu"):
            states = list(self.hidden(params, tokens, skip))
            loss = self.loss(params, states[-1], targets)
            total, other = loss * share, loss.new_zeros(())
            if early:
                layers, rows, weight = early
                other = self.loss(params, states[layers][:rows], targets[:rows])
                total = total + other * (weight * share)
        for k, g in zip(params, torch.autograd.grad(total, list(params.values()),
                                                    allow_unused=True)):
            if g is not None:
                self.grads[k] += g
        return loss.item(), other.item()

    def steps(self, work):
        return [self.step(*arguments) for arguments in work]

    def loss(self, params, h, targets, reduction="mean"):
        scores = logits(params, h).flatten(0, 1).float()
        return F.cross_entropy(scores, targets.flatten(), reduction=reduction)

    def gradients(self):
        return self.grads

    @torch.no_grad()
    def losses(self, tokens, targets):
        """[layers, rows, context]: the loss after each number of layers."""
        tokens, targets = tokens.to(self.device), targets.to(self.device)
        return torch.stack([self.loss(self.params, h, targets, "none").view(targets.shape)
                            for h in list(self.hidden(self.params, tokens))[1:]]).cpu()
