"""How a step of the check of a prescriber's signature says that it failed."""

from gateway.domain.signature import SignatureReason


class Wrong(Exception):
    """The signature is invalid, whatever else may be found."""

    def __init__(self, reason: SignatureReason, text: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.text = text


class Unknown(Exception):
    """Something that would have to be known is not; the steps that follow are still taken."""

    def __init__(self, reason: SignatureReason, text: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.text = text
