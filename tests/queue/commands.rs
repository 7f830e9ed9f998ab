//! `sealpost queue`, and what the doctor says of it.

use super::{PASSWORD, WORD, arrived, configure, enqueue, hold, mail, site};
use crate::support::{Act, MailServer, Program, Site, path};
use std::os::unix::fs::PermissionsExt;

fn submission(server: &MailServer) -> String {
    format!("submission = \"smtp://127.0.0.1:{}\"", server.port)
}

/// The clock of the queue put back, as far as a mail is concerned.
fn age(site: &Site, id: &str, seconds: i64) {
    let file = rusqlite::Connection::open(site.root().join("state.sqlite")).unwrap();
    let sql = "UPDATE queue SET enqueued = enqueued - ?2, next = next - ?2 WHERE id = ?1";
    assert_eq!(file.execute(sql, rusqlite::params![id, seconds]).unwrap(), 1);
}

#[test]
fn what_is_due_is_sent_and_gone() {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = site(&submission(&server));
    assert_eq!(site.run("queue run").text(), "nothing is due\n");
    assert_eq!(site.run("queue list").text(), "no mail is in the queue\n");
    let id = enqueue(&site, mail(&["anna@far.example"]), 0);
    let listed = site.run("queue list").text();
    let mut words = listed.lines().nth(1).unwrap().split_whitespace();
    assert_eq!(words.next(), Some(id.as_str()));
    assert!(listed.contains("waiting  Copy to anna  bob@north.example  anna@far.example"), "{listed}");
    let ran = site.run("queue run");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(
        ran.text().split_whitespace().collect::<Vec<_>>()[6..],
        [&id, "Copy", "to", "anna", "sent", "-"]
    );
    assert_eq!(server.taken().remove(0).message, arrived());
    assert_eq!(site.json("queue list")["mails"].as_array().unwrap().len(), 0);
    let log = std::fs::read_to_string(site.folder().join("log")).unwrap();
    assert!(log.contains("sent") && log.contains(&id) && log.contains("anna@far.example"), "{log}");
}

#[test]
fn what_waits_is_tried_again_and_what_failed_waits_for_a_person() {
    let script = vec![
        ("RCPT TO:<later@", Act::Say("451 4.7.1 try again".into())),
        ("RCPT TO:<never@", Act::Say("550 5.1.1 no such user".into())),
    ];
    let server = MailServer::start(&["8BITMIME"], script);
    let site = site(&submission(&server));
    let waits = enqueue(&site, mail(&["later@far.example"]), 0);
    let fails = enqueue(&site, mail(&["never@far.example", "anna@far.example"]), 0);
    let ran = site.run("queue run --json");
    assert_eq!(ran.code, Some(1));
    let told: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((&told["sent"], &told["waiting"], &told["failed"]), (&0.into(), &1.into(), &1.into()));
    assert_eq!(server.taken().remove(0).recipients, ["anna@far.example"]);
    // Nothing is due for five minutes.
    assert_eq!(site.run("queue run").text(), "nothing is due\n");
    age(&site, &waits, 300);
    assert_eq!(site.run("queue run").code, Some(0));
    let shown = site.json(&format!("queue show {waits}"));
    assert_eq!((&shown["attempts"], &shown["state"]), (&2.into(), &"waiting".into()));
    assert_eq!(shown["sender"], "carol@far.example");
    let shown = site.run(&format!("queue show {fails}")).text();
    assert!(shown.contains("carol@far.example") && !shown.contains(WORD), "{shown}");
    assert!(
        shown.contains("never@far.example  refused  the server's answer to RCPT: 550 5.1.1 no such user"),
        "{shown}"
    );
    assert!(shown.contains("anna@far.example   sent     -"), "{shown}");
    let doctor = site.run("doctor");
    assert_eq!(doctor.code, Some(1));
    let wanted = format!(
        "problem   mail {fails}  what rule \"Copy to anna\" sends to never@far.example has failed: the server's answer to \
         RCPT: 550 5.1.1 no such user: sealpost queue retry {fails}, or queue remove"
    );
    assert!(doctor.text().contains(&wanted), "{}", doctor.text());
    // A person has it tried again, and gives it up.
    assert_eq!(site.run(&format!("queue retry {fails}")).code, Some(0));
    assert_eq!(site.run("queue run").code, Some(1));
    assert_eq!(server.taken().len(), 1, "who has it is not sent to again");
    let (code, text) = site.refused(&format!("queue remove {}", &fails[..30]));
    assert!(code == 1 && text.contains("nothing was removed") && text.contains(&fails), "{text}");
    assert_eq!(site.run(&format!("queue remove {fails}")).text(), "1 mail removed\n");
    assert_eq!(site.refused(&format!("queue show {fails}")).0, 66);
    assert_eq!(site.run("queue remove --all-failed").text(), "0 mails removed\n");
}

/// Spam names senders that refuse every answer: they must not pile up.
#[test]
fn what_nobody_is_to_be_told_of_is_given_up() {
    let never = ("RCPT TO:<never@", Act::Say("550 5.1.1 no such user".into()));
    let server = MailServer::start(&["8BITMIME"], vec![never, ("RCPT", Act::Say("451 no".into()))]);
    let site = site(&format!("{}\nqueue-lifetime = \"2h\"", submission(&server)));
    let reply = |to: &str| sealpost::engine::OutgoingMail { sender: String::new(), ..mail(&[to]) };
    let refused = enqueue(&site, reply("never@far.example"), 0);
    let late = enqueue(&site, reply("anna@far.example"), 0);
    let ran = site.run("queue run");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "it waits for nobody");
    let text = ran.text();
    assert!(text.contains(&refused) && text.contains("given up") && text.contains("550 5.1.1"), "{text}");
    assert_eq!(site.json("queue list")["mails"][0]["id"], late.as_str());
    age(&site, &late, 7200);
    assert_eq!(site.json("queue run")["mails"][0]["result"], "given up");
    assert_eq!(site.json("queue list")["mails"].as_array().unwrap().len(), 0);
    assert!(!site.run("doctor").text().contains("has failed"));
    let log = std::fs::read_to_string(site.folder().join("log")).unwrap();
    assert!(log.matches("is given up: its return path is empty").count() == 2, "{log}");
    assert!(log.contains("refused: the server's answer to RCPT: 550 5.1.1"), "{log}");
}

#[test]
fn what_grows_too_old_has_failed() {
    let server = MailServer::start(&["8BITMIME"], vec![("MAIL", Act::Say("451 no".into()))]);
    let site = site(&format!("{}\nqueue-lifetime = \"2h\"", submission(&server)));
    let id = enqueue(&site, mail(&["anna@far.example"]), 0);
    age(&site, &id, 3600);
    assert_eq!(site.run("queue run").code, Some(0));
    age(&site, &id, 3600);
    assert_eq!(site.run("queue run").code, Some(1));
    assert_eq!(site.json("queue list --state failed")["mails"][0]["id"], id.as_str());
    assert_eq!(site.run("queue retry --all").code, Some(0));
    assert_eq!(site.run("queue run").code, Some(0), "it counts as new");
}

/// Whatever the server, the program or the file says: no word of the mail, and no password, stands anywhere in the clear.
#[test]
fn no_word_of_a_mail_lies_in_files_logs_and_errors() {
    let quotes = format!("554 5.7.1 I read: {WORD} {PASSWORD}");
    let server = MailServer::start(&["8BITMIME"], vec![(".", Act::Say(quotes))]);
    let site = site(&submission(&server));
    let password = site.write("password", PASSWORD);
    enqueue(&site, mail(&["anna@far.example"]), 0);
    let mut said = vec![site.run("queue run"), site.run("queue list"), site.run("queue list --json")];
    configure(
        &site,
        &format!(
            "{}\nsubmission-user = \"tim\"\nsubmission-password-file = \"{}\"",
            submission(&server),
            path(&password)
        ),
    );
    std::fs::set_permissions(&password, std::fs::Permissions::from_mode(0o600)).unwrap();
    site.run("queue retry --all").ok();
    said.extend([site.run("queue run"), site.run("doctor"), site.run("queue list")]);
    for ended in said {
        let text = format!("{}{}", ended.text(), ended.stderr);
        assert!(!text.contains(WORD) && !text.contains(PASSWORD), "{text}");
    }
    assert!(!server.lines().iter().any(|line| line.starts_with("AUTH")), "no TLS, no password");
    let mut files = vec![site.folder().join("log")];
    files.extend(std::fs::read_dir(site.root()).unwrap().map(|entry| entry.unwrap().path()));
    for file in files.iter().filter(|file| file.is_file()) {
        let octets = std::fs::read(file).unwrap();
        for word in [WORD, PASSWORD, "The end"] {
            let found = octets.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} in {}", file.display());
        }
    }
}

#[test]
fn two_runs_at_once_send_each_mail_once() {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = site(&submission(&server));
    for _ in 0..12 {
        enqueue(&site, mail(&["anna@far.example"]), 0);
    }
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| site.run("queue run").code)).collect();
        runs.into_iter().for_each(|run| assert_eq!(run.join().unwrap(), Some(0)));
    });
    assert_eq!(server.taken().len(), 12);
}

/// After the server took it and before that was written down: it goes again when the lease is over, and never twice at once.
#[test]
fn a_run_that_is_killed_sends_again() {
    let server = MailServer::start(&["8BITMIME"], vec![(".", Act::Wait(600))]);
    let site = site(&submission(&server));
    let id = enqueue(&site, mail(&["anna@far.example"]), 0);
    let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_sealpost"))
        .args(["--root", path(&site.root()), "queue", "run"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    crate::support::wait_for("DATA", 60, || server.lines().iter().any(|line| line == "DATA").then_some(()));
    run.kill().unwrap();
    run.wait().unwrap();
    let listed = site.json("queue list --state sending")["mails"][0].clone();
    assert_eq!(listed["state"], "sending");
    let until = format!("claimed until {} UTC", &listed["claimed_until"].as_str().unwrap()[11..19]);
    assert!(site.run("queue list").text().contains(&until), "{until}");
    assert!(site.run("queue list --state waiting").text().contains("no mail is in the queue"));
    let retried = site.run(&format!("queue retry {id}")).text();
    assert!(retried.starts_with(&format!("1 mail {until}: being sent")), "{retried}");
    let (code, text) = site.refused(&format!("queue remove {id}"));
    assert!(code == 75 && text.contains(&until), "{code} {text}");
    let second = MailServer::start(&["8BITMIME"], vec![]);
    configure(&site, &submission(&second));
    let wanted = format!("nothing is due\n1 mail {until}: being sent, or left by a sender that died\n");
    assert_eq!(site.run("queue run").text(), wanted);
    assert_eq!(site.json("queue run")["claimed"], 1);
    // It is told beside mail that is due, too.
    enqueue(&site, mail(&["bo@far.example"]), 0);
    let told = site.json("queue run");
    assert_eq!((&told["claimed"], &told["sent"]), (&1.into(), &1.into()));
    let file = rusqlite::Connection::open(site.root().join("state.sqlite")).unwrap();
    file.execute("UPDATE queue SET claimed = claimed - 3600 WHERE id = ?1", [&id]).unwrap();
    drop(file);
    assert_eq!(site.run("queue run").code, Some(0));
    assert_eq!(second.taken().len(), 2);
}

#[test]
fn held_mails_are_left_alone_until_no_delivery_can_be_at_work() {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = site(&submission(&server));
    let id = hold(&site, mail(&["anna@far.example"]), 60);
    assert_eq!(site.run("queue run").text(), "nothing is due\n");
    assert_eq!(site.refused(&format!("queue retry {id}")).0, 1);
    age(&site, &id, 3600);
    assert_eq!(
        site.run("queue run").text(),
        "1 mail of a delivery that was cut off: dropped\nnothing is due\n"
    );
    assert!(server.taken().is_empty());
}

#[test]
fn the_doctor_says_what_keeps_mail() {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = site(&submission(&server));
    let said = || site.run("doctor").text();
    let id = enqueue(&site, mail(&["anna@far.example"]), 0);
    assert!(!said().contains("queue"), "{}", said());
    age(&site, &id, 4000);
    assert!(said().contains("1 mail should have been tried long ago: nobody runs the queue"), "{}", said());
    configure(&site, "");
    assert!(said().contains("mail waits in it, and nothing says where to: set submission"), "{}", said());
    let run = site.run("queue run");
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            Some(78),
            "sealpost: submission is not set in sealpost.toml\n  say where mail leaves, for example: submission = \
             \"sendmail:/usr/sbin/sendmail\"\n"
        )
    );
    let key = site.root().join("queue.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(said().contains("queue.key is open to others (mode 0644)"), "{}", said());
    std::fs::remove_file(&key).unwrap();
    assert!(
        said().contains("queue.key is missing, and mail waits that was sealed under it (mails: 1"),
        "{}",
        said()
    );
    configure(&site, &submission(&server));
    let run = site.run("queue run");
    assert_eq!(run.code, Some(78));
    assert!(run.stderr.contains("queue.key is missing"), "{}", run.stderr);
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(said().contains("mail waits that was sealed under another one (mails: 1"), "{}", said());
    assert_eq!(site.run("queue run").code, Some(78));
    let id = site.json("queue list")["mails"][0]["id"].as_str().unwrap().to_owned();
    let shown = site.run(&format!("queue show {id}")).text();
    assert!(shown.contains("cannot be read: ") && !shown.contains("carol@"), "{shown}");
    assert_eq!(site.json("queue list")["mails"][0]["state"], "waiting", "nothing is dropped");
    let open = site.write("password", PASSWORD);
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    configure(
        &site,
        &format!(
            "{}\nsubmission-user = \"tim\"\nsubmission-password-file = \"{}\"",
            submission(&server),
            path(&open)
        ),
    );
    assert!(said().contains("password is open to others (mode 0644): chmod 600"), "{}", said());
}

/// Made once, for its owner only, whatever the umask; and no backup holds what waits.
#[test]
fn the_key_is_the_owners_and_stays_out_of_backups() {
    let site = site("");
    enqueue(&site, mail(&["anna@far.example"]), 0);
    let key = site.root().join("queue.key");
    let first = std::fs::read(&key).unwrap();
    assert_eq!((first.len(), key.metadata().unwrap().permissions().mode() & 0o777), (32, 0o600));
    enqueue(&site, mail(&["anna@far.example"]), 0);
    assert_eq!(std::fs::read(&key).unwrap(), first);
    let copy = site.folder().join("copy");
    site.run(&format!("backup {}", path(&copy))).ok();
    let octets = std::fs::read(&copy).unwrap();
    assert!(!octets.windows(32).any(|window| window == first));
    // Restoring beside it leaves it alone: what waits there is still to be sent.
    site.run(&format!("restore {} --replace", path(&copy))).ok();
    assert_eq!(site.json("queue list")["mails"].as_array().unwrap().len(), 2);
    assert!(Program::sealpost().words("queue --help").run().text().contains("queue.key"));
}

/// The key is gone: the sender waits, nothing is sealed under a second key, and whoever gives the mail up goes on.
#[test]
fn a_key_that_is_gone_is_asked_for_and_not_replaced() {
    let server = MailServer::start(&["8BITMIME"], vec![]);
    let site = super::deliveries::sending_house(&submission(&server));
    let id = enqueue(&site, mail(&["anna@far.example"]), 0);
    let key = site.root().join("queue.key");
    std::fs::remove_file(&key).unwrap();
    let ended = super::deliveries::deliver(&site, "");
    assert_eq!(ended.code, Some(75), "{}", ended.text());
    assert!(!key.exists());
    let log = std::fs::read_to_string(site.folder().join("log")).unwrap();
    assert!(
        log.contains("put it back, or give the mail up with: sealpost queue remove --unreadable"),
        "{log}"
    );
    assert_eq!(site.json("queue remove --unreadable")["removed"][0], id.as_str());
    assert_eq!(site.run("queue remove --unreadable").text(), "0 mails removed\n");
    assert_eq!(super::deliveries::deliver(&site, "").code, Some(0));
    assert_eq!((server.taken().len(), key.exists()), (1, true));
}

#[test]
fn who_removes_an_account_learns_what_still_goes_in_its_name() {
    let site = site("submission = \"smtp://127.0.0.1:1\"");
    enqueue(&site, mail(&["anna@far.example"]), 0);
    enqueue(&site, mail(&["eve@far.example"]), 0);
    let said = site.run("account remove bob@north.example").text();
    assert!(said.contains("\n2 mails of it wait in the queue and still go: sealpost queue list\n"), "{said}");
    assert_eq!(site.json("queue list")["mails"].as_array().unwrap().len(), 2);
}
