//! What stands in an object and is no part of it: lists of messages under names that say nothing, and elements that a broken
//! one took in.

use super::body::Failure;
use super::open_page::OpenPage;
use super::search::WORK;
use super::{PageParser, State};
use crate::error::Reason;
use crate::scan::{Class, NONE, skip_space};

/// What the lists of bodies hold.
pub(super) const ELEMENTS: [Class; 3] = [Class::Message, Class::Conversation, Class::Session];

impl PageParser {
    /// Whether something, whole or up to where it breaks off, which is no body by its keys, holds messages or records all the same:
    /// in a list that has the name of one, or in any other.
    pub(super) fn hides_elements(&mut self, start: usize, end: usize) -> bool {
        if holds_array(&self.buffer.text()[start..end]) {
            return true;
        }
        let mut work = WORK * (end - start) as u64;
        ELEMENTS.into_iter().any(|class| self.finds_element(start, end, b"[,", class, &mut work))
    }

    /// Goes back to where the body that seems to be over holds what its array should, if it has none, and reads on from
    /// there.
    pub(super) fn turn_to_hidden(&mut self) -> bool {
        let Some(offset) = self.open_page().take_hidden() else { return false };
        let at = (offset - self.buffer.base()) as usize;
        self.begin_search(at, at, Reason::NotAPage);
        true
    }

    /// Whether what was read may be needed again.
    pub(super) fn may_turn_back(&self) -> bool {
        let in_envelope = matches!(self.state, State::Member { .. });
        in_envelope && self.page.as_ref().is_some_and(OpenPage::hides)
    }

    /// Whether a whole element took in the ones behind it: it lost the bracket of a list, and found one at the end of the
    /// array, so that neither a comma nor a bracket follows. `None` if more is needed to tell.
    pub(super) fn swallows(&mut self, start: usize, end: usize) -> Option<bool> {
        let text = self.buffer.text();
        match text.get(skip_space(text, end)) {
            Some(b',' | b']') => return Some(false),
            None if !self.eof() => return None,
            _ => {}
        }
        let offset = self.buffer.base() + end as u64;
        let page = self.open_page();
        let class = page.class;
        let most = page.search_bound(offset).saturating_sub(page.search_work);
        let mut left = most;
        let found = self.finds_element(start + 1, end, b",", class, &mut left);
        self.open_page().search_work += most - left;
        Some(found)
    }

    /// Whether an element that can be trusted stands between two positions, directly behind one of `after`, found with so much
    /// `work`: how many bytes may be read. Nothing behind `end` has a say, for windows end there; where the input does, nothing
    /// need follow the element.
    fn finds_element(
        &mut self,
        start: usize,
        end: usize,
        after: &[u8],
        class: Class,
        work: &mut u64,
    ) -> bool {
        let is_last = self.eof() && end == self.buffer.text().len();
        let mut at = start;
        while *work > 0
            && let Some(found) = memchr::memchr(b'{', &self.buffer.text()[at..end])
        {
            at += found;
            let before = self.buffer.text()[start..at].trim_ascii_end().last();
            if before.is_some_and(|byte| after.contains(byte)) {
                let mark = self.block.arena.mark();
                let (looks_right, stop) = match self.walk(at, class) {
                    Ok(walked) => {
                        (walked.object != NONE && self.looks_right(walked, class), walked.end.min(end))
                    }
                    Err(Failure::Incomplete | Failure::Bad(Reason::TooLarge, _)) => (false, end),
                    Err(Failure::Bad(_, stop)) => (false, stop.min(end)),
                };
                self.block.arena.rewind(mark);
                let rest = &self.buffer.text()[stop..end];
                let is_followed = match rest.trim_ascii_start().first() {
                    Some(byte) => matches!(byte, b',' | b']'),
                    None => is_last,
                };
                if looks_right && is_followed {
                    return true;
                }
                *work = work.saturating_sub((stop - at) as u64);
            }
            at += 1;
        }
        false
    }
}

/// Whether something whole holds the array of a body, with an object in it; not as the text of a string.
pub(super) fn holds_array(text: &[u8]) -> bool {
    let is_array = |at: usize| {
        let key = text[..at].trim_ascii_end().strip_suffix(b":").unwrap_or_default().trim_ascii_end();
        let has_key =
            [&b"\"messages\""[..], b"\"results\"", b"\"sessions\""].iter().any(|name| key.ends_with(name));
        has_key && text.get(skip_space(text, at + 1)) == Some(&b'{')
    };
    memchr::memchr_iter(b'[', text).any(is_array)
}
