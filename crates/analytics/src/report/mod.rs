//! The report: one page that opens offline, holds what its figures need and nothing that could run besides its own scripts.
//!
//! [`render`] takes the aggregates and what is known of the run. `summary` folds the tables into what fits on a page,
//! `page` writes the file. The page itself is in `assets/`.

mod columns;
mod dimensions;
mod facts;
mod latency;
mod lists;
mod page;
mod summary;
mod sums;
mod text;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

pub use facts::{Facts, QueryFact, Tally};

/// No page is larger.
const MOST_BYTES: usize = 2_900_000;
/// Long lists are cut to half, and half again, until the page fits; that far.
const MOST_SHARE: usize = 64;

/// The report as a self-contained HTML file: under 3 MB, whatever the tables hold.
///
/// `tables` are the aggregates by name, with the columns of [`Metric::arrow_schema`](crate::Metric::arrow_schema). Figures
/// whose table is not there say so.
pub fn render(tables: &BTreeMap<&'static str, RecordBatch>, facts: &Facts) -> String {
    let title = if facts.title.is_empty() { "Conversations" } else { &facts.title };
    let mut share = 1;
    loop {
        let page = page::write(title, &summary::island(tables, facts, share));
        if page.len() <= MOST_BYTES || share >= MOST_SHARE {
            return page;
        }
        share *= 2;
    }
}
