//! What was measured, for a person and for a program.

use super::super::failure::Failure;
use super::super::output::{Output, Table};
use super::sealing::{Pools, Sealing, Side};
use super::steps::Steps;
use super::storing::{Storing, WRITERS};
use crate::crypto::{aead, lanes};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What it was measured on.
pub(super) struct Machine {
    processor: String,
    cores: usize,
    /// Where messages were stored.
    folder: PathBuf,
    is_in_memory: bool,
}

impl Machine {
    pub(super) fn new(pools: &Pools, is_in_memory: bool, folder: PathBuf) -> Machine {
        Machine { processor: processor(), cores: pools.cores(), folder, is_in_memory }
    }

    fn cores(&self) -> String {
        if self.cores == 1 { "1 core".to_owned() } else { format!("{} cores", self.cores) }
    }

    fn line(&self) -> String {
        let (cbc, rsa, width) = (lanes::cbc::Backend::chosen(), lanes::rsa::backend(), lanes::width());
        let beside = if width == 1 { String::new() } else { format!(", {width} messages side by side") };
        let gcm = aead::BACKEND;
        let (processor, cores) = (&self.processor, self.cores());
        format!("{processor}, {cores}; AES-256-CBC by {cbc}{beside}; AES-256-GCM by {gcm}; RSA by {rsa}")
    }
}

/// As the kernel calls it.
fn processor() -> String {
    let known = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = known.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let words = name.map_or(std::env::consts::ARCH, |(_, name)| name).split_whitespace();
    words.collect::<Vec<_>>().join(" ")
}

/// All that was measured.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) sealing: Vec<Sealing>,
    pub(super) storing: Vec<Storing>,
    pub(super) steps: Vec<Steps>,
}

impl Figures {
    pub(super) fn show(&self, machine: &Machine, out: &mut Output) -> Result<(), Failure> {
        out.line(machine.line())?;
        out.line("\nSealed, many in one call, and opened one after the other:")?;
        out.table(&self.sealing(machine))?;
        out.line(format!("\nStored in {}, each message synced:", machine.folder.display()))?;
        out.table(&self.storing())?;
        if machine.is_in_memory {
            out.line("This folder lies in memory, and syncing there waits for no disk: --store-in DIR names another.")?;
        }
        out.line("\nOne delivery alone, to one RSA key under the profile compatible:")?;
        out.table(&self.steps())?;
        out.line("\nFigures are medians; MB are millions of bytes as they come in. On a machine that others use too,")?;
        out.line(
            "compare what stands in these tables with each other rather than with those of another day.",
        )?;
        out.json(self.json(machine))
    }

    fn sealing(&self, machine: &Machine) -> Table {
        let all = format!("sealed/s {}", machine.cores());
        let headings = ["profile", "key", "size", "sealed/s 1 core", "MB/s", &all, "MB/s", "opened/s 1 core"];
        let mut table = Table::new(&headings, "");
        for of in &self.sealing {
            let megabytes = |rate: f64| whole(rate * of.size.bytes as f64 / 1e6);
            let names = [of.profile, of.key, of.size.name].map(str::to_owned);
            let [one, all] = [&of.one_core, &of.all_cores].map(|side| side.per_second);
            let one = [whole(one), megabytes(one)];
            let all = [whole(all), megabytes(all), whole(of.opened)];
            table.row(names.into_iter().chain(one).chain(all));
        }
        table
    }

    fn storing(&self) -> Table {
        let at_once = format!("stored/s {WRITERS} at once");
        let mut table = Table::new(&["size", "stored/s one after the other", &at_once], "");
        for of in &self.storing {
            table.row([of.size.name.to_owned(), whole(of.in_turn), whole(of.at_once)]);
        }
        table
    }

    /// A column a size, a row a step.
    fn steps(&self) -> Table {
        let names = self.steps.iter().flat_map(|of| [format!("{} µs", of.size.name), "%".to_owned()]);
        let headings: Vec<String> = std::iter::once("step".to_owned()).chain(names).collect();
        let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
        let mut table = Table::new(&headings, "");
        for (name, step) in STEPS {
            let cells = self.steps.iter().flat_map(|of| [whole(step(of) * 1e6), whole(of.share(step(of)))]);
            table.row(std::iter::once(name.to_owned()).chain(cells));
        }
        table
    }

    fn json(&self, machine: &Machine) -> Value {
        let sealing = self.sealing.iter().map(|of| {
            let megabytes = |rate: f64| rounded(rate * of.size.bytes as f64 / 1e6);
            let side = |side: &Side| {
                json!({"threads": side.threads, "per_second": rounded(side.per_second),
                    "mb_per_second": megabytes(side.per_second)})
            };
            json!({"profile": of.profile, "key": of.key, "size": of.size.bytes, "batch": of.batch,
                "one_core": side(&of.one_core), "all_cores": side(&of.all_cores), "opened_per_second": rounded(of.opened)})
        });
        let storing = self.storing.iter().map(|of| {
            json!({"size": of.size.bytes, "in_turn_per_second": rounded(of.in_turn), "at_once": WRITERS,
                "at_once_per_second": rounded(of.at_once)})
        });
        let micros = |seconds: f64| rounded(seconds * 1e6);
        let steps = self.steps.iter().map(|of| {
            let percent = |seconds: f64| rounded(of.share(seconds));
            json!({"size": of.size.bytes, "key_us": micros(of.key), "content_us": micros(of.content),
                "rest_us": micros(of.rest), "store_us": micros(of.store), "key_percent": percent(of.key),
                "content_percent": percent(of.content), "rest_percent": percent(of.rest),
                "store_percent": percent(of.store)})
        });
        json!({"processor": machine.processor, "cores": machine.cores, "cbc": lanes::cbc::Backend::chosen().to_string(),
            "gcm": aead::BACKEND, "rsa": lanes::rsa::backend(), "folder": machine.folder, "in_memory": machine.is_in_memory,
            "sealing": sealing.collect::<Vec<_>>(), "storing": storing.collect::<Vec<_>>(),
            "steps": steps.collect::<Vec<_>>()})
    }
}

/// What a step is called, and how long it takes.
type Step = (&'static str, fn(&Steps) -> f64);

const STEPS: [Step; 5] = [
    ("content key to the recipient", |of| of.key),
    ("line ends, cipher, base64", |of| of.content),
    ("the rest of sealing", |of| of.rest),
    ("store, synced", |of| of.store),
    ("all", Steps::total),
];

fn whole(figure: f64) -> String {
    format!("{figure:.0}")
}

/// Two places behind the point: what comes after is noise.
fn rounded(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::super::SIZES;
    use super::*;

    fn steps() -> Figures {
        let steps = vec![Steps { size: SIZES[0], key: 10e-6, content: 20e-6, rest: 10e-6, store: 160e-6 }];
        Figures { steps, ..Figures::default() }
    }

    #[test]
    fn shares_are_of_the_whole() {
        let machine = Machine { processor: "x".into(), cores: 1, folder: "/tmp".into(), is_in_memory: false };
        assert_eq!(
            steps().json(&machine)["steps"][0],
            json!({"size": 4096, "key_us": 10.0, "content_us": 20.0, "rest_us": 10.0, "store_us": 160.0,
                "key_percent": 5.0, "content_percent": 10.0, "rest_percent": 5.0, "store_percent": 80.0})
        );
        let table = steps().steps().layout(None);
        let numbers =
            |line: &str| line.split_whitespace().rev().take(2).map(str::to_owned).collect::<Vec<_>>();
        let rows: Vec<_> = table.lines().skip(1).map(numbers).collect();
        assert_eq!(rows, [["5", "10"], ["10", "20"], ["5", "10"], ["80", "160"], ["100", "200"]]);
    }

    #[test]
    fn what_took_no_time_has_no_share() {
        let none = Steps { size: SIZES[0], key: 0.0, content: 0.0, rest: 0.0, store: 0.0 };
        assert_eq!(none.share(none.key), 0.0);
    }
}
