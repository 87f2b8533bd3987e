"""JSON as the protocol takes it (section 14): RFC 8259 in UTF-8, restricted as in I-JSON. Everything that I-JSON forbids is
found within one frame without spoiling its neighbours, and the text of a value can be cut out as it was written."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Optional

MAX_DEPTH = 31

_SPACE = re.compile(r"[ \t\r\n]*")
_FORBIDDEN = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef" + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF)) + "]"
)


class NotJson(Exception):
    """The text is not JSON."""


class Problem(Exception):
    """A value that is JSON, and not I-JSON: where in it, and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path


class _Broken:
    """Stands in a parsed value for a part that I-JSON forbids."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class _Repeated(dict[str, Any]):
    """An object with a key that occurs twice."""

    key = ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    seen: set[str] = set()
    broken = _Repeated(value)
    broken.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return broken


def _float(text: str) -> Any:
    value = float(text)
    return _Broken("number out of range") if value in (float("inf"), float("-inf")) else value


def _int(text: str) -> Any:
    if text == "-0":
        # No integer in the sense of section 14.2.
        return -0.0
    if len(text) < 300:
        return int(text)
    value = _float(text)
    return int(value) if isinstance(value, float) else value


def _constant(name: str) -> Any:
    raise NotJson(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_float, parse_int=_int, parse_constant=_constant, strict=True
)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _scan(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None


def elements(text: str) -> list[tuple[Any, str]]:
    """The values of an array, each with its text. Nothing may follow the array."""
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise NotJson("not an array")
    found: list[tuple[Any, str]] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        at += 1
    else:
        while True:
            value, end = _scan(text, at)
            found.append((value, text[at:end]))
            at = _skip(text, end)
            mark = text[at : at + 1]
            at = _skip(text, at + 1)
            if mark == "]":
                break
            if mark != ",":
                raise NotJson("expected a comma or the end of the array")
    if _skip(text, at) != len(text):
        raise NotJson("something follows the array")
    return found


def members(text: str) -> dict[str, str]:
    """The text of each value of an object that has been found to be valid."""
    found: dict[str, str] = {}
    at = _skip(text, 1)
    while text[at] != "}":
        key, at = _scan(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _scan(text, start)
        found[key] = text[start:end]
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def problems(value: Any, path: str = "", depth: int = 0) -> Iterator[Problem]:
    """Everything in a value that I-JSON or the limit of the nesting forbids; keys of the outermost object come first."""
    if isinstance(value, _Broken):
        yield Problem(path, value.reason)
    elif isinstance(value, str):
        if _FORBIDDEN.search(value):
            yield Problem(path, "lone surrogate or noncharacter")
    elif isinstance(value, (dict, list)):
        if depth == MAX_DEPTH:
            yield Problem(path, "nesting too deep")
            return
        if isinstance(value, _Repeated):
            yield Problem(path, f"duplicate key {value.key}")
        if isinstance(value, dict):
            for key, inner in value.items():
                if _FORBIDDEN.search(key):
                    yield Problem(path, "lone surrogate or noncharacter in a key")
                yield from problems(inner, f"{path}.{key}" if path else key, depth + 1)
        else:
            for at, inner in enumerate(value):
                yield from problems(inner, f"{path}[{at}]", depth + 1)


def write(value: Any) -> str:
    """The shortest text of a value. What JSON cannot express is a ValueError."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    problem: Optional[Problem] = next(problems(value), None)
    if problem:
        raise ValueError(str(problem))
    return text
