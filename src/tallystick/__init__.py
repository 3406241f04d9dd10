"""Tallystick: complaints, campaigns, fraud and customers on one spine.

One definition gives the same value in batch, on a stream and behind an API.
"""
