//! What a person at a terminal sees of a run.

use super::folders::Maildir;
use crate::support::{Program, Site, Terminal, drawings, terminals};

const CLEAR: &[u8] = b"From: carol@far.example\nSubject: pay\n\nThe secret body.\n";
const MESSAGES: u64 = 1200;

/// What a terminal got of a run that somebody ended when the bar had begun; nothing if the run came to its end before.
fn interrupted(site: &Site, words: &str) -> Option<String> {
    let is_under_way = |screen: &str| drawings(screen).iter().any(|(position, _, _)| *position > 0);
    let Terminal { screen, code } = Terminal::interrupted(site, words, is_under_way);
    assert!([Some(0), Some(75)].contains(&code), "{code:?} {screen}");
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
    let drawn = drawings(&screen);
    assert!(
        drawn.iter().all(|(position, length, _)| position <= length && *length == MESSAGES + 1),
        "{drawn:?}"
    );
    assert!(drawn.iter().any(|(position, _, rate)| *position > 0 && *rate > 0), "{drawn:?}");
    assert!(
        screen.contains("sealpost: stopping after the messages in hand; once more ends it at once"),
        "{screen}"
    );
    assert!(screen.contains("stopped; the same command goes on where it was"), "{screen}");
    let piped = site.run(&format!("{encrypt} --dry-run"));
    assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""), "nothing is drawn off a terminal");
    assert!(!Program::sealpost().words("mailbox --help").run().text().contains(" to go"));
}
