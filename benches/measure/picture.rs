//! The rows as bars: how many times as fast as OpenSSL's fastest way.

use super::publish::{number, word_of};
use super::record::CRATES;
use serde_json::Value;
use std::fmt::Write;

/// Of the picture, in its own units.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 80.0;
const BAR: f64 = 9.0;
const GAP: f64 = 2.0;
const ROW: f64 = 44.0;
const TOP: f64 = 56.0;

/// Colours that stand on white and on black; the text takes the reader's choice.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.n{font-size:11px}.a{stroke:#8c959f;stroke-width:1}\
.o{fill:#1a7f64}.p{fill:#8c959f}.c{fill:#c27d38}@media(prefers-color-scheme:dark){text{fill:#d1d7e0}.o{fill:#2fb58f}}";

/// A row with the speeds of those who are in it, OpenSSL's fastest way being 1.
struct Bars {
    name: String,
    ours: f64,
    crates: Option<f64>,
}

/// The picture of all rows where OpenSSL stands beside us.
pub(crate) fn draw(measured: &Value) -> String {
    let rows = measured.get("rows").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows: Vec<Bars> = rows.iter().filter_map(bars).collect();
    let most = rows.iter().map(|row| row.ours).fold(1.0, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let height = TOP + ROW * rows.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"How many times as fast as OpenSSL\">\n<style>{STYLE}</style>\n\
         <text x=\"8\" y=\"18\">Times as fast as OpenSSL's fastest way; longer is faster. One message: in a process that begins</text>\n"
    );
    let names = [("o", "Sealpost", LEFT), ("p", "OpenSSL", LEFT + 90.0), ("c", CRATES, LEFT + 180.0)];
    for (class, name, x) in names {
        write_to(
            &mut svg,
            format_args!("<rect class=\"{class}\" x=\"{x}\" y=\"29\" width=\"10\" height=\"10\"/>"),
        );
        write_to(&mut svg, format_args!("<text class=\"n\" x=\"{}\" y=\"38\">{name}</text>\n", x + 15.0));
    }
    for (at, row) in rows.iter().enumerate() {
        draw_row(&mut svg, row, TOP + ROW * at as f64, scale);
    }
    let bottom = height - 6.0;
    write_to(&mut svg, format_args!("<path class=\"a\" d=\"M{LEFT} {} V{bottom}\"/>\n</svg>\n", TOP - 8.0));
    svg
}

fn draw_row(svg: &mut String, row: &Bars, top: f64, scale: f64) {
    let middle = top + 20.0;
    write_to(
        svg,
        format_args!("<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>\n", LEFT - 8.0, row.name),
    );
    let bars = [("o", Some(row.ours)), ("p", Some(1.0)), ("c", row.crates)];
    let shown = bars.into_iter().filter_map(|(class, speed)| Some((class, speed?)));
    for (at, (class, speed)) in shown.enumerate() {
        let (y, width) = (top + at as f64 * (BAR + GAP), (speed * scale).max(1.0));
        write_to(
            svg,
            format_args!(
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\"/>"
            ),
        );
        let (x, y) = (LEFT + width + 5.0, y + BAR);
        write_to(svg, format_args!("<text class=\"n\" x=\"{x:.1}\" y=\"{y}\">{speed:.2}</text>\n"));
    }
}

fn write_to(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("a text grows");
}

/// Nothing where no OpenSSL is beside us, or nothing was measured.
fn bars(row: &Value) -> Option<Bars> {
    let peers = row.get("peers")?.as_array()?;
    let took = |of: &dyn Fn(&str) -> bool| {
        let times = peers.iter().filter(|peer| of(word_of(peer, "name"))).map(|peer| number(peer, "median"));
        times.min_by(f64::total_cmp)
    };
    if word_of(row, "kind") != "times" {
        return None;
    }
    let openssl = took(&|name| name.to_lowercase().starts_with("openssl"))?;
    Some(Bars {
        name: word_of(row, "row").to_owned(),
        ours: row.get("reached")?.as_f64()?,
        crates: took(&|name| name == CRATES).map(|took| openssl / took),
    })
}
