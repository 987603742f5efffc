"""A copy for testing keeps what names an entry of a bundle, and no words that only hold such a name."""

import pytest

from gateway.console.inspector.copying import _node

ID = "0b6d2f1e-3c4a-4d5e-8f90-123456789abc"


@pytest.mark.parametrize(
    ("value", "copied"),
    [
        (ID, ID),
        (f"urn:uuid:{ID}", f"urn:uuid:{ID}"),
        (f"Patient/{ID}", f"Patient/{ID}"),
        (f"Aoife TESTPATIENT rang about {ID}", "TEST"),
        (f"{ID} is Aoife's", "TEST"),
    ],
)
def test_words_that_hold_an_id_are_not_kept_for_it(value: str, copied: str) -> None:
    assert _node({"note": [{"text": value}]}, "Bundle", {}) == {"note": [{"text": copied}]}
