//! What other programs sign: NSS, which stands under Thunderbird, and gpgsm.

use super::signer::{ENTITY, add, fingerprint, pending, store};
use crate::support::{Identity, Program, Site, Store, of_three, openssl_4, path, tools, vectors};
use std::os::unix::fs::PermissionsExt;

/// A structure that carries its content, as mail.
fn opaque(der: &[u8]) -> Vec<u8> {
    let head =
        b"From: robert@north.example\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n";
    [head.as_slice(), &base64(der)].concat()
}

/// A signature beside what it signs.
fn detached(der: &[u8]) -> Vec<u8> {
    let head = b"From: Robert <robert@north.example>\r\nContent-Type: multipart/signed; boundary=\"=_b\"; \
        protocol=\"application/pkcs7-signature\"; micalg=sha-256\r\n\r\nThis is signed.\r\n--=_b\r\n";
    let middle = b"\r\n--=_b\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n";
    [head.as_slice(), ENTITY, middle, &base64(der), b"--=_b--\r\n"].concat()
}

fn base64(octets: &[u8]) -> Vec<u8> {
    Program::new("openssl").words("base64").input(octets).run().ok()
}

/// Robert with an RSA key, and a file with what he signs.
fn robert(store: &Store) -> (Identity, std::path::PathBuf) {
    let file = store.file("entity");
    std::fs::write(&file, ENTITY).unwrap();
    (store.authority.rsa("robert"), file)
}

#[test]
fn nss_signs_and_prefers_a_certificate() {
    if !tools(&["openssl", "certutil", "pk12util", "cmsutil"]) {
        return;
    }
    let store = store();
    let (robert, entity) = robert(&store);
    let folder = store.file("nss");
    std::fs::create_dir(&folder).unwrap();
    let database = format!("sql:{}", path(&folder));
    let run = |name: &str, words: &str| Program::new(name).words(words).args(["-d", &database]).run().ok();
    run("certutil", "-N --empty-password");
    run("certutil", &format!("-A -n authority -t CT,CT,CT -i {}", path(&store.authority.certificate())));
    run("pk12util", &format!("-W judge -i {}", path(&robert.pkcs12(&store.authority))));
    let out = store.file("signed");
    let sign = |options: &str| {
        let files = format!("-i {} -o {}", path(&entity), path(&out));
        run("cmsutil", &format!("-S -N {} -G -P {options} {files}", robert.address));
        std::fs::read(&out).unwrap()
    };
    add(&store, &opaque(&sign(""))).ok();
    assert_eq!(pending(&store), [(fingerprint(&robert.certificate), "signed mail".to_owned())]);
    let preferring = opaque(&sign(&format!("-Y {} -H SHA512", robert.address)));
    assert!(add(&store, &preferring).stderr.ends_with("already waits\n"));
    assert!(add(&store, &detached(&sign("-T"))).stderr.ends_with("already waits\n"));
}

#[test]
fn gpgsm_signs() {
    if !tools(&["openssl", "gpgsm", "gpg-agent"]) {
        return;
    }
    let store = store();
    let (robert, entity) = robert(&store);
    let home = store.file("gpgsm");
    std::fs::create_dir(&home).unwrap();
    std::fs::set_permissions(&home, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(home.join("gpgsm.conf"), "disable-crl-checks\ndisable-dirmngr\n").unwrap();
    std::fs::write(home.join("gpg-agent.conf"), "allow-loopback-pinentry\ns2k-count 65536\n").unwrap();
    let sha1 = Program::new("openssl").words("x509 -noout -fingerprint -sha1 -in");
    let sha1 = sha1.args([path(&store.authority.certificate())]).run().text();
    let sha1 = sha1.trim().split_once('=').unwrap().1;
    std::fs::write(home.join("trustlist.txt"), format!("{sha1} S relax\n")).unwrap();
    let container = robert.pkcs12(&store.authority);
    let gpgsm = |words: &str, file: &std::path::Path| {
        let quiet = "--batch --yes --quiet --pinentry-mode loopback --passphrase-fd 0";
        let program = Program::new("gpgsm").env("GNUPGHOME", &home).words(quiet).words(words);
        program.args([path(file)]).input("judge\n").run()
    };
    of_three(|| gpgsm("--import", &container)).ok();
    let signed = |more: &str| {
        let words = format!("--output - --local-user {} {more}", robert.address);
        of_three(|| gpgsm(&words, &entity)).outcome()
    };
    let made = [signed("--sign").map(|der| opaque(&der)), signed("--detach-sign").map(|der| detached(&der))];
    let _ = Program::new("gpgconf").env("GNUPGHOME", &home).words("--kill all").run();
    let [opaque, detached] = made.map(Result::unwrap);
    add(&store, &opaque).ok();
    assert_eq!(pending(&store), [(fingerprint(&robert.certificate), "signed mail".to_owned())]);
    assert!(add(&store, &detached).stderr.ends_with("already waits\n"));
}

/// The people of RFC 9216 sign with one certificate and are encrypted to with another one, of the same subject.
#[test]
fn the_people_of_rfc_9216_show_what_to_encrypt_to() {
    let Some(vectors) = vectors() else { return };
    let Some(openssl) = openssl_4() else { return };
    let site = Site::bare();
    site.run("init").ok();
    site.run("domain add smime.example").ok();
    let file = |name: String| vectors.join("rfc9216").join(name);
    for authority in ["ca.rsa.crt", "ca.25519.crt"] {
        let add = site.program("trust add --domain smime.example --file");
        add.args([path(&file(authority.to_owned()))]).run().ok();
    }
    for name in ["alice", "bob", "carlos", "dana"] {
        site.run(&format!("account add {name}@smime.example")).ok();
        let sign = Program::new(path(&openssl)).words("cms -sign -binary -md sha512 -outform SMIME");
        let [signer, key, other] =
            ["sign.crt", "sign.key", "encrypt.crt"].map(|end| file(format!("{name}.{end}")));
        let files = ["-signer", path(&signer), "-inkey", path(&key), "-certfile", path(&other)];
        let message =
            sign.args(files).args(["-from", &format!("{name}@smime.example")]).input(ENTITY).run().ok();
        let add = format!("cert add --account {name}@smime.example --from-message -");
        let told = site.program(&add).input(message).run();
        let text = told.text();
        told.ok();
        assert!(text.starts_with(&fingerprint(&other)) && !text.contains("warning"), "{name}: {text}");
    }
    let listed = site.json("cert pending");
    let waiting = listed["pending"].as_array().unwrap();
    assert!(waiting.iter().all(|one| one["source"] == "signed mail" && one["chain"] == "holds"), "{listed}");
    assert_eq!(waiting.len(), 4);
}
