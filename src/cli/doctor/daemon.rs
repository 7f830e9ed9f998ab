//! Does the daemon answer where the site says that it listens?

use super::{Round, Severity};
use crate::cli::courier::host_name;
use crate::config::{Config, Listen};
use crate::courier::greet;
use crate::engine::{HostPort, Submission};
use crate::system::as_owner;
use std::path::Path;
use std::time::Duration;

/// A daemon that is well answers at once, also with all its sessions in use.
const LIMIT: Duration = Duration::from_secs(5);

/// Why it does not, for each place. Asked before root becomes the owner of the store, who need not be one of those who may
/// hand over mail. Where the settings are wrong, that is said by who looks at them.
pub(super) fn greet_all(root: &Path) -> Vec<String> {
    let config = as_owner(root, || Config::load(root)).ok().and_then(Result::ok);
    let places = config.map(|config| config.lmtp.listen).unwrap_or_default();
    places.iter().filter_map(|place| greet(&server(place), &host_name(), LIMIT).err()).collect()
}

impl Round {
    pub(super) fn look_at_daemon(&mut self, greeted: Vec<String>) {
        for why in greeted {
            let mend = "start sealpost serve (docs/LMTP.md has the unit for systemd), or empty lmtp-listen";
            self.advise(Severity::Problem, "daemon", format!("it does not answer: {why}"), mend);
        }
    }
}

/// The same as a client calls it.
fn server(place: &Listen) -> Submission {
    match place {
        Listen::Unix(path) => Submission::LmtpUnix(path.clone()),
        Listen::Tcp(address) => {
            Submission::Lmtp(HostPort { host: address.ip().to_string(), port: address.port() })
        }
    }
}
