//! Converts dumps from a Rust program, and reads a page message by message: `cargo run --example library -- DUMPS OUT`.

use std::path::Path;

use korpus_core::{Component, InputEnd, Limits, PageParser, Text};
use korpus_engine::{ExpandOptions, expand};
use korpus_tables::{ConvertOptions, convert};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Dumps to tables, in one call.
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [dumps, out] = &args[..] {
        let inputs = expand(&[dumps], &ExpandOptions::default())?;
        let report = convert(&inputs, Path::new(out), &ConvertOptions::default(), &())?;
        println!("{} messages kept", report.manifest.totals.messages.kept);
    }

    // Or message by message, from bytes as they arrive: nothing is copied.
    let page = br#"{"total":1,"messages":[{"_id":"ms-1","type":"incoming",
        "components":[{"cT":"text","data":{"text":"Hello"}}]}]}"#;
    let mut parser = PageParser::new(Limits::default());
    parser.feed(page);
    parser.finish(InputEnd::Complete);
    while let Some(block) = parser.next_block() {
        for message in block.messages() {
            let text = message.components().next().and_then(Component::data_text);
            println!("{:?}", text.map(Text::lossy));
        }
        parser.recycle(block);
    }
    Ok(())
}
