//! Dumps from paths, from memory and from any reader, message by message: `cargo run -p korpus-engine --example sources -- DUMPS...`

use std::io::Write;

use korpus_engine::{EngineError, ExpandOptions, Fate, InputList, MessageBatches, RunOptions, expand};

const PAGE: &[u8] =
    br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming","sessionId":"s-1","components":[]}]}"#;

fn main() -> Result<(), EngineError> {
    // Paths: files, directories, globs, `-`.
    let paths: Vec<String> = std::env::args().skip(1).collect();
    if !paths.is_empty() {
        count("paths", expand(&paths, &ExpandOptions::default())?)?;
    }

    // Bytes in memory, each body under a name.
    count("bytes", InputList::from_bytes([("one.json", PAGE), ("again.json", PAGE)]))?;

    // Anything that can be read: here a pipe that somebody writes to.
    let (ours, mut theirs) = std::io::pipe().map_err(|error| EngineError::Worker(error.to_string()))?;
    let writing = std::thread::spawn(move || theirs.write_all(PAGE));
    let mut inputs = InputList::default();
    inputs.push_reader("pipe", ours);
    count("a reader", inputs)?;
    assert!(writing.join().is_ok());
    Ok(())
}

/// Pulls all messages, a batch at a time; reading waits for whoever pulls.
fn count(what: &str, inputs: InputList) -> Result<(), EngineError> {
    let mut batches = MessageBatches::new(inputs, RunOptions::default(), 2);
    let (mut seqs, mut incoming) = (Vec::new(), 0);
    for batch in &mut batches {
        for (seq, message) in batch.messages {
            incoming += u64::from(message.message_type.as_deref() == Some("incoming"));
            seqs.push(seq);
        }
    }
    // Which of several copies is the one to keep is known when all of them were seen.
    let report = batches.finish()?;
    let kept = seqs.iter().filter(|&&seq| report.messages.fate(seq) == Fate::Kept).count();
    println!("{what}: {} messages, {incoming} incoming, {kept} kept", seqs.len());
    Ok(())
}
