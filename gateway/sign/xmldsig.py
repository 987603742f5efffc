"""XML Signatures in the two forms that are accepted: the EPS form over a prescription, and enveloped in trust XML.

Each has one Reference, one certificate, and fixed transforms. There are no identifiers to move and nothing that leads
elsewhere: the enveloped form signs the whole document less the Signature, so that only the signed node is ever read.

Source: W3C XML Signature 1.1 and Exclusive XML Canonicalization 1.0; eps.md 4.3, 4.4; reliability-security.md 4.2.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from gateway.domain.signature import SignatureReason
from gateway.sign.faults import Wrong
from gateway.sign.keys_used import Method
from gateway.wire.xml_octets import parser

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = f"{DS}enveloped-signature"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
_MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_METHODS: Final = {
    f"{_MORE}rsa-sha256": Method.RS256,
    f"{_MORE}ecdsa-sha256": Method.ES256,
    f"{_MORE}ecdsa-sha384": Method.ES384,
}
_EPS_METHODS: Final = {f"{_MORE}rsa-sha256": Method.RS256}
LARGEST: Final = 1 << 20
"""Bytes of a Signature; one with its certificate has some thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class XmlSignature:
    """A Signature that has one of the two forms.

    Attributes:
        signed_info: SignedInfo, canonicalised anew: what the key signed.
        digest: of what the Reference names.
        certificate: DER.
    """

    method: Method
    signed_info: bytes = field(repr=False)
    digest: bytes
    value: bytes = field(repr=False)
    certificate: bytes = field(repr=False)


def read_eps(octets: bytes) -> XmlSignature:
    """Read the Signature of `Provenance.signature.data`: one Reference without URI, exclusive canonicalisation.

    Raises:
        Wrong: MALFORMED or ALGORITHM_REFUSED.
    """
    return _read(_parse(octets), uri=None, transforms=(EXCLUSIVE,), methods=_EPS_METHODS)


def read_enveloped(document: bytes) -> XmlSignature:
    """Read the Signature of a document that holds it, and check that it covers the whole of the rest.

    Raises:
        Wrong: MALFORMED, ALGORITHM_REFUSED or DIGEST_MISMATCH.
    """
    root = _parse(document)
    found = list(root.iter(f"{{{DS}}}Signature"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise _malformed("there must be one Signature, directly below the root")
    signature = _read(found[0], uri="", transforms=(ENVELOPED, EXCLUSIVE), methods=_METHODS)
    if hashlib.sha256(_without(root, found[0])).digest() != signature.digest:
        raise Wrong(SignatureReason.DIGEST_MISMATCH, "the document was changed after it was signed")
    return signature


def _without(root: etree._Element, signature: etree._Element) -> bytes:
    """Give the canonical document less the Signature; the text after it stays where it was."""
    before, tail = signature.getprevious(), signature.tail or ""
    if before is None:
        root.text = (root.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    root.remove(signature)
    return _canonical(root)


def _canonical(element: etree._Element) -> bytes:
    return bytes(etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False))


def _parse(octets: bytes) -> etree._Element:
    if len(octets) > LARGEST or b"<!" in octets.replace(b"<![CDATA[", b""):
        raise _malformed("it is too large, or holds a comment or a declaration, which no signature covers")
    try:
        root = etree.fromstring(octets, parser())
    except (etree.XMLSyntaxError, ValueError):
        raise _malformed("it is not well-formed XML") from None
    if any(not isinstance(one.tag, str) for one in root.iter()):
        raise _malformed("it holds a processing instruction")
    return root


def _read(
    signature: etree._Element, *, uri: str | None, transforms: tuple[str, ...], methods: dict[str, Method]
) -> XmlSignature:
    if signature.tag != f"{{{DS}}}Signature":
        raise _malformed("it is not a Signature")
    info, value, key = _children(signature, "SignedInfo", "SignatureValue", "KeyInfo")
    canonicalisation, signing, reference = _children(info, "CanonicalizationMethod", "SignatureMethod", "Reference")
    listed, hashing, digest = _children(reference, "Transforms", "DigestMethod", "DigestValue")
    steps = _children(listed, *("Transform" for _ in transforms))
    for element in (canonicalisation, signing, hashing, *steps):
        _children(element)
    if reference.get("URI") != uri or set(reference.attrib) - {"URI"}:
        raise _malformed("the Reference leads elsewhere than to what is signed")
    method = methods.get(_algorithm(signing))
    if method is None:
        raise _refused(_algorithm(signing))
    if _algorithm(hashing) != SHA256:
        raise _refused(_algorithm(hashing))
    if _algorithm(canonicalisation) != EXCLUSIVE or tuple(map(_algorithm, steps)) != transforms:
        raise Wrong(SignatureReason.ALGORITHM_REFUSED, "the transforms are not those that are accepted")
    (data,) = _children(key, "X509Data")
    (certificate,) = _children(data, "X509Certificate")
    return XmlSignature(
        method=method,
        signed_info=_canonical(info),
        digest=_octets(digest),
        value=_octets(value),
        certificate=_octets(certificate),
    )


def _algorithm(element: etree._Element) -> str:
    return str(element.get("Algorithm", ""))


def _refused(algorithm: str) -> Wrong:
    if algorithm.endswith(("sha1", "md5")):
        return Wrong(SignatureReason.ALGORITHM_REFUSED, "it was made with SHA-1 or MD5, which are never accepted")
    return Wrong(SignatureReason.ALGORITHM_REFUSED, "the algorithm is absent or not one that is accepted")


def _children(element: etree._Element, *names: str) -> tuple[etree._Element, ...]:
    """Give the children, which must be exactly these, with nothing between them."""
    children = tuple(element)
    if [str(child.tag) for child in children] != [f"{{{DS}}}{name}" for name in names]:
        raise _malformed(f"{etree.QName(element).localname} does not hold exactly what it should")
    if any((text or "").strip() for text in (element.text, *(child.tail for child in children))):
        raise _malformed(f"words stand in {etree.QName(element).localname}")
    return children


def _octets(element: etree._Element) -> bytes:
    if len(element):
        raise _malformed(f"{etree.QName(element).localname} is not base64")
    try:
        octets = base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets:
        raise _malformed(f"{etree.QName(element).localname} is empty or not base64")
    return octets


def _malformed(text: str) -> Wrong:
    return Wrong(SignatureReason.MALFORMED, text)
