//! What the tests share: the program, its outcome, and directories compared by their bytes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program prints UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Asserts the exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// The program.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_korpus"));
    // Whoever runs the tests may like colours everywhere.
    command.env_remove("CLICOLOR_FORCE").env_remove("CLICOLOR");
    command
}

/// Runs the program to its end.
pub(crate) fn korpus<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    Ran::new(program().args(args).stdin(Stdio::null()).output().unwrap())
}

/// Runs a script of the shell with the program as `$0` and `args` behind it.
pub(crate) fn shell(script: &str, args: &[&Path]) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_korpus")]).args(args);
    Ran::new(command.stdin(Stdio::null()).output().unwrap())
}

/// Runs the program with something on its standard input.
pub(crate) fn korpus_fed<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, input: &[u8]) -> Ran {
    let mut command = program();
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // From a thread: the program may print before it has read all.
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let ran = Ran::new(child.wait_with_output().unwrap());
    feeder.join().unwrap().unwrap();
    ran
}

/// Converts, and gives the summary as JSON.
pub(crate) fn convert(inputs: &[&Path], out: &Path, more: &[&str], code: i32) -> Value {
    let mut args: Vec<&OsStr> = vec!["convert".as_ref()];
    args.extend(inputs.iter().map(|path| path.as_os_str()));
    args.extend(["--format".as_ref(), "json".as_ref(), "--out".as_ref(), out.as_os_str()]);
    args.extend(more.iter().map(AsRef::<OsStr>::as_ref));
    korpus(args).exits(code).json()
}

/// The lines that restoring gives.
pub(crate) fn restored(dataset: &Path) -> Vec<String> {
    let ran = korpus([OsStr::new("restore"), dataset.as_os_str()]).exits(0);
    ran.out.lines().map(str::to_owned).collect()
}

/// Every file below a directory with its bytes.
pub(crate) fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                all.insert(path.strip_prefix(dir).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// The names in a directory.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// What unfinished runs left in a directory, or are at work on.
pub(crate) fn stagings(dir: &Path) -> Vec<String> {
    let is_staging = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "tmp");
    names(dir).into_iter().filter(is_staging).collect()
}

/// The project's folder.
pub(crate) fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The dumps of the test data.
pub(crate) fn dumps() -> PathBuf {
    project().join("testdata/dumps")
}

/// Writes a synthetic dump below `dir`, and gives its folder and its truth.
pub(crate) fn synth(dir: &Path, more: &[&str]) -> (PathBuf, Value) {
    let out = dir.join("synth");
    let mut args = vec!["synth", "--quiet", "--out", out.to_str().unwrap()];
    args.extend(more);
    korpus(args).exits(0);
    let truth = std::fs::read(out.join("truth.json")).unwrap();
    (out.join("dump"), serde_json::from_slice(&truth).unwrap())
}

/// Writes a file and gives its path.
pub(crate) fn put(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A page of messages that need no more than an id to be told apart.
pub(crate) fn page(ids: &[&str]) -> String {
    let messages: Vec<String> = ids
        .iter()
        .map(|id| {
            format!(
                r#"{{"_id":"{id}","type":"incoming","createdOn":"2025-09-01T12:00:00.000Z","components":[{{"cT":"text","data":{{"text":"text of {id}"}}}}]}}"#
            )
        })
        .collect();
    format!(r#"{{"total":{},"moreAvailable":false,"messages":[{}]}}"#, ids.len(), messages.join(","))
}
