"""Route one line of ``tuppence route --jsonl``: a question as JSON in, the choice as JSON out.

The result depends only on the line, the configuration, which keys exist, the shipped measurements and a date: no
ledger, network, local models or warm caches. Any problem with a line is reported in its ``error`` field.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from tuppence.config import Config, builtin
from tuppence.config.policy import routing_policy
from tuppence.core.actions import ACTIONS, Action, find_action
from tuppence.core.models.model import Model
from tuppence.core.models.usage import estimate
from tuppence.core.prompt import context as contexts
from tuppence.core.prompt.compose import compose
from tuppence.core.prompt.context import Question, Surroundings
from tuppence.core.prompt.edit_blocks import takes_blocks
from tuppence.core.routing.candidates import RoutingRequest
from tuppence.core.routing.difficulty import PLAIN
from tuppence.core.routing.quality import QualityModel
from tuppence.core.routing.router import Route, choose
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.text.diagnostic import Diagnostic, Severity
from tuppence.core.text.document import Document, Span
from tuppence.credentials import Keys
from tuppence.errors import NoModel, TuppenceError, Unfit

_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "information", "hint")
_MOST = 10**9
"""Maximum plausible number of prompt tokens."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A parsed line."""

    action: Action
    language: str
    code: str | None
    diagnostics: tuple[Diagnostic, ...]
    input_tokens: int | None


class Router:
    """Routes lines at one point in time with one configuration."""

    def __init__(self, config: Config, keys: Keys, prior: QualityModel, when: datetime) -> None:
        self._config = config
        self._prior = prior
        self._when = when
        providers = {model.provider.name: model.provider for model in config.models}
        self._lacking = {name: keys.lacking(each) for name, each in providers.items() if not keys.ready(each)}
        self._list_prices = {model.id.casefold(): model.price for model in builtin().models if model.price is not None}
        self._reckoned_at_list: set[str] = set()
        self._all = tuple(self._priced(each) for each in config.models)
        self._present = [each for each in self._all if self._may(each)]
        count = Counter(model.id for model in self._present)
        self._shared = {identity for identity, number in count.items() if number > 1}

    def answer(self, line: bytes) -> dict[str, Any]:
        """Return the result for a line."""
        identity: object = None
        try:
            data = _object(line)
            identity = _identity(data)
            question = _question(data)
            return {"id": identity, **self._chosen(question)}
        except TuppenceError as error:
            return {"id": identity, "error": str(error)}

    def _chosen(self, question: Asked) -> dict[str, Any]:
        need = self._need(question)
        wish = routing_policy(self._config, question.action, question.language)
        try:
            route = choose(need, self._present, self._lacking, self._prior, wish)
        except NoModel:
            # The whole table, so that the sentence can name what is missing.
            route = choose(need, self._all, self._lacking, self._prior, wish)
        return self._told(route, need)

    def _told(self, route: Route, need: RoutingRequest) -> dict[str, Any]:
        difficulty = need.gain.difficulty
        return {
            "model": self._name(route.model),
            "difficulty": None if difficulty is None else round(difficulty, 4),
            "reasons": [*(need.gain.reasons or (PLAIN,)), *_effort(route.model), *self._reckoned(route)],
            "expected_cost_usd": None if route.expected_cost is None else float(route.expected_cost),
            "expected_quality": round(route.quality, 4),
            "ladder": [self._name(each) for each in route.ladder],
        }

    def _need(self, question: Asked) -> RoutingRequest:
        action, code = question.action, question.code
        target = estimate(code) if code else None
        tokens = question.input_tokens
        if tokens is None:
            tokens = self._prior.usual_tokens(action.id).input if target is None else _frame(action) + target
        return RoutingRequest(
            action=action,
            gain=self._prior.gain(action.id, question.language, code, question.diagnostics),
            prompt_tokens=tokens,
            target_tokens=target,
            when=self._when,
            takes_blocks=code is not None and takes_blocks(code, code),
        )

    def _may(self, model: Model) -> bool:
        """Report whether a model can ever answer, apart from conditions that depend on the line."""
        excluded = model.name in self._config.exclude or model.provider.name in self._lacking
        return not excluded and not model.retired(self._when.date())

    def _priced(self, model: Model) -> Model:
        """Return a model; one without a price gets that of the built-in row with its id, if there is one."""
        price = None if model.price else self._list_prices.get(model.id.casefold())
        if price is None:
            return model
        self._reckoned_at_list.add(model.row)
        return replace(model, price=price)

    def _reckoned(self, route: Route) -> tuple[str, ...]:
        """Return remarks on the expected cost."""
        listed = any(each.row in self._reckoned_at_list for each in route.ladder)
        return ("reckoned with list prices, because the configuration states none",) if listed else ()

    def _name(self, model: Model) -> str:
        return model.name if model.id in self._shared else model.id


def _effort(model: Model) -> tuple[str, ...]:
    return (f"at {model.chosen_effort} effort",) if model.chosen_effort else ()


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        # Windows tools begin a file with a byte order mark.
        data = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unfit("The line is not UTF-8 text.") from None
    except (ValueError, RecursionError):
        raise Unfit("The line is not JSON.") from None
    if not isinstance(data, dict):
        raise Unfit("The line is not a JSON object.")
    return data


def _identity(data: Mapping[str, Any]) -> object:
    """Return the id, which the result must repeat exactly."""
    identity: object = data.get("id")
    if identity is None:
        raise Unfit('The line has no "id".')
    try:
        # Python accepts NaN and reads 1e999 as infinity, but other parsers reject both in its output.
        json.dumps(identity, allow_nan=False)
    except (ValueError, RecursionError):
        raise Unfit('"id" cannot be given back as it is.') from None
    return identity


def _question(data: Mapping[str, Any]) -> Asked:
    name = data.get("action")
    action = find_action(name) if isinstance(name, str) else None
    if action is None:
        known = ", ".join(each.id for each in ACTIONS)
        raise Unfit('The line has no "action".' if name is None else f'"action" must be one of: {known}.')
    for key in ("language", "code"):
        if not isinstance(data.get(key), str | None):
            raise Unfit(f'"{key}" must be a text or null.')
    code = data.get("code")
    return Asked(
        action=action,
        language=data.get("language") or "plaintext",
        code=code if code and code.strip() else None,
        diagnostics=_diagnostics(data.get("diagnostics")),
        input_tokens=_tokens(data.get("input_tokens")),
    )


def _tokens(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST or value != int(value):
        raise Unfit('"input_tokens" must be a whole number or null.')
    return int(value)


def _diagnostics(value: object) -> tuple[Diagnostic, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Unfit('"diagnostics" must be an array of LSP diagnostics or null.')
    return tuple(_diagnostic(each) for each in value)


def _diagnostic(value: object) -> Diagnostic:
    message = value.get("message") if isinstance(value, dict) else None
    if isinstance(message, dict):
        # Since LSP 3.18 the message may be markup.
        message = message.get("value")
    if not isinstance(value, dict) or not isinstance(message, str):
        raise Unfit('Each of "diagnostics" must be an LSP diagnostic, which has a "message".')
    number = value.get("severity")
    severity = _SEVERITIES[number - 1] if isinstance(number, int) and 1 <= number <= len(_SEVERITIES) else "error"
    source, code = value.get("source"), value.get("code")
    # The range refers to the whole file, but only a piece is here: every diagnostic is taken to concern the code.
    return Diagnostic(Span(0, 0), message, severity, str(source or ""), str(code or ""))


@cache
def _frame(action: Action) -> int:
    """Return the number of tokens of tuppence's own prompt around the code."""
    code = "x"
    document = Document("", "plaintext", None, code)
    tree = parse(code, language("plaintext"))
    target = Target(Span(0, len(code)), "", "lines")
    context = contexts.gather(Question(document, tree, target), Surroundings(), _MOST)
    return estimate("x" * (compose(action, context, 0).characters - len(code)))
