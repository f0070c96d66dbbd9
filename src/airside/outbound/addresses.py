"""Which addresses are public: all that the Internet routes, and nothing that stands for another network in it."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_ISATAP = 0x00005EFE
_ISATAP_MASK = 0xFDFFFFFF  # without the bit that says whether the address is unique

Address = IPv4Address | IPv6Address


def is_public(text: str) -> bool:
    """Whether an address is one that the whole Internet may reach.

    >>> is_public("93.184.216.34"), is_public("2606:2800:220:1::1")
    (True, True)
    >>> is_public("127.0.0.1"), is_public("10.1.2.3"), is_public("169.254.169.254"), is_public("100.64.0.1")
    (False, False, False, False)
    >>> is_public("::ffff:127.0.0.1"), is_public("64:ff9b::a9fe:a9fe"), is_public("2002:7f00:1::")
    (False, False, False)
    """
    address = ip_address(text)
    stands_for = _translated(address)
    if stands_for is not None:
        return _is_global(stands_for)
    return all(_is_global(each) for each in (address, *_embedded(address)))


def _is_global(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or (isinstance(address, IPv6Address) and address.is_site_local)
    )


def _translated(address: Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address is but another spelling of."""
    if isinstance(address, IPv4Address):
        return None
    return address.ipv4_mapped or (_low(address) if address in _NAT64 else None)


def _embedded(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses that an IPv6 address leads to where it is tunnelled."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.sixtofour, *(address.teredo or ())]
    if address in _COMPATIBLE or int(address) >> 32 & _ISATAP_MASK == _ISATAP:
        found.append(_low(address))
    return tuple(each for each in found if each is not None)


def _low(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)
