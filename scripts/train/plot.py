#!/usr/bin/env python3
"""plot.py [-o OUT.svg] LOG.jsonl...: draws the logs of train.py.

The picture shows bits per byte of the validation text over millions of tokens, with a line for each
number of layers and a thick one for the whole model, for all logs. Needs only Python's standard
library.
"""
import argparse
import json
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 440, 56, 110, 40, 46
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000"]


def curves(path):
    """@return for each number of layers, points (millions of tokens, bits per byte)"""
    per_step, points = None, []
    with open(path) as log:
        for line in map(json.loads, log):
            if "tokens" in line:
                per_step = line["tokens"] / line["step"]
            elif per_step:
                at = line["step"] * per_step / 1e6
                points.append([(at, bits) for bits in line["bits_per_byte"]])
    if not points:
        sys.exit(f"plot: no validation in {path}")
    return list(zip(*points))


def ticks(low, high, about=6):
    step = next(s * 10.0 ** e for e in range(-6, 9) for s in (1, 2, 5)
                if (high - low) / (s * 10.0 ** e) <= about)
    first = -(-low // step)
    return [k * step for k in range(int(first), int(high // step) + 1)]


def draw(runs):
    points = [p for run in runs for curve in run for p in curve]
    last = [y for run in runs for curve in run for _, y in curve[-1:]]
    x_end, low, high = max(x for x, _ in points), min(y for _, y in points), max(last) * 1.25
    low -= 0.02

    def x(v):
        return LEFT + v / x_end * (WIDTH - LEFT - RIGHT)

    def y(v):
        return TOP + (high - v) / (high - low) * (HEIGHT - TOP - BOTTOM)

    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           f'font-family="sans-serif" font-size="12" fill="#222222">')
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    yield f'<text x="{LEFT}" y="22" font-size="15">Bits per byte after each number of layers</text>'
    for v in ticks(low, high):
        yield f'<path d="M{LEFT},{y(v):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.4g}</text>'
    for v in ticks(0, x_end):
        yield f'<text x="{x(v):.1f}" y="{HEIGHT - 26}" text-anchor="middle">{v:g}</text>'
    yield (f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
           f'million tokens</text>')
    for run, colour in zip(runs, COLOURS * len(runs)):
        for k, curve in enumerate(run):
            whole = k + 1 == len(run)
            path = "L".join(f"{x(a):.1f},{y(b):.1f}" for a, b in curve if b <= high)
            if not path:
                continue
            yield (f'<path d="M{path}" fill="none" stroke="{colour}" '
                   f'stroke-width="{2.5 if whole else 1}" opacity="{1 if whole else 0.55}"/>')
            if whole or k == 0:
                a, b = curve[-1]
                yield (f'<text x="{x(a) + 6:.1f}" y="{y(b) + (12 if whole else -4):.1f}" '
                       f'fill="{colour}">{k + 1} layer{"s" * (k > 0)}: {b:.3f}</text>')
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--out", default="-", metavar="OUT.svg")
    parser.add_argument("logs", nargs="+", metavar="LOG.jsonl")
    args = parser.parse_args()
    picture = "\n".join(draw([curves(path) for path in args.logs])) + "\n"
    if args.out == "-":
        sys.stdout.write(picture)
    else:
        with open(args.out, "w") as file:
            file.write(picture)


if __name__ == "__main__":
    main()
