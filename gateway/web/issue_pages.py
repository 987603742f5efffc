"""`GET /issues/{code}`: one page for each issue code, for whoever reads the refusal (mapping.md 11).

The pages are public: they hold nothing but the table of codes.
"""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.domain.issue import CODES, ENVELOPE, CodeRow, Effect, Issue
from gateway.domain.issue_texts import TEXTS
from gateway.domain.labels import OWN_FAULTS, WANTS_RELEASE
from gateway.web.turned import Turned

_FOLLOWS = {
    Effect.REFUSE: "The message is refused. Nothing of it was passed on.",
    Effect.HOLD_MAP: "The line is held here until two people approve an entry in the trust's table.",
    Effect.HOLD_SOURCE: "The line is held here. Only the trust can end the contradiction.",
    Effect.WARN: "The line goes on; the warning is shown to the pharmacist.",
}
_AGAIN = {
    Effect.REFUSE: (
        "Correct it and send it under a new control id. If the signed content changes, the prescriber signs again."
    ),
    Effect.HOLD_MAP: "Send nothing: the stored bytes are read again when the entry is approved.",
    Effect.HOLD_SOURCE: (
        "Send a change, or a cancel and a new order, under a new control id, signed again by the prescriber."
    ),
    Effect.WARN: "Send nothing again for this.",
}
_WANTS_RELEASE = (
    "The line is held here until the gateway has a dm+d release that has it. Nobody here gives a national code another"
    " meaning."
)
_AGAIN_BY_RELEASE = (
    "If the code is right, ask the gateway's operator for a release that has it. If it is wrong, send a corrected order"
    " under a new control id."
)
_SAME_ID = "The same control id may be used again: nothing is stored under it."


def again(code: str, row: CodeRow) -> str:
    """Say whether the same id may be sent again, or a new one, perhaps signed anew, is needed."""
    if row.retryable and code not in ENVELOPE:
        return "Send the same bytes again, under the same control id."
    if code in ENVELOPE:
        return _SAME_ID
    if code in OWN_FAULTS:
        return "Send nothing: the fault is not yours."
    return _AGAIN_BY_RELEASE if code in WANTS_RELEASE else _AGAIN[row.effect]


def _follows(code: str, row: CodeRow) -> str:
    if code in OWN_FAULTS:
        return "The line is held here until the gateway's operator has mended what we wrote."
    return _WANTS_RELEASE if code in WANTS_RELEASE else _FOLLOWS[row.effect]


def page(code: str) -> str:
    """Write the page of one code.

    Raises:
        KeyError: there is no such code.
    """
    row = CODES[code]
    meaning, example = TEXTS.get(code, (row.advice, ""))
    parts = (
        ("What it means", meaning),
        ("Example", example),
        ("What follows", _follows(code, row)),
        ("What to change", row.advice),
        ("Same id or new", again(code, row)),
        ("In HL7 v2", f"ERR-3 {row.hl7} of table 0357; ERR-5 {code}"),
        ("In FHIR", f"OperationOutcome.issue.code {row.fhir}; details.coding.code {code}"),
    )
    body = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in parts if text)
    head = f"<meta charset=utf-8><title>{escape(code)}</title>"
    return f"<!doctype html><html lang=en><head>{head}</head><body><h1>{escape(code)}</h1><dl>{body}</dl></body></html>"


def index() -> str:
    """Write the list of all codes."""
    rows = "".join(
        f'<li><a href="/issues/{escape(code)}">{escape(code)}</a>: {escape(row.advice)}</li>'
        for code, row in CODES.items()
    )
    head = "<meta charset=utf-8><title>Issue codes</title>"
    return f"<!doctype html><html lang=en><head>{head}</head><body><ul>{rows}</ul></body></html>"


async def show(request: Request) -> Response:
    """Give the page of the code in the address."""
    code = request.path_params["code"]
    if code not in CODES:
        raise Turned(404, Issue(code="ADDRESS_UNKNOWN", location="", text="There is no such issue code."))
    return HTMLResponse(page(code), headers={"Cache-Control": "max-age=3600"})


async def listing(_: Request) -> Response:
    """Give the list of all codes."""
    return HTMLResponse(index(), headers={"Cache-Control": "max-age=3600"})
