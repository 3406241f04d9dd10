"""Policies: each turns scores into actions, and declares which are harmless and which need a person."""

from tallystick.tasks.policies.abstain import Abstain, Abstention, coverage_target
from tallystick.tasks.policies.bands import Bands, FittedBands
from tallystick.tasks.policies.base import FittedPolicy, Policy
from tallystick.tasks.policies.capacity import Capacity, FittedCapacity
from tallystick.tasks.policies.held_out import held_out_actions
from tallystick.tasks.policies.none import NoPolicy
from tallystick.tasks.policies.thresholds import FittedThresholds, ReviewAndDecline, costs

__all__ = [
    "Abstain",
    "Abstention",
    "Bands",
    "Capacity",
    "FittedBands",
    "FittedCapacity",
    "FittedPolicy",
    "FittedThresholds",
    "NoPolicy",
    "Policy",
    "ReviewAndDecline",
    "costs",
    "coverage_target",
    "held_out_actions",
]
