"""Make `.venv` with everything in it, from the lock file, and compile the kernels ahead.

Needs nothing but Python: `python scripts/setup.py`. Run again, it does only what is left to do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts" if os.name == "nt" else "bin") / "python"
WANTED = (3, 11)


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def run(*command: str | Path) -> None:
    """Run a command from the project's root; stop with its exit code when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def make_environment() -> None:
    """Make the virtual environment, with Debian's missing package installed where the user may."""
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0
    ):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    may = shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0
    if may:
        say(f"Installing {package}, which Debian leaves out of Python …")
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", package)
        shutil.rmtree(VENV, ignore_errors=True)
        run(*command)
        return
    sys.exit(f"Python's venv module does not work here. On Debian and Ubuntu: sudo apt-get install {package}")


def main() -> None:
    """Set up, doing nothing that is done."""
    if sys.version_info < WANTED:
        sys.exit(f"Tallystick needs Python 3.11 or later; this is {sys.version.split()[0]}.")
    make_environment()
    lock = ROOT / "requirements.lock"
    state = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    mark = VENV / ".installed"
    if not mark.exists() or mark.read_text() != state:
        say("Installing what requirements.lock names …")
        pip = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "--require-hashes", "-r", lock)
        run(*pip, "--no-deps", "--no-build-isolation", "--editable", ROOT)
        mark.write_text(state)
    # Where PYTHONDONTWRITEBYTECODE is set, as in many containers, each start would compile all of it again.
    run(PYTHON, "-m", "compileall", "-q", ROOT / "src")
    run(PYTHON, "-m", "tallystick.jobs.prepare")
    say("Set up. Next: make demo")


if __name__ == "__main__":
    main()
