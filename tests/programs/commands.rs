//! What a command gets, and what counts as success.

use super::{AMPLE, SHELL, Scripts, assert_gone, execute_by, settings, timed};
use crate::support::with_more_time;
use std::path::Path;
use std::time::Duration;

const MAIL: &[u8] = b"From: eve@east.example\r\nSubject: x\r\n\r\nThe \0 body.\r\n";

fn run(scripts: &Scripts, text: &str) -> Result<(), String> {
    run_with(scripts, "", text, "")
}

fn run_with(scripts: &Scripts, prefixes: &str, text: &str, arguments: &str) -> Result<(), String> {
    let script = scripts.write("script", text);
    execute_by(&settings(), &format!("{prefixes} {SHELL} {script} {arguments}"), MAIL)
}

#[test]
fn the_message_comes_on_standard_input_byte_for_byte() {
    let scripts = Scripts::new();
    run(&scripts, "cat > HERE/got").unwrap();
    assert_eq!(std::fs::read(scripts.file("got")).unwrap(), MAIL);
    let large = vec![b'x'; 5 << 20];
    let script = scripts.write("script", "wc -c > HERE/got");
    execute_by(&settings(), &format!("{SHELL} {script}"), &large).unwrap();
    assert_eq!(scripts.read("got").trim(), large.len().to_string());
}

#[test]
fn whoever_does_not_read_keeps_nobody_waiting() {
    let scripts = Scripts::new();
    let large = vec![b'x'; 5 << 20];
    for text in ["exit 0", "exec <&-; sleep 0.1", "head -c 3 > HERE/got"] {
        let script = scripts.write("script", text);
        let (done, took) = timed(|| execute_by(&settings(), &format!("{SHELL} {script}"), &large));
        assert_eq!(done, Ok(()), "{text}");
        assert!(took < AMPLE, "{text}: {took:?}");
    }
}

#[test]
fn the_end_of_a_command_says_what_became_of_it() {
    let scripts = Scripts::new();
    assert_eq!(run(&scripts, "exit 0"), Ok(()));
    assert_eq!(run(&scripts, "exit 1"), Err("it ended with exit code 1".into()));
    assert_eq!(run(&scripts, "exit 75"), Err("it ended with exit code 75".into()));
    assert_eq!(run(&scripts, "kill -9 $$"), Err("signal 9 ended it".into()));
    assert_eq!(run(&scripts, "kill -TERM $$"), Err("signal 15 ended it".into()));
}

#[test]
fn standard_error_is_told_on_wish_only() {
    let scripts = Scripts::new();
    let text = "printf 'no disk\\n\\033[31m at all\\n' >&2; exit 3";
    assert_eq!(
        run_with(&scripts, "[STDERR]", text, ""),
        Err("it ended with exit code 3: no disk [31m at all".into())
    );
    assert_eq!(run_with(&scripts, "", text, ""), Err("it ended with exit code 3".into()));
    assert_eq!(run_with(&scripts, "[STDERR]", "echo a warning >&2", ""), Ok(()));
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
    let text = "sleep 600 & echo $! > HERE/pids\n(sleep 600; true) & echo $! >> HERE/pids\necho $$ >> HERE/pids; trap '' TERM; sleep 600; sleep 600";
    with_more_time(|seconds| {
        let (scripts, limit) = (Scripts::new(), Duration::from_secs(seconds.into()));
        let script = scripts.write("script", text);
        let short = sealpost::engine::HelperSettings { execute_timeout: limit, ..settings() };
        let (done, took) = timed(|| execute_by(&short, &format!("{SHELL} {script}"), MAIL));
        assert_eq!(done, Err(format!("it took longer than {seconds} s and was ended")));
        assert!(took >= limit && took < AMPLE, "{took:?}");
        let pids = scripts.pids("pids");
        assert_gone(&pids);
        // Each of them had begun.
        (pids.len() == 3).then_some(())
    });
}

/// With its output closed there is nothing to hear from it, and its time runs all the same.
#[test]
fn a_silent_command_is_ended_too() {
    let scripts = Scripts::new();
    let script = scripts.write("script", "echo $$ > HERE/pids; exec > /dev/null; sleep 600");
    let short = sealpost::engine::HelperSettings { execute_timeout: Duration::from_secs(1), ..settings() };
    let done = execute_by(&short, &format!("{SHELL} {script}"), MAIL);
    assert_eq!(done, Err("it took longer than 1 s and was ended".into()));
    assert_gone(&scripts.pids("pids"));
}

#[test]
fn what_a_command_leaves_behind_holds_nobody_up_and_ends_with_it() {
    let scripts = Scripts::new();
    let (done, took) =
        timed(|| run_with(&scripts, "[STDERR]", "sleep 600 & echo $! > HERE/pids; exit 0", ""));
    assert_eq!(done, Ok(()));
    assert!(took < AMPLE, "{took:?}");
    assert_eq!(scripts.pids("pids").len(), 1);
    assert_gone(&scripts.pids("pids"));
}

#[test]
fn a_flood_is_cut() {
    let scripts = Scripts::new();
    let (done, took) = timed(|| run(&scripts, "echo $$ > HERE/pids; exec yes"));
    assert_eq!(done, Err("it wrote more than 65536 bytes and was ended".into()));
    assert!(took < AMPLE, "{took:?}");
    assert_gone(&scripts.pids("pids"));
    assert_eq!(run(&scripts, "yes | head -c 65536"), Ok(()));
    assert_eq!(
        run(&scripts, "yes | head -c 65537"),
        Err("it wrote more than 65536 bytes and was ended".into())
    );
    let errors = "yes | head -c 100000 >&2";
    assert_eq!(
        run_with(&scripts, "[STDERR]", errors, ""),
        Err("it wrote more than 65536 bytes and was ended".into())
    );
    assert_eq!(run(&scripts, errors), Ok(()), "nobody listens");
}

#[test]
fn the_environment_holds_two_variables() {
    let scripts = Scripts::new();
    run(&scripts, "cat /proc/$$/environ > HERE/env; readlink /proc/$$/cwd > HERE/cwd; umask > HERE/umask")
        .unwrap();
    assert_eq!(scripts.read("env"), "LANG=C.UTF-8\0PATH=/usr/local/bin:/usr/bin:/bin\0");
    assert_eq!(scripts.read("cwd"), "/\n");
}

#[test]
fn words_reach_the_program_as_they_stand() {
    let scripts = Scripts::new();
    let arguments = r#"a "b  c" $HOME `id` * \" '' ^S -- ; "" > x"#;
    run_with(&scripts, "", "printf '[%s]' \"$@\" > HERE/got", arguments).unwrap();
    assert_eq!(scripts.read("got"), "[a][b  c][$HOME][`id`][*][\"][''][^S][--][;][][>][x]");
}

#[test]
fn prefixes_tell_the_envelope_behind_the_rules_own_words() {
    let scripts = Scripts::new();
    run_with(&scripts, "[RCPT] [RETPATH] [FILE]", "printf '[%s]' \"$@\" > HERE/got", "-x").unwrap();
    let expected =
        "[-x][-f][/dev/stdin][-p][eve@east.example][-r][bob@north.example][\"-ada\"@north.example]";
    assert_eq!(scripts.read("got"), expected);
}

/// The path that `[FILE]` gives can be opened again and again, and lies on no disk.
#[test]
fn the_message_as_a_file_is_in_memory() {
    let scripts = Scripts::new();
    let text = "head -c 9 > HERE/first; tail -c 5 \"$2\" > HERE/last; cat \"$2\" > HERE/whole; cat < \"$2\" > HERE/again; readlink /proc/$$/fd/0 > HERE/place";
    run_with(&scripts, "[FILE]", text, "").unwrap();
    assert_eq!((scripts.read("first").as_str(), scripts.read("last").as_str()), ("From: eve", "dy.\r\n"));
    assert_eq!(std::fs::read(scripts.file("whole")).unwrap(), MAIL);
    assert_eq!(std::fs::read(scripts.file("again")).unwrap(), MAIL);
    assert_eq!(scripts.read("place"), "/memfd:message (deleted)\n");
}

#[test]
fn only_what_is_listed_runs_and_only_as_it_is_listed() {
    let scripts = Scripts::new();
    let none = sealpost::engine::HelperSettings { execute: Vec::new(), ..settings() };
    let text =
        |program: &str| format!("the site does not list it: add \"{program}\" to `execute` in sealpost.toml");
    assert_eq!(execute_by(&none, "/bin/sh -c true", MAIL), Err(text("/bin/sh")));
    assert_eq!(execute_by(&settings(), "/bin/../bin/sh -c true", MAIL), Err(text("/bin/../bin/sh")));
    assert_eq!(execute_by(&settings(), "/usr/bin/env true", MAIL), Err(text("/usr/bin/env")));
    let own = |path: &Path| sealpost::engine::HelperSettings { execute: vec![path.to_owned()], ..settings() };
    let missing = scripts.file("missing");
    let said = format!("{} is not there", missing.display());
    assert_eq!(execute_by(&own(&missing), missing.to_str().unwrap(), MAIL), Err(said));
    let script = scripts.write("script", "#!/bin/sh\ntrue\n");
    let said = format!("{script} is no executable file: chmod 755 if it is to be one");
    assert_eq!(execute_by(&own(Path::new(&script)), &script, MAIL), Err(said));
}
