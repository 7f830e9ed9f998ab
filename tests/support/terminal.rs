//! What a person at a terminal sees.

use super::{Site, path};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Read;
use std::process::{Command, Stdio};

/// What came to a terminal of 120 columns, and the exit code.
pub(crate) struct Terminal {
    pub(crate) screen: String,
    pub(crate) code: Option<i32>,
}

impl Terminal {
    /// Runs `sealpost --root … WORDS` there: words of a shell.
    pub(crate) fn run(site: &Site, words: &str) -> Terminal {
        Terminal::interrupted(site, words, |_| false)
    }

    /// The same; ends it as Ctrl-C does, once what came so far is enough.
    pub(crate) fn interrupted(site: &Site, words: &str, is_enough: impl Fn(&str) -> bool) -> Terminal {
        let (program, root, pid) = (env!("CARGO_BIN_EXE_sealpost"), site.root(), site.folder().join("pid"));
        let root = path(&root);
        let line =
            format!("stty cols 120; echo $$ > '{}'; exec '{program}' --root '{root}' {words}", path(&pid));
        let mut script = Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut screen, mut piece) = (Vec::new(), [0; 4096]);
        let mut out = script.stdout.take().unwrap();
        let mut is_interrupted = false;
        loop {
            let read = out.read(&mut piece).unwrap();
            if read == 0 {
                break;
            }
            screen.extend_from_slice(&piece[..read]);
            if !is_interrupted && is_enough(&String::from_utf8_lossy(&screen)) {
                is_interrupted = true;
                let pid = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
                // It may be over.
                let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
            }
        }
        let screen = String::from_utf8_lossy(&screen).into_owned();
        Terminal { screen, code: script.wait().unwrap().code() }
    }
}

/// Every drawing of a bar on a screen: how far, of how many, and how many a second. The last one may be half of it.
pub(crate) fn drawings(screen: &str) -> Vec<(u64, u64, u64)> {
    let lines = screen.split(['\r', '\n', '\u{1b}']);
    lines.map(|line| line.trim_start_matches("[2K").trim_start_matches("[1A")).filter_map(drawing).collect()
}

fn drawing(text: &str) -> Option<(u64, u64, u64)> {
    let whole = |text: &str| text.replace(',', "").parse().ok();
    let (front, rest) = text.rsplit_once(", ").filter(|(_, to_go)| to_go.trim_end().ends_with(" to go"))?;
    let (front, rate) = front.rsplit_once(", ")?;
    let (position, length) = front.split_whitespace().last()?.split_once('/')?;
    assert!(!rest.is_empty());
    Some((whole(position)?, whole(length)?, whole(rate.strip_suffix("/s")?)?))
}
