"""What pharmacists and map approvers do at the console beyond the store: screening, and giving codes a meaning."""

from gateway.pipeline.code_desk import CodeDesk
from gateway.pipeline.screening import ScreeningDesk
from gateway.wiring.build import Gateway


def at_the_desk(gateway: Gateway) -> dict[type, object]:
    """Give the services of those pages, by class."""
    sealer = gateway.keys.seal(gateway.configuration.organisation)
    return {
        ScreeningDesk: ScreeningDesk(
            store=gateway.store,
            enquiries=gateway.enquiries,
            sealer=sealer,
            around=gateway.around,
            clock=gateway.clock,
        ),
        CodeDesk: CodeDesk(
            store=gateway.store,
            enquiries=gateway.enquiries,
            around=gateway.around,
            book=gateway.book,
            clock=gateway.clock,
            wake=gateway.rereads.set,
        ),
    }
