"""Members of a JSON object, read so that what is of another type reads as absent."""

from typing import Final

from gateway.wire.strict_json import JSON

LONGEST_TEXT: Final = 2000
_LONGEST_CODE: Final = 64
Resource = dict[str, JSON]


def object_in(value: Resource, name: str) -> Resource:
    """Give a member that is an object; an empty one if it is not."""
    member = value.get(name)
    return member if isinstance(member, dict) else {}


def list_in(value: Resource, name: str) -> list[JSON]:
    """Give a member that is a list; an empty one if it is not."""
    member = value.get(name)
    return member if isinstance(member, list) else []


def objects_in(value: Resource, name: str) -> list[Resource]:
    """Give the objects of a member that is a list."""
    return [member for member in list_in(value, name) if isinstance(member, dict)]


def text_in(value: Resource, name: str) -> str:
    """Give a member that is a text, cut at a length beyond which nobody reads."""
    member = value.get(name)
    return member[:LONGEST_TEXT] if isinstance(member, str) else ""


def code_in(value: Resource, name: str) -> str:
    """Take a code: short, of the characters codes are made of; anything else reads as none."""
    text = text_in(value, name)
    return text if len(text) <= _LONGEST_CODE and text.replace("-", "").replace("_", "").isalnum() else ""


def first_coding(value: Resource, name: str, system: str = "") -> Resource:
    """Give the first coding of a CodeableConcept, of a system if one is named."""
    codings = objects_in(object_in(value, name), "coding")
    return next((coding for coding in codings if not system or coding.get("system") == system), {})
