from collections.abc import Callable

import numpy as np
import pytest

from tallystick.models.trees import Trees


def _draw(seed: int, trees: int = 5, depth: int = 5, features: int = 4) -> Trees:
    """Trees of any shape whose thresholds lie on a coarse grid, so that ties with values are common."""
    rng = np.random.default_rng(seed)
    feature, threshold, left, missing_left, value, cover, roots = [], [], [], [], [], [], []
    for _ in range(trees):
        roots.append(len(left))
        level = [(len(left), 0, float(rng.integers(1, 100)))]
        size = len(left) + 1
        while level:
            following = []
            for _, height, rows in level:
                split = height < depth and rng.random() < 0.85
                feature.append(int(rng.integers(features)) if split else -1)
                threshold.append(float(rng.integers(-2, 3)) / 2 if split else 0.0)
                left.append(size if split else -1)
                missing_left.append(bool(split and rng.random() < 0.5))
                value.append(0.0 if split else float(rng.normal()))
                cover.append(rows)
                if split:
                    share = rows * float(rng.choice([0.0, 0.1, 0.5, 1.0]))
                    following += [(size, height + 1, share), (size + 1, height + 1, rows - share)]
                    size += 2
            level = following
    return Trees(
        np.array(feature, np.int32),
        np.array(threshold, np.float32),
        np.array(left, np.int32),
        np.array(missing_left),
        np.array(value),
        np.array(cover),
        np.array(roots, np.int64),
        features=features,
        base=0.25,
        scale=-0.5,
    )


@pytest.fixture(scope="session")
def draw_trees() -> Callable[..., Trees]:
    return _draw


def _rows(seed: int, rows: int, features: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.integers(-3, 4, size=(rows, features)) / 2 + rng.choice([0.0, 1e-12, -1e-7], (rows, features))
    return np.where(rng.random(X.shape) < 0.2, rng.choice([np.nan, np.inf, -np.inf, 1e300], X.shape), X)


@pytest.fixture(scope="session")
def draw_rows() -> Callable[..., np.ndarray]:
    return _rows
