//! What a monitored function is: written once a run and function, so that its calls need only a number.

use crate::DecodeError;
use crate::varint::{self, Input};

/// A monitored function as a run's journal defines it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionDef {
    /// `pkg.mod.Class.method`, or the name given to `monitor`.
    pub name: String,
    /// The group given to `monitor`; empty for none.
    pub group: String,
    /// `function`, `coroutine`, `generator`, `async_generator` or `span`.
    pub kind: String,
    /// Source file; empty where there is none (a builtin).
    pub file: String,
    /// First line in `file`; 0 where unknown.
    pub line: u32,
    /// Parameter names in order, `self` and `cls` left out. `*args` and `**kwargs` stand under their bare names.
    pub parameters: Vec<String>,
    /// What the run and the function change of the names whose values are withheld; empty for nothing. Whoever adds
    /// to the function's calls later (lines of source) withholds by the same names.
    pub sensitive_fields: Vec<String>,
}

impl FunctionDef {
    /// The definition as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        for text in [&self.name, &self.group, &self.kind, &self.file] {
            varint::put_bytes(&mut out, text.as_bytes());
        }
        varint::put(&mut out, u64::from(self.line));
        varint::put(&mut out, self.parameters.len() as u64);
        for name in &self.parameters {
            varint::put_bytes(&mut out, name.as_bytes());
        }
        // Left out when empty: most are, and definitions of older versions are.
        if !self.sensitive_fields.is_empty() {
            varint::put(&mut out, self.sensitive_fields.len() as u64);
            for entry in &self.sensitive_fields {
                varint::put_bytes(&mut out, entry.as_bytes());
            }
        }
        out
    }

    /// Reads a definition back.
    ///
    /// # Errors
    /// When the bytes are not one whole definition.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut input = Input::new(bytes);
        let (name, group, kind, file) = (input.text()?, input.text()?, input.text()?, input.text()?);
        let line = u32::try_from(input.varint()?).map_err(|_| DecodeError::Range)?;
        let parameters = texts(&mut input)?;
        let sensitive_fields = if input.is_empty() { Vec::new() } else { texts(&mut input)? };
        Ok(Self { name, group, kind, file, line, parameters, sensitive_fields })
    }
}

/// A count, and as many texts.
fn texts(input: &mut Input<'_>) -> Result<Vec<String>, DecodeError> {
    let count = input.varint()?;
    (0..count).map(|_| input.text()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_comes_back_as_written() {
        let written = FunctionDef {
            name: "shop.orders.place".into(),
            group: "orders".into(),
            kind: "function".into(),
            file: "shop/orders.py".into(),
            line: 17,
            parameters: vec!["order".into(), "dry_run".into()],
            sensitive_fields: vec!["badge".into(), "-token".into()],
        };
        let usual = FunctionDef { sensitive_fields: Vec::new(), ..written.clone() };
        assert_eq!(FunctionDef::decode(&written.encode()), Ok(written.clone()));
        assert_eq!(FunctionDef::decode(&usual.encode()), Ok(usual.clone()));
        for cut in (0..written.encode().len()).filter(|&cut| cut != usual.encode().len()) {
            assert!(FunctionDef::decode(&written.encode()[..cut]).is_err());
        }
    }
}
