//! Settings of the programs that rules call.

use super::keys::Key;
use super::read::Config;
use super::value;
use crate::engine::FilterSetting;
use crate::rules::{command_words, is_filter_name};
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;

/// As long as a delivery may take at most.
const LONGEST: Duration = Duration::from_secs(900);

pub(super) const EXECUTE: Key = Key {
    name: "execute",
    doc: "programs that the action Execute may run; they get whole messages in the clear",
    default: "[]",
    allowed: || "a list of paths with a leading /, each once, like [\"/usr/local/bin/notify\"]".into(),
    read: |config, given| {
        config.programs.execute = paths(given)?;
        Some(())
    },
};

pub(super) const EXECUTE_TIMEOUT: Key = Key {
    name: "execute-timeout",
    doc: "a command that runs for longer is killed, and the sender tries again; below deadline",
    default: "\"30s\"",
    allowed: || "a time from \"1s\" to \"15m\"".into(),
    read: |config, given| {
        config.programs.execute_timeout = timeout(given)?;
        Some(())
    },
};

pub(super) const FILTERS: Key = Key {
    name: "filters",
    doc: "programs that the action ExternalFilter may ask, by their names; they get whole messages in the clear",
    default: "[]",
    allowed: || "a list of \"name=/path/to/program argument …\", each name once".into(),
    read: |config, given| {
        config.programs.filters = filters(given)?;
        Some(())
    },
};

pub(super) const FILTER_TIMEOUT: Key = Key {
    name: "filter-timeout",
    doc: "a filter that thinks for longer is killed, and the sender tries again; below deadline",
    default: "\"30s\"",
    allowed: || "a time from \"1s\" to \"15m\"".into(),
    read: |config, given| {
        config.programs.filter_timeout = timeout(given)?;
        Some(())
    },
};

/// Absolute paths, each once.
fn paths(given: &DeValue<'_>) -> Option<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for item in given.as_array()? {
        let text = item.get_ref().as_str()?;
        let path = PathBuf::from(text);
        let plain = text.starts_with('/') && !text.ends_with('/') && !text.chars().any(char::is_control);
        if !plain || paths.contains(&path) {
            return None;
        }
        paths.push(path);
    }
    Some(paths)
}

/// `name=/path argument …`, each name once.
fn filters(given: &DeValue<'_>) -> Option<Vec<FilterSetting>> {
    let mut filters: Vec<FilterSetting> = Vec::new();
    for item in given.as_array()? {
        let filter = filter(item.get_ref().as_str()?)?;
        if filters.iter().any(|known| known.name == filter.name) {
            return None;
        }
        filters.push(filter);
    }
    Some(filters)
}

fn filter(text: &str) -> Option<FilterSetting> {
    let (name, command) = text.split_once('=')?;
    let name = Some(name.trim()).filter(|name| is_filter_name(name))?;
    let mut words = command_words(command).ok()?.into_iter();
    let program = PathBuf::from(words.next()?);
    Some(FilterSetting { name: name.to_owned(), program, arguments: words.collect() })
}

/// A second at least, and no longer than any deadline.
fn timeout(given: &DeValue<'_>) -> Option<Duration> {
    value::duration(given).filter(|time| !time.is_zero() && *time <= LONGEST)
}

/// What is wrong with two settings together: the key, and the whole text. A program that may run for as long as a delivery
/// would never be told to stop.
pub(super) fn late(config: &Config) -> Vec<(&'static str, String)> {
    let programs = &config.programs;
    let commands = ("execute-timeout", programs.execute_timeout, !programs.execute.is_empty());
    let filters = ("filter-timeout", programs.filter_timeout, !programs.filters.is_empty());
    let late = [commands, filters].into_iter().filter(|(_, limit, used)| *used && *limit >= config.deadline);
    late.map(|(key, limit, _)| {
        let (limit, deadline) = (limit.as_secs(), config.deadline.as_secs());
        (key, format!("{key} = \"{limit}s\" is not below deadline = \"{deadline}s\": a program must end before the delivery gives up"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn told(text: &str) -> String {
        Config::parse("t", text).unwrap_err().to_string()
    }

    #[test]
    fn nothing_runs_unless_it_is_listed() {
        let programs = Config::default().programs;
        assert_eq!((programs.execute, programs.filters), (Vec::new(), Vec::new()));
        assert_eq!(
            (programs.execute_timeout, programs.filter_timeout),
            (Duration::from_secs(30), Duration::from_secs(30))
        );
    }

    #[test]
    fn programs_are_absolute_paths_and_filters_have_names() {
        let text = "execute = [\"/bin/a\", \"/opt/my mail/b\"]\nfilters = ['spam=/bin/c --x \"y z\"', \" virus = /bin/d\"]\n";
        let programs = Config::parse("t", text).unwrap().programs;
        assert!(programs.lists("/bin/a") && programs.lists("/opt/my mail/b"));
        assert!(!programs.lists("/bin/../bin/a") && !programs.lists("/bin/a ") && !programs.lists("/bin"));
        let spam = programs.filter("spam").unwrap();
        assert_eq!(
            (spam.program.to_str(), &spam.arguments[..]),
            (Some("/bin/c"), &["--x".to_owned(), "y z".into()][..])
        );
        assert_eq!(programs.filter("virus").unwrap().program.to_str(), Some("/bin/d"));
        assert_eq!(programs.filter("Spam"), None);
    }

    #[test]
    fn what_is_no_list_of_programs_is_refused() {
        let paths = "allowed: a list of paths with a leading /, each once, like [\"/usr/local/bin/notify\"]";
        for wrong in
            ["\"/bin/a\"", "[1]", "[\"a\"]", "[\"/bin/\"]", "[\"/a\", \"/a\"]", "[\"/a\\n\"]", "[\"\"]"]
        {
            assert_eq!(
                told(&format!("execute = {wrong}\n")),
                format!("t:1:11: execute = {wrong} is not allowed; {paths}")
            );
        }
        let filters = "allowed: a list of \"name=/path/to/program argument …\", each name once";
        for wrong in [
            "[\"/bin/a\"]",
            "[\"a=b\"]",
            "[\"=/b\"]",
            "[\"a b=/b\"]",
            "[\"a=\"]",
            "[\"a=/b\", \"a=/c\"]",
            "['a=/b \"']",
        ] {
            assert_eq!(
                told(&format!("filters = {wrong}\n")),
                format!("t:1:11: filters = {wrong} is not allowed; {filters}")
            );
        }
        assert!(told("execute-timeout = \"0s\"").contains("allowed: a time from \"1s\" to \"15m\""));
        assert!(told("filter-timeout = \"16m\"").contains("allowed: a time from \"1s\" to \"15m\""));
    }

    #[test]
    fn a_program_must_end_before_the_delivery_gives_up() {
        let late = "is not below deadline = \"20s\": a program must end before the delivery gives up";
        let text = "deadline = \"20s\"\nexecute = [\"/bin/a\"]\n";
        assert_eq!(told(text), format!("t:1:1: execute-timeout = \"30s\" {late}"));
        assert_eq!(
            told(&format!("{text}execute-timeout = \"20s\"\n")),
            format!("t:3:1: execute-timeout = \"20s\" {late}")
        );
        assert!(Config::parse("t", &format!("{text}execute-timeout = \"19s\"\n")).is_ok());
        assert_eq!(
            told("filters = [\"a=/b\"]\ndeadline = \"20s\"\n"),
            format!("t:2:1: filter-timeout = \"30s\" {late}")
        );
        assert!(Config::parse("t", "deadline = \"20s\"\n").is_ok(), "nobody runs a program");
    }
}
