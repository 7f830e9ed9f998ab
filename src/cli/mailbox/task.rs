//! By what a command is known again that was stopped.

use crate::crypto::{Entropy, EntropyError};
use crate::engine::Prospect;
use crate::pki::Fingerprint;
use crate::system::SystemEntropy;
use rand::Rng;
use sha2::{Digest, Sha256};
use std::fmt::Display;

/// Takes up everything that decides what becomes of messages. The same command over the same certificates is the same
/// task; with another selection, option or certificate it is another one, which looks at all messages anew.
pub(super) struct Task(Sha256);

impl Task {
    /// Of that verb.
    pub(super) fn of(verb: &str) -> Task {
        let mut task = Task(Sha256::new());
        task.take("verb", verb);
        task
    }

    /// Takes up a value under a name. Lengths stand in front, so that two values cannot run together.
    pub(super) fn take(&mut self, name: &str, value: impl Display) {
        for text in [name, &value.to_string()] {
            self.0.update((text.len() as u64).to_be_bytes());
            self.0.update(text);
        }
    }

    /// Takes up certificates, in whatever order they come.
    pub(super) fn certificates(&mut self, mut wanted: Vec<Fingerprint>) {
        wanted.sort_unstable_by_key(|fingerprint| fingerprint.0);
        wanted.dedup();
        wanted.iter().for_each(|fingerprint| self.take("certificate", fingerprint));
    }

    /// Takes up to whom mail is sealed, and how: profile, names of recipients, what is hidden of the header.
    pub(super) fn prospect(&mut self, prospect: &Prospect) {
        self.certificates(prospect.recipients.iter().map(|to| to.certificate().fingerprint()).collect());
        self.take("form", format_args!("{:?}", prospect.form));
    }

    /// What it comes to, in hexadecimal.
    pub(super) fn digest(self) -> String {
        Fingerprint(self.0.finalize().into()).to_string()
    }
}

/// The number of a run that begins.
pub(super) fn fresh_number() -> Result<u64, EntropyError> {
    Ok(SystemEntropy.seed()?.into_rng().next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(values: &[(&str, &str)], certificates: &[u8]) -> String {
        let mut task = Task::of("encrypt");
        values.iter().for_each(|(name, value)| task.take(name, value));
        task.certificates(certificates.iter().map(|&octet| Fingerprint([octet; 32])).collect());
        task.digest()
    }

    #[test]
    fn the_same_task_is_known_again_and_another_is_not() {
        let task = digest(&[("owner", "anna"), ("box", "INBOX")], &[1, 2]);
        assert_eq!(task, digest(&[("owner", "anna"), ("box", "INBOX")], &[2, 1, 1]));
        for other in [
            digest(&[("owner", "ann"), ("box", "aINBOX")], &[1, 2]),
            digest(&[("owner", "anna"), ("box", "INBOX")], &[1]),
            digest(&[("owner", "anna"), ("box", "INBOX")], &[1, 2, 3]),
            digest(&[("owner", "anna"), ("bo", "xINBOX")], &[1, 2]),
            digest(&[("owner", "anna")], &[1, 2]),
        ] {
            assert_ne!(task, other);
        }
    }
}
