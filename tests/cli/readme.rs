//! The README's commands do what it says.

use crate::support::{Authority, Program, Site, path, tools};

/// The commands under a heading that begin with these words, without comments.
fn commands(heading: &str, begin: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let (_, section) = readme.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix(begin));
    lines.map(|line| line.split(" #").next().unwrap().trim().to_owned()).collect()
}

/// As written, but for `sudo`, the owner (a user of this machine), the password, which nobody types here, and the
/// machine's own Postfix, which knows nothing of the test.
#[test]
fn the_setting_up_behind_postfix_works() {
    let site = Site::bare();
    let password = site.write("password", "north star\n");
    let given = format!(" --password-file {}", path(&password));
    let lines = commands("Put it behind Postfix", "sudo sealpost ");
    for line in &lines {
        let asks = ["key generate --account", "key export"].iter().any(|verb| line.starts_with(verb));
        let here = line.replace("init --owner vmail", "init").replace("doctor --postfix", "doctor");
        let here = here.replace("anna.p12", path(&site.folder().join("anna.p12")));
        let words = here + if asks { &given } else { "" };
        let output = String::from_utf8(site.run(&words).ok()).unwrap();
        match line.split(' ').next().unwrap() {
            "init" => assert!(output.contains("sealpost_destination_recipient_limit = 1"), "{output}"),
            "doctor" => assert_eq!(output, "all is well\n"),
            _ => (),
        }
    }
    let verbs = [
        "init",
        "domain add",
        "key generate --domain",
        "cert self-sign",
        "account add",
        "key generate --account",
    ];
    for verb in verbs.into_iter().chain(["cert issue", "doctor", "key export"]) {
        assert!(lines.iter().any(|line| line.starts_with(verb)), "{verb} is gone from the README");
    }
    let hook =
        site.program("deliver --sender= --recipient=anna@north.example").input("Subject: x\n\ny\n").run();
    assert_eq!((hook.code, hook.text().as_str()), (Some(0), "2.0.0 stored\n"));
    let inbox = site.root().join("mail/north.example/anna/Maildir/new");
    assert_eq!(std::fs::read_dir(inbox).unwrap().count(), 1);
}

/// What a file of settings, a rule and a command say of it, as the README has it.
#[test]
fn hiding_the_subject_works() {
    let site = Site::furnished();
    let (_, good) = super::identities(&site);
    let settings = commands("Hide the subject", "headers = ").pop().unwrap();
    std::fs::write(site.root().join("sealpost.toml"), format!("headers = {settings}\n")).unwrap();
    site.run("config check").ok();
    let action = commands("Hide the subject", "[\"Store Encrypted in\"").pop().unwrap();
    let rule = format!(
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\"{action}]\n"
    );
    site.program("rules check").args([path(&site.write("rule.toml", &rule))]).run().ok();
    let seal = commands("Hide the subject", "sealpost ").pop().unwrap();
    let words = seal.split(" < ").next().unwrap().replace("anna.pem", &good);
    let sealed = Program::sealpost().words(&words).input("Subject: secret\n\ny\n").run().ok();
    assert!(String::from_utf8(sealed).unwrap().starts_with("Subject: [...]\n"));
}

/// Where a user looks for it.
#[test]
fn saying_how_much_is_held_works() {
    let site = Site::furnished();
    let (_, good) = super::identities(&site);
    let setting = commands("How fast", "memory-limit = ").pop().unwrap();
    std::fs::write(site.root().join("sealpost.toml"), format!("memory-limit = {setting}\n")).unwrap();
    let shown = String::from_utf8(site.run("config show").ok()).unwrap();
    let line = shown.lines().find(|line| line.starts_with("memory-limit ")).unwrap();
    assert!(line.split_whitespace().eq(["memory-limit", &setting, "sealpost.toml:1"]), "{line}");
    let seal = commands("How fast", "sealpost ").pop().unwrap();
    let words = seal.split(" < ").next().unwrap().replace("anna.pem", &good);
    let sealed = Program::sealpost().words(&words).input("Subject: s\n\ny\n").run().ok();
    assert!(sealed.starts_with(b"Subject: s\n"));
}

#[test]
fn the_rules_that_ship_are_checked_installed_and_explained() {
    let site = Site::furnished();
    let source = env!("CARGO_MANIFEST_DIR");
    let lines = commands("Rules", "sealpost ");
    assert_eq!(lines.len(), 11, "{lines:?}");
    site.write("message.eml", "From: payroll@north.example\nSubject: x\n\ny\n");
    site.write(
        "account.settings",
        "{ Rules = ((5,\"Lists\",((Subject,is,\"*list*\")),((\"Store in\",Lists)))); }\n",
    );
    // What a version goes back to, and a site's own cases.
    site.run(&format!("rules install {source}/rules/seal-everything.toml --domain north.example")).ok();
    let prepare = "cp -r \"$1/fixtures/rules-examples/payroll-to-hr\" cases && cp \"$1/rules/payroll-to-hr.toml\" payroll.toml";
    let prepare = format!("cd '{}' && {prepare}", path(site.folder()));
    Program::new("sh").args(["-c", &prepare, "sh", source]).run().ok();
    let root = site.root();
    for line in lines {
        let line = line.replace("rules/", &format!("{source}/rules/")).replace("anna@", "bob@");
        let shell = format!(
            "cd '{}' && '{}' --root '{}' {line}",
            path(site.folder()),
            env!("CARGO_BIN_EXE_sealpost"),
            path(&root)
        );
        let ended = Program::new("sh").args(["-c", &shell]).run();
        // Bob has no certificate yet: what explain says is "no".
        let expected = if line.contains("explain") { 1 } else { 0 };
        assert_eq!(ended.code, Some(expected), "{line}: {}", ended.stderr);
    }
}

/// A folder and an mbox, delivered as new mail is; to Bob, who has a certificate here.
#[test]
fn delivering_many_at_once_works() {
    let (site, _) = Site::certified();
    let old = site.folder().join("old-mail");
    std::fs::create_dir(&old).unwrap();
    for name in ["1.eml", "2.eml"] {
        std::fs::write(old.join(name), format!("Subject: {name}\n\nxyzzy\n")).unwrap();
    }
    site.write("list.mbox", "From a@far.example Mon Jan  6 10:00:00 2019\nSubject: one\n\nxyzzy\n");
    let sealpost = format!("'{}' --root '{}' ", env!("CARGO_BIN_EXE_sealpost"), path(&site.root()));
    let run = |line: &str| {
        let here = line.replace("sudo sealpost ", &sealpost).replace("/srv/", "").replace("anna@", "bob@");
        let line = format!("cd '{}' && gzip -kf list.mbox && mkdir -p stored && {here}", path(site.folder()));
        Program::new("sh").args(["-c", &line]).run()
    };
    let folder = commands("Deliver many at once", "sudo sealpost ").pop().unwrap();
    let mbox = commands("Deliver many at once", "zcat ").pop().unwrap();
    let inbox = || std::fs::read_dir(site.root().join("mail/north.example/bob/Maildir/new")).unwrap().count();
    let lines =
        [format!("sudo sealpost {folder}"), format!("zcat {mbox}"), format!("sudo sealpost {folder}")];
    for (line, stored) in lines.iter().zip([2, 3, 3]) {
        let ended = run(line);
        assert_eq!((ended.code, inbox()), (Some(0), stored), "{line}: {}", ended.stderr);
    }
    assert_eq!(std::fs::read_dir(&old).unwrap().count(), 0, "what is stored was moved away");
}

#[test]
fn the_filters_work_as_written() {
    if !tools(&["openssl"]) {
        return;
    }
    let site = Site::bare();
    let folder = site.folder();
    let authority = Authority::new(folder);
    for name in ["anna", "old"] {
        let person = authority.rsa(name);
        std::fs::rename(&person.key, folder.join(format!("{name}.key.pem"))).unwrap();
    }
    site.write("message.eml", "Subject: x\n\nxyzzy\n");
    let encrypt = |file: &str, person: &str, content: &str| {
        let recipient = format!("cms -encrypt -binary -aes256 {file} {person}");
        Program::new("openssl").words(&recipient).input(content).run().ok()
    };
    let in_folder = |name: &str| path(&folder.join(name)).to_owned();
    let report = encrypt("-outform DER", &in_folder("anna.pem"), "%PDF and octets");
    std::fs::write(folder.join("report.p7m"), report).unwrap();
    let run = |line: &str| {
        let line = line.replacen("sealpost ", &format!("'{}' ", env!("CARGO_BIN_EXE_sealpost")), 1);
        Program::new("sh").args(["-c", &format!("cd '{}' && {line}", path(folder))]).run()
    };
    let mut lines: Vec<String> =
        commands("Without a store", "sealpost ").iter().map(|line| format!("sealpost {line}")).collect();
    lines.extend(commands("Without a store", "openssl ").iter().map(|line| format!("openssl {line}")));
    let verbs = ["seal ", "inspect ", "open --key", "open --raw", "rekey ", "cms -decrypt"];
    assert_eq!(lines.len(), verbs.len(), "{lines:?}");
    for (line, verb) in lines.iter().zip(verbs) {
        assert!(line.contains(verb), "{line}");
        if verb == "rekey " {
            // This one is sealed to the old key.
            let old = encrypt("-outform SMIME", &in_folder("old.pem"), "Subject: x\r\n\r\nxyzzy\r\n");
            std::fs::write(folder.join("sealed.eml"), old).unwrap();
        }
        let ended = run(line);
        assert_eq!(ended.code, Some(0), "{line}: {}", ended.stderr);
        match verb {
            "open --key" | "cms -decrypt" => assert_eq!(ended.text(), "Subject: x\r\n\r\nxyzzy\r\n"),
            "rekey " => std::fs::write(folder.join("sealed.eml"), ended.stdout).unwrap(),
            _ => {}
        }
    }
    assert_eq!(std::fs::read(folder.join("report.pdf")).unwrap(), b"%PDF and octets");
}
