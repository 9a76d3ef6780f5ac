"""The block of bitnet-b1.58 in plain torch, the reference for the fused pass of fast.py.

A model is a dict of float32 tensors under the names of microsoft/bitnet-b1.58-2B-4T. Linears are
quantised when they are used: weights to -1, 0, 1 by their mean magnitude, activations to int8 by
the largest magnitude of each token; gradients pass straight through. Scales, norms and embeddings
enter the forward pass rounded to bf16, as a checkpoint stores them.
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
        """Name, rows and columns of the seven linears of a layer."""
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
    """Rounds to bf16 and passes the gradient on."""
    return x + (x.to(torch.bfloat16).float() - x).detach()


def ternary(w):
    """@return the weights as -1, 0, 1, and their scale"""
    scale = w.abs().mean().clamp(min=1e-5)
    return (w * (1 / scale)).round().clamp(-1, 1), scale.to(torch.bfloat16).float()


def linear(x, w):
    """The product of the integers (exact in bf16 too), then the scales."""
    s = 127 / x.detach().abs().amax(-1, keepdim=True).clamp(min=1e-5)
    q = x * s
    q = q + (q.round() - q).detach()
    t, scale = ternary(w.detach())
    v = w / scale
    v = v + (t - v).detach()
    return F.linear(q, v) * (scale / s)


def rmsnorm(x, w):
    x = x.float()
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


def block(config, params, i, h, table, keep, dropout=0.0):
    """keep: [batch, 1, 1], 1 for the sequences that run this layer, 0 for the others; or just 1.
    dropout: applied to what the layer adds to h."""
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
    a = linear(rmsnorm(a, w("self_attn.attn_sub_norm")), w("self_attn.o_proj"))
    h = h + keep * F.dropout(a, dropout)
    n = rmsnorm(h, w("post_attention_layernorm"))
    u = linear(n, w("mlp.gate_proj")).relu().square() * linear(n, w("mlp.up_proj"))
    u = linear(rmsnorm(u, w("mlp.ffn_sub_norm")), w("mlp.down_proj"))
    return h + keep * F.dropout(u, dropout)


def logits(params, h):
    return F.linear(rmsnorm(h, params[NORM]), bf16(params[EMBED]))


class Plain:
    """Losses and gradients of a step by autograd, on a CPU or a GPU; see also fast.Fast."""

    def __init__(self, config, params, dropout=0.0):
        self.config, self.params, self.dropout = config, params, dropout
        self.device = params[EMBED].device
        self.table = rotations(config, self.device)
        self.loss_of = self.objective
        if self.device.type != "cpu":
            torch.backends.cuda.enable_cudnn_sdp(False)  # its sums differ from run to run
            self.loss_of = torch.compile(self.objective, dynamic=False)

    def load(self):
        """Takes the weights of this step; here they are quantised when they are used."""

    def on_device(self):
        kind = self.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=kind != "cpu")

    def hidden(self, params, tokens, keep, dropout=0.0):
        """The input of the first layer, then the output of each."""
        h = F.dropout(F.embedding(tokens, bf16(params[EMBED])), dropout)
        yield h
        for i in range(self.config.layers):
            h = block(self.config, params, i, h, self.table, keep[i], dropout)
            yield h

    def losses_of(self, params, h, targets):
        """The loss of each token."""
        scores = logits(params, h).flatten(0, -2).float()
        return F.cross_entropy(scores, targets.flatten(), reduction="none").view(targets.shape)

    def objective(self, params, tokens, targets, keep, share, leaves, exit_share):
        """@return the value to minimise, the loss of each sequence, and those of the early exits

        keep: [layers, batch, 1, 1]; share: [batch]. The batch consists of equal parts. The
        first sequences of a part exit early: leaves [layers - 1, parts, 1, 1, 1] is 1 at the layer
        of their exit; exit_share [parts, sequences]."""
        with self.on_device():
            states = list(self.hidden(params, tokens, keep, self.dropout))
            losses = self.losses_of(params, states[-1], targets).mean(-1)
            total, others = (losses * share).sum(), None
            if exit_share is not None:
                parts, rows = exit_share.shape

                def leaving(x):
                    return x.unflatten(0, (parts, -1))[:, :rows]

                h = sum(leaving(h) * leave for h, leave in zip(states[1:-1], leaves))
                others = self.losses_of(params, h, leaving(targets)).mean(-1)
                total = total + (others * exit_share).sum()
        return total, losses, others

    def steps(self, work):
        """Gradients of the sum over work's (tokens, targets, share, skip, early) of share * mean
        loss. skip: layers left out. early: (layers, rows, weight) adds weight times the mean loss
        of the first rows after that many layers. Returns both mean losses of each."""
        config, parts = self.config, len(work)
        tokens, targets = (torch.cat([w[k] for w in work]) for k in (0, 1))
        keep = torch.ones(config.layers, parts, len(tokens) // parts)
        share = torch.tensor([w[2] for w in work])[:, None] / keep.shape[2]
        leaves = exit_share = None
        if work[0][4]:
            leaves = torch.zeros(config.layers - 1, parts, 1, 1, 1)
            exit_share = torch.zeros(parts, work[0][4][1])
        for k, (_, _, part, skip, early) in enumerate(work):
            keep[sorted(skip), k] = 0
            if early:
                after, rows, weight = early
                leaves[after - 1, k] = 1
                exit_share[k] = part * weight / rows
        arguments = (tokens, targets, keep.view(config.layers, -1, 1, 1),
                     share.expand(keep.shape[1:]).flatten(), leaves, exit_share)
        params = {k: p.detach().requires_grad_() for k, p in self.params.items()}
        total, losses, others = self.loss_of(params, *(None if x is None else x.to(self.device)
                                                       for x in arguments))
        grads = torch.autograd.grad(total, list(params.values()))
        self.grads = dict(zip(params, grads))
        means = [x.detach().view(parts, -1).mean(1).tolist() if x is not None else [0.0] * parts
                 for x in (losses, others)]
        return list(zip(*means))

    def gradients(self):
        return self.grads

    @torch.no_grad()
    def losses(self, tokens, targets):
        """[layers, rows, context]: the loss after each number of layers."""
        tokens, targets = tokens.to(self.device), targets.to(self.device)
        with self.on_device():
            states = list(self.hidden(self.params, tokens, [1] * self.config.layers))[1:]
            return torch.stack([self.losses_of(self.params, h, targets) for h in states]).cpu()
