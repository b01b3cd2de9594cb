"""Tables about imports for each language family.

They hold: a query that finds imports, built-in names, modules with side effects outside the program, and other ways to
load code.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tuppence.core.syntax.import_statements import StyleName

__all__ = ["FAMILIES", "GO_STANDARD", "IDLE", "Family"]


@dataclass(frozen=True, slots=True)
class Family:
    """The import tables of one language family."""

    query: str
    """A tree-sitter query that captures every import statement as ``it``."""
    hint: re.Pattern[str]
    """A pattern of lines that may import something; other lines are skipped."""
    given: frozenset[str]
    """Names that are available without an import."""
    reaching: re.Pattern[str]
    """Modules that start processes, open connections, or load or run code; matched as a prefix of whole components."""
    loading: re.Pattern[str]
    """Code that loads or replaces modules without an import statement."""
    binds: str
    """A pattern of code that binds a name; ``@`` is replaced by the name."""
    named: re.Pattern[str] | None = None
    """Code that uses such a module by its full name, without an import."""


def _names(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in text.split())


def _modules(text: str) -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(re.escape(each) for each in text.split())})(?![\\w-])")


IDLE = _names("pytest annotations React describe it test expect vi jest beforeEach afterEach beforeAll afterAll")
"""Names that are often imported without being used."""
GO_STANDARD = _names(
    "bufio bytes context crypto errors fmt hash html http io json log maps math net os path filepath rand reflect "
    "regexp runtime slices sort sql strconv strings sync template testing time unicode utf8 url"
)
"""Names by which code refers to packages of Go's standard library."""
_PYTHON = Family(
    query="[(import_statement) (import_from_statement)] @it",
    hint=re.compile(
        r"\bimport\b|import_module|importlib|runpy|__\w+__|sys\.(?:modules|path|meta_path)|builtins|coding"
    ),
    given=frozenset(name for name in dir(builtins) if not name.startswith("_")),
    reaching=_modules(
        "subprocess socket socketserver ctypes cffi pty importlib.util importlib.machinery importlib.abc runpy code "
        "codeop imp zipimport telnetlib ftplib "
        "smtplib poplib imaplib xmlrpc marshal pickle webbrowser http.client http.server urllib.request paramiko "
        "multiprocessing _ctypes _posixsubprocess _socket posix nt _winapi winreg mmap sysconfig site sitecustomize"
    ),
    loading=re.compile(
        r"(?<![\w.])__import__\b|\bimportlib\b(?!\.(?:metadata|resources)\b)|\bimport_module\s*\(|\brunpy\b|\b__builtins__\b|\b__loader__\b|\b__spec__\b"
        r"|\bsys\.(?:modules|meta_path|path_hooks|path)\b|(?<![\w.])builtins\.\w+\s*=(?!=)|\bsetattr\s*\(\s*builtins\b"
        r"|\bspec_from_\w+\s*\(|\bSourceFileLoader\b|\bzipimport\b|\b__subclasses__\s*\(|\bpkgutil\.get_loader\b"
        r"|\bpkg_resources\b|\.__dict__\s*\[|\b(?:globals|locals|vars)\s*\(\s*\)\s*\["
    ),
    binds=r"(?:\b(?:def|class|as|for|global)\s+|\bdef\s+\w{1,80}\([^)]{0,400}?\b|\bimport\s[^\n]{0,300}?\b)@\b"
    r"|(?<![\w.])@\s*(?::[^=\n()]{1,80})?=(?!=)",
)
_ES = Family(
    query="[(import_statement) (export_statement source: (string)) (lexical_declaration) (variable_declaration)] @it",
    hint=re.compile(
        r"\b(?:import|require|from|importScripts|Worker|createRequire|globalThis|binding|mainModule|constructor"
        r"|reference|jsx\w*|_load|Reflect)\b"
    ),
    given=_names(
        "Array Object Promise JSON Math Number String Boolean Map Set WeakMap WeakSet Symbol Error Date RegExp BigInt "
        "Intl Proxy Reflect console process window document globalThis global fetch URL URLSearchParams Buffer "
        "setTimeout setInterval setImmediate clearTimeout clearInterval queueMicrotask structuredClone parseInt "
        "parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI eval Function undefined "
        "NaN Infinity crypto navigator location localStorage sessionStorage require module exports Uint8Array "
        "ArrayBuffer DataView TypeError RangeError SyntaxError TextEncoder TextDecoder AbortController atob btoa"
    ),
    reaching=re.compile(
        r"(?:node:)?(?:child_process|vm|worker_threads|cluster|dgram|net|tls|https?|http2|inspector|repl|v8|wasi|module"
        r"|trace_events|dns)(?![\w:-])"
    ),
    loading=re.compile(
        r"\b(?:require|import)\s*\(\s*(?![\"'`][^\"'`$]*[\"'`]\s*[,)])|\bmodule\.require\b|=\s*require\s*(?:[;,)]|$)|\bcreateRequire\b|\brequire\.(?:cache|extensions|main)\b"
        r"|\bprocess\.(?:binding|dlopen|mainModule|_linkedBinding|getBuiltinModule)\b|\bmodule\.constructor\b|\b_load\s*\("
        r"|\bimportScripts\s*\(|\bnew\s+(?:Shared)?Worker\s*\(|\b(?:globalThis|window|global|self)\s*\["
        r"|\bconstructor\s*\.\s*constructor\b|\bReflect\.(?:get|apply|construct)\s*\(\s*(?:globalThis|window|global)"
    ),
    binds=r"\b(?:const|let|var|function|class|catch)\b[^;=\n]{0,200}?\b@\b|\bfunction\b[^\n{]{0,200}?[(,]\s*@\b"
    r"|\([^()\n]{0,200}?\b@\b[^()\n]{0,200}?\)\s*=>|\b@\s*=>|\bimport\s[^;\n]{0,300}?\b@\b",
)
_GO = Family(
    query="(import_spec) @it",
    hint=re.compile(r"\"|`|//\s*(?:go:|#?cgo)|#cgo"),
    given=_names(
        "append cap clear close complex copy delete imag len make max min new panic print println real recover "
        "any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string "
        "uint uint8 uint16 uint32 uint64 uintptr true false iota nil"
    ),
    reaching=_modules(
        "os/exec syscall plugin unsafe C net net/http net/rpc net/smtp runtime/debug debug golang.org/x/sys"
    ),
    loading=re.compile(
        r"\bplugin\.Open\b|^\s*//go:(?:linkname|embed|generate|cgo_\w+|wasmimport|wasmexport)|^\s*(?://\s*)?#cgo\b"
    ),
    binds=r"\b@\b[\w, ]{0,80}:=|\b(?:var|const|func|type)\s+@\b|\bfunc\b[^\n{]{0,200}?[(,]\s*@\s+[\w\[\]*.]",
)
_RUST = Family(
    query="[(use_declaration) (extern_crate_declaration)] @it",
    hint=re.compile(
        r"\b(?:use|extern|include\w*|path|link|mod|no_mangle|macro_use|proc_macro|global_asm|asm|feature|process|net|libc)\b"
    ),
    given=_names(
        "Option Some None Result Ok Err Box String Vec ToString ToOwned Into From TryFrom TryInto AsRef AsMut Drop Fn "
        "FnMut FnOnce drop Iterator IntoIterator Extend DoubleEndedIterator ExactSizeIterator Default Clone Copy Send "
        "Sync Sized PartialEq PartialOrd Eq Ord str bool char u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64 "
        "println print eprintln format panic assert assert_eq vec write"
    ),
    reaching=_modules(
        "std::process std::net std::os libc libloading nix winapi windows windows_sys tokio::process tokio::net "
        "std::ffi core::ffi std::arch core::arch std::intrinsics core::intrinsics"
    ),
    loading=re.compile(
        r"#!?\[\s*path\s*=|\binclude(?:_str|_bytes)?!\s*[(\[{]|\bextern\s+(?:\"|crate\b)|^\s*(?:pub\s+)?mod\s+\w+\s*;|#!?\[\s*link|\bno_mangle\b|\bglobal_asm!|\basm!\s*\("
        r"|#!\[\s*feature|\bmacro_use\b|\bexport_name\b|\blink_section\b"
    ),
    binds=r"\b(?:let(?:\s+mut)?|fn|struct|enum|trait|type|const|static|mod|macro_rules!)\s+@\b|\bfn\b[^\n{]{0,300}?\b@\s*:"
    r"|\buse\s[^;\n]{0,300}?\b@\b",
    named=re.compile(r"\b(?:std::(?:process::Command|net::\w+)|libc::\w+|tokio::(?:process|net)::\w+)"),
)
_JAVA = Family(
    query="(import_declaration) @it",
    hint=re.compile(
        r"\bimport\b|\bjavax?\.\w|\bforName\b|Loader\b|\bUnsafe\b|\bload|\bMethodHandles\b|Accessible|InitialContext|Declared"
    ),
    given=_names(
        "Object String Integer Long Short Byte Double Float Boolean Character Number Math StrictMath System Runtime "
        "Process ProcessBuilder Thread Runnable Class ClassLoader Exception RuntimeException Error Throwable Iterable "
        "Comparable CharSequence StringBuilder StringBuffer Enum Record Void Override Deprecated SafeVarargs "
        "FunctionalInterface AutoCloseable SecurityManager IllegalArgumentException IllegalStateException "
        "NullPointerException IndexOutOfBoundsException UnsupportedOperationException InterruptedException"
    ),
    reaching=_modules(
        "java.net java.lang.reflect java.lang.invoke javax.script javax.naming java.rmi sun.misc sun.reflect "
        "jdk.internal java.lang.instrument javax.tools java.lang.foreign com.sun java.nio.channels.SocketChannel "
        "java.io.ObjectInputStream java.beans.XMLDecoder"
    ),
    loading=re.compile(
        r"\bClass\.forName\s*\(|\bURLClassLoader\b|\bdefineClass\s*\(|\bUnsafe\b|\bSystem\.load(?:Library)?\s*\("
        r"|\bMethodHandles\b|\bsetAccessible\s*\(\s*true|\bServiceLoader\b|\bInitialContext\b|\bgetSystemClassLoader\s*\("
        r"|\bgetContextClassLoader\s*\("
    ),
    binds=r"\b(?:class|interface|enum|record)\s+@\b|\bimport\s[^;\n]{0,300}?\b@\s*;",
    named=re.compile(r"\b(?:java\.(?:net|rmi|lang\.(?:reflect|invoke))|javax\.(?:script|naming))\.\w+"),
)
_INCLUDE = Family(
    query="[(preproc_include) (preproc_call) (preproc_def) (preproc_function_def)] @it",
    hint=re.compile(
        r"^[^\S\n]*+(?:#|%:|\?\?=)|\bdl(?:open|sym)\b|LoadLibrary|constructor|\basm\b|__asm|_Pragma|\bimport\b",
        re.MULTILINE,
    ),
    given=_names(
        "auto break case char const continue default do double else enum extern float for goto if inline int long "
        "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
        "bool true false NULL assert malloc calloc realloc free memcpy memmove memset memcmp strcmp strncmp strcpy "
        "strncpy strlen printf snprintf fopen fclose read write open close exit abort private public protected class"
    ),
    reaching=_modules(
        "dlfcn.h sys/socket.h netdb.h arpa/inet.h netinet/in.h spawn.h sys/ptrace.h sys/mman.h sys/syscall.h windows.h "
        "winsock2.h wininet.h process.h curl/curl.h"
    ),
    loading=re.compile(
        r"\bdl(?:open|sym)\s*\(|\bLoadLibrary\w*\s*\(|\bGetProcAddress\s*\(|\b(?:constructor|destructor|ifunc)\s*[(,)]"
        r"|(?<![\w.])(?:__asm__|asm|__asm)\b|_Pragma\s*\(|^\s*#\s*pragma\s+(?:comment|GCC\s+poison|redefine_extname|weak|init|fini)"
        r"|^\s*#\s*(?:embed|import|include_next|line)\b"
    ),
    binds=r"\b[A-Za-z_][\w\s*]{0,80}\b@\s*[(=;,\[]|#\s*define\s+@\b",
)
FAMILIES: Mapping[StyleName, Family] = {
    "python": _PYTHON,
    "es": _ES,
    "go": _GO,
    "rust": _RUST,
    "java": _JAVA,
    "include": _INCLUDE,
}
"""The language families whose imports are checked, by import style."""
