//! `korpus convert`: dumps to a dataset of Parquet tables, new or added to.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use korpus_engine::{EngineError, InputStatus, Ledger, Manifest, progress_of};
use korpus_tables::{
    AppendReport, ConvertOptions, ConvertReport, ResumeReport, TablesError, Volume, append, convert, resume,
};
use serde_json::json;

use super::volumes;
use crate::args::{ConvertArgs, Format};
use crate::exit::{Exit, Failure};
use crate::reading::Reading;
use crate::show::{Grid, STRONG, count, heading, print, print_json, size, thousands, visible};
use crate::summary::Summary;

/// What was written where.
struct Done<'a> {
    dir: &'a Path,
    /// How many inputs a dataset that was added to was made of before; `None` for a new one.
    known: Option<u64>,
    /// What became of an interrupted run that was to be resumed.
    resumed: Resumed,
    exit: Exit,
}

/// What an interrupted run was good for.
#[derive(Default)]
struct Resumed {
    /// How many inputs it had finished.
    inputs: u64,
    /// Why it was of no use.
    discarded: Option<String>,
}

/// What is told of a dataset that was written.
struct Written {
    ledger: Ledger,
    anchor_found: Option<bool>,
    manifest: Manifest,
    volumes: Vec<Volume>,
}

impl From<ConvertReport> for Written {
    fn from(report: ConvertReport) -> Self {
        let ConvertReport { run, manifest, volumes } = report;
        Self { ledger: run.ledger, anchor_found: run.anchor_found, manifest, volumes }
    }
}

/// Runs the command.
pub(crate) fn run(args: &ConvertArgs) -> Result<Exit, Failure> {
    crate::memory::share_one_heap();
    let started = Instant::now();
    let Some(dir) = args.append.as_ref().or(args.out.as_ref()) else {
        return Err(Failure::Usage("give --out, or --append".to_owned()));
    };
    let reading = Reading::new(&args.read, Some(dir))?;
    let options = ConvertOptions {
        run: reading.options.clone(),
        threads: reading.threads,
        compression: args.compression,
        tables: args.tables.clone(),
        partition_by: args.partition_by,
        checkpoint: Some(args.checkpoint as u64),
        overwrite: args.overwrite,
        strict: args.strict,
        ..ConvertOptions::default()
    };
    let progress = reading.progress();
    let mut resumed = Resumed::default();
    let outcome = if args.append.is_some() {
        append(&reading.inputs, dir, &options, &progress)
            .map(|AppendReport { known, added }| (Some(known.len() as u64), added.map(Written::from)))
    } else if args.resume {
        resume(&reading.inputs, dir, &options, &progress).map(|report| {
            let ResumeReport { taken_up, discarded, ledger, manifest, volumes } = report;
            resumed = Resumed { inputs: taken_up, discarded };
            (None, Some(Written { ledger, anchor_found: None, manifest, volumes }))
        })
    } else {
        convert(&reading.inputs, dir, &options, &progress).map(|report| (None, Some(report.into())))
    };
    progress.finish();
    let (known, report) = match outcome {
        Err(TablesError::Engine(EngineError::Cancelled)) if args.resume => {
            return Err(Failure::Interrupted(
                "interrupted: nothing was published; the same command goes on from the last checkpoint",
            ));
        }
        Err(error) if args.resume => {
            let failure = Failure::from(error);
            return Err(match progress_of(dir) {
                Some(progress) => Failure::Kept(Box::new(failure), progress),
                None => failure,
            });
        }
        outcome => outcome?,
    };
    let common = &args.read.common;
    let Some(report) = report else {
        let done = Done { dir, known, resumed, exit: Exit::Clean };
        if !common.quiet {
            match common.format {
                Format::Text => print(&nothing_new(&done))?,
                Format::Json => print_json(&done.to_json(serde_json::Map::new()))?,
            }
        }
        return Ok(done.exit);
    };
    let summary = Summary {
        inputs: &reading.inputs,
        ledger: &report.ledger,
        expected: reading.expected.as_ref(),
        anchor_found: report.anchor_found,
        took: started.elapsed(),
    };
    // What an interrupted run has found counts too.
    let is_clean = summary.is_clean() && (resumed.inputs == 0 || were_clean(&report.manifest));
    let exit = if is_clean { Exit::Clean } else { Exit::Findings };
    let done = Done { dir, known, resumed, exit };
    if !common.quiet {
        match common.format {
            Format::Text => print(&text(&summary, &report, &done))?,
            Format::Json => print_json(&to_json(&summary, &report, &done))?,
        }
    }
    Ok(exit)
}

/// Whether everything that a dataset was made of could be kept.
fn were_clean(manifest: &Manifest) -> bool {
    manifest.inputs.iter().all(|input| input.status == InputStatus::Ok.as_str() && !input.changed)
}

fn nothing_new(done: &Done<'_>) -> String {
    let known = count(done.known.unwrap_or_default(), "file", "files");
    let dir = visible(&done.dir.display().to_string());
    format!(
        "{STRONG}Nothing new{STRONG:#} in {known}: all of it is in {dir} already, which is left as it is\n"
    )
}

fn text(summary: &Summary<'_>, report: &Written, done: &Done<'_>) -> String {
    let mut out = String::new();
    summary.print_read(&mut out);
    if let Some(known) = done.known.filter(|&known| known > 0) {
        let _ = writeln!(out, "     {} left out: in the dataset already", count(known, "file", "files"));
    }
    if done.resumed.inputs > 0 {
        let inputs = count(done.resumed.inputs, "file", "files");
        let _ = writeln!(out, "     {inputs} not read again: finished by the run that was interrupted");
    }
    if let Some(why) = &done.resumed.discarded {
        let _ = writeln!(out, "     the run that was interrupted is of no use: {}", visible(why));
    }
    summary.print_books(&mut out);
    summary.print_troubles(&mut out);
    let dir = visible(&done.dir.display().to_string());
    if done.known.is_none() {
        volumes::print(&report.volumes, &mut out);
    }
    heading(
        &mut out,
        &if done.known.is_some() {
            format!("Added to {dir}, which holds")
        } else if done.resumed.inputs > 0 {
            format!("Written to {dir}, with what was finished before")
        } else {
            format!("Written to {dir}")
        },
    );
    let mut tables: Vec<(&str, u64, u64)> = Vec::new();
    for file in &report.manifest.files {
        match tables.last_mut() {
            Some((table, rows, bytes)) if *table == file.table => {
                *rows += file.rows;
                *bytes += file.bytes;
            }
            _ => tables.push((&file.table, file.rows, file.bytes)),
        }
    }
    let mut grid = Grid::new(&["table", "rows>", "size>"]);
    for (table, rows, bytes) in tables.iter().filter(|(_, rows, _)| *rows > 0) {
        grid.row([(*table).to_owned(), thousands(*rows), size(*bytes)]);
    }
    grid.print(&mut out);
    let empty: Vec<&str> =
        tables.iter().filter(|(_, rows, _)| *rows == 0).map(|(table, ..)| *table).collect();
    if !empty.is_empty() {
        let _ = writeln!(
            out,
            "  and {} without rows: {}",
            count(empty.len() as u64, "table", "tables"),
            empty.join(", ")
        );
    }
    if done.known.is_some() {
        volumes::print(&report.volumes, &mut out);
    }
    out
}

fn to_json(summary: &Summary<'_>, report: &Written, done: &Done<'_>) -> serde_json::Value {
    let mut map = summary.to_json();
    map.insert("clean".to_owned(), json!(done.exit == Exit::Clean));
    map.insert("files".to_owned(), json!(report.manifest.files));
    map.insert("volumes".to_owned(), volumes::to_json(&report.volumes));
    if done.known.is_some() || done.resumed.inputs > 0 {
        map.insert("totals".to_owned(), json!(report.manifest.totals));
    }
    done.to_json(map)
}

impl Done<'_> {
    fn to_json(&self, mut map: serde_json::Map<String, serde_json::Value>) -> serde_json::Value {
        map.insert("command".to_owned(), json!("convert"));
        map.insert("out".to_owned(), json!(self.dir.to_string_lossy()));
        if let Some(known) = self.known {
            map.insert("known_inputs".to_owned(), json!(known));
        }
        if self.resumed.inputs > 0 {
            map.insert("resumed_inputs".to_owned(), json!(self.resumed.inputs));
        }
        if let Some(why) = &self.resumed.discarded {
            map.insert("not_resumed".to_owned(), json!(why));
        }
        map.insert("exit_code".to_owned(), json!(self.exit.code()));
        map.into()
    }
}
