//! What a request says about its responses.

use korpus_core::{HttpHead, query_value};
use korpus_engine::{Ledger, parse_day_or_time};

/// In microseconds.
const DAY: i64 = 86_400_000_000;

/// The request of an input, by its index, where it is known.
pub(crate) fn of_input(ledger: &Ledger, input: usize) -> Option<String> {
    ledger.inputs().get(input)?.http.as_ref().and_then(HttpHead::request)
}

/// A parameter that says something.
fn parameter(request: &str, name: &str) -> Option<String> {
    query_value(request, name).filter(|value| !value.is_empty())
}

/// The bot that a request asks for, and from when to when, in microseconds since 1970.
pub(crate) fn window(request: &str) -> Option<(String, (i64, i64))> {
    let mut parts = request.split(['?', '#']).next()?.split('/');
    let in_path = parts.by_ref().find(|part| part.eq_ignore_ascii_case("bot")).and_then(|_| parts.next());
    let bot = in_path.filter(|bot| !bot.is_empty()).map(str::to_owned);
    let bot = bot.or_else(|| parameter(request, "botId"))?;
    let time = |name| parse_day_or_time(&parameter(request, name)?).ok();
    let (from, _) = time("dateFrom")?;
    let (to, is_day) = time("dateTo")?;
    Some((bot, (from, if is_day { to.saturating_add(DAY) } else { to })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_tell_bot_and_window() {
        let url = "https://x.example/api/public/bot/st-1/getMessages?callId=a%2Fb&dateFrom=2025-09-01&dateTo=2025-09-02T10:00:00.000Z#x";
        let day = 1_756_684_800_000_000;
        assert_eq!(window(url), Some(("st-1".to_owned(), (day, day + 34 * 3_600_000_000))));
        assert_eq!(window("/bot/st-1/getMessages?dateFrom=2025-09-01"), None);
    }
}
