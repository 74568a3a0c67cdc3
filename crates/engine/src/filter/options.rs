//! What can be asked for, and how it is written on a command line.

use korpus_core::parse_timestamp;
use serde::{Deserialize, Serialize, Serializer};

use super::DAY;
use crate::error::{EngineError, Result};

/// Which messages are kept. The default keeps all.
///
/// Several values of one criterion are alternatives; several criteria must all hold. Filters apply after
/// de-duplication; `msg_id` after these; `skip` and `limit` last, over what is kept in the order of the dataset. Records
/// are left out by the criteria that apply to them; see [`matches_record`](Self::matches_record).
///
/// Serialised, it has what is set and nothing else, and alternatives are sorted: filters that say the same are written the
/// same.
///
/// ```
/// use korpus_engine::Filter;
/// let filter = Filter { bot_id: vec!["b".into(), "a".into()], limit: Some(5), ..Filter::default() };
/// assert_eq!(serde_json::to_string(&filter)?, r#"{"bot_id":["a","b"],"limit":5}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// `userId`: the end user (`createdBy`).
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "sorted")]
    pub user_id: Vec<String>,
    /// `sessionId`
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "sorted")]
    pub session_id: Vec<String>,
    /// The bot's id.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "sorted")]
    pub bot_id: Vec<String>,
    /// `channelType`: `chnl`, else `channel`, else the type of the first of `channels`.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "sorted")]
    pub channel_type: Vec<String>,
    /// `type`: incoming, outgoing, …
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "sorted")]
    pub message_type: Vec<String>,
    /// `dateFrom`, in microseconds since 1970: the first moment that is kept. See [`parse_day_or_time`].
    #[serde(rename = "date_from_us", skip_serializing_if = "Option::is_none")]
    pub date_from: Option<i64>,
    /// `dateTo`, in microseconds since 1970: the first moment that is not kept any more. See [`Filter::until`].
    #[serde(rename = "date_before_us", skip_serializing_if = "Option::is_none")]
    pub date_to: Option<i64>,
    /// `tags`: all of these must be there.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "sorted")]
    pub tags: Vec<TagFilter>,
    /// `isDeveloper`; a message that does not say is none of a developer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_developer: Option<bool>,
    /// `msgId`: only this message, and those of its session before or after it, by time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub msg_id: Option<String>,
    /// `direction`: which side of `msg_id`.
    #[serde(skip_serializing_if = "Direction::is_default")]
    pub direction: Direction,
    /// How many are left out at the start.
    #[serde(skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// How many are kept at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Alternatives, sorted and each once.
fn sorted<S: Serializer, T: Serialize + Ord>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    let mut values: Vec<&T> = values.iter().collect();
    values.sort();
    values.dedup();
    serializer.collect_seq(values)
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Filter {
    /// Reads a `dateTo`: a day is included whole, a moment is included too.
    ///
    /// # Errors
    /// [`EngineError::Usage`] where the text is neither a day nor a moment.
    pub fn until(text: &str) -> Result<i64> {
        let (at, is_day) = parse_day_or_time(text)?;
        // Dumps are precise to the millisecond: the moment itself stands for all of its millisecond.
        Ok(at.saturating_add(if is_day { DAY } else { 1000 }))
    }

    /// Checks what only the combination can tell.
    ///
    /// # Errors
    /// [`EngineError::Usage`] for combinations that the API does not allow either, and for empty spans of time.
    pub fn check(&self) -> Result<()> {
        if self.msg_id.is_some() && (self.date_from.is_some() || self.date_to.is_some()) {
            let what =
                "--msg-id cannot be used together with --date-from or --date-to: leave one of them out";
            return Err(EngineError::Usage(what.to_owned()));
        }
        if let (Some(from), Some(to)) = (self.date_from, self.date_to)
            && from >= to
        {
            return Err(EngineError::Usage("--date-from is later than --date-to: swap them".to_owned()));
        }
        Ok(())
    }
}

/// Reads `yyyy-mm-dd` (the start of that day, UTC) or a full timestamp: microseconds since 1970, and whether it is a
/// day.
///
/// # Errors
/// [`EngineError::Usage`] where it is neither.
///
/// ```
/// assert_eq!(korpus_engine::parse_day_or_time("1970-01-02")?, (86_400_000_000, true));
/// assert_eq!(korpus_engine::parse_day_or_time("1970-01-01T00:00:01.000Z")?, (1_000_000, false));
/// # Ok::<(), korpus_engine::EngineError>(())
/// ```
pub fn parse_day_or_time(text: &str) -> Result<(i64, bool)> {
    let is_day = text.len() == 10;
    let parsed = if is_day {
        parse_timestamp(&format!("{text}T00:00:00.000Z")).filter(|time| time.canonical)
    } else {
        parse_timestamp(text)
    };
    match parsed {
        Some(time) => Ok((time.micros, is_day)),
        None => Err(EngineError::Usage(format!(
            "'{text}' is no date: write yyyy-mm-dd or yyyy-mm-ddThh:mm:ss.mmmZ (UTC)"
        ))),
    }
}

/// Which messages around `msg_id` are kept, besides itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Those before it: `direction` below 0.
    Reverse,
    /// Those on both sides: `direction` 0.
    Both,
    /// Those after it: `direction` above 0, and where none is given.
    #[default]
    Forward,
}

impl Direction {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl From<i64> for Direction {
    fn from(number: i64) -> Self {
        match number.signum() {
            -1 => Self::Reverse,
            0 => Self::Both,
            _ => Self::Forward,
        }
    }
}

/// Whose tag is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagScope {
    /// `messageTags`
    Message,
    /// `userTags`
    User,
    /// `sessionTags`
    Session,
    /// `altText`
    AltText,
}

/// A tag that must be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TagFilter {
    /// Whose.
    pub scope: TagScope,
    /// Its name.
    pub name: String,
    /// Its value: the text of a string, or any JSON that is the same value: `1` is `1.0` too.
    pub value: String,
}

impl std::str::FromStr for TagFilter {
    type Err = EngineError;

    /// Reads `scope:name=value`.
    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once(':').and_then(|(scope, rest)| Some((scope, rest.split_once('=')?)));
        let found = parts.and_then(|(scope, (name, value))| {
            let scope = match scope {
                "message" | "messageTags" => TagScope::Message,
                "user" | "userTags" => TagScope::User,
                "session" | "sessionTags" => TagScope::Session,
                "alt_text" | "altText" => TagScope::AltText,
                _ => return None,
            };
            Some(Self { scope, name: name.to_owned(), value: value.to_owned() })
        });
        found.ok_or_else(|| {
            let form = "write scope:name=value, where scope is message, user, session or alt_text";
            EngineError::Usage(format!("'{text}' is no tag: {form}"))
        })
    }
}
