//! On what it was measured.

use serde_json::Value;
use std::process::Command;

pub(crate) struct Machine {
    /// The processor's name, and how many of it there are.
    processor: String,
    cores: usize,
    system: String,
    /// The library in this process.
    openssl: String,
    commit: String,
    day: String,
    command: String,
}

impl Machine {
    /// This one.
    pub(crate) fn here(command: &str) -> Machine {
        Machine {
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            system: first_line("uname", &["-sm"]),
            openssl: openssl::version::version().to_owned(),
            commit: commit(),
            day: time::OffsetDateTime::now_utc().date().to_string(),
            command: command.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::json!({
            "processor": self.processor,
            "cores": self.cores,
            "system": self.system,
            "openssl": self.openssl,
            "commit": self.commit,
            "day": self.day,
            "command": self.command,
        })
    }

    /// Two lines for a person.
    pub(crate) fn text(&self) -> String {
        let Machine { processor, cores, system, openssl, commit, day, command } = self;
        format!(
            "{processor}, {cores} cores, {system} · beside it {openssl}\ncommit {commit}, {day} · {command}"
        )
    }
}

/// With the instructions that decide here, where it has them.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |key: &str| {
        let line = info.lines().find(|line| line.split(':').next().is_some_and(|name| name.trim() == key))?;
        line.split_once(':').map(|(_, value)| value.trim())
    };
    let flags: Vec<&str> = value("flags").unwrap_or_default().split(' ').collect();
    let known = [("aes", "AES-NI"), ("vaes", "VAES"), ("avx512ifma", "IFMA"), ("avx512vbmi", "VBMI")];
    let has: Vec<&str> =
        known.into_iter().filter(|(flag, _)| flags.contains(flag)).map(|(_, name)| name).collect();
    let name = value("model name").unwrap_or("a processor").to_owned();
    if has.is_empty() { name } else { format!("{name} ({})", has.join(", ")) }
}

/// The short one; with a mark where the source was changed behind it.
fn commit() -> String {
    let head = first_line("git", &["rev-parse", "--short=10", "HEAD"]);
    let measured = ["src", "benches/*.rs", "Cargo.toml", "Cargo.lock", ".cargo"];
    let changed = first_line(
        "git",
        &[&["status", "--porcelain", "--untracked-files=no", "--"][..], &measured].concat(),
    );
    if changed.is_empty() { head } else { format!("{head} with changes") }
}

fn first_line(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned()
}
