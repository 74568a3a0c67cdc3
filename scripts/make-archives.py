#!/usr/bin/env python3
"""Writes testdata/archives: archives by Python's own tarfile, zipfile and json, and what must be found in them.

They are a second opinion on what archives look like, independent of the Rust code and its tests. Needs the standard
library only. The results are committed; run it after a page that they hold has changed. What it writes depends on these
pages, and on the version of zlib.
"""

import base64
import gzip
import io
import json
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "testdata"
OUT = ROOT / "archives"
DUMPS = ROOT / "dumps"

#: Name in the archive, file in the dumps.
PAGES = [
    ("rtm/page 1.json", "messages/rtm-page.json"),
    ("voice/página.json.gz", "messages/voice-page.json.gz"),
    ("twiliovoice.json", "messages/twiliovoice-page.json"),
]
URL = "https://bots.example.com/api/public/bot/st-1/getMessagesV2?limit=100&skip="

expected: dict[str, dict] = {}


def contents() -> list[tuple[str, bytes]]:
    return [(name, (DUMPS / file).read_bytes()) for name, file in PAGES]


def messages(content: bytes) -> int:
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return len(json.loads(content)["messages"])


def put(name: str, data: bytes, bodies: list, skipped: int = 0) -> None:
    """Writes an archive, and notes its bodies: name after the archive's, status, reason, messages."""
    (OUT / name).write_bytes(data)
    rows = [[name + member, status, reason, seen] for member, status, reason, seen in bodies]
    clean = all(status == "ok" for _, status, _, _ in rows)
    expected[name] = {"bodies": rows, "skipped": skipped, "clean": clean}


def whole(prefix: str = "!") -> list:
    return [(prefix + name, "ok", None, messages(content)) for name, content in contents()]


def gz(data: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as member:
        member.write(data)
    return out.getvalue()


def tar(files: list[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT, others: list[tarfile.TarInfo] = ()) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for info in others:
            archive.addfile(info)
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Pipe(io.RawIOBase):
    """Something that can be written to, and nothing else: zipfile then puts lengths behind the contents."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.data += data
        return len(data)


def zipped(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED, out=None, zip64: bool = False) -> bytes:
    out = out or io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=zip64) as member:
                member.write(content)
    return bytes(out.data) if isinstance(out, Pipe) else out.getvalue()


def har(files: list[tuple[str, bytes]], indent: int | None = None) -> bytes:
    def entry(at: int, content: bytes) -> dict:
        try:
            body = {"text": content.decode()}
        except UnicodeDecodeError:
            body = {"text": base64.b64encode(content).decode(), "encoding": "base64"}
        return {
            "startedDateTime": "2025-09-01T12:00:00.000Z",
            "request": {"method": "GET", "url": f"{URL}{100 * at}", "headers": [], "cookies": []},
            "response": {
                "status": 200,
                "content": {"size": len(content), "mimeType": "application/json", **body},
                "headers": [],
            },
        }

    picture = {
        "request": {"method": "GET", "url": "https://bots.example.com/logo.png"},
        "response": {
            "status": 200,
            "content": {"mimeType": "image/png", "text": "iVBORw0KGgo=", "encoding": "base64"},
        },
    }
    entries = [picture] + [entry(at, content) for at, (_, content) in enumerate(files)]
    log = {"version": "1.2", "creator": {"name": "a browser", "version": "1"}, "pages": [], "entries": entries}
    return json.dumps({"log": log}, indent=indent).encode()


def main() -> None:
    OUT.mkdir(exist_ok=True)
    files = contents()
    put("pax.tar", tar(files), whole())
    put("gnu.tar.gz", gz(tar(files, tarfile.GNU_FORMAT)), whole())
    put("long-names.tar.gz", gz(tar([("d/" * 80 + name, content) for name, content in files])), whole("!" + "d/" * 80))
    put("deflated.zip", zipped(files), whole())
    put("stored.zip", zipped(files, zipfile.ZIP_STORED), whole())
    put("streamed.zip", zipped(files, out=Pipe()), whole())
    put("zip64.zip", zipped(files, zip64=True), whole())
    put("bzip2.zip", zipped(files[:1], zipfile.ZIP_BZIP2), [("!" + files[0][0], "rejected", "unknown_method", 0)])
    entries = [(f"!entries[{at + 1}]", "ok", None, messages(content)) for at, (_, content) in enumerate(files)]
    put("recorded.har", har(files), entries, 1)
    put("indented.har.gz", gz(har(files, indent=2)), entries, 1)

    inner = [("a.zip", zipped(files)), ("b.har", har(files)), ("c.tar.gz", gz(tar(files)))]
    rows = whole("!a.zip!") + [("!b.har" + row[0], *row[1:]) for row in entries] + whole("!c.tar.gz!")
    put("nested.tar", tar(inner), rows)
    deeper = tar([("again.tar", tar([("a.zip", zipped(files))])), files[0]])
    put("nested-twice.tar", deeper, [("!again.tar!a.zip", "not_a_page", "nested_archive", 0), whole()[0]])

    others = []
    for name, kind in [("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("null", tarfile.CHRTYPE), ("dir", tarfile.DIRTYPE)]:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
        others.append(info)
    odd = [("../../up.json", files[0][1]), ("/abs.json", files[2][1]), (".hidden/x.json", b"{}"), ("__MACOSX/y", b"x")]
    count = [messages(files[0][1]), messages(files[2][1])]
    rows = [("!../../up.json", "ok", None, count[0]), ("!/abs.json", "ok", None, count[1])]
    put("hostile.tar", tar(odd, others=others), rows, 3)

    secret = bytearray(zipped(files[:1]))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        secret[secret.index(mark) + at] |= 1
    put("encrypted.zip", bytes(secret), [("!" + files[0][0], "rejected", "encrypted", 0)])
    put("empty.zip", zipped([]), [("", "empty", None, 0)])
    put("empty.tar", tar([]), [("", "empty", None, 0)])

    cut = tar(files)
    cut = cut[: cut.index(b"twiliovoice.json")]
    put("cut.tar", cut, whole()[:2] + [("", "partial", "truncated", 0)])
    cut = zipped(files)
    put("cut.zip", cut[: cut.index(b"PK\x01\x02")], whole() + [("", "partial", "truncated", 0)])

    text = json.dumps(expected, indent=1, ensure_ascii=False, sort_keys=True)
    (OUT / "expected.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
