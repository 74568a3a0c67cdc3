//! What a metrics column is declared as.

use arrow::datatypes::{DataType, Field, TimeUnit};

/// A column of a metrics table.
#[derive(Debug, Clone, Copy)]
pub struct MetricColumn {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: MetricKind,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it is, as a formula over messages where it is a number.
    pub formula: &'static str,
    /// What to keep in mind when reading it; empty where nothing.
    pub caveat: &'static str,
    /// What the platform understands by it, where that differs; empty where it has no such number.
    pub platform: &'static str,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Text.
    Text,
    /// Text of which nearly every row has its own.
    Id,
    /// JSON text.
    Json,
    /// A count.
    Int,
    /// Milliseconds.
    Millis,
    /// A small number: an hour, a weekday, a version.
    Small,
    /// A rate between 0 and 1, or an estimate.
    Float,
    /// True or false.
    Bool,
    /// Microseconds since 1970, UTC.
    Timestamp,
    /// A day.
    Date,
}

impl MetricKind {
    /// The Arrow type.
    pub fn arrow_type(self) -> DataType {
        match self {
            Self::Text | Self::Id | Self::Json => DataType::Utf8,
            Self::Int | Self::Millis => DataType::Int64,
            Self::Small => DataType::Int32,
            Self::Float => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
        }
    }

    /// The type as the docs name it.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Text | Self::Id => "utf8",
            Self::Json => "utf8 (JSON)",
            Self::Int | Self::Millis => "int64",
            Self::Small => "int32",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::Timestamp => "timestamp[µs, UTC]",
            Self::Date => "date32",
        }
    }
}

impl MetricColumn {
    const fn new(name: &'static str, kind: MetricKind, formula: &'static str) -> Self {
        Self { name, kind, nullable: true, formula, caveat: "", platform: "" }
    }

    /// The Arrow field. What the docs say of the column goes with it, as metadata: `meaning`, `caveat` and `platform`.
    pub fn arrow_field(&self) -> Field {
        let said = [("meaning", self.formula), ("caveat", self.caveat), ("platform", self.platform)];
        let said = said.into_iter().filter(|(_, text)| !text.is_empty());
        Field::new(self.name, self.kind.arrow_type(), self.nullable)
            .with_metadata(said.map(|(key, text)| (key.to_owned(), text.to_owned())).collect())
    }

    pub(super) const fn required(self) -> Self {
        Self { nullable: false, ..self }
    }

    pub(super) const fn caveat(self, caveat: &'static str) -> Self {
        Self { caveat, ..self }
    }

    pub(super) const fn platform(self, platform: &'static str) -> Self {
        Self { platform, ..self }
    }
}

pub(super) const fn text(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Text, formula)
}

pub(super) const fn id(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Id, formula)
}

pub(super) const fn json(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Json, formula)
}

/// A count: never null.
pub(super) const fn count(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Int, formula).required()
}

/// Milliseconds, null where there are none.
pub(super) const fn millis(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Millis, formula)
}

pub(super) const fn small(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Small, formula)
}

/// A rate or an estimate: null where its denominator is 0.
pub(super) const fn float(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Float, formula)
}

pub(super) const fn flag(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Bool, formula)
}

pub(super) const fn time(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Timestamp, formula)
}

pub(super) const fn date(name: &'static str, formula: &'static str) -> MetricColumn {
    MetricColumn::new(name, MetricKind::Date, formula)
}

/// The last column of every table.
pub(super) const RULES_VERSION_COLUMN: MetricColumn =
    small("rules_version", "The version of these rules.").required();
