//! From INPUT arguments to the ordered list of what is read.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use super::{Container, InputInfo, InputKind, OnceReader};
use crate::error::{EngineError, IoContext, Result};

/// What is left out of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpandOptions {
    /// A directory that is being written, so not read either: an output may lie inside an input.
    pub exclude: Option<PathBuf>,
}

/// What is read, in order, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputList {
    /// The inputs, in the order of their arguments, those of one argument by path.
    pub inputs: Vec<InputInfo>,
    /// Files that were given more than once, by the name of each further time; they are read once.
    pub repeated: Vec<String>,
    /// What stands in a directory and cannot be read as a file: devices, sockets, links in a circle.
    pub skipped: Vec<String>,
}

impl InputList {
    /// A list of bodies in memory, each under a name.
    pub fn from_bytes<N: Into<String>, B: Into<std::sync::Arc<[u8]>>>(
        bodies: impl IntoIterator<Item = (N, B)>,
    ) -> Self {
        let inputs = bodies.into_iter().enumerate().map(|(index, (name, bytes))| {
            let bytes = bytes.into();
            InputInfo {
                index,
                member: None,
                display: name.into(),
                size: Some(bytes.len() as u64),
                kind: InputKind::Bytes(bytes),
                container: Container::Plain,
            }
        });
        Self { inputs: inputs.collect(), ..Self::default() }
    }

    /// Adds a reader of any kind, under a name: a socket, an object in a bucket, a pipe. It is read once, by the next run, on
    /// a thread of the pool; what it is encoded in is found out as of a file.
    ///
    /// ```
    /// use korpus_engine::{InputList, MessageBatches, RunOptions};
    ///
    /// let mut inputs = InputList::default();
    /// inputs.push_reader("pipe", std::io::Cursor::new(br#"{"messages":[{"_id":"ms-1","type":"incoming","components":[]}]}"#));
    /// let mut batches = MessageBatches::new(inputs, RunOptions::default(), 1);
    /// assert_eq!(batches.by_ref().map(|batch| batch.messages.len()).sum::<usize>(), 1);
    /// assert_eq!(batches.finish()?.ledger.totals().0.kept, 1);
    /// # Ok::<(), korpus_engine::EngineError>(())
    /// ```
    pub fn push_reader(&mut self, name: impl Into<String>, reader: impl Read + Send + 'static) {
        self.inputs.push(InputInfo {
            index: self.inputs.len(),
            member: None,
            display: name.into(),
            kind: InputKind::Reader(OnceReader::new(reader)),
            container: Container::Plain,
            size: None,
        });
    }

    /// Gives every input whose name is taken another: the path as given, else a name with a number.
    pub fn name_apart<'n>(&mut self, taken: impl IntoIterator<Item = &'n str>) {
        let others: HashSet<&str> = taken.into_iter().collect();
        let is_apart = |input: &&mut InputInfo| !others.contains(&*input.display);
        let (apart, clashing): (Vec<_>, Vec<_>) = self.inputs.iter_mut().partition(is_apart);
        if clashing.is_empty() {
            return;
        }
        let mut taken: HashSet<String> = others.iter().map(|name| (*name).to_owned()).collect();
        taken.extend(apart.into_iter().map(|input| input.display.clone()));
        for input in clashing {
            // What was written down somewhere has another name there.
            let wanted = match &input.kind {
                InputKind::File(path) if path.ends_with(&input.display) => name_of(path),
                _ => input.display.clone(),
            };
            input.display = name_apart(&mut taken, &wanted);
        }
    }

    /// How many bytes there are to read, as far as it is known.
    pub fn total_size(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.size).sum()
    }
}

/// Lists what INPUT arguments stand for: files, directories (all files in them, hidden ones aside), globs, and `-` for
/// standard input.
///
/// The order is that of the arguments; what one argument stands for is sorted by the bytes of the path. A file that is
/// given twice is listed once. Links are followed, and circles of them end.
///
/// # Errors
/// [`EngineError::NoInput`] where there is nothing to read, or an argument stands for nothing; [`EngineError::Io`]
/// where an argument cannot be looked at.
pub fn expand<A: AsRef<OsStr>>(arguments: &[A], options: &ExpandOptions) -> Result<InputList> {
    let mut list = Listing {
        exclude: options.exclude.as_deref().and_then(real_path),
        seen: HashSet::new(),
        found: Vec::new(),
        result: InputList::default(),
    };
    for argument in arguments {
        list.argument(argument.as_ref())?;
    }
    if list.found.is_empty() {
        let names = arguments.iter().map(|argument| argument.as_ref().display().to_string());
        return Err(EngineError::NoInput(names.collect()));
    }
    Ok(list.finish())
}

/// Something to be read.
struct Found {
    /// Relative to its argument.
    short: PathBuf,
    /// As given, for when the short name is not unique.
    long: PathBuf,
    kind: InputKind,
    size: Option<u64>,
}

/// Files whose names begin with a dot are matched by such names only, and no star but two reaches into a directory.
const MATCH: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

struct Listing {
    exclude: Option<PathBuf>,
    seen: HashSet<PathBuf>,
    found: Vec<Found>,
    result: InputList,
}

impl Listing {
    fn argument(&mut self, argument: &OsStr) -> Result<()> {
        if argument == "-" {
            let name = PathBuf::from("stdin");
            if self.seen.insert(PathBuf::from("-")) {
                self.found.push(Found {
                    short: name.clone(),
                    long: name,
                    kind: InputKind::Stdin,
                    size: None,
                });
            } else {
                self.result.repeated.push("-".to_owned());
            }
            return Ok(());
        }
        let path = Path::new(argument);
        let before = (self.found.len(), self.result.repeated.len());
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.path(path, path)?,
            Ok(_) => self.path(path, path.parent().unwrap_or(path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_pattern(argument) => {
                self.glob(argument)?;
            }
            Err(error) => return Err(error).context("read", path),
        }
        if before == (self.found.len(), self.result.repeated.len()) {
            return Err(EngineError::NoInput(vec![argument.display().to_string()]));
        }
        Ok(())
    }

    /// Everything that matches a pattern, named relative to its part before the first wildcard.
    fn glob(&mut self, pattern: &OsStr) -> Result<()> {
        let usage = || EngineError::Usage(format!("'{}' is no pattern that can be read", pattern.display()));
        let text = pattern.to_str().ok_or_else(usage)?;
        let fixed = |part: &Component<'_>| !is_pattern(part.as_os_str());
        let base: PathBuf = Path::new(pattern).components().take_while(fixed).collect();
        let mut paths: Vec<PathBuf> = if text.contains("**") {
            self.deep_matches(text, &base).map_err(|_| usage())?
        } else {
            let matches = glob::glob_with(text, MATCH).map_err(|_| usage())?;
            matches.map(|path| path.unwrap_or_else(|error| error.path().to_owned())).collect()
        };
        sort_by_bytes(&mut paths, |path| path);
        for path in paths {
            self.path(&path, &base)?;
        }
        Ok(())
    }

    /// What matches a pattern of any depth below `base`. Circles of links end as they do in directories; `glob` would follow
    /// them as long as the system lets it.
    fn deep_matches(&mut self, pattern: &str, base: &Path) -> Result<Vec<PathBuf>, glob::PatternError> {
        let normal: PathBuf = Path::new(pattern).components().collect();
        let normal = glob::Pattern::new(&normal.to_string_lossy())?;
        let only_directories = pattern.ends_with(std::path::is_separator);
        let here = Path::new(".");
        let mut walk =
            WalkDir::new(if base == Path::new("") { here } else { base }).follow_links(true).into_iter();
        let mut paths = Vec::new();
        while let Some(entry) = walk.next() {
            let (path, is_dir) = match &entry {
                Ok(entry) => (entry.path(), entry.file_type().is_dir()),
                Err(error) => (error.path().unwrap_or(base), false),
            };
            let path = if base == Path::new("") { path.strip_prefix(here).unwrap_or(path) } else { path };
            if let Err(error) = &entry
                && error.loop_ancestor().is_some()
            {
                self.result.skipped.push(path.display().to_string());
            } else if normal.matches_path_with(path, MATCH) && (is_dir || !only_directories) {
                paths.push(path.to_owned());
                if is_dir {
                    // All that is in it is taken.
                    walk.skip_current_dir();
                }
            }
        }
        Ok(paths)
    }

    /// A file, or all files of a directory, named relative to `base`.
    fn path(&mut self, path: &Path, base: &Path) -> Result<()> {
        let metadata = fs::metadata(path).context("read", path)?;
        if !metadata.is_dir() {
            let size = metadata.is_file().then_some(metadata.len());
            self.file(path, path.strip_prefix(base).unwrap_or(path), size);
            return Ok(());
        }
        let hidden = |entry: &walkdir::DirEntry| entry.depth() > 0 && is_hidden(entry.file_name());
        let exclude = self.exclude.clone();
        let excluded = |entry: &walkdir::DirEntry| {
            entry.file_type().is_dir() && exclude.is_some() && real_path(entry.path()) == exclude
        };
        let walk = WalkDir::new(path).follow_links(true).into_iter();
        let mut files = Vec::new();
        for entry in walk.filter_entry(|entry| !hidden(entry) && !excluded(entry)) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() => {
                    let size = entry.metadata().ok().map(|metadata| metadata.len());
                    files.push((entry.into_path(), size));
                }
                Ok(entry) => self.result.skipped.push(entry.path().display().to_string()),
                // A circle of links has been read already, where it starts.
                Err(error) if error.loop_ancestor().is_some() => {
                    self.result.skipped.push(error.path().unwrap_or(path).display().to_string());
                }
                // Listed all the same: reading it fails, and the ledger says so.
                Err(error) => files.push((error.path().unwrap_or(path).to_owned(), None)),
            }
        }
        sort_by_bytes(&mut files, |file| &file.0);
        for (file, size) in files {
            let short = file.strip_prefix(base).unwrap_or(&file).to_owned();
            self.file(&file, &short, size);
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, short: &Path, size: Option<u64>) {
        let real = real_path(path).unwrap_or_else(|| path.to_owned());
        if self.exclude.as_ref().is_some_and(|exclude| real.starts_with(exclude)) {
            return;
        }
        if self.seen.insert(real) {
            let kind = InputKind::File(path.to_owned());
            self.found.push(Found { short: short.to_owned(), long: path.to_owned(), kind, size });
        } else {
            self.result.repeated.push(path.display().to_string());
        }
    }

    /// Gives every input a name of its own: the short one, else the path as given, else that with a number.
    fn finish(self) -> InputList {
        let mut short_names: HashMap<String, usize> = HashMap::new();
        for found in &self.found {
            *short_names.entry(name_of(&found.short)).or_default() += 1;
        }
        let mut taken = HashSet::new();
        let mut list = self.result;
        for (index, found) in self.found.into_iter().enumerate() {
            let short = name_of(&found.short);
            let wanted = if short_names[&short] == 1 { short } else { name_of(&found.long) };
            let display = name_apart(&mut taken, &wanted);
            let container = Container::Plain;
            let (kind, size) = (found.kind, found.size);
            list.inputs.push(InputInfo { index, member: None, display, kind, container, size });
        }
        list
    }
}

/// A name as wanted, or that with a number where it is taken; it is taken then.
fn name_apart(taken: &mut HashSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}#{number}");
        number += 1;
    }
    name
}

/// A path as text, with `/` between its parts on every system.
fn name_of(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' {
        text.into_owned()
    } else {
        text.replace(std::path::MAIN_SEPARATOR, "/")
    }
}

fn sort_by_bytes<T>(items: &mut [T], path: impl Fn(&T) -> &PathBuf) {
    items.sort_by(|a, b| path(a).as_os_str().as_encoded_bytes().cmp(path(b).as_os_str().as_encoded_bytes()));
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_pattern(text: &OsStr) -> bool {
    text.as_encoded_bytes().iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// The path without links, of something that may not exist yet.
fn real_path(path: &Path) -> Option<PathBuf> {
    if let Ok(real) = fs::canonicalize(path) {
        return Some(real);
    }
    let absolute = std::path::absolute(path).ok()?;
    let name: OsString = absolute.file_name()?.to_owned();
    let parent = absolute.parent()?;
    Some(fs::canonicalize(parent).ok()?.join(name))
}
