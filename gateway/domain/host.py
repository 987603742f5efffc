"""Names and addresses of machines: what never leaves this one may go without TLS."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Tell whether a name or address is this machine's own; a name but `localhost` is taken for another's."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
