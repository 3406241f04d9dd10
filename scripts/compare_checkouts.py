"""Compare what two checkouts decide, record by record, on the same data, settings and seed.

    python scripts/compare_checkouts.py OLD NEW [--full] [--keep DIR] [--deliberate NAME,…] [--json FILE]

Runs the command line of each checkout: public complaints, public card payments, simulated data with broken
records, and streams. Exits with 1 on a difference that --deliberate does not accept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl
from compare_outputs import COMPARE, Check, Checks, compare_reports

# Kinds of change that --deliberate can accept.
DELIBERATE = {
    "anomaly-label": "the label of an anomaly is null",
    "class-words": "a reason of a class has words",
    "model-id": "a bundle has another fingerprint",
    "new-figures": "a report has figures that it had not",
    "wording": "notes, titles and messages read differently",
}
RULES = """\
lists:
  trusted: [C0000001, C0000002, C0000003]
rules:
  - {name: trusted, when: customer_id in trusted and 0 < amount < 100, action: accept, reason: "trusted"}
  - {name: very high, when: amount > 300, action: decline, reason: "amount {amount:,.2f} is above 300"}
  - {name: high, when: amount > 150, action: review, reason: "amount {amount:,.2f} is above 150"}
  - {name: burst, when: customer_id__count__1d >= 6, action: review, reason: "burst of {customer_id}"}
"""


@dataclass(frozen=True)
class Size:
    """How many records each part takes; one of `customers` customers is kept."""

    letters: int
    silent: int
    customers: int
    payments: int
    complaints: int
    fraud_splits: tuple[str, ...]


QUICK = Size(350, 250, 30, 12_000, 400, ())
FULL = Size(1_000_000, 1_000_000, 1, 60_000, 4_000, ("time", "handbook", "prequential"))


@dataclass(frozen=True)
class Step:
    """One command; each output is compared with the function of its kind."""

    name: str
    words: str
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """The first word of the name: steps of one part run in order."""
        return self.name.split(".")[0]


def steps(size: Size) -> Iterator[Step]:
    """All commands; `@` stands for the folder of inputs."""
    bad = {"quarantine.parquet": "quarantine"}
    decided = {"decisions.parquet": "decisions", **bad}
    table = {"table.parquet": "table"}
    to_table, to_decisions = "--output {out}/table.parquet", "--output {out}/decisions.parquet"
    quarantine = "--quarantine {out}/quarantine.parquet"
    splits = ("random", "stratified", "grouped", "time")
    for name, file in (("cfpb", "@/cfpb.parquet"), ("letters", "@/complaints.csv")):
        model = f"--model {name}.model"
        yield Step(f"{name}.validate", f"validate complaints {file} {to_table} {quarantine}", table | bad)
        yield Step(f"{name}.train", f"train complaints {file} {model} {quarantine}", bad)
        yield Step(f"{name}.evaluate", f"evaluate complaints {file} {model} {quarantine}", bad)
        for split in splits if name == "cfpb" else ("time",):
            yield Step(f"{name}.evaluate.{split}", f"evaluate complaints {file} {model} --split {split}")
        words = f"score complaints {file} {model} --all-scores {to_decisions} {quarantine}"
        yield Step(f"{name}.score", words, decided)
    words = "stream complaints --source @/complaints.csv --model letters.model --all-scores"
    yield stream("letters.stream", words)

    both = "--task fraud --task anomaly"
    month = "fraud @/month.parquet --history @/past.parquet"
    yield Step("cards.train", f"train {month} --until 2018-06-20 --model cards.model {both}")
    for task in ("fraud", "anomaly"):
        words = f"evaluate {month} --from 2018-06-22 --model cards.model --task {task}"
        yield Step(f"cards.evaluate.{task}", words)
    for split in size.fraud_splits:
        words = f"evaluate {month} --model cards.model --task fraud --split {split}"
        yield Step(f"cards.evaluate.{split}", words)
    yield Step(
        "cards.score", f"score {month} --model cards.model {both} {to_decisions} {quarantine}", decided
    )
    yield Step("cards.features", f"features {month} {to_table}", table)

    model = f"--model payments.model {both}"
    yield Step("payments.train", f"train fraud @/early.parquet --labels @/labels.csv {model}")
    late = f"fraud @/late.csv --history @/early.parquet --labels @/labels.csv {model} --rules @/rules.yaml"
    yield Step("payments.evaluate", f"evaluate {late}")
    yield Step("payments.score", f"score {late} {to_decisions} {quarantine}", decided)
    hostile = f"fraud @/hostile.csv {quarantine}"
    yield Step("payments.validate", f"validate {hostile} {to_table}", table | bad)
    yield Step("payments.features", f"features {hostile} {to_table}", table | bad)
    yield Step("payments.strict", f"score fraud @/hostile.csv {model} --strict {to_decisions}")
    yield Step("payments.hostile", f"score {hostile} {model} --rules @/rules.yaml {to_decisions}", decided)
    history = "--history @/early.parquet --rules @/rules.yaml"
    yield stream("payments.stream", f"stream fraud --source @/late.csv {history} {model}")
    yield stream("payments.stream.hostile", f"stream fraud --source @/hostile.csv {model}")


def stream(name: str, words: str) -> Step:
    """Replay a file to a JSONL sink until idle."""
    where = (
        "--sink {out}/decisions.jsonl --quarantine {out}/quarantine.jsonl --state sqlite:///{out}/state.db"
    )
    outputs = {"decisions.jsonl": "decisions", "quarantine.jsonl": "quarantine"}
    return Step(name, f"{words} {where} --until-idle", outputs)


def command(python: str, checkout: Path, words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a checkout's command line in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "NO_COLOR": "1"}
    line = [python, "-m", "tallystick", *words.split(), "--as-of", "2026-06-01"]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def run_side(python: str, checkout: Path, folder: Path, plan: list[Step], workers: int) -> None:
    """Run every step in a fresh folder; keep stdout, stderr and the exit status of each."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    parts: dict[str, list[Step]] = {}
    for step in plan:
        parts.setdefault(step.part, []).append(step)

    def run_part(part: list[Step]) -> None:
        for step in part:
            out = folder / step.name
            out.mkdir()
            words = step.words.replace("@", "../inputs").replace("{out}", step.name)
            start = time.monotonic()
            done = command(python, checkout, f"{words} --json --set threads=1 --set seed=7", folder)
            print(f"  {checkout}  {step.name}  {time.monotonic() - start:.1f} s", file=sys.stderr)
            (out / "report.json").write_text(done.stdout, encoding="utf-8")
            (out / "errors.txt").write_text(done.stderr, encoding="utf-8")
            (out / "status").write_text(str(done.returncode), encoding="utf-8")

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(run_part, parts.values()))


def failures(folder: Path, plan: list[Step]) -> str:
    """Give the errors of the steps that failed, except where bad rows must be refused."""
    return "\n".join(
        f"{step.name}: {(folder / step.name / 'errors.txt').read_text(encoding='utf-8')}"
        for step in plan
        if (folder / step.name / "status").read_text() != "0" and "--strict" not in step.words
    )


def make_inputs(python: str, checkout: Path, data: Path, folder: Path, size: Size) -> None:
    """Cut the public data and simulate the rest with the old checkout."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    complaints = pl.read_parquet(data / "complaints" / "cfpb.parquet").with_row_index("place")
    text = pl.col("Consumer complaint narrative").is_not_null()
    kept = [
        rows.sample(min(number, len(rows)), seed=1)
        for rows, number in (
            (complaints.filter(text), size.letters),
            (complaints.filter(~text), size.silent),
        )
    ]
    pl.concat(kept).sort("place").drop("place").write_parquet(folder / "cfpb.parquet")
    cards = pl.scan_parquet(data / "fraud" / "handbook.parquet")
    cards = cards.filter(pl.col("CUSTOMER_ID") % size.customers == 0)
    when, june, july = pl.col("TX_DATETIME"), datetime(2018, 6, 1), datetime(2018, 7, 1)
    cards.filter(when < june).collect().write_parquet(folder / "past.parquet")
    cards.filter((when >= june) & (when < july)).collect().write_parquet(folder / "month.parquet")
    for words in (
        f"complaints --rows {size.complaints} --preset hostile --output complaints.csv",
        f"fraud --rows {size.payments} --output payments.parquet",
        f"fraud --rows {size.payments // 4} --preset hostile --output hostile.csv",
    ):
        done = command(python, checkout, f"simulate {words} --seed 5", folder)
        if done.returncode:
            sys.exit(f"simulate {words} failed:\n{done.stderr}")
    payments = pl.read_parquet(folder / "payments.parquet")
    labels = payments.select("transaction_id", "is_fraud", "label_known_at")
    labels.write_csv(folder / "labels.csv")
    payments = payments.drop("is_fraud", "label_known_at", "scenario")
    payments.head(-size.payments // 6).write_parquet(folder / "early.parquet")
    payments.tail(size.payments // 6).write_csv(folder / "late.csv")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")


def compare(folder: Path, plan: list[Step], deliberate: set[str]) -> list[Check]:
    """Compare every step's report and outputs."""
    found: list[Check] = []
    for step in plan:
        checks = Checks(step.name)
        old, new = folder / "old" / step.name, folder / "new" / step.name
        compare_reports(old, new, checks)
        for name, kind in step.outputs.items():
            COMPARE[kind](old / name, new / name, checks)
        found += checks.found.values()
    for check in found:
        check.accepted = bool(check.different) and check.check in deliberate
    return found


def table(found: list[Check], every: bool) -> str:
    """Write the checks as text: all, or those that differ and the largest difference of the rest."""
    lines = [f"{'step':26} {'check':14} {'compared':>9} {'different':>9} {'largest':>9}  verdict"]
    for check in found:
        if (
            every
            or check.different
            or check.check in ("labels", "actions", "scores", "effects", "quarantine")
        ):
            verdict = "equal" if not check.different else "accepted" if check.accepted else "DIFFERENT"
            counts = f"{check.compared:>9,} {check.different:>9,} {check.largest:>9.2g}"
            lines.append(f"{check.step:26} {check.check:14} {counts}  {verdict}")
            lines += [f"    {example}" for example in check.examples if not check.accepted]
    wrong = sum(bool(check.different) and not check.accepted for check in found)
    accepted = sum(check.accepted for check in found)
    lines.append(f"{len(found)} checks: {wrong} differ, {accepted} differ as accepted.")
    return "\n".join(lines)


def fingerprint(checkout: Path, size: Size) -> str:
    """Hash a checkout's source and the sizes, to know whether kept outputs still hold."""
    digest = hashlib.sha256(f"{size} {list(steps(size))} {RULES}".encode())
    for path in sorted((checkout / "src").rglob("*")):
        if path.suffix in (".py", ".yaml", ".json", ".txt", ".sql"):
            digest.update(str(path.relative_to(checkout)).encode() + path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    """Run both sides, compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path, help="folder of the checkout that is the reference")
    parser.add_argument("new", type=Path, help="folder of the checkout that is tested")
    parser.add_argument("--full", action="store_true", help="all data, not the quick sample")
    parser.add_argument("--keep", type=Path, help="folder that keeps the old side's outputs for the next run")
    names = ", ".join(f"{name} ({text})" for name, text in DELIBERATE.items())
    parser.add_argument("--deliberate", default="", help=f"changes to accept, comma-separated: {names}")
    parser.add_argument(
        "--only", default="", help="parts of NEW: cfpb, letters, cards, payments; all by default"
    )
    parser.add_argument("--json", type=Path, help="write the checks to this file")
    parser.add_argument("--every", action="store_true", help="print every check")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs both checkouts")
    parser.add_argument("--jobs", type=int, default=2, help="commands at a time")
    options = parser.parse_args()
    deliberate = set(filter(None, options.deliberate.split(",")))
    if unknown := deliberate - set(DELIBERATE):
        parser.error(f"--deliberate knows no {', '.join(sorted(unknown))}")
    size = FULL if options.full else QUICK
    plan = list(steps(size))
    only = set(filter(None, options.only.split(","))) or {step.part for step in plan}
    if unknown := only - {step.part for step in plan}:
        parser.error(f"--only knows no {', '.join(sorted(unknown))}")
    chosen = [step for step in plan if step.part in only]
    data = Path(os.environ.get("TALLYSTICK_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    old, new = options.old.resolve(), options.new.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        mark, stamp = folder / "complete", fingerprint(old, size)
        if not mark.exists() or mark.read_text() != stamp:
            mark.unlink(missing_ok=True)
            make_inputs(options.python, old, data, folder / "inputs", size)
            run_side(options.python, old, folder / "old", plan, options.jobs)
            if failed := failures(folder / "old", plan):
                parser.error(f"the old checkout failed, so there is nothing to compare with:\n{failed}")
            mark.write_text(stamp)
        run_side(options.python, new, folder / "new", chosen, options.jobs)
        found = compare(folder, chosen, deliberate)
    if options.json:
        options.json.write_text(json.dumps([asdict(check) for check in found], indent=1), encoding="utf-8")
    print(table(found, options.every))
    return int(any(check.different and not check.accepted for check in found))


if __name__ == "__main__":
    sys.exit(main())
