//! Root file systems, made by mmdebstrap and kept below the target directory for as long as their recipe stays the same.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::commands::target_directory;

use super::packages::{Packages, Sources};

/// Nobody reads these in an image, and an engine takes each file up one by one.
const NOT_UNPACKED: &[&str] = &["/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*"];

/// The user by name, as some programs ask for it, and the directories in which applications are built and scripts lie.
const PLACES: &str = r#"set -e
echo "default:x:1001:0:Default Application User:/opt/app-root/src:/usr/sbin/nologin" >>"$1/etc/passwd"
install -d -o 1001 -g 0 -m 775 "$1/opt/app-root" "$1/opt/app-root/bin" "$1/opt/app-root/src"
install -d -m 755 "$1/usr/libexec" "$1/usr/libexec/s2i""#;

/// Images get no more packages, and where this machine gets them is nobody's business. The one file that stays mmdebstrap removes itself.
const TIDY: &str = r#"find "$1/etc/apt" -type f ! -name 00mmdebstrap -delete
rm -rf "$1/var/lib/apt" "$1/var/cache/apt" "$1/var/lib/dpkg/info""#;

/// How a root file system is made.
pub(super) struct Root {
    name: String,
    packages: Packages,
    /// A script of the folder that finishes it, which finds it at `$1`.
    finish: Option<String>,
}

impl Root {
    /// The root file system that a folder describes.
    pub(super) fn of(name: &str, folder: &Path) -> Result<Self> {
        let packages = folder.join("packages");
        let packages = fs::read_to_string(&packages).with_context(|| packages.display().to_string())?;
        let finish = folder.join("root");
        let finish = if finish.is_file() { Some(fs::read_to_string(finish)?) } else { None };
        Ok(Self { name: name.to_owned(), packages: Packages::read(&packages), finish })
    }

    /// Its tar, which is made unless it is there.
    pub(super) fn made(&self) -> Result<PathBuf> {
        let tar = cache()?.join(format!("{}-{:016x}.tar", self.name, self.digest()));
        if tar.is_file() {
            return Ok(tar);
        }
        self.forget()?;
        println!("making the root file system of {} from packages; the next time it is there", self.name);
        let began = Instant::now();
        // Under another name until it is whole: what an interrupted run leaves is no root file system.
        let unfinished = cache()?.join(format!("{}.unfinished.tar", self.name));
        self.make(&unfinished)?;
        fs::rename(&unfinished, &tar)?;
        println!("made in {:.0} s, {} MB", began.elapsed().as_secs_f64(), fs::metadata(&tar)?.len() / 1_000_000);
        Ok(tar)
    }

    fn make(&self, tar: &Path) -> Result<()> {
        let sources = Sources::of_this_machine()?;
        let list = cache()?.join("sources.list");
        fs::write(&list, &sources.list)?;
        let mut mmdebstrap = Command::new("mmdebstrap");
        // What goes wrong is said, progress is not.
        mmdebstrap.args(["--quiet", "--format=tar"]).args(self.recipe());
        mmdebstrap.args(sources.settings.iter().map(|setting| format!("--aptopt={setting}")));
        mmdebstrap.arg(&sources.release).arg(tar).arg(&list).stdin(Stdio::null());
        let status = mmdebstrap.status().context("mmdebstrap cannot be started")?;
        ensure!(status.success(), "mmdebstrap failed with {status}");
        Ok(())
    }

    /// All that decides what is in the tar, but for where packages come from.
    fn recipe(&self) -> Vec<String> {
        let mut recipe = vec!["--variant=essential".to_owned(), "--skip=cleanup/apt".to_owned()];
        if !self.packages.wanted.is_empty() {
            recipe.push(format!("--include={}", self.packages.wanted.join(",")));
        }
        // It is gone with the machine's power anyway.
        recipe.push("--dpkgopt=force-unsafe-io".to_owned());
        recipe.extend(NOT_UNPACKED.iter().map(|paths| format!("--dpkgopt=path-exclude={paths}")));
        let stand_ins = self.packages.stand_ins();
        if !stand_ins.is_empty() {
            recipe.push(format!("--essential-hook=cat >>\"$1/var/lib/dpkg/status\" <<'END'\n{stand_ins}\nEND"));
        }
        recipe.push(format!("--customize-hook={PLACES}"));
        recipe.extend(self.finish.iter().map(|script| format!("--customize-hook=set -e\n{}", script.trim_end())));
        recipe.push(format!("--customize-hook={TIDY}"));
        recipe
    }

    /// Tells recipes apart. That another Rust may count otherwise costs no more than making it again.
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.recipe().hash(&mut hasher);
        hasher.finish()
    }

    /// Removes what was made by another recipe.
    fn forget(&self) -> Result<()> {
        for entry in fs::read_dir(cache()?)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let digest = name.strip_prefix(&format!("{}-", self.name)).and_then(|rest| rest.strip_suffix(".tar"));
            // `c-` also begins the names of `c-runtime`.
            if digest.is_some_and(|digest| u64::from_str_radix(digest, 16).is_ok()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn cache() -> Result<PathBuf> {
    let cache = target_directory().join("real");
    fs::create_dir_all(&cache)?;
    Ok(cache)
}
