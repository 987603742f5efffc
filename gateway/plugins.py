"""Finds provider adapters by entry point, checks that they keep the contract, and makes one for each provider."""

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final

from gateway.destination import CONTRACT_VERSION, Destination
from gateway.domain.errors import ConfigurationError
from gateway.domain.identifiers import OdsCode
from gateway.domain.partner import Provider

GROUP: Final = "gateway.adapters"
MEMBERS: Final = ("name", "promises", "cannot_carry", "render", "transmit", "read_acknowledgement", "close")


def connect(
    providers: Mapping[OdsCode, Provider], *, found: Iterable[EntryPoint] | None = None
) -> Mapping[OdsCode, Destination]:
    """Make the destination of every provider.

    Args:
        providers: as configured; inactive ones too, for their answers are still read.
        found: the adapters to choose from; those installed if None.

    Raises:
        ConfigurationError: an adapter is absent, written for another contract, or does not start; every fault listed.
    """
    installed = {entry.name: entry for entry in (entry_points(group=GROUP) if found is None else found)}
    faults: list[str] = []
    destinations: dict[OdsCode, Destination] = {}
    for ods, provider in providers.items():
        try:
            destinations[ods] = _destination(provider, installed)
        except ConfigurationError as error:
            faults.extend(error.faults)
    if faults:
        raise ConfigurationError(*faults)
    return MappingProxyType(destinations)


def _destination(provider: Provider, installed: Mapping[str, EntryPoint]) -> Destination:
    name = provider.adapter
    if name not in installed:
        known = ", ".join(sorted(installed)) or "none"
        raise ConfigurationError(f"provider {provider.ods}: adapter {name} is not installed (installed: {known})")
    try:
        adapter: type[Destination] = installed[name].load()
    except Exception as error:
        raise ConfigurationError(f"adapter {name}: cannot be loaded: {type(error).__name__}") from error
    missing = [member for member in MEMBERS if not hasattr(adapter, member)]
    if missing:
        raise ConfigurationError(f"adapter {name}: lacks {', '.join(missing)}")
    if adapter.promises.contract != CONTRACT_VERSION:
        stated = adapter.promises.contract
        raise ConfigurationError(f"adapter {name}: keeps contract {stated}, this gateway needs {CONTRACT_VERSION}")
    if adapter.name != name:
        raise ConfigurationError(f"adapter {name}: calls itself {adapter.name}")
    try:
        return adapter(provider)
    except ConfigurationError:
        raise
    except Exception as error:
        # Plug-in code: whatever it raises, its text may quote a secret of the settings.
        raise ConfigurationError(f"provider {provider.ods}: adapter {name} refuses its settings") from error
