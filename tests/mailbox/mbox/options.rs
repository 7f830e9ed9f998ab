//! What can be said besides, and what goes wrong with the disk.

use super::*;
use crate::mailbox::verbs::enveloped;
use crate::mailbox::works::openpgp;
use crate::support::{Mount, root};

impl Desk {
    /// Another account of the domain, with a key under the same password; its certificate as a file.
    fn with(&self, name: &str) -> PathBuf {
        self.site.run(&format!("account add {name}@north.example")).ok();
        let generate = format!("key generate --account {name}@north.example --type rsa-2048 --password-file");
        self.site.program(&generate).args([path(&self.password)]).run().ok();
        self.site.run(&format!("cert issue --account {name}@north.example")).ok();
        let shown = self.site.json(&format!("cert show --account {name}@north.example"));
        self.site.write(&format!("{name}.pem"), shown["certificates"][0]["pem"].as_str().unwrap())
    }

    /// Puts a file into the INBOX that nobody sealed.
    fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::create_dir_all(self.maildir().join("cur")).unwrap();
        std::fs::write(self.maildir().join("cur").join(name), bytes).unwrap();
    }

    fn subjects(&self, words: &str) -> Vec<String> {
        let subject = |message: Vec<u8>| {
            let text = String::from_utf8(message).unwrap();
            text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap().to_owned()
        };
        cut(&self.export(words)).into_iter().map(subject).collect()
    }
}

/// One message as an mbox.
fn mbox_of(message: &[u8]) -> Vec<u8> {
    [b"From - Tue Nov 24 03:41:02 2026\n", message, b"\n"].concat()
}

#[test]
fn the_acting_account_reads_what_it_imports() {
    let desk = Desk::new();
    desk.with("anna");
    let refused = desk.import("--acting eve@north.example", MBOX.as_bytes());
    assert_eq!((refused.code, refused.text().as_str()), (Some(66), ""), "{}", refused.stderr);
    assert!(!desk.maildir().exists());
    desk.import("--acting anna@north.example", MBOX.as_bytes()).ok();
    for (file, message) in desk.lying("").iter().zip(MESSAGES) {
        let sealed = std::fs::read(file).unwrap();
        assert_eq!(enveloped(&sealed).recipients.len(), 2);
        for account in ["anna", "bob"] {
            let open = format!("open --account {account}@north.example --password-file");
            let opened = desk.site.program(&open).args([path(&desk.password)]).input(sealed.clone()).run();
            assert_eq!(opened.ok(), crate::support::crlf(message.as_bytes()), "{account}");
        }
    }
}

#[test]
fn what_is_sealed_to_others_is_left_or_wrapped() {
    let desk = Desk::new();
    let anna = desk.with("anna");
    let seal = desk.site.program("seal --cert").args([path(&anna)]);
    let for_anna = seal.input(*b"Subject: for anna\r\n\r\nThe secret.\r\n").run().ok();
    let left = desk.import("--mailbox Left", &mbox_of(&for_anna));
    assert_eq!((left.code, number(&left, "imported")), (Some(0), 1));
    assert_eq!((left.stderr.as_str(), number(&left, "  sealed to others, left")), ("", 1));
    assert_eq!(std::fs::read(&desk.lying(".Left")[0]).unwrap(), for_anna);
    let told = events(&desk.import("--mailbox Told --json --sealed-to-others leave", &mbox_of(&for_anna)));
    assert_eq!(told[0]["notes"], serde_json::json!(["sealed to others, and left so"]));
    assert_eq!(told[0]["left"], "sealed-to-others");
    let wrapped = desk.import("--mailbox Wrapped --sealed-to-others wrap", &mbox_of(&for_anna));
    let note = "sealpost: message 1, at byte 0: it was encrypted already: that encryption is inside now\n";
    assert_eq!((wrapped.code, wrapped.stderr.as_str()), (Some(0), note));
    assert_ne!(std::fs::read(&desk.lying(".Wrapped")[0]).unwrap(), for_anna);
    assert_eq!(cut(&desk.export("--mailbox Wrapped")), [for_anna]);
    let (code, stderr) =
        desk.site.refused("mailbox import --account bob@north.example --sealed-to-others drop -");
    assert!(code == 64 && stderr.contains("invalid value 'drop'"), "{stderr}");
}

/// The same octets mean other messages.
#[test]
fn each_form_of_mbox_is_cut_in_its_own_way() {
    let desk = Desk::new();
    let inner = "From dave@far.example Wed Nov 25 03:41:02 2026\nSubject: inside\n\n>From me\n";
    let body = format!("x\n\n{inner}");
    let mbox = format!(
        "From - Tue Nov 24 03:41:02 2026\nSubject: one\nContent-Length: {}\n\n{body}\n\
         From - Tue Nov 24 03:41:03 2026\nSubject: two\n\n>>From you\n",
        body.len()
    );
    let head = format!("Subject: one\nContent-Length: {}\n\n", body.len());
    let whole =
        |body: &str, last: &str| vec![format!("{head}{body}"), format!("Subject: two\n\n{last}From you\n")];
    let in_lines = |quote: &str, last: &str| {
        let inside = format!("Subject: inside\n\n{quote}From me\n");
        vec![format!("{head}x\n"), inside, format!("Subject: two\n\n{last}From you\n")]
    };
    for (format, wanted) in [
        ("mboxcl2", whole(&body, ">>")),
        ("mboxcl", whole(&body.replace(">From", "From"), ">>")),
        ("mboxrd", in_lines("", ">")),
        ("mboxo", in_lines("", ">>")),
    ] {
        let ended = desk.import(&format!("--format {format} --mailbox {format}"), mbox.as_bytes());
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let found = cut(&desk.export(&format!("--mailbox {format}")));
        let found: Vec<String> =
            found.into_iter().map(|message| String::from_utf8(message).unwrap()).collect();
        assert_eq!(found, wanted, "{format}");
    }
    let (code, stderr) = desk.site.refused("mailbox import --account bob@north.example --format mbox -");
    assert!(code == 64 && stderr.contains("it is mboxrd, mboxo, mboxcl or mboxcl2"), "{stderr}");
}

#[test]
fn a_full_disk_stops_it_and_nothing_is_lost_or_doubled() {
    if !root(&["mount", "umount"]) {
        return;
    }
    let desk = Desk::new();
    let mail = desk.site.root().join("mail");
    let _ = std::fs::remove_dir(&mail);
    let mount = Mount::new(mail, "size=1500k,mode=0700");
    let mbox: String = (0..600)
        .map(|number| format!("From - Tue Nov 24 03:41:02 2026\nSubject: {number}\n\nThe secret\n\n"))
        .collect();
    let ended = desk.import("", mbox.as_bytes());
    assert_eq!(ended.code, Some(74), "{}", ended.stderr);
    assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .ends_with("\n  the same command goes on from there: what was imported is not imported twice\n"),
        "{}",
        ended.stderr
    );
    let there = desk.lying("").len() as u64;
    assert!(there > 100 && there < 600, "{there}");
    assert_eq!(number(&ended, "imported"), there, "what is told is there");
    assert_eq!(files_in(&desk.maildir().join("tmp")), Vec::<PathBuf>::new());
    mount.remount("size=16m");
    let again = desk.import("", mbox.as_bytes());
    assert_eq!((number(&again, "imported"), number(&again, "there already")), (600 - there, there));
    again.ok();
    assert_eq!(desk.lying("").len(), 600);
    assert!(!holds(&desk.site.root(), b"The secret"));
}

#[test]
fn criteria_choose_what_is_exported() {
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    for (words, wanted) in [
        ("--before 2026-11-25", ["three"].as_slice()),
        ("--since 2026-11-26", &["one"]),
        ("--subject two", &["two"]),
        ("--subject t*", &["two", "three"]),
        ("--subject t* --before 2026-11-25", &["three"]),
        ("--flag flagged", &["one"]),
    ] {
        assert_eq!(desk.subjects(words), wanted, "{words}");
    }
    let none = desk.mailbox("export --subject four").run();
    assert_eq!((none.code, none.text().as_str()), (Some(0), ""), "{}", none.stderr);
}

/// What was written is not the mailbox, so it does not stay.
#[test]
fn an_interrupted_export_leaves_no_file() {
    let desk = Desk::new();
    let large =
        format!("{}Subject: large\n\n{}\n", "From - Tue Nov 24 03:41:02 2026\n", "x\n".repeat(50_000));
    desk.import("", large.as_bytes()).ok();
    let sealed = std::fs::read(&desk.lying("")[0]).unwrap();
    (0..400).for_each(|number| desk.put(&format!("15778{number:05}.a.host:2,S"), &sealed));
    let out = desk.site.folder().join("out.mbox");
    let mut child = Command::new(env!("CARGO_BIN_EXE_sealpost"))
        .args(["--root", path(&desk.site.root()), "mailbox", "export", "--account", "bob@north.example"])
        .args(["--password-file", path(&desk.password), "--output", path(&out)])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    crate::support::wait_for("the first octets", 60, || {
        assert!(child.try_wait().unwrap().is_none(), "it came to its end");
        out.metadata().is_ok_and(|data| data.len() > 0).then_some(())
    });
    let told = (Some(75), "sealpost: stopped: what was written is not the whole mailbox\n".to_owned());
    assert_eq!(interrupted(child), told);
    assert!(!out.exists());
}

#[test]
fn what_is_larger_than_max_message_is_left_out() {
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    let large = [b"Subject: large\n\n", "x\n".repeat(60_000).as_bytes()].concat();
    desk.put("1577836801.a.host:2,S", &large);
    std::fs::write(desk.site.root().join("sealpost.toml"), "max-message = \"100K\"\n").unwrap();
    let ended = desk.mailbox("export").run();
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "sealpost: 1577836801.a.host is left out: it has 120016 octets, more than the 102400 that max-message allows\n\
         sealpost: 1 message could not be read and left out\n"
    );
    assert_eq!(cut(&ended.stdout).len(), 3);
}

#[test]
fn json_beside_an_mbox_on_standard_output_is_refused() {
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    for output in ["", " --output -"] {
        let words = format!("mailbox export --account bob@north.example --json{output}");
        let (code, stderr) = desk.site.refused(&words);
        assert_eq!(code, 64);
        assert!(stderr.contains("standard output holds the mbox, not JSON"), "{stderr}");
    }
}

/// With a key each of them is a message that should be clear and is not; without one nobody asked for it.
#[test]
fn what_has_no_clear_form_comes_as_it_is_stored() {
    let desk = Desk::new();
    desk.import("", MBOX.as_bytes()).ok();
    let sealed = std::fs::read_to_string(&desk.lying("")[2]).unwrap();
    let lines: Vec<&str> = sealed.split_inclusive('\n').collect();
    let broken = lines[..lines.len() - 4].concat().into_bytes();
    let labelled =
        b"Subject: label\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nnothing\n";
    desk.put("1577836801.a.host:2,S", &openpgp());
    desk.put("1577836802.b.host:2,S", &broken);
    desk.put("1577836803.c.host:2,S", labelled);
    let out = desk.site.folder().join("out.mbox");
    let export = desk.mailbox("export --output").args([path(&out), "--password-file", path(&desk.password)]);
    let ended = export.run();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(
        ended.stderr,
        "sealpost: 1577836801.a.host comes as it is stored: it is encrypted with OpenPGP\n\
         sealpost: 1577836802.b.host comes as it is stored: the CMS structure is broken: it is cut off\n\
         sealpost: 1577836803.c.host comes as it is stored: the CMS structure is broken: the body is no ContentInfo\n\
         sealpost: 6 messages exported, 3 of them opened\n\
         sealpost: 3 messages did not open and came as stored\n"
    );
    let found = cut(&std::fs::read(&out).unwrap());
    assert_eq!(found[..3], [openpgp(), broken, labelled.to_vec()]);
    let without = desk.mailbox("export").run();
    assert_eq!((without.code, without.stderr.as_str()), (Some(0), ""));
}
