//! Where in a text something stands that was decoded from it, however many times.

use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;

use super::entity::entity_source;
use super::tape::escape_source;

/// How a piece of text was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Writing {
    /// With HTML entities.
    Entities,
    /// With the escapes of a JSON string.
    Escapes,
}

/// A piece that was decoded.
#[derive(Debug)]
struct Layer<'s> {
    decoded: &'s str,
    /// What it was decoded from: a part of what the layer before was decoded to, of the first one of the text.
    source: &'s str,
    writing: Writing,
}

/// A text, and what was decoded inside it, each from a part of the one before.
#[derive(Debug)]
pub(super) struct Origin<'s> {
    text: &'s str,
    layers: BumpVec<'s, Layer<'s>>,
}

impl<'s> Origin<'s> {
    pub(super) fn new(text: &'s str, bump: &'s Bump) -> Self {
        Self { text, layers: BumpVec::new_in(bump) }
    }

    /// Goes on inside what a part of the innermost layer was decoded to; borrowed parts need no layer.
    pub(super) fn enter(&mut self, decoded: &'s str, source: &'s str, writing: Writing) {
        if !std::ptr::eq(decoded, source) {
            self.layers.push(Layer { decoded, source, writing });
        }
    }

    /// How many layers there are.
    pub(super) fn depth(&self) -> usize {
        self.layers.len()
    }

    /// Goes back to where there were that many layers.
    pub(super) fn leave_to(&mut self, depth: usize) {
        self.layers.truncate(depth);
    }

    /// Where in the text the byte stands that is at `at` of `part`, which is a part of the text or of a layer, and not empty.
    pub(super) fn offset_in(&self, part: &str, at: usize) -> usize {
        let holds = |layer: &Layer<'_>| {
            let (decoded, part) = (layer.decoded.as_bytes().as_ptr_range(), part.as_bytes().as_ptr_range());
            decoded.start <= part.start && part.end <= decoded.end
        };
        let mut address = part.as_ptr() as usize + at;
        for layer in self.layers.iter().rev().skip_while(|layer| !holds(layer)) {
            let at = address - layer.decoded.as_ptr() as usize;
            let source_at = match layer.writing {
                Writing::Entities => entity_source(layer.source, at),
                Writing::Escapes => escape_source(layer.source, at),
            };
            address = layer.source.as_ptr() as usize + source_at;
        }
        address - self.text.as_ptr() as usize
    }
}
