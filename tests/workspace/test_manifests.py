"""What a project is known to have, from its files, its manifests and what is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.packages import is_new
from tuppence.workspace import Workspace


@pytest.mark.parametrize(
    ("files", "source", "module", "new"),
    [
        ({"pyproject.toml": '[project]\ndependencies = ["attrs>=22", "PyYAML"]\n'}, "a.py", "yaml", False),
        ({"pyproject.toml": '[project]\ndependencies = ["attrs>=22", "PyYAML"]\n'}, "a.py", "numpy", True),
        ({"requirements-dev.txt": "scikit-learn==1.4  # for the model\n"}, "a.py", "sklearn.svm", False),
        ({"requirements/base.txt": "Pillow\n"}, "src/a.py", "PIL", False),
        ({"src/own/deep.py": "", "setup.py": "setup(install_requires=[])"}, "src/a.py", "own.deep", False),
        ({".venv/lib/python3.12/site-packages/numpy/__init__.py": ""}, "a.py", "numpy", False),
        ({"package.json": '{"dependencies": {"left-pad": "1", "@org/kit": "2"}}'}, "a.ts", "@org/kit/x", False),
        ({"package.json": '{"dependencies": {"left-pad": "1"}}'}, "a.ts", "lodash", True),
        ({"node_modules/@org/kit/package.json": "{}"}, "a.ts", "@org/kit", False),
        ({"go.mod": "module m\nrequire github.com/a/b v1.0.0\n"}, "a.go", "github.com/a/b", False),
        ({"go.mod": "module m\n"}, "a.go", "github.com/a/c", True),
        ({"Cargo.toml": "[dependencies]\nserde = '1'\n"}, "src/a.rs", "serde::de", False),
    ],
)
def test_what_a_project_has(tmp_path: Path, files: dict[str, str], source: str, module: str, *, new: bool) -> None:
    for name, text in {**files, source: ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    known = by_suffix(source)
    found = Workspace([tmp_path]).packages(tmp_path / source, known)
    assert found is not None
    assert is_new(module, known, found) is new


@pytest.mark.parametrize(
    ("name", "text", "complete"),
    [
        ("requirements.txt", "", True),
        ("pyproject.toml", "[tool.ruff]\n", False),
        ("pyproject.toml", "[build-system]\nrequires = []\n[project]\ndependencies = []\n", True),
        ("setup.cfg", "[flake8]\n", False),
        ("README", "dependencies", False),
        ("compose.yml", "dependencies: []", False),
    ],
)
def test_which_manifests_name_all_that_is_needed(tmp_path: Path, name: str, text: str, *, complete: bool) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "a.py").write_text("", encoding="utf-8")
    found = Workspace([tmp_path]).packages(tmp_path / "a.py", by_suffix("a.py"))
    assert found is not None
    assert found.complete is complete


def test_nothing_is_known_of_a_file_outside(tmp_path: Path) -> None:
    assert Workspace([tmp_path / "in"]).packages(tmp_path / "a.py", by_suffix("a.py")) is None
    assert Workspace([tmp_path]).packages(None, by_suffix("a.py")) is None
