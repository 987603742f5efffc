"""The folder `signatures/`: authorities are part of the configuration, evidence is read as it changes."""

import os
from importlib.resources import files
from pathlib import Path
from shutil import copytree

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.config.load import load
from gateway.domain.errors import ConfigurationError
from tests.signers import Authority, signer

ROOT = Authority()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "configuration"
    copytree(str(files("gateway.config").joinpath("demonstration")), root)
    for name in ("anchors", "intermediates", "crls", "ocsp"):
        (root / "signatures" / name).mkdir(parents=True)
    return root


def test_without_a_folder_there_is_no_evidence(folder: Path) -> None:
    for configuration in (load(None), load(folder)):
        assert configuration.evidence().anchors == ()


def test_authorities_are_read_once_and_are_part_of_the_digest(folder: Path) -> None:
    before = load(folder).digest
    (folder / "signatures/anchors/root.pem").write_bytes(ROOT.made.public_bytes(Encoding.PEM))
    (folder / "signatures/intermediates/other.der").write_bytes(ROOT.made.public_bytes(Encoding.DER))
    configuration = load(folder)
    assert configuration.digest != before
    found = configuration.evidence()
    assert (found.anchors, found.intermediates) == ((ROOT.made,), (ROOT.made,))


def test_a_renewed_list_is_used_without_a_new_start(folder: Path) -> None:
    configuration = load(folder)
    file = folder / "signatures/crls/root.crl"
    file.write_bytes(ROOT.crl().public_bytes(Encoding.PEM))
    (folder / "signatures/ocsp/one.der").write_bytes(ROOT.answer(signer(ROOT).certificate).public_bytes(Encoding.DER))
    found = configuration.evidence()
    assert (len(found.crls), len(found.answers)) == (1, 1)
    assert configuration.evidence() is found
    file.write_bytes(b"half of a li")
    os.utime(file, ns=(1, 1))
    assert configuration.evidence().crls == ()
    assert load_digest(folder) == configuration.digest


def load_digest(folder: Path) -> str:
    (folder / "signatures/crls/root.crl").unlink()
    return load(folder).digest


@pytest.mark.parametrize("name", ["anchors/a.pem", "intermediates/a.pem", "crls/a.crl", "ocsp/a.der"])
def test_a_file_that_cannot_be_read_is_a_fault_at_the_start(folder: Path, name: str) -> None:
    (folder / "signatures" / name).write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigurationError, match=f"signatures/{name}"):
        load(folder)
