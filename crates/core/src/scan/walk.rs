//! The walk over one value: validates every byte, and writes down where the known fields are.

use super::arena::{Arena, NONE, Slot};
use super::fields::{Child, Class};
use super::learn::{Found, KnownChild, Learned, Opener, UNKNOWN, escape_end, peek, skip_space};
use crate::simd::{self, Isa, Level};
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

/// What a frame does with the values in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The one value that was asked for.
    Root,
    /// An object of a known class: its values are written down.
    Object,
    /// An object that is only validated.
    SkipObject,
    /// A list of objects of a known class.
    List,
    /// A list that is only validated.
    SkipList,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    mode: Mode,
    /// Nothing was read in this list yet; or, in a known list, an element was no object.
    first: bool,
    regular: bool,
    /// The field of the value being read, or [`UNKNOWN`].
    field: u8,
    child_slot: u8,
    /// The state of the key read last, in objects; the class of the elements, in lists.
    state: u16,
    class: Class,
    /// The object being written, or the first element of a list.
    object: u32,
    /// Its slots, or the last element of a list.
    base: u32,
    key_start: u32,
    key_len: u32,
    value_start: u32,
}

/// A scanner: what it has learned, and its reusable stack.
#[derive(Debug)]
pub(crate) struct Scanner {
    learned: Learned,
    stack: Vec<Frame>,
    level: Level,
    depth: usize,
}

impl Scanner {
    /// `depth` is how many containers may stand inside each other.
    pub(crate) fn new(depth: usize) -> Self {
        Self::with_level(depth, Level::best())
    }

    pub(crate) fn with_level(depth: usize, level: Level) -> Self {
        Self { learned: Learned::new(), stack: Vec::new(), level, depth }
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
        match self.level {
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Level::Avx2 => {
                #[allow(unsafe_code, reason = "the one call into a function with a target feature")]
                // SAFETY: this level is only made where AVX2 and BMI1 were detected.
                unsafe {
                    walk_avx2(self, arena, text, start, eof, class)
                }
            }
            #[cfg(all(target_arch = "x86_64", not(miri)))]
            Level::Sse2 => walk::<simd::Sse2>(self, arena, text, start, eof, class),
            #[cfg(all(target_arch = "aarch64", target_endian = "little", not(miri)))]
            Level::Neon => walk::<simd::Neon>(self, arena, text, start, eof, class),
            Level::Portable => walk::<simd::Portable>(self, arena, text, start, eof, class),
        }
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[target_feature(enable = "avx2,bmi1")]
fn walk_avx2(
    scanner: &mut Scanner,
    arena: &mut Arena,
    text: &[u8],
    start: usize,
    eof: bool,
    class: Option<Class>,
) -> Result<Walked, Stop> {
    walk::<simd::Avx2>(scanner, arena, text, start, eof, class)
}

// One function without calls on the hot path: it has to inline into the ones that carry a target feature.
#[inline(always)]
fn walk<I: Isa>(
    scanner: &mut Scanner,
    arena: &mut Arena,
    text: &[u8],
    start: usize,
    eof: bool,
    class: Option<Class>,
) -> Result<Walked, Stop> {
    let Scanner { learned, stack, depth, .. } = scanner;
    stack.clear();
    let mut compact = true;
    let mut at = start;
    let mut frame = Frame {
        mode: Mode::Root,
        first: true,
        regular: true,
        field: UNKNOWN,
        child_slot: 0,
        state: 0,
        class: class.unwrap_or(Class::Message),
        object: NONE,
        base: NONE,
        key_start: 0,
        key_len: 0,
        value_start: start as u32,
    };
    loop {
        // Where the next value begins, or what ends here.
        let opener;
        match frame.mode {
            Mode::Object | Mode::SkipObject => {
                let state = &learned.states[usize::from(frame.state)];
                let hit = if I::matches(text, at, &state.next[0].bytes, state.next[0].mask) {
                    Some(&state.next[0])
                } else if I::matches(text, at, &state.next[1].bytes, state.next[1].mask) {
                    Some(&state.next[1])
                } else {
                    None
                };
                let ended = if let Some(next) = hit {
                    let previous = frame.state;
                    frame.key_start = (at + usize::from(next.key_start)) as u32;
                    frame.key_len = u32::from(next.key_len);
                    frame.state = next.target;
                    frame.field = learned.states[usize::from(next.target)].field;
                    compact &= !next.spaced;
                    at += usize::from(next.len);
                    // A pattern that ends before its value says nothing about what the value is this time.
                    (opener, at) = match next.opener {
                        Opener::Other => open(peek(text, at, eof)?, at),
                        known => (known, at),
                    };
                    if std::ptr::eq(next, &raw const state.next[1]) {
                        learned.second_hit(previous);
                    }
                    false
                } else if text.get(at) == Some(&b'}') {
                    at += 1;
                    opener = Opener::Other;
                    true
                } else {
                    match learned.member(text, at, frame.state, eof)? {
                        Found::End(end) => {
                            compact &= end == at + 1;
                            at = end;
                            opener = Opener::Other;
                            true
                        }
                        Found::Member(member) => {
                            frame.key_start = member.key_start as u32;
                            frame.key_len = member.key_len as u32;
                            frame.state = member.state;
                            frame.field = member.field;
                            compact &= !member.spaced;
                            at = member.at;
                            opener = member.opener;
                            false
                        }
                    }
                };
                if ended {
                    let object = frame.object;
                    if frame.mode == Mode::Object {
                        arena.objects[object as usize].span =
                            Slot::new(Kind::Object, stack[stack.len() - 1].value_start as usize, at);
                    }
                    let inner = frame.mode;
                    let Some(outer) = stack.pop() else { unreachable!("an object has a frame around it") };
                    frame = outer;
                    match frame.mode {
                        Mode::Root => {
                            let object = if inner == Mode::Object { object } else { NONE };
                            return Ok(Walked { end: at, kind: Kind::Object, object, compact });
                        }
                        Mode::Object => {
                            record(arena, &frame, Kind::Object, frame.value_start as usize, at);
                            if inner == Mode::Object {
                                let slot = frame.base as usize + usize::from(frame.child_slot);
                                arena.slots[slot] = Slot::children(object, true);
                            }
                        }
                        Mode::List => link(arena, &mut frame, object),
                        Mode::SkipObject | Mode::SkipList => {}
                    }
                    continue;
                }
            }
            Mode::List | Mode::SkipList => {
                let from = at;
                at = skip_space(text, at);
                let mut byte = peek(text, at, eof)?;
                if byte != b']' {
                    let comma = usize::from(!frame.first);
                    if frame.first {
                        frame.first = false;
                    } else {
                        if byte != b',' {
                            return Err(Stop::bad(at, Fault::UnexpectedByte));
                        }
                        at = skip_space(text, at + 1);
                        byte = peek(text, at, eof)?;
                        if byte == b']' {
                            return Err(Stop::bad(at, Fault::TrailingComma));
                        }
                    }
                    compact &= at == from + comma;
                    (opener, at) = open(byte, at);
                } else {
                    compact &= at == from;
                    at += 1;
                    let list = frame;
                    let Some(outer) = stack.pop() else { unreachable!("a list has a frame around it") };
                    frame = outer;
                    match frame.mode {
                        Mode::Root => {
                            return Ok(Walked { end: at, kind: Kind::Array, object: NONE, compact });
                        }
                        Mode::Object => {
                            record(arena, &frame, Kind::Array, frame.value_start as usize, at);
                            if list.mode == Mode::List {
                                let slot = frame.base as usize + usize::from(frame.child_slot);
                                arena.slots[slot] = Slot::children(list.object, list.regular);
                            }
                        }
                        Mode::List => irregular(arena, &mut frame, Kind::Array, at),
                        Mode::SkipObject | Mode::SkipList => {}
                    }
                    continue;
                }
            }
            Mode::Root => {
                (opener, at) = open(peek(text, at, eof)?, at);
            }
        }

        // The value itself.
        let (kind, value_start, value_end) = match opener {
            Opener::String => {
                let value_start = at;
                let mut kind = Kind::PlainString;
                loop {
                    at = I::string_stop(text, at);
                    match text.get(at) {
                        Some(b'"') => break,
                        Some(b'\\') => {
                            kind = Kind::EscapedString;
                            at = escape_end(text, at, eof)?;
                        }
                        Some(_) => return Err(Stop::bad(at, Fault::ControlCharacter)),
                        None => return Err(Stop::short(text, eof)),
                    }
                }
                at += 1;
                (kind, value_start, at - 1)
            }
            Opener::Other => {
                let value_start = at;
                let kind;
                (kind, at) = scalar::<I>(text, at, eof)?;
                (kind, value_start, at)
            }
            Opener::EmptyObject if frame.mode != Mode::Object || !is_known_object(learned, &frame) => {
                (Kind::Object, at - 2, at)
            }
            Opener::EmptyArray if frame.mode != Mode::Object || !is_known_array(learned, &frame) => {
                (Kind::Array, at - 2, at)
            }
            Opener::EmptyArray => {
                let state = &learned.states[usize::from(frame.state)];
                let slot = frame.base as usize + usize::from(state.child_slot);
                record(arena, &frame, Kind::Array, at - 2, at);
                arena.slots[slot] = Slot::children(NONE, true);
                continue;
            }
            Opener::Object | Opener::EmptyObject => {
                if opener == Opener::EmptyObject {
                    at -= 1;
                }
                if stack.len() >= *depth {
                    return Err(Stop::bad(at - 1, Fault::TooDeep));
                }
                frame.value_start = at as u32 - 1;
                let inner = match frame.mode {
                    Mode::Root => class.map_or(KnownChild::None, KnownChild::Object),
                    Mode::List => KnownChild::Object(frame.class),
                    Mode::Object => {
                        let state = &learned.states[usize::from(frame.state)];
                        frame.child_slot = state.child_slot;
                        state.known
                    }
                    Mode::SkipObject | Mode::SkipList => KnownChild::None,
                };
                let mut new = frame;
                if let KnownChild::Object(class) = inner {
                    new.mode = Mode::Object;
                    new.class = class;
                    new.state = learned.entry(class as u16);
                    new.object = arena.push_object(class);
                    new.base = arena.objects[new.object as usize].slots;
                } else {
                    new.mode = Mode::SkipObject;
                    // In lists, `state` is that of the key whose value the list is.
                    let class = learned.child_class(frame.state);
                    new.state = learned.entry(class);
                }
                stack.push(frame);
                frame = new;
                continue;
            }
            Opener::Array => {
                if stack.len() >= *depth {
                    return Err(Stop::bad(at - 1, Fault::TooDeep));
                }
                frame.value_start = at as u32 - 1;
                let mut new = frame;
                new.mode = Mode::SkipList;
                if frame.mode == Mode::Object {
                    let state = &learned.states[usize::from(frame.state)];
                    frame.child_slot = state.child_slot;
                    if let KnownChild::Array(class) = state.known {
                        new.mode = Mode::List;
                        new.class = class;
                        new.object = NONE;
                        new.base = NONE;
                        new.regular = true;
                    }
                }
                new.first = true;
                stack.push(frame);
                frame = new;
                continue;
            }
        };
        match frame.mode {
            Mode::Object => record(arena, &frame, kind, value_start, value_end),
            Mode::SkipObject | Mode::SkipList => {}
            Mode::List => {
                frame.value_start = value_start as u32;
                irregular(arena, &mut frame, kind, value_end);
            }
            Mode::Root => return Ok(Walked { end: at, kind, object: NONE, compact }),
        }
    }
}

#[inline(always)]
fn is_known_object(learned: &Learned, frame: &Frame) -> bool {
    matches!(learned.states[usize::from(frame.state)].known, KnownChild::Object(_))
}

#[inline(always)]
fn is_known_array(learned: &Learned, frame: &Frame) -> bool {
    matches!(learned.states[usize::from(frame.state)].known, KnownChild::Array(_))
}

/// What a value that begins with `byte` is, and the position after its opening byte.
#[inline(always)]
fn open(byte: u8, at: usize) -> (Opener, usize) {
    match byte {
        b'"' => (Opener::String, at + 1),
        b'{' => (Opener::Object, at + 1),
        b'[' => (Opener::Array, at + 1),
        _ => (Opener::Other, at),
    }
}

/// Writes down a value of an object of a known class.
#[inline(always)]
fn record(arena: &mut Arena, frame: &Frame, kind: Kind, start: usize, end: usize) {
    let value = Slot::new(kind, start, end);
    if frame.field == UNKNOWN {
        let key_start = frame.key_start as usize;
        let key = Slot::new(Kind::PlainString, key_start, key_start + frame.key_len as usize);
        arena.push_other(frame.object, key, value, false);
        return;
    }
    let slot = &mut arena.slots[frame.base as usize + usize::from(frame.field)];
    let earlier = std::mem::replace(slot, value);
    if !earlier.is_absent() {
        repeated(arena, frame, earlier);
    }
}

/// A known key stands twice: the last value wins, the earlier one is kept among the others.
#[cold]
fn repeated(arena: &mut Arena, frame: &Frame, earlier: Slot) {
    let key_start = frame.key_start as usize;
    let key = Slot::new(Kind::PlainString, key_start, key_start + frame.key_len as usize);
    arena.push_other(frame.object, key, earlier, true);
    let field = usize::from(frame.field);
    arena.objects[frame.object as usize].repeated |= 1 << field;
    // The children of the earlier value must not pass for those of this one, which writes its own afterwards.
    if frame.class.specs()[field].child != Child::None {
        arena.slots[frame.base as usize + frame.class.child_slot(field)] = Slot::ABSENT;
    }
}

/// Appends an element to a list.
#[inline(always)]
fn link(arena: &mut Arena, list: &mut Frame, object: u32) {
    if list.base == NONE {
        list.object = object;
    } else {
        arena.objects[list.base as usize].next = object;
    }
    list.base = object;
}

/// Appends an element that is no object to a list of objects.
#[cold]
fn irregular(arena: &mut Arena, list: &mut Frame, kind: Kind, end: usize) {
    list.regular = false;
    let object = arena.push_object(list.class);
    arena.objects[object as usize].span = Slot::new(kind, list.value_start as usize, end);
    link(arena, list, object);
}

/// A number or a literal, and the position after it.
#[inline(always)]
fn scalar<I: Isa>(text: &[u8], at: usize, eof: bool) -> Result<(Kind, usize), Stop> {
    let first = peek(text, at, eof)?;
    match first {
        b'-' | b'0'..=b'9' => {
            let whole = at + usize::from(first == b'-');
            let mut end = I::digits_end(text, whole);
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
