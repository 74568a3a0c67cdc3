//! The run loop of korpus: inputs in, parts of a [`Job`] out, in order, in parallel, within a budget of memory.
#![deny(unsafe_code)]

mod error;
mod inputs;
mod job;
mod ledger;
mod work;

pub use error::{EngineError, Result};
pub use inputs::{Container, ExpandOptions, InputInfo, InputKind, InputList, expand};
pub use job::{BlockSeq, Job};
pub use work::{Item, RecordItem, RejectItem, Work};
