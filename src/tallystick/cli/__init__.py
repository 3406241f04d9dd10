"""Command line: parse arguments, call one job, print its result."""

from tallystick.cli.commands import app

__all__ = ["app"]
