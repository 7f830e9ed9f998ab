//! What a person at a terminal sees of `deliver --batch`.

use crate::support::{Site, Terminal, drawings, path, terminals};

const MESSAGES: u64 = 40;

#[test]
fn a_bar_shows_how_far_it_is() {
    if !terminals() {
        return;
    }
    let (site, _) = Site::certified();
    let (folder, mbox) = (site.folder().join("mail"), site.folder().join("mbox"));
    std::fs::create_dir(&folder).unwrap();
    let letter = |number: u64| format!("From: carol@far.example\nSubject: {number}\n\nThe body.\n");
    (0..MESSAGES).for_each(|number| std::fs::write(folder.join(number.to_string()), letter(number)).unwrap());
    let letters =
        (0..MESSAGES).map(|number| format!("From carol Thu Nov 26 08:00:00 2026\n{}\n", letter(number)));
    std::fs::write(&mbox, letters.collect::<String>()).unwrap();
    let [of_folder, of_mbox] = [path(&folder).to_owned(), format!("- < {}", path(&mbox))]
        .map(|from| format!("deliver --recipient bob@north.example --batch {from}"));
    let Terminal { screen, code } = Terminal::run(&site, &of_folder);
    assert_eq!(code, Some(0), "{screen}");
    let drawn = drawings(&screen);
    assert!(
        drawn.iter().all(|(position, length, _)| position <= length && *length == MESSAGES),
        "{screen:?}"
    );
    assert!(drawn.iter().any(|(position, _, _)| *position > 0), "{screen:?}");
    // How many there are in an mbox nobody knows.
    let Terminal { screen, code } = Terminal::run(&site, &of_mbox);
    assert_eq!(code, Some(0), "{screen}");
    let counts = |line: &str| {
        let (number, rate) = line.trim_start_matches("[2K").split_once(", ")?;
        rate.trim_end().strip_suffix("/s")?.parse::<u64>().ok()?;
        number.parse::<u64>().ok()
    };
    let counted: Vec<u64> = screen.split(['\r', '\n', '\u{1b}']).filter_map(counts).collect();
    assert!(counted.iter().any(|number| (1..=MESSAGES).contains(number)), "{screen:?}");
    // Nothing is drawn for a program, nor off a terminal.
    let Terminal { screen, code } = Terminal::run(&site, &format!("{of_folder} --json"));
    let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    assert!(code == Some(0) && screen.lines().all(is_json), "{screen:?}");
    let piped = site.run(&of_folder);
    assert_eq!((piped.code, piped.stderr.as_str()), (Some(0), ""));
}
