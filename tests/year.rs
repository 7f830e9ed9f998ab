//! `docs/KEYS.md` is a year of a domain with its own authority: this test lives it, command by command, at the dates that
//! the page gives.

use crate::support::{AT_ANOTHER_TIME, Authority, Ended, KeyKind, Program, Site, Step, path, steps, tools};
use std::cell::Cell;
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;

/// How many people the list has. The page speaks of a thousand, which takes minutes in a build for tests: `SEALPOST_FULL=1`.
fn people() -> usize {
    if std::env::var_os("SEALPOST_FULL").is_some() { 1000 } else { 25 }
}

struct Year {
    site: Site,
    /// Commands so far: each a minute after the one before.
    minutes: Cell<usize>,
}

impl Year {
    /// The files of which the page speaks, and in front of all others a `sealpost` and a `sudo` that know the date.
    fn begin(page: &str) -> Year {
        let site = Site::bare();
        std::fs::create_dir(site.folder().join("bin")).unwrap();
        let year = Year { site, minutes: Cell::new(0) };
        year.script(
            "sealpost",
            &format!("set -- \"$NOW\" '{}' \"$@\"; {AT_ANOTHER_TIME}", env!("CARGO_BIN_EXE_sealpost")),
        );
        year.script("sudo", "exec \"$@\"");
        year.shell("2027-01-04", "sealpost init").ok();
        let settings = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        std::fs::write(year.site.root().join("sealpost.toml"), settings).unwrap();
        let mut list = page.split("```\naddress,").nth(1).unwrap().split("```").next().unwrap().to_owned();
        (0..people() - 2).for_each(|n| writeln!(list, "p{n}@north.example,Person {n},ec-p256").unwrap());
        year.site.write("people.csv", &format!("address,{list}"));
        year.site.write("anna.password", "a word of her own\n");
        year.site.write("bo.password", "another one\n");
        year.others();
        year
    }

    /// Another authority, and who has a certificate of it.
    fn others(&self) {
        let dated = "for a; do shift; [ \"$a\" = 30 ] && a=700; set -- \"$@\" \"$a\"; done";
        let openssl = self.script(
            "openssl-of-then",
            &format!("{dated}\nset -- 2027-01-01 openssl \"$@\"; {AT_ANOTHER_TIME}"),
        );
        let folder = self.site.folder().to_owned();
        let authority = Authority::made_by(&openssl, &folder);
        std::fs::copy(authority.certificate(), folder.join("other-authority.pem")).unwrap();
        std::fs::create_dir(folder.join("handed-in")).unwrap();
        for name in ["cleo", "dag", "recovery"] {
            let person = authority.person(name, KeyKind::P256);
            let print = Program::new("openssl").words("x509 -noout -fingerprint -sha256 -in");
            let print = String::from_utf8(print.args([path(&person.certificate)]).run().ok()).unwrap();
            let print = print.split('=').nth(1).unwrap().trim().replace(':', "").to_lowercase();
            self.site.write(&format!("{name}.fingerprint"), &print);
        }
        std::fs::rename(folder.join("dag.pem"), folder.join("handed-in/dag.pem")).unwrap();
    }

    fn script(&self, name: &str, text: &str) -> std::path::PathBuf {
        let file = self.site.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        file
    }

    fn shell(&self, date: &str, line: &str) -> Ended {
        let folder = self.site.folder();
        let minutes = self.minutes.replace(self.minutes.get() + 1);
        let old = std::env::var("PATH").unwrap_or_default();
        Program::new("sh")
            .args(["-c", &format!("cd '{}' && {line}", path(folder))])
            .env("PATH", format!("{}:{old}", path(&folder.join("bin"))))
            .env("SEALPOST_ROOT", self.site.root())
            .env("NOW", format!("{date} {:02}:{:02}:00", minutes / 60, minutes % 60))
            .run()
    }

    /// What the hook answers to a message for somebody.
    fn delivers(&self, date: &str, name: &str) -> Option<i32> {
        let line = format!(
            "printf 'From: x@south.example\\nSubject: {date}\\n\\nxyzzy\\n' | \
             sealpost deliver --sender=x@south.example --recipient={name}@north.example"
        );
        self.shell(date, &line).code
    }

    /// How many of somebody's messages the password opens, and how many there are.
    fn opened(&self, date: &str, name: &str, password: &str) -> (usize, usize) {
        let inbox = self.site.root().join(format!("mail/north.example/{name}/Maildir/new"));
        let messages: Vec<_> = std::fs::read_dir(inbox).unwrap().map(|entry| entry.unwrap().path()).collect();
        let opens = |message: &&std::path::PathBuf| {
            let open = format!("sealpost open --account {name}@north.example --password-file {password}");
            let ended = self.shell(date, &format!("{open} < '{}'", path(message)));
            ended.code == Some(0) && ended.text().ends_with("\r\n\r\nxyzzy\r\n")
        };
        (messages.iter().filter(opens).count(), messages.len())
    }

    /// What must be so after a command, beside what it says itself.
    fn look(&self, date: &str, line: &str, text: &str) {
        let words = line.trim_start_matches("sudo ");
        match words {
            "sealpost doctor" if date == "2027-01-04" => {
                assert_eq!(text, "all is well\n");
                for name in ["anna", "bo", "p0"] {
                    assert_eq!(self.delivers(date, name), Some(0), "{name}");
                }
                let issued = self.shell(date, "sealpost cert issued --domain north.example --json").ok();
                let issued: serde_json::Value = serde_json::from_slice(&issued).unwrap();
                assert_eq!(issued["issued"].as_array().unwrap().len(), people());
            }
            _ if words.starts_with("sealpost cert revoke") => {
                assert_eq!(self.delivers(date, "bo"), Some(75));
            }
            _ if words.starts_with("sealpost cert issue --account bo") => {
                assert_eq!(self.delivers(date, "bo"), Some(0));
                // The old message by the old key, under the password that he was given.
                assert_eq!(self.opened(date, "bo", "bo.password").1, 2);
                assert_eq!(self.opened(date, "bo", "bo.password").0, 1);
                assert_eq!(self.opened(date, "bo", "passwords/bo@north.example.password").0, 1);
            }
            _ if words.starts_with("sealpost key password") => {
                assert_eq!(self.opened(date, "anna", "anna.password"), (1, 1));
                assert_eq!(self.opened(date, "anna", "passwords/anna@north.example.password"), (0, 1));
            }
            _ if words.starts_with("sealpost key rotate") => {
                assert_eq!(self.delivers(date, "p0"), Some(0));
            }
            _ => {}
        }
    }
}

#[test]
fn the_page_on_keys_is_lived_through() {
    if !tools(&["faketime", "openssl"]) {
        return;
    }
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/KEYS.md")).unwrap();
    let year = Year::begin(&page);
    let steps = steps(&page);
    assert!(steps.len() > 40, "{}", steps.len());
    let (mut today, mut weekly) = (String::new(), None);
    for Step { date, line, code, .. } in &steps {
        // What the page leaves to cron, once it was said.
        if let Some(sign) = weekly.filter(|_| today != *date) {
            year.shell(date, sign).ok();
        }
        date.clone_into(&mut today);
        if line.contains("sealpost crl sign") {
            weekly = Some(line.as_str());
        }
        let ended = year.shell(date, line);
        let text = ended.text();
        assert_eq!(ended.code, Some(*code), "{date}: {line}\n{text}{}", ended.stderr);
        if std::env::var_os("SEALPOST_FULL").is_some() {
            println!("{date} {:>6} ms  {line}", ended.took.as_millis());
        }
        year.look(date, line, &text);
    }
    let last = &steps.last().unwrap().date;
    for name in ["anna", "bo", "dag", "p0"] {
        assert_eq!(year.delivers(last, name), Some(0), "{name}");
    }
    assert_eq!(year.opened(last, "anna", "anna.password"), (2, 2));
    // What the last list says, in the words of another program.
    let lists = std::fs::read_dir(year.site.folder().join("public")).unwrap();
    let mut revoked = 0;
    for list in lists {
        let show = format!("openssl crl -inform DER -noout -text -in '{}'", path(&list.unwrap().path()));
        revoked += year.shell(last, &show).text().matches("Key Compromise").count();
    }
    assert!(revoked > 0, "Bo's lost key is on no list");
}
