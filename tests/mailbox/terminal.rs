//! What a person at a terminal sees of a run.

use super::folders::Maildir;
use crate::support::{Program, Site, path, terminals};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Read;
use std::process::{Command, Stdio};

const CLEAR: &[u8] = b"From: carol@far.example\nSubject: pay\n\nThe secret body.\n";
const MESSAGES: u64 = 1200;

/// One drawing of the bar: how far, of how many, and how many a second.
fn drawing(text: &str) -> Option<(u64, u64, u64)> {
    let whole = |text: &str| text.replace(',', "").parse().ok();
    let (front, rest) = text.rsplit_once(", ").filter(|(_, to_go)| to_go.trim_end().ends_with(" to go"))?;
    let (front, rate) = front.rsplit_once(", ")?;
    let (position, length) = front.split_whitespace().last()?.split_once('/')?;
    assert!(!rest.is_empty());
    Some((whole(position)?, whole(length)?, whole(rate.strip_suffix("/s")?)?))
}

/// Every one that a terminal got. The last one may be half of it.
fn drawings(screen: &[u8]) -> Vec<(u64, u64, u64)> {
    let text = String::from_utf8_lossy(screen);
    let lines = text.split(['\r', '\n', '\u{1b}']);
    lines.map(|line| line.trim_start_matches("[2K").trim_start_matches("[1A")).filter_map(drawing).collect()
}

/// What a terminal got of a run that somebody ended when the bar had begun; nothing if the run came to its end before.
fn interrupted(site: &Site, words: &str) -> Option<Vec<u8>> {
    let (program, root, pid) = (env!("CARGO_BIN_EXE_sealpost"), site.root(), site.folder().join("pid"));
    let line = format!(
        "stty cols 120; echo $$ > '{}'; exec '{program}' --root '{}' {words}",
        path(&pid),
        path(&root)
    );
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
    let mut interrupted = false;
    loop {
        let read = out.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        screen.extend_from_slice(&piece[..read]);
        if !interrupted && drawings(&screen).iter().any(|(position, _, _)| *position > 0) {
            interrupted = true;
            let pid = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
            // It may be over.
            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        }
    }
    let code = script.wait().unwrap().code();
    assert!([Some(0), Some(75)].contains(&code), "{code:?} {}", String::from_utf8_lossy(&screen));
    (code == Some(75)).then_some(screen)
}

#[test]
fn a_bar_shows_how_far_it_is_and_ctrl_c_is_answered() {
    if !terminals() {
        return;
    }
    let (site, _) = Site::certified();
    let maildir = Maildir::of(&site.root(), "bob");
    let encrypt = "mailbox encrypt --account bob@north.example --all";
    let furnish_and_interrupt = |_| {
        maildir.messages().iter().for_each(|lying| std::fs::remove_file(&lying.file).unwrap());
        maildir.make(".Archive");
        maildir.put(".Archive/cur/1577836801.a.host:2,S", CLEAR, 1);
        (0..MESSAGES).for_each(|number| {
            maildir.put(&format!("cur/15778{number:05}.a.host:2,S"), CLEAR, number);
        });
        interrupted(&site, encrypt)
    };
    let screen = (0..20).find_map(furnish_and_interrupt).expect("it is ended before its end");
    let text = String::from_utf8_lossy(&screen);
    let drawn = drawings(&screen);
    assert!(
        drawn.iter().all(|(position, length, _)| position <= length && *length == MESSAGES + 1),
        "{drawn:?}"
    );
    assert!(drawn.iter().any(|(position, _, rate)| *position > 0 && *rate > 0), "{drawn:?}");
    assert!(
        text.contains("sealpost: stopping after the messages in hand; once more ends it at once"),
        "{text}"
    );
    assert!(text.contains("stopped; the same command goes on where it was"), "{text}");
    let piped = site.run(&format!("{encrypt} --dry-run"));
    assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""), "nothing is drawn off a terminal");
    assert!(!Program::sealpost().words("mailbox --help").run().text().contains(" to go"));
}
