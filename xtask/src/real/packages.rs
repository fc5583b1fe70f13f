//! Debian packages: which ones an image asks for, and where this machine gets them.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The systems whose packages make an image. Sources of third parties that the machine has besides stay out of it.
const SYSTEMS: &[&str] = &["Debian", "Ubuntu"];

/// What of the settings of this machine's apt decides whether packages can be had: proxies, credentials, and the faith in old lists.
const SETTINGS: &[&str] = &["Acquire::http", "Acquire::https", "Acquire::Check-Date", "Acquire::Check-Valid-Until"];

/// What a file `packages` asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Packages {
    /// Installed with all that they depend on.
    pub(super) wanted: Vec<String>,
    /// Left out, though others depend on them.
    pub(super) left_out: Vec<String>,
}

impl Packages {
    /// Reads a name a line; `!` before it leaves a package out, `#` begins a comment.
    pub(super) fn read(text: &str) -> Self {
        let mut packages = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix('!') {
                Some(name) => packages.left_out.push(name.to_owned()),
                None => packages.wanted.push(line.to_owned()),
            }
        }
        packages
    }

    /// The packages that are left out, as the list of what is installed would have them.
    pub(super) fn stand_ins(&self) -> String {
        let stand_in = |name: &String| {
            format!(
                "\nPackage: {name}\nStatus: install ok installed\nMaintainer: nobody <nobody@example.com>\nArchitecture: all\n\
                 Version: 9999\nDescription: stands in for what is left out\n"
            )
        };
        self.left_out.iter().map(stand_in).collect()
    }
}

/// The sources of this machine.
pub(super) struct Sources {
    /// The release that the machine runs.
    pub(super) release: String,
    /// Lines of a `sources.list`.
    pub(super) list: String,
    /// Lines of an `apt.conf`.
    pub(super) settings: Vec<String>,
}

impl Sources {
    /// Asks apt.
    pub(super) fn of_this_machine() -> Result<Self> {
        let format = "$(ORIGIN)\t$(RELEASE)\tdeb $(REPO_URI) $(RELEASE) $(COMPONENT)";
        let answer = hear("apt-get", &["indextargets", "--format", format, "Created-By: Packages"])?;
        let rows = answer.lines().filter_map(|line| {
            let (system, row) = line.split_once('\t')?;
            if SYSTEMS.contains(&system) { row.split_once('\t') } else { None }
        });
        let rows = rows.collect::<Vec<_>>();
        ensure!(!rows.is_empty(), "apt knows of no packages of {}: apt-get update", SYSTEMS.join(" or "));
        // A release comes before its updates, which are named after it.
        let release = rows.iter().map(|(release, _)| *release).min_by_key(|release| release.len()).unwrap_or_default();
        let list = rows.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
        let dump = ["dump", "--no-empty", "--format", "%f \"%v\";%n"];
        let settings = hear("apt-config", &[&dump[..], SETTINGS].concat())?;
        Ok(Self { release: release.to_owned(), list, settings: settings.lines().map(str::to_owned).collect() })
    }
}

fn hear(program: &str, arguments: &[&str]) -> Result<String> {
    let answer = Command::new(program).args(arguments).output().with_context(|| format!("{program} cannot be started"))?;
    ensure!(answer.status.success(), "{program}: {}", String::from_utf8_lossy(&answer.stderr));
    Ok(String::from_utf8(answer.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_wanted_and_what_is_left_out() {
        let packages = Packages::read("# Why.\nnodejs\n\nnpm\n!webpack\n");
        assert_eq!(packages.wanted, ["nodejs", "npm"]);
        assert_eq!(packages.left_out, ["webpack"]);
        assert!(packages.stand_ins().contains("\nPackage: webpack\nStatus: install ok installed\n"));
        assert_eq!(Packages::read("#").stand_ins(), "");
    }
}
