//! Where the scanner writes down what it found: spans into the text, in flat reusable vectors.
//!
//! An object of a known class takes a run of [`Slot`]s, one a known key, and an [`Object`] that points to it. Unknown
//! keys, and all but the last value of a repeated known key, become [`Other`]s, chained to their object.

use super::fields::Class;
use crate::value::Kind;

/// "No such index".
pub(crate) const NONE: u32 = u32::MAX;

/// A value's kind and span: the bytes between the quotes for a string, the whole token for anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub start: u32,
    /// Length in the low 28 bits, kind in the high 4; 0 where the key is absent.
    packed: u32,
}

const LEN_BITS: u32 = 28;

/// Slots of an object, by class.
const SLOT_COUNTS: [u8; Class::ALL.len()] = {
    let mut counts = [0; Class::ALL.len()];
    let mut i = 0;
    while i < counts.len() {
        counts[i] = Class::ALL[i].slot_count() as u8;
        i += 1;
    }
    counts
};

impl Slot {
    pub(crate) const ABSENT: Self = Self { start: 0, packed: 0 };
    /// The longest span that a slot can hold.
    pub(crate) const MAX_LEN: usize = (1 << LEN_BITS) - 1;

    #[inline(always)]
    pub(crate) fn new(kind: Kind, start: usize, end: usize) -> Self {
        Self { start: start as u32, packed: (end - start) as u32 | (kind as u32) << LEN_BITS }
    }

    #[inline(always)]
    pub(crate) fn is_absent(self) -> bool {
        self.packed == 0
    }

    #[inline(always)]
    pub(crate) fn kind(self) -> Option<Kind> {
        Kind::from_bits(self.packed >> LEN_BITS)
    }

    /// Whether its kind is one of a set, as bits.
    #[inline(always)]
    pub(crate) fn is_one_of(self, kinds: u32) -> bool {
        kinds >> (self.packed >> LEN_BITS) & 1 != 0
    }

    /// Whether the value is more than null, `""`, `[]` or `{}`.
    #[inline(always)]
    pub(crate) fn is_filled(self) -> bool {
        /// By kind, what values that hold nothing are at most.
        const EMPTY: [u32; 1 << (u32::BITS - LEN_BITS)] = {
            let mut empty = [0; 1 << (u32::BITS - LEN_BITS)];
            let mut kind = 0;
            while kind < empty.len() {
                empty[kind] = (kind as u32) << LEN_BITS;
                kind += 1;
            }
            empty[Kind::Null as usize] |= Slot::MAX_LEN as u32;
            empty[Kind::Array as usize] |= 2;
            empty[Kind::Object as usize] |= 2;
            empty
        };
        self.packed > EMPTY[(self.packed >> LEN_BITS) as usize]
    }

    #[inline(always)]
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + (self.packed as usize & Self::MAX_LEN)
    }

    /// Notes that the plain string is [bare](crate::text::begins_bare).
    #[inline(always)]
    pub(crate) fn set_bare(&mut self) {
        self.packed = self.packed & Self::MAX_LEN as u32 | Kind::BARE_BITS << LEN_BITS;
    }

    #[inline(always)]
    pub(crate) fn is_bare(self) -> bool {
        self.packed >> LEN_BITS == Kind::BARE_BITS
    }

    /// A list of child objects: the first, and whether every element of the list is an object.
    #[inline(always)]
    pub(crate) fn children(first: u32, regular: bool) -> Self {
        Self { start: first, packed: 1 | u32::from(regular) << 1 }
    }

    /// Index of the first child, where there is one.
    #[inline(always)]
    pub(crate) fn first_child(self) -> u32 {
        if self.packed == 0 { NONE } else { self.start }
    }

    #[inline(always)]
    pub(crate) fn is_regular_list(self) -> bool {
        self.packed & 2 != 0
    }
}

/// An object of a known class, or any other element of a list where such objects are expected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object {
    /// Slots that hold something: one bit a slot. The others hold whatever was there before.
    pub present: u64,
    /// Keys that stand more than once: one bit a field.
    pub repeated: u64,
    /// The whole value.
    pub span: Slot,
    /// First of its slots.
    pub slots: u32,
    /// The next element of the same list, or [`NONE`].
    pub next: u32,
    pub first_other: u32,
    pub last_other: u32,
    pub class: Class,
}

/// A key without a slot, with its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Other {
    /// The raw key, between its quotes.
    pub key: Slot,
    pub value: Slot,
    pub next: u32,
    /// Not an unknown key, but an earlier value of a known one.
    pub earlier: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Arena {
    pub objects: Vec<Object>,
    /// Only those count that their object says are present.
    pub slots: Vec<Slot>,
    slots_used: usize,
    pub others: Vec<Other>,
}

/// How full an arena was, to go back to where a broken element began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark(usize, usize, usize);

impl Arena {
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.objects.len(), self.slots_used, self.others.len())
    }

    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.objects.truncate(mark.0);
        self.slots_used = mark.1;
        self.others.truncate(mark.2);
    }

    pub(crate) fn clear(&mut self) {
        self.rewind(Mark(0, 0, 0));
    }

    /// Opens an object of `class` with no fields yet; its span is set when it ends.
    #[inline(always)]
    pub(crate) fn push_object(&mut self, class: Class) -> u32 {
        let index = self.objects.len() as u32;
        let slots = self.slots_used as u32;
        self.slots_used += usize::from(SLOT_COUNTS[class as usize]);
        if self.slots_used > self.slots.len() {
            self.grow_slots();
        }
        self.objects.push(Object {
            present: 0,
            repeated: 0,
            span: Slot::ABSENT,
            slots,
            next: NONE,
            first_other: NONE,
            last_other: NONE,
            class,
        });
        index
    }

    /// A slot of an object.
    #[inline(always)]
    pub(crate) fn slot(&self, object: &Object, index: usize) -> Slot {
        if object.present >> index & 1 == 0 {
            Slot::ABSENT
        } else {
            self.slots[object.slots as usize + index]
        }
    }

    #[cold]
    fn grow_slots(&mut self) {
        let len = (self.slots.len() * 2).max(self.slots_used).max(1 << 12);
        self.slots.resize(len, Slot::ABSENT);
    }

    #[inline(always)]
    pub(crate) fn push_other(&mut self, object: u32, key: Slot, value: Slot, earlier: bool) {
        let index = self.others.len() as u32;
        self.others.push(Other { key, value, next: NONE, earlier });
        let object = &mut self.objects[object as usize];
        if object.last_other == NONE {
            object.first_other = index;
        } else {
            self.others[object.last_other as usize].next = index;
        }
        object.last_other = index;
    }
}
