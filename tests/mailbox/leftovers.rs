//! What Dovecot keeps of messages that were replaced, and the commands that we print to drop it.

use super::served::{BOB, Served};
use crate::support::{Program, dovecot_plugin, find, path, root};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const WORD: &[u8] = b"quagga";

/// The files of a Maildir, beside the messages, in which the word stands.
fn holding(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap().path();
        if entry.is_dir() {
            found.extend(holding(&entry));
        } else if std::fs::read(&entry).unwrap().windows(WORD.len()).any(|window| window == WORD) {
            found.push(entry);
        }
    }
    found
}

/// Reads the first words of each message, twice: Dovecot keeps what is asked for again.
fn read_mail(served: &Served) {
    for _ in 0..2 {
        let mut session = served.dovecot.session(BOB);
        session.imap("FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW)");
        session.imap("LOGOUT");
    }
}

/// Runs lines as an administrator types them; `doveadm` finds our Dovecot.
fn type_in(served: &Served, lines: &[String]) {
    let bin = served.folder().join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\nexec {} -c {} \"$@\"\n",
        path(&find("doveadm").unwrap()),
        path(&served.dovecot.configuration())
    );
    std::fs::write(bin.join("doveadm"), script).unwrap();
    std::fs::set_permissions(bin.join("doveadm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", path(&bin), std::env::var("PATH").unwrap());
    for line in lines {
        Program::new("sh").args(["-c", line]).env("PATH", &path).run().ok();
    }
}

/// The commands in what was said.
fn commands(said: &str) -> Vec<String> {
    said.lines()
        .filter_map(|line| line.strip_prefix("  doveadm "))
        .map(|line| format!("doveadm {line}"))
        .collect()
}

#[test]
fn the_printed_commands_make_dovecot_forget() {
    if !root(&["openssl", "dovecot", "doveadm"]) {
        return;
    }
    let served = Served::with_letters(12);
    read_mail(&served);
    let cache = served.maildir().join("dovecot.index.cache");
    assert!(holding(&served.maildir()).contains(&cache), "Dovecot keeps the first words");
    let ended = served.run(&format!("mailbox encrypt --account {BOB} --all"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(holding(&served.maildir()), [cache], "the messages are sealed, the cache is as it was");
    let printed = commands(&ended.stderr);
    assert_eq!(printed.len(), 1, "{}", ended.stderr);
    let inspect = || served.run(&format!("mailbox inspect --account {BOB} --summary"));
    assert_eq!(commands(&inspect().stderr), printed, "who inspects is warned");
    type_in(&served, &printed);
    assert_eq!(holding(&served.maildir()), Vec::<PathBuf>::new());
    let again = served.run(&format!("mailbox encrypt --account {BOB} --all"));
    assert_eq!(commands(&again.stderr), Vec::<String>::new(), "nothing older is kept: {}", again.stderr);
    assert_eq!(commands(&inspect().stderr), Vec::<String>::new());
}

const XAPIAN: &str = "
mail_plugins = fts fts_xapian
plugin {
  fts = xapian
  fts_xapian = partial=3 full=20
}
";

/// `doveadm fts rescan` takes the full-text index away, and it is made anew of what is there.
#[test]
fn the_printed_commands_empty_the_index_of_xapian() {
    if !root(&["openssl", "dovecot", "doveadm"]) || !dovecot_plugin("lib21_fts_xapian_plugin.so") {
        return;
    }
    let served = Served::with_letters(12);
    let configuration = served.dovecot.configuration();
    let before = std::fs::read_to_string(&configuration).unwrap();
    std::fs::write(&configuration, before + XAPIAN).unwrap();
    let index = format!("doveadm index -u {BOB} INBOX");
    type_in(&served, &["doveadm reload".into(), index.clone()]);
    let xapian = served.maildir().join("xapian-indexes");
    let has_words = || holding(&served.maildir()).iter().any(|file| file.starts_with(&xapian));
    assert!(has_words(), "the index holds the word");
    let ended = served.run(&format!("mailbox encrypt --account {BOB} --all"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let printed = commands(&ended.stderr);
    assert!(printed.contains(&format!("doveadm fts rescan -u {BOB}")), "{}", ended.stderr);
    assert!(has_words(), "sealing alone leaves the index as it is");
    type_in(&served, &printed);
    assert!(!has_words());
    type_in(&served, &[index]);
    assert!(!has_words(), "what is sealed is not indexed");
}
