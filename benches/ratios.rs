//! Every row of the table "Ratios to reach", ours beside the others. `cargo bench --bench ratios`
//!
//! ```text
//! cargo bench --bench ratios [-- [--check] [--publish | --redraw] [WORD…]]
//!   WORD…        only the rows with one of these in their names
//!   --check      exit 1 if a row falls short of what it must reach, or cannot be measured
//!   --publish    measure all rows; write the table into benches/README.md and draw benches/ratios.svg
//!   --redraw     the same of what was measured last, and measure nothing
//! ```
//! The figures are written to `target/ratios.json`. benches/README.md says what each row is.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark stops where its setup fails, and prints a table"
)]

mod measure;
mod peers;
mod rows;
mod sample;

use measure::machine::Machine;
use measure::record::{self, Row};
use measure::{memory, publish, table};
use std::path::Path;
use std::process::ExitCode;

/// What was asked for.
#[derive(Default)]
struct Wanted {
    check: bool,
    publish: bool,
    redraw: bool,
    words: Vec<String>,
}

impl Wanted {
    fn read(words: impl Iterator<Item = String>) -> Wanted {
        let mut wanted = Wanted::default();
        for word in words {
            match word.as_str() {
                "--check" => wanted.check = true,
                "--publish" => wanted.publish = true,
                "--redraw" => wanted.redraw = true,
                // Cargo's own.
                "--bench" => (),
                option if option.starts_with('-') => {
                    panic!("{option}: --check, --publish, --redraw, or words of rows")
                }
                _ => wanted.words.push(word.to_lowercase()),
            }
        }
        assert!(!wanted.publish || wanted.words.is_empty(), "what is published is measured whole");
        let strange = wanted.words.iter().find(|word| !rows::ALL.iter().any(|row| is_in(word, row.name)));
        assert!(strange.is_none(), "no row has {strange:?} in its name");
        wanted
    }

    fn is_row(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| is_in(word, name))
    }

    fn command(&self) -> String {
        let flags = [(self.check, "--check"), (self.publish, "--publish")];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| (*flag).to_owned());
        let words: Vec<String> = flags.chain(self.words.iter().cloned()).collect();
        let all = if words.is_empty() { String::new() } else { format!(" -- {}", words.join(" ")) };
        format!("cargo bench --bench ratios{all}")
    }
}

fn is_in(word: &str, name: &str) -> bool {
    name.to_lowercase().contains(word)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, who, file] = words.as_slice()
        && word == memory::WORD
    {
        rows::big::alone(who, Path::new(file));
        return ExitCode::SUCCESS;
    }
    if let [word, name] = words.as_slice()
        && word == rows::WORD
    {
        rows::print(name);
        return ExitCode::SUCCESS;
    }
    let wanted = Wanted::read(words.into_iter());
    if wanted.redraw {
        publish::ratios();
        return ExitCode::SUCCESS;
    }
    let machine = Machine::here(&wanted.command());
    println!("{}\n", machine.text());
    let rows = measure_all(&wanted);
    let file = record::write("ratios.json", &machine, "rows", record::rows_as_json(&rows));
    let reach = table::check(&rows);
    println!("written to {}", file.display());
    if wanted.publish {
        publish::ratios();
    }
    if wanted.check && !reach { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure_all(wanted: &Wanted) -> Vec<Row> {
    table::head();
    let entries = rows::ALL.iter().filter(|entry| wanted.is_row(entry.name));
    entries
        .map(|entry| {
            let row = entry.measured();
            table::line(&row);
            row
        })
        .collect()
}
