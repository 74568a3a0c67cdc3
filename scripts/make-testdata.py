#!/usr/bin/env python3
"""Writes every encoded form under testdata/dumps from the plain ones beside it, with its expected outcome.

Needs the Python modules `brotli` and `zstandard`; nothing else in the project needs them, because the results are
committed. Run it after a plain file or its expectation has changed. What it writes depends on the plain files only.
"""

import gzip
import io
import json
import struct
import zlib
from pathlib import Path

import brotli
import zstandard

ROOT = Path(__file__).resolve().parent.parent / "testdata"
DUMPS = ROOT / "dumps"
EXPECTED = ROOT / "expected"


def gz(data: bytes, level: int = 6) -> bytes:
    """One gzip member without a name or a time, as `gzip -n` writes it."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=level, fileobj=out, mtime=0) as member:
        member.write(data)
    return out.getvalue()


def raw_deflate(data: bytes, level: int = 6) -> bytes:
    """A deflate stream with neither header nor trailer."""
    coder = zlib.compressobj(level, zlib.DEFLATED, -15)
    return coder.compress(data) + coder.flush()


def gz_full_header(data: bytes) -> bytes:
    """A member that uses every optional header field: extra, name, comment and header checksum."""
    extra = b"ko" + struct.pack("<H", 4) + b"rpus"
    head = b"\x1f\x8b\x08" + bytes([0x02 | 0x04 | 0x08 | 0x10]) + struct.pack("<I", 0) + b"\x00\x03"
    head += struct.pack("<H", len(extra)) + extra + b"page.json\x00" + b"a comment\x00"
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return head + raw_deflate(data) + struct.pack("<II", zlib.crc32(data), len(data))


def gz_cut_after(data: bytes) -> bytes:
    """A member that ends after a full flush of `data`: exactly `data` can be read back, then it is cut."""
    coder = zlib.compressobj(6, zlib.DEFLATED, 31)
    return coder.compress(data) + coder.flush(zlib.Z_FULL_FLUSH)


def chunked(data: bytes, size: int) -> bytes:
    """The framing of `Transfer-Encoding: chunked`, with an extension on the first chunk and a trailer at the end."""
    out = b""
    for start in range(0, len(data), size):
        piece = data[start : start + size]
        out += f"{len(piece):x}{';note=first' if start == 0 else ''}\r\n".encode() + piece + b"\r\n"
    return out + b"0\r\nX-Checked: yes\r\n\r\n"


def http(body: bytes, *headers: str, status: str = "HTTP/1.1 200 OK", line: str = "\r\n") -> bytes:
    """A response as `curl -i` saves it."""
    head = line.join([status, "Content-Type: application/json; charset=utf-8", *headers, "", ""])
    return head.encode() + body


def outcome(of: str) -> dict:
    return json.loads((EXPECTED / f"{of}.json").read_text("utf-8"))


def write(path: str, data: bytes, expected: dict) -> None:
    """Stores one input and its expectation."""
    (DUMPS / path).write_bytes(data)
    target = EXPECTED / f"{path}.json"
    target.write_text(json.dumps(expected, indent=2, ensure_ascii=False) + "\n", "utf-8")


def encoded(source: str, path: str, codec: str, data: bytes, note: str | None = None) -> None:
    """Stores another form of a plain input: the same outcome, found through another codec."""
    expected = {"note": note or f"The same bytes as {Path(source).name}."}
    expected |= {key: value for key, value in outcome(source).items() if key != "note"}
    write(path, data, expected | {"codec": codec})


def companions() -> None:
    for folder, forms in {"responses": ("gz", "br"), "messages": ("gz",)}.items():
        for plain in sorted((DUMPS / folder).iterdir()):
            if plain.suffix not in (".json", ".ndjson"):
                continue
            source, data = f"{folder}/{plain.name}", plain.read_bytes()
            if "gz" in forms:
                encoded(source, f"{source}.gz", "gzip", gz(data))
            if "br" in forms:
                encoded(source, f"{source}.br", "brotli", brotli.compress(data, quality=11))


def codecs() -> None:
    source = "codecs/page.json"
    data = (DUMPS / source).read_bytes()
    half = len(data) // 2
    zstd = zstandard.ZstdCompressor(level=3, write_checksum=True).compress

    def put(name: str, codec: str, form: bytes, note: str | None = None) -> None:
        encoded(source, f"codecs/{name}", codec, form, note)

    put("bom.json", "plain", b"\xef\xbb\xbf" + data, "A UTF-8 byte order mark in front.")
    put("page.json.gz", "gzip", gz(data))
    put("stored-blocks.json.gz", "gzip", gz(data, 0), "Deflate blocks that are not compressed.")
    put("full-header.json.gz", "gzip", gz_full_header(data), "Extra field, name, comment and header checksum.")
    put("members.json.gz", "gzip", gz(data[:half]) + gz(b"") + gz(data[half:]), "Three members, one of them empty.")
    padded = gz(data[:half]) + gz(data[half:]) + bytes(512)
    put("members-padded.json.gz", "gzip", padded, "Two members, then zero padding.")
    put("trailing-garbage.json.gz", "gzip", gz(data) + bytes(16) + b"-- end of file --", "Padding, then garbage.")
    put("gzip-without-suffix.json", "gzip", gz(data), "The name says plain, the magic bytes say gzip.")
    put("gzip-twice.json.gz.gz", "gzip", gz(gz(data)), "Compressed twice: codec names the outer one.")
    put("zlib.deflate", "zlib", zlib.compress(data, 6))
    put("raw.deflate", "deflate", raw_deflate(data))
    put("page.json.br", "brotli", brotli.compress(data, quality=5))
    put("brotli-without-suffix.bin", "brotli", brotli.compress(data, quality=11), "No magic, no suffix: found by trial.")
    put("page.json.zst", "zstd", zstd(data))
    skippable = struct.pack("<II", 0x184D2A50, 8) + b"skip me!"
    put("frames.json.zst", "zstd", skippable + zstd(data[:half]) + zstd(data[half:]), "A skippable frame, then two.")

    put("curl-plain.http", "plain", http(data, f"Content-Length: {len(data)}"), "Headers in front (curl -i).")
    put("curl-gzip.http", "gzip", http(gz(data), "Content-Encoding: gzip"), "Headers, then gzip.")
    put("curl-br.http", "brotli", http(brotli.compress(data), "content-encoding: br", status="HTTP/2 200"), "HTTP/2.")
    framed = http(chunked(data, 500), "Transfer-Encoding: chunked")
    put("curl-chunked.http", "plain", framed, "Chunked framing left in.")
    framed = http(chunked(gz(data), 100), "Transfer-Encoding: chunked", "Content-Encoding: gzip")
    put("curl-chunked-gzip.http", "gzip", framed, "Chunked framing around gzip.")
    unframed = http(data, "Transfer-Encoding: chunked", "Content-Encoding: gzip")
    put("curl-already-decoded.http", "plain", unframed, "The headers speak of framing and gzip that curl took away.")
    redirect = http(b"", "Location: https://example.com/", status="HTTP/1.1 302 Found")
    proxied = http(b"", status="HTTP/1.1 200 Connection established") + redirect + http(data)
    put("curl-redirected.http", "plain", proxied, "Three heads in a row: a proxy, a redirect, the response.")
    put("curl-lf-lines.http", "plain", http(data, line="\n"), "Headers whose lines end in LF only.")


def damaged() -> None:
    plain, source = DUMPS / "errors/truncated-in-message.json", "errors/truncated-in-message.json"
    note = "The member is cut; the messages that can be inflated are kept."
    encoded(source, "errors/truncated-in-message.json.gz", "gzip", gz_cut_after(plain.read_bytes()), note)
    source = "codecs/page.json"
    data = (DUMPS / source).read_bytes()
    bodies = [body | {"page_status": "partial", "reason": "checksum_mismatch"} for body in outcome(source)["bodies"]]
    whole = gz(data)
    flipped = whole[:-8] + bytes([whole[-8] ^ 0xFF]) + whole[-7:]
    note = "The checksum does not match: every message was read, the page is marked."
    write("errors/wrong-checksum.json.gz", flipped, {"note": note, "codec": "gzip", "bodies": bodies})
    bodies = [body | {"page_status": "partial", "reason": "truncated"} for body in outcome(source)["bodies"]]
    note = "Only the last four bytes of the trailer are missing: every message was read, the page is marked."
    write("errors/truncated-trailer.json.gz", whole[:-4], {"note": note, "codec": "gzip", "bodies": bodies})
    note = "The connection broke off inside a chunk."
    cut = (DUMPS / "errors/truncated-in-message.json").read_bytes()
    framed = http(f"{len(cut) + 100:x}\r\n".encode() + cut, "Transfer-Encoding: chunked")
    encoded("errors/truncated-in-message.json", "errors/curl-truncated-chunk.http", "plain", framed, note)
    error = (DUMPS / "errors/errors-object.json").read_bytes()
    encoded("errors/errors-object.json", "errors/errors-object.json.gz", "gzip", gz(error))
    empty = (EXPECTED / "errors/empty.json.json").read_text("utf-8")
    write("errors/empty.json.gz", gz(b""), json.loads(empty) | {"codec": "gzip", "note": "A whole member of no bytes."})
    header_only = {"note": "A gzip header and nothing more.", "codec": "gzip"}
    body = json.loads(empty)["bodies"][0] | {"shape": None, "page_status": "rejected", "reason": "truncated"}
    write("errors/header-only.json.gz", whole[:10], header_only | {"bodies": [body]})


if __name__ == "__main__":
    companions()
    codecs()
    damaged()
