"""The page of figures says what the figures say."""

from bench.report import PAGE, TARGETS, WHOLE, page, read


def test_the_page_is_made_from_the_figures_that_are_kept() -> None:
    assert PAGE.read_text() == page(read())


def test_every_target_names_stages_that_are_measured() -> None:
    stages = read()["stages"]
    assert {*WHOLE, *(name for target in TARGETS for name in target.stages)} <= stages.keys()


def test_a_page_with_other_figures_is_another_page() -> None:
    kept = read()
    other = {**kept["stages"], "hl7v2: read": kept["stages"]["hl7v2: read"] + 1000}
    assert page({**kept, "stages": other}) != page(kept)
