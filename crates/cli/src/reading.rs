//! From arguments to what the engine takes: inputs, options, filter.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use korpus_engine::{ExpandOptions, Filter, InputList, MemoryBudget, RunOptions, expand};

use crate::args::{CommonArgs, FilterArgs, ReadArgs};
use crate::exit::Failure;
use crate::parse::ExpectedShape;
use crate::progress::Progress;
use crate::{interrupt, memory};

/// All that is known before a run.
pub(crate) struct Reading {
    /// What is read.
    pub inputs: InputList,
    /// How it is read.
    pub options: RunOptions,
    /// On how many threads; 0 for all.
    pub threads: usize,
    /// What the inputs are said to be.
    pub expected: Option<ExpectedShape>,
    progress: bool,
}

impl Reading {
    /// Checks the arguments and lists the inputs; `out` is not among them.
    pub(crate) fn new(args: &ReadArgs, out: Option<&Path>) -> Result<Self, Failure> {
        if let Some(out) = out {
            refuse_inside(&args.inputs, out)?;
        }
        let expand_options = ExpandOptions { exclude: out.map(Path::to_owned) };
        Self::of(args, expand(&args.inputs, &expand_options)?)
    }

    /// Checks the arguments, where it is known what is read.
    pub(crate) fn of(args: &ReadArgs, inputs: InputList) -> Result<Self, Failure> {
        Ok(Self {
            inputs,
            options: run_options(&args.filter, &args.common, !args.no_dedup)?,
            threads: args.threads,
            expected: args.shape.clone(),
            progress: !args.common.quiet && !args.common.no_progress,
        })
    }

    /// A bar for this run, where one is wanted.
    pub(crate) fn progress(&self) -> Progress {
        Progress::new(self.progress, self.inputs.total_size())
    }
}

/// An output may lie inside an input, where it is passed over; the other way round nothing would be left to read.
fn refuse_inside(inputs: &[OsString], out: &Path) -> Result<(), Failure> {
    let Ok(out) = std::fs::canonicalize(out) else { return Ok(()) };
    for input in inputs {
        if std::fs::canonicalize(input).is_ok_and(|input| input.starts_with(&out)) {
            return Err(Failure::Usage(format!(
                "{} lies inside the output {}: choose another --out",
                Path::new(input).display(),
                out.display()
            )));
        }
    }
    Ok(())
}

/// The options of a run that the arguments ask for; Ctrl-C cancels it.
pub(crate) fn run_options(
    filter: &FilterArgs,
    common: &CommonArgs,
    dedup: bool,
) -> Result<RunOptions, Failure> {
    let options = RunOptions {
        filter: engine_filter(filter),
        dedup,
        memory: memory_budget(common),
        temp_dir: temp_dir(common.temp_dir.as_ref())?,
        call_id: filter.call_id.clone(),
        mmap: common.mmap,
        cancel: Arc::<AtomicBool>::default(),
        ..RunOptions::default()
    };
    options.filter.check()?;
    memory::only_small_pages();
    Ok(RunOptions { cancel: interrupt::flag(), ..options })
}

/// How much memory may be used; told where that is more than what was asked for.
fn memory_budget(common: &CommonArgs) -> MemoryBudget {
    let Some(limit) = common.memory_limit else { return MemoryBudget::default() };
    if limit < MemoryBudget::LEAST && !common.quiet {
        let least = MemoryBudget::LEAST >> 20;
        anstream::eprintln!(
            "korpus: --memory-limit is less than {least} MiB, the least there is: that is used instead"
        );
    }
    MemoryBudget::new(limit)
}

fn temp_dir(dir: Option<&PathBuf>) -> Result<Option<PathBuf>, Failure> {
    match dir {
        Some(dir) if !dir.is_dir() => {
            Err(Failure::Usage(format!("--temp-dir {} is no directory: create it first", dir.display())))
        }
        other => Ok(other.cloned()),
    }
}

fn engine_filter(args: &FilterArgs) -> Filter {
    Filter {
        user_id: args.user_id.clone(),
        session_id: args.session_id.clone(),
        bot_id: args.bot_id.clone(),
        channel_type: args.channel_type.clone(),
        message_type: args.message_type.clone(),
        date_from: args.date_from,
        date_to: args.date_to,
        tags: args.tags.clone(),
        is_developer: args.is_developer,
        msg_id: args.msg_id.clone(),
        direction: args.direction,
        skip: args.skip,
        limit: args.limit,
    }
}
