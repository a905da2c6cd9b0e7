//! Calls, arguments, results.

use core::fmt::{self, Display, Formatter};

use crate::script::{Call, Expression, Field, Notation, Value};

use super::{write_joined, write_text};

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        write_joined(f, &self.arguments, ", ")?;
        write!(f, ") = {}", self.result)?;
        if let Some((errno, _)) = &self.errno {
            write!(f, " {errno}")?;
        }
        if let Some(note) = &self.note {
            write!(f, " ({note})")?;
        }
        Ok(())
    }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ellipsis => f.write_str("..."),
            Self::Integer { value, notation } => write_integer(f, *value, *notation),
            Self::Symbol(name) => f.write_str(name),
            Self::Or(list) => write_joined(f, list, "|"),
            Self::Text(bytes) => write_text(f, bytes),
            Self::List(list) => {
                f.write_str("[")?;
                write_joined(f, list, ", ")?;
                f.write_str("]")
            }
            Self::Struct(fields) => {
                f.write_str("{")?;
                write_joined(f, fields, ", ")?;
                f.write_str("}")
            }
            Self::Function { name, arguments } => {
                write!(f, "{name}(")?;
                write_joined(f, arguments, ", ")?;
                f.write_str(")")
            }
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            f.write_str(&self.name)?;
            if let Some(len) = &self.len {
                write!(f, "({len})")?;
            }
            f.write_str("=")?;
        }
        self.value.fmt(f)
    }
}

fn write_integer(f: &mut Formatter<'_>, value: i64, notation: Notation) -> fmt::Result {
    match notation {
        Notation::Decimal => write!(f, "{value}"),
        Notation::Hexadecimal => write!(f, "0x{value:x}"),
        Notation::Octal if value < 0 => write!(f, "-0{:o}", value.unsigned_abs()),
        Notation::Octal => write!(f, "0{value:o}"),
    }
}
