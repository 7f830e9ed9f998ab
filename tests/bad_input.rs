//! Input that nobody should send: clear answers, bounded time and memory, nothing stored in the clear, and what is
//! stored opens to what came in.

use crate::support::{Ended, Program, Store, crlf, path, tools};

const CLEAR: &[u8] = b"xyzzy-plugh-4711";
const MIB: u64 = 1024 * 1024;

fn nested(depth: usize) -> Vec<u8> {
    let mut message = b"From: a@b.example\nMIME-Version: 1.0\n".to_vec();
    for level in 0..depth {
        message.extend(format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n").bytes());
    }
    message.extend(b"Content-Type: text/plain\n\nxyzzy-plugh-4711\n");
    message
}

fn many_fields(count: usize) -> Vec<u8> {
    let mut message: Vec<u8> =
        (0..count).flat_map(|n| format!("X-Field-{n}: value {n}\n").into_bytes()).collect();
    message.extend(b"\nxyzzy-plugh-4711\n");
    message
}

/// A name that says what is special, and the message.
fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let body = |bytes: &[u8]| [b"From: a@b.example\nSubject: s\n\n", bytes, b"\nxyzzy-plugh-4711\n"].concat();
    vec![
        ("empty", b"".to_vec()),
        ("one byte", b"x".to_vec()),
        ("one line end", b"\n".to_vec()),
        ("header only", b"From: a@b.example\nSubject: s\n".to_vec()),
        ("header without line end", b"From: a@b.example\nSubject: s".to_vec()),
        ("body only", b"\nxyzzy-plugh-4711\n".to_vec()),
        ("no header", b"xyzzy-plugh-4711 and more\nwithout any field\n".to_vec()),
        ("NULs in the body", body(&[0; 5000])),
        ("NULs in the header", b"From: a@b\0.example\nSub\0ject: s\n\nxyzzy-plugh-4711\n".to_vec()),
        ("bare CRs", body(b"a\rb\r\rc\r\n\rd")),
        ("every byte", body(&(0..=255).collect::<Vec<u8>>())),
        ("mixed line ends", b"From: a@b.example\r\nSubject: s\n\r\nxyzzy-plugh-4711\n\r\n".to_vec()),
        ("a line of a megabyte", body(&vec![b'x'; 1 << 20])),
        ("a field of a megabyte", [b"Subject: ", vec![b'x'; 1 << 20].as_slice(), b"\n\nxyzzy-plugh-4711\n"].concat()),
        ("nested 1000 deep", nested(1000)),
        ("10 000 fields", many_fields(10_000)),
        ("only an mbox line", b"From a@b Mon Nov 23 10:00:00 2026\n".to_vec()),
        ("our marker in front", b"Sealpost-Sealed: v=1; state=clear; eol=lf\nFrom: a@b.example\n\nxyzzy-plugh-4711\n".to_vec()),
        ("forged protection", b"From: a@b.example\nHP-Outer: Subject: s\nContent-Type: text/plain; hp=\"cipher\"\n\nxyzzy-plugh-4711\n".to_vec()),
        ("a label that lies", b"From: a@b.example\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nxyzzy-plugh-4711\n".to_vec()),
        ("base64 that is no CMS", b"From: a@b.example\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\nContent-Transfer-Encoding: base64\n\neHl6enktcGx1Z2gtNDcxMQ==\n".to_vec()),
    ]
}

/// A sealed message cut off after a share of its body, ended as if nothing were missing.
fn truncated(sealed: &[u8], keep: f64) -> Vec<u8> {
    let end = (sealed.len() as f64 * keep) as usize;
    [&sealed[..end], b"\n"].concat()
}

fn without_mbox_line(message: &[u8]) -> &[u8] {
    if !message.starts_with(b"From ") {
        return message;
    }
    message.iter().position(|byte| *byte == b'\n').map_or(&[], |end| &message[end + 1..])
}

/// Opens as Bob with Sealpost, which takes its marker off again.
fn open(store: &Store, sealed: &[u8]) -> Ended {
    let args = ["open", "--key", path(&store.bob.key), "--cert", path(&store.bob.certificate)];
    Program::sealpost().args(args).input(sealed).run()
}

#[test]
fn the_hook_seals_whatever_comes() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let mut seen = store.inbox();
    for (what, message) in inputs() {
        let ended = store.deliver(&message);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{what}: {}", ended.text());
        assert!(ended.took.as_secs() < 20, "{what}: {:?}", ended.took);
        let bound = 4 * message.len() as u64 + 64 * MIB;
        assert!(ended.peak_memory < bound, "{what}: {} bytes of memory", ended.peak_memory);
        let inbox = store.inbox();
        let new: Vec<&Vec<u8>> = inbox.iter().filter(|stored| !seen.contains(stored)).collect();
        assert_eq!(new.len(), 1, "{what}");
        let opened = open(&store, new[0]);
        assert_eq!(opened.code, Some(0), "{what}: {}", opened.stderr);
        assert!(opened.stdout == crlf(without_mbox_line(&message)), "{what}: opens to something else");
        seen = inbox;
    }
    assert!(!store.holds(CLEAR), "clear text in the store");
}

#[test]
fn truncated_cms_is_sealed_and_never_believed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let message =
        [b"From: a@b.example\nSubject: s\n\n".as_slice(), &b"xyzzy-plugh-4711\n".repeat(200)].concat();
    let seal = ["seal", "--cert", path(&store.bob.certificate)];
    let sealed = Program::sealpost().args(seal).input(message).run().ok();
    for keep in [0.3, 0.5, 0.7, 0.9, 0.99] {
        let broken = truncated(&sealed, keep);
        let ended = open(&store, &broken);
        assert_eq!((ended.code, ended.text().as_str()), (Some(65), ""), "{keep}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("sealpost: "), "{keep}: {}", ended.stderr);
        assert_eq!(store.deliver(&broken).code, Some(0), "{keep}");
        assert!(!store.inbox().contains(&broken), "{keep}: stored as if it were sealed");
    }
}

#[test]
fn the_filters_refuse_what_is_not_sealed() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    for (what, message) in inputs() {
        let ended = open(&store, &message);
        assert_eq!((ended.code, ended.text().as_str()), (Some(65), ""), "open, {what}: {}", ended.stderr);
        assert!(!ended.stderr.contains("xyzzy"), "{what}: content in the error: {}", ended.stderr);
        let inspected = Program::sealpost().words("inspect").input(message).run();
        assert!(
            inspected.code.is_some_and(|code| [0, 1, 65].contains(&code)),
            "inspect, {what}: {}",
            inspected.stderr
        );
    }
}

/// 100 MiB without a line end: refused where the limit is lower, sealed where it is not.
#[test]
fn one_line_of_100_mib() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), "max-message = \"50M\"\n").unwrap();
    let size = 100 * MIB;
    let message = [b"Subject: s\n\n".as_slice(), &vec![b'x'; size as usize]].concat();
    let ended = store.deliver(&message);
    assert_eq!(ended.code, Some(65), "{}", ended.text());
    assert!(ended.text().starts_with("5.3.4 "), "{}", ended.text());
    assert!(ended.peak_memory < size + 64 * MIB, "{} MiB to refuse", ended.peak_memory / MIB);
    assert!(store.stored().is_empty());

    let seal = ["seal", "--cert", path(&store.bob.certificate)];
    let ended = Program::sealpost().args(seal).input(message).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.peak_memory < 5 * size, "{} MiB to seal", ended.peak_memory / MIB);
}
