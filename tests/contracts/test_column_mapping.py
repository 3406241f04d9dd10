from __future__ import annotations

import pytest

from tallystick.contracts import Column, ColumnMapping, Contract
from tallystick.errors import DataError, UsageError

NOTES = Contract(
    "notes",
    1,
    (
        Column("note_id", "text", "Key", aliases=("id",)),
        Column("narrative", "text", "Words", aliases=("Consumer complaint narrative", "text")),
        Column("product", "category", "Kind", aliases=("label",)),
    ),
)


def named(*names: str, **mapping: str) -> ColumnMapping:
    return NOTES.resolve(names, mapping)


@pytest.mark.parametrize(
    "theirs",
    [
        "narrative",
        "NARRATIVE",
        " Narrative ",
        "consumer_complaint_narrative",
        "Consumer complaint narrative?",
        "\ufeffTeXt",
    ],
)
def test_case_space_and_underscores_are_forgiven(theirs: str) -> None:
    assert named("x", theirs).theirs == {"narrative": theirs}
    assert named("x", theirs).ignored == ("x",)
    assert named("x", theirs).matches[0].place == 1


def test_the_order_is_the_contracts() -> None:
    assert named("label", "text", "id").ours == ("note_id", "narrative", "product")


def test_a_mapping_wins_over_an_alias() -> None:
    column_mapping = named("text", "words", words="narrative")
    assert column_mapping.theirs == {"narrative": "words"}
    assert column_mapping.ignored == ("text",)
    assert '"text" is ignored' in column_mapping.notes[0]
    assert named("text", "label", text="product", label="narrative").theirs == {
        "narrative": "label",
        "product": "text",
    }
    assert NOTES.resolve(["My Words"], {"my_words": "Narrative"}).theirs == {"narrative": "My Words"}


def test_two_of_theirs_for_one_of_ours_are_refused_unless_mapped() -> None:
    with pytest.raises(DataError, match='"text" and "Narrative" both mean narrative') as caught:
        named("text", "id", "Narrative")
    assert '--map "text=narrative"' in caught.value.hint
    assert named("text", "Narrative", Narrative="narrative").theirs == {"narrative": "Narrative"}
    with pytest.raises(DataError, match='"text" and "text"'):
        named("text", "text")


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"wrods": "narrative"}, 'Did you mean "words"'),
        ({"words": "narative"}, 'Did you mean "narrative"'),
        ({"words": "label"}, "There are: narrative, note_id, product"),  # an alias is theirs, not ours
        ({"words": "narrative", "id": "narrative"}, "Map each column once"),
        ({"words": "narrative", "Words": "product"}, "Map each column once"),
    ],
)
def test_a_mapping_that_cannot_be_followed(mapping: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        NOTES.resolve(["id", "words"], mapping)


def test_a_near_miss_is_proposed_and_not_taken() -> None:
    column_mapping = named("id", "narative")
    assert column_mapping.ours == ("note_id",)
    assert '--map "narative=narrative"' in column_mapping.notes[0]
    assert named("narrative", "narative").notes == ()


def test_no_known_column_lists_both_sides() -> None:
    with pytest.raises(DataError, match=r'Found: "narative", "b"') as caught:
        named("narative", "b")
    assert caught.value.exit_code == 3
    assert "note_id, narrative, product" in caught.value.hint
    assert '--map "narative=narrative"' in caught.value.hint
    with pytest.raises(DataError, match="Found: none"):
        named()


def test_of_ranked_names_the_first_is_taken_and_said() -> None:
    who = Column("who", "text", "Who", aliases=("card_id", "account_id"), ranked=True)
    people = Contract("people", 1, (who, Column("place", "category", "Where")))
    column_mapping = people.resolve(["Account ID", "card_id", "place"])
    assert column_mapping.theirs == {"who": "card_id", "place": "place"}
    assert column_mapping.ignored == ("Account ID",)
    assert '"Account ID" is ignored: who is "card_id"' in column_mapping.notes[0]
    assert '--map "Account ID=who"' in column_mapping.notes[0]
    assert people.resolve(["account_id", "card_id", "WHO"]).theirs == {"who": "WHO"}
    assert people.resolve(["account_id", "card_id"], {"account_id": "who"}).theirs == {"who": "account_id"}
    with pytest.raises(DataError, match='"card_id" and "Card ID" both mean who'):
        people.resolve(["card_id", "account_id", "Card ID"])
    plain = Contract("people", 1, (Column("who", "text", "Who", aliases=("card_id", "account_id")),))
    assert plain.fingerprint() != people.fingerprint()  # one column fewer
    assert Contract("people", 1, (who,)).fingerprint() == plain.fingerprint()


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("TransactionReference", "payment_id"),
        ("Transaction No", "payment_id"),
        ("trasaction_id", "payment_id"),
        ("TransactionInformation", None),
        ("TransactionAmount", None),
        ("transactoin currency", "currency"),
        ("BookingDateTime", None),
        ("mount", None),
    ],
)
def test_a_near_miss_is_one_word_by_word(theirs: str, ours: str | None) -> None:
    payments = Contract(
        "payments",
        1,
        (
            Column("payment_id", "text", "Key", aliases=("transaction_id",)),
            Column("currency", "category", "Currency", aliases=("transaction_currency",)),
            Column("country", "category", "Where", aliases=("transaction_country",)),
        ),
    )
    notes = payments.resolve(["country", theirs]).notes
    assert [note.split("--map ")[1] for note in notes] == ([f'"{theirs}={ours}"'] if ours else [])
