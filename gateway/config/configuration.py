"""The configuration in force, as one frozen value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.access.posts import Organisations
from gateway.access.principal import Credential, Principal
from gateway.access.signing_in import SigningIn
from gateway.domain.custody import Custody
from gateway.domain.deadline import Deadlines
from gateway.domain.identifiers import OdsCode
from gateway.domain.lifecycle import LineState
from gateway.domain.notice_rules import NOBODY, NoticeRules
from gateway.domain.partner import Environment, Trust
from gateway.domain.retention import Retention
from gateway.domain.routing import RoutingTable
from gateway.sign.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """How long we try to send one message.

    Attributes:
        attempts: transmissions of one message, where its destination takes others, before a person is told that it
            cannot be sent.
        age_seconds: age of a message since its acceptance, after which the same happens.
        lease_seconds: how long one worker may hold a message; longer than the slowest provider's time limit.
    """

    attempts: int = 500
    age_seconds: float = 4 * 3600.0
    lease_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything the configuration folder says.

    Attributes:
        version: the folder's own name for itself; `digest` is the SHA-256 of its files and cannot be forgotten.
        organisation: the gateway's own ODS code.
        receiver_names: what MSH-5 or MSH-6 may call this gateway.
        deadlines: who holds a line in each state and for how long, already divided by `time_scale`.
        time_scale: how many times faster than real time the deadlines run; 1 outside demonstrations and tests.
        credentials: partners and operators with a token.
        certificates: SHA-256 of a client certificate, in hex, to the trust that shows it over MLLP.
        evidence: gives what prescribers' signatures are judged by, as it is on disk now.
        reference_days: how old the reference data may be before a person is told.
        retention: how long records stay in the store, and in an archive.
        notices: who is told outside the console.
        without_token: those without; nobody can call as them until they have one.
        organisations: what every ODS code of a trust, a trust's site or a provider stands for.
        signing_in: how people get into the console.
    """

    version: str
    digest: str
    organisation: OdsCode
    environment: Environment
    receiver_names: frozenset[str]
    trusts: Mapping[OdsCode, Trust]
    routing: RoutingTable
    deadlines: Deadlines
    time_scale: float = 1.0
    retry: RetryLimits
    credentials: tuple[Credential, ...] = ()
    without_token: tuple[Principal, ...] = ()
    certificates: Mapping[str, OdsCode] = field(default_factory=dict)
    reference_days: int = 42
    retention: Retention = field(default=Retention(terms=()))
    notices: NoticeRules = NOBODY
    evidence: Callable[[], Evidence] = field(default=Evidence, compare=False)
    organisations: Organisations = field(default_factory=dict)
    signing_in: SigningIn = field(default_factory=SigningIn)

    @property
    def custody(self) -> Mapping[LineState, Custody]:
        """Who holds a line in each state, and for how long where no dated limit says otherwise."""
        return self.deadlines.custody
