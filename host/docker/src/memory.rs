//! What was found in images, remembered by image id: an image never changes, so an answer is good for ever.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Write,
    sync::{Mutex, PoisonError},
};

use cap_std::fs::{Dir, OpenOptions};
use serde::{Deserialize, Serialize};
use sti_core::{ImageId, PathFact};

/// Raised when a reader of an older file would go wrong; files of another number are not read.
const SCHEMA: u32 = 1;
/// Larger files are read again each time.
const LONGEST_TEXT: usize = 64 * 1024;

/// Answers about images: in memory, and in a directory where one was given.
pub(crate) struct Memory {
    directory: Option<Dir>,
    images: Mutex<HashMap<ImageId, Remembered>>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Remembered {
    schema: u32,
    /// `null` where nothing is there.
    paths: BTreeMap<String, Option<PathFact>>,
    /// `null` where there is no file.
    texts: BTreeMap<String, Option<String>>,
    /// Directories that are no links.
    #[serde(default)]
    plain: BTreeSet<String>,
}

/// What is remembered of one thing in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    /// It must be asked.
    Unknown,
    /// It is not there.
    Absent,
    /// It is this.
    Present(T),
}

impl<T: Clone> Answer<T> {
    fn of(remembered: Option<&Option<T>>) -> Self {
        match remembered {
            None => Self::Unknown,
            Some(None) => Self::Absent,
            Some(Some(known)) => Self::Present(known.clone()),
        }
    }
}

impl Memory {
    /// Nothing is read before it is asked for.
    pub(crate) fn new(directory: Option<Dir>) -> Self {
        Self { directory, images: Mutex::default() }
    }

    /// What lies at a path.
    pub(crate) fn path(&self, image: &ImageId, path: &str) -> Answer<PathFact> {
        self.with(image, |remembered| Answer::of(remembered.paths.get(path)))
    }

    /// What a small file holds.
    pub(crate) fn text(&self, image: &ImageId, path: &str) -> Answer<String> {
        self.with(image, |remembered| Answer::of(remembered.texts.get(path)))
    }

    /// Whether it is known that no link lies at a path.
    pub(crate) fn is_plain(&self, image: &ImageId, path: &str) -> bool {
        self.with(image, |remembered| remembered.plain.contains(path))
    }

    /// Remembers what lies at a path.
    pub(crate) fn learn_path(&self, image: &ImageId, path: &str, fact: Option<&PathFact>) {
        self.learn(image, |remembered| {
            remembered.paths.insert(path.to_owned(), fact.cloned());
        });
    }

    /// Remembers a file where it is small and text.
    pub(crate) fn learn_text(&self, image: &ImageId, path: &str, bytes: Option<&[u8]>) {
        let text = match bytes.map(std::str::from_utf8) {
            None => None,
            Some(Ok(text)) if text.len() <= LONGEST_TEXT => Some(text.to_owned()),
            Some(_) => return,
        };
        self.learn(image, |remembered| {
            remembered.texts.insert(path.to_owned(), text);
        });
    }

    /// Remembers that no link lies at a path.
    pub(crate) fn learn_plain(&self, image: &ImageId, path: &str) {
        self.learn(image, |remembered| {
            remembered.plain.insert(path.to_owned());
        });
    }

    fn with<T>(&self, image: &ImageId, ask: impl FnOnce(&Remembered) -> T) -> T {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        ask(images.entry(image.clone()).or_insert_with(|| self.load(image)))
    }

    fn learn(&self, image: &ImageId, change: impl FnOnce(&mut Remembered)) {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = images.entry(image.clone()).or_insert_with(|| self.load(image));
        change(remembered);
        // What cannot be written down is asked again by the next build, which is no reason to fail.
        let _ = self.save(image, remembered);
    }

    fn load(&self, image: &ImageId) -> Remembered {
        let fresh = Remembered { schema: SCHEMA, ..Remembered::default() };
        let read = || -> Option<Remembered> {
            let text = self.directory.as_ref()?.read_to_string(file_name(image)?).ok()?;
            serde_json::from_str(&text).ok()
        };
        read().filter(|remembered| remembered.schema == SCHEMA).unwrap_or(fresh)
    }

    /// Written aside and renamed: a reader finds the old file or the new one, never half of either.
    fn save(&self, image: &ImageId, remembered: &Remembered) -> std::io::Result<()> {
        let (Some(directory), Some(name)) = (&self.directory, file_name(image)) else { return Ok(()) };
        let aside = format!("{name}.{}.new", std::process::id());
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = directory.open_with(&aside, &options)?;
        file.write_all(&serde_json::to_vec(remembered)?)?;
        directory.rename(&aside, directory, name)
    }
}

/// Only a proper id becomes the name of a file.
fn file_name(image: &ImageId) -> Option<String> {
    let digits = image.as_str().strip_prefix("sha256:").unwrap_or(image.as_str());
    (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| format!("{digits}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sti_core::PathKind;

    fn fact() -> PathFact {
        PathFact { path: "/bin/x".to_owned(), kind: PathKind::File, mode: 0o755, uid: 0, gid: 0, size: 3 }
    }

    #[test]
    fn remembers_in_a_directory_what_is_there_and_what_is_not() {
        let home = tempfile::tempdir().unwrap();
        let open = || Dir::open_ambient_dir(home.path(), cap_std::ambient_authority()).unwrap();
        let image = ImageId(format!("sha256:{}", "0a".repeat(32)));
        let memory = Memory::new(Some(open()));
        assert_eq!(memory.path(&image, "/bin/x"), Answer::Unknown);
        memory.learn_path(&image, "/bin/x", Some(&fact()));
        memory.learn_path(&image, "/bin/y", None);
        memory.learn_plain(&image, "/opt");
        memory.learn_text(&image, "/etc/passwd", Some(b"root:x:0:0::/root:/bin/sh\n"));
        let memory = Memory::new(Some(open()));
        assert_eq!(memory.path(&image, "/bin/x"), Answer::Present(fact()));
        assert_eq!(memory.path(&image, "/bin/y"), Answer::Absent);
        assert!(memory.is_plain(&image, "/opt") && !memory.is_plain(&image, "/bin/x"));
        assert!(matches!(memory.text(&image, "/etc/passwd"), Answer::Present(text) if text.starts_with("root")));
        assert_eq!(home.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn takes_a_spoilt_file_for_none_and_an_odd_id_for_no_file() {
        let home = tempfile::tempdir().unwrap();
        let directory = Dir::open_ambient_dir(home.path(), cap_std::ambient_authority()).unwrap();
        let image = ImageId(format!("sha256:{}", "0a".repeat(32)));
        directory.write(file_name(&image).unwrap(), b"{ half").unwrap();
        let memory = Memory::new(Some(directory));
        assert_eq!(memory.path(&image, "/bin/x"), Answer::Unknown);
        let odd = ImageId("../../decoy".to_owned());
        memory.learn_path(&odd, "/bin/x", None);
        assert_eq!(memory.path(&odd, "/bin/x"), Answer::Absent);
        assert_eq!(home.path().read_dir().unwrap().count(), 1);
    }
}
