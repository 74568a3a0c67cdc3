//! What is said of a panic: its place in the code, and never its message, which may quote what was read.

use std::panic::{Location, set_hook};

/// From now on, panics are told by their place alone. What comes of one is told by whoever catches it.
pub(crate) fn tell_places_only() {
    set_hook(Box::new(|panic| anstream::eprintln!("{}", describe(panic.location()))));
}

fn describe(place: Option<&Location<'_>>) -> String {
    let place =
        place.map_or_else(|| "an unknown place".to_owned(), |at| format!("{}:{}", at.file(), at.line()));
    format!("korpus: a defect of korpus at {place}: please report it")
}

#[cfg(test)]
mod tests {
    use std::panic::{catch_unwind, take_hook};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn the_place_is_told_and_the_message_is_not() {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let there = Arc::clone(&told);
        let before = take_hook();
        set_hook(Box::new(move |panic| there.lock().unwrap().push(describe(panic.location()))));
        let outcome = catch_unwind(|| panic!("card 4111 1111"));
        set_hook(before);
        assert!(outcome.is_err());
        let told = told.lock().unwrap().join("\n");
        let line = told.lines().find(|line| line.contains("panics.rs:")).unwrap_or_default();
        assert!(line.starts_with("korpus: a defect of korpus at ") && !told.contains("4111"), "{told}");
    }
}
