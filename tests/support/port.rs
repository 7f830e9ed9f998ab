//! A port of this machine for a server of a test.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// Nobody else is given it while this value lives: a connection of our own, both of whose ends are here, has it. Whoever is told its
/// number may listen there all the same (a server says that it may be the next one at a port), and until somebody does,
/// connections to it are refused.
pub(crate) struct Port {
    number: u16,
    _held_by: [TcpStream; 2],
}

impl Port {
    pub(crate) fn reserved() -> Port {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let place = listener.local_addr().unwrap();
        let near = TcpStream::connect(place).unwrap();
        let (far, _) = listener.accept().unwrap();
        Port { number: place.port(), _held_by: [near, far] }
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
