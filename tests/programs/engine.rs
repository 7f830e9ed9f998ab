//! Many deliveries in one process, as a daemon would make them.

use super::assert_gone;
use super::deliveries::{House, MAIL, rule};
use sealpost::config::Config;
use sealpost::directory::SqliteDirectory;
use sealpost::engine::{Disposition, Engine, NoOutbox, Recipient, Request, RuleCache};
use sealpost::helper::SitePrograms;
use sealpost::mail::Address;
use sealpost::rules::Source;
use sealpost::store::MaildirStore;
use sealpost::system::{SystemClock, SystemEntropy};

const FILTER: &str = "echo $$ >> HERE/pids; read -r hello; echo '1 INTF 1'\n\
while read -r n word rest; do case $word in\n\
  FROM) sender=$rest ;;\n\
  DATA) head -c $rest > /dev/null; echo \"$n ADDHEADER X-Of: $sender\"; echo $n OK ;;\n\
esac; done\n";

fn pids(house: &House) -> Vec<i32> {
    house.read("pids").lines().map(|line| line.parse().unwrap()).collect()
}

/// Each message gets its own answer, however they come; few processes answer for all, and none is left.
#[test]
fn one_engine_asks_a_filter_about_many_messages() {
    let Some(house) = House::new("") else { return };
    house.script("filter", FILTER);
    house.rules("--server", &rule("[\"ExternalFilter\", \"spam\"]")).ok();
    let sorted = "[[rule]]\nname = \"s\"\npriority = 5\nwhen = [[\"Header Field\", \"is\", \"X-Of: <spam*\"]]\n\
                  then = [[\"Store Encrypted in\", \"Spam\"], [\"Discard\"]]\n";
    house.rules("--account bob@north.example", sorted).ok();
    let root = house.0.root();
    let config = Config::load(&root).unwrap();
    let store = MaildirStore::new(&root, &config.mail_root).unwrap();
    let (programs, rules) = (SitePrograms::new(&config.programs), RuleCache::default());
    let deliver = |directory: &SqliteDirectory, sender: &str| {
        let engine = Engine {
            directory,
            store: &store,
            clock: &SystemClock,
            entropy: &SystemEntropy,
            built_in: &config.trust_bundle,
            outbox: &NoOutbox,
            helpers: &programs,
            rules: &rules,
            settings: &config.settings,
        };
        let address = Address::parse("bob@north.example").unwrap();
        let outcome = engine.deliver(&Request {
            large: None,
            message: MAIL,
            sender: Some(sender.into()),
            recipients: vec![Recipient { address, original: None }],
            source: Source::Lmtp,
            client: None,
            queue_id: None,
            known_by_content: false,
            until: None,
        });
        assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    };
    let directory = SqliteDirectory::open_for_reading(&root).unwrap();
    ["eve@x.example", "spam@x.example", "eve@x.example"]
        .iter()
        .for_each(|sender| deliver(&directory, sender));
    assert_eq!(pids(&house).len(), 1, "one after another");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let directory = SqliteDirectory::open_for_reading(&root).unwrap();
                deliver(&directory, "spam@x.example");
                deliver(&directory, "eve@x.example");
            });
        }
    });
    assert!(pids(&house).len() <= 4, "side by side");
    let messages: Vec<String> =
        house.messages().into_iter().filter(|name| !name.ends_with("/maildirfolder")).collect();
    let spam = messages.iter().filter(|name| name.contains("/.Spam/")).count();
    assert_eq!((messages.len(), spam), (15, 7));
    drop(programs);
    assert_gone(&pids(&house));
}
