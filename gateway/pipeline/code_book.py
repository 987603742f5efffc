"""The trusts with the entries that count now: those of their files, and those two people approved at the console.

What reads messages asks here, so that an entry counts from the moment this node hears of it. The store is asked anew
when its version has moved; it decides, and refuses to seal what was read by an entry that was taken back meanwhile.

Source: brief D12; mapping.md 5.
"""

from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.code_map import ApprovedEntry, with_approved
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Trust
from gateway.ports.code_maps import CodeMapReads


class CodeBook(Mapping[OdsCode, Trust]):
    """Trusts by code, each with the entries that count.

    Args:
        configured: the trusts as their files have them.
    """

    def __init__(self, configured: Mapping[OdsCode, Trust]) -> None:
        self._configured = configured
        self._version = (0, 0)
        self._trusts: Mapping[OdsCode, Trust] = dict(configured)

    def __getitem__(self, ods: OdsCode) -> Trust:
        return self._trusts[ods]

    def __iter__(self) -> Iterator[OdsCode]:
        return iter(self._configured)

    def __len__(self) -> int:
        return len(self._configured)

    async def look(self, reads: CodeMapReads) -> bool:
        """Take over what was approved or taken back since the last look; tells whether anything was.

        Raises:
            Unavailable: the store cannot be read; everything counts as before.
        """
        version = await reads.entries_version()
        if version == self._version:
            return False
        self.take(await reads.approved_entries())
        self._version = version
        return True

    def take(self, approved: Sequence[ApprovedEntry]) -> None:
        """Let these entries count, and no others beside those of the files."""
        of: dict[OdsCode, list[ApprovedEntry]] = {}
        for one in approved:
            of.setdefault(one.trust, []).append(one)
        self._trusts = {ods: with_approved(trust, of.get(ods, ())) for ods, trust in self._configured.items()}
