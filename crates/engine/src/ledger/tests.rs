//! The books: slices of bodies that span blocks, rows for inputs without bodies, and what must not balance.

use super::*;
use crate::inputs::{Container, InputKind};
use crate::source::empty_report;

fn input(index: usize) -> InputReport {
    empty_report(&InputInfo {
        index,
        member: None,
        display: format!("{index}.json"),
        kind: InputKind::Stdin,
        container: Container::Plain,
        size: None,
    })
}

fn end(status: PageStatus) -> Box<PageEnd> {
    Box::new(PageEnd {
        shape: Shape::Full,
        status,
        reason: None,
        envelope: Envelope::default(),
        body_bytes: 10,
        messages_seen: 0,
        messages_rejected: 0,
        records_seen: 0,
        records_rejected: 0,
        array_hash: 0,
    })
}

fn slice(page_index: u64, starts: bool, seen: u64, times: &[i64], end: Option<Box<PageEnd>>) -> SliceBooks {
    let mut slice = SliceBooks { page_index, starts, messages_seen: seen, end, ..SliceBooks::default() };
    for &at in times {
        slice.times.push(at);
    }
    slice
}

#[test]
fn a_body_over_several_blocks_is_one_row() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.page_of_slice(true), 0);
    ledger.slice(&slice(0, true, 3, &[9, 8, 8], None));
    assert_eq!(ledger.page_of_slice(false), 0);
    ledger.slice(&slice(0, false, 2, &[7, 1], Some(end(PageStatus::Ok))));
    assert_eq!(ledger.page_of_slice(true), 1);
    ledger.slice(&slice(1, true, 0, &[], Some(end(PageStatus::Ok))));
    ledger.slice(&slice(2, true, 4, &[1, 5, 2], Some(end(PageStatus::Ok))));
    ledger.end_input(input(0));
    ledger.settle(&Fates::default(), &Fates::default()).unwrap();
    let pages: Vec<_> = ledger.pages().iter().collect();
    assert_eq!(pages.len(), 3);
    assert_eq!(pages[0].messages, Books { seen: 5, kept: 5, ..Books::default() });
    assert_eq!(pages[0].order, Some(PageOrder::NewestFirst));
    assert_eq!((pages[0].first_event_at, pages[0].last_event_at), (Some(1), Some(9)));
    assert_eq!((pages[1].order, pages[1].first_event_at), (None, None));
    assert_eq!(pages[2].order, Some(PageOrder::Mixed));
    // The empty body shares its first ordinal with the next one, which has the message.
    let owners: Vec<_> = (0..10).map(|ordinal| ledger.page_of_message(ordinal)).collect();
    assert_eq!(owners, [[Some(0); 5].as_slice(), &[Some(2); 4], &[None]].concat());
    assert_eq!(ledger.compressed_bytes(&pages[0]), None);
    assert!(ledger.is_clean());
}

#[test]
fn an_input_without_a_body_has_a_row() {
    let mut ledger = Ledger::default();
    ledger.end_input(input(0));
    let mut unreadable = input(1);
    unreadable.io_error = Some("gone".to_owned());
    assert_eq!(ledger.end_input(unreadable).status, InputStatus::Unreadable);
    let rows: Vec<_> = ledger.pages().iter().map(|page| (page.input, page.status, page.reason)).collect();
    assert_eq!(rows, [(0, PageStatus::Empty, None), (1, PageStatus::Rejected, Some(Reason::Unreadable))]);
    assert_eq!(ledger.inputs()[1].pages, 1..2);
    assert!(!ledger.is_clean());
}

#[test]
fn what_is_lost_with_the_reader_is_one_reject() {
    let mut ledger = Ledger::default();
    ledger.slice(&slice(0, true, 3, &[], None));
    assert_eq!(ledger.lost(), (0, 3));
    ledger.end_input(input(0));
    assert_eq!(ledger.lost(), (0, 0));
    ledger.end_input(input(1));
    ledger.settle(&Fates::default(), &Fates::default()).unwrap();
    let rows: Vec<_> =
        ledger.pages().iter().map(|page| (page.status, page.messages.seen, page.messages.rejected)).collect();
    assert_eq!(rows, [(PageStatus::Partial, 4, 1), (PageStatus::Rejected, 1, 1)]);
}

#[test]
fn books_that_do_not_balance_are_found() {
    let mut ledger = Ledger::default();
    ledger.slice(&slice(0, true, 3, &[], Some(end(PageStatus::Ok))));
    ledger.end_input(input(0));
    // Not settled yet: three were seen, and nothing is known of them.
    assert!(matches!(ledger.check(), Err(EngineError::Books(what)) if what.contains("page 0 of 0.json")));
}

#[test]
fn bodies_are_known_by_their_messages_without_ids_and_by_their_call() {
    let mut ledger = Ledger::default();
    let requests =
        ["/getMessages?callId=a%2Fb#x", "/getMessages?callId=a/b", "/getMessages?callId=", "/getMessages"];
    for (at, url) in requests.into_iter().enumerate() {
        ledger.slice(&slice(
            0,
            true,
            1,
            &[],
            Some(Box::new(PageEnd { array_hash: 7, ..*end(PageStatus::Ok) })),
        ));
        let mut report = input(at);
        report.http.insert(HttpHead::default()).url = Some(url.to_owned());
        ledger.end_input(report);
    }
    let calls: Vec<_> = ledger.inputs().iter().map(InputReport::call_id).collect();
    assert_eq!(calls, [Some("a/b".to_owned()), Some("a/b".to_owned()), None, None]);
    let bodies = ledger.bodies();
    assert_eq!(bodies.of(0), bodies.of(1));
    assert!(bodies.of(0).around > 0 && bodies.of(0).array_hash == 7);
    assert_eq!(bodies.of(2), crate::BodyKey { array_hash: 7, around: 0 });
    assert_eq!(bodies.of(4), crate::BodyKey::default());
}
