//! What is known of the events of a session besides themselves, and what is counted of them.

use std::ops::Range;

use super::emptied;
use super::session::WaitKind;
use super::users::UserNotes;
use crate::events::{Event, Flags, PLATFORM_LATENCIES};
use crate::local_time::{Local, LocalTime};
use crate::symbols::Name;

/// What is known of the events of a session besides themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Walked<'w, 'a> {
    /// Indices of in and out messages.
    pub exchanged: &'w [usize],
    /// By event: its own task, else the last one before it.
    pub tasks: &'w [Option<Name<'a>>],
    /// The tasks one after the other.
    pub executions: &'w [Name<'a>],
}

/// The same of several sessions, one behind the other.
#[derive(Debug, Default)]
pub(super) struct AllWalked<'a> {
    exchanged: Vec<usize>,
    tasks: Vec<Option<Name<'a>>>,
    executions: Vec<Name<'a>>,
    /// Where these lists end, of each session.
    ends: Vec<[usize; 3]>,
}

/// What is counted of a session before it comes to the groups of volumes and latencies, which lie anywhere: they are fetched
/// together. And in which groups of tags it was counted. Made anew for each, in the same memory.
#[derive(Debug, Default)]
pub(super) struct Counted<'a> {
    /// By event: when it happened, and where the note of its user stands.
    pub locals: Vec<Option<Local>>,
    pub notes: Vec<Option<usize>>,
    pub volumes: Vec<VolumeCount>,
    pub latencies: Vec<LatencyCounts<'a>>,
    /// The latencies themselves: which of the list, which kind, and milliseconds.
    pub observed: Vec<(u32, u8, i64)>,
    pub tags: Vec<TagPlaces<'a>>,
    /// The groups of all tags, one behind the other.
    pub tag_places: Vec<usize>,
}

impl<'a> Counted<'a> {
    /// Forgets the session before, and finds out when and whose the events of this one are.
    pub(super) fn begin(&mut self, events: &[Event<'a>], local: &mut LocalTime, users: &mut UserNotes) {
        let Self { locals, notes, volumes, latencies, observed, tags, tag_places } = self;
        volumes.clear();
        latencies.clear();
        observed.clear();
        tags.clear();
        tag_places.clear();
        locals.clear();
        locals.extend(events.iter().map(|event| event.at.and_then(|at| local.at(at))));
        notes.clear();
        notes.extend(events.iter().map(|event| event.user().map(|user| users.place(event.bot(), user))));
    }

    /// What it has for memory, with nothing in it.
    pub(super) fn emptied<'b>(self) -> Counted<'b> {
        let Self { locals, notes, volumes, latencies, observed, tags, tag_places } = self;
        Counted {
            locals: emptied(locals),
            notes: emptied(notes),
            volumes: emptied(volumes),
            latencies: emptied(latencies),
            observed: emptied(observed),
            tags: emptied(tags),
            tag_places: emptied(tag_places),
        }
    }

    /// Counts the message at a place of the events.
    pub(super) fn volume(&mut self, events: &[Event<'a>], at: usize) {
        let (local, note) = (self.locals[at], self.notes[at]);
        let is = |known: &VolumeCount| {
            known.local == local
                && (note.is_none() || known.note == note)
                && events[known.event].has_profile_of(&events[at])
        };
        match recently(&self.volumes, is) {
            Some(known) => self.volumes[known].messages += 1,
            None => self.volumes.push(VolumeCount { local, event: at, note, messages: 1 }),
        }
    }

    /// Adds a time that something of a task took until the message at a place of the events: its kind, among [`LATENCIES`], and
    /// milliseconds.
    pub(super) fn latency(
        &mut self,
        events: &[Event<'a>],
        at: usize,
        task: Option<Name<'a>>,
        (kind, ms): (usize, i64),
    ) {
        let day = self.locals[at].map(|local| local.day);
        let names = [events[at].bot(), events[at].channel(), task];
        let is = |known: &LatencyCounts<'_>| known.day == day && known.names == names;
        let at = recently(&self.latencies, is).unwrap_or_else(|| {
            self.latencies.push(LatencyCounts { day, names, kinds: Default::default() });
            self.latencies.len() - 1
        });
        self.latencies[at].kinds[kind].add(ms);
        self.observed.push((at as u32, kind as u8, ms));
    }
}

/// Where the last of a list is that `is` it, among the last few: more are not looked through.
pub(super) fn recently<T>(list: &[T], is: impl Fn(&T) -> bool) -> Option<usize> {
    let first = list.len().saturating_sub(8);
    list[first..].iter().rposition(is).map(|at| first + at)
}

/// How many messages of a session were sent in the same hour, by the same user where they tell one, and are the same in all that
/// volumes tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct VolumeCount {
    pub local: Option<Local>,
    /// The index of one of them.
    pub event: usize,
    /// The note of the user who counts there.
    pub note: Option<usize>,
    pub messages: i64,
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

/// Latencies that are the same in all but their kind.
#[derive(Debug)]
pub(super) struct LatencyCounts<'a> {
    pub day: Option<i32>,
    /// Bot, channel and task.
    pub names: [Option<Name<'a>>; 3],
    pub kinds: [LatencyCount; LATENCIES.len()],
}

/// Latencies of a kind, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct LatencyCount {
    pub count: i64,
    pub sum: i64,
    pub least: i64,
    pub greatest: i64,
    /// Where its group stands, when that is known.
    pub place: usize,
}

impl LatencyCount {
    fn add(&mut self, ms: i64) {
        self.least = if self.count == 0 { ms } else { self.least.min(ms) };
        self.greatest = if self.count == 0 { ms } else { self.greatest.max(ms) };
        self.count += 1;
        self.sum = self.sum.saturating_add(ms);
    }
}

/// The kinds of latency: those that the platform measures, and those that are found by walking a session.
pub(super) const LATENCIES: [&str; 7] = {
    let [a, b, c, d] = PLATFORM_LATENCIES;
    let [e, f, g] = WaitKind::ALL;
    [a, b, c, d, e.as_str(), f.as_str(), g.as_str()]
};

impl<'a> AllWalked<'a> {
    /// Forgets the sessions before, and walks these.
    pub(super) fn walk<'s>(&mut self, sessions: impl Iterator<Item = &'s [Event<'a>]>)
    where
        'a: 's,
    {
        let Self { exchanged, tasks, executions, ends } = self;
        exchanged.clear();
        tasks.clear();
        executions.clear();
        ends.clear();
        for events in sessions {
            let start = executions.len();
            let mut last = None;
            for (at, event) in events.iter().enumerate() {
                last = event.task.or(last);
                tasks.push(last);
                if let Some(task) = last.filter(|task| executions[start..].last() != Some(task)) {
                    executions.push(task);
                }
                if event.flags.has(Flags::IN | Flags::OUT) {
                    exchanged.push(at);
                }
            }
            ends.push([exchanged.len(), tasks.len(), executions.len()]);
        }
    }

    /// What is known of each.
    pub(super) fn iter(&self) -> impl Iterator<Item = Walked<'_, 'a>> {
        let starts = std::iter::once(&[0; 3]).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| Walked {
            exchanged: &self.exchanged[start[0]..end[0]],
            tasks: &self.tasks[start[1]..end[1]],
            executions: &self.executions[start[2]..end[2]],
        })
    }

    /// What it has for memory, with nothing in it.
    pub(super) fn emptied<'b>(self) -> AllWalked<'b> {
        let Self { exchanged, tasks, executions, ends } = self;
        AllWalked {
            exchanged: emptied(exchanged),
            tasks: emptied(tasks),
            executions: emptied(executions),
            ends: emptied(ends),
        }
    }
}
