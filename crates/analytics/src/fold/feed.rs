//! From sessions to the states of the aggregates.

use super::KEPT;
use super::observed::Observed;
use super::session::{Handoff, Outcome, Session, SessionKind};
use super::users::{Reach, UserNotes};
use super::walked::{
    AllWalked, Counted, LATENCIES, LatencyCount, LatencyCounts, TagPlaces, VolumeCount, Walked, recently,
};
use crate::aggregate::{
    Aggregate, Aggregates, Group, LONGEST_MINUTES, MICROS_A_MINUTE, Part, SUMMARY_CELLS, hash_of,
};
use crate::codec::Reader;
use crate::events::{Event, Flags, PLATFORM_LATENCIES, PlatformRecord, SEPARATOR, ShownAction, TAG_SCOPES};
use crate::local_time::{Local, LocalTime};
use crate::places::KeyHash;
use crate::symbols::Name;

/// Feeds sessions to the states.
#[derive(Debug)]
pub(crate) struct Feeder {
    states: Aggregates,
    pub users: UserNotes,
    local: LocalTime,
    /// The number of the session that is fed, from 1 on.
    session: i64,
    /// The number of the message whose drift is added, from 1 on.
    drifting: i64,
    waits: Observed,
    durations: Observed,
    path: String,
    /// The events of an exchange that offered actions.
    offers: Vec<usize>,
    /// The hashes of keys that will be asked for.
    asked: Vec<KeyHash>,
    latency_kinds: [Name<'static>; LATENCIES.len()],
    tag_scopes: [Name<'static>; TAG_SCOPES.len()],
    counts: [i64; SESSION_COUNTS.len()],
}

/// What is counted of all sessions, by name.
const SESSION_COUNTS: [&str; 5] = ["sessions", "left_cut", "right_cut", "developer_unknown", "untimed"];

impl Feeder {
    pub(crate) fn new(local: LocalTime, reach: Reach) -> Self {
        Self {
            states: Aggregates::default(),
            users: UserNotes::new(reach),
            local,
            session: 0,
            drifting: 0,
            waits: Observed::new(Aggregate::Latency),
            durations: Observed::new(Aggregate::Paths),
            path: String::new(),
            offers: Vec::new(),
            asked: Vec::new(),
            latency_kinds: LATENCIES.map(Name::new),
            tag_scopes: TAG_SCOPES.map(Name::new),
            counts: Default::default(),
        }
    }

    /// About how much memory the states take.
    pub(crate) fn bytes(&self) -> usize {
        self.states.bytes()
    }

    /// The states, with all that was fed.
    pub(crate) fn settled(&mut self) -> &mut Aggregates {
        self.waits.settle(&mut self.states);
        self.durations.settle(&mut self.states);
        &mut self.states
    }

    /// The same, for good.
    pub(crate) fn into_states(mut self) -> Aggregates {
        self.settled();
        self.states
    }

    /// The group of a key, and whether the session is counted in it for the first time.
    fn at_first(&mut self, aggregate: Aggregate, key: &[Part<'_>]) -> (Group<'_>, bool) {
        let mut group = self.states.at(aggregate, key);
        let is_first = group.is_first(self.session);
        (group, is_first)
    }

    pub(crate) fn count(&mut self, name: &str, count: i64) {
        self.states.at(Aggregate::Counts, &[Part::Text(Name::new(name))]).add(0, count);
    }

    /// Adds what counts whether or not the session does.
    pub(crate) fn drift(&mut self, event: &Event<'_>) {
        self.drifting += 1;
        let mut drift = event.drift();
        while let Some(name) = next_text(&mut drift) {
            // A key may be empty, and no value is none.
            let mut parts = name.splitn(3, SEPARATOR).map(Some);
            let mut part = || parts.next().flatten();
            let (field, kind, value) = (part(), part(), part().filter(|value| !value.is_empty()));
            let key = [field, kind, value].map(|part| Part::text(part.map(Name::new)));
            let mut group = self.states.at(Aggregate::Drift, &key);
            // It may say the same several times.
            if group.is_first(self.drifting) {
                group.add(0, 1);
                group.least(1, event.seq.cast_signed());
            }
        }
    }

    /// Adds messages of a session whose `timestampValue` goes back.
    pub(crate) fn inversions(&mut self, events: &[Event<'_>]) {
        let mut stamps = events.iter().filter_map(|event| Some((event.stamp?, event.seq)));
        let Some((mut before, _)) = stamps.next() else { return };
        for (stamp, seq) in stamps {
            if stamp < before {
                let [field, kind] =
                    ["timestampValue", "order_inversion"].map(|part| Part::Text(Name::new(part)));
                let mut group = self.states.at(Aggregate::Drift, &[field, kind, Part::Null]);
                group.add(0, 1);
                group.least(1, seq.cast_signed());
            }
            before = stamp;
        }
    }

    /// Adds a message without a session.
    pub(crate) fn unsessioned(&mut self, event: &Event<'_>) {
        self.drift(event);
        let local = event.at.and_then(|at| self.local.at(at));
        let note = event.user().map(|user| self.users.place(event.bot(), user));
        let key = volume_key(event, local);
        let place = self.states.place(Aggregate::Volumes, &key);
        self.states.at_place(Aggregate::Volumes, place).add(0, 1);
        if let Some(note) = note {
            self.users.message(note, Aggregate::Volumes, place);
        }
        self.users.flush(&self.states);
        self.count("unsessioned", 1);
        self.count("untimed", i64::from(event.at.is_none()));
    }

    /// Adds a record of the platform without a session.
    pub(crate) fn unmatched(&mut self, record: PlatformRecord<'_>) {
        let [session_type, containment] = texts_of(Some(record));
        let key = [Part::Null, Part::Null, session_type, containment];
        self.states.at(Aggregate::ContainmentCheck, &key).add(0, 1);
    }

    /// Adds sessions, one step of all of them after the other. Where sessions are counted once a group, one step asks for all
    /// groups of the aggregate.
    pub(super) fn sessions<'a>(
        &mut self,
        sessions: &[Session<'_, 'a>],
        walked: &mut AllWalked<'a>,
        counted: &mut Counted<'a>,
    ) {
        walked.walk(sessions.iter().map(|session| session.events));
        let before = self.session;
        for (session, walked) in sessions.iter().zip(walked.iter()) {
            self.session += 1;
            self.messages(session, walked, counted);
        }
        let mut each = |step: fn(&mut Self, &Session<'_, 'a>, Walked<'_, 'a>)| {
            self.session = before;
            for (session, walked) in sessions.iter().zip(walked.iter()) {
                self.session += 1;
                step(self, session, walked);
            }
        };
        each(|feeder, session, _| feeder.summary(session));
        each(Self::responses);
        each(Self::inputs);
        each(Self::clicks);
        each(|feeder, session, _| feeder.loops(session));
        each(Self::tasks);
        each(Self::last_words);
        each(|feeder, session, _| {
            feeder.concurrency(session);
            feeder.counts(session);
        });
        self.asked.clear();
        self.asked.shrink_to(KEPT);
    }

    /// Counts what messages count by themselves, and what is between them.
    fn messages<'a>(&mut self, session: &Session<'_, 'a>, walked: Walked<'_, 'a>, counted: &mut Counted<'a>) {
        counted.begin(session.events, &mut self.local, &mut self.users);
        for at in 0..session.events.len() {
            self.message(session.events, at, walked, counted);
        }
        for wait in &session.waits {
            let kind = PLATFORM_LATENCIES.len() + wait.kind as usize;
            counted.latency(session.events, wait.event, walked.tasks[wait.event], (kind, wait.ms));
        }
        self.volumes(session.events, counted);
        self.users.flush(&self.states);
        self.latencies(counted);
    }

    /// Counts messages in their volumes and in the heat map.
    fn volumes(&mut self, events: &[Event<'_>], counted: &Counted<'_>) {
        let key = |count: &VolumeCount| volume_key(&events[count.event], count.local);
        self.asked.clear();
        self.asked.extend(counted.volumes.iter().map(|count| hash_of(&key(count))));
        self.states.fetch(Aggregate::Volumes, &self.asked);
        for (count, &hash) in counted.volumes.iter().zip(&self.asked) {
            let place = self.states.place_of_hash(Aggregate::Volumes, hash, || key(count));
            let mut group = self.states.at_place(Aggregate::Volumes, place);
            let is_first = group.is_first(self.session);
            group.add(0, count.messages);
            group.add(1, i64::from(is_first));
            if let Some(note) = count.note {
                self.users.message(note, Aggregate::Volumes, place);
            }
            if let Some(local) = count.local {
                let key = heatmap_key(local, events[count.event].channel());
                self.states.at(Aggregate::Heatmap, &key).add(1, count.messages);
            }
        }
    }

    fn message<'a>(
        &mut self,
        events: &[Event<'a>],
        at: usize,
        walked: Walked<'_, 'a>,
        counted: &mut Counted<'a>,
    ) {
        let (event, local, note) = (&events[at], counted.locals[at], counted.notes[at]);
        self.drift(event);
        counted.volume(events, at);
        if let Some(note) = note {
            self.users.visit(note, event.at, local.map(|local| local.day));
        }
        if event.has_tags() {
            self.tags(event, note, counted);
        }
        let mut forms = event.forms();
        while !forms.is_empty() {
            let key = [event.bot(), forms.name(), forms.name()].map(Part::text);
            let (mut group, is_first) = self.at_first(Aggregate::Forms, &key);
            group.add(0, 1);
            group.add(1, i64::from(event.status().is_some_and(|status| status.text() == "opened")));
            group.add(2, i64::from(is_first));
            group.add(3, i64::from(event.status().is_none()));
        }
        let mut latencies = event.latencies();
        while !latencies.is_empty() {
            let kind = usize::from(latencies.byte());
            let ms = latencies.int();
            if kind < PLATFORM_LATENCIES.len() {
                counted.latency(events, at, walked.tasks[at], (kind, ms));
            }
        }
    }

    /// Adds what was counted of latencies.
    fn latencies(&mut self, counted: &mut Counted<'_>) {
        let Counted { latencies, observed, .. } = counted;
        self.asked.clear();
        for counts in &*latencies {
            let kinds = (0..counts.kinds.len()).filter(|&kind| counts.kinds[kind].count > 0);
            self.asked.extend(kinds.map(|kind| hash_of(&latency_key(counts, self.latency_kinds[kind]))));
        }
        self.states.fetch(Aggregate::Latency, &self.asked);
        let mut asked = self.asked.iter();
        for counts in &mut *latencies {
            for kind in 0..counts.kinds.len() {
                let LatencyCount { count, sum, least, greatest, .. } = counts.kinds[kind];
                if count == 0 {
                    continue;
                }
                let Some(&hash) = asked.next() else { return };
                let place = self.states.place_of_hash(Aggregate::Latency, hash, || {
                    latency_key(counts, self.latency_kinds[kind])
                });
                counts.kinds[kind].place = place;
                let mut group = self.states.at_place(Aggregate::Latency, place);
                group.add(0, count);
                group.add(1, sum);
                group.least(2, least);
                group.greatest(3, greatest);
            }
        }
        for &(at, kind, ms) in &*observed {
            let place = latencies[at as usize].kinds[usize::from(kind)].place;
            self.waits.add(&mut self.states, place, ms);
        }
    }

    fn tags<'a>(&mut self, event: &Event<'a>, note: Option<usize>, counted: &mut Counted<'a>) {
        let tags = event.tag_bytes();
        let is = |known: &TagPlaces<'_>| known.note == note && known.tags == tags;
        if let Some(at) = recently(&counted.tags, is) {
            for &place in &counted.tag_places[counted.tags[at].places.clone()] {
                self.states.at_place(Aggregate::Tags, place).add(0, 1);
            }
            return;
        }
        let start = counted.tag_places.len();
        for tag in event.tags() {
            let scope = self.tag_scopes.get(usize::from(tag.scope)).copied();
            let key = [scope, tag.name, tag.value].map(Part::text);
            let place = self.states.place(Aggregate::Tags, &key);
            if counted.tag_places[start..].contains(&place) {
                continue;
            }
            counted.tag_places.push(place);
            let mut group = self.states.at_place(Aggregate::Tags, place);
            let is_first = group.is_first(self.session);
            group.add(0, 1);
            group.add(1, i64::from(is_first));
            if let Some(note) = note {
                self.users.message(note, Aggregate::Tags, place);
            }
        }
        counted.tags.push(TagPlaces { tags, note, places: start..counted.tag_places.len() });
    }

    fn summary(&mut self, session: &Session<'_, '_>) {
        let outcome = session.outcome;
        let local = session.started_at.and_then(|at| self.local.at(at));
        let is = |is: bool| i64::from(is);
        let in_base = session.interactive()
            && session.kind != SessionKind::AgentAssist
            && !session.open
            && !matches!(outcome, Outcome::None | Outcome::Open);
        let cells: [i64; SUMMARY_CELLS] = [
            1,
            is(session.interactive()),
            is(outcome == Outcome::Agent),
            is(outcome == Outcome::None),
            is(outcome == Outcome::Open),
            is(outcome.is_drop_off()),
            is(outcome == Outcome::NoResponse),
            is(outcome == Outcome::Fallback),
            is(outcome == Outcome::LeftWaiting),
            is(outcome == Outcome::SelfService),
            is(session.handoff == Handoff::Connected),
            is(session.handoff == Handoff::Requested),
            is(session.timeout_closed),
            session.in_count,
            session.events.len() as i64,
            session.duration_ms().unwrap_or_default(),
            is(in_base),
            is(in_base && outcome == Outcome::SelfService),
            is(in_base && outcome == Outcome::Agent),
            is(in_base && outcome.is_drop_off()),
        ];
        let [bot, channel, language] = [session.bot(), session.channel, session.language].map(Part::text);
        let kind = Part::Text(Name::new(session.kind.as_str()));
        let key = [Part::int(local.map(|local| local.day)), bot, channel, language, kind];
        let mut group = self.states.at(Aggregate::SessionSummary, &key);
        for (cell, value) in cells.into_iter().enumerate() {
            group.add(cell, value);
            group.add(SUMMARY_CELLS + cell, if session.left_cut { 0 } else { value });
        }

        if let Some(local) = local {
            self.states.at(Aggregate::Heatmap, &heatmap_key(local, session.channel)).add(0, 1);
        }
        let [session_type, containment] = texts_of(session.platform);
        let outcome = Part::Text(Name::new(outcome.as_str()));
        let key = [Part::int(Some(session.interactive())), outcome, session_type, containment];
        self.states.at(Aggregate::ContainmentCheck, &key).add(0, 1);
    }

    /// What people answered to templates.
    fn responses(&mut self, session: &Session<'_, '_>, walked: Walked<'_, '_>) {
        for (place, &at) in walked.exchanged.iter().enumerate() {
            let event = &session.events[at];
            let mut templates = event.templates();
            if templates.is_empty() {
                continue;
            }
            let later = walked.exchanged[place + 1..].iter().map(|&at| session.events[at].flags);
            let is_answered = later.take_while(|flags| !flags.has(Flags::OUT)).any(Flags::is_typed);
            while !templates.is_empty() {
                let key = [event.bot(), templates.name()].map(Part::text);
                let (mut group, is_first) = self.at_first(Aggregate::Templates, &key);
                group.add(0, 1);
                group.add(1, i64::from(is_first));
                group.add(2, i64::from(is_answered));
            }
        }
    }

    /// What people typed, and whether it was understood.
    fn inputs(&mut self, session: &Session<'_, '_>, walked: Walked<'_, '_>) {
        let events = session.events;
        let is_input = |at: &usize| events[*at].flags.is_typed() && events[*at].hash != 0;
        let key = |at: usize| {
            let event = &events[at];
            [event.bot(), event.language(), event.text()].map(Part::text)
        };
        let inputs = || walked.exchanged.iter().copied().enumerate().filter(|(_, at)| is_input(at));
        self.asked.clear();
        self.asked.extend(inputs().map(|(_, at)| hash_of(&key(at))));
        self.states.fetch(Aggregate::TopInputs, &self.asked);
        for ((place, at), &hash) in inputs().zip(&self.asked) {
            let place_of_group = self.states.place_of_hash(Aggregate::TopInputs, hash, || key(at));
            let next = walked.exchanged.get(place + 1).map_or_else(Flags::default, |&at| events[at].flags);
            let mut group = self.states.at_place(Aggregate::TopInputs, place_of_group);
            let is_first = group.is_first(self.session);
            group.add(0, 1);
            group.add(1, i64::from(is_first));
            group.add(2, i64::from(next.is_said() && next.has(Flags::FALLBACK)));
        }
    }

    /// Actions that were offered, and which of them answers equal.
    fn clicks(&mut self, session: &Session<'_, '_>, walked: Walked<'_, '_>) {
        let mut offers = std::mem::take(&mut self.offers);
        for &at in walked.exchanged {
            let event = &session.events[at];
            if !event.flags.has(Flags::IN) {
                if event.has_actions() {
                    for action in event.actions() {
                        self.states.at(Aggregate::Actions, &action_key(event, &action)).add(0, 1);
                    }
                    offers.push(at);
                }
                continue;
            }
            if event.flags.is_typed() && event.hash != 0 {
                self.click(session.events, &offers, event.hash);
            }
            offers.clear();
        }
        offers.clear();
        offers.shrink_to(KEPT);
        self.offers = offers;
    }

    fn click(&mut self, events: &[Event<'_>], offers: &[usize], hash: u64) {
        for &at in offers.iter().rev() {
            let event = &events[at];
            for by in 0..3 {
                let matches =
                    || event.actions().filter(|action| action.is_measurable() && action.hashes[by] == hash);
                let count = matches().count();
                for action in matches() {
                    let mut group = self.states.at(Aggregate::Actions, &action_key(event, &action));
                    if count == 1 {
                        group.add(1, 1);
                        group.add(3 + by, 1);
                    } else {
                        group.add(2, 1);
                    }
                }
                if count > 0 {
                    return;
                }
            }
        }
    }

    /// Prompts that were repeated.
    fn loops(&mut self, session: &Session<'_, '_>) {
        let mut current: Option<Loop> = None;
        let mut asked = false;
        for (at, event) in session.events.iter().enumerate() {
            if event.flags.has(Flags::IN) {
                asked = true;
            } else if event.flags.is_said() {
                match &mut current {
                    Some(known)
                        if asked && event.hash != 0 && session.events[known.first].hash == event.hash =>
                    {
                        known.count += 1;
                        known.last = at;
                    }
                    _ => {
                        self.end_loop(session, current.take());
                        current = Some(Loop { first: at, last: at, count: 1 });
                    }
                }
                asked = false;
            }
        }
        self.end_loop(session, current);
    }

    fn end_loop(&mut self, session: &Session<'_, '_>, ended: Option<Loop>) {
        let Some(ended) = ended.filter(|ended| ended.count > 1) else { return };
        let first = &session.events[ended.first];
        let is_handoff = |event: &Event<'_>| event.flags.has(Flags::AGENT | Flags::REQUEST);
        let next =
            session.events[ended.last + 1..].iter().find(|event| is_handoff(event) || event.flags.is_said());
        let way = match next {
            Some(event) if is_handoff(event) => 3,
            Some(_) => 2,
            None if session.outcome.is_drop_off() => 4,
            None => 5,
        };
        let text = first.text().unwrap_or_else(|| Name::new(""));
        let key = [Part::text(session.bot()), Part::hash(first.hash), Part::Text(text)];
        let mut group = self.states.at(Aggregate::Reprompts, &key);
        group.add(0, 1);
        group.greatest(1, ended.count);
        group.add(way, 1);
    }

    fn tasks(&mut self, session: &Session<'_, '_>, walked: Walked<'_, '_>) {
        let executions = walked.executions;
        let bot = session.bot();
        let outcome = Name::new(session.outcome.as_str());
        let ended = match session.outcome {
            Outcome::Agent => 2,
            Outcome::None => 3,
            Outcome::Open => 4,
            Outcome::SelfService => 6,
            _ => 5,
        };
        for (at, &task) in executions.iter().enumerate() {
            let (bot, task) = (Part::text(bot), Part::Text(task));
            let (mut group, is_first) = self.at_first(Aggregate::Tasks, &[bot, task]);
            group.add(0, i64::from(is_first));
            group.add(1, 1);
            group.add(ended, i64::from(is_first));
            let next = executions.get(at + 1).copied();
            let key = [bot, task, Part::Text(next.unwrap_or(outcome)), Part::int(Some(next.is_none()))];
            let (mut group, is_first) = self.at_first(Aggregate::TaskEdges, &key);
            group.add(0, 1);
            group.add(1, i64::from(is_first));
        }
        self.path.clear();
        for (at, task) in executions.iter().enumerate() {
            self.path.push_str(if at > 0 { " > " } else { "" });
            self.path.push_str(task.text());
        }
        let key = [Part::text(bot), Part::Text(Name::new(&self.path))];
        let place = self.states.place(Aggregate::Paths, &key);
        self.states.at_place(Aggregate::Paths, place).add(0, 1);
        if let Some(ms) = session.duration_ms() {
            self.durations.add(&mut self.states, place, ms);
        }
    }

    /// What the bot said last before somebody left.
    fn last_words(&mut self, session: &Session<'_, '_>, walked: Walked<'_, '_>) {
        let Some(at) = session.last_out.filter(|_| session.outcome.is_drop_off()) else { return };
        let event = &session.events[at];
        let [bot, task, template_type, text] =
            [session.bot(), walked.tasks[at], event.template_type(), event.text()].map(Part::text);
        let key = [bot, task, template_type, Part::hash(event.hash), text];
        self.states.at(Aggregate::DropOffPoints, &key).add(0, 1);
    }

    fn concurrency(&mut self, session: &Session<'_, '_>) {
        let (Some(start), Some(end)) = (session.started_at, session.ended_at) else { return };
        let start = start.div_euclid(MICROS_A_MINUTE);
        let end = end.div_euclid(MICROS_A_MINUTE).min(start + LONGEST_MINUTES);
        for (minute, change) in [(start, 1), (end + 1, -1)] {
            self.states.at(Aggregate::Concurrency, &[Part::Int(minute)]).add(0, change);
        }
    }

    fn counts(&mut self, session: &Session<'_, '_>) {
        let untimed = session.events.iter().filter(|event| event.at.is_none()).count();
        let counts = [
            1,
            i64::from(session.left_cut),
            i64::from(session.right_cut),
            i64::from(session.is_developer.is_none()),
            untimed as i64,
        ];
        for (sum, count) in self.counts.iter_mut().zip(counts) {
            *sum += count;
        }
    }

    /// Adds what was counted of sessions to the state, when all that were at hand are in it.
    pub(crate) fn end(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        if counts[0] > 0 {
            SESSION_COUNTS.into_iter().zip(counts).for_each(|(name, count)| self.count(name, count));
        }
    }
}

fn volume_key<'a>(event: &Event<'a>, local: Option<Local>) -> [Part<'a>; 7] {
    [
        Part::int(local.map(|local| local.day)),
        Part::int(local.map(|local| local.hour)),
        Part::text(event.bot()),
        Part::text(event.channel()),
        Part::text(event.language()),
        Part::text(event.message_type()),
        Part::text(event.status()),
    ]
}

fn latency_key<'a>(counts: &LatencyCounts<'a>, kind: Name<'a>) -> [Part<'a>; 5] {
    let [bot, channel, task] = counts.names.map(Part::text);
    [Part::int(counts.day), bot, channel, task, Part::Text(kind)]
}

fn heatmap_key(local: Local, channel: Option<Name<'_>>) -> [Part<'_>; 3] {
    [Part::int(Some(local.weekday)), Part::int(Some(local.hour)), Part::text(channel)]
}

fn action_key<'k>(event: &Event<'k>, action: &ShownAction<'k>) -> [Part<'k>; 6] {
    let [template_type, action_type, title, payload] =
        [action.template_type, action.action_type, action.title, action.payload].map(Part::text);
    [Part::text(event.bot()), Part::hash(event.hash), template_type, action_type, title, payload]
}

/// What the platform says of a session, if it does: its type and how it was contained.
fn texts_of(record: Option<PlatformRecord<'_>>) -> [Part<'_>; 2] {
    let texts = record.map_or([None; 2], |record| [record.session_type, record.containment]);
    texts.map(|text| Part::text(text.map(Name::new)))
}

/// A prompt that is being repeated.
#[derive(Debug)]
struct Loop {
    first: usize,
    last: usize,
    count: i64,
}

fn next_text<'a>(from: &mut Reader<'a>) -> Option<&'a str> {
    if from.is_empty() { None } else { Some(from.text().unwrap_or_default()) }
}
