//! The tables as Arrow batches in memory, without files: for programs that have their own place for them.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use arrow::record_batch::RecordBatch;
use korpus_engine::{
    BlockSeq, EngineError, InputList, Job, Observer, Pool, RunOptions, RunReport, Work, run,
};

use crate::build::Selection;
use crate::error::{Result, TablesError};
use crate::job::{ConvertJob, Counting, Local, Part};
use crate::schema::Table;
use crate::write::array;

/// Takes the rows of one table that came of one block.
type Sink<'s> = &'s mut (dyn FnMut(Table, RecordBatch) -> ControlFlow<()> + Send);

/// Reads `inputs` and hands their rows to `sink` as Arrow batches, a table and block of about 256 KiB at a time, in the order
/// of the inputs. While `sink` works, at most the blocks that the memory limit allows are read ahead.
///
/// The rows come before de-duplication, `skip` and `limit`, which need all of the input: the report says by
/// `message_seq` which message is the one to keep ([`RunReport::messages`]). Messages that do not match the filter are left out.
///
/// # Errors
/// What ends a run; a `sink` that breaks ends it as cancelled.
///
/// ```
/// use korpus_engine::{InputList, RunOptions};
/// use korpus_tables::{Table, batches};
///
/// let page = br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","components":[]}]}"#;
/// let inputs = InputList::from_bytes([("page.json", &page[..])]);
/// let mut rows = 0;
/// let report = batches(&inputs, &[Table::Messages], &RunOptions::default(), 1, &(), &mut |table, batch| {
///     assert_eq!((table, batch.schema()), (Table::Messages, table.arrow_schema()));
///     rows += batch.num_rows();
///     std::ops::ControlFlow::Continue(())
/// })?;
/// assert_eq!((rows, report.ledger.totals().0.kept), (1, 1));
/// # Ok::<(), korpus_tables::TablesError>(())
/// ```
pub fn batches(
    inputs: &InputList,
    tables: &[Table],
    options: &RunOptions,
    threads: usize,
    observer: &dyn Observer,
    mut sink: Sink<'_>,
) -> Result<RunReport> {
    let selection = Selection::new(tables.iter().copied());
    let job = BatchJob {
        rows: ConvertJob::new(selection, Counting::Rows, options.limits.clone()),
        selection,
        sink: PhantomData,
    };
    run(&Pool::new(threads)?, inputs, options, &job, &mut sink, observer)
}

struct BatchJob<'s> {
    rows: ConvertJob,
    selection: Selection,
    sink: PhantomData<fn(Sink<'s>)>,
}

impl<'s> Job for BatchJob<'s> {
    type Local = Local;
    type Part = Part;
    type State = Sink<'s>;
    type Error = TablesError;

    fn local(&self) -> Local {
        self.rows.local()
    }

    fn part(&self) -> Part {
        self.rows.part()
    }

    fn map(&self, local: &mut Local, work: &Work<'_>, part: &mut Part) {
        self.rows.map(local, work, part);
    }

    fn commit(&self, sink: &mut Sink<'s>, at: &BlockSeq<'_>, part: Part) -> Result<()> {
        for (table, buffer) in part.into_tables(at) {
            if self.selection.has(table) && buffer.rows() > 0 {
                let columns = table.columns().iter().zip(&buffer.columns);
                let arrays =
                    columns.map(|(column, values)| array(column.kind, &[(values, 0..buffer.rows())]));
                let batch = arrays
                    .collect::<std::result::Result<_, _>>()
                    .and_then(|arrays| RecordBatch::try_new(table.arrow_schema(), arrays))
                    .map_err(|_| TablesError::Internal("columns do not make a batch"))?;
                if sink(table, batch).is_break() {
                    return Err(EngineError::Cancelled.into());
                }
            }
            self.rows.recycle(table, buffer);
        }
        Ok(())
    }
}
