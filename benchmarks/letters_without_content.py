"""How many letters without content go to a person, and what that costs of the share decided automatically.

They are made of public letters that the model was not fitted on: masked, cut short, put into another
language, mixed with one, and shuffled. Languages are real ones; the model learns from words read backwards.
Half of the letters, by the hash of their text, are for choosing by (--half open, the default); the other half
(--half closed) is for a last look.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from random import Random

import numpy as np
import pyarrow as pa

from _claims import claim, data, say
from _labelled import labelled
from tallystick.evaluation import classify
from tallystick.learning import fit_task, folds_of
from tallystick.models.scores import Scores
from tallystick.tasks.policies import held_out_actions
from tallystick.text.content import without_content

PEOPLE, AUTOMATIC, MACRO, ACCURACY = 0.95, 0.62, 0.640, 0.855
LANGUAGES = {
    "Spanish": (
        "soy víctima de robo de identidad alguien abrió cuentas a mi nombre sin mi autorización y "
        "aparecen en mi reporte de crédito el banco no me contesta y quiero que eliminen estas "
        "cuentas de inmediato"
    ),
    "Polish": (
        "piszę w sprawie opłaty którą bank pobrał z mojego rachunku bez mojej zgody proszę o "
        "zwrot pieniędzy i wyjaśnienie sprawy ponieważ nikt nie odpowiada na moje listy od trzech "
        "miesięcy"
    ),
    "German": (
        "die Bank hat von meinem Konto eine Gebühr abgebucht obwohl ich das Konto schon gekündigt "
        "habe bitte erstatten Sie mir den Betrag und erklären Sie den Vorgang weil niemand auf "
        "meine Briefe antwortet"
    ),
    "French": (
        "ma banque a prélevé des frais sur mon compte sans mon accord je demande le remboursement "
        "de cette somme et une explication écrite car personne ne répond à mes lettres depuis "
        "trois mois"
    ),
    "Portuguese": (
        "meu cartão foi cobrado duas vezes pelo banco e ninguém resolve o problema quero o meu "
        "dinheiro de volta o mais rápido possível porque já escrevi várias cartas sem resposta"
    ),
}
PART = 0.25  # of the words of a letter that is mixed with another language
SHORTEST = 20  # words of a letter that anything is made of
EXAMPLES = (
    "XXXX XXXX XXXX XXXX",
    "See attached letter. XXXX",
    "loan",
    *(text.capitalize() + "." for text in LANGUAGES.values()),
)


def digest(text: str) -> int:
    """Hash a text: the lowest bit says which half it belongs to."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def other_language(text: str, kept: float) -> str:
    """Write words of another language in place of a letter's own, all but a share of them."""
    draw = Random(digest(text))
    words = draw.choice(list(LANGUAGES.values())).split()
    return " ".join(
        word if draw.random() < kept else words[place % len(words)] for place, word in enumerate(text.split())
    )


def made_of(texts: Sequence[str]) -> dict[str, list[str]]:
    """Make letters without content of letters, kind by kind."""
    found = {
        kind: [text for text in without_content(texts, kind) if text is not None]
        for kind in ("masked", "cut", "shuffled")
    }
    found["other language"] = [other_language(text, 0.0) for text in texts]
    found["mixed with another language"] = [other_language(text, PART) for text in texts]
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--half", choices=("open", "closed"), default="open", help="which half of the letters"
    )
    parser.add_argument("--most", type=int, default=1_000, help="held-out letters that others are made of")
    given = parser.parse_args(arguments)

    rows = labelled("complaints", "product", data() / "complaints" / "cfpb.parquet")
    spec = rows.spec()
    folds = folds_of(rows.task, rows.dataset, rows.truth, rows.task.split, spec.settings.seed)
    say("learning from four fifths of the letters; letters without content are made of the last fifth")
    train, test = folds[0].train, folds[0].test
    part = rows.take(train)
    inner = folds_of(rows.task, part.dataset, part.truth, rows.task.split, spec.settings.seed)
    fitted = fit_task(spec, part.dataset, part.truth, inner)
    policy = rows.task.policy.fit(fitted.held, fitted.calibrated.chosen_on, spec.settings)

    narratives = rows.dataset.rows.column("narrative").to_pylist()
    half = given.half == "closed"
    letters = [
        text
        for text in (narratives[row] for row in test.tolist())
        if digest(text) & 1 == half and len(text.split()) >= SHORTEST
    ][: given.most]

    def scores(texts: Sequence[str]) -> Scores:
        return fitted.scores(pa.RecordBatch.from_arrays([pa.array(texts, pa.string())], names=["narrative"]))

    def review(texts: Sequence[str]) -> np.ndarray:
        found = scores(texts)
        return policy.act(found.score, found.label) != 0

    every = []
    for kind, texts in made_of(letters).items():
        sent = review(texts)
        every.append(sent)
        claim(
            f"letters without content that go to a person: {kind}", float(sent.mean()), unit="share",
            what=f"{len(texts):,} made of held-out letters, the {given.half} half",
        )  # fmt: skip
    whole = float(np.concatenate(every).mean())
    claim(
        "letters without content that go to a person", whole, unit="share", what="all kinds together",
        wanted=f"at least {PEOPLE}", met=whole >= PEOPLE,
    )  # fmt: skip
    sent = review(EXAMPLES)
    claim(
        "examples that go to a person", float(sent.mean()), unit="share", wanted="all", met=bool(sent.all()),
        what=f"{len(EXAMPLES)}: masks alone, an attachment, one word, letters in five languages",
    )  # fmt: skip

    held, decided = fitted.held, fitted.calibrated.scores
    figures = classify(
        part.truth.codes[held.row], decided.values, rows.truth.names,
        predicted=decided.label, confidence=decided.score,
    )  # fmt: skip
    chosen_on = fitted.calibrated.chosen_on
    action = held_out_actions(rows.task.policy, policy, fitted.held, chosen_on, spec.settings)
    automatic = float((action == 0).mean())
    whole_letters = "out of fold on the public letters that it was learned from"
    claim(
        "letters decided automatically", automatic, unit="share", what=whole_letters,
        wanted=f"at least {AUTOMATIC}", met=automatic >= AUTOMATIC,
    )  # fmt: skip
    for name, least in (("f1_macro", MACRO), ("accuracy", ACCURACY)):
        claim(
            name, figures[name], unit="", what=f"{whole_letters}; four fifths of all, so a little lower",
            wanted=f"at least {least}", met=figures[name] >= least,
        )  # fmt: skip


if __name__ == "__main__":
    main()
