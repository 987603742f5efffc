"""The implementation guide says what the definitions say."""

import re

from fhir_profiles import guide
from gateway.config.profiles import load_definitions


def test_the_page_is_what_the_definitions_say_now() -> None:
    assert guide.TARGET.read_text(encoding="utf-8") == guide.text(), "run python -m fhir_profiles.guide"


def test_every_definition_every_element_and_every_code_is_on_the_page() -> None:
    page = guide.text()
    for one in load_definitions():
        assert f"`{one['url']}`" in page
        for element in one.get("differential", {}).get("element", ()):
            assert f"| `{element['id']}` |" in page
        for part in one.get("compose", {}).get("include", ()):
            assert all(f"| `{part['system']}` | `{concept['code']}` |" in page for concept in part.get("concept", ()))


def test_every_link_leads_to_a_section() -> None:
    page = guide.text()
    sections = {title.lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= sections
