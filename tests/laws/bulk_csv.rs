//! Lists of people to give certificates to.

use sealpost::pki::{BULK_COLUMNS, BulkLine, read_bulk};
use std::collections::HashSet;

/// The longest text of a fault: what it quotes is cut.
const LONGEST: usize = 400;

/// The input is a list:
///
/// - What is wrong with it, or with a line, is one line of bounded length, whatever it quotes.
/// - Lines have rising numbers, and there are no more of them than the input has.
/// - No account stands twice.
/// - What was read is written as a plain list and read again, and says the same.
pub(crate) fn hold(input: &[u8]) {
    let lines = match read_bulk(input) {
        Err(fault) => return assert_short(&fault.to_string()),
        Ok(lines) => lines,
    };
    let ends = input.iter().filter(|octet| matches!(octet, b'\n' | b'\r')).count() as u64;
    let mut last = 0;
    let mut good = Vec::new();
    for line in lines {
        let number = line.as_ref().map_or_else(|bad| bad.line, |line| line.line);
        assert!(last < number && number <= ends + 1, "line {number} after {last} of {ends}");
        last = number;
        match line {
            Ok(line) => good.push(line),
            Err(bad) => assert_short(&bad.fault.to_string()),
        }
    }
    let accounts: HashSet<String> =
        good.iter().map(|line| line.address.to_string().to_ascii_lowercase()).collect();
    assert_eq!(accounts.len(), good.len(), "an account stands twice");
    assert_reads_back(&good);
}

fn assert_short(text: &str) {
    assert!(text.len() <= LONGEST && !text.chars().any(char::is_control), "{text:?}");
}

fn assert_reads_back(lines: &[BulkLine]) {
    let mut text = BULK_COLUMNS.map(|(name, _)| name).join(",") + "\n";
    for line in lines {
        let kind = line.kind.map_or("", |kind| kind.name());
        let optional = [&line.name, &line.request, &line.password_file]
            .map(|field| field.as_deref().unwrap_or_default());
        let address = line.address.to_string();
        let fields = [&[address.as_str(), kind], &optional[..]].concat();
        let quoted: Vec<String> =
            fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        text += &(quoted.join(",") + "\n");
    }
    let again = read_bulk(text.as_bytes()).expect("the columns are known");
    assert_eq!(again.len(), lines.len());
    for (again, line) in again.into_iter().zip(lines) {
        let again = again.expect("what was read is read again");
        assert_eq!(BulkLine { line: line.line, ..again }, *line);
    }
}
