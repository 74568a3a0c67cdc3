//! The run loop of korpus: inputs in, parts of a [`Job`] out, in order, in parallel, within a budget of memory.
//!
//! [`expand`] lists what is read; [`run`] reads it on a [`Pool`] of threads, has a [`Job`] map every block and commit the
//! parts in order, and returns a [`RunReport`]: the [`Ledger`] whose books balance, and the [`Fates`] of all messages.
//! Archives (tar, zip, HAR) are found by their content, and read as what they hold: see [`Container`].
//!
//! ```
//! use korpus_engine::{BlockSeq, EngineError, InputList, Job, Pool, RunOptions, Work, run};
//!
//! /// Adds up how many messages there are.
//! struct Count;
//!
//! impl Job for Count {
//!     type Local = ();
//!     type Part = u64;
//!     type State = u64;
//!     type Error = EngineError;
//!
//!     fn local(&self) {}
//!     fn part(&self) -> u64 {
//!         0
//!     }
//!     fn map(&self, (): &mut (), work: &Work<'_>, part: &mut u64) {
//!         *part = work.messages().count() as u64;
//!     }
//!     fn commit(&self, total: &mut u64, _at: &BlockSeq<'_>, part: u64) -> Result<(), EngineError> {
//!         *total += part;
//!         Ok(())
//!     }
//! }
//!
//! let page = br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}]}"#;
//! let inputs = InputList::from_bytes([("a.json", &page[..]), ("b.json", &page[..])]);
//! let mut total = 0;
//! let report = run(&Pool::new(2)?, &inputs, &RunOptions::default(), &Count, &mut total, &())?;
//! let (messages, _records) = report.ledger.totals();
//! assert_eq!((total, messages.kept, messages.duplicate), (2, 1, 1));
//! # Ok::<(), EngineError>(())
//! ```
#![deny(unsafe_code)]

mod anchor;
mod around;
mod background;
mod batches;
mod bits;
mod dedup;
mod error;
mod facts;
mod fetch;
mod file_at;
mod filter;
mod history;
mod inputs;
mod job;
mod keylog;
mod ledger;
mod manifest;
mod memory;
mod met;
mod mmap;
mod observer;
mod publish;
mod recent;
mod run;
mod source;
mod spool;
mod times;
mod work;

pub use around::{Bodies, BodyKey, RecordHashes};
pub use background::Background;
pub use batches::{MessageBatch, MessageBatches};
pub use dedup::{Fate, Fates};
pub use error::{EngineError, Result};
pub use fetch::{fetch, fetch_all};
pub use filter::{Direction, Filter, TagFilter, TagScope, parse_day_or_time};
pub use history::{Finished, History, Known, finished};
pub use inputs::{
    Container, ExpandOptions, InputInfo, InputKind, InputList, OnceReader, expand, waits_for_stdin,
};
pub use job::{BlockSeq, Job};
pub use keylog::{Key, KeyLog};
pub use ledger::{
    Books, InputReport, InputStatus, Ledger, Members, PageOrder, PageRow, Pages, RejectPlace, Rejections,
};
pub use manifest::{FileEntry, InputEntry, MANIFEST, Manifest, Totals};
pub use memory::MemoryBudget;
pub use observer::Observer;
pub use publish::{Publication, PublishOptions, hash_file, progress_of, remove_unfinished};
pub use recent::RecentTexts;
pub use run::{Pool, RunOptions, RunReport, check_cancelled, run};
pub use spool::Spool;
pub use times::MessageTimes;
pub use work::{Item, RecordItem, RejectItem, Work};
