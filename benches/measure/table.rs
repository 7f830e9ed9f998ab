//! The rows as text for a person.

use super::record::{Figure, Kind, Row, Verdict, counted};

/// A figure with about three digits that matter.
pub(crate) fn digits(value: f64) -> String {
    match value {
        value if !value.is_finite() => "–".into(),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// What was reached or is to be, with its sign.
pub(crate) fn reached(kind: Kind, value: f64) -> String {
    match kind {
        Kind::Times => format!("{} ×", digits(value)),
        Kind::Share => format!("{} %", digits(value)),
        Kind::Memory => format!("{} MiB", digits(value)),
    }
}

/// Printed as soon as it is measured: a row takes seconds.
pub(crate) fn head() {
    println!(
        "{:<42}{:>10}  {:>10}  {:>11}{:>11}{:>11}  {:<9} beside",
        "row", "peer", "ours", "ratio", "must", "moonshot", "verdict"
    );
}

pub(crate) fn line(row: &Row) {
    let best = fastest(&row.peers).map_or_else(|| "–".into(), |peer| digits(peer.median));
    let ours = row.ours.as_ref().map_or_else(|| "–".into(), |ours| digits(ours.median));
    let kind = row.target.kind;
    let ratio = row.reached.map_or_else(|| "–".into(), |value| reached(kind, value));
    let (must, moonshot) = (reached(kind, row.target.must), reached(kind, row.target.moonshot));
    let beside: Vec<String> =
        row.peers.iter().map(|peer| format!("{} {}", peer.name, digits(peer.median))).collect();
    let verdict = row.verdict().word();
    println!(
        "{:<42}{best:>10}  {ours:>10}  {ratio:>11}{must:>11}{moonshot:>11}  {verdict:<9} {} {}",
        row.name,
        row.unit,
        beside.join(" · ")
    );
    if let Some(note) = &row.note {
        println!("    {note}");
    }
}

/// The peer that the ratio is against.
fn fastest(peers: &[Figure]) -> Option<&Figure> {
    counted(peers).min_by(|one, other| one.median.total_cmp(&other.median))
}

/// Which rows fall short or could not be measured, one line each. True if none: what nobody saw is not reached.
pub(crate) fn check(rows: &[Row]) -> bool {
    let short: Vec<&Row> = rows.iter().filter(|row| row.verdict() == Verdict::Short).collect();
    let unseen: Vec<&Row> = rows.iter().filter(|row| row.verdict() == Verdict::NotMeasured).collect();
    println!();
    for row in &short {
        let value = row.reached.unwrap_or(f64::NAN);
        let (kind, must) = (row.target.kind, row.target.must);
        println!("short: {}: {}, to be {}", row.name, reached(kind, value), reached(kind, must));
    }
    for row in &unseen {
        println!("not measured: {}: {}", row.name, row.note.as_deref().unwrap_or("-"));
    }
    println!("{} of {} rows reach what they must", rows.len() - short.len() - unseen.len(), rows.len());
    short.is_empty() && unseen.is_empty()
}
