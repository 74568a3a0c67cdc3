//! What all views of known objects share: reading slots and the keys without one.

use crate::block::Block;
use crate::scan::{Class, NONE, Object, Other, Slot};
use crate::text::Text;
use crate::value::{Kind, KindSet, Value};

/// A pointer to an object of a known class.
#[derive(Clone, Copy)]
pub(crate) struct ObjectRef<'b> {
    pub block: &'b Block,
    pub object: &'b Object,
    /// That of the block.
    text: &'b [u8],
}

/// The kinds of strings.
const STRINGS: u32 = KindSet::of(&[Kind::PlainString, Kind::EscapedString]).bits();

impl<'b> ObjectRef<'b> {
    #[inline(always)]
    pub(crate) fn new(block: &'b Block, index: u32) -> Self {
        Self { block, object: &block.arena.objects[index as usize], text: block.text.bytes() }
    }

    /// Another object of the block.
    #[inline(always)]
    fn at(self, index: u32) -> Self {
        Self { object: &self.block.arena.objects[index as usize], ..self }
    }

    #[inline(always)]
    fn slot(self, index: usize) -> Slot {
        self.block.arena.slot(self.object, index)
    }

    /// What a slot spans.
    #[inline(always)]
    fn str(self, slot: Slot) -> &'b str {
        crate::utf8::validated(&self.text[slot.range()])
    }

    #[inline(always)]
    pub(crate) fn value(self, field: usize) -> Option<Value<'b>> {
        value(self.text, self.slot(field))
    }

    #[inline(always)]
    pub(crate) fn text(self, field: usize) -> Option<Text<'b>> {
        let slot = self.slot(field);
        slot.is_one_of(STRINGS).then(|| {
            let raw = self.str(slot);
            Text::new(raw, slot.is_one_of(1 << Kind::EscapedString as u32)).known_bare(slot.is_bare())
        })
    }

    /// The object that is the value of `field`.
    #[inline]
    pub(crate) fn child(self, class: Class, field: usize) -> Option<Self> {
        let first = self.slot(class.child_slot(field)).first_child();
        (first != NONE).then(|| self.at(first))
    }

    /// The elements of the list that is the value of `field`.
    #[inline]
    pub(crate) fn children(self, class: Class, field: usize) -> Children<'b> {
        Children { parent: self, next: self.slot(class.child_slot(field)).first_child() }
    }

    /// Whether the value of `field` is a list, and one of objects only.
    pub(crate) fn is_regular_list(self, class: Class, field: usize) -> bool {
        self.slot(class.child_slot(field)).is_regular_list()
    }

    /// How many keys, of the first `fields` fields and the unknown ones, hold something: not null, not `""`, `[]` or `{}`.
    /// `compact` says that there is no white space in it.
    pub(crate) fn richness(self, fields: usize, compact: bool) -> u32 {
        let slots = self.slots(fields);
        let known = self.present(fields).map(|field| slots[field]);
        known
            .chain(self.unknown().map(|other| other.value))
            .map(|slot| u32::from(self.is_filled(slot, compact)))
            .sum()
    }

    /// The keys without a field, in order.
    #[inline(always)]
    fn unknown(self) -> impl Iterator<Item = &'b Other> + use<'b> {
        let others = &self.block.arena.others;
        let at = |index: u32| others.get(index as usize);
        std::iter::successors(at(self.object.first_other), move |other| at(other.next))
            .filter(|other| !other.earlier)
    }

    /// The keys without a field, in order and as they stand in the text.
    #[inline]
    pub(crate) fn unknown_keys(self) -> impl Iterator<Item = &'b str> + use<'b> {
        self.unknown().map(move |other| self.str(other.key))
    }

    #[inline(always)]
    fn is_filled(self, slot: Slot, compact: bool) -> bool {
        let is_spaced = || value(self.text, slot).is_some_and(Value::is_empty_container);
        slot.is_filled() && (compact || !is_spaced())
    }

    /// Those of the first `fields` fields that are there, in order, with their values.
    #[inline]
    pub(crate) fn fields(self, fields: usize) -> impl Iterator<Item = (usize, Value<'b>)> + Clone + use<'b> {
        let (slots, text) = (self.slots(fields), self.text);
        self.present(fields).map_while(move |field| Some((field, value(text, slots[field])?)))
    }

    /// Which of the first `fields` fields are there, in order.
    #[inline(always)]
    fn present(self, fields: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        bits(self.object.present & (u64::MAX >> (64 - fields)))
    }

    /// The slots of the first `fields` fields; those that are not present hold anything.
    #[inline(always)]
    fn slots(self, fields: usize) -> &'b [Slot] {
        &self.block.arena.slots[self.object.slots as usize..][..fields]
    }

    /// Those of the first fields whose values are of none of the kinds that are expected of them, in order.
    #[inline]
    pub(crate) fn misfits(self, expected: &[KindSet]) -> impl Iterator<Item = (usize, Kind)> + use<'b, '_> {
        let slots = self.slots(expected.len());
        let is_misfit = |field: usize| !slots[field].is_one_of(expected[field].bits());
        // Mostly there are none, and nothing is decided by a single one.
        let present = self.present(expected.len());
        let misfits = present.fold(0, |misfits, field| misfits | u64::from(is_misfit(field)) << field);
        bits(misfits).filter_map(|field| Some((field, slots[field].kind()?)))
    }

    #[inline(always)]
    pub(crate) fn has(self, field: usize) -> bool {
        !self.slot(field).is_absent()
    }

    pub(crate) fn others(self) -> Others<'b> {
        Others { object: self, next: self.object.first_other }
    }

    pub(crate) fn is_repeated(self, field: usize) -> bool {
        self.object.repeated >> field & 1 != 0
    }

    /// The whole object (or whatever stands in its place), raw.
    #[inline]
    pub(crate) fn whole(self) -> Value<'b> {
        value(self.text, self.object.span).unwrap_or_else(|| unreachable!("a finished object has a span"))
    }

    /// The last value of the unknown key `key`.
    pub(crate) fn other(self, key: &str) -> Option<Value<'b>> {
        self.others().filter(|other| !other.is_earlier && other.key.is(key)).last().map(|other| other.value)
    }
}

/// The places of the bits that are set, ascending.
#[inline(always)]
fn bits(mut left: u64) -> impl Iterator<Item = usize> + Clone {
    std::iter::from_fn(move || {
        let at = left.trailing_zeros() as usize;
        (left != 0).then(|| left &= left - 1)?;
        Some(at)
    })
}

/// The value of a slot, in the text of its block.
#[inline(always)]
fn value(text: &[u8], slot: Slot) -> Option<Value<'_>> {
    let kind = slot.kind()?;
    let mut range = slot.range();
    if kind.is_string() {
        range = range.start - 1..range.end + 1;
    }
    Some(Value::new(crate::utf8::validated(&text[range]), kind).known_bare(slot.is_bare()))
}

/// A key, by how it stands in the text.
#[inline]
pub(crate) fn key_text(raw: &str) -> Text<'_> {
    // Looking at all bytes at once takes less than looking for the first.
    let is_escaped = raw.bytes().fold(0, |found, byte| found | u8::from(byte == b'\\')) != 0;
    Text::new(raw, is_escaped)
}

/// The elements of a list, as objects.
#[derive(Clone)]
pub(crate) struct Children<'b> {
    parent: ObjectRef<'b>,
    next: u32,
}

impl<'b> Iterator for Children<'b> {
    type Item = ObjectRef<'b>;

    #[inline]
    fn next(&mut self) -> Option<ObjectRef<'b>> {
        if self.next == NONE {
            return None;
        }
        let child = self.parent.at(self.next);
        self.next = child.object.next;
        Some(child)
    }
}

/// A key that has no accessor as a field, with its raw value.
#[derive(Debug, Clone, Copy)]
pub struct OtherField<'b> {
    /// The key.
    pub key: Text<'b>,
    /// Its value.
    pub value: Value<'b>,
    /// Whether this is an earlier value of a *known* key that stands more than once; the last value is the field's.
    pub is_earlier: bool,
}

/// The keys of an object that are not among its known ones, in order, and the earlier values of repeated known keys.
#[derive(Clone)]
pub struct Others<'b> {
    object: ObjectRef<'b>,
    next: u32,
}

impl std::fmt::Debug for Others<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<'b> Iterator for Others<'b> {
    type Item = OtherField<'b>;

    #[inline]
    fn next(&mut self) -> Option<OtherField<'b>> {
        if self.next == NONE {
            return None;
        }
        let other = &self.object.block.arena.others[self.next as usize];
        self.next = other.next;
        Some(OtherField {
            key: key_text(self.object.str(other.key)),
            value: value(self.object.text, other.value)?,
            is_earlier: other.earlier,
        })
    }
}
