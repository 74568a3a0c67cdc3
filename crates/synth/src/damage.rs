//! Damage to one message: changes to its bytes that leave the rest of the body as it was.

use crate::options::Damage;

/// True for the kinds that break one message in the middle of a body.
pub(crate) fn breaks_message(damage: Damage) -> bool {
    matches!(
        damage,
        Damage::MissingOpeningBrace
            | Damage::MissingClosingBrace
            | Damage::MissingQuote
            | Damage::SmartQuotes
            | Damage::InvalidUtf8
    )
}

/// True for the kinds that end the body inside a message.
pub(crate) fn cuts_body(damage: Damage) -> bool {
    matches!(damage, Damage::TruncatedBody | Damage::CorruptMember)
}

/// Breaks the message that starts at `start` and ends with `out`. Returns where the broken element starts now.
pub(crate) fn break_message(out: &mut Vec<u8>, start: usize, damage: Damage) -> usize {
    const KEY: &[u8] = b"\"type\"";
    let key = out[start..].windows(KEY.len()).position(|at| at == KEY).map_or(start, |at| start + at);
    let quote = |out: &[u8], from: usize| {
        out[from..].iter().position(|&byte| byte == b'"').map_or(out.len() - 1, |at| from + at)
    };
    let opens = quote(out, key + KEY.len());
    match damage {
        Damage::MissingOpeningBrace => {
            out.remove(start);
            return start + out[start..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        }
        Damage::MissingClosingBrace => {
            out.pop();
        }
        Damage::MissingQuote => {
            let closes = quote(out, opens + 1);
            out.remove(closes);
        }
        Damage::SmartQuotes => {
            out.splice(key..key + KEY.len(), "“type”".bytes());
        }
        _ => out.insert(opens + 1, 0xff),
    }
    start
}

/// What stands instead of a page after a failed call.
pub(crate) fn instead(damage: Damage) -> Option<&'static str> {
    match damage {
        Damage::ErrorResponse => Some(r#"{"errors":[{"msg":"Invalid or expired token","code":4002}]}"#),
        Damage::HtmlPage => Some(
            "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body></html>\n",
        ),
        Damage::EmptyFile => Some(""),
        _ => None,
    }
}
