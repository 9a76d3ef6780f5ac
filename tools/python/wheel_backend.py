"""Makes the wheel of trit: the package and the shared library. A build backend (PEP 517) without
dependencies; scripts/make-wheel.sh runs it, and so does `pip install tools/python`.

The library is TRIT_LIBRARY if that is set, otherwise CMake builds one. The wheel's tag says which
glibc it needs: that of the newest symbol in the library."""

import base64
import hashlib
import os
import platform
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def version() -> str:
    header = (ROOT / "include/trit.h").read_text()
    return ".".join(re.findall(r"^#define TRIT_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header, re.M))


def build_library(folder: str) -> Path:
    subprocess.run(["cmake", "-S", str(ROOT), "-B", folder, "-DTRIT_PROGRAM=OFF",
                    "-DTRIT_INSTALL=OFF", "-DCMAKE_BUILD_TYPE=Release"], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", folder, "--parallel", "--target", "trit_shared"],
                   check=True, stdout=subprocess.DEVNULL)
    return next(p for p in (Path(folder) / n for n in ("libtrit.so", "libtrit.dylib"))
                if p.exists())


def newest_glibc(library: Path) -> int:
    """NN of the newest GLIBC_2.NN that the library needs; 0 if it needs none."""
    symbols = subprocess.run(["objdump", "-T", str(library)], check=True, capture_output=True,
                             text=True).stdout
    return max((int(n) for n in re.findall(r"GLIBC_2\.(\d+)", symbols)), default=0)


def tag(library: Path) -> str:
    if platform.libc_ver()[0] != "glibc":
        return sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"manylinux_2_{newest_glibc(library)}_{platform.machine()}"


def _write(folder: str, library: Path) -> str:
    name = f"trit-{version()}"
    full_tag = f"py3-none-{tag(library)}"
    info = f"{name}.dist-info"
    files = {f"trit/{p.name}": p.read_bytes() for p in sorted((HERE / "trit").glob("*.py"))}
    name_inside = "libtrit.dylib" if library.suffix == ".dylib" else "libtrit.so"
    files[f"trit/{name_inside}"] = library.read_bytes()
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: trit\nVersion: {version()}\n"
        "Summary: Run ternary (BitNet b1.58) language models on ordinary CPUs\n"
        "Requires-Python: >=3.8\nDescription-Content-Type: text/markdown\n\n"
        f"{(HERE / 'README.md').read_text()}").encode()
    files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: trit\nRoot-Is-Purelib: false\n"
                              f"Tag: {full_tag}\n").encode()
    record = "".join(
        "{},sha256={},{}\n".format(
            path, base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode(),
            len(data)) for path, data in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = f"{name}-{full_tag}.whl"
    with zipfile.ZipFile(Path(folder) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None) -> str:
    if os.environ.get("TRIT_LIBRARY"):
        return _write(wheel_directory, Path(os.environ["TRIT_LIBRARY"]))
    with tempfile.TemporaryDirectory() as folder:
        return _write(wheel_directory, build_library(folder))


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    print(Path(sys.argv[1]) / build_wheel(sys.argv[1]))
