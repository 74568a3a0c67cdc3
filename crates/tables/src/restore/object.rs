//! Writing JSON objects from columns, where the keys that stand in an `extra` win.

use korpus_core::{json_code_units, json_members, write_json_string, write_timestamp};

/// An object on its way out. Members that stand in its `extra` are written from there, and from nowhere else.
pub(super) struct Object<'a> {
    out: &'a mut String,
    extra: Option<&'a str>,
    first: bool,
}

impl<'a> Object<'a> {
    pub(super) fn begin(out: &'a mut String, extra: Option<&'a str>) -> Self {
        out.push('{');
        Self { out, extra, first: true }
    }

    /// Begins the member `key` and gives the place to write its value to; `None` if `extra` is the truth for the key.
    pub(super) fn member(&mut self, key: &str) -> Option<&mut String> {
        if self.extra.is_some_and(|extra| has_key(extra, key)) {
            return None;
        }
        self.raw_key(key);
        Some(self.out)
    }

    fn raw_key(&mut self, key: &str) {
        self.out.push_str(if self.first { "\"" } else { ",\"" });
        self.out.push_str(key);
        self.out.push_str("\":");
        self.first = false;
    }

    pub(super) fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value
            && let Some(out) = self.member(key)
        {
            write_json_string(value, out);
        }
    }

    /// A value that is written as it stands: a number, a literal, JSON.
    pub(super) fn raw(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value
            && let Some(out) = self.member(key)
        {
            out.push_str(value.as_ref());
        }
    }

    pub(super) fn number(&mut self, key: &str, value: Option<impl ToString>) {
        self.raw(key, value.map(|value| value.to_string()));
    }

    pub(super) fn flag(&mut self, key: &str, value: Option<bool>, is_number: bool) {
        self.raw(
            key,
            value.map(|value| match (value, is_number) {
                (true, true) => "1",
                (false, true) => "0",
                (true, false) => "true",
                (false, false) => "false",
            }),
        );
    }

    pub(super) fn time(&mut self, key: &str, micros: Option<i64>) {
        if let Some(micros) = micros
            && let Some(out) = self.member(key)
        {
            out.push('"');
            write_timestamp(micros, out);
            out.push('"');
        }
    }

    /// Writes what `extra` holds, and closes the object.
    pub(super) fn end(mut self) {
        for (key, value) in self.extra.into_iter().flat_map(json_members) {
            self.raw_key(key);
            self.out.push_str(value);
        }
        self.out.push('}');
    }
}

/// Whether an object has a member called `key`.
pub(super) fn has_key(object: &str, key: &str) -> bool {
    json_members(object)
        .any(|(raw, _)| raw == key || (raw.contains('\\') && *json_code_units(raw) == *key.as_bytes()))
}
