//! An MTA that calls `--batch` by mistake keeps its mail: whatever is wrong ends in 75.

use crate::support::{Site, path};

const MAIL: &str = "From: carol@far.example\nSubject: pay\n\nThe body.\n";

#[test]
fn whatever_is_wrong_is_to_be_tried_again() {
    let (site, _) = Site::certified();
    let empty = site.folder().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let folder = path(&empty).to_owned();
    for (words, text) in [
        ("deliver --batch - --recipient bob@north.example".to_owned(), "this is no mbox"),
        (format!("deliver --batch {folder}"), "--recipient"),
        (format!("deliver --batch {folder} --recipient x"), "x"),
        (format!("deliver --batch {folder} --recipient bob@north.example --nonsense"), "--nonsense"),
        (
            format!("deliver --batch {folder} --recipient bob@north.example --queue-id Q1"),
            "cannot be used with",
        ),
        ("deliver --batch".to_owned(), "--batch"),
        ("deliver --done /tmp --recipient bob@north.example".to_owned(), ""),
    ] {
        let ended = site.program(&words).input(MAIL).run();
        assert_eq!(ended.code, Some(75), "{words}: {} {}", ended.text(), ended.stderr);
        assert!(ended.stderr.contains(text), "{words}: {}", ended.stderr);
    }
    let nowhere = site.run(&format!("deliver --batch {folder}/nowhere --recipient bob@north.example"));
    assert_eq!(nowhere.code, Some(75), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("cannot list"), "{}", nowhere.stderr);
    let bare = Site::bare();
    let ended = bare.run(&format!("deliver --batch {folder} --recipient bob@north.example"));
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
}

/// The message of an MTA that calls it with a folder: nobody reads it, so that it is not stored, and nothing else is.
#[test]
fn a_message_that_nobody_reads_is_no_success() {
    let (site, _) = Site::certified();
    let mail = site.folder().join("old-mail");
    std::fs::create_dir(&mail).unwrap();
    let words = format!("deliver --batch {} --recipient bob@north.example", path(&mail));
    let says = "standard input holds something, and with --batch DIR nobody reads it";
    for of_a_folder in [0, 1] {
        if of_a_folder == 1 {
            std::fs::write(mail.join("a"), MAIL).unwrap();
        }
        let ended = site.program(&words).input(MAIL).run();
        assert_eq!((ended.code, ended.text().as_str()), (Some(75), ""), "{}", ended.stderr);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
    assert!(!site.root().join("mail/north.example/bob").exists(), "nothing is stored");
    let message = site.folder().join("message");
    std::fs::write(&message, MAIL).unwrap();
    let begin = || {
        let mut begin = std::process::Command::new(env!("CARGO_BIN_EXE_sealpost"));
        begin.args(["--root", path(&site.root())]).args(words.split(' '));
        begin
    };
    let file = || std::fs::File::open(&message).unwrap();
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    std::io::Write::write_all(&mut ours, MAIL.as_bytes()).unwrap();
    for input in [std::process::Stdio::from(file()), std::os::fd::OwnedFd::from(theirs).into()] {
        let ended = begin().stdin(input).output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(75) && stderr.contains(says), "{stderr}");
    }
    // Nothing is there: a device, a file that was read to its end, a pipe and a socket that were closed.
    let mut read = file();
    std::io::Seek::seek(&mut read, std::io::SeekFrom::End(0)).unwrap();
    let (closed, _) = std::io::pipe().unwrap();
    let (socket, _) = std::os::unix::net::UnixStream::pair().unwrap();
    let socket = std::os::fd::OwnedFd::from(socket);
    for input in [std::process::Stdio::null(), read.into(), closed.into(), socket.into()] {
        let ended = begin().stdin(input).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

/// However late its first octet comes: while somebody may still write, nothing is told as stored.
#[test]
fn a_message_that_may_still_come_is_no_success() {
    let (site, _) = Site::certified();
    let mail = site.folder().join("old-mail");
    std::fs::create_dir(&mail).unwrap();
    std::fs::write(mail.join("a"), MAIL).unwrap();
    let words = ["deliver", "--batch", path(&mail), "--recipient", "bob@north.example"];
    let (pipe, mut late) = std::io::pipe().unwrap();
    let (socket, _open) = std::os::unix::net::UnixStream::pair().unwrap();
    for input in [std::process::Stdio::from(pipe), std::os::fd::OwnedFd::from(socket).into()] {
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_sealpost"))
            .args(["--root", path(&site.root())])
            .args(words)
            .stdin(input)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), ended.stdout.len()), (Some(75), 0), "{stderr}");
        let says = "standard input is open, and something may come, and with --batch DIR nobody reads it";
        assert!(stderr.contains(says) && stderr.contains("</dev/null"), "{stderr}");
    }
    // The MTA that was only slow sees that nobody takes its message.
    assert!(std::io::Write::write_all(&mut late, MAIL.as_bytes()).is_err());
    assert!(!site.root().join("mail/north.example/bob").exists(), "nothing is stored");
}

/// Nothing on standard input is no mail that was stored.
#[test]
fn an_empty_standard_input_is_no_success() {
    let (site, _) = Site::certified();
    let ended = site.program("deliver --batch - --recipient bob@north.example").input("").run();
    assert_eq!(ended.code, Some(75), "{} {}", ended.text(), ended.stderr);
}

/// The address of a sender may be any word.
#[test]
fn a_sender_of_that_name_is_a_sender() {
    let (site, _) = Site::certified();
    for sender in ["--batch", "--batch=x"] {
        let words = format!("deliver --sender {sender} --recipient bob@north.example");
        let ended = site.program(&words).input(MAIL).run();
        assert_eq!((ended.code, ended.text().as_str()), (Some(0), "2.0.0 stored\n"), "{}", ended.stderr);
    }
}

/// A help text is no delivery.
#[test]
fn help_is_no_answer_to_an_mta() {
    let (site, _) = Site::certified();
    let ended = site.program("deliver --batch - --recipient bob@north.example --help").input(MAIL).run();
    assert_eq!(ended.code, Some(75), "{}", ended.text());
}
