"""Who is calling, and what they may do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.directory import Directory
from gateway.access.policy import Action, allow
from gateway.access.principal import Credential, Kind, Principal, digest_of
from gateway.access.roles import ROLES, Role, Serves
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
    Action.TEND,
    Action.WORK,
    Action.ENVELOPE,
    Action.CANCEL,
    Action.HOLD,
    Action.RENEW,
    Action.RESEND,
    Action.PROPOSE_CODE,
    Action.APPROVE_CODE,
    Action.READ_MESSAGES,
    Action.UNMASK,
    Action.READ_AUDIT,
    Action.READ_PROVIDERS,
    Action.READ_PERFORMANCE,
    Action.READ_SETTINGS,
    Action.CHANGE_SETTINGS,
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


def person(role: Role, tenant: OdsCode | None) -> Principal:
    return Principal(kind=Kind.PERSON, tenant=tenant, name="1234", role=role)


EVERYBODY = [
    person(role, {Serves.TRUST: RBA, Serves.PROVIDER: VNE51, Serves.WHOLE: None}[serves])
    for role in Role
    for serves in sorted(ROLES[role].serves)
]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_words_and_its_organisation_or_none(role: Role) -> None:
    row = ROLES[role]
    assert row.words
    assert row.sees
    assert row.does
    assert row.serves
    if Serves.WHOLE not in row.serves:
        with pytest.raises(ValueError, match="tenant"):
            person(role, None)
    if row.serves == {Serves.WHOLE}:
        with pytest.raises(ValueError, match="tenant"):
            person(role, RBA)


@pytest.mark.parametrize("kind", [Kind.TRUST, Kind.PROVIDER, Kind.OPERATOR])
def test_only_a_person_has_a_role(kind: Kind) -> None:
    tenant = None if kind is Kind.OPERATOR else RBA
    with pytest.raises(ValueError, match="role"):
        Principal(kind=kind, tenant=tenant, name="x", role=Role.AUDITOR)


def test_a_person_without_a_role_is_nobody() -> None:
    with pytest.raises(ValueError, match="role"):
        Principal(kind=Kind.PERSON, tenant=RBA, name="x")


@pytest.mark.parametrize("who", EVERYBODY, ids=str)
@pytest.mark.parametrize("action", list(Action))
def test_a_person_with_an_organisation_may_do_nothing_elsewhere(who: Principal, action: Action) -> None:
    if who.tenant is not None:
        assert not allow(who, action, RZA)
        assert not allow(who, action, None)


SAFETY = (
    # Who looks after machines and figures sees no patient (console.md 3).
    (Action.READ_CONSOLE, {Role.OPERATOR, Role.AUDITOR, Role.ANALYST, Role.COMMISSIONER, Role.INTEGRATION_ENGINEER}),
    (Action.CANCEL, set(Role) - {Role.HOMECARE_PHARMACIST, Role.PRESCRIBER}),
    (Action.PHARMACY, set(Role) - {Role.HOMECARE_PHARMACIST}),
    # Work items and acts on prescriptions show whose they are.
    (Action.WORK, {Role.OPERATOR, Role.AUDITOR, Role.ANALYST, Role.COMMISSIONER, Role.INTEGRATION_ENGINEER}),
    (Action.RESEND, set(Role) - {Role.HOMECARE_PHARMACIST}),
    (Action.RESOLVE, set(Role) - {Role.HOMECARE_PHARMACIST}),
    (Action.APPROVE_CODE, set(Role) - {Role.MAP_APPROVER}),
    (Action.REROUTE, set(Role) - {Role.HOMECARE_PHARMACIST, Role.CHIEF_PHARMACIST}),
    (Action.UNMASK, set(Role) - {Role.INTEGRATION_ENGINEER}),
    (Action.READ_AUDIT, set(Role) - {Role.AUDITOR}),
    (Action.PAUSE, set(Role) - {Role.OPERATOR}),
    (Action.TEND, set(Role) - {Role.OPERATOR}),
    (Action.CHANGE_SETTINGS, set(Role) - {Role.OPERATOR, Role.CHIEF_PHARMACIST}),
    (Action.APPOINT, set(Role)),
    (Action.RESTORE, set(Role)),
    (Action.SUBMIT, set(Role)),
    (Action.ACKNOWLEDGE, set(Role)),
)


@pytest.mark.parametrize(("action", "never"), SAFETY, ids=[action for action, _ in SAFETY])
def test_an_act_belongs_to_its_roles_alone(action: Action, never: set[Role]) -> None:
    assert {who.role for who in EVERYBODY if not allow(who, action, who.tenant)} >= never
    assert {who.role for who in EVERYBODY if allow(who, action, who.tenant)}.isdisjoint(never)


def test_every_role_may_do_something() -> None:
    for who in EVERYBODY:
        assert any(allow(who, action, who.tenant) for action in Action)
