//! Further names for models, which only generate and chat look at: each stands for a model, or each
//! name that begins with it does. In whatever case, and a model's own name goes before.

use super::name::Name;
use serde::{Deserialize, Serialize};

/// The most that there may be.
const MOST: usize = 1024;

/// A further name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Alias {
    pub alias: String,
    pub target: String,
    /// Whether every name that begins with it stands for the model.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub prefix_matching: bool,
}

/// All of a server's.
#[derive(Default)]
pub struct Aliases(Vec<Alias>);

/// Why one can't be set.
#[derive(Debug, PartialEq, Eq)]
pub enum AliasError {
    /// It would stand for itself in the end.
    Cycle,
    /// There are too many.
    Full,
}

impl Aliases {
    /// All of them, in their order.
    pub fn all(&self) -> Vec<Alias> {
        let mut all = self.0.clone();
        all.sort_by(|one, other| one.alias.cmp(&other.alias));
        all
    }

    /// Adds one, in the place of one with the same name.
    ///
    /// # Errors
    /// When it would lead to itself, or there are too many.
    pub fn set(&mut self, alias: Alias) -> Result<(), AliasError> {
        if !alias.prefix_matching {
            let mut at = &alias.target;
            while let Some(next) = self.exact(at) {
                at = &next.target;
                if at.eq_ignore_ascii_case(&alias.alias) {
                    return Err(AliasError::Cycle);
                }
            }
        }
        let same = |other: &Alias| {
            other.prefix_matching == alias.prefix_matching
                && other.alias.eq_ignore_ascii_case(&alias.alias)
        };
        let known = self.0.iter().position(same);
        match known {
            Some(at) => self.0[at] = alias,
            None if self.0.len() >= MOST => return Err(AliasError::Full),
            None => self.0.push(alias),
        }
        Ok(())
    }

    /// Takes one away; whether there was one.
    pub fn remove(&mut self, alias: &str) -> bool {
        let same = |other: &Alias| other.alias.eq_ignore_ascii_case(alias);
        let known = self.0.iter().position(same);
        known.map(|at| self.0.remove(at)).is_some()
    }

    /// The name of the model that a name stands for.
    pub fn resolved(&self, name: &Name) -> Option<Name> {
        let shown = shown(name);
        let mut found = self.exact(&shown).or_else(|| self.longest_start(&shown))?;
        while let Some(next) = self.exact(&found.target) {
            found = next;
        }
        Some(Name::parse(&found.target))
    }

    fn exact(&self, name: &str) -> Option<&Alias> {
        let mut exact = self.0.iter().filter(|alias| !alias.prefix_matching);
        exact.find(|alias| alias.alias.eq_ignore_ascii_case(name))
    }

    fn longest_start(&self, name: &str) -> Option<&Alias> {
        let name = name.to_lowercase();
        let starts = self
            .0
            .iter()
            .filter(|alias| alias.prefix_matching && name.starts_with(&alias.alias.to_lowercase()));
        starts.max_by_key(|alias| alias.alias.len())
    }
}

/// A name as a list of aliases has it: as short as it can be.
pub fn shown(name: &Name) -> String {
    let shortest = name.shortest();
    match shortest.rsplit_once(':') {
        Some((rest, tag)) if tag.eq_ignore_ascii_case("latest") => rest.to_owned(),
        _ => shortest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(alias: &str, target: &str, prefix_matching: bool) -> Alias {
        Alias {
            alias: alias.to_owned(),
            target: target.to_owned(),
            prefix_matching,
        }
    }

    #[test]
    fn a_name_stands_for_a_model_through_any_number_of_others() {
        let mut aliases = Aliases::default();
        for (name, target, prefix) in [
            ("gpt", "small", false),
            ("small", "gemma3", false),
            ("claude-", "tools", true),
            ("claude-big", "thinking", true),
        ] {
            aliases.set(alias(name, target, prefix)).expect("no cycle");
        }
        let of = |name| {
            aliases
                .resolved(&Name::parse(name))
                .map(|name| shown(&name))
        };
        for (name, model) in [
            ("GPT", Some("gemma3")),
            ("gpt:latest", Some("gemma3")),
            ("claude-4", Some("tools")),
            ("Claude-bigger", Some("thinking")),
            ("gemma3", None),
        ] {
            assert_eq!(of(name).as_deref(), model, "{name}");
        }
    }

    #[test]
    fn a_name_that_stands_for_itself_is_refused() {
        let mut aliases = Aliases::default();
        aliases.set(alias("a", "b", false)).expect("no cycle");
        aliases.set(alias("b", "c", false)).expect("no cycle");
        assert_eq!(aliases.set(alias("c", "A", false)), Err(AliasError::Cycle));
        assert!(aliases.remove("A"));
        assert!(!aliases.remove("a"));
        aliases.set(alias("c", "a", false)).expect("no cycle now");
        assert_eq!(aliases.all().len(), 2);
    }
}
