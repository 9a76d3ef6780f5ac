#!/usr/bin/env python3
"""check_plot.py SCRIPT: scripts/plot-exit.py draws each layer of a table, and refuses others."""
import json
import subprocess
import sys
from xml.etree import ElementTree

CSV = """layers,tokens_per_s,speedup,of_predicted,ppl,agreement
1,400,2.5,1.25,103.5,0.43
2,200,1.25,1.05,54.2,0.66
3,160,1,1,41.03,1
"""
NO_TEXT = "layers,tokens_per_s,speedup,of_predicted,ppl,agreement\n1,160,1,1,,\n"
NAMES = CSV.splitlines()[0].split(",")
ROWS = [dict(zip(NAMES, map(float, row.split(",")))) for row in CSV.splitlines()[1:]]
LINES = "\n".join(json.dumps(row) for row in ROWS)
SVG = "{http://www.w3.org/2000/svg}"


def plot(text, *options):
    return subprocess.run([sys.executable, sys.argv[1], *options, "-"], input=text.encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def main():
    drawn = []
    for text in (CSV, json.dumps(ROWS), LINES):
        result = plot(text, "--title", "<a> & \x01")
        assert result.returncode == 0, result.stderr
        drawn.append(result.stdout)
        root = ElementTree.fromstring(result.stdout)
        for column in ("ppl", "speedup", "agreement"):
            points = root.findall(f"{SVG}g[@class='{column}']/{SVG}path[@class='point']")
            titles = [point.find(f"{SVG}title").text.split(":")[0] for point in points]
            assert titles == [f"standard input, layer {i}" for i in (1, 2, 3)], (column, titles)
    assert drawn[0] == drawn[1] == drawn[2]
    for text, code, found in (("layers  tokens/s\n", 3, "found 'layers tokens/s', expected the"),
                              ("", 3, "found nothing, expected the table"),
                              ("[" * 9999, 3, "found '[[["), ('[{"layers":1}]', 3, "none is ppl"),
                              (NO_TEXT, 3, "without -f TEXT"),
                              (CSV.replace("0.66", "66"), 3, "a number from 0 to 1"),
                              (CSV.replace("\n3", "\n2"), 3, "greater than in the row before")):
        result = plot(text)
        error = result.stderr.decode()
        assert (result.returncode, result.stdout, error.count("\n")) == (code, b"", 1), result
        assert error.startswith("plot-exit: ") and found in error, result
    assert plot(CSV, "--colour").returncode == 2


main()
