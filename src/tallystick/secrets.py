"""Passwords, tokens and keys from the environment, or from files that it names; never from settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tallystick.errors import UsageError

__all__ = ["read_secret", "read_secret_file", "read_secret_text"]


def read_secret(variable: str, environment: Mapping[str, str] | None = None) -> bytes | None:
    """Read a secret from an environment variable, or the file that `VARIABLE_FILE` names; None for neither.

    A line end at the end of the file is not part of it. UsageError for a file that is empty or unreadable.

    >>> read_secret("HOOK_SECRET", {"HOOK_SECRET": "a"})
    b'a'
    """
    environment = os.environ if environment is None else environment
    if value := environment.get(variable):
        return value.encode("utf-8", "surrogateescape")
    if not (path := environment.get(f"{variable}_FILE")):
        return None
    return read_secret_file(path, f"{variable}_FILE names ")


def read_secret_text(variable: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Read a secret as `read_secret` does, as text; UsageError where it is not UTF-8."""
    secret = read_secret(variable, environment)
    try:
        return None if secret is None else secret.decode("utf-8")
    except UnicodeDecodeError:
        raise UsageError(
            f"{variable} holds bytes that are not UTF-8.", "Save the secret as UTF-8 text."
        ) from None


def read_secret_file(path: str | Path, prefix: str = "") -> bytes:
    """Read a secret from a file; UsageError where it is empty or cannot be read. prefix: begins the error."""
    try:
        secret = Path(path).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UsageError(
            f"{prefix}{path}, which cannot be read: {error.strerror or error}.",
            "Name a file that holds the secret alone.",
        ) from None
    if not secret:
        raise UsageError(f"{prefix}{path}, which is empty.", "It is to hold the secret alone.")
    return secret
