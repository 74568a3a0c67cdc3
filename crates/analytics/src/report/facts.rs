//! What the report says about the run itself: what was read, what was left out and why, what is missing.

use korpus_core::PageStatus;
use korpus_engine::{Books, Ledger};
use serde::Serialize;

/// What is known of a run besides its tables.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Facts {
    /// The headline of the report.
    pub title: String,
    /// The program and its version.
    pub program: String,
    /// In which days and hours are counted: an IANA name.
    pub timezone: String,
    /// The filters that were in force, as they are given on the command line.
    pub filters: Vec<String>,
    /// Whether sessions of developers count.
    pub include_developers: bool,
    /// How many files were read.
    pub input_files: u64,
    /// How many bytes they have, before decoding.
    pub input_bytes: u64,
    /// What became of every message.
    pub messages: Books,
    /// What became of every record.
    pub records: Books,
    /// Why something was rejected, the most frequent reason first.
    pub rejects: Vec<Tally>,
    /// How reading the bodies went, by their status.
    pub page_statuses: Vec<Tally>,
    /// What each query should have brought. A report shows those with a problem first, and at most 200.
    pub queries: Vec<QueryFact>,
    /// Sessions that began before the data does.
    pub left_cut: Option<u64>,
    /// Sessions that may go on after the data ends.
    pub right_cut: Option<u64>,
    /// Sessions of developers, left out or not.
    pub developer_sessions: Option<u64>,
    /// Sessions of which nothing says whether they are a developer's.
    pub developer_unknown: Option<u64>,
    /// Kept messages that belong to no session.
    pub unsessioned: Option<u64>,
    /// Kept messages without a time.
    pub untimed: Option<u64>,
}

/// How often something was the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// What.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// What a query should have brought, and what was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueryFact {
    /// What the query asks for.
    pub label: String,
    /// Whether it was pieced together from the bodies, as no request was saved with them.
    pub inferred: bool,
    /// How many there should be, as the bodies say.
    pub total: Option<u64>,
    /// How many were there.
    pub seen: u64,
    /// What is wrong, in words; `None` where all is there.
    pub problem: Option<String>,
}

impl Facts {
    /// What the ledger of a run knows: files, books, rejects and statuses.
    pub fn of_ledger(ledger: &Ledger) -> Self {
        let (messages, records) = ledger.totals();
        let mut rejects: Vec<Tally> = ledger
            .rejections()
            .iter()
            .map(|(reason, rejections)| Tally { name: reason.as_str().to_owned(), count: rejections.count })
            .collect();
        rejects.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        let mut bodies = [0; PageStatus::ALL.len()];
        for page in ledger.pages().iter() {
            bodies[page.status as usize] += 1;
        }
        let statuses = PageStatus::ALL
            .iter()
            .zip(bodies)
            .map(|(status, count)| Tally { name: status.as_str().to_owned(), count });
        Self {
            input_files: ledger.files(),
            input_bytes: ledger.bytes().0,
            messages,
            records,
            rejects,
            page_statuses: statuses.filter(|tally| tally.count > 0).collect(),
            ..Self::default()
        }
    }
}
