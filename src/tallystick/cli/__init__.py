"""The command line: parse, call one job, show what it did."""

from tallystick.cli.commands import app

__all__ = ["app"]
