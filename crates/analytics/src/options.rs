//! What shapes an analysis, and the lists of phrases that metrics go by.

use jiff::tz::TimeZone;
use korpus_engine::{EngineError, RunOptions};

/// The texts of in messages that no person typed.
pub const PSEUDO_INPUTS: &[&str] = &["MAX_NO_INPUT", "Call Termination Handler", "StartFlow", "Welcome Task"];
/// How out messages begin that close a conversation after a timeout.
pub const CLOSURE_PHRASES: &[&str] = &["I am closing our current conversation"];
/// What out messages contain where the bot did not understand.
pub const FALLBACK_PHRASES: &[&str] = &[
    "did not understand",
    "didn't understand",
    "didn't get that",
    "did not get that",
    "not able to understand",
];
/// What out messages contain where the bot offers to end.
pub const WRAP_UP_PHRASES: &[&str] = &["anything else", "any other assistance", "something else i can help"];

/// What shapes an analysis. The default follows `docs/METRICS.md` in UTC.
#[derive(Debug, Clone)]
pub struct AnalyzeOptions {
    /// How inputs are read: limits, filter, de-duplication, memory, temporary files, cancellation.
    pub run: RunOptions,
    /// How many threads; as many as the machine has processors where 0.
    pub threads: usize,
    /// In which days and hours are counted.
    pub timezone: TimeZone,
    /// How much silence means that a session is over, in milliseconds.
    pub inactivity_gap_ms: i64,
    /// See [`CLOSURE_PHRASES`]; normalised before use, as all of these.
    pub closure_phrases: Vec<String>,
    /// See [`FALLBACK_PHRASES`].
    pub fallback_phrases: Vec<String>,
    /// See [`WRAP_UP_PHRASES`].
    pub wrap_up_phrases: Vec<String>,
    /// See [`PSEUDO_INPUTS`].
    pub pseudo_inputs: Vec<String>,
    /// Whether sessions of developers count.
    pub include_developers: bool,
    /// What the dump covers, in microseconds since 1970, both edges included; found out where absent.
    pub window: Option<(i64, i64)>,
    /// Whether the inputs are those of a dataset: see [`DatasetInputs::options`](crate::DatasetInputs::options).
    pub restored: bool,
    /// Whether the inputs hold no copies any more: a dataset has been de-duplicated, and what is restored from it must not be again.
    pub deduplicated: bool,
    /// How much memory the steps go by, instead of what the run does: for tests.
    #[doc(hidden)]
    pub working_bytes: Option<usize>,
}

impl AnalyzeOptions {
    /// Whether copies are to be recognised.
    pub(crate) fn dedup(&self) -> bool {
        self.run.dedup && !self.deduplicated
    }

    /// A part of the memory that there is.
    pub(crate) fn share(&self, part: usize) -> usize {
        self.working_bytes.unwrap_or(self.run.memory.limit()) / part
    }
}

impl Default for AnalyzeOptions {
    fn default() -> Self {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Self {
            run: RunOptions::default(),
            threads: 0,
            timezone: TimeZone::UTC,
            inactivity_gap_ms: 15 * 60 * 1000,
            closure_phrases: owned(CLOSURE_PHRASES),
            fallback_phrases: owned(FALLBACK_PHRASES),
            wrap_up_phrases: owned(WRAP_UP_PHRASES),
            pseudo_inputs: owned(PSEUDO_INPUTS),
            include_developers: false,
            window: None,
            restored: false,
            deduplicated: false,
            working_bytes: None,
        }
    }
}

/// The phrases in the text of a file: one a line; empty lines and lines that begin with `#` are passed over.
///
/// ```
/// assert_eq!(korpus_analytics::phrases_of("# ours\r\n\n Auf Wiedersehen \n"), ["Auf Wiedersehen"]);
/// ```
pub fn phrases_of(text: &str) -> Vec<String> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// The time zone of an IANA name, such as `Europe/Berlin`.
///
/// # Errors
/// [`EngineError::Usage`] where there is none of that name.
///
/// ```
/// assert!(korpus_analytics::time_zone("Europe/Berlin").is_ok());
/// assert!(korpus_analytics::time_zone("Europe/Atlantis").is_err());
/// ```
pub fn time_zone(name: &str) -> Result<TimeZone, EngineError> {
    TimeZone::get(name).map_err(|_| {
        EngineError::Usage(format!(
            "there is no time zone '{name}': write an IANA name such as Europe/Berlin"
        ))
    })
}
