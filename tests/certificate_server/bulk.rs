//! Certificates for a list of people.

use super::{Office, P256};
use crate::support::{path, tools};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

/// The command for a list of that text, with a report.
fn command(office: &Office, list: &str, more: &str) -> String {
    let file = office.site.write("people.csv", list);
    let report = office.file("report.csv");
    format!("cert issue --bulk {} --domain north.example --report {} {more}", path(&file), path(&report))
}

/// Outcome by address, as the report says it.
fn rows(office: &Office) -> Vec<[String; 3]> {
    let text = read(&office.file("report.csv"));
    let rows = text.lines().skip(1).map(|row| {
        let cells: Vec<String> = row.splitn(3, ',').map(str::to_owned).collect();
        <[String; 3]>::try_from(cells).unwrap()
    });
    rows.collect()
}

#[test]
fn people_get_keys_passwords_and_certificates() {
    let office = Office::new();
    office.site.run("account add anna@north.example").ok();
    let letters = office.file("letters");
    let list = "address,type,name,password-file\nbob@north.example,,Bob,\nanna@north.example,ec-p256,Anna Berg,\n\
        dan@alias.example,ec-p384,,dan.password\n";
    office.site.write("dan.password", "dans own\n");
    let run = command(&office, list, &format!("--passwords {} --add-accounts", path(&letters)));
    assert_eq!(office.site.run(&run).text(), "3 certificates issued\n");
    assert_eq!(std::fs::metadata(&letters).unwrap().permissions().mode() & 0o777, 0o700);
    // Bob's key was there and Dan's password was given: only Anna's is made.
    let made: Vec<_> = std::fs::read_dir(&letters).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(made, [letters.join("anna@north.example.password")]);
    assert_eq!(std::fs::metadata(&made[0]).unwrap().permissions().mode() & 0o777, 0o600);
    for (who, password) in
        [("anna", &made[0]), ("dan", &office.file("dan.password")), ("bob", &office.password)]
    {
        let test = format!("key test --account {who}@north.example --password-file");
        office.site.program(&test).args([path(password)]).run().ok();
    }
    let anna = office.site.json("cert list --account anna@north.example")["certificates"][0].clone();
    assert_eq!((&anna["subject"], &anna["key"]), (&"CN=Anna Berg".into(), &"EC P-256".into()));
    let dan = office.site.json("cert list --account dan@north.example")["certificates"][0].clone();
    assert_eq!((&dan["subject"], &dan["key"]), (&"CN=dan@north.example".into(), &"EC P-384".into()));
    assert_eq!(rows(&office)[1], ["anna@north.example", "issued", anna["fingerprint"].as_str().unwrap()]);
    assert_eq!(rows(&office).len(), 3);
    assert_eq!(std::fs::metadata(office.file("report.csv")).unwrap().permissions().mode() & 0o777, 0o600);
    // Again, with the report and without it.
    assert_eq!(
        office.site.run(&run).text(),
        "0 certificates issued, 3 lines of an earlier run passed over\n"
    );
    std::fs::remove_file(office.file("report.csv")).unwrap();
    assert_eq!(office.site.run(&run).text(), "0 certificates issued, 3 accounts had one already\n");
    assert_eq!(
        rows(&office)[1][1..],
        ["skipped", &format!("it has the certificate {} already", anna["fingerprint"].as_str().unwrap())]
    );
}

#[test]
fn a_bad_line_is_named_and_stops_no_other_and_is_mended_by_a_second_run() {
    let office = Office::new();
    office.site.run("domain add south.example").ok();
    office.site.run("account add carol@south.example").ok();
    office.site.run("account add eve@north.example").ok();
    let list = "address,type\nbob\nnobody@north.example,\ncarol@south.example,\neve@north.example,\nbob@north.example,\n\
        bob@north.example,\nrobert@north.example,rsa-512\n";
    let ended = office.site.run(&command(&office, list, ""));
    let key_text = "a key would be made, and no password is given for it: name its file in the column password-file, or a \
        folder for passwords that are made (--passwords)";
    assert_eq!((ended.code, ended.text().as_str()), (Some(1), "1 certificate issued\n"));
    let wanted = [
        "line 2: it has 1 fields, and the first line names 2 columns",
        "line 3: nobody@north.example: there is no account nobody@north.example; --add-accounts adds it",
        "line 4: carol@south.example: it is no account of north.example",
        &format!("line 5: eve@north.example: {key_text}"),
        "line 7: bob@north.example stands in line 6 already",
        "line 8: rsa-512 is refused: 512 bits are factored in hours; take rsa-2048 or larger",
        "6 lines failed",
    ];
    let mut text: String = wanted.iter().map(|line| format!("sealpost: {line}\n")).collect();
    text += "  mend the list and run the same command again: what is done is passed over\n";
    assert_eq!(ended.stderr, text);
    assert_eq!(rows(&office).len(), 7);
    let place = |row: &[String; 3]| format!("{} {}", row[0], row[1]);
    let places: Vec<String> = rows(&office).iter().map(place).collect();
    assert_eq!((places[0].as_str(), places[5].as_str()), ("line 2 failed", "line 7 failed"));
    // What fails again stands there once.
    let again = office.site.run(&command(&office, list, ""));
    assert_eq!(
        (again.code, again.text().as_str()),
        (Some(1), "0 certificates issued, 1 line of an earlier run passed over\n")
    );
    assert_eq!(rows(&office).len(), 7);
    let letters = office.file("letters");
    let mended = "address,type\nbob@north.example,\neve@north.example,ec-p256\n";
    let again = office.site.run(&command(&office, mended, &format!("--passwords {}", path(&letters))));
    assert_eq!(again.text(), "1 certificate issued, 1 line of an earlier run passed over\n");
    assert_eq!(rows(&office)[7][..2], ["eve@north.example", "issued"]);
}

#[test]
fn two_names_of_an_account_are_one_person() {
    let office = Office::new();
    office.site.run("account add eve@north.example --alias eva@north.example").ok();
    let list = "address,type\neve@north.example,ec-p256\neva@north.example,ec-p256\n";
    let more = format!("--passwords {}", path(&office.file("letters")));
    let ended = office.site.run(&command(&office, list, &more));
    assert_eq!((ended.code, ended.text().as_str()), (Some(1), "1 certificate issued\n"));
    let wanted =
        "line 3: eva@north.example: it is a name of eve@north.example, which is on the list already\n";
    assert!(ended.stderr.contains(wanted), "{}", ended.stderr);
    let keys = office.site.json("key show --account eve@north.example");
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
}

#[test]
fn people_with_requests_keep_their_keys() {
    if !tools(&["openssl"]) {
        return;
    }
    let office = Office::new();
    office.request("good", P256, &["-subj", "/CN=x"]);
    office.request("other", P256, &["-subj", "/CN=x/emailAddress=eve@north.example"]);
    let list = "address,request\nbob@north.example,good.csr\n";
    assert_eq!(office.site.run(&command(&office, list, "")).text(), "1 certificate issued\n");
    let certificate = office.site.json("cert list --account bob@north.example")["certificates"][0].clone();
    let public = office.openssl("pkey -in @good.key -pubout").ok();
    let pem = super::pem(&certificate).as_bytes();
    assert_eq!(office.openssl_input("x509 -noout -pubkey", pem).ok(), public);
    std::fs::remove_file(office.file("report.csv")).unwrap();
    assert_eq!(
        office.site.run(&command(&office, list, "")).text(),
        "0 certificates issued, 1 account had one already\n"
    );
    let list = "address,request\nbob@alias.example,other.csr\nrobert@north.example,missing.csr\n";
    let ended = office.site.run(&command(&office, list, ""));
    let missing = office.file("missing.csr");
    let said = format!(
        "sealpost: line 2: bob@alias.example: the request asks for eve@north.example, which is no address of the account \
         bob@north.example\nsealpost: line 3: robert@north.example: cannot read {}: No such file or directory\n",
        path(&missing)
    );
    assert!(ended.code == Some(1) && ended.stderr.starts_with(&said), "{}", ended.stderr);
}

#[test]
fn a_list_that_is_none_is_refused_whole() {
    let office = Office::new();
    let file = office.file("people.csv");
    let refused = |text: &str| {
        let (code, said) = office.site.refused(&command(&office, text, ""));
        let said = said.strip_prefix(&format!("sealpost: {}: ", path(&file))).unwrap_or(&said).to_owned();
        assert!(!office.file("report.csv").exists());
        (code, said)
    };
    let columns = "the first line must name the columns, address, type, name, request, password-file\n";
    assert_eq!(
        refused("bob@north.example\n"),
        (65, format!("there is no column \"bob@north.example\"; did you mean name? The {}", &columns[4..]))
    );
    assert_eq!(refused("name\nBob\n"), (65, format!("the column address is missing: {columns}")));
    assert_eq!(refused("").0, 65);
}

#[test]
fn the_folder_of_passwords_and_the_report_must_be_ones_own() {
    let office = Office::new();
    let open = office.file("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = command(&office, "address\nbob@north.example\n", &format!("--passwords {}", path(&open)));
    let text = format!(
        "sealpost: passwords are written to {0} only if it is a folder that nobody else can open: chmod 700 {0}\n",
        path(&open)
    );
    assert_eq!(office.site.refused(&run), (1, text));
    std::fs::write(office.file("report.csv"), "something else\n").unwrap();
    let (code, said) = office.site.refused(&command(&office, "address\nbob@north.example\n", ""));
    let wanted = format!(
        "sealpost: {} is no report of an earlier run: name a new file\n",
        path(&office.file("report.csv"))
    );
    assert_eq!((code, said), (1, wanted));
    assert_eq!(read(&office.file("report.csv")), "something else\n");
}

#[test]
fn a_program_reads_every_line() {
    let office = Office::new();
    let ended =
        office.site.run(&command(&office, "address\nbob@north.example\neve@north.example\n", "--json"));
    let value: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!((&value["issued"], &value["failed"], &value["v"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(value["lines"][1]["detail"], "there is no account eve@north.example; --add-accounts adds it");
    assert_eq!(value["lines"][1]["line"], 3);
    let error: serde_json::Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(error["error"]["text"], "1 line failed");
}
