//! What a condition that compares leaves: sizes, minutes of a day, moments.

use crate::rules::Operator;
use crate::rules::arguments::bytes;
use crate::rules::conditions::{date_left, minutes_left};
use crate::rules::datum::{Datum, Node};
use crate::rules::model::Condition;
use std::ops::Range;

/// What is counted; only the same can contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rules) enum Unit {
    /// Of a message.
    Bytes,
    /// Of a day.
    Minutes,
    /// On a clock in the site's zone.
    ClockSeconds,
    /// The same everywhere.
    Seconds,
}

/// Values that a condition leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rules) struct Left {
    pub(in crate::rules) unit: Unit,
    pub(in crate::rules) span: Range<i128>,
}

impl Left {
    /// Those of a condition that compares one value.
    pub(super) fn of(condition: &Condition) -> Option<Left> {
        let parameter = condition.node.as_list()?.get(2)?;
        let operator = condition.operator?;
        match condition.name {
            "Message Size" => sizes(operator, parameter),
            "Time Of Day" => minutes_left(operator, parameter.as_text()?),
            "Current Date" => date_left(operator, date(parameter)?),
            _ => None,
        }
    }

    /// Is nothing left?
    pub(super) fn is_empty(&self) -> bool {
        self.span.is_empty()
    }

    /// Is nothing left by both together?
    pub(super) fn excludes(&self, other: &Left) -> bool {
        let (one, two) = (&self.span, &other.span);
        self.unit == other.unit && one.start.max(two.start) >= one.end.min(two.end)
    }
}

/// The values that compare so with all of one value, which is a span itself: a day, a second.
pub(in crate::rules) fn compared(
    operator: Operator,
    one: Range<i128>,
    all: Range<i128>,
) -> Option<Range<i128>> {
    match operator {
        Operator::Is => Some(one),
        Operator::LessThan => Some(all.start..one.start),
        Operator::GreaterThan => Some(one.end..all.end),
        _ => None,
    }
}

fn sizes(operator: Operator, parameter: &Node) -> Option<Left> {
    let size = match parameter.as_text() {
        Some(text) => bytes(text)?,
        None => u64::try_from(parameter.as_integer()?).ok()?,
    };
    let size = i128::from(size);
    let span = compared(operator, size..size + 1, 0..i128::from(u64::MAX))?;
    Some(Left { unit: Unit::Bytes, span })
}

fn date(parameter: &Node) -> Option<&str> {
    match &parameter.datum {
        Datum::Date(text) => Some(text),
        _ => parameter.as_text(),
    }
}
