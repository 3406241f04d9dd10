"""Texts: tokens, weights, fused scoring with reasons, near-copies, amounts."""

from tallystick.text.amounts import amounts
from tallystick.text.copies import copy_keys, near_copies
from tallystick.text.fingerprints import fingerprints
from tallystick.text.scoring import TextScorer
from tallystick.text.spec import TextSpec
from tallystick.text.vocabulary import Vocabulary
from tallystick.text.warm import compile_kernels, compiled

__all__ = [
    "TextScorer",
    "TextSpec",
    "Vocabulary",
    "amounts",
    "compile_kernels",
    "compiled",
    "copy_keys",
    "fingerprints",
    "near_copies",
]
