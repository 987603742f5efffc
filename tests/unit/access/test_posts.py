"""From what an identity provider says to the posts a person may take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.posts import Organisation, Post, RoleClaim, RoleRule, posts_of
from gateway.access.roles import ROLES, Role, Serves
from gateway.domain.identifiers import OdsCode

RBA, RBA11, VNE51 = OdsCode("RBA"), OdsCode("RBA11"), OdsCode("VNE51")
KNOWN = {
    RBA: Organisation(tenant=RBA, serves=Serves.TRUST),
    RBA11: Organisation(tenant=RBA, serves=Serves.TRUST),
    VNE51: Organisation(tenant=VNE51, serves=Serves.PROVIDER),
}
PHARMACIST = RoleRule(value="hp", role=Role.HOMECARE_PHARMACIST, organisation=RBA)
STATED = RoleRule(value="R8003", role=Role.PRESCRIBER, stated=True)
WHOLE = RoleRule(value="ops", role=Role.OPERATOR)
RULES = (PHARMACIST, STATED, WHOLE, RoleRule(value="vp", role=Role.PROVIDER_PHARMACIST, stated=True))


def posts(claim: object) -> set[tuple[Role, OdsCode | None]]:
    found = posts_of(claim, where=RoleClaim(), rules=RULES, organisations=KNOWN)
    return {(post.role, post.tenant) for post in found}


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (["hp"], {(Role.HOMECARE_PHARMACIST, RBA)}),
        ("hp", {(Role.HOMECARE_PHARMACIST, RBA)}),
        (["hp", "ops", "hp"], {(Role.HOMECARE_PHARMACIST, RBA), (Role.OPERATOR, None)}),
        ([{"role_code": "R8003", "org_code": "RBA"}], {(Role.PRESCRIBER, RBA)}),
        ([{"role_code": "R8003", "org_code": "RBA11"}], {(Role.PRESCRIBER, RBA)}),  # a site is its trust
        ([{"role_code": "vp", "org_code": "VNE51"}], {(Role.PROVIDER_PHARMACIST, VNE51)}),
        ([{"role_code": "hp", "org_code": "RBA11"}], {(Role.HOMECARE_PHARMACIST, RBA)}),
        # what does not fit is no post
        (["HP"], set()),
        (["hp "], set()),
        (["R8003"], set()),  # a role that is for whomever is stated, and nobody is
        ([{"role_code": "R8003", "org_code": "RXX"}], set()),
        ([{"role_code": "R8003", "org_code": ""}], set()),
        ([{"role_code": "R8003", "org_code": "VNE51"}], set()),  # a prescriber of a provider
        ([{"role_code": "vp", "org_code": "RBA"}], set()),
        ([{"role_code": "hp", "org_code": "VNE51"}], set()),  # the rule and the token disagree
        ([{"role_code": "hp", "org_code": "RXX"}], set()),
        ([{"role_code": ["R8003"], "org_code": "RBA"}], set()),
        ([{"role_code": "R8003", "org_code": 7}], set()),
        (None, set()),
        ({}, set()),
        (7, set()),
        ([["hp"]], set()),
        ("", set()),
    ],
)
def test_only_what_a_rule_names_word_for_word_is_a_post(claim: object, expected: set[object]) -> None:
    assert posts(claim) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["hp", "ops", "vp", "R8003", "RBA", "VNE51", "x"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["role_code", "org_code", "other"]), inner, max_size=3)
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_claimed_every_post_is_one_a_principal_can_have(claim: object) -> None:
    for role, tenant in posts(claim):
        principal = Post(role=role, tenant=tenant).principal("1234")
        assert principal.tenant == tenant
        serves = KNOWN[tenant].serves if tenant else Serves.WHOLE
        assert serves in ROLES[role].serves
