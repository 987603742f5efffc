"""Who is calling, and what they may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.directory import Directory
from gateway.access.policy import Action, allow
from gateway.access.principal import Credential, Kind, Principal, digest_of
from gateway.domain.identifiers import OdsCode

RBA, RZA, VNE51 = OdsCode("RBA"), OdsCode("RZA"), OdsCode("VNE51")
TRUST = Principal(kind=Kind.TRUST, tenant=RBA, name="RBA")
PROVIDER = Principal(kind=Kind.PROVIDER, tenant=VNE51, name="VNE51")
OPERATOR = Principal(kind=Kind.OPERATOR, tenant=None, name="operator")
DIRECTORY = Directory(
    [
        Credential(principal=TRUST, token_sha256=digest_of("first")),
        Credential(principal=TRUST, token_sha256=digest_of("second")),
        Credential(principal=PROVIDER, token_sha256=digest_of("other")),
    ]
)


@pytest.mark.parametrize("header", ["Bearer first", "bearer second", "BEARER  first "])
def test_a_known_token_names_its_one_tenant(header: str) -> None:
    assert DIRECTORY.authenticate(header) == TRUST


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "first",
        "Basic first",
        "Bearer",
        "Bearer ",
        "Bearer unknown",
        "Bearer " + digest_of("first"),
        "Bearer é",
    ],
)
def test_anything_else_names_nobody(header: str | None) -> None:
    assert DIRECTORY.authenticate(header) is None


@given(st.text(max_size=600))
def test_no_header_raises(header: str) -> None:
    assert DIRECTORY.authenticate(header) is None or header.lower().startswith("bearer")


def test_one_token_may_not_belong_to_two_callers() -> None:
    same = digest_of("same")
    with pytest.raises(ValueError, match="RBA and VNE51"):
        Directory([Credential(principal=TRUST, token_sha256=same), Credential(principal=PROVIDER, token_sha256=same)])


def test_a_credential_does_not_print_its_digest() -> None:
    assert digest_of("first") not in repr(Credential(principal=TRUST, token_sha256=digest_of("first")))


@pytest.mark.parametrize(("kind", "tenant"), [(Kind.TRUST, None), (Kind.PROVIDER, None), (Kind.OPERATOR, RBA)])
def test_every_partner_has_one_tenant_and_an_operator_none(kind: Kind, tenant: OdsCode | None) -> None:
    with pytest.raises(ValueError, match="tenant"):
        Principal(kind=kind, tenant=tenant, name="x")


READING = (Action.READ_STATUS, Action.READ_CONSOLE, Action.READ_BOOKS)
ACTING = (
    Action.APPOINT,
    Action.CLOSE_ALERT,
    Action.RESOLVE,
    Action.PAUSE,
    Action.PHARMACY,
    Action.REROUTE,
    Action.RECONCILE,
    Action.RESTORE,
    Action.ARCHIVE,
    Action.LEGAL_HOLD,
)
ALLOWED = {
    (TRUST, Action.SUBMIT, RBA),
    (TRUST, Action.READ_STATUS, RBA),
    (PROVIDER, Action.ACKNOWLEDGE, VNE51),
    (PROVIDER, Action.RELEASE, VNE51),
    (PROVIDER, Action.READ_STATUS, VNE51),
    *((OPERATOR, action, tenant) for action in (*READING, *ACTING) for tenant in (None, RBA, RZA, VNE51)),
}


@pytest.mark.parametrize("principal", [None, TRUST, PROVIDER, OPERATOR])
@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("tenant", [None, RBA, RZA, VNE51])
def test_what_is_not_in_the_table_is_denied(
    principal: Principal | None, action: Action, tenant: OdsCode | None
) -> None:
    assert allow(principal, action, tenant) is ((principal, action, tenant) in ALLOWED)
