//! The policy: which plugins may load, and what of the user's own grant each may use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sti_core::Plan;

use crate::denial::{Denial, NotVetted};
use crate::grant::{Giver, Grant};
use crate::judge;
use crate::rules::Rules;
use crate::{ApprovedPlan, Named, PluginIdentity};

/// What is allowed. Without a file it is what the user named on the command line; a file can only narrow that.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(crate) file: Option<Contents>,
}

/// What stands in a policy file.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    pub(crate) shown: PathBuf,
    pub(crate) vetted_only: bool,
    pub(crate) defaults: Rules,
    pub(crate) plugins: BTreeMap<String, Section>,
}

/// What a policy file says about one plugin.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// The components that are meant. A section means components, never whoever bears its name.
    pub(crate) digests: Vec<String>,
    pub(crate) rules: Rules,
}

impl Policy {
    /// The policy where there is no file.
    pub fn none() -> Self {
        Self { file: None }
    }

    /// The file it was read from, as it is shown.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.shown.as_path())
    }

    /// Tells whether only listed components load.
    pub fn is_vetted_only(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.vetted_only)
    }

    /// Tells whether a component may be loaded. Asked before any of its code runs, so its name may not be known yet: digests decide.
    pub fn vet(&self, plugin: &PluginIdentity) -> Result<(), Denial> {
        let Some(file) = &self.file else { return Ok(()) };
        if !file.vetted_only || file.section_of(plugin).is_some() {
            return Ok(());
        }
        Err(Denial::NotVetted(Box::new(NotVetted {
            plugin: plugin.name.clone(),
            digest: plugin.digest.clone(),
            file: file.shown.clone(),
            hint: file.vetting_lines(plugin),
        })))
    }

    /// What a plugin may use: what the user named, narrowed by the file.
    pub fn grant(&self, plugin: &PluginIdentity, named: &Named) -> Grant {
        let Some(file) = &self.file else {
            return Grant { plugin: plugin.clone(), named: named.clone(), rules: Rules::default(), giver: None };
        };
        let section = file.section_of(plugin);
        let rules = section.map_or_else(|| file.defaults.clone(), |(_, section)| section.rules.or(&file.defaults));
        let giver = Giver { file: file.shown.clone(), section: section.map(|(name, _)| name.to_owned()) };
        Grant { plugin: plugin.clone(), named: named.clone(), rules, giver: Some(giver) }
    }

    /// Holds every word of a plan against the grant of the plugin that wrote it. Nothing else makes an [`ApprovedPlan`].
    pub fn approve(&self, plan: Plan, plugin: &PluginIdentity, named: &Named) -> Result<ApprovedPlan, Denial> {
        self.vet(plugin)?;
        judge::judge(&plan, &self.grant(plugin, named))?;
        Ok(ApprovedPlan::new(plan))
    }
}

impl Contents {
    fn section_of(&self, plugin: &PluginIdentity) -> Option<(&str, &Section)> {
        let means_it = |section: &Section| section.digests.contains(&plugin.digest);
        self.plugins.iter().find(|(_, section)| means_it(section)).map(|(name, section)| (name.as_str(), section))
    }

    /// The lines that would vet a plugin: a section of its own, or one more digest where the name has a section already.
    fn vetting_lines(&self, plugin: &PluginIdentity) -> String {
        let name = section_name(&plugin.name);
        let file = self.shown.display();
        match self.plugins.get(&name) {
            None => format!("to allow it, add to {file}:\n[plugins.{name}]\ndigest = \"{}\"", plugin.digest),
            Some(section) => {
                let digests = section.digests.iter().chain([&plugin.digest]);
                let digests: Vec<String> = digests.map(|digest| format!("\"{digest}\"")).collect();
                format!("to allow it, write in [plugins.{name}] of {file}:  digest = [{}]", digests.join(", "))
            }
        }
    }
}

/// A name that TOML takes as a bare key.
fn section_name(plugin: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let bare: String = plugin.chars().take(60).map(|character| if is_bare(character) { character } else { '-' }).collect();
    if bare.is_empty() { "plugin".to_owned() } else { bare }
}
