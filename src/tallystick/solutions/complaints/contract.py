"""What a table of complaints looks like: our names, the CFPB's headings, its API's JSON, plain files."""

from __future__ import annotations

from tallystick.contracts import Column, Contract, Normalizer
from tallystick.solutions.complaints.taxonomy import as_text, harmonise

__all__ = ["COMPLAINTS"]

#: How the public database and its users write that nothing is there.
MISSING = ("N/A", "None", "null")

COMPLAINTS = Contract(
    name="complaints",
    version=1,
    columns=(
        Column(
            "complaint_id",
            "text",
            "Number of the complaint",
            aliases=("id", "case_id", "public_id"),
            max_bytes=1_024,
        ),
        Column(
            "received_at",
            "time",
            "When the complaint arrived",
            aliases=("Date received", "received", "date", "created_at", "event_time"),
            nulls=MISSING,
        ),
        Column(
            "narrative",
            "text",
            "What the consumer wrote",
            aliases=(
                "Consumer complaint narrative",
                "complaint_what_happened",
                "complaint_text",
                "complaint_narrative",
                "consumer_narrative",
                "text",
                "complaint",
                "description",
            ),
            max_bytes=1_048_576,
        ),
        Column("product", "category", "What it is about", aliases=("category", "label", "product_name")),
        Column(
            "sub_product",
            "category",
            "Kind of the product",
            aliases=("subproduct", "sub_category"),
            may_be_blank=True,
            nulls=MISSING,
        ),
        Column("issue", "category", "What went wrong", aliases=("issue_name",)),
        Column(
            "sub_issue",
            "category",
            "What exactly went wrong",
            may_be_blank=True,  # a fifth of the public complaints have none
            nulls=MISSING,
        ),
        Column(
            "company",
            "category",
            "Who is complained about",
            aliases=("company_name", "institution"),
            nulls=MISSING,
        ),
        Column(
            "customer_id",
            "text",
            "Who complains",
            aliases=("customer", "client_id", "consumer_id"),
            max_bytes=1_024,
        ),
        Column("state", "category", "State of the consumer", nulls=MISSING),
        Column(
            "zip_code", "text", "ZIP code, also cut: 330XX", aliases=("zip", "postal_code"), nulls=MISSING
        ),
        Column(
            "tags",
            "category",
            "Groups such as Older American",
            aliases=("tag",),
            nulls=MISSING,
            several=True,
            known_values=("Older American", "Servicemember"),
        ),
        Column("submitted_via", "category", "Channel", aliases=("channel",), nulls=MISSING),
        Column(
            "consent",
            "category",
            "May the text be published",
            aliases=("Consumer consent provided?",),
            nulls=MISSING,
        ),
        Column(
            "sent_to_company_at",
            "time",
            "When the company was told",
            aliases=("Date sent to company",),
            after_event=True,
            nulls=MISSING,
        ),
        Column(
            "public_response",
            "category",
            "What the company says in public",
            aliases=("Company public response",),
            after_event=True,
            nulls=MISSING,
        ),
        Column(
            "company_response",
            "category",
            "How the company closed the complaint",
            aliases=("Company response to consumer",),
            after_event=True,
            nulls=MISSING,
        ),
        Column(
            "timely",
            "flag",
            "Did it answer in time",
            aliases=("Timely response?",),
            after_event=True,
            nulls=MISSING,
        ),
        Column(
            "disputed",
            "flag",
            "Did the consumer dispute the answer",
            aliases=("Consumer disputed?",),
            after_event=True,
            nulls=MISSING,
        ),
    ),
    key="complaint_id",
    event_time="received_at",
    person="customer_id",
    labels=("product", "issue", "sub_issue", "sub_product"),
    normalizers=(Normalizer("harmonise", harmonise, as_text()),),
)
