//! Settings that may be inherited, with the value that holds and who said so.

use crate::config::{Config, Origin};
use crate::engine::Choice;
use serde_json::{Value, json};

/// A setting of a domain.
pub(super) struct Effective {
    /// As in `sealpost.toml` and in options.
    pub(super) name: &'static str,
    own: Option<&'static str>,
    /// The site's value and where it stands; absent while the configuration is wrong.
    site: Option<(&'static str, Origin)>,
}

impl Effective {
    pub(super) fn new<C: Choice>(
        name: &'static str,
        own: Option<C>,
        config: Option<&Config>,
        site: impl Fn(&Config) -> C,
    ) -> Effective {
        let origin = |config: &Config| {
            let entry = config.entries().iter().find(|entry| entry.key == name);
            entry.map_or(Origin::Default, |entry| entry.origin)
        };
        let site = config.map(|config| (site(config).name(), origin(config)));
        Effective { name, own: own.map(Choice::name), site }
    }

    /// A setting that the site's file does not have.
    pub(super) fn of_domains<C: Choice + Default>(name: &'static str, own: Option<C>) -> Effective {
        let site = Some((C::default().name(), Origin::Default));
        Effective { name, own: own.map(Choice::name), site }
    }

    /// The value and its origin, for a person.
    pub(super) fn text(&self) -> String {
        match (self.own, self.site) {
            (Some(own), _) => format!("{own} (its own)"),
            (None, Some((value, Origin::Default))) => format!("{value} (default)"),
            (None, Some((value, Origin::Line(line)))) => format!("{value} (sealpost.toml, line {line})"),
            (None, None) => "the site's, whose configuration is wrong: sealpost config check".to_owned(),
        }
    }

    /// The same for a program.
    pub(super) fn layout(&self) -> Value {
        let (value, from) = match (self.own, self.site) {
            (Some(own), _) => (Some(own), "domain"),
            (None, Some((value, Origin::Default))) => (Some(value), "default"),
            (None, Some((value, Origin::Line(_)))) => (Some(value), "site"),
            (None, None) => (None, "site"),
        };
        json!({"value": value, "from": from})
    }
}
