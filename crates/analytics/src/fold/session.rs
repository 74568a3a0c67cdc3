//! One session: its events in order, walked once, and what comes of it.

use super::KEPT;
use crate::events::{Event, Flags, PlatformRecord};
use crate::fold::Coverage;
use crate::symbols::Name;

const MICROS_A_MILLI: i64 = 1000;
/// A session may be this much younger than its first message, in microseconds, and still be whole.
const TOLERATED: i64 = 60_000_000;

/// What the end of a wait was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitKind {
    BotResponse,
    AgentResponse,
    Think,
}

impl WaitKind {
    pub(crate) const ALL: [Self; 3] = [Self::BotResponse, Self::AgentResponse, Self::Think];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BotResponse => "bot_response",
            Self::AgentResponse => "agent_response",
            Self::Think => "think",
        }
    }
}

/// A wait, and the event that ends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wait {
    pub event: usize,
    pub kind: WaitKind,
    pub ms: i64,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Agent,
    None,
    Open,
    NoResponse,
    Fallback,
    LeftWaiting,
    SelfService,
}

impl Outcome {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::None => "none",
            Self::Open => "open",
            Self::NoResponse | Self::Fallback | Self::LeftWaiting => "drop_off",
            Self::SelfService => "self_service",
        }
    }

    pub(crate) const fn reason(self) -> Option<&'static str> {
        match self {
            Self::NoResponse => Some("no_response"),
            Self::Fallback => Some("fallback"),
            Self::LeftWaiting => Some("left_waiting"),
            _ => None,
        }
    }

    pub(crate) const fn is_drop_off(self) -> bool {
        matches!(self, Self::NoResponse | Self::Fallback | Self::LeftWaiting)
    }
}

/// Whether an agent was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handoff {
    None,
    Requested,
    Connected,
}

impl Handoff {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Requested => "requested",
            Self::Connected => "connected",
        }
    }
}

/// What a session comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionKind {
    Bot,
    AgentAssist,
    Call,
}

impl SessionKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::AgentAssist => "agent_assist",
            Self::Call => "call",
        }
    }
}

/// All there is to know of a session. Indices are those of its events.
#[allow(clippy::struct_excessive_bools, reason = "each is a column")]
#[derive(Debug)]
pub(crate) struct Session<'s, 'a> {
    pub key: u128,
    /// In order.
    pub events: &'s [Event<'a>],
    pub platform: Option<PlatformRecord<'a>>,
    pub kind: SessionKind,
    pub is_developer: Option<bool>,
    pub user: Option<&'a str>,
    pub channel: Option<Name<'a>>,
    pub channel_count: i64,
    pub language: Option<Name<'a>>,
    pub started_at: Option<i64>,
    pub ended_at: Option<i64>,
    /// Time of the last message of any type.
    pub last_at: Option<i64>,
    pub in_count: i64,
    pub pseudo_in_count: i64,
    pub out_count: i64,
    pub closure_count: i64,
    pub other_count: i64,
    pub waits: Vec<Wait>,
    pub max_gap_ms: Option<i64>,
    pub task_first: Option<Name<'a>>,
    pub task_last: Option<Name<'a>>,
    pub task_count: i64,
    pub template_count: i64,
    pub form_count: i64,
    pub handoff: Handoff,
    pub handoff_event: Option<usize>,
    pub timeout_closed: bool,
    pub closure_gap_ms: Option<i64>,
    pub reprompt_count: i64,
    pub fallback_count: i64,
    /// The last in message, pseudo or not; the last out message that is no closure; the later of both.
    pub last_in: Option<usize>,
    pub last_out: Option<usize>,
    pub last: Option<usize>,
    /// The time inside the session id.
    pub created_at: Option<i64>,
    pub left_cut: bool,
    pub right_cut: bool,
    pub open: bool,
    pub outcome: Outcome,
    pub outcome_event: Option<usize>,
}

/// Memory that sessions are walked in, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// Of sessions before, to be filled again.
    waits: Vec<Vec<Wait>>,
    /// What tells channels and tasks apart.
    channels: Vec<u128>,
    tasks: Vec<u128>,
}

impl Lists {
    /// Takes back the waits of sessions, and lets go of memory that is more than others will take.
    pub(crate) fn take_back(&mut self, waits: impl Iterator<Item = Vec<Wait>>) {
        self.waits.extend(waits.filter(|waits| waits.capacity() > 0).map(|mut waits| {
            waits.clear();
            waits.shrink_to(KEPT);
            waits
        }));
        self.waits.truncate(KEPT);
        self.channels.shrink_to(KEPT);
        self.tasks.shrink_to(KEPT);
    }
}

/// What decides about sessions besides their events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'c> {
    pub coverage: &'c Coverage,
    /// In microseconds.
    pub gap: i64,
}

/// From one moment to a later one, in whole milliseconds.
pub(crate) fn millis_between(from: Option<i64>, to: Option<i64>) -> Option<i64> {
    Some(to?.saturating_sub(from?).div_euclid(MICROS_A_MILLI))
}

/// The value that half of them do not exceed: of two in the middle the lower. They are put into `room`.
pub(crate) fn median(values: impl Iterator<Item = i64>, room: &mut Vec<i64>) -> Option<i64> {
    room.clear();
    room.extend(values);
    let middle = room.len().checked_sub(1)? / 2;
    Some(*room.select_nth_unstable(middle).1)
}

impl<'s, 'a> Session<'s, 'a> {
    /// Walks `events`, which are in order and not empty.
    pub(crate) fn new(
        key: u128,
        events: &'s [Event<'a>],
        platform: Option<PlatformRecord<'a>>,
        rules: Rules<'_>,
        lists: &mut Lists,
    ) -> Self {
        let mut session = Self::empty(key, events, platform);
        session.waits = lists.waits.pop().unwrap_or_default();
        session.walk(lists);
        session.finish(rules);
        session
    }

    fn empty(key: u128, events: &'s [Event<'a>], platform: Option<PlatformRecord<'a>>) -> Self {
        let all = |bit| events.iter().all(|event| event.flags.has(bit));
        Self {
            key,
            events,
            platform,
            kind: if all(Flags::AGENT_AI) {
                SessionKind::AgentAssist
            } else if all(Flags::CALL) {
                SessionKind::Call
            } else {
                SessionKind::Bot
            },
            is_developer: developer_of(events, platform),
            user: events.iter().find_map(Event::user_name),
            channel: events.iter().find_map(Event::channel),
            channel_count: 0,
            language: events.iter().find_map(Event::language),
            started_at: events.iter().find_map(|event| event.at),
            ended_at: None,
            last_at: events.iter().rev().find_map(|event| event.at),
            in_count: 0,
            pseudo_in_count: 0,
            out_count: 0,
            closure_count: 0,
            other_count: 0,
            waits: Vec::new(),
            max_gap_ms: None,
            task_first: events.iter().find_map(|event| event.task),
            task_last: events.iter().rev().find_map(|event| event.task),
            task_count: 0,
            template_count: 0,
            form_count: 0,
            handoff: Handoff::None,
            handoff_event: None,
            timeout_closed: false,
            closure_gap_ms: None,
            reprompt_count: 0,
            fallback_count: 0,
            last_in: None,
            last_out: None,
            last: None,
            created_at: None,
            left_cut: false,
            right_cut: false,
            open: false,
            outcome: Outcome::SelfService,
            outcome_event: None,
        }
    }

    /// The bot. It is the same for all events.
    pub(crate) fn bot(&self) -> Option<Name<'a>> {
        self.events.first().and_then(Event::bot)
    }

    pub(crate) fn session_id(&self) -> &'a str {
        self.events.first().map_or("", Event::session_id)
    }

    pub(crate) fn interactive(&self) -> bool {
        self.in_count > 0
    }

    pub(crate) fn duration_ms(&self) -> Option<i64> {
        millis_between(self.started_at, self.ended_at)
    }

    /// One of its events.
    pub(crate) fn event(&self, at: Option<usize>) -> Option<&'s Event<'a>> {
        at.map(|at| &self.events[at])
    }

    pub(crate) fn last_said(&self) -> Option<&'s Event<'a>> {
        self.event(self.last_out)
    }

    fn walk(&mut self, lists: &mut Lists) {
        let events = self.events;
        let Lists { channels, tasks, .. } = lists;
        channels.clear();
        tasks.clear();
        // The in or out message before, and the one of them that is no closure.
        let (mut before, mut before_open): (Option<&Event<'_>>, Option<&Event<'_>>) = (None, None);
        let mut in_since_out = false;
        let (mut agent, mut request) = (None, None);
        for (at, event) in events.iter().enumerate() {
            let flags = event.flags;
            push_new(channels, event.channel());
            push_new(tasks, event.task);
            self.template_count += i64::from(flags.has(Flags::TEMPLATE));
            self.form_count += i64::from(event.has_forms());
            if flags.has(Flags::AGENT) {
                agent = agent.or(Some(at));
            }
            if flags.has(Flags::REQUEST) {
                request = request.or(Some(at));
            }
            if !flags.has(Flags::IN | Flags::OUT) {
                self.other_count += 1;
                continue;
            }
            if flags.has(Flags::CLOSURE) {
                self.closure_count += 1;
                if let Some(open) = before_open
                    && !self.timeout_closed
                {
                    self.timeout_closed = true;
                    self.closure_gap_ms = millis_between(open.at, event.at);
                }
                before = Some(event);
                continue;
            }
            // What was closed went on.
            (self.timeout_closed, self.closure_gap_ms) = (false, None);
            self.ended_at = event.at.or(self.ended_at);
            let gap = millis_between(before_open.and_then(|open| open.at), event.at);
            self.max_gap_ms = self.max_gap_ms.max(gap);
            let waited = millis_between(before.and_then(|before| before.at), event.at);
            let after_in = before.is_some_and(|before| before.flags.has(Flags::IN));
            let kind = if flags.has(Flags::OUT) {
                self.said(at, event, in_since_out);
                in_since_out = false;
                let kind =
                    if flags.has(Flags::AGENT) { WaitKind::AgentResponse } else { WaitKind::BotResponse };
                after_in.then_some(kind)
            } else {
                in_since_out = true;
                self.last_in = Some(at);
                self.in_count += i64::from(flags.is_typed());
                self.pseudo_in_count += i64::from(!flags.is_typed());
                (before.is_some() && !after_in && flags.is_typed()).then_some(WaitKind::Think)
            };
            if let (Some(kind), Some(ms)) = (kind, waited) {
                self.waits.push(Wait { event: at, kind, ms });
            }
            self.last = Some(at);
            (before, before_open) = (Some(event), Some(event));
        }
        [self.channel_count, self.task_count] = [channels, tasks].map(|list| {
            list.sort_unstable();
            list.dedup();
            list.len() as i64
        });
        (self.handoff, self.handoff_event) = match (agent, request) {
            (Some(at), _) => (Handoff::Connected, Some(at)),
            (None, Some(at)) => (Handoff::Requested, Some(at)),
            (None, None) => (Handoff::None, None),
        };
    }

    fn said(&mut self, at: usize, event: &Event<'_>, in_since_out: bool) {
        self.out_count += 1;
        self.fallback_count += i64::from(event.flags.has(Flags::FALLBACK));
        let repeats = self.last_said().is_some_and(|last| last.hash == event.hash);
        self.reprompt_count += i64::from(repeats && event.hash != 0 && in_since_out);
        self.last_out = Some(at);
    }

    fn finish(&mut self, rules: Rules<'_>) {
        self.ended_at = self.ended_at.or(self.started_at);
        self.created_at = object_id_time(self.session_id());
        let edges = rules.coverage.of(self.bot().map(Name::text));
        self.left_cut = self.started_at.is_some_and(|start| match (self.created_at, edges) {
            (Some(created), _) => start.saturating_sub(created) > TOLERATED,
            (None, Some((left, _))) => start.saturating_sub(left) <= rules.gap,
            (None, None) => false,
        });
        self.right_cut =
            self.last_at.zip(edges).is_some_and(|(last, (_, right))| right.saturating_sub(last) <= rules.gap);
        self.open = self.right_cut && !self.timeout_closed;
        (self.outcome, self.outcome_event) = self.outcome();
    }

    fn outcome(&self) -> (Outcome, Option<usize>) {
        if self.handoff != Handoff::None {
            return (Outcome::Agent, self.handoff_event);
        }
        if !self.interactive() {
            return (Outcome::None, None);
        }
        if self.open {
            return (Outcome::Open, None);
        }
        if let Some(last) = self.last
            && self.events[last].flags.is_typed()
        {
            return (Outcome::NoResponse, Some(last));
        }
        let flags = self.last_said().map(|event| event.flags).unwrap_or_default();
        let is_form = self.last_said().is_some_and(Event::has_forms);
        let outcome = if flags.has(Flags::FALLBACK) {
            Outcome::Fallback
        } else if (flags.has(Flags::OFFERS | Flags::QUESTION) || is_form) && !flags.has(Flags::WRAP_UP) {
            Outcome::LeftWaiting
        } else {
            Outcome::SelfService
        };
        (outcome, self.last_out)
    }

    /// The waits of a kind, in order.
    pub(crate) fn waits_of(&self, kind: WaitKind) -> impl Iterator<Item = i64> {
        self.waits.iter().filter(move |wait| wait.kind == kind).map(|wait| wait.ms)
    }
}

/// Whether a session is a developer's; `None` where nothing says so.
pub(crate) fn developer_of(events: &[Event<'_>], platform: Option<PlatformRecord<'_>>) -> Option<bool> {
    let platform = platform.and_then(|record| record.is_developer);
    let any = |bit| events.iter().any(|event| event.flags.has(bit));
    if platform == Some(true) || any(Flags::DEV) {
        Some(true)
    } else if platform.is_some() || any(Flags::DEV_KNOWN) {
        Some(false)
    } else {
        None
    }
}

/// Adds a name that differs from the one before; all others go when the list is whole.
fn push_new(list: &mut Vec<u128>, name: Option<Name<'_>>) {
    if let Some(hash) = name.map(Name::hash).filter(|hash| list.last() != Some(hash)) {
        list.push(hash);
    }
}

/// The time inside an `ObjectId`, in microseconds.
fn object_id_time(id: &str) -> Option<i64> {
    let is_object_id = id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let seconds = is_object_id.then(|| i64::from_str_radix(&id[..8], 16).ok())??;
    Some(seconds * 1_000_000)
}
