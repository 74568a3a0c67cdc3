//! The bytes that the parser works on: its own growing buffer, or an input that came whole, shared and seen window by window.

use std::sync::Arc;

use crate::block::BlockText;

/// Up to so many bytes a buffer is not made larger than it must be, but for being a multiple of a grain.
const USUAL: usize = 1 << 20;
const GRAIN: usize = 64 << 10;

#[derive(Debug)]
enum Store {
    Own(Vec<u8>),
    Shared(Arc<Vec<u8>>),
}

/// Text from the start of the current block to the last byte that came.
#[derive(Debug)]
pub(super) struct Buffer {
    store: Store,
    /// Where the text of the current block begins in the store.
    origin: usize,
    /// Where the valid bytes of the store end.
    filled: usize,
    /// The position, relative to the origin.
    pub at: usize,
    /// Offset of the origin in the decoded input.
    base: u64,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { store: Store::Own(Vec::new()), origin: 0, filled: 0, at: 0, base: 0 }
    }
}

impl Buffer {
    /// Forgets everything; `spare` is memory to go on with, if there is none.
    pub(super) fn reset(&mut self, spare: Vec<u8>) {
        let own = match std::mem::replace(&mut self.store, Store::Own(Vec::new())) {
            Store::Own(bytes) if bytes.len() >= spare.len() => bytes,
            _ => spare,
        };
        *self = Self { store: Store::Own(own), ..Self::default() };
    }

    pub(super) fn space(&mut self, min: usize) -> &mut [u8] {
        let Store::Own(bytes) = &mut self.store else { panic!("an input that came whole cannot grow") };
        if self.origin > 0 && self.filled + min > bytes.len() {
            bytes.copy_within(self.origin..self.filled, 0);
            self.filled -= self.origin;
            self.origin = 0;
        }
        let needed = self.filled + min;
        if bytes.len() < needed {
            // Growing in steps of a half keeps the copies of a message that spans many windows linear. Usual blocks are
            // smaller, and there are many of them: they take no more than they need.
            let room = if needed <= USUAL {
                needed.next_multiple_of(GRAIN)
            } else {
                needed.max(bytes.len() + bytes.len() / 2)
            };
            bytes.reserve_exact(room - bytes.len());
            bytes.resize(room, 0);
        }
        &mut bytes[self.filled..]
    }

    pub(super) fn advance(&mut self, len: usize) {
        assert!(len <= self.all().len() - self.filled, "more bytes than there are");
        self.filled += len;
    }

    pub(super) fn share(&mut self, bytes: Arc<Vec<u8>>) {
        assert!(self.filled == 0 && self.base == 0, "a whole input goes into a parser that has read nothing");
        self.store = Store::Shared(bytes);
    }

    #[inline]
    fn all(&self) -> &[u8] {
        match &self.store {
            Store::Own(bytes) => bytes,
            Store::Shared(bytes) => bytes,
        }
    }

    /// From the start of the block to the last byte that came.
    #[inline]
    pub(super) fn text(&self) -> &[u8] {
        &self.all()[self.origin..self.filled]
    }

    /// From the position on.
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        &self.text()[self.at..]
    }

    /// The position, as an offset in the decoded input.
    #[inline]
    pub(super) fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Where the block's text begins, as an offset in the decoded input.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Ends the block's text at the position and gives it away; the bytes after it are carried over.
    pub(super) fn cut(&mut self, spare: BlockText) -> BlockText {
        let (start, end) = (self.origin, self.origin + self.at);
        let text = match &mut self.store {
            Store::Own(bytes) => {
                let mut other = match spare {
                    BlockText::Owned(spare, _) => spare,
                    BlockText::Shared(..) => Vec::new(),
                };
                // Whichever is shorter is copied: an object that hides a body is here as a whole, and many blocks come of it.
                let is_short = self.at < self.filled - end;
                let copied = if is_short { start..end } else { end..self.filled };
                if other.len() < copied.len() {
                    other.resize(copied.len(), 0);
                }
                other[..copied.len()].copy_from_slice(&bytes[copied.clone()]);
                if is_short {
                    self.origin = end;
                    BlockText::Owned(other, self.at)
                } else {
                    let mut own = std::mem::replace(bytes, other);
                    (self.origin, self.filled) = (0, copied.len());
                    own.copy_within(start..end, 0);
                    BlockText::Owned(own, self.at)
                }
            }
            Store::Shared(bytes) => {
                self.origin = end;
                BlockText::Shared(Arc::clone(bytes), start..end)
            }
        };
        self.base += self.at as u64;
        self.at = 0;
        text
    }

    /// Forgets the bytes before the position, which no block needs.
    pub(super) fn drop_consumed(&mut self) {
        self.origin += self.at;
        self.base += self.at as u64;
        self.at = 0;
    }
}
