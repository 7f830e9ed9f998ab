//! Programs that rules call: `Execute` and `ExternalFilter`.

mod commands;
mod deliveries;
mod engine;
mod filters;

use sealpost::engine::{CommandRun, FilterSetting, HelperSettings, Helpers};
use sealpost::helper::SitePrograms;
use sealpost::rules::{Answer, Command, Envelope, Source};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const SHELL: &str = "/bin/sh";
/// The time of a program that is to come to its end.
const PATIENT: Duration = Duration::from_secs(100);
/// Nothing takes so long that does not wait for what sleeps ten minutes, or for that time.
const AMPLE: Duration = Duration::from_secs(60);

/// Scripts in a folder of their own. A shell runs them, so that no file is executed that somebody still writes.
struct Scripts(tempfile::TempDir);

impl Scripts {
    fn new() -> Scripts {
        Scripts(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a script; `HERE/name` in it is a file beside it.
    fn write(&self, name: &str, text: &str) -> String {
        let text = text.replace("HERE", self.0.path().to_str().unwrap());
        std::fs::write(self.file(name), text).unwrap();
        self.file(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8(std::fs::read(self.file(name)).unwrap_or_default()).unwrap()
    }

    /// The numbers that scripts wrote into a file.
    fn pids(&self, name: &str) -> Vec<i32> {
        self.read(name).lines().map(|line| line.parse().unwrap()).collect()
    }
}

fn settings() -> HelperSettings {
    HelperSettings {
        execute: vec![SHELL.into(), "/bin/ls".into()],
        execute_timeout: PATIENT,
        filters: Vec::new(),
        filter_timeout: PATIENT,
    }
}

fn with_filter(path: &str, seconds: u64) -> HelperSettings {
    let (program, arguments) = (SHELL.into(), vec![path.to_owned()]);
    let filters = vec![FilterSetting { name: "spam".into(), program, arguments }];
    HelperSettings { filters, filter_timeout: Duration::from_secs(seconds), ..settings() }
}

fn envelope(sender: &str) -> Envelope {
    let recipients = vec!["bob@north.example".into(), "-ada@north.example".into()];
    Envelope { sender: Some(sender.into()), recipients, source: Source::Pipe, client: None }
}

fn execute_by(settings: &HelperSettings, command: &str, message: &[u8]) -> Result<(), String> {
    let (command, envelope) = (Command::parse(command).unwrap(), envelope("eve@east.example"));
    let run = CommandRun { command: &command, account: None, message, envelope: &envelope, most: None };
    SitePrograms::new(settings).execute(&run).map_err(|error| error.reason)
}

fn ask(programs: &SitePrograms, message: &[u8]) -> Result<Answer, String> {
    programs.ask("spam", message, &envelope("eve@east.example")).map_err(|error| error.reason)
}

/// Does nothing of this process run any more? What nobody reaped yet does not count.
fn is_gone(pid: i32) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"));
    stat.is_err() || stat.is_ok_and(|stat| stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

fn assert_gone(pids: &[i32]) {
    for pid in pids {
        crate::support::wait_for("the end of a process", 60, || is_gone(*pid).then_some(()));
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    (work(), begin.elapsed())
}
