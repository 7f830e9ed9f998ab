//! The list of a bulk issue: CSV whose first line names the columns, then an account a line. It is typed by people and
//! written by spreadsheets, so a wrong line is told by its number and the others stand.

use super::key_type::edits;
use super::{KeyType, PkiError};
use crate::mail::{Address, AddressError};
use csv::{ByteRecord, Trim};
use std::collections::HashMap;

/// The columns, and what they hold.
pub const BULK_COLUMNS: [(&str, &str); 5] = [
    ("address", "the account"),
    ("type", "the kind of the key that is made for it"),
    ("name", "the person's name; the address if it is empty"),
    ("request", "a file with the person's own request; then no key is made"),
    ("password-file", "a file whose first line is the Secure Mail password of the key that is made"),
];

/// What a spreadsheet puts in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One account that is to have a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkLine {
    /// Where it stands in the file, from 1 on.
    pub line: u64,
    /// The account.
    pub address: Address,
    /// The kind of the key that is made.
    pub kind: Option<KeyType>,
    /// The person's name.
    pub name: Option<String>,
    /// The file with the person's own request.
    pub request: Option<String>,
    /// The file with the password of the key that is made.
    pub password_file: Option<String>,
}

/// A line that cannot stand.
#[derive(Debug)]
pub struct BadLine {
    /// Where it stands in the file, from 1 on.
    pub line: u64,
    /// What is wrong with it.
    pub fault: BulkFault,
}

/// What is wrong with the list as a whole, or with a line of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BulkFault {
    /// Nothing there.
    #[error("the file is empty: its first line must name the columns, {}", columns())]
    Empty,
    /// A heading that means nothing.
    #[error(
        "there is no column \"{name}\"; did you mean {nearest}? The first line must name the columns, {}",
        columns()
    )]
    UnknownColumn {
        /// As it is written.
        name: String,
        /// The column that looks most like it.
        nearest: &'static str,
    },
    /// A heading that stands twice.
    #[error("the column {0} stands twice")]
    ColumnTwice(&'static str),
    /// No account can be found.
    #[error("the column address is missing: the first line must name the columns, {}", columns())]
    NoAddressColumn,
    /// Not UTF-8.
    #[error("it is not in UTF-8")]
    Encoding,
    /// More or fewer fields than columns.
    #[error("it has {found} fields, and the first line names {wanted} columns")]
    Fields {
        /// In this line.
        found: usize,
        /// In the first one.
        wanted: usize,
    },
    /// No mail address.
    #[error(transparent)]
    Address(AddressError),
    /// A kind of key that is not made.
    #[error(transparent)]
    KeyType(PkiError),
    /// A request beside what makes a key.
    #[error("a request brings its own key: type and password-file must be empty beside it")]
    RequestAndKey,
    /// An account that stands twice.
    #[error("{address} stands in line {first} already")]
    Twice {
        /// The account.
        address: Address,
        /// Where it stood first.
        first: u64,
    },
}

fn columns() -> String {
    BULK_COLUMNS.map(|(name, _)| name).join(", ")
}

/// Reads the list. The error is one that no line can stand with; else each line with its number, or what is wrong with it.
/// Lines of nothing but separators are passed over. Where the first line has semicolons and no comma, they separate.
pub fn read_bulk(bytes: &[u8]) -> Result<Vec<Result<BulkLine, BadLine>>, BulkFault> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).trim(Trim::All).delimiter(separator(bytes));
    let mut reader = builder.from_reader(bytes);
    // A reader over octets in memory has no other error than one of UTF-8, and for bytes not even that.
    let mut records = reader.byte_records().map_while(Result::ok);
    let headings = headings(&records.next().ok_or(BulkFault::Empty)?)?;
    let mut seen = HashMap::new();
    let full = records.filter(|record| record.iter().any(|field| !field.is_empty()));
    let mut lines = Lines { bytes, at: 0, line: 1 };
    let lines = full.map(|record| {
        let line = lines.of(&record);
        read_line(&headings, &record, line, &mut seen).map_err(|fault| BadLine { line, fault })
    });
    Ok(lines.collect())
}

/// Counts lines as an editor shows them. The reader's own count is behind after CRLF and empty lines.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// Records are asked for in their order.
    fn of(&mut self, record: &ByteRecord) -> u64 {
        let begin = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let end = begin + rest.iter().take_while(|octet| matches!(**octet, b'\r' | b'\n')).count();
        let feeds = self.bytes.get(self.at..end).unwrap_or_default().iter().filter(|octet| **octet == b'\n');
        let pairs = self.bytes.get(self.at..self.bytes.len().min(end + 1)).unwrap_or_default().windows(2);
        let lone = pairs.filter(|pair| matches!(pair, [b'\r', after] if *after != b'\n'));
        self.line += (feeds.count() + lone.count()) as u64;
        self.at = end;
        self.line
    }
}

fn separator(bytes: &[u8]) -> u8 {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first.contains(&b';') && !first.contains(&b',') { b';' } else { b',' }
}

/// Which column stands where.
fn headings(first: &ByteRecord) -> Result<Vec<&'static str>, BulkFault> {
    let mut found = Vec::with_capacity(first.len());
    for field in first {
        let name = std::str::from_utf8(field).map_err(|_| BulkFault::Encoding)?;
        let known = BULK_COLUMNS.iter().map(|(known, _)| *known);
        let Some(column) = known.clone().find(|known| known.eq_ignore_ascii_case(name)) else {
            let nearest = known.min_by_key(|known| edits(known, &shortened(name))).unwrap_or_default();
            return Err(BulkFault::UnknownColumn { name: shortened(name), nearest });
        };
        if found.contains(&column) {
            return Err(BulkFault::ColumnTwice(column));
        }
        found.push(column);
    }
    if found.contains(&"address") { Ok(found) } else { Err(BulkFault::NoAddressColumn) }
}

/// A file that is no list can have a first line of megabytes.
fn shortened(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

fn read_line(
    headings: &[&'static str],
    record: &ByteRecord,
    line: u64,
    seen: &mut HashMap<String, u64>,
) -> Result<BulkLine, BulkFault> {
    if record.len() != headings.len() {
        return Err(BulkFault::Fields { found: record.len(), wanted: headings.len() });
    }
    let field = |name: &str| {
        let (_, field) = headings.iter().zip(record).find(|(heading, _)| **heading == name)?;
        Some(field).filter(|field| !field.is_empty())
    };
    let text = |name| field(name).map(std::str::from_utf8).transpose().map_err(|_| BulkFault::Encoding);
    let owned = |name| text(name).map(|text| text.map(str::to_owned));
    let address = read_address(text("address")?.unwrap_or_default())?;
    let kind =
        text("type")?.map(|name| KeyType::parse(&shortened(name))).transpose().map_err(BulkFault::KeyType)?;
    let (request, password_file) = (owned("request")?, owned("password-file")?);
    if request.is_some() && (kind.is_some() || password_file.is_some()) {
        return Err(BulkFault::RequestAndKey);
    }
    match seen.insert(address.to_string().to_ascii_lowercase(), line) {
        Some(first) => {
            seen.insert(address.to_string().to_ascii_lowercase(), first);
            Err(BulkFault::Twice { address, first })
        }
        None => Ok(BulkLine { line, address, kind, name: owned("name")?, request, password_file }),
    }
}

fn read_address(text: &str) -> Result<Address, BulkFault> {
    Address::parse(text).map_err(|error| BulkFault::Address(AddressError { text: shortened(text), ..error }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line as it is shown: an address, or the number and the fault.
    fn read(text: &str) -> Vec<String> {
        let shown = |line| match line {
            Ok(BulkLine { line, address, kind, name, request, password_file }) => {
                let kind = kind.map(KeyType::name);
                format!("{line} {address} {kind:?} {name:?} {request:?} {password_file:?}")
            }
            Err(BadLine { line, fault }) => format!("{line}: {fault}"),
        };
        read_bulk(text.as_bytes()).unwrap().into_iter().map(shown).collect()
    }

    fn fault(text: &[u8]) -> String {
        read_bulk(text).unwrap_err().to_string()
    }

    #[test]
    fn a_list_of_people_and_of_a_spreadsheet() {
        let text = "address,name,type\nbob@north.example,\"Berg, Bob\",ec-p256\n\n,,\neve@north.example,,\n";
        let wanted = [
            "2 bob@north.example Some(\"ec-p256\") Some(\"Berg, Bob\") None None",
            "5 eve@north.example None None None None",
        ];
        assert_eq!(read(text), wanted);
        let excel =
            "\u{feff}Address;Password-File;Request\r\nbob@north.example; bob.password ;\r\n\r\nbob\r\n";
        let wanted = [
            "2 bob@north.example None None None Some(\"bob.password\")",
            "4: it has 1 fields, and the first line names 3 columns",
        ];
        assert_eq!(read(excel), wanted);
        let quoted = "address,name\n\n\nbob@north.example,\"Bob\nBerg\"\neve\n";
        assert_eq!(read("address\r\rbob@north.example\rbob\r").len(), 2);
        assert_eq!(read("address\rbob@\r")[0].split(':').next(), Some("2"));
        assert_eq!(read(quoted)[1], "6: it has 1 fields, and the first line names 2 columns");
        assert_eq!(
            read("request,address\nbob.csr,bob@north.example"),
            ["2 bob@north.example None None Some(\"bob.csr\") None"]
        );
    }

    #[test]
    fn a_wrong_line_is_told_and_the_others_stand() {
        let text = "address,type,request,password-file\nbob\nbob@,,,\nbob@north.example,ec256,,\n\
            BOB@north.example,,,\nbob@North.example,,,\neve@north.example,ec-p256,eve.csr,\n\
            eve@north.example,,,eve.password\n";
        let wanted = [
            "2: it has 1 fields, and the first line names 4 columns",
            "3: \"bob@\" is no mail address: nothing stands after the @",
            "4: there is no key type \"ec256\"; did you mean ec-p256?",
            "5 BOB@north.example None None None None",
            "6: bob@north.example stands in line 5 already",
            "7: a request brings its own key: type and password-file must be empty beside it",
            "8 eve@north.example None None None Some(\"eve.password\")",
        ];
        assert_eq!(read(text), wanted);
        let bad = read_bulk(b"address\n\xff@north.example\n").unwrap().remove(0).unwrap_err();
        assert_eq!((bad.line, bad.fault.to_string().as_str()), (2, "it is not in UTF-8"));
    }

    #[test]
    fn a_file_that_is_no_list_is_named() {
        let all = "address, type, name, request, password-file";
        let columns = format!("first line must name the columns, {all}");
        assert_eq!(fault(b""), format!("the file is empty: its {columns}"));
        assert_eq!(
            fault(b"adress,name\n"),
            format!("there is no column \"adress\"; did you mean address? The {columns}")
        );
        assert_eq!(fault(b"name,type\n"), format!("the column address is missing: the {columns}"));
        assert_eq!(fault(b"address,ADDRESS\n"), "the column address stands twice");
        assert_eq!(fault(b"\xff\n"), "it is not in UTF-8");
        assert_eq!(fault(&[b'x'; 100_000]).len(), fault(&[b'x'; 64]).len());
    }
}
