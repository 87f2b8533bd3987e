"""The shapes of frames: the subset of JSON Schema in which protocol/generated/schema.json is written. A value is taken field by
field in the documented order; unknown fields are left out, and so are optional ones that are null."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from . import strict_json

SCHEMA = Path(__file__).resolve().parents[3] / "protocol" / "generated" / "schema.json"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NIL = "00000000-0000-0000-0000-000000000000"


class Mismatch(Exception):
    """A value does not have its shape: where, and why."""


def is_id(value: Any) -> bool:
    """A UUID in the lower-case text form of RFC 9562, and not the nil UUID."""
    return isinstance(value, str) and value != _NIL and _UUID.fullmatch(value) is not None


class Shapes:
    def __init__(self, schema: dict[str, Any]) -> None:
        self._definitions: dict[str, Any] = schema["$defs"]
        self._frames = {
            direction: {
                rule["if"]["properties"]["type"]["const"]: rule["then"]["$ref"].rsplit("/", 1)[1]
                for rule in self._definitions[definition]["allOf"]
            }
            for direction, definition in (("client", "ClientFrame"), ("server", "ServerFrame"))
        }
        self._events: dict[str, Any] = self._definitions["StandardEvents"]["properties"]

    def knows(self, direction: str, name: str) -> bool:
        return name in self._frames[direction]

    def has_payload(self, direction: str, name: str) -> bool:
        properties = self._definitions[self._frames[direction][name]].get("properties", {})
        return bool(properties.get("data", {}).get("$ref") == "#/$defs/Payload")

    def known_words(self, name: str) -> list[str]:
        """The words that a server of this version says where a newer one may say others (section 15)."""
        words: list[str] = self._definitions[name]["x-extensible-enum"]
        return words

    def frame(self, direction: str, value: dict[str, Any]) -> dict[str, Any]:
        """A frame of a known type with its known fields."""
        name = value["type"]
        return {"type": name, **self._take(self._definitions[self._frames[direction][name]], value, "")}

    def event(self, name: str, data: Any) -> None:
        """Raises Mismatch if the data of a standard event does not have its shape."""
        if name in self._events:
            self._take(self._events[name], data, "data")

    def text(self, direction: str, source: str) -> str:
        """The canonical text of a valid frame from the text that it came in: payloads stay as they were written."""
        fields = strict_json.members(source)
        name = json.loads(fields["type"])
        rest = self._text(self._definitions[self._frames[direction][name]], source)[1:]
        return f'{{"type":{json.dumps(name)}' + ("}" if rest == "}" else "," + rest)

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        """What a value that is not null has to be."""
        while "$ref" in schema or "anyOf" in schema:
            schema = next((one for one in schema.get("anyOf", ()) if "$ref" in one), schema)
            schema = self._definitions[schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def _take(self, schema: dict[str, Any], value: Any, path: str) -> Any:
        schema = self._resolve(schema)
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, value, path)
        if kind == "array":
            if not isinstance(value, list) or len(value) > schema.get("maxItems", len(value)):
                raise Mismatch(f"{path}: not a list, or too long")
            return [self._take(schema["items"], item, f"{path}[{at}]") for at, item in enumerate(value)]
        if kind == "string":
            return _string(schema, value, path)
        if kind == "integer":
            if type(value) is not int or not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                raise Mismatch(f"{path}: not an integer from {schema.get('minimum')} to {schema.get('maximum')}")
        elif kind == "boolean" and type(value) is not bool:
            raise Mismatch(f"{path}: neither true nor false")
        return value

    def _object(self, schema: dict[str, Any], value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Mismatch(f"{path}: not an object")
        required = schema.get("required", [])
        taken: dict[str, Any] = {}
        for name, inner in schema.get("properties", {}).items():
            where = f"{path}.{name}" if path else name
            if name in value and (value[name] is not None or name in required):
                taken[name] = self._take(inner, value[name], where)
            elif name in required:
                raise Mismatch(f"{where}: missing")
        return taken

    def _text(self, schema: dict[str, Any], source: str) -> str:
        schema = self._resolve(schema)
        kind = _kind(schema)
        if kind == "object":
            fields = strict_json.members(source)
            parts = [
                f"{json.dumps(name)}:{self._text(inner, fields[name])}"
                for name, inner in schema.get("properties", {}).items()
                if name in fields and (fields[name] != "null" or name in schema.get("required", []))
            ]
            return "{" + ",".join(parts) + "}"
        if kind == "array":
            return "[" + ",".join(self._text(schema["items"], item) for _, item in strict_json.elements(source)) + "]"
        return source if kind is None else strict_json.write(json.loads(source))


def _kind(schema: dict[str, Any]) -> Any:
    """The type; an optional field may be null as well, which is read as absent before."""
    kind = schema.get("type")
    return next(one for one in kind if one != "null") if isinstance(kind, list) else kind


def _string(schema: dict[str, Any], value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise Mismatch(f"{path}: not a text")
    if value not in schema.get("enum", [value]):
        raise Mismatch(f"{path}: unknown value")
    if schema.get("format") == "uuid" and not is_id(value):
        raise Mismatch(f"{path}: not a UUID in its lower-case form")
    if len(value) > schema.get("maxLength", len(value)) or len(value) < schema.get("minLength", 0):
        raise Mismatch(f"{path}: too short or too long")
    if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), value):
        raise Mismatch(f"{path}: invalid characters")
    return value


def load() -> Shapes:
    return Shapes(json.loads(SCHEMA.read_text(encoding="utf-8")))
