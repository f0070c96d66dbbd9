"""Which addresses the platform calls: no spelling of a private one is public."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airside.outbound.addresses import is_public

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255
192.0.0.1 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::10.1.2.3 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe
64:ff9b:1::1 100::1 2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:c0a8:101:: fc00::1 fd00:ec2::254 fe80::1 fec0::1
ff02::1 2001:4700::5efe:7f00:1 2001:0:7f00:1:0:0:0:0
""".split()  # noqa: SIM905 -- one word for each address


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_called(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_called(address: str) -> None:
    assert is_public(address)


@settings(max_examples=50)
@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_never_more_public_than_itself(inner: IPv4Address) -> None:
    number = int(inner)
    nat64 = int(IPv6Address("64:ff9b::")) | number
    wrapped = [f"::ffff:{inner}", str(IPv6Address(nat64)), str(IPv6Address(0x2002 << 112 | number << 80))]
    assert [is_public(each) <= is_public(str(inner)) for each in wrapped] == [True, True, True]
