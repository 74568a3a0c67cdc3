//! A value inside a template: a place on the tape, with accessors that decode on request.

use super::tape::{CLOSED, Item, RAW_KEY, SHADOWED, find};
use super::view::View;
use crate::text::{Text, write_json_string};
use crate::value::Kind;

/// A value inside a payload. A string that holds the payload as JSON is seen as the object that it holds.
#[derive(Clone, Copy)]
pub struct Node<'s> {
    pub(super) view: &'s View<'s>,
    /// Never that of a string that holds the payload: that of the object inside it.
    pub(super) index: u32,
    /// Where it stands among its siblings; differs from `index` for what was decoded from a string.
    place: u32,
}

impl std::fmt::Debug for Node<'_> {
    /// Kind and length only: values may be personal, and debug output ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({} bytes)", self.kind(), self.raw().len())
    }
}

impl<'s> Node<'s> {
    pub(super) fn new(view: &'s View<'s>, place: u32) -> Self {
        let decoded = view.items[place as usize].decoded;
        Self { view, index: if decoded == 0 { place } else { decoded }, place }
    }

    pub(super) fn item(self) -> &'s Item<'s> {
        &self.view.items[self.index as usize]
    }

    /// What it is.
    #[inline]
    pub fn kind(self) -> Kind {
        self.item().kind
    }

    /// Its exact JSON, at its own level of encoding.
    #[inline]
    pub fn raw(self) -> &'s str {
        self.item().raw
    }

    /// Its key, where it is a member of an object. A key that holds a lone surrogate stands as it is written.
    pub fn key(self) -> &'s str {
        self.view.items[self.place as usize].key
    }

    /// The string that it is.
    pub fn as_text(self) -> Option<Text<'s>> {
        let raw = self.raw();
        self.kind().is_string().then(|| Text::new(&raw[1..raw.len() - 1], self.kind() == Kind::EscapedString))
    }

    /// The string that it is, decoded, with U+FFFD in the place of lone surrogates.
    pub fn as_str(self) -> Option<&'s str> {
        self.as_text().map(|text| self.view.scratch.decode(text).0)
    }

    /// The integer that it is, where it is written as a plain integer that fits.
    pub fn as_i64(self) -> Option<i64> {
        (self.kind() == Kind::Number).then(|| crate::number::parse_i64(self.raw().as_bytes())).flatten()
    }

    /// Whether this is a container of which only the raw JSON is known, because a limit was reached.
    pub fn is_closed(self) -> bool {
        self.item().flags & CLOSED != 0
    }

    pub(super) fn is_container(self) -> bool {
        matches!(self.kind(), Kind::Array | Kind::Object)
    }

    /// Whether a later member of the same object has the same key, which is the one that counts.
    pub fn is_shadowed(self) -> bool {
        self.view.items[self.place as usize].flags & SHADOWED != 0
    }

    /// What is directly inside an array or object, in order, earlier values of repeated keys included.
    pub fn children(self) -> Nodes<'s> {
        let inside = self.is_container();
        Nodes { view: self.view, at: self.index + 1, end: if inside { self.item().next } else { 0 } }
    }

    /// The elements of an array; nothing for anything else.
    pub fn elements(self) -> Nodes<'s> {
        if self.kind() == Kind::Array { self.children() } else { Nodes { view: self.view, at: 0, end: 0 } }
    }

    /// The members of an object, of repeated keys the last; nothing for anything else.
    pub fn members(self) -> impl Iterator<Item = Self> + 's {
        let nodes = if self.kind() == Kind::Object {
            self.children()
        } else {
            Nodes { view: self.view, at: 0, end: 0 }
        };
        nodes.filter(|node| !node.is_shadowed())
    }

    /// The last member called `key`, where this is an object that has one.
    #[inline]
    pub fn get(self, key: &str) -> Option<Self> {
        find(self.view.items, self.index, key).map(|place| Self::new(self.view, place))
    }

    /// Notes that a column holds it exactly.
    pub(super) fn mark_used(self) {
        self.item().used.set(true);
    }

    /// Appends its JSON to `out` without white space and with the fewest escapes: equal for all writings of a value
    /// but those of a number.
    pub fn write_compact(self, out: &mut String) {
        match self.kind() {
            _ if self.is_closed() => {
                let mut bytes = Vec::with_capacity(self.raw().len());
                crate::hash::minify(self.raw().as_bytes(), &mut bytes);
                out.push_str(&String::from_utf8_lossy(&bytes));
            }
            Kind::EscapedString => match self.as_text().and_then(Text::exact) {
                Some(text) => write_json_string(&text, out),
                None => out.push_str(self.raw()),
            },
            Kind::Array | Kind::Object => {
                let is_object = self.kind() == Kind::Object;
                out.push(if is_object { '{' } else { '[' });
                for (i, child) in self.children().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    if is_object {
                        child.write_key(out);
                        out.push(':');
                    }
                    child.write_compact(out);
                }
                out.push(if is_object { '}' } else { ']' });
            }
            _ => out.push_str(self.raw()),
        }
    }

    fn write_key(self, out: &mut String) {
        if self.view.items[self.place as usize].flags & RAW_KEY == 0 {
            write_json_string(self.key(), out);
        } else {
            out.push('"');
            out.push_str(self.key());
            out.push('"');
        }
    }
}

/// Values side by side. See [`Node::children`].
#[derive(Clone)]
pub struct Nodes<'s> {
    view: &'s View<'s>,
    at: u32,
    end: u32,
}

impl std::fmt::Debug for Nodes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'s> Iterator for Nodes<'s> {
    type Item = Node<'s>;

    #[inline]
    fn next(&mut self) -> Option<Node<'s>> {
        if self.at >= self.end {
            return None;
        }
        let node = Node::new(self.view, self.at);
        self.at = self.view.items[self.at as usize].next;
        Some(node)
    }
}
