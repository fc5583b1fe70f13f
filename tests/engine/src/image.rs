//! Images made of a few files, imported without anything being pulled.

use std::{
    fmt::Write as _,
    fs::File,
    io::{Read, Seek, Write},
    path::Path,
};

use anyhow::{Context, Result};
use tar::{Archive, Builder, EntryType, Header};

use crate::{Body, Engine, engine::encoded};

/// One thing in an image.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A directory with mode and owner.
    Directory {
        /// Absolute.
        path: String,
        /// The permission bits.
        mode: u32,
        /// User and group.
        owner: (u64, u64),
    },
    /// A file of root's.
    File {
        /// Absolute.
        path: String,
        /// The permission bits.
        mode: u32,
        /// What it holds.
        bytes: Vec<u8>,
    },
    /// A file of somebody's.
    OwnedFile {
        /// Absolute.
        path: String,
        /// The permission bits.
        mode: u32,
        /// User and group.
        owner: (u64, u64),
        /// What it holds.
        bytes: Vec<u8>,
    },
    /// A further name of a file that stands earlier in the list.
    HardLink {
        /// Absolute.
        path: String,
        /// The earlier name.
        to: String,
    },
    /// A symbolic link.
    Link {
        /// Absolute.
        path: String,
        /// Where it leads.
        to: String,
    },
}

/// An image to be made from nothing.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// What is in it, directories before what they hold.
    pub entries: Vec<Entry>,
    /// Its configuration as Dockerfile instructions: `USER 1001`, `ENV A=b`, `LABEL a=b`, ….
    pub changes: Vec<String>,
}

impl Engine {
    /// Makes an image and gives it a name. Answers its id.
    pub fn import(&self, image: &Image, name: &str) -> Result<String> {
        self.import_tar(&mut |out| image.write(out), &image.changes, name)
    }

    /// The same over a root file system, which is a tar, not compressed: what the image has comes on top of it,
    /// and may repeat no path of it.
    pub fn import_over(&self, root: &Path, image: &Image, name: &str) -> Result<String> {
        let mut body = |out: &mut dyn Write| {
            let mut root = File::open(root).with_context(|| root.display().to_string())?;
            let length = length_of_entries(&mut root)?;
            root.rewind()?;
            std::io::copy(&mut root.take(length), out)?;
            image.write(out)
        };
        self.import_tar(&mut body, &image.changes, name)
    }

    fn import_tar(&self, tar: &mut dyn FnMut(&mut dyn Write) -> Result<()>, changes: &[String], name: &str) -> Result<String> {
        // Podman reads no tag of its own here.
        let mut path = format!("/images/create?fromSrc=-&repo={}", encoded(name));
        for change in changes {
            write!(path, "&changes={}", encoded(change))?;
        }
        let mut answer = self.send("POST", &path, Body::Tar(tar))?.good()?;
        // The engine tells of a failure in the stream of its progress.
        let progress = answer.text()?;
        anyhow::ensure!(!progress.contains("\"error\""), "importing {name}: {progress}");
        let id = self.get(&format!("/images/{name}/json"))?["Id"].as_str().map(str::to_owned);
        id.context("an image without an id")
    }

    /// Pushes an image to the registry of its name, with credentials as JSON. Answers what the engine tells about it.
    pub fn push(&self, name: &str, credentials: &str) -> Result<String> {
        let (repository, tag) = name.rsplit_once(':').context("an image's name needs a tag here")?;
        let path = format!("/images/{}/push?tag={}", encoded(repository), encoded(tag));
        self.send_with("POST", &path, &format!("X-Registry-Auth: {}\r\n", base64(credentials)), Body::None)?.good()?.text()
    }

    /// Removes an image by name or id, with what only it needs.
    pub fn remove_image(&self, name: &str) -> Result<()> {
        self.delete(&format!("/images/{name}?force=true"))
    }
}

impl Image {
    /// The tar that the engine imports.
    fn write(&self, out: &mut dyn Write) -> Result<()> {
        let mut tar = Builder::new(out);
        for entry in &self.entries {
            match entry {
                Entry::Directory { path, mode, owner } => {
                    tar.append_data(&mut header(EntryType::Directory, *mode, *owner, 0), relative(path), std::io::empty())?;
                }
                Entry::File { path, mode, bytes } => append_file(&mut tar, path, *mode, (0, 0), bytes)?,
                Entry::OwnedFile { path, mode, owner, bytes } => append_file(&mut tar, path, *mode, *owner, bytes)?,
                Entry::HardLink { path, to } => {
                    tar.append_link(&mut header(EntryType::Link, 0o755, (0, 0), 0), relative(path), relative(to))?;
                }
                Entry::Link { path, to } => {
                    tar.append_link(&mut header(EntryType::Symlink, 0o777, (0, 0), 0), relative(path), to)?;
                }
            }
        }
        Ok(tar.finish()?)
    }
}

fn append_file(tar: &mut Builder<&mut dyn Write>, path: &str, mode: u32, owner: (u64, u64), bytes: &[u8]) -> Result<()> {
    let mut header = header(EntryType::Regular, mode, owner, bytes.len() as u64);
    Ok(tar.append_data(&mut header, relative(path), bytes)?)
}

/// Where the entries of a tar end. Behind them comes what says that it has ended, and nobody reads further.
fn length_of_entries(tar: &mut File) -> Result<u64> {
    let mut end = 0;
    for entry in Archive::new(tar).entries_with_seek()? {
        let entry = entry?;
        end = entry.raw_file_position() + entry.size().next_multiple_of(512);
    }
    Ok(end)
}

/// In the alphabet for addresses (RFC 4648, section 5).
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut written = String::new();
    for piece in text.as_bytes().chunks(3) {
        let bits = piece.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - piece.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            written.push(if place > piece.len() { '=' } else { char::from(letter) });
        }
    }
    written
}

fn relative(path: &str) -> &str {
    path.trim_start_matches('/')
}

fn header(kind: EntryType, mode: u32, owner: (u64, u64), size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner.0);
    header.set_gid(owner.1);
    header.set_size(size);
    header
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn writes_base64_with_the_padding_that_the_engine_wants() {
        for (text, wanted) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("??>", "Pz8-")] {
            assert_eq!(base64(text), wanted);
        }
    }
}
