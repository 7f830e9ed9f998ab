//! What `inspect` says, to people and to programs.

use crate::support::{Authority, Program, Site, Store, on_one_day, path, root, tools};
use serde_json::{Value, json};

const MESSAGE: &[u8] = b"From: a@south.example\nSubject: Lunch\n\nxyzzy-plugh-4711\n";

/// Without a store in sight.
fn inspect(options: &str, input: &[u8]) -> String {
    let ended = Program::sealpost().words("inspect").words(options).input(input).run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    ended.text()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The rows of that name.
fn rows(text: &str, name: &str) -> Vec<String> {
    let row = |line: &str| Some(line.strip_prefix(name)?.strip_prefix("  ")?.trim_start().to_owned());
    text.lines().filter_map(row).collect()
}

fn today() -> String {
    time::OffsetDateTime::now_utc().date().to_string()
}

/// What is delivered to Bob is known as his, then as his old certificate's, and without the store by its serial number.
#[test]
fn recipients_are_matched_to_accounts_where_there_is_a_store() {
    on_one_day();
    let (site, _) = Site::certified();
    site.run("domain set north.example --profile modern").ok();
    site.program("deliver --sender= --recipient=bob@north.example").input(MESSAGE).run().ok();
    let inbox = site.root().join("mail/north.example/bob/Maildir/new");
    let file = std::fs::read_dir(inbox).unwrap().next().unwrap().unwrap().path();
    let sealed = std::fs::read(file).unwrap();
    let show = |options: &str| site.program("inspect").words(options).input(sealed.clone()).run();
    let certificates = site.json("cert list --account bob@north.example")["certificates"].clone();
    let fingerprint = certificates[0]["fingerprint"].as_str().unwrap().to_owned();
    let serial = certificates[0]["serial"].as_str().unwrap().to_owned();
    let algorithm = "(id-RSAES-OAEP, hash sha256, mask sha256)";
    let matched =
        |state: &str| format!("bob@north.example, certificate {}, {state} {algorithm}", &fingerprint[..16]);
    let shown = show("");
    assert_eq!(shown.stderr, "");
    assert_eq!(rows(&shown.text(), "recipient"), [matched(&format!("active since {}", today()))]);
    let json = parsed(&show("--json").text());
    let holders = json!([{"as": "account", "account": "bob@north.example", "certificate": fingerprint, "state": "active", "active": true, "since": today()}]);
    assert_eq!(
        (&json["recipients"][0]["holders"], &json["layers"][0]["recipients"][0]["holders"]),
        (&holders, &holders)
    );
    assert_eq!(json["store"], path(&site.root()));
    site.run("cert retire --account bob@north.example").ok();
    assert_eq!(rows(&show("").text(), "recipient"), [matched("retired")]);
    let without = inspect("", &sealed);
    assert_eq!(
        rows(&without, "recipient"),
        [format!("certificate {serial} of CN=north.example {algorithm}")]
    );
    let json = parsed(&inspect("--json", &sealed));
    assert_eq!((&json["recipients"][0]["holders"], &json["store"]), (&json!([]), &Value::Null));
}

/// No store, or none that can be used, is no error: what can be said is said.
#[test]
fn without_a_store_it_says_all_the_rest() {
    let (site, _) = Site::certified();
    let nowhere = site.folder().join("nowhere");
    let program = Program::sealpost().args(["--root", path(&nowhere), "inspect"]);
    let ended = program.input(MESSAGE).run();
    assert_eq!(ended.code, Some(0));
    assert!(ended.text().starts_with("structure  clear: neither encrypted nor signed\n"), "{}", ended.text());
    let note = format!(
        "sealpost: recipients are not matched to accounts: there is no store in {} that you may read\n",
        path(&nowhere)
    );
    assert_eq!(ended.stderr, note);
    std::fs::remove_file(site.root().join("directory.sqlite-wal")).unwrap();
    std::fs::write(site.root().join("directory.sqlite"), "no database").unwrap();
    let broken = site.program("inspect").input(MESSAGE).run();
    assert_eq!(broken.code, Some(0));
    assert!(
        broken.stderr.starts_with("sealpost: recipients are not matched to accounts: "),
        "{}",
        broken.stderr
    );
    assert_eq!(parsed(&site.program("inspect --json").input(MESSAGE).run().text())["store"], Value::Null);
}

/// Another user's store is none for us.
#[test]
fn a_store_of_another_user_is_left_alone() {
    if !root(&["setpriv"]) {
        return;
    }
    let (site, _) = Site::certified();
    let sealpost = env!("CARGO_BIN_EXE_sealpost");
    let copy = std::env::temp_dir().join(format!("sealpost-inspect-{}", std::process::id()));
    std::fs::copy(sealpost, &copy).unwrap();
    let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let program =
        Program::new("setpriv").args(nobody).args([path(&copy), "--root", path(&site.root()), "inspect"]);
    let ended = program.input(MESSAGE).run();
    std::fs::remove_file(&copy).unwrap();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("that you may read"), "{}", ended.stderr);
}

#[test]
fn integrity_is_none_under_cbc_and_a_tag_under_gcm() {
    if !tools(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bob = Authority::new(folder.path()).rsa("bob");
    let seal = |profile: &str| {
        let args = ["seal", "--profile", profile, "--cert", path(&bob.certificate)];
        Program::sealpost().args(args).input(MESSAGE).run().ok()
    };
    let (cbc, gcm) = (seal("compatible"), seal("modern"));
    let text = inspect("", &cbc);
    assert_eq!(rows(&text, "integrity"), ["none: CBC does not show whether the message was changed"]);
    assert_eq!(rows(&text, "size"), [format!("{} bytes", cbc.len())]);
    assert_eq!(rows(&inspect("", &gcm), "integrity"), ["a tag of 16 bytes"]);
    assert_eq!(parsed(&inspect("--json", &cbc))["content"]["integrity"], "none");
    assert_eq!(parsed(&inspect("--json", &gcm))["content"]["integrity"], json!({"tag": 16}));
}

#[test]
fn what_the_field_of_ours_says_is_a_claim() {
    let field = "Sealpost-Sealed: v=1; at=2026-11-01T12:00:00Z; rule=\"a\"; state=clear; eol=lf";
    let text = inspect("", format!("{field}\n\nx\n").as_bytes());
    let claim = "at=2026-11-01T12:00:00Z; rule=a; state=clear; eol=lf: Sealpost-Sealed says so, and nobody vouches for it";
    assert_eq!(rows(&text, "claim"), [claim]);
    let json = parsed(&inspect("--json", format!("{field}\n\nx\n").as_bytes()));
    let claim = json!({"vouched_for": false, "at": "2026-11-01T12:00:00Z", "rule": "a", "state": "clear", "eol": "lf"});
    assert_eq!(json["claim"], claim);
    for none in ["Subject: x\n\n".to_owned(), format!("{field}\n{field}\n\n")] {
        assert_eq!(rows(&inspect("", none.as_bytes()), "claim"), [""; 0]);
        assert_eq!(parsed(&inspect("--json", none.as_bytes()))["claim"], Value::Null);
    }
}

/// Encrypted, signed around it, forwarded in a letter: each layer is a row, and the innermost one that can be seen says to whom.
#[test]
fn layers_are_shown_one_a_row() {
    if !tools(&["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path());
    let (bob, eve) = (authority.rsa("bob"), authority.p256("eve"));
    let encrypt = Program::new("openssl").words("cms -encrypt -aes256 -binary -outform SMIME");
    let recipients = ["-recip", path(&bob.certificate), "-recip", path(&eve.certificate), "-aes256-wrap"];
    let encrypted = encrypt.args(recipients).input(MESSAGE).run().ok();
    let sign = |options: &str, input: &[u8]| {
        let signer = ["-signer", path(&bob.certificate), "-inkey", path(&bob.key)];
        Program::new("openssl").words("cms -sign -binary").words(options).args(signer).input(input).run().ok()
    };
    let signed = sign("-nodetach -outform SMIME", &encrypted);
    let head = b"Subject: fwd\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=fwd\n\n--fwd\n\nsee below\n--fwd\n\
        Content-Type: message/rfc822\n\n";
    let forwarded = [&head[..], &signed, b"\n--fwd--\n"].concat();
    let text = inspect("", &forwarded);
    assert_eq!(rows(&text, "structure"), ["clear: neither encrypted nor signed"]);
    let layers =
        rows(&text, "layer").iter().map(|row| row.split(", ").next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(layers, ["multipart/mixed", "message/rfc822", "SignedData", "EnvelopedData"]);
    assert!(text.contains("\nlayer          SignedData, 1 signer\n"), "{text}");
    assert!(text.contains(" bytes of ciphertext, no integrity\n"), "{text}");
    assert_eq!(rows(&text, "recipient").len(), 2);
    assert!(
        rows(&text, "recipient")[1]
            .ends_with("(dhSinglePass-stdDH-sha1kdf-scheme, hash sha1, wrap id-aes256-wrap)")
    );
    assert_eq!(
        rows(&text, "note"),
        ["RSA and EC recipients stand side by side: NSS before 3.100 cannot read it with an RSA key"]
    );
    let json = parsed(&inspect("--json", &forwarded));
    let names: Vec<&str> =
        json["layers"].as_array().unwrap().iter().map(|layer| layer["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["multipart/mixed", "message/rfc822", "SignedData", "EnvelopedData"]);
    assert_eq!(json["layers"][3]["recipients"].as_array().unwrap().len(), 2);
    // Detached, and around an opaque one in PEM.
    let detached = sign("-outform SMIME", &signed);
    let text = inspect("", &detached);
    assert_eq!(rows(&text, "structure"), ["clear, signed"]);
    assert_eq!(rows(&text, "layer")[0], "multipart/signed, 2 parts");
    let bare = sign("-nodetach -outform PEM", &encrypted);
    let text = inspect("", &bare);
    assert_eq!(
        (rows(&text, "form"), rows(&text, "layer").len()),
        (vec!["a CMS structure by itself, in PEM".to_owned()], 2)
    );
}

#[test]
fn compression_is_named_and_limits_are_told() {
    let compressed = [0x30, 18, 6, 11, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 9, 0xa0, 3, 2, 1, 0];
    let text = inspect("", &compressed);
    assert_eq!(rows(&text, "layer"), ["CompressedData, not looked into"]);
    let deep = (0..200).fold(b"Subject: x\r\n\r\nx".to_vec(), |inner, level| {
        let head = format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
        [head.as_bytes(), &inner, format!("\r\n--b{level}--\r\n").as_bytes()].concat()
    });
    let text = inspect("", &deep);
    assert_eq!(rows(&text, "layer").len(), 100);
    assert_eq!(
        rows(&text, "limit"),
        ["there are more than 100 layers: what lies deeper or behind is not shown"]
    );
    assert_eq!(parsed(&inspect("--json", &deep))["limit"], "layers");
}

#[test]
fn what_is_broken_is_told_and_shown() {
    let store = if tools(&["openssl"]) { Store::new() } else { return };
    let seal = ["seal", "--cert", path(&store.bob.certificate)];
    let sealed = Program::sealpost().args(seal).input(MESSAGE).run().ok();
    let text = String::from_utf8(sealed).unwrap();
    let cut = text.get(..text.len() - 40).unwrap().trim_end();
    let ended = Program::sealpost().words("inspect").input(cut).run();
    assert_eq!(ended.code, Some(65));
    assert!(ended.stderr.starts_with("sealpost: the message is broken: "), "{}", ended.stderr);
    assert_eq!(rows(&ended.text(), "structure"), ["clear: neither encrypted nor signed"]);
    assert!(rows(&ended.text(), "layer")[0].starts_with("ContentInfo, "), "{}", ended.text());
}
