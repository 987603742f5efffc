"""The page of figures says what the figures say."""

from bench.report import ALLOWED, NEIGHBOURS, PAGE, SERVED, Target, page, read


def test_the_page_is_made_from_the_figures_that_are_kept() -> None:
    assert PAGE.read_text() == page(read())


def test_every_target_names_a_figure_that_is_measured() -> None:
    kept = read()
    assert {target.figure for target in SERVED} <= kept["served"].keys()
    assert {target.figure for target in NEIGHBOURS} <= kept["neighbours"].keys()
    assert {name for allowance in ALLOWED for name in allowance.stages} <= kept["stages"].keys()


def test_a_page_with_other_figures_is_another_page() -> None:
    kept = read()
    other = {**kept["stages"], "hl7v2: read": kept["stages"]["hl7v2: read"] + 1000}
    assert page({**kept, "stages": other}) != page(kept)


def test_what_was_missed_is_named_and_what_was_met_is_not() -> None:
    kept = read()
    perfect = {target.figure: (target.bound, target.bound, target.bound) for target in SERVED}
    assert "Every target of this table is met." in page({**kept, "served": perfect})
    half = perfect | {"accepted a second": (500.0, 500.0, 500.0)}
    assert "**Missed: accepted a second, by a factor of 2.0.**" in page({**kept, "served": half})


def test_a_target_is_a_bound_above_or_below() -> None:
    assert Target("x", 5).met(5)
    assert not Target("x", 5).met(5.1)
    assert Target("x", 5, least=True).met(5)
    assert not Target("x", 5, least=True).met(4.9)
