//! The one place that writes to standard output. A reader that went away (`| head`) is no error.

use super::failure::{Code, Failure};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Writes all of it or gives up without a word.
pub(super) fn write_quietly(to: &mut impl Write, bytes: &[u8]) {
    let _ = to.write_all(bytes).and_then(|()| to.flush());
}

/// Writes to standard output.
pub(super) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    told(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

/// Writes a piece of a long result to standard output; the caller decides what a reader that went away means.
pub(super) fn print_piece(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

fn told(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says beside the result what should be known about it.
pub(super) fn warn(text: &str) {
    write_quietly(&mut io::stderr(), format!("sealpost: warning: {text}\n").as_bytes());
}

/// Tells a person at a terminal what is waited for; silent everywhere else.
pub(super) fn tell_terminal(text: &str) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        write_quietly(&mut stderr, format!("sealpost: {text}\n").as_bytes());
    }
}

/// Standard output, as text for a person or JSON for a program.
pub(super) struct Output {
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
    pub(super) fn silent() -> Output {
        Output { form: Form::Silent }
    }

    /// Bytes as they are (a filter's result).
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.form == Form::Silent {
            return Ok(());
        }
        print(bytes)
    }

    /// A piece of a filter's result; the caller decides what a reader that went away means.
    pub(super) fn piece(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.form == Form::Silent { Ok(()) } else { print_piece(bytes) }
    }

    /// One line of text; silent where JSON is wanted.
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        if self.form != Form::Text { Ok(()) } else { self.bytes(format!("{}\n", text.as_ref()).as_bytes()) }
    }

    /// An aligned table; silent where JSON is wanted. One row is one line, but for a person at a terminal.
    pub(super) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        let width = io::stdout().is_terminal().then_some(TERMINAL_WIDTH);
        if self.form != Form::Text { Ok(()) } else { self.bytes(table.layout(width).as_bytes()) }
    }

    /// What takes seconds says so to a person who waits.
    pub(super) fn working(&self, text: &str) {
        if self.form == Form::Text {
            tell_terminal(text);
        }
    }

    /// Does a person read along?
    pub(super) fn is_text(&self) -> bool {
        self.form == Form::Text
    }

    /// Is JSON wanted?
    pub(super) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// What a person should know beside the result: on standard error, because standard output holds the result.
    /// JSON says it in a field.
    pub(super) fn note(&self, text: &str) {
        if self.form == Form::Text {
            write_quietly(&mut io::stderr(), format!("sealpost: {text}\n").as_bytes());
        }
    }

    /// The same for each warning.
    pub(super) fn warnings(&self, warnings: impl IntoIterator<Item = impl Display>) {
        warnings.into_iter().for_each(|warning| self.note(&format!("warning: {warning}")));
    }

    /// One JSON object on one line, with `"v":1` added; silent where text is wanted. It is written as it is made.
    pub(super) fn json(&mut self, object: impl Serialize) -> Result<(), Failure> {
        if self.form != Form::Json {
            return Ok(());
        }
        let mut stdout = io::BufWriter::new(io::stdout().lock());
        let written =
            serde_json::to_writer(&mut stdout, &Versioned { object, v: 1 }).map_err(io::Error::from);
        told(written.and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()))
    }
}

/// A JSON object with further members.
pub(super) fn with<'n>(mut object: Value, more: impl IntoIterator<Item = (&'n str, Value)>) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    object
}

/// Says in which version of our JSON an object is.
#[derive(Serialize)]
struct Versioned<T> {
    #[serde(flatten)]
    object: T,
    v: u8,
}

/// As wide as help is at most.
const TERMINAL_WIDTH: usize = 100;
/// Between two columns.
const GAP: &str = "  ";

/// Rows of cells, aligned by the widest cell; a column of numbers stands to the right.
pub(super) struct Table {
    headings: Vec<String>,
    rows: Vec<Vec<String>>,
    /// What is said if there is no row.
    empty: String,
}

impl Table {
    /// Rows under headings, or the sentence that says that there are none.
    pub(super) fn new(headings: &[&str], empty: impl Into<String>) -> Table {
        let headings = headings.iter().map(|&heading| heading.to_owned()).collect();
        Table { headings, rows: Vec::new(), empty: empty.into() }
    }

    /// Names with their values, one a row.
    pub(super) fn fields(fields: impl IntoIterator<Item = (&'static str, String)>) -> Table {
        let mut table = Table::new(&[], "");
        for (name, value) in fields {
            table.row([name.to_owned(), if value.is_empty() { "-".to_owned() } else { value }]);
        }
        table
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// As text; with a width, the last column is wrapped between words to stay within it.
    pub(super) fn layout(&self, width: Option<usize>) -> String {
        if self.rows.is_empty() {
            return if self.empty.is_empty() { String::new() } else { format!("{}\n", self.empty) };
        }
        let count = self.rows.iter().chain([&self.headings]).map(Vec::len).max().unwrap_or(0);
        let columns: Vec<Column> = (0..count).map(|at| self.column(at)).collect();
        let headings = Some(&self.headings).filter(|headings| !headings.is_empty());
        let lines = headings.into_iter().chain(&self.rows).map(|row| line(row, &columns, width));
        lines.collect()
    }

    fn column(&self, at: usize) -> Column {
        let body: Vec<&String> = self.rows.iter().filter_map(|row| row.get(at)).collect();
        let is_number = |cell: &&&String| cell.bytes().all(|byte| byte.is_ascii_digit());
        let numbers = body.iter().filter(is_number).filter(|cell| !cell.is_empty()).count();
        let others = body.iter().filter(|cell| !is_number(cell) && cell.as_str() != "-").count();
        let cells = body.into_iter().chain(self.headings.get(at));
        Column {
            width: cells.map(|cell| cell.chars().count()).max().unwrap_or(0),
            right: !self.headings.is_empty() && numbers > 0 && others == 0,
        }
    }
}

struct Column {
    width: usize,
    right: bool,
}

fn line(row: &[String], columns: &[Column], width: Option<usize>) -> String {
    let mut text = String::new();
    for (at, (cell, column)) in row.iter().zip(columns).enumerate() {
        let before = if at == 0 { "" } else { GAP };
        let cell = match width {
            Some(width) if at + 1 == columns.len() => {
                wrapped(cell, text.chars().count() + before.len(), width)
            }
            _ => cell.clone(),
        };
        let wide = column.width;
        text +=
            &if column.right { format!("{before}{cell:>wide$}") } else { format!("{before}{cell:<wide$}") };
    }
    format!("{}\n", text.trim_end())
}

/// Broken between words; each further line begins under the first.
fn wrapped(cell: &str, indent: usize, width: usize) -> String {
    let mut text = String::new();
    let mut at = indent;
    for word in cell.split(' ') {
        let length = word.chars().count();
        if at > indent && at + 1 + length > width {
            text += &format!("\n{}", " ".repeat(indent));
            at = indent;
        } else if at > indent {
            text.push(' ');
            at += 1;
        }
        text += word;
        at += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]]) -> Table {
        let mut table = Table::new(&["name", "size"], "nothing is there");
        rows.iter().for_each(|row| table.row(row.map(str::to_owned)));
        table
    }

    #[test]
    fn numbers_stand_to_the_right_and_words_to_the_left() {
        let numbers = table(&[["a long one", "1"], ["b", "1000"], ["c", "-"]]);
        assert_eq!(
            numbers.layout(None),
            "name        size\na long one     1\nb           1000\nc              -\n"
        );
        let words = table(&[["1", "one"], ["1000", "1"]]);
        assert_eq!(words.layout(None), "name  size\n   1  one\n1000  1\n");
    }

    #[test]
    fn a_short_row_and_no_row() {
        let mut short = table(&[["a", "1"]]);
        short.row(["b".to_owned()]);
        assert_eq!(short.layout(None), "name  size\na        1\nb\n");
        assert_eq!(table(&[]).layout(None), "nothing is there\n");
        let fields = Table::fields([("name", "x".to_owned()), ("alias", String::new())]);
        assert_eq!(fields.layout(None), "name   x\nalias  -\n");
    }

    #[test]
    fn the_last_column_is_wrapped_between_words() {
        let long = table(&[["a", "one two three four"]]);
        assert_eq!(long.layout(Some(14)), "name  size\na     one two\n      three\n      four\n");
    }
}
