//! What the URL of a request says about its responses.

use korpus_engine::parse_day_or_time;

/// In microseconds.
const DAY: i64 = 86_400_000_000;

/// The value of a parameter of the query, decoded.
fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    let value = query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })?;
    Some(decoded(value)).filter(|value| !value.is_empty())
}

/// Undoes what URLs do to characters.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(code)) => {
                bytes.push(code);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The call that a request asks for.
pub(crate) fn call_id(url: &str) -> Option<String> {
    parameter(url, "callId")
}

/// The bot that a request asks for, and from when to when, in microseconds since 1970.
pub(crate) fn window(url: &str) -> Option<(String, (i64, i64))> {
    let path = url.split(['?', '#']).next()?;
    let mut parts = path.split('/');
    let in_path = parts.by_ref().find(|part| part.eq_ignore_ascii_case("bot")).and_then(|_| parts.next());
    let bot = in_path.map(decoded).filter(|bot| !bot.is_empty()).or_else(|| parameter(url, "botId"))?;
    let time = |name| parse_day_or_time(&parameter(url, name)?).ok();
    let (from, _) = time("dateFrom")?;
    let (to, is_day) = time("dateTo")?;
    Some((bot, (from, if is_day { to.saturating_add(DAY) } else { to })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_tell_call_bot_and_window() {
        let url = "https://x.example/api/public/bot/st-1/getMessages?callId=a%2Fb+c&dateFrom=2025-09-01&dateTo=2025-09-02T10:00:00.000Z#x";
        assert_eq!(call_id(url).as_deref(), Some("a/b c"));
        let day = 1_756_684_800_000_000;
        assert_eq!(window(url), Some(("st-1".to_owned(), (day, day + 34 * 3_600_000_000))));
        assert_eq!(call_id("/getMessages?callid=7&x=%zz").as_deref(), Some("7"));
        assert_eq!(call_id("/getMessages"), None);
        assert_eq!(window("/bot/st-1/getMessages?dateFrom=2025-09-01"), None);
    }
}
