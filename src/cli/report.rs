//! The report of a long run: CSV that grows by a row for each address, so that a second run goes on where the first was
//! stopped, however it was stopped.

use super::failure::{Code, Failure};
use crate::pki::Fingerprint;
use csv::Trim;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The first line.
const HEADING: &str = "address,outcome,detail";
/// A row has some hundred octets, and nobody has a hundred thousand accounts to issue to at once.
const LIMIT: u64 = 64 << 20;

/// Its cells.
type Row = Vec<String>;

/// What became of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has a new certificate; the detail is its fingerprint.
    Issued,
    /// There was nothing to do; the detail says why.
    Skipped,
    /// The detail says why. The next run tries again.
    Failed,
}

impl Outcome {
    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Issued => "issued",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "failed",
        }
    }
}

/// The file, if one is wanted, and whom earlier runs have dealt with.
#[derive(Default)]
pub(super) struct Report {
    file: Option<(File, PathBuf)>,
    /// Whole rows.
    rows: HashSet<Row>,
    /// Addresses.
    done: HashSet<String>,
    /// Fingerprints.
    issued: HashSet<String>,
}

impl Report {
    /// Opens the file before the command becomes the owner of the store. A last line that is not whole was being written
    /// when the run before was killed, and is taken away.
    pub(super) fn open(path: Option<&Path>) -> Result<Report, Failure> {
        let Some(path) = path else { return Ok(Report::default()) };
        let failed = |error| Failure::io("open the report", path.display(), &error);
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut file = opened.map_err(failed)?;
        if file.try_lock().is_err() {
            return Err(Failure::new(Code::TryAgain, format!("{} is in use by another run", path.display())));
        }
        let mut text = Vec::new();
        (&mut file).take(LIMIT + 1).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 > LIMIT {
            let text =
                format!("{} is longer than any report of this program: name a new file", path.display());
            return Err(Failure::new(Code::No, text));
        }
        let whole = text.iter().rposition(|octet| *octet == b'\n').map_or(0, |end| end + 1);
        let begun = HEADING.as_bytes().starts_with(&text);
        text.truncate(whole);
        let rows = text.strip_prefix(format!("{HEADING}\n").as_bytes());
        let rows = match rows {
            Some(rows) => read(rows),
            None if begun => HashSet::new(),
            None => {
                let text = format!("{} is no report of an earlier run: name a new file", path.display());
                return Err(Failure::new(Code::No, text));
            }
        };
        file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).map_err(failed)?;
        let mut report =
            Report { file: Some((file, path.to_owned())), done: done(&rows), issued: issued(&rows), rows };
        if whole == 0 {
            report.write(format!("{HEADING}\n").as_bytes())?;
        }
        Ok(report)
    }

    /// Did an earlier run deal with that address?
    pub(super) fn is_done(&self, address: &str) -> bool {
        self.done.contains(&address.to_ascii_lowercase())
    }

    /// Did an earlier run issue that certificate?
    pub(super) fn has_issued(&self, certificate: Fingerprint) -> bool {
        self.issued.contains(&certificate.to_string())
    }

    /// A row for an address. What is still so as an earlier run found it stands there already.
    pub(super) fn add(&mut self, address: &str, outcome: Outcome, detail: &str) -> Result<(), Failure> {
        if self.rows.contains([address, outcome.word(), detail].map(str::to_owned).as_slice()) {
            return Ok(());
        }
        let mut row = csv::Writer::from_writer(Vec::new());
        let written = row.write_record([address, outcome.word(), detail]);
        let row = written.ok().and_then(|()| row.into_inner().ok()).unwrap_or_default();
        self.write(&row)
    }

    /// In one call, so that a kill leaves little of half a row.
    fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        file.write_all(octets).map_err(|error| Failure::io("write the report", path.display(), &error))
    }
}

/// What earlier runs have written.
fn read(rows: &[u8]) -> HashSet<Row> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(rows);
    let records = reader.records().filter_map(Result::ok);
    records.map(|row| row.iter().map(str::to_owned).collect()).collect()
}

/// The addresses that have what they were to have. One that failed is tried again.
fn done(rows: &HashSet<Row>) -> HashSet<String> {
    let done = rows.iter().filter(|row| {
        [Outcome::Issued, Outcome::Skipped]
            .iter()
            .any(|outcome| row.get(1).is_some_and(|word| word == outcome.word()))
    });
    done.filter_map(|row| row.first().map(|address| address.to_ascii_lowercase())).collect()
}

/// The certificates that were issued.
fn issued(rows: &HashSet<Row>) -> HashSet<String> {
    let issued = rows.iter().filter(|row| row.get(1).is_some_and(|word| word == Outcome::Issued.word()));
    issued.filter_map(|row| row.get(2).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_second_run_knows_what_the_first_has_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let mut first = Report::open(Some(&path)).unwrap();
        first.add("bob@north.example", Outcome::Issued, "ab").unwrap();
        first.add("eve@north.example", Outcome::Failed, "why, \"so\"").unwrap();
        assert_eq!(Report::open(Some(&path)).err().unwrap().code, Code::TryAgain);
        drop(first);
        // Killed in the middle of a row.
        std::fs::write(&path, read(&path) + "dan@north.example,iss").unwrap();
        let mut second = Report::open(Some(&path)).unwrap();
        assert!(second.is_done("BOB@north.example"));
        assert!(!second.is_done("eve@north.example") && !second.is_done("dan@north.example"));
        second.add("eve@north.example", Outcome::Skipped, "it has one").unwrap();
        drop(second);
        assert!(Report::open(Some(&path)).unwrap().is_done("eve@north.example"));
        let wanted = "address,outcome,detail\nbob@north.example,issued,ab\n\
            eve@north.example,failed,\"why, \"\"so\"\"\"\neve@north.example,skipped,it has one\n";
        assert_eq!(read(&path), wanted);
    }

    /// What was not read must not be cut off either.
    #[test]
    fn a_file_that_is_too_long_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        std::fs::write(&path, format!("{HEADING}\nbob@north.example,issued,ab\n")).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(LIMIT + 1).unwrap();
        assert_eq!(Report::open(Some(&path)).err().unwrap().code, Code::No);
        assert_eq!(std::fs::metadata(&path).unwrap().len(), LIMIT + 1);
    }

    #[test]
    fn a_report_cut_in_its_first_line_begins_anew_and_another_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        std::fs::write(&path, "address,out").unwrap();
        drop(Report::open(Some(&path)).unwrap());
        assert_eq!(read(&path), "address,outcome,detail\n");
        std::fs::write(&path, "address,name\nbob@north.example,Bob\n").unwrap();
        let refused = Report::open(Some(&path)).err().unwrap();
        assert_eq!(
            refused.text,
            format!("{} is no report of an earlier run: name a new file", path.display())
        );
        assert_eq!(read(&path), "address,name\nbob@north.example,Bob\n");
    }
}
