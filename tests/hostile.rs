//! What somebody sends or says to gain something by it: time, memory, a line in the log, a letter stored nowhere.

pub(crate) mod memory;

use crate::support::{Ended, Program, Store, path, root, tools};

const MESSAGE: &[u8] = b"From: anna@south.example\nSubject: s\n\nxyzzy-plugh-4711\n";

/// Rules that look at everything.
const CURIOUS: &str = r#"
[[rule]]
name = "Addresses"
priority = 5
when = [["From", "is not", "*x*y@z"], ["Any To or Cc", "is", "*"]]
then = [["Mark", "Flagged"]]
[[rule]]
name = "Texts"
priority = 5
when = [["Header Field", "is", "*a*b*c*q*x*"], ["Subject", "is", "*"]]
then = [["Mark", "Flagged"]]
[[rule]]
name = "Structure"
priority = 5
when = [["Security", "is", "*"], ["Human Generated"]]
then = [["Mark", "Flagged"]]
"#;

/// A piece again and again, and what stands around it.
fn hostile() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    vec![
        ("parameters that protect", "Content-Type: text/plain; ", "hp=;", "\n\nx\n"),
        ("fields that protect", "Subject: s\n", "HP-Outer:\n", "\nx\n"),
        ("addresses", "From: ", "a@b.example,", "\n\nx\n"),
        ("commas", "From: ", "a,", "\n\nx\n"),
        ("dates", "Subject: s\n", "Date: 1 Jan 2026 0:00 +1\n", "\nx\n"),
        ("subjects", "", "Subject:\n", "\nx\n"),
        ("tags", "DKIM-Signature: ", "z;", "\n\nx\n"),
        ("types", "Content-Type: ", "a/b;", "\n\nx\n"),
        ("fields that say the type", "", "Content-Type:\n", "\nx\n"),
        ("comments", "From: ", "(", "\n\nx\n"),
        ("folds", "Subject: ", "a\n ", "\n\nx\n"),
        ("encoded words without end", "Subject: ", "=?utf-8?q?", "\n\nx\n"),
        ("bare CRs", "Subject: s\n", "\r", "\n\nx\n"),
        ("fields", "Subject: s\n", "a:\n", "\nx\n"),
        ("parts", "Content-Type: multipart/signed; boundary=b\n\n", "--b\n", ""),
        ("armor", "\n-----BEGIN PGP MESSAGE-----\n", "a: b\n", "\n-----END PGP MESSAGE-----\n"),
    ]
}

#[test]
fn repetition_costs_little() {
    if tools(&["openssl"]) {
        let store = Store::new();
        store.rules(CURIOUS);
        assert_costs_little(&store);
    }
}

#[test]
fn repetition_costs_little_where_headers_are_hidden() {
    if tools(&["openssl"]) {
        let store = Store::new();
        std::fs::write(store.root().join("sealpost.toml"), "headers = \"hide-most\"\n").unwrap();
        assert_costs_little(&store);
    }
}

fn assert_costs_little(store: &Store) {
    const SIZE: usize = 4 << 20;
    let floor = memory::floor(|| store.deliver(MESSAGE));
    let good = [MESSAGE, &b"some words in a line of text\n".repeat(SIZE / 29)].concat();
    let good = store.deliver(&good);
    assert_eq!(good.code, Some(0), "{}", good.text());
    for (what, before, piece, after) in hostile() {
        let message = [before, &piece.repeat(SIZE / piece.len()), after].concat();
        let ended = store.deliver(message.as_bytes());
        assert_eq!(ended.code, Some(0), "{what}: {}", ended.text());
        memory::assert_bounded(what, &ended, floor, message.len(), times(what));
        memory::assert_in_time(what, &ended, &good);
    }
}

/// How often the size of a message may be held in memory (spec: "Limits"). What arrives under a name of header protection
/// gets a longer name, and all of that is encrypted: four bytes `hp=;` are 32 in the output, ten bytes `HP-Outer:` 37.
fn times(what: &str) -> u64 {
    match what {
        "parameters that protect" => 10,
        "fields that protect" => 7,
        _ => memory::TIMES,
    }
}

#[test]
fn without_its_configuration_the_hook_waits() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::fs::remove_file(store.root().join("sealpost.toml")).unwrap();
    let ended = store.deliver(MESSAGE);
    assert_eq!((ended.code, ended.text().as_str()), (Some(75), "4.3.0 the mail system is not ready\n"));
    assert!(store.stored().is_empty());
}

#[test]
fn nobody_writes_lines_into_the_log() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let log = store.file("log");
    std::fs::write(store.root().join("sealpost.toml"), format!("log = \"{}\"\n", path(&log))).unwrap();
    let hook = |args: [&str; 3]| -> Ended {
        let line = store.command("deliver").args(args);
        line.input(MESSAGE).run()
    };
    let forged = "\n2026-11-23T10:00:00Z  INFO forged\u{1b}[2J\u{9b}\u{2028}x";
    for (recipient, code) in [("bob@north.example", 0), ("eve@north.example", 67)] {
        let args = ["--recipient", "--sender", "--queue-id"].map(|name| format!("{name}={forged}"));
        let named = format!("--recipient={recipient}");
        assert_eq!(hook([&named, &args[1], &args[2]]).code, Some(code));
        assert_eq!(hook([&named, &args[0], &args[2]]).code, Some(75));
    }
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("forged"), "the log quotes what was said");
    assert_eq!(text.lines().count(), 5, "{text:?}");
    assert!(text.lines().all(|line| line.starts_with("20") && !line.contains(char::is_control)), "{text:?}");
    assert!(!text.contains("xyzzy"), "{text:?}");
}

/// Written, synced, made visible, its folder synced, and only then told.
#[test]
fn the_answer_comes_last() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = Store::new();
    let trace = store.file("trace");
    let calls = "trace=write,fsync,fdatasync,link,linkat,rename,renameat2";
    let ended = Program::new("strace")
        .args(["-f", "-y", "-e", calls, "-o", path(&trace), env!("CARGO_BIN_EXE_sealpost")])
        .args(["--root", path(&store.root()), "deliver", "--recipient=bob@north.example"])
        .input(MESSAGE)
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let trace = std::fs::read_to_string(&trace).unwrap();
    let call = |line: &str| {
        let name = line.split_whitespace().nth(1)?.split('(').next()?.to_owned();
        let place =
            ["/Maildir/tmp/", "/Maildir/new>", "stored"].into_iter().find(|place| line.contains(place))?;
        Some(format!("{name} {place}"))
    };
    let calls: Vec<String> = trace.lines().filter_map(call).collect();
    let wanted = [
        "write /Maildir/tmp/",
        "fsync /Maildir/tmp/",
        "linkat /Maildir/tmp/",
        "fsync /Maildir/new>",
        "write stored",
    ];
    assert_eq!(calls, wanted);
}

/// Root becomes the owner before it touches a file of the store, and dumps stay off although the kernel forgets it then.
#[test]
fn root_becomes_the_owner_first() {
    if !root(&["openssl", "strace", "chown"]) {
        return;
    }
    let store = Store::new();
    let folder = store.file("");
    Program::new("chown").args(["-R", "nobody", path(&folder)]).run().ok();
    let trace = store.file("trace");
    let calls = "trace=openat,mkdir,linkat,setuid,prctl,read";
    let ended = Program::new("strace")
        .args(["-f", "-y", "-e", calls, "-o", path(&trace), env!("CARGO_BIN_EXE_sealpost")])
        .args(["--root", path(&store.root()), "deliver", "--recipient=bob@north.example"])
        .env("SUDO_USER", "somebody-else")
        .input(MESSAGE)
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let trace = std::fs::read_to_string(&trace).unwrap();
    let lines: Vec<&str> = trace.lines().collect();
    let place = |wanted: &dyn Fn(&str) -> bool| lines.iter().position(|line| wanted(line)).unwrap();
    let changed = lines.iter().rposition(|line| line.contains("setuid(")).unwrap();
    let opened = place(&|line| line.contains("openat") && line.contains(path(&store.root())));
    let dumps = lines.iter().rposition(|line| line.contains("PR_SET_DUMPABLE, SUID_DUMP_DISABLE")).unwrap();
    let read = place(&|line| line.contains("read(") && line.contains("<pipe:"));
    assert!(changed < opened && changed < dumps && dumps < read, "{trace}");
    let foreign = Program::new("find").args([path(&store.root()), "!", "-user", "nobody"]).run().ok();
    assert_eq!(String::from_utf8_lossy(&foreign), "");
}
