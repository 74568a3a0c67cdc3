//! What must hold of korpus for any input: the oracles that fuzz targets, property tests and the replay of corpora share.
//!
//! Each function takes bytes that may be anything, and panics where korpus breaks a promise. Expectations come from
//! `serde_json`, `flate2` and `jiff`, or from the books of the parser itself; never from the code under test.

#![forbid(unsafe_code)]

#[cfg(feature = "archive")]
mod archive;
mod codec;
mod date;
mod json;
mod layout;
mod page;
#[cfg(feature = "restore")]
mod restore;
mod scan;
mod template;
mod views;

#[cfg(feature = "archive")]
pub use archive::archive;
pub use codec::codec;
pub use date::date;
pub use json::{Json, JsonKind, same_value};
pub use layout::{odd_message, odd_value};
pub use page::{Found, Page, Rejected, kept, page, parse};
#[cfg(feature = "restore")]
pub use restore::{restore, restore_messages};
pub use scan::{depth, scan};
pub use template::{ActionRow, Columns, ElementRow, FormRow, Shown, template, template_of};
pub use views::{views, views_of};

/// What must hold of any bytes; panics where it does not.
pub type Oracle = fn(&[u8]);

/// The oracles by the name of their fuzz target.
pub const TARGETS: &[(&str, Oracle)] = &[
    ("codec", codec),
    ("scan", scan),
    ("views", views),
    ("date", date),
    ("template", template),
    ("page", page),
    #[cfg(feature = "archive")]
    ("archive", archive),
    #[cfg(feature = "restore")]
    ("restore", restore),
];

/// The messages in fuzzed bytes: what stands between NUL bytes, where it is an object that a page can hold.
fn messages_of(data: &[u8]) -> Vec<&[u8]> {
    data.split(|&byte| byte == 0)
        .map(<[u8]>::trim_ascii)
        .filter(|text| text.first() == Some(&b'{') && Json::parse(text).is_some() && depth(text) <= 128)
        .take(64)
        .collect()
}
