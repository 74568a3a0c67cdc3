//! An independent, slow reader: `serde_json` and the written rules of resynchronising, nothing of the generator.

use std::io::Read;

use korpus_synth::Layout;
use serde_json::Value;

/// What was found in a body, besides its elements.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) file: String,
    pub(crate) page_index: u64,
    pub(crate) shape: &'static str,
    pub(crate) bytes: u64,
    pub(crate) whole: usize,
    pub(crate) rejects: Vec<(u64, u64, u64)>,
    /// The array as it stands, for bodies that come twice.
    pub(crate) array_bytes: Vec<u8>,
    failed: Option<&'static str>,
}

impl Found {
    pub(crate) fn status(&self) -> &'static str {
        match (self.failed, self.rejects.is_empty(), self.whole) {
            (Some(status), ..) => status,
            (None, true, _) => "ok",
            (None, false, 0) => "rejected",
            (None, false, _) => "partial",
        }
    }
}

/// Decodes by the name's end; what a broken stream gave before its error counts.
pub(crate) fn decode(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let ending = name.rsplit('.').next().unwrap_or_default();
    let result = match ending {
        "gz" => flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out),
        "zz" => flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut out),
        "deflate" => flate2::read::DeflateDecoder::new(bytes).read_to_end(&mut out),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out),
        "zst" => zstd::Decoder::new(bytes).and_then(|mut decoder| decoder.read_to_end(&mut out)),
        _ => (&mut &*bytes).read_to_end(&mut out),
    };
    assert!(result.is_ok() || ending == "gz", "{name} does not decode");
    out
}

/// The bodies of a file.
pub(crate) fn split(layout: Layout, file: &[u8]) -> Vec<&[u8]> {
    match layout {
        Layout::NdjsonBodies => file.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect(),
        Layout::Concatenated => {
            let mut stream = serde_json::Deserializer::from_slice(file).into_iter::<Value>();
            let (mut parts, mut from) = (Vec::new(), 0);
            while let Some(value) = stream.next() {
                value.expect("whole bodies");
                parts.push(&file[from..stream.byte_offset()]);
                from = stream.byte_offset();
            }
            parts
        }
        _ => vec![file],
    }
}

/// Parses one value at the start of `bytes`; returns it with its length.
fn value_at(bytes: &[u8]) -> Option<(Value, usize)> {
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let value = stream.next()?.ok()?;
    let length = stream.byte_offset();
    // `serde_json` reads bytes; the rule asks for text.
    std::str::from_utf8(&bytes[..length]).ok()?;
    Some((value, length))
}

fn skip(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Whether a message starts at `at` that can be trusted after an error.
fn trusted(bytes: &[u8], at: usize) -> bool {
    value_at(&bytes[at..]).is_some_and(|(value, length)| {
        let marks = ["components", "createdOn", "timestamp"];
        let end = skip(bytes, at + length);
        value.get("type").is_some()
            && marks.iter().any(|key| value.get(key).is_some())
            && matches!(bytes.get(end), Some(b',' | b']'))
    })
}

/// Reads a body: what was found, and its whole elements.
pub(crate) fn read_body(body: &[u8], layout: Layout) -> (Found, Vec<Value>) {
    let mut found = Found { bytes: body.len() as u64, ..Found::default() };
    let mut items = Vec::new();
    if layout == Layout::NdjsonMessages {
        for line in body.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            items.push(serde_json::from_slice(line).expect("a message a line"));
        }
    } else {
        // Records have `messages` too: the envelope's array is the one that comes first.
        let find = |name: &'static str| {
            body.windows(name.len()).position(|window| window == name.as_bytes()).map(|at| (at, name))
        };
        let first = ["\"messages\"", "\"results\"", "\"sessions\""].into_iter().filter_map(find).min();
        let Some((at, name)) = first else {
            found.shape = "error";
            found.failed = Some(if body.is_empty() { "empty" } else { "error_response" });
            return (found, items);
        };
        let start = at + body[at..].iter().position(|&byte| byte == b'[').expect("an array") + 1;
        found.shape = match name {
            "\"results\"" => "agent_ai",
            "\"sessions\"" => "sessions",
            _ => "full",
        };
        let end = elements(body, start, &mut found, &mut items);
        found.array_bytes = body[start - 1..end].to_vec();
        if found.rejects.is_empty() {
            serde_json::from_slice::<Value>(body).expect("an undamaged body is valid");
        }
    }
    found.whole = items.len();
    if matches!(found.shape, "" | "full") {
        let of = |key: &str| items.iter().any(|item| item.get(key).is_some());
        found.shape = if of("__v") {
            "full"
        } else if of("_id") {
            "lite"
        } else {
            "call"
        };
    }
    (found, items)
}

/// Reads the elements of an array, resynchronising after errors; returns where the array ends.
fn elements(body: &[u8], mut at: usize, found: &mut Found, items: &mut Vec<Value>) -> usize {
    let mut index = 0;
    loop {
        at = skip(body, at);
        if body.get(at) == Some(&b']') {
            if index > 0 {
                found.rejects.push((index, at as u64, 0)); // after a comma
            }
            return at + 1;
        }
        match value_at(&body[at..]) {
            Some((value, length))
                if value.is_object() && matches!(body.get(skip(body, at + length)), Some(b',' | b']')) =>
            {
                items.push(value);
                at = skip(body, at + length);
                index += 1;
                if body[at] == b']' {
                    return at + 1;
                }
                at += 1;
            }
            _ => {
                let next = (at + 1..body.len()).find(|&next| body[next] == b'{' && trusted(body, next));
                let end = next.unwrap_or(body.len());
                found.rejects.push((index, at as u64, (end - at) as u64));
                index += 1;
                match next {
                    Some(next) => at = next,
                    None => return body.len(),
                }
            }
        }
    }
}

/// What a text is, by the rules for templates, as far as the generator makes them.
pub(crate) fn classify(text: &str) -> (&'static str, Option<String>) {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return ("empty", None);
    }
    if trimmed.starts_with("<speak") {
        return ("ssml", None);
    }
    if !trimmed.starts_with('{') {
        return ("plain", None);
    }
    let unescaped = trimmed.replace("&quot;", "\"").replace("&amp;", "&");
    let Ok(value) =
        serde_json::from_str::<Value>(trimmed).or_else(|_| serde_json::from_str::<Value>(&unescaped))
    else {
        return ("malformed", None);
    };
    match value["type"].as_str() {
        Some("template") => {
            let mut payload = value.get("payload").or(value.get("pay load")).cloned().unwrap_or_default();
            while let Value::String(inner) = &payload {
                let unescaped = inner.replace("&quot;", "\"").replace("&amp;", "&");
                let read = serde_json::from_str(inner).or_else(|_| serde_json::from_str(&unescaped));
                payload = read.expect("a payload in a string");
            }
            ("template", payload["template_type"].as_str().map(str::to_owned))
        }
        Some("message" | "error" | "image" | "audio" | "video" | "link" | "document" | "attachment") => {
            ("message", None)
        }
        Some("command") => ("voice_command", None),
        _ if value["text"].is_string() => ("wrapped_text", None),
        _ => ("json", None),
    }
}

/// The hour of a time in milliseconds as `2025-09-01T12`, by counting days and months off.
pub(crate) fn hour(ms: i64) -> String {
    let (mut days, mut year, mut month) = (ms / 86_400_000, 1970, 0);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let length =
        |month: usize| [31, 28 + i64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
    while days >= length(month) {
        days -= length(month);
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}T{:02}", month + 1, days + 1, ms / 3_600_000 % 24)
}
