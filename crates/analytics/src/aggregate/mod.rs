//! The aggregates: their states, which merge in any order, and the tables that become of them.

mod finish;
mod groups;
mod key;
mod runs;
mod state;
mod stored;

pub(crate) use groups::Group;
use groups::Op;
use key::{KeyKind, is_key};
pub(crate) use key::{Part, hash_of, put_key};
pub(crate) use runs::Runs;
pub(crate) use stored::Stored;

pub use state::Aggregates;

/// An aggregate by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aggregate {
    Volumes,
    SessionSummary,
    ContainmentCheck,
    Latency,
    Heatmap,
    Users,
    Templates,
    Actions,
    Forms,
    DropOffPoints,
    Tasks,
    TaskEdges,
    Paths,
    TopInputs,
    Reprompts,
    Tags,
    /// How many sessions begin in a minute less how many ended in the one before.
    Concurrency,
    Drift,
    /// Numbers about the run, by name.
    Counts,
}

use KeyKind::{Hash, Int, Text};
use Op::{Max, Min, Sum};

/// The cell of volumes and tags that counts users.
pub(crate) const USERS: usize = 2;
/// The most parts that a key has.
const MOST_PARTS: usize = 7;
/// A session counts in `concurrency` for this long at most, in minutes: a wrong clock must not fill the table.
pub(crate) const LONGEST_MINUTES: i64 = 10_000 * 60;
pub(crate) const MICROS_A_MINUTE: i64 = 60_000_000;
/// How many cells of a session summary count all sessions; as many count those that are not `left_cut`.
pub(crate) const SUMMARY_CELLS: usize = 20;

impl Aggregate {
    pub(crate) const ALL: [Self; 19] = [
        Self::Volumes,
        Self::SessionSummary,
        Self::ContainmentCheck,
        Self::Latency,
        Self::Heatmap,
        Self::Users,
        Self::Templates,
        Self::Actions,
        Self::Forms,
        Self::DropOffPoints,
        Self::Tasks,
        Self::TaskEdges,
        Self::Paths,
        Self::TopInputs,
        Self::Reprompts,
        Self::Tags,
        Self::Concurrency,
        Self::Drift,
        Self::Counts,
    ];

    /// Its name in saved states.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Volumes => "volumes",
            Self::SessionSummary => "session_summary",
            Self::ContainmentCheck => "containment_check",
            Self::Latency => "latency",
            Self::Heatmap => "heatmap",
            Self::Users => "users",
            Self::Templates => "templates_usage",
            Self::Actions => "actions_usage",
            Self::Forms => "forms",
            Self::DropOffPoints => "drop_off_points",
            Self::Tasks => "tasks",
            Self::TaskEdges => "task_edges",
            Self::Paths => "path_variants",
            Self::TopInputs => "top_inputs",
            Self::Reprompts => "reprompts",
            Self::Tags => "tags_usage",
            Self::Concurrency => "concurrency",
            Self::Drift => "drift",
            Self::Counts => "counts",
        }
    }

    /// What its keys are made of.
    const fn key(self) -> &'static [KeyKind] {
        match self {
            Self::Volumes => &[Int, Int, Text, Text, Text, Text, Text],
            Self::SessionSummary | Self::Latency => &[Int, Text, Text, Text, Text],
            Self::ContainmentCheck => &[Int, Text, Text, Text],
            Self::Heatmap => &[Int, Int, Text],
            Self::Users | Self::Templates | Self::Tasks | Self::Paths => &[Text, Text],
            Self::Actions => &[Text, Hash, Text, Text, Text, Text],
            Self::Forms | Self::TopInputs | Self::Tags | Self::Drift => &[Text, Text, Text],
            Self::DropOffPoints => &[Text, Text, Text, Hash, Text],
            Self::TaskEdges => &[Text, Text, Text, Int],
            Self::Reprompts => &[Text, Hash, Text],
            Self::Concurrency => &[Int],
            Self::Counts => &[Text],
        }
    }

    /// Whether bytes are a key of it.
    pub(crate) fn is_key(self, bytes: &[u8]) -> bool {
        is_key(bytes, self.key())
    }

    /// How its cells merge.
    const fn cells(self) -> &'static [Op] {
        match self {
            Self::Heatmap | Self::TaskEdges => &[Sum; 2],
            Self::SessionSummary => &[Sum; 2 * SUMMARY_CELLS],
            Self::ContainmentCheck | Self::DropOffPoints | Self::Paths | Self::Concurrency | Self::Counts => {
                &[Sum]
            }
            Self::Latency => &[Sum, Sum, Min, Max],
            Self::Users => &[Min, Max, Sum, Sum, Sum],
            Self::Volumes | Self::Tags | Self::Templates | Self::TopInputs => &[Sum; 3],
            Self::Actions => &[Sum; 6],
            Self::Forms => &[Sum; 4],
            Self::Tasks => &[Sum; 7],
            Self::Reprompts => &[Sum, Max, Sum, Sum, Sum, Sum],
            Self::Drift => &[Sum, Min],
        }
    }

    /// Whether each group has a sketch of durations.
    const fn has_sketches(self) -> bool {
        matches!(self, Self::Latency | Self::Paths)
    }
}
