"""What an alert says is kept once and read by several: the trust, the provider, whoever runs the gateway.

So it says what happened; what to do about it depends on the reader (`trust_advice`, `provider_advice`, `alert_kinds`).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gateway
from gateway.domain.cancel import CANCEL_TABLE
from gateway.domain.hold import HOLD_TABLE

_GATEWAY = Path(gateway.__file__).parent
_ADVICE = re.compile(r"\b[Rr]ing (them|the provider|the trust)\b|\bAsk the provider (whether|when|;)")
_WRITERS = (*sorted((_GATEWAY / "store" / "sql").glob("*.py")), _GATEWAY / "watch.py")


def _said(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("file", _WRITERS, ids=lambda file: file.stem)
def test_no_text_that_is_kept_tells_one_of_its_readers_what_to_do(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert [text for text in _said(tree) if _ADVICE.search(text)] == []


def test_no_alert_of_a_request_tells_one_of_its_readers_what_to_do() -> None:
    texts = [row.alert for row in (*CANCEL_TABLE, *HOLD_TABLE) if row.alert]
    assert texts
    assert [text for text in texts if _ADVICE.search(text)] == []
