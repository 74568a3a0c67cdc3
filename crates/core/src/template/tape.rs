//! The tape: every value of a JSON text in the order of the text, each with the index after its subtree.
//!
//! The builder takes what is JSON and nothing else, but does not say what is wrong with the rest. Its cost is linear, and so is that of whoever walks
//! the tape: what would make it otherwise (too many values, too deep, pointers that are too long) stays *closed*, a
//! container of which only the raw text is known.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::escape::decode_in;
use crate::error::Reason;
use crate::scan::{closing, read_scalar, skip_space, string_end};
use crate::text::Text;
use crate::value::Kind;

/// A value on the tape.
#[derive(Debug)]
pub(super) struct Item<'s> {
    /// Its key, decoded; a key with a lone surrogate stays as it is written. Empty in an array.
    pub key: &'s str,
    /// Its exact JSON.
    pub raw: &'s str,
    /// The index after its subtree.
    pub next: u32,
    /// Where its members are instead, where it is a string that holds an object; 0 if it is none.
    pub decoded: u32,
    pub kind: Kind,
    pub flags: u8,
    /// Of an object, the [`key_bit`]s of its keys: most keys that are asked for are not there, and most of those are known
    /// by this.
    pub keys: u64,
    /// Whether a column holds it exactly.
    pub used: Cell<bool>,
}

/// The key holds a lone surrogate and stands as it is written.
pub(super) const RAW_KEY: u8 = 1;
/// A later member of the same object has the same key.
pub(super) const SHADOWED: u8 = 2;
/// A container that was not taken apart.
pub(super) const CLOSED: u8 = 4;

/// One bit of 64, the same for equal keys.
#[inline]
const fn key_bit(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return 1 };
    1 << ((first as usize * 7 + last as usize * 3 + bytes.len() * 11) % 64)
}

/// The last member with that key of the object at an index; `None` where it has none, or is no object.
#[inline]
pub(super) fn find(items: &[Item<'_>], object: u32, key: &str) -> Option<u32> {
    let parent = &items[object as usize];
    if parent.keys & key_bit(key) == 0 { None } else { find_member(items, object, key) }
}

fn find_member(items: &[Item<'_>], object: u32, key: &str) -> Option<u32> {
    let end = items[object as usize].next;
    let mut at = object + 1;
    while at < end {
        let item = &items[at as usize];
        if item.key == key && item.flags & SHADOWED == 0 {
            return Some(at);
        }
        at = item.next;
    }
    None
}

/// The longest JSON pointer of a container that is taken apart: whoever writes pointers down pays for each again.
const POINTER_BYTES: usize = 512;

/// Builds tapes into the arena, within one budget for a text and all that it nests.
pub(super) struct Builder<'s, 'a> {
    pub bump: &'s Bump,
    pub items: BumpVec<'s, Item<'s>>,
    /// A reused buffer for decoding.
    pub buffer: &'a RefCell<String>,
    /// How deep containers may nest, and how many values there may be.
    pub depth: usize,
    pub nodes: usize,
    /// A container that stayed closed, and why.
    pub closed: Option<(Reason, &'s str)>,
    open: BumpVec<'s, Open>,
}

#[derive(Clone, Copy)]
struct Open {
    item: u32,
    start: usize,
    pointer: usize,
    /// The byte that closes it.
    close: u8,
}

impl<'s, 'a> Builder<'s, 'a> {
    pub(super) fn new(bump: &'s Bump, buffer: &'a RefCell<String>, depth: usize, nodes: usize) -> Self {
        Self {
            bump,
            // Most texts are small; the vector is at the arena's end and grows in place.
            items: BumpVec::with_capacity_in(64, bump),
            buffer,
            depth,
            nodes: nodes.max(1),
            closed: None,
            open: BumpVec::new_in(bump),
        }
    }

    /// Decodes a string into the arena; borrowed where it holds no escape. The flag says whether that was exact.
    pub(super) fn decode(&self, text: Text<'s>) -> (&'s str, bool) {
        decode_in(self.bump, self.buffer, text)
    }

    /// Appends the value that stands at the start of `text`, and returns its index and the position after it; `None` where it is no
    /// JSON. What is in a container that stays closed is not looked at.
    ///
    /// `depth` is how many containers are around it, `pointer` how long its own JSON pointer is.
    pub(super) fn build(&mut self, text: &'s str, depth: usize, pointer: usize) -> Option<(u32, usize)> {
        let bytes = text.as_bytes();
        let root = self.items.len() as u32;
        self.open.clear();
        let mut at = skip_space(bytes, 0);
        let mut key: (&'s str, u8) = ("", 0);
        let mut pointer = pointer;
        loop {
            // At a value.
            if self.items.len() >= self.nodes
                && let Some(open) = self.open.pop()
            {
                // No more may be added: what was added of the innermost container goes, and its end is looked for.
                at = end_of_container(bytes, at, 1)?;
                self.close_at(open.item, &text[open.start..at], Reason::TooLarge);
            } else {
                let start = at;
                match *bytes.get(at)? {
                    byte @ (b'{' | b'[') => {
                        let kind = if byte == b'{' { Kind::Object } else { Kind::Array };
                        let parent = self.open.last().map_or(pointer, |open| open.pointer);
                        // An index counts as one digit: as many levels as there may be of them do not add up.
                        let own = if self.open.is_empty() { 0 } else { 1 + key.0.len().max(1) };
                        pointer = parent + own;
                        let item = self.push(key, kind);
                        at = skip_space(bytes, at + 1);
                        if depth + self.open.len() >= self.depth || pointer > POINTER_BYTES {
                            at = end_of_container(bytes, at, 1)?;
                            self.close_at(item, &text[start..at], Reason::TooDeep);
                        } else {
                            self.open.push(Open { item, start, pointer, close: closing(byte) });
                            if *bytes.get(at)? != closing(byte) {
                                (key, at) = self.key(text, at, byte == b'{')?;
                                continue;
                            }
                        }
                    }
                    b'"' => {
                        let escaped;
                        (at, escaped) = after_string(bytes, at + 1)?;
                        let kind = if escaped { Kind::EscapedString } else { Kind::PlainString };
                        self.push_whole(key, kind, &text[start..at]);
                    }
                    _ => {
                        let kind;
                        (kind, at) = read_scalar(bytes, at, true).ok()?;
                        self.push_whole(key, kind, &text[start..at]);
                    }
                }
            }
            // After a value, or before the end of an empty container.
            loop {
                let Some(&open) = self.open.last() else { return Some((root, at)) };
                at = skip_space(bytes, at);
                let byte = *bytes.get(at)?;
                at += 1;
                if byte == b',' {
                    at = skip_space(bytes, at);
                    (key, at) = self.key(text, at, open.close == b'}')?;
                    break;
                }
                if byte != open.close {
                    return None;
                }
                self.open.pop();
                let next = self.items.len() as u32;
                let item = &mut self.items[open.item as usize];
                item.raw = &text[open.start..at];
                item.next = next;
                if byte == b'}' {
                    self.see_keys(open.item);
                }
            }
        }
    }

    /// Takes from the tape what was added from an index on.
    pub(super) fn forget_from(&mut self, index: usize) {
        self.items.truncate(index);
        self.closed = None;
    }

    fn push(&mut self, (key, flags): (&'s str, u8), kind: Kind) -> u32 {
        let index = self.items.len() as u32;
        self.items.push(Item {
            key,
            raw: "",
            next: index + 1,
            decoded: 0,
            kind,
            flags,
            keys: 0,
            used: Cell::new(false),
        });
        index
    }

    fn push_whole(&mut self, key: (&'s str, u8), kind: Kind, raw: &'s str) {
        let index = self.push(key, kind);
        self.items[index as usize].raw = raw;
    }

    /// Leaves a container closed: forgets what was read of it, but for its text.
    fn close_at(&mut self, index: u32, raw: &'s str, reason: Reason) {
        self.items.truncate(index as usize + 1);
        let item = &mut self.items[index as usize];
        item.raw = raw;
        item.next = index + 1;
        item.flags |= CLOSED;
        // Of containers inside each other, the outermost is told.
        if self.closed.is_none_or(|(_, before)| before.as_ptr() >= raw.as_ptr()) {
            self.closed = Some((reason, raw));
        }
    }

    /// The key at `at` and the position of its value; in an array the value is what stands there.
    #[inline]
    fn key(&mut self, text: &'s str, at: usize, is_object: bool) -> Option<((&'s str, u8), usize)> {
        if !is_object {
            return Some((("", 0), at));
        }
        let bytes = text.as_bytes();
        if *bytes.get(at)? != b'"' {
            return None;
        }
        let (end, escaped) = after_string(bytes, at + 1)?;
        let raw = &text[at + 1..end - 1];
        let colon = skip_space(bytes, end);
        if *bytes.get(colon)? != b':' {
            return None;
        }
        let value = skip_space(bytes, colon + 1);
        if !escaped {
            return Some(((raw, 0), value));
        }
        let (decoded, exact) = self.decode(Text::new(raw, true));
        Some((if exact { (decoded, 0) } else { (raw, RAW_KEY) }, value))
    }

    /// Collects the keys of an object, and marks the members whose key stands again later.
    fn see_keys(&mut self, object: u32) {
        const FEW: usize = 16;
        let end = self.items[object as usize].next;
        let (mut members, mut count) = ([0_u32; FEW], 0);
        let mut keys = 0;
        let mut at = object + 1;
        while at < end {
            let item = &self.items[at as usize];
            let bit = key_bit(item.key);
            if keys & bit != 0 && count <= FEW {
                for &earlier in &members[..count] {
                    if same_key(&self.items[earlier as usize], &self.items[at as usize]) {
                        self.items[earlier as usize].flags |= SHADOWED;
                    }
                }
            }
            keys |= bit;
            if count < FEW {
                members[count] = at;
            }
            count += 1;
            at = self.items[at as usize].next;
        }
        self.items[object as usize].keys = keys;
        if count > FEW {
            self.mark_shadowed_of_many(object + 1, end);
        }
    }

    #[cold]
    fn mark_shadowed_of_many(&mut self, first: u32, end: u32) {
        let mut seen: HashMap<(&'s str, u8), u32> = HashMap::new();
        let mut at = first;
        while at < end {
            let item = &self.items[at as usize];
            let next = item.next;
            if let Some(earlier) = seen.insert((item.key, item.flags & RAW_KEY), at) {
                self.items[earlier as usize].flags |= SHADOWED;
            }
            at = next;
        }
    }
}

fn same_key(a: &Item<'_>, b: &Item<'_>) -> bool {
    a.key == b.key && (a.flags ^ b.flags) & RAW_KEY == 0
}

/// The position after the string whose inside begins at `at`, and whether it holds escapes; `None` where it is none.
#[inline]
fn after_string(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    string_end(bytes, at, true).ok().map(|(quote, escaped)| (quote + 1, escaped))
}

/// The position after the end of the container inside which `at` is, `level` containers deep; `None` where it has none.
fn end_of_container(bytes: &[u8], mut at: usize, mut level: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            b'"' => {
                at = after_string(bytes, at + 1)?.0;
                continue;
            }
            b'{' | b'[' => level += 1,
            b'}' | b']' => {
                level -= 1;
                if level == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}
