//! The rows of `rejects` and `pages`.

use korpus_core::PageStatus;
use korpus_engine::{Books, Fates, InputInfo, Ledger, PageRow, RejectItem};

use super::copy::put_row;
use super::table::TableBuffer;
use crate::read::Row;
use crate::schema::{PageColumn, RejectColumn, Table};

/// Puts the row of a rejected span.
pub(crate) fn put_reject(table: &mut TableBuffer, item: &RejectItem<'_>, input: &InputInfo) {
    let reject = item.reject;
    table.put_str(RejectColumn::SourceFile, &input.display);
    table.put_i64(RejectColumn::PageIndex, item.page_index as i64);
    table.put_i64(RejectColumn::MessageIndex, reject.index as i64);
    table.put_bool(RejectColumn::IsRecord, reject.is_record);
    table.put_i64(RejectColumn::ByteOffset, reject.byte_offset as i64);
    table.put_i64(RejectColumn::ByteLength, reject.byte_length as i64);
    table.put_i64(RejectColumn::FaultOffset, reject.fault_offset as i64);
    if let Some(id) = &reject.message_id {
        table.put_str(RejectColumn::MessageId, id);
    }
    table.put_str(RejectColumn::Reason, reject.reason.as_str());
    table.put_str(RejectColumn::Detail, reject.reason.meaning());
    table.put_bytes(RejectColumn::RawBytes, reject.raw.clone());
    table.put_str(RejectColumn::RawHash, &format!("{:032x}", reject.raw_hash));
    table.end_row();
}

/// Puts the row of a body.
pub(crate) fn put_page(table: &mut TableBuffer, page: &PageRow, ledger: &Ledger) {
    if let Some(report) = ledger.inputs().get(page.input) {
        table.put_str(PageColumn::SourceFile, &report.input.display);
        table.put_i64(PageColumn::PageIndex, page.page_index as i64);
        table.put_str(PageColumn::Container, report.input.container.as_str());
        table.put_str(PageColumn::Codec, report.codec.as_str());
        if let Some(bytes) = ledger.compressed_bytes(page) {
            table.put_i64(PageColumn::CompressedBytes, bytes as i64);
        }
        if let Some(bytes) = page.body_bytes {
            table.put_i64(PageColumn::BodyBytes, bytes as i64);
        }
        table.put_str(PageColumn::Shape, page.shape.as_str());
        table.put_str(PageColumn::PageStatus, page.status.as_str());
        if let Some(reason) = page.reason.filter(|_| page.status != PageStatus::Ok) {
            table.put_str(PageColumn::Reason, reason.as_str());
        }
        let envelope = &page.envelope;
        for (column, number) in [
            (PageColumn::Total, envelope.total),
            (PageColumn::QuerySkip, envelope.skip),
            (PageColumn::QueryLimit, envelope.limit),
            (PageColumn::TotalPages, envelope.total_pages),
            (PageColumn::FirstEventAt, page.first_event_at),
            (PageColumn::LastEventAt, page.last_event_at),
        ] {
            if let Some(number) = number {
                table.put_i64(column, number);
            }
        }
        if let Some(more) = envelope.more_available {
            table.put_bool(PageColumn::MoreAvailable, more);
        }
        if let Some(http) = &report.http {
            for (column, text) in [
                (PageColumn::RequestUrl, &http.url),
                (PageColumn::RequestMethod, &http.method),
                (PageColumn::RequestParameters, &http.parameters),
            ] {
                if let Some(text) = text {
                    table.put_str(column, text);
                }
            }
        }
        if let Some(order) = page.order {
            table.put_str(PageColumn::PageOrder, order.as_str());
        }
        if !envelope.extra.is_empty() {
            table.put_str(PageColumn::EnvelopeExtra, &envelope.extra);
        }
        put_books(table, MESSAGE_BOOKS, &page.messages);
        put_books(table, RECORD_BOOKS, &page.records);
        table.end_row();
    }
    table.finish();
}

/// Puts a row that an earlier run wrote, with its books brought up to date. `first` holds the ordinals of the body's first
/// message and first record; those of the next body afterwards.
pub(crate) fn put_earlier_page(
    table: &mut TableBuffer,
    row: Row<'_>,
    first: &mut [u64; 2],
    fates: [&Fates; 2],
) {
    let mut counts: Vec<(usize, i64)> = Vec::new();
    for ((columns, fates), first) in [MESSAGE_BOOKS, RECORD_BOOKS].into_iter().zip(fates).zip(first) {
        let [seen, kept, filtered, rejected, duplicate, superseded] =
            columns.map(|column| row.int64(column).unwrap_or_default().unsigned_abs());
        let mut books = Books { seen, kept, filtered, rejected, duplicate, superseded };
        fates.revise(&mut books, *first..*first + seen);
        *first += seen;
        counts.extend(columns.map(usize::from).into_iter().zip(counts_of(&books)));
    }
    put_row(table, Table::Pages, row, &counts);
}

/// The books of the messages of a page.
const MESSAGE_BOOKS: [PageColumn; 6] = [
    PageColumn::MessagesSeen,
    PageColumn::MessagesKept,
    PageColumn::MessagesFiltered,
    PageColumn::MessagesRejected,
    PageColumn::MessagesDuplicate,
    PageColumn::MessagesSuperseded,
];
/// The same of its records.
const RECORD_BOOKS: [PageColumn; 6] = [
    PageColumn::RecordsSeen,
    PageColumn::RecordsKept,
    PageColumn::RecordsFiltered,
    PageColumn::RecordsRejected,
    PageColumn::RecordsDuplicate,
    PageColumn::RecordsSuperseded,
];

fn put_books(table: &mut TableBuffer, columns: [PageColumn; 6], books: &Books) {
    for (column, count) in columns.into_iter().zip(counts_of(books)) {
        table.put_i64(column, count);
    }
}

fn counts_of(books: &Books) -> [i64; 6] {
    [books.seen, books.kept, books.filtered, books.rejected, books.duplicate, books.superseded]
        .map(|count| count as i64)
}
