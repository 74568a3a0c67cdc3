//! The metrics of korpus: messages to events, events to sessions, sessions to aggregates.
#![forbid(unsafe_code)]

mod aggregate;
mod analyze;
mod codec;
mod dataset;
mod error;
mod events;
mod exchange;
mod export;
mod fold;
mod hash;
mod local_time;
mod metrics;
mod options;
mod places;
mod publish;
pub mod report;
mod requests;
mod rows;
mod sketch;
mod state;
pub mod steps;
mod symbols;
mod table_file;
mod text;
mod write_behind;

pub use aggregate::Aggregates;
pub use analyze::{Analysis, Counts, Tables, analyze, collect};
pub use dataset::{DatasetInputs, is_dataset};
pub use error::{AnalyticsError, Result};
pub use export::Export;
pub use fold::Coverage;
pub use jiff::tz::TimeZone;
pub use metrics::{
    Metric, MetricColumn, MetricKind, MetricTable, RULES_VERSION, metric_markdown, metrics_markdown,
};
pub use options::{
    AnalyzeOptions, CLOSURE_PHRASES, FALLBACK_PHRASES, PSEUDO_INPUTS, WRAP_UP_PHRASES, phrases_of, time_zone,
};
pub use publish::{AnalyzeReport, Publishing, analyze_to};
pub use report::Highlights;
pub use state::MergeableState;
pub use table_file::TableFormat;
