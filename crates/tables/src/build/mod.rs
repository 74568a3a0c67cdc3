//! From messages and records to rows.

mod books;
mod column;
mod component;
mod copy;
mod counted;
mod dictionary;
mod message;
mod packed;
mod record;
mod rows;
mod spill;
mod table;
mod tags;
mod template;
mod totals;
mod volumes;

pub(crate) use books::{put_earlier_page, put_page, put_reject};
pub(crate) use column::{ColumnBuffer, Fixed, List, Names, Room, Texts, Validity, span};
pub(crate) use component::{ComponentPlaces, FIRST, OTHERS};
pub(crate) use copy::put_row;
pub(crate) use counted::{CountedRows, Counter};
pub(crate) use dictionary::Dictionary;
pub(crate) use message::put_message;
pub(crate) use record::put_record;
pub(crate) use rows::{Rows, Selection};
pub(crate) use table::TableBuffer;
pub(crate) use tags::SCOPES;
pub(crate) use totals::VolumeTotals;
pub(crate) use volumes::{NAME_COLUMNS, Volumes, put_volume};
