//! Certificate requests and lists of people, made here and always the same.

use crate::laws::people::{ELLA, ROSA, seed};
use crate::laws::request::{asking_for, signed};
use sealpost::pki::{Request, Subject, read_bulk};

/// A name and the octets. Those in `.attributes` are what a request asks for.
pub(super) fn requests() -> Vec<(String, Vec<u8>)> {
    let subject = Subject { country: Some("NO".to_owned()), ..Subject::named("Ella") };
    let made = |person: &crate::laws::people::Person| {
        Request::make(person.key(), &subject, &["north.example".to_owned()], seed(51)).unwrap()
    };
    vec![
        ("ella.pem".to_owned(), made(&ELLA).to_pem().unwrap().into_bytes()),
        ("rosa.pem".to_owned(), made(&ROSA).to_pem().unwrap().into_bytes()),
        ("ella.der".to_owned(), signed(&asking_for("ella@north.example"))),
        ("ella.attributes".to_owned(), asking_for("ella@north.example")),
    ]
}

/// A name and the text.
pub(super) fn lists() -> Vec<(String, Vec<u8>)> {
    let people = "address,type,name,request,password-file\nbob@north.example,ec-p256,\"Berg, Bob\",,\n\
        eve@north.example,,,eve.csr,\n\nbob@north.example,,,,\nnobody,,,,\n";
    let spreadsheet =
        "\u{feff}Address;Name\r\nj\u{fc}rgen@north.example;\"J\u{fc}rgen \"\"J\"\"\nBerg\"\r\n;\r\n";
    vec![("people.csv".to_owned(), people.into()), ("spreadsheet.csv".to_owned(), spreadsheet.into())]
}

/// Undamaged, each is what it says: otherwise the laws would hold for rubbish only.
#[test]
fn the_requests_and_lists_are_read() {
    for (name, octets) in requests() {
        let octets = if name.ends_with(".attributes") { signed(&octets) } else { octets };
        let read = Request::read(&octets).unwrap_or_else(|error| panic!("{name}: {error}"));
        let asked = read.addresses().unwrap();
        assert_eq!(asked, if name.ends_with(".pem") { vec![] } else { vec!["ella@north.example"] }, "{name}");
    }
    let good = |octets: &[u8]| read_bulk(octets).unwrap().into_iter().filter(Result::is_ok).count();
    assert_eq!(lists().iter().map(|(_, octets)| good(octets)).collect::<Vec<_>>(), [2, 1]);
}
