//! Variables of the app and the templates over them (`"{{ name }}"`).

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};

use crate::manifest::Manifest;

/// The prefix of environment variables that give a value, as on Spin.
const ENVIRONMENT_PREFIX: &str = "SPIN_VARIABLE_";

/// Every variable of the app with its value.
#[derive(Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Values in Spin's order: `given` (flags), `SPIN_VARIABLE_NAME`, the default.
    ///
    /// # Errors
    /// A name that the manifest does not declare, or required variables without a value.
    pub fn resolve(manifest: &Manifest, given: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        for name in given.keys() {
            ensure!(
                manifest.variables.contains_key(name),
                "variable `{name}` is not declared in [variables]"
            );
        }
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in &manifest.variables {
            check_name(name)?;
            let environment = format!("{ENVIRONMENT_PREFIX}{}", name.to_ascii_uppercase());
            let value = given
                .get(name)
                .cloned()
                .or_else(|| std::env::var(&environment).ok())
                .or_else(|| variable.default.clone());
            match value {
                Some(value) => drop(values.insert(name.clone(), value)),
                None => missing.push(format!("{name} (--variable {name}=… or {environment})")),
            }
        }
        ensure!(
            missing.is_empty(),
            "required variables have no value: {}",
            missing.join(", ")
        );
        Ok(Self(values))
    }

    /// The value of one variable of the app.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Fills in a template.
    ///
    /// # Errors
    /// `{{` without `}}`, or a name that is not declared.
    pub fn expand(&self, template: &str) -> anyhow::Result<String> {
        let mut expanded = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((literal, tail)) = rest.split_once("{{") {
            let (name, tail) = tail
                .split_once("}}")
                .with_context(|| format!("`{template}` has a {{{{ without its }}}}"))?;
            let name = name.trim();
            let value = self.get(name).with_context(|| {
                format!("`{template}` names `{name}`, which [variables] does not declare")
            })?;
            expanded.push_str(literal);
            expanded.push_str(value);
            rest = tail;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

/// Checks the form of a variable's name: `a-z`, digits and single inner underscores.
///
/// # Errors
/// What is wrong with it, in words.
pub fn check_name(name: &str) -> anyhow::Result<()> {
    let wrong = if name.is_empty() {
        "must not be empty"
    } else if !name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        "may contain only lower-case letters, numbers and underscores"
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lower-case letter"
    } else if name.ends_with('_') || name.contains("__") {
        "must not end with an underscore or contain two in a row"
    } else {
        return Ok(());
    };
    bail!("{name:?}: {wrong}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> Variables {
        Variables(BTreeMap::from([("host".into(), "db.example".into())]))
    }

    #[test]
    fn a_template_mixes_text_and_variables() {
        let filled = variables()
            .expand("postgres://{{ host }}:5432/{{host}}")
            .unwrap();
        assert_eq!(filled, "postgres://db.example:5432/db.example");
    }

    #[test]
    fn a_template_with_an_open_brace_or_an_unknown_name_is_refused() {
        assert!(variables().expand("{{ host").is_err());
        assert!(variables().expand("{{ other }}").is_err());
    }

    #[test]
    fn names_have_spins_form() {
        assert!(check_name("database_url2").is_ok());
        for wrong in ["", "Url", "1a", "a__b", "a_", "a-b"] {
            assert!(check_name(wrong).is_err(), "{wrong}");
        }
    }
}
