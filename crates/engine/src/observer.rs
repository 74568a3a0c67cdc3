//! Progress of a run, told to whoever wants to show it.

use crate::inputs::InputInfo;
use crate::ledger::InputReport;

/// Hears how a run goes on. Calls come from any thread, often: they must be cheap.
pub trait Observer: Sync {
    /// `bytes` more of the inputs were read, before decoding.
    fn bytes_read(&self, _bytes: u64) {}
    /// `messages` more were seen, rejected spans counted.
    fn messages_seen(&self, _messages: u64) {}
    /// Reading of an input begins; several may be open at a time.
    fn input_opened(&self, _input: &InputInfo) {}
    /// All of an input is committed. Comes in the order of the inputs.
    fn input_done(&self, _report: &InputReport) {}
}

/// Hears nothing.
impl Observer for () {}
