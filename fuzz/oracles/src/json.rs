//! An independent reader of JSON on top of `serde_json`: raw values, repeated keys and lone surrogates survive.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A valid JSON value, as its own bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

struct Members<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'a> Deserialize<'a> for Members<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'a> Visitor<'a> for Walk {
            type Value = Members<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Members<'a>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Walk)
    }
}

struct Bytes(Vec<u8>);

impl<'a> Deserialize<'a> for Bytes {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl Visitor<'_> for Walk {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_bytes(Walk)
    }
}

impl<'a> Json<'a> {
    /// The value that `text` is, white space around it aside.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice::<&RawValue>(text).ok().map(|raw| Self(raw.get()))
    }

    /// Its bytes.
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// What it is.
    pub fn kind(self) -> JsonKind {
        match self.0.as_bytes()[0] {
            b'n' => JsonKind::Null,
            b't' | b'f' => JsonKind::Bool,
            b'"' => JsonKind::String,
            b'[' => JsonKind::Array,
            b'{' => JsonKind::Object,
            _ => JsonKind::Number,
        }
    }

    /// Its members as (key with its quotes, value), repeated keys and all; none where it is no object.
    pub fn members(self) -> Vec<(Json<'a>, Json<'a>)> {
        if self.kind() != JsonKind::Object {
            return Vec::new();
        }
        let Members(members) =
            serde_json::from_str(self.0).unwrap_or_else(|_| unreachable!("it was parsed before"));
        members.into_iter().map(|(key, value)| (Self(key.get()), Self(value.get()))).collect()
    }

    /// Its elements; none where it is no array.
    pub fn elements(self) -> Vec<Json<'a>> {
        if self.kind() != JsonKind::Array {
            return Vec::new();
        }
        let elements: Vec<&RawValue> =
            serde_json::from_str(self.0).unwrap_or_else(|_| unreachable!("it was parsed before"));
        elements.into_iter().map(|value| Self(value.get())).collect()
    }

    /// The text of a string as WTF-8: UTF-8 but for lone surrogates.
    ///
    /// # Panics
    /// If it is no string.
    pub fn text(self) -> Vec<u8> {
        serde_json::from_str::<Bytes>(self.0).expect("a valid string").0
    }

    /// The text of a string with U+FFFD in the place of lone surrogates, and whether there was none.
    ///
    /// # Panics
    /// If it is no string.
    pub fn lossy_text(self) -> (String, bool) {
        let mut bytes = self.text();
        let mut exact = true;
        let mut at = 0;
        while at + 2 < bytes.len() {
            // Only surrogates are encoded so, and they are as long as U+FFFD.
            if bytes[at] == 0xed && bytes[at + 1] >= 0xa0 {
                bytes[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
                exact = false;
            }
            at += 1;
        }
        (String::from_utf8_lossy(&bytes).into_owned(), exact)
    }

    /// Its bytes without the white space between its tokens.
    pub fn minified(self) -> String {
        match self.kind() {
            JsonKind::Object => {
                let members = self.members();
                let members: Vec<_> = members
                    .iter()
                    .map(|(key, value)| format!("{}:{}", key.raw(), value.minified()))
                    .collect();
                format!("{{{}}}", members.join(","))
            }
            JsonKind::Array => {
                let elements: Vec<_> = self.elements().iter().map(|value| value.minified()).collect();
                format!("[{}]", elements.join(","))
            }
            _ => self.0.to_owned(),
        }
    }
}

/// Whether two values are the same: the order of keys aside, numbers by their exact decimal value.
pub fn same_value(a: Json<'_>, b: Json<'_>) -> bool {
    if a.kind() != b.kind() {
        return false;
    }
    match a.kind() {
        JsonKind::Null => true,
        JsonKind::Bool => a.0 == b.0,
        JsonKind::Number => a.0 == b.0 || korpus_core::numbers_equal(a.0, b.0),
        JsonKind::String => a.text() == b.text(),
        JsonKind::Array => {
            let (a, b) = (a.elements(), b.elements());
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_value(*a, *b))
        }
        JsonKind::Object => {
            let sorted = |value: Json<'_>| {
                let mut members: Vec<_> =
                    value.members().iter().map(|(key, value)| (key.text(), value.0.to_owned())).collect();
                // Stable: the values of one key stay in their order.
                members.sort_by(|a, b| a.0.cmp(&b.0));
                members
            };
            let (a, b) = (sorted(a), sorted(b));
            a.len() == b.len()
                && a.iter().zip(&b).all(|(a, b)| a.0 == b.0 && same_value(Json(&a.1), Json(&b.1)))
        }
    }
}
