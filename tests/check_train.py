#!/usr/bin/env python3
"""check_train.py TRIT: tests scripts/train from a corpus to a model, on a tiny scale.

The corpus is made up. The tests: a training in two pieces equals one in a single run; fast.py
gives the results of model.py, and keeps nothing of past steps; trit computes the same losses of the
exported model, after each layer, as the trainer. No GPU is needed. The exit code is 77 (skipped) if
neither this Python nor the system's has PyTorch and numpy.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

TRAIN = pathlib.Path(__file__).resolve().parent.parent / "scripts/train"
SIZES = ("--embd 128 --heads 2 --kv-heads 1 --ff 192 --layers 3 --context 64 --batch 8 --micro 4 "
         "--tokens 0.02 --valid-every 20 --valid-windows 12 --warmup 10 --threads 2 --device cpu")
N_STEPS = 40  # 0.02 M tokens in steps of 8 * 64


def find_torch():
    """Restarts with the system's Python if this one lacks PyTorch or numpy."""
    try:
        import numpy
        import torch
        return numpy and torch
    except ImportError:
        system = "/usr/bin/python3"
        if os.path.exists(system) and os.path.realpath(system) != os.path.realpath(sys.executable):
            os.execv(system, [system, *sys.argv])
        print("skipped: no PyTorch or no numpy (Debian: python3-torch python3-numpy)")
        sys.exit(77)


def run(*command, code=0):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == code, (command, done.stdout[-2000:])
    return done.stdout


def script(name, *options):
    return run(sys.executable, TRAIN / name, *options)


def write_corpus(folder):
    """Sentences that a small model can learn something from."""
    rng = random.Random(1)
    who = ["the fox", "a king", "the old woman", "a miller", "the crow"]
    what = ["said to", "went with", "looked for", "was afraid of"]

    def text(n):
        return " ".join(f"{rng.choice(who)} {rng.choice(what)} {rng.choice(who)}."
                        for _ in range(n)) + "\n\n"

    (folder / "stories").mkdir(parents=True)
    for k in range(3):
        (folder / f"stories/book{k}.txt").write_text("".join(text(20) for _ in range(40)))
    (folder / "valid.txt").write_text("".join(text(20) for _ in range(8)))
    (folder / "tinystories").mkdir()
    (folder / "tinystories/valid_head.txt").write_text(text(60) + "<|endoftext|>\n" + text(60))


def lines(folder):
    """The log without times."""
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("tokens_per_second", "minutes")}
            for line in log]


def check_pieces(dir, train):
    """@return the last line of the log, a validation"""
    import torch

    script("train.py", *train, "-o", dir / "once")
    script("train.py", *train, "-o", dir / "pieces", "--stop-at", 17)
    assert "continuing after step 17" in script("train.py", *train, "-o", dir / "pieces")
    once, pieces = (torch.load(dir / d / "checkpoint.pt") for d in ("once", "pieces"))
    assert once["step"] == pieces["step"] == N_STEPS
    for key, p in once["params"].items():
        assert torch.equal(p, pieces["params"][key]), key
    log = lines(dir / "once")
    # A piece that ends within ten steps logs the mean of fewer steps.
    assert [x for x in log if "valid" in x] == [x for x in lines(dir / "pieces") if "valid" in x]
    assert log[-1]["step"] == N_STEPS and log[-1]["valid"][-1] < log[0]["loss"] - 1, log[-1]
    return log[-1]


def check_plain(dir, train, last):
    script("train.py", *train, "-o", dir / "plain", "--plain", "--stop-at", 20)
    there = [x for x in lines(dir / "once") if x["step"] == 20 and "valid" in x][0]
    here = [x for x in lines(dir / "plain") if "valid" in x][0]
    worst = max(abs(a - b) for a, b in zip(here["valid"], there["valid"]))
    assert worst < 0.05, (here, there)
    log = lines(dir / "plain")
    assert log[0]["exits"].keys() == {"1", "2"}, log[0]


def check_workers(dir):
    import fast
    import model

    config = model.Config(vocab=64, embd=64, layers=1, heads=1, kv_heads=1, ff=64, context=64)
    trainer = fast.Fast(config, model.init(config, 1), dir, 2)
    for _ in range(2):
        trainer.load()
    assert all(worker.workers is None for worker in trainer.workers)


def bits_of(trit, model, corpus, layers):
    out = run(trit, "perplexity", "-m", model, "-f", corpus / "valid.txt", "-c", 64, "--chunks", 12,
              "--exit-layer", layers, "--json", "-q")
    return json.loads(out)["bits_per_byte"]


def check_export(trit, dir, corpus, data, last):
    for options in (["--packed"], []):
        script("export.py", "--data", data, *options, dir / "once/checkpoint.pt", dir / "hf")
        run(trit, "convert", dir / "hf", "-o", dir / "model.gguf", "-q")
        for layers, wanted in enumerate(last["bits_per_byte"], 1):
            found = bits_of(trit, dir / "model.gguf", corpus, layers)
            assert abs(found - wanted) < 0.01 * wanted, (options, layers, found, wanted)
    table = run(TRAIN / "evaluate.sh", dir / "model.gguf", corpus, trit, 64, 12).splitlines()
    assert [row.split(" | ")[0] for row in table] == ["| layers", "|---|---|---|---|---|",
                                                      "| 1", "| 2", "| 3"], table
    wanted = bits_of(trit, dir / "model.gguf", corpus, 3)
    assert f"{wanted:.4f}" in table[-1], (wanted, table)


def main():
    find_torch()
    sys.path.insert(0, str(TRAIN))
    trit = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        dir = pathlib.Path(name)
        corpus, data = dir / "corpus", dir / "data"
        write_corpus(corpus)
        prepare = [sys.executable, TRAIN / "prepare.py", "--corpus", corpus, "-o", data]
        assert "--vocab must be at most" in run(*prepare, code=1)
        about = json.loads(run(*prepare, "--vocab", 290))
        assert about["books"] == 3 and about["vocab_size"] == 290, about
        text = corpus / "valid.txt"
        train = ["--data", data, *SIZES.split()]
        last = check_pieces(dir, train)
        check_plain(dir, train, last)
        check_workers(dir)
        check_export(trit, dir, corpus, data, last)
        svg = dir / "log.svg"
        script("plot.py", "-o", svg, dir / "once/log.jsonl")
        assert svg.read_text().startswith("<svg")
        assert text.stat().st_size == about["valid_bytes"]


main()
