//! Every command runs as the owner of the store, so that hook, Maildirs and directory have one user.

use nix::sys::statfs::{NFS_SUPER_MAGIC, TMPFS_MAGIC, statfs};
use nix::unistd::{
    Gid, Uid, getegid, geteuid, getgrouplist, getgroups, initgroups, setegid, seteuid, setgid, setgroups,
    setuid,
};
use std::ffi::CString;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

/// Why this process cannot work on the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The store is somebody else's, and we are not root.
    #[error("{} belongs to {owner}: sudo -u {owner} sealpost …", .root.display())]
    NotOwner {
        /// The store.
        root: PathBuf,
        /// Whose it is.
        owner: String,
    },
    /// No such user on this machine.
    #[error("there is no user {0} on this machine")]
    NoUser(String),
    /// SQLite's locks do not hold there.
    #[error("{} lies on NFS, where locks do not hold: put the store on a local disk", .0.display())]
    Network(PathBuf),
    /// The system refused.
    #[error("cannot {doing} {}: {source}", .path.display())]
    System {
        /// The verb.
        doing: &'static str,
        /// The store.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

/// A user of this machine.
#[derive(Debug, Clone)]
pub struct User {
    name: String,
    uid: Uid,
    gid: Gid,
}

impl User {
    /// The user of this name.
    pub fn named(name: &str) -> Result<User, IdentityError> {
        let found = nix::unistd::User::from_name(name).ok().flatten();
        let found = found.ok_or_else(|| IdentityError::NoUser(name.to_owned()))?;
        Ok(User { name: found.name, uid: found.uid, gid: found.gid })
    }

    /// The user whom this process runs as.
    pub fn current() -> User {
        User::of(geteuid(), getegid())
    }

    /// The owner of a file.
    pub fn owning(path: &Path) -> Result<User, IdentityError> {
        let metadata = std::fs::metadata(path).map_err(system("look at", path))?;
        Ok(User::of(Uid::from_raw(metadata.uid()), Gid::from_raw(metadata.gid())))
    }

    /// Of a file; a number without a name is a name too.
    fn of(uid: Uid, gid: Gid) -> User {
        match nix::unistd::User::from_uid(uid) {
            Ok(Some(found)) => User { name: found.name, uid, gid: found.gid },
            _ => User { name: format!("#{uid}"), uid, gid },
        }
    }

    /// The login name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Does this process run as it?
    pub fn is_me(&self) -> bool {
        self.uid == geteuid()
    }

    /// Is it root?
    pub fn is_root(&self) -> bool {
        self.uid.is_root()
    }

    /// Makes the folder this user's. Only root may give away, and giving to oneself is always fine.
    pub fn take(&self, folder: &Path) -> Result<(), IdentityError> {
        let given = chown(folder, Some(self.uid.as_raw()), Some(self.gid.as_raw()));
        given.map_err(system("change the owner of", folder))
    }

    /// His number.
    pub fn id(&self) -> u32 {
        self.uid.as_raw()
    }

    /// The numbers of all groups that he is in, his own first.
    pub fn groups(&self) -> Vec<u32> {
        let name = CString::new(self.name.as_str()).ok().filter(|_| !self.name.starts_with('#'));
        let others = name.and_then(|name| getgrouplist(&name, self.gid).ok()).unwrap_or_default();
        std::iter::once(self.gid).chain(others).map(Gid::as_raw).collect()
    }

    fn become_it(&self) -> io::Result<()> {
        self.take_groups()?;
        setgid(self.gid)?;
        Ok(setuid(self.uid)?)
    }

    /// For as long as nobody goes back.
    fn borrow_it(&self) -> io::Result<()> {
        self.take_groups()?;
        setegid(self.gid)?;
        Ok(seteuid(self.uid)?)
    }

    fn take_groups(&self) -> io::Result<()> {
        match CString::new(self.name.as_str()) {
            Ok(name) if !self.name.starts_with('#') => initgroups(&name, self.gid)?,
            _ => setgroups(&[self.gid])?,
        }
        Ok(())
    }
}

/// The login name of the user who runs this command: the person behind `sudo` if there is one.
pub fn user_name() -> String {
    std::env::var("SUDO_USER").unwrap_or_else(|_| User::current().name)
}

/// Becomes the owner of the store if we are root, does nothing if we are the owner, and refuses otherwise. A store
/// that does not exist has no owner: whoever opens it says so.
pub fn become_owner(root: &Path) -> Result<(), IdentityError> {
    let uid = match std::fs::metadata(root) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(system("look at", root))?.uid(),
    };
    // Names are looked up, which may ask a server, only where one is needed.
    if uid == geteuid().as_raw() {
        return Ok(());
    }
    let owner = User::owning(root)?;
    if !geteuid().is_root() {
        return Err(IdentityError::NotOwner { root: root.to_owned(), owner: owner.name });
    }
    owner.become_it().map_err(system("become the owner of", root))?;
    super::harden::forbid_dumps();
    Ok(())
}

/// Does something with the rights of the owner of the store, and with no more, before this process becomes it for good: what he wrote
/// cannot make root read what he may not. For a process with one thread. Who is not root does it as he is.
pub fn as_owner<T>(root: &Path, work: impl FnOnce() -> T) -> Result<T, IdentityError> {
    if !geteuid().is_root() {
        return Ok(work());
    }
    as_user(&User::owning(root)?, work)
}

/// The same with the rights of any user, his groups included. Only root can do that.
pub fn as_user<T>(user: &User, work: impl FnOnce() -> T) -> Result<T, IdentityError> {
    let about = Path::new(user.name());
    let (group, groups) = (getegid(), getgroups().map_err(io::Error::from).map_err(system("leave", about))?);
    user.borrow_it().map_err(system("act as", about))?;
    let done = work();
    let back = seteuid(Uid::from_raw(0)).and_then(|()| setegid(group)).and_then(|()| setgroups(&groups));
    back.map_err(io::Error::from).map_err(system("come back from", about))?;
    super::harden::forbid_dumps();
    Ok(done)
}

/// Refuses a folder on NFS.
pub fn refuse_network_file_system(root: &Path) -> Result<(), IdentityError> {
    match statfs(root) {
        Ok(found) if found.filesystem_type() == NFS_SUPER_MAGIC => {
            Err(IdentityError::Network(root.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Does a folder lie in memory (tmpfs), where syncing does nothing?
pub fn lies_in_memory(folder: &Path) -> bool {
    statfs(folder).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC)
}

fn system(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> IdentityError {
    move |source| IdentityError::System { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_folder_and_a_missing_one_are_fine() {
        let folder = tempfile::tempdir().unwrap();
        become_owner(folder.path()).unwrap();
        become_owner(&folder.path().join("missing")).unwrap();
        refuse_network_file_system(folder.path()).unwrap();
    }

    #[test]
    fn a_foreign_store_names_the_way() {
        let error = IdentityError::NotOwner { root: "/srv/mail".into(), owner: "vmail".into() };
        assert_eq!(error.to_string(), "/srv/mail belongs to vmail: sudo -u vmail sealpost …");
        assert_eq!(
            User::named("no-such-user-here").unwrap_err().to_string(),
            "there is no user no-such-user-here on this machine"
        );
    }
}
