//! The one place that writes to standard output. A reader that went away (`| head`) is no error.

use super::failure::{Code, Failure};
use serde_json::Value;
use std::io::{self, Write};

/// Writes all of it or gives up without a word.
pub(super) fn write_quietly(to: &mut impl Write, bytes: &[u8]) {
    let _ = to.write_all(bytes).and_then(|()| to.flush());
}

/// Standard output, as text for a person or JSON for a program.
pub(crate) struct Output {
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Silent,
}

impl Output {
    pub(super) fn new(json: bool) -> Output {
        Output { form: if json { Form::Json } else { Form::Text } }
    }

    /// For a command that another one runs: says nothing.
    pub(crate) fn silent() -> Output {
        Output { form: Form::Silent }
    }

    /// Bytes as they are (a filter's result).
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.form == Form::Silent {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Code::Io, format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// One line of text; silent where JSON is wanted.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        if self.form != Form::Text { Ok(()) } else { self.bytes(format!("{}\n", text.as_ref()).as_bytes()) }
    }

    /// An aligned table; silent where JSON is wanted.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        if self.form != Form::Text { Ok(()) } else { self.bytes(table.layout().as_bytes()) }
    }

    /// One JSON object on one line, with `"v":1` added; silent where text is wanted.
    pub(crate) fn json(&mut self, mut value: Value) -> Result<(), Failure> {
        if self.form != Form::Json {
            return Ok(());
        }
        if let Some(object) = value.as_object_mut() {
            object.insert("v".into(), 1.into());
        }
        self.bytes(format!("{value}\n").as_bytes())
    }
}

/// Rows of cells under headings, aligned by the widest cell.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Table {
        Table { rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()] }
    }

    /// A table without headings.
    pub(crate) fn bare() -> Table {
        Table { rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn layout(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(|column| self.width(column)).collect();
        self.rows.iter().map(|row| Self::line(row, &widths)).collect()
    }

    fn width(&self, column: usize) -> usize {
        self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    }

    fn line(row: &[String], widths: &[usize]) -> String {
        let cells: String = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}  ")).collect();
        format!("{}\n", cells.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["name", "size"]);
        table.row(["a long one".to_owned(), "1".to_owned()]);
        table.row(["b".to_owned(), "1000".to_owned()]);
        assert_eq!(table.layout(), "name        size\na long one  1\nb           1000\n");
    }
}
