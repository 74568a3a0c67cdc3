//! Where in a text something stands that was decoded from it, however many times.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::entity::entity_source;
use super::escape::{escape_source, replaced_source};
use crate::text::start_in;

/// How a piece of text was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Writing {
    /// With HTML entities.
    Entities,
    /// With the escapes of a JSON string.
    Escapes,
    /// With U+FFFD for each lone surrogate.
    Replaced,
}

/// A piece that was decoded.
#[derive(Debug)]
struct Layer<'s> {
    decoded: &'s str,
    /// What it was decoded from: a part of the text, or of what an earlier layer was decoded to.
    source: &'s str,
    writing: Writing,
}

/// A text, and what was decoded inside it, each from a part of the text or of an earlier layer.
#[derive(Debug)]
pub(super) struct Origin<'s> {
    text: &'s str,
    layers: BumpVec<'s, Layer<'s>>,
}

impl<'s> Origin<'s> {
    pub(super) fn new(text: &'s str, bump: &'s Bump) -> Self {
        Self { text, layers: BumpVec::new_in(bump) }
    }

    /// Notes what a part of the text or of a layer was decoded to; borrowed parts need no layer.
    pub(super) fn enter(&mut self, decoded: &'s str, source: &'s str, writing: Writing) {
        if !std::ptr::eq(decoded, source) {
            self.layers.push(Layer { decoded, source, writing });
        }
    }

    /// Where in the text the byte stands that is at `at` of `part`, which is a part of the text or of a layer, and not empty.
    pub(super) fn offset_in(&self, part: &str, at: usize) -> usize {
        let (mut part, mut at) = (part, at);
        for layer in self.layers.iter().rev() {
            if let Some(start) = start_in(layer.decoded, part) {
                at = match layer.writing {
                    Writing::Entities => entity_source(layer.source, start + at),
                    Writing::Escapes => escape_source(layer.source, start + at),
                    Writing::Replaced => replaced_source(layer.source, layer.decoded, start + at),
                };
                part = layer.source;
            }
        }
        start_in(self.text, part).unwrap_or(0) + at
    }
}
