"""Batches and frames (section 2): reading a batch of either direction, with an error code for each frame that is refused, and
what the text demands beyond the schema. What this client sends is checked by the same rules before an id is made for it."""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Optional, Union

from . import shapes, strict_json

MAX_BATCH_BYTES = 64 * 1024
MAX_BATCH_FRAMES = 300
MAX_SERVER_BATCH_BYTES = 128 * 1024
MAX_DATA_BYTES = 32 * 1024

# Stands among the frames of a batch for an entry that cannot be read, though its place in the log can.
UNREADABLE = "everwire_third.unreadable"

Frame = dict[str, Any]
SHAPES = shapes.load()
_GAP_REASONS = SHAPES.known_words("GapReason")

# Fields that hold a name for people: 1 to 128 bytes without control characters.
_NAMES = {
    "create_chat": ("title", "users"),
    "rename_chat": ("title",),
    "invite": ("user",),
    "remove_member": ("user",),
    "set_role": ("user",),
    "get_status": ("users",),
}
# Fields of which both are present, or neither.
_PAIRS = {"subscribe": ("epoch", "offset"), "send": ("action", "target")}
_MOST_USERS = 100


class Refused(Exception):
    """A batch or a frame is refused with an error code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class Batch:
    """What a batch means: `frames` in their order, `ignored` places of unknown types, and `refused` places with the reason. With
    `places`, an entry that cannot be read is among the frames."""

    frames: list[Frame] = field(default_factory=list)
    ignored: list[int] = field(default_factory=list)
    refused: dict[int, Refused] = field(default_factory=dict)


def read_batch(direction: str, source: Union[str, bytes], places: bool = False) -> Batch:
    """Reads a batch from a client or a server. Raises Refused if it cannot be read at all. `places`: what is known of the place of
    an entry that cannot be read is among the frames."""
    size = len(source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source)
    if size > (MAX_BATCH_BYTES if direction == "client" else MAX_SERVER_BATCH_BYTES):
        raise Refused("too_large", f"a batch of {size} bytes")
    try:
        text = source if isinstance(source, str) else source.decode("utf-8")
        found = strict_json.elements(text)
    except (UnicodeDecodeError, strict_json.NotJson) as error:
        raise Refused("invalid_batch", str(error)) from None
    if len(found) > MAX_BATCH_FRAMES:
        raise Refused("too_large", f"a batch of {len(found)} frames")
    batch = Batch()
    for at, (value, _) in enumerate(found):
        try:
            frame = read_frame(direction, value)
        except Refused as refused:
            place = _place(value) if places else None
            if place:
                batch.frames.append({**place, "type": UNREADABLE, "code": refused.code, "reason": str(refused)})
            else:
                batch.refused[at] = refused
            continue
        if frame is None:
            batch.ignored.append(at)
        else:
            batch.frames.append(frame)
    return batch


def _place(value: Any) -> Optional[Frame]:
    """The channel and offset of an entry that cannot be read (EW-2-38)."""
    if not isinstance(value, dict) or value.get("type") != "message":
        return None
    place = {key: value.get(key) for key in ("channel", "offset")}
    sound = {"type": "message", "id": "0190a1b2-c3d4-7e5f-8a9b-000000000000", "user": "", "at": 0, "data": None, **place}
    try:
        read_frame("server", sound)
    except Refused:
        return None
    return place


def read_frame(direction: str, value: Any) -> Optional[Frame]:
    """A frame with its known fields; None if its type is unknown."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise Refused("invalid_frame", "not an object with a type")
    name = value["type"]
    known = SHAPES.knows(direction, name)
    for problem in strict_json.problems(value):
        in_payload = known and SHAPES.has_payload(direction, name) and re.match(r"data(?![^.\[])", problem.path)
        raise Refused("invalid_payload" if in_payload else "invalid_frame", str(problem))
    if not known:
        return None
    if direction == "client" and name in ("send", "signal") and str(value.get("event")).startswith("everwire."):
        raise Refused("forbidden", "events of this name are the server's")
    try:
        frame = SHAPES.frame(direction, value)
    except shapes.Mismatch as mismatch:
        # The name of the channel counts before what else is wrong.
        wrong_name = isinstance(value.get("channel"), str) and str(mismatch).startswith("channel: ")
        raise Refused("invalid_channel" if wrong_name else "invalid_frame", str(mismatch)) from None
    if direction == "client":
        _check(frame)
    elif "gap" in frame and frame["gap"]["reason"] not in _GAP_REASONS:
        # One that a newer server gives (table 15.1).
        frame["gap"]["reason"] = "trimmed"
    return frame


def _check(frame: Frame) -> None:
    """What the text demands of a client's frame, and the schema does not say."""
    name = frame["type"]
    one, other = _PAIRS.get(name, ("", ""))
    if (one in frame) != (other in frame):
        raise Refused("invalid_frame", f"{one} and {other} belong together")
    if "before" in frame and "after" in frame:
        raise Refused("invalid_frame", "before and after exclude each other")
    for key in _NAMES.get(name, ()):
        given = frame.get(key, [])
        for text in given if isinstance(given, list) else [given]:
            _check_name(key, text, 128)
    for key in ("user", "name") if "guest" in frame else ():
        _check_name(key, frame["guest"][key], 128)
    if len(frame.get("users", ())) > _MOST_USERS:
        raise Refused("invalid_frame", f"more than {_MOST_USERS} users")
    if name in ("send", "signal"):
        _check_message(frame)


def _check_message(frame: Frame) -> None:
    if "event" in frame:
        _check_name("event", frame["event"], 100)
        try:
            SHAPES.event(frame["event"], frame["data"])
        except shapes.Mismatch as mismatch:
            raise Refused("invalid_payload", str(mismatch)) from None
    if frame.get("action") == "delete" and frame["data"] is not None:
        raise Refused("invalid_payload", "data: a deletion has none")
    size = len(strict_json.write(frame["data"]).encode("utf-8"))
    if size > MAX_DATA_BYTES:
        raise Refused("too_large", f"data of {size} bytes")


def _check_name(key: str, text: str, most: int) -> None:
    size = len(text.encode("utf-8"))
    if not 1 <= size <= most or any(unicodedata.category(character) == "Cc" for character in text):
        raise Refused("invalid_frame", f"{key}: 1 to {most} bytes without control characters")


def outgoing(frame: Frame) -> Frame:
    """A frame of this client, checked. Raises Refused with the code that a server would answer."""
    try:
        strict_json.write(frame)
    except (ValueError, TypeError, RecursionError) as error:
        raise Refused("invalid_payload", str(error)) from None
    checked = read_frame("client", frame)
    if checked is None:
        raise Refused("unknown_type", frame["type"])
    return checked


def write_batch(batch: list[Frame]) -> str:
    return "[" + ",".join(strict_json.write(frame) for frame in batch) + "]"


def split(batch: list[Frame], *, first: int, most_bytes: int, most: int) -> list[list[Frame]]:
    """Several batches within the limits; the first one within its own. A frame that alone is too large stays alone."""
    batches: list[list[Frame]] = [[]]
    room = first - 2
    for frame in batch:
        size = len(strict_json.write(frame).encode("utf-8")) + 1
        if batches[-1] and (size > room or len(batches[-1]) == most):
            batches.append([])
            room = most_bytes - 2
        batches[-1].append(frame)
        room -= size
    return batches


def user_channel(user: str) -> str:
    """The part of `private-user.{id}` that stands for a user (section 12.1)."""
    if re.fullmatch(r"[A-Za-z0-9_\-@,.;:][A-Za-z0-9_\-=@,.;:]*", user):
        return user
    return "=" + base64.urlsafe_b64encode(user.encode("utf-8")).decode("ascii").rstrip("=")
