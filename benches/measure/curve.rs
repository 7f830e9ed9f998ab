//! How cost grows: points, and the slope of their logarithms. 1 is a straight line through the origin.

use super::table::digits;
use serde_json::Value;

/// More is worse than a straight line.
const STEEPEST: f64 = 1.1;

pub(crate) struct Curve {
    pub(crate) name: &'static str,
    /// What is counted along the curve.
    pub(crate) of: &'static str,
    /// By their number, with the milliseconds that they cost; at least two.
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) note: &'static str,
}

impl Curve {
    /// Of all points, by least squares.
    pub(crate) fn slope(&self) -> f64 {
        slope(&self.points)
    }

    /// Of the upper half: what the fixed cost of one hides below.
    pub(crate) fn upper(&self) -> f64 {
        let from = self.points.len().saturating_sub(self.points.len().div_ceil(2).max(2));
        slope(self.points.get(from..).unwrap_or_default())
    }

    /// Both are at most [`STEEPEST`].
    pub(crate) fn is_straight(&self) -> bool {
        self.slope().max(self.upper()) <= STEEPEST
    }

    pub(crate) fn print(&self) {
        println!("{}, by {}", self.name, self.of);
        for (number, milli) in &self.points {
            println!("{number:>14}{:>14} ms{:>14} µs each", digits(*milli), digits(milli * 1000.0 / number));
        }
        let word = if self.is_straight() { "straight" } else { "STEEP" };
        println!("    slope {:.2}, of the upper half {:.2}: {word}", self.slope(), self.upper());
        if !self.note.is_empty() {
            println!("    {}", self.note);
        }
    }

    pub(crate) fn json(&self) -> Value {
        let points: Vec<Value> =
            self.points.iter().map(|(number, milli)| serde_json::json!([number, milli])).collect();
        serde_json::json!({
            "curve": self.name,
            "of": self.of,
            "unit": "ms",
            "points": points,
            "slope": self.slope(),
            "slope_upper_half": self.upper(),
            "steepest": STEEPEST,
            "straight": self.is_straight(),
            "note": self.note,
        })
    }
}

fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (mean_x, mean_y) =
        (logs.iter().map(|(x, _)| x).sum::<f64>() / count, logs.iter().map(|(_, y)| y).sum::<f64>() / count);
    let above: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let below: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    above / below
}
