"""The command `pyflare`: the jar, the settings, submitting a job, checking an installation, the caches."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Final

from pyflare import __version__, jar, session
from pyflare.config import cache_home

_CACHES: Final = ("jars", "kernels")
_SUBMIT_USAGE: Final = "pyflare submit [options of spark-submit] JOB [arguments of the job]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if given[:1] == ["submit"] and given[1:] not in (["--help"], ["-h"], []):
            return _submit(given[1:])
        parsed = _parser().parse_args(given)
        return int(parsed.run(parsed))
    except jar.JarError as error:
        print(f"pyflare: {error}", file=sys.stderr)
        return 1


def _jar(_: argparse.Namespace) -> int:
    print(jar.jar_path())
    return 0


def _conf(_: argparse.Namespace) -> int:
    for key, value in session.conf(session.defaults()).items():
        print(f"{key} {value}")
    return 0


def _submit(arguments: Sequence[str]) -> int:
    """Become `spark-submit`: signals, output and the exit status are its own. Returns only when that fails."""
    from pyflare.submit import with_pyflare

    command = str(jar.spark_home() / "bin" / "spark-submit")
    try:
        os.execv(command, [command, *with_pyflare(arguments)])
    except OSError as error:
        print(f"pyflare: cannot run {command}: {error.strerror}", file=sys.stderr)
        return 127


def _submit_help(_: argparse.Namespace) -> int:
    print(f"usage: {_SUBMIT_USAGE}")
    return 2


def _doctor(_: argparse.Namespace) -> int:
    from pyflare import doctor

    return 0 if doctor.run() else 1


def _cache(parsed: argparse.Namespace) -> int:
    for name in _CACHES:
        folder = cache_home() / name
        files = [path for path in folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{folder}: {len(files)} files, {size / 2**20:.1f} MiB{', removed' if parsed.action == 'clear' else ''}")
        if parsed.action == "clear":
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pyflare", description="Spark SQL in compiled Numba kernels.")
    parser.add_argument("--version", action="version", version=f"pyflare {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, "jar", _jar, "print the path of the jar for the installed Spark, building it when needed")
    _command(commands, "conf", _conf, "print the lines that load PyFlare from spark-defaults.conf")
    submit = _command(commands, "submit", _submit_help, "run spark-submit with PyFlare loaded")
    submit.usage = _SUBMIT_USAGE
    _command(commands, "doctor", _doctor, "check the installation and say what to do about each failure")
    cache = _command(commands, "cache", _cache, f"show or clear the compiled kernels and jars ({cache_home()})")
    cache.add_argument("action", choices=("show", "clear"), nargs="?", default="show")
    return parser


def _command(commands: Any, name: str, run: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    parser.set_defaults(run=run)
    return parser
