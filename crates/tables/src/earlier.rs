//! The dataset that is added to: what must fit, what is linked, and what of it is no longer true.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use korpus_engine::{EngineError, Fates, FileEntry, History, Known, Manifest, RunReport};

use crate::build::{Selection, TableBuffer, VolumeTotals, put_row};
use crate::convert::ConvertOptions;
use crate::dataset::{Dataset, PARTITION_OPTION, TABLES_OPTION};
use crate::error::{Result, TablesError};
use crate::job::STREAMED;
use crate::making::{described, selection};
use crate::read::{Row, TableReader};
use crate::schema::{PageColumn, SupersededColumn, Table};
use crate::superseded::{Raised, RaisedCopy};
use crate::write::{Encoder, TableGroups, TableWriter, groups_of, part_number, part_path};

/// A finished dataset that nobody else writes to meanwhile.
pub(crate) struct Earlier {
    dir: PathBuf,
    dataset: Dataset,
    selection: Selection,
    /// Whether what it was made of is left out when it comes again.
    knows_inputs: bool,
}

impl Earlier {
    /// Opens the dataset at `dir`, and sees to it that what `options` add to it comes to what one run would have made.
    pub(crate) fn open(dir: &Path, options: &ConvertOptions) -> Result<Self> {
        let dataset = Dataset::open(dir)?;
        let manifest = dataset.manifest();
        let usage = |what: String| Err(TablesError::Engine(EngineError::Usage(what)));
        if !manifest.options.contains_key(TABLES_OPTION) {
            return usage(format!("{} holds metrics; tables are added to what convert wrote", dir.display()));
        }
        if let Some(name) = difference(&manifest.options, &described(options)) {
            return usage(format!(
                "{} was made with other options: {name}. Give the options that it was made with, or convert everything anew",
                dir.display()
            ));
        }
        can_grow(options)?;
        if options.run.dedup {
            let noted: u64 = manifest.keys.iter().map(|file| file.rows).sum();
            let totals = &manifest.totals;
            let read = [totals.messages, totals.records].map(|books| books.seen - books.rejected);
            if noted != read.iter().sum::<u64>() {
                return usage(format!(
                    "{} does not hold the keys that tell copies of its messages: convert everything anew",
                    dir.display()
                ));
            }
        }
        Ok(Self { dir: dir.to_owned(), dataset, selection: selection(options), knows_inputs: true })
    }

    /// Opens what an interrupted run has kept at `dir`: what it has read may come again in other inputs.
    pub(crate) fn open_progress(dir: &Path, options: &ConvertOptions) -> Result<Self> {
        Ok(Self { knows_inputs: false, ..Self::open(dir, options)? })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.dataset.manifest()
    }

    /// What it was made of.
    pub(crate) fn known(&self) -> Known {
        Known::of(self.manifest())
    }

    /// What runs go on from.
    pub(crate) fn history(&self) -> History {
        let history = History::of(&self.dir, self.manifest());
        if self.knows_inputs { history } else { history.reading_all() }
    }

    /// The number of the files that are added.
    pub(crate) fn next_part(&self) -> u32 {
        let files = self.manifest().files.iter().chain(&self.manifest().keys);
        files.filter_map(|entry| part_number(Path::new(&entry.path))).max().map_or(0, |last| last + 1)
    }

    pub(crate) fn read(&self, table: Table) -> Result<TableReader> {
        self.dataset.read(table)
    }

    /// Links all files into `to` that are taken over as they are, unless something turns out to be no longer true of them:
    /// all but those of `superseded`, and of the tables that are written as a whole.
    pub(crate) fn link(&self, to: &Path) -> Result<()> {
        let files = self.manifest().files.iter().filter(|entry| self.is_linked(entry));
        files.chain(&self.manifest().keys).try_for_each(|entry| self.link_file(entry, to))
    }

    fn link_file(&self, entry: &FileEntry, to: &Path) -> Result<()> {
        let path = Path::new(&entry.path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(damaged(&self.dir.join(korpus_engine::MANIFEST)));
        }
        let (from, to) = (self.dir.join(path), to.join(path));
        let size = std::fs::metadata(&from).map_err(TablesError::io("read", &from))?.len();
        if size != entry.bytes {
            return Err(damaged(&from));
        }
        let folder = to.parent().unwrap_or(&to);
        std::fs::create_dir_all(folder).map_err(TablesError::io("create", folder))?;
        // Some file systems have no links.
        if std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to).map_err(TablesError::io("write", &to))?;
        }
        Ok(())
    }

    /// The entry of a file that was linked.
    pub(crate) fn linked(&self, name: &str) -> Option<&FileEntry> {
        let is_linked = |entry: &&FileEntry| self.is_linked(entry) || entry.table == Table::Superseded.name();
        self.manifest().files.iter().filter(is_linked).find(|entry| entry.path == name)
    }

    /// Whether a file is taken over as it is, unless rows of it must go.
    fn is_linked(&self, entry: &FileEntry) -> bool {
        let written = [Table::Pages, Table::Volumes, Table::Superseded];
        !written.into_iter().any(|table| self.selection.has(table) && table.name() == entry.table)
    }

    /// The row groups of the files that were linked into `to`, where something in them may have to go.
    pub(crate) fn groups(&self, to: &Path, run: &RunReport) -> Result<Vec<TableGroups>> {
        let is_revised = |fates: &Fates| fates.losers_in(0..fates.first()).next().is_some();
        if !is_revised(&run.messages) && !is_revised(&run.records) {
            return Ok(Vec::new());
        }
        let files = self.manifest().files.iter().filter(|entry| self.is_linked(entry));
        let tables = files.filter_map(|entry| Some((Table::from_name(&entry.table)?, to.join(&entry.path))));
        tables
            .filter(|(table, _)| STREAMED.contains(table))
            .map(|(table, path)| groups_of(table, path))
            .collect()
    }

    /// Adds what was counted so far.
    pub(crate) fn add_volumes(&self, volumes: &mut VolumeTotals) -> Result<()> {
        if self.selection.has(Table::Volumes) {
            for batch in self.read(Table::Volumes)? {
                let batch = batch?;
                (0..batch.num_rows()).try_for_each(|row| volumes.add_row(Row { batch: &batch, row }))?;
            }
        }
        Ok(())
    }

    /// Links the files of `superseded` into `to`; those are written anew, by `writer`, that name a winner that is none any
    /// more. Gives back which these are.
    pub(crate) fn revise_superseded(
        &self,
        to: &Path,
        run: &RunReport,
        writer: impl Fn(u32) -> Result<TableWriter>,
    ) -> Result<Vec<PathBuf>> {
        let mut rewritten = Vec::new();
        let files = self.manifest().files.iter().filter(|entry| entry.table == Table::Superseded.name());
        for entry in files {
            let rows = || TableReader::open_file(Table::Superseded, self.dir.join(&entry.path));
            let is_revised = run.messages.is_revised() || run.records.is_revised();
            let number = part_number(Path::new(&entry.path)).filter(|_| is_revised);
            let Some(number) = number.filter(|_| entry.rows > 0) else {
                self.link_file(entry, to)?;
                continue;
            };
            let mut is_stale = false;
            for batch in rows() {
                let batch = batch?;
                let mut rows = (0..batch.num_rows()).map(|row| Row { batch: &batch, row });
                is_stale |= rows.any(|row| !matches!(Revision::of(row, run), Revision::None));
            }
            if !is_stale {
                self.link_file(entry, to)?;
                continue;
            }
            let (mut writer, encoder) = (writer(number)?, Encoder::default());
            for batch in rows() {
                let batch = batch?;
                let mut buffer = TableBuffer::new(Table::Superseded);
                for row in 0..batch.num_rows() {
                    let row = Row { batch: &batch, row };
                    let winner = match Revision::of(row, run) {
                        Revision::None => None,
                        Revision::Winner(winner) => {
                            Some((SupersededColumn::WinnerSeq as usize, winner as i64))
                        }
                        Revision::Gone => continue,
                    };
                    put_row(&mut buffer, Table::Superseded, row, winner.as_slice());
                }
                buffer.finish();
                writer.push(buffer, &encoder, &mut drop)?;
            }
            writer.close(&encoder)?;
            rewritten.push(part_path(to, Table::Superseded, number));
        }
        Ok(rewritten)
    }

    /// What was a duplicate of something that lost now, and where that was read.
    pub(crate) fn raised(&self, run: &RunReport) -> Result<Option<Raised>> {
        if run.messages.raised().is_empty() && run.records.raised().is_empty() {
            return Ok(None);
        }
        let mut raised = [copies(&run.messages)?, copies(&run.records)?];
        let seen = [PageColumn::MessagesSeen, PageColumn::RecordsSeen];
        let (mut first, mut next) = ([0, 0], [0, 0]);
        for batch in self.read(Table::Pages)? {
            let batch = batch?;
            for row in 0..batch.num_rows() {
                let row = Row { batch: &batch, row };
                for kind in 0..2 {
                    let end = first[kind] + row.int64(seen[kind]).unwrap_or_default().unsigned_abs();
                    while let Some(copy) = raised[kind].get_mut(next[kind]).filter(|copy| copy.seq < end) {
                        row.text(PageColumn::SourceFile)
                            .unwrap_or_default()
                            .clone_into(&mut copy.source_file);
                        copy.page_index = row.int64(PageColumn::PageIndex).unwrap_or_default();
                        copy.index = (copy.seq - first[kind]) as i64;
                        next[kind] += 1;
                    }
                    first[kind] = end;
                }
            }
        }
        if (0..2).any(|kind| next[kind] != raised[kind].len()) {
            return Err(self.damaged(Table::Pages));
        }
        for copies in &mut raised {
            copies.sort_by_key(|copy| (copy.champion, copy.seq));
        }
        let [messages, records] = raised;
        Ok(Some(Raised { messages, records }))
    }

    /// Says that a table is not what it must be.
    pub(crate) fn damaged(&self, table: Table) -> TablesError {
        damaged(&self.dir.join(table.name()))
    }
}

/// Sees to it that what such options make can be added to.
pub(crate) fn can_grow(options: &ConvertOptions) -> Result<()> {
    let usage = |what: String| Err(TablesError::Engine(EngineError::Usage(what)));
    if options.run.filter.needs_all() {
        return usage(
            "--skip, --limit and --msg-id go by all messages at once, so nothing can be added to what they left: convert \
             everything anew, at once"
                .to_owned(),
        );
    }
    let selection = selection(options);
    let missing = needed(&|table| selection.has(table)).find(|table| !selection.has(*table));
    match missing.filter(|_| options.run.dedup) {
        Some(missing) => usage(format!(
            "the table {} is needed to take back what newer copies replace in the others, and is not among the tables: convert \
             everything anew, with it",
            missing.name(),
        )),
        None => Ok(()),
    }
}

/// What of a row of `superseded` is no longer true.
enum Revision {
    None,
    /// Something else won by now.
    Winner(u64),
    /// It is equal to what won by now.
    Gone,
}

impl Revision {
    fn of(row: Row<'_>, run: &RunReport) -> Self {
        let message = row.int64(SupersededColumn::MessageSeq).map(|seq| (seq, &run.messages));
        let record = || row.int64(SupersededColumn::RecordSeq).map(|seq| (seq, &run.records));
        let Some((seq, fates)) = message.or_else(record) else { return Self::None };
        if fates.is_lowered(seq as u64) {
            return Self::Gone;
        }
        let winner = row.int64(SupersededColumn::WinnerSeq).unwrap_or_default();
        fates.replacement(winner as u64).map_or(Self::None, Self::Winner)
    }
}

/// The copies that were duplicates until now, by their ordinals.
fn copies(fates: &Fates) -> Result<Vec<RaisedCopy>> {
    let copies = fates.raised().iter().map(|&(seq, champion)| {
        if fates.matches(seq) && !fates.matches(champion) {
            return Err(TablesError::Engine(EngineError::Usage(
                "a copy of a message that the filters left out passes them by the record around it, and was not kept: \
                 convert everything anew"
                    .to_owned(),
            )));
        }
        Ok(RaisedCopy { champion, seq, ..RaisedCopy::default() })
    });
    copies.collect()
}

/// The tables without which nothing can be taken back from those that are chosen.
fn needed(has: &dyn Fn(Table) -> bool) -> impl Iterator<Item = Table> {
    let superseded = [
        Table::Messages,
        Table::Components,
        Table::Tags,
        Table::Conversations,
        Table::PlatformSessions,
        Table::Pages,
    ];
    let volumes = has(Table::Volumes).then_some(Table::Messages);
    superseded.into_iter().filter(|_| has(Table::Superseded)).chain(volumes).collect::<Vec<_>>().into_iter()
}

/// Which option differs, in words.
fn difference(
    before: &BTreeMap<String, serde_json::Value>,
    now: &BTreeMap<String, serde_json::Value>,
) -> Option<String> {
    let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
    names.sort_unstable();
    let name = names.into_iter().find(|name| before.get(*name) != now.get(*name))?;
    // Others are long, and may name people.
    if !["compression", "dedup", "strict", TABLES_OPTION, PARTITION_OPTION].contains(&name.as_str()) {
        return Some(format!("{name} is another one"));
    }
    let value = |options: &BTreeMap<String, serde_json::Value>| {
        options.get(name).map_or_else(|| "nothing".to_owned(), ToString::to_string)
    };
    Some(format!("{name} was {}, and is {} now", value(before), value(now)))
}

fn damaged(path: &Path) -> TablesError {
    TablesError::Engine(EngineError::Damaged {
        path: path.to_owned(),
        why: "it is not what the manifest says",
    })
}
