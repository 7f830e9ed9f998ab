//! What an owner's certificate may be at delivery: each row of the table with each of its choices, for the site and for a
//! domain; what the hook says, what the log says, what a person is told, and who can open the copy.

use super::bench::{Bench, Bob, Opens, person};
use sealpost::pki::KeyType;

/// A choice, written as settings, and all that follows from it.
struct Case {
    /// `key = value`
    settings: &'static [(&'static str, &'static str)],
    code: i32,
    /// The one line of the hook.
    line: &'static str,
    /// Who can open the copy that is stored.
    opens: Opens,
    /// In the log; `{fp}` is Bob's certificate, `{domain}` that of the domain's key.
    log: &'static str,
    /// What the doctor says of it; nothing: all is well.
    doctor: &'static str,
}

const STORED: &str = "2.0.0 stored";
const DEFERRED: &str = "4.7.5 no usable certificate to encrypt the message to";
const REJECTED: &str = "5.7.5 no usable certificate to encrypt the message to";

const TO_BOB: &str = "how=\"sealed with aes-256-cbc to bob@north.example ({fp})\"";
const TO_DOMAIN: &str =
    "how=\"sealed with aes-256-cbc to the key of north.example for bob@north.example ({domain})\"";

/// Runs each case as the site's choice and as the domain's.
fn run(bench: &Bench, cases: &[Case]) {
    for case in cases {
        bench.for_the_site(case.settings);
        judge(bench, case, "site");
        bench.for_the_domain(case.settings);
        judge(bench, case, "domain");
    }
}

fn judge(bench: &Bench, case: &Case, whose: &str) {
    let what = format!("{whose}: {:?}", case.settings);
    let (ended, log) = bench.deliver();
    assert_eq!((ended.code, ended.text()), (Some(case.code), format!("{}\n", case.line)), "{what}\n{log}");
    let told = bench.fill(case.log);
    assert!(log.contains(&told), "{what}: {told}\n{log}");
    assert!(log.contains(&format!("answer=\"{}\"", case.line)), "{what}\n{log}");
    bench.assert_opens(case.opens, &what);
    assert_doctor(bench, case, &what);
    assert_explained(bench, case, &told, &what);
}

fn assert_doctor(bench: &Bench, case: &Case, what: &str) {
    let doctor = bench.command("doctor --within 0").run();
    let text = doctor.text();
    if case.doctor.is_empty() {
        assert!(text.ends_with("all is well\n"), "{what}: {text}");
        assert_eq!(doctor.code, Some(0), "{what}");
    } else {
        let wanted = bench.fill(case.doctor);
        assert!(text.contains(&wanted), "{what}: {wanted}\n{text}");
        assert_eq!(doctor.code, Some(1), "{what}");
    }
}

/// What would be done is what is done.
fn assert_explained(bench: &Bench, case: &Case, told: &str, what: &str) {
    let explained = bench.command("rules explain --recipient bob@north.example").input(super::MESSAGE).run();
    let text = explained.text();
    if case.code == 0 {
        assert!(text.ends_with(&format!("The MTA would be told: {STORED}\n")), "{what}: {text}");
        assert_eq!(explained.code, Some(0), "{what}");
    } else {
        assert!(text.ends_with(&format!("The MTA would be told: {}\n", case.line)), "{what}: {text}");
        assert_eq!(explained.code, Some(1), "{what}");
        assert_eq!(explained.stderr, format!("sealpost: it would not be delivered: {told}\n"), "{what}");
    }
}

/// The choices for a certificate that cannot be used, for this reason.
fn unusable(bench: &Bench, extra: &'static [(&'static str, &'static str)], reason: &'static str) {
    let none = bench.fill(&format!(
        "none of the 1 active certificates of bob@north.example may be sealed to; the newest, {{fp}}: {reason}"
    ));
    let none: &'static str = Box::leak(none.into_boxed_str());
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let with = |choice: &'static str| -> &'static [(&'static str, &'static str)] {
        Box::leak([extra, &[("unusable", choice)]].concat().into_boxed_slice())
    };
    let instead = leak(format!("sealed to the key of north.example instead: {none}"));
    let mend = match reason {
        reason if reason.starts_with("it was revoked") => {
            "sealpost key generate --account bob@north.example, then"
        }
        reason if reason.starts_with("it does not chain") => {
            "sealpost trust add --domain north.example --file"
        }
        _ => "sealpost cert issue --account bob@north.example --renew",
    };
    let waits = leak(format!("problem   bob@north.example  {none}: mail for it waits: {mend}"));
    let rejected = leak(format!("problem   bob@north.example  {none}: mail for it is rejected: {mend}"));
    let stands_in = leak(format!(
        "warning   bob@north.example  {instead}: sealpost cert issue --account bob@north.example\n"
    ));
    let case = |settings, code, line, opens, log, doctor| Case { settings, code, line, opens, log, doctor };
    run(
        bench,
        &[
            case(extra, 75, DEFERRED, Opens::Nobody, none, waits),
            case(with("defer"), 75, DEFERRED, Opens::Nobody, none, waits),
            case(with("reject"), 65, REJECTED, Opens::Nobody, none, rejected),
            case(with("domain-key"), 0, STORED, Opens::Domain, TO_DOMAIN, stands_in),
            case(with("domain-key"), 0, STORED, Opens::Domain, instead, stands_in),
        ],
    );
}

#[test]
fn a_valid_certificate_is_sealed_to_whatever_the_choices_are() {
    let bench = Bench::with(&Bob::valid());
    let strict = &[("expired", "defer"), ("not-yet-valid", "defer"), ("unusable", "reject"), ("crl", "hard")];
    let other = &[("unusable", "domain-key"), ("missing-certificate", "domain-key"), ("trust", "pinned")];
    let plain = &[("missing-certificate", "plain")];
    let case =
        |settings| Case { settings, code: 0, line: STORED, opens: Opens::Bob, log: TO_BOB, doctor: "" };
    run(&bench, &[case(&[]), case(strict), case(other), case(plain)]);
    assert!(bench.deliver().1.contains(" warnings=0 answer=\"2.0.0 stored\""), "{}", bench.log());
}

#[test]
fn an_ended_certificate_is_sealed_to_with_a_warning_or_deferred() {
    let bench = Bench::with(&Bob::lasting(-30, -10));
    let ended = bench.day(-10);
    outside_its_time(&bench, "expired", &format!("it ended on {ended}"));
}

#[test]
fn a_certificate_whose_time_has_not_come_is_sealed_to_with_a_warning_or_deferred() {
    let bench = Bench::with(&Bob::lasting(10, 30));
    let begins = bench.day(10);
    outside_its_time(&bench, "not-yet-valid", &format!("it begins on {begins}"));
}

fn outside_its_time(bench: &Bench, key: &'static str, reason: &str) {
    let leak = |text: String| -> &'static str { Box::leak(bench.fill(&text).into_boxed_str()) };
    let warning = leak(format!("certificate {{fp}} of bob@north.example: {reason}"));
    let mend = if key == "expired" { "sealpost cert issue" } else { "sealpost cert list" };
    let found = leak(format!("warning   bob@north.example  {warning}: {mend}"));
    let none = leak(format!(
        "none of the 1 active certificates of bob@north.example may be sealed to; the newest, {{fp}}: {reason}"
    ));
    let waits = leak(format!("problem   bob@north.example  {none}: mail for it waits: sealpost cert issue"));
    let settings = |list: Vec<(&'static str, &'static str)>| -> &'static [(&'static str, &'static str)] {
        Box::leak(list.into_boxed_slice())
    };
    let case = |settings, code, line, opens, log, doctor| Case { settings, code, line, opens, log, doctor };
    run(
        bench,
        &[
            case(&[], 0, STORED, Opens::Bob, TO_BOB, found),
            case(settings(vec![(key, "seal")]), 0, STORED, Opens::Bob, warning, found),
            case(settings(vec![(key, "seal")]), 0, STORED, Opens::Bob, "warnings=1", found),
            case(settings(vec![(key, "defer")]), 75, DEFERRED, Opens::Nobody, none, waits),
            // Its owner has the key, and its day comes or came: it is neither refused nor given to others.
            case(
                settings(vec![(key, "defer"), ("unusable", "reject")]),
                75,
                DEFERRED,
                Opens::Nobody,
                none,
                waits,
            ),
            case(
                settings(vec![(key, "defer"), ("unusable", "domain-key")]),
                75,
                DEFERRED,
                Opens::Nobody,
                none,
                waits,
            ),
        ],
    );
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_believed_where_the_directory_is() {
    let bench = Bench::with(&Bob::valid());
    let case = Case {
        settings: &[("trust", "pinned")],
        code: 0,
        line: STORED,
        opens: Opens::Bob,
        log: TO_BOB,
        doctor: "",
    };
    run(&bench, &[case]);
    bench.site("trust-bundle = \"none\"\n");
    let reason = "it does not chain to a trusted authority: no trusted authority issued it; its issuer is CN=Another authority";
    unusable(&bench, &[("trust", "chain")], reason);
}

#[test]
fn a_certificate_of_wrong_usage_is_not_sealed_to() {
    let bench = Bench::with(&Bob::authority());
    let reason = "it may not be used to encrypt mail: its keyUsage lacks keyAgreement; \
                  it names no mail address and not bob@north.example";
    unusable(&bench, &[], reason);
}

#[test]
fn a_certificate_of_another_address_is_not_sealed_to() {
    let bench = Bench::with(&Bob::named("eve@north.example"));
    unusable(&bench, &[], "it names eve@north.example and not bob@north.example");
}

#[test]
fn a_broken_certificate_is_not_sealed_to() {
    let bench = Bench::with(&Bob::turned_round());
    unusable(&bench, &[], "it cannot be used: its validity ends before it begins");
}

#[test]
fn a_certificate_that_is_too_weak_is_not_sealed_to() {
    let bench = Bench::with(&Bob::of_kind(KeyType::Rsa2048));
    bench.site("minimum-rsa-bits = 3072\n");
    unusable(&bench, &[], "its key is too weak: 2048 bits, at least 3072 are required");
}

#[test]
fn a_certificate_that_its_issuer_took_back_is_not_sealed_to() {
    let bench = Bench::with(&Bob::valid());
    bench.revoke("key-compromise");
    let reason = format!("it was revoked on {} (key-compromise)", bench.day(0));
    unusable(&bench, &[], Box::leak(reason.into_boxed_str()));
}

/// It may come back: neither refused nor given to others.
#[test]
fn a_certificate_on_hold_defers_whatever_the_choices_are() {
    let bench = Bench::with(&Bob::valid());
    bench.revoke("certificate-hold");
    let leak = |text: String| -> &'static str { Box::leak(bench.fill(&text).into_boxed_str()) };
    let none = leak(format!(
        "none of the 1 active certificates of bob@north.example may be sealed to; the newest, {{fp}}: it is on hold since {}",
        bench.day(0)
    ));
    let waits = leak(format!(
        "problem   bob@north.example  {none}: mail for it waits: sealpost cert release --account bob@north.example"
    ));
    let case = |settings| Case {
        settings,
        code: 75,
        line: DEFERRED,
        opens: Opens::Nobody,
        log: none,
        doctor: waits,
    };
    run(
        &bench,
        &[
            case(&[]),
            case(&[("unusable", "reject")]),
            case(&[("unusable", "domain-key")]),
            case(&[("missing-certificate", "plain")]),
        ],
    );
    bench.revoke("remove-from-crl");
    run(&bench, &[Case { settings: &[], code: 0, line: STORED, opens: Opens::Bob, log: TO_BOB, doctor: "" }]);
}

#[test]
fn a_key_that_the_profile_cannot_serve_defers() {
    let bench = Bench::with(&Bob::of_kind(KeyType::X25519));
    let log = "the copy for ~bob@north.example/INBOX cannot be sealed: the profile compatible cannot serve the X25519 key of \
               certificate {fp}: choose the profile modern";
    let doctor = "problem   bob@north.example  the copy for ~bob@north.example/INBOX cannot be sealed: the profile compatible";
    let line = "4.7.5 the message could not be encrypted";
    let case = |settings| Case { settings, code: 75, line, opens: Opens::Nobody, log, doctor };
    run(
        &bench,
        &[
            case(&[]),
            case(&[("unusable", "reject"), ("missing-certificate", "plain")]),
            case(&[("unusable", "domain-key")]),
        ],
    );
    let modern = "how=\"sealed with aes-256-gcm to bob@north.example ({fp})\"";
    run(
        &bench,
        &[Case {
            settings: &[("profile", "modern")],
            code: 0,
            line: STORED,
            opens: Opens::Bob,
            log: modern,
            doctor: "",
        }],
    );
}

#[test]
fn no_certificate_is_what_policy_says() {
    let bench = Bench::without_certificate();
    let none = "bob@north.example has no active certificate";
    let waits = "problem   bob@north.example  it has no active certificate: mail for it waits: sealpost key generate --account \
                 bob@north.example, then cert issue --account bob@north.example\n";
    let rejected =
        "problem   bob@north.example  it has no active certificate: mail for it is rejected: sealpost";
    let instead = "sealed to the key of north.example instead: bob@north.example has no active certificate";
    let stands_in = "warning   bob@north.example  sealed to the key of north.example instead: bob@north.example has no active \
                     certificate: sealpost cert issue --account bob@north.example\n";
    let clear = "warning   bob@north.example  it has no active certificate: mail for it is stored in the clear: sealpost";
    let case = |settings, code, line, opens, log, doctor| Case { settings, code, line, opens, log, doctor };
    run(
        &bench,
        &[
            case(&[], 75, DEFERRED, Opens::Nobody, none, waits),
            case(&[("missing-certificate", "defer")], 75, DEFERRED, Opens::Nobody, none, waits),
            case(&[("missing-certificate", "reject")], 65, REJECTED, Opens::Nobody, none, rejected),
            case(&[("missing-certificate", "domain-key")], 0, STORED, Opens::Domain, TO_DOMAIN, stands_in),
            case(&[("missing-certificate", "domain-key")], 0, STORED, Opens::Domain, instead, stands_in),
            case(
                &[("missing-certificate", "plain")],
                0,
                STORED,
                Opens::Everybody,
                "how=\"in the clear by missing-certificate = \\\"plain\\\"\"",
                clear,
            ),
            // What cannot be used is another question.
            case(&[("unusable", "domain-key")], 75, DEFERRED, Opens::Nobody, none, waits),
        ],
    );
}

/// The administrator must have made its certificate for that.
#[test]
fn a_domain_key_that_cannot_be_sealed_to_defers() {
    let bench = Bench::without_certificate();
    bench.command("cert remove --domain north.example --purpose sealing").run().ok();
    let log = "bob@north.example has no active certificate, and the key of north.example cannot stand in: it may not be used to \
               encrypt mail: its keyUsage lacks keyAgreement; sealpost cert self-sign --domain north.example --purpose sealing";
    let doctor = "problem   north.example      its key cannot stand in for accounts (domain-key): it may not be used to encrypt \
                  mail: its keyUsage lacks keyAgreement: sealpost cert self-sign --domain north.example --purpose sealing\n";
    let settings = &[("missing-certificate", "domain-key")];
    let case = Case { settings, code: 75, line: DEFERRED, opens: Opens::Nobody, log, doctor };
    run(&bench, &[case]);
}

#[test]
fn a_domain_takes_its_word_back() {
    let bench = Bench::with(&Bob::lasting(-30, -10));
    bench.for_the_site(&[("expired", "defer")]);
    let shown = |of: &str| {
        let text = bench.command("domain show north.example").run().text();
        text.lines().find(|line| line.starts_with(&format!("{of} "))).unwrap().to_owned()
    };
    assert!(shown("expired").ends_with("  defer (sealpost.toml, line 2)"), "{}", shown("expired"));
    assert!(shown("unusable").ends_with("  defer (default)"), "{}", shown("unusable"));
    assert_eq!(bench.deliver().0.code, Some(75));
    bench.command("domain set north.example --expired seal").run().ok();
    assert!(shown("expired").ends_with("  seal (its own)"), "{}", shown("expired"));
    assert_eq!(bench.deliver().0.code, Some(0));
    bench.command("domain set north.example --expired inherit").run().ok();
    assert!(shown("expired").ends_with("  defer (sealpost.toml, line 2)"), "{}", shown("expired"));
    assert_eq!(bench.deliver().0.code, Some(75));
    let json = bench.command("domain show north.example --json").run().ok();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["effective"]["expired"], serde_json::json!({"value": "defer", "from": "site"}));
    assert_eq!(json["effective"]["crl"], serde_json::json!({"value": "soft", "from": "default"}));
}

/// One certificate that can be used is enough, and the other is not passed over in silence.
#[test]
fn beside_a_usable_certificate_an_unusable_one_is_left_out_with_a_warning() {
    let bench = Bench::with(&Bob::valid());
    let other = person(&Bob::named("eve@north.example"), 50);
    bench.hold(&other);
    let (ended, log) = bench.deliver();
    assert_eq!(ended.code, Some(0));
    let left_out = format!(
        "certificate {} of bob@north.example: left out, because it names eve@north.example and not bob@north.example",
        other.certificate.fingerprint()
    );
    assert!(log.contains(&left_out) && log.contains("warnings=1"), "{log}");
    assert!(log.contains(&bench.fill(TO_BOB)), "{log}");
    bench.assert_opens(Opens::Bob, "the other");
}

#[test]
fn what_ends_soon_is_said_before_it_ends() {
    let bench = Bench::with(&Bob::lasting(-30, 40));
    let doctor = |words: &str| bench.command(&format!("doctor {words}")).run();
    assert_eq!(doctor("").ok(), b"all is well\n");
    let soon = doctor("--within 60");
    let wanted = format!(
        "severity  about              finding\nwarning   bob@north.example  certificate {} ends on {}: sealpost cert issue \
         --account bob@north.example --renew\n",
        &bench.fill("{fp}")[..16],
        bench.day(40)
    );
    assert_eq!((soon.code, soon.text()), (Some(1), wanted));
    assert_eq!(soon.stderr, "sealpost: 1 warning found\n");
    let json = doctor("--within 60 --json").text();
    let json: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!(json["findings"][0]["severity"], "warning");
    assert_eq!(json["findings"][0]["mend"], "sealpost cert issue --account bob@north.example --renew");
    let decades = doctor("--within 3660").text();
    for what in ["its generic certificate ends on", "its sealing certificate ends on"] {
        assert!(decades.contains(what), "{decades}");
    }
}
