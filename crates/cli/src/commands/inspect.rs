//! `korpus inspect`: what a file is, and its first conversations, readable.

mod template;
mod transcript;

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use korpus_core::{DecodeLimits, Decoder, HttpHead, Limits, Scratch};
use korpus_engine::{
    BlockSeq, EngineError, ExpandOptions, InputReport, Job, PageRow, Pages, Pool, RunOptions, Work, expand,
    run as run_engine,
};
use serde_json::json;

use crate::args::{Format, InspectArgs};
use crate::exit::{Exit, Failure};
use crate::fields::Fields;
use crate::progress::Progress;
use crate::reading::run_options;
use crate::show::{Align, Grid, count, heading, print, print_json, size, thousands, visible, visible_short};
use crate::summary::Summary;
use transcript::Transcript;

/// Bodies that are told in text.
const MOST_BODIES: usize = 12;
/// Unknown keys that are told in text.
const MOST_KEYS: usize = 20;

/// Runs the command.
pub(crate) fn run(args: &InspectArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    if args.filter.call_id.is_some() {
        return Err(Failure::Usage("--call-id chooses among files: use it with convert or check".to_owned()));
    }
    if Path::new(&args.file).is_dir() {
        return Err(Failure::Usage(format!(
            "{} is a directory: name one file, or use korpus check",
            Path::new(&args.file).display()
        )));
    }
    let inputs = expand(&[&args.file], &ExpandOptions::default())?;
    if inputs.inputs.len() > 1 {
        return Err(Failure::Usage("name one file, or use korpus check for many".to_owned()));
    }
    let options = run_options(&args.filter, &args.common, true)?;
    // What is left out at the start is so by what is shown, here: copies do not matter.
    let options =
        RunOptions { filter: korpus_engine::Filter { skip: 0, limit: None, ..options.filter }, ..options };
    let most = args.filter.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let transcript = Transcript::new(args.conversations, args.messages, args.filter.skip, most);
    let job = InspectJob { gathered: Mutex::new(Gathered { fields: Fields::default(), transcript }) };
    let wanted = !args.common.quiet && !args.common.no_progress;
    let progress = Progress::new(wanted, inputs.total_size());
    // One thread sees the messages in their order.
    let outcome = run_engine(&Pool::new(1)?, &inputs, &options, &job, &mut (), &progress);
    progress.finish();
    let report = outcome?;
    let gathered = job.gathered.into_inner().unwrap_or_else(PoisonError::into_inner);
    let summary = Summary {
        inputs: &inputs,
        ledger: &report.ledger,
        expected: None,
        anchor_found: report.anchor_found,
        took: started.elapsed(),
    };
    let exit = if summary.is_clean() { Exit::Clean } else { Exit::Findings };
    let Some(input) = report.ledger.find(0, None) else { return Ok(exit) };
    if args.common.quiet {
        return Ok(exit);
    }
    let codecs = codecs(&args.file, input);
    match args.common.format {
        Format::Text => {
            let mut out = String::new();
            print_file(input, &codecs, &mut out);
            print_bodies(report.ledger.pages(), &mut out);
            summary.print_troubles(&mut out);
            heading(&mut out, "Keys");
            gathered.fields.print_known(&mut out);
            if gathered.fields.has_unknown() {
                heading(&mut out, "Keys without a column (kept in extra)");
                gathered.fields.print_unknown(MOST_KEYS, &mut out);
            }
            gathered.transcript.print(&mut out);
            print(&out)?;
        }
        Format::Json => {
            let mut map = summary.to_json();
            map.insert("command".to_owned(), json!("inspect"));
            map.insert("codecs".to_owned(), json!(codecs));
            map.insert("http".to_owned(), input.http.as_ref().map(http_json).into());
            map.insert("trailing_bytes".to_owned(), json!(input.trailing));
            map.insert(
                "pages".to_owned(),
                report.ledger.pages().iter().map(|page| page_json(&page)).collect(),
            );
            map.insert("fields".to_owned(), gathered.fields.to_json());
            map.insert("conversations".to_owned(), gathered.transcript.to_json());
            map.insert("exit_code".to_owned(), json!(exit.code()));
            print_json(&map.into())?;
        }
    }
    Ok(exit)
}

/// All codecs from the outside in; only the outermost where the file cannot be looked at again.
fn codecs(file: &OsStr, input: &InputReport) -> Vec<&'static str> {
    let again = File::open(file).ok().filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()));
    let decoder =
        again.and_then(|file| Decoder::new(file, Some(&input.input.display), DecodeLimits::default()).ok());
    match decoder {
        Some(decoder) if !decoder.codecs().is_empty() => {
            decoder.codecs().iter().map(|codec| codec.as_str()).collect()
        }
        _ => vec![input.codec.as_str()],
    }
}

fn print_file(input: &InputReport, codecs: &[&str], out: &mut String) {
    heading(out, &visible(&input.input.display));
    let mut grid = Grid::plain(&[Align::Left, Align::Left]);
    let mut put = |name: &str, value: String| grid.row([name.to_owned(), value]);
    put("size", format!("{} ({} bytes)", size(input.bytes), thousands(input.bytes)));
    put("codec", codecs.join(", inside it "));
    if input.decoded_bytes != input.bytes && input.members.is_none() {
        put("decoded", format!("{} ({} bytes)", size(input.decoded_bytes), thousands(input.decoded_bytes)));
    }
    if let Some(members) = &input.members {
        put("holds", count(members.read, "member", "members"));
    }
    if input.trailing > 0 {
        put("after its end", format!("{} bytes of padding or garbage, ignored", thousands(input.trailing)));
    }
    if let Some(HttpHead { status, content_type, content_encoding, url, .. }) = &input.http {
        put("http", format!("saved with its headers, status {status}"));
        for (name, value) in
            [("  request", url), ("  content type", content_type), ("  encoding", content_encoding)]
        {
            if let Some(value) = value {
                put(name, visible_short(value, 200));
            }
        }
    }
    grid.print(out);
}

fn print_bodies(pages: &Pages, out: &mut String) {
    heading(out, "Bodies");
    let headings = [
        "page",
        "shape",
        "status",
        "total>",
        "more",
        "messages>",
        "records>",
        "rejected>",
        "order",
        "first",
        "last",
    ];
    let mut grid = Grid::new(&headings);
    for page in pages.iter().take(MOST_BODIES) {
        let more = match page.envelope.more_available {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        grid.row([
            page.page_index.to_string(),
            page.shape.as_str().to_owned(),
            page.status.as_str().to_owned(),
            page.envelope.total.map_or_else(|| "-".to_owned(), |total| total.to_string()),
            more.to_owned(),
            thousands(page.messages.seen - page.messages.rejected),
            thousands(page.records.seen - page.records.rejected),
            thousands(page.messages.rejected + page.records.rejected),
            page.order.map_or("-", korpus_engine::PageOrder::as_str).to_owned(),
            page.first_event_at.map_or_else(|| "-".to_owned(), transcript::minute),
            page.last_event_at.map_or_else(|| "-".to_owned(), transcript::minute),
        ]);
    }
    grid.print(out);
    if pages.len() > MOST_BODIES {
        let _ = writeln!(out, "  and {} more", thousands((pages.len() - MOST_BODIES) as u64));
    }
}

fn http_json(head: &HttpHead) -> serde_json::Value {
    json!({
        "status": head.status,
        "url": head.url,
        "content_type": head.content_type,
        "content_encoding": head.content_encoding,
    })
}

fn page_json(page: &PageRow) -> serde_json::Value {
    json!({
        "page_index": page.page_index,
        "shape": page.shape.as_str(),
        "page_status": page.status.as_str(),
        "reason": page.reason.map(korpus_core::Reason::as_str),
        "body_bytes": page.body_bytes,
        "total": page.envelope.total,
        "more_available": page.envelope.more_available,
        "skip": page.envelope.skip,
        "limit": page.envelope.limit,
        "total_pages": page.envelope.total_pages,
        "page_order": page.order.map(korpus_engine::PageOrder::as_str),
        "first_event_at": page.first_event_at.map(transcript::moment),
        "last_event_at": page.last_event_at.map(transcript::moment),
        "messages": page.messages,
        "records": page.records,
    })
}

/// Gathers what is to be shown.
struct InspectJob {
    gathered: Mutex<Gathered>,
}

struct Gathered {
    fields: Fields,
    transcript: Transcript,
}

impl Job for InspectJob {
    type Local = Scratch;
    type Part = ();
    type State = ();
    type Error = EngineError;

    fn local(&self) -> Scratch {
        Scratch::new(&Limits::default())
    }

    fn part(&self) {}

    fn map(&self, scratch: &mut Scratch, work: &Work<'_>, (): &mut ()) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.fields.add(work);
        for item in work.messages().filter(|item| item.matches) {
            gathered.transcript.push(&item, scratch);
            scratch.reset();
        }
    }

    fn commit(&self, (): &mut (), _at: &BlockSeq<'_>, (): ()) -> Result<(), EngineError> {
        Ok(())
    }
}
