"""Everything that an organisation can fetch, as one text: what is not in it nobody there can know."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import Any

from gateway.domain.books import Side
from gateway.domain.identifiers import OdsCode
from gateway.domain.prescription import Prescription
from gateway.domain.service_figures import Outcome
from gateway.enquiries import Enquiries
from gateway.ports.attention import AttentionQuery
from gateway.ports.board import ItemsWanted
from gateway.ports.inspection import Wanted
from gateway.ports.looking_up import Key, NameSought
from gateway.store.sql.instants import instant
from tests.factories import MOMENT

LATER = MOMENT + timedelta(days=400)


def spelled(value: Any) -> Any:
    """Give a value with what its `repr` leaves out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: spelled(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple | list | frozenset | set):
        return [spelled(one) for one in value]
    if hasattr(value, "items"):
        return {str(key): spelled(one) for key, one in value.items()}
    return str(value)


async def fetchable(
    enquiries: Enquiries, who: OdsCode, orders: Iterable[Prescription], *, days: Iterable[date] = ()
) -> dict[str, Any]:
    """Ask every question that there is for an organisation, of some orders and in general; times do not count."""
    found: dict[str, Any] = {
        "latest": await enquiries.latest(tenant=who, limit=100),
        "on its way": await enquiries.on_its_way(provider=who, limit=100),
        "alerts": await enquiries.open_alerts(tenant=who, limit=100),
        "attention": await enquiries.needs_attention(tenant=who, query=AttentionQuery(), now=LATER),
        "count": await enquiries.attention_count(tenant=who, now=LATER),
        "alive": await enquiries.aliveness(tenant=who),
        "items": await enquiries.items(
            ItemsWanted(outcomes=frozenset(Outcome), first=instant(0), before=LATER, limit=100), tenant=who
        ),
        "figures": await enquiries.figures(tenant=who, first=date(2020, 1, 1), last=date(2040, 1, 1)),
        "backlog": await enquiries.backlog(tenant=who),
        "messages": await enquiries.messages(tenant=who, wanted=Wanted()),
        "proposals": await enquiries.proposals(tenant=who, now=LATER),
        "to screen": await enquiries.to_screen(tenant=who, limit=100),
    }
    for day in days:
        found[f"list of {day}"] = await enquiries.listed(who, side=Side.PROVIDER, day=day)
    for what in orders:
        found |= {f"{what.id} {name}": one for name, one in (await _of_order(enquiries, who, what)).items()}
    spelt = spelled(found)
    assert isinstance(spelt, dict)
    return spelt


async def _of_order(enquiries: Enquiries, who: OdsCode, what: Prescription) -> dict[str, Any]:
    patient = what.patient
    sought = NameSought(family=patient.name.family, born=patient.birth_date)
    return {
        "view": await enquiries.prescription(what.id, tenant=who),
        "dossier": await enquiries.dossier(what.id, tenant=who),
        "covers": await enquiries.covers(what.id, tenant=who),
        "calls": await enquiries.stated(what.id, tenant=who),
        "facts": await enquiries.stated_facts(what.id, tenant=who),
        "by number": await enquiries.search(tenant=who, number=str(what.number)),
        "looked up": {
            f"{key} {value}": await enquiries.look_up(key, value, tenant=who)
            for key, value in (
                (Key.NUMBER, str(what.number)),
                (Key.ID, str(what.id)),
                *((Key.ID, str(line.id)) for line in what.lines),
                *((Key.ORDER_NUMBER, line.order_number) for line in what.lines),
                (Key.NHS_NUMBER, str(patient.nhs_number)),
            )
        },
        "by name": await enquiries.by_name(sought, tenant=who),
    }


async def told_of(enquiries: Enquiries, who: OdsCode, *, since: int) -> list[tuple[int, str]]:
    """Give what pages that stay open are told of, for an organisation."""
    moved = await enquiries.changes(since=since, limit=10_000)
    return [(change.seq, str(change.prescription_id)) for change in moved.changes if change.is_for(who)]
