//! Revocation lists: those that a domain signs, and those of other authorities.

use super::{Office, pem};
use crate::support::{on_one_day, path, tools};
use sealpost::crypto::Seed;
use sealpost::directory::{CertificateUse, Rotation, SqliteDirectory};
use sealpost::pki::{Certificate, Crl, KeyType, UnlockedKey, Validity, read_crls, succeed};
use std::os::unix::fs::PermissionsExt;
use time::{Duration, OffsetDateTime};

/// Lists as `crl sign` prints them, with what it says beside.
fn sign(office: &Office, more: &str) -> (Vec<Crl>, String) {
    let ended = office.site.run(&format!("crl sign --domain north.example {more}"));
    let told = ended.stderr.clone();
    (read_crls(&ended.ok()).unwrap(), told)
}

fn number(crl: &Crl) -> u64 {
    crl.number().unwrap().unwrap().iter().fold(0, |sum, octet| sum * 256 + u64::from(*octet))
}

/// The certificates of the domain.
fn authorities(office: &Office) -> Vec<Certificate> {
    let shown = office.site.json("cert show --domain north.example");
    let held = shown["certificates"].as_array().unwrap();
    held.iter().map(|one| Certificate::from_pem(pem(one).as_bytes()).unwrap()).collect()
}

/// A new key and authority of the same name in the place of the old one.
fn rotate(office: &Office) -> Certificate {
    let directory = SqliteDirectory::open(&office.site.root()).unwrap();
    let old = authorities(office).remove(0);
    let key = UnlockedKey::generate(KeyType::EcP384, Seed::from_bytes(&mut [5; 32])).unwrap();
    let validity = Validity::lasting(OffsetDateTime::now_utc(), Duration::days(3000));
    let new = succeed(&old, &key, validity, Seed::from_bytes(&mut [6; 32])).unwrap();
    let rotation = Rotation {
        replaced: old.key_fingerprint().unwrap(),
        fingerprint: key.fingerprint().unwrap(),
        pkcs8: &key.to_pkcs8().unwrap(),
        certificates: &[(CertificateUse::Generic, new.clone())],
    };
    directory.rotate_domain_key("north.example", &rotation).unwrap();
    new
}

#[test]
fn a_list_is_numbered_and_dated_also_when_nothing_changed() {
    on_one_day();
    let (office, _) = Office::issued();
    let (first, told) = sign(&office, "");
    let next = (OffsetDateTime::now_utc() + Duration::days(7)).date();
    assert_eq!(
        told,
        format!("sealpost: list 1 of CN=north.example: nothing is revoked, the next one by {next}\n")
    );
    let [first] = first.as_slice() else { panic!("one list") };
    assert!(first.is_empty() && first.is_signed_by(&authorities(&office)[0]));
    assert_eq!(first.authority_key_id().unwrap(), authorities(&office)[0].subject_key_id());
    assert_eq!(first.next_update().unwrap() - first.this_update(), Duration::days(7));
    let (second, _) = sign(&office, "--days 2");
    assert_eq!((number(first), number(&second[0])), (1, 2));
    assert_eq!(second[0].next_update().unwrap() - second[0].this_update(), Duration::days(2));
    office.configure("crl-days = 3\n");
    let (third, _) = sign(&office, "");
    assert_eq!(third[0].next_update().unwrap() - third[0].this_update(), Duration::days(3));
    let shown = office.site.json("crl show --domain north.example");
    assert_eq!(shown["lists"].as_array().unwrap().len(), 1);
    assert_eq!(shown["lists"][0]["number"], "3");
}

#[test]
fn what_is_revoked_stands_in_the_list_and_what_is_released_no_more() {
    on_one_day();
    let (office, _) = Office::issued();
    let issued = office.site.json("cert issued --domain north.example");
    let serial = issued["issued"][0]["serial"].as_str().unwrap();
    office.site.run("cert revoke --account bob@north.example --reason certificate-hold").ok();
    let (held, told) = sign(&office, "");
    assert!(
        told.starts_with("sealpost: list 1 of CN=north.example: 1 certificate revoked, the next one by "),
        "{told}"
    );
    let entries = held[0].listed().unwrap();
    assert_eq!(
        (entries[0].serial.as_str(), entries[0].revocation.reason.name()),
        (serial, "certificate-hold")
    );
    office.site.run("cert release --account bob@north.example").ok();
    assert!(sign(&office, "").0[0].is_empty());
    office.site.run("cert revoke --account bob@north.example --reason unspecified").ok();
    let (last, _) = sign(&office, "");
    assert_eq!(last[0].listed().unwrap()[0].revocation.reason.name(), "unspecified");
    let file = office.file("list.pem");
    std::fs::write(&file, last[0].to_pem().unwrap()).unwrap();
    let shown = office.site.run(&format!("crl show {}", path(&file))).text();
    let today = OffsetDateTime::now_utc().date();
    let wanted = [
        format!("list           {}\n", last[0].fingerprint()),
        "issuer         CN=north.example\n".to_owned(),
        "number         3\n".to_owned(),
        format!("made           {today}\n"),
        "entries        1\n".to_owned(),
        format!("{serial}  {today}  unspecified\n"),
    ];
    wanted.iter().for_each(|line| assert!(shown.contains(line), "{line} is not in\n{shown}"));
}

#[test]
fn a_list_is_written_for_web_servers() {
    let (office, _) = Office::issued();
    let folder = path(office.site.folder()).to_owned();
    let command =
        format!("crl sign --domain alias.example --form der --output {folder}/{{domain}}-{{authority}}.crl");
    let told = office.site.run(&command).text();
    let (head, file) = told.trim_end().split_once("; written to ").unwrap();
    assert!(head.starts_with("list 1 of CN=north.example: nothing is revoked, the next one by "), "{told}");
    let name = file.strip_prefix(&format!("{folder}/north.example-")).unwrap().strip_suffix(".crl").unwrap();
    assert!(name.len() == 16 && name.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    assert!(Crl::from_der(&std::fs::read(file).unwrap()).unwrap().is_signed_by(&authorities(&office)[0]));
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o644);
    // The certificates lead there.
    office.configure("crl-url = \"http://crl.north.example/{domain}-{authority}.crl\"\n");
    let renewed = office.site.json("cert renew --account bob@north.example");
    let made = Certificate::from_pem(pem(&renewed["renewed"][0]).as_bytes()).unwrap();
    let url = format!("http://crl.north.example/north.example-{name}.crl");
    assert!(made.der().windows(url.len()).any(|window| window == url.as_bytes()));
    let misspelt = format!("{folder}/x-{{authorty}}.crl");
    let text = format!(
        "sealpost: --output {misspelt} is not allowed; allowed: a path with {{domain}} and {{authority}} in it or not\n"
    );
    let refused = office.site.refused(&format!("crl sign --domain north.example --output {misspelt}"));
    assert_eq!(refused, (64, text));
    assert!(!std::path::Path::new(&misspelt).exists());
    let (code, text) = office.site.refused("crl sign --domain north.example --output /nowhere/x.crl");
    assert_eq!(
        (code, text.as_str()),
        (66, "sealpost: cannot write /nowhere/x.crl: No such file or directory\n")
    );
}

/// One name with two keys, and a name more for the special certificate.
#[test]
fn each_name_and_key_signs_its_own_list_over_all_of_its_name() {
    let (office, _) = Office::issued();
    let old = authorities(&office).remove(0);
    office.site.run("cert revoke --account bob@north.example --reason key-compromise").ok();
    let new = rotate(&office);
    office.make_key("bob");
    let special = "cert self-sign --domain north.example --purpose smime --organization North";
    office.site.run(special).ok();
    office.site.run("cert issue --account bob@north.example").ok();
    office.site.run("cert revoke --account bob@north.example --reason superseded").ok();
    let (lists, told) = sign(&office, "");
    assert_eq!(told.lines().count(), 3, "{told}");
    assert_eq!(lists.iter().map(number).collect::<Vec<_>>(), [1, 2, 3]);
    let smime = authorities(&office).into_iter().find(|one| *one != new).unwrap();
    for (authority, entries) in [(&new, 1), (&smime, 1), (&old, 1)] {
        let of_it: Vec<&Crl> = lists.iter().filter(|list| list.is_signed_by(authority)).collect();
        assert_eq!(of_it.len(), 1, "{}", authority.subject());
        assert_eq!(
            (of_it[0].len(), of_it[0].authority_key_id().unwrap()),
            (entries, authority.subject_key_id())
        );
    }
    // Old and new share a name: both tell of bob's first certificate.
    let by = |authority: &Certificate| {
        let list = lists.iter().find(|list| list.is_signed_by(authority)).unwrap();
        list.listed().unwrap()
    };
    assert_eq!(by(&old), by(&new));
    assert_ne!(by(&old), by(&smime));
    // What is said of the two is told apart by their keys.
    let keys = [Some(&new), None, Some(&old)].map(|one| {
        one.map_or(String::new(), |one| {
            format!(" (key {})", &one.key_fingerprint().unwrap().to_string()[..16])
        })
    });
    for key in keys {
        let said =
            told.lines().filter(|line| line.contains(&format!("CN=north.example{key}: 1 certificate")));
        let wanted = usize::from(!key.is_empty());
        assert_eq!(said.count(), wanted, "{told}");
    }
    let folder = path(office.site.folder()).to_owned();
    let refused = |more: &str| {
        let refused = office.site.refused(&format!("crl sign --domain north.example {more}"));
        assert!(!office.file("x.crl").exists());
        refused
    };
    let hint = "\n  --output with {authority} in it gives each its own file\n";
    let one_file = format!("sealpost: north.example has 3 lists, and --output names one file{hint}");
    for form in ["pem", "der"] {
        assert_eq!(refused(&format!("--form {form} --output {folder}/x.crl")), (64, one_file.clone()));
    }
    let text = format!("sealpost: north.example has 3 lists, and one file in DER holds one{hint}");
    assert_eq!(refused("--form der"), (64, text));
    // What a refused call would have signed takes no number.
    assert_eq!(sign(&office, "").0.iter().map(number).collect::<Vec<_>>(), [4, 5, 6]);
    let shown = office.site.json("crl show --domain north.example");
    assert_eq!(shown["lists"].as_array().unwrap().len(), 3);
    // Nobody issues with a certificate of the old authority any more: it is renewed by the new one.
    assert!(old.fingerprint() != new.fingerprint());
}

#[test]
fn a_replaced_authority_is_followed_at_the_next_renewal_of_the_domain() {
    let (office, first) = Office::issued();
    let new = rotate(&office);
    let renewed = office.site.json("cert renew --domain north.example");
    assert_eq!(renewed["certificates"][0]["outcome"], "renewed");
    let listed = office.site.json("cert list --account bob@north.example");
    assert_eq!(listed["certificates"][0]["fingerprint"], first.as_str());
    assert_eq!(office.states(), ["retired", "active"]);
    let made = Certificate::from_pem(pem(&listed["certificates"][1]).as_bytes()).unwrap();
    assert!(made.is_signed_by(&new));
    assert!(
        office.site.json("cert renew --domain north.example")["certificates"].as_array().unwrap().is_empty()
    );
}

#[test]
fn certificates_under_a_name_that_is_gone_are_warned_of() {
    let (office, _) = Office::issued();
    office.site.run("cert self-sign --domain north.example --organization North --anyway").ok();
    let (lists, told) = sign(&office, "");
    assert_eq!(lists.len(), 1);
    let warning = "sealpost: warning: no list tells of 1 certificate, issued under a name or key that north.example has no \
        more\n";
    assert!(told.starts_with(warning), "{told}");
}

#[test]
fn what_cannot_sign_a_list_is_said() {
    let site = crate::support::Site::furnished();
    let text = "sealpost: north.example has no certificate that may sign revocation lists\n  make one: sealpost cert \
        self-sign --domain north.example\n";
    assert_eq!(site.refused("crl sign --domain north.example"), (66, text.to_owned()));
    let text = "sealpost: north.example has signed no revocation list\n  sign one: sealpost crl sign --domain \
        north.example\n";
    assert_eq!(site.refused("crl show --domain north.example"), (66, text.to_owned()));
    assert_eq!(site.refused("crl sign --domain void.example").0, 66);
    assert_eq!(site.refused("crl show").0, 64);
}

/// Lists of an authority made by OpenSSL, with the numbers 16, 17 and so on.
struct Partner<'o> {
    office: &'o Office,
}

impl Partner<'_> {
    fn new(office: &Office) -> Partner<'_> {
        office.openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout @ca.key -out @ca.pem -days 30 -subj /CN=Partner").ok();
        let folder = path(office.site.folder()).to_owned();
        let config = format!(
            "[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/index\ncrlnumber={folder}/number\ndefault_md=sha256\n\
             default_crl_days=7\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n"
        );
        let revoked = "R\t301231235959Z\t261101120000Z,keyCompromise\t0A0B\tunknown\t/CN=Lost\n";
        for (name, text) in [("ca.cnf", config.as_str()), ("index", revoked), ("number", "10\n")] {
            std::fs::write(office.file(name), text).unwrap();
        }
        Partner { office }
    }

    fn list(&self, name: &str) -> String {
        let out = self.office.file(name);
        let words = "ca -gencrl -config @ca.cnf -keyfile @ca.key -cert @ca.pem";
        let made = self.office.openssl(words).ok();
        std::fs::write(&out, made).unwrap();
        path(&out).to_owned()
    }
}

#[test]
fn lists_of_other_authorities_are_kept_replaced_shown_and_removed() {
    on_one_day();
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    let partner = Partner::new(&office);
    let (old, new) = (partner.list("old.crl"), partner.list("new.crl"));
    let ca = path(&office.file("ca.pem")).to_owned();
    let nothing = "no list of another authority is here: sealpost crl add --file FILE\n";
    assert_eq!(office.site.run("crl list").text(), nothing);
    assert_eq!(
        office.site.refused(&format!("crl add --file {old}")),
        (
            1,
            "sealpost: nobody here knows CN=Partner, who signed list 16\n  give its certificate: --issuer FILE; or trust \
             it first: sealpost trust add\n"
                .to_owned()
        )
    );
    let add = |file: &str| format!("crl add --file {file} --issuer {ca}");
    let kept = office.site.run(&add(&old)).text();
    assert_eq!(kept, "list 16 of CN=Partner is kept; it takes back 1 certificate\n");
    assert_eq!(office.site.run(&add(&old)).text(), "list 16 of CN=Partner is here already\n");
    let first = office.site.json("crl list")["lists"][0]["fingerprint"].as_str().unwrap().to_owned();
    let replaced = office.site.program(&add("-")).input(std::fs::read(&new).unwrap()).run().text();
    assert_eq!(
        replaced,
        format!(
            "list 17 of CN=Partner is kept; it takes back 1 certificate\nit takes the place of {first}\n"
        )
    );
    let held = office.site.json("crl list")["lists"].as_array().unwrap().clone();
    assert_eq!(
        (held.len(), &held[0]["number"], &held[0]["source"]),
        (1, &"17".into(), &"standard input".into())
    );
    let second = held[0]["fingerprint"].as_str().unwrap();
    let today = OffsetDateTime::now_utc().date();
    assert_eq!(
        office.site.refused(&add(&old)),
        (
            1,
            format!(
                "sealpost: list 16 of {today} of CN=Partner is not newer than list 17 of {today}, which is here\n  to take \
                 it all the same: sealpost crl remove --fingerprint {}\n",
                &second[..16]
            )
        )
    );
    let text = office.site.run("crl list").text();
    assert!(text.lines().nth(1).unwrap().starts_with(&second[..16]), "{text}");
    assert_eq!(
        office.site.run(&format!("crl remove --fingerprint {}", &second[..12])).text(),
        format!("list {second} removed: what it revoked is valid again, unless another list says so\n")
    );
    assert_eq!(office.site.run("crl list").text(), nothing);
    assert_eq!(office.site.refused("crl remove --fingerprint 0123456789").0, 66);
}

#[test]
fn only_a_signature_that_holds_is_believed() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    let partner = Partner::new(&office);
    let file = partner.list("list.crl");
    let der = read_crls(&std::fs::read(&file).unwrap()).unwrap().remove(0).der().to_vec();
    let mut changed = der.clone();
    *changed.last_mut().unwrap() ^= 1;
    let spoiled = office.file("spoiled.crl");
    std::fs::write(&spoiled, changed).unwrap();
    let ca = office.file("ca.pem");
    let print = Certificate::from_pem(&std::fs::read(&ca).unwrap()).unwrap().fingerprint();
    assert_eq!(
        office.site.refused(&format!("crl add --file {} --issuer {}", path(&spoiled), path(&ca))),
        (
            65,
            format!(
                "sealpost: the signature of list 16 of CN=Partner does not hold under its certificate {print}\n  it was \
                 changed, or signed with another key of the same name: --issuer FILE gives that certificate\n"
            )
        )
    );
    // Of the same key and name, and may sign no lists.
    office.openssl("req -x509 -key @ca.key -out @no.pem -days 30 -subj /CN=Partner -addext keyUsage=critical,keyCertSign").ok();
    let no = office.file("no.pem");
    let print = Certificate::from_pem(&std::fs::read(&no).unwrap()).unwrap().fingerprint();
    assert_eq!(
        office.site.refused(&format!("crl add --file {file} --issuer {}", path(&no))),
        (
            65,
            format!(
                "sealpost: CN=Partner may not sign revocation lists: the keyUsage of its certificate {print} lacks cRLSign\n"
            )
        )
    );
    let (code, text) = office.site.refused(&format!("crl add --file {}", path(&ca)));
    let wanted = format!("sealpost: {}: no revocation list found: the file holds a certificate\n", path(&ca));
    assert_eq!((code, text), (65, wanted));
    let cut = office.file("cut.crl");
    std::fs::write(&cut, &der[..der.len() - 1]).unwrap();
    let (code, text) = office.site.refused(&format!("crl show {}", path(&cut)));
    assert!(
        code == 65 && text.starts_with(&format!("sealpost: {}: the revocation list is broken: ", path(&cut))),
        "{text}"
    );
}

/// A domain's own lists are known without `--issuer`, those of its replaced authority too.
#[test]
fn lists_of_our_own_domains_are_known() {
    let (office, _) = Office::issued();
    rotate(&office);
    let (lists, _) = sign(&office, "");
    let file = office.file("own.crl");
    let text: String = lists.iter().map(|list| list.to_pem().unwrap()).collect();
    std::fs::write(&file, text).unwrap();
    let told = office.site.run(&format!("crl add --file {}", path(&file)));
    assert_eq!(told.text().lines().count(), 2, "{}", told.stderr);
    assert_eq!(office.site.json("crl list")["lists"].as_array().unwrap().len(), 2);
}
