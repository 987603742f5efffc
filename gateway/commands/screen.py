"""`gateway screen`: what a clinical check of an order came to."""

import asyncio

import typer

from gateway.commands.person import By, Config, Data, Reason
from gateway.commands.pharmacist import Asked, Which, carry_out, say
from gateway.settings import read_settings
from gateway.wiring.pharmacy import counter

app = typer.Typer(no_args_is_help=True, help="Say what the clinical check of a waiting order came to.")


@app.command("pass")
def passed(prescription: Which, *, reason: Reason, by: By, data: Data = None, config: Config = None) -> None:
    """Let an order go that waits for screening. Lines that were cancelled meanwhile stay behind.

    Where the prescriber signed the order as a whole and a line of it was cancelled, the rest needs a new signature.
    """
    settings = read_settings(data=data, config=config)
    asked = Asked(prescription=prescription, by=by, reason=reason).recognised(settings)

    async def act() -> tuple[str, ...]:
        async with counter(settings) as at:
            return await at.pharmacy.screen(asked.act(at.desk))

    say(asyncio.run(act()), "screened: it will be sent")


@app.command("fail")
def failed(prescription: Which, *, reason: Reason, by: By, data: Data = None, config: Config = None) -> None:
    """Hold an order that did not pass. The trust corrects it, or cancels it."""
    settings = read_settings(data=data, config=config)
    asked = Asked(prescription=prescription, by=by, reason=reason)
    carry_out(settings, asked, lambda at, act: at.store.fail_screening(act), "held: the trust must correct it")
