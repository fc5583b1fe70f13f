//! Which policy file is read. A pure function: who calls it knows the flag, the environment and the disk.

use std::path::{Path, PathBuf};

use crate::Error;

/// Where a site puts its policy.
pub const SITE_FILE: &str = "/etc/sti/policy.toml";

/// The policy file that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The site's, [`SITE_FILE`].
    Site,
    /// One that the user named.
    Named(PathBuf),
    /// None: the command line is the grant.
    None,
}

/// Chooses the policy file: the site's where it exists, else `--policy`, else `STI_POLICY`. Naming one beside the site's is an error,
/// so that nobody believes in a policy that is not read.
pub fn choose(site_exists: bool, flag: Option<&Path>, variable: Option<&Path>) -> Result<Which, Error> {
    let variable = variable.filter(|path| !path.as_os_str().is_empty());
    let site_decides = |asked| Error::SiteDecides { asked, site: PathBuf::from(SITE_FILE) };
    match (site_exists, flag, variable) {
        (true, Some(_), _) => Err(site_decides("--policy")),
        (true, None, Some(_)) => Err(site_decides("STI_POLICY")),
        (true, None, None) => Ok(Which::Site),
        (false, Some(path), _) | (false, None, Some(path)) => Ok(Which::Named(path.to_owned())),
        (false, None, None) => Ok(Which::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_chooses(site_exists: bool, flag: Option<&str>, variable: Option<&str>, expected: Result<Which, &str>) {
        let chosen = choose(site_exists, flag.map(Path::new), variable.map(Path::new)).map_err(|error| error.to_string());
        assert_eq!(chosen, expected.map_err(str::to_owned));
    }

    #[test]
    fn prefers_the_flag_and_reads_nothing_unasked() {
        check_chooses(false, None, None, Ok(Which::None));
        check_chooses(false, None, Some(""), Ok(Which::None));
        check_chooses(false, None, Some("env.toml"), Ok(Which::Named("env.toml".into())));
        check_chooses(false, Some("flag.toml"), Some("env.toml"), Ok(Which::Named("flag.toml".into())));
    }

    #[test]
    fn lets_nothing_replace_the_sites_policy() {
        check_chooses(true, None, None, Ok(Which::Site));
        check_chooses(true, None, Some(""), Ok(Which::Site));
        let refused = "--policy cannot be used: this site decides by `/etc/sti/policy.toml`";
        check_chooses(true, Some("flag.toml"), None, Err(refused));
        check_chooses(true, Some("flag.toml"), Some("env.toml"), Err(refused));
        check_chooses(
            true,
            None,
            Some("env.toml"),
            Err("STI_POLICY cannot be used: this site decides by `/etc/sti/policy.toml`"),
        );
    }
}
