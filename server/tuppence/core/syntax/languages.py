"""The table of languages, one row each: what tuppence must know of a language to parse and edit its code.

A row with a grammar is parsed by tree-sitter; a row without one, and any language without a row, by indentation and
brackets. Node types are those of the language's tree-sitter grammar, several in one string separated by spaces. To add
a language, add a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tuppence.core.syntax.import_statements import ImportStyle
from tuppence.core.syntax.import_styles import ES, GO, INCLUDE, JAVA, LINE, PYTHON, RUST

__all__ = ["LANGUAGES", "Habits", "Language", "by_suffix", "language"]


@dataclass(frozen=True, slots=True)
class Habits:
    """Where a language's tests are, unless the project shows another convention."""

    names: tuple[str, ...] = ("test_{stem}{suffix}", "{stem}_test{suffix}")
    """Names of the test file of a source file, the usual one first; ``{stem}`` and ``{suffix}`` are the source's."""
    folder: str = "tests"
    """``.`` is the source's folder; any other name is a folder in the project's root."""
    mirror: tuple[str, str] | None = None
    """A part of the path that tests replace, such as ``src/main/java`` by ``src/test/java``."""
    inline: bool = False
    """Whether unit tests are in the source file itself."""
    module: tuple[str, str] = ("", "")
    """The start and end of a test block for a source without one; the first line of the start marks such a block."""
    command: tuple[str, ...] = ()
    """The command that runs one test file, with ``{path}`` and ``{folder}``; empty if it depends on the project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One row of the table of languages."""

    name: str
    """The language's name for display."""
    ids: tuple[str, ...]
    """The LSP language ids that it covers; the first is the row's own."""
    suffixes: tuple[str, ...] = ()
    """File suffixes with their dots, the usual one first; whole names such as ``Makefile`` are allowed."""
    grammar: str | None = None
    """Dotted path of the function that returns the grammar; None to parse by indentation and brackets."""
    line_comment: str = "//"
    """The mark that starts a comment to the end of the line."""
    comment_end: str = ""
    """The mark that ends a comment, if the language has only block comments."""
    definitions: Mapping[str, str] = field(default_factory=dict)
    """Maps a kind (function, class, ...) to the node types of enclosing blocks of that kind."""
    valued: str = ""
    """Definition types that count only if their value is one of ``functions``: ``const f = () => 1``."""
    functions: str = ""
    """Node types of functions without a name."""
    bodied: str = ""
    """Definition types that count only if they have a body: ``struct S { ... }`` but not ``struct S s``."""
    barren: str = ""
    """Node types that contain no definition, unless they contain a fault, and need not be searched."""
    docstring: str = ""
    """Node type of the string at the top of a body that documents it; without it, the comment above does."""
    wrappers: str = ""
    """Node types that belong to the definition inside them: decorators, ``export``, ``template``."""
    attached: str = ""
    """Node types before a definition that belong to it: attributes, decorators."""
    transparent: str = ""
    """Node types whose children count as top-level, such as an include guard."""
    imports: str = ""
    """Node types of import statements."""
    import_line: str = r"(import|from|use|using|require|include|open|alias|library|local\s++\w++\s*+=\s*+require)\b"
    """A pattern that matches the start of every import statement."""
    import_style: ImportStyle = LINE
    """How import statements are parsed and merged; one of the styles in import_styles.py."""
    preamble: str = ""
    """Node types, besides comments, that must be above the first import."""
    identifiers: str = "identifier"
    """Node types of names."""
    strings: str = ""
    """Node types of string literals and regular expressions; of nested ones, the outermost counts."""
    comments: str = "comment"
    """Node types of text for people only: comments, the text of a page."""
    features: Mapping[str, str] = field(default_factory=dict)
    """Maps features to node types, counted to estimate difficulty; ``"async"`` in quotes is a keyword. ``nest`` is not
    counted: it lists what, besides ``loops``, makes the code inside it one level deeper."""
    tests: Habits = Habits()
    """The default location of tests."""

    @property
    def id(self) -> str:
        """The row's own id, used in the user's configuration."""
        return self.ids[0]

    @property
    def fence(self) -> str:
        """The info word of a code fence in this language."""
        return self.id

    def comment(self, text: str) -> str:
        """Return the text as a comment line."""
        return f"{self.line_comment} {text} {self.comment_end}".rstrip()


_PYTHON = Language(
    name="Python",
    ids=("python",),
    suffixes=(".py", ".pyi", ".pyw"),
    grammar="tree_sitter_python.language",
    line_comment="#",
    definitions={"function": "function_definition", "class": "class_definition"},
    barren="expression_statement return_statement import_from_statement parameters call comparison_operator",
    docstring="string",
    wrappers="decorated_definition",
    imports="import_statement import_from_statement future_import_statement",
    import_line=r"(import|from)\b",
    import_style=PYTHON,
    preamble="expression_statement",
    strings="string",
    features={
        "loops": "for_statement while_statement for_in_clause",
        "branches": "if_statement elif_clause conditional_expression case_clause",
        "nest": "if_statement try_statement with_statement match_statement",
        "async": '"async" await',
        "try": "try_statement",
        "closures": "lambda",
        "calls": "call",
        "types": "generic_type",
    },
    tests=Habits(command=("python", "-m", "pytest", "-q", "{path}")),
)
_JAVASCRIPT = Language(
    name="JavaScript",
    ids=("javascript", "javascriptreact", "jsx"),
    suffixes=(".js", ".jsx", ".mjs", ".cjs"),
    grammar="tree_sitter_javascript.language",
    definitions={
        "function": "function_declaration generator_function_declaration variable_declarator assignment_expression",
        "class": "class_declaration",
        "method": "method_definition field_definition pair",
    },
    valued="variable_declarator assignment_expression field_definition public_field_definition pair",
    functions="arrow_function function_expression generator_function class",
    wrappers="export_statement lexical_declaration variable_declaration expression_statement",
    attached="decorator",
    imports="import_statement lexical_declaration variable_declaration",
    import_line=r"(import\b|(const|let|var)\s[\w$\s{},:]++=\s*+require\s*+\(\s*+[\"'][^\"']++[\"']\s*+\)(\.\w++)?\s*+;?\s*+$)",
    import_style=ES,
    preamble="hash_bang_line expression_statement",
    identifiers="identifier property_identifier shorthand_property_identifier",
    strings="string template_string regex",
    comments="comment html_comment jsx_text html_character_reference",
    features={
        "loops": "for_statement for_in_statement while_statement do_statement",
        "branches": "if_statement ternary_expression switch_case",
        "nest": "if_statement switch_statement try_statement arrow_function function_expression",
        "async": '"async" await_expression',
        "try": "try_statement",
        "closures": "arrow_function function_expression",
        "calls": "call_expression new_expression",
    },
    tests=Habits(names=("{stem}.test{suffix}", "{stem}.spec{suffix}", "test_{stem}{suffix}"), folder="."),
)
_TYPESCRIPT = replace(
    _JAVASCRIPT,
    name="TypeScript",
    ids=("typescript",),
    suffixes=(".ts", ".mts", ".cts"),
    grammar="tree_sitter_typescript.language_typescript",
    definitions={
        "function": f"{_JAVASCRIPT.definitions['function']} function_signature",
        "class": "class_declaration abstract_class_declaration",
        "method": "method_definition public_field_definition pair abstract_method_signature",
        "interface": "interface_declaration",
        "type": "type_alias_declaration",
        "enum": "enum_declaration",
        "module": "internal_module",
    },
    identifiers=f"{_JAVASCRIPT.identifiers} type_identifier",
    comments="comment html_comment",
    features={**_JAVASCRIPT.features, "types": "type_arguments type_parameters conditional_type"},
)
_TSX = replace(
    _TYPESCRIPT,
    name="TypeScript with JSX",
    ids=("tsx", "typescriptreact"),
    suffixes=(".tsx",),
    comments=_JAVASCRIPT.comments,
    grammar="tree_sitter_typescript.language_tsx",
)
_GO = Language(
    name="Go",
    ids=("go",),
    suffixes=(".go",),
    grammar="tree_sitter_go.language",
    definitions={"function": "function_declaration", "method": "method_declaration", "type": "type_spec type_alias"},
    wrappers="type_declaration",
    imports="import_declaration",
    import_line=r"import\b",
    import_style=GO,
    preamble="package_clause",
    identifiers="identifier type_identifier field_identifier package_identifier",
    strings="interpreted_string_literal raw_string_literal rune_literal",
    features={
        "loops": "for_statement",
        "branches": "if_statement expression_case type_case communication_case",
        "nest": "if_statement expression_switch_statement type_switch_statement select_statement func_literal",
        "async": "go_statement select_statement send_statement",
        "closures": "func_literal",
        "calls": "call_expression",
        "types": "type_arguments type_parameter_list interface_type",
    },
    tests=Habits(names=("{stem}_test{suffix}",), folder=".", command=("go", "test", "./{folder}")),
)
_RUST = Language(
    name="Rust",
    ids=("rust",),
    suffixes=(".rs",),
    grammar="tree_sitter_rust.language",
    definitions={
        "function": "function_item function_signature_item",
        "struct": "struct_item union_item",
        "enum": "enum_item",
        "trait": "trait_item",
        "impl": "impl_item",
        "module": "mod_item",
        "macro": "macro_definition",
        "type": "type_item",
    },
    bodied="mod_item",
    attached="attribute_item",
    imports="use_declaration extern_crate_declaration",
    import_line=r"(pub(\([^)]*+\))?\s++)?(use|extern\s+crate)\b",
    import_style=RUST,
    preamble="inner_attribute_item shebang",
    identifiers="identifier type_identifier field_identifier",
    strings="string_literal raw_string_literal char_literal",
    comments="line_comment block_comment",
    features={
        "loops": "for_expression while_expression loop_expression",
        "branches": "if_expression match_arm",
        "nest": "if_expression match_expression closure_expression",
        "async": '"async" await_expression',
        "try": "try_expression",
        "closures": "closure_expression",
        "calls": "call_expression macro_invocation",
        "types": "type_arguments type_parameters lifetime",
        "unsafe": "unsafe_block",
    },
    tests=Habits(
        names=("{stem}_test{suffix}",),
        inline=True,
        module=("#[cfg(test)]\nmod tests {\n    use super::*;", "}"),
        command=("cargo", "test"),
    ),
)
_JAVA = Language(
    name="Java",
    ids=("java",),
    suffixes=(".java",),
    grammar="tree_sitter_java.language",
    definitions={
        "class": "class_declaration record_declaration",
        "interface": "interface_declaration annotation_type_declaration",
        "enum": "enum_declaration",
        "method": "method_declaration constructor_declaration compact_constructor_declaration",
    },
    imports="import_declaration",
    import_line=r"import\b",
    import_style=JAVA,
    preamble="package_declaration",
    identifiers="identifier type_identifier",
    strings="string_literal character_literal",
    comments="line_comment block_comment",
    features={
        "loops": "for_statement enhanced_for_statement while_statement do_statement",
        "branches": "if_statement ternary_expression switch_block_statement_group switch_rule",
        "nest": "if_statement switch_expression try_statement try_with_resources_statement lambda_expression",
        "async": "synchronized_statement",
        "try": "try_statement try_with_resources_statement",
        "closures": "lambda_expression",
        "calls": "method_invocation object_creation_expression",
        "types": "type_arguments type_parameters wildcard",
    },
    tests=Habits(
        names=("{stem}Test{suffix}", "{stem}Tests{suffix}", "Test{stem}{suffix}"),
        mirror=("src/main/java", "src/test/java"),
    ),
)
_C = Language(
    name="C",
    ids=("c",),
    suffixes=(".c", ".h"),
    grammar="tree_sitter_c.language",
    definitions={
        "function": "function_definition",
        "prototype": "declaration",
        "struct": "struct_specifier union_specifier",
        "enum": "enum_specifier",
        "macro": "preproc_function_def",
    },
    bodied="struct_specifier union_specifier enum_specifier class_specifier",
    wrappers="type_definition",
    transparent="preproc_ifdef preproc_if linkage_specification declaration_list",
    imports="preproc_include",
    import_line=r"#\s*include\b",
    import_style=INCLUDE,
    preamble="preproc_def preproc_call",
    identifiers="identifier type_identifier field_identifier",
    strings="string_literal char_literal system_lib_string",
    features={
        "loops": "for_statement while_statement do_statement",
        "branches": "if_statement conditional_expression case_statement",
        "nest": "if_statement switch_statement",
        "calls": "call_expression",
        "pointers": "pointer_declarator pointer_expression",
        "jumps": "goto_statement",
    },
)
_CPP = replace(
    _C,
    name="C++",
    ids=("cpp", "c++", "cuda-cpp"),
    suffixes=(".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx", ".c++", ".h++", ".ipp"),
    grammar="tree_sitter_cpp.language",
    definitions={
        **_C.definitions,
        "prototype": "declaration field_declaration",
        "class": "class_specifier",
        "module": "namespace_definition",
        "type": "concept_definition",
    },
    wrappers="type_definition template_declaration",
    identifiers="identifier type_identifier field_identifier namespace_identifier",
    strings=f"{_C.strings} raw_string_literal",
    features={
        **_C.features,
        "loops": "for_statement while_statement do_statement for_range_loop",
        "nest": f"{_C.features['nest']} try_statement lambda_expression",
        "async": "co_await_expression",
        "try": "try_statement",
        "closures": "lambda_expression",
        "types": "template_argument_list template_parameter_list",
    },
)


def _plain(names: str, suffixes: str, comment: str, tests: Habits | None = None) -> Language:
    """Return a row without a grammar; ``names`` is its id, its display name and other ids, separated by commas."""
    identity, name, *others = names.split(", ")
    opening, _, closing = comment.partition(" ")
    return Language(
        name=name,
        ids=(identity, *others),
        suffixes=tuple(suffixes.split()),
        line_comment=opening,
        comment_end=closing,
        tests=tests or Habits(),
    )


LANGUAGES: tuple[Language, ...] = (
    *(_PYTHON, _TYPESCRIPT, _TSX, _JAVASCRIPT, _GO, _RUST, _JAVA, _C, _CPP),
    _plain("ruby, Ruby", ".rb .rake Rakefile Gemfile", "#", Habits(("{stem}_spec{suffix}",), "spec")),
    _plain("lua, Lua", ".lua", "--", Habits(("{stem}_spec{suffix}",), "spec")),
    _plain("elixir, Elixir", ".ex .exs", "#", Habits(("{stem}_test.exs",), mirror=("lib", "test"))),
    _plain("php, PHP", ".php", "//", Habits(("{stem}Test{suffix}",))),
    _plain("csharp, C#", ".cs", "//", Habits(("{stem}Tests{suffix}", "{stem}Test{suffix}"))),
    _plain("kotlin, Kotlin", ".kt .kts", "//", Habits(("{stem}Test{suffix}",), mirror=("src/main", "src/test"))),
    _plain("scala, Scala", ".scala", "//", Habits(("{stem}Spec{suffix}",), mirror=("src/main", "src/test"))),
    _plain("swift, Swift", ".swift", "//", Habits(("{stem}Tests{suffix}",), "Tests")),
    _plain("dart, Dart", ".dart", "//", Habits(("{stem}_test{suffix}",), mirror=("lib", "test"))),
    _plain("shellscript, Shell, sh, bash, zsh", ".sh .bash .zsh", "#"),
    _plain("haskell, Haskell", ".hs", "--"),
    _plain("zig, Zig", ".zig", "//"),
    _plain("sql, SQL", ".sql", "--"),
    _plain("html, HTML", ".html .htm", "<!-- -->"),
    _plain("css, CSS, scss, less", ".css .scss .less", "/* */"),
    _plain("markdown, Markdown", ".md", "<!-- -->"),
)
_BY_ID = {identity: row for row in LANGUAGES for identity in row.ids}
_BY_SUFFIX = {suffix: row for row in LANGUAGES for suffix in row.suffixes}
_UNKNOWN = _plain("plaintext, plain text", "", "#")


def language(language_id: str) -> Language:
    """Return the row for an LSP language id; a plain row with that name if it is unknown."""
    known = _BY_ID.get(language_id.lower())
    if known is not None or not language_id:
        return known or _UNKNOWN
    return replace(_UNKNOWN, name=language_id, ids=(language_id,))


def by_suffix(path: str) -> Language:
    """Return the row for a file name; a plain row if it is unknown."""
    name = path.replace("\\", "/").rpartition("/")[2]
    dot = name.rfind(".")
    return _BY_SUFFIX.get(name) or _BY_SUFFIX.get(name[dot:].lower() if dot >= 0 else "") or _UNKNOWN
