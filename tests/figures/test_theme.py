"""The common look: legible on any ground, and labels that cannot say more than their text."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.figures import theme


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [theme.BLUE, theme.VERMILION, theme.GREEN, theme.GREY])
@pytest.mark.parametrize("ground", ["#ffffff", "#14171c"])
def test_colours_stand_out_on_light_and_dark(colour, ground):
    assert contrast(colour, ground) >= 3  # WCAG 2.2, 1.4.11, for what is not text


@given(st.text(alphabet="<>&ab /é", max_size=200), st.integers(3, 40), st.integers(1, 3))
def test_labels_stay_short_and_hold_no_markup(text, width, lines):
    made = theme.label(text, width, lines).split("<br>")
    assert len(made) <= lines
    assert all("<" not in line and ">" not in line for line in made)
    assert made[0]


def test_grounds_are_transparent_and_the_default_template_is_gone():
    drawn = theme.figure([])
    assert drawn.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert not drawn.layout.template.data.to_plotly_json()


def test_names_that_shorten_alike_stay_apart():
    axis = theme.named(["a" * 30 + " one two", "a" * 30 + " one two three"], width=10, lines=1)
    assert axis["tickvals"] == [0, 1]
    assert len(axis["ticktext"]) == 2


def test_ink_and_ground_of_pages_have_the_contrast_that_text_needs():
    style = files("tallystick.figures").joinpath("style.css").read_text(encoding="utf-8")
    schemes = [
        dict(re.findall(r"--(\w+): (#\w{6})", rule)) for rule in re.findall(r":root {(.*?)}", style, re.S)
    ]
    screen = [scheme for scheme in schemes if "ground" in scheme]
    assert len(screen) == 2
    for scheme in screen:
        for name in ("ink", "quiet", "accent"):
            assert contrast(scheme[name], scheme["ground"]) >= 4.5, name
