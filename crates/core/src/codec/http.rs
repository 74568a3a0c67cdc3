//! Heads of HTTP responses (and of their requests) that were saved in front of a body, as `curl -i` does.

use super::request::request_parameters;
use super::sniff::Hint;

/// The most heads in a row that are followed: interim responses, proxies, redirects.
const MAX_HEADS: usize = 16;

/// What was kept of the HTTP head in front of a body. Other headers, which may hold secrets, are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpHead {
    /// The status of the last response head.
    pub status: u16,
    /// `Content-Type`, as it was sent.
    pub content_type: Option<String>,
    /// `Content-Encoding`, as it was sent. The body itself decides how it is decoded.
    pub content_encoding: Option<String>,
    /// The method of the request, where its head was saved too.
    pub method: Option<String>,
    /// The URL of the request, where its head was saved too: absolute, or `//host/path`, or the bare target.
    pub url: Option<String>,
    /// The parameters in the body of the request; see [`request_parameters`].
    pub parameters: Option<String>,
}

impl HttpHead {
    /// The request as one URL: the parameters of its body follow those of the URL itself.
    pub fn request(&self) -> Option<String> {
        let url = self.url.as_deref()?;
        let Some(parameters) = &self.parameters else { return Some(url.to_owned()) };
        let url = url.split_once('#').map_or(url, |(url, _)| url);
        let joint = if url.contains('?') { '&' } else { '?' };
        Some(format!("{url}{joint}{parameters}"))
    }

    /// What the encoding of layer `layer`, counted from the outside, is said to be.
    pub(super) fn hint(&self, layer: usize) -> Hint {
        let name = self.content_encoding.as_deref().and_then(|list| list.rsplit(',').nth(layer));
        match name.map(|name| name.trim().to_ascii_lowercase()).as_deref() {
            Some("br") => Hint::Brotli,
            Some("deflate") => Hint::Deflate,
            _ => Hint::None,
        }
    }
}

/// The heads at the start of a file.
pub(super) struct Heads {
    pub(super) head: HttpHead,
    /// Where the body starts.
    pub(super) length: usize,
    /// Whether the body may be framed in chunks.
    pub(super) chunked: bool,
    /// How long the body is said to be, as it was sent.
    pub(super) content_length: Option<u64>,
    /// Whether something is missing where no body follows: the head says that there is one, or breaks off.
    pub(super) owes_body: bool,
}

/// What the start of a file holds.
pub(super) enum Parsed {
    /// No HTTP head.
    No,
    /// A head that does not end in the bytes given.
    Partial,
    Heads(Heads),
}

/// How the head of a response begins.
pub(super) const HTTP: &[u8] = b"HTTP/";

/// The methods of requests whose heads are known, with the space behind them.
const METHODS: [&[u8]; 3] = [b"GET ", b"POST ", b"HEAD "];

/// Whether `prefix` starts like a response or a request head.
pub(super) fn looks_http(prefix: &[u8]) -> bool {
    prefix.starts_with(HTTP) || is_request(prefix) && request_target(first_line(prefix)).is_some()
}

/// Whether a line begins like that of a request, which is cheaper to tell than where it ends.
fn is_request(line: &[u8]) -> bool {
    METHODS.iter().any(|method| line.starts_with(method))
}

/// Reads the heads at the start of `input`; `whole` says that nothing follows it.
pub(super) fn parse(input: &[u8], whole: bool) -> Parsed {
    let mut heads = Heads {
        head: HttpHead::default(),
        length: 0,
        chunked: false,
        content_length: None,
        owes_body: false,
    };
    let mut responses = 0;
    for _ in 0..MAX_HEADS {
        let rest = &input[heads.length..];
        if !looks_http(rest) {
            break;
        }
        let Some((length, is_whole)) = head_length(rest, whole) else { return Parsed::Partial };
        let Some(fields) = Fields::read(&rest[..length]) else { break };
        let mut skip = length;
        if let Some(status) = fields.status {
            responses += 1;
            heads.head = HttpHead {
                status,
                content_type: fields.content_type,
                content_encoding: fields.content_encoding,
                ..std::mem::take(&mut heads.head)
            };
            heads.chunked = fields.chunked;
            heads.content_length = fields.content_length;
            // Some answers have no body, whatever they say of it.
            heads.owes_body = !matches!(status, 100..=199 | 204 | 300..=399)
                && heads.head.method.as_deref() != Some("HEAD")
                && fields.content_length.map_or(!is_whole, |length| length > 0);
        } else {
            heads.head.method = fields.method;
            heads.head.url = fields.url;
            // The body of the request and the blank lines that tools put after it.
            skip = length.saturating_add(fields.content_length.unwrap_or(0) as usize);
            if skip > rest.len() {
                return if whole { Parsed::No } else { Parsed::Partial };
            }
            heads.head.parameters = request_parameters(&rest[length..skip]);
            skip += rest[skip..].iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count();
            if skip == rest.len() && !whole {
                return Parsed::Partial;
            }
        }
        heads.length += skip;
        // Another head may follow, and too little of it may be there to tell.
        let rest = &input[heads.length..];
        if rest.len() < HTTP.len() && HTTP.starts_with(rest) && !whole {
            return Parsed::Partial;
        }
    }
    if responses == 0 { Parsed::No } else { Parsed::Heads(heads) }
}

/// The fields of one head that matter.
#[derive(Default)]
struct Fields {
    status: Option<u16>,
    method: Option<String>,
    url: Option<String>,
    content_type: Option<String>,
    content_encoding: Option<String>,
    content_length: Option<u64>,
    chunked: bool,
}

impl Fields {
    /// `None` if `head` is not a head after all.
    fn read(head: &[u8]) -> Option<Self> {
        let mut fields = Self::default();
        let end = line_end(head);
        let mut lines = head.split(|&byte| byte == end).map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let first = lines.next()?;
        let mut host = None;
        let target = request_target(first);
        if target.is_none() {
            fields.status = Some(status(first)?);
        }
        for line in lines.take_while(|line| !line.is_empty()) {
            // Continuation lines belong to fields of no interest here.
            if line.starts_with(b" ") || line.starts_with(b"\t") {
                continue;
            }
            let Some(colon) = line.iter().position(|&byte| byte == b':') else { break };
            let (name, value) = (&line[..colon], text(&line[colon + 1..]));
            if name.eq_ignore_ascii_case(b"content-type") {
                fields.content_type = Some(value);
            } else if name.eq_ignore_ascii_case(b"content-encoding") {
                fields.content_encoding = Some(match fields.content_encoding.take() {
                    Some(before) => format!("{before}, {value}"),
                    None => value,
                });
            } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
                fields.chunked |= value.to_ascii_lowercase().contains("chunked");
            } else if name.eq_ignore_ascii_case(b"content-length") {
                fields.content_length = value.parse().ok();
            } else if name.eq_ignore_ascii_case(b"host") {
                host = Some(value);
            }
        }
        if let Some(target) = target {
            let target = text(target);
            fields.method = first.split(|&byte| byte == b' ').next().map(text);
            fields.url = Some(match host {
                Some(host) if target.starts_with('/') => format!("//{host}{target}"),
                _ => target,
            });
        }
        Some(fields)
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value.trim_ascii()).into_owned()
}

pub(super) fn first_line(head: &[u8]) -> &[u8] {
    let end = head.iter().take(8192).position(|&byte| byte == b'\n').unwrap_or(0);
    head[..end].strip_suffix(b"\r").unwrap_or(&head[..end])
}

/// The status of a line such as `HTTP/1.1 200 OK` or `HTTP/2 200`.
fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(HTTP)?;
    let space = rest.iter().position(|&byte| byte == b' ')?;
    if space == 0 || !rest[..space].iter().all(|&byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let digits = rest.get(space + 1..space + 4)?;
    if !matches!(rest.get(space + 4), None | Some(b' ')) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit - b'0')))
}

/// Whether a line is a status and words, with nothing of JSON in it.
pub(super) fn is_status_line(line: &[u8]) -> bool {
    let is_word = |&byte: &u8| byte.is_ascii_alphanumeric() || b" ./-'()".contains(&byte);
    status(line).is_some() && line.iter().all(is_word)
}

/// The target of a line such as `GET /api/public/bot/st-1/getMessages HTTP/1.1`.
fn request_target(line: &[u8]) -> Option<&[u8]> {
    let rest = METHODS.iter().find_map(|method| line.strip_prefix(*method))?;
    let space = rest.iter().position(|&byte| byte == b' ')?;
    rest[space + 1..].starts_with(HTTP).then(|| &rest[..space])
}

/// The length of a head with the empty line that ends it, and whether it ends at all. Where that line is missing, the first one
/// that cannot stand in a head begins the body.
fn head_length(input: &[u8], whole: bool) -> Option<(usize, bool)> {
    let end = line_end(input);
    let mut start = 0;
    while let Some(length) = memchr::memchr(end, &input[start..]) {
        let line = &input[start..start + length];
        if line.is_empty() || line == b"\r" {
            return Some((start + length + 1, true));
        }
        if start > 0 && !is_field(line, true) {
            return Some((start, true));
        }
        start += length + 1;
    }
    if start > 0 && !is_field(&input[start..], false) {
        return Some((start, true));
    }
    whole.then_some((input.len(), false))
}

/// What ends the lines of a head: a carriage return alone where the first line ends so.
fn line_end(head: &[u8]) -> u8 {
    let end = memchr::memchr2(b'\r', b'\n', head).map_or(&b""[..], |at| &head[at..]);
    if matches!(end, [b'\r', next, ..] | [b'\r', b'\r', next, ..] if !b"\r\n".contains(next)) {
        b'\r'
    } else {
        b'\n'
    }
}

/// Whether a line can stand in a head: a field, whatever its name is, or what goes on with one. What is not there to its end may
/// become one.
fn is_field(line: &[u8], is_whole: bool) -> bool {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let begins_body = matches!(line.first(), Some(b'{' | b'[' | b'<' | b'"'));
    let is_text = !line.iter().any(|&byte| byte.is_ascii_control() && byte != b'\t');
    let is_continued = line.starts_with(b" ") || line.starts_with(b"\t");
    is_text && !begins_body && (is_continued || line.contains(&b':') || !is_whole)
}
