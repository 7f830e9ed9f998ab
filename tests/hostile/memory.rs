//! Memory and time that hostile structures cost those who open, rekey and inspect (spec: "Limits").

use crate::support::{Authority, Ended, Identity, Program, path, tools};

const MIB: u64 = 1024 * 1024;
/// Times the size of the input, and besides.
pub(crate) const TIMES: u64 = 4;
const BESIDES: u64 = 8 * MIB;
/// Times the time of a good message of that size.
const SLOWER: u32 = 10;

/// What the program holds for a small message: the most that was seen, because a short run may end unwatched.
pub(crate) fn floor(run: impl Fn() -> Ended) -> u64 {
    (0..5).map(|_| run().peak_memory).max().unwrap_or(0)
}

/// What it held, over what the program holds for a small message, is within the bound.
pub(crate) fn assert_bounded(what: &str, ended: &Ended, floor: u64, size: usize, times: u64) {
    let held = ended.peak_memory.saturating_sub(floor);
    assert!(held < times * size as u64 + BESIDES, "{what}: {} KiB for {size} bytes", held / 1024);
}

/// Are figures of time wanted? A machine with other work would fail them at random, and a debug build tells nothing.
fn is_timed() -> bool {
    !cfg!(debug_assertions) && std::env::var_os("SEALPOST_SMOKE").is_some()
}

pub(super) fn assert_in_time(what: &str, ended: &Ended, good: &Ended) {
    if is_timed() {
        println!("{what}: {:?}, and a good one {:?}", ended.took, good.took);
        assert!(ended.took < good.took * SLOWER, "{what}: {:?}, and a good one {:?}", ended.took, good.took);
    }
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

/// The object identifier of a content type of PKCS #7.
fn pkcs7(last: u8) -> Vec<u8> {
    [&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7][..], &[last]].concat()
}

fn info(content_type: u8, content: &[u8]) -> Vec<u8> {
    element(0x30, &[pkcs7(content_type), element(0xa0, &element(0x30, content))].concat())
}

/// An EnvelopedData for the many keys of one key agreement, with a ciphertext that stands there so.
fn enveloped(keys: u16, ciphertext: &[u8]) -> Vec<u8> {
    let wrap = [&[6, 6, 0x2b, 0x81, 4, 1, 0x0b, 1][..], &element(0x30, &[6, 3, 0x2a, 3, 4])].concat();
    let key = |id: u16| element(0x30, &[element(0xa0, &element(4, &id.to_be_bytes())), vec![4, 0]].concat());
    let keys = element(0x30, &(0..keys).flat_map(key).collect::<Vec<_>>());
    let originator = element(0xa0, &[0x80, 1, 1]);
    let agreement = element(0xa1, &[vec![2, 1, 3], originator, element(0x30, &wrap), keys].concat());
    let aes = [&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a][..], &element(4, &[0; 16])].concat();
    let encrypted = element(0x30, &[pkcs7(1), element(0x30, &aes), ciphertext.to_vec()].concat());
    info(3, &[vec![2, 1, 2], element(0x31, &agreement), encrypted].concat())
}

/// An opaque SignedData around a MIME entity.
fn signed(entity: &[u8]) -> Vec<u8> {
    let algorithm = element(0x30, &[6, 1, 0x2a]);
    let signer = [&[2, 1, 1, 0x30, 0][..], &algorithm, &algorithm, &[4, 1, 1]].concat();
    let content = element(0x30, &[pkcs7(1), element(0xa0, &element(4, entity))].concat());
    info(2, &[vec![2, 1, 1, 0x31, 0], content, element(0x31, &element(0x30, &signer))].concat())
}

const BINARY: &[u8] = b"Subject: s\nContent-Transfer-Encoding: binary\n\n";
const BASE64: &[u8] = b"Subject: s\nContent-Transfer-Encoding: base64\n\n";

fn base64(octets: &[u8]) -> Vec<u8> {
    Program::new("openssl").args(["enc", "-base64"]).input(octets).run().ok()
}

/// So many times: a layer more around it.
fn around(levels: usize, inner: Vec<u8>, layer: impl Fn(usize, Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    (0..levels).fold(inner, |inner, level| layer(level, inner))
}

fn two_parts(level: usize, inner: Vec<u8>) -> Vec<u8> {
    let head = format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n\nx\n--b{level}\n");
    [head.as_bytes(), &inner, format!("\n--b{level}--\n").as_bytes()].concat()
}

fn quoted(_: usize, inner: Vec<u8>) -> Vec<u8> {
    let header = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n";
    [&header[..], String::from_utf8(inner).unwrap().replace('=', "=3D").as_bytes()].concat()
}

/// A header of as many fields as are looked at, and a message in the message.
fn fields(_: usize, inner: Vec<u8>) -> Vec<u8> {
    [&b"a:\n".repeat(99_998), &b"Content-Type: message/rfc822\n\n"[..], &inner].concat()
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    const SIZE: usize = 2 << 20;
    let text = |size: usize| [b"\n".to_vec(), b"x".repeat(size)].concat();
    let pieces = element(0xa0, &[4, 1, b'x'].repeat(SIZE / 4));
    vec![
        ("recipients", [BINARY, &enveloped(10_000, &[0x80, 1, 0])].concat()),
        ("recipients, too many", [BINARY, &enveloped(50_000, &[0x80, 1, 0])].concat()),
        ("recipients by themselves", enveloped(10_000, &[0x80, 1, 0])),
        ("pieces", [BASE64, &base64(&enveloped(1, &pieces))].concat()),
        ("empty elements", [BASE64, &base64(&info(3, &[0x30, 0].repeat(SIZE / 3)))].concat()),
        ("indefinite lengths", [BASE64, &base64(&[0x30, 0x80].repeat(SIZE / 3))].concat()),
        ("signatures in signatures", around(120, text(SIZE), |_, inner| [BINARY, &signed(&inner)].concat())),
        ("parts in parts", around(30, b"\n".repeat(SIZE), two_parts)),
        ("encodings in encodings", around(12, text(SIZE), quoted)),
        ("headers in headers", around(12, text(10), fields)),
        ("PEM", [&b"-----BEGIN CMS-----\n"[..], &b"MIAG".repeat(SIZE / 4), b"\n-----END CMS-----"].concat()),
        (
            "PEM without end",
            [&b"-----BEGIN CMS-----\n"[..], &b"-----BEGIN CMS-----\n".repeat(SIZE / 20)].concat(),
        ),
        ("claims", [&b"Sealpost-Sealed: v=1"[..], &b";".repeat(SIZE), b"\n\nx\n"].concat()),
        (
            "parameters",
            [&b"Content-Type: multipart/mixed"[..], &b"; a=b".repeat(SIZE / 5), b"\n\nx\n"].concat(),
        ),
    ]
}

fn verbs(bob: &Identity) -> Vec<(&'static str, Vec<String>)> {
    let key = ["--key", path(&bob.key)];
    let certificate = path(&bob.certificate);
    let line = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    vec![
        ("inspect", line(&["inspect"])),
        ("inspect --json", line(&["inspect", "--json"])),
        ("open", line(&["open", key[0], key[1], "--cert", certificate])),
        ("open --raw", line(&["open", "--raw", key[0], key[1], "--cert", certificate])),
        ("rekey", line(&["rekey", key[0], key[1], "--old-cert", certificate, "--cert", certificate])),
    ]
}

#[test]
fn structures_cost_little() {
    if !tools(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bob = Authority::new(folder.path()).rsa("bob");
    let seal = |message: &[u8]| {
        let args = ["seal", "--cert", path(&bob.certificate)];
        Program::sealpost().args(args).input(message).run().ok()
    };
    let small = seal(b"Subject: s\n\nx\n");
    let hostile = hostile();
    for (verb, args) in verbs(&bob) {
        let run = |input: &[u8]| Program::sealpost().args(&args).input(input).run();
        let floor = floor(|| run(&small));
        for (what, input) in &hostile {
            let ended = run(input);
            let what = format!("{verb}, {what}");
            assert!(ended.code.is_some_and(|code| [0, 65, 66].contains(&code)), "{what}: {}", ended.stderr);
            assert_bounded(&what, &ended, floor, input.len(), TIMES);
            if is_timed() {
                let good = run(&seal(&b"some words in a line\n".repeat(input.len() * 3 / 4 / 21)));
                assert_in_time(&what, &ended, &good);
            }
        }
    }
}
