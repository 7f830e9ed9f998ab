//! `sealpost deliver` as an MTA sees it: exit codes, one line of output, silence elsewhere, nothing clear written.

use crate::laws::inside::enveloped;
use crate::support::{Ended, Program, Store, path, tools};
use sealpost::cms::Enveloped;
use std::collections::HashSet;

const MESSAGE: &[u8] = b"From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\n\
The word is xyzzy-plugh-4711.\n";
const CLEAR: &[u8] = b"xyzzy-plugh-4711";

/// The exit code, one line `D.S.N text` that agrees with it, and nothing on standard error.
pub(super) fn assert_answer(ended: &Ended, code: i32, status: &str) {
    let line = ended.text();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{line}");
    assert_eq!(line.matches('\n').count(), 1, "one line: {line:?}");
    assert!(line.ends_with('\n') && line.starts_with(&format!("{status} ")), "{line:?} is not {status}");
    assert!(!line.contains("xyzzy") && !line.contains("Lunch"), "content in the answer: {line:?}");
}

pub(super) fn assert_doubt(ended: &Ended) {
    let status = ended.text().split(' ').next().unwrap_or("").to_owned();
    assert!(status.starts_with("4."), "{status}");
    assert_answer(ended, 75, &status);
}

#[test]
fn delivered_means_sealed_and_visible() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let inbox = store.inbox();
    assert_eq!(inbox.len(), 1);
    assert_eq!(store.open(&inbox[0]), crate::support::crlf(MESSAGE));
    assert!(!store.holds(CLEAR));
}

/// An MTA tries again with the same message, and runs the hook several times at once.
#[test]
fn no_call_seals_with_the_randomness_of_another() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| store.deliver(MESSAGE))).collect();
        calls.into_iter().for_each(|call| assert_answer(&call.join().unwrap(), 0, "2.0.0"));
    });
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let sealed: Vec<_> = store.inbox().iter().map(|stored| enveloped(stored)).collect();
    let distinct = |random: fn(&Enveloped) -> String| sealed.iter().map(random).collect::<HashSet<_>>().len();
    assert_eq!(sealed.len(), 5);
    assert_eq!(distinct(|sealed| format!("{:?}", sealed.algorithm)), 5, "IVs");
    assert_eq!(distinct(|sealed| format!("{:?}", sealed.recipients)), 5, "content keys or their padding");
    assert_eq!(distinct(|sealed| format!("{:?}", sealed.encrypted_content)), 5, "content keys or IVs");
}

#[test]
fn the_mta_line_in_front_is_not_stored() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let framed = [b"From anna@south.example Mon Nov 23 10:00:00 2026\n".as_slice(), MESSAGE].concat();
    assert_answer(&store.deliver(&framed), 0, "2.0.0");
    assert_eq!(store.open(&store.inbox()[0]), crate::support::crlf(MESSAGE));
}

#[test]
fn what_is_sealed_to_the_owner_is_not_sealed_twice() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let args = ["seal", "--cert", path(&store.bob.certificate)];
    let sealed = Program::sealpost().args(args).input(MESSAGE).run().ok();
    assert_answer(&store.deliver(&sealed), 0, "2.0.0");
    assert_eq!(store.inbox(), [sealed]);
}

#[test]
fn a_label_is_not_believed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let lie = b"From: a@b.example\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\
Content-Transfer-Encoding: 7bit\n\nxyzzy-plugh-4711\n";
    assert_answer(&store.deliver(lie), 0, "2.0.0");
    assert_eq!(store.open(&store.inbox()[0]), crate::support::crlf(lie));
    assert!(!store.holds(CLEAR));
}

#[test]
fn every_doubt_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let hook = |words: &str| store.command(&format!("deliver {words}")).input(MESSAGE).run();
    assert_doubt(&hook(""));
    assert_doubt(&hook("--recipient"));
    assert_doubt(&hook("--recipient="));
    assert_doubt(&hook("--recipient=bob"));
    assert_doubt(&hook("--recipient=bob@north.example --no-such-option"));
    assert_doubt(&hook("--recipient=bob@north.example stray"));
    assert_doubt(&hook("--recipient=bob@elsewhere.example"));
    assert_doubt(&hook("--recipient=bob@north.example --help"));
    assert_doubt(&hook("--recipient=bob@north.example -V"));
    assert_doubt(&Program::sealpost().words("--no-such deliver --recipient=bob@north.example").run());
    assert!(store.inbox().is_empty());
}

#[test]
fn no_root_is_75() {
    let hook = "deliver --recipient=bob@north.example";
    assert_doubt(&Program::sealpost().words("--root /nonexistent/sealpost").words(hook).input(MESSAGE).run());
    let empty = tempfile::tempdir().unwrap();
    assert_doubt(&Program::sealpost().args(["--root", path(empty.path())]).words(hook).input(MESSAGE).run());
}

#[test]
fn a_broken_store_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    for (what, break_it) in [
        (
            "config",
            (|store| std::fs::write(store.root().join("sealpost.toml"), "inbox = 'perhaps'").unwrap())
                as fn(&Store),
        ),
        ("directory", |store| {
            for entry in std::fs::read_dir(store.root()).unwrap().map(|entry| entry.unwrap().path()) {
                if path(&entry).contains("directory.sqlite") {
                    std::fs::write(entry, b"no database").unwrap();
                }
            }
        }),
        ("maildir", |store| {
            std::fs::create_dir_all(store.root().join("mail/north.example")).unwrap();
            std::fs::write(store.root().join("mail/north.example/bob"), b"").unwrap();
        }),
    ] {
        let store = Store::new();
        break_it(&store);
        let ended = store.deliver(MESSAGE);
        assert_eq!(ended.code, Some(75), "{what}: {}", ended.text());
        assert_doubt(&ended);
        assert!(!store.holds(CLEAR), "{what}");
    }
}

#[test]
fn an_unknown_user_of_our_domain_is_67() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let hook = |words: &str| store.command(&format!("deliver {words}")).input(MESSAGE).run();
    assert_answer(&hook("--recipient=eve@north.example"), 67, "5.1.1");
    assert_answer(&hook("--sender= --recipient=eve@NORTH.example"), 67, "5.1.1");
    // One unit: reject for one and deliver for the other is a doubt, and nothing is stored.
    assert_doubt(&hook("--recipient=eve@north.example --recipient=bob@north.example"));
    assert!(store.inbox().is_empty());
}

#[test]
fn a_domain_without_accounts_is_75() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let run =
        |words: &str| Program::sealpost().args(["--root", path(&root)]).words(words).input(MESSAGE).run();
    run("init").ok();
    run("domain add empty.example").ok();
    assert_doubt(&run("deliver --recipient=bob@empty.example"));
}

#[test]
fn a_missing_certificate_is_75_until_it_is_there() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    store.command("account add carol@north.example").run().ok();
    let carol = store.authority.rsa("carol");
    let hook = || store.command("deliver --recipient=carol@north.example").input(MESSAGE).run();
    assert_doubt(&hook());
    assert!(store.stored().is_empty());
    store.certify(&carol);
    assert_answer(&hook(), 0, "2.0.0");
}

#[test]
fn a_rule_rejects_with_65_whatever_its_text_says() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    for text in ["4.7.1 come again", "2.0.0 fine", "450 4.2.1 busy", "not here"] {
        store.rules(&format!(
            "[[rule]]\nname = \"No\"\npriority = 5\nwhen = []\nthen = [[\"Reject with\", \"{text}\"]]\n"
        ));
        assert_answer(&store.deliver(MESSAGE), 65, "5.7.1");
    }
    assert!(store.stored().is_empty());
}

#[test]
fn a_message_over_the_limit_is_65() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), "max-message = \"1K\"\n").unwrap();
    let large = [MESSAGE, &b"0123456789abcde\n".repeat(100)].concat();
    assert_answer(&store.deliver(&large), 65, "5.3.4");
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
}

/// Every system call that writes is recorded; none of them writes the clear body anywhere.
#[test]
fn the_clear_body_is_written_to_no_file() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = Store::new();
    let trace = store.file("trace");
    let calls =
        "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendfile,splice,copy_file_range,mmap";
    let ended = Program::new("strace")
        .args(["-f", "-y", "-s", "1000000", "-e", calls, "-o", path(&trace), env!("CARGO_BIN_EXE_sealpost")])
        .args(["--root", path(&store.root()), "deliver", "--recipient=bob@north.example"])
        .input(MESSAGE)
        .run();
    assert_eq!(ended.text().split(' ').next(), Some("2.0.0"), "{}", ended.stderr);
    let trace = String::from_utf8_lossy(&std::fs::read(&trace).unwrap()).into_owned();
    let writes: Vec<&str> =
        trace.lines().filter(|line| line.contains("write") && line.contains("/Maildir/")).collect();
    assert!(
        writes.iter().any(|line| line.contains("application/pkcs7-mime")),
        "the trace saw the sealed copy"
    );
    assert!(!trace.contains("xyzzy-plugh-4711"), "clear text was written");
    let shared =
        |line: &&str| line.contains("mmap") && line.contains("MAP_SHARED") && line.contains("PROT_WRITE");
    let mapped: Vec<&str> = trace.lines().filter(shared).filter(|line| line.contains("/Maildir/")).collect();
    assert!(mapped.is_empty(), "a mail file is mapped for writing: {mapped:?}");
}
