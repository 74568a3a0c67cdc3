//! What is known of the events of a session besides themselves, and where they were counted.

use std::ops::Range;

use super::session::WaitKind;
use super::users::UserNotes;
use crate::events::{Event, Flags, PLATFORM_LATENCIES};
use crate::local_time::{Local, LocalTime};
use crate::symbols::Name;

/// What is known of the events of a session besides themselves; made anew for each, in the same memory.
#[derive(Debug, Default)]
pub(super) struct Walked<'a> {
    /// Indices of in and out messages.
    pub exchanged: Vec<usize>,
    /// By event, when it happened.
    pub locals: Vec<Option<Local>>,
    /// By event: where the note of its user stands.
    pub notes: Vec<Option<usize>>,
    /// By event: its own task, else the last one before it.
    pub tasks: Vec<Option<Name<'a>>>,
    /// The tasks one after the other.
    pub executions: Vec<Name<'a>>,
    pub recent: Recent<'a>,
}

/// The groups that a session was counted in so far: its messages come back to the same few.
#[derive(Debug, Default)]
pub(super) struct Recent<'a> {
    pub volumes: Vec<VolumePlace>,
    pub latencies: Vec<LatencyPlaces<'a>>,
    pub tags: Vec<TagPlaces<'a>>,
    /// The groups of all tags, one behind the other.
    pub tag_places: Vec<usize>,
}

/// Where the last of a list is that `is` it, among the last few: more are not looked through.
pub(super) fn recently<T>(list: &[T], is: impl Fn(&T) -> bool) -> Option<usize> {
    let first = list.len().saturating_sub(8);
    list[first..].iter().rposition(is).map(|at| first + at)
}

/// Where messages of a session count that were sent in the same hour and are the same in all that volumes tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct VolumePlace {
    pub local: Option<Local>,
    /// The index of one of them.
    pub event: usize,
    /// The note of the user who was noted there.
    pub note: Option<usize>,
    pub volumes: usize,
    pub heatmap: Option<usize>,
}

/// Where messages of a session with the same tags count.
#[derive(Debug)]
pub(super) struct TagPlaces<'a> {
    pub tags: &'a [u8],
    /// The note of the user who was noted there.
    pub note: Option<usize>,
    /// Where the places stand among those of all tags.
    pub places: Range<usize>,
}

/// Where latencies count that are the same in all but their kind.
#[derive(Debug)]
pub(super) struct LatencyPlaces<'a> {
    pub day: Option<i32>,
    /// Task, channel and bot.
    pub names: [Option<Name<'a>>; 3],
    /// By kind.
    pub places: [Option<usize>; LATENCIES.len()],
}

/// The kinds of latency: those that the platform measures, and those that are found by walking a session.
pub(super) const LATENCIES: [&str; 7] = {
    let [a, b, c, d] = PLATFORM_LATENCIES;
    let [e, f, g] = WaitKind::ALL;
    [a, b, c, d, e.as_str(), f.as_str(), g.as_str()]
};

impl<'a> Walked<'a> {
    /// Forgets the session before.
    pub(super) fn walk(&mut self, events: &[Event<'a>], local: &mut LocalTime, users: &mut UserNotes) {
        let Self { exchanged, locals, notes, tasks, executions, recent } = self;
        let Recent { volumes, latencies, tags, tag_places } = recent;
        volumes.clear();
        latencies.clear();
        tags.clear();
        tag_places.clear();
        exchanged.clear();
        locals.clear();
        notes.clear();
        tasks.clear();
        executions.clear();
        let mut last = None;
        for (at, event) in events.iter().enumerate() {
            last = event.task.or(last);
            tasks.push(last);
            if let Some(task) = last.filter(|task| executions.last() != Some(task)) {
                executions.push(task);
            }
            locals.push(event.at.and_then(|at| local.at(at)));
            notes.push(event.user().map(|user| users.place(event.bot(), user)));
            if event.flags.has(Flags::IN | Flags::OUT) {
                exchanged.push(at);
            }
        }
    }
}
