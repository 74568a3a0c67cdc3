//! The walk over one value: validates every byte, and writes down where the known fields are.

use super::arena::{Arena, NONE, Slot};
use super::fields::{Class, DataField};
use super::learn::{Known, Learned, MAX_STATES, Opener, Step, UNKNOWN, escape_end, peek, skip_space};
use crate::simd::{Isa, Level};
use crate::text::begins_bare;
use crate::value::Kind;

/// What is wrong with a piece of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    UnexpectedByte,
    TrailingComma,
    ControlCharacter,
    BadEscape,
    BadNumber,
    BadLiteral,
    TooDeep,
    Truncated,
}

/// Why a walk ended before its value did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The text ends first, and more of it is to come.
    Incomplete,
    /// The text cannot become valid, whatever follows.
    Bad { at: usize, fault: Fault },
}

impl Stop {
    pub(crate) fn bad(at: usize, fault: Fault) -> Self {
        Self::Bad { at, fault }
    }

    #[cold]
    pub(crate) fn short(text: &[u8], eof: bool) -> Self {
        if eof { Self::bad(text.len(), Fault::Truncated) } else { Self::Incomplete }
    }
}

/// A value that was walked to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walked {
    /// The position after it.
    pub end: usize,
    pub kind: Kind,
    /// Its object in the arena, where it is an object of the class that was asked for.
    pub object: u32,
    /// Whether no white space stands between its tokens.
    pub compact: bool,
}

/// A scanner: what it has learned, and its reusable stack.
#[derive(Debug)]
pub(crate) struct Scanner {
    learned: Learned,
    level: Level,
    depth: usize,
}

impl Scanner {
    /// `depth` is how many containers may stand inside each other.
    pub(crate) fn new(depth: usize) -> Self {
        Self::with_level(depth, Level::best())
    }

    pub(crate) fn with_level(depth: usize, level: Level) -> Self {
        Self { learned: Learned::new(), level, depth }
    }

    /// To be called between bodies: forgets a layout that has outgrown its bounds.
    pub(crate) fn refresh(&mut self) {
        self.learned.refresh();
    }

    /// Walks the value at `start`, white space before it not included; `class` says what its object is, if known.
    ///
    /// `eof` says that nothing follows `text`. Whatever a failed walk wrote into the arena is left there: rewind it.
    pub(crate) fn walk(
        &mut self,
        arena: &mut Arena,
        text: &[u8],
        start: usize,
        eof: bool,
        class: Option<Class>,
    ) -> Result<Walked, Stop> {
        self.learned.read_keys.clear();
        let mut walk = Walk {
            arena,
            learned: &mut self.learned,
            eof,
            depth: self.depth,
            seen: 0,
            stop: Stop::Incomplete,
        };
        let (end, kind, object) = match self.level {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            #[allow(unsafe_code, reason = "the one call into functions with a target feature")]
            // SAFETY: this level is only made where AVX2 and BMI1 were detected.
            Level::Avx2 => unsafe { avx2::root(&mut walk, text, start, class) },
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Level::Sse2 => sse2::root(&mut walk, text, start, class),
            #[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
            Level::Neon => neon::root(&mut walk, text, start, class),
            Level::Portable => portable::root(&mut walk, text, start, class),
        };
        if end == FAILED {
            Err(walk.stop)
        } else {
            Ok(Walked { end, kind, object, compact: walk.seen & Step::SPACED == 0 })
        }
    }
}

/// The bit of the text of a component's data.
const TEXT: u64 = 1 << DataField::Text as u8;

/// The position that says that a walk failed; why stands in [`Walk::stop`].
const FAILED: usize = usize::MAX;

/// A walk under way.
struct Walk<'a> {
    arena: &'a mut Arena,
    learned: &'a mut Learned,
    eof: bool,
    /// How many more containers may stand inside each other.
    depth: usize,
    /// The bits of all steps, of which one says whether there was white space.
    seen: u64,
    stop: Stop,
}

impl Walk<'_> {
    #[cold]
    #[inline(never)]
    fn fail(&mut self, stop: Stop) -> usize {
        self.stop = stop;
        FAILED
    }

    #[cold]
    fn bad(&mut self, at: usize, fault: Fault) -> usize {
        self.fail(Stop::bad(at, fault))
    }

    #[cold]
    fn short(&mut self, text: &[u8]) -> usize {
        let stop = Stop::short(text, self.eof);
        self.fail(stop)
    }

    /// Notes white space between two tokens.
    #[inline(always)]
    fn space(&mut self, is_there: bool) {
        if is_there {
            self.seen |= Step::SPACED;
        }
    }

    /// The position after white space that stands behind a matched pattern: where the pattern was learned, less or none
    /// stood between the colon and the value.
    #[inline(always)]
    fn late_space(&mut self, text: &[u8], at: usize) -> usize {
        match text.get(at) {
            Some(0..=b' ') => {
                self.space(true);
                skip_space(text, at)
            }
            _ => at,
        }
    }

    /// A value of an object whose key has no slot, or stood before.
    #[inline]
    fn other(&mut self, object: u32, step: Step, from: usize, value: Slot) {
        let (start, len) = step.key(&self.learned.read_keys);
        let key = Slot::new(Kind::PlainString, from + start, from + start + len);
        self.arena.push_other(object, key, value, step.field() != UNKNOWN);
    }

    /// A known key stands twice: the last value wins, the earlier one is kept among the others.
    #[cold]
    #[inline(never)]
    fn repeated(&mut self, object: u32, step: Step, from: usize, earlier: Slot) {
        self.other(object, step, from, earlier);
        self.arena.objects[object as usize].repeated |= 1 << step.field();
    }

    /// Writes down a value of an object of a known class, whose slots begin at `base`; `present` has a bit for each of
    /// them that is in use.
    #[inline(always)]
    fn record(&mut self, object: u32, base: usize, present: &mut u64, step: Step, from: usize, value: Slot) {
        if step.field() == UNKNOWN {
            return self.other(object, step, from, value);
        }
        let bit = 1_u64 << (step.field() & 63);
        let index = base + usize::from(step.field());
        if *present & bit != 0 {
            let earlier = self.arena.slots[index];
            self.repeated(object, step, from, earlier);
            // The children of the earlier value must not pass for those of this one, which writes its own afterwards.
            if step.known() != Known::None {
                *present &= !(1 << self.learned.child(step.target()).1);
            }
        }
        *present |= bit;
        self.arena.slots[index] = value;
    }

    /// An element that is no object, in a list of objects.
    #[cold]
    #[inline(never)]
    fn irregular(&mut self, class: Class, value: Slot) -> u32 {
        let object = self.arena.push_object(class);
        self.arena.objects[object as usize].span = value;
        object
    }
}

/// What a value that begins with `byte` is, and how many bytes open it.
#[inline(always)]
fn open(byte: u8) -> (u8, usize) {
    match byte {
        b'"' => (Opener::STRING, 1),
        b'{' => (Opener::OBJECT, 1),
        b'[' => (Opener::ARRAY, 1),
        _ => (Opener::OTHER, 0),
    }
}

/// What stands after a value in an object, or after its brace: predicted, else read; and the position after it.
macro_rules! next {
    ($isa:ident, $walk:ident, $text:ident, $at:ident, $state:ident, $keep_key:literal) => {{
        let [first, second] = &$walk.learned.states[usize::from($state) % MAX_STATES].next;
        if $isa::matches($text, $at, &first.bytes, first.mask) {
            (first.step, $at + first.step.len())
        } else if $text.get($at) == Some(&b'}') {
            (Step::END, $at + 1)
        } else if $isa::matches($text, $at, &second.bytes, second.mask) {
            let step = second.step;
            $walk.learned.second_hit($state);
            (step, $at + step.len())
        } else {
            read_next($walk, $text, $at, $state, $keep_key)
        }
    }};
}

/// The walk itself, once for each instruction set: functions with a target feature inline each other and the
/// searches, which generic ones could not.
macro_rules! walker {
    ($module:ident, $isa:ident, $(#[$attribute:meta])*) => {
        mod $module {
            use super::*;
            use crate::simd::$isa as I;

            /// Any value, as (end, kind, object).
            $(#[$attribute])*
            pub(super) fn root(
                walk: &mut Walk<'_>,
                text: &[u8],
                at: usize,
                class: Option<Class>,
            ) -> (usize, Kind, u32) {
                let Some(&byte) = text.get(at) else { return (walk.short(text), Kind::Null, NONE) };
                match (byte, class) {
                    (b'{', Some(class)) => {
                        let object = walk.arena.push_object(class);
                        let end = object_of(walk, text, at + 1, class, object);
                        (end, Kind::Object, object)
                    }
                    (b'{', None) => {
                        let class = walk.learned.child_class(0);
                        (skip_object(walk, text, at + 1, class), Kind::Object, NONE)
                    }
                    (b'[', _) => (skip_list(walk, text, at + 1, 0), Kind::Array, NONE),
                    (b'"', _) => {
                        let (kind, end) = string(walk, text, at + 1);
                        (end, kind, NONE)
                    }
                    _ => {
                        let (kind, end) = scalar(walk, text, at);
                        (end, kind, NONE)
                    }
                }
            }

            /// The rest of an object of a known class, from after its brace; the position after it.
            $(#[$attribute])*
            fn object_of(walk: &mut Walk<'_>, text: &[u8], start: usize, class: Class, object: u32) -> usize {
                if walk.depth == 0 {
                    return walk.bad(start - 1, Fault::TooDeep);
                }
                walk.depth -= 1;
                let base = walk.arena.objects[object as usize].slots as usize;
                let mut state = walk.learned.entry(class as u16);
                let mut present = 0;
                let mut at = start;
                loop {
                    let from = at;
                    let step;
                    (step, at) = next!(I, walk, text, at, state, true);
                    if at == FAILED {
                        return FAILED;
                    }
                    walk.seen |= step.bits();
                    if step.is_end() {
                        break;
                    }
                    state = step.target();
                    let mut opener = step.opener();
                    if opener == Opener::OTHER {
                        // A pattern that ends before its value says nothing about what the value is this time.
                        at = walk.late_space(text, at);
                        let Some(&byte) = text.get(at) else { return walk.short(text) };
                        let opened = open(byte);
                        opener = opened.0;
                        at += opened.1;
                    }
                    let value = match opener {
                        Opener::STRING => {
                            let start = at;
                            let mut kind = Kind::PlainString;
                            at = I::string_stop(text, at);
                            if text.get(at) == Some(&b'"') {
                                at += 1;
                            } else {
                                kind = Kind::EscapedString;
                                at = escaped_string(walk, text, at);
                                if at == FAILED {
                                    return FAILED;
                                }
                            }
                            Slot::new(kind, start, at - 1)
                        }
                        Opener::EMPTY_ARRAY => {
                            walk.record(object, base, &mut present, step, from, Slot::new(Kind::Array, at - 2, at));
                            if step.known() == Known::List {
                                let (_, child_slot) = walk.learned.child(state);
                                present |= 1 << child_slot;
                                walk.arena.slots[base + child_slot] = Slot::children(NONE, true);
                            }
                            continue;
                        }
                        Opener::EMPTY_OBJECT if step.known() != Known::Object => {
                            Slot::new(Kind::Object, at - 2, at)
                        }
                        Opener::OBJECT | Opener::EMPTY_OBJECT => {
                            at -= usize::from(opener == Opener::EMPTY_OBJECT);
                            let open = at - 1;
                            if step.known() == Known::Object {
                                let (class, child_slot) = walk.learned.child(state);
                                let child = walk.arena.push_object(class);
                                at = object_of(walk, text, at, class, child);
                                if at == FAILED {
                                    return FAILED;
                                }
                                walk.record(object, base, &mut present, step, from, Slot::new(Kind::Object, open, at));
                                present |= 1 << child_slot;
                                walk.arena.slots[base + child_slot] = Slot::children(child, true);
                                continue;
                            }
                            let class = walk.learned.child_class(state);
                            at = skip_object(walk, text, at, class);
                            if at == FAILED {
                                return FAILED;
                            }
                            Slot::new(Kind::Object, open, at)
                        }
                        Opener::ARRAY => {
                            let open = at - 1;
                            if step.known() == Known::List {
                                let (class, child_slot) = walk.learned.child(state);
                                let (end, children) = list_of(walk, text, at, class, state);
                                at = end;
                                if at == FAILED {
                                    return FAILED;
                                }
                                walk.record(object, base, &mut present, step, from, Slot::new(Kind::Array, open, at));
                                present |= 1 << child_slot;
                                walk.arena.slots[base + child_slot] = children;
                                continue;
                            }
                            at = skip_list(walk, text, at, state);
                            if at == FAILED {
                                return FAILED;
                            }
                            Slot::new(Kind::Array, open, at)
                        }
                        _ => {
                            let (kind, end) = scalar(walk, text, at);
                            if end == FAILED {
                                return FAILED;
                            }
                            let value = Slot::new(kind, at, end);
                            at = end;
                            value
                        }
                    };
                    walk.record(object, base, &mut present, step, from, value);
                }
                if class == Class::ComponentData && present & TEXT != 0 {
                    // While its bytes are at hand: to come back for them costs more than to look at them.
                    let value = &mut walk.arena.slots[base + DataField::Text as usize];
                    let range = value.range();
                    if value.kind() == Some(Kind::PlainString)
                        && begins_bare(&text[range.clone()])
                        && !I::holds_markup(text, range)
                    {
                        value.set_bare();
                    }
                }
                let object = &mut walk.arena.objects[object as usize];
                object.span = Slot::new(Kind::Object, start - 1, at);
                object.present = present;
                walk.depth += 1;
                at
            }

            /// The rest of an object that is only validated.
            $(#[$attribute])*
            fn skip_object(walk: &mut Walk<'_>, text: &[u8], start: usize, class: u16) -> usize {
                if walk.depth == 0 {
                    return walk.bad(start - 1, Fault::TooDeep);
                }
                walk.depth -= 1;
                let mut state = walk.learned.entry(class);
                let mut at = start;
                loop {
                    let step;
                    (step, at) = next!(I, walk, text, at, state, false);
                    if at == FAILED {
                        return FAILED;
                    }
                    walk.seen |= step.bits();
                    if step.is_end() {
                        walk.depth += 1;
                        return at;
                    }
                    state = step.target();
                    at = skip_value(walk, text, at, step.opener(), state);
                    if at == FAILED {
                        return FAILED;
                    }
                }
            }

            /// The rest of a value that is only validated, from after its opening byte; `state` is of the key it
            /// belongs to.
            $(#[$attribute])*
            #[inline]
            fn skip_value(walk: &mut Walk<'_>, text: &[u8], mut at: usize, mut opener: u8, state: u16) -> usize {
                if opener == Opener::OTHER {
                    at = walk.late_space(text, at);
                    let Some(&byte) = text.get(at) else { return walk.short(text) };
                    let opened = open(byte);
                    opener = opened.0;
                    at += opened.1;
                }
                match opener {
                    Opener::STRING => string(walk, text, at).1,
                    Opener::EMPTY_ARRAY | Opener::EMPTY_OBJECT => at,
                    Opener::OBJECT => {
                        let class = walk.learned.child_class(state);
                        skip_object(walk, text, at, class)
                    }
                    Opener::ARRAY => skip_list(walk, text, at, state),
                    _ => scalar(walk, text, at).1,
                }
            }

            /// Where the next element of a list begins, or `(position after the list, true)`.
            $(#[$attribute])*
            #[inline]
            fn next_element(walk: &mut Walk<'_>, text: &[u8], from: usize, first: bool) -> (usize, bool) {
                let mut at = skip_space(text, from);
                let Some(&byte) = text.get(at) else { return (walk.short(text), false) };
                if byte == b']' {
                    walk.space(at != from);
                    return (at + 1, true);
                }
                if !first {
                    if byte != b',' {
                        return (walk.bad(at, Fault::UnexpectedByte), false);
                    }
                    at = skip_space(text, at + 1);
                    match text.get(at) {
                        None => return (walk.short(text), false),
                        Some(b']') => return (walk.bad(at, Fault::TrailingComma), false),
                        Some(_) => {}
                    }
                }
                walk.space(at != from + usize::from(!first));
                (at, false)
            }

            /// The rest of a list of objects of a known class: the position after it, and its children.
            $(#[$attribute])*
            fn list_of(walk: &mut Walk<'_>, text: &[u8], start: usize, class: Class, state: u16) -> (usize, Slot) {
                if walk.depth == 0 {
                    return (walk.bad(start - 1, Fault::TooDeep), Slot::ABSENT);
                }
                walk.depth -= 1;
                let (mut at, mut first, mut last, mut regular) = (start, NONE, NONE, true);
                loop {
                    let (element, ended) = next_element(walk, text, at, last == NONE);
                    at = element;
                    if at == FAILED {
                        return (FAILED, Slot::ABSENT);
                    }
                    if ended {
                        walk.depth += 1;
                        return (at, Slot::children(first, regular));
                    }
                    let object;
                    if text[at] == b'{' {
                        object = walk.arena.push_object(class);
                        at = object_of(walk, text, at + 1, class, object);
                        if at == FAILED {
                            return (FAILED, Slot::ABSENT);
                        }
                    } else {
                        let (opener, opening) = open(text[at]);
                        let kind;
                        (kind, at) = match opener {
                            Opener::STRING => string(walk, text, at + opening),
                            Opener::ARRAY => (Kind::Array, skip_list(walk, text, at + opening, state)),
                            _ => scalar(walk, text, at),
                        };
                        if at == FAILED {
                            return (FAILED, Slot::ABSENT);
                        }
                        let quotes = usize::from(kind.is_string());
                        object = walk.irregular(class, Slot::new(kind, element + quotes, at - quotes));
                        regular = false;
                    }
                    if last == NONE {
                        first = object;
                    } else {
                        walk.arena.objects[last as usize].next = object;
                    }
                    last = object;
                }
            }

            /// The rest of a list that is only validated.
            $(#[$attribute])*
            fn skip_list(walk: &mut Walk<'_>, text: &[u8], start: usize, state: u16) -> usize {
                if walk.depth == 0 {
                    return walk.bad(start - 1, Fault::TooDeep);
                }
                walk.depth -= 1;
                let (mut at, mut first) = (start, true);
                loop {
                    let (element, ended) = next_element(walk, text, at, first);
                    at = element;
                    if ended {
                        walk.depth += 1;
                    }
                    if ended || at == FAILED {
                        return at;
                    }
                    first = false;
                    let (opener, opening) = open(text[at]);
                    at = skip_value(walk, text, at + opening, opener, state);
                    if at == FAILED {
                        return FAILED;
                    }
                }
            }

            /// The rest of a string: its kind, and the position after its quote.
            $(#[$attribute])*
            #[inline]
            fn string(walk: &mut Walk<'_>, text: &[u8], start: usize) -> (Kind, usize) {
                let at = I::string_stop(text, start);
                if text.get(at) == Some(&b'"') {
                    return (Kind::PlainString, at + 1);
                }
                (Kind::EscapedString, escaped_string(walk, text, at))
            }

            /// The rest of a string from its first escape on (or whatever else it stops at).
            $(#[$attribute])*
            fn escaped_string(walk: &mut Walk<'_>, text: &[u8], mut at: usize) -> usize {
                loop {
                    at = I::escaped_stop(text, at);
                    match text.get(at) {
                        Some(b'"') => return at + 1,
                        Some(b'\\') => match escape_end(text, at, walk.eof) {
                            Ok(end) => at = end,
                            Err(stop) => return walk.fail(stop),
                        },
                        Some(_) => return walk.bad(at, Fault::ControlCharacter),
                        None => return walk.short(text),
                    }
                }
            }

            /// A number or a literal, and the position after it.
            $(#[$attribute])*
            #[inline]
            fn scalar(walk: &mut Walk<'_>, text: &[u8], at: usize) -> (Kind, usize) {
                let first = text.get(at).copied().unwrap_or(0);
                if first.is_ascii_digit() && first != b'0' {
                    let end = I::digits_end(text, at + 1);
                    if matches!(text.get(end), Some(b',' | b'}' | b']')) {
                        return (Kind::Number, end);
                    }
                }
                any_scalar(walk, text, at)
            }
        }
    };
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
walker!(avx2, Avx2, #[target_feature(enable = "avx2,bmi1")]);
#[cfg(all(target_arch = "x86_64", not(miri)))]
walker!(sse2, Sse2,);
#[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
walker!(neon, Neon,);
walker!(portable, Portable,);

#[cold]
#[inline(never)]
fn read_next(walk: &mut Walk<'_>, text: &[u8], at: usize, state: u16, keep_key: bool) -> (Step, usize) {
    match walk.learned.member(text, at, state, walk.eof, keep_key) {
        Ok(read) => read,
        Err(stop) => (Step::END, walk.fail(stop)),
    }
}

/// Any number or literal, and the position after it.
#[inline(never)]
fn any_scalar(walk: &mut Walk<'_>, text: &[u8], at: usize) -> (Kind, usize) {
    match read_scalar(text, at, walk.eof) {
        Ok(read) => read,
        Err(stop) => (Kind::Null, walk.fail(stop)),
    }
}

pub(crate) fn read_scalar(text: &[u8], at: usize, eof: bool) -> Result<(Kind, usize), Stop> {
    let first = peek(text, at, eof)?;
    match first {
        b'-' | b'0'..=b'9' => {
            let whole = at + usize::from(first == b'-');
            let digits = text[whole..].iter().position(|b| !b.is_ascii_digit());
            let mut end = digits.map_or(text.len(), |digits| whole + digits);
            if end == whole && end < text.len() || end > whole + 1 && text[whole] == b'0' {
                return Err(Stop::bad(at, Fault::BadNumber));
            }
            if matches!(text.get(end), Some(b'.' | b'e' | b'E')) {
                end = fraction_end(text, at, end, eof)?;
            }
            if end == text.len() {
                // More digits may follow; a number never ends a message.
                return if eof && end > whole {
                    Ok((Kind::Number, end))
                } else {
                    Err(Stop::short(text, eof))
                };
            }
            Ok((Kind::Number, end))
        }
        b't' => literal(text, at, b"true", eof).map(|end| (Kind::True, end)),
        b'f' => literal(text, at, b"false", eof).map(|end| (Kind::False, end)),
        b'n' => literal(text, at, b"null", eof).map(|end| (Kind::Null, end)),
        _ => Err(Stop::bad(at, Fault::UnexpectedByte)),
    }
}

/// The end of a number's fraction and exponent; `end` is the end of its whole part.
fn fraction_end(text: &[u8], at: usize, mut end: usize, eof: bool) -> Result<usize, Stop> {
    let digits = |from: usize| -> Result<usize, Stop> {
        if !peek(text, from, eof)?.is_ascii_digit() {
            return Err(Stop::bad(at, Fault::BadNumber));
        }
        Ok(text[from..].iter().position(|b| !b.is_ascii_digit()).map_or(text.len(), |n| from + n))
    };
    if text[end] == b'.' {
        end = digits(end + 1)?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = matches!(peek(text, end + 1, eof)?, b'+' | b'-');
        end = digits(end + 1 + usize::from(sign))?;
    }
    Ok(end)
}

#[inline(always)]
fn literal(text: &[u8], at: usize, expected: &[u8], eof: bool) -> Result<usize, Stop> {
    let end = at + expected.len();
    if text.get(at..end) == Some(expected) {
        return Ok(end);
    }
    for (i, &byte) in expected.iter().enumerate() {
        if peek(text, at + i, eof)? != byte {
            return Err(Stop::bad(at, Fault::BadLiteral));
        }
    }
    Ok(end)
}
