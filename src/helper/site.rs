//! The programs of a site, for the engine.

use super::filter::Filter;
use super::{ProgramFault, command};
use crate::engine::{CommandRun, HelperError, HelperSettings, Helpers};
use crate::rules::{Answer, Command, Envelope};

/// Runs the commands and asks the filters that the settings list. Filters are started when they are first asked, and
/// ended when this is dropped.
pub struct SitePrograms {
    settings: HelperSettings,
    filters: Vec<Filter>,
}

impl SitePrograms {
    /// Starts nothing yet.
    pub fn new(settings: &HelperSettings) -> SitePrograms {
        let filter = |setting| Filter::new(setting, settings.filter_timeout);
        SitePrograms { settings: settings.clone(), filters: settings.filters.iter().map(filter).collect() }
    }
}

impl Helpers for SitePrograms {
    fn may_run(&self, command: &Command, envelope: &Envelope) -> Result<(), HelperError> {
        let checked = command::check(&self.settings, command, envelope);
        checked.map(drop).map_err(|fault| failed(command.program(), &fault))
    }

    fn execute(&self, run: &CommandRun<'_>) -> Result<(), HelperError> {
        command::run(&self.settings, run).map_err(|fault| failed(run.command.program(), &fault))
    }

    fn ask(&self, filter: &str, message: &[u8], envelope: &Envelope) -> Result<Answer, HelperError> {
        let found = self.filters.iter().find(|listed| listed.name() == filter);
        let asked = match found {
            Some(found) => found.ask(message, envelope),
            None => Err(ProgramFault::NoFilter(filter.to_owned())),
        };
        asked.map_err(|fault| failed(filter, &fault))
    }
}

fn failed(helper: &str, fault: &ProgramFault) -> HelperError {
    HelperError { helper: helper.to_owned(), reason: fault.to_string() }
}
