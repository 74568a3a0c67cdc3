//! The README: what it prints is what the program does.

use crate::common::{korpus, project};

#[test]
fn the_library_example_of_the_readme_is_the_one_that_is_compiled() {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let example = std::fs::read_to_string(project().join("crates/cli/examples/library.rs")).unwrap();
    let code = example.split_once("\n\n").map_or(example.as_str(), |(_, code)| code);
    assert!(readme.contains(&format!("```rust\n{code}```")), "copy the example into the README");
}

#[test]
fn the_template_types_of_the_readme_are_those_of_the_code() {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let json = korpus(["schema", "--templates", "--format", "json"]).exits(0).json();
    let mut families: Vec<(&str, Vec<String>)> = Vec::new();
    for known in json["template_types"].as_array().unwrap() {
        let family = known["family"].as_str().unwrap();
        let name = format!("`{}`", known["template_type"].as_str().unwrap());
        match families.iter_mut().find(|(other, _)| *other == family) {
            Some((_, names)) => names.push(name),
            None => families.push((family, vec![name])),
        }
    }
    let rows = families.iter().map(|(family, names)| format!("| {family} | {} |\n", names.join(" ")));
    let table = format!("| family | template types |\n|---|---|\n{}", rows.collect::<String>());
    assert!(readme.contains(&table), "the README lacks this table:\n{table}");
}

#[test]
fn every_command_and_option_of_the_readme_exists() {
    let readme = std::fs::read_to_string(project().join("README.md")).unwrap();
    let help: String = ["analyze", "convert", "check", "inspect", "restore", "schema", "synth"]
        .into_iter()
        .map(|command| korpus([command, "--help"]).exits(0).out)
        .collect();
    let mut found = 0;
    for line in readme.lines().filter(|line| line.contains("korpus ")) {
        for word in line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')) {
            // Options of cargo stand in front of those of the program.
            if word.starts_with("--")
                && word.len() > 2
                && !["--release", "--workspace", "--path"].contains(&word)
            {
                assert!(help.contains(word), "{word} in: {line}");
                found += 1;
            }
        }
    }
    assert!(found > 3);
}
