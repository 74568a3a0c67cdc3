//! `korpus analyze`: dumps to tables of metrics and a report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use korpus_analytics::report::{Facts, QueryFact};
use korpus_analytics::{
    Analysis, AnalyzeOptions, AnalyzeReport, Counts, DatasetInputs, Highlights, Publishing, analyze_to,
    is_dataset, phrases_of,
};
use serde_json::json;

use crate::args::{AnalyzeArgs, FilterArgs, Format};
use crate::completeness::{self, Gap, Query};
use crate::exit::{Exit, Failure};
use crate::interrupt;
use crate::reading::Reading;
use crate::show::{
    Align, FAINT, Grid, count, heading, print, print_json, size, thousands, visible, visible_short,
};
use crate::summary::Summary;

/// Columns of a bar or of a line of sparks.
const WIDTH: usize = 40;
/// The files that are told.
const FILES: [(&str, &str); 4] = [
    ("report.html", "all of it as one page, for a browser"),
    ("sessions.parquet", "one row a session"),
    ("pm4py/event_log.csv", "an event log, for process mining"),
    ("convokit/utterances.jsonl", "and what else makes a corpus of ConvoKit"),
];
/// What stands behind the names in a list of numbers.
const TEXT: usize = 70;

/// Runs the command.
pub(crate) fn run(args: &AnalyzeArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    // Restoring a dataset takes long, and is to be stopped in good order too.
    let dataset = dataset(args, &interrupt::flag())?;
    let reading = match &dataset {
        Some(dataset) => Reading::of(&args.read, dataset.inputs.clone())?,
        None => Reading::new(&args.read, Some(&args.out))?,
    };
    let options = options(args, &reading)?;
    let options = match &dataset {
        Some(dataset) => dataset.options(options),
        None => options,
    };
    let publishing = Publishing {
        format: args.table_format,
        overwrite: args.overwrite,
        title: args.title.clone(),
        filters: filters(&args.read.filter),
        exports: args.export.clone(),
    };
    let progress = reading.progress();
    let complete = |analysis: &Analysis, facts: &mut Facts| {
        if let Some(dataset) = &dataset {
            facts_of(dataset, facts);
        } else {
            let queries = completeness::queries(&analysis.run.ledger, &|_| None);
            facts.queries = queries.iter().map(fact).collect();
        }
    };
    let outcome = analyze_to(&reading.inputs, &args.out, &options, &publishing, complete, &progress);
    progress.finish();
    let report = outcome?;
    let summary = Summary {
        inputs: &reading.inputs,
        ledger: &report.analysis.run.ledger,
        expected: reading.expected.as_ref(),
        anchor_found: report.analysis.run.anchor_found,
        took: started.elapsed(),
    };
    let exit = if summary.is_clean() { Exit::Clean } else { Exit::Findings };
    if !args.read.common.quiet {
        match args.read.common.format {
            Format::Text => print(&text(&summary, &report, &args.out))?,
            Format::Json => print_json(&to_json(&summary, &report, &args.out, exit))?,
        }
    }
    Ok(exit)
}

/// The dataset that is to be read, where it is one that `convert` wrote.
fn dataset(args: &AnalyzeArgs, cancel: &AtomicBool) -> Result<Option<DatasetInputs>, Failure> {
    let inputs = &args.read.inputs;
    let Some(found) = inputs.iter().map(Path::new).find(|path| is_dataset(path)) else { return Ok(None) };
    if inputs.len() > 1 {
        return Err(Failure::Usage(format!(
            "{} is a dataset, and is read alone: give either one dataset or dumps",
            found.display()
        )));
    }
    // Restored messages take as much room as the dumps did: beside the output there is some.
    let parent = args.out.parent().map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
    let beside = parent.filter(|dir| dir.is_dir()).map(Path::to_owned);
    let temp_dir = args.read.common.temp_dir.clone().or(beside);
    Ok(Some(DatasetInputs::open(found, temp_dir.as_deref(), cancel)?))
}

/// What was found out about the dumps when the dataset was made of them.
fn facts_of(dataset: &DatasetInputs, facts: &mut Facts) {
    let manifest = &dataset.manifest;
    facts.input_files = manifest.inputs.len() as u64;
    facts.input_bytes = manifest.inputs.iter().map(|input| input.size).sum();
    facts.messages = manifest.totals.messages;
    facts.records = manifest.totals.records;
    facts.rejects.clone_from(&dataset.rejects);
    facts.page_statuses.clone_from(&dataset.page_statuses);
}

fn options(args: &AnalyzeArgs, reading: &Reading) -> Result<AnalyzeOptions, Failure> {
    let mut options = AnalyzeOptions {
        run: reading.options.clone(),
        threads: reading.threads,
        timezone: args.timezone.clone(),
        inactivity_gap_ms: args.inactivity_gap,
        include_developers: args.include_developers,
        window: args.window,
        ..AnalyzeOptions::default()
    };
    for (file, list) in [
        (&args.closure_phrases, &mut options.closure_phrases),
        (&args.fallback_phrases, &mut options.fallback_phrases),
        (&args.wrap_up_phrases, &mut options.wrap_up_phrases),
        (&args.pseudo_inputs, &mut options.pseudo_inputs),
    ] {
        if let Some(file) = file {
            *list = read_phrases(file)?;
        }
    }
    Ok(options)
}

fn read_phrases(file: &PathBuf) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))?;
    Ok(phrases_of(&text))
}

/// The filters as they are given on the command line.
fn filters(args: &FilterArgs) -> Vec<String> {
    let mut out = Vec::new();
    let mut put = |name: &str, values: &[String]| {
        out.extend(values.iter().map(|value| format!("--{name} {value}")));
    };
    put("user-id", &args.user_id);
    put("session-id", &args.session_id);
    put("bot-id", &args.bot_id);
    put("channel-type", &args.channel_type);
    put("type", &args.message_type);
    put("msg-id", args.msg_id.as_slice());
    put("call-id", args.call_id.as_slice());
    put("is-developer", args.is_developer.map(|flag| flag.to_string()).as_slice());
    put("skip", Some(args.skip).filter(|&skip| skip > 0).map(|skip| skip.to_string()).as_slice());
    put("limit", args.limit.map(|limit| limit.to_string()).as_slice());
    let time = |micros: i64| {
        let mut text = String::new();
        korpus_core::write_timestamp(micros, &mut text);
        text
    };
    put("date-from", args.date_from.map(time).as_slice());
    put("date-to, before", args.date_to.map(time).as_slice());
    put("tag", &vec!["…".to_owned(); args.tags.len()]);
    out
}

fn fact(query: &Query) -> QueryFact {
    let problems: Vec<String> = query.gaps.iter().map(Gap::describe).collect();
    QueryFact {
        label: query.name.clone(),
        inferred: query.inferred,
        total: query.total,
        seen: query.seen,
        problem: (!problems.is_empty()).then(|| problems.join("; ")),
    }
}

fn text(summary: &Summary<'_>, report: &AnalyzeReport, out_dir: &Path) -> String {
    let mut out = String::new();
    summary.print_read(&mut out);
    summary.print_books(&mut out);
    summary.print_troubles(&mut out);
    print_sessions(&report.highlights, &mut out);
    print_trust(&report.analysis.counts, &mut out);
    let files = &report.manifest.files;
    heading(&mut out, &format!("Written to {}", visible(&out_dir.display().to_string())));
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let _ = writeln!(out, "  {} ({}), among them", count(files.len() as u64, "file", "files"), size(bytes));
    let mut grid = Grid::plain(&[Align::Left, Align::Left]);
    for (name, meaning) in FILES.into_iter().filter(|(name, _)| files.iter().any(|file| file.path == *name)) {
        grid.row([visible(&out_dir.join(name).display().to_string()), meaning.to_owned()]);
    }
    grid.print(&mut out);
    out
}

fn print_sessions(found: &Highlights, out: &mut String) {
    heading(out, "Conversations");
    let mut grid = Grid::plain(&[Align::Left, Align::Left]);
    let mut line = |name: &str, value: String| grid.row([name.to_owned(), value]);
    line(
        "sessions",
        format!(
            "{} ({} interactive), {}, {} ({} on more than one day)",
            thousands(found.sessions),
            thousands(found.interactive),
            count(found.messages, "message", "messages"),
            count(found.users, "user of a bot", "users of a bot"),
            thousands(found.returning_users)
        ),
    );
    if let (Some((first, _)), Some((last, _))) = (found.messages_by_day.first(), found.messages_by_day.last())
    {
        let days: Vec<u64> = found.messages_by_day.iter().map(|(_, messages)| *messages).collect();
        line(
            "by day",
            format!("{} {first} to {last}, peak {} at once", sparks(&days), thousands(found.peak)),
        );
    }
    for (outcome, sessions) in found.outcomes.iter().filter(|(_, sessions)| *sessions > 0) {
        line(outcome, share(*sessions, found.sessions));
    }
    if found.containment_base > 0 {
        let rate = |name: &str, part: u64| format!("{name} {}", percent(part, found.containment_base));
        line(
            "rates",
            format!(
                "{}, {}, {} of {} that ended",
                rate("contained", found.contained),
                rate("transferred", found.transferred),
                rate("dropped off", found.dropped),
                count(found.containment_base, "session", "sessions")
            ),
        );
    }
    if let Some([half, most, nearly_all]) = found.response_ms {
        line(
            "response",
            format!("p50 {} · p90 {} · p99 {}", seconds(half), seconds(most), seconds(nearly_all)),
        );
    }
    if let Some((text, sessions)) = &found.drop_off_point {
        line("left after", format!("“{}” ({})", visible_short(text, TEXT), thousands(*sessions)));
    }
    if let Some((text, loops)) = &found.reprompt {
        line("repeated", format!("“{}” ({})", visible_short(text, TEXT), count(*loops, "loop", "loops")));
    }
    grid.print(out);
}

fn print_trust(counts: &Counts, out: &mut String) {
    let parts: Vec<String> = [
        (counts.left_cut, "began before the data"),
        (counts.right_cut, "may go on after it"),
        (counts.developer_sessions, "of developers"),
        (counts.developer_unknown, "of nobody knows whom"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", thousands(count)))
    .collect();
    if !parts.is_empty() {
        let _ = writeln!(out, "  {FAINT}Sessions: {}{FAINT:#}", parts.join(", "));
    }
    if counts.unsessioned > 0 {
        let what = count(counts.unsessioned, "message belongs", "messages belong");
        let _ = writeln!(out, "  {FAINT}{what} to no session: they count in volumes only{FAINT:#}");
    }
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", 100.0 * part as f64 / whole.max(1) as f64)
}

fn share(part: u64, whole: u64) -> String {
    let cells = (part as f64 / whole.max(1) as f64 * WIDTH as f64).round() as usize;
    let bar = "█".repeat(cells.min(WIDTH));
    format!("{bar:<WIDTH$} {} ({})", percent(part, whole), thousands(part))
}

fn seconds(ms: f64) -> String {
    if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1000.0) }
}

/// Numbers as a line of sparks, added up where there are too many.
fn sparks(numbers: &[u64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let step = numbers.len().div_ceil(WIDTH).max(1);
    let sums: Vec<u64> = numbers.chunks(step).map(|chunk| chunk.iter().sum()).collect();
    let most = sums.iter().copied().max().unwrap_or_default().max(1);
    sums.iter().map(|&sum| if sum == 0 { ' ' } else { LEVELS[(sum * 7 / most) as usize] }).collect()
}

fn to_json(summary: &Summary<'_>, report: &AnalyzeReport, out_dir: &Path, exit: Exit) -> serde_json::Value {
    let counts = report.analysis.counts;
    let found = &report.highlights;
    let outcomes: serde_json::Map<String, serde_json::Value> =
        found.outcomes.iter().map(|(name, sessions)| ((*name).to_owned(), json!(sessions))).collect();
    let mut map = summary.to_json();
    map.insert("command".to_owned(), json!("analyze"));
    map.insert("out".to_owned(), json!(out_dir.to_string_lossy()));
    map.insert("files".to_owned(), json!(report.manifest.files));
    map.insert(
        "metrics".to_owned(),
        json!({
            "sessions": found.sessions,
            "interactive": found.interactive,
            "messages": found.messages,
            "users": found.users,
            "returning_users": found.returning_users,
            "outcomes": outcomes,
            "containment_base": found.containment_base,
            "contained": found.contained,
            "transferred": found.transferred,
            "dropped": found.dropped,
            "response_ms": found.response_ms.map(|[p50, p90, p99]| json!({"p50": p50, "p90": p90, "p99": p99})),
            "peak_sessions": found.peak,
            "left_cut": counts.left_cut,
            "right_cut": counts.right_cut,
            "developer_sessions": counts.developer_sessions,
            "developer_unknown": counts.developer_unknown,
            "unsessioned": counts.unsessioned,
            "untimed": counts.untimed,
        }),
    );
    map.insert("spilled_bytes".to_owned(), json!(report.analysis.spilled_bytes));
    map.insert("exit_code".to_owned(), json!(exit.code()));
    map.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_drawn() {
        assert_eq!(sparks(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(sparks(&[1; 81]).chars().count(), 27);
        assert_eq!(sparks(&[]), "");
        assert_eq!(share(1, 4).chars().filter(|&c| c == '█').count(), 10);
        assert_eq!((percent(0, 0), percent(1, 8)), ("0.0 %".to_owned(), "12.5 %".to_owned()));
        assert_eq!((seconds(12.4), seconds(1250.0)), ("12 ms".to_owned(), "1.2 s".to_owned()));
    }
}
