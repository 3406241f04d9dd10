"""Complaints: what a consumer's letter is about, which desk should have it, and why."""

from pathlib import Path

from tallystick.feature_extraction import Text
from tallystick.report import Nouns
from tallystick.solutions.complaints.contract import COMPLAINTS
from tallystick.solutions.complaints.routing_inputs import routing_inputs
from tallystick.solutions.complaints.simulator import simulate
from tallystick.tasks import Abstain, Classes, Solution, Task
from tallystick.text import TextSpec

__all__ = ["SOLUTION"]

# Found on the CFPB's public narratives, folds grouped by near copies: characters 3 to 4 do as well as 3 to 5;
# the words' share of a text's squared length is .7.
TEXT = TextSpec(words=(1, 2), characters=(3, 4), characters_weight=(0.3 / 0.7) ** 0.5)

LIMITS = """
Not for deciding a complaint: it says what a letter is about, never who is right. A narrative of which it
knows too little, such as one in another language, goes to a person. One about a product that the training
letters do not hold gets a label all the same. Letters below the threshold belong to a person.
"""


SOLUTION = Solution(
    name="complaints",
    title="Consumer complaints: classify, route, explain",
    contract=COMPLAINTS,
    tasks=(
        Task(
            name="product",
            target=Classes("product", prior_correction=0.12),
            features=(Text("narrative", TEXT, halves_weight=0.5),),
            learner="linear_svm",
            params={"linear_svm": {"C": 0.21, "balance": 0.5, "tol": 1e-2}},
            policy=Abstain(),
            split="grouped",
            purpose="Names the financial product that a consumer's complaint is about, from its narrative.",
            limits=LIMITS,
        ),
    ),
    simulate=simulate,
    routing=Path(__file__).with_name("routing.yaml"),
    routing_inputs=routing_inputs,
    nouns=Nouns(record="complaint", records="complaints"),
)
