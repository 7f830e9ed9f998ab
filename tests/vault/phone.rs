//! A configuration profile for iPhone, iPad and Mac, read by the property lists of Python.

use super::{MESSAGE, Vault};
use crate::support::{Program, crlf, module, path, tools};

const READ: &str = "import plistlib, sys, json
profile = plistlib.load(open(sys.argv[1], 'rb'), fmt=plistlib.FMT_XML)
for payload in profile['PayloadContent']:
    if payload['PayloadType'] == 'com.apple.security.pkcs12':
        open(sys.argv[2], 'wb').write(payload['PayloadContent'])
    else:
        open(sys.argv[2] + '.cer', 'wb').write(payload['PayloadContent'])
    payload['PayloadContent'] = len(payload['PayloadContent'])
print(json.dumps(profile))";

#[test]
fn a_profile_brings_the_key_and_its_authority() {
    if !tools(&["openssl", "python3"]) || !module("python3", "import plistlib") {
        return;
    }
    let vault = Vault::new();
    vault.deliver(MESSAGE);
    let (profile, p12) = (vault.site.folder().join("bob.mobileconfig"), vault.site.folder().join("bob.p12"));
    let own = vault.site.write("own", "for the phone & me\n");
    let export = format!(
        "key export --account bob@north.example --format mobileconfig --password-file {} --file-password-file {}",
        path(&vault.password),
        path(&own)
    );
    let made = vault.site.json(&format!("{export} --output {}", path(&profile)));
    assert_eq!((made["format"].as_str(), made["legacy"].as_bool()), (Some("mobileconfig"), Some(false)));
    let text = std::fs::read_to_string(&profile).unwrap();
    assert!(!text.contains("for the phone") && !text.contains("Password"), "{text}");
    let read = Program::new("python3").args(["-c", READ, path(&profile), path(&p12)]).run().ok();
    let read: serde_json::Value = serde_json::from_slice(&read).unwrap();
    assert_eq!(
        (read["PayloadType"].as_str(), read["PayloadVersion"].as_i64()),
        (Some("Configuration"), Some(1))
    );
    assert_eq!(read["PayloadDisplayName"], "S/MIME of bob@north.example");
    assert_eq!(read["PayloadOrganization"], "north.example");
    let payloads = read["PayloadContent"].as_array().unwrap();
    let kinds: Vec<_> = payloads.iter().map(|payload| payload["PayloadType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["com.apple.security.pkcs12", "com.apple.security.root"]);
    let all = payloads.iter().chain([&read]);
    let uuids: std::collections::HashSet<_> =
        all.clone().map(|payload| payload["PayloadUUID"].as_str().unwrap()).collect();
    assert_eq!((uuids.len(), uuids.iter().all(|uuid| uuid.len() == 36)), (3, true));
    assert!(
        all.clone().all(|payload| payload["PayloadIdentifier"].as_str().unwrap().starts_with("sealpost."))
    );
    // The key inside opens the mail, under the password of the file and no other.
    let pem = vault.site.folder().join("bob.pem");
    let convert = |password: &str| {
        let args = [
            "pkcs12",
            "-nodes",
            "-passin",
            &format!("file:{password}"),
            "-in",
            path(&p12),
            "-out",
            path(&pem),
        ];
        Program::new("openssl").args(args).run()
    };
    assert_ne!(convert(path(&vault.password)).code, Some(0));
    convert(path(&own)).ok();
    let decrypt = format!("cms -decrypt -inform SMIME -recip {0} -inkey {0} -in", path(&pem));
    let opened = Program::new("openssl").words(&decrypt).args([path(&vault.inbox()[0])]).run().ok();
    assert_eq!(opened, crlf(MESSAGE.as_bytes()));
    // The authority beside it is the issuer.
    let authority = format!("{}.cer", path(&p12));
    let shown = Program::new("openssl")
        .args(["x509", "-inform", "DER", "-noout", "-subject", "-in", &authority])
        .run();
    assert_eq!(shown.text().trim(), "subject=CN = north.example");
}

#[test]
fn the_old_form_is_one_of_pkcs12_only() {
    let vault = Vault::new();
    let export = format!("key export --account bob@north.example --password-file {}", path(&vault.password));
    assert_eq!(
        vault.site.refused(&format!("{export} --format pkcs8 --legacy")),
        (
            64,
            "sealpost: --legacy is a form of PKCS#12, and pkcs8 is none\n  leave one of the two out\n"
                .to_owned()
        )
    );
    let sha1_and_3des = |bytes: &[u8]| {
        let oid: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];
        bytes.windows(oid.len()).filter(|octets| *octets == oid).count()
    };
    let old = vault.site.run(&format!("{export} --format p12 --legacy")).ok();
    assert_eq!(sha1_and_3des(&old), 2);
    assert_eq!(sha1_and_3des(&vault.site.run(&export).ok()), 0);
}
