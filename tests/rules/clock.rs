//! `time-zone`: which clock rules look at.

use crate::support::{Site, path};

/// A site whose rule asks for the date, and what `rules explain` saw: the offset at the end of the moment.
fn offset(site: &Site, zone: &str) -> String {
    let message = "From: a@b.example\n\nhello\n";
    let explain = site.program("rules explain --recipient bob@north.example").env("TZ", zone);
    let text = explain.input(message).run().text();
    let line = text.lines().find(|line| line.contains("Current Date")).unwrap_or_else(|| panic!("{text}"));
    let seen = line.rsplit_once("looked at: ").unwrap().1.trim_matches('"');
    seen.get(19..).unwrap().to_owned()
}

fn asking_for_the_date() -> Site {
    let site = Site::furnished();
    let rule = "[[rule]]\nname = \"late\"\npriority = 5\nwhen = [[\"Current Date\", \"greater than\", 2001-01-01]]\nthen = [[\"Discard\"]]\n";
    let file = site.write("late.toml", rule);
    site.run(&format!("rules install {} --domain north.example", path(&file))).ok();
    site
}

fn configure(site: &Site, zone: &str) {
    let file = site.root().join("sealpost.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, format!("time-zone = \"{zone}\"\n{text}")).unwrap();
}

#[test]
fn the_machines_zone_is_what_rules_look_at_unless_the_site_has_one() {
    let site = asking_for_the_date();
    assert_eq!(offset(&site, "Pacific/Kiritimati"), "+14:00");
    assert_eq!(offset(&site, "Etc/GMT+12"), "-12:00");
    assert_eq!(offset(&site, "UTC"), "Z");
    configure(&site, "Asia/Kathmandu");
    assert_eq!(offset(&site, "Pacific/Kiritimati"), "+05:45");
}

#[test]
fn the_word_system_is_the_machines_zone() {
    let site = asking_for_the_date();
    configure(&site, "system");
    assert_eq!(offset(&site, "Asia/Kathmandu"), "+05:45");
}
