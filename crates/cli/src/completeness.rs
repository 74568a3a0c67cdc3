//! Whether dumps are complete: what each query should have brought, against what is there.
//!
//! Queries are known where the request was saved with the response. Elsewhere bodies of the same folder, shape, bot and
//! total are taken for the pages of one query; that is inferred, and so never changes an exit code.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use korpus_core::{HttpHead, Shape, query_value};
use korpus_engine::{Ledger, PageRow, parse_day_or_time};
use serde_json::json;

use crate::show::{Grid, count, thousands, visible_short};

/// What is known of one query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    /// What it is called: its request without what differs between its pages, or what its bodies have in common.
    pub name: String,
    /// Whether it was found from what bodies have in common.
    pub inferred: bool,
    /// How many bodies.
    pub bodies: u64,
    /// How many match the query, as the bodies say; the largest where they differ.
    pub total: Option<u64>,
    /// How many messages (or records) its bodies hold.
    pub seen: u64,
    /// How many of them are copies.
    pub copies: u64,
    /// What is missing.
    pub gaps: Vec<Gap>,
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Fewer are there than the total says.
    Missing(u64),
    /// As many are there as the total says, but this many of them are copies.
    PerhapsMissing(u64),
    /// This many bodies say that more is available, and what follows is not there.
    NoSuccessor(u64),
    /// Nothing covers these positions of the result.
    Hole(u64, u64),
    /// No window of time covers what lies between these, in the form of the request.
    Window(String, String),
}

impl Gap {
    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Missing(missing) => format!("{} missing", thousands(*missing)),
            Self::PerhapsMissing(missing) => {
                format!("up to {} missing, as there are copies", thousands(*missing))
            }
            Self::NoSuccessor(bodies) => format!("{} without the next one", count(*bodies, "body", "bodies")),
            Self::Hole(from, to) => format!("hole from {} to {}", thousands(*from), thousands(*to)),
            Self::Window(from, to) => {
                format!("nothing between {} and {}", visible_short(from, 30), visible_short(to, 30))
            }
        }
    }
}

/// What of a body matters here.
struct Piece {
    total: Option<u64>,
    more: Option<bool>,
    /// Where in the result it begins.
    skip: Option<u64>,
    seen: u64,
    copies: u64,
    window: Option<(String, String)>,
}

/// Groups the bodies of a run by query. `bots` gives the bot of a body, by the body's ordinal.
pub(crate) fn queries(ledger: &Ledger, bots: &dyn Fn(usize) -> Option<String>) -> Vec<Query> {
    let mut groups: BTreeMap<(bool, String), Vec<Piece>> = BTreeMap::new();
    for (ordinal, page) in ledger.pages().iter().enumerate() {
        let envelope = &page.envelope;
        if matches!(page.shape, Shape::Error | Shape::Unknown)
            || (envelope.total.is_none() && envelope.more_available.is_none())
        {
            continue;
        }
        let Some(report) = ledger.inputs().get(page.input) else { continue };
        let request = report.http.as_ref().and_then(HttpHead::request);
        // A request speaks of one response.
        let request = request.filter(|_| report.pages.len() == 1);
        let key = match &request {
            Some(url) => (false, query_name(url)),
            None => (true, inferred_name(&report.input.display, &page, bots(ordinal).as_deref())),
        };
        groups.entry(key).or_default().push(piece(&page, request.as_deref()));
    }
    groups.into_iter().map(|((inferred, name), pieces)| judge(name, inferred, &pieces)).collect()
}

fn piece(page: &PageRow, url: Option<&str>) -> Piece {
    let books =
        if matches!(page.shape, Shape::AgentAi | Shape::Sessions) { &page.records } else { &page.messages };
    let asked = |names: &[&str]| {
        let url = url?;
        names.iter().find_map(|name| query_value(url, name))
    };
    let skip = page.envelope.skip.and_then(|skip| u64::try_from(skip).ok());
    let skip = skip.or_else(|| asked(&["skip", "offset"]).and_then(|value| value.parse().ok()));
    Piece {
        total: page.envelope.total.and_then(|total| u64::try_from(total).ok()),
        more: page.envelope.more_available,
        // A request that says nothing asks for the start.
        skip: skip.or(url.map(|_| 0)),
        seen: books.seen,
        copies: books.duplicate + books.superseded,
        window: asked(&["dateFrom"]).zip(asked(&["dateTo"])),
    }
}

fn judge(name: String, inferred: bool, pieces: &[Piece]) -> Query {
    let mut query = Query {
        name,
        inferred,
        bodies: pieces.len() as u64,
        total: None,
        seen: pieces.iter().map(|piece| piece.seen).sum(),
        copies: pieces.iter().map(|piece| piece.copies).sum(),
        gaps: Vec::new(),
    };
    // Each window of time has a total of its own.
    let mut windows: BTreeMap<Option<&(String, String)>, Vec<&Piece>> = BTreeMap::new();
    for piece in pieces {
        windows.entry(piece.window.as_ref()).or_default().push(piece);
    }
    for pieces in windows.values() {
        let total = pieces.iter().filter_map(|piece| piece.total).max();
        query.total = match (query.total, total) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        window_gaps(pieces, total, &mut query.gaps);
    }
    between_windows(windows.keys().filter_map(|window| *window), &mut query.gaps);
    query
}

/// What is missing within one window of a query.
fn window_gaps(pieces: &[&Piece], total: Option<u64>, gaps: &mut Vec<Gap>) {
    let seen: u64 = pieces.iter().map(|piece| piece.seen).sum();
    let copies: u64 = pieces.iter().map(|piece| piece.copies).sum();
    let largest = pieces.iter().map(|piece| piece.seen).max().unwrap_or(0);
    let positions: Option<Vec<(u64, u64)>> =
        pieces.iter().map(|piece| Some((piece.skip?, piece.skip? + piece.seen))).collect();
    let ends = pieces.iter().filter(|piece| piece.more == Some(true));
    if let Some(mut spans) = positions {
        spans.sort_unstable();
        let mut covered = 0;
        for (from, to) in spans.iter().copied() {
            if from > covered {
                gaps.push(Gap::Hole(covered, from));
            }
            covered = covered.max(to);
        }
        if let Some(total) = total
            && total > covered
        {
            gaps.push(Gap::Missing(total - covered));
        }
        let open = ends.filter(|piece| {
            let end = piece.skip.unwrap_or(0) + piece.seen;
            !spans.iter().any(|(from, to)| *from <= end && *to > end)
        });
        let open = open.count() as u64;
        if open > 0 && !gaps.iter().any(|gap| matches!(gap, Gap::Hole(..) | Gap::Missing(_))) {
            gaps.push(Gap::NoSuccessor(open));
        }
        return;
    }
    match total {
        Some(total) if total > seen => gaps.push(Gap::Missing(total - seen)),
        // Copies may be of messages in other queries; within one body there are none as a rule.
        Some(total) if total > (seen - copies).max(largest) => {
            gaps.push(Gap::PerhapsMissing(total - (seen - copies).max(largest)));
        }
        Some(_) => {}
        // Without totals and positions all that is known is whether there is a last page.
        None => {
            let open = ends.count() as u64;
            if open > 0 && open == pieces.len() as u64 {
                gaps.push(Gap::NoSuccessor(1));
            }
        }
    }
}

/// What no window of time covers, between the first and the last.
fn between_windows<'a>(windows: impl Iterator<Item = &'a (String, String)>, gaps: &mut Vec<Gap>) {
    const DAY: i64 = 86_400_000_000;
    let mut spans: Vec<(i64, i64, &str, &str)> = windows
        .filter_map(|(from, to)| {
            let (start, _) = parse_day_or_time(from).ok()?;
            let (end, is_day) = parse_day_or_time(to).ok()?;
            Some((start, end + if is_day { DAY } else { 1000 }, from.as_str(), to.as_str()))
        })
        .collect();
    spans.sort_unstable();
    let mut reached: Option<(i64, &str)> = None;
    for (start, end, from, to) in spans {
        if let Some((last, name)) = reached
            && start > last
        {
            gaps.push(Gap::Window(name.to_owned(), from.to_owned()));
        }
        if reached.is_none_or(|(last, _)| end > last) {
            reached = Some((end, to));
        }
    }
}

fn inferred_name(display: &str, page: &PageRow, bot: Option<&str>) -> String {
    let folder = display.rsplit_once(['/', '!']).map_or(".", |(folder, _)| folder);
    let total = page.envelope.total.map_or_else(|| "unknown".to_owned(), |total| total.to_string());
    format!("{folder} · {} · {} · total {total}", page.shape.as_str(), bot.unwrap_or("no bot"))
}

/// A request without what differs between the pages of one query.
fn query_name(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let varies = ["skip", "limit", "offset", "datefrom", "dateto"];
    let mut kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let name = pair.split_once('=').map_or(*pair, |(name, _)| name).to_ascii_lowercase();
            !varies.contains(&name.as_str())
        })
        .collect();
    kept.sort_unstable();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

/// Whether a query that is known for sure is not complete.
pub(crate) fn any_known_gap(queries: &[Query]) -> bool {
    queries.iter().any(|query| !query.inferred && !query.gaps.is_empty())
}

/// The queries as a table.
pub(crate) fn print(queries: &[Query], most: usize, out: &mut String) {
    let mut grid = Grid::new(&["query", "known from", "bodies>", "total>", "seen>", "copies>", "verdict"]);
    let mut order: Vec<&Query> = queries.iter().collect();
    order.sort_by_key(|query| query.gaps.is_empty());
    for query in order.iter().take(most) {
        let gaps: Vec<String> = query.gaps.iter().take(4).map(Gap::describe).collect();
        let more = query.gaps.len().saturating_sub(4);
        grid.row([
            visible_short(&query.name, 70),
            if query.inferred { "inferred" } else { "request" }.to_owned(),
            thousands(query.bodies),
            query.total.map_or_else(|| "-".to_owned(), thousands),
            thousands(query.seen),
            thousands(query.copies),
            match (gaps.is_empty(), more) {
                (true, _) => "complete".to_owned(),
                (_, 0) => gaps.join("; "),
                _ => format!("{}; and {more} more", gaps.join("; ")),
            },
        ]);
    }
    grid.print(out);
    if order.len() > most {
        let left = count((order.len() - most) as u64, "more query", "more queries");
        let _ = writeln!(out, "  and {left} (all with --format json)");
    }
}

/// The queries as JSON.
pub(crate) fn to_json(queries: &[Query]) -> serde_json::Value {
    let gap = |gap: &Gap| match gap {
        Gap::Missing(missing) => json!({"kind": "missing", "at_least": missing}),
        Gap::PerhapsMissing(missing) => json!({"kind": "missing", "at_most": missing}),
        Gap::NoSuccessor(bodies) => json!({"kind": "no_successor", "bodies": bodies}),
        Gap::Hole(from, to) => json!({"kind": "hole", "from": from, "to": to}),
        Gap::Window(from, to) => json!({"kind": "window", "from": from, "to": to}),
    };
    let query = |query: &Query| {
        json!({
            "query": query.name,
            "inferred": query.inferred,
            "bodies": query.bodies,
            "total": query.total,
            "seen": query.seen,
            "copies": query.copies,
            "complete": query.gaps.is_empty(),
            "gaps": query.gaps.iter().map(gap).collect::<Vec<_>>(),
        })
    };
    queries.iter().map(query).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(skip: Option<u64>, seen: u64, total: u64, more: bool) -> Piece {
        Piece { total: Some(total), more: Some(more), skip, seen, copies: 0, window: None }
    }

    fn gaps(pieces: &[Piece]) -> Vec<Gap> {
        judge(String::new(), true, pieces).gaps
    }

    #[test]
    fn holes_and_missing_ends_are_found_by_position() {
        let whole = [page(Some(0), 100, 150, true), page(Some(100), 50, 150, false)];
        assert_eq!(gaps(&whole), []);
        assert_eq!(gaps(&[page(Some(0), 100, 150, true)]), [Gap::Missing(50)]);
        assert_eq!(gaps(&[page(Some(100), 50, 150, false)]), [Gap::Hole(0, 100)]);
        // The total may be too small; `moreAvailable` says so.
        assert_eq!(gaps(&[page(Some(0), 100, 100, true)]), [Gap::NoSuccessor(1)]);
    }

    #[test]
    fn without_positions_the_totals_are_compared() {
        assert_eq!(gaps(&[page(None, 10, 29, false)]), [Gap::Missing(19)]);
        let copies = Piece { copies: 4, ..page(None, 10, 29, true) };
        assert_eq!(gaps(&[copies, page(None, 20, 29, false)]), [Gap::PerhapsMissing(3)]);
        let again = || Piece { copies: 29, ..page(None, 29, 29, false) };
        assert_eq!(gaps(&[again(), again()]), []);
        assert_eq!(gaps(&[page(None, 9, 29, true), page(None, 20, 29, false)]), []);
    }

    #[test]
    fn windows_of_time_must_touch() {
        let window = |from: &str, to: &str| Piece {
            window: Some((from.to_owned(), to.to_owned())),
            ..page(Some(0), 5, 5, false)
        };
        let touching = [window("2025-01-08", "2025-01-14"), window("2025-01-01", "2025-01-07")];
        assert_eq!(gaps(&touching), []);
        let apart = [window("2025-01-01", "2025-01-07"), window("2025-01-09", "2025-01-14")];
        assert_eq!(gaps(&apart), [Gap::Window("2025-01-07".to_owned(), "2025-01-09".to_owned())]);
        assert_eq!(judge(String::new(), false, &apart).total, Some(10));
    }

    #[test]
    fn requests_are_taken_apart() {
        let url = "https://h/api/public/bot/st-1/getMessages?callId=a%2Fb+c&skip=100&limit=10&userId=u";
        assert_eq!(query_value(url, "callid").as_deref(), Some("a/b c"));
        assert_eq!(query_value(url, "nothing"), None);
        assert_eq!(query_name(url), "https://h/api/public/bot/st-1/getMessages?callId=a%2Fb+c&userId=u");
        assert_eq!(query_value("h?x=%zz%4", "x").as_deref(), Some("%zz%4"));
    }
}
