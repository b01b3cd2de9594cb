"""TLS failures: the message names the certificate's problem, nothing is sent and nothing is charged."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from certificates import FLAWS, Authority, Flaw
from fault_bench import ANSWER, Bench, Case, bench
from fault_provider import DROP, PAUSE, RESET, SILENCE, FaultProvider, Steps, head, steps, whole

Count = Callable[[str, object], None]
ISSUER = (
    "The certificate of mine cannot be verified: its issuer is not known here. Where a proxy stands in between, let "
    "SSL_CERT_FILE name the file that holds its certificate."
)
DATE = "Check the date of this machine; where that is right, the server needs another certificate."
HOST = "it is for another host. Check the base_url; where the network asks you to sign in, do that first."
SAID: dict[Flaw, str] = {
    "self-signed": ISSUER,
    "unknown authority": ISSUER,
    "expired": f"it has expired. {DATE}",
    "not yet valid": f"it is not valid yet. {DATE}",
    "another host": HOST,
    "no host": HOST,
}
NO_TLS = "mine cannot be reached by TLS at https://localhost:"
UNREACHABLE = "mine cannot be reached at https://localhost:"
CLOSED = "mine closed the connection before it answered."
NO_TLS_SERVERS: tuple[tuple[str, Steps, str], ...] = (
    ("a mail server", steps(b"220 mail.example ESMTP\r\n", PAUSE, DROP), NO_TLS),
    ("HTTP", steps(head(400), PAUSE, DROP), NO_TLS),
    ("an alert", steps(b"\x15\x03\x01\0\x02\x02\x46", PAUSE, DROP), NO_TLS),
    ("half a record", steps(b"\x16\x03\x03\x40", PAUSE, DROP), "mine cannot be reached"),
    ("a drop", steps(DROP), "mine cannot be reached"),
    ("a reset", steps(RESET), "mine cannot be reached"),
    ("silence", steps(SILENCE), UNREACHABLE),
)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


@contextmanager
def secured(folder: Path, context: ssl.SSLContext | None) -> Iterator[Bench]:
    """Start a bench whose provider is asked by https, whether it speaks TLS or not."""
    with bench(folder, FaultProvider(context), host="localhost") as on:
        yield on


@pytest.mark.fault("provider", "a certificate that is wrong")
def test_each_flaw_of_a_certificate_is_named(tmp_path: Path, authority: Authority, record_property: Count) -> None:
    with secured(tmp_path, authority.server()) as on:
        assert on.tries(Case(name="none", scripts=[whole(ANSWER)], tries=1, bill="counted")) == 2
    assert set(SAID) == set(FLAWS)
    for number, (flaw, said) in enumerate(SAID.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        with secured(folder, authority.server(flaw=flaw)) as on:
            on.tries(Case(name=flaw, scripts=[whole(ANSWER)], says=said, tries=0, seconds=1))
            assert on.provider.connections == 0, "no byte of a request was sent"
    record_property("cases", 2 + 2 * len(SAID))


@pytest.mark.fault("provider", "TLS that ends early")
def test_tls_that_breaks_in_the_answer(tmp_path: Path, authority: Authority, record_property: Count) -> None:
    with secured(tmp_path, authority.server()) as on:
        cases = [
            Case(
                name=f"{end} behind the headers",
                scripts=[steps(head(), PAUSE, end)],
                says=CLOSED,
                tries=3,
                bill="estimate",
            )
            for end in (DROP, RESET)
        ]
        cases += [Case(name=f"{end} before", scripts=[[end]], says=CLOSED, tries=3) for end in (DROP, RESET)]
        cases += [Case(name="silent", scripts=[[SILENCE]], says="did not begin to answer within", bill="estimate")]
        cases += [Case(name="reset once", scripts=[[RESET], whole(ANSWER)], tries=2, bill="counted")]
        record_property("cases", on.tries(*cases))


@pytest.mark.fault("provider", "no TLS, or another kind")
def test_what_speaks_no_tls(tmp_path: Path, authority: Authority, record_property: Count) -> None:
    old = authority.server()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("AES128-SHA")
    with secured(tmp_path, old) as on:
        tried = on.tries(Case(name="no cipher in common", scripts=[whole(ANSWER)], says=NO_TLS, tries=0))
    plain = tmp_path / "plain"
    plain.mkdir()
    with bench(plain) as on:
        at = f"https://localhost:{on.provider.port}"
        cases = [
            Case(name=name, scripts=[script], says=says, begins="connected", base=at)
            for name, script, says in NO_TLS_SERVERS
        ]
        tried += on.tries(*cases)
    record_property("cases", tried)


@pytest.mark.fault("provider", "no TLS, or another kind")
def test_a_server_with_tls_that_is_asked_without(tmp_path: Path, authority: Authority) -> None:
    with secured(tmp_path, authority.server()) as on:
        at = f"http://localhost:{on.provider.port}"
        on.tries(Case(name="http to https", says="mine closed the connection before it answered", base=at, tries=0))
