"""Where keys come from, in which order, and that none is ever shown."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType

import pytest

from tuppence.core.models.model import Provider
from tuppence.credentials import SERVICE, Keys

MINE = Provider("mine", "openai", "https://h/v1", "MINE_API_KEY")
OPEN = Provider("open", "openai", "http://127.0.0.1:1/v1", None)


class Ring(ModuleType):
    """Stands for the keyring package, which is an extra: the tests run with and without it."""

    def __init__(self) -> None:
        super().__init__("keyring")
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        if self.locked:
            raise RuntimeError("locked")
        return self.kept.get((service, username))


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    found = Ring()
    monkeypatch.setitem(sys.modules, "keyring", found)
    return found


def check(keys: Keys, key: str | None, lacking: str = "") -> None:
    assert keys.of(MINE) == key
    assert keys.ready(MINE) == (key is not None)
    assert keys.lacking(MINE) == lacking


def test_the_environment_goes_before_the_keyring_and_that_before_the_client(ring: Ring) -> None:
    environ, handed = {"MINE_API_KEY": " from-environment\n"}, {"MINE_API_KEY": "from-client"}
    ring.kept[SERVICE, "MINE_API_KEY"] = "from-keyring"
    check(Keys(environ, handed), "from-environment")
    check(Keys({}, handed), "from-keyring")
    ring.kept.clear()
    check(Keys({}, handed), "from-client")
    check(Keys({}), None, "MINE_API_KEY is not set.")


@pytest.mark.parametrize("empty", ["", "  \n"])
def test_set_but_empty_is_no_key_and_nothing_further_is_asked(ring: Ring, empty: str) -> None:
    ring.kept[SERVICE, "MINE_API_KEY"] = "from-keyring"
    check(Keys({"MINE_API_KEY": empty}, {"MINE_API_KEY": "from-client"}), None, "MINE_API_KEY is set but empty.")
    assert ring.asked == 0


def test_a_provider_without_a_variable_is_ready_and_gets_no_key() -> None:
    keys = Keys({"MINE_API_KEY": "secret"}, {})
    assert keys.of(OPEN) is None
    assert keys.ready(OPEN)
    assert keys.lacking(OPEN) == ""


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel", "a\x00b"])
def test_what_cannot_stand_in_a_header_is_no_key_and_is_not_shown(key: str) -> None:
    keys = Keys({"MINE_API_KEY": key})
    check(keys, None, "MINE_API_KEY holds characters that no key has.")


def test_a_keyring_that_fails_is_no_key(ring: Ring) -> None:
    ring.locked = True
    check(Keys({}, {"MINE_API_KEY": "from-client"}), "from-client")
    assert ring.asked == 1


def test_without_the_keyring_package_there_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    check(Keys({}), None, "MINE_API_KEY is not set.")


def test_the_real_keyring_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "keyring")
    keyring = pytest.importorskip("keyring", reason="the keyring extra is not installed")
    backend = pytest.importorskip("keyring.backends.null").Keyring()
    monkeypatch.setattr(backend, "get_password", lambda service, name: f"{service}:{name}")
    keyring.set_keyring(backend)
    check(Keys({}), "tuppence:MINE_API_KEY")


def test_the_keyring_is_asked_once(ring: Ring) -> None:
    keys = Keys({})
    for _ in range(3):
        assert not keys.ready(MINE)
    assert ring.asked == 1


def test_a_variable_is_read_once(ring: Ring) -> None:
    environ = Counted(MINE_API_KEY="planted-0123456789-key")
    keys = Keys(environ)
    for _ in range(3):
        assert keys.ready(MINE)
        assert keys.scan([MINE]).hide("a planted-0123456789-key") != "a planted-0123456789-key"
    assert environ.read["MINE_API_KEY"] == 1
    assert set(environ.read.values()) == {1}, "proxies too"
    assert ring.asked == 0


class Counted(Mapping[str, str]):
    """An environment that counts how often each variable is read."""

    def __init__(self, **values: str) -> None:
        self._values = values
        self.read = Counter[str]()

    def __getitem__(self, name: str) -> str:
        self.read[name] += 1
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def test_a_key_is_in_no_representation() -> None:
    assert "secret" not in repr(Keys({"MINE_API_KEY": "secret"}, {"OTHER": "secret"}))


def test_the_keys_in_use_are_collected_again_only_after_a_change(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    collected, handed = 0, dict[str, str]()
    keys, values = Keys({}, handed), Keys._values

    def counted(of: Keys, names: Iterable[str], ledger: str) -> Iterator[tuple[str, str]]:
        nonlocal collected
        collected += 1
        return values(of, names, ledger)

    monkeypatch.setattr(Keys, "_values", counted)
    key, other, third = "planted-0123456789-first", "planted-8765432109-other", "planted-5544332211-third"
    assert not any(keys.scan([MINE]).holds(key) for _ in range(100))
    assert collected == 1
    handed["MINE_API_KEY"] = key
    assert all(keys.scan([MINE]).holds(key) for _ in range(100))
    handed["MINE_API_KEY"] = other
    assert all(keys.scan([MINE]).holds(other) for _ in range(100))
    assert not keys.scan([MINE]).holds(key)
    assert collected == 3
    ring.kept[(SERVICE, "MINE_API_KEY")] = third
    assert keys.of(MINE) == third
    assert keys.scan([MINE]).holds(third), "the keyring was asked meanwhile"
    assert keys.scan([MINE], "postgresql://me:correct-horse-battery@h/d").holds("correct-horse-battery")
    assert keys.scan([], "").holds(third) == "MINE_API_KEY", "what the client handed over is in use"
