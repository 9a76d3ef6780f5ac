#!/usr/bin/env python3
"""train.py --data FOLDER -o FOLDER [options]: trains a ternary model on the output of prepare.py.

The output folder gets checkpoint.pt (every few minutes, at the end, and on Ctrl-C or a time limit)
and log.jsonl: a line every few steps with the loss, the early exits' losses, learning rate and
speed, and lines with the validation loss after each number of layers. Started again with the same
output folder, it continues from the checkpoint as if it had not stopped: the random choices of a
step depend only on the seed and the number of the step, so the same options and number of threads
give the same model. It uses a GPU if there is one, with autograd (model.py), else the CPU, with
fast.py.
"""
import argparse
import json
import math
import os
import pathlib
import signal
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # each thread of fast.py takes a microbatch
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # the same sums in every run

import numpy as np
import torch

import fast
import model

SIZES = ("embd", "layers", "heads", "kv_heads", "ff", "context")


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])

    def add(name, default, text, **more):
        parser.add_argument(name, default=default, type=type(default), help=f"{text} ({default})",
                            **more)

    parser.add_argument("--data", required=True, metavar="FOLDER", help="the output of prepare.py")
    parser.add_argument("-o", "--out", required=True, metavar="FOLDER")
    for size in SIZES:
        add(f"--{size.replace('_', '-')}", getattr(model.Config, size), f"model: {size}")
    add("--tokens", 64.0, "length of the training, millions of tokens")
    add("--batch", 32, "sequences in a step")
    add("--micro", 8, "sequences in a microbatch")
    add("--optimiser", "muon", "for the linears; embeddings and norms always take AdamW",
        choices=("muon", "adamw"))
    add("--lr", 4e-3, "learning rate of the linears")
    add("--embed-lr", 2e-3, "learning rate of embeddings and norms")
    add("--schedule", "linear", "how the learning rate falls to zero",
        choices=("linear", "cosine"))
    add("--drop", 0.667, "the second half's learning rate is less by this factor")
    add("--warmup", 200, "steps in which the learning rate rises")
    add("--weight-decay", 0.1, "of the linears, in the first half; 0 in the second")
    add("--clip", 1.0, "largest norm of the gradients")
    add("--dropout", 0.0, "of embeddings and of what each layer adds; not by fast.py")
    add("--layer-dropout", 0.1, "of the last layer; falls off quadratically towards the first")
    add("--exit-weight", 0.3, "of early exits' losses, times the share of layers run")
    add("--exit-share", 0.25, "share of the sequences which take an early exit as well")
    add("--seed", 1, "of weights, order and dropout")
    add("--threads", os.cpu_count() or 1, "threads")
    add("--device", "cuda" if torch.cuda.is_available() else "cpu", "cpu or cuda")
    parser.add_argument("--plain", action="store_true", help="use model.py on a CPU too (slow)")
    add("--time-limit", 0.0, "minutes after which to save and stop; 0: none")
    add("--stop-at", 0, "step after which to save and stop; 0: at the end")
    add("--save-every", 4.0, "minutes between checkpoints")
    add("--valid-every", 200, "steps between validations")
    add("--valid-windows", 60, "windows of the validation text")
    return parser.parse_args()


# ---- Data ----------------------------------------------------------------------------------------

class Data:
    """Yields windows of context + 1 tokens; each epoch has a new order and a new offset."""

    def __init__(self, folder, context, seed):
        self.tokens = np.fromfile(folder / "train.bin", np.uint16)
        self.valid = np.fromfile(folder / "valid.bin", np.uint16).astype(np.int64)
        self.about = json.loads((folder / "data.json").read_text())
        self.context, self.seed, self.epoch = context, seed, -1
        self.per_epoch = (len(self.tokens) - context - 1) // context

    def window(self, k):
        epoch, k = divmod(k, self.per_epoch)
        if epoch != self.epoch:
            rng = np.random.default_rng((self.seed, 1, epoch))
            self.epoch, self.offset = epoch, int(rng.integers(self.context))
            self.order = rng.permutation(self.per_epoch)
        at = self.offset + int(self.order[k]) * self.context
        return self.tokens[at:at + self.context + 1]

    def batch(self, start, n):
        both = torch.from_numpy(np.stack([self.window(start + k) for k in range(n)])
                                .astype(np.int64))
        return both[:, :-1].contiguous(), both[:, 1:].contiguous()

    def validation(self, windows):
        """@return tokens and targets of consecutive windows, and the number of bytes scored"""
        n = min(windows, len(self.valid) // self.context)
        tokens = self.valid[:n * self.context].reshape(n, self.context)
        targets = np.concatenate([tokens[:, 1:], tokens[:, :1]], 1)  # the last token is not scored
        n_bytes = int(np.array(self.about["token_bytes"])[tokens[:, 1:]].sum())
        return torch.from_numpy(tokens), torch.from_numpy(targets), n_bytes


# ---- Optimiser -----------------------------------------------------------------------------------

def orthogonal(g):
    """About U V' of g = U S V', by five Newton-Schulz steps in bf16 (Jordan and others 2024); of
    each matrix, where g is several."""
    x = g.to(torch.bfloat16)
    wide = x.shape[-2] <= x.shape[-1]
    norm = g.square().sum((-2, -1), keepdim=True).sqrt() + 1e-7
    x = (x if wide else x.transpose(-2, -1)) / norm.to(torch.bfloat16)
    for _ in range(5):
        a = x @ x.transpose(-2, -1)
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return (x if wide else x.transpose(-2, -1)).float()


class Optimiser:
    """Muon for the linears (updates as large as AdamW's), AdamW for the rest, or for all."""

    def __init__(self, params, muon, together):
        self.params = params
        self.linears = {k for k, p in params.items() if p.dim() == 2 and k != model.EMBED}
        self.muon = self.linears if muon else set()
        self.state = {k: [torch.zeros_like(p) for _ in range(1 if k in self.muon else 2)]
                      for k, p in params.items()}
        # Parameters that are updated together: with Muon on a GPU, those of one shape.
        shapes = {}
        for k, p in params.items():
            shapes.setdefault(tuple(p.shape) if together and k in self.muon else k, []).append(k)
        self.groups = list(shapes.values())

    def update(self, group, grads, clip, step, lr, embed_lr, decay):
        for k in group:
            if k in self.linears:
                self.params[k].mul_(1 - lr * decay)
        if group[0] not in self.muon:
            for k in group:
                self.adamw(k, grads[k] * clip, step, lr if k in self.linears else embed_lr)
            return
        steps = []
        for k in group:
            g = grads[k] * clip
            steps.append(g.lerp(self.state[k][0].lerp_(g, 0.05), 0.95))
        for k, s in zip(group, orthogonal(torch.stack(steps))):
            self.params[k].add_(s, alpha=-lr * 0.2 * math.sqrt(max(s.shape)))

    def adamw(self, key, g, step, lr):
        m, v = self.state[key]
        m.lerp_(g, 0.1)
        v.mul_(0.95).addcmul_(g, g, value=0.05)
        spread = v.sqrt().div_(math.sqrt(1 - 0.95 ** (step + 1))).add_(1e-8)
        self.params[key].addcdiv_(m, spread, value=-lr / (1 - 0.9 ** (step + 1)))


def rate(x, schedule, drop):
    """@return the factor of the learning rate after the share x of the training"""
    fall = 1 - x if schedule == "linear" else 0.5 + 0.5 * math.cos(math.pi * x)
    return fall * (1 if x < 0.5 else drop)


# ---- Training ------------------------------------------------------------------------------------

class Training:
    def __init__(self, args):
        self.args, self.out = args, pathlib.Path(args.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.data = Data(pathlib.Path(args.data), args.context, args.seed)
        self.config = model.Config(vocab=self.data.about["vocab_size"],
                                   **{size: getattr(args, size) for size in SIZES})
        self.params = {k: p.to(args.device)
                       for k, p in model.init(self.config, args.seed).items()}
        self.optimiser = Optimiser(self.params, args.optimiser == "muon", args.device != "cpu")
        self.step, self.seconds, self.stopped = 0, 0.0, False
        self.n_steps = math.ceil(args.tokens * 1e6 / (args.batch * args.context))
        self.log_path, self.path = self.out / "log.jsonl", self.out / "checkpoint.pt"
        if self.path.exists():
            self.resume()
        else:
            self.log_path.write_text("")
        if args.device == "cpu" and not args.plain:
            torch.set_num_threads(1)
            self.model = fast.Fast(self.config, self.params, self.out, args.threads)
            self.map = self.model.pool.map
        else:
            torch.set_num_threads(args.threads)
            torch.use_deterministic_algorithms(True)
            self.model, self.map = model.Plain(self.config, self.params, args.dropout), map

    def resume(self):
        saved = torch.load(self.path, map_location=self.args.device)
        if saved["config"] != vars(self.config):
            sys.exit(f"train: {self.path} is of another size: {saved['config']}")
        for key, p in saved["params"].items():
            self.params[key].copy_(p)
        self.optimiser.state, self.step = saved["optimiser"], saved["step"]
        self.seconds = saved["seconds"]
        with open(self.log_path, "r+") as log:
            log.truncate(saved["log_size"])
        print(f"continuing after step {self.step}", flush=True)

    def save(self):
        fresh = self.path.with_suffix(".new")
        torch.save({"config": vars(self.config), "params": self.params,
                    "optimiser": self.optimiser.state, "step": self.step,
                    "seconds": self.seconds, "log_size": self.log_path.stat().st_size,
                    "options": vars(self.args)}, fresh)
        fresh.replace(self.path)

    def log(self, **line):
        with open(self.log_path, "a") as log:
            print(json.dumps(line), file=log)
        print(json.dumps(line), flush=True)

    def work(self):
        """@return the arguments of the microbatches of this step"""
        args, layers = self.args, self.config.layers
        n_micro = args.batch // args.micro
        rng = np.random.default_rng((args.seed, 2, self.step))
        rows = max(1, round(args.exit_share * args.micro))
        for k in range(n_micro):
            tokens, targets = self.data.batch(self.step * args.batch + k * args.micro, args.micro)
            skip = {i for i in range(layers)
                    if rng.random() < args.layer_dropout * (i / max(1, layers - 1)) ** 2}
            early = None
            if args.exit_weight > 0 and layers > 1:
                after = 1 + (self.step * n_micro + k) % (layers - 1)
                early = after, rows, args.exit_weight * after / layers
            yield tokens, targets, 1 / n_micro, skip, early

    def train_step(self):
        args, step = self.args, self.step
        torch.manual_seed(args.seed << 32 | step)
        self.model.load()
        work = list(self.work())
        losses = self.model.steps(work)
        grads = self.model.gradients()
        squares = self.map(lambda g: g.square().sum(), grads.values())
        norm = torch.stack(list(squares)).sum().sqrt().item()
        if not math.isfinite(norm):
            raise FloatingPointError(f"step {step}: the gradients are not finite")
        clip = min(1.0, args.clip / (norm + 1e-9))
        x = rate(step / self.n_steps, args.schedule, args.drop)
        x *= min(1.0, (step + 1) / args.warmup) if args.warmup else 1
        decay = args.weight_decay if 2 * step < self.n_steps else 0.0

        def update(group):
            self.optimiser.update(group, grads, clip, step, args.lr * x, args.embed_lr * x, decay)

        list(self.map(update, self.optimiser.groups))
        self.step += 1
        exits = {}
        for (*_, early), (_, loss) in zip(work, losses):
            if early:
                exits.setdefault(early[0], []).append(loss)
        return sum(loss for loss, _ in losses) / len(losses), exits, norm, args.lr * x

    def validate(self):
        tokens, targets, n_bytes = self.data.validation(self.args.valid_windows)
        self.model.load()
        parts = [slice(at, at + 4) for at in range(0, len(tokens), 4)]
        losses = torch.cat(list(self.map(
            lambda part: self.model.losses(tokens[part], targets[part]), parts)), 1)[:, :, :-1]
        nll = losses.double().mean((1, 2))
        bits = losses.double().sum((1, 2)) / math.log(2) / n_bytes
        self.log(step=self.step, valid=[round(x, 4) for x in nll.tolist()],
                 bits_per_byte=[round(x, 4) for x in bits.tolist()])

    def run(self):
        args, start, before = self.args, time.time(), self.seconds
        saved, mark, marked = start, start, self.step
        sums, exits = [], {}
        end = min(self.n_steps, args.stop_at or self.n_steps)
        while self.step < end and not self.stopped:
            loss, left, norm, lr = self.train_step()
            sums.append(loss)
            for key, values in left.items():
                exits.setdefault(key, []).extend(values)
            now = time.time()
            self.seconds = before + now - start
            if self.step % 10 == 0:
                speed = (self.step - marked) * args.batch * args.context / (now - mark)
                self.log(step=self.step, tokens=self.step * args.batch * args.context,
                         loss=round(sum(sums) / len(sums), 4),
                         exits={key: round(sum(v) / len(v), 4) for key, v in sorted(exits.items())},
                         lr=float(f"{lr:.4g}"), gradient=round(norm, 4),
                         tokens_per_second=round(speed), minutes=round(self.seconds / 60, 2))
                sums, exits, mark, marked = [], {}, now, self.step
            if self.step % args.valid_every == 0 or self.step == self.n_steps:
                self.validate()
            if args.time_limit and now - start > 60 * args.time_limit:
                self.stopped = True
            if now - saved > 60 * args.save_every:
                self.save()
                saved = now
        self.save()

    def stop(self, *_):
        self.stopped = True


def main():
    args = options()
    if args.batch % args.micro:
        sys.exit("train: --batch takes a multiple of --micro")
    if args.dropout and args.device == "cpu" and not args.plain:
        sys.exit("train: --dropout on a CPU takes --plain")
    training = Training(args)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, training.stop)
    print(f"{training.config}, {training.config.n_ternary()} ternary weights, "
          f"{training.n_steps} steps, {training.data.per_epoch} windows in an epoch", flush=True)
    training.run()


if __name__ == "__main__":
    main()
