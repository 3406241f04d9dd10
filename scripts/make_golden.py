"""Write the golden bundle and its decisions anew, into tests/golden.

Only for a change that is meant to change what an old bundle scores; CHANGELOG.md then says so as a
behaviour change.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import tallystick as ts

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "golden"
LETTERS = (
    "My mortgage servicer lost two payments and now threatens foreclosure.",
    "XXXX reports an account that is not mine; remove it under the FCRA. I lost {$1250.00}.",
    "A stranger used my credit card at a petrol station. The bank calls it “authorised”.",
    "They call me at work six times a day about a debt I paid in XX/XX/2023!",
    "MEIN KONTO WURDE GESPERRT — ΟΔΥΣΣΕΥΣ İstanbul naïve façade 東京",
    "ok",
    None,
)


def main() -> None:
    """Simulate, train, score."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    records = FOLDER / "training.csv"
    ts.simulate("complaints", rows=60, output=records, seed=11)
    ts.train("complaints", records, model=FOLDER / "model")
    records.unlink()
    rows = [
        {"complaint_id": f"g{number}", "received_at": "2025-06-01", "narrative": text}
        for number, text in enumerate(LETTERS, 1)
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (FOLDER / "letters.jsonl").write_text(lines, encoding="utf-8")
    ts.score(
        "complaints", FOLDER / "letters.jsonl", model=FOLDER / "model", output=FOLDER / "decisions.jsonl"
    )


if __name__ == "__main__":
    main()
