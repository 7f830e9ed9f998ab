//! A folder of certificates.

use super::signer::{Made, configure, made, pending, robert, store};
use crate::support::{KeyKind, path, tools};

#[test]
fn each_file_is_told_of() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = store();
    let folder = store.file("folder");
    std::fs::create_dir_all(folder.join("deeper")).unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    let signer = robert(&store, KeyKind::P256);
    let pem = std::fs::read(&signer.certificate).unwrap();
    put("1-robert.pem", &pem);
    put("2-again.pem", &pem);
    put("3-bob.pem", &std::fs::read(&store.bob.certificate).unwrap());
    let eve = Made { address: "eve@south.example", ..made("eve") }.make(&store);
    put("4-eve.pem", &std::fs::read(&eve.certificate).unwrap());
    put("5-authority.pem", &std::fs::read(store.authority.certificate()).unwrap());
    put("6-notes.txt", b"no certificate is in here\n");
    put("7-cut.pem", &pem[..pem.len() / 2]);
    put("8-empty.pem", b"");
    let signing = Made { usage: "digitalSignature", ..made("signing") }.make(&store);
    put("9-signing.pem", &std::fs::read(&signing.certificate).unwrap());
    let add = |domain: &str| {
        let ended = store.command("cert add --from-folder").args([path(&folder)]).words(domain).run();
        (ended.code, ended.text(), ended.stderr)
    };
    let outcomes = |text: &str| -> Vec<String> {
        let column = text.lines().next().unwrap().find("outcome").unwrap();
        text.lines().skip(1).map(|line| line[column..].to_owned()).collect()
    };
    let (code, text, stderr) = add("--domain north.example");
    assert_eq!((code, stderr.as_str()), (Some(1), "sealpost: 4 of 9 certificates failed\n"), "{text}");
    let expected = [
        "waits",
        "already waits",
        "already active",
        "nobody here: it names eve@south.example",
        "nobody here: it names no mail address",
        "broken: no certificate found: the file holds neither PEM nor DER",
        "broken: the PEM block is broken: BEGIN CERTIFICATE has no END: the file is truncated",
        "broken: is empty",
        "unfit: it may not be used to encrypt mail: its keyUsage lacks keyEncipherment",
    ];
    assert_eq!(outcomes(&text), expected);
    assert_eq!(pending(&store), [(signer.fingerprint(), "folder: 1-robert.pem".to_owned())]);
    // Of another domain nobody is here, and a domain that is not there is named.
    store.command("domain add east.example").run().ok();
    assert!(add("--domain east.example").1.contains("nobody here: it names robert@north.example"));
    assert_eq!(add("--domain west.example").0, Some(66));
    // What the site trusts is active at once, also what waited.
    configure(&store, "trusted-certificate-sources = [\"folder\"]\n");
    assert_eq!(outcomes(&add("").1)[..3], ["active", "already active", "already active"]);
    assert_eq!(pending(&store), []);
    let missing = store.command("cert add --from-folder /nonexistent").run();
    assert_eq!(missing.stderr, "sealpost: cannot read /nonexistent: No such file or directory\n");
}
