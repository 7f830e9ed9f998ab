//! `docs/STORED-MAIL.md` and the README's section of that name do what they say.

use super::folders::{Lying, Maildir};
use crate::support::{Program, Site, path, steps};
use serde_json::Value;

/// Of ten years: unread and read, with LF and with CR LF, here and in an archive.
const MAIL: &[(&str, &str)] = &[
    ("new/1577836801.a.host", "Message-ID: <news.1@far.example>\r\nSubject: News\r\n\r\nxyzzy one\r\n"),
    ("cur/1577836802.b.host:2,FSa", "Message-ID: <flags.1@far.example>\nSubject: Flags\n\nxyzzy two\n"),
    (".Archive/cur/1577836803.c.host:2,S", LUNCH),
    (".Archive/cur/1577836804.d.host:2,RS", "Subject: Old\n\nxyzzy four\n"),
];
const LUNCH: &str = "Message-ID: <lunch.1@north.example>\nSubject: Lunch on Friday\n\nxyzzy three\n";
/// Three messages of a mailing list.
const MBOX: &str = "From a@far.example Mon Jan  6 10:00:00 2019\nSubject: one\n\nxyzzy\n\n\
                    From b@far.example Tue Jan  7 10:00:00 2019\nSubject: two\n\n>From here xyzzy\n\n\
                    From c@far.example Wed Jan  8 10:00:00 2019\nSubject: three\n\nxyzzy\n";

/// A site with Anna, who has a key, and the mail that lay there before.
struct Old {
    site: Site,
    anna: Maildir,
}

impl Old {
    fn new() -> Old {
        let site = Site::bare();
        site.run("init").ok();
        site.run("domain add north.example").ok();
        site.run("key generate --domain north.example --type ec-p256").ok();
        site.run("cert self-sign --domain north.example").ok();
        site.run("account add anna@north.example").ok();
        let password = site.write("anna.password", "north star\n");
        let generate = "key generate --account anna@north.example --type ec-p256 --password-file";
        site.program(generate).args([path(&password)]).run().ok();
        site.run("cert issue --account anna@north.example").ok();
        site.write("old-mail.mbox", MBOX);
        let anna = Maildir::of(&site.root(), "anna");
        anna.make(".Archive");
        for (day, (place, text)) in MAIL.iter().enumerate() {
            anna.put(place, text.as_bytes(), day as u64);
        }
        Old { site, anna }
    }

    /// Runs a line of the page as it stands there.
    fn shell(&self, line: &str, code: i32) -> String {
        let line = line.trim_start_matches("sudo ").replacen("sealpost", env!("CARGO_BIN_EXE_sealpost"), 1);
        let ended = Program::new("sh")
            .args(["-c", &format!("cd '{}' && {line}", path(self.site.folder()))])
            .env("SEALPOST_ROOT", self.site.root())
            .run();
        assert_eq!(ended.code, Some(code), "{line}: {}{}", ended.text(), ended.stderr);
        ended.text()
    }

    /// Those below a folder (`Archive`), or all.
    fn lying(&self, folder: &str) -> Vec<Lying> {
        let mut all = self.anna.messages();
        all.retain(|lying| path(&lying.file).contains(folder));
        all
    }

    /// How many lie in the clear below a folder.
    fn clear(&self, folder: &str) -> usize {
        self.lying(folder).iter().filter(|lying| !lying.is_sealed()).count()
    }

    fn summary(&self) -> Value {
        let words = "mailbox inspect --account anna@north.example --summary --json";
        let text = self.site.run(words).text();
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    }
}

/// The number behind a label of what is printed; nothing if the label is not there.
fn number(text: &str, label: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.trim_start().strip_prefix(label))?;
    rest.split([' ', ',']).find(|word| !word.is_empty())?.parse().ok()
}

/// The words between quotation marks of a comment: what the command says.
fn quoted(comment: &str) -> Option<&str> {
    comment.split_once('"')?.1.split_once('"').map(|(words, _)| words)
}

#[test]
fn the_page_on_stored_mail_is_run_line_by_line() {
    let page = include_str!("../../docs/STORED-MAIL.md");
    let old = Old::new();
    let all = MAIL.len() as u64;
    let mut seen = old.anna.messages();
    let steps = steps(page);
    let (mut encrypted, mut promised) = (0, 0);
    for step in &steps {
        let text = old.shell(&step.line, step.code);
        let now = old.anna.messages();
        let line = step.line.as_str();
        if let Some(words) = quoted(&step.comment) {
            assert_eq!(number(&text, words), Some(all), "{line}: {text}");
            promised += 1;
        }
        match line {
            "sealpost mailbox list" => {
                let rows: Vec<Vec<&str>> =
                    text.lines().map(|line| line.split_whitespace().take(6).collect()).collect();
                let row = |row: &'static str| row.split(' ').collect::<Vec<_>>();
                assert_eq!(rows[0], row("account mailbox messages sealed clear other"));
                assert_eq!(rows[1], row("anna@north.example INBOX 2 0 2 0"));
                assert_eq!(rows[2], row("anna@north.example Archive 2 0 2 0"));
                assert_eq!(rows[3][..5], row("total 4 0 4 0"));
            }
            _ if line.contains("inspect --all-accounts --summary") => {
                let told = ["messages", "in the clear", "sealed"].map(|label| number(&text, label));
                assert_eq!(told, [Some(all), Some(all), Some(0)], "{text}");
            }
            _ if line.contains("--dry-run") => {
                let told = ["looked at", "would be sealed", "failed"].map(|label| number(&text, label));
                assert_eq!(told, [Some(all), Some(all), Some(0)], "{text}");
                assert_eq!(seen, now, "nothing is changed");
            }
            _ if line.contains("encrypt --account") => {
                assert_eq!(old.clear("Archive"), 0, "{line}");
                assert_eq!(number(&text, "failed"), Some(0), "{text}");
            }
            _ if line.contains("inspect --account") && line.contains("Archive") => {
                let told = ["messages", "in the clear", "sealed"].map(|label| number(&text, label));
                assert_eq!(told, [Some(2), Some(0), Some(2)], "{text}");
            }
            "sealpost mailbox encrypt --all-accounts --all" if encrypted == 0 => {
                assert_eq!((number(&text, "sealed now"), old.clear("")), (Some(2), 0), "{text}");
                encrypted = 1;
            }
            "sealpost mailbox encrypt --all-accounts --all" => {
                assert_eq!(seen, now, "nothing is done the second time");
                let told = ["looked at", "sealed now", "already right"].map(|label| number(&text, label));
                assert_eq!(told, [Some(all), Some(0), Some(all)], "{text}");
                encrypted += 1;
            }
            _ if line.contains(" show ") => assert_eq!(text, LUNCH),
            _ if line.contains("inspect --account") && line.contains("--summary") => {
                assert_eq!(old.summary()["only_retired"], MAIL.len());
            }
            _ if line.contains(" rekey ") => {
                assert_eq!(old.summary()["only_retired"], 0, "{}", old.summary());
                assert!(seen.iter().zip(&now).all(|(was, is)| was.inode != is.inode));
            }
            _ if line.contains(" decrypt ") => {
                let clear: Vec<_> = now.iter().filter(|lying| !lying.is_sealed()).collect();
                assert_eq!(clear.len(), 1);
                assert_eq!(clear[0].bytes, LUNCH.as_bytes());
                assert_eq!(clear[0].letters(), "S");
            }
            _ if line.contains(" import ") => {
                assert_eq!((old.lying("2019").len(), old.clear("2019")), (3, 0));
            }
            _ if line.contains(" export ") => {
                let file = line.rsplit(' ').next().unwrap();
                let written = std::fs::read_to_string(old.site.folder().join(file)).unwrap();
                assert_eq!(written.contains("xyzzy"), file == "clear.mbox", "{file}");
            }
            _ => {}
        }
        seen = now;
    }
    assert_eq!((encrypted, promised), (2, 1), "once, and again; and what inspect says of a lost key");
    for verb in ["list", "inspect", "encrypt", "show", "rekey", "decrypt", "import", "export"] {
        let begin = format!("sealpost mailbox {verb}");
        assert!(steps.iter().any(|step| step.line.starts_with(&begin)), "{verb} is gone from the page");
    }
}

#[test]
fn the_section_of_the_readme_is_run_too() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("\n## Turn it on for mail that is already there\n").unwrap();
    let old = Old::new();
    let all = MAIL.len() as u64;
    let steps = steps(section.split("\n## ").next().unwrap());
    let [list, dry_run, one, every, inspect] = &steps[..] else { panic!("{} steps", steps.len()) };
    let text = old.shell(&list.line, list.code);
    assert!(text.lines().last().unwrap().starts_with("total"), "{text}");
    let seen = old.anna.messages();
    let text = old.shell(&dry_run.line, dry_run.code);
    assert_eq!(number(&text, "would be sealed"), Some(all), "{text}");
    assert_eq!(old.anna.messages(), seen, "a dry run changes nothing");
    let text = old.shell(&one.line, one.code);
    assert_eq!((number(&text, "sealed now"), old.clear("")), (Some(all), 0), "{text}");
    let seen = old.anna.messages();
    let text = old.shell(&every.line, every.code);
    assert_eq!(number(&text, "already right"), Some(all), "{text}");
    assert_eq!(old.anna.messages(), seen);
    let text = old.shell(&inspect.line, inspect.code);
    let told = ["in the clear", "sealed", "only on retired keys"].map(|label| number(&text, label));
    assert_eq!(told, [Some(0), Some(all), None], "{text}");
}
