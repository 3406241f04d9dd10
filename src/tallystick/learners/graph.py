"""Builder of ONNX graphs: scaling, layers and errors, all in float64."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tallystick.models.scaling import Scaling

__all__ = ["Graph"]

Floats = NDArray[np.float64]

#: Old enough for every runtime that we allow; IsNaN and Where take float64 since 13.
OPSET, IR_VERSION = 17, 8


@dataclass
class Graph:
    """A graph from `x` (rows, features) to `y` (rows, outputs) built node by node."""

    features: int
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, values: Any) -> str:
        """Add a constant; returns its name."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float64), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        from onnx import helper

        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def scaled(self, scaling: Scaling) -> str:
        """Bring `x` to scale, as `Scaling.apply` does."""
        fill = self.constant(scaling.fill)
        distance = self.add("Sub", self.add("Where", self.missing(), fill, "x"), fill)
        distance = self.add("Div", distance, self.constant(scaling.reach))
        size = self.add("Log", self.add("Add", self.add("Abs", distance), self.constant(1.0)))
        pressed = self.add("Mul", self.add("Sign", distance), size)
        middle = self.add("Sub", pressed, self.constant(scaling.middle))
        return self.add("Mul", middle, self.constant(scaling.inverse))

    def missing(self) -> str:
        """Add a node that marks missing values."""
        return self.add("IsNaN", "x")

    def flags(self, columns: NDArray[np.int64]) -> str:
        """Give 1 where one of these columns is missing, else 0: (rows, columns)."""
        ones, zeros = self.constant(1.0), self.constant(0.0)
        picks = self.constant(np.eye(self.features)[:, columns])
        return self.add("MatMul", self.add("Where", self.missing(), ones, zeros), picks)

    def layers(self, start: str, weights: Sequence[Floats], biases: Sequence[Floats]) -> str:
        """Add dense layers, with what is below zero cut off (ReLU) between them."""
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            start = self.add("Relu", start) if number else start
            start = self.add("Gemm", start, self.constant(weight), self.constant(bias))
        return start

    def bytes(self, last: str, outputs: int) -> NDArray[np.uint8]:
        """Close the graph with this node as `y` and return it as bytes, checked."""
        import onnx
        from onnx import TensorProto, helper

        nodes = [*self.nodes, helper.make_node("Identity", [last], ["y"], name="y")]
        inputs = helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, self.features])
        result = helper.make_tensor_value_info("y", TensorProto.DOUBLE, [None, outputs])
        graph = helper.make_graph(nodes, "tallystick", [inputs], [result], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        # The library would write its own version here: other bytes with each release.
        model.ir_version, model.producer_name = IR_VERSION, "tallystick"
        onnx.checker.check_model(model)
        return np.frombuffer(model.SerializeToString(deterministic=True), np.uint8).copy()
