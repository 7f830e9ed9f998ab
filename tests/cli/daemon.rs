//! What `doctor` and `init` say of the daemon, seen from outside: a server that plays its part.

use crate::support::{Act, MailServer, Port, Site, path, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// The settings of a daemon on this port.
fn listens(site: &Site, port: u16) {
    let settings = format!("lmtp-listen = [\"127.0.0.1:{port}\"]\n");
    std::fs::write(site.root().join("sealpost.toml"), settings).unwrap();
}

#[test]
fn doctor_greets_the_daemon_and_says_how_it_answered() {
    let (site, _) = Site::certified();
    let doctor = |port: u16| {
        listens(&site, port);
        let ended = site.run("doctor");
        (ended.code, ended.text())
    };
    let well = MailServer::start(&["8BITMIME"], vec![]);
    assert_eq!(doctor(well.port), (Some(0), "all is well\n".to_owned()));
    let lines = wait_for("its last word", 60, || Some(well.lines()).filter(|lines| lines.len() > 1));
    assert!(lines.len() == 2 && lines[0].starts_with("LHLO ") && lines[1] == "QUIT", "{lines:?}");

    let busy = MailServer::start(&[], vec![("connect", Act::Say("421 4.3.2 come back later".into()))]);
    let deaf = MailServer::start(&[], vec![("EHLO", Act::Say("500 5.5.1 what?".into()))]);
    let gone = MailServer::start(&[], vec![("connect", Act::Drop)]);
    let closed = Port::reserved();
    let port = closed.number();
    for (port, told) in [
        (busy.port, "answers the connection with \"421 4.3.2 come back later\"".to_owned()),
        (deaf.port, "answers LHLO with \"500 5.5.1 what?\"".to_owned()),
        (gone.port, format!("the connection to 127.0.0.1:{} broke: the server hung up", gone.port)),
        (port, format!("cannot connect to 127.0.0.1:{port}: Connection refused")),
    ] {
        let (code, text) = doctor(port);
        assert_eq!(code, Some(1));
        assert!(text.contains("problem") && text.contains("it does not answer: "), "{text}");
        assert!(text.contains(&told), "{told}: {text}");
        assert!(text.contains("start sealpost serve"), "{text}");
    }
}

#[test]
fn the_lines_for_an_mta_follow_the_settings() {
    let site = Site::furnished();
    assert!(site.json("init --postfix")["master_cf"].as_str().unwrap().contains(" pipe\n"));
    let nowhere = site.run("init --exim");
    assert_eq!(nowhere.code, Some(78));
    for said in ["does not say where the daemon listens", "lmtp-listen = ["] {
        assert!(nowhere.stderr.contains(said), "{}", nowhere.stderr);
    }
    std::fs::write(site.root().join("sealpost.toml"), "lmtp-listen = [\"unix:/run/x/lmtp\", \"[::1]:24\"]\n")
        .unwrap();
    let made = site.json("init --postfix --exim");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (main, master, exim) = (text("main_cf"), text("master_cf"), text("exim"));
    assert!(main.contains("\nvirtual_transport = sealpost:unix:/run/x/lmtp\n"), "{main}");
    assert!(main.contains("\nvirtual_mailbox_domains = north.example, alias.example\n"), "{main}");
    assert!(!main.contains("\nsealpost_destination_recipient_limit"), "{main}");
    assert!(master.contains("\nsealpost  unix  -       -       n       -       -       lmtp\n"), "{master}");
    assert!(exim.contains("\n  domains = north.example : alias.example\n"), "{exim}");
    assert!(exim.contains("\n  socket = /run/x/lmtp\n"), "{exim}");
    let printed = site.run("init --postfix --exim").text();
    for part in [&main, &master, &exim] {
        assert!(printed.contains(part.trim_end()), "{part}");
    }
    std::fs::write(site.root().join("sealpost.toml"), "lmtp-listen = \"here\"\n").unwrap();
    let broken = site.run("init --postfix");
    assert!(broken.code == Some(78) && broken.stderr.contains("sealpost.toml:1:15"), "{}", broken.stderr);
    site.run("init").ok();
}

#[test]
fn the_daemon_says_in_json_where_it_listens() {
    let (site, socket) = (Site::furnished(), "lmtp");
    let place = format!("unix:{}", path(&site.folder().join(socket)));
    std::fs::write(site.root().join("sealpost.toml"), format!("lmtp-listen = [\"{place}\"]\n")).unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_sealpost"));
    serve.args(["--root", path(&site.root()), "serve", "--json"]).env_remove("SEALPOST_ROOT");
    let mut daemon = serve.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
    kill(Pid::from_raw(daemon.id().cast_signed()), Signal::SIGTERM).unwrap();
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told, serde_json::json!({"v": 1, "listening": [place]}));
}
