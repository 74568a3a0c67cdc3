//! The three steps one by one, over Arrow batches: for programs that bring their own exchange (or shuffle), such as an engine
//! that runs on many machines. What comes of it is what [`collect`](crate::collect) gives over all inputs at once.
//!
//! 1. *Map*: [`map_events`], or [`map_batches`] over bodies in Arrow batches, makes events of messages, on each worker of what
//!    it reads.
//! 2. *Exchange by message*: events with the same `id` come together, and [`deduplicate_events`] keeps one of the copies of each
//!    message. [`Coverage::of_events`](crate::Coverage::of_events) of what is kept, merged with
//!    [what requests asked for](crate::Coverage::of_requests), is what the next step needs to know of all workers.
//! 3. *Exchange by session*: events with the same `key` come together, and [`fold_events`] makes rows of sessions, a state of
//!    the aggregates, and notes on users.
//! 4. *Exchange by user*: notes with the same `key` come together, for [`fold_users`].
//!
//! The states of 3 and 4, merged in any order, finish as the [tables](crate::Aggregates::tables). Whatever travels between
//! workers is a batch: events and notes, [states](crate::MergeableState) of aggregates and coverage. [`exchange`] does within
//! a process what the shuffle of an engine does between them.
//!
//! The exchange by message can be left out where copies agree on their session and time: [`fold_events`] keeps one of those that
//! it is given, and the coverage that each worker found is merged. It is needed where they do not, as a copy from
//! `messages-lite` may lack the id of its session, and be counted by itself.
//!
//! ```
//! use korpus_analytics::steps::{
//!     ExchangeBy, deduplicate_events, exchange, fold_events, fold_users, map_events,
//! };
//! use korpus_analytics::{Aggregates, AnalyzeOptions, Coverage, MergeableState, Metric};
//! use korpus_engine::InputList;
//!
//! let message = |id: &str, session: &str, minute: u32| {
//!     format!(
//!         r#"{{"_id":"{id}","botId":"st-1",{session}"type":"incoming","createdBy":"u-1",
//!         "createdOn":"2025-09-03T10:{minute:02}:00.000Z","components":[{{"cT":"text","data":{{"text":"Hello?"}}}}]}}"#
//!     )
//! };
//! let page = |messages: [String; 2]| format!(r#"{{"total":2,"messages":[{}]}}"#, messages.join(","));
//! // The pages overlap: `ms-2` is in both, and one copy does not know its session.
//! let session = r#""sessionId":"s-1","#;
//! let pages = [
//!     page([message("ms-1", session, 0), message("ms-2", session, 1)]),
//!     page([message("ms-2", "", 1), message("ms-3", session, 2)]),
//! ];
//!
//! let options = AnalyzeOptions::default();
//! let (mut events, mut coverage) = (Vec::new(), Coverage::default());
//! for page in &pages {
//!     let mapped = map_events(&InputList::from_bytes([("page.json", page.as_bytes())]), &options, &())?;
//!     events.extend(mapped.batches);
//!     coverage.merge(mapped.coverage.of_requests());
//! }
//!
//! let mut winners = Vec::new();
//! for partition in exchange(&events, ExchangeBy::Message, 2)? {
//!     let kept = deduplicate_events(&[partition])?;
//!     // By way of Arrow, as a state travels.
//!     let found = Coverage::of_events(&kept)?.to_arrow()?;
//!     coverage.merge(Coverage::from_arrow(&found)?);
//!     winners.extend(kept);
//! }
//!
//! let (mut sessions, mut notes, mut state) = (Vec::new(), Vec::new(), Aggregates::default());
//! for partition in exchange(&winners, ExchangeBy::Session, 2)? {
//!     let folded = fold_events(&[partition], &coverage, &options)?;
//!     sessions.push(folded.sessions);
//!     notes.push(folded.users);
//!     state.merge(Aggregates::from_arrow(&folded.state.to_arrow()?)?);
//! }
//! for partition in exchange(&notes, ExchangeBy::User, 2)? {
//!     state.merge(fold_users(&[partition])?);
//! }
//!
//! let mut users = 0;
//! let counts = state.tables(&options, None, &mut |metric, batch| {
//!     users += if metric == Metric::Users { batch.num_rows() } else { 0 };
//!     Ok(())
//! })?;
//! assert_eq!(sessions.iter().map(|rows| rows.num_rows()).sum::<usize>(), 1);
//! assert_eq!((counts.sessions, counts.unsessioned, users), (1, 0, 1));
//! # Ok::<(), korpus_analytics::AnalyticsError>(())
//! ```
//!
//! All steps are given the same options. What one run knows and workers do not know of each other:
//! - `first_source` of the table `drift` is empty: ordinals are those of each worker.
//! - The filter's `skip`, `limit` and `msg_id` count in what a worker reads.
//! - A call that nothing names is told by the ids of its messages that its worker keeps.

mod exchange;
mod fold;
mod frames;
mod map;

pub use exchange::{ExchangeBy, exchange};
pub use fold::{FoldedSessions, deduplicate_events, fold_events, fold_users};
pub use frames::{events_schema, notes_schema};
pub use map::{MappedEvents, map_batches, map_events};
