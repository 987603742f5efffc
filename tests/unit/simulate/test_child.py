"""What the demonstration learns from its gateway's own output."""

from pathlib import Path

from gateway.simulate.child import Child
from gateway.simulate.folder import choose_addresses


def test_the_newest_link_that_was_printed_whole_is_shown(tmp_path: Path) -> None:
    child = Child(data=tmp_path, config=tmp_path, addresses=choose_addresses((), ()))
    assert child.console_link() == ""
    child.log.write_bytes(b"Console (this link works once): http://127.0.0.1:8080/console/enter/one\n")
    assert child.console_link().endswith("/one")
    with child.log.open("ab") as log:
        log.write(b'{"event": "x"}\nConsole (this link works once): http://127.0.0.1:8080/console/enter/tw')
    assert child.console_link().endswith("/one")
    with child.log.open("ab") as log:
        log.write(b"o\n")
    assert child.console_link().endswith("/two")
    assert child.console_link().endswith("/two")
