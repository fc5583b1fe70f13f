//! A grant: what one plugin may use in one build. Printed for `--debug` and `sti doctor`.

use std::fmt;
use std::path::PathBuf;

use sti_core::plan::{Network, RunsAs};
use sti_core::{Plan, Reference, Variable};

use crate::denial::{Denial, NotGranted, Where};
use crate::quoting::{listed, shown};
use crate::rules::{Root, Rules};
use crate::{Named, PluginIdentity, Whose};

/// What one plugin may use in one build: what the user named, narrowed by a policy file where there is one.
#[derive(Clone, Debug)]
pub struct Grant {
    pub(crate) plugin: PluginIdentity,
    pub(crate) named: Named,
    pub(crate) rules: Rules,
    pub(crate) giver: Option<Giver>,
}

/// The policy file behind a grant.
#[derive(Clone, Debug)]
pub(crate) struct Giver {
    pub(crate) file: PathBuf,
    /// Whose it is.
    pub(crate) whose: Whose,
    /// The plugin's own section; absent where `[defaults]` alone apply.
    pub(crate) section: Option<String>,
}

impl Giver {
    /// Says what the file grants.
    pub(crate) fn grants(&self, what: &str) -> String {
        format!("policy `{}` grants {what}", self.file.display())
    }

    /// The line of the file that would allow something.
    pub(crate) fn line(&self, key: &str, value: &str) -> String {
        let section = self.section.as_ref().map_or_else(|| "defaults".to_owned(), |name| format!("plugins.{name}"));
        format!("to allow it, write in [{section}] of {}:  {key} = {value}", self.file.display())
    }

    pub(crate) fn is_site(&self) -> bool {
        self.whose == Whose::Site
    }
}

/// What a policy file allows a plugin to consume; absent where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Seconds until its answer.
    pub seconds: Option<u64>,
    /// Whether that may be more than what is built in: where the site says so.
    pub may_widen: bool,
}

impl Limits {
    pub(crate) fn of(rules: &Rules, giver: Option<&Giver>) -> Self {
        Self { memory: rules.memory, seconds: rules.seconds, may_widen: giver.is_some_and(Giver::is_site) }
    }
}

impl Grant {
    /// Tells whether the plugin may look at an image, and start from it: one that the user named, or an earlier product.
    pub fn may_look_at(&self, image: &Reference) -> Result<(), Denial> {
        self.judge_image("look at", image, &Where::Question)
    }

    /// What the plugin may consume, as far as a policy file says.
    pub fn limits(&self) -> Limits {
        Limits::of(&self.rules, self.giver.as_ref())
    }

    /// What the plugin's containers may reach.
    pub fn network(&self) -> Network {
        self.rules.network.map_or(self.named.network, |network| network.min(self.named.network))
    }

    /// Who may be root.
    pub fn root(&self) -> Root {
        self.rules.root.unwrap_or(Root::WhereTheImageIs)
    }

    /// The user's variables.
    pub fn environment(&self) -> &[Variable] {
        &self.named.environment
    }

    /// Tells whether the command line leaves open who anything runs as.
    pub fn allows_every_uid(&self) -> bool {
        self.named.uids.is_none()
    }

    /// Tells whether a step may run as a user. `number` is who that is in the image; `None` where its lists do not tell.
    pub fn may_run_as(&self, plan: &Plan, who: &RunsAs, number: Option<u32>) -> Result<(), Denial> {
        let Some(ranges) = self.named.uids.as_ref().filter(|ranges| !number.is_some_and(|uid| ranges.contains(uid))) else {
            return Ok(());
        };
        let title = plan.step(who.step).map(|step| step.title.clone()).unwrap_or_default();
        let place = Where::Step { number: who.step.0 as usize + 1, title };
        let user = if who.user.is_empty() { "root" } else { &who.user };
        let is_who = number.map_or_else(|| "whom nobody knows there".to_owned(), |uid| format!("whose number is {uid}"));
        let image = who.image.as_ref().map_or_else(String::new, |(image, _)| format!(" in `{image}`"));
        let wish = format!("run as `{}`{image}, {is_who}", shown(user));
        let hint = "use an image with another user, or `--assemble-user`; or widen `--allowed-uids`".to_owned();
        Err(self.denial(&place, wish, format!("the command line grants the user numbers {ranges}"), Some(hint)))
    }

    /// The user's variables, those that no image may keep as well.
    pub(crate) fn all_variables(&self) -> impl Iterator<Item = &Variable> {
        self.named.environment.iter().chain(&self.named.build_environment)
    }

    /// Tells whether the plugin may have a secret put into a step.
    pub(crate) fn judge_secret(&self, name: &str, place: &Where) -> Result<(), Denial> {
        let wish = format!("use the secret `{}`", shown(name));
        if !self.named.secrets.iter().any(|own| own == name) {
            let grant = format!("of secrets, the command line names {}", listed(&self.named.secrets));
            return Err(self.denial(place, wish, grant, None));
        }
        let Some(granted) = self.rules.secrets.as_ref().filter(|granted| !granted.iter().any(|own| own == name)) else {
            return Ok(());
        };
        let because = self.by_the_file(&format!("it of secrets {}", listed(granted)));
        let names: Vec<String> = granted.iter().map(String::as_str).chain([name]).map(|name| format!("\"{name}\"")).collect();
        Err(self.denial(place, wish, because, self.line_of_the_file("secrets", &format!("[{}]", names.join(", ")))))
    }

    pub(crate) fn judge_image(&self, verb: &str, image: &Reference, place: &Where) -> Result<(), Denial> {
        let wish = format!("{verb} `{image}`");
        if !self.is_named(image) && !is_product(&self.named.tag, image) {
            let hint = "a strategy works with the images of the command line: BUILD_IMAGE, and --runtime IMAGE".to_owned();
            return Err(self.denial(place, wish, self.named_images(), Some(hint)));
        }
        let Some(patterns) = self.rules.images.as_ref().filter(|patterns| !patterns.iter().any(|pattern| pattern.matches(image)))
        else {
            return Ok(());
        };
        let written: Vec<&str> = patterns.iter().map(super::pattern::Pattern::written).collect();
        let because = self.by_the_file(&format!("it {}", listed(&written)));
        let hint = self.line_of_the_file("images", &images_line(&written, &image.canonical()));
        Err(self.denial(place, wish, because, hint))
    }

    /// A refusal of a wish of this plugin.
    pub(crate) fn denial(&self, place: &Where, wish: String, grant: String, hint: Option<String>) -> Denial {
        Denial::NotGranted(Box::new(NotGranted { plugin: self.plugin.name.clone(), place: place.clone(), wish, grant, hint }))
    }

    /// Says what the policy file grants.
    pub(crate) fn by_the_file(&self, what: &str) -> String {
        match &self.giver {
            Some(giver) => giver.grants(what),
            None => format!("the command line grants {what}"),
        }
    }

    /// The line of the policy file that would allow something; none where the file is silent.
    pub(crate) fn line_of_the_file(&self, key: &str, value: &str) -> Option<String> {
        Some(self.giver.as_ref()?.line(key, value))
    }

    fn is_named(&self, image: &Reference) -> bool {
        self.named.images.iter().any(|named| named.canonical() == image.canonical())
    }

    fn named_images(&self) -> String {
        let images: Vec<&str> = self.named.images.iter().map(Reference::written).collect();
        format!("the command line names {}, and the products of `{}`", listed(&images), self.named.tag)
    }
}

/// Tells whether an image bears the tag of the build, or that of a sibling such as `app:1-build`.
fn is_product(tag: &Reference, image: &Reference) -> bool {
    let (whole, canonical) = (tag.canonical(), image.canonical());
    if canonical == whole {
        return true;
    }
    // Where the user wrote no tag, the sibling's name grows and its tag is `latest`: `app-build`.
    let grows_in_the_tag = tag.sibling("x").is_ok_and(|sibling| sibling.canonical() == format!("{whole}-x"));
    let name = if grows_in_the_tag {
        canonical.strip_prefix(&format!("{whole}-"))
    } else {
        canonical.strip_prefix(&format!("{}-", tag.name())).and_then(|rest| rest.strip_suffix(":latest"))
    };
    name.is_some_and(is_kebab)
}

/// Tells whether a name is of lower-case letters, digits and single dashes, beginning with a letter.
pub(crate) fn is_kebab(name: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.len() <= 63 && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.split('-').all(is_word)
}

fn images_line(written: &[&str], image: &str) -> String {
    let images: Vec<String> = written.iter().chain([&image]).map(|image| format!("\"{image}\"")).collect();
    format!("[{}]", images.join(", "))
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let giver = self.giver.as_ref().map_or_else(String::new, |giver| format!(", narrowed by {}", giver.file.display()));
        writeln!(formatter, "grant of `{}` ({}): the command line{giver}", shown(&self.plugin.name), self.plugin.digest)?;
        let images: Vec<&str> = self.named.images.iter().map(Reference::written).collect();
        writeln!(formatter, "  images       {}, products of `{}`", listed(&images), self.named.tag)?;
        if let Some(patterns) = &self.rules.images {
            let written: Vec<&str> = patterns.iter().map(super::pattern::Pattern::written).collect();
            writeln!(formatter, "  and only     {}", listed(&written))?;
        }
        let network = if self.network() == Network::None { "none" } else { "outgoing" };
        writeln!(formatter, "  network      {network}\n  root         {}", self.root())?;
        // Names only: a value may be a secret that somebody passed as a variable.
        let variables: Vec<&str> = self.named.environment.iter().map(|variable| variable.name.as_str()).collect();
        writeln!(formatter, "  environment  {}", listed(&variables))?;
        if !self.named.build_environment.is_empty() {
            let variables: Vec<&str> = self.named.build_environment.iter().map(|variable| variable.name.as_str()).collect();
            writeln!(formatter, "  scripts only {}", listed(&variables))?;
        }
        writeln!(formatter, "  caches       {}\n  secrets      {}", listed(&self.named.caches), listed(&self.named.secrets))?;
        if let Some(secrets) = &self.rules.secrets {
            writeln!(formatter, "  and only     {}", listed(secrets))?;
        }
        let limit =
            |limit: Option<u64>, unit: &str| limit.map_or_else(|| "as built in".to_owned(), |limit| format!("{limit} {unit}"));
        writeln!(formatter, "  memory       {}", limit(self.rules.memory, "bytes"))?;
        write!(formatter, "  time         {}", limit(self.rules.seconds, "seconds"))
    }
}
