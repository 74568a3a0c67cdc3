//! The one declaration of every metrics table: columns, types, formulas, caveats. Schemas, files and docs go by it.

mod aggregates;
mod declare;
mod docs;
mod sessions;

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{Fields, Schema, SchemaRef};

pub use declare::{MetricColumn, MetricKind};
pub use docs::{metric_markdown, metrics_markdown};

/// The version of the rules behind the metrics: it rises when a number could change for the same messages.
pub const RULES_VERSION: i32 = 1;

/// A table of metrics. Its file has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// One row a session.
    Sessions,
    /// Messages by everything a volume report asks for.
    Volumes,
    /// Sessions by day, bot, channel, language and kind, with their outcomes.
    SessionSummary,
    /// Our outcome against the platform's own verdict.
    ContainmentCheck,
    /// How long things take.
    Latency,
    /// The buckets that the quantiles of latency come from.
    LatencyBuckets,
    /// Sessions and messages by weekday and hour.
    Heatmap,
    /// One row an end user.
    Users,
    /// Templates that were shown.
    TemplatesUsage,
    /// Buttons and the like that were shown, and what was pressed.
    ActionsUsage,
    /// Digital forms.
    Forms,
    /// What the bot said last before people left.
    DropOffPoints,
    /// Tasks that ran.
    Tasks,
    /// From one task to the next.
    TaskEdges,
    /// Whole ways through tasks.
    PathVariants,
    /// What people type.
    TopInputs,
    /// Prompts that were repeated.
    Reprompts,
    /// Tags.
    TagsUsage,
    /// How many sessions ran at the same time.
    Concurrency,
    /// Where messages differ from what is documented.
    Drift,
}

/// A metrics table as it is declared.
#[derive(Debug, Clone, Copy)]
pub struct MetricTable {
    /// Its name, which is also that of its file.
    pub name: &'static str,
    /// What a row is, and what it is for, in one or two sentences.
    pub meaning: &'static str,
    /// How many of the first columns make up the key of a row.
    pub keys: usize,
    /// Its columns, in order, but for `rules_version`, which is the last of every table.
    pub columns: &'static [MetricColumn],
}

impl Metric {
    /// All of them, in the order of the docs.
    pub const ALL: [Self; 20] = [
        Self::Sessions,
        Self::Volumes,
        Self::SessionSummary,
        Self::ContainmentCheck,
        Self::Latency,
        Self::LatencyBuckets,
        Self::Heatmap,
        Self::Users,
        Self::TemplatesUsage,
        Self::ActionsUsage,
        Self::Forms,
        Self::DropOffPoints,
        Self::Tasks,
        Self::TaskEdges,
        Self::PathVariants,
        Self::TopInputs,
        Self::Reprompts,
        Self::TagsUsage,
        Self::Concurrency,
        Self::Drift,
    ];

    /// Its declaration.
    pub const fn table(self) -> &'static MetricTable {
        match self {
            Self::Sessions => &sessions::SESSIONS,
            Self::Volumes => &aggregates::VOLUMES,
            Self::SessionSummary => &aggregates::SESSION_SUMMARY,
            Self::ContainmentCheck => &aggregates::CONTAINMENT_CHECK,
            Self::Latency => &aggregates::LATENCY,
            Self::LatencyBuckets => &aggregates::LATENCY_BUCKETS,
            Self::Heatmap => &aggregates::HEATMAP,
            Self::Users => &aggregates::USERS,
            Self::TemplatesUsage => &aggregates::TEMPLATES_USAGE,
            Self::ActionsUsage => &aggregates::ACTIONS_USAGE,
            Self::Forms => &aggregates::FORMS,
            Self::DropOffPoints => &aggregates::DROP_OFF_POINTS,
            Self::Tasks => &aggregates::TASKS,
            Self::TaskEdges => &aggregates::TASK_EDGES,
            Self::PathVariants => &aggregates::PATH_VARIANTS,
            Self::TopInputs => &aggregates::TOP_INPUTS,
            Self::Reprompts => &aggregates::REPROMPTS,
            Self::TagsUsage => &aggregates::TAGS_USAGE,
            Self::Concurrency => &aggregates::CONCURRENCY,
            Self::Drift => &aggregates::DRIFT,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        self.table().name
    }

    /// The table of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// All its columns, `rules_version` too.
    pub fn columns(self) -> impl Iterator<Item = &'static MetricColumn> {
        self.table().columns.iter().chain(std::iter::once(&declare::RULES_VERSION_COLUMN))
    }

    /// Its Arrow schema; what the docs say of each column is metadata of its field.
    pub fn arrow_schema(self) -> SchemaRef {
        static SCHEMAS: OnceLock<Vec<SchemaRef>> = OnceLock::new();
        let schemas = SCHEMAS.get_or_init(|| {
            Self::ALL
                .iter()
                .map(|metric| {
                    let fields = metric.columns().map(MetricColumn::arrow_field);
                    Arc::new(Schema::new(fields.collect::<Fields>()))
                })
                .collect()
        });
        schemas[self as usize].clone()
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case_and_found_again() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric as usize, index);
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
            let mut names: Vec<_> = metric.columns().map(|column| column.name).collect();
            let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            assert!(names.iter().all(|name| name.bytes().all(ok)), "{metric}");
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{metric}");
            assert_eq!(metric.arrow_schema().fields().len(), count);
            assert!(metric.table().keys <= metric.table().columns.len());
        }
    }
}
