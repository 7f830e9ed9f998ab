//! Puts what was measured last into benches/README.md, between its marks, and draws it: a table for each kind of processor,
//! because only ratios travel between machines, and not all of them do.

use super::picture;
use super::record::read;
use super::table::digits;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The table of `target/ratios.json`, and the picture where it is the first table of the page.
pub(crate) fn ratios() {
    let Some(measured) = read("ratios.json") else { return };
    let mut text = String::from(
        "| row | Sealpost | beside it | ratio | must | moonshot | |\n|---|---|---|---|---|---|---|\n",
    );
    for row in list(&measured, "rows") {
        text.push_str(&line(row));
    }
    text.push_str(&notes(&measured));
    if !publish("ratios", &measured, &text) {
        println!("published in benches/README.md; the picture is of the first table");
        return;
    }
    let file = folder().join("ratios.svg");
    std::fs::write(&file, picture::draw(&measured)).expect("the source folder takes files");
    println!("published in benches/README.md and {}", file.display());
}

/// The curves of `target/<file>.json` under the mark of that name.
pub(crate) fn curves(file: &str) {
    let Some(measured) = read(&format!("{file}.json")) else { return };
    let mut text = String::from(
        "| cost | by | from | to | slope | of the upper half | |\n|---|---|---|---|---|---|---|\n",
    );
    for curve in list(&measured, "curves") {
        let points = list(curve, "points");
        let end = |point: Option<&Value>| {
            let at = |place: usize| point.and_then(|point| point.get(place)?.as_f64()).unwrap_or(f64::NAN);
            format!("{}: {} ms", at(0), digits(at(1)))
        };
        let word = if curve.get("straight").and_then(Value::as_bool) == Some(true) {
            "straight"
        } else {
            "**steep**"
        };
        writeln!(
            text,
            "| {} | {} | {} | {} | {:.2} | {:.2} | {word} |",
            word_of(curve, "curve"),
            word_of(curve, "of"),
            end(points.first()),
            end(points.last()),
            number(curve, "slope"),
            number(curve, "slope_upper_half")
        )
        .expect("a text grows");
    }
    text.push_str(&notes(&measured));
    publish(file, &measured, &text);
    println!("published in benches/README.md");
}

fn line(row: &Value) -> String {
    let kind = word_of(row, "kind");
    let unit = word_of(row, "unit");
    let sign = |value: f64| match kind {
        "times" => format!("{} ×", digits(value)),
        "share" => format!("{} %", digits(value)),
        _ => format!("{} MiB", digits(value)),
    };
    let figure = |figure: &Value| format!("{} {unit}", digits(number(figure, "median")));
    let ours = row.get("ours").filter(|ours| !ours.is_null()).map_or_else(|| "–".to_owned(), figure);
    let peers: Vec<String> = list(row, "peers")
        .iter()
        .map(|peer| format!("{}: {}", word_of(peer, "name"), figure(peer)))
        .collect();
    let reached = row.get("reached").and_then(Value::as_f64).map_or_else(|| "–".to_owned(), sign);
    let verdict = match word_of(row, "verdict") {
        "SHORT" => "**short**",
        other => other,
    };
    let (must, moonshot) = (number(row, "must"), number(row, "moonshot"));
    let limit = if kind == "times" { "≥" } else { "≤" };
    format!(
        "| {} | {ours} | {} | **{reached}** | {limit} {} | {} | {verdict} |\n",
        word_of(row, "row"),
        peers.join("<br>"),
        sign(must),
        sign(moonshot)
    )
}

/// What stands below a table: the machine, and what a reader must know.
fn notes(measured: &Value) -> String {
    let Some(machine) = measured.get("machine") else { return String::new() };
    let word = |key| word_of(machine, key);
    let mut text = format!(
        "\n{}, {} cores, {}; {}. Commit `{}`, {}. `{}`\n",
        word("processor"),
        machine.get("cores").unwrap_or(&Value::Null),
        word("system"),
        word("openssl"),
        word("commit"),
        word("day"),
        word("command")
    );
    for row in list(measured, "rows") {
        if let Some(note) = row.get("note").and_then(Value::as_str) {
            writeln!(text, "- {}: {note}.", word_of(row, "row")).expect("a text grows");
        }
    }
    text
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn word_of<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number(value: &Value, key: &str) -> f64 {
    value.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches")
}

/// Where the table of a kind of processor begins.
const ON: &str = "<!-- on ";

/// Between `<!-- NAME -->` and `<!-- /NAME -->`, in the place of what was measured on such a processor, or behind the others. Is
/// it the first?
fn publish(name: &str, measured: &Value, text: &str) -> bool {
    let processor = measured.get("machine").map_or("", |machine| word_of(machine, "processor"));
    let (head, mut is_first) = (format!("{processor} -->\n"), false);
    replace(name, |there| {
        let mut tables = there.split(ON).map(str::to_owned);
        let before = tables.next().unwrap_or_default();
        let mut tables: Vec<String> = tables.collect();
        let table = format!("{head}{text}\n");
        match tables.iter_mut().find(|table| table.starts_with(&head)) {
            Some(old) => *old = table,
            None => tables.push(table),
        }
        is_first = tables.first().is_some_and(|table| table.starts_with(&head));
        [before].into_iter().chain(tables).collect::<Vec<_>>().join(ON)
    });
    is_first
}

/// What stands between the marks.
fn replace(name: &str, changed: impl FnOnce(&str) -> String) {
    let file = folder().join("README.md");
    let page = std::fs::read_to_string(&file).expect("benches/README.md");
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let parts = page.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?)));
    let (head, (there, tail)) = parts.unwrap_or_else(|| panic!("benches/README.md has no marks {begin}"));
    std::fs::write(&file, [head, &begin, &changed(there), &end, tail].concat())
        .expect("the source folder takes files");
}
