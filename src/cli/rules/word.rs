//! `sealpost rules words`: the language, word by word.

use crate::cli::failure::{Code, Failure};
use crate::cli::output::{Output, Table};
use crate::cli::words::joined;
use crate::rules::{
    ACTIONS, ActionWord, CONDITIONS, ConditionWord, Operator, ScopeKind, literal_name, nearest_name,
    refused_words,
};
use clap::Args;
use serde_json::{Value, json};

/// Show the words of the rule language: what each is for, where it may stand, an example
#[derive(Args)]
#[command(after_help = "Examples:
  sealpost rules words
  sealpost rules words 'Store Encrypted in'")]
pub(super) struct Words {
    /// One condition or action
    name: Option<String>,
}

/// A condition or an action.
enum Word {
    Condition(&'static ConditionWord),
    Action(&'static ActionWord),
}

impl Words {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let all = || {
            CONDITIONS
                .iter()
                .map(|word| Word::Condition(word))
                .chain(ACTIONS.iter().map(|word| Word::Action(word)))
        };
        let Some(name) = &self.name else {
            let words: Vec<Word> = all().collect();
            out.table(&table(&words))?;
            let refused = refused_words().map(|(name, reason)| json!({"name": name, "reason": reason}));
            let words: Vec<Value> = words.iter().map(Word::layout).collect();
            return out.json(json!({"words": words, "refused": refused.collect::<Vec<_>>()}));
        };
        // Another word for it, as an import reads it, is as good.
        let name = literal_name(name).unwrap_or(name);
        let Some(word) = all().find(|word| word.name().eq_ignore_ascii_case(name)) else {
            return Err(unknown(name));
        };
        out.table(&word.fields())?;
        out.json(json!({"words": [word.layout()], "refused": []}))
    }
}

fn unknown(name: &str) -> Failure {
    match refused_words().find(|(word, _)| word.eq_ignore_ascii_case(name)) {
        Some((word, reason)) => Failure::new(Code::No, format!("\"{word}\" is refused: {reason}")),
        None => {
            let near = nearest_name(name).map(|name| format!("did you mean \"{name}\"?\n"));
            Failure::new(Code::NotFound, format!("no condition and no action is called \"{name}\""))
                .hint(format!("{}see: sealpost rules words", near.unwrap_or_default()))
        }
    }
}

fn table(words: &[Word]) -> Table {
    let mut table = Table::new(&["kind", "word", "scopes", "what it is for"], "");
    for word in words {
        let scopes = scopes(word.scopes()).join(" ");
        table.row([word.kind().to_owned(), word.name().to_owned(), scopes, word.doc().to_owned()]);
    }
    table
}

fn scopes(scopes: &[ScopeKind]) -> Vec<&'static str> {
    scopes.iter().map(|scope| scope.name()).collect()
}

fn operators(operators: &[Operator]) -> Vec<&'static str> {
    operators.iter().map(|operator| operator.name()).collect()
}

impl Word {
    fn kind(&self) -> &'static str {
        match self {
            Word::Condition(_) => "condition",
            Word::Action(_) => "action",
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Word::Condition(word) => word.name,
            Word::Action(word) => word.name,
        }
    }

    fn scopes(&self) -> &'static [ScopeKind] {
        match self {
            Word::Condition(word) => word.scopes,
            Word::Action(word) => word.scopes,
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Word::Condition(word) => word.doc,
            Word::Action(word) => word.doc,
        }
    }

    fn example(&self) -> &'static str {
        match self {
            Word::Condition(word) => word.example,
            Word::Action(word) => word.example,
        }
    }

    fn fields(&self) -> Table {
        let (name, value) = match self {
            Word::Condition(word) => ("operators", operators(word.operators).join(", ")),
            Word::Action(word) => ("parameter", word.parameter.to_owned()),
        };
        let allowed = match self {
            Word::Condition(_) => String::new(),
            Word::Action(word) => {
                format!("{} (rules-allowed {} or more)", word.class.name(), word.class.needs().name())
            }
        };
        let mut fields = vec![(self.kind(), self.name().to_owned()), (name, value)];
        fields.push(("scopes", joined(scopes(self.scopes()))));
        if !allowed.is_empty() {
            fields.push(("class", allowed));
        }
        fields.push(("example", self.example().to_owned()));
        fields.push(("what it is for", self.doc().to_owned()));
        Table::fields(fields)
    }

    fn layout(&self) -> Value {
        let (operators, parameter, class) = match self {
            Word::Condition(word) => (Some(operators(word.operators)), None, None),
            Word::Action(word) => (None, Some(word.parameter), Some(word.class.name())),
        };
        json!({
            "kind": self.kind(), "name": self.name(), "operators": operators, "parameter": parameter,
            "scopes": scopes(self.scopes()), "class": class, "doc": self.doc(), "example": self.example(),
        })
    }
}
