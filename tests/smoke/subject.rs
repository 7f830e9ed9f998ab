//! What is fed with damaged input, and the real inputs.

use crate::support::crlf;
use sealpost::cms;
use sealpost::config::Config;
use sealpost::crypto::{Profile, Seed};
use sealpost::mail::{Address, Flag, HeaderPolicy, MailboxRef, MediaType, Message, without_mbox_line};
use sealpost::pki::{
    Authority, AuthorityProfile, Certificate, KeyType, Reads, SealingCheck, Subject as Name, UnlockedKey,
    UserProfile, ValidatedCertificate, Validity, read_certificates, read_key_file, self_sign,
};
use sealpost::rules::{Color, Envelope, Facts, Program, RuleSet, ScopeKind, Source, evaluate, explain};
use sealpost::smime::{
    Claim, Form, Mark, Naming, OpenPgp, OpeningKey, RekeyError, SealJob, open, open_raw, recognise, rekey,
    seal_many,
};
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// Those that serve the key of the world's reader.
const PROFILES: [Profile; 2] = [Profile::Compatible, Profile::Modern];

/// Something that reads foreign bytes.
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) samples: Samples,
    pub(super) take: fn(&World, &[u8]),
}

/// Which real inputs.
#[derive(Clone, Copy)]
pub(super) enum Samples {
    Mail,
    Sealed,
    Cms,
    Rules,
    Keys,
}

pub(super) static SUBJECTS: &[Subject] = &[
    Subject { name: "seal", samples: Samples::Mail, take: seals_and_opens },
    Subject { name: "open", samples: Samples::Sealed, take: opens },
    Subject { name: "cms", samples: Samples::Cms, take: reads_cms },
    Subject { name: "evaluate", samples: Samples::Mail, take: evaluates },
    Subject { name: "words", samples: Samples::Mail, take: reads_words },
    Subject { name: "rules", samples: Samples::Rules, take: compiles },
    Subject { name: "config", samples: Samples::Rules, take: configures },
    Subject { name: "keys", samples: Samples::Keys, take: reads_keys },
];

/// A person with a certificate, and the samples.
pub(super) struct World {
    key: UnlockedKey,
    certificate: Certificate,
    recipients: Vec<ValidatedCertificate>,
    program: Program,
    mail: Vec<Vec<u8>>,
    sealed: Vec<Vec<u8>>,
    cms: Vec<Vec<u8>>,
    rules: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
}

impl World {
    pub(super) fn new() -> World {
        let key = UnlockedKey::generate(KeyType::Rsa2048, seed(1)).unwrap();
        let certificate = certify(&key);
        let recipients = vec![validate(&certificate).unwrap()];
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut mail = read_all(&here.join("fixtures/mail"), &["eml"], 100);
        mail.extend(read_all(&here.join("fixtures/rules"), &["eml"], 100));
        let mut rules = read_all(&here.join("rules"), &["toml"], 100);
        rules.extend(read_all(&here.join("fixtures"), &["toml"], 400));
        rules.push(Config::template().replace("# ", "").into_bytes());
        let mut keys = vec![certificate.der().to_vec(), certificate.to_pem().unwrap().into_bytes()];
        keys.push(key.to_pkcs8().unwrap().expose().to_vec());
        let mut cms = Vec::new();
        if let Some(vectors) = crate::support::vectors() {
            mail.extend(read_all(&vectors.join("mail"), &[""], 200));
            cms.extend(read_all(&vectors.join("openssl"), &["eml", "p7m", "der"], 100));
            keys.extend(read_all(&vectors.join("rfc9216"), &["crt", "key", "p12", "pem"], 100));
            keys.extend(read_all(&vectors.join("nss"), &["p12", "pem", "der", "crt"], 100));
        }
        let mut world = World {
            key,
            certificate,
            recipients,
            program: program(&here.join("rules")),
            mail,
            sealed: Vec::new(),
            cms,
            rules,
            keys,
        };
        for profile in PROFILES {
            for message in world.mail.iter().take(6) {
                world.sealed.push(world.seal(message, profile, HeaderPolicy::Keep));
            }
        }
        for sealed in &world.sealed {
            let message = Message::new(sealed);
            let decoded = sealpost::mail::TransferEncoding::of(&message).decode(message.body()).unwrap();
            world.cms.push(decoded.into_owned());
        }
        world
    }

    pub(super) fn samples(&self, samples: Samples) -> &[Vec<u8>] {
        match samples {
            Samples::Mail => &self.mail,
            Samples::Sealed => &self.sealed,
            Samples::Cms => &self.cms,
            Samples::Rules => &self.rules,
            Samples::Keys => &self.keys,
        }
    }

    fn seal(&self, message: &[u8], profile: Profile, headers: HeaderPolicy) -> Vec<u8> {
        let mark = Mark { at: now(), rule: Some("Smoke") };
        let form = Form { profile, headers, ..Form::default() };
        let job = SealJob { message, recipients: &self.recipients, form, mark, seed: seed(3) };
        seal_many(vec![job]).remove(0).unwrap().bytes().to_vec()
    }

    fn opening(&self) -> [OpeningKey<'_>; 1] {
        [OpeningKey { key: &self.key, certificate: Some(&self.certificate) }]
    }
}

fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn seed(number: u8) -> Seed {
    Seed::from_bytes(&mut [number; 32])
}

fn certify(key: &UnlockedKey) -> Certificate {
    let validity = Validity::lasting(now() - Duration::days(1), Duration::days(300));
    let subject = Name::named("north.example");
    let profile = AuthorityProfile { subject: &subject, dns_names: &[], validity };
    let authority = self_sign(key, &profile, seed(2)).unwrap();
    let address = Address::parse("bob@north.example").unwrap();
    let user = UserProfile { addresses: &[address], common_name: "Bob", validity, reads: Reads::Cbc };
    Authority::new(&authority, key).unwrap().issue(&key.public(), &user, seed(4)).unwrap()
}

fn validate(certificate: &Certificate) -> Result<ValidatedCertificate, Vec<sealpost::pki::Unfit>> {
    let check = SealingCheck {
        addresses: &[],
        at: now(),
        minimum_rsa_bits: 2048,
        anchors: None,
        intermediates: &[],
        allow_expired: true,
        allow_not_yet_valid: true,
    };
    ValidatedCertificate::for_sealing(certificate, &check)
}

fn program(folder: &Path) -> Program {
    let texts = read_all(folder, &["toml"], 100);
    let sets = texts.iter().filter_map(|text| {
        let text = std::str::from_utf8(text).unwrap();
        RuleSet::from_toml("rules.toml", text, ScopeKind::Account).ok()
    });
    Program::new(sets.map(|set| (ScopeKind::Account, set)).collect())
}

/// The first files below a folder with one of the endings (`""`: any), none of them large.
fn read_all(folder: &Path, endings: &[&str], most: usize) -> Vec<Vec<u8>> {
    let mut folders = vec![folder.to_owned()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if endings.iter().any(|ending| entry.to_string_lossy().ends_with(ending)) {
                files.push(entry);
            }
        }
    }
    files.sort();
    let step = files.len().div_ceil(most).max(1);
    let bytes = files.iter().step_by(step).map(|file| std::fs::read(file).unwrap());
    bytes.filter(|bytes| bytes.len() < 200_000).collect()
}

fn seals_and_opens(world: &World, input: &[u8]) {
    let hidden = HeaderPolicy::ALL.map(|headers| (Profile::Compatible, headers));
    for (profile, headers) in hidden.into_iter().chain([(Profile::Modern, HeaderPolicy::Keep)]) {
        let sealed = world.seal(input, profile, headers);
        let opened = open(&sealed, &world.opening()).unwrap();
        assert!(opened.message.expose() == crlf(input), "opens to something else");
        assert!(recognise(&sealed, &[std::slice::from_ref(&world.certificate)], OpenPgp::Keep).is_some());
    }
}

fn opens(world: &World, input: &[u8]) {
    rekeys(world, input);
    recognise(input, &[std::slice::from_ref(&world.certificate)], OpenPgp::Keep);
    let message = Message::new(input);
    inspects(input);
    let _ = cms::find(&message);
}

/// What opens is opened raw, and is rekeyed to what opens to the same; what does not open is not rekeyed.
fn rekeys(world: &World, input: &[u8]) {
    let opened = open(input, &world.opening());
    let raw = open_raw(input, &world.opening());
    assert!(opened.is_err() || raw.is_ok(), "does not open raw");
    match (opened, rekey(input, &world.opening(), &world.recipients, Naming::Certificate, seed(5))) {
        (Ok(opened), Ok(rekeyed)) => {
            let again = open(rekeyed.bytes(), &world.opening()).unwrap();
            assert!(again.message.expose() == opened.message.expose(), "opens to something else");
        }
        (opened, Err(error)) => {
            assert!(opened.is_err() || matches!(error, RekeyError::NotBase64), "opens, and: {error}");
        }
        (Err(error), Ok(_)) => panic!("is rekeyed, and does not open: {error}"),
    }
}

/// What is sealed as a whole has its recipients told, and all of it can be written down.
fn inspects(input: &[u8]) {
    let form = cms::Input::of(input);
    let report = cms::inspect(&form);
    let sealed = matches!(form.examine(), Ok(cms::Protection::Encrypted(_)));
    assert_eq!(report.envelope().is_some(), sealed);
    drop((serde_json::to_string(&report).unwrap(), form.message().and_then(Claim::of)));
}

fn reads_cms(world: &World, input: &[u8]) {
    let _ = (cms::read(input), cms::der_from_ber(input));
    let header = b"Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: binary\n\n";
    opens(world, &[header.as_slice(), input].concat());
    opens(world, input);
    opens(world, encodify::pem::STANDARD.encode("CMS", input).as_bytes());
}

fn evaluates(world: &World, input: &[u8]) {
    let message = Message::new(without_mbox_line(input));
    let recipients = vec![String::from_utf8_lossy(&input[..input.len().min(100)]).into_owned()];
    let envelope = Envelope { sender: Some(String::new()), recipients, source: Source::Pipe };
    let facts = Facts { owner_ids: world.certificate.recipient_ids() };
    let verdict = evaluate(&world.program, &message, &envelope, &facts);
    let (explained, trace) = explain(&world.program, &message, &envelope, &facts);
    assert_eq!(verdict, explained);
    drop(trace.to_string());
    for field in message.fields() {
        let _ = (field.text(), field.mailboxes(), MediaType::parse(field.value()));
    }
    inspects(input);
}

fn reads_words(_: &World, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for line in text.lines().take(50) {
        let _ = (Address::parse(line), MailboxRef::parse(line), Flag::parse(line));
        for word in line.split_whitespace().take(20) {
            let _ = (Address::parse(word), MailboxRef::parse(word));
        }
    }
    drop(Address::parse(&text));
    drop(MailboxRef::parse(&text));
}

fn compiles(_: &World, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for scope in [ScopeKind::Server, ScopeKind::Account] {
        if let Err(faults) = RuleSet::from_toml("rules.toml", &text, scope) {
            drop((faults.to_string(), faults.rendered(Color::Never)));
        }
    }
}

fn configures(_: &World, input: &[u8]) {
    if let Err(faults) = Config::parse("sealpost.toml", &String::from_utf8_lossy(input)) {
        drop(faults.to_string());
    }
}

/// Without a password: deriving keys from one takes the time that the file asks for.
fn reads_keys(_: &World, input: &[u8]) {
    drop(read_key_file(input, None));
    for certificate in read_certificates(input).unwrap_or_default().iter().take(3) {
        drop((certificate.subject(), certificate.issuer(), certificate.addresses(), certificate.serial()));
        drop(validate(certificate));
    }
}
