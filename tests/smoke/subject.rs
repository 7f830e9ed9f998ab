//! What is fed with damaged input, and the real inputs.

use super::containers::containers;
use super::requests::{lists, requests};
use crate::laws::people::{ROSA, sealing_check};
use crate::laws::script::CHANGES;
use crate::laws::structure::{mail as mail_of, structures};
use crate::laws::{
    bulk_csv, certificate, cms_inspect, cms_open, courier_replies, crl, filter_answer, header_protection,
    lanes, large, lmtp, mbox, message_open, pem, pkcs12, private_key, request, rules_array, rules_evaluate,
    rules_toml, signed_message,
};
use sealpost::config::Config;
use sealpost::mail::HeaderEdits;
use sealpost::mail::{Address, Flag, MailboxRef, MediaType, Message, without_mbox_line};
use sealpost::pki::{ValidatedCertificate, read_certificates, read_key_file};
use sealpost::rules::{
    Answer, Envelope, Evaluation, Facts, Input, Program, Progress, RuleSet, ScopeKind, Source, Verdict,
};
use std::path::{Path, PathBuf};

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
    Cms,
    Signed,
    Rules,
    Arrays,
    RulesAndMail,
    Keys,
    Containers,
    Certificates,
    Requests,
    Crls,
    People,
    Answers,
    Replies,
    Mboxes,
    Together,
    Long,
    Talks,
}

pub(super) static SUBJECTS: &[Subject] = &[
    Subject { name: "cms_open", samples: Samples::Cms, take: |_, input| cms_open::hold(input) },
    Subject { name: "cms_inspect", samples: Samples::Cms, take: |_, input| cms_inspect::hold(input) },
    Subject {
        name: "signed_message",
        samples: Samples::Signed,
        take: |_, input| signed_message::hold(input),
    },
    Subject { name: "message_open", samples: Samples::Mail, take: |_, input| message_open::hold(input) },
    Subject {
        name: "header_protection",
        samples: Samples::Mail,
        take: |_, input| header_protection::hold(input),
    },
    Subject { name: "evaluate", samples: Samples::Mail, take: evaluates },
    Subject { name: "words", samples: Samples::Mail, take: reads_words },
    Subject { name: "rules_toml", samples: Samples::Rules, take: |_, input| rules_toml::hold(input) },
    Subject { name: "rules_array", samples: Samples::Arrays, take: |_, input| rules_array::hold(input) },
    Subject {
        name: "rules_evaluate",
        samples: Samples::RulesAndMail,
        take: |_, input| rules_evaluate::hold(input),
    },
    Subject { name: "config", samples: Samples::Rules, take: configures },
    Subject { name: "keys", samples: Samples::Keys, take: reads_keys },
    Subject {
        name: "certificate",
        samples: Samples::Certificates,
        take: |_, input| certificate::hold(input),
    },
    Subject { name: "crl", samples: Samples::Crls, take: |_, input| crl::hold(input) },
    Subject { name: "pem", samples: Samples::Containers, take: |_, input| pem::hold(input) },
    Subject { name: "private_key", samples: Samples::Containers, take: |_, input| private_key::hold(input) },
    Subject { name: "pkcs12", samples: Samples::Containers, take: |_, input| pkcs12::hold(input) },
    Subject { name: "request", samples: Samples::Requests, take: |_, input| request::hold(input) },
    Subject { name: "filter_answer", samples: Samples::Answers, take: |_, input| filter_answer::hold(input) },
    Subject {
        name: "courier_replies",
        samples: Samples::Replies,
        take: |_, input| courier_replies::hold(input),
    },
    Subject { name: "mbox", samples: Samples::Mboxes, take: |_, input| mbox::hold(input) },
    Subject { name: "lanes", samples: Samples::Together, take: |_, input| lanes::hold(input) },
    Subject { name: "lmtp", samples: Samples::Talks, take: |_, input| lmtp::hold(input) },
    Subject { name: "large", samples: Samples::Long, take: |_, input| large::hold(input) },
    Subject { name: "bulk_csv", samples: Samples::People, take: |_, input| bulk_csv::hold(input) },
];

/// The rules that ship, and the samples.
pub(super) struct World {
    program: Program,
    mail: Vec<Vec<u8>>,
    cms: Vec<Vec<u8>>,
    signed: Vec<Vec<u8>>,
    rules: Vec<Vec<u8>>,
    arrays: Vec<Vec<u8>>,
    rules_and_mail: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
    containers: Vec<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
    requests: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
    people: Vec<Vec<u8>>,
    answers: Vec<Vec<u8>>,
    replies: Vec<Vec<u8>>,
    mboxes: Vec<Vec<u8>>,
    together: Vec<Vec<u8>>,
    long: Vec<Vec<u8>>,
    talks: Vec<Vec<u8>>,
}

impl World {
    pub(super) fn new() -> World {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut mail = read_all(&here.join("fixtures/mail"), &["eml"], 100);
        mail.extend(read_all(&here.join("fixtures/rules"), &["eml"], 100));
        mail.extend(read_all(&here.join("fixtures/odd-mail"), &["eml"], 100));
        let mut rules = read_all(&here.join("rules"), &["toml"], 100);
        rules.extend(read_all(&here.join("fixtures"), &["toml"], 400));
        rules.push(Config::template().replace("# ", "").into_bytes());
        let mut arrays = read_all(&here.join("fixtures/rules-array"), &["rules.txt"], 100);
        arrays.extend(rules_array::seeds().into_iter().map(|(_, text)| text.as_bytes().to_vec()));
        let mut rules_and_mail = pairs(&here.join("fixtures/rules"));
        rules_and_mail.extend(rules_evaluate::seeds().into_iter().map(|(_, text)| text.into_bytes()));
        let mut keys = vec![ROSA.certificate().der().to_vec()];
        keys.push(ROSA.certificate().to_pem().unwrap().into_bytes());
        keys.push(ROSA.key().to_pkcs8().unwrap().expose().to_vec());
        let mut cms: Vec<Vec<u8>> = structures().iter().map(|made| made.octets.clone()).collect();
        cms.extend((0..structures().len()).flat_map(scripts));
        let mut certificates: Vec<Vec<u8>> = certificate::seeds().into_iter().map(|(_, made)| made).collect();
        let mut crls: Vec<Vec<u8>> = crl::seeds().into_iter().map(|(_, made)| made).collect();
        if let Some(vectors) = crate::support::vectors() {
            let boringssl = vectors.join("boringssl-pki/pki/testdata");
            certificates.extend(read_all(
                &boringssl.join("verify_certificate_chain_unittest"),
                &["pem"],
                100,
            ));
            certificates.extend(read_all(&boringssl.join("name_constraints_unittest"), &["pem"], 100));
            crls.extend(read_all(&boringssl.join("crl_unittest"), &["pem"], 100));
            mail.extend(read_all(&vectors.join("mail"), &[""], 200));
            cms.extend(read_all(&vectors.join("openssl"), &["eml", "p7m", "der"], 100));
            keys.extend(read_all(&vectors.join("rfc9216"), &["crt", "key", "p12", "pem"], 100));
            keys.extend(read_all(&vectors.join("nss"), &["p12", "pem", "der", "crt"], 100));
        }
        mail.extend(sealed());
        let octets = |made: Vec<(String, Vec<u8>)>| made.into_iter().map(|(_, octets)| octets).collect();
        let (requests, people) = (octets(requests()), octets(lists()));
        let containers = octets(containers());
        let answers = octets(filter_answer::seeds());
        let (mboxes, together) = (octets(mbox::seeds()), octets(lanes::seeds()));
        let talks = octets(lmtp::seeds());
        let long = large::seeds().into_iter().map(|(_, octets)| octets).chain(cms.iter().cloned()).collect();
        let sample = signed_message::sample();
        let signed = vec![sample.to_vec(), mail_of(sample)];
        World {
            program: program(&here.join("rules")),
            mail,
            cms,
            signed,
            rules,
            arrays,
            rules_and_mail,
            keys,
            containers,
            certificates,
            requests,
            crls,
            people,
            answers,
            replies: courier_replies::seeds(),
            mboxes,
            together,
            long,
            talks,
        }
    }

    pub(super) fn samples(&self, samples: Samples) -> &[Vec<u8>] {
        match samples {
            Samples::Mail => &self.mail,
            Samples::Cms => &self.cms,
            Samples::Signed => &self.signed,
            Samples::Rules => &self.rules,
            Samples::Arrays => &self.arrays,
            Samples::RulesAndMail => &self.rules_and_mail,
            Samples::Keys => &self.keys,
            Samples::Containers => &self.containers,
            Samples::Certificates => &self.certificates,
            Samples::Requests => &self.requests,
            Samples::Crls => &self.crls,
            Samples::People => &self.people,
            Samples::Answers => &self.answers,
            Samples::Replies => &self.replies,
            Samples::Mboxes => &self.mboxes,
            Samples::Together => &self.together,
            Samples::Long => &self.long,
            Samples::Talks => &self.talks,
        }
    }
}

/// Each structure as the body of a message, and as the sole part of a multipart.
fn sealed() -> impl Iterator<Item = Vec<u8>> {
    structures().iter().flat_map(|made| {
        let message = mail_of(&made.octets);
        let head = b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n".as_slice();
        let multipart = [head, &message, b"\n--b--\n"].concat();
        [message, multipart]
    })
}

/// One of each change to a structure that `laws/script.rs` knows.
pub(super) fn scripts(structure: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..CHANGES).map(move |change| vec![structure as u8, change, change.wrapping_mul(37), 3, 7, 1])
}

fn validate(certificate: &sealpost::pki::Certificate) -> bool {
    ValidatedCertificate::for_sealing(certificate, &sealing_check()).is_ok()
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

/// The rules and the message of each fixture, as `laws/rules_evaluate.rs` takes them.
fn pairs(folder: &Path) -> Vec<Vec<u8>> {
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = folders.collect();
    folders.sort();
    let pair = |folder: PathBuf| {
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        [read("rule.toml"), vec![0], read("message.eml")].concat()
    };
    folders.into_iter().map(pair).filter(|pair| pair.len() < 20_000).collect()
}

fn evaluates(world: &World, input: &[u8]) {
    let message = Message::new(without_mbox_line(input));
    let recipients = vec![String::from_utf8_lossy(&input[..input.len().min(100)]).into_owned()];
    let envelope = Envelope { sender: Some(String::new()), recipients, source: Source::Pipe, client: None };
    let facts = Facts { owner_ids: ROSA.certificate().recipient_ids(), ..Facts::default() };
    let input =
        Input { message: &message, envelope: &envelope, facts: &facts, edits: &HeaderEdits::default() };
    let mut traced = Evaluation::traced(&world.program, input);
    assert_eq!(finish(&mut Evaluation::new(&world.program, input)), finish(&mut traced));
    drop(traced.into_trace().to_string());
    for field in message.fields() {
        let _ = (field.text(), field.mailboxes(), MediaType::parse(field.value()));
    }
}

fn finish(evaluation: &mut Evaluation<'_>) -> Verdict {
    loop {
        match evaluation.run() {
            Progress::Done(verdict) => return verdict,
            Progress::Ask(_) => evaluation.answer(Answer::Accept),
        }
    }
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
        let _ = validate(certificate);
    }
}
