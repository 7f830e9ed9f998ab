//! From verdicts to the copies to make. Pure.

use super::consent::PlainConsent;
use super::owners::Owners;
use super::{Account, AttachmentPolicy, EngineError, InboxPolicy, Place, Settings};
use crate::mail::{Flag, HeaderEdits, MailboxName, MailboxRef};
use crate::rules::{Action, Ending, Step, StoreOptions, Verdict};
use crate::smime;

/// A copy to make.
pub(super) struct PlannedCopy<'a> {
    /// Whose account.
    pub(super) owner: &'a Account,
    /// For whom the rule acts; absent: the server.
    pub(super) acting: Option<&'a Account>,
    /// Where in it.
    pub(super) place: Place,
    /// May it be created?
    pub(super) create: bool,
    /// As marked by the time of the action.
    pub(super) flags: Vec<Flag>,
    /// As edited by the time of the action.
    pub(super) edits: HeaderEdits,
    /// Sealed or clear.
    pub(super) form: Form<'a>,
    /// The rule that asks for it; absent: the INBOX copy.
    pub(super) rule: Option<String>,
}

/// What a rule wants beside copies: mail that leaves, a command, a value to remember.
pub(super) struct Effect<'a> {
    /// For whom the rule acts; absent: the server.
    pub(super) acting: Option<&'a Account>,
    /// The rule that asks for it.
    pub(super) rule: String,
    /// The header as edited by the time of the action.
    pub(super) edits: HeaderEdits,
    /// What it is.
    pub(super) action: Action,
}

/// Copies, and what is done besides.
#[derive(Default)]
pub(super) struct Plan<'a> {
    /// In the order of the actions, the INBOX copy last.
    pub(super) copies: Vec<PlannedCopy<'a>>,
    /// In the order of the actions.
    pub(super) effects: Vec<Effect<'a>>,
}

/// How a copy is stored.
pub(super) enum Form<'a> {
    /// Sealed to all of these accounts.
    Sealed(Vec<&'a Account>, smime::Form),
    /// Clear.
    Plain(PlainConsent),
}

impl PlannedCopy<'_> {
    /// `~owner@domain/Box`; of a file its folder.
    pub(super) fn full_mailbox(&self) -> String {
        match &self.place {
            Place::Mailbox(mailbox) => format!("~{}/{}", self.owner.address, mailbox.as_str()),
            Place::File(folder, _) => format!("the files of {} in {folder}", self.owner.address),
        }
    }

    /// Does it go to somebody else's mailbox, by a right?
    pub(super) fn needs_right(&self) -> Option<&Account> {
        self.acting.filter(|acting| acting.address != self.owner.address)
    }
}

/// For a copy whose readers have no certificate and whose domains all chose `plain` for that: here, because consents
/// are given in this file only.
pub(super) fn consent_of_missing_certificates() -> PlainConsent {
    PlainConsent::missing_certificate_is_plain()
}

/// What plans are made from, beside verdicts.
pub(super) struct Planner<'s, 'a> {
    /// The site's policy.
    pub(super) settings: &'s Settings,
    /// Whom the verdicts name.
    pub(super) owners: &'a Owners,
    /// What `~account` means in the server scope.
    pub(super) server_domain: Option<&'a str>,
}

/// What the server's rules leave to the accounts.
pub(super) struct ServerPlan<'a> {
    /// Its own copies and effects.
    pub(super) plan: Plan<'a>,
    /// Its marks and edits hold for every copy after them, the accounts' too.
    pub(super) inherited: Inherited,
    /// `Discard`: the accounts get nothing.
    pub(super) discarded: bool,
}

/// What earlier actions did to all copies that follow.
#[derive(Clone, Default)]
pub(super) struct Inherited {
    /// By `Mark`.
    flags: Vec<Flag>,
    /// By `Add Header` and `Tag Subject`.
    edits: HeaderEdits,
}

impl<'a> Planner<'_, 'a> {
    /// The copies that the server's rules make. They are sealed to the owner of the mailbox alone.
    pub(super) fn server(&self, verdict: &Verdict) -> Result<ServerPlan<'a>, EngineError> {
        let mut draft = Draft::new(self, None, &Inherited::default());
        draft.run(verdict)?;
        let discarded = verdict.ending == Ending::Discard;
        Ok(ServerPlan { plan: draft.plan, inherited: draft.so_far, discarded })
    }

    /// The copies of one delivery to an account, the INBOX copy last.
    pub(super) fn account(
        &self,
        verdict: &Verdict,
        acting: &'a Account,
        inherited: &Inherited,
    ) -> Result<Plan<'a>, EngineError> {
        let mut draft = Draft::new(self, Some(acting), inherited);
        draft.run(verdict)?;
        if verdict.ending.goes_on() {
            draft.add_inbox(acting);
        }
        Ok(draft.plan)
    }

    /// By the rule and the mailbox owner; the acting account is not asked.
    fn form(&self, owner: &Account, options: &StoreOptions) -> smime::Form {
        self.settings.form(owner, options.profile, options.headers)
    }

    /// How a file of the account is stored: as the account says, else its domain, else the site.
    pub(super) fn file_form(&self, account: &'a Account) -> Form<'a> {
        let said = account.overrides.attachments.or(account.domain.overrides.attachments);
        match said.unwrap_or(self.settings.attachments) {
            AttachmentPolicy::Plain => Form::Plain(PlainConsent::attachments_are_plain()),
            AttachmentPolicy::Seal => {
                Form::Sealed(vec![account], self.form(account, &StoreOptions::default()))
            }
        }
    }

    fn inbox(&self, account: &Account) -> InboxPolicy {
        let said = account.overrides.inbox.or(account.domain.overrides.inbox);
        said.unwrap_or(self.settings.inbox)
    }
}

struct Draft<'p, 's, 'a> {
    planner: &'p Planner<'s, 'a>,
    acting: Option<&'a Account>,
    so_far: Inherited,
    plan: Plan<'a>,
}

impl<'p, 's, 'a> Draft<'p, 's, 'a> {
    fn new(planner: &'p Planner<'s, 'a>, acting: Option<&'a Account>, inherited: &Inherited) -> Self {
        Draft { planner, acting, so_far: inherited.clone(), plan: Plan::default() }
    }

    fn run(&mut self, verdict: &Verdict) -> Result<(), EngineError> {
        if let Ending::Reject(text) = &verdict.ending {
            let rule = verdict.ended_by.clone().unwrap_or_default();
            return Err(EngineError::RuleRejects { rule, text: text.clone() });
        }
        verdict.steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Result<(), EngineError> {
        match &step.action {
            Action::Mark(flags) => self.mark(flags),
            Action::StoreEncrypted(mailbox, options) => {
                let owner = self.owner(mailbox, &step.rule)?;
                let form = Form::Sealed(self.readers(owner), self.planner.form(owner, options));
                self.add(owner, &mailbox.name, form, Some(step.rule.clone()));
            }
            Action::Store(mailbox) => {
                let owner = self.owner(mailbox, &step.rule)?;
                let form = Form::Plain(PlainConsent::rule_stores_plain());
                self.add(owner, &mailbox.name, form, Some(step.rule.clone()));
            }
            Action::AddHeader(lines) => {
                lines.iter().for_each(|line| self.so_far.edits.add(line.clone()));
            }
            Action::TagSubject(tag) => self.so_far.edits.tag(tag),
            Action::CopyAttachments(_)
            | Action::Remember(_)
            | Action::PassOn(..)
            | Action::Reply(..)
            | Action::Execute(_) => self.plan.effects.push(Effect {
                acting: self.acting,
                rule: step.rule.clone(),
                edits: self.so_far.edits.clone(),
                action: step.action.clone(),
            }),
            // What ends an evaluation stands in its ending; what a filter said, in steps of its own.
            Action::Reject(_) | Action::Discard | Action::Stop | Action::Filter(_) => {}
        }
        Ok(())
    }

    fn mark(&mut self, flags: &[Flag]) {
        for flag in flags {
            if !self.so_far.flags.contains(flag) {
                self.so_far.flags.push(flag.clone());
            }
        }
    }

    fn owner(&self, mailbox: &MailboxRef, rule: &str) -> Result<&'a Account, EngineError> {
        match (&mailbox.owner, self.acting) {
            (None, Some(acting)) => Ok(acting),
            (None, None) => {
                let mailbox = mailbox.name.as_str().to_owned();
                Err(EngineError::OwnerlessMailbox { rule: rule.into(), mailbox })
            }
            (Some(owner), acting) => {
                let domain = acting.map(|acting| acting.domain.name.as_str()).or(self.planner.server_domain);
                self.planner.owners.of(mailbox, owner, domain, rule)
            }
        }
    }

    /// The owner, and the account for which the rule acts.
    fn readers(&self, owner: &'a Account) -> Vec<&'a Account> {
        let acting = self.acting.filter(|acting| acting.address != owner.address);
        std::iter::once(owner).chain(acting).collect()
    }

    fn add_inbox(&mut self, account: &'a Account) {
        let form = match self.planner.inbox(account) {
            InboxPolicy::Plain => Form::Plain(PlainConsent::inbox_is_plain()),
            InboxPolicy::Seal => {
                Form::Sealed(vec![account], self.planner.form(account, &StoreOptions::default()))
            }
        };
        self.add(account, &MailboxName::inbox(), form, None);
    }

    fn add(&mut self, owner: &'a Account, mailbox: &MailboxName, form: Form<'a>, rule: Option<String>) {
        self.plan.copies.push(PlannedCopy {
            owner,
            acting: self.acting,
            place: Place::Mailbox(mailbox.clone()),
            create: self.may_create(owner, mailbox),
            flags: self.so_far.flags.clone(),
            edits: self.so_far.edits.clone(),
            form,
            rule,
        });
    }

    /// An account's INBOX exists with the account (RFC 9051 5.1). Others: the acting account's own, if the site says so.
    fn may_create(&self, owner: &Account, mailbox: &MailboxName) -> bool {
        let own = self.acting.is_some_and(|acting| acting.address == owner.address);
        mailbox.is_inbox() || (own && self.planner.settings.create_mailboxes)
    }
}
