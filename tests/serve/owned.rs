//! A daemon that root starts on a store that belongs to somebody else, with a socket for an MTA.

use crate::support::servers::{House, open_to_all};
use crate::support::{Port, path, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The daemon's process. Dropped, it is asked to end and waited for.
pub(super) struct Process(Child);

impl Process {
    pub(super) fn start(program: &str, args: &[&str]) -> Process {
        let mut command = Command::new(program);
        command.args(args).env_remove("SEALPOST_ROOT").stdin(Stdio::null());
        Process(command.spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let process = Pid::from_raw(self.0.id().cast_signed());
        if kill(process, Signal::SIGTERM).is_ok() {
            let _ = wait_for("the end of the daemon", 90, || self.0.try_wait().unwrap());
        }
    }
}

/// A running daemon, its store with Bob in it.
pub(super) struct Owned {
    /// First: it ends before its store goes.
    process: Process,
    pub(super) house: House,
    /// Where it listens, if it does so on a port.
    _port: Option<Port>,
}

impl Owned {
    /// On a socket by which only Postfix may hand over mail, and root.
    pub(super) fn new() -> Owned {
        Owned::open_to("lmtp-socket-group = \"postfix\"")
    }

    /// On a socket, and the setting says who may hand over mail.
    pub(super) fn open_to(setting: &str) -> Owned {
        let house = furnished();
        let socket = socket(&house);
        std::fs::create_dir(socket.parent().unwrap()).unwrap();
        open_to_all(socket.parent().unwrap());
        let place = format!("unix:{}", path(&socket));
        Owned::listening(house, &place, setting, || UnixStream::connect(&socket).is_ok())
    }

    /// On a port.
    pub(super) fn on_port(port: Port) -> Owned {
        let number = port.number();
        let answers = || TcpStream::connect(("127.0.0.1", number)).is_ok();
        let owned = Owned::listening(furnished(), &format!("127.0.0.1:{number}"), "", answers);
        Owned { _port: Some(port), ..owned }
    }

    fn listening(house: House, place: &str, setting: &str, answers: impl Fn() -> bool) -> Owned {
        let settings = format!("lmtp-listen = [\"{place}\"]\n{setting}\n");
        std::fs::write(house.root.join("sealpost.toml"), settings).unwrap();
        let process = Process::start(path(&house.program), &["--root", path(&house.root), "serve"]);
        wait_for("the daemon", 60, || answers().then_some(()));
        Owned { process, house, _port: None }
    }

    /// Where an MTA finds it, if it is not on a port.
    pub(super) fn socket(&self) -> PathBuf {
        socket(&self.house)
    }

    /// Ends it.
    pub(super) fn stop(self) -> House {
        drop(self.process);
        self.house
    }
}

fn furnished() -> House {
    let house = House::new();
    house.furnish();
    house
}

fn socket(house: &House) -> PathBuf {
    house.folder().join("run/lmtp")
}
