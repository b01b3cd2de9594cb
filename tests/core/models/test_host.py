"""Which hosts there can be, and which of them are this machine."""

from __future__ import annotations

import pytest

from tuppence.core.models.host import ascii_host, is_loopback

HERE = (
    "localhost", "LOCALHOST", "localhost.", "LocalHost.", "app.localhost", "a.b.localhost.", "127.0.0.1", "127.9.9.9",
    "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::FFFF:7f00:1",
)  # fmt: skip
ELSEWHERE = (
    "127.1", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "127.0.0.01", "0.0.0.0", "::", "0",  # noqa: S104 - nothing binds to it here
    "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "localhost.evil.example", "localhostx", "xlocalhost",
    "127.0.0.1.evil.example", "evil.example", "localhost。evil.example", "local host", "%6cocalhost",
    "127.0.0.1%2eevil.example", "evil.example#localhost", "localhost@evil.example", "loca1host", "localhost..",
    ".localhost", "..localhost", "ⓛocalhost", "①②⑦.0.0.1", "127。0。0。1", "xn--localhost", "localhost\0",
    "localhost\n", "", ".", "-", "10.0.0.1", "169.254.169.254", "ip6-localhost", "localhost.localdomain", "\ud800",
)  # fmt: skip
NOT_ONE = (
    "", ".", "..", "a..b", ".a", "a" * 64, "a" * 64 + ".com", "a." * 127 + "com", "xn--a", "xn--", "xn--a.com",
    "😀.com", "a\ud800.com", "a b.com", "a%20b", "a/b", "a?b", "a#b", "a@b", "a:b", "a\\b", "[::1]", "a\0b", "a\tb",
    "a\n", "ⓛocalhost", "\u2024.com", "\u3002", "a\u3002\u3002b", "1.2.3.4:5", "ß" * 64, "\u200d.com", "*", "a,b",
    "a;b", "a'b", 'a"b',
)  # fmt: skip


@pytest.mark.parametrize("host", HERE)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.attack("keys", "a host that only looks like this machine")
@pytest.mark.parametrize("host", ELSEWHERE)
def test_what_is_not_surely_this_machine_is_another(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.attack("keys", "a host that is none")
@pytest.mark.parametrize("host", NOT_ONE)
def test_what_no_machine_can_be_called(host: str) -> None:
    assert ascii_host(host) is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("Example.COM.", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("例え。jp", "xn--r8jz45g.jp"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("my_host", "my_host"),
        ("gpu-1", "gpu-1"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        ("192.168.0.7", "192.168.0.7"),
        ("FE80::1", "fe80::1"),
    ],
)
def test_ordinary_names_stay(host: str, expected: str) -> None:
    assert ascii_host(host) == expected
