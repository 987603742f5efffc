"""`gateway rules`."""

from gateway.translate.maps.page import page


def rules() -> None:
    """Print every rule of translation, in Markdown: the page docs/mapping-rules.md."""
    print(page(), end="")
