//! Couriers against servers that behave, misbehave, or are somebody else.

use super::{PASSWORD, WORD, address, arrived, message};
use crate::support::{Act, MailServer, Port, Program, Taken, path, tools, wait_for, with_more_time};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealpost::courier::{Equipment, Login, courier};
use sealpost::crypto::SecretBytes;
use sealpost::engine::{Carried, Submission, SubmissionSettings, SubmissionTls};
use sealpost::pki::{Certificate, read_certificates};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const EXTENSIONS: &[&str] = &["SIZE 100000", "8BITMIME", "SMTPUTF8"];
const STARTTLS: &[&str] = &["STARTTLS", "AUTH PLAIN LOGIN"];
const SENDER: &str = "carol@far.example";
/// Long enough on a busy machine, where nothing is to be waited for.
const AMPLE: Duration = Duration::from_secs(60);

struct Way<'a> {
    tls: SubmissionTls,
    login: Option<&'a str>,
    authorities: &'a [Certificate],
    limit: Duration,
    answer: Duration,
}

const PLAIN: Way<'_> =
    Way { tls: SubmissionTls::Auto, login: None, authorities: &[], limit: AMPLE, answer: AMPLE };

fn carry(to: &str, way: &Way<'_>, recipients: &[&str]) -> Vec<Carried> {
    carry_message(to, way, recipients, &message())
}

fn carry_message(to: &str, way: &Way<'_>, recipients: &[&str], message: &[u8]) -> Vec<Carried> {
    let settings =
        SubmissionSettings { to: Submission::parse(to), tls: way.tls, ..SubmissionSettings::default() };
    let login = way.login.map(|user| Login::new(user, SecretBytes::new(PASSWORD.into())));
    let authorities = || Ok(way.authorities.to_vec());
    let name = "north.example".to_owned();
    let equipment =
        Equipment { login, name, authorities: &authorities, limit: way.limit, answer: way.answer };
    let recipients: Vec<_> = recipients.iter().map(|to| address(to)).collect();
    courier(&settings, equipment).unwrap().carry(SENDER, &recipients, message)
}

fn smtp(server: &MailServer) -> String {
    format!("smtp://127.0.0.1:{}", server.port)
}

fn later(outcome: &Carried) -> &str {
    match outcome {
        Carried::Later(why) => why,
        other => panic!("{other:?}"),
    }
}

fn taken(recipients: &[&str]) -> Taken {
    let recipients = recipients.iter().map(|&to| to.to_owned()).collect();
    Taken { sender: SENDER.into(), recipients, message: arrived() }
}

#[test]
fn a_mail_arrives_as_it_is() {
    let server = MailServer::start(EXTENSIONS, vec![]);
    let to = ["anna@far.example", "jürgen@far.example"];
    assert_eq!(carry(&smtp(&server), &PLAIN, &to), [Carried::Sent, Carried::Sent]);
    assert_eq!(server.taken(), [taken(&to)]);
    assert_eq!(server.lines()[0], "EHLO north.example");
    assert_eq!(server.lines()[1], format!("MAIL FROM:<{SENDER}> SIZE={} SMTPUTF8", arrived().len()));
}

#[test]
fn each_stage_may_say_later_or_never_or_hang_up() {
    for stage in ["connect", "EHLO", "MAIL", "RCPT", "DATA", "."] {
        let outcome = |act| {
            let server = MailServer::start(EXTENSIONS, vec![(stage, act)]);
            carry(&smtp(&server), &PLAIN, &["anna@far.example"]).remove(0)
        };
        assert!(later(&outcome(Act::Say("451 4.3.2 not now".into()))).contains("451 4.3.2"), "{stage}");
        let never = outcome(Act::Say(format!("554 5.7.1 no {WORD}")));
        match (stage, never) {
            ("connect" | "EHLO", never) => assert!(later(&never).contains("554"), "{stage}"),
            (_, Carried::Refused(why)) => assert!(why.contains("554 5.7.1"), "{stage}: {why}"),
            (_, other) => panic!("{stage}: {other:?}"),
        }
        let dropped = outcome(Act::Drop);
        let text = later(&dropped);
        assert!(
            text.contains("hung up") || text.contains("reset") || text.contains("Broken pipe"),
            "{stage}: {text}"
        );
    }
    let closed = Port::reserved();
    let port = closed.number();
    let refused = carry(&format!("smtp://127.0.0.1:{port}"), &PLAIN, &["anna@far.example"]).remove(0);
    assert_eq!(later(&refused), format!("cannot connect to 127.0.0.1:{port}: Connection refused"));
}

#[test]
fn one_refused_recipient_does_not_hold_up_the_other() {
    let script = vec![("RCPT TO:<eve@", Act::Say("550 5.1.1 no such user".into()))];
    let server = MailServer::start(EXTENSIONS, script);
    let outcomes = carry(&smtp(&server), &PLAIN, &["eve@far.example", "anna@far.example"]);
    let why = "the server's answer to RCPT: 550 5.1.1 no such user".to_owned();
    assert_eq!(outcomes, [Carried::Refused(why), Carried::Sent]);
    assert_eq!(server.taken(), [taken(&["anna@far.example"])]);
}

/// It took the mail and nobody heard of it: it is sent again.
#[test]
fn a_server_that_takes_the_mail_and_dies_gets_it_again() {
    let server = MailServer::start(EXTENSIONS, vec![(".", Act::Drop)]);
    assert!(matches!(carry(&smtp(&server), &PLAIN, &["anna@far.example"])[..], [Carried::Later(_)]));
    assert_eq!(server.taken().len(), 1);
}

/// Without a limit those that never end would hold the courier for ever, and the last one for ten times as long as is ample.
#[test]
fn hostile_servers_do_not_say_how_long_it_takes() {
    let limit = Duration::from_millis(700);
    for act in [
        Act::Flood("250-and on\r\n"),
        Act::Flood("250 and on and on "),
        Act::Flood("\0\u{7f}"),
        Act::Drip("250-and on\r\n"),
        Act::Wait(600),
    ] {
        for stage in ["connect", "EHLO", "."] {
            let server = MailServer::start(EXTENSIONS, vec![(stage, act.clone())]);
            let (begin, way) = (Instant::now(), Way { limit, answer: limit, ..PLAIN });
            let outcome = carry(&smtp(&server), &way, &["anna@far.example"]).remove(0);
            let took = begin.elapsed();
            assert!(took < AMPLE, "{act:?} {stage} {took:?}");
            let why = later(&outcome);
            assert!(act != Act::Wait(600) || why.contains("it took too long"), "{stage}: {why}");
        }
    }
}

/// However short the time is in which it must get the mail: if it has it, its answer is worth waiting for.
#[test]
fn a_server_that_takes_the_mail_late_has_taken_it() {
    let folder = tempfile::tempdir().unwrap();
    let to = ["anna@far.example", "carl@far.example"];
    let in_time = |seconds: u64, place: &str, server: &MailServer| {
        let way = Way { limit: Duration::from_secs(seconds), ..PLAIN };
        let outcomes = carry(place, &way, &to);
        // A courier that was held up does not come to its end in time, and the server has nothing then.
        server
            .taken()
            .pop()
            .map(|mail| assert_eq!((mail, outcomes), (taken(&to), vec![Carried::Sent; 2]), "{place}"))
    };
    let late = |seconds: u64| vec![(".", Act::Wait(seconds))];
    with_more_time(|times| {
        let tcp = MailServer::start(EXTENSIONS, late(times.into()));
        in_time(times.into(), &smtp(&tcp), &tcp)
    });
    with_more_time(|times| {
        let socket = folder.path().join(times.to_string());
        let unix = MailServer::on_socket(&socket, late(times.into()));
        in_time(times.into(), &format!("lmtp:unix:{}", path(&socket)), &unix)
    });
    let slow = MailServer::start(EXTENSIONS, vec![("DATA", Act::Wait(2)), (".", Act::Wait(2))]);
    let way = Way { limit: Duration::from_secs(1), ..PLAIN };
    assert!(later(&carry(&smtp(&slow), &way, &to)[0]).contains("it took too long"));
    assert!(slow.taken().is_empty());
}

#[test]
fn lmtp_over_tcp_and_over_a_socket_answers_for_each() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("lmtp");
    let script = || {
        vec![
            (".full@", Act::Say(format!("452 4.2.2 no room for {WORD}"))),
            (".gone@", Act::Say(format!("550 5.2.1 no {WORD}"))),
        ]
    };
    let tcp = MailServer::start(&["8BITMIME"], script());
    let unix = MailServer::on_socket(&socket, script());
    for (to, server) in
        [(format!("lmtp://127.0.0.1:{}", tcp.port), &tcp), (format!("lmtp:unix:{}", path(&socket)), &unix)]
    {
        let outcomes = carry(&to, &PLAIN, &["anna@far.example", "full@far.example", "gone@far.example"]);
        let said = |codes: &str| format!("the server's answer to the message: {codes}");
        assert_eq!(
            outcomes,
            [Carried::Sent, Carried::Later(said("452 4.2.2")), Carried::Refused(said("550 5.2.1"))],
            "{to}"
        );
        assert_eq!(wait_for("the mail", 60, || server.taken().pop()), taken(&["anna@far.example"]));
    }
}

/// An authority and a certificate for localhost under it.
struct Tls {
    folder: tempfile::TempDir,
    authority: Vec<Certificate>,
    server: Arc<ServerConfig>,
}

impl Tls {
    fn new() -> Tls {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let openssl = |line: &str, more: &[&str]| {
            Program::new("openssl").words(line).args(more).run().ok();
        };
        let (key, certificate) = (file("key"), file("pem"));
        openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca",
            &["-keyout", path(&file("ca.key")), "-out", path(&file("ca.pem"))],
        );
        openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
             -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
            &[
                "-CA",
                path(&file("ca.pem")),
                "-CAkey",
                path(&file("ca.key")),
                "-keyout",
                path(&key),
                "-out",
                path(&certificate),
            ],
        );
        let chain = vec![CertificateDer::from_pem_file(&certificate).unwrap()];
        let provider = Arc::new(aws_lc_rs::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_file(&key).unwrap())
            .unwrap();
        let authority = read_certificates(&std::fs::read(file("ca.pem")).unwrap()).unwrap();
        Tls { folder, authority, server: Arc::new(server) }
    }
}

#[test]
fn tls_is_trusted_by_its_authority_and_the_login_goes_inside() {
    if !tools(&["openssl"]) {
        return;
    }
    let tls = Tls::new();
    let server = MailServer::with_tls(STARTTLS, vec![], Arc::clone(&tls.server));
    let to = format!("smtp://localhost:{}", server.port);
    let way = Way { login: Some("tim"), authorities: &tls.authority, ..PLAIN };
    assert_eq!(carry(&to, &way, &["anna@far.example"]), [Carried::Sent]);
    let lines = server.lines();
    let (starttls, login) = (
        lines.iter().position(|line| line == "STARTTLS").unwrap(),
        lines.iter().position(|line| line.starts_with("AUTH PLAIN ")).unwrap(),
    );
    assert!(starttls < login, "{lines:?}");
    // Nobody vouches for it; the name is another one; it has nothing to offer.
    let stranger = carry(&to, &Way { authorities: &[], ..way }, &["anna@far.example"]);
    assert!(later(&stranger[0]).contains("UnknownIssuer"), "{stranger:?}");
    let other_name = format!("smtp://127.0.0.1:{}", server.port);
    let wrong = carry(
        &other_name,
        &Way { authorities: &tls.authority, tls: SubmissionTls::Require, ..PLAIN },
        &["a@b.example"],
    );
    assert!(later(&wrong[0]).contains("no TLS with"), "{wrong:?}");
    assert_eq!(server.taken().len(), 1);
    assert!(tls.folder.path().exists());
}

#[test]
fn a_stripped_offer_and_words_before_tls_send_nothing() {
    if !tools(&["openssl"]) {
        return;
    }
    let tls = Tls::new();
    let way = Way { login: Some("tim"), authorities: &tls.authority, ..PLAIN };
    let stripped = MailServer::start(&["XXXXXXXA", "AUTH PLAIN"], vec![]);
    let refused = carry(&format!("smtp://localhost:{}", stripped.port), &way, &["anna@far.example"]);
    assert!(later(&refused[0]).contains("offers no STARTTLS"), "{refused:?}");
    let injected = vec![("STARTTLS", Act::Say("220 go on\r\n250-mine\r\n250 AUTH PLAIN".into()))];
    let injecting = MailServer::with_tls(STARTTLS, injected, Arc::clone(&tls.server));
    let refused = carry(&format!("smtp://localhost:{}", injecting.port), &way, &["anna@far.example"]);
    assert!(later(&refused[0]).contains("went on talking"), "{refused:?}");
    for server in [&stripped, &injecting] {
        assert!(server.taken().is_empty());
        assert!(!server.lines().iter().any(|line| line.starts_with("AUTH") || line.starts_with("MAIL")));
    }
}

/// A program that keeps what it was given.
fn program(folder: &Path, body: &str) -> PathBuf {
    let file = folder.join("sendmail");
    std::fs::write(&file, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    file
}

fn carry_by(program: &Path, limit: Duration) -> Carried {
    let to = format!("sendmail:{}", path(program));
    let to_both = ["anna@far.example", "\"b o b\"@far.example"];
    let mut outcomes = carry(&to, &Way { limit, answer: limit, ..PLAIN }, &to_both);
    assert_eq!(outcomes[0], outcomes[1]);
    outcomes.remove(0)
}

#[test]
fn a_program_gets_the_envelope_as_arguments_and_the_message_as_input() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(folder.path());
    let keeps = program(
        folder.path(),
        &format!("printf '%s\\n' \"$@\" >{out}/args; cat >{out}/input; env >{out}/env"),
    );
    assert_eq!(carry_by(&keeps, AMPLE), Carried::Sent);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("args"), "-G\n-i\n-f\ncarol@far.example\n--\nanna@far.example\n\"b o b\"@far.example\n");
    assert_eq!(read("input").into_bytes(), message());
    assert!(!read("env").contains("HOME="), "{}", read("env"));
}

#[test]
fn a_program_says_by_its_code_what_becomes_of_the_mail() {
    let folder = tempfile::tempdir().unwrap();
    for (code, is_refused) in
        [(75, false), (67, true), (68, true), (65, true), (1, false), (77, false), (78, false)]
    {
        let ends = program(folder.path(), &format!("cat >/dev/null; echo {WORD} >&2; exit {code}"));
        let outcome = carry_by(&ends, AMPLE);
        assert_eq!(matches!(outcome, Carried::Refused(_)), is_refused, "{outcome:?}");
        let text = format!("{outcome:?}");
        assert!(text.contains(&format!("exit status: {code}")) && !text.contains(WORD), "{text}");
    }
    let wrong = carry_by(&program(folder.path(), "cat >/dev/null; exit 78"), AMPLE);
    assert!(later(&wrong).ends_with("exit status: 78: its configuration is wrong"), "{wrong:?}");
    let missing = carry_by(&folder.path().join("none"), AMPLE);
    assert!(later(&missing).contains("cannot run"), "{missing:?}");
}

#[test]
fn a_program_that_hangs_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let hangs = program(folder.path(), &format!("sleep 600 & echo $! >{}; cat >/dev/null; wait", path(&pid)));
    let child = with_more_time(|times| {
        let begin = Instant::now();
        let outcome = carry_by(&hangs, Duration::from_millis(600) * times);
        assert!(later(&outcome).contains("took too long"));
        assert!(begin.elapsed() < AMPLE);
        // It had begun.
        std::fs::read_to_string(&pid).ok().filter(|pid| pid.ends_with('\n'))
    });
    let status = PathBuf::from(format!("/proc/{}/stat", child.trim()));
    wait_for("the end of what it started", 60, || {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        (text.is_empty() || text.contains(") Z ")).then_some(())
    });
}

/// Through the descriptor that it got or by its name.
#[test]
fn a_program_gets_more_than_a_pipe_holds() {
    let folder = tempfile::tempdir().unwrap();
    let out = path(folder.path());
    let large = vec![b'x'; 1 << 20];
    for input in ["", "/dev/stdin"] {
        let keeps = program(folder.path(), &format!("cat {input} >{out}/input"));
        let to = format!("sendmail:{}", path(&keeps));
        assert_eq!(carry_message(&to, &PLAIN, &["anna@far.example"], &large), [Carried::Sent]);
        let read = std::fs::read(folder.path().join("input")).unwrap();
        assert_eq!((read.len(), read.last()), (large.len() + 1, Some(&b'\n')), "{input}");
    }
}
