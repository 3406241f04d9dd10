"""What simulated complaints are made of: products, issues, companies and the sentences about them.

It lies in `letters/*.yaml`, a file for each product. Nothing in it was taken from a real letter, and the
companies are invented; products, sub-products and issues have the names on the CFPB's form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from tallystick.solutions.complaints.simulator.draws import Weighted
from tallystick.solutions.complaints.simulator.sentences import Sentences

__all__ = ["Emerging", "Grammar", "grammar"]

FOLDER = Path(__file__).with_name("letters")
PARTS = ("emerging", "mills", "places", "shared")
MONTHS = 24
SUB_ISSUES = (12, 7, 4, 3, 2, 2)  # weights in the order of the file: the first is the most common
LONGEST = 6  # paragraphs of a letter from a template


@dataclass(frozen=True)
class Emerging:
    """An issue that starts in the last weeks."""

    leaf: int
    sub_product: int
    pool: int
    days: int
    peak: int


@dataclass(frozen=True)
class Grammar:
    """Lists and pools; a leaf is a product, an issue and a sub-issue (or none).

    Arrays named `*_pool` give the pool of sentences for each product, leaf or company; `mills` the pools of a
    template's paragraphs, -1 after the last; `drawn_*` draw by weight: products by month, places
    in one group, all else by product.
    """

    products: tuple[str, ...]
    leaves: tuple[tuple[int, str, str | None], ...]
    sub_products: tuple[str, ...]
    companies: tuple[str, ...]
    places: tuple[tuple[str, int, int], ...]
    near: NDArray[np.int64]
    drawn_products: Weighted
    drawn_leaves: Weighted
    drawn_sub_products: Weighted
    drawn_companies: Weighted
    drawn_near: Weighted
    drawn_places: Weighted
    leaf_pool: NDArray[np.int64]
    issue_pool: NDArray[np.int64]
    opening_pool: NDArray[np.int64]
    facts_pool: NDArray[np.int64]
    about_pool: NDArray[np.int64]
    shared: Mapping[str, int]
    mills: NDArray[np.int64]
    mill_leaf: NDArray[np.int64]
    mills_of: Mapping[int, NDArray[np.int64]]
    emerging: Emerging
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    texts: pa.Array


def _read(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))


def _lines(text: str) -> list[str]:
    return text.strip().split("\n")


@cache
def grammar() -> Grammar:
    """Read the files and render their sentences, once in a process."""
    files = [_read(path.stem) for path in sorted(FOLDER.glob("*.yaml")) if path.stem not in PARTS]
    files.sort(key=lambda file: str(file["product"]))
    number = {file["product"]: place for place, file in enumerate(files)}
    sentences = Sentences()
    common = {name: _lines(text) for name, text in _read("shared").items()}
    abouts = common.pop("about")  # one pool for each company instead
    shared = {name: sentences.pool(lines) for name, lines in common.items()}
    shared["break"] = sentences.pool(["\n\n"])
    companies = [name for file in files for name in file["companies"]]
    leaves, weights, leaf_pool, issue_pool = _leaves(files, number, sentences)
    emerging, mills = _read("emerging"), _read("mills")
    mill_pools, mill_leaf = _mills(mills, leaves, number, sentences)
    sub_products = [(number[file["product"]], name) for file in files for name in file["sub_products"]]
    places = _read("places")
    of_mill = np.array([leaves[leaf][0] for leaf in mill_leaf])
    emerging_product = number[emerging["product"]]
    return Grammar(
        products=tuple(number),
        leaves=tuple(leaves),
        sub_products=tuple(name for _, name in sub_products),
        companies=tuple(companies),
        places=tuple((state, low, high) for state, (_, low, high) in places.items()),
        near=np.array([number[name] for file in files for name in file["near"]]),
        drawn_products=Weighted([_shares(files, month) for month in range(MONTHS)]),
        drawn_leaves=Weighted(weights),
        drawn_sub_products=Weighted([list(file["sub_products"].values()) for file in files]),
        drawn_companies=Weighted([[3] + [1] * (len(file["companies"]) - 1) for file in files]),
        drawn_near=Weighted([list(file["near"].values()) for file in files]),
        drawn_places=Weighted([[weight for weight, _, _ in places.values()]]),
        leaf_pool=leaf_pool,
        issue_pool=issue_pool,
        opening_pool=np.array([sentences.pool(_lines(file["openings"])) for file in files]),
        facts_pool=np.array([sentences.pool(_lines(file["facts"])) for file in files]),
        about_pool=np.array(
            [sentences.pool(line.replace("<company>", name) for line in abouts) for name in companies]
        ),
        shared=shared,
        mills=mill_pools,
        mill_leaf=mill_leaf,
        mills_of={int(product): np.flatnonzero(of_mill == product) for product in np.unique(of_mill)},
        emerging=Emerging(
            leaf=leaves.index((emerging_product, emerging["issue"], None)),
            sub_product=sub_products.index((emerging_product, emerging["sub_product"])),
            pool=sentences.pool(_lines(emerging["says"])),
            days=emerging["days"],
            peak=emerging["peak"],
        ),
        first=np.array(sentences.first),
        count=np.array(sentences.count),
        texts=sentences.render(),
    )


def _shares(files: Sequence[Mapping[str, Any]], month: int) -> list[int]:
    """Weigh the products of a month: their share, their growth, their season."""
    return [
        file["share"] * (100 + file.get("growth", 0) * month) * file.get("season", [100] * 12)[month % 12]
        for file in files
    ]


def _leaves(
    files: Sequence[Mapping[str, Any]], number: Mapping[str, int], sentences: Sentences
) -> tuple[list[tuple[int, str, str | None]], list[list[int]], NDArray[np.int64], NDArray[np.int64]]:
    """List products' issues and sub-issues, with weights by product and pools of sentences."""
    leaves: list[tuple[int, str, str | None]] = []
    weights: list[list[int]] = []
    leaf_pool: list[int] = []
    issue_pool: list[int] = []
    for file in files:
        weights.append([])
        for name, issue in file["issues"].items():
            says = _lines(issue["says"])
            if "like" in issue:
                says += _lines(files[number[issue["like"]]]["issues"][name]["says"])
            pool = sentences.pool(says)
            parts = issue.get("sub_issues") or {None: issue["says"]}
            shares = SUB_ISSUES[: len(parts)]
            for (sub_issue, lines), share in zip(parts.items(), shares, strict=True):
                leaves.append((number[file["product"]], name, sub_issue))
                weights[-1].append(issue["weight"] * 1000 * share // sum(shares))
                issue_pool.append(pool)
                leaf_pool.append(sentences.pool(_lines(lines)) if sub_issue else pool)
    return leaves, weights, np.array(leaf_pool), np.array(issue_pool)


def _mills(
    mills: Sequence[Mapping[str, Any]],
    leaves: Sequence[tuple[int, str, str | None]],
    number: Mapping[str, int],
    sentences: Sentences,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pools of each template's paragraphs, -1 after the last, and its leaf."""
    pools: list[list[int]] = []
    of: list[int] = []
    for mill in mills:
        for letter in mill["letters"]:
            paragraphs = [sentences.pool([line]) for line in _lines(letter)]
            pools.append(paragraphs + [-1] * (LONGEST - len(paragraphs)))
            of.append(leaves.index((number[mill["product"]], mill["issue"], mill["sub_issue"])))
    return np.array(pools), np.array(of)
