//! What was measured, as it is written to `target/` and read again.

use super::machine::Machine;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The peer that is made of released crates, in tables and in the picture.
pub(crate) const CRATES: &str = "rsa 0.9, cms, mail-builder";

/// Those that the targets speak of: OpenSSL, while the crates stand beside.
pub(crate) fn counted(peers: &[Figure]) -> impl Iterator<Item = &Figure> {
    peers.iter().filter(|peer| peer.name != CRATES)
}

/// What somebody took, in the unit of the row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) median: f64,
    pub(crate) least: f64,
    /// How many times as long as the first side it took, the median of the rounds; nothing where no time was raced for.
    pub(crate) lead: Option<f64>,
}

/// A row of the table "Ratios to reach".
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    /// Ours.
    pub(crate) ours: Option<Figure>,
    /// Whoever stands beside.
    pub(crate) peers: Vec<Figure>,
    /// What the targets speak of: times as fast, per cent, or MiB.
    pub(crate) reached: Option<f64>,
    pub(crate) target: Target,
    /// What a reader must know of the row.
    pub(crate) note: Option<String>,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) kind: Kind,
    pub(crate) must: f64,
    pub(crate) moonshot: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// As fast as the fastest peer so many times: more is better.
    Times,
    /// Per cent of another work: less is better.
    Share,
    /// MiB: less is better.
    Memory,
}

impl Target {
    pub(crate) const fn times(must: f64, moonshot: f64) -> Target {
        Target { kind: Kind::Times, must, moonshot }
    }

    pub(crate) const fn share(must: f64, moonshot: f64) -> Target {
        Target { kind: Kind::Share, must, moonshot }
    }

    pub(crate) const fn memory(must: f64, moonshot: f64) -> Target {
        Target { kind: Kind::Memory, must, moonshot }
    }

    fn is_met(self, reached: f64, wanted: f64) -> bool {
        match self.kind {
            Kind::Times => reached >= wanted,
            Kind::Share | Kind::Memory => reached <= wanted,
        }
    }
}

/// How far a row came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Moonshot,
    Reached,
    Short,
    NotMeasured,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Moonshot => "moonshot",
            Verdict::Reached => "reached",
            Verdict::Short => "SHORT",
            Verdict::NotMeasured => "not measured",
        }
    }
}

impl Row {
    /// A row that this machine or this build cannot measure, and why.
    pub(crate) fn missing(name: &'static str, unit: &'static str, target: Target, why: &str) -> Row {
        let note = Some(why.to_owned());
        Row { name, unit, ours: None, peers: Vec::new(), reached: None, target, note }
    }

    pub(crate) fn with_note(self, note: impl Into<String>) -> Row {
        Row { note: Some(note.into()), ..self }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        match self.reached {
            None => Verdict::NotMeasured,
            Some(reached) if self.target.is_met(reached, self.target.moonshot) => Verdict::Moonshot,
            Some(reached) if self.target.is_met(reached, self.target.must) => Verdict::Reached,
            Some(_) => Verdict::Short,
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::json!({
            "row": self.name,
            "unit": self.unit,
            "ours": self.ours,
            "peers": self.peers,
            "kind": self.target.kind,
            "reached": self.reached,
            "must": self.target.must,
            "moonshot": self.target.moonshot,
            "verdict": self.verdict().word(),
            "note": self.note,
        })
    }

    /// The row of that name, as another process wrote it.
    pub(crate) fn read(name: &'static str, row: &Value) -> Option<Row> {
        fn field<T: DeserializeOwned>(row: &Value, key: &str) -> Option<T> {
            serde_json::from_value(row.get(key)?.clone()).ok()
        }
        let target = Target {
            kind: field(row, "kind")?,
            must: field(row, "must")?,
            moonshot: field(row, "moonshot")?,
        };
        Some(Row {
            name,
            unit: ["µs", "MiB"]
                .into_iter()
                .find(|unit| row.get("unit").is_some_and(|found| found == unit))?,
            ours: field(row, "ours")?,
            peers: field(row, "peers")?,
            reached: field(row, "reached")?,
            target,
            note: field(row, "note")?,
        })
    }
}

impl Figure {
    /// One count, which has no rounds.
    pub(crate) fn once(name: &str, value: f64) -> Figure {
        Figure { name: name.to_owned(), median: value, least: value, lead: None }
    }
}

/// Writes rows or curves beside the build, and says where.
pub(crate) fn write(name: &str, machine: &Machine, what: &str, values: Vec<Value>) -> PathBuf {
    let file = target().join(name);
    let text = serde_json::json!({"machine": machine.json(), what: values});
    let text = serde_json::to_string_pretty(&text).expect("it is JSON");
    std::fs::write(&file, text + "\n").expect("the build folder takes files");
    file
}

pub(crate) fn rows_as_json(rows: &[Row]) -> Vec<Value> {
    rows.iter().map(Row::json).collect()
}

/// What an earlier run wrote.
pub(crate) fn read(name: &str) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(target().join(name)).ok()?).ok()
}

/// The build folder.
pub(crate) fn target() -> &'static Path {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch)
}
