"""The jar that Spark loads: the one in the wheel when it fits the installed Spark, else one compiled on this machine.

Spark ships the Scala compiler, so that compiling needs nothing but Java.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyflare import __version__
from pyflare.config import cache_home

PACKAGE = Path(__file__).resolve().parent
# A fixed date (the first that a zip file can hold) makes equal sources give equal jars.
EPOCH = (1980, 1, 1, 0, 0, 0)
MANIFEST = f"Manifest-Version: 1.0\r\nImplementation-Title: pyflare\r\nImplementation-Version: {__version__}\r\n\r\n"
COMPILER_FLAGS = ("-usejavacp", "-deprecation", "-feature", "-unchecked", "-Xlint:_", "-Wunused:_", "-release", "17")


class JarError(RuntimeError):
    """The jar is neither there nor can it be made."""


@dataclass(frozen=True)
class Spark:
    """An installed Spark: where its jars are, its version and its Scala's binary version."""

    jars: Path
    version: str
    scala: str

    @property
    def jar_name(self) -> str:
        minor = ".".join(self.version.split(".")[:2])
        return f"pyflare-shim_spark-{minor}_{self.scala}.jar"


def jar_path() -> Path:
    """The shim's jar for the installed Spark."""
    spark = installed_spark()
    packaged = PACKAGE / "jars" / spark.jar_name
    return packaged if packaged.exists() else cached(spark)


def installed_spark() -> Spark:
    """The Spark at SPARK_HOME, else the one that comes with PySpark."""
    jars = spark_home() / "jars"
    core = sorted(jars.glob("spark-core_*.jar"))
    match = re.fullmatch(r"spark-core_([\d.]+)-(.+)\.jar", core[0].name) if core else None
    if match is None:
        raise JarError(f"no Spark in {jars}: there is no spark-core jar")
    return Spark(jars, version=match[2], scala=match[1])


def spark_home() -> Path:
    """Where Spark is installed."""
    home = os.environ.get("SPARK_HOME")
    if home:
        return Path(home)
    try:
        import pyspark
    except ImportError as error:
        raise JarError("there is no SPARK_HOME and pyspark is not installed") from error
    return Path(pyspark.__file__).parent


def sources() -> dict[str, bytes]:
    """The Scala files by relative path, in a checkout (jvm-shim beside the package) or in a wheel (inside it)."""
    for root in (PACKAGE / "jvm-shim", PACKAGE.parent / "jvm-shim"):
        files = sorted(root.glob("src/main/scala/**/*.scala"))
        if files:
            return {str(f.relative_to(root)): f.read_bytes() for f in files}
    raise JarError("the shim's Scala sources are missing from this installation")


def cached(spark: Spark) -> Path:
    """The jar in the user's cache, compiled when it is not there yet."""
    files = sources()
    folder = cache_folder() / f"spark-{spark.version}_{spark.scala}-{digest(files)}"
    jar = folder / spark.jar_name
    if jar.exists():
        return jar
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        if not jar.exists():
            build(spark, files, jar)
    return jar


def cache_folder() -> Path:
    """Our part of the user's cache."""
    return cache_home() / "jars"


def digest(files: dict[str, bytes]) -> str:
    """A short name for the content of the sources and the version that goes into the jar."""
    content = hashlib.sha256(__version__.encode())
    for name, text in sorted(files.items()):
        content.update(f"{name}\0{len(text)}\0".encode())
        content.update(text)
    return content.hexdigest()[:16]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time build."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(spark: Spark, files: dict[str, bytes], jar: Path) -> None:
    """Compile the sources and put the classes into `jar`, which appears whole or not at all."""
    with tempfile.TemporaryDirectory(dir=jar.parent) as folder:
        work = Path(folder)
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(text)
        classes = work / "classes"
        classes.mkdir()
        compile_scala(spark, [work / name for name in files], classes)
        pack(classes, work / jar.name)
        (work / jar.name).replace(jar)


def compile_scala(spark: Spark, files: list[Path], classes: Path) -> None:
    """Run the Scala compiler that Spark ships; its warnings go to standard error."""
    command = [java(), "-Xss4m", "-cp", f"{spark.jars}/*", "scala.tools.nsc.Main", *COMPILER_FLAGS, "-d", str(classes)]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    if done.returncode != 0:
        raise JarError(f"the shim does not compile against Spark {spark.version}:\n{output}")
    if output.strip():
        sys.stderr.write(output)


def java() -> str:
    """The Java that Spark would use."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise JarError("no Java: install Java 17 or set JAVA_HOME (Spark needs it, too)")
    return found


def pack(classes: Path, jar: Path) -> None:
    """Put a folder of classes into a jar that says our version."""
    files = sorted(f for f in classes.rglob("*") if f.is_file())
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        add(archive, "META-INF/MANIFEST.MF", MANIFEST.encode())
        for file in files:
            add(archive, str(file.relative_to(classes)), file.read_bytes())


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Put one file into a jar."""
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
