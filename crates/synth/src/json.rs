//! A JSON writer into a byte buffer: compact or pretty, and counting what a message's top level holds.

use crate::ids;

/// What was written last, as far as the next separator depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    /// An opening bracket, or nothing at all.
    #[default]
    Open,
    Key,
    Value,
}

/// Appends to `out`; keeps the commas, the indentation and the richness of the current message.
#[derive(Debug, Default)]
pub(crate) struct Json {
    pub(crate) out: Vec<u8>,
    pretty: bool,
    /// Escape everything past ASCII, as some proxies do.
    pub(crate) ascii: bool,
    depth: usize,
    last: Last,
    base: usize,
    richness: u32,
}

impl Json {
    pub(crate) fn new(pretty: bool) -> Self {
        Self { pretty, ..Self::default() }
    }

    /// Forgets everything written, keeps the buffer.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
        self.depth = 0;
        self.last = Last::Open;
    }

    fn line(&mut self) {
        if self.pretty && self.depth > 0 {
            self.out.push(b'\n');
            self.out.resize(self.out.len() + 4 * self.depth, b' ');
        }
    }

    fn comma(&mut self) {
        if self.last == Last::Value {
            self.out.push(b',');
        }
        self.line();
    }

    fn before_value(&mut self) {
        if self.last != Last::Key {
            self.comma();
        }
        self.last = Last::Value;
    }

    fn scalar(&mut self, empty: bool) {
        self.before_value();
        if self.depth == self.base && !empty {
            self.richness += 1;
        }
    }

    /// Writes the separators before the next item and says where it will start.
    pub(crate) fn start_item(&mut self) -> usize {
        self.comma();
        self.last = Last::Key;
        self.base = self.depth + 1;
        self.richness = 0;
        self.out.len()
    }

    /// Top-level values of the current message that are neither null nor empty.
    pub(crate) fn richness(&self) -> u32 {
        self.richness
    }

    /// Starts a value of its own without separators, for one message a line.
    pub(crate) fn start_line(&mut self) -> usize {
        self.last = Last::Open;
        self.start_item()
    }

    pub(crate) fn key(&mut self, key: &str) -> &mut Self {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(if self.pretty { b"\": " } else { b"\":" });
        self.last = Last::Key;
        self
    }

    fn open(&mut self, bracket: u8) {
        self.before_value();
        self.out.push(bracket);
        self.depth += 1;
        self.last = Last::Open;
    }

    fn close(&mut self, bracket: u8) {
        self.depth -= 1;
        if self.last == Last::Value {
            if self.pretty && self.depth == 0 {
                self.out.push(b'\n');
            }
            self.line();
            if self.depth == self.base {
                self.richness += 1;
            }
        }
        self.out.push(bracket);
        self.last = Last::Value;
    }

    pub(crate) fn object(&mut self, inside: impl FnOnce(&mut Self)) {
        self.open(b'{');
        inside(self);
        self.close(b'}');
    }

    pub(crate) fn array(&mut self, inside: impl FnOnce(&mut Self)) {
        self.open(b'[');
        inside(self);
        self.close(b']');
    }

    /// Opens an object or array that is closed by a later call.
    pub(crate) fn open_object(&mut self) {
        self.open(b'{');
    }

    pub(crate) fn open_array(&mut self) {
        self.open(b'[');
    }

    pub(crate) fn close_object(&mut self) {
        self.close(b'}');
    }

    pub(crate) fn close_array(&mut self) {
        self.close(b']');
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.scalar(text.is_empty());
        self.out.push(b'"');
        escape(&mut self.out, text, self.ascii);
        self.out.push(b'"');
    }

    /// A value that is JSON already and not empty.
    pub(crate) fn raw(&mut self, json: &str) {
        self.scalar(json == "null" || json == "\"\"");
        self.out.extend_from_slice(json.as_bytes());
    }

    pub(crate) fn int(&mut self, value: i64) {
        self.scalar(false);
        ids::int(&mut self.out, value);
    }

    /// A string written by `inside`, of characters that need no escape.
    pub(crate) fn quoted(&mut self, inside: impl FnOnce(&mut Vec<u8>)) {
        self.scalar(false);
        self.out.push(b'"');
        inside(&mut self.out);
        self.out.push(b'"');
    }

    pub(crate) fn field(&mut self, key: &str, text: &str) {
        self.key(key).string(text);
    }

    pub(crate) fn field_int(&mut self, key: &str, value: i64) {
        self.key(key).int(value);
    }

    pub(crate) fn field_raw(&mut self, key: &str, json: &str) {
        self.key(key).raw(json);
    }

    pub(crate) fn field_id(&mut self, key: &str, prefix: &str, of: u64) {
        self.key(key).quoted(|out| ids::prefixed(out, prefix, of));
    }

    pub(crate) fn field_time(&mut self, key: &str, ms: i64) {
        self.key(key).quoted(|out| ids::iso(out, ms));
    }
}

/// Appends `text` as the inside of a JSON string.
pub(crate) fn escape(out: &mut Vec<u8>, text: &str, ascii: bool) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' && (byte < 0x80 || !ascii) {
            continue;
        }
        if at < from {
            continue; // inside a character that is escaped already
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => unit(out, u16::from(byte)),
            _ => {
                let character = text[at..].chars().next().unwrap_or_default();
                from = at + character.len_utf8();
                for half in character.encode_utf16(&mut [0; 2]) {
                    unit(out, *half);
                }
            }
        }
    }
    out.extend_from_slice(&bytes[from..]);
}

fn unit(out: &mut Vec<u8>, half: u16) {
    out.extend_from_slice(b"\\u");
    ids::hex(out, u64::from(half), 4);
}

#[cfg(test)]
mod tests {
    use super::{Json, escape};

    #[test]
    fn escapes_read_back() {
        let text = "a\"b\\c\n\u{1}é😀 हि";
        for ascii in [false, true] {
            let mut out = vec![b'"'];
            escape(&mut out, text, ascii);
            out.push(b'"');
            assert!(!ascii || out.is_ascii());
            assert_eq!(serde_json::from_slice::<String>(&out).expect("valid"), text);
        }
    }

    #[test]
    fn pretty_and_compact_hold_the_same_value_and_richness() {
        let mut values = Vec::new();
        for pretty in [false, true] {
            let mut json = Json::new(pretty);
            json.start_item();
            json.object(|j| {
                j.field("a", "");
                j.field_int("b", 0);
                j.key("c").array(|_| {});
                j.key("d").array(|j| j.object(|j| j.field("x", "y")));
                j.field_raw("e", "null");
            });
            assert_eq!(json.richness(), 2);
            values.push(serde_json::from_slice::<serde_json::Value>(&json.out).expect("valid"));
        }
        assert_eq!(values[0], values[1]);
    }
}
