//! JSON values and texts, read as simply as can be.

use crate::json::{Json, JsonKind};

/// A JSON value, read as simply as can be.
#[derive(Debug, Clone)]
pub(super) struct V {
    pub(super) kind: JsonKind,
    pub(super) raw: String,
    /// The text of a string, with U+FFFD for lone surrogates, and whether there was none.
    pub(super) text: String,
    /// The JSON that a string may be.
    pub(super) json: String,
    pub(super) exact: bool,
    /// Its key with its quotes; empty in an array.
    key: String,
    /// Key, whether a later one is the same, and value; keys of an array are its indexes.
    pub(super) inside: Vec<(String, bool, V)>,
}

impl V {
    pub(super) fn read(json: Json<'_>) -> Self {
        let kind = json.kind();
        let (text, exact) = if kind == JsonKind::String { json.lossy_text() } else { (String::new(), false) };
        let text_of_json = if kind == JsonKind::String { json_in(&json.text()) } else { String::new() };
        let mut inside = Vec::new();
        for (i, element) in json.elements().into_iter().enumerate() {
            inside.push((i.to_string(), false, Self::read(element)));
        }
        let members = json.members();
        for (i, (key, value)) in members.iter().enumerate() {
            let shadowed = members[i + 1..].iter().any(|(later, _)| later.text() == key.text());
            let name = match key.lossy_text() {
                (name, true) => name,
                _ => key.raw()[1..key.raw().len() - 1].to_owned(),
            };
            let key = if key.lossy_text().1 { json_string(&name) } else { key.raw().to_owned() };
            inside.push((name, shadowed, Self { key, ..Self::read(*value) }));
        }
        Self { kind, raw: json.raw().to_owned(), text, json: text_of_json, exact, key: String::new(), inside }
    }

    pub(super) fn is(&self, kind: JsonKind) -> bool {
        self.kind == kind
    }

    pub(super) fn is_container(&self) -> bool {
        self.is(JsonKind::Array) || self.is(JsonKind::Object)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let members = self.inside.iter().filter(|_| self.is(JsonKind::Object));
        members.filter(|(name, shadowed, _)| name == key && !shadowed).map(|(_, _, value)| value).next()
    }

    pub(super) fn string(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| value.is(JsonKind::String)).map(|value| value.text.as_str())
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Self> {
        self.inside.iter().filter(|_| self.is(JsonKind::Array)).map(|(_, _, value)| value)
    }

    pub(super) fn scalar(&self) -> Option<String> {
        match self.kind {
            JsonKind::String => Some(self.text.clone()),
            JsonKind::Number | JsonKind::Bool => Some(self.raw.clone()),
            _ => None,
        }
    }

    /// Any value but null as text.
    pub(super) fn any(&self) -> Option<String> {
        if self.is_container() { Some(self.compact()) } else { self.scalar() }
    }

    pub(super) fn compact(&self) -> String {
        let inside = self.inside.iter().map(|(_, _, value)| {
            if self.is(JsonKind::Array) {
                value.compact()
            } else {
                format!("{}:{}", value.key, value.compact())
            }
        });
        let inside = inside.collect::<Vec<_>>().join(",");
        match self.kind {
            JsonKind::Array => format!("[{inside}]"),
            JsonKind::Object => format!("{{{inside}}}"),
            JsonKind::String if self.exact => json_string(&self.text),
            _ => self.raw.clone(),
        }
    }

    /// What can be read of a title or a value.
    pub(super) fn title(&self) -> Option<String> {
        self.scalar().or_else(|| {
            let named = self.string("type").and_then(|name| self.get(name));
            [named, self.get("text"), self.get("title")].into_iter().flatten().find_map(|inner| {
                if inner.is(JsonKind::Object) {
                    inner.get("title").or_else(|| inner.get("text"))?.scalar()
                } else {
                    inner.scalar()
                }
            })
        })
    }

    pub(super) fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.get(key).is_some_and(|value| !value.is(JsonKind::Null)))
    }
}

pub(super) fn json_string(text: &str) -> String {
    let mut out = String::new();
    korpus_core::write_json_string(text, &mut out);
    out
}

/// The text without white space around it, and without a byte order mark before it.
pub(super) fn trimmed(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').trim_end()
}

pub(super) fn begins_like_json(trimmed: &str) -> bool {
    let quote = trimmed.starts_with('&').then(|| trimmed.split_once(';')).flatten();
    trimmed.starts_with('{')
        || quote
            .is_some_and(|(entity, rest)| rest.starts_with('{') && unescaped(&format!("{entity};")) == "\"")
}

/// Whether a payload that is a string begins like an object or a list of objects.
pub(super) fn begins_like_payload(trimmed: &str) -> bool {
    begins_like_json(trimmed)
        || trimmed.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'))
}

/// The JSON object that a text is, if it is one.
pub(super) fn object_in(trimmed: &str) -> Option<String> {
    begins_like_json(trimmed).then(|| container_in(trimmed))?
}

/// The JSON object or array that a text is, if it is one.
pub(super) fn container_in(trimmed: &str) -> Option<String> {
    let object = |text: &str| {
        let text = text.trim();
        let json = Json::parse(text.as_bytes())?;
        matches!(json.kind(), JsonKind::Object | JsonKind::Array).then(|| text.to_owned())
    };
    let decoded = unescaped(trimmed);
    object(trimmed).or_else(|| object(&decoded)).or_else(|| {
        let quoted = decoded.strip_prefix('"')?;
        match Json::parse(decoded.as_bytes()) {
            Some(string) => object(&json_in(&string.text())),
            None => object(quoted.trim_end().strip_suffix('"').unwrap_or(quoted)),
        }
    })
}

/// The JSON that the bytes of a string are, in which lone surrogates are escapes, as far as they may stand there.
pub(super) fn json_in(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        // Only surrogates are encoded so.
        if let [0xed, second @ 0xa0..=0xff, third, ..] = bytes[at..] {
            let backslashes = out.iter().rev().take_while(|&&byte| byte == b'\\').count();
            let unit = 0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f);
            let kept = if backslashes % 2 == 1 { "\u{fffd}".to_owned() } else { format!("\\u{unit:04x}") };
            out.extend_from_slice(kept.as_bytes());
            at += 3;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(out).expect("but for surrogates, text")
}

/// HTML entities decoded, once.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let entity =
            rest.strip_prefix('&').and_then(|after| after.split_once(';')).and_then(|(name, after)| {
                // Fuzzing finds texts of nothing but ampersands, and the list is long.
                let may_be_named = name.len() < 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let is_it = |known: &&entities::Entity| known.entity[1..].strip_suffix(';') == Some(name);
                if let Some(known) = may_be_named.then(|| entities::ENTITIES.iter().find(is_it)).flatten() {
                    return Some((known.characters.to_owned(), after));
                }
                let code = name.strip_prefix('#')?;
                let (digits, radix) = code.strip_prefix(['x', 'X']).map_or((code, 10), |digits| (digits, 16));
                let plain = digits.len() <= 8 && digits.chars().all(|c| c.is_digit(radix));
                let code = u32::from_str_radix(digits, radix).ok().filter(|&code| plain && code != 0)?;
                Some((char::from_u32(windows(code))?.to_string(), after))
            });
        let (decoded, after) = entity.unwrap_or((c.to_string(), &rest[c.len_utf8()..]));
        out.push_str(&decoded);
        rest = after;
    }
    out
}

/// What browsers take the codes for that are no characters: those of Windows-1252.
fn windows(code: u32) -> u32 {
    let known = "128€ 130‚ 131ƒ 132„ 133… 134† 135‡ 136ˆ 137‰ 138Š 139‹ 140Œ 142Ž 145‘ 146’ 147“ 148” 149• 150– 151— 152˜ 153™ 154š 155› 156œ 158ž 159Ÿ";
    let found = known.split(' ').find_map(|known| known.strip_prefix(&code.to_string())?.chars().next());
    found.filter(|_| code >= 128).map_or(code, u32::from)
}
