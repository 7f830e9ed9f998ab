//! May Postfix's client enter the folders on the way to a socket, and write to the socket?

use super::super::{Finding, Severity};
use crate::cli::failure::Failure;
use crate::config::LmtpSettings;
use crate::system::{User, as_user};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::unistd::{AccessFlags, Gid, Group, faccessat};
use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// Links on a way (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Those that are entered, in this order.
    folders: Vec<PathBuf>,
    /// Without a link in it, as far as it is there.
    pub(super) end: PathBuf,
}

/// A step of a path.
enum Step {
    Root,
    Up,
    Down(OsString),
}

/// The steps of a path, the first one last.
fn steps(path: &Path) -> impl Iterator<Item = Step> {
    path.components().rev().filter_map(|part| match part {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
        Component::CurDir | Component::Prefix(_) => None,
    })
}

impl Way {
    /// For a process whose root is `root`, and who stands in `begin`: links in a chroot lead to what is in it.
    pub(super) fn follow(root: &Path, begin: &Path, path: &Path) -> Way {
        let (mut at, mut folders, mut links) = (begin.to_owned(), Vec::new(), 0);
        let mut ahead: Vec<Step> = steps(path).collect();
        while let Some(step) = ahead.pop() {
            match step {
                Step::Root => root.clone_into(&mut at),
                Step::Up if at == root => (),
                Step::Up => drop(at.pop()),
                Step::Down(name) => {
                    if !folders.contains(&at) {
                        folders.push(at.clone());
                    }
                    let next = at.join(name);
                    match next.read_link() {
                        Ok(target) if links < MOST_LINKS => {
                            links += 1;
                            ahead.extend(steps(&target));
                        }
                        _ => at = next,
                    }
                }
            }
        }
        Way { folders, end: at }
    }

    /// Do both lead to the same file, be it by two names of one folder?
    pub(super) fn meets(&self, other: &Way) -> bool {
        let id = |way: &Way| way.end.metadata().map(|data| (data.dev(), data.ino())).ok();
        self.end == other.end || (id(self).is_some() && id(self) == id(other))
    }

    /// What does not let this user through, if it is there.
    fn refused(&self, user: &User) -> Result<Option<&Path>, Failure> {
        let opened: Vec<File> = self.folders.iter().map_while(|folder| open(folder)).collect();
        let may = |folder: &File, name: &Path, what| {
            faccessat(folder, name, what, AtFlags::AT_EACCESS) != Err(Errno::EACCES)
        };
        let look = || {
            let mut folders = self.folders.iter().zip(&opened);
            let shut = folders.find(|(_, folder)| !may(folder, Path::new("."), AccessFlags::X_OK));
            if let Some((path, _)) = shut {
                return Some(path.as_path());
            }
            let (last, name) = (opened.get(self.folders.len().checked_sub(1)?)?, self.end.file_name()?);
            (!may(last, Path::new(name), AccessFlags::W_OK)).then_some(self.end.as_path())
        };
        Ok(if user.is_me() { look() } else { as_user(user, look)? })
    }
}

/// As root, who stands for the one who changed to it before he became a user.
fn open(folder: &Path) -> Option<File> {
    let flags = (OFlag::O_PATH | OFlag::O_DIRECTORY).bits();
    File::options().read(true).custom_flags(flags).open(folder).ok()
}

/// What must be the same here and there.
pub(super) struct Socket<'s> {
    /// The store, in which nobody else may be.
    pub(super) root: &'s Path,
    pub(super) lmtp: &'s LmtpSettings,
}

impl Socket<'_> {
    /// Why Postfix's user, `mail_owner`, does not come to the end of the way.
    pub(super) fn look(&self, way: &Way, user: &str) -> Result<Option<Finding>, Failure> {
        let user = match User::named(user) {
            Ok(user) => user,
            Err(error) => return Ok(Some(Finding::problem(super::ABOUT, format!("mail_owner: {error}")))),
        };
        if !User::current().is_root() && !user.is_me() {
            let text = format!("whether {} reaches {} only root can see", user.name(), way.end.display());
            return Ok(Some(finding(Severity::Warning, text, "sudo sealpost doctor --postfix".to_owned())));
        }
        let Some(shut) = way.refused(&user)? else { return Ok(None) };
        let data = shut.metadata().map_err(|error| Failure::io("look at", shut.display(), &error))?;
        let (path, name, rights) = (shut.display(), user.name(), rights(shut, &data)?);
        if shut == way.end {
            let text = format!("{name} may not write to {path} ({rights}), and so cannot hand mail to it");
            return Ok(Some(finding(Severity::Problem, text, self.let_write(&user, &data))));
        }
        let end = way.end.display();
        let text = format!("{name} may not enter {path} ({rights}) on its way to {end}");
        Ok(Some(finding(Severity::Problem, text, self.let_in(shut, &user, &data))))
    }

    /// A socket has the rights that the settings had when it was made.
    fn let_write(&self, user: &User, data: &Metadata) -> String {
        let own = user.groups().first().and_then(|group| group_name(*group).ok());
        let wanted = own.unwrap_or_else(|| user.name().to_owned());
        let (has_group, has_mode) =
            (self.lmtp.socket_group.as_ref() == Some(&wanted), self.lmtp.socket_mode & 0o020 != 0);
        let group = (!has_group).then(|| format!("lmtp-socket-group = \"{wanted}\""));
        let mode = (!has_mode).then(|| format!("lmtp-socket-mode = \"{:04o}\"", data.mode() & 0o666 | 0o060));
        let settings: Vec<String> = [group, mode].into_iter().flatten().collect();
        match settings.is_empty() {
            true => "start sealpost serve anew: the socket is older than the settings".to_owned(),
            false => format!("{} in sealpost.toml, then start sealpost serve anew", settings.join(" and ")),
        }
    }

    fn let_in(&self, folder: &Path, user: &User, data: &Metadata) -> String {
        if folder.starts_with(self.root) {
            return "name a path outside of the store in lmtp-listen: the store is for its owner alone"
                .to_owned();
        }
        let class = match (data.uid() == user.id(), user.groups().contains(&data.gid())) {
            (true, _) => 'u',
            (false, true) => 'g',
            (false, false) => 'o',
        };
        format!("chmod {class}+x {}, or name another path in lmtp-listen", folder.display())
    }
}

fn finding(severity: Severity, text: String, mend: String) -> Finding {
    Finding { severity, about: super::ABOUT.to_owned(), text, mend: Some(mend) }
}

/// `vmail:vmail, mode 0700`
fn rights(path: &Path, data: &Metadata) -> Result<String, Failure> {
    let group = group_name(data.gid())?;
    Ok(format!("{}:{group}, mode {:04o}", User::owning(path)?.name(), data.mode() & 0o7777))
}

fn group_name(number: u32) -> Result<String, Failure> {
    let found = Group::from_gid(Gid::from_raw(number)).map_err(std::io::Error::from);
    let found = found.map_err(|error| Failure::io("look up", "a group", &error))?;
    Ok(found.map_or_else(|| format!("#{number}"), |group| group.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_way_goes_by_the_links_that_its_walker_sees() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (queue, run) = (root.join("queue"), root.join("run"));
        for made in [&queue, &run] {
            std::fs::create_dir(made).unwrap();
        }
        symlink(&run, queue.join("link")).unwrap();
        symlink("link/deep", queue.join("there")).unwrap();
        symlink("loop", queue.join("loop")).unwrap();
        let top = Path::new("/");
        let outside = Way::follow(top, &queue, Path::new("there/lmtp"));
        assert_eq!(outside.end, run.join("deep/lmtp"));
        assert!(outside.folders.starts_with(&[queue.clone(), top.to_owned()]), "{outside:?}");
        assert!(outside.folders.ends_with(&[root.clone(), run.clone(), run.join("deep")]), "{outside:?}");
        // In a chroot an absolute link leads to a file below it, and nothing leads out.
        let inside = Way::follow(&queue, &queue, Path::new("/link/../x"));
        assert_eq!(inside.end, queue.join(root.strip_prefix("/").unwrap()).join("x"));
        assert!(inside.folders.iter().all(|folder| folder.starts_with(&queue)), "{inside:?}");
        assert_eq!(Way::follow(&queue, &queue, Path::new("../..")).end, queue);
        assert_eq!(Way::follow(top, &queue, Path::new("loop")).end, queue.join("loop"));
    }

    #[test]
    fn two_names_of_one_file_meet() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        let way = |path: &Path| Way::follow(Path::new("/"), Path::new("/"), path);
        assert!(!way(&one).meets(&way(&two)), "nothing is there");
        std::fs::write(&one, "").unwrap();
        std::fs::hard_link(&one, &two).unwrap();
        assert!(way(&one).meets(&way(&two)));
    }
}
