//! `korpus check`: the ledger, the completeness and the drift of dumps, without writing anything.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use korpus_core::{Limits, Scratch};
use korpus_engine::{BlockSeq, EngineError, Job, Pool, Work, run as run_engine};
use serde_json::json;

use crate::args::{CheckArgs, Format};
use crate::completeness;
use crate::drift::{Drift, InputKey};
use crate::exit::{Exit, Failure};
use crate::fields::Fields;
use crate::reading::Reading;
use crate::show::{heading, print, print_json, visible_short};
use crate::summary::Summary;

/// Queries that are told in text.
const MOST_QUERIES: usize = 25;
/// Unknown keys that are told in text.
const MOST_KEYS: usize = 15;
/// Names of files longer than this are cut in tables.
const NAME: usize = 60;

/// Runs the command.
pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let started = Instant::now();
    let reading = Reading::new(&args.read, None)?;
    let progress = reading.progress();
    let mut found = Found::default();
    let pool = Pool::new(reading.options.memory.threads(reading.threads))?;
    let outcome = run_engine(&pool, &reading.inputs, &reading.options, &CheckJob, &mut found, &progress);
    progress.finish();
    let report = outcome?;
    let queries = completeness::queries(&report.ledger, &|page| found.bot_of(page));
    let summary = Summary {
        inputs: &reading.inputs,
        ledger: &report.ledger,
        expected: reading.expected.as_ref(),
        anchor_found: report.anchor_found,
        took: started.elapsed(),
    };
    let is_clean = summary.is_clean() && !completeness::any_known_gap(&queries);
    let exit = if is_clean { Exit::Clean } else { Exit::Findings };
    if args.read.common.quiet {
        return Ok(exit);
    }
    let name_of = |input: InputKey| input.name(&report.ledger);
    match args.read.common.format {
        Format::Text => {
            let mut out = String::new();
            summary.print_read(&mut out);
            summary.print_shapes(&mut out);
            summary.print_books(&mut out);
            summary.print_troubles(&mut out);
            if !queries.is_empty() {
                heading(&mut out, "Completeness, by query");
                completeness::print(&queries, MOST_QUERIES, &mut out);
            }
            if found.fields.has_unknown() {
                heading(&mut out, "Keys without a column (kept in extra)");
                found.fields.print_unknown(MOST_KEYS, &mut out);
            }
            found.drift.print(MOST_KEYS, &|input| visible_short(&name_of(input), NAME), &mut out);
            print(&out)?;
        }
        Format::Json => {
            let mut map = summary.to_json();
            map.insert("command".to_owned(), json!("check"));
            map.insert("pages".to_owned(), pages(&summary));
            map.insert("queries".to_owned(), completeness::to_json(&queries));
            map.insert("fields".to_owned(), found.fields.to_json());
            map.insert("drift".to_owned(), found.drift.to_json(&name_of));
            map.insert("exit_code".to_owned(), json!(exit.code()));
            print_json(&map.into())?;
        }
    }
    Ok(exit)
}

/// Every body with its books.
fn pages(summary: &Summary<'_>) -> serde_json::Value {
    let ledger = summary.ledger;
    let page = |page: korpus_engine::PageRow| {
        json!({
            "source_file": ledger.inputs().get(page.input).map(|report| report.input.display.as_str()),
            "page_index": page.page_index,
            "shape": page.shape.as_str(),
            "page_status": page.status.as_str(),
            "reason": page.reason.map(korpus_core::Reason::as_str),
            "total": page.envelope.total,
            "more_available": page.envelope.more_available,
            "page_order": page.order.map(korpus_engine::PageOrder::as_str),
            "messages": page.messages,
            "records": page.records,
        })
    };
    ledger.pages().iter().map(page).collect()
}

/// Counts keys and what is new, and finds out whose bot a body is of.
struct CheckJob;

/// What is found out besides the ledger.
#[derive(Debug, Default)]
struct Found {
    fields: Fields,
    drift: Drift,
    /// The bot of each body, by ordinal; few bots share many bodies.
    bots: Vec<Option<Arc<str>>>,
    names: HashMap<String, Arc<str>>,
}

impl Found {
    fn bot_of(&self, page: usize) -> Option<String> {
        self.bots.get(page)?.as_deref().map(str::to_owned)
    }
}

/// What is found out about one block.
#[derive(Debug, Default)]
struct Part {
    fields: Fields,
    drift: Drift,
    /// The bot of each of its bodies.
    bots: Vec<Option<String>>,
}

impl Job for CheckJob {
    type Local = Scratch;
    type Part = Part;
    type State = Found;
    type Error = EngineError;

    fn local(&self) -> Scratch {
        Scratch::new(&Limits::default())
    }

    fn part(&self) -> Part {
        Part::default()
    }

    fn map(&self, scratch: &mut Scratch, work: &Work<'_>, part: &mut Part) {
        part.fields.add(work);
        part.drift.add(work, scratch);
        for slice in work.pages() {
            let of_message = slice.messages.clone().find_map(|index| work.item(index)?.message.bot_id());
            let of_record = || {
                let records = slice.records.clone();
                records.map(|index| work.block().record(index)).find_map(|record| match record {
                    korpus_core::Record::Conversation(record) => record.bot_id(),
                    korpus_core::Record::Session(record) => record.bot_id(),
                })
            };
            part.bots.push(of_message.or_else(of_record).map(|bot| bot.lossy().into_owned()));
        }
    }

    fn commit(&self, found: &mut Found, at: &BlockSeq<'_>, part: Part) -> Result<(), EngineError> {
        found.fields.append(part.fields);
        found.drift.append(part.drift);
        for (slice, bot) in part.bots.into_iter().enumerate() {
            let page = at.first_page as usize + slice;
            if found.bots.len() <= page {
                found.bots.resize(page + 1, None);
            }
            if let (None, Some(bot)) = (&found.bots[page], bot) {
                let name = found.names.entry(bot).or_insert_with_key(|bot| Arc::from(bot.as_str()));
                found.bots[page] = Some(Arc::clone(name));
            }
        }
        Ok(())
    }
}
