//! May a file be run? Only if nobody but root and we ourselves could have put it there.

use super::ProgramFault;
use super::fault::system;
use nix::unistd::geteuid;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

/// The kernel follows as many symbolic links (path_resolution(7)).
const MOST_LINKS: usize = 40;
const STICKY: u32 = 0o1000;
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// Is it an executable file that nobody but root and the user of this process can change or replace? Every folder is
/// looked at that the way to it leads through, links included. A folder that others may write to passes if it is
/// sticky, as `/tmp` is: there nobody replaces what is not his.
///
/// What the program itself loads (an interpreter, libraries) is not looked at: whoever may change those may change the
/// system.
pub fn check_program(path: &Path) -> Result<(), ProgramFault> {
    let mut left: VecDeque<OsString> = names(path);
    let (mut folder, mut links) = (PathBuf::from("/"), 0);
    check_folder(&folder, &look(&folder)?)?;
    while let Some(name) = left.pop_front() {
        if name == ".." {
            folder.pop();
            continue;
        }
        let entry = folder.join(&name);
        let data = look(&entry)?;
        if data.is_symlink() {
            links += 1;
            let target = std::fs::read_link(&entry).map_err(system("follow a link to the program"))?;
            if links > MOST_LINKS {
                return Err(ProgramFault::Missing(path.to_owned()));
            }
            check_owner(&entry, &data)?;
            if target.is_absolute() {
                folder = PathBuf::from("/");
            }
            names(&target).into_iter().rev().for_each(|name| left.push_front(name));
        } else if data.is_dir() {
            check_folder(&entry, &data)?;
            folder = entry;
        } else if left.is_empty() {
            return check_file(&entry, &data);
        } else {
            return Err(ProgramFault::Missing(path.to_owned()));
        }
    }
    Err(ProgramFault::NotExecutable(path.to_owned()))
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

fn look(path: &Path) -> Result<Metadata, ProgramFault> {
    std::fs::symlink_metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ProgramFault::Missing(path.to_owned()),
        _ => ProgramFault::System { doing: "look at the program", source },
    })
}

fn check_folder(path: &Path, data: &Metadata) -> Result<(), ProgramFault> {
    check_owner(path, data)?;
    match data.permissions().mode() {
        mode if mode & WRITABLE_BY_OTHERS != 0 && mode & STICKY == 0 => Err(writable(path)),
        _ => Ok(()),
    }
}

fn check_file(path: &Path, data: &Metadata) -> Result<(), ProgramFault> {
    let mode = data.permissions().mode();
    if !data.is_file() || mode & 0o111 == 0 {
        return Err(ProgramFault::NotExecutable(path.to_owned()));
    }
    check_owner(path, data)?;
    if mode & WRITABLE_BY_OTHERS != 0 { Err(writable(path)) } else { Ok(()) }
}

fn check_owner(path: &Path, data: &Metadata) -> Result<(), ProgramFault> {
    let owner = data.uid();
    if owner == 0 || owner == geteuid().as_raw() {
        return Ok(());
    }
    Err(ProgramFault::WrongOwner { path: path.display().to_string(), owner })
}

fn writable(path: &Path) -> ProgramFault {
    ProgramFault::Writable(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{chown, symlink};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A folder of ours with a program in it.
    fn program() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        mode(folder.path(), 0o755);
        let below = folder.path().join("bin");
        fs::create_dir(&below).unwrap();
        mode(&below, 0o755);
        let file = below.join("notify");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        mode(&file, 0o755);
        (folder, file)
    }

    fn fault(path: &Path) -> String {
        check_program(path).unwrap_err().to_string()
    }

    #[test]
    fn our_own_programs_and_the_systems_may_run() {
        let (_folder, file) = program();
        check_program(&file).unwrap();
        check_program(Path::new("/bin/sh")).unwrap();
        check_program(&file.join("../notify")).unwrap_err();
        check_program(&file.parent().unwrap().join("../bin/./notify")).unwrap();
    }

    #[test]
    fn what_is_no_program_is_told() {
        let (folder, file) = program();
        assert_eq!(
            fault(&folder.path().join("none")),
            format!("{} is not there", folder.path().join("none").display())
        );
        assert!(fault(&file.join("x")).ends_with(" is not there"));
        assert!(fault(folder.path()).contains(" is no executable file"));
        mode(&file, 0o644);
        assert_eq!(
            fault(&file),
            format!("{} is no executable file: chmod 755 if it is to be one", file.display())
        );
        nix::unistd::mkfifo(&folder.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(fault(&folder.path().join("fifo")).contains(" is no executable file"));
    }

    #[test]
    fn nobody_else_may_write_to_it_or_to_a_folder_above() {
        let (folder, file) = program();
        for wrong in [0o775, 0o757, 0o777] {
            mode(&file, wrong);
            assert_eq!(
                fault(&file),
                format!("others than its owner may write to {0}: chmod go-w {0}", file.display())
            );
        }
        mode(&file, 0o755);
        for above in [folder.path(), file.parent().unwrap()] {
            mode(above, 0o775);
            assert_eq!(
                fault(&file),
                format!("others than its owner may write to {0}: chmod go-w {0}", above.display())
            );
            mode(above, 0o1777);
            check_program(&file).unwrap();
            mode(above, 0o755);
        }
    }

    #[test]
    fn every_folder_on_the_way_of_a_link_counts() {
        let (folder, file) = program();
        let (open, link) = (folder.path().join("open"), folder.path().join("link"));
        fs::create_dir(&open).unwrap();
        symlink(&file, open.join("notify")).unwrap();
        symlink("open/notify", &link).unwrap();
        mode(&open, 0o755);
        check_program(&link).unwrap();
        mode(&open, 0o777);
        assert!(fault(&link).ends_with("/open"), "{}", fault(&link));
        symlink("round", folder.path().join("round")).unwrap();
        assert!(fault(&folder.path().join("round")).ends_with(" is not there"));
    }

    #[test]
    fn others_may_own_neither_the_file_nor_a_folder_nor_a_link() {
        if !geteuid().is_root() {
            return;
        }
        let (folder, file) = program();
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        for path in [&file, file.parent().unwrap()] {
            chown(path, Some(4711), None).unwrap();
            assert!(
                fault(&link).starts_with(&format!("{} belongs to 4711: ", path.display())),
                "{}",
                fault(&link)
            );
            chown(path, Some(0), None).unwrap();
        }
        std::os::unix::fs::lchown(&link, Some(4711), None).unwrap();
        assert!(fault(&link).starts_with(&format!("{} belongs to 4711: ", link.display())));
    }
}
