"""Rules of the project that a tool can hold."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tallystick

SOURCE = Path(tallystick.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = ("polars", "narwhals", "sklearn", "scipy", "numba", "pyarrow", "pandas", "plotly", "pyspark")
HEAVY += ("sqlalchemy", "alembic", "psycopg", "confluent_kafka", "prometheus_client")


def test_there_is_source_to_look_at() -> None:
    assert len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_no_source_file_is_over_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize(
    "code",
    ["import tallystick", "import tallystick.cli", "from tallystick.app import run; run(['--help'])"],
)
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    check = f"{code}\nimport sys\nprint([m for m in {HEAVY} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


PACKAGES = [m.name for m in pkgutil.iter_modules([str(SOURCE)]) if m.ispkg]


@pytest.mark.parametrize("name", ["", *PACKAGES])
def test_doors_are_sorted_and_true(name: str) -> None:
    module = importlib.import_module(f"tallystick.{name}" if name else "tallystick")
    names = list(module.__all__)
    # Constants, classes, functions: the order that the linter keeps.
    assert names == sorted(names, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    for one in names:
        assert getattr(module, one) is not None


def test_nothing_is_pickled_or_evaluated() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
                assert not {"pickle", "joblib", "shelve", "marshal", "dill"} & set(names), path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec"), path


def test_only_engines_use_the_query_verbs_of_polars() -> None:
    allowed = {"engines", "connectors"}
    for path in FILES:
        if path.relative_to(SOURCE).parts[0] not in allowed:
            assert "import polars" not in path.read_text(encoding="utf-8"), path


def test_the_version_is_the_same_everywhere() -> None:
    import tomllib

    root = SOURCE.parents[1]
    if not (root / "pyproject.toml").is_file():
        pytest.skip("not run from a checkout")
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["version"] == tallystick.__version__
    assert f"## {tallystick.__version__}" in (root / "CHANGELOG.md").read_text()
