//! Key files in the shapes that programs write: the account has key and certificate at once, and opens mail.

use crate::support::{Authority, Identity, Program, Site, crlf, files, openssl_4, path, tools};
use std::path::{Path, PathBuf};

const MESSAGE: &str = "From: Anna <anna@south.example>\nTo: bob@north.example\nSubject: Lunch\n\nAt noon.\n";
const PASSWORD: &str = "in pässwörd";

/// A store that has bob, and bob's key and certificate by OpenSSL.
struct Desk {
    site: Site,
    authority: Authority,
    bob: Identity,
    secure: PathBuf,
    file_password: PathBuf,
}

impl Desk {
    fn new() -> Desk {
        let site = Site::furnished();
        std::fs::write(site.root().join("sealpost.toml"), "log = \"none\"\n").unwrap();
        let authority = Authority::new(site.folder());
        let bob = authority.p256("bob");
        let secure = site.write("secure", "correct horse\n");
        let file_password = site.write("of-file", &format!("{PASSWORD}\n"));
        Desk { site, authority, bob, secure, file_password }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.site.folder().join(name)
    }

    /// What `openssl pkcs12 -export` makes of bob with these further words.
    fn pkcs12(&self, openssl: &str, words: &str) -> PathBuf {
        let out = self.file("made.p12");
        let args = ["-inkey", path(&self.bob.key), "-name", "bob's key", "-out", path(&out)];
        let program = Program::new(openssl).words("pkcs12 -export").args(args).words(words);
        let program = if words.contains("-passout") {
            program
        } else {
            program.args(["-passout", &format!("pass:{PASSWORD}")])
        };
        let program = if words.contains("-nocerts") {
            program
        } else {
            program.args(["-in", path(&self.bob.certificate)])
        };
        program.run().ok();
        out
    }

    fn import(&self, file: &Path, password: &Path) -> serde_json::Value {
        let words = format!(
            "key import --account bob@north.example --file {} --file-password-file {} --password-file {}",
            path(file),
            path(password),
            path(&self.secure)
        );
        self.site.json(&words)
    }

    /// Bob as new.
    fn forget(&self) {
        let keys = self.site.json("key show --account bob@north.example");
        let prints = keys["keys"].as_array().unwrap().iter().map(|key| key["fingerprint"].as_str().unwrap());
        let forget: String = prints.map(|print| format!(" --forget {print}")).collect();
        self.site.run(&format!("account remove bob@north.example{forget}")).ok();
        self.site.run("account add bob@north.example").ok();
    }

    fn assert_whole(&self, imported: &serde_json::Value, what: &str) {
        assert_eq!(imported["keys"].as_array().unwrap().len(), 1, "{what}");
        let certificates = imported["certificates"].as_array().unwrap();
        assert_eq!(certificates.len(), 1, "{what}: {imported}");
        assert_eq!(certificates[0]["state"], "active", "{what}: {imported}");
    }

    fn deliver_and_open(&self) {
        let hook = self.site.program("deliver --sender= --recipient=bob@north.example").input(MESSAGE).run();
        assert_eq!(hook.code, Some(0), "{}", hook.text());
        let inbox = self.site.root().join("mail/north.example/bob/Maildir/new");
        let sealed = std::fs::read_dir(inbox).unwrap().next().unwrap().unwrap().path();
        let words = format!("open --account bob@north.example --password-file {}", path(&self.secure));
        let opened = self.site.program(&words).input(std::fs::read(sealed).unwrap()).run();
        assert_eq!(opened.ok(), crlf(MESSAGE.as_bytes()));
    }
}

/// The legacy provider of OpenSSL writes what Windows before 10 1709 and Keychain Access write: certificates by RC2 with
/// 40 bits, the key by 3DES, a MAC by SHA-1. -keyex, -CSP and -LMK are attributes that Windows adds.
const SHAPES: [&str; 10] = [
    "",
    "-legacy",
    "-legacy -LMK -keyex -CSP Microsoft-Enhanced-Cryptographic-Provider",
    "-legacy -descert",
    "-legacy -noiter -nomaciter",
    "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1",
    "-certpbe NONE -keypbe AES-256-CBC",
    "-certpbe NONE -keypbe NONE",
    "-nomac",
    "-macalg sha512 -iter 5000",
];

#[test]
fn every_shape_of_pkcs12_makes_the_account_ready() {
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    for shape in SHAPES {
        let file = desk.pkcs12("openssl", shape);
        desk.assert_whole(&desk.import(&file, &desk.file_password), shape);
        desk.forget();
    }
    // The authority lies beside, and belongs to no key.
    let chain = format!("-certfile {}", path(&desk.authority.certificate()));
    let file = desk.pkcs12("openssl", &chain);
    desk.assert_whole(&desk.import(&file, &desk.file_password), "chain");
    desk.deliver_and_open();
}

#[test]
fn an_empty_password_is_none_and_none_is_empty() {
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    let empty = desk.site.write("empty", "\n");
    for shape in
        ["-passout pass:", "-legacy -passout pass:", "-nomac -legacy -passout pass:", "-nomac -passout pass:"]
    {
        let file = desk.pkcs12("openssl", shape);
        desk.assert_whole(&desk.import(&file, &empty), shape);
        desk.forget();
        // Without being told: nobody is asked for a password that is empty.
        let words = format!(
            "key import --account bob@north.example --file {} --password-file {}",
            path(&file),
            path(&desk.secure)
        );
        desk.assert_whole(&desk.site.json(&words), shape);
        desk.forget();
    }
}

#[test]
fn openssl_4_writes_a_mac_by_pbmac1() {
    let Some(openssl) = openssl_4() else { return };
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    for shape in ["-pbmac1_pbkdf2", "-pbmac1_pbkdf2 -pbmac1_pbkdf2_md sha512 -macalg sha512"] {
        let file = desk.pkcs12(path(&openssl), shape);
        desk.assert_whole(&desk.import(&file, &desk.file_password), shape);
        desk.forget();
    }
}

/// Windows and NSS stream: outer lengths are indefinite, and octets come in pieces. No Windows is at hand: the file of
/// OpenSSL is spelled anew.
fn streamed(pkcs12: &[u8]) -> Vec<u8> {
    let (_, pfx) = header(pkcs12);
    let (version, rest) = pfx.split_at(3);
    let (content_info, mac) = element(rest);
    let (kind, explicit) = element(header(content_info).1);
    let octets = header(header(explicit).1).1;
    let pieces = octets.chunks(100).flat_map(|piece| [&[4, piece.len() as u8], piece].concat());
    let octets: Vec<u8> = [0x24, 0x80].into_iter().chain(pieces).chain([0, 0]).collect();
    let info = [&[0x30, 0x80], kind, &[0xa0, 0x80], &octets, &[0, 0, 0, 0]].concat();
    [&[0x30, 0x80], version, &info, mac, &[0, 0]].concat()
}

/// Tag and length, and what is inside.
fn header(der: &[u8]) -> (&[u8], &[u8]) {
    let octets = if der[1] < 0x80 { 2 } else { 2 + usize::from(der[1] & 0x7f) };
    let (head, rest) = der.split_at(octets);
    let length = if octets == 2 {
        usize::from(head[1])
    } else {
        head[2..].iter().fold(0, |length, octet| length << 8 | usize::from(*octet))
    };
    (head, &rest[..length])
}

/// The first element, and what follows it.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    let (head, inside) = header(der);
    der.split_at(head.len() + inside.len())
}

#[test]
fn a_file_in_pieces_of_indefinite_length_is_read() {
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    for shape in ["-legacy", ""] {
        let file = desk.pkcs12("openssl", shape);
        let spelled = streamed(&std::fs::read(&file).unwrap());
        std::fs::write(&file, spelled).unwrap();
        desk.assert_whole(&desk.import(&file, &desk.file_password), shape);
        desk.forget();
    }
}

#[test]
fn what_nss_exports_is_taken_and_what_we_export_nss_takes() {
    if !tools(&["openssl", "certutil", "pk12util"]) {
        return;
    }
    let desk = Desk::new();
    let folder = desk.file("nss");
    std::fs::create_dir(&folder).unwrap();
    let database = format!("sql:{}", path(&folder));
    Program::new("certutil").args(["-N", "--empty-password", "-d", &database]).run().ok();
    let file = desk.pkcs12("openssl", "");
    let nss =
        |words: [&str; 4]| Program::new("pk12util").args(words).args(["-d", &database, "-W", PASSWORD]).run();
    nss(["-i", path(&file), "-k", "/dev/null"]).ok();
    let out = desk.file("nss.p12");
    nss(["-o", path(&out), "-n", "bob's key"]).ok();
    desk.assert_whole(&desk.import(&out, &desk.file_password), "NSS");
    desk.deliver_and_open();
}

/// Bouncy Castle reads what we export, and writes it anew with certificates by RC2 with 40 bits and the key by 3DES; the
/// reader of Java itself with PBES2.
#[test]
fn bouncy_castle_and_java_take_our_file_and_give_theirs() {
    const BOUNCY_CASTLE: &str = "/usr/share/java/bcprov.jar";
    if !tools(&["openssl", "keytool"]) || !files(&[BOUNCY_CASTLE]) {
        return;
    }
    let desk = Desk::new();
    let bouncy = format!(
        "-providerpath {BOUNCY_CASTLE} -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider \
         -srcprovidername BC -destprovidername BC"
    );
    let ours = desk.pkcs12("openssl", "");
    desk.assert_whole(&desk.import(&ours, &desk.file_password), "ours");
    let ascii = desk.site.write("ascii", "correct horse\n");
    for (format, provider) in [("", bouncy.as_str()), ("--legacy", bouncy.as_str()), ("", "")] {
        let (exported, theirs) = (desk.file("exported.p12"), desk.file("theirs.p12"));
        let export =
            format!("key export --account bob@north.example --password-file {} {format}", path(&desk.secure));
        let _ = std::fs::remove_file(&exported);
        let _ = std::fs::remove_file(&theirs);
        desk.site.run(&format!("{export} --output {}", path(&exported))).ok();
        let kind = "-importkeystore -noprompt -srcstoretype PKCS12 -deststoretype PKCS12";
        let passwords = ["-srcstorepass", "correct horse", "-deststorepass", "correct horse"];
        let stores = ["-srckeystore", path(&exported), "-destkeystore", path(&theirs)];
        let java = Program::new("keytool").words(kind).words(provider).args(passwords).args(stores);
        java.run().ok();
        desk.forget();
        desk.assert_whole(&desk.import(&theirs, &ascii), provider);
    }
}

/// A store of Java with two entries, each under its own friendly name.
#[test]
fn all_keys_of_one_container_are_taken() {
    if !tools(&["openssl", "keytool"]) {
        return;
    }
    let desk = Desk::new();
    let other = desk.authority.rsa("bob-old");
    let store = desk.file("two.p12");
    let judge = desk.site.write("judge", "judge-judge\n");
    for (identity, alias) in [(&desk.bob, "today"), (&other, "formerly")] {
        let one = desk.file("one.p12");
        let files = ["-inkey", path(&identity.key), "-in", path(&identity.certificate), "-out", path(&one)];
        let export = Program::new("openssl").words("pkcs12 -export -passout pass:judge-judge -name");
        export.args([alias]).args(files).run().ok();
        let kind = "-importkeystore -noprompt -srcstoretype PKCS12 -deststoretype PKCS12";
        let stores = ["-srckeystore", path(&one), "-destkeystore", path(&store)];
        let java =
            Program::new("keytool").words(kind).words("-srcstorepass judge-judge -deststorepass judge-judge");
        java.args(stores).run().ok();
    }
    let imported = desk.import(&store, &judge);
    let count = |list: &str| imported[list].as_array().unwrap().len();
    assert_eq!((count("keys"), count("certificates")), (2, 2), "{imported}");
    let states: Vec<_> = imported["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    // The other one names another address: its key is there to read, and nothing is sealed to it.
    assert!(states.contains(&"active") && states.contains(&"retired"), "{imported}");
    desk.deliver_and_open();
}

#[test]
fn keys_in_pem_bring_their_certificates_too() {
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    let text = |file: &Path| std::fs::read_to_string(file).unwrap();
    let together = desk.site.write("bob-both.pem", &(text(&desk.bob.certificate) + &text(&desk.bob.key)));
    desk.assert_whole(&desk.import(&together, &desk.file_password), "PEM");
    desk.forget();
    // One that only signs stands beside, as in what mail programs export, and opens no mail.
    let signer = Program::new("openssl").words("genpkey -algorithm ed25519").run().ok();
    let signer = std::fs::read_to_string(&together).unwrap() + &String::from_utf8(signer).unwrap();
    let signer = desk.site.write("bob-signs.pem", &signer);
    desk.assert_whole(&desk.import(&signer, &desk.file_password), "signer");
    desk.forget();
    // The same key twice is one.
    let twice = std::fs::read_to_string(&together).unwrap().repeat(2);
    let twice = desk.site.write("bob-twice.pem", &twice);
    desk.assert_whole(&desk.import(&twice, &desk.file_password), "twice");
    // Twice is by mistake.
    let words = format!("--file {} --password-file {}", path(&together), path(&desk.secure));
    let (code, said) = desk.site.refused(&format!("key import --account bob@north.example {words}"));
    assert_eq!(
        (code, said.starts_with("sealpost: the account bob@north.example has the key ")),
        (1, true),
        "{said}"
    );
    desk.forget();
    let bare = desk.site.run(&format!(
        "key import --account bob@north.example --file {} --password-file {}",
        path(&desk.bob.key),
        path(&desk.secure)
    ));
    let text = String::from_utf8(bare.ok()).unwrap();
    assert!(text.contains("the file holds no certificate of "), "{text}");
    assert!(text.ends_with(": sealpost cert issue --account bob@north.example, or cert add\n"), "{text}");
}

/// What somebody brings who has changed keys: the new one is sealed to, the old ones are there to read.
#[test]
fn the_history_of_keys_comes_along() {
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    let old = desk.authority.rsa("bob-old");
    let text = |file: &Path| std::fs::read_to_string(file).unwrap();
    // An old certificate of the old key has ended, one names somebody else; bob's key has two that hold.
    let again = desk.file("bob-again.pem");
    let ended = desk.file("bob-ended.pem");
    let issue = |public: &Path, days: &str, out: &Path| {
        let folder = desk.site.folder();
        let words = format!(
            "x509 -new -force_pubkey {} -subj /O=Judges/CN=bob -CA {} -CAkey {} -set_serial {days} -sha256 -extfile {} -extensions person -out {}",
            path(public),
            path(&desk.authority.certificate()),
            path(&folder.join("ca.key")),
            path(&folder.join("x509.cnf")),
            path(out)
        );
        let program = Program::new("openssl")
            .words(&words)
            .env("ADDRESS", "bob@north.example")
            .env("USAGE", "digitalSignature,keyAgreement,keyEncipherment");
        program.args(["-days", "20"]).run().ok();
    };
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    issue(&desk.file("bob.pub"), "7001", &again);
    // Ended: by our own authority, because this OpenSSL has no -not_after.
    write_ended(&old.key, &ended);
    let all: String = [&desk.bob.key, &old.key, &desk.bob.certificate, &again, &old.certificate, &ended]
        .map(|file| text(file))
        .concat();
    let file = desk.site.write("history.pem", &all);
    let imported = desk.import(&file, &desk.file_password);
    let states: Vec<(String, String)> = imported["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let reason = one["reason"].as_str().unwrap_or("").to_owned();
            (one["state"].as_str().unwrap().to_owned(), reason)
        })
        .collect();
    assert_eq!(states.len(), 4, "{imported}");
    assert_eq!(states[0], ("retired".into(), "mail is sealed to another one of its key".into()));
    assert_eq!(states[1], ("active".into(), String::new()));
    assert_eq!(states[2], ("retired".into(), "it ended on 2021-01-01".into()));
    let reason = "it names bob-old@north.example and not bob@north.example, bob@alias.example, \
                  robert@north.example and 1 more";
    assert_eq!(states[3], ("retired".into(), reason.into()));
    let keys = desk.site.json("key show --account bob@north.example");
    let shown: Vec<_> =
        keys["keys"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert_eq!(shown, ["active", "retired"]);
    desk.deliver_and_open();
    // What names the ended certificate is opened too.
    let sealed =
        Program::new("openssl").words("cms -encrypt -aes256").args([path(&ended)]).input(MESSAGE).run().ok();
    let words = format!("open --account bob@north.example --password-file {}", path(&desk.secure));
    assert_eq!(desk.site.program(&words).input(sealed).run().ok(), crlf(MESSAGE.as_bytes()));
}

/// A certificate of this key that ended long ago.
fn write_ended(key: &Path, out: &Path) {
    use sealpost::crypto::Seed;
    use sealpost::mail::Address;
    use sealpost::pki::{
        Authority, AuthorityProfile, KeyType, Reads, Subject, UnlockedKey, UserProfile, Validity,
        read_private_key, self_sign,
    };
    use time::Duration;
    let seed = |byte| Seed::from_bytes(&mut [byte; 32]);
    let begin = time::OffsetDateTime::from_unix_timestamp(1_577_836_800).unwrap();
    let validity = Validity::lasting(begin, Duration::days(366));
    let issuer = UnlockedKey::generate(KeyType::EcP256, seed(1)).unwrap();
    let profile = AuthorityProfile { subject: &Subject::named("old"), dns_names: &[], validity };
    let authority = self_sign(&issuer, &profile, seed(2)).unwrap();
    let key = read_private_key(&std::fs::read(key).unwrap(), None).unwrap();
    let addresses = &[Address::parse("bob@north.example").unwrap()];
    let user = UserProfile { common_name: "bob", addresses, validity, reads: Reads::Cbc };
    let made = Authority::new(&authority, &issuer).unwrap().issue(&key.public(), &user, seed(3)).unwrap();
    std::fs::write(out, made.to_pem().unwrap()).unwrap();
}

#[test]
fn bad_files_have_their_own_texts_and_change_nothing() {
    if !tools(&["openssl"]) {
        return;
    }
    let desk = Desk::new();
    let whole = std::fs::read(desk.pkcs12("openssl", "")).unwrap();
    let file = desk.file("bad");
    let wrong = desk.site.write("wrong", "wrong\n");
    let pem = std::fs::read(&desk.bob.key).unwrap();
    let certificates = desk.file("certificates.p12");
    let export = [
        "-nokeys",
        "-in",
        path(&desk.bob.certificate),
        "-passout",
        &format!("pass:{PASSWORD}"),
        "-out",
        path(&certificates),
    ];
    Program::new("openssl").words("pkcs12 -export").args(export).run().ok();
    let only_certificates = std::fs::read(certificates).unwrap();
    let refused = |bytes: &[u8], password: &Path, holder: &str| {
        std::fs::write(&file, bytes).unwrap();
        let secure = if holder.starts_with("--account") {
            format!(" --password-file {}", path(&desk.secure))
        } else {
            String::new()
        };
        let words = format!(
            "key import {holder} --file {} --file-password-file {}{secure}",
            path(&file),
            path(password)
        );
        let (code, text) = desk.site.refused(&words);
        let text = text.replace(path(&file), "FILE");
        (code, text)
    };
    let (account, domain) = ("--account bob@north.example", "--domain north.example");
    let own = &desk.file_password;
    let cut = "sealpost: FILE: the PKCS#12 file is broken: its ASN.1 is truncated or damaged\n";
    let trailing = "sealpost: FILE: the PKCS#12 file is broken: octets follow its end\n";
    let two = [pem.clone(), pem.clone()].concat();
    for (bytes, password, holder, code, text) in [
        (&whole[..], &wrong, account, 77, "sealpost: FILE: wrong password, or the PKCS#12 file is damaged\n"),
        (&whole[..whole.len() / 2], own, account, 65, cut),
        (&[&whole[..], b"x"].concat(), own, account, 65, trailing),
        (
            &only_certificates,
            own,
            account,
            65,
            "sealpost: FILE: no private key found: the PKCS#12 file holds a certificate only\n",
        ),
        (
            &two,
            own,
            domain,
            65,
            "sealpost: FILE: the file holds 2 private keys; exactly one is expected: split the file\n",
        ),
        (
            &pem[..pem.len() / 2],
            own,
            account,
            65,
            "sealpost: FILE: the PEM block is broken: BEGIN PRIVATE KEY has no END: the file is truncated\n",
        ),
        (b"", own, account, 65, "sealpost: FILE is empty\n"),
        (
            b"hello",
            own,
            account,
            65,
            "sealpost: FILE: no private key found: the file holds neither PEM nor DER\n",
        ),
    ] {
        assert_eq!(refused(bytes, password, holder), (code, text.to_owned()));
    }
    assert_eq!(desk.site.json("key show --account bob@north.example")["keys"], serde_json::json!([]));
    assert_eq!(
        desk.site.json("cert list --account bob@north.example")["certificates"],
        serde_json::json!([])
    );
}
