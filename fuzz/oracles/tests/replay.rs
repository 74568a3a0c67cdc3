//! Replays the corpora of all fuzz targets on stable.

use std::path::Path;

use korpus_fuzz_oracles::TARGETS;

fn fuzz() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("oracles stand in the folder of the fuzz targets")
}

#[test]
fn every_corpus_holds() {
    for (target, oracle) in TARGETS {
        let folder = fuzz().join("corpus").join(target);
        let mut paths: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(paths.len() >= 10, "{target}: a corpus of some size");
        for path in paths {
            let data = std::fs::read(&path).unwrap();
            if let Err(panic) = std::panic::catch_unwind(|| oracle(&data)) {
                eprintln!("{} fails", path.display());
                std::panic::resume_unwind(panic);
            }
        }
    }
}

#[test]
fn every_target_has_an_oracle_of_its_name() {
    let mut names: Vec<_> = std::fs::read_dir(fuzz().join("fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let mut expected: Vec<_> = TARGETS.iter().map(|(target, _)| (*target).to_owned()).collect();
    expected.sort();
    assert_eq!(names, expected);
    for name in names {
        let target = std::fs::read_to_string(fuzz().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("korpus_fuzz_oracles::{name}(data)")), "{name}");
    }
}
