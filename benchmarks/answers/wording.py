"""The words around code: by language of the code, and placeholders for code left out in ten languages of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Manner:
    """How models write around code of one language."""

    infos: tuple[str, ...]
    """The words after a fence's opening, the language's own first."""
    usage: str
    """A use of the function, as it is written below it; ``{name}`` is its name."""
    guard: tuple[str, ...]
    """A check of rights as a function's first statement; a tab is one step deeper."""
    unsafe: str
    """A statement that switches a check of certificates off."""
    runs: str
    """A statement that runs a text as code."""
    package: str = ""
    """A line that a whole file begins with."""
    closing: str = "}"
    """What ends a class's body."""


MANNERS: Mapping[str, Manner] = {
    "python": Manner(
        infos=("python", "py", "python3", "Python"),
        usage='\n\nif __name__ == "__main__":\n    print({name}(1))',
        guard=("if not user.is_admin:", '\traise PermissionError("admins only")'),
        unsafe="session.get(url, verify=False)",
        runs="value = eval(request.args['value'])",
        closing="",
    ),
    "typescript": Manner(
        infos=("typescript", "ts", "TypeScript", "javascript"),
        usage="\n\n// Example\nconsole.log({name}(1));",
        guard=("if (!user.isAdmin) {", '\tthrow new Error("admins only");', "}"),
        unsafe='process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";',
        runs="const value = eval(request.query.value);",
    ),
    "go": Manner(
        infos=("go", "golang", "Go"),
        usage="\n\nfunc main() {{\n\tfmt.Println({name}(1))\n}}",
        guard=("if !user.IsAdmin {", '\tpanic("admins only")', "}"),
        unsafe="client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}",
        runs='exec.Command("sh", "-c", request.FormValue("value")).Run()',
        package="package main",
    ),
    "rust": Manner(
        infos=("rust", "rs", "Rust"),
        usage='\n\nfn main() {{\n    println!("{{:?}}", {name}(1));\n}}',
        guard=("if !user.is_admin {", '\tpanic!("admins only");', "}"),
        unsafe="let client = Client::builder().danger_accept_invalid_certs(true).build();",
        runs='Command::new("sh").arg("-c").arg(request.value()).status();',
    ),
    "java": Manner(
        infos=("java", "Java"),
        usage="\n\npublic static void main(String[] args) {{\n    System.out.println({name}(1));\n}}",
        guard=("if (!user.isAdmin()) {", '\tthrow new SecurityException("admins only");', "}"),
        unsafe="connection.setHostnameVerifier((host, session) -> true);",
        runs='Runtime.getRuntime().exec(new String[] {"sh", "-c", request.getParameter("value")});',
        package="package com.example;",
    ),
    "cpp": Manner(
        infos=("cpp", "c++", "C++"),
        usage="\n\nint main() {{\n    std::cout << {name}(1) << std::endl;\n    return 0;\n}}",
        guard=("if (!user.isAdmin()) {", '\tthrow std::runtime_error("admins only");', "}"),
        unsafe="curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);",
        runs='system(request.get("value").c_str());',
        closing="};",
    ),
}
"""By the id of the code's language."""

PLACEHOLDERS: Mapping[str, tuple[str, ...]] = {
    "dots": ("...", "…", "[...]", "(...)"),
    "English": (
        "... existing code ...",
        "rest of the code remains unchanged",
        "... (rest of the function stays the same)",
        "existing code here",
        "same as before",
        "unchanged",
        "[previous implementation]",
        "<rest of the method>",
        "your existing logic goes here",
        "remaining code omitted for brevity",
        "keep the rest as is",
        "continue with the original implementation",
        "(the loop is not changed)",
        "etc.",
        "snip",
    ),
    "German": ("... Rest des Codes bleibt unverändert", "bestehender Code", "wie bisher"),
    "French": ("... le reste du code est inchangé", "code existant", "comme avant"),
    "Spanish": ("... el resto del código permanece igual", "código existente", "igual que antes"),
    "Portuguese": ("... o restante do código continua igual", "código existente aqui", "sem alterações"),
    "Italian": ("... il resto del codice rimane invariato", "codice esistente", "come prima"),
    "Russian": ("... остальной код без изменений", "существующий код", "как раньше"),
    "Chinese": ("... 其余代码保持不变", "现有代码", "与之前相同"),
    "Japanese": ("... 残りのコードは変更なし", "既存のコード", "以下同じ"),
    "Korean": ("... 나머지 코드는 동일합니다", "기존 코드", "이전과 동일"),
}
"""What a comment in the place of code says, by the language of people; the dots are of none."""

REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I cannot modify this code because it may violate our usage policies.",
    "As an AI language model, I am unable to run or change code.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "抱歉,我无法协助处理该请求。",
)
QUESTIONS = (
    "Could you please share the rest of the file, so that I can see how `{name}` is used?",
    "What should `{name}` return when the input is empty? Once I know, I can fix it.",
    "I need more context. Which version of the library do you use?",
)
PROSE = (
    "The function `{name}` looks correct to me. I would only rename some variables.",
    "To fix `{name}`, check the argument first and then return early; the rest can stay as it is.",
    "There are two problems in `{name}`:\n\n1. It does not handle an empty input.\n2. It swallows the error.\n",
)
BEFORE = (
    "Here is the corrected code:\n\n",
    "Sure! The bug was an off-by-one error, so I changed the condition.\n\n",
    "**Fix**\n\nThe function did not handle this case:\n\n",
    "I looked at `{name}` first.\n\n",
)
AFTER = (
    "\n\nLet me know if you need anything else!",
    "\n\n**What changed:**\n\n- The condition is right now.\n- `{name}` returns early.\n",
    "\n\nThis makes `{name}` handle the missing case. The rest is as it was.\n",
)
