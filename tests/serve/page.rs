//! `docs/LMTP.md` and the README's section on the daemon do what they say: their settings, their unit and their commands are run
//! as they stand there, but for names of this machine.

use super::owned::Process;
use crate::support::servers::{House, OWNER, Postfix, can_run, give, open_to_all};
use crate::support::{Program, Step, path, steps, wait_for};
use std::cell::RefCell;
use std::os::unix::net::UnixStream;

/// The first block of this language.
fn block<'p>(page: &'p str, language: &str) -> &'p str {
    page.split(&format!("```{language}\n")).nth(1).expect("a block").split("```").next().unwrap()
}

/// What a unit says of this name.
fn told<'u>(unit: &'u str, name: &str) -> &'u str {
    let line = unit.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
    line.unwrap_or_else(|| panic!("no {name} in the unit"))
}

/// A site whose unit and Postfix do what the page says.
struct Life {
    daemon: RefCell<Option<Process>>,
    postfix: RefCell<Option<Postfix>>,
    /// The lines that were printed last.
    lines: RefCell<String>,
    unit: String,
    house: House,
}

impl Life {
    /// With the settings of the page in its file.
    fn new(settings: &str, unit: &str) -> Life {
        let house = House::new();
        house.run(&format!("init --owner {OWNER}"));
        house.run("domain add north.example");
        house.run("key generate --domain north.example --type ec-p256");
        house.run("cert self-sign --domain north.example");
        for name in ["anna", "bob"] {
            house.run(&format!("account add {name}@north.example"));
            let generate =
                format!("key generate --account {name}@north.example --type ec-p256 --password-file -");
            house.command(&generate).input("north star\n").run().ok();
            house.run(&format!("cert issue --account {name}@north.example"));
        }
        let run = house.folder().join("run");
        std::fs::create_dir(&run).unwrap();
        let settings = settings.replace("/run/sealpost", path(&run));
        std::fs::write(house.root.join("sealpost.toml"), settings).unwrap();
        let unit = unit.replace("/usr/local/bin/sealpost", path(&house.program));
        Life {
            daemon: RefCell::default(),
            postfix: RefCell::default(),
            lines: RefCell::default(),
            unit,
            house,
        }
    }

    /// What systemd does: the folder below /run, the user, his groups, the command.
    fn enable(&self) {
        let owner = nix::unistd::User::from_name(OWNER).unwrap().unwrap();
        let run = self.house.folder().join("run");
        assert_eq!((told(&self.unit, "RuntimeDirectory"), told(&self.unit, "User")), ("sealpost", "vmail"));
        give(&run);
        open_to_all(&run);
        let (user, group) = (owner.uid.to_string(), owner.gid.to_string());
        let groups = format!("--groups={}", told(&self.unit, "SupplementaryGroups"));
        let command: Vec<&str> = told(&self.unit, "ExecStart").split(' ').collect();
        let rights = ["--reuid", &user, "--regid", &group, &groups, "--"];
        let root = ["--root", path(&self.house.root)];
        let args: Vec<&str> = rights
            .iter()
            .copied()
            .chain([command[0]])
            .chain(root)
            .chain(command[1..].iter().copied())
            .collect();
        *self.daemon.borrow_mut() = Some(Process::start("setpriv", &args));
        wait_for("the socket", 60, || UnixStream::connect(run.join("lmtp")).ok());
    }

    /// What a person does who pastes the lines.
    fn paste(&self) {
        let postfix = Postfix::start(&self.house.folder().join("mta"), &self.lines.borrow());
        *self.postfix.borrow_mut() = Some(postfix);
    }

    /// Runs a line of the page, and gives what it printed.
    fn run(&self, step: &Step) -> String {
        let line = step.line.strip_prefix("sudo ").unwrap_or(&step.line);
        let run = path(self.house.folder()).to_owned() + "/run";
        match line.split_once(' ').unwrap() {
            ("systemctl", words) => {
                assert_eq!(words, "enable --now sealpost");
                self.enable();
                String::new()
            }
            ("postfix", words) => {
                assert_eq!(words, "reload");
                self.paste();
                String::new()
            }
            ("sealpost", words) => {
                let configuration = self.postfix.borrow().as_ref().map(Postfix::configuration);
                let program = self.house.command(words);
                let ended = match configuration {
                    Some(folder) => program.env("MAIL_CONFIG", folder).run(),
                    None => program.run(),
                };
                assert_eq!(ended.code, Some(step.code), "{line}: {}{}", ended.text(), ended.stderr);
                if words.starts_with("init --postfix") {
                    *self.lines.borrow_mut() = ended.text();
                }
                ended.text()
            }
            (program, words) => {
                let words = words.replace("/run/sealpost", &run);
                String::from_utf8(Program::new(program).words(&words).run().ok()).unwrap()
            }
        }
    }
}

#[test]
fn the_page_on_the_daemon_is_run_line_by_line() {
    if !can_run() {
        return;
    }
    let page = include_str!("../../docs/LMTP.md");
    let unit = block(page, "ini");
    let life = Life::new(block(page, "toml"), unit);
    let mut seen = Vec::new();
    for step in steps(page) {
        let text = life.run(&step);
        match step.line.as_str() {
            line if line.contains(" doctor") => assert_eq!(text, "all is well\n", "{line}"),
            line if line.contains("init --postfix") => {
                assert!(text.contains("\nvirtual_transport = sealpost:unix:"), "{text}")
            }
            line if line.contains("init --exim") => assert!(text.contains("driver = lmtp\n"), "{text}"),
            _ => (),
        }
        seen.push(step.line);
    }
    for verb in ["config check", "systemctl enable", "doctor --postfix", "init --exim", "smtp-source"] {
        assert!(seen.iter().any(|line| line.contains(verb)), "{verb} is gone from the page");
    }
    assert_eq!(life.house.new_mail("anna").len(), 1, "the message that was sent by hand");
    let postfix = life.postfix.borrow();
    let fate = postfix.as_ref().unwrap();
    let fate = fate.fate(&fate.send("anna@south.example", "bob@north.example", "Subject: x\n\ny\n"));
    assert_eq!(fate.status, "sent", "{}", fate.line);
    assert_eq!(life.house.new_mail("bob").len(), 1);
    drop(life.daemon.take());
    assert!(!life.house.folder().join("run/lmtp").exists(), "its user may take the socket away");
}

/// systemd itself reads the unit, where it is installed.
#[test]
fn systemd_understands_the_unit() {
    if crate::support::find("systemd-analyze").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let unit = block(include_str!("../../docs/LMTP.md"), "ini");
    let file = folder.path().join("sealpost.service");
    let unit =
        unit.replace("/usr/local/bin/sealpost", env!("CARGO_BIN_EXE_sealpost")).replace("=vmail", "=root");
    std::fs::write(&file, unit).unwrap();
    let ended = Program::new("systemd-analyze").args(["verify", "--man=no", path(&file)]).run();
    let about: Vec<&str> = ended.stderr.lines().filter(|line| line.contains("sealpost")).collect();
    assert!(about.is_empty(), "{about:?}");
}

/// Who has the program has its help.
#[test]
fn the_unit_in_the_help_is_the_one_of_the_page() {
    let help = Program::sealpost().words("serve --help").run().text();
    let unit = block(include_str!("../../docs/LMTP.md"), "ini");
    let lines = help.lines().skip_while(|line| line.trim() != "[Service]");
    let lines: Vec<&str> = lines.take_while(|line| line.starts_with("  ")).map(str::trim).collect();
    assert!(lines.len() > 5, "{help}");
    for line in lines {
        assert!(unit.lines().any(|other| other == line), "{line}");
    }
}

#[test]
fn the_section_of_the_readme_is_run_too() {
    if !can_run() {
        return;
    }
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("\n## Or let a daemon take it\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let life = Life::new(block(section, "toml"), block(include_str!("../../docs/LMTP.md"), "ini"));
    let steps = steps(section);
    assert_eq!(steps.len(), 4, "enable, init, reload, doctor");
    let last = steps.iter().map(|step| life.run(step)).last().unwrap();
    assert_eq!(last, "all is well\n");
}
