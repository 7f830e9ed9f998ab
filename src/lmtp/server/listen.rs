//! The sockets on which clients come.

use super::stream::Stream;
use crate::config::{Listen, LmtpSettings};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, Flock, FlockArg, OFlag};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat, umask};
use nix::unistd::{Gid, Group, UnlinkatFlags, fchownat, getegid, geteuid, setegid, unlinkat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// For an answer of who may listen already.
const ANSWER: Duration = Duration::from_secs(2);
/// For others to replace a name: they ask who lives there.
const REPLACING: Duration = Duration::from_secs(4);

/// Why nobody can come here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// A daemon lives there.
    #[error("somebody listens on {0} already")]
    Taken(Listen),
    /// Something that we did not make.
    #[error("{} is there, and is no socket", .0.display())]
    InTheWay(PathBuf),
    /// Somebody holds the lock under which names of this folder are replaced.
    #[error("{} is locked by somebody else", .0.display())]
    Locked(PathBuf),
    /// Root is asked to make a name where somebody else decides what names lead to.
    #[error("{} belongs neither to root nor to the owner of the store", .0.display())]
    Stranger(PathBuf),
    /// Nobody has that group.
    #[error("there is no group {0} on this machine")]
    NoGroup(String),
    /// The group was not given: to a folder that hands on its own, or because the process may not.
    #[error("{} has not got the group {group}", .path.display())]
    OtherGroup {
        /// The socket.
        path: PathBuf,
        /// By name.
        group: String,
    },
    /// The system refused.
    #[error("cannot listen on {place}: {source}")]
    System {
        /// Where.
        place: Listen,
        /// The system's word.
        #[source]
        source: io::Error,
    },
}

/// All of them. When this is dropped nobody comes any more: sockets lose their name, if it is still theirs. Who is no longer root may
/// not be allowed to take it away: then the next daemon finds it dead.
#[derive(Debug)]
pub struct Listeners {
    places: Vec<Place>,
}

#[derive(Debug)]
enum Place {
    Unix {
        socket: UnixListener,
        /// Lost with it.
        _name: Name,
    },
    Tcp(TcpListener),
}

/// The name of a socket, and which file it is.
#[derive(Debug)]
struct Name {
    folder: File,
    path: PathBuf,
    id: (u64, u64),
}

impl Listeners {
    /// Listens on all places that the settings name, or on none. For a process with one thread: the mode and the group of a socket
    /// are settled before it has a name, by what belongs to the whole process. `owner` is the user whose store is served: root makes
    /// names in folders of root and of this user.
    pub fn open(settings: &LmtpSettings, owner: u32) -> Result<Listeners, ListenError> {
        let group = settings.socket_group.as_deref().map(group).transpose()?;
        let open = |place: &Listen| match place {
            Listen::Unix(path) => open_unix(place, path, settings, (group.as_ref(), owner)),
            Listen::Tcp(address) => {
                let socket = TcpListener::bind(address).and_then(|socket| {
                    socket.set_nonblocking(true)?;
                    Ok(socket)
                });
                match socket {
                    Ok(socket) => Ok(Place::Tcp(socket)),
                    Err(error) if error.kind() == ErrorKind::AddrInUse => {
                        Err(ListenError::Taken(place.clone()))
                    }
                    Err(source) => Err(ListenError::System { place: place.clone(), source }),
                }
            }
        };
        let places = settings.listen.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Listeners { places })
    }

    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.places.iter().map(|place| match place {
            Place::Unix { socket, .. } => socket.as_fd(),
            Place::Tcp(socket) => socket.as_fd(),
        })
    }

    /// A client of any place, if there is one.
    pub(super) fn accept(&self) -> io::Result<Option<Stream>> {
        for place in &self.places {
            let accepted = match place {
                Place::Unix { socket, .. } => socket.accept().map(|(stream, _)| Stream::Unix(stream)),
                Place::Tcp(socket) => socket.accept().map(|(stream, _)| Stream::Tcp(stream)),
            };
            match accepted {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                accepted => return accepted.map(Some),
            }
        }
        Ok(None)
    }
}

fn group(name: &str) -> Result<Group, ListenError> {
    let found = Group::from_name(name).ok().flatten();
    found.ok_or_else(|| ListenError::NoGroup(name.to_owned()))
}

fn open_unix(
    place: &Listen,
    path: &Path,
    settings: &LmtpSettings,
    (group, owner): (Option<&Group>, u32),
) -> Result<Place, ListenError> {
    let failed = |source| ListenError::System { place: place.clone(), source };
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(failed(ErrorKind::InvalidInput.into()));
    };
    // Whoever replaces names in this folder does it alone, and stays in it, whatever becomes of the path to it.
    let folder =
        File::options().read(true).custom_flags(OFlag::O_DIRECTORY.bits()).open(parent).map_err(failed)?;
    let folder_owner = folder.metadata().map_err(failed)?.uid();
    if geteuid().is_root() && folder_owner != 0 && folder_owner != owner {
        return Err(ListenError::Stranger(parent.to_owned()));
    }
    let Some(_lock) = lock(&folder).map_err(failed)? else {
        return Err(ListenError::Locked(parent.to_owned()));
    };
    let inside = inside(&folder, path, name);
    let bind = || bind(&inside, settings.socket_mode, group);
    let socket = match bind() {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            remove_dead(place, (path, &inside), &folder)?;
            bind()
        }
        bound => bound,
    };
    let socket = socket.map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    if let Some(group) = group {
        give_group(&folder, name, group).map_err(failed)?;
    }
    let stat = look(&folder, name).map_err(failed)?;
    if let Some(group) = group.filter(|group| group.gid.as_raw() != stat.st_gid) {
        let _ = unlinkat(&folder, name, UnlinkatFlags::NoRemoveDir);
        return Err(ListenError::OtherGroup { path: path.to_owned(), group: group.name.clone() });
    }
    Ok(Place::Unix { socket, _name: Name { path: path.to_owned(), id: id(&stat), folder } })
}

/// Whoever may read the folder can hold this lock: that is waited for only as long as replacing a name may take.
fn lock(folder: &File) -> io::Result<Option<Flock<File>>> {
    let end = Instant::now() + REPLACING;
    let mut handle = folder.try_clone()?;
    loop {
        match Flock::lock(handle, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(Some(lock)),
            Err((back, Errno::EWOULDBLOCK | Errno::EINTR)) => handle = back,
            Err((_, error)) => return Err(error.into()),
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        std::thread::sleep(REPLACING / 40);
    }
}

/// The name as root reaches it: in the folder that was looked at, whoever changes the path to it meanwhile.
fn inside(folder: &File, path: &Path, name: &OsStr) -> PathBuf {
    match geteuid().is_root() {
        true => Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name),
        false => path.to_owned(),
    }
}

/// Mode and group are those of the process for this moment: a name in a folder of somebody else may lead anywhere a moment later.
fn bind(path: &Path, mode: u32, group: Option<&Group>) -> io::Result<UnixListener> {
    let before = getegid();
    if let Some(group) = group.filter(|_| geteuid().is_root()) {
        setegid(group.gid)?;
    }
    let mask = umask(Mode::from_bits_truncate(!mode & 0o777));
    let bound = UnixListener::bind(path);
    umask(mask);
    back_to(before)?;
    bound
}

fn back_to(group: Gid) -> io::Result<()> {
    if getegid() == group { Ok(()) } else { Ok(setegid(group)?) }
}

/// For who is not root: one of its own groups.
fn give_group(folder: &File, name: &OsStr, group: &Group) -> io::Result<()> {
    if geteuid().is_root() {
        return Ok(());
    }
    Ok(fchownat(folder, name, None, Some(group.gid), AtFlags::AT_SYMLINK_NOFOLLOW)?)
}

/// Takes away the socket of a daemon that is dead.
fn remove_dead(place: &Listen, (path, inside): (&Path, &Path), folder: &File) -> Result<(), ListenError> {
    let failed = |source| ListenError::System { place: place.clone(), source };
    let name = path.file_name().unwrap_or_default();
    let stat = look(folder, name).map_err(failed)?;
    if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFSOCK {
        return Err(ListenError::InTheWay(path.to_owned()));
    }
    if is_answered(inside) {
        return Err(ListenError::Taken(place.clone()));
    }
    unlinkat(folder, name, UnlinkatFlags::NoRemoveDir).map_err(|error| failed(error.into()))
}

/// Does somebody listen? To connect waits where a living daemon has a long queue.
fn is_answered(path: &Path) -> bool {
    let (told, heard) = channel();
    let path = path.to_owned();
    let ask = move || drop(told.send(UnixStream::connect(path).map(drop)));
    let asked = std::thread::Builder::new().name("listen".into()).spawn(ask);
    match asked.map(|_| heard.recv_timeout(ANSWER)) {
        Ok(Ok(Err(error))) => error.kind() != ErrorKind::ConnectionRefused,
        _ => true,
    }
}

fn look(folder: &File, name: &OsStr) -> io::Result<FileStat> {
    Ok(fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
}

fn id(stat: &FileStat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

impl Name {
    /// Another daemon may have put its own there, or be about to.
    fn remove(&self) {
        let name = self.path.file_name().unwrap_or_default();
        let Ok(lock) = self.folder.try_clone() else { return };
        let Ok(_lock) = Flock::lock(lock, FlockArg::LockExclusiveNonblock) else { return };
        if look(&self.folder, name).is_ok_and(|stat| id(&stat) == self.id) {
            let _: Result<(), Errno> = unlinkat(&self.folder, name, UnlinkatFlags::NoRemoveDir);
        }
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.remove();
    }
}
