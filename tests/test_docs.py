"""What a new user reads is what they then see."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from tallystick import registry
from tallystick.cli import app
from tallystick.evaluation.thresholds import WISHES
from tallystick.notify import Notify
from tallystick.rules import Rules
from tallystick.solutions.fraud.simulator.preset import PRESETS, Preset, read
from tallystick.solutions.fraud.simulator.simulate import simulate
from tallystick.streams.aggregates import Aggregates
from tallystick.windows import Windows
from tallystick.windows.groups import AGGREGATES, DEFAULTS

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    *(f"docs/{page}.md" for page in ("architecture", "benchmarks", "fraud", "solutions", "streams")),
)
TEXT = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
README, FRAUD = TEXT["README.md"], TEXT["docs/fraud.md"]


def test_the_reference_is_what_the_code_says() -> None:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "scripts" / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.PAGE.read_text(encoding="utf-8") == module.render(), "run scripts/make_reference.py"


PYTHON = [(page, code) for page in PAGES for code in re.findall(r"```python\n(.*?)```", TEXT[page], re.S)]


@pytest.mark.parametrize(("page", "code"), PYTHON)
def test_python_runs_and_prints_what_it_says(
    page: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(code, page, "exec"), {})
    assert capsys.readouterr().out.split() == re.findall(r"print\(.*\)  # (.*)", code)


def test_the_solution_that_is_shown_is_the_one_that_the_suite_runs() -> None:
    assert (ROOT / "tests/plugins/credit.py").read_text(encoding="utf-8") in TEXT["docs/solutions.md"]


def commands(page: str) -> list[str]:
    return re.findall(r"^(?:\$ )?(tallystick [a-z].*)$", TEXT[page], re.M)


@pytest.mark.parametrize("line", sorted({line for page in PAGES for line in commands(page)}))
def test_every_command_parses(line: str) -> None:
    verb, *rest = shlex.split(line, comments=True)[1:]
    command = get_command(app).commands[verb]  # type: ignore[attr-defined]
    command.make_context(verb, rest)


def test_the_readme_shows_the_verbs() -> None:
    shown = {shlex.split(line, comments=True)[1] for line in commands("README.md")}
    assert {"demo", "simulate", "validate", "train", "evaluate", "score"} <= shown
    assert {"features", "analyse"} <= {line.split()[1] for line in commands("docs/fraud.md")}


YAML = [yaml.safe_load(text) for page in PAGES for text in re.findall(r"```yaml\n(.*?)```", TEXT[page], re.S)]


def test_declarations_of_windows_are_read_and_give_the_features_that_the_page_names() -> None:
    roles = registry.solution("fraud").window_roles
    shown = [Windows.of(document, roles) for document in YAML if "features" in document]
    names = {name for windows in shown for name in windows.names}
    assert len(shown) == 2
    assert set(re.findall(r"`([a-z_+]+__[a-z_]+__\d+[smhdw]\w*)`", FRAUD)) <= names


def test_files_of_notifications_and_aggregates_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGAL_HOOK_SECRET", "a secret")
    (told,) = (document for document in YAML if "channels" in document)
    assert Notify.read(yaml.safe_dump(told)).rules
    (added,) = (document for document in YAML if "aggregates" in document)
    contract = registry.solution("fraud").contract
    for text in (
        yaml.safe_dump(added),
        *(path.read_text() for path in ROOT.glob("src/**/fraud/aggregates.yaml")),
    ):
        assert Aggregates.read(text, contract).schema


def test_the_rules_file_is_read() -> None:
    (rules,) = (document for document in YAML if "rules" in document and "channels" not in document)
    Rules.load(
        yaml.safe_dump(rules),
        known=["customer_id", "amount", "customer_id__count__5m"],
        actions=["accept", "review", "decline"],
    )


def test_the_preset_file_simulates(tmp_path: Path) -> None:
    (preset,) = (document for document in YAML if "like" in document)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(preset))
    assert sum(batch.num_rows for batch in simulate(50, preset=str(path))) == 50
    assert Preset.of(read(str(path))[1], "mine").days == preset["days"]


def test_the_page_on_fraud_names_all_that_there_is() -> None:
    fraud = registry.solution("fraud")
    learners = {
        name for name in registry.names("learners") if {"binary", "anomaly"} & registry.learner(name).targets
    }
    words: set[Any] = {"entity", "windows", "aggregates", "where", "delay", "suffix", "money", *DEFAULTS}
    preset = {name for name in Preset.__dataclass_fields__ if name != "about"}
    groups = {
        "aggregates": set(AGGREGATES),
        "words of windows": words,
        "learners": learners,
        "wishes": set(WISHES),
        "presets": set(PRESETS),
        "words of a preset": preset,
        "analyses": {analysis.name for analysis in fraud.analyses},
        "tasks": {task.name for task in fraud.tasks},
        "columns": {c.name for c in fraud.contract.columns if not re.match(r"v\d|pay.._balance", c.name)},
    }
    code = set(re.findall(r"[a-z_]+\w*", " ".join(re.findall(r"`[^`\n]+`", FRAUD))))
    for what, names in groups.items():
        assert names <= code, (what, names - code)


def test_every_dependency_has_its_reason() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    table = README[README.index("## Dependencies") : README.index("## Tests")]
    for requirement in project["dependencies"]:
        name = re.split(r"[><=; ]", requirement)[0]
        if name != "tzdata":  # time zones, which Windows lacks
            assert name in table, name


def headings(path: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", [*PAGES, "docs/reference.md"])
def test_links_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^):\s]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        assert not anchor or anchor in headings(there), target


def test_contributing_names_every_part() -> None:
    text = TEXT["CONTRIBUTING.md"]
    for part in (ROOT / "src" / "tallystick").iterdir():
        if not part.name.startswith("__") and part.suffix in ("", ".py"):
            assert re.search(rf"\b{part.stem}\b", text), part.stem
