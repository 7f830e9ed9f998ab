//! Certificates of a slapd of our own, on loopback, over TLS.

use super::signer::{Made, Signer, configure, made, pending, robert, store};
use crate::support::{Ended, KeyKind, Port, Program, Store, find, path, tools, wait_for};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A server that goes away with the test.
struct Slapd {
    child: Child,
    /// STARTTLS.
    clear: Port,
    /// TLS at once.
    tls: Port,
}

impl Drop for Slapd {
    fn drop(&mut self) {
        // By its process id, and nobody else's.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CONFIG: &str = "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile FOLDER/slapd.pid
TLSCACertificateFile FOLDER/ca.pem
TLSCertificateFile FOLDER/server.pem
TLSCertificateKeyFile FOLDER/server.key
database mdb
maxsize 10485760
suffix \"dc=north,dc=example\"
rootdn \"cn=admin,dc=north,dc=example\"
rootpw secret
directory FOLDER/db
access to dn.subtree=\"ou=closed,dc=north,dc=example\" by anonymous auth by * none
access to * by anonymous read
";

impl Slapd {
    /// In the folder of the store, which holds the authority; with this LDIF.
    fn start(store: &Store, ldif: &str) -> Slapd {
        certify_server(store);
        let folder = path(&store.file("")).trim_end_matches('/').to_owned();
        std::fs::create_dir(store.file("db")).unwrap();
        let config = store.file("slapd.conf");
        std::fs::write(&config, CONFIG.replace("FOLDER", &folder)).unwrap();
        let file = store.file("all.ldif");
        std::fs::write(&file, ldif).unwrap();
        Program::new("slapadd").args(["-f", path(&config), "-l", path(&file)]).run().ok();
        let (clear, tls) = (Port::reserved(), Port::reserved());
        let places = format!("ldap://127.0.0.1:{} ldaps://127.0.0.1:{}", clear.number(), tls.number());
        let mut command = Command::new(find("slapd").unwrap());
        command.args(["-f", path(&config), "-h", &places, "-d", "0"]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for("slapd", 60, || TcpStream::connect(("127.0.0.1", tls.number())).ok());
        Slapd { child, clear, tls }
    }

    fn fetch(&self, store: &Store, words: &str) -> Ended {
        let url = format!("ldaps://127.0.0.1:{}", self.tls.number());
        let fetch = store.command("cert fetch --base dc=north,dc=example --ldap").args([url]);
        fetch.words(words).run()
    }
}

/// A certificate for the server's address, by the authority of the store.
fn certify_server(store: &Store) {
    let file = |name: &str| store.file(name);
    let extensions = "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n";
    std::fs::write(file("server.cnf"), extensions).unwrap();
    let openssl = |words: &str| Program::new("openssl").words(words);
    openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out")
        .args([path(&file("server.key"))])
        .run()
        .ok();
    openssl("req -new -subj /CN=ldap -key")
        .args([path(&file("server.key")), "-out", path(&file("server.csr"))])
        .run()
        .ok();
    openssl("x509 -req -days 30 -in")
        .args([path(&file("server.csr")), "-CA", path(&file("ca.pem")), "-CAkey", path(&file("ca.key"))])
        .args(["-extfile", path(&file("server.cnf")), "-out", path(&file("server.pem"))])
        .run()
        .ok();
}

fn base64(octets: &[u8]) -> String {
    String::from_utf8(Program::new("openssl").words("base64 -A").input(octets).run().ok()).unwrap()
}

fn der(signer: &Signer) -> Vec<u8> {
    let words = "x509 -outform DER -in";
    Program::new("openssl").words(words).args([path(&signer.certificate)]).run().ok()
}

fn person(place: &str, name: &str, mail: &str, attributes: &[(&str, &[u8])]) -> String {
    let head = format!(
        "\ndn: cn={name},{place}dc=north,dc=example\nobjectClass: inetOrgPerson\ncn: {name}\nsn: x\nmail: {mail}\n"
    );
    let lines = attributes.iter().map(|(name, value)| format!("{name}:: {}\n", base64(value)));
    std::iter::once(head).chain(lines).collect()
}

const TOP: &str =
    "dn: dc=north,dc=example\nobjectClass: dcObject\nobjectClass: organization\ndc: north\no: North\n
dn: ou=closed,dc=north,dc=example\nobjectClass: organizationalUnit\nou: closed\n";

#[test]
fn certificates_of_a_directory_server_wait() {
    if !tools(&["openssl", "slapd", "slapadd"]) {
        return;
    }
    let store = store();
    store.command("account add eve@north.example").run().ok();
    store.command("account add *@north.example").run().ok();
    let bundle = format!("trust-bundle = \"{}\"\n", path(&store.authority.certificate()));
    configure(&store, &bundle);
    let single = robert(&store, KeyKind::P256);
    let signing = Made { usage: "digitalSignature", ..made("signing") }.make(&store);
    let blob = Made { address: "eve@north.example", ..made("eve") }.make(&store);
    let closed = Made { ..made("closed") }.make(&store);
    let p7 = Program::new("openssl").words("crl2pkcs7 -nocrl -outform DER");
    let ca = store.authority.certificate();
    let p7 = p7.args(["-certfile", path(&blob.certificate), "-certfile", path(&ca)]).run().ok();
    let ldif = [
        TOP.to_owned(),
        person(
            "",
            "robert",
            "Robert@north.example",
            &[("userCertificate;binary", &der(&single)), ("userCertificate;binary", &der(&signing))],
        ),
        person("", "eve", "eve@north.example", &[("userSMIMECertificate", &p7)]),
        person("", "broken", "bob@north.example", &[("userSMIMECertificate", b"no PKCS #7")]),
        person("ou=closed,", "hidden", "robert@north.example", &[("userCertificate;binary", &der(&closed))]),
    ];
    let slapd = Slapd::start(&store, &ldif.concat());

    let bob = slapd.fetch(&store, "--account bob@north.example");
    let text = bob.text();
    assert_eq!(
        (bob.code, bob.stderr.as_str()),
        (Some(1), "sealpost: 1 of 3 certificates failed\n"),
        "{text}"
    );
    let line = |needle: &str| text.lines().find(|line| line.contains(needle)).unwrap_or_default().to_owned();
    assert!(line(&single.fingerprint()[..16]).ends_with("  waits"), "{text}");
    assert!(
        line(&signing.fingerprint()[..16]).contains("unfit: it may not be used to encrypt mail"),
        "{text}"
    );
    assert!(line("cn=broken,dc=north,dc=example").contains("broken: the CMS structure is broken"), "{text}");
    let from_robert = (single.fingerprint(), "ldap: cn=robert,dc=north,dc=example".to_owned());
    assert_eq!(pending(&store), std::slice::from_ref(&from_robert));

    // A whole domain, over STARTTLS; the authority in the blob is nobody's. What means everybody in a filter means itself.
    let url = format!("ldap://127.0.0.1:{}", slapd.clear.number());
    let fetch = |words: &str| {
        store.command("cert fetch --base dc=north,dc=example --ldap").args([&url]).words(words).run()
    };
    let all = fetch("--domain north.example").text();
    assert!(all.contains("  already waits") && all.contains("cn=eve,dc=north,dc=example"), "{all}");
    let from_eve = (blob.fingerprint(), "ldap: cn=eve,dc=north,dc=example".to_owned());
    assert_eq!(pending(&store), [from_robert, from_eve]);
    let star = fetch("--account *@north.example");
    assert_eq!(
        (star.code, star.text()),
        (Some(0), format!("{url} has no certificate for anybody who was asked for\n"))
    );

    // Who binds sees more; who cannot is told so.
    let password = store.file("ldap.password");
    std::fs::write(&password, "secret\n").unwrap();
    let bind = format!("--bind-dn cn=admin,dc=north,dc=example --password-file {}", path(&password));
    let seen = slapd.fetch(&store, &format!("--account bob@north.example {bind}")).text();
    assert!(seen.contains("cn=hidden,ou=closed,dc=north,dc=example"), "{seen}");
    std::fs::write(&password, "wrong\n").unwrap();
    let refused = slapd.fetch(&store, &format!("--account bob@north.example {bind}"));
    assert_eq!(refused.code, Some(77));
    assert!(refused.stderr.contains(" does not let cn=admin,dc=north,dc=example in: "), "{}", refused.stderr);
    assert!(!refused.stderr.contains("wrong"), "{}", refused.stderr);
    std::fs::write(&password, "\n").unwrap();
    assert!(!slapd.fetch(&store, &format!("--account bob@north.example {bind}")).stderr.is_empty());

    // A trusted source needs no consent. A server that nobody vouches for is not asked.
    configure(&store, &format!("{bundle}trusted-certificate-sources = [\"ldap\"]\n"));
    slapd.fetch(&store, "--account eve@north.example").ok();
    assert!(!pending(&store).iter().any(|(print, _)| *print == blob.fingerprint()));
    configure(&store, &format!("trust-bundle = \"{}\"\n", path(&store.bob.certificate)));
    for refused in [slapd.fetch(&store, "--account eve@north.example"), fetch("--account eve@north.example")]
    {
        assert_eq!(refused.code, Some(69), "{}", refused.stderr);
        assert!(refused.stderr.contains("UnknownIssuer"), "{}", refused.stderr);
    }
}
