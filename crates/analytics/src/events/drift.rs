//! Where a message differs from what is documented.

use korpus_core::{Author, Kind, KindSet, Message, MessageField};

/// Things of one message that are told: hostile ones have no end of them.
const MOST: usize = 100;
/// Characters of a key or value.
const LONGEST: usize = 120;
/// Two times of a message may differ by this, in microseconds.
const TOLERANCE: u64 = 1_000_000;

/// Stands between the parts of a finding.
pub(crate) const SEPARATOR: char = '\u{1f}';

/// Calls `found` with field, kind and value of everything that is new in `message`.
///
/// The times in it, `event_at` and `stamp`, are known already.
pub(crate) fn for_each(
    message: Message<'_>,
    event_at: Option<i64>,
    stamp: Option<i64>,
    mut found: impl FnMut(&str, &str, &str),
) {
    let mut left = MOST;
    let mut found = |field: &str, kind: &str, value: &str| {
        if left > 0 {
            left -= 1;
            found(field, kind, value);
        }
    };
    for key in message.unknown_keys(is_documented) {
        found(cut(&key.lossy()), "unknown_key", "");
    }
    for (field, kind) in message.misfits(&FITS) {
        found(field.key(), "type_conflict", kind_name(kind));
    }
    for (field, value, is_known) in [
        ("type", message.message_type(), is_type as fn(&str) -> bool),
        ("status", message.status(), is_status),
        ("author.type", message.author().and_then(Author::author_type), is_author),
    ] {
        if let Some(text) = value
            && !text.plain().is_some_and(is_known)
        {
            found(field, "new_enum_value", cut(&text.lossy()));
        }
    }
    if let (Some(created), Some(stamp), Some(at)) = (message.created_on(), stamp, event_at) {
        // Only a time that is far off is worth the way back to whether it is that of `createdOn`.
        let far = at.abs_diff(stamp.saturating_mul(1000)) > TOLERANCE;
        if far && created.timestamp().is_some() {
            found("timestampValue", "time_disagreement", "");
        }
    }
}

/// Whether a key, as it stands in a body, is documented and not escaped, but has no field of its own.
fn is_documented(key: &str) -> bool {
    matches!(
        key,
        "sT" | "__v"
            | "resourceid"
            | "agentAssistDetails"
            | "msgType"
            | "cek"
            | "iv"
            | "ire"
            | "EOD"
            | "path"
            | "nodeType"
            | "tr0_I"
            | "tr0_O"
            | "tr0_T"
            | "tr_pId"
            | "tr_isSS"
            | "cluster_id"
            | "userMsgId"
    ) || key.starts_with("tr1_") && !key.contains('\\')
}

fn is_type(text: &str) -> bool {
    matches!(text, "incoming" | "outgoing" | "event" | "ctrlmsg" | "timelinemsg")
}

fn is_status(text: &str) -> bool {
    matches!(
        text,
        "received"
            | "queued"
            | "in progress"
            | "delivered"
            | "pending"
            | "sent to cs"
            | "opened"
            | "sent"
            | "read"
    )
}

fn is_author(text: &str) -> bool {
    matches!(text, "USER" | "AGENT" | "SYSTEM" | "EVENT" | "FORM" | "VOICEMAIL")
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end])
}

/// The types that each key is documented with.
static FITS: [KindSet; MessageField::ALL.len()] = {
    let mut fits = [KindSet::of(&[]); MessageField::ALL.len()];
    let mut field = 0;
    while field < fits.len() {
        fits[field] = documented(MessageField::ALL[field]);
        field += 1;
    }
    fits
};

const fn documented(field: MessageField) -> KindSet {
    match field {
        MessageField::TimestampValue | MessageField::MessageSource => {
            KindSet::of(&[Kind::Number, Kind::Null])
        }
        MessageField::IsBotBuilder | MessageField::IsDeveloper | MessageField::IsAgentSide => {
            KindSet::of(&[Kind::Number, Kind::True, Kind::False, Kind::Null])
        }
        MessageField::Channels | MessageField::Components => KindSet::of(&[Kind::Array, Kind::Null]),
        MessageField::Author | MessageField::Latency | MessageField::Tags => {
            KindSet::of(&[Kind::Object, Kind::Null])
        }
        _ => KindSet::of(&[Kind::PlainString, Kind::EscapedString, Kind::Null]),
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::False | Kind::True => "bool",
        Kind::Number => "number",
        Kind::Array => "array",
        Kind::Object => "object",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_traces_add_is_documented() {
        for key in ["tr0_I", "tr0_O", "tr0_T", "tr1_I", "tr1_O", "tr1_T", "tr_pId", "tr_isSS"] {
            assert!(is_documented(key), "{key}");
        }
        assert!(!is_documented("tr1") && !is_documented("tr2_I"));
    }
}
