"""The hash is fixed for ever: bundles hold its values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tallystick.text.hashing import CHARACTERS, SEED, hash_span, join

M64 = (1 << 64) - 1


def plain_mix(h: int) -> int:
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = (h ^ h >> 33) * factor & M64
    return h ^ h >> 33


def plain_hash(token: str, seed: int) -> int:
    """What the docstring says, in plain Python."""
    data = bytes(0x7F if b == 0x5F else b for b in token.encode())
    h = seed
    for i in range(0, len(data), 8):
        h = plain_mix(h ^ int.from_bytes(data[i : i + 8].ljust(8, b"\0"), "little"))
    return h


def kernel_hash(token: str, seed: int = int(SEED)) -> int:
    data = np.frombuffer(token.encode() + b"?" * 16, np.uint8).copy()
    return int(hash_span(data, 0, len(token.encode()), np.uint64(seed)))


def test_golden_values() -> None:
    assert kernel_hash("fee") == 0x684B2B66F7512E27
    assert kernel_hash("unauthorized_charge") == 0x607C59B471542BB0
    assert kernel_hash("élève") == 0x99E2B0AD33A2F2C4
    assert kernel_hash(" fe", int(SEED ^ CHARACTERS)) == 0x0010B278DAB41B4D
    assert int(join(np.uint64(kernel_hash("late")), np.uint64(kernel_hash("fee")))) == 0x1FCC1FE241A51E6E


@given(st.text("abcxyz019_éß中", min_size=1, max_size=30))
def test_the_kernel_hashes_as_documented(token: str) -> None:
    assert kernel_hash(token) == plain_hash(token, int(SEED))
    assert kernel_hash(token.upper().replace("SS", "ß").replace("É", "é")) == kernel_hash(token)
