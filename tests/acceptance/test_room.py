"""A gateway whose disk is as good as full, seen through its real doors: new work waits, what was taken goes on."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from tests.acceptance.test_serve import MESSAGE, Child, _over_mllp, _post

NO_ROOM = {"GATEWAY_DISK_FLOOR_BYTES": str(1 << 60)}


def _answer_of_provider(gateway: Child) -> int:
    request = urllib.request.Request(  # noqa: S310 - loopback, http
        f"{gateway.base}/callbacks/VNE51",
        data=json.dumps({"resourceType": "Bundle"}).encode(),
        headers={
            "Authorization": f"Bearer {gateway.token('provider VNE51')}",
            "Content-Type": "application/fhir+json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback, http
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_without_room_both_doors_say_not_taken_and_with_room_the_same_bytes_are_taken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    full = Child(data, "--only", "http,mllp", **NO_ROOM)
    full.ready()
    token = full.token("trust RBA")
    request = urllib.request.Request(  # noqa: S310 - loopback, http
        f"{full.base}/hl7v2",
        data=MESSAGE,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/hl7-v2"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback, http
            code, after = response.status, ""
    except urllib.error.HTTPError as error:
        with error:
            code, after = error.code, error.headers["Retry-After"]
    assert (code, after) == (503, "30")
    answer = _over_mllp(full.until(r"^MLLP (\S+)$")[1], MESSAGE)
    assert b"MSA|CE|S01-0001" in answer  # enhanced mode: not committed, for a reason outside the message
    assert b"NOT_STORED" in answer
    assert _answer_of_provider(full) != 503
    assert not (data / "reserve").exists()
    full.until("room_low")
    assert full.end() == 0

    roomy = Child(data, "--only", "http,mllp")
    roomy.ready()
    assert (data / "reserve").stat().st_size == 16 << 20
    status, taken = _post(roomy.base, MESSAGE, token)
    assert status == 200
    assert b"MSA|CA|S01-0001" in taken
    assert roomy.end() == 0
    assert not (data / "reserve").exists()
