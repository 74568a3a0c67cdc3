//! Conversions in steps: interrupted at any input and taken up again, they come to one undisturbed run, and read nothing twice.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use common::{files, options, page, restored, rows};
use korpus_engine::{EngineError, InputInfo, InputList, InputReport, MANIFEST, Manifest, Observer};
use korpus_synth::{Shape, Size, Synth, SynthOptions};
use korpus_tables::{ConvertOptions, PartitionBy, ResumeReport, Table, TablesError, convert, resume};

type Bodies = Vec<(String, Vec<u8>)>;

fn inputs(bodies: &[(String, Vec<u8>)]) -> InputList {
    InputList::from_bytes(bodies.iter().cloned())
}

fn dump() -> Bodies {
    let synth = SynthOptions {
        size: Size::Messages(900),
        page_size: 50,
        shapes: vec![Shape::V1, Shape::AgentAi, Shape::Sessions, Shape::Call],
        duplicates: 0.2,
        edited_copies: 0.2,
        overlap: 0.2,
        damage: vec![korpus_synth::Damage::TruncatedBody],
        damage_every: 5,
        ..SynthOptions::default()
    };
    let mut bodies = Synth::new(synth).unwrap().write_memory().unwrap().0;
    // What comes twice, under two names, is read twice; what holds nothing too.
    bodies.push(("again.json".to_owned(), bodies[3].1.clone()));
    bodies.insert(2, ("nothing.json".to_owned(), Vec::new()));
    bodies
}

/// Counts which inputs are opened, and stops the run when so many were read to their ends.
#[derive(Default)]
struct Counting {
    opened: Mutex<BTreeMap<String, usize>>,
    left: Mutex<usize>,
    cancel: Arc<AtomicBool>,
}

impl Observer for Counting {
    fn input_opened(&self, input: &InputInfo) {
        *self.opened.lock().unwrap().entry(input.display.clone()).or_default() += 1;
    }

    fn input_done(&self, _report: &InputReport) {
        let mut left = self.left.lock().unwrap();
        *left = left.saturating_sub(1);
        if *left == 0 {
            self.cancel.store(true, Ordering::Relaxed);
        }
    }
}

/// Converts in small steps, stopped after `stop` inputs. What was opened, and what came of it.
fn run(
    list: &InputList,
    out: &Path,
    options: &ConvertOptions,
    stop: usize,
) -> (BTreeMap<String, usize>, Result<ResumeReport, TablesError>) {
    let observer = Counting { left: Mutex::new(stop), ..Counting::default() };
    let mut options = ConvertOptions { checkpoint: Some(20_000), ..options.clone() };
    options.run.cancel = Arc::clone(&observer.cancel);
    let outcome = resume(list, out, &options, &observer);
    (observer.opened.into_inner().unwrap(), outcome)
}

fn is_cancelled(outcome: &Result<ResumeReport, TablesError>) -> bool {
    matches!(outcome, Err(TablesError::Engine(EngineError::Cancelled)))
}

/// The same rows, the same books.
fn assert_same(found: &Path, expected: &Path) {
    for table in Table::ALL {
        let [found, expected] = [found, expected].map(|dataset| rows(dataset, table));
        if table == Table::Superseded {
            assert_eq!(found.num_rows(), expected.num_rows());
        } else {
            assert_eq!(found, expected, "{table}");
        }
    }
    assert_eq!(restored(found), restored(expected));
    let [found, expected] = [found, expected].map(|dataset| Manifest::read(dataset).unwrap());
    assert_eq!((found.totals, found.inputs), (expected.totals, expected.inputs));
    assert_eq!(found.options, expected.options);
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn stopped_at_any_input_it_comes_to_one_undisturbed_run() {
    let bodies = dump();
    let list = inputs(&bodies);
    for (by_day, dedup) in [(false, true), (true, true), (false, false)] {
        let options = ConvertOptions {
            partition_by: by_day.then_some(PartitionBy::EventDate),
            ..options(2, 40, dedup)
        };
        let dir = tempfile::tempdir().unwrap();
        let whole = dir.path().join("whole");
        let reference = convert(&list, &whole, &options, &()).unwrap();
        for stop in [1, 3, bodies.len() / 2, bodies.len() - 1] {
            let place = tempfile::tempdir().unwrap();
            let out = place.path().join("out");
            let (first, outcome) = run(&list, &out, &options, stop);
            assert!(is_cancelled(&outcome), "{outcome:?}");
            assert!(!out.exists());
            let kept = place.path().join(".out.korpus-progress");
            let finished: Vec<String> = if kept.exists() {
                Manifest::read(&kept).unwrap().inputs.into_iter().map(|entry| entry.path).collect()
            } else {
                Vec::new()
            };
            assert!(stop < 5 || !finished.is_empty(), "{stop}");
            let (second, outcome) = run(&list, &out, &options, usize::MAX);
            let report = outcome.unwrap();
            assert_eq!((report.taken_up, &report.discarded), (finished.len() as u64, &None));
            for (name, _) in &bodies {
                let times = (first.get(name), second.get(name));
                let is_finished = finished.contains(name);
                assert_eq!(second.get(name).copied(), (!is_finished).then_some(1), "{name} {times:?}");
            }
            assert_same(&out, &whole);
            assert_eq!(names(place.path()), ["out"]);
            // The books of what was read now are up to date in every row.
            let totals = report.ledger.totals();
            report.ledger.check().unwrap();
            assert!(totals.0.seen <= reference.run.ledger.totals().0.seen);
        }
    }
}

#[test]
fn an_undisturbed_run_in_steps_tells_what_one_in_one_tells() {
    let list = inputs(&dump());
    let dir = tempfile::tempdir().unwrap();
    let (whole, steps) = (dir.path().join("whole"), dir.path().join("steps"));
    let options = options(2, 40, true);
    let reference = convert(&list, &whole, &options, &()).unwrap();
    let report = run(&list, &steps, &options, usize::MAX).1.unwrap();
    assert_same(&steps, &whole);
    let ledger = &reference.run.ledger;
    assert_eq!(report.ledger.totals(), ledger.totals());
    assert_eq!(report.ledger.rejections(), ledger.rejections());
    assert_eq!(format!("{:?}", report.ledger.pages()), format!("{:?}", ledger.pages()));
    assert_eq!(format!("{:?}", report.ledger.inputs()), format!("{:?}", ledger.inputs()));
    assert_eq!(report.volumes, reference.volumes);
    report.ledger.check().unwrap();
}

#[test]
fn what_changed_meanwhile_is_read_anew_with_all_the_rest() {
    let bodies = dump();
    let options = options(1, 40, true);
    let last = bodies.len() - 1;
    let change = |what: &str, bodies: &mut Bodies| match what {
        "changed" => bodies[0].1.push(b' '),
        "gone" => drop(bodies.remove(0)),
        "not yet read" => bodies[last].1.push(b' '),
        _ => bodies.insert(1, ("new.json".to_owned(), page(&[]))),
    };
    for what in ["changed", "gone", "not yet read", "new"] {
        let dir = tempfile::tempdir().unwrap();
        let (whole, out) = (dir.path().join("whole"), dir.path().join("out"));
        assert!(is_cancelled(&run(&inputs(&bodies), &out, &options, bodies.len() / 2).1));
        let mut now = bodies.clone();
        change(what, &mut now);
        let (opened, outcome) = run(&inputs(&now), &out, &options, usize::MAX);
        let report = outcome.unwrap();
        let is_anew = ["changed", "gone"].contains(&what);
        assert_eq!((report.discarded.is_some(), report.taken_up == 0), (is_anew, is_anew), "{what}");
        assert_eq!(opened.len() == now.len(), is_anew, "{what}");
        convert(&inputs(&now), &whole, &options, &()).unwrap();
        if is_anew || what == "not yet read" {
            assert_same(&out, &whole);
        } else {
            // It comes after what was read before: in another order, but the same.
            let sorted = |dataset: &Path| {
                let mut lines = restored(dataset);
                lines.sort();
                lines
            };
            assert_eq!(sorted(&out), sorted(&whole));
        }
        assert_eq!(names(dir.path()), ["out", "whole"]);
    }
}

#[test]
fn other_options_begin_anew_and_what_cannot_be_taken_up_is_refused() {
    let list = inputs(&dump());
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let plain = options(1, 40, true);
    assert!(is_cancelled(&run(&list, &out, &plain, 8).1));
    let report = run(&list, &out, &options(1, 40, false), usize::MAX).1.unwrap();
    assert!(report.discarded.unwrap().contains("dedup was true, and is false now"));
    assert_eq!(report.taken_up, 0);

    let refused = |list: &InputList, options: &ConvertOptions| match run(list, &out, options, usize::MAX).1 {
        Err(TablesError::Engine(EngineError::Usage(why))) => why,
        other => panic!("{other:?}"),
    };
    let mut once = list.clone();
    once.push_reader("pipe", std::io::empty());
    assert!(refused(&once, &plain).contains("pipe can be read only once"));
    let mut limited = plain.clone();
    limited.run.filter.limit = Some(3);
    assert!(refused(&list, &limited).contains("--limit"));
    let mut call = plain.clone();
    call.run.call_id = Some("c".to_owned());
    assert!(refused(&list, &call).contains("--call-id"));
    let some = ConvertOptions { tables: vec![Table::Messages, Table::Superseded], ..plain };
    assert!(refused(&list, &some).contains("the table components is needed"));
}

#[test]
fn damage_to_what_was_kept_costs_no_more_than_reading_it_again() {
    let list = inputs(&dump());
    let dir = tempfile::tempdir().unwrap();
    let (whole, out) = (dir.path().join("whole"), dir.path().join("out"));
    let options = options(1, 40, true);
    convert(&list, &whole, &options, &()).unwrap();
    let progress = dir.path().join(".out.korpus-progress");
    let flip = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    for damaged in
        [MANIFEST, "_keys/part-00000.bin", "messages/part-00000.parquet", "tags/part-00000.parquet"]
    {
        assert!(is_cancelled(&run(&list, &out, &options, 8).1));
        match damaged {
            MANIFEST => std::fs::write(progress.join(damaged), "{}").unwrap(),
            "tags/part-00000.parquet" => std::fs::remove_file(progress.join(damaged)).unwrap(),
            _ => flip(&progress.join(damaged)),
        }
        let report = run(&list, &out, &options, usize::MAX).1.unwrap();
        assert!(report.discarded.unwrap().contains(damaged), "{damaged}");
        assert_eq!(report.taken_up, 0);
        assert_same(&out, &whole);
        assert_eq!(names(dir.path()), ["out", "whole"]);
        std::fs::remove_dir_all(&out).unwrap();
    }
    run(&list, &out, &options, usize::MAX).1.unwrap();
    assert!(files(&out).contains_key(Path::new("messages/part-00001.parquet")), "in steps again");
}
