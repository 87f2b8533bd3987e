"""The golden vectors: `python3 -m everwire_third --vectors` runs them all, prints those that fail, and counts the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

from . import frames, shapes, strict_json

VECTORS = Path(shapes.SCHEMA).with_name("vectors.json")


def run() -> int:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    failures = list(_failures(vectors))
    count = sum(len(vectors[part]) for part in ("valid", "invalid", "events", "users"))
    for name, reason in failures:
        print(json.dumps({"failed": name, "reason": reason}))
    print(json.dumps({"vectors": count, "passed": count - len(failures)}))
    return 1 if failures else 0


def _failures(vectors: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for part, check in (("valid", _valid), ("invalid", _invalid), ("events", _event), ("users", _user)):
        for vector in vectors[part]:
            try:
                reason = check(vector)
            except frames.Refused as refused:
                reason = f"refused: {refused.code}: {refused}"
            if reason:
                yield str(vector.get("name", vector)), reason


def _text(vector: dict[str, Any]) -> str:
    parts = vector.get("parts") or [{"text": vector["text"], "times": 1}]
    return "".join(part["text"] * part["times"] for part in parts)


def _valid(vector: dict[str, Any]) -> str:
    text = _text(vector)
    batch = frames.read_batch(vector["direction"], text)
    if batch.refused or batch.frames != vector["frames"] or batch.ignored != vector.get("ignored", []):
        return f"read as {batch}"
    kept = [source for at, (_, source) in enumerate(strict_json.elements(text)) if at not in batch.ignored]
    written = "[" + ",".join(frames.SHAPES.text(vector["direction"], source) for source in kept) + "]"
    if vector["canonical"] and written != text:
        return f"written as {written}"
    again = frames.read_batch(vector["direction"], frames.write_batch(batch.frames))
    return "" if again == frames.Batch(frames=batch.frames) else f"read again as {again}"


def _invalid(vector: dict[str, Any]) -> str:
    error = vector["error"]
    try:
        batch = frames.read_batch(vector["direction"], _text(vector))
    except frames.Refused as refused:
        return "" if "frame" not in error and refused.code == error["code"] else f"refused with {refused.code}: {refused}"
    found = {at: refused.code for at, refused in batch.refused.items()}
    expected = {error["frame"]: error["code"]} if "frame" in error else {}
    if found != expected or batch.frames != vector["frames"]:
        return f"read as {batch}"
    return ""


def _event(vector: dict[str, Any]) -> str:
    try:
        frames.SHAPES.event(vector["event"], vector["data"])
    except shapes.Mismatch as mismatch:
        return str(mismatch) if vector["fits"] else ""
    return "" if vector["fits"] else "taken"


def _user(vector: dict[str, Any]) -> str:
    encoded = frames.user_channel(vector["user"])
    return "" if encoded == vector["encoded"] else f"encoded as {encoded}"
