#!/usr/bin/env python3
"""Reads testdata/dumps with a small reader of its own and compares what it finds with testdata/expected.

The expectations were written by hand; this is the second opinion on them, independent of the Rust code: Python's own
JSON decoder, and the resynchronising rule of the documentation spelled out. Needs the standard library only; brotli
and zstd files are skipped where their modules are missing.
"""

import json
import re
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "testdata"
DUMPS, EXPECTED = ROOT / "dumps", ROOT / "expected"
SPACE = re.compile(r"[ \t\r\n]*")
ARRAYS = ("messages", "results", "sessions")
MAX_BODY = 64 << 20


class Broken(Exception):
    """The text is no JSON at this place."""


def constant(name: str):
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=constant)


def value(text: str, at: int):
    """One JSON value; `text` holds one character a byte, so that offsets are byte offsets."""
    try:
        found, end = DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        raise Broken(type(error).__name__) from None
    try:
        text[at:end].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        raise Broken("invalid_utf8") from None
    return found, end


def skip(text: str, at: int) -> int:
    return SPACE.match(text, at).end()


def trusted(text: str, at: int) -> bool:
    """Whether the brace at this offset opens a message again."""
    try:
        found, end = value(text, at)
    except Broken:
        return False
    known = isinstance(found, dict) and "type" in found and {"components", "createdOn", "timestamp"} & found.keys()
    return bool(known) and text[skip(text, end) : skip(text, end) + 1] in (",", "]")


# What stands around the messages here follows no grammar that a small reader could know; the tests of the core judge it.
WITHOUT_GRAMMAR = {
    "comma-between-bodies.json",
    "conflict-markers.json",
    "json-text-sequence.json-seq",
    "list-of-bodies-with-a-number.json",
    "list-of-messages-one-broken.json",
    "log-around-bodies.txt",
    "log-around-messages.txt",
    "logged-responses.ndjson",
    "missing-opening-bracket.json",
    "python-quotes.json",
    "record-with-a-broken-message.json",
    "records-one-a-line.ndjson",
    "text-between-bodies.json",
    "unquoted-key-in-envelope.json",
    "wrapped-beside-a-message.json",
    "wrapped-body.json",
}


def elements(text: str, at: int):
    """The elements of the array that opens before `at`: (whole, rejects, offset after it or None if it never ends)."""
    whole, rejects = [], []
    at = skip(text, at)
    if text[at : at + 1] == "]":
        return whole, rejects, at + 1
    while True:
        start = at = skip(text, at)
        index = len(whole) + len(rejects)
        if text[at : at + 1] == "]":
            rejects.append((index, start, 0, "trailing_comma"))
            return whole, rejects, at + 1
        if at == len(text):
            return whole, rejects, None
        try:
            found, end = value(text, at)
            at = skip(text, end)
            if text[at : at + 1] not in (",", "]", ""):
                raise Broken("syntax")
            if isinstance(found, dict):
                whole.append(found)
            else:
                rejects.append((index, start, end - start, "not_an_object"))
        except Broken as error:
            reason = {"invalid_utf8": "invalid_utf8", "RecursionError": "too_deep"}.get(str(error), "syntax")
            at = next((b.start() for b in re.finditer("{", text[start + 1 :]) if trusted(text, start + 1 + b.start())), None)
            if at is None:
                rejects.append((index, start, len(text) - start, reason))
                return whole, rejects, None
            at += start + 1
            rejects.append((index, start, at - start, reason))
            continue
        if at == len(text):
            return whole, rejects, None
        if text[at] == "]":
            return whole, rejects, at + 1
        at += 1


def envelope(text: str, at: int):
    """One response body: (its keys, the array's name, whole, rejects, offset after it or None)."""
    keys, name, whole, rejects = {}, None, [], []
    at = skip(text, at + 1)
    while text[at : at + 1] not in ("}", ""):
        try:
            key, at = value(text, at)
            at = skip(text, at)
            if text[at : at + 1] != ":":
                raise Broken("syntax")
            at = skip(text, at + 1)
            if key in ARRAYS and text[at : at + 1] == "[":
                name = key
                whole, rejects, at = elements(text, at + 1)
                if at is None:
                    return keys, name, whole, rejects, None
            else:
                keys[key], at = value(text, at)
        except Broken:
            return keys, name, whole, rejects, None
        at = skip(text, at)
        if text[at : at + 1] == ",":
            at = skip(text, at + 1)
    return keys, name, whole, rejects, at + 1 if at < len(text) else None


def is_message(found) -> bool:
    return isinstance(found, dict) and bool({"_id", "type", "components"} & found.keys()) and not set(ARRAYS) & found.keys()


def bodies(text: str, lines: bool):
    """Every body of a file, as (keys, name, whole, rejects)."""
    loose, loose_rejects, found = [], [], []
    units = [(m.start(), m.group()) for m in re.finditer(r"[^\n]+", text)] if lines else [(0, text)]
    for offset, unit in units:
        at = skip(unit, 0)
        if unit[at : at + 1] == "[":
            at = skip(unit, at + 1)
            if is_message(json.loads(unit)[0] if unit[at] != "]" else None):
                whole, rejects, _ = elements(unit, at)
                return [({}, "messages", whole, rejects)]
        while at < len(unit) and unit[at] not in "]":
            try:
                one, end = value(unit, at)
            except Broken:
                one = None
                if re.match(r'{\s*"_id"', unit[at:]):
                    loose_rejects.append((len(loose) + len(loose_rejects), offset + at, len(unit) - at, "syntax"))
                    break
            if is_message(one):
                loose.append(one)
                at = end
            elif unit[at] == "{":
                *body, at = envelope(unit, at)
                found.append(body)
                if at is None:
                    break
            else:
                found.append(({}, None, [], []))
                break
            at = skip(unit, at)
            if unit[at : at + 1] == ",":
                at = skip(unit, at + 1)
    if loose or loose_rejects:
        found.append(({}, "messages", loose, loose_rejects))
    return found


def member_bytes(data: bytes) -> bytes:
    """Everything that the gzip members give, damage or not."""
    out = b""
    while data[:3] == b"\x1f\x8b\x08":
        coder = zlib.decompressobj(31)
        for start in range(0, len(data), 4096):
            try:
                out += coder.decompress(data[start : start + 4096])
            except zlib.error:
                # A wrong trailer takes the output of its call along: read that member again without its frame.
                return zlib.decompressobj(-15).decompress(data[10:])
            if coder.eof:
                data = coder.unused_data + data[start + 4096 :]
                break
        else:
            return out
        data = data.lstrip(b"\0")
    return out


def unchunk(data: bytes) -> bytes:
    out = b""
    while match := re.match(rb"([0-9a-f]+)[^\r\n]*\r\n", data):
        size = int(match.group(1), 16)
        out += data[match.end() : match.end() + size]
        data = data[match.end() + size + 2 :]
        if size == 0:
            break
    return out or data


def decoded(path: Path, codec: str) -> bytes | None:
    """The decoded bytes of a file, None where a module is missing."""
    data = path.read_bytes()
    while data.startswith(b"HTTP/"):
        data = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[1]
    if path.suffix == ".http" and re.match(rb"[0-9a-f]+(;[^\r]*)?\r\n", data):
        data = unchunk(data)
    if codec == "gzip":
        while data[:3] == b"\x1f\x8b\x08":
            data = member_bytes(data)
    elif codec == "zlib":
        data = zlib.decompress(data)
    elif codec == "deflate":
        data = zlib.decompress(data, -15)
    elif codec == "brotli":
        try:
            import brotli
        except ImportError:
            return None
        data = brotli.decompress(data)
    elif codec == "zstd":
        try:
            import zstandard
        except ImportError:
            return None
        data = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(MAX_BODY)
    return data.removeprefix(b"\xef\xbb\xbf")


def utf8(text) -> str | None:
    return text.encode("latin-1").decode("utf-8") if isinstance(text, str) and text else None


def compare(expected: dict, keys: dict, name, whole: list, rejects: list) -> list[str]:
    """What differs between the expectation of one body and what was read."""
    wrong = []

    def same(what: str, want, got) -> None:
        if want != got:
            wrong.append(f"{what}: expected {want!r}, read {got!r}")

    status = expected["page_status"]
    if status in ("ok", "partial"):
        same("total", expected["total"], keys.get("total", keys.get("totalResults")))
        same("more_available", expected["more_available"], keys.get("moreAvailable", keys.get("hasMore")))
    ids = [utf8(one.get("sessionId" if name == "sessions" else "_id")) for one in whole]
    records = name in ("results", "sessions")
    if records:
        same("record_ids", expected.get("record_ids"), ids)
        same("records_rejected", expected.get("records_rejected"), len(rejects))
        ids = [utf8(one.get("_id")) for record in whole for one in record.get("messages", [])]
        rejected = 0
    else:
        rejected = len(rejects)
    same("message_ids", expected["message_ids"], ids)
    same("messages_rejected", expected["messages_rejected"], rejected)
    removed = expected.get("messages_duplicate", 0) + expected.get("messages_superseded", 0)
    same("messages_seen", expected["messages_seen"], len(ids) + rejected)
    same("books", expected["messages_seen"], expected["messages_kept"] + expected["messages_rejected"] + removed)
    same("rejects", len(expected["rejects"]), len(rejects))
    for want, (index, offset, length, reason) in zip(expected["rejects"], rejects):
        same("message_index", want["message_index"], index)
        same("byte_offset", want["byte_offset"], offset)
        if "byte_length" in want:
            same("byte_length", want["byte_length"], length)
        same("reason", want["reason"].replace("truncated", "syntax"), reason)
    if rejects and status != ("partial" if ids or whole else "rejected"):
        wrong.append(f"page_status {status} with {len(rejects)} rejects and {len(whole)} kept")
    return wrong


def loosely(text: str, bodies: list[dict]) -> list[str]:
    """What differs where only the ids of the messages are looked for, in whatever stands around them."""
    there = re.findall(r'"_id":\s*"(ms-[^"]*)"', text)
    kept = [name for body in bodies for name in body["message_ids"]]
    lost = [name for name in there if name not in kept]
    wrong = []
    if kept != [name for name in there if name in kept]:
        wrong.append(f"message_ids: expected {kept}, there are {there}")
    if len(lost) > sum(len(body["rejects"]) for body in bodies):
        wrong.append(f"{lost} are neither kept nor rejected")
    for number, body in enumerate(bodies):
        if body["messages_seen"] != body["messages_kept"] + body["messages_rejected"]:
            wrong.append(f"body {number}: the books do not balance")
    return wrong


def main() -> int:
    inputs = {p.relative_to(DUMPS).as_posix() for p in DUMPS.rglob("*") if p.is_file()}
    outcomes = {p.relative_to(EXPECTED).as_posix().removesuffix(".json") for p in EXPECTED.rglob("*.json")}
    # Payloads of templates are no dumps; scripts/check-template-expectations.py looks at theirs.
    outcomes = {name for name in outcomes if not name.startswith("templates/")}
    problems = [f"{name}: no expectation" for name in sorted(inputs - outcomes)]
    problems += [f"{name}: an expectation without an input" for name in sorted(outcomes - inputs)]
    skipped = 0
    for name in sorted(inputs & outcomes):
        expected = json.loads((EXPECTED / f"{name}.json").read_text("utf-8"))
        data = decoded(DUMPS / name, expected["codec"])
        if data is None:
            skipped += 1
            continue
        if not any(body["message_ids"] or body.get("record_ids") or body["rejects"] for body in expected["bodies"]):
            continue
        if name.removeprefix("errors/") in WITHOUT_GRAMMAR:
            problems += [f"{name}: {line}" for line in loosely(data.decode("latin-1"), expected["bodies"])]
            continue
        read = bodies(data.decode("latin-1"), ".ndjson" in name)
        if len(read) != len(expected["bodies"]):
            problems.append(f"{name}: expected {len(expected['bodies'])} bodies, read {len(read)}")
        for number, (want, got) in enumerate(zip(expected["bodies"], read)):
            problems += [f"{name}, body {number}: {line}" for line in compare(want, *got)]
    for line in problems:
        print(line, file=sys.stderr)
    print(f"testdata: {len(inputs)} inputs, {skipped} skipped for want of a module, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
