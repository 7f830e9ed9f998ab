//! The operators between a condition and its parameter.

use std::fmt;

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The picture matches the whole value.
    Is,
    /// It does not.
    IsNot,
    /// One picture of a list matches.
    In,
    /// None does.
    NotIn,
    /// Smaller than the parameter.
    LessThan,
    /// Larger than the parameter.
    GreaterThan,
}

impl Operator {
    /// Every operator.
    pub const ALL: &'static [Operator] = &[
        Operator::Is,
        Operator::IsNot,
        Operator::In,
        Operator::NotIn,
        Operator::LessThan,
        Operator::GreaterThan,
    ];
    /// Those that compare with pictures.
    pub(super) const PICTURES: &'static [Operator] =
        &[Operator::Is, Operator::IsNot, Operator::In, Operator::NotIn];
    /// Those that compare numbers.
    pub(super) const NUMBERS: &'static [Operator] =
        &[Operator::Is, Operator::IsNot, Operator::LessThan, Operator::GreaterThan];

    /// Those that compare hours and minutes.
    pub(super) const TIMES: &'static [Operator] =
        &[Operator::Is, Operator::In, Operator::LessThan, Operator::GreaterThan];
    /// Those that compare what is nowhere exactly.
    pub(super) const ORDER: &'static [Operator] = &[Operator::LessThan, Operator::GreaterThan];

    /// Its spelling in a rule file.
    pub fn name(self) -> &'static str {
        match self {
            Operator::Is => "is",
            Operator::IsNot => "is not",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::LessThan => "less than",
            Operator::GreaterThan => "greater than",
        }
    }

    /// `in` and `not in` take a list, the others one value.
    pub(super) fn takes_list(self) -> bool {
        matches!(self, Operator::In | Operator::NotIn)
    }

    /// `is not` and `not in`.
    pub(super) fn is_negative(self) -> bool {
        matches!(self, Operator::IsNot | Operator::NotIn)
    }

    /// Compares two numbers, times or dates; the list operators never hold.
    pub(super) fn compares<T: PartialOrd>(self, value: T, limit: T) -> bool {
        match self {
            Operator::Is => value == limit,
            Operator::IsNot => value != limit,
            Operator::LessThan => value < limit,
            Operator::GreaterThan => value > limit,
            Operator::In | Operator::NotIn => false,
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
