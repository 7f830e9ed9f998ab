//! The rows of the table "Ratios to reach", a file a subject.

pub(crate) mod batch;
pub(crate) mod big;
pub(crate) mod daemon;
pub(crate) mod one;
pub(crate) mod others;
pub(crate) mod site;
pub(crate) mod threads;

use crate::measure::heap::Heap;
use crate::measure::record::{Figure, Row, Target, counted};
use crate::measure::table::digits;
use crate::measure::{Plan, Side, rounds};
use std::process::{Command, Stdio};

/// A row by its name, and who measures it.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) measure: fn(&'static str) -> Row,
}

/// The word with which this program is started to measure one row.
pub(crate) const WORD: &str = "--row";

impl Entry {
    /// Measures it in a process of its own: what earlier rows left on the heap decides nothing.
    pub(crate) fn measured(&self) -> Row {
        let program = std::env::current_exe().expect("this program");
        let output = Command::new(program).args([WORD, self.name]).stderr(Stdio::inherit()).output();
        let output = output.expect("it starts");
        assert!(output.status.success(), "{}: {}", self.name, output.status);
        let row = serde_json::from_slice(&output.stdout).ok();
        row.and_then(|row| Row::read(self.name, &row)).expect("a row")
    }
}

/// In the process of its own: prints the row of that name.
pub(crate) fn print(name: &str) {
    let entry = ALL.iter().find(|entry| entry.name == name).expect("a row of that name");
    Heap::Grown.set();
    println!("{}", (entry.measure)(entry.name).json());
}

/// All of them, in the order of the table.
pub(crate) const ALL: &[Entry] = &[
    Entry { name: "seal 4 KiB, 1 RSA-2048", measure: one::seal_4k },
    Entry { name: "seal 75 KiB, 1 RSA-2048", measure: one::seal_75k },
    Entry { name: "seal 75 KiB, 2 RSA-2048", measure: one::seal_75k_to_two },
    Entry { name: "seal 25 MiB", measure: big::seal },
    Entry { name: "seal 25 MiB, peak memory", measure: big::memory },
    Entry { name: "deliver, seal, open 256 MiB, peak memory", measure: big::memory_above },
    Entry { name: "batch of 512 of 4 KiB, a core", measure: batch::small },
    Entry { name: "batch of 512 of 75 KiB, a core", measure: batch::middle },
    Entry { name: "batch of 128 of 2 to 800 KiB, a core", measure: batch::mixed },
    Entry { name: "batch of 512 of 75 KiB, 2 threads over 1", measure: threads::two_over_one },
    Entry { name: "GCM, seal 75 KiB", measure: one::gcm },
    Entry { name: "open 75 KiB, RSA-2048 and CBC", measure: one::open },
    Entry { name: "rekey 1 MiB against open and seal", measure: others::rekey },
    Entry { name: "100 rules over 75 KiB, of sealing it", measure: others::hundred_rules },
    Entry { name: "LMTP daemon, synced and sealed, 64 sessions", measure: site::daemon },
    Entry { name: "pipe hook, whole process, 4 KiB", measure: site::hook },
];

/// A row of sides of which the first is ours: the ratio is against the fastest of the others.
pub(crate) fn race(
    name: &'static str,
    target: Target,
    plan: Plan,
    pieces: usize,
    sides: &mut [Side<'_>],
) -> Row {
    let measured = rounds(sides, plan);
    let mut figures = measured.figures(pieces).into_iter();
    let ours = figures.next();
    let peers: Vec<Figure> = figures.collect();
    let reached = counted(&peers).filter_map(|peer| peer.lead).fold(f64::INFINITY, f64::min);
    Row { name, unit: "µs", ours, peers, reached: Some(reached), target, note: None }
}

/// One message at a time: on a heap as a process begins, which counts, and in the note on one that has grown. In this order: a
/// heap that has grown keeps what it has.
pub(crate) fn race_on_both_heaps(
    name: &'static str,
    target: Target,
    plan: Plan,
    sides: &mut [Side<'_>],
) -> Row {
    Heap::Begins.set();
    let row = race(name, target, plan, 1, sides);
    Heap::Grown.set();
    let grown = race(name, target, plan, 1, sides);
    row.with_note(format!("on a heap that has grown {}", in_short(&grown)))
}

/// Ours, and each of those that the targets speak of with its ratio, in words.
pub(crate) fn in_short(row: &Row) -> String {
    let ours = digits(row.ours.as_ref().map_or(f64::NAN, |ours| ours.median));
    let lead = |peer: &Figure| digits(peer.lead.unwrap_or(f64::NAN));
    let peer = |peer: &Figure| format!("{} {} ({} ×)", peer.name, digits(peer.median), lead(peer));
    let peers: Vec<String> = counted(&row.peers).map(peer).collect();
    format!("{ours} µs against {}", peers.join(" and "))
}
