//! What `doctor --postfix` says of Postfix's way to the daemon: Postfix's own programs read the files, and the system says who may
//! go where.

mod aliases;

use super::owned::Owned;
use crate::support::servers::{OWNER, can_run, parts};
use crate::support::{Program, path};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A site with a daemon, and files of a Postfix that is not started.
struct Asked {
    site: Owned,
    etc: PathBuf,
    /// What `init --postfix` printed.
    main: String,
    master: String,
}

impl Asked {
    fn of(site: Owned) -> Asked {
        let etc = site.house.folder().join("etc");
        std::fs::create_dir(&etc).unwrap();
        let lines = site.house.run("init --postfix");
        let (main, master) = parts(&lines);
        let (main, master) = (format!("compatibility_level = 3.6\n{main}"), master.to_owned());
        let asked = Asked { site, etc, main, master };
        asked.write(&asked.main, &asked.master);
        asked
    }

    fn write(&self, main: &str, master: &str) {
        std::fs::write(self.etc.join("main.cf"), main).unwrap();
        std::fs::write(self.etc.join("master.cf"), master).unwrap();
    }

    /// Lines more for main.cf.
    fn with(&self, lines: &str) {
        self.write(&format!("{}{lines}\n", self.main), &self.master);
    }

    /// The whole of what is printed.
    fn doctor(&self) -> (Option<i32>, String) {
        let ended =
            self.site.house.command("doctor --postfix --within 10").env("MAIL_CONFIG", &self.etc).run();
        (ended.code, ended.text())
    }

    /// Each finding with what it is about and what mends it, and the notes.
    fn told(&self) -> Vec<[String; 3]> {
        let doctor = self.site.house.command("doctor --postfix --within 10 --json");
        let ended = doctor.env("MAIL_CONFIG", &self.etc).run();
        let value: serde_json::Value = serde_json::from_str(&ended.text()).unwrap();
        assert_eq!(value["ok"] == true, ended.code == Some(0));
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let of = |one: &serde_json::Value| ["about", "finding", "mend"].map(|name| text(&one[name]));
        let found = value["findings"].as_array().unwrap().iter().map(of);
        let notes = value["consents"].as_array().unwrap().iter();
        found.chain(notes.map(|note| ["note".to_owned(), text(note), String::new()])).collect()
    }

    /// The only one.
    fn one(&self) -> [String; 3] {
        let told = self.told();
        let [one] = &told[..] else { panic!("{told:?}") };
        one.clone()
    }
}

fn all_is_well() -> (Option<i32>, String) {
    (Some(0), "all is well\n".to_owned())
}

fn mode(file: &Path, mode: u32) {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_doctor_says_whether_postfix_hands_over_to_a_daemon_that_answers() {
    if !can_run() {
        return;
    }
    let asked = Asked::of(Owned::new());
    let (main, master) = (&asked.main, &asked.master);
    assert_eq!(asked.doctor(), all_is_well());
    // Debian's own client is in a chroot.
    asked.write(&main.replace("= sealpost:", "= lmtp:"), "lmtp unix - - y - - lmtp\n");
    let (code, text) = asked.doctor();
    assert!(code == Some(1) && text.contains("master.cf runs lmtp in a chroot"), "{text}");
    asked.write(&main.replace("virtual_transport", "# virtual_transport"), master);
    let (code, text) = asked.doctor();
    let wanted = format!("virtual_transport = sealpost:unix:{}", path(&asked.site.socket()));
    assert!(code == Some(1) && text.contains(&wanted), "{text}");
    asked.write("", "");
    assert!(asked.doctor().1.contains("master.cf has no service sealpost"));
    asked.write(main, master);
    let (house, etc) = (asked.site.stop(), asked.etc);
    let ended = house.command("doctor --postfix --within 10").env("MAIL_CONFIG", &etc).run();
    assert!(ended.code == Some(1) && ended.text().contains("daemon"), "{}", ended.text());
    assert!(ended.text().contains("it does not answer: cannot connect to"), "{}", ended.text());
}

/// Its user may not write to it: the mode, the group, or both are wrong.
#[test]
fn a_socket_that_postfix_may_not_write_to_is_named_with_the_settings_that_let_it() {
    if !can_run() {
        return;
    }
    let anew = "then start sealpost serve anew";
    let group = "lmtp-socket-group = \"postfix\"";
    for (setting, mended) in [
        ("", format!("{group} in sealpost.toml, {anew}")),
        (
            "lmtp-socket-mode = \"0600\"",
            format!("{group} and lmtp-socket-mode = \"0660\" in sealpost.toml, {anew}"),
        ),
    ] {
        let asked = Asked::of(Owned::open_to(setting));
        let socket = asked.site.socket();
        let [about, finding, mend] = asked.one();
        assert_eq!(about, "Postfix");
        let begin = format!("postfix may not write to {} (root:root, mode 06", path(&socket));
        assert!(finding.starts_with(&begin), "{finding}");
        assert!(finding.ends_with("0), and so cannot hand mail to it"), "{finding}");
        assert_eq!(mend, mended);
        // A user who stays root comes everywhere.
        asked.write(&asked.main, &asked.master.replace("-       -       n", "-       n       n"));
        assert_eq!(asked.doctor(), all_is_well());
    }
    let asked = Asked::of(Owned::new());
    mode(&asked.site.socket(), 0o600);
    assert_eq!(asked.one()[2], "start sealpost serve anew: the socket is older than the settings");
    // Another user of Postfix is another question.
    mode(&asked.site.socket(), 0o660);
    asked.with("mail_owner = daemon");
    assert!(asked.one()[1].starts_with("daemon may not write to "));
    asked.with("mail_owner = no-such-user");
    assert_eq!(asked.one()[1], "mail_owner: there is no user no-such-user on this machine");
}

#[test]
fn a_folder_on_the_way_that_postfix_may_not_enter_is_named() {
    if !can_run() {
        return;
    }
    let asked = Asked::of(Owned::new());
    let socket = asked.site.socket();
    let run = socket.parent().unwrap();
    mode(run, 0o700);
    let [about, finding, mend] = asked.one();
    assert_eq!(about, "Postfix");
    let wanted =
        format!("postfix may not enter {} (root:root, mode 0700) on its way to {}", path(run), path(&socket));
    assert_eq!(finding, wanted);
    assert_eq!(mend, format!("chmod o+x {}, or name another path in lmtp-listen", path(run)));
    mode(run, 0o711);
    assert_eq!(asked.doctor(), all_is_well());

    // Nobody opens the store to others.
    let inside = asked.site.house.root.join("lmtp");
    std::fs::hard_link(&socket, &inside).unwrap();
    asked.write(&asked.main.replace(path(&socket), path(&inside)), &asked.master);
    let [_, finding, mend] = asked.one();
    assert!(finding.contains(&format!("may not enter {} ", path(&asked.site.house.root))), "{finding}");
    assert!(mend.starts_with("name a path outside of the store in lmtp-listen"), "{mend}");
}

/// A path that is not absolute is one of Postfix's queue, in which it stands already, and in a chroot each is.
#[test]
fn a_chroot_is_seen_as_postfix_sees_it() {
    if !can_run() {
        return;
    }
    let asked = Asked::of(Owned::new());
    let (socket, folder) = (asked.site.socket(), asked.site.house.folder());
    let (closed, queue) = (folder.join("closed"), folder.join("closed/queue"));
    std::fs::create_dir_all(&queue).unwrap();
    std::fs::hard_link(&socket, queue.join("lmtp")).unwrap();
    symlink(&socket, queue.join("link")).unwrap();
    mode(&closed, 0o700);
    let ask = |chroot: &str, hop: &str, level: &str| {
        let main = asked.main.replace(&format!("unix:{}", path(&socket)), hop).replace("level = 3.6", level);
        let main = format!("{main}queue_directory = {}\n", path(&queue));
        asked.write(&main, &format!("sealpost unix - - {chroot} - - lmtp\n"));
        asked.told().into_iter().map(|[_, finding, _]| finding).collect::<Vec<_>>().join("\n")
    };
    let level = "level = 3.6";
    assert_eq!(ask("n", "unix:lmtp", level), "");
    assert_eq!(ask("y", "unix:lmtp", level), "");
    assert_eq!(ask("y", "unix:/lmtp", level), "");
    let outside = format!("unix:{}", path(&queue.join("lmtp")));
    assert!(ask("n", &outside, level).contains(&format!("may not enter {} ", path(&closed))));
    // A link that leads out of a chroot leads nowhere.
    assert_eq!(ask("n", "unix:link", level), "");
    assert!(ask("y", "unix:link", level).starts_with("Postfix hands mail to unix:"));
    // What is not said is no since Postfix 3.0, and yes where it does as before.
    assert_eq!(ask("-", "unix:link", level), "");
    assert!(ask("-", "unix:link", "level = 0").starts_with("Postfix hands mail to unix:"));
    mode(&queue.join("lmtp"), 0o600);
    assert!(ask("y", "unix:lmtp", level).starts_with("postfix may not write to "));
}

/// The owner of the store sees what he may, and is told what he may not.
#[test]
fn who_is_not_root_is_told_that_only_root_sees_with_the_eyes_of_postfix() {
    if !can_run() {
        return;
    }
    let asked = Asked::of(Owned::new());
    let house = &asked.site.house;
    let owner =
        Program::new("setpriv").args(["--reuid", OWNER, "--regid", "nogroup", "--clear-groups", "--"]);
    let doctor = owner.args([path(&house.program), "--root", path(&house.root)]).words("doctor --postfix");
    let ended = doctor.env("MAIL_CONFIG", &asked.etc).run();
    let wanted = format!(
        "whether postfix reaches {} only root can see: sudo sealpost doctor --postfix",
        path(&asked.site.socket())
    );
    assert!(ended.code == Some(1) && ended.text().contains(&wanted), "{}{}", ended.text(), ended.stderr);
    assert!(ended.text().lines().any(|line| line.starts_with("warning") && line.contains(&wanted)));
}

#[test]
fn files_that_postfix_cannot_read_are_told_in_its_words() {
    if !can_run() {
        return;
    }
    let asked = Asked::of(Owned::new());
    let doctor = asked.site.house.command("doctor --postfix").env("MAIL_CONFIG", asked.etc.join("no")).run();
    assert_eq!(doctor.code, Some(78));
    assert!(doctor.stderr.contains("postconf gives up: open /"), "{}", doctor.stderr);
}
