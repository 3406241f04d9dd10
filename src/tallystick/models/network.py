"""Networks as ONNX graphs, run by ONNX Runtime on one thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tallystick.errors import BundleError
from tallystick.models.base import PickledFields, directed

__all__ = ["BLOCK", "Network"]

Floats = NDArray[np.float64]

#: Rows that go through a graph at once: what lies between its layers stays small whatever comes in.
BLOCK = 4096


@dataclass(frozen=True)
class Network(PickledFields):
    """A graph with one input `x` float64 (rows, features), NaN = missing, and one output `y` float64.

    graph: the bytes of an ONNX model, uint8; usual: float64 (features,), an ordinary value of each column.
    With parts, y is (rows, features), what each column adds to the score, as an autoencoder's errors do;
    without, y is (rows, 1), the score. A row alone and in a batch agree to 1e-6: the order in which a layer
    is summed is the runtime's.
    """

    graph: NDArray[np.uint8]
    usual: Floats
    parts: bool = False
    kind: ClassVar[str] = "network"

    @cached_property
    def session(self) -> Any:
        """The runtime with the graph in it, made at its first use."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(
                self.graph.tobytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no base of their own
            raise BundleError(
                f"The network of this model cannot be read: {str(error).splitlines()[0]}",
                "Train the model again with this version.",
            ) from error

    def _run(self, X: Floats) -> Floats:
        blocks = [
            self.session.run(["y"], {"x": np.ascontiguousarray(X[start : start + BLOCK], np.float64)})[0]
            for start in range(0, len(X), BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.empty((0, len(self.usual) if self.parts else 1))

    def raw(self, X: Floats, threads: int = 1) -> Floats:  # noqa: ARG002 - as all models
        """Return the score of each row (rows, 1); threads is not used."""
        result = self._run(X)
        if not self.parts:
            return result
        out = np.empty((len(X), 1))
        _add(np.ascontiguousarray(result), out[:, 0])
        return out

    def contributions(
        self,
        X: Floats,
        direction: Floats | None = None,
        threads: int = 1,  # noqa: ARG002 - as all models
    ) -> Floats:
        """Return what each value adds (rows, features + 1); the last column is the score of a usual row.

        With parts they are exact. Without, it is the mean of what is lost when one value is made usual and
        what is won when it alone is not: Shapley's value where no more than two columns act together. What
        is then left to the score is shared out in proportion, so that a row adds up.
        """
        features = len(self.usual)
        out = np.zeros((len(X), features + 1))
        if self.parts:
            out[:, :-1] = self._run(X)
            return directed(out, direction)
        base = float(self.raw(self.usual[None])[0, 0])
        out[:, -1] = base
        diagonal = np.arange(features)
        for r, row in enumerate(X):
            probes = np.concatenate([np.tile(row, (features + 1, 1)), np.tile(self.usual, (features, 1))])
            probes[diagonal, diagonal] = self.usual
            probes[features + 1 + diagonal, diagonal] = row
            scores = self.raw(probes)[:, 0]
            whole = scores[features]
            moved = ((whole - scores[:features]) + (scores[features + 1 :] - base)) / 2
            size = np.abs(moved)
            share = size / size.sum() if size.any() else np.full(features, 1.0 / features)
            out[r, :-1] = moved + share * (whole - base - moved.sum())
        return directed(out, direction)

    def describe(self) -> dict[str, Any]:
        """Return what a manifest keeps."""
        return {"kind": self.kind, "parts": self.parts}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what a bundle keeps."""
        return {"model.onnx": self.graph, "usual": self.usual}

    @classmethod
    def of(cls, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Network:
        """Bring back what `describe` and `arrays` gave."""
        return cls(arrays["model.onnx"], arrays["usual"], bool(description["parts"]))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]
def _add(parts: Floats, out: Floats) -> None:
    for r in range(parts.shape[0]):
        total = 0.0
        for c in range(parts.shape[1]):
            total += parts[r, c]
        out[r] = total
