#!/usr/bin/env python3
"""check_plot.py SCRIPTS: tests the scripts that draw.

plot-exit.py and plot-bench.py draw each row of a table, draw-screen.py draws each line of a screen
as it was shown, and all of them refuse input that is not a table or a screen.
"""
import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from types import SimpleNamespace
from xml.etree import ElementTree

EXIT = """layers,tokens_per_s,speedup,of_predicted,ppl,agreement
1,400,2.5,1.25,103.5,0.43
2,200,1.25,1.05,54.2,0.66
3,160,1,1,41.03,1
"""
NO_TEXT = "layers,tokens_per_s,speedup,of_predicted,ppl,agreement\n1,160,1,1,,\n"
BENCH = """model_filename,model_type,isa,n_threads,test,avg_ts,stddev_ts,efficiency
"a/b.gguf","bitnet 2B, I2_S","avx2",1,"pp512",180,0,0.75
"a/b.gguf","bitnet 2B, I2_S","avx2",2,"pp512 @ d64",360,4,0.5
"a/b.gguf","bitnet 2B, I2_S","avx2",2,"tg128",41,2.5,1.025
"""
SCREEN = ("\x1b[1;32m$\x1b[0m <a> & b\n\x1b[38;5;196mred\n"
          "still\x1b[39m \x1b[7mx\x1b[m 漢字\x1b[1mn\n\n")
SVG = "{http://www.w3.org/2000/svg}"


def become(path, options, streams):
    """In a child process: run the script as the main program. Never returns."""
    code = 1
    try:
        for fd, stream in enumerate(streams):
            os.dup2(stream.fileno(), fd)
        sys.argv = [path, *options]
        runpy.run_path(path, run_name="__main__")
        code = 0
    except SystemExit as e:
        code = e.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def draw(script, text, *options):
    """Run the script in a fork of this process, which has loaded the modules that it needs:
    starting Python forty times would take most of the time."""
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, \
            tempfile.TemporaryFile() as stderr:
        stdin.write(text.encode())
        stdin.seek(0)
        pid = os.fork()
        if pid == 0:
            become(os.path.join(sys.argv[1], script), [*options, "-"], (stdin, stdout, stderr))
        status = os.waitpid(pid, 0)[1]
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        stdout.seek(0)
        stderr.seek(0)
        return SimpleNamespace(returncode=code, stdout=stdout.read(), stderr=stderr.read())


def starts(script):
    """As a program of its own, by its first line."""
    done = subprocess.run([os.path.join(sys.argv[1], script), "--help"], stdout=subprocess.PIPE,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 0 and done.stdout.decode().startswith(script), done


def drawn(script, text, *options):
    result = draw(script, text, *options)
    assert result.returncode == 0, result.stderr
    return ElementTree.fromstring(result.stdout)


def forms(table):
    """@return the same rows as CSV, JSON and JSON lines"""
    lines = table.replace("bitnet 2B, I2_S", "bitnet 2B; I2_S").splitlines()
    columns, rows = lines[0].split(","), []
    for row in lines[1:]:
        values = [value.replace(";", ",") if value[0] == '"' else value for value in row.split(",")]
        rows.append(dict(zip(columns, map(json.loads, values))))
    return table, json.dumps(rows), "\n".join(json.dumps(row) for row in rows)


def draws(script, table, check):
    pictures = []
    for text in forms(table):
        check(drawn(script, text, "--title", "<a> & \x01"))
        pictures.append(draw(script, text).stdout)
    assert pictures[0] == pictures[1] == pictures[2]


def refuses(script, cases):
    for text, found in cases:
        result = draw(script, text)
        error = result.stderr.decode()
        assert (result.returncode, result.stdout, error.count("\n")) == (3, b"", 1), result
        assert error.startswith(os.path.splitext(script)[0] + ": "), error
        assert found in error, (found, error)
    assert draw(script, "", "--colour").returncode == 2


def check_exit(root):
    for column in ("ppl", "speedup", "agreement"):
        points = root.findall(f"{SVG}g[@class='{column}']/{SVG}path[@class='point']")
        titles = [point.find(f"{SVG}title").text.split(":")[0] for point in points]
        assert titles == [f"standard input, layer {i}" for i in (1, 2, 3)], (column, titles)


def check_bench(root):
    """The length of each bar agrees with its title and with the ticks below."""
    expected = {"pp": [("pp512, 1 thread, avx2: 180.0 of 240.0", "75 %", 0),
                       ("pp512 @ d64, 2 threads, avx2: 360.0 of 720.0", "50 %", 1)],
                "tg": [("tg128, 2 threads, avx2: 41.0 of 40.0", "102 %", 1)]}
    for kind, rows in expected.items():
        group = root.find(f"{SVG}g[@class='{kind}']")
        scales = []
        for bar, (title, percent, deviations) in zip(group.findall(f"{SVG}g"), rows):
            found = bar.find(f"{SVG}title").text
            assert found == f"b.gguf (bitnet 2B, I2_S), {title} tokens/s", found
            texts = [text.text for text in bar.findall(f"{SVG}text")]
            numbers = title.split(": ")[1].split(" of ")
            assert texts == numbers + [percent], texts
            assert len(bar.findall(f"{SVG}path[@class='deviation']")) == deviations, found
            widths = [float(rect.get("width")) for rect in bar.findall(f"{SVG}rect")]
            scales += [float(x) / width for x, width in zip(numbers, widths)]
        assert len(group.findall(f"{SVG}g")) == len(rows), kind
        assert max(scales) < 1.01 * min(scales), scales


def check_screen():
    root = drawn("draw-screen.py", SCREEN)
    found = [(text.text, float(text.get("x")), float(text.get("y")), text.get("textLength"),
              text.get("fill"), text.get("font-weight"))
             for text in root.findall(f"{SVG}g/{SVG}text")]
    left, top = found[0][1:3]
    expected = [("$", 0, 0, 1, "#98c379", "bold"), ("<a> & b", 2, 0, 7, None, None),
                ("red", 0, 1, 3, "#ff0000", None), ("still", 0, 2, 5, "#ff0000", None),
                ("x", 6, 2, 1, "#1b1e24", None), ("漢字", 8, 2, 4, None, None),
                ("n", 12, 2, 1, None, "bold")]
    assert found == [(text, round(left + 8.4 * x, 1), top + 19 * y, f"{8.4 * columns:.1f}", *rest)
                     for text, x, y, columns, *rest in expected], found
    refuses("draw-screen.py", [("\n \n", "found nothing, expected the lines of")])


def main():
    sys.dont_write_bytecode = True
    sys.path.insert(0, sys.argv[1])
    import svg_plot  # loads the modules that the scripts share
    assert svg_plot
    for script in ("plot-exit.py", "plot-bench.py", "draw-screen.py"):
        starts(script)
    draws("plot-exit.py", EXIT, check_exit)
    refuses("plot-exit.py", [
        ("layers  tokens/s\n", "found 'layers tokens/s', expected the"),
        ("", "found nothing, expected the table"), ("[" * 9999, "found '[[["),
        ('[{"layers":1}]', "but no ppl"), (NO_TEXT, "without -f TEXT"),
        (EXIT.replace("0.66", "66"), "a number from 0 to 1"),
        (EXIT.replace("\n3", "\n2"), "found layers '2', expected a whole number greater than in")])
    draws("plot-bench.py", BENCH, check_bench)
    refuses("plot-bench.py", [
        ("threads  test\n", "found 'threads test', expected the table of trit bench"),
        ("", "found nothing, expected the table"), ("[" * 9999, "found '[[["),
        (EXIT, "expected the table of trit bench"), ('[{"layers":1}]', "but no test"),
        (BENCH.replace("pp512", "ppl", 1), "found test 'ppl', expected pp or tg and a number"),
        (BENCH.replace("0.75", ""), "found efficiency '', expected a number"),
        (BENCH.replace(",41,", ",nan,"), "expected a number from"),
        (BENCH.replace("b.gguf", "c.gguf", 1), "row 2: found model_filename 'a/b.gguf', expected")])
    check_screen()


main()
