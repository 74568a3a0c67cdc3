//! Which codec a file has: by its first bytes, and by its name where they say nothing.

use super::engine::{Engine, Next};
use super::{Codec, gzip, http, zstd};

/// How many bytes at the start of a layer decide.
pub(super) const PREFIX: usize = 4096;
/// How many decoded bytes of a trial are looked at.
const TRIAL: usize = 512;
/// How many decoded bytes make a trial convincing if the data does not end earlier.
const CONVINCING: usize = 32;

/// What the name of a file or a header claims, for the codecs whose bytes do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    None,
    Brotli,
    Deflate,
}

impl Hint {
    pub(super) fn from_name(name: Option<&str>) -> Self {
        let extension = name.and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
        match extension {
            Some(e) if e.eq_ignore_ascii_case("br") || e.eq_ignore_ascii_case("brotli") => Self::Brotli,
            Some(e) if e.eq_ignore_ascii_case("deflate") || e.eq_ignore_ascii_case("zz") => Self::Deflate,
            _ => Self::None,
        }
    }
}

/// Tells the codec of a file from its first bytes (4 KiB are enough); the name helps where they are silent.
///
/// Magic numbers come first. Brotli and raw deflate have none: they are taken when the bytes are no text, or the
/// name ends in `.br`, `.deflate` or `.zz`, and what comes out of them reads like a body. HTTP heads are plain.
///
/// ```
/// use korpus_core::{Codec, sniff};
///
/// assert_eq!(sniff(b"\x1f\x8b\x08\0\0\0\0\0\0\x03", None), Codec::Gzip);
/// assert_eq!(sniff(b"{\"messages\":[]}", Some("page.json.br")), Codec::Plain);
/// ```
pub fn sniff(prefix: &[u8], name_hint: Option<&str>) -> Codec {
    sniff_as(prefix, Hint::from_name(name_hint))
}

pub(super) fn sniff_as(prefix: &[u8], hint: Hint) -> Codec {
    let prefix = &prefix[..prefix.len().min(PREFIX)];
    if prefix.is_empty() {
        return Codec::Plain;
    }
    if prefix.starts_with(&gzip::MAGIC) || gzip::MAGIC.starts_with(prefix) {
        return Codec::Gzip;
    }
    // One byte of it may be a parenthesis; two may not.
    if zstd::is_magic(&prefix[..prefix.len().min(4)]) && prefix.len() > 1 {
        return Codec::Zstd;
    }
    let byte_order_mark =
        [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|bom| prefix.starts_with(bom));
    if byte_order_mark || http::looks_http(prefix) || is_tar(prefix) {
        return Codec::Plain;
    }
    let is_text = plausible_text(prefix);
    let zlib = zlib_header(prefix) && !is_text;
    match hint {
        Hint::Brotli if claimed(Codec::Brotli, prefix, is_text) => return Codec::Brotli,
        Hint::Deflate if !zlib && claimed(Codec::Deflate, prefix, is_text) => return Codec::Deflate,
        _ if is_text => return Codec::Plain,
        _ => {}
    }
    if zlib && trial(Codec::Zlib, prefix) != Trial::Refused {
        return Codec::Zlib;
    }
    let found =
        [Codec::Brotli, Codec::Deflate].into_iter().find(|&codec| trial(codec, prefix) == Trial::Body);
    match found {
        Some(codec) => codec,
        // A damaged zlib stream is better called so than called text.
        None if zlib => Codec::Zlib,
        None => Codec::Plain,
    }
}

/// Whether to believe a name that claims `codec`.
fn claimed(codec: Codec, prefix: &[u8], is_text: bool) -> bool {
    match trial(codec, prefix) {
        Trial::Body | Trial::Text => true,
        Trial::Nothing => !is_text,
        Trial::Refused => false,
    }
}

/// Whether a tar archive begins here, whose first name may look like a codec.
fn is_tar(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar")
}

/// What a trial decoding of a prefix gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trial {
    /// Something that starts like a body or like another codec, and enough of it.
    Body,
    /// Text.
    Text,
    /// Too little to tell.
    Nothing,
    /// An error at the start, or no text.
    Refused,
}

fn trial(codec: Codec, prefix: &[u8]) -> Trial {
    let mut engine = Engine::new(codec);
    let mut out = [0; TRIAL];
    let (mut taken, mut given, mut failed) = (0, 0, false);
    while given < out.len() {
        let step = engine.step(&prefix[taken..], false, &mut out[given..]);
        taken += step.consumed;
        given += step.produced;
        failed = matches!(step.next, Next::Fail(_));
        if failed || step.next == Next::End || step.consumed + step.produced == 0 {
            break;
        }
    }
    let out = &out[..given];
    // Nothing that ends right away is told from noise that happens to do so.
    if out.is_empty() {
        return if failed || engine.trailing() > 0 { Trial::Refused } else { Trial::Nothing };
    }
    let ended = engine.ended() && engine.trailing() == 0;
    if is_tar(out) || given >= CONVINCING && (out.starts_with(&gzip::MAGIC) || zstd::is_magic(&out[..4])) {
        Trial::Body
    } else if !plausible_text(out) {
        Trial::Refused
    } else if starts_like_body(out) && (ended || given >= CONVINCING) {
        Trial::Body
    } else if failed && given < CONVINCING {
        Trial::Refused
    } else {
        Trial::Text
    }
}

/// Whether the first two bytes are a zlib header: deflate, a window of at most 32 KiB, a check that adds up.
fn zlib_header(prefix: &[u8]) -> bool {
    let &[method, flags, ..] = prefix else { return false };
    method & 0x0f == 8 && method >> 4 <= 7 && (u16::from(method) << 8 | u16::from(flags)) % 31 == 0
}

/// Whether `bytes` can be the start of a text: no control characters and valid UTF-8, or, where it starts like a
/// body, little that is not; broken pages are still pages.
fn plausible_text(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(TRIAL)];
    let control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x0c);
    let bad = bytes.iter().filter(control).count() + invalid_utf8(bytes);
    if starts_like_body(bytes) { bad * 4 <= bytes.len() } else { bad == 0 }
}

/// How many bytes are not part of valid UTF-8. A character cut off at the end of a longer text is not counted.
fn invalid_utf8(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut bad = 0;
    while let Err(error) = str::from_utf8(rest) {
        let at = error.valid_up_to();
        match error.error_len() {
            Some(length) => {
                bad += length;
                rest = &rest[at + length..];
            }
            None if bytes.len() >= 64 => break,
            None => return bad + rest.len() - at,
        }
    }
    bad
}

/// Whether `text` starts as JSON, HTML or an HTTP head does.
fn starts_like_body(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    let Some((&first, rest)) = text.split_first() else { return false };
    let second = rest.trim_ascii_start().first();
    match first {
        b'{' => matches!(second, None | Some(b'"' | b'}')),
        b'[' => {
            matches!(second, None | Some(b'{' | b'[' | b'"' | b']' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'))
        }
        b'<' => matches!(rest.first(), Some(b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z')),
        _ => text.starts_with(http::HTTP),
    }
}
