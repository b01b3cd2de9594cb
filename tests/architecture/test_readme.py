"""The README's configurations for editors are those that the suite of real editors starts them with."""

from __future__ import annotations

import pytest
from paths import ROOT

SNIPPETS = ROOT / "tests" / "editors" / "snippets"


@pytest.mark.parametrize("name", ["neovim-0.11.lua", "helix-languages.toml", "eglot.el"])
def test_a_configuration_in_it_is_one_that_was_tested(name: str) -> None:
    language = {"lua": "lua", "toml": "toml", "el": "elisp"}[name.rpartition(".")[2]]
    block = f"```{language}\n{(SNIPPETS / name).read_text(encoding='utf-8')}```\n"
    assert block in (ROOT / "README.md").read_text(encoding="utf-8")
