#!/usr/bin/env python3
"""prepare.py [--vocab N] --corpus FOLDER -o FOLDER: makes tokens of a corpus.

The corpus folder holds stories/*.txt, the training data, and valid.txt, which is never trained on.
The output is tokenizer.json and tokenizer_config.json in the format of Hugging Face's tokenizers (a
byte-level BPE with GPT-2's pre-tokeniser, <|endoftext|> as the last token), train.bin and valid.bin
(uint16 tokens; each book ends with <|endoftext|>) and data.json (sizes in tokens and bytes). The
vocabulary is learnt from the stories alone. The same files give the same bytes. Needs numpy. The
environment variable TRIT_CORPUS may name the folder instead of --corpus.
"""
import argparse
import collections
import heapq
import json
import os
import pathlib
import re
import sys

import numpy as np

END = "<|endoftext|>"
# GPT-2's pattern in the syntax of Python's re: letters are \w without digits and underscore.
WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_letters():
    """GPT-2's printable letter for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {b: chr(b) for b in plain}
    for i, b in enumerate(b for b in range(256) if b not in letters):
        letters[b] = chr(256 + i)
    return [letters[b] for b in range(256)]


def learn(counts, n_merges):
    """@return the merges, the most frequent pair first; of equal pairs the one with smaller ids"""
    words = [list(w.encode()) for w in counts]
    times = list(counts.values())
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for i, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += times[i]
            where[pair].add(i)
    heap = [(-n, pair) for pair, n in pairs.items()]
    heapq.heapify(heap)
    merges = []
    while len(merges) < n_merges:
        if not heap:
            sys.exit(f"prepare: after {len(merges)} merges each word of the stories is one token; "
                     f"--vocab must be at most {257 + len(merges)} for them")
        n, best = heapq.heappop(heap)
        if pairs[best] != -n:
            continue  # out of date: the heap also holds the pair with its new count
        new, changed = 256 + len(merges), set()
        merges.append(best)
        for i in where.pop(best):
            word, old = words[i], words[i]
            word = merge(old, best, new)
            for pair in zip(old, old[1:]):
                pairs[pair] -= times[i]
                changed.add(pair)
            for pair in zip(word, word[1:]):
                pairs[pair] += times[i]
                where[pair].add(i)
                changed.add(pair)
            words[i] = word
        for pair in changed:
            if pairs[pair] > 0:
                heapq.heappush(heap, (-pairs[pair], pair))
    return merges


def merge(word, pair, new):
    out, i = [], 0
    while i < len(word):
        if i + 1 < len(word) and word[i] == pair[0] and word[i + 1] == pair[1]:
            out.append(new)
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out


class Encoder:
    """Text to tokens; ids are the 256 bytes, then the merges in their order."""

    def __init__(self, merges):
        self.rank = {pair: 256 + i for i, pair in enumerate(merges)}
        self.known = {}

    def word(self, text):
        if text not in self.known:
            ids = list(text.encode())
            while len(ids) > 1:
                pair = min(zip(ids, ids[1:]), key=lambda p: self.rank.get(p, 1 << 30))
                if pair not in self.rank:
                    break
                ids = merge(ids, pair, self.rank[pair])
            self.known[text] = ids
        return self.known[text]

    def __call__(self, text):
        return [i for w in WORDS.findall(text) for i in self.word(w)]


def tokenizer_json(merges):
    names = byte_letters()
    for a, b in merges:
        names.append(names[a] + names[b])
    level = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": len(names), "content": END, "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True}],
        "normalizer": None,
        "pre_tokenizer": {**level, "add_prefix_space": False},
        "post_processor": {**level, "trim_offsets": False},
        "decoder": level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False,
                  "vocab": {name: i for i, name in enumerate([*names, END])},
                  "merges": [f"{names[a]} {names[b]}" for a, b in merges]},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--corpus", default=os.environ.get("TRIT_CORPUS"), metavar="FOLDER")
    parser.add_argument("--vocab", type=int, default=4096, metavar="N", help="tokens (4096)")
    parser.add_argument("-o", "--out", required=True, metavar="FOLDER")
    args = parser.parse_args()
    if not args.corpus:
        parser.error("no corpus: use --corpus FOLDER or set TRIT_CORPUS")
    if not 257 < args.vocab <= 65536:
        parser.error("--vocab must be 258 to 65536")
    corpus, out = pathlib.Path(args.corpus), pathlib.Path(args.out)
    books = sorted((corpus / "stories").glob("*.txt"))
    if not books:
        sys.exit(f"prepare: no stories/*.txt in {corpus}")
    out.mkdir(parents=True, exist_ok=True)

    texts = [book.read_bytes().decode() for book in books]
    counts = collections.Counter(w for text in texts for w in WORDS.findall(text))
    merges = learn(counts, args.vocab - 257)
    encode, end = Encoder(merges), args.vocab - 1
    train = np.array([i for text in texts for i in [*encode(text), end]], np.uint16)
    held = (corpus / "valid.txt").read_bytes()
    valid = np.array(encode(held.decode()), np.uint16)

    train.tofile(out / "train.bin")
    valid.tofile(out / "valid.bin")
    lengths = [1] * 256
    for a, b in merges:
        lengths.append(lengths[a] + lengths[b])
    data = {"vocab_size": args.vocab, "end": end, "books": len(books), "words": len(counts),
            "train_bytes": sum(len(t.encode()) for t in texts), "train_tokens": len(train),
            "valid_bytes": len(held), "valid_tokens": len(valid), "token_bytes": lengths + [0]}
    (out / "tokenizer.json").write_text(json.dumps(tokenizer_json(merges), ensure_ascii=False))
    (out / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "GPT2TokenizerFast", "bos_token": END, "eos_token": END,
         "add_bos_token": False}, indent=2))
    (out / "data.json").write_text(json.dumps(data))
    del data["token_bytes"]
    print(json.dumps(data))


if __name__ == "__main__":
    main()
