//! `dovecot-uidlist`: the numbers by which IMAP clients know the messages of one mailbox.
//!
//! Version 3: a header `3 V… N… G…`, then a line a message, `uid fields :file name`, in the order of the numbers. Dovecot
//! writes it anew under a lock and renames it, or appends to it, so that one look sees one state.

use super::StoredMailbox;
use super::name;
use super::regular;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

/// Octets of a line: a file name has 255 at most, and the fields in front of it a few dozen.
const LONGEST_LINE: u64 = 4096;
/// Octets of a list that are looked at: ten million messages.
const LONGEST_LIST: u64 = 1 << 30;

/// Why a mailbox does not tell which message a number names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UidListError {
    /// It cannot be read; where it is missing, Dovecot never saw the mailbox.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's word.
        #[source]
        source: io::Error,
    },
    /// It is not what Dovecot writes today.
    #[error("{path}, line {line}: {reason}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        reason: &'static str,
    },
}

impl StoredMailbox {
    /// The base names of the files with these numbers, as far as the list has them. It is read to its end, once, and
    /// nothing else of it is kept.
    pub fn names_of_uids(&self, wanted: &BTreeSet<u32>) -> Result<BTreeMap<u32, String>, UidListError> {
        let path = self.folder.join("dovecot-uidlist");
        match regular::open(&path) {
            Ok(file) => names(file, wanted).map_err(|fault| fault.at(path)),
            Err(source) => Err(UidListError::Io { path, source }),
        }
    }
}

enum Fault {
    Io(io::Error),
    Line(u64, &'static str),
}

impl Fault {
    fn at(self, path: PathBuf) -> UidListError {
        match self {
            Fault::Io(source) => UidListError::Io { path, source },
            Fault::Line(line, reason) => UidListError::Broken { path, line, reason },
        }
    }
}

fn names(list: impl Read, wanted: &BTreeSet<u32>) -> Result<BTreeMap<u32, String>, Fault> {
    let mut list = BufReader::new(list.take(LONGEST_LIST + 1));
    let (mut found, mut before, mut total, mut number) = (BTreeMap::new(), 0, 0, 0);
    let mut line = Vec::new();
    while read_line(&mut list, &mut line, number + 1)? {
        number += 1;
        total += line.len() as u64 + 1;
        let broken = |reason| Fault::Line(number, reason);
        let text = std::str::from_utf8(&line).map_err(|_| broken("it is no UTF-8"))?;
        match number {
            _ if total > LONGEST_LIST => return Err(broken("the list is larger than 1 GiB")),
            1 => check_header(text).map_err(broken)?,
            _ => {
                let (uid, file_name) =
                    entry(text).ok_or_else(|| broken("it is no number, fields and name"))?;
                if uid <= before {
                    return Err(broken("its number is not greater than the one before"));
                }
                before = uid;
                if wanted.contains(&uid) {
                    found.insert(uid, name::base(file_name).to_owned());
                }
            }
        }
    }
    if number == 0 { Err(Fault::Line(1, "it is empty")) } else { Ok(found) }
}

/// Reads a line without its end; false at the end of the file. A last line without an end is one that Dovecot is about to
/// write, and is left out.
fn read_line(list: &mut impl BufRead, line: &mut Vec<u8>, number: u64) -> Result<bool, Fault> {
    line.clear();
    list.take(LONGEST_LINE).read_until(b'\n', line).map_err(Fault::Io)?;
    match line.pop() {
        Some(b'\n') => Ok(true),
        Some(_) if line.len() as u64 + 1 == LONGEST_LINE => Err(Fault::Line(number, "it is too long")),
        _ => Ok(false),
    }
}

fn check_header(line: &str) -> Result<(), &'static str> {
    let mut words = line.split(' ');
    if words.next() != Some("3") {
        return Err("it is no list of version 3, which Dovecot writes since 1.1");
    }
    let mut words = words.filter(|word| !word.is_empty());
    if words.all(|word| word.starts_with(|letter: char| letter.is_ascii_uppercase())) {
        Ok(())
    } else {
        Err("the header is not that of version 3")
    }
}

/// `uid [fields ]:file name`.
fn entry(line: &str) -> Option<(u32, &str)> {
    let (front, file_name) = line.split_once(" :")?;
    let (uid, _) = front.split_once(' ').unwrap_or((front, ""));
    let digits = !uid.is_empty() && uid.bytes().all(|digit| digit.is_ascii_digit());
    let usable = !file_name.is_empty() && !file_name.contains(['/', '\0']);
    (digits && usable).then(|| uid.parse().ok()).flatten().map(|uid| (uid, file_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str, wanted: &[u32]) -> Result<Vec<(u32, String)>, String> {
        let wanted = wanted.iter().copied().collect();
        let found = names(text.as_bytes(), &wanted).map(|found| found.into_iter().collect());
        found.map_err(|fault| fault.at("list".into()).to_string())
    }

    const HEADER: &str = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n";

    #[test]
    fn numbers_lead_to_base_names() {
        let list = format!(
            "{HEADER}25006 W4242 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,S\n25017 :1276533073.x\n"
        );
        let base = "1276528487.M364837P9451.kurkku,S=1355,W=1394".to_owned();
        assert_eq!(look(&list, &[1, 25006]), Ok(vec![(25006, base)]));
        assert_eq!(look(&list, &[25017]), Ok(vec![(25017, "1276533073.x".to_owned())]));
        assert_eq!(look(HEADER, &[1]), Ok(vec![]), "no message yet");
        assert_eq!(look(&format!("{list}25018 :12765"), &[25018]), Ok(vec![]), "it is being written");
    }

    #[test]
    fn what_is_no_list_of_version_3_is_refused() {
        for (list, fault) in [
            ("", "list, line 1: it is empty"),
            (
                "1 1275660208 25022\n",
                "list, line 1: it is no list of version 3, which Dovecot writes since 1.1",
            ),
            ("30 V1 N1\n", "list, line 1: it is no list of version 3, which Dovecot writes since 1.1"),
            ("3 V1 n1\n", "list, line 1: the header is not that of version 3"),
            ("3 V1 N3\nx :a\n", "list, line 2: it is no number, fields and name"),
            ("3 V1 N3\n-1 :a\n", "list, line 2: it is no number, fields and name"),
            ("3 V1 N3\n4294967296 :a\n", "list, line 2: it is no number, fields and name"),
            ("3 V1 N3\n1 a\n", "list, line 2: it is no number, fields and name"),
            ("3 V1 N3\n1 :\n", "list, line 2: it is no number, fields and name"),
            ("3 V1 N3\n1 :../../etc/passwd\n", "list, line 2: it is no number, fields and name"),
            ("3 V1 N3\n2 :a\n2 :b\n", "list, line 3: its number is not greater than the one before"),
            ("3 V1 N3\n0 :a\n", "list, line 2: its number is not greater than the one before"),
        ] {
            assert_eq!(look(list, &[1, 2]), Err(fault.to_owned()), "{list}");
        }
        let latin = names(&b"3 V1 N3\n1 :\xe4\n"[..], &[1].into()).map_err(|fault| fault.at("list".into()));
        assert_eq!(latin.unwrap_err().to_string(), "list, line 2: it is no UTF-8");
    }

    #[test]
    fn a_line_that_does_not_end_costs_its_beginning() {
        let endless = HEADER.as_bytes().chain(io::repeat(b'1'));
        let fault = names(endless, &[1].into()).map_err(|fault| fault.at("list".into()));
        assert_eq!(fault.unwrap_err().to_string(), "list, line 2: it is too long");
    }
}
