//! The command line of the hook as an MTA writes it, read without clap: to lay out what all verbs take, or only the hook, costs
//! more than to seal the message. What is written in any other way is left to clap, so that nothing is said twice.

use super::context::{DEFAULT_ROOT, Global, ROOT};
use super::deliver::Deliver;
use super::envelope::{Envelope, HookSource};
use clap::ValueEnum;
use std::ffi::OsString;

/// What the words say, each once.
#[derive(Default)]
struct Said<'a> {
    verb: bool,
    json: bool,
    root: Option<&'a str>,
    sender: Option<&'a str>,
    client: Option<&'a str>,
    source: Option<&'a str>,
    queue_id: Option<&'a str>,
    recipients: Vec<String>,
    originals: Vec<String>,
}

/// The same as clap gives, or nothing: for clap to read, or to refuse.
pub(super) fn read(args: &[OsString]) -> Option<(Global, Deliver)> {
    let mut said = Said::default();
    let mut words = args.iter().skip(1);
    while let Some(word) = words.next() {
        let word = word.to_str()?;
        match (word.split_once('='), word) {
            (None, "deliver") if !said.verb => said.verb = true,
            (None, "--json") if !said.json => said.json = true,
            (None, name) => {
                said.take(name, words.next()?.to_str().filter(|value| !value.starts_with('-'))?)?
            }
            (Some((name, value)), _) => said.take(name, value)?,
        }
    }
    said.whole()
}

impl<'a> Said<'a> {
    fn take(&mut self, name: &str, value: &'a str) -> Option<()> {
        // Before the verb they are none of its options.
        if !self.verb && name != "--root" {
            return None;
        }
        let list = match name {
            "--recipient" => Some(&mut self.recipients),
            "--original-recipient" => Some(&mut self.originals),
            _ => None,
        };
        if let Some(list) = list {
            list.push(value.to_owned());
            return Some(());
        }
        let place = match name {
            "--root" => &mut self.root,
            "--sender" => &mut self.sender,
            "--client" => &mut self.client,
            "--source" => &mut self.source,
            "--queue-id" => &mut self.queue_id,
            _ => return None,
        };
        place.replace(value).is_none().then_some(())
    }

    fn whole(self) -> Option<(Global, Deliver)> {
        if !self.verb || self.recipients.is_empty() {
            return None;
        }
        let root = self.root.map(OsString::from).or_else(|| std::env::var_os(ROOT));
        let root = root.unwrap_or_else(|| DEFAULT_ROOT.into());
        let source = self.source.map_or(Ok(HookSource::default()), |word| HookSource::from_str(word, false));
        let envelope = Envelope {
            recipient: self.recipients,
            sender: self.sender.map(str::to_owned),
            original_recipient: self.originals,
            client: self.client.map(str::to_owned),
            source: source.ok()?,
        };
        let verb = Deliver::of_one(envelope, self.queue_id.map(str::to_owned));
        (!root.is_empty()).then(|| (Global { root: root.into(), json: self.json }, verb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn args(words: &[&str]) -> Vec<OsString> {
        std::iter::once(&"sealpost").chain(words).map(OsString::from).collect()
    }

    fn by_clap(args: &[OsString]) -> Option<String> {
        let cli = super::super::parse(args).ok()?;
        let super::super::Verb::Deliver(verb) = cli.verb else { return None };
        Some(format!("{:?} {verb:?}", cli.global))
    }

    fn by_words(args: &[OsString]) -> Option<String> {
        read(args).map(|(global, verb)| format!("{global:?} {verb:?}"))
    }

    #[test]
    fn the_lines_for_postfix_are_plain_words() {
        let line = "--root /srv/x deliver --sender= --recipient=a@b --recipient c@d --original-recipient= \
            --original-recipient=x --client 192.0.2.1 --source=lmtp --queue-id 4Z --json";
        let args = args(&line.split_whitespace().collect::<Vec<_>>());
        assert!(by_words(&args).is_some());
        assert_eq!(by_words(&args), by_clap(&args));
    }

    const PLAIN: &[&str] = &[
        "--json",
        "--root=/x",
        "--sender=",
        "--sender=a=b",
        "--recipient=c@d",
        "--recipient=",
        "--original-recipient=x",
        "--client=::1",
        "--source=pipe",
        "--source=trusted",
        "--queue-id=q",
    ];
    const ODD: &[&str] = &[
        "",
        "",
        "-",
        "--",
        "-h",
        "--help",
        "deliver",
        "lmtp",
        "a@b",
        "open",
        "--root",
        "--root=",
        "--sender",
        "--recipient",
        "--original-recipient",
        "--client",
        "--queue-id",
        "--source",
        "--source=Pipe",
        "--json=true",
        "--jso",
        "--recip=a",
        "--batch=x",
        "--format=mboxo",
        "--recipient-field=To",
        "--nonsense",
    ];

    fn lines() -> impl Strategy<Value = Vec<&'static str>> {
        let words =
            |from: &'static [&'static str], most| prop::collection::vec(prop::sample::select(from), 0..most);
        let line = (words(PLAIN, 5), words(ODD, 3)).prop_map(|(plain, odd)| {
            ["deliver", "--recipient=a@b"].into_iter().chain(plain).chain(odd).collect::<Vec<_>>()
        });
        line.prop_shuffle()
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_clap_reads(words in lines()) {
            let args = args(&words);
            if let Some(read) = by_words(&args) {
                prop_assert_eq!(Some(read), by_clap(&args), "{:?}", words);
            }
        }
    }
}
