//! A private Postfix and Exim hand mail to the daemon over LMTP, a private Dovecot serves what it stored, OpenSSL opens it.

use super::owned::Owned;
use crate::support::servers::{OWNER, Postfix, can_run, give};
use crate::support::{Port, Program, crlf, exim, path, root, wait_for};
use std::path::Path;

const MESSAGE: &str = "From: Anna <anna@south.example>\nTo: bob@north.example, carol@north.example\nSubject: Lunch\n\
Message-ID: <lunch@south.example>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\
Content-Transfer-Encoding: 8bit\n\nThe word is xyzzy-plugh-4711, mit Grüßen.\n.\n..two dots\nFrom the desk of Anna\n";

/// A quota file as Dovecot and Courier keep it: so many octets for all of the account's mail.
fn limit(site: &Owned, account: &str, octets: u64) {
    let maildir = site.house.root.join(format!("mail/north.example/{account}/Maildir"));
    let file = maildir.join("maildirsize");
    for made in [maildir.parent().unwrap().parent().unwrap(), maildir.parent().unwrap(), &maildir] {
        let _ = std::fs::create_dir(made);
        give(made);
    }
    std::fs::write(&file, format!("{octets}S\n0 0\n")).unwrap();
    give(&file);
}

#[test]
fn each_recipient_of_a_message_is_answered_for_himself() {
    if !can_run() {
        return;
    }
    let site = Owned::new();
    site.house.run("account add carol@north.example");
    site.house.certify(&site.house.authority.rsa("carol"));
    limit(&site, "carol", 100);
    let postfix = site.house.postfix();
    let [bob, carol, eve] = ["bob", "carol", "eve"].map(|name| format!("{name}@north.example"));
    let id = postfix.send_to_all("anna@south.example", &[&bob, &carol, &eve], MESSAGE);
    let [bobs, carols, eves] = [&bob, &carol, &eve].map(|recipient| postfix.fate_for(&id, recipient));
    assert_eq!(bobs.told(), ("sent", "2.0.0"), "{}", bobs.line);
    assert_eq!(carols.told(), ("deferred", "4.2.2"), "{}", carols.line);
    assert_eq!(eves.told(), ("bounced", "5.1.1"), "{}", eves.line);
    // Carol's mail waits for room, and comes once it is there; nobody gets it twice.
    limit(&site, "carol", 1 << 20);
    postfix.flush();
    postfix.wait_for(&id, "sent");
    wait_for("Carol's copy", 60, || (site.house.new_mail("carol").len() == 1).then_some(()));
    assert_eq!(site.house.new_mail("bob").len(), 1);

    // Eight bits and all.
    site.house.assert_served(MESSAGE);
}

#[test]
fn who_is_not_there_is_refused_at_the_door() {
    if !can_run() {
        return;
    }
    let site = Owned::new();
    let lines = site.house.run("init --postfix");
    let lines = lines.replace("# smtpd_", "smtpd_").replace("# unverified_", "unverified_");
    let postfix = Postfix::start(&site.house.folder().join("mta"), &lines);
    // Postfix asks the daemon, and says "later" while it does not know.
    let answer = |recipient: &str| {
        let heard = || Some(postfix.at_the_door(recipient)).filter(|answer| !answer.starts_with("450"));
        wait_for("an answer", 60, heard)
    };
    assert!(answer("bob@north.example").starts_with("250 "));
    let refused = answer("eve@north.example");
    assert!(refused.starts_with("550 5.1.1 "), "{refused}");
    assert!(site.house.new_mail("bob").is_empty(), "a question is no mail");
}

/// Over TCP a client has an address.
#[test]
fn rules_see_that_it_came_over_lmtp_and_from_where() {
    if !can_run() {
        return;
    }
    let site = Owned::on_port(Port::reserved());
    let rule = site.house.folder().join("rule.toml");
    let when = r#"[["Source", "is", "lmtp"], ["Submit Address", "is", "LMTP [127.0.0.1]"], ["Return-Path", "is", "anna@*"]]"#;
    let then = r#"[["Store Encrypted in", "Handed over"], ["Discard"]]"#;
    let text = format!("[[rule]]\nname = \"r\"\npriority = 5\nwhen = {when}\nthen = {then}\n");
    std::fs::write(&rule, text).unwrap();
    site.house.run(&format!("rules install {} --account bob@north.example", path(&rule)));
    let postfix = site.house.postfix();
    let fate = postfix.fate(&postfix.send("anna@south.example", "bob@north.example", MESSAGE));
    assert_eq!(fate.told(), ("sent", "2.0.0"), "{}", fate.line);
    let folder = site.house.root.join("mail/north.example/bob/Maildir/.Handed over/new");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    assert!(site.house.new_mail("bob").is_empty());
}

#[test]
fn a_load_of_many_sessions_is_stored_whole() {
    if !can_run() || !root(&["smtp-source"]) {
        return;
    }
    const MESSAGES: usize = 300;
    let site = Owned::new();
    let load = format!("-L -s 16 -m {MESSAGES} -l 4096 -f anna@south.example -t bob@north.example");
    Program::new("smtp-source").words(&load).args([format!("unix:{}", path(&site.socket()))]).run().ok();
    let stored = site.house.new_mail("bob");
    assert_eq!(stored.len(), MESSAGES, "each was answered with 250");
    for file in &stored {
        let sealed = std::fs::read(file).unwrap();
        assert!(String::from_utf8_lossy(&sealed).contains("application/pkcs7-mime"), "{}", file.display());
        let size = format!(",S={},", sealed.len());
        assert!(path(file).contains(&size), "{}", file.display());
    }
    let opened = site.house.open(&std::fs::read(&stored[MESSAGES / 2]).unwrap());
    assert!(opened.len() >= 4096 && opened.ends_with(b"\r\n"), "{}", opened.len());
}

#[test]
fn exim_hands_mail_over_by_a_socket() {
    if let (true, Some(exim)) = (can_run(), exim()) {
        hand_over_by_exim(&exim, &Owned::open_to("lmtp-socket-mode = \"0666\""));
    }
}

#[test]
fn exim_hands_mail_over_by_a_port() {
    if let (true, Some(exim)) = (can_run(), exim()) {
        hand_over_by_exim(&exim, &Owned::on_port(Port::reserved()));
    }
}

/// By the router and the transport that `init --exim` prints. It queues first: to deliver at once it would start itself again,
/// from where it is not installed.
fn hand_over_by_exim(exim: &Path, site: &Owned) {
    let folder = site.house.folder().join("exim");
    for name in ["spool", "log"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        std::fs::set_permissions(folder.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o777))
            .unwrap();
    }
    let lines = site.house.run("init --exim");
    let (_, lines) = lines.split_once("# --- routers").unwrap();
    let (routers, transports) = lines.split_once("# --- transports ---\n").unwrap();
    let (folder, config) = (path(&folder), folder.join("exim.conf"));
    let text = format!(
        "exim_user = {OWNER}\nexim_group = nogroup\nprimary_hostname = mx.test.example\nspool_directory = {folder}/spool\n\
         log_file_path = {folder}/log/%slog\nkeep_environment =\nacl_smtp_rcpt = accept\ntrusted_users = root\n\
         begin routers\n#{routers}begin transports\n{transports}begin retry\n* * F,1h,1m\n"
    );
    std::fs::write(&config, text).unwrap();
    let exim = |words: &str| Program::new(path(exim)).args(["-C", path(&config)]).words(words);
    let queue = exim("-oi -odq -f anna@south.example bob@north.example eve@north.example");
    queue.input(MESSAGE).run().ok();
    let queued = exim("-bp").run().text();
    let id = queued.split_whitespace().nth(2).expect("it is in the queue");
    exim(&format!("-M {id}")).run().ok();
    let log = std::fs::read_to_string(format!("{folder}/log/mainlog")).unwrap();
    let was_sent = |line: &str| line.contains(" => bob") && line.contains(" R=sealpost T=sealpost");
    assert!(log.lines().any(was_sent), "{log}");
    assert!(log.contains("** eve@north.example R=sealpost T=sealpost") && log.contains("550 5.1.1"), "{log}");
    let [stored] = &site.house.new_mail("bob")[..] else { panic!("{log}") };
    let opened = site.house.open(&std::fs::read(stored).unwrap());
    assert!(opened.ends_with(&crlf(MESSAGE.as_bytes())), "{}", String::from_utf8_lossy(&opened));
    assert!(
        opened.starts_with(b"Return-Path: <anna@south.example>\r\n"),
        "{}",
        String::from_utf8_lossy(&opened)
    );
}
