//! The public messages through the disk: encrypted, handed on twice, decrypted by the program that people use.

use super::folders::{Lying, Maildir, kept};
use super::verbs::number;
use crate::support::{Site, crlf, path, vectors};
use sealpost::mail::{Eol, eol};
use std::path::{Path, PathBuf};

/// One message of so many is taken; all of them with `SEALPOST_FULL=1`.
const EVERY: usize = 8;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|entry| if entry.is_dir() { files(&entry) } else { vec![entry] }).collect()
}

fn fill(site: &Site, messages: &[Vec<u8>]) -> Maildir {
    let maildir = Maildir::of(&site.root(), "bob");
    maildir.make(".Archive");
    let letters = [":2,", ":2,S", ":2,FS", ":2,RSa", ":2,DTbcz"];
    for (at, bytes) in messages.iter().enumerate() {
        let name = format!("15778{at:05}.v{at}.host");
        let place = match at % 7 {
            0 => format!("new/{name}"),
            1 | 2 => format!(".Archive/cur/{name}{}", letters[at % 5]),
            _ => format!("cur/{name}{}", letters[at % 5]),
        };
        maildir.put(&place, bytes, at as u64);
    }
    maildir
}

/// What must be there at the end.
fn expected(before: &[Lying]) -> Vec<Vec<u8>> {
    let back = |bytes: &[u8]| if eol(bytes) == Eol::Mixed { crlf(bytes) } else { bytes.to_vec() };
    before.iter().map(|lying| back(&lying.bytes)).collect()
}

#[test]
fn public_mail_comes_back_to_the_disk_byte_for_byte() {
    let Some(folder) = vectors() else { return };
    let every = if std::env::var_os("SEALPOST_FULL").is_some() { 1 } else { EVERY };
    let files = files(&folder.join("mail"));
    let messages: Vec<Vec<u8>> =
        files.iter().step_by(every).map(|file| std::fs::read(file).unwrap()).collect();
    assert!(messages.len() > 3000 / every, "only {} messages", messages.len());
    let (site, password) = Site::certified();
    std::fs::write(site.root().join("sealpost.toml"), "sealed-to-others = \"wrap\"\nopenpgp = \"seal\"\n")
        .unwrap();
    let maildir = fill(&site, &messages);
    let before = maildir.messages();
    let account = "--account bob@north.example";
    let with = format!("{account} --password-file {} --all", path(&password));
    let all_done = |words: &str, label: &str| {
        let ended = site.program(words).run();
        assert_eq!(ended.code, Some(0), "{words}: {}", ended.stderr);
        assert_eq!(number(&ended, label), Some(before.len() as u64), "{}", ended.text());
        let now = maildir.messages();
        assert_eq!(kept(&now), kept(&before), "after {words}");
        now
    };
    let sealed = all_done(&format!("mailbox encrypt {account} --all"), "sealed now");
    assert!(sealed.iter().all(Lying::is_sealed));
    for _ in 0..2 {
        let generate = format!("key generate {account} --type ec-p256 --password-file");
        site.program(&generate).args([path(&password)]).run().ok();
        site.run(&format!("cert issue {account} --renew")).ok();
        all_done(&format!("mailbox rekey {with}"), "rekeyed now");
    }
    let clear = all_done(&format!("mailbox decrypt {with}"), "decrypted now");
    for ((now, expected), was) in clear.iter().zip(expected(&before)).zip(&before) {
        assert!(now.bytes == expected, "{}", was.name());
    }
    assert!(maildir.is_tidy());
}
