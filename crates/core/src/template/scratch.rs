//! The arena in which one worker classifies texts and takes templates apart.

use std::cell::{Cell, RefCell};

use bumpalo::Bump;

use super::escape::{decode_in, decode_keeping_surrogates};
use super::tape::Builder;
use crate::limits::Limits;
use crate::scan::{Arena, Scanner, Stop};
use crate::text::Text;

/// How much of the arena is kept between messages: past it, one hostile text would hold on to its memory for good.
const KEPT_BYTES: usize = 4 << 20;

/// Where texts are classified and templates taken apart: an arena that one worker owns and resets for each message.
///
/// ```
/// use korpus_core::{Scratch, TextKind};
/// let mut scratch = Scratch::new(&Default::default());
/// let classified = scratch.classify_str(r#"{"type":"template","payload":{"template_type":"button",
///     "text":"Pick one","buttons":[{"type":"postback","title":"Yes","payload":"y"}]}}"#);
/// assert_eq!(classified.kind(), TextKind::Template);
/// assert_eq!(classified.visible(), Some("Pick one"));
/// assert_eq!(classified.template().unwrap().template_type(), Some("button"));
/// scratch.reset();
/// ```
#[derive(Debug)]
pub struct Scratch {
    bump: Bump,
    scanner: RefCell<Scanner>,
    buffer: RefCell<String>,
    /// More buffers, for whoever needs one while others are in use.
    spare: RefCell<Vec<String>>,
    depth: usize,
    nodes: usize,
    decodings: usize,
    /// Whether there is anything to forget.
    is_used: Cell<bool>,
}

impl Scratch {
    /// An empty arena. Of the limits, those of depth and of templates are used.
    pub fn new(limits: &Limits) -> Self {
        Self {
            bump: Bump::new(),
            scanner: RefCell::new(Scanner::new(limits.depth)),
            buffer: RefCell::default(),
            spare: RefCell::default(),
            depth: limits.depth,
            nodes: limits.template_nodes,
            decodings: limits.template_decodings,
            is_used: Cell::new(false),
        }
    }

    /// Forgets all texts; to be called for each message, so that the arena stays as small as one of them.
    #[inline]
    pub fn reset(&mut self) {
        if self.is_used.replace(false) {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.bump.reset();
        if self.bump.allocated_bytes() > KEPT_BYTES {
            self.bump = Bump::new();
        }
        let buffer = self.buffer.get_mut();
        if buffer.capacity() > KEPT_BYTES {
            *buffer = String::new();
        }
        self.spare.get_mut().retain(|string| string.capacity() <= KEPT_BYTES);
        self.scanner.get_mut().refresh();
    }

    pub(super) fn bump(&self) -> &Bump {
        &self.bump
    }

    /// A tape to be built, within the limits.
    pub(super) fn builder(&self) -> Builder<'_, '_> {
        Builder::new(&self.bump, &self.buffer, self.depth, self.nodes)
    }

    /// How many containers may stand inside each other in what is taken apart.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// How often the payload of a template may be a string that holds the next one.
    pub(super) fn decodings(&self) -> usize {
        self.decodings
    }

    /// The end of the JSON value at `start` of a text that nothing follows.
    pub(super) fn end_of_value(&self, text: &[u8], start: usize) -> Result<usize, Stop> {
        let walked = self.scanner.borrow_mut().walk(&mut Arena::default(), text, start, true, None);
        walked.map(|walked| walked.end)
    }

    /// Runs `f` on an empty string that was used before.
    pub(super) fn with_string<R>(&self, f: impl FnOnce(&mut String) -> R) -> R {
        let mut string = self.spare.borrow_mut().pop().unwrap_or_default();
        string.clear();
        let result = f(&mut string);
        self.spare.borrow_mut().push(string);
        result
    }

    /// The text that `f` writes, in the arena.
    pub(super) fn text_of(&self, f: impl FnOnce(&mut String)) -> &str {
        self.with_string(|string| {
            f(string);
            self.bump.alloc_str(string)
        })
    }

    /// Decodes a string that may hold JSON. A lone surrogate becomes the escape that it is in the strings of that JSON: nothing of it
    /// is lost.
    pub(super) fn decode_json<'s>(&'s self, text: Text<'s>) -> &'s str {
        match self.decode(text) {
            (decoded, true) => decoded,
            _ => self.text_of(|out| decode_keeping_surrogates(text.raw(), out)),
        }
    }

    pub(super) fn decode<'s>(&'s self, text: Text<'s>) -> (&'s str, bool) {
        self.is_used.set(true);
        decode_in(&self.bump, &self.buffer, text)
    }
}
