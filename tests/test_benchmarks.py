"""Benchmarks and scripts use names that exist: they run rarely, so a renaming would break them unseen."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "scripts").glob("*.py")])


def missing_names(tree: ast.AST) -> list[str]:
    """Return what is imported from tallystick or from a module beside, and is not there."""
    beside = {one.stem: one for one in FILES}
    missing = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or node.module is None or node.level:
            continue
        if node.module.split(".")[0] == "tallystick":
            try:
                module = importlib.import_module(node.module)
            except ModuleNotFoundError:
                missing.append(node.module)
                continue
            for one in node.names:
                if not hasattr(module, one.name):
                    try:
                        importlib.import_module(f"{node.module}.{one.name}")
                    except ModuleNotFoundError:
                        missing.append(f"{node.module}.{one.name}")
        elif node.module in beside:
            words = set(beside[node.module].read_text().replace("(", " ").replace(":", " ").split())
            missing += [f"{node.module}.{one.name}" for one in node.names if one.name not in words]
    return missing


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_it_imports_is_there(path: Path) -> None:
    assert missing_names(ast.parse(path.read_text())) == []


def test_a_name_that_is_gone_is_found() -> None:
    tree = ast.parse("from tallystick.registry import nothing\nfrom tallystick.gone import x")
    assert missing_names(tree) == ["tallystick.registry.nothing", "tallystick.gone"]
