"""Notify: who hears of what, and how it gets there."""
