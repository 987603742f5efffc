"""XTN: numbers as they are dialled, and e-mail addresses sent with them."""

import pytest

from tests.hl7v2_orders import edited, golden, read


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ("01632 960001", [("phone", "01632 960001", "home")]),
        (
            "01632960001^PRN^PH^a.b@example.org",
            [("phone", "01632960001", "home"), ("email", "a.b@example.org", "home")],
        ),
        ("^NET^Internet^a.b@example.org", [("email", "a.b@example.org", "home")]),
        ("a.b@example.org^NET^Internet", [("email", "a.b@example.org", "home")]),
        ("^PRN^PH^^44^1632^960001", [("phone", "+441632960001", "home")]),
        ("^PRN^PH^^+44^01632^960001", [("phone", "+441632960001", "home")]),
        ("^PRN^PH^^^01632^960001^12", [("phone", "01632960001 ext. 12", "home")]),
        ("01632960001^WPN^PH^^^^^12", [("phone", "01632960001 ext. 12", "work")]),
        ("^PRN^CP^^44^7700^900123", [("phone", "+447700900123", "mobile")]),
        ("^PRN^PH^^^^^^^^^07700900123", [("phone", "07700900123", "mobile")]),
        ("^PRN^PH", []),
    ],
)
def test_every_part_of_a_number_is_carried(sent: str, said: list[tuple[str, str, str]]) -> None:
    order = read(edited(golden("S01"), {"PID-13": sent})).orders[0]
    assert order.prescription is not None
    assert [(each.system, each.value, each.use) for each in order.prescription.patient.contacts] == said


def test_each_of_two_contacts_sent_together_has_its_own_row() -> None:
    order = read(edited(golden("S01"), {"PID-13": "01632960001^^^a@example.org~01632960002"})).orders[0]
    rows = {row.target: row.source for row in order.trace if row.target.startswith("patient.contacts")}
    assert rows == {
        "patient.contacts[0]": "PID[1]-13[1].1",
        "patient.contacts[1]": "PID[1]-13[1].4",
        "patient.contacts[2]": "PID[1]-13[2].1",
    }
