//! Where an account's Maildir lies, and its files.

use super::folder::folder_name;
use crate::mail::{Address, MailboxName};
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

/// Where a template has the local part.
const LOCAL: &str = "{local}";

/// The template of the Maildirs' place, checked.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// What is there before any account is: never made by a delivery.
    base: PathBuf,
    /// Below the base, with placeholders.
    levels: Vec<String>,
}

/// Why a template is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{template}\" is no place for the mail or the files of accounts: {reason}")]
pub struct TemplateError {
    /// What was given.
    pub template: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Layout {
    /// Reads `mail/{domain}/{local}/Maildir`: below the root, or with a leading `/` anywhere.
    pub(super) fn new(root: &Path, template: &str) -> Result<Layout, TemplateError> {
        let wrong = |reason| TemplateError { template: template.into(), reason };
        if !template.contains("{local}") || !template.contains("{domain}") {
            return Err(wrong("{local} and {domain} must both be in it, or accounts would share one"));
        }
        if template.replace("{local}", "").replace("{domain}", "").contains(['{', '}']) {
            return Err(wrong("{local} and {domain} are the only words in braces"));
        }
        let path = Path::new(template);
        if path.components().any(|part| matches!(part, Component::ParentDir | Component::CurDir)) {
            return Err(wrong("\".\" and \"..\" are not allowed"));
        }
        Ok(Layout::split(root, path))
    }

    /// The base of a template below the root is the root; that of another is what stands before the first placeholder.
    fn split(root: &Path, path: &Path) -> Layout {
        let mut base = root.to_owned();
        let mut levels = Vec::new();
        for part in path.components() {
            match part {
                Component::Normal(level) if path.is_relative() || !levels.is_empty() || has_word(level) => {
                    levels.push(level.to_string_lossy().into_owned());
                }
                part => base.push(part),
            }
        }
        Layout { base, levels }
    }

    /// What must exist.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// The account's Maildir, or the folder of its files. The domain and the local part cannot lead out of their level: see [`escape`].
    pub(super) fn maildir(&self, owner: &Address) -> PathBuf {
        let local = escape(&owner.local().to_ascii_lowercase());
        let domain = escape(owner.domain());
        let fill = |level: &String| level.replace("{local}", &local).replace("{domain}", &domain);
        self.levels.iter().fold(self.base.clone(), |path, level| path.join(fill(level)))
    }

    /// The folder whose entries are named after the owners of a domain.
    pub(super) fn owners(&self, domain: &str) -> PathBuf {
        let domain = escape(domain);
        let above = self.levels.iter().take_while(|level| !level.contains(LOCAL));
        above.fold(self.base.clone(), |path, level| path.join(level.replace("{domain}", &domain)))
    }

    /// Whom an entry of that folder is named after.
    pub(super) fn owner(&self, domain: &str, entry: &str) -> Option<Address> {
        let level = self.levels.iter().find(|level| level.contains(LOCAL))?;
        let level = level.replace("{domain}", &escape(domain));
        let (before, _) = level.split_once(LOCAL)?;
        let length = entry.len().checked_sub(level.replace(LOCAL, "").len())?;
        let local = entry.get(before.len()..)?.get(..length / level.matches(LOCAL).count())?;
        let owner = Address::parse(&format!("{}@{domain}", unescape(local)?)).ok()?;
        self.maildir(&owner).starts_with(self.owners(domain).join(entry)).then_some(owner)
    }

    /// The folder of one mailbox.
    pub(super) fn mailbox(&self, owner: &Address, mailbox: &MailboxName) -> PathBuf {
        let maildir = self.maildir(owner);
        match folder_name(mailbox) {
            Some(folder) => maildir.join(folder),
            None => maildir,
        }
    }
}

fn has_word(level: &std::ffi::OsStr) -> bool {
    level.to_string_lossy().contains('{')
}

/// The text as one level of a path, one to one: `%XX` for `/`, `%`, `{`, `}`, a leading `.`, spaces, quotes, backslashes and
/// controls; `%` alone for the empty text. Letters and digits of every alphabet and the rest of RFC 5322's atext stay,
/// so that Dovecot's `%d` and `%n` give the same path.
fn escape(text: &str) -> String {
    if text.is_empty() {
        return "%".into();
    }
    let mut out = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        if char.is_alphanumeric() || "!#$&'*+-=?^_`|~@".contains(char) || (char == '.' && at > 0) {
            out.push(char);
        } else {
            char.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| {
                let _ = write!(out, "%{byte:02x}");
            });
        }
    }
    out
}

/// What [`escape`] was given; nothing if it gives no such text.
fn unescape(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut octets = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        octets.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        octets.extend_from_slice(piece.get(2..)?.as_bytes());
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn layout(template: &str) -> Layout {
        Layout::new(Path::new("/store"), template).unwrap()
    }

    fn reason(template: &str) -> &'static str {
        Layout::new(Path::new("/store"), template).unwrap_err().reason
    }

    #[test]
    fn the_template_is_filled_in() {
        let bob = Address::parse("Bob.B@north.example").unwrap();
        let maildir = layout("mail/{domain}/{local}/Maildir").maildir(&bob);
        assert_eq!(maildir, Path::new("/store/mail/north.example/bob.b/Maildir"));
    }

    #[test]
    fn the_base_is_what_no_delivery_makes() {
        assert_eq!(layout("mail/{domain}/{local}").base(), Path::new("/store"));
        assert_eq!(layout("/var/vmail/{domain}/{local}/Maildir").base(), Path::new("/var/vmail"));
    }

    #[test]
    fn a_folder_names_its_owner() {
        for template in
            ["mail/{domain}/{local}/Maildir", "/var/{domain}-{local}-{local}.d/m", "{local}/{domain}"]
        {
            let layout = layout(template);
            for local in ["bob", "b.o-b", "\"a b%\"", "\"..\"", "jürgen"] {
                let owner = Address::parse(&format!("{local}@north.example")).unwrap();
                let maildir = layout.maildir(&owner);
                let below = maildir.strip_prefix(layout.owners("north.example")).unwrap();
                let entry = below.iter().next().unwrap().to_str().unwrap();
                assert_eq!(layout.owner("north.example", entry), Some(owner), "{maildir:?}");
            }
            for entry in ["", "%", "%zz", "a%2", "Bob"] {
                assert_eq!(layout.owner("north.example", entry), None, "{entry}");
            }
        }
        let twice = layout("{domain}-{local}-{local}");
        assert_eq!(twice.owner("north.example", "north.example-a-b"), None);
    }

    #[test]
    fn wrong_templates_are_refused() {
        assert!(reason("mail/{domain}").starts_with("{local} and {domain} must both"));
        assert!(reason("mail/{domain}/{local}/{user}").ends_with("only words in braces"));
        assert!(reason("../{domain}/{local}").ends_with("not allowed"));
    }

    #[test]
    fn odd_local_parts_stay_in_their_level() {
        assert_eq!(escape(".."), "%2e.");
        assert_eq!(escape("."), "%2e");
        assert_eq!(escape("a/b"), "a%2fb");
        assert_eq!(escape("a%2fb"), "a%252fb");
        assert_eq!(escape("{domain}"), "%7bdomain%7d");
        assert_eq!(escape(""), "%");
    }

    proptest! {
        #[test]
        fn escaping_is_one_to_one_and_one_level(one in ".{0,20}", other in ".{0,20}") {
            let escaped = escape(&one);
            let path = Path::new(&escaped);
            prop_assert!(matches!(path.components().collect::<Vec<_>>()[..], [Component::Normal(_)]));
            prop_assert!(!escaped.contains('\0'));
            prop_assert!(one.is_empty() || unescape(&escaped).as_ref() == Some(&one));
            prop_assert_eq!(one == other, escaped == escape(&other));
        }
    }
}
