//! Authorities: the links of chains, authorities that were replaced, and the built-in set.

use super::{Round, Severity};
use crate::cli::authority::chain_warnings;
use crate::cli::failure::Failure;
use crate::cli::words::{day, short};
use crate::engine::Domain;

impl Round {
    /// Does its chain hold, and is what it replaced still needed?
    pub(super) fn look_at_authorities_of(&mut self, domain: &Domain) -> Result<(), Failure> {
        let name = &domain.name;
        for text in chain_warnings(&self.directory, name)? {
            self.advise(Severity::Warning, name, text, format!("sealpost chain set --domain {name}"));
        }
        for replaced in self.directory.retired_authorities(name)? {
            let end = replaced.certificate.not_after();
            if end < self.now {
                let subject = replaced.certificate.subject();
                let text =
                    format!("its replaced authority {subject} ended on {} and is needed no more", day(end));
                let forget = short(replaced.fingerprint);
                let mend = format!("sealpost key remove --domain {name} --forget {forget}");
                self.advise(Severity::Warning, name, text, mend);
            }
        }
        Ok(())
    }

    /// The built-in set, where something asks for it.
    pub(super) fn look_at_bundle(&mut self) {
        if let Some(fault) = self.config.bundle_fault() {
            self.find("configuration", fault);
        }
    }
}
