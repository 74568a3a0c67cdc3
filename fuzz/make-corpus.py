#!/usr/bin/env python3
"""Writes fuzz/corpus: small seeds for each target, out of testdata. What fuzzing found is kept beside them as found-*."""

import base64
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "testdata"
SMALL = 4096


def put(target: str, name: str, content: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def small(folder: str) -> list[Path]:
    return [path for path in sorted((DATA / folder).iterdir()) if path.is_file() and path.stat().st_size <= SMALL]


def messages() -> list[bytes]:
    """Whole messages of the test data, each on one line."""
    lines = (DATA / "dumps/messages/all-messages.ndjson").read_bytes().splitlines()
    for name in ["shapes/odd-types", "shapes/hostile-values", "shapes/escaped-keys", "shapes/lite-page", "responses/call-ids"]:
        page = json.loads((DATA / f"dumps/{name}.json").read_bytes(), object_pairs_hook=lambda pairs: pairs)
        elements = dict(page).get("messages", [])
        lines += [dump(element).encode("utf-8", "surrogatepass") for element in elements]
    return lines


def tar(files: list[tuple[str, bytes]], form: int = tarfile.USTAR_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue().rstrip(b"\0") + b"\0" * 1536


def zipped(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            archive.writestr(info, content)
    return out.getvalue()


def har(files: list[tuple[str, bytes]], encoded: bool) -> bytes:
    def content(data: bytes) -> dict:
        if encoded:
            return {"text": base64.b64encode(data).decode(), "encoding": "base64"}
        return {"text": data.decode()}

    entries = [
        {"request": {"method": "GET", "url": f"h/getMessages?skip={at}"}, "response": {"status": 200, "content": content(data)}}
        for at, (_, data) in enumerate(files)
    ]
    return json.dumps({"log": {"version": "1.2", "entries": entries}}).encode()


def archives() -> list[bytes]:
    """Small archives of two small pages, one inside another too."""
    page = b'{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}],"moreAvailable":false}'
    files = [("a/b.json", page), ("c", page.replace(b"ms-1", b"ms-2"))]
    mixed = [("a.zip", zipped(files)), ("b.har", har(files, True)), ("c.tgz", gzip.compress(tar(files), mtime=0))]
    lost = zipped(files)
    return [
        tar(files), tar([("n" * 120, page)], tarfile.GNU_FORMAT), tar([("é" * 60, page)], tarfile.PAX_FORMAT),
        gzip.compress(tar(files), mtime=0), zipped(files), zipped(files, zipfile.ZIP_STORED), lost[: lost.index(b"PK\x01")],
        har(files, False), har(files, True), tar(mixed), zipped(mixed), tar([("x.tar", tar([("y.tar", tar(files))]))]),
    ]


def dump(value) -> str:
    """JSON again, with its repeated keys; objects are lists of pairs."""
    if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
        return "{" + ",".join(f"{json.dumps(key)}:{dump(inner)}" for key, inner in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(dump(inner) for inner in value) + "]"
    return json.dumps(value)


def main() -> None:
    for folder in ["dumps/codecs", "dumps/responses", "dumps/errors"]:
        for path in small(folder):
            if folder.endswith("codecs") or path.suffix in (".gz", ".br", ".http"):
                put("codec", path.name, path.read_bytes())
    for folder in ["json/pass", "json/fail", "json/fail-whole"]:
        for path in small(folder)[::4]:
            put("scan", f"{path.parent.name}-{path.stem}", path.read_bytes())
    for path in small("dumps/shapes") + small("dumps/errors") + small("dumps/responses"):
        if path.suffix in (".json", ".ndjson", ".html", ".txt"):
            put("page", path.name, path.read_bytes())
    all_messages = [message for message in messages() if len(message) <= SMALL]
    for index in range(0, len(all_messages), 2):
        both = b"\0".join(all_messages[index : index + 2])
        put("views", f"messages-{index:02}", both)
        if index % 4 == 0:
            put("restore", f"messages-{index:02}", both)
    for index, archive in enumerate(archives()):
        put("archive", f"archive-{index:02}", archive)
    for path in small("templates"):
        if path.suffix in (".json", ".raw"):
            put("template", path.name, path.read_bytes())
    times = [
        "2025-09-01T12:17:38.824Z", "2024-02-29T23:59:59.999Z", "2023-02-29T00:00:00.000Z", "2025-09-01T12:17:38Z",
        "2025-09-01T14:17:38.824+02:00", "2025-09-01T12:17:38.824123Z", "2025-09-01t12:17:38.824z", "2025-09-01",
        "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z", "2016-12-31T23:59:60.000Z", "-009999-01-02T01:59:59Z",
        "2025-09-01 12:17", "20250901T121738Z", "2025-09-01T24:00:00.000Z", "2025-09-01T12:17:38,824Z", "2025-W36-1",
        "2025-09-01T12:17:38.824-00:00", "2025-09-01T12:17:38.824[Europe/Berlin]", "+002025-09-01T12:17:38.824Z",
    ]
    for index, time in enumerate(times):
        put("date", f"time-{index:02}", time.encode())
    for number in [0, 1_756_729_058_824_000, -62_167_219_200_000_000, 253_402_300_799_999_999, -1]:
        put("date", f"number-{number}", number.to_bytes(8, "little", signed=True))


if __name__ == "__main__":
    main()
