//! `seal`, `open` and `inspect` as filters.

use super::identities;
use crate::support::{Program, Site, path, root};
use std::path::Path;

const MESSAGE: &str = "From: a@south.example\nSubject: Lunch\n\nxyzzy\n";

fn filter(words: &str, input: impl Into<Vec<u8>>) -> crate::support::Ended {
    Program::sealpost().words(words).input(input).run()
}

/// Whatever is wrong: an exit code, a sentence, and no byte on standard output.
#[test]
fn a_filter_that_fails_writes_nothing() {
    let (site, password) = Site::certified();
    let (old, good) = identities(&site);
    let key = site.write("key.pem", "no key\n");
    let sealed = filter(&format!("seal --cert {good}"), MESSAGE).ok();
    let cut = sealed[..sealed.len() / 2].to_vec();
    let root = site.root();
    let vault = format!("--root {} open --account bob@north.example", path(&root));
    let password = path(&password);
    let wrong = path(&site.write("wrong", "wrong\n")).to_owned();
    let pem = std::fs::read(&good).unwrap();
    let message = MESSAGE.as_bytes().to_vec();
    for (code, words, input) in [
        (65, format!("seal --cert {old}"), &message),
        (65, format!("seal --cert {good} --for eve@north.example"), &message),
        (65, format!("seal --cert {good} --trust {good}x"), &message),
        (65, format!("seal --cert {good} --cert {}", path(&key)), &message),
        (66, "seal --cert /nonexistent".to_owned(), &message),
        (64, format!("seal --cert {good} --profile newest"), &message),
        (64, "seal --cert -".to_owned(), &pem),
        (65, format!("open --key {}", path(&key)), &sealed),
        (66, "open --key /nonexistent".to_owned(), &sealed),
        (66, format!("{vault} --password-file {password}"), &sealed),
        (77, format!("{vault} --password-file {wrong}"), &sealed),
        (64, format!("{vault} --password-file -"), &sealed),
        (65, format!("{vault} --password-file {password}"), &message),
        (65, format!("{vault} --password-file {password}"), &cut),
    ] {
        // A file of trust that does not chain: any other self-signed certificate.
        let words = words.replace(&format!("{good}x"), &old);
        let ended = filter(&words, input.clone());
        assert_eq!((ended.code, ended.stdout.len()), (Some(code), 0), "{words}: {}", ended.stderr);
        assert!(
            ended.stderr.starts_with("sealpost: ") && !ended.stderr.contains("xyzzy"),
            "{words}: {}",
            ended.stderr
        );
    }
}

#[test]
fn what_is_hidden_of_the_header_is_an_option() {
    if !crate::support::tools(&["openssl"]) {
        return;
    }
    let site = Site::bare();
    let bob = crate::support::Authority::new(site.folder()).rsa("bob");
    let certificate = path(&bob.certificate);
    let open = format!("open --key {} --cert {certificate}", path(&bob.key));
    for (option, subject) in
        [("", "Lunch"), (" --headers keep", "Lunch"), (" --headers hide-subject", "[...]")]
    {
        let ended = filter(&format!("seal --cert {certificate}{option}"), MESSAGE);
        assert_eq!(ended.stderr, "");
        let sealed = ended.ok();
        let text = String::from_utf8_lossy(&sealed).into_owned();
        assert!(text.contains(&format!("\nSubject: {subject}\n")), "{text}");
        assert_eq!(filter(&open, sealed).ok(), crate::support::crlf(MESSAGE.as_bytes()));
    }
    let broken = format!("Content-Type: text\n{MESSAGE}");
    let ended = filter(&format!("seal --cert {certificate} --headers hide-most"), broken.clone());
    assert_eq!(
        ended.stderr,
        "sealpost: warning: nothing of the header is hidden: the message has several Content-Type fields, \
         or one that does not parse\n"
    );
    let sealed = ended.ok();
    assert!(String::from_utf8_lossy(&sealed).contains("\nSubject: Lunch\n"));
    assert_eq!(filter(&open, sealed).ok(), crate::support::crlf(broken.as_bytes()));
    assert_eq!(filter(&format!("seal --cert {certificate} --headers hide"), MESSAGE).code, Some(64));
}

#[test]
fn rsa_beside_ec_is_allowed_and_noted() {
    if !crate::support::tools(&["openssl"]) {
        return;
    }
    let site = Site::bare();
    let authority = crate::support::Authority::new(site.folder());
    let (bob, dana) = (authority.rsa("bob"), authority.p256("dana"));
    let (rsa, ec) = (path(&bob.certificate), path(&dana.certificate));
    let note = "sealpost: warning: RSA and EC recipients stand side by side: NSS before 3.100 cannot read it with \
                an RSA key\n";
    let both = filter(&format!("seal --cert {rsa} --cert {ec}"), MESSAGE);
    assert_eq!(both.stderr, note);
    assert_eq!(filter(&format!("seal --cert {ec} --cert {ec}"), MESSAGE).stderr, "");
    let rekey = format!("rekey --key {} --old-cert {rsa} --cert {rsa}", path(&bob.key));
    let rekeyed = filter(&format!("{rekey} --cert {ec}"), both.ok());
    assert_eq!(rekeyed.stderr, note);
    assert_eq!(filter(&rekey, rekeyed.ok()).stderr, "");
}

#[test]
fn an_expired_certificate_needs_a_word() {
    let site = Site::bare();
    let (old, _) = identities(&site);
    let ended = filter(&format!("seal --cert {old}"), MESSAGE);
    assert_eq!(ended.code, Some(65));
    let text = format!(
        "sealpost: nothing was sealed: the certificate in {old} is unfit: it ended on 2021-01-01\n  \
         to seal to it all the same: --allow-expired\n"
    );
    assert_eq!(ended.stderr, text);
    filter(&format!("seal --cert {old} --allow-expired"), MESSAGE).ok();
}

#[test]
fn an_output_file_appears_whole_or_not_at_all() {
    let site = Site::bare();
    let (old, good) = identities(&site);
    let file = site.folder().join("sealed.eml");
    std::fs::write(&file, "before").unwrap();
    let refused = filter(&format!("seal --cert {old} --output {}", path(&file)), MESSAGE);
    assert_eq!((refused.code, std::fs::read(&file).unwrap()), (Some(65), b"before".to_vec()));
    let written = filter(&format!("seal --cert {good} --output={}", path(&file)), MESSAGE).ok();
    assert!(written.is_empty());
    let sealed = std::fs::read(&file).unwrap();
    let inspected = filter("inspect", sealed).ok();
    assert!(String::from_utf8(inspected).unwrap().starts_with("structure  sealed: S/MIME EnvelopedData\n"));
    let folder = filter(&format!("seal --cert {good} --output {}", path(site.folder())), MESSAGE);
    let text = format!("sealpost: cannot write {}: it is a folder\n", path(site.folder()));
    assert_eq!((folder.code, folder.stderr), (Some(74), text));
    let names: Vec<_> =
        std::fs::read_dir(site.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        names.iter().all(|name| !name.to_string_lossy().starts_with('.')),
        "nothing is left over: {names:?}"
    );
}

/// Root could: a device, a pipe, and a link stay what they are; `/dev/stdout` is a link, to a file where output goes into one.
#[test]
fn nothing_but_a_file_is_replaced_by_an_output() {
    let site = Site::bare();
    let (_, good) = identities(&site);
    let place = |name: &str| site.folder().join(name);
    Program::new("mkfifo").args([path(&place("pipe"))]).run().ok();
    let leading = |name: &str, to: &Path| {
        std::os::unix::fs::symlink(to, place(name)).unwrap();
        place(name)
    };
    std::fs::write(place("file"), "kept").unwrap();
    let links = [
        leading("null-link", Path::new("/dev/null")),
        leading("stdout", &place("file")),
        leading("gone", &place("none")),
    ];
    let mut places = [vec![place("pipe")], links.to_vec()].concat();
    if root(&["mknod"]) {
        Program::new("mknod").args([path(&place("null")), "c", "1", "3"]).run().ok();
        places.push(place("null"));
    }
    for output in &places {
        let kind = output.symlink_metadata().unwrap().file_type();
        // Held, and piece by piece.
        for limit in ["16M", "10"] {
            let words = format!("seal --cert {good} --memory-limit {limit} --output {}", path(output));
            let text = format!(
                "sealpost: cannot write {}: it is no file\n  without --output the result goes to standard output, \
                 and from there wherever > leads\n",
                path(output)
            );
            let ended = filter(&words, MESSAGE);
            assert_eq!((ended.code, ended.stderr), (Some(74), text));
            assert_eq!(output.symlink_metadata().unwrap().file_type(), kind);
        }
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/office-hours.toml");
        let force = format!("rules export {rules} --force --output {}", path(output));
        let ended = Program::sealpost().words(&force).run();
        assert!(ended.code == Some(74) && ended.stderr.contains("it is no file"), "{}", ended.stderr);
        assert_eq!(output.symlink_metadata().unwrap().file_type(), kind);
    }
    assert_eq!(std::fs::read_to_string(place("file")).unwrap(), "kept");
}

#[test]
fn a_locked_key_file_is_opened_by_its_password() {
    if !crate::support::tools(&["openssl"]) {
        return;
    }
    let site = Site::bare();
    let authority = crate::support::Authority::new(site.folder());
    let bob = authority.rsa("bob");
    let sealed = filter(&format!("seal --cert {}", path(&bob.certificate)), MESSAGE).ok();
    let container = bob.pkcs12(&authority);
    let password = site.write("password", "judge\n");
    let open = format!("open --key {}", path(&container));
    let locked = filter(&open, sealed.clone());
    assert_eq!((locked.code, locked.stdout.len()), (Some(77), 0));
    assert!(
        locked.stderr.ends_with("  or give its password: --password-file FILE or --password-fd N\n"),
        "{}",
        locked.stderr
    );
    let opened = filter(&format!("{open} --password-file {}", path(&password)), sealed).ok();
    assert_eq!(opened, crate::support::crlf(MESSAGE.as_bytes()));
    // The same file gives a domain and an account its key.
    let site = Site::furnished();
    let import = format!("key import --file {} --file-password-file {}", path(&container), path(&password));
    site.run(&format!("{import} --domain north.example")).ok();
    site.run(&format!("{import} --account bob@north.example --password-file {}", path(&password))).ok();
    let (code, text) =
        site.refused(&format!("key import --domain north.example --file {}", path(&container)));
    assert_eq!((code, text.contains("--file-password-file FILE")), (77, true), "{text}");
    // An EC key is as good as any.
    let eve = authority.p256("eve");
    site.run("account add eve@north.example").ok();
    let password = format!("--password-file {}", path(&password));
    site.run(&format!("key import --account eve@north.example --file {} {password}", path(&eve.key))).ok();
    site.run(&format!("cert add --account eve@north.example --file {}", path(&eve.certificate))).ok();
}
