//! The page parser: decoded bytes go in as they come, blocks of whole messages come out.
//!
//! The parser is a state machine over one buffer. It consumes a unit (an envelope member, a message, a record) only
//! when the unit is complete, so a window may end anywhere: what is left over is carried to the next buffer. Every
//! decision depends on the bytes and their positions alone, never on where windows end.

mod body;
mod buffer;
mod hidden;
mod open_page;
mod search;
#[cfg(test)]
mod tests;
mod top;

use std::collections::VecDeque;
use std::sync::Arc;

use buffer::Buffer;
use open_page::OpenPage;
use search::Search;

use crate::block::Block;
use crate::error::{Error, Reason};
use crate::limits::Limits;
use crate::scan::{Class, Fault, Scanner, Stop};

/// How the decoded bytes of an input ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputEnd {
    /// All of them came.
    Complete,
    /// The compressed stream, or the transfer, was cut off.
    Truncated,
    /// The compressed stream is damaged.
    Corrupt,
    /// The stream inflates past the limit of its ratio.
    RatioExceeded,
}

impl InputEnd {
    /// Whether the stream is not what it should be; something else may stand behind it.
    pub fn is_damage(self) -> bool {
        matches!(self, Self::Truncated | Self::Corrupt)
    }

    /// Why what ends like this is not whole.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Complete => None,
            Self::Truncated => Some(Reason::Truncated),
            Self::Corrupt => Some(Reason::CorruptStream),
            Self::RatioExceeded => Some(Reason::RatioExceeded),
        }
    }
}

/// Where in the input the parser stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between bodies.
    Top,
    /// In the object around the array, where a member or the closing brace may stand.
    Member { first: bool },
    /// Before an element of the array, or its end; `comma` says that a comma was read just before.
    Element { first: bool, comma: bool },
    /// After an element of the array.
    AfterElement,
    /// Something broke: looking for the next element that can be trusted.
    Search,
    /// Nothing more is read: the input is UTF-16, or packed.
    Drain,
}

/// The lists around bodies or messages.
#[derive(Debug, Default)]
struct Lists {
    /// How many are open.
    depth: usize,
    /// Whether a comma may follow.
    comma: bool,
    /// Whether there ever was one.
    seen: bool,
}

/// What one step of the machine did.
enum Step {
    /// Went on.
    On,
    /// Needs more bytes than there are.
    More,
}

/// Parses the decoded bytes of one input, which may hold any number of bodies, into [`Block`]s.
///
/// The parser knows no I/O. Write bytes into [`space`](Self::space) and say how many with
/// [`advance`](Self::advance), or hand over copies with [`feed`](Self::feed); take blocks out with
/// [`next_block`](Self::next_block) after each; say [`finish`](Self::finish) at the end and take the rest.
///
/// ```
/// use korpus_core::{InputEnd, Limits, PageParser};
///
/// let body = br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}],"moreAvailable":false}"#;
/// let mut parser = PageParser::new(Limits::default());
/// for window in body.chunks(7) {
///     parser.feed(window); // bytes as they arrive
/// }
/// parser.finish(InputEnd::Complete);
/// let block = parser.next_block().unwrap();
/// let message = block.messages().next().unwrap();
/// assert_eq!(message.id().unwrap().plain(), Some("ms-1"));
/// assert_eq!(block.pages()[0].end.as_ref().unwrap().envelope.total, Some(1));
/// ```
pub struct PageParser {
    limits: Limits,
    scanner: Scanner,
    buffer: Buffer,
    block: Block,
    state: State,
    page: Option<OpenPage>,
    search: Search,
    next_page: u64,
    lists: Lists,
    /// Whether a line ended since the last body did.
    on_new_line: bool,
    end: Option<InputEnd>,
    /// Not worth trying again before this much lies after the position.
    retry_at: usize,
    /// The offset past which the block is cut.
    next_cut: u64,
    ready: VecDeque<Block>,
    pool: Vec<Block>,
    /// Whether the input was said to end, and whether what is open was closed since.
    finished: bool,
    ended: bool,
}

impl std::fmt::Debug for PageParser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PageParser({:?} at byte {})", self.state, self.buffer.offset())
    }
}

impl PageParser {
    /// A parser for one input after another; what it learns of their layout is kept.
    pub fn new(mut limits: Limits) -> Self {
        // The places of the keys in a message are 24 bits wide.
        limits.message_bytes = limits.message_bytes.min(64 << 20);
        let scanner = Scanner::new(limits.depth);
        let next_cut = limits.block_bytes as u64;
        Self {
            limits,
            scanner,
            buffer: Buffer::default(),
            block: Block::default(),
            state: State::Top,
            page: None,
            search: Search::default(),
            next_page: 0,
            lists: Lists::default(),
            on_new_line: false,
            end: None,
            retry_at: 0,
            next_cut,
            ready: VecDeque::new(),
            pool: Vec::new(),
            finished: false,
            ended: false,
        }
    }

    /// Makes ready for the next input. Blocks that were not taken out are dropped.
    pub fn reset(&mut self) {
        self.scanner.refresh();
        self.buffer.reset(BlockBuffer::take(&mut self.block));
        self.block.clear();
        self.state = State::Top;
        self.page = None;
        self.search = Search::default();
        self.next_page = 0;
        self.lists = Lists::default();
        self.on_new_line = false;
        self.end = None;
        self.retry_at = 0;
        self.next_cut = self.limits.block_bytes as u64;
        while let Some(block) = self.ready.pop_front() {
            self.recycle(block);
        }
        self.finished = false;
        self.ended = false;
    }

    /// Room for at least `min` decoded bytes; say how many were written with [`advance`](Self::advance).
    pub fn space(&mut self, min: usize) -> &mut [u8] {
        self.buffer.space(min)
    }

    /// Takes the first `len` bytes of [`space`](Self::space), or so many more of what is [shared](Self::share), as the next
    /// ones of the input.
    ///
    /// # Panics
    /// If `len` is more than the space that was given, or than what is left.
    pub fn advance(&mut self, len: usize) {
        self.buffer.advance(len);
        self.run();
    }

    /// Takes a copy of the next bytes of the input.
    pub fn feed(&mut self, bytes: &[u8]) {
        for window in bytes.chunks(1 << 20) {
            self.space(window.len())[..window.len()].copy_from_slice(window);
            self.advance(window.len());
        }
    }

    /// Lends all bytes of the input, which no block copies then: each holds on to them as long as it lives. The parser sees
    /// as many as [`advance`](Self::advance) tells, window by window, so that there need not be all blocks at once.
    ///
    /// # Panics
    /// If something of the input was read already.
    pub fn share(&mut self, bytes: Arc<Vec<u8>>) {
        self.buffer.share(bytes);
    }

    /// Takes all bytes of the input at once; the blocks share them. To be called on a parser that has read nothing.
    pub fn feed_whole(&mut self, bytes: Vec<u8>) {
        let mut left = bytes.len();
        self.share(Arc::new(bytes));
        while left > 0 {
            // Spans are 32 bits wide.
            let len = left.min(1 << 30);
            self.advance(len);
            left -= len;
        }
    }

    /// Says that the input ends here, and how. The last blocks come out after this.
    pub fn finish(&mut self, end: InputEnd) {
        if self.finished {
            return;
        }
        self.finished = true;
        self.end = Some(end);
        self.retry_at = 0;
        self.read_on();
    }

    /// Goes on behind the [end](Self::finish), where another stream was found behind one that broke. What follows begins anew: bodies
    /// and bytes are counted on. To be called when all blocks were taken.
    pub fn resume(&mut self) {
        debug_assert!(self.ended && self.ready.is_empty(), "blocks are left");
        self.buffer.at = self.buffer.text().len();
        self.state = State::Top;
        self.search = Search::default();
        self.lists = Lists { seen: self.lists.seen, ..Lists::default() };
        self.on_new_line = true;
        self.end = None;
        self.retry_at = 0;
        self.finished = false;
        self.ended = false;
    }

    /// The next block that is complete. What was read holds more where there is one: take them until there is none.
    pub fn next_block(&mut self) -> Option<Block> {
        if self.ready.is_empty() {
            self.read_on();
        }
        self.ready.pop_front()
    }

    /// Reads on, up to the end of the next block, or of the input.
    fn read_on(&mut self) {
        while !self.ended {
            self.run();
            if !self.ready.is_empty() || !self.finished {
                return;
            }
            if !(matches!(self.state, State::Member { .. }) && self.turn_to_hidden()) {
                self.ended = true;
                self.end_of_input();
                self.cut();
            }
        }
    }

    /// Takes back a block for its memory. It may come from any parser.
    pub fn recycle(&mut self, mut block: Block) {
        block.clear();
        if self.pool.len() < 4 {
            self.pool.push(block);
        }
    }

    fn eof(&self) -> bool {
        self.end.is_some()
    }

    /// Steps until a block is complete or more bytes are needed.
    fn run(&mut self) {
        // Block by block: one object may hide a whole body, whose blocks need not all be there at once.
        while self.ready.is_empty() {
            let available = self.buffer.rest().len();
            if available < self.retry_at {
                return;
            }
            self.retry_at = 0;
            let step = match self.state {
                State::Top => self.top(),
                State::Member { first } => self.member(first),
                State::Element { first, comma } => self.element(first, comma),
                State::AfterElement => self.after_element(),
                State::Search => self.search(),
                State::Drain => self.drain(),
            };
            match step {
                Step::On => self.cut_if_due(),
                Step::More => {
                    if self.eof() {
                        return;
                    }
                    // What is carried over is parsed again only when it has doubled.
                    self.retry_at = self.buffer.rest().len() * 2;
                    self.cut_if_due();
                    return;
                }
            }
        }
    }

    fn cut_if_due(&mut self) {
        if self.buffer.offset() >= self.next_cut && !self.may_turn_back() {
            self.cut();
        }
    }

    /// Closes the block at the current position and begins the next one.
    fn cut(&mut self) {
        let block_bytes = self.limits.block_bytes as u64;
        self.next_cut = (self.buffer.offset() / block_bytes + 1) * block_bytes;
        let mut next = self.pool.pop().unwrap_or_default();
        if self.block.has_content() {
            self.block.text = self.buffer.cut(std::mem::take(&mut next.text));
            self.block.close_slices();
            let done = std::mem::replace(&mut self.block, next);
            self.ready.push_back(done);
        } else {
            self.buffer.drop_consumed();
            self.block.clear();
            self.pool.push(next);
        }
        if let Some(page) = &mut self.page {
            page.continues_in(&mut self.block, &self.buffer);
        }
    }
}

/// The buffer of a block that is not needed any more.
struct BlockBuffer;

impl BlockBuffer {
    fn take(block: &mut Block) -> Vec<u8> {
        match std::mem::take(&mut block.text) {
            crate::block::BlockText::Owned(bytes, _) => bytes,
            crate::block::BlockText::Shared(..) => Vec::new(),
        }
    }
}

/// The reason that a fault of the scanner stands for.
fn reason_of(stop: Stop, end: Option<InputEnd>) -> (Reason, usize) {
    let Stop::Bad { at, fault } = stop else { unreachable!("an incomplete value is no fault") };
    let reason = match fault {
        Fault::Truncated => end.and_then(InputEnd::reason).unwrap_or(Reason::Truncated),
        fault => fault.reason(),
    };
    (reason, at)
}

/// The array of a body, by its key.
fn array_class(key: &[u8]) -> Option<Class> {
    match key {
        b"messages" => Some(Class::Message),
        b"results" => Some(Class::Conversation),
        b"sessions" => Some(Class::Session),
        _ => None,
    }
}

impl Block {
    /// A block of the one message that `json` is.
    pub(crate) fn of_one(json: &str) -> Result<Self, Error> {
        crate::validate::validate(json.as_bytes())?;
        let mut parser = PageParser::new(Limits::default());
        parser.feed_whole([b"{\"messages\":[", json.as_bytes(), b"]}"].concat());
        parser.finish(InputEnd::Complete);
        match parser.next_block() {
            Some(block) if block.message_count() == 1 && block.rejects().is_empty() => Ok(block),
            _ => Err(Error::syntax(Reason::NotAnObject, 0)),
        }
    }
}
