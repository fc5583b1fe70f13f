//! The policy: which plugins may load, and what of the user's own grant each may use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sti_core::Plan;
use sti_core::plan::Purpose;

use crate::denial::{Denial, NotVetted};
use crate::grant::{Giver, Grant, Limits};
use crate::judge;
use crate::rules::Rules;
use crate::{ApprovedPlan, FetchGrant, Named, NamedHosts, PluginIdentity};

/// What is allowed. Without a file it is what the user named on the command line; a file can only narrow that.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(crate) file: Option<Contents>,
}

/// Whose a policy file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The site's own. What it names is as good as named by each user.
    Site,
    /// One that a user names. It narrows, and names nothing: whoever wrote it may be less trusted than who uses it.
    User,
}

/// What stands in a policy file.
#[derive(Clone, Debug)]
pub(crate) struct Contents {
    pub(crate) shown: PathBuf,
    pub(crate) whose: Whose,
    pub(crate) vetted_only: bool,
    pub(crate) defaults: Rules,
    pub(crate) plugins: BTreeMap<String, Section>,
}

/// What a policy file says about one plugin.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// The components that are meant. A section means components, never whoever bears its name.
    pub(crate) digests: Vec<String>,
    /// Where the component lies that may be called by its name, and the line that says so; in the site's file only.
    pub(crate) path: Option<(PathBuf, usize)>,
    pub(crate) rules: Rules,
}

/// A component that the site installed.
#[derive(Clone, Copy, Debug)]
pub struct Installed<'policy> {
    /// Where it lies: absolute.
    pub path: &'policy Path,
    /// What it must be.
    pub digests: &'policy [String],
    /// The policy file.
    pub file: &'policy Path,
    /// The line that names the path, counted from 1.
    pub line: usize,
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

    /// The components that the site installed, by name.
    pub fn installed(&self) -> impl Iterator<Item = Installed<'_>> {
        self.file.iter().flat_map(|file| {
            file.plugins.values().filter_map(|section| {
                let (path, line) = section.path.as_ref()?;
                Some(Installed { path, digests: &section.digests, file: &file.shown, line: *line })
            })
        })
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
        let (rules, giver) = file.rules_for(plugin);
        Grant { plugin: plugin.clone(), named: named.clone(), rules, giver: Some(giver) }
    }

    /// What a fetcher may use in one fetch: what the user and the site named, narrowed by the file.
    pub fn fetch_grant(&self, plugin: &PluginIdentity, named: NamedHosts) -> FetchGrant {
        let (rules, giver) = self.file.as_ref().map(|file| file.rules_for(plugin)).unzip();
        FetchGrant { plugin: plugin.clone(), named, rules: rules.unwrap_or_default(), giver }
    }

    /// What a plugin may consume, as far as the file says.
    pub fn own_limits(&self, plugin: &PluginIdentity) -> Limits {
        let Some(file) = &self.file else { return Limits::default() };
        let (rules, giver) = file.rules_for(plugin);
        Limits::of(&rules, Some(&giver))
    }

    /// Holds every word of a plan against the grant of the plugin that wrote it. Nothing else makes an [`ApprovedPlan`].
    pub fn approve(&self, plan: Plan, plugin: &PluginIdentity, named: &Named) -> Result<ApprovedPlan, Denial> {
        self.approve_for(plan, plugin, named, Purpose::Products)
    }

    /// The same for a plan that is wanted for something else: one that explains makes nothing.
    pub fn approve_for(
        &self,
        plan: Plan,
        plugin: &PluginIdentity,
        named: &Named,
        purpose: Purpose,
    ) -> Result<ApprovedPlan, Denial> {
        self.vet(plugin)?;
        judge::judge(&plan, &self.grant(plugin, named), purpose)?;
        Ok(ApprovedPlan::new(plan))
    }
}

impl Contents {
    /// The rules for a plugin, and where they stand.
    fn rules_for(&self, plugin: &PluginIdentity) -> (Rules, Giver) {
        let section = self.section_of(plugin);
        let rules = section.map_or_else(|| self.defaults.clone(), |(_, section)| section.rules.or(&self.defaults));
        let section = section.map(|(name, _)| name.to_owned());
        (rules, Giver { file: self.shown.clone(), whose: self.whose, section })
    }

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
