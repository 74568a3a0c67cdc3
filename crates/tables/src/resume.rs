//! A conversion in steps: what a step has finished is kept, and taken up by the next run where this one is interrupted.
//!
//! Each step adds to what the steps before it have made, as [`append`](crate::append) does, in a directory of its own that is
//! kept in the place of theirs when it is whole. The last one is published instead. So at any moment there is no dataset, or a finished
//! one, and beside it at most one step is lost.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use korpus_engine::{
    EngineError, Finished, InputInfo, InputKind, InputList, Ledger, Manifest, Observer, Publication,
    PublishOptions, check_cancelled, finished, hash_file,
};

use crate::convert::{ConvertOptions, Volume};
use crate::earlier::{Earlier, can_grow};
use crate::error::{Result, TablesError};
use crate::making::Making;

/// What came of a conversion in steps.
#[derive(Debug)]
pub struct ResumeReport {
    /// How many inputs an interrupted run had finished: they were not read again.
    pub taken_up: u64,
    /// Why an interrupted run was of no use, where it was not.
    pub discarded: Option<String>,
    /// Every body and input that this run read, and what became of every message in them.
    pub ledger: Ledger,
    /// What the dataset says about itself: all of it.
    pub manifest: Manifest,
    /// How many messages were kept in all, as in [`ConvertReport`](crate::ConvertReport).
    pub volumes: Vec<Volume>,
}

/// Least bytes of input of a step.
const STEP: u64 = 256 << 20;
/// What share of all that is done a step is at least: each reads the keys of all before it.
const SHARE: u64 = 4;

/// Converts `inputs` to a dataset at `out`, all of it or nothing, as [`convert`](crate::convert) does; what is finished on the
/// way is kept beside `out`, and a later call goes on from there. The rows come to those of one undisturbed run.
///
/// Inputs are told by their names and content. Where one that was read is another one by now, or is gone, everything is read
/// anew: what was made of it cannot be taken out. So it is where the options are others, and where what was kept is damaged.
///
/// ```
/// use korpus_engine::InputList;
/// use korpus_tables::{ConvertOptions, resume};
///
/// let dir = tempfile::tempdir()?;
/// let page = |id: &str| format!(r#"{{"total":1,"messages":[{{"_id":"{id}","type":"incoming","components":[]}}]}}"#);
/// let inputs = InputList::from_bytes([("1.json", page("ms-1").into_bytes()), ("2.json", page("ms-2").into_bytes())]);
/// let options = ConvertOptions { checkpoint: Some(1), ..ConvertOptions::default() };
/// let report = resume(&inputs, &dir.path().join("out"), &options, &())?;
/// assert_eq!(report.manifest.totals.messages.kept, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`convert`](crate::convert); [`EngineError::Usage`](korpus_engine::EngineError::Usage) for inputs that can be read only
/// once, and for options that need all messages at once.
pub fn resume(
    inputs: &InputList,
    out: &Path,
    options: &ConvertOptions,
    observer: &dyn Observer,
) -> Result<ResumeReport> {
    can_resume(inputs, options)?;
    let mut publication = Publication::begin(out, PublishOptions { overwrite: options.overwrite })?;
    let mut taken_up = 0;
    let mut discarded = None;
    let mut left: Vec<InputInfo> = inputs.inputs.clone();
    let mut done = 0;
    if publication.progress().exists() {
        match take_up(inputs, publication.progress(), options)? {
            Ok(marks) => {
                let mut marks = marks.into_iter();
                left.retain(|input| {
                    let is_finished = marks.next().unwrap_or_default();
                    if is_finished {
                        taken_up += 1;
                        let size = input.size.unwrap_or_default();
                        done += size;
                        observer.bytes_read(size);
                    }
                    !is_finished
                });
            }
            Err(why) => {
                publication.forget()?;
                discarded = Some(why);
            }
        }
    }
    let mut ledger = Ledger::default();
    loop {
        let rest = left.split_off(step(&left, done, options));
        let order: Vec<usize> = left.iter().map(|input| input.index).collect();
        done += left.iter().filter_map(|input| input.size).sum::<u64>();
        for (index, input) in left.iter_mut().enumerate() {
            input.index = index;
        }
        let now = InputList { inputs: left, ..InputList::default() };
        let earlier = match publication.progress() {
            progress if progress.exists() => Some(Earlier::open_progress(progress, options)?),
            _ => None,
        };
        let making = Making::new(publication.path(), options, earlier.as_ref())?;
        if let Some(earlier) = &earlier {
            earlier.link(publication.path())?;
        }
        let made = making.make(&now, observer)?;
        let run = made.run;
        ledger.join(run.ledger, &run.messages, &run.records, &order);
        left = rest;
        if left.is_empty() {
            publication.finish()?;
            let (manifest, volumes) = (made.manifest, made.volumes);
            return Ok(ResumeReport { taken_up, discarded, ledger, manifest, volumes });
        }
        publication.keep()?;
    }
}

fn can_resume(inputs: &InputList, options: &ConvertOptions) -> Result<()> {
    can_grow(options)?;
    let usage = |what: String| Err(TablesError::Engine(EngineError::Usage(what)));
    if options.run.call_id.is_some() {
        return usage(
            "--call-id says nothing about inputs that were read before: leave --resume out".to_owned(),
        );
    }
    let once =
        inputs.inputs.iter().find(|input| !matches!(input.kind, InputKind::File(_) | InputKind::Bytes(_)));
    match once {
        Some(input) => usage(format!(
            "{} can be read only once, and so not be taken up again: leave --resume out, or save it to a file first",
            input.display
        )),
        None => Ok(()),
    }
}

/// Which inputs the interrupted run has finished that left its progress at `dir`; or why it is of no use.
fn take_up(inputs: &InputList, dir: &Path, options: &ConvertOptions) -> Result<Result<Vec<bool>, String>> {
    let progress = match Earlier::open_progress(dir, options) {
        Ok(progress) => progress,
        // Whatever it is: it can be made again.
        Err(error) => return Ok(Err(error.to_string())),
    };
    if let Some(damaged) = damaged_file(dir, progress.manifest(), &options.run.cancel)? {
        return Ok(Err(format!("{damaged} of what it had finished is damaged")));
    }
    let pool = korpus_engine::Pool::new(options.run.memory.threads(options.threads))?;
    let found = pool.install(|| finished(inputs, progress.manifest(), &options.run.cancel))?;
    Ok(match found {
        Finished::These(marks) => Ok(marks),
        Finished::Nothing(name) => {
            Err(format!("{name} is another one now, could not be read then, or is gone"))
        }
    })
}

/// The first file of the dataset at `dir` that is not what its manifest says.
fn damaged_file(dir: &Path, manifest: &Manifest, cancel: &AtomicBool) -> Result<Option<String>> {
    for file in manifest.files.iter().chain(&manifest.keys) {
        check_cancelled(cancel)?;
        let is_whole = hash_file(&dir.join(&file.path))
            .is_ok_and(|(bytes, hash)| bytes == file.bytes && format!("{hash:032x}") == file.hash);
        if !is_whole {
            return Ok(Some(file.path.clone()));
        }
    }
    Ok(None)
}

/// How many of the inputs the next step reads.
fn step(inputs: &[InputInfo], done: u64, options: &ConvertOptions) -> usize {
    let enough = options.checkpoint.unwrap_or(STEP).max(done / SHARE);
    let mut bytes = 0;
    let last = inputs.iter().position(|input| {
        bytes += input.size.unwrap_or_default();
        bytes >= enough
    });
    last.map_or(inputs.len(), |last| last + 1)
}
