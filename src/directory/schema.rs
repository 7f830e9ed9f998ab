//! The tables, and how an older file becomes a newer one.

use super::{AdminError, certificates, holders};
use rusqlite::{Connection, TransactionBehavior};

/// What a step does: tables, and what must be computed for the rows that are there.
struct Step {
    tables: &'static str,
    fill: fn(&Connection) -> Result<(), AdminError>,
}

/// Step n makes layout n+1 out of layout n. Steps are never changed once released, only added.
const DIRECTORY: &[Step] = &[
    tables(DIRECTORY_1),
    tables(DIRECTORY_2),
    Step { tables: DIRECTORY_3, fill: holders::index_all },
    Step { tables: DIRECTORY_4, fill: certificates::name_issued },
    tables(DIRECTORY_5),
];

/// The same for `state.sqlite`.
const STATE: &[Step] = &[tables(STATE_1), tables(STATE_2), tables(STATE_3), tables(STATE_4)];

/// A step that computes nothing.
const fn tables(tables: &'static str) -> Step {
    Step { tables, fill: |_| Ok(()) }
}

/// The first layout. Each name of a domain and each address of an account stands in one table, main ones and
/// aliases alike, so that the primary key keeps them apart. What was issued outlives the domain that issued it, so that
/// `issued.issuer` holds its id and is no foreign key.
const DIRECTORY_1: &str = "
CREATE TABLE domains (
    id TEXT NOT NULL PRIMARY KEY,
    mode TEXT NOT NULL,
    inbox TEXT,
    profile TEXT,
    missing_certificate TEXT
);
CREATE TABLE domain_names (
    name TEXT NOT NULL PRIMARY KEY,
    domain_id TEXT NOT NULL REFERENCES domains (id),
    main INTEGER NOT NULL
);
CREATE INDEX domain_names_domain ON domain_names (domain_id);
CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    inbox TEXT,
    profile TEXT
);
CREATE TABLE account_names (
    domain_id TEXT NOT NULL REFERENCES domains (id),
    folded TEXT NOT NULL,
    local TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    main INTEGER NOT NULL,
    PRIMARY KEY (domain_id, folded)
);
CREATE INDEX account_names_account ON account_names (account_id);
CREATE TABLE catch_alls (
    domain_id TEXT NOT NULL PRIMARY KEY REFERENCES domains (id),
    account_id TEXT NOT NULL REFERENCES accounts (id)
);
CREATE INDEX catch_alls_account ON catch_alls (account_id);
CREATE TABLE certificates (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    fingerprint TEXT NOT NULL,
    key_fingerprint TEXT NOT NULL,
    der BLOB NOT NULL,
    state TEXT NOT NULL,
    added BIGINT NOT NULL,
    source TEXT NOT NULL,
    UNIQUE (account_id, fingerprint)
);
CREATE TABLE vault_keys (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    fingerprint TEXT NOT NULL,
    public_key BLOB NOT NULL,
    record BLOB NOT NULL,
    state TEXT NOT NULL,
    created BIGINT NOT NULL,
    UNIQUE (account_id, fingerprint)
);
CREATE TABLE domain_keys (
    domain_id TEXT NOT NULL PRIMARY KEY REFERENCES domains (id),
    fingerprint TEXT NOT NULL,
    pkcs8 BLOB NOT NULL,
    created BIGINT NOT NULL
);
CREATE TABLE domain_certificates (
    domain_id TEXT NOT NULL REFERENCES domain_keys (domain_id),
    purpose TEXT NOT NULL,
    der BLOB NOT NULL,
    added BIGINT NOT NULL,
    PRIMARY KEY (domain_id, purpose)
);
CREATE TABLE issued (
    issuer TEXT NOT NULL,
    serial TEXT NOT NULL,
    account TEXT NOT NULL,
    der BLOB NOT NULL,
    issued BIGINT NOT NULL,
    PRIMARY KEY (issuer, serial)
);
CREATE TABLE rule_sets (
    id TEXT NOT NULL PRIMARY KEY,
    domain_id TEXT REFERENCES domains (id),
    account_id TEXT REFERENCES accounts (id),
    file TEXT NOT NULL,
    rules TEXT NOT NULL,
    installed BIGINT NOT NULL,
    installed_by TEXT NOT NULL,
    running INTEGER NOT NULL
);
CREATE INDEX rule_sets_domain ON rule_sets (domain_id);
CREATE INDEX rule_sets_account ON rule_sets (account_id);
CREATE TABLE rights (
    owner_id TEXT NOT NULL REFERENCES accounts (id),
    mailbox TEXT NOT NULL,
    actor_id TEXT NOT NULL REFERENCES accounts (id),
    granted TEXT NOT NULL,
    PRIMARY KEY (owner_id, mailbox, actor_id, granted)
);
CREATE INDEX rights_actor ON rights (actor_id);
";

/// What a domain and an account say of classical keys beside post-quantum ones.
const DIRECTORY_2: &str = "
ALTER TABLE domains ADD COLUMN also_classical TEXT;
ALTER TABLE accounts ADD COLUMN also_classical TEXT;
";

/// How messages name certificates: the digest of a recipient identifier leads to the certificates that have it.
const DIRECTORY_3: &str = "
CREATE TABLE recipient_ids (
    digest TEXT NOT NULL,
    certificate_id TEXT NOT NULL REFERENCES certificates (id) ON DELETE CASCADE,
    PRIMARY KEY (digest, certificate_id)
);
CREATE INDEX recipient_ids_certificate ON recipient_ids (certificate_id);
";

/// Authorities: whom a holder trusts (no domain: the server), the chain above a domain's certificate, authorities that
/// were replaced and still sign revocation lists (or vouch for nothing, and only open mail), what was revoked, the lists that we signed and those that we were
/// given, recovery certificates, certificates that somebody refused, and what a domain says of certificates that are not as they should be.
const DIRECTORY_4: &str = "
CREATE TABLE trusted (
    id TEXT NOT NULL PRIMARY KEY,
    domain_id TEXT REFERENCES domains (id),
    fingerprint TEXT NOT NULL,
    der BLOB NOT NULL,
    added BIGINT NOT NULL
);
CREATE INDEX trusted_domain ON trusted (domain_id);
CREATE TABLE chain_certificates (
    domain_id TEXT NOT NULL REFERENCES domains (id),
    position INTEGER NOT NULL,
    der BLOB NOT NULL,
    PRIMARY KEY (domain_id, position)
);
CREATE TABLE retired_authorities (
    id TEXT NOT NULL PRIMARY KEY,
    domain_id TEXT NOT NULL REFERENCES domains (id),
    fingerprint TEXT NOT NULL,
    pkcs8 BLOB NOT NULL,
    der BLOB NOT NULL,
    retired BIGINT NOT NULL,
    vouches INTEGER NOT NULL
);
CREATE INDEX retired_authorities_domain ON retired_authorities (domain_id);
ALTER TABLE issued ADD COLUMN fingerprint TEXT;
ALTER TABLE issued ADD COLUMN revoked BIGINT;
ALTER TABLE issued ADD COLUMN reason TEXT;
CREATE INDEX issued_fingerprint ON issued (fingerprint);
CREATE TABLE signed_crls (
    issuer TEXT NOT NULL,
    number BIGINT NOT NULL,
    der BLOB NOT NULL,
    signed BIGINT NOT NULL,
    PRIMARY KEY (issuer, number)
);
CREATE TABLE foreign_crls (
    id TEXT NOT NULL PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    der BLOB NOT NULL,
    added BIGINT NOT NULL,
    source TEXT NOT NULL
);
CREATE TABLE recovery_certificates (
    domain_id TEXT NOT NULL PRIMARY KEY REFERENCES domains (id),
    der BLOB NOT NULL,
    added BIGINT NOT NULL
);
ALTER TABLE domains ADD COLUMN trust TEXT;
ALTER TABLE domains ADD COLUMN expired TEXT;
ALTER TABLE domains ADD COLUMN not_yet_valid TEXT;
ALTER TABLE domains ADD COLUMN unusable TEXT;
ALTER TABLE domains ADD COLUMN crl TEXT;
ALTER TABLE domains ADD COLUMN recovery TEXT;
ALTER TABLE accounts ADD COLUMN recovery TEXT;
CREATE TABLE refused_certificates (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    refused BIGINT NOT NULL,
    PRIMARY KEY (account_id, fingerprint)
);
";

/// What rules ask of an account, who may write them, and the history of what was installed: for each holder versions from 1
/// on, what each did (`change`: install, remove, rollback to the version `restores`), and whose wish it was.
const DIRECTORY_5: &str = "
ALTER TABLE domains ADD COLUMN rules_allowed TEXT;
ALTER TABLE accounts ADD COLUMN rules_allowed TEXT;
ALTER TABLE domains ADD COLUMN attachments TEXT;
ALTER TABLE accounts ADD COLUMN attachments TEXT;
ALTER TABLE rule_sets ADD COLUMN by_owner INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule_sets ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE rule_sets ADD COLUMN change TEXT NOT NULL DEFAULT 'install';
ALTER TABLE rule_sets ADD COLUMN restores BIGINT;
UPDATE rule_sets SET version = (SELECT count(*) FROM rule_sets AS other WHERE other.id <= rule_sets.id
    AND other.domain_id IS NOT DISTINCT FROM rule_sets.domain_id
    AND other.account_id IS NOT DISTINCT FROM rule_sets.account_id);
CREATE TABLE preferences (
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (account_id, name)
);
";

const STATE_1: &str = "
CREATE TABLE server_copies (
    queue_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    name TEXT NOT NULL,
    done INTEGER NOT NULL,
    begun BIGINT NOT NULL,
    PRIMARY KEY (queue_id, rule, mailbox)
);
CREATE INDEX server_copies_begun ON server_copies (begun);
";

/// Wrong passwords in a row, by account.
const STATE_2: &str = "
CREATE TABLE failed_unlocks (
    account_id TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    last BIGINT NOT NULL
);
";

/// Members of datasets, who was answered, and mail on its way out. `queue.sealed` is under the queue key that `key_id` names; `witness` names
/// the copies whose being there proves that the delivery took place.
const STATE_3: &str = "
CREATE TABLE datasets (
    account_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    added BIGINT NOT NULL,
    PRIMARY KEY (account_id, name, value)
);
CREATE TABLE replies (
    account TEXT NOT NULL,
    rule TEXT NOT NULL,
    sender TEXT NOT NULL,
    sent BIGINT NOT NULL,
    PRIMARY KEY (account, rule, sender)
);
CREATE TABLE queue (
    id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    account TEXT NOT NULL,
    rule TEXT NOT NULL,
    action TEXT NOT NULL,
    enqueued BIGINT NOT NULL,
    next BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    claimed BIGINT NOT NULL,
    witness TEXT NOT NULL,
    reply_to TEXT,
    identity TEXT,
    bytes BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    sealed BLOB NOT NULL
);
CREATE INDEX queue_next ON queue (state, next);
CREATE TABLE queue_recipients (
    queue_id TEXT NOT NULL REFERENCES queue (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    address TEXT NOT NULL,
    state TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (queue_id, place)
);
CREATE TABLE sent_identities (
    identity TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL
);
";

/// Runs over stored messages that have not ended, by what they do (`task`: a digest of operation, accounts, selection and wanted
/// certificates), and the replacements that one of them has in hand: their names, so that the next run finds what a dead one left.
const STATE_4: &str = "
CREATE TABLE mailbox_runs (
    id TEXT NOT NULL PRIMARY KEY,
    task TEXT NOT NULL UNIQUE,
    started BIGINT NOT NULL
);
CREATE TABLE mailbox_steps (
    account TEXT NOT NULL,
    mailbox TEXT NOT NULL,
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    letters TEXT NOT NULL,
    file TEXT NOT NULL,
    begun BIGINT NOT NULL,
    PRIMARY KEY (account, mailbox, old, new)
);
";

/// Which of our two files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// `directory.sqlite`
    Directory,
    /// `state.sqlite`
    State,
}

impl File {
    /// Its name in the root.
    pub(super) fn name(self) -> &'static str {
        match self {
            File::Directory => "directory.sqlite",
            File::State => "state.sqlite",
        }
    }

    fn steps(self) -> &'static [Step] {
        match self {
            File::Directory => DIRECTORY,
            File::State => STATE,
        }
    }

    /// The newest layout that we know.
    pub(super) fn newest(self) -> i64 {
        self.steps().len() as i64
    }
}

/// The layout of an open file; a newer one than ours is refused.
pub(super) fn version(connection: &Connection, file: File) -> Result<i64, AdminError> {
    let found = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > file.newest() {
        return Err(AdminError::NewerSchema { found, known: file.newest() });
    }
    Ok(found)
}

/// Brings the file to the newest layout: all steps or none. Two processes at once do it once.
pub(super) fn migrate(connection: &mut Connection, file: File) -> Result<(), AdminError> {
    if version(connection, file)? == file.newest() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    climb(&transaction, file, file.newest())?;
    Ok(transaction.commit()?)
}

/// The steps from the layout that is there to this one.
pub(super) fn climb(at: &Connection, file: File, layout: i64) -> Result<(), AdminError> {
    let place = |layout| usize::try_from(layout).unwrap_or(0);
    for step in file.steps().iter().take(place(layout)).skip(place(version(at, file)?)) {
        at.execute_batch(step.tables)?;
        (step.fill)(at)?;
    }
    Ok(at.execute_batch(&format!("PRAGMA user_version = {layout}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(connection: &Connection, sql: &str) -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn every_foreign_key_has_an_index() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, File::Directory).unwrap();
        let tables = strings(&connection, "SELECT name FROM sqlite_schema WHERE type = 'table'");
        assert!(tables.len() > 10);
        for table in tables {
            let keys =
                strings(&connection, &format!("SELECT \"from\" FROM pragma_foreign_key_list('{table}')"));
            let first = format!(
                "SELECT i.name FROM pragma_index_list('{table}') l, pragma_index_info(l.name) i WHERE i.seqno = 0"
            );
            let indexed = strings(&connection, &first);
            for key in keys {
                assert!(indexed.contains(&key), "{table}.{key} has no index");
            }
        }
    }

    #[test]
    fn a_newer_layout_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
        assert_eq!(
            migrate(&mut connection, File::Directory).unwrap_err().to_string(),
            "the directory has layout 99 and this sealpost knows up to 5: use the newer sealpost that made it"
        );
    }
}
