"""Who is let in where the system does not say whose a connection is: the client that knows the token."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tuppence.errors import Broken
from tuppence.lsp.clients.admission import Admission, NotAdmitted, Token


@pytest.fixture
def token(tmp_path: Path) -> Token:
    return Token(tmp_path / "state" / "token")


def first(options: Any, method: Any = "initialize", **more: Any) -> bytes:
    message = {"jsonrpc": "2.0", "id": 7, "method": method, "params": {"initializationOptions": options}, **more}
    return json.dumps(message).encode()


def test_a_token_lasts_and_is_the_users_alone(token: Token) -> None:
    made = token.text()
    assert len(made) >= 40
    assert Token(token.path).text() == made
    assert stat.S_IMODE(token.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(token.path.parent.stat().st_mode) == 0o700


def test_its_usual_place_is_in_the_state_folder() -> None:
    assert Token().path == Path(os.environ["XDG_STATE_HOME"]) / "tuppence" / "tcp-token"


@pytest.mark.parametrize("options", [{"keys": {}}, {}])
def test_the_token_opens(token: Token, options: dict[str, Any]) -> None:
    Admission(token).check(first({**options, "token": token.text()}))
    Admission(token).check(first({**options, "token": token.path.read_text()}))  # with the line's end


@pytest.mark.attack("local surfaces", "a client without the token")
@pytest.mark.parametrize(
    "body",
    [
        first({}),
        first(None),
        first([]),
        first("token"),
        first({"token": ""}),
        first({"token": None}),
        first({"token": True}),
        first({"token": ["x"]}),
        first({"token": "x" * 43}),
        first({"token": "é"}),
        first({"token": "\ud800"}),
        first({"Token": "TOKEN"}),
        first({"keys": {"token": "TOKEN"}}),
        first({"token": "TOKENx"}),
        first({"token": "TOKEN"}, method="shutdown"),
        first({"token": "TOKEN"}, method="initialized"),
        first({"token": "TOKEN"}, method=["initialize"]),
        first({"token": "TOKEN"}).replace(b'"method"', b'"Method"'),
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"jsonrpc": "2.0", "method": "initialize", "params": "TOKEN"}',
        b'{"method": "initialize", "params": {"initializationOptions": {"token": "TOKEN", "token": 1}}}',
    ],
)
def test_nothing_else_does(token: Token, body: bytes) -> None:
    with pytest.raises(NotAdmitted) as refused:
        Admission(token).check(body.replace(b"TOKEN", token.text().encode()))
    answer = json.loads(refused.value.body)
    assert set(answer) == {"jsonrpc", "id", "error"}
    assert str(token.path) in answer["error"]["message"]
    assert token.text() not in refused.value.body.decode()


@pytest.mark.parametrize(
    ("request_", "echoed"), [(7, 7), ("a", "a"), (None, None), ([1], None), ({}, None), (1.5, None)]
)
def test_the_error_answers_the_request(token: Token, request_: Any, echoed: Any) -> None:
    with pytest.raises(NotAdmitted) as refused:
        Admission(token).check(first({}, id=request_))
    assert json.loads(refused.value.body)["id"] == echoed


@pytest.mark.attack("local surfaces", "a token that others know")
@pytest.mark.parametrize("way", ["readable", "writable", "link", "pipe", "short", "empty", "folder of links"])
def test_a_token_that_others_may_know_is_replaced(token: Token, tmp_path: Path, way: str) -> None:
    known = "k" * 43
    token.path.parent.mkdir(mode=0o700)
    match way:
        case "readable" | "writable":
            token.path.write_text(known)
            token.path.chmod(0o644 if way == "readable" else 0o620)
        case "link" | "folder of links":
            (tmp_path / "theirs").write_text(known)
            (tmp_path / "theirs").chmod(0o600)
            token.path.symlink_to(tmp_path / "theirs")
        case "pipe":
            os.mkfifo(token.path, 0o600)  # Reading it would wait for ever.
        case _:
            token.path.write_text("k" if way == "short" else "")
            token.path.chmod(0o600)
    made = token.text()
    assert made not in ("", "k", known)
    assert stat.S_IMODE(token.path.lstat().st_mode) == 0o600
    assert stat.S_ISREG(token.path.lstat().st_mode)


@pytest.mark.attack("local surfaces", "a token that others know")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_token_of_another_user_is_replaced(token: Token) -> None:
    known = "k" * 43
    token.path.parent.mkdir(mode=0o700)
    token.path.write_text(known)
    token.path.chmod(0o600)
    os.chown(token.path, 61234, 61234)
    assert token.text() != known
    assert token.path.stat().st_uid == os.geteuid()


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Broken, match="cannot be used"):
        Token(tmp_path / "state" / "token").text()
