//! Deliveries whose rules call programs, through the binary.

use super::{AMPLE, SHELL, assert_gone, timed};
use crate::hook::{assert_answer, assert_doubt};
use crate::support::{Ended, Program, Store, tools, with_more_time};
use std::path::PathBuf;
use std::time::Duration;

pub(super) const MAIL: &[u8] = b"From: Eve <eve@east.example>\nTo: bob@north.example\nSubject: Lunch\n\n\
The word is xyzzy-plugh-4711.\n";
const CLEAR: &[u8] = b"xyzzy-plugh-4711";

/// A store whose site lists a shell as a command and, if it is there, the script `filter` as the filter `spam`.
pub(super) struct House(pub(super) Store);

impl House {
    pub(super) fn new(settings: &str) -> Option<House> {
        if !tools(&["openssl"]) {
            return None;
        }
        let house = House(Store::new());
        let (log, filter) = (house.file("log"), house.file("filter"));
        let text = format!(
            "log = {log:?}\nexecute = [\"{SHELL}\"]\nfilters = [\"spam={SHELL} {}\"]\n{settings}",
            filter.display()
        );
        std::fs::write(house.0.root().join("sealpost.toml"), text).unwrap();
        Some(house)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }

    /// `HERE/name` in a script is a file beside the store.
    pub(super) fn script(&self, name: &str, text: &str) -> String {
        let here = self.0.file("x").parent().unwrap().display().to_string();
        let file = self.file(name);
        std::fs::write(&file, text.replace("HERE", &here)).unwrap();
        file.display().to_string()
    }

    fn filter(&self, answer: &str) {
        let text = format!(
            "read -r hello; echo '1 INTF 1'\nwhile read -r n word size; do\n\
             [ $word = DATA ] && {{ head -c $size >> HERE/seen; {answer}; }}\ndone\n"
        );
        self.script("filter", &text);
    }

    /// Installs rules for the server (no name), a domain, or an account.
    pub(super) fn rules(&self, holder: &str, text: &str) -> Ended {
        let file = self.file("rules.toml");
        std::fs::write(&file, text).unwrap();
        self.0.command("rules install").args([file.to_str().unwrap()]).words(holder).run()
    }

    /// One rule of the account with these actions.
    fn account_rule(&self, then: &str) {
        self.rules("--account bob@north.example", &rule(then)).ok();
    }

    fn server_rule(&self, then: &str) {
        self.rules("--server", &rule(then)).ok();
    }

    pub(super) fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.file(name)).unwrap_or_default()).into_owned()
    }

    /// The files of Maildirs that hold messages, staged ones too.
    pub(super) fn messages(&self) -> Vec<String> {
        let names = self.0.stored().into_iter().map(|(file, _)| file.display().to_string());
        let root = self.0.root().display().to_string();
        let below = |name: &str| name.strip_prefix(&root).unwrap().to_owned();
        names
            .filter(|name| ["/new/", "/cur/", "/tmp/"].iter().any(|folder| below(name).contains(folder)))
            .collect()
    }
}

pub(super) fn rule(then: &str) -> String {
    format!("[[rule]]\nname = \"notify\"\npriority = 5\nthen = [{then}]\n")
}

#[test]
fn a_command_runs_after_all_copies_are_staged_and_before_the_first_is_visible() {
    let Some(house) = House::new("") else { return };
    let text = "cat > HERE/got; cd HERE/root/mail; find . -type f ! -name maildirfolder | sed 's,/[^/]*$,,' > HERE/files";
    let script = house.script("script", text);
    house.account_rule(&format!("[\"Execute\", \"{SHELL} {script}\"], [\"Store Encrypted in\", \"Box\"]"));
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    let mut files: Vec<String> = house.read("files").lines().map(str::to_owned).collect();
    files.sort();
    let expected = ["./north.example/bob/Maildir/.Box/tmp", "./north.example/bob/Maildir/tmp"];
    assert_eq!(files, expected, "the copy of the rule behind it, and the INBOX copy");
    assert_eq!(house.read("got").as_bytes(), MAIL);
    assert_eq!(house.messages().len(), 2);
    assert!(!house.0.holds(CLEAR), "nothing clear in the store");
}

#[test]
fn a_command_that_fails_leaves_nothing_and_the_sender_comes_again() {
    let Some(house) = House::new("") else { return };
    let script = house.script("script", "echo \"no $1\" >&2; test -f HERE/ready || exit 3");
    house.account_rule(&format!(
        "[\"Store Encrypted in\", \"Box\"], [\"Execute\", \"[STDERR] {SHELL} {script} disk\"], [\"Store in\", \"Clear\"]"
    ));
    for _ in 0..2 {
        let told = house.0.deliver(MAIL);
        assert_answer(&told, 75, "4.3.0");
        assert_eq!(told.text(), "4.3.0 a program that looks at the mail is not available\n");
    }
    assert_eq!(house.messages(), [""; 0]);
    let log = house.read("log");
    assert!(log.contains("rule \"notify\": /bin/sh: it ended with exit code 3: no disk"), "{log}");
    assert!(!log.contains("xyzzy") && !log.contains("Lunch"), "{log}");
    std::fs::write(house.file("ready"), "").unwrap();
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    assert_eq!(house.messages().len(), 3, "each copy once");
}

/// What leaves no other trace: that nothing is stored, and what was done in its place.
#[test]
fn the_log_tells_what_became_of_a_message_that_is_stored_nowhere() {
    let Some(house) = House::new("submission = \"smtp://127.0.0.1:1\"") else { return };
    house.filter("echo $n OK");
    house.server_rule("[\"ExternalFilter\", \"spam\"], [\"Mark\", \"Seen\"]");
    let script = house.script("script", "cat > HERE/got");
    house.account_rule(&format!(
        "[\"Execute\", \"{SHELL} {script}\"], [\"Redirect to\", \"dan@far.example\"], \
         [\"Reply with\", \"About ^S.\"], [\"Discard\"]"
    ));
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    assert_eq!(house.messages(), [""; 0]);
    let log = house.read("log");
    let told: Vec<&str> =
        log.lines().filter(|line| line.contains("rule \"notify\"") && line.contains(" INFO ")).collect();
    let expected = [
        ("not stored", "Discard", "bob@north.example"),
        ("done", "ExternalFilter", "-"),
        ("done", "Execute", "bob@north.example"),
        ("done", "Redirect to", "bob@north.example"),
        ("done", "Reply with", "bob@north.example"),
    ];
    assert_eq!(told.len(), expected.len(), "{log}");
    for (line, (what, action, account)) in told.iter().zip(expected) {
        assert!(line.contains(&format!("{what}: rule \"notify\" ({action})")), "{line}");
        assert!(line.contains(&format!("account=\"{account}\"")), "{line}");
    }
    assert!(!log.contains("xyzzy") && !log.contains("Lunch"), "{log}");
}

#[test]
fn the_log_says_not_stored_of_what_is_not_stored() {
    let Some(house) = House::new("submission = \"smtp://127.0.0.1:1\"") else { return };
    for (then, lines) in [
        ("[\"Store Encrypted in\", \"Box\"], [\"Discard\"]", 0),
        ("[\"Redirect to\", \"bob@north.example\"], [\"Discard\"]", 0),
        ("[\"Stop Processing\"]", 0),
        ("[\"Discard\"]", 1),
    ] {
        let _ = std::fs::remove_file(house.file("log"));
        house.account_rule(then);
        let before = house.messages().len();
        assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
        assert_eq!(house.messages().len() - before, 1 - lines, "{then}");
        let log = house.read("log");
        assert_eq!(log.matches("not stored: rule").count(), lines, "{then}");
        let told = "nothing of what rule \"notify\" sends on leaves, so the INBOX copy follows in spite of \"Discard\"";
        assert_eq!(log.contains(told), then.contains("Redirect"), "{log}");
    }
    let _ = std::fs::remove_file(house.file("log"));
    house.server_rule("[\"Discard\"]");
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    let log = house.read("log");
    assert!(log.contains("not stored: rule \"notify\" (Discard)") && log.contains("account=\"-\""), "{log}");
    assert_eq!(log.matches("not stored").count(), 1, "{log}");
}

#[test]
fn of_several_commands_the_first_that_fails_ends_the_delivery() {
    let Some(house) = House::new("") else { return };
    let script = house.script("script", "echo $1 >> HERE/ran; [ $1 != b ]");
    let run = |word: &str| format!("[\"Execute\", \"{SHELL} {script} {word}\"]");
    house.account_rule(&[run("a"), run("b"), run("c")].join(", "));
    assert_doubt(&house.0.deliver(MAIL));
    assert_eq!(house.read("ran"), "a\nb\n");
    assert_eq!(house.messages(), [""; 0]);
}

#[test]
fn a_command_sees_what_rules_before_it_added_and_may_stand_in_for_the_copy() {
    let Some(house) = House::new("") else { return };
    house.filter("echo $n ADDHEADER X-Spam: no; echo $n OK");
    house.server_rule("[\"ExternalFilter\", \"spam\"]");
    let script = house.script("script", "cat > HERE/got");
    house.account_rule(&format!("[\"Execute\", \"{SHELL} {script}\"], [\"Discard\"]"));
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    assert_eq!(house.read("got").as_bytes(), [b"X-Spam: no\n", MAIL].concat());
    assert_eq!(house.messages(), [""; 0]);
}

/// Neither the store's files nor what the MTA left open.
#[test]
fn a_command_has_three_open_files() {
    let Some(house) = House::new("") else { return };
    let fds = house.file("fds");
    let run = format!("{SHELL} -c \\\"exec ls /proc/self/fd > {}\\\"", fds.display());
    house.account_rule(&format!("[\"Execute\", \"{run}\"]"));
    let root = house.0.root();
    let hook = "exec 7< /etc/passwd 9>&1; exec \"$@\"";
    let deliver = ["--root", root.to_str().unwrap(), "deliver", "--sender=", "--recipient=bob@north.example"];
    let program =
        Program::new(SHELL).args(["-c", hook, "hook", env!("CARGO_BIN_EXE_sealpost")]).args(deliver);
    assert_answer(&program.input(MAIL).run(), 0, "2.0.0");
    assert_eq!(house.read("fds"), "0\n1\n2\n3\n", "3 is the folder that ls reads");
}

/// An MTA may hand that down. Where success cannot be told from failure nothing is stored.
#[test]
fn a_command_whose_end_cannot_be_told_has_failed() {
    let Some(house) = House::new("") else { return };
    house.account_rule(&format!("[\"Execute\", \"{SHELL} -c true\"]"));
    let root = house.0.root();
    let deliver = ["--root", root.to_str().unwrap(), "deliver", "--sender=", "--recipient=bob@north.example"];
    let program = Program::new("env").args(["--ignore-signal=CHLD", env!("CARGO_BIN_EXE_sealpost")]);
    let (told, took) = timed(|| program.args(deliver).input(MAIL).run());
    assert_answer(&told, 75, "4.3.0");
    assert!(took < AMPLE, "{took:?}");
    let log = house.read("log");
    assert!(log.contains("/bin/sh: it cannot be told how it ended: whoever started sealpost"), "{log}");
}

/// The server's command knows the whole envelope, an account's its own part.
#[test]
fn an_accounts_command_learns_of_no_other_recipient() {
    let Some(house) = House::new("") else { return };
    house.0.command("account add ada@north.example").run().ok();
    let ada = house.0.authority.rsa("ada");
    house.0.certify(&ada);
    let script = house.script("script", "printf '[%s]' \"$@\" >> HERE/ran; echo >> HERE/ran");
    let run = |word: &str| format!("[\"Execute\", \"[RETPATH] [RCPT] {SHELL} {script} {word}\"]");
    house.server_rule(&run("server"));
    house.account_rule(&run("bob"));
    let words = "deliver --sender=-e@east.example --recipient=ada@north.example --recipient=bob+lists@north.example --recipient=bob@north.example";
    assert_answer(&house.0.command(words).input(MAIL).run(), 0, "2.0.0");
    let expected = "[server][-p][\"-e\"@east.example][-r][ada@north.example][bob+lists@north.example][bob@north.example]\n\
                    [bob][-p][\"-e\"@east.example][-r][bob+lists@north.example][bob@north.example]\n";
    assert_eq!(house.read("ran"), expected);
}

#[test]
fn a_recipient_with_a_line_end_in_its_original_is_handed_to_no_program() {
    let Some(house) = House::new("") else { return };
    let script = house.script("script", "echo ran > HERE/ran");
    house.server_rule(&format!("[\"Execute\", \"[RCPT] {SHELL} {script}\"]"));
    let words =
        "deliver --sender= --recipient=bob@north.example --original-recipient=rfc822;a+0Ab@north.example";
    assert_doubt(&house.0.command(words).input(MAIL).run());
    assert_eq!(house.read("ran"), "");
    let log = house.read("log");
    assert!(log.contains("a recipient of this message cannot be handed to a program"), "{log}");
}

#[test]
fn a_rule_that_runs_what_is_not_listed_waits_for_the_administrator() {
    let Some(house) = House::new("") else { return };
    let told = house.rules("--account bob@north.example", &rule("[\"Execute\", \"/bin/ls -l\"]")).ok();
    let advice = "rules.toml:4: warning: rule \"notify\": mail waits, because the site does not list /bin/ls: add \"/bin/ls\" to `execute` in sealpost.toml";
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains(advice), "{told}");
    let told = house.rules("--server", &rule("[\"ExternalFilter\", \"virus\"]")).ok();
    let told = String::from_utf8(told).unwrap();
    let advice = "mail waits, because the site lists no filter \"virus\": add \"virus=/path/to/program\" to `filters` in sealpost.toml";
    assert!(told.contains(advice), "{told}");
    assert_doubt(&house.0.deliver(MAIL));
    let log = house.read("log");
    assert!(log.contains("rule \"notify\": virus: the site lists no such filter: add \"virus=/path/to/program\" to `filters`"), "{log}");
    house.0.command("rules remove --server").run().ok();
    assert_doubt(&house.0.deliver(MAIL));
    let log = house.read("log");
    assert!(
        log.contains("rule \"notify\": /bin/ls: the site does not list it: add \"/bin/ls\" to `execute`"),
        "{log}"
    );
    assert_eq!(house.messages(), [""; 0]);
}

#[test]
fn the_doctor_names_programs_that_cannot_run() {
    let Some(house) = House::new("") else { return };
    let found = || {
        let told = house.0.command("doctor --json").run();
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        let rows = told["findings"].as_array().unwrap().iter();
        rows.map(|row| {
            format!(
                "{} | {} | {}",
                row["severity"].as_str().unwrap(),
                row["about"].as_str().unwrap(),
                row["finding"].as_str().unwrap()
            )
        })
        .filter(|row| row.contains("execute") || row.contains("filter"))
        .collect::<Vec<_>>()
    };
    assert_eq!(found(), [""; 0]);
    house.account_rule("[\"Execute\", \"/bin/ls\"]");
    let script = house.script("script", "true");
    let text = format!("log = \"none\"\nexecute = [{script:?}]\nfilters = [\"spam=/no/such/program\"]\n");
    std::fs::write(house.0.root().join("sealpost.toml"), text).unwrap();
    let expected = [
        format!("problem | execute {script} | {script} is no executable file: chmod 755 if it is to be one"),
        "problem | filter spam | /no is not there".into(),
        "problem | rules account bob@north.example | rule \"notify\": mail waits, because the site does not list /bin/ls: add \"/bin/ls\" to `execute` in sealpost.toml".into(),
    ];
    assert_eq!(found(), expected);
}

/// Whatever the commands take together: the answer comes at the deadline, and nothing of them goes on.
#[test]
fn the_deadline_ends_the_command_that_runs() {
    if !tools(&["openssl"]) {
        return;
    }
    with_more_time(|times| {
        let seconds = format!(
            "deadline = \"{}s\"\nexecute-timeout = \"{times}s\"\nfilter-timeout = \"1s\"\n",
            2 * times
        );
        let house = House::new(&seconds)?;
        let sleeps = f64::from(times) * 0.7;
        let script = house.script("script", &format!("echo $$ >> HERE/pids; sleep {sleeps}"));
        let run = format!("[\"Execute\", \"{SHELL} {script}\"]");
        house.account_rule(&vec![run; 6].join(", "));
        let (told, took) = timed(|| house.0.deliver(MAIL));
        assert_answer(&told, 75, "4.3.0");
        assert!(took < AMPLE, "{took:?}");
        let pids: Vec<i32> = house.read("pids").lines().map(|line| line.parse().unwrap()).collect();
        assert!(pids.len() < 6, "{pids:?}");
        assert_gone(&pids);
        std::thread::sleep(Duration::from_secs_f64(sleeps + 0.1));
        assert_eq!(house.read("pids").lines().count(), pids.len(), "and none begins any more");
        let visible = house.messages().into_iter().filter(|name| !name.contains("/Maildir/tmp/"));
        assert_eq!(visible.count(), 0, "what is staged is swept later, as after a crash");
        // One of them ran.
        (!pids.is_empty()).then_some(())
    });
}

#[test]
fn what_a_filter_answers_becomes_of_the_message() {
    let Some(house) = House::new("") else { return };
    house.server_rule("[\"ExternalFilter\", \"spam\"]");
    house.filter("echo $n OK");
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    assert_eq!(house.read("seen").as_bytes(), MAIL);
    assert_eq!(house.messages().len(), 1);
    house.filter("echo $n DISCARD");
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    house.filter("echo $n REJECTED 4.7.1 No spam, please.");
    let told = house.0.deliver(MAIL);
    assert_eq!((told.code, told.text().as_str()), (Some(65), "5.7.1 No spam, please.\n"));
    for wrong in ["echo $n FAILURE no disk", "echo hello", "exit 1"] {
        house.filter(wrong);
        assert_answer(&house.0.deliver(MAIL), 75, "4.3.0");
    }
    assert_eq!(house.messages().len(), 1, "nothing but the first");
    let log = house.read("log");
    assert!(log.contains("rule \"notify\": spam: the filter answers FAILURE: no disk"), "{log}");
    assert!(!log.contains("xyzzy") && !log.contains("hello"), "{log}");
}

#[test]
fn rules_of_accounts_see_what_a_filter_added_and_copies_hold_it() {
    let Some(house) = House::new("") else { return };
    house.server_rule("[\"ExternalFilter\", \"spam\"]");
    house.filter("echo $n ADDHEADER X-Spam-Score: 7.5; echo $n ADDHEADER X-Spam: yes; echo $n OK");
    let text = "[[rule]]\nname = \"spam\"\npriority = 5\nwhen = [[\"Header Field\", \"is\", \"X-Spam: yes\"]]\n\
                then = [[\"Store Encrypted in\", \"Spam\"], [\"Discard\"]]\n";
    house.rules("--account bob@north.example", text).ok();
    assert_answer(&house.0.deliver(MAIL), 0, "2.0.0");
    let messages = house.messages();
    assert!(messages.len() == 1 && messages[0].contains("Spam/"), "{messages:?}");
    let sealed = std::fs::read(&messages[0]).unwrap();
    let added = "X-Spam-Score: 7.5\r\nX-Spam: yes\r\n";
    assert!(house.0.open(&sealed).starts_with(added.as_bytes()), "inside");
    let outside = String::from_utf8_lossy(&sealed).replace("\r\n", "\n");
    assert!(outside.contains("X-Spam: yes\n"), "outside: {outside}");
}

#[test]
fn explain_asks_filters_and_runs_no_command() {
    let Some(house) = House::new("") else { return };
    let script = house.script("script", "echo ran > HERE/ran");
    house.server_rule(&format!("[\"ExternalFilter\", \"spam\"], [\"Execute\", \"{SHELL} {script}\"]"));
    house.filter("echo $n ADDHEADER X-Spam: no; echo $n OK");
    let told = house.0.command("rules explain --recipient=bob@north.example").input(MAIL).run();
    let told = String::from_utf8(told.ok()).unwrap();
    let actions: Vec<&str> =
        told.lines().filter_map(|line| line.trim_start().strip_prefix("->")).map(str::trim).collect();
    let command = format!("Execute {SHELL} {script}");
    let filtered = ["ExternalFilter spam", "filter said OK", "Add Header X-Spam: no", &command];
    assert_eq!(actions, filtered, "{told}");
    assert_eq!(house.read("ran"), "");
    house.filter("echo $n FAILURE");
    let told = house.0.command("rules explain --recipient=bob@north.example").input(MAIL).run();
    assert_eq!(told.code, Some(1));
    assert!(told.stderr.contains("spam: the filter answers FAILURE"), "{}", told.stderr);
    let so_far =
        "Rules of the server:\n\"notify\" (server, priority 5) matches\n    ->   ExternalFilter spam\n\n";
    assert!(told.text().starts_with(so_far), "{}", told.text());
    for (answer, said) in [
        ("echo $n OK", "filter said OK"),
        ("echo $n DISCARD", "filter said DISCARD"),
        ("echo $n REJECTED no", "filter said REJECTED"),
    ] {
        house.filter(answer);
        let told = house.0.command("rules explain --recipient=bob@north.example").input(MAIL).run().text();
        assert!(told.contains(&format!("    ->   ExternalFilter spam\n    ->   {said}\n")), "{told}");
        assert_eq!(told.matches("\"notify\" (server").count(), 1, "a rule is listed once: {told}");
    }
    assert_eq!(house.messages(), [""; 0]);
}
