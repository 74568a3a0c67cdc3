//! The report: one page that opens offline, holds what its figures need and nothing that could run besides its own scripts.
//!
//! A [`Digest`] takes the tables as they go by, and renders the page with what is known of the run. `summary` folds what was
//! kept into what fits on a page, `page` writes the file. The page itself is in `assets/`.

mod columns;
mod digest;
mod dimensions;
mod facts;
mod highlights;
mod latency;
mod lists;
mod page;
mod summary;
mod sums;
mod text;
mod waits;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use crate::error::Result;

pub use digest::Digest;
pub use facts::{Facts, QueryFact, Tally};
pub use highlights::Highlights;

/// No page is larger.
const MOST_BYTES: usize = 2_900_000;
/// Long lists are cut to half, and half again, until the page fits; that far.
const MOST_SHARE: usize = 64;

impl Digest {
    /// The report as a self-contained HTML file: under 3 MB, whatever the tables hold. Figures whose table was not added say
    /// so.
    ///
    /// # Errors
    /// None that can be helped: a defect of korpus.
    pub fn render(&mut self, facts: &Facts) -> Result<String> {
        self.settle_all()?;
        let title = if facts.title.is_empty() { "Conversations" } else { &facts.title };
        let mut share = 1;
        loop {
            let page = page::write(title, &summary::island(self, facts, share));
            if page.len() <= MOST_BYTES || share >= MOST_SHARE {
                return Ok(page);
            }
            share *= 2;
        }
    }
}
