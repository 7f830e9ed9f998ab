//! What filters may say, and what becomes of those that do not.

use super::{AMPLE, SHELL, Scripts, ask, assert_gone, envelope, timed, with_filter};
use crate::support::{tools, with_more_time};
use sealpost::engine::{FilterSetting, HelperSettings, Helpers};
use sealpost::helper::SitePrograms;
use sealpost::rules::Answer;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const MAIL: &[u8] = b"From: eve@east.example\n\nhello\n";

/// A filter that greets, writes down its number, and does the same for each message; `$n` is the question's number,
/// `$asked` how often this process was asked before, `$size` the message's.
fn filter(scripts: &Scripts, for_each: &str) -> String {
    let text = format!(
        "echo $$ >> HERE/pids; read -r n word version; echo \"1 INTF 1\"; asked=0; sender=\n\
         while read -r n word size; do\n\
           case $word in\n\
             FROM) sender=$size ;;\n\
             DATA) {for_each}\n asked=$((asked + 1)) ;;\n\
           esac\n\
         done\n\
         echo bye >> HERE/bye\n"
    );
    scripts.write("filter", &text)
}

const SKIP: &str = "head -c $size > /dev/null;";

fn programs(scripts: &Scripts, for_each: &str, seconds: u64) -> SitePrograms {
    SitePrograms::new(&with_filter(&filter(scripts, for_each), seconds))
}

#[test]
fn one_process_answers_for_many_messages_and_ends_with_its_input() {
    let scripts = Scripts::new();
    let programs = programs(&scripts, "head -c $size > HERE/got-$asked; echo $n OK;", 100);
    assert!(!scripts.file("pids").exists(), "nothing runs before it is asked");
    for message in [&b"first\n"[..], b"", b"3 OK\n4 DATA 0\n", MAIL] {
        assert_eq!(ask(&programs, message), Ok(Answer::Accept));
    }
    assert_eq!(std::fs::read(scripts.file("got-0")).unwrap(), b"first\n");
    assert_eq!(std::fs::read(scripts.file("got-1")).unwrap(), b"");
    assert_eq!(std::fs::read(scripts.file("got-2")).unwrap(), b"3 OK\n4 DATA 0\n");
    assert_eq!(std::fs::read(scripts.file("got-3")).unwrap(), MAIL);
    assert_eq!(scripts.pids("pids").len(), 1);
    drop(programs);
    assert_gone(&scripts.pids("pids"));
}

/// It is not waited for long: on a busy machine it may be ended before it came to its last word.
#[test]
fn a_filter_has_the_time_to_end_by_itself() {
    let says_good_bye = || {
        let scripts = Scripts::new();
        let programs = programs(&scripts, &format!("{SKIP} echo $n OK;"), 100);
        assert_eq!(ask(&programs, MAIL), Ok(Answer::Accept));
        drop(programs);
        assert_gone(&scripts.pids("pids"));
        scripts.read("bye") == "bye\n"
    };
    assert!((0..20).any(|_| says_good_bye()));
}

#[test]
fn a_filter_that_stays_is_killed_when_it_is_no_longer_needed() {
    let scripts = Scripts::new();
    let text = "trap '' TERM; echo $$ > HERE/pids; echo '1 INTF 1'; head -n 3 > /dev/null; echo 2 OK; sleep 600 & echo $! >> HERE/pids; wait";
    let programs = SitePrograms::new(&with_filter(&scripts.write("filter", text), 100));
    let envelope = sealpost::rules::Envelope { recipients: Vec::new(), ..envelope("e@x.example") };
    assert_eq!(programs.ask("spam", b"", &envelope).map_err(|error| error.reason), Ok(Answer::Accept));
    crate::support::wait_for("both numbers", 60, || (scripts.pids("pids").len() == 2).then_some(()));
    let ((), took) = timed(|| drop(programs));
    assert!(took < AMPLE, "{took:?}");
    assert_gone(&scripts.pids("pids"));
}

#[test]
fn each_answer_does_what_it_says() {
    let scripts = Scripts::new();
    for (said, answer) in [
        ("echo \"* a remark\"; echo $n OK", Ok(Answer::Accept)),
        ("echo $n DISCARD", Ok(Answer::Discard)),
        ("echo $n REJECTED 4.7.1 Not here.", Ok(Answer::Reject("Not here.".into()))),
        (
            "echo $n ADDHEADER X-A: $sender; echo $n ADDHEADER X-B: 2; echo $n OK",
            Ok(Answer::AddHeader(vec!["X-A: <eve@east.example>".into(), "X-B: 2".into()])),
        ),
        ("echo $n FAILURE no disk", Err("the filter answers FAILURE: no disk")),
        ("echo $n FAILURE", Err("the filter answers FAILURE")),
    ] {
        let programs = programs(&scripts, &format!("{SKIP} {said};"), 100);
        let answer = answer.map_err(str::to_owned);
        assert_eq!(ask(&programs, MAIL), answer, "{said}");
        assert_eq!(ask(&programs, MAIL), answer, "{said}, and again by the same process");
    }
    assert_eq!(scripts.pids("pids").len(), 6, "whoever answers FAILURE is in step");
}

#[test]
fn a_filter_that_died_is_started_anew_once() {
    let scripts = Scripts::new();
    let sometimes = programs(&scripts, &format!("{SKIP} [ $asked = 2 ] && exit 1; echo $n OK;"), 100);
    for _ in 0..7 {
        assert_eq!(ask(&sometimes, MAIL), Ok(Answer::Accept));
    }
    assert_eq!(scripts.pids("pids").len(), 4);
    let always = programs(&scripts, "exit 1;", 100);
    let said = "the filter ended without an answer, and again when it was started anew";
    assert_eq!(ask(&always, MAIL), Err(said.into()));
    assert_eq!(ask(&always, &vec![b'x'; 1 << 20]), Err(said.into()), "with something left to say");
    assert_eq!(scripts.pids("pids").len(), 8);
    drop(sometimes);
    assert_gone(&scripts.pids("pids"));
}

/// Between two questions, when nobody listens.
#[test]
fn a_filter_that_was_killed_is_started_anew() {
    let scripts = Scripts::new();
    let programs = programs(&scripts, &format!("{SKIP} echo $n OK;"), 100);
    assert_eq!(ask(&programs, MAIL), Ok(Answer::Accept));
    let first = scripts.pids("pids")[0];
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(first), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_gone(&[first]);
    assert_eq!(ask(&programs, MAIL), Ok(Answer::Accept));
    assert_eq!(scripts.pids("pids").len(), 2);
}

#[test]
fn a_filter_that_thinks_too_long_is_ended_and_not_asked_twice() {
    with_more_time(|seconds| {
        let (scripts, limit) = (Scripts::new(), Duration::from_secs(seconds.into()));
        let ended = Err(format!("it took longer than {seconds} s and was ended"));
        for hangs in [
            "sleep 600;",
            "head -c 10 > /dev/null; sleep 600;",
            "head -c $size > /dev/null; printf \"$n O\"; sleep 600;",
        ] {
            let programs = programs(&scripts, hangs, seconds.into());
            let (asked, took) = timed(|| ask(&programs, &vec![b'x'; 1 << 20]));
            assert_eq!(asked, ended, "{hangs}");
            assert!(took >= limit && took < AMPLE, "{took:?}");
        }
        let pids = scripts.pids("pids");
        assert_gone(&pids);
        assert!(pids.len() <= 3, "{pids:?}");
        // Each of them had begun.
        (pids.len() == 3).then_some(())
    });
    let scripts = Scripts::new();
    let silent = SitePrograms::new(&with_filter(&scripts.write("silent", "sleep 600"), 1));
    assert_eq!(ask(&silent, MAIL), Err("it took longer than 1 s and was ended".into()), "without a greeting");
}

#[test]
fn garbage_is_no_answer_and_ends_the_filter() {
    let scripts = Scripts::new();
    let number = "the filter's answer is wrong: a line begins neither with \"2 \", the number of the question, nor with \"*\"";
    let word = "the filter's answer is wrong: behind the number stands none of OK, FAILURE, REJECTED, DISCARD, ADDHEADER as they are to be written";
    let field = "the filter's answer is wrong: behind ADDHEADER: this is no header line: there is no colon behind a field name";
    for (said, fault) in [
        ("echo OK", number),
        ("echo $((n - 1)) OK", number),
        ("echo 'Traceback (most recent call last):'", number),
        ("echo $n MAYBE", word),
        ("echo $n ADDHEADER X; echo $n OK", field),
        ("printf '2 OK \\377\\n'", "the filter's answer is wrong: a line is no text"),
        ("head -c 100000 /dev/zero", "the filter's answer is wrong: a line is longer than 4096 bytes"),
        ("yes '*'", "the filter's answer is wrong: it is longer than 65536 bytes"),
        ("yes \"$n ADDHEADER X: y\"", "the filter's answer is wrong: it adds more than 50 header fields"),
    ] {
        let programs = programs(&scripts, &format!("{SKIP} {said};"), 100);
        let (asked, took) = timed(|| ask(&programs, MAIL));
        assert!(took < AMPLE, "{said}: {took:?}");
        // A flood may be too much before it is read, too.
        let flood = said.starts_with("yes") || said.starts_with("head");
        let many = Err("it wrote more than 65536 bytes and was ended".into());
        assert!(asked == Err(fault.to_owned()) || (flood && asked == many), "{said}: {asked:?}");
    }
    for _ in 0..5 {
        let random =
            programs(&scripts, &format!("{SKIP} head -c 200000 /dev/urandom; echo; echo $n OK;"), 100);
        assert!(ask(&random, MAIL).is_err(), "noise is no answer");
    }
    assert_gone(&scripts.pids("pids"));
    let rude = SitePrograms::new(&with_filter(&scripts.write("rude", "echo hello; sleep 600"), 100));
    assert_eq!(
        ask(&rude, MAIL),
        Err("the filter's answer is wrong: the filter does not begin with \"1 INTF 1\"".into())
    );
}

/// Out of step once, a process is not believed again: the next question goes to another.
#[test]
fn an_answer_that_comes_late_is_no_answer_to_the_next_question() {
    let scripts = Scripts::new();
    let twice = programs(&scripts, &format!("{SKIP} echo $n OK; echo $n DISCARD;"), 100);
    assert_eq!(ask(&twice, MAIL), Ok(Answer::Accept));
    std::thread::sleep(Duration::from_millis(100));
    let fault = ask(&twice, MAIL).unwrap_err();
    assert!(fault.contains("a line begins neither with \"3 \""), "{fault}");
    assert_eq!(ask(&twice, MAIL), Ok(Answer::Accept));
    assert_eq!(scripts.pids("pids").len(), 2);
}

#[test]
fn an_answer_may_come_before_the_whole_message_was_read() {
    let scripts = Scripts::new();
    let large = vec![b'x'; 3 << 20];
    let programs = programs(&scripts, &format!("echo $n OK; sleep 0.1; {SKIP}"), 100);
    assert_eq!(ask(&programs, &large), Ok(Answer::Accept));
    assert_eq!(ask(&programs, &large), Ok(Answer::Accept));
    assert_eq!(scripts.pids("pids").len(), 1);
}

#[test]
fn what_a_filter_says_to_standard_error_is_lost() {
    let scripts = Scripts::new();
    let programs = programs(&scripts, &format!("{SKIP} yes | head -c 300000 >&2; echo $n OK;"), 100);
    assert_eq!(ask(&programs, MAIL), Ok(Answer::Accept));
}

#[test]
fn threads_get_each_its_own_answer_from_few_processes() {
    let scripts = Scripts::new();
    let programs = programs(&scripts, &format!("{SKIP} echo $n ADDHEADER X-Of: $sender; echo $n OK;"), 100);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let programs = &programs;
            scope.spawn(move || {
                for turn in 0..5 {
                    let sender = format!("{thread}-{turn}HERE/east.example");
                    let answer = programs.ask("spam", MAIL, &envelope(&sender)).map_err(|error| error.reason);
                    assert_eq!(answer, Ok(Answer::AddHeader(vec![format!("X-Of: <{sender}>")])));
                }
            });
        }
    });
    let processes = scripts.pids("pids").len();
    assert!((1..=4).contains(&processes), "{processes}");
}

#[test]
fn who_waits_for_a_filter_waits_no_longer_than_for_its_answer() {
    let scripts = Scripts::new();
    let programs = programs(&scripts, "sleep 600;", 1);
    let ((), took) = timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..9 {
                scope.spawn(|| {
                    let fault = ask(&programs, MAIL).unwrap_err();
                    let busy = "all 4 processes of the filter were busy for longer than filter-timeout";
                    assert!(fault == busy || fault == "it took longer than 1 s and was ended", "{fault}");
                });
            }
        });
    });
    assert!(took < AMPLE, "{took:?}");
    assert_gone(&scripts.pids("pids"));
}

#[test]
fn a_filter_that_is_not_listed_or_not_there_says_what_to_do() {
    let programs = SitePrograms::new(&HelperSettings::default());
    let said = "the site lists no such filter: add \"spam=/path/to/program\" to `filters` in sealpost.toml";
    assert_eq!(ask(&programs, MAIL), Err(said.into()));
    let setting =
        |program: &str| FilterSetting { name: "spam".into(), program: program.into(), arguments: Vec::new() };
    let missing = HelperSettings { filters: vec![setting("/no/such/filter")], ..with_filter(SHELL, 5) };
    assert_eq!(ask(&SitePrograms::new(&missing), MAIL), Err("/no is not there".into()));
}

#[test]
fn an_address_cannot_become_a_line() {
    let scripts = Scripts::new();
    let programs = programs(&scripts, &format!("{SKIP} echo $n OK;"), 100);
    let asked = programs.ask("spam", MAIL, &envelope("x>\n2 DATA 0\n3 DATA 0")).map_err(|error| error.reason);
    let said = "an address of this message cannot be handed to a program: it holds control characters or is no address";
    assert_eq!(asked, Err(said.into()));
}

/// The filter that the documentation shows.
#[test]
fn the_example_is_a_filter() {
    if !tools(&["python3"]) || !Path::new("/usr/bin/python3").exists() {
        return;
    }
    let scripts = Scripts::new();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/filters/example.py");
    assert!(std::fs::metadata(&example).unwrap().permissions().mode() & 0o111 != 0);
    let file = scripts.file("example.py");
    std::fs::copy(&example, &file).unwrap();
    let setting = FilterSetting {
        name: "spam".into(),
        program: "/usr/bin/python3".into(),
        arguments: vec![file.to_str().unwrap().into()],
    };
    let programs = SitePrograms::new(&HelperSettings { filters: vec![setting], ..with_filter(SHELL, 100) });
    let asked = |sender: &str, message: &[u8]| {
        programs.ask("spam", message, &envelope(sender)).map_err(|error| error.reason)
    };
    let marked = Answer::AddHeader(vec!["X-Advertising: yes".into()]);
    assert_eq!(asked("eve@east.example", b"Subject: x\n\nhello\n"), Ok(Answer::Accept));
    assert_eq!(asked("eve@east.example", b"Subject: x\n\nto unsubscribe, click\n"), Ok(marked));
    let forged = Answer::Reject("This did not come from us.".into());
    assert_eq!(asked("bob@north.example", b"X: y\r\nReceived: from far\r\n\r\n"), Ok(forged));
    assert_eq!(asked("bob@north.example", b"Subject: x\r\n\r\nhello\r\n"), Ok(Answer::Accept));
    assert_eq!(asked("", b""), Ok(Answer::Accept));
}
