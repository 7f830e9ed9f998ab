//! Which messages are meant: each criterion with one that it takes and one that it leaves.

use crate::support::{Site, path};
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// bob, whose mail lies as a test puts it.
struct Box {
    site: Site,
}

impl Box {
    fn new() -> Box {
        let site = Site::furnished();
        let bob = Box { site };
        bob.folder("");
        bob
    }

    /// The Maildir or a folder below it.
    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.site.root().join("mail/north.example/bob/Maildir").join(name);
        for part in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(folder.join(part)).unwrap();
        }
        folder
    }

    fn put(&self, file: &str, text: &str) -> PathBuf {
        let path = self.folder("").join(file);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn inspected(&self, options: &str) -> (i32, Vec<String>, String) {
        let ended = self
            .site
            .program("mailbox inspect --account bob@north.example --json")
            .args(options.split('|').filter(|word| !word.is_empty()))
            .run();
        let objects = ended.text();
        let objects = objects.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let messages = objects.filter(|object| object["event"] == "message");
        let names = messages.map(|object| object["message"].as_str().unwrap().to_owned()).collect();
        (ended.code.unwrap(), names, ended.stderr)
    }

    /// The names of those that are meant; options are split at `|`.
    fn meant(&self, options: &str) -> Vec<String> {
        let (code, names, complaint) = self.inspected(options);
        assert_eq!((code, complaint.as_str()), (0, ""), "{options}");
        names
    }

    fn refused(&self, options: &str, code: i32, words: &str) {
        let (ended, names, complaint) = self.inspected(options);
        assert_eq!((ended, names.len()), (code, 0), "{options}: {complaint}");
        let complaint: serde_json::Value = serde_json::from_str(&complaint).unwrap();
        let complaint = complaint["error"]["text"].as_str().unwrap();
        assert!(complaint.contains(words), "{options}: {complaint}");
    }
}

fn dated(file: &PathBuf, ago: Duration) {
    File::options().write(true).open(file).unwrap().set_modified(SystemTime::now() - ago).unwrap();
}

#[test]
fn flags_and_keywords() {
    let bob = Box::new();
    bob.put("new/1000000001.fresh", "Subject: x\n\n");
    bob.put("cur/1000000002.seen:2,S", "Subject: x\n\n");
    bob.put("cur/1000000003.work:2,FSa", "Subject: x\n\n");
    bob.put("cur/1000000004.other:2,Tb", "Subject: x\n\n");
    bob.put("dovecot-keywords", "0 Work\n1 $Label1\n");
    assert_eq!(bob.meant("--flag|seen"), ["1000000002.seen", "1000000003.work"]);
    assert_eq!(bob.meant(r"--not-flag|\Seen"), ["1000000001.fresh", "1000000004.other"]);
    assert_eq!(bob.meant("--flag|seen|--not-flag|flagged"), ["1000000002.seen"], "all must hold");
    assert_eq!(bob.meant("--flag|work"), ["1000000003.work"], "without case");
    assert_eq!(bob.meant("--not-flag|Work|--not-flag|$label1"), ["1000000001.fresh", "1000000002.seen"]);
    assert_eq!(bob.meant("--flag|Play"), [""; 0], "a keyword that the mailbox does not know");
    assert_eq!(bob.meant("--flag|deleted"), ["1000000004.other"]);
    bob.refused("--flag|a b", 64, "a keyword has no space");
    std::fs::remove_file(bob.folder("").join("dovecot-keywords")).unwrap();
    std::fs::create_dir(bob.folder("").join("dovecot-keywords")).unwrap();
    bob.refused("--not-flag|Work", 74, "dovecot-keywords");
    assert_eq!(bob.meant("--flag|seen").len(), 2, "which needs no list");
}

#[test]
fn authors_and_subjects() {
    let bob = Box::new();
    let written = "From: =?utf-8?Q?J=C3=BCrgen?= <jd@South.example>\nSubject: =?utf-8?Q?Geh=C3=A4lter?= im\n Mai\n\nx\n";
    bob.put("cur/1000000001.jd:2,", written);
    bob.put("cur/1000000002.eve:2,", "From: eve@south.example\nSubject: Lunch\n\nfrom jd\n");
    bob.put("cur/1000000003.none:2,", "X: y\n\nFrom: jd@south.example\n");
    assert_eq!(bob.meant("--from|*@south.example"), ["1000000001.jd", "1000000002.eve"]);
    assert_eq!(bob.meant("--from|JÜRGEN"), ["1000000001.jd"]);
    assert_eq!(bob.meant("--from|jd@south.example"), ["1000000001.jd"]);
    assert_eq!(bob.meant("--subject|gehälter im mai"), ["1000000001.jd"]);
    assert_eq!(bob.meant("--subject|*|--from|eve*"), ["1000000002.eve"]);
    assert_eq!(bob.meant("--subject|L*|--subject|*h"), ["1000000002.eve"], "twice, and both hold");
    assert_eq!(bob.meant("--subject|L*|--subject|*x"), [""; 0]);
    bob.refused(r"--from|a\b", 64, r"--from a\b: a backslash stands before");
}

#[test]
fn dates_and_sizes() {
    let bob = Box::new();
    let (old, young) =
        (bob.put("cur/1000000001.old:2,", &"x".repeat(2048)), bob.put("new/1000000002.young", "x"));
    dated(&old, DAY * 40);
    dated(&young, DAY * 2);
    let (old, young) = (["1000000001.old"], ["1000000002.young"]);
    for (options, meant) in
        [("--since|30d", young), ("--before|30d", old), ("--since|5w", young), ("--before|1w", old)]
    {
        assert_eq!(bob.meant(options), meant, "{options}");
    }
    assert_eq!(bob.meant("--since|1y").len(), 2);
    assert_eq!(bob.meant("--before|1d|--since|3d"), young);
    let day = |ago: u32| (time::OffsetDateTime::now_utc() - DAY * ago).date().to_string();
    assert_eq!(bob.meant(&format!("--since|{}", day(3))), young);
    assert_eq!(bob.meant(&format!("--before|{}T12:00:00Z", day(3))), old);
    assert_eq!(bob.meant("--larger|1K"), old);
    assert_eq!(bob.meant("--larger|2047"), old);
    assert_eq!(bob.meant("--larger|2048"), [""; 0]);
    assert_eq!(bob.meant("--smaller|2K"), young);
    assert_eq!(bob.meant("--smaller|1G").len(), 2);
    bob.refused("--since|yesterday", 64, "or as 30d, 6w or 1y ago");
    bob.refused("--since|-3d", 64, "unexpected argument");
    bob.refused("--larger|5T", 64, "a size is written as 4096, 100K, 5M or 1G");
    bob.refused("--larger|99999999999G", 64, "a size is written as");
}

/// A day begins where the site is.
#[test]
fn days_are_those_of_the_sites_time_zone() {
    let bob = Box::new();
    let file = bob.put("cur/1000000001.late:2,", "x");
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(1_783_000_000 / 86_400 * 86_400 - 60 * 60);
    File::options().write(true).open(file).unwrap().set_modified(moment).unwrap();
    let day = time::OffsetDateTime::from(moment + DAY).date();
    assert_eq!(bob.meant(&format!("--since|{day}")), [""; 0], "an hour before midnight, UTC");
    let settings = bob.site.root().join("sealpost.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, format!("time-zone = \"Asia/Tokyo\"\n{text}")).unwrap();
    assert_eq!(bob.meant(&format!("--since|{day}")), ["1000000001.late"]);
}

#[test]
fn messages_are_named_by_file_number_and_identity() {
    let bob = Box::new();
    bob.put("cur/1000000001.M1P2.mx,S=3:2,S", "Message-ID: <one@south.example>\n\n");
    bob.put("new/1000000002.M1P2.mx", "Message-ID: <two@south.example>\n\n");
    bob.put("new/1000000002.M1P2.mx2", "Message-ID: <two@south.example>\n\n");
    bob.put(
        "dovecot-uidlist",
        "3 V1 N9 Gx\n4 W9 :1000000001.M1P2.mx,S=3\n7 :1000000002.M1P2.mx:2,\n8 :1000000003.gone\n",
    );
    let (one, two) = ("1000000001.M1P2.mx,S=3", "1000000002.M1P2.mx");
    assert_eq!(bob.meant("1000000001.M1P2.mx,S=3:2,FS"), [one], "flags may have changed");
    bob.refused("10000000", 1, "10000000 names several messages: ");
    let complaint = bob.inspected("10000000").2;
    let places =
        [one, two, "1000000002.M1P2.mx2"].map(|name| format!("{name} in INBOX of bob@north.example"));
    assert!(places.iter().all(|place| complaint.contains(place.as_str())), "{complaint}");
    assert!(complaint.contains("or the mailbox: --mailbox"), "{complaint}");
    let complaint = bob.inspected("--mailbox|INBOX|10000000").2;
    assert!(!complaint.contains("--mailbox"), "it was given: {complaint}");
    assert_eq!(bob.meant("1000000001"), [one]);
    assert_eq!(bob.meant("--mailbox|INBOX|uid:4"), [one]);
    assert_eq!(bob.meant("<two@south.example>"), [two, "1000000002.M1P2.mx2"], "all are meant");
    assert_eq!(bob.meant(two), [two], "a whole name goes before the beginning of another");
    bob.refused("1000000002.M1P2", 1, "names several messages: ");
    assert_eq!(bob.meant("--mailbox|INBOX|uid:7"), [two]);
    assert_eq!(bob.meant("1000000001|--flag|seen"), [one]);
    assert_eq!(bob.meant("1000000001|--not-flag|seen"), [""; 0], "all must hold");
    bob.refused("1000000", 64, "a message is a file's name or the first 8 characters of it at least");
    bob.refused("1000000009", 66, "no message there is called 1000000009");
    bob.refused("--mailbox|INBOX|uid:8", 66, "no message there is called uid:8");
    let (code, names, complaint) = bob.inspected("1000000001|<three@south.example>");
    assert_eq!((code, names.as_slice()), (1, &[one.to_owned()][..]), "what is there is done");
    assert!(complaint.contains("no message there is called <three@south.example>"), "{complaint}");
    bob.folder(".Archive");
    bob.refused("uid:4", 64, "uid:4 names a message of one mailbox, and several are looked at");
    assert_eq!(bob.meant("--mailbox|inbox|uid:4"), [one]);
}

#[test]
fn a_broken_list_of_numbers_is_told() {
    let bob = Box::new();
    bob.put("new/1000000001.x", "x");
    bob.refused("--mailbox|INBOX|uid:1", 65, "dovecot-uidlist");
    bob.put("dovecot-uidlist", "1 1 2\n1 1000000001.x\n");
    bob.refused("--mailbox|INBOX|uid:1", 65, "it is no list of version 3");
    bob.put("dovecot-uidlist", &format!("3 V1 N2\n{}", "1".repeat(1 << 20)));
    bob.refused("--mailbox|INBOX|uid:1", 65, "line 2: it is too long");
}

#[test]
fn certificates_are_named_by_fingerprint_or_file() {
    let (site, _) = Site::certified();
    let bob = Box { site };
    let message = "From: a@south.example\nSubject: Lunch\n\nx\n";
    bob.site.program("deliver --sender= --recipient=bob@north.example").input(message).run().ok();
    bob.put("cur/1000000001.clear:2,", message);
    let certificate = bob.site.json("cert list --account bob@north.example")["certificates"][0].clone();
    let fingerprint = certificate["fingerprint"].as_str().unwrap();
    let sealed = bob.meant(&format!("--sealed-to|{}", &fingerprint[..8]));
    assert_eq!(sealed.len(), 1);
    assert_ne!(sealed, ["1000000001.clear"]);
    let file = bob.site.write("bob.pem", certificate["pem"].as_str().unwrap());
    assert_eq!(bob.meant(&format!("--sealed-to|{}", path(&file))), sealed);
    bob.site.run("cert retire --account bob@north.example").ok();
    assert_eq!(
        bob.meant(&format!("--sealed-to|{}", fingerprint.to_uppercase())),
        sealed,
        "a retired one too"
    );
    // The domain's own is known, and no message names it.
    let domain = bob.site.json("cert show --domain north.example")["certificates"][0].clone();
    let domain = domain["fingerprint"].as_str().unwrap();
    assert_eq!(bob.meant(&format!("--sealed-to|{domain}")), [""; 0]);
    bob.refused(
        "--sealed-to|00000000",
        66,
        "--sealed-to 00000000: no fingerprint there begins with 00000000",
    );
    bob.refused("--sealed-to|/nowhere", 66, "/nowhere");
    let two = bob.site.write("two.pem", &certificate["pem"].as_str().unwrap().repeat(2));
    bob.refused(&format!("--sealed-to|{}", path(&two)), 64, "it holds more than one certificate");
}

#[test]
fn all_stands_alone() {
    let bob = Box::new();
    bob.put("new/1000000001.x", "x");
    assert_eq!(bob.meant("--all"), ["1000000001.x"]);
    assert_eq!(bob.meant(""), ["1000000001.x"], "who looks need not say so");
    for other in ["1000000001", "--flag|seen", "--from|*", "--since|1d", "--larger|1", "--sealed-to|00000000"]
    {
        bob.refused(&format!("--all|{other}"), 64, "cannot be used with");
    }
    bob.refused("--mailbox|Archive", 66, "mailbox Archive of bob@north.example does not exist");
}
