//! The facts that rules look at, on their way from the directory, the store and the clock.

use super::*;

/// Does a rule with this condition match a message to bob at that moment?
fn holds_at(world: &World, when: &str, now: OffsetDateTime) -> bool {
    struct At(OffsetDateTime);
    impl Clock for At {
        fn now(&self) -> OffsetDateTime {
            self.0
        }
    }
    let (scope, holder) = match when.contains("Route") || when.contains("Recipient") {
        true => (ScopeKind::Server, ""),
        false => (ScopeKind::Account, BOB),
    };
    let text = format!(
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = [{when}]\nthen = [[\"Reject with\", \"it holds\"]]\n\
         [[rule]]\nname = \"s\"\npriority = 1\nthen = [[\"Reject with\", \"it does not\"]]\n"
    );
    let installed = InstalledRules { scope, holder: holder.to_owned(), file: "test.toml".into(), text };
    let world = World {
        accounts: world.accounts.clone(),
        rules: vec![installed],
        facts: world.facts.clone(),
        settings: world.settings.clone(),
        broken: world.broken,
        store: store_of(world),
        ..World::new()
    };
    let clock = At(now);
    let engine = Engine { clock: &clock, ..world.engine() };
    match engine.deliver(&request(MAIL, &["bob+lists@north.example"])).disposition.line().as_str() {
        "5.7.1 it holds" => true,
        "5.7.1 it does not" => false,
        other => panic!("{other}"),
    }
}

/// The same mailboxes in another store.
fn store_of(world: &World) -> MemoryStore {
    let store = MemoryStore::default();
    for mailbox in Mailstore::mailboxes(&world.store, &address(BOB)).unwrap() {
        store.create(&address(BOB), &MailboxName::parse(&mailbox).unwrap());
    }
    store
}

fn holds(world: &World, when: &str) -> bool {
    holds_at(world, when, noon())
}

fn in_zone(name: &str) -> World {
    let mut world = World::new();
    world.settings.time_zone = TimeZone::new(jiff::tz::TimeZone::get(name).unwrap());
    world
}

#[test]
fn datasets_preferences_and_mailboxes_are_those_of_the_account() {
    let mut world = World::new();
    world.store.create(&address(BOB), &MailboxName::parse("Vault").unwrap());
    world.store.create(&address(ADA), &MailboxName::parse("Hers").unwrap());
    world.facts.datasets.insert("Friends".to_owned(), vec!["Carol@far.example".to_owned()]);
    world.facts.preferences.push(("Away".to_owned(), "yes".to_owned()));
    assert!(holds(&world, r##"["From", "in", "#Friends"]"##));
    assert!(holds(&world, r##"["From", "not in", "#Foes"]"##));
    assert!(holds(&world, r#"["Preference", "is", "Away: yes"]"#));
    assert!(holds(&world, r#"["Existing Mailbox", "is", "Vault"]"#));
    assert!(holds(&world, r#"["Existing Mailbox", "not in", ["Hers", "Trash"]]"#));
    assert!(holds(&world, r#"["Existing Mailbox", "is", "INBOX"]"#));
}

#[test]
fn routes_lead_to_accounts_and_recipients_stay_as_they_were_sent() {
    let world = World::new();
    assert!(holds(&world, r#"["Any Route", "is", "LOCAL(bob@north.example)"]"#));
    assert!(holds(&world, r#"["Each Route", "not in", ["*+lists*", "RELAY(*)"]]"#));
    assert!(holds(&world, r#"["Each Recipient", "is", "bob+lists@north.example"]"#));
}

#[test]
fn what_no_rule_needs_is_not_asked_and_what_cannot_be_told_is_a_doubt() {
    let mut world = World::new();
    world.broken = Some("rule_facts");
    assert!(holds(&world, r#"["From", "is", "carol@*"]"#));
    assert!(holds(&world, r#"["Existing Mailbox", "is", "INBOX"]"#));
    for when in [r##"["From", "in", "#Friends"]"##, r#"["Preference", "is", "*"]"#] {
        let text = format!("[[rule]]\nname = \"r\"\npriority = 5\nwhen = [{when}]\nthen = [[\"Discard\"]]\n");
        let mut world = World::new().with_rules(ScopeKind::Account, BOB, &text);
        world.broken = Some("rule_facts");
        let disposition = world.deliver(&[BOB]).disposition;
        assert!(matches!(disposition, Disposition::Retry { .. }), "{when}: {disposition:?}");
        assert_eq!(world.store.total(), 0);
    }
}

#[test]
fn an_hour_that_is_left_out_never_comes_and_one_that_comes_twice_is_told_twice() {
    let world = in_zone("Europe/Berlin");
    let at = |when: &str, moments: &[OffsetDateTime]| -> Vec<bool> {
        moments.iter().map(|moment| holds_at(&world, when, *moment)).collect()
    };
    let spring = [datetime!(2026-03-29 00:59:59 UTC), datetime!(2026-03-29 01:00 UTC)];
    assert_eq!(at(r#"["Time Of Day", "is", "01:59"]"#, &spring), [true, false]);
    assert_eq!(at(r#"["Time Of Day", "is", "03:00"]"#, &spring), [false, true]);
    assert_eq!(at(r#"["Time Of Day", "in", "02:00-03:00"]"#, &spring), [false, false]);
    assert_eq!(at(r#"["Current Date", "less than", "2026-03-29T02:30:00"]"#, &spring), [true, false]);
    assert_eq!(at(r#"["Current Date", "greater than", "2026-03-29T02:30:00"]"#, &spring), [false, true]);
    let autumn =
        [datetime!(2026-10-25 00:30 UTC), datetime!(2026-10-25 01:30 UTC), datetime!(2026-10-25 02:30 UTC)];
    assert_eq!(at(r#"["Time Of Day", "is", "02:30"]"#, &autumn), [true, true, false]);
    assert_eq!(at(r#"["Current Date", "greater than", "2026-10-25T02:00:00"]"#, &autumn), [true; 3]);
    assert_eq!(at(r#"["Current Date", "less than", "2026-10-25T01:30:00Z"]"#, &autumn), [true, false, false]);
}

#[test]
fn days_begin_and_end_with_the_clocks_of_the_site() {
    let world = in_zone("Europe/Berlin");
    for (moment, day) in [
        (datetime!(2026-10-24 21:59:59 UTC), "Sat"),
        (datetime!(2026-10-24 22:00 UTC), "Sun"),
        (datetime!(2026-10-25 22:59:59 UTC), "Sun"),
        (datetime!(2026-10-25 23:00 UTC), "Mon"),
    ] {
        assert!(holds_at(&world, &format!("[\"Current Day\", \"is\", \"{day}\"]"), moment), "{moment}");
    }
    let last = datetime!(2026-10-25 22:59:59 UTC);
    assert!(!holds_at(&world, r#"["Current Date", "greater than", "2026-10-25"]"#, last));
    assert!(holds_at(&world, r#"["Current Date", "greater than", 2026-10-25]"#, last + Duration::seconds(1)));
}

#[test]
fn beside_the_date_line_it_is_another_day() {
    let moment = datetime!(2026-11-26 11:00 UTC);
    for (zone, day, time) in
        [("Pacific/Kiritimati", "Fri", "01:00"), ("UTC", "Thu", "11:00"), ("Etc/GMT+12", "Wed", "23:00")]
    {
        let world = in_zone(zone);
        assert!(holds_at(&world, &format!("[\"Current Day\", \"is\", \"{day}\"]"), moment), "{zone}");
        assert!(holds_at(&world, &format!("[\"Time Of Day\", \"is\", \"{time}\"]"), moment), "{zone}");
    }
    // Samoa left out the thirtieth of December 2011, a Friday.
    let world = in_zone("Pacific/Apia");
    let eve = datetime!(2011-12-30 09:59:59 UTC);
    assert!(holds_at(&world, r#"["Current Day", "is", "Thu"]"#, eve));
    assert!(holds_at(&world, r#"["Current Day", "is", "Sat"]"#, eve + Duration::seconds(1)));
    assert!(holds_at(&world, r#"["Current Date", "less than", "2011-12-30"]"#, eve));
    assert!(holds_at(
        &world,
        r#"["Current Date", "greater than", "2011-12-30"]"#,
        eve + Duration::seconds(1)
    ));
}
