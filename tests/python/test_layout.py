"""The structs of _ffi.py have the layout of the header, and its functions are in the library."""

import ctypes
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from trit import _ffi

ROOT = Path(__file__).resolve().parents[2]


class Layout(unittest.TestCase):
    def test_structs(self):
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if not compiler:
            self.skipTest("no C compiler")
        lines = []
        for name, struct in _ffi.STRUCTS.items():
            lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
            for field, *_ in struct._fields_:
                lines.append(f'printf("{name}.{field} %zu %zu\\n", '
                             f'offsetof(struct {name}, {field}), '
                             f'sizeof(((struct {name} *)0)->{field}));')
        source = '#include <stdio.h>\n#include "trit.h"\nint main(void) {' + "\n".join(lines) + "}"
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "layout"
            subprocess.run([compiler, "-std=c11", f"-I{ROOT}/include", "-x", "c", "-", "-o",
                            str(program)], input=source, text=True, check=True)
            said = subprocess.run([str(program)], check=True, capture_output=True, text=True)
        expected = []
        for name, struct in _ffi.STRUCTS.items():
            expected.append(f"{name} {ctypes.sizeof(struct)}")
            for field, *_ in struct._fields_:
                at = getattr(struct, field)
                expected.append(f"{name}.{field} {at.offset} {at.size}")
        self.assertEqual(said.stdout.split("\n")[:-1], expected)

    def setUp(self):
        header = (ROOT / "include/trit.h").read_text()
        self.header = re.sub(r"/\*.*?\*/", "", header, flags=re.S)

    def test_no_field_is_missing(self):
        for name, struct in _ffi.STRUCTS.items():
            body = re.search(rf"struct {name} {{(.*?)\n}}", self.header, re.S).group(1)
            body = re.sub(r"\(\*(\w+)\)\([^)]*\)", r"\1", body)
            fields = re.findall(r"[*\s](\w+)(?:\[\d+\])?(?=[,;])", body)
            self.assertEqual(fields, [f[0] for f in struct._fields_], name)

    def test_functions_are_declared(self):
        for name, (_, arguments) in _ffi.FUNCTIONS.items():
            declared = re.search(rf"\b{name}\(([^;]*)\);", self.header, re.S)
            self.assertIsNotNone(declared, name)
            depth, n = 0, 0 if declared.group(1) == "void" else 1
            for char in declared.group(1):
                depth += (char == "(") - (char == ")")
                n += char == "," and depth == 0
            self.assertEqual(n, len(arguments), name)


if __name__ == "__main__":
    unittest.main()
