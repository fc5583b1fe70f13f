//! Containers: run one to its end, read what it printed, read files out of images.

use std::io::Read;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tar::Archive;

use crate::{Body, Engine, engine::encoded};

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code.
    pub code: i64,
    /// What it printed.
    pub output: Output,
}

/// What a container printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// To standard output.
    pub stdout: String,
    /// To standard error.
    pub stderr: String,
}

impl Engine {
    /// Creates a container from a request as the API takes it. Answers its id.
    pub fn create_container(&self, request: &Value) -> Result<String> {
        let answer = self.post("/containers/create", request)?;
        answer["Id"].as_str().map(str::to_owned).context("a container without an id")
    }

    /// The same, with a name of its own.
    pub fn create_named_container(&self, name: &str, request: &Value) -> Result<String> {
        let answer = self.post(&format!("/containers/create?name={}", encoded(name)), request)?;
        answer["Id"].as_str().map(str::to_owned).context("a container without an id")
    }

    /// Creates a container from a request, runs it to its end, removes it.
    pub fn run(&self, request: &Value) -> Result<Ended> {
        let id = self.create_container(request)?;
        let ended = self.start_and_wait(&id);
        self.remove_container(&id)?;
        ended
    }

    /// Starts a container, waits for its end and reads what it printed.
    pub fn start_and_wait(&self, id: &str) -> Result<Ended> {
        self.post(&format!("/containers/{id}/start"), &Value::Null)?;
        let code = self.post(&format!("/containers/{id}/wait"), &Value::Null)?["StatusCode"].as_i64().context("no exit code")?;
        Ok(Ended { code, output: self.output(id)? })
    }

    /// What a container printed so far.
    pub fn output(&self, id: &str) -> Result<Output> {
        let mut answer = self.send("GET", &format!("/containers/{id}/logs?stdout=1&stderr=1"), Body::None)?.good()?;
        let mut frames = Vec::new();
        answer.body.read_to_end(&mut frames)?;
        Ok(unframed(&frames))
    }

    /// Removes a container, running or not, with its anonymous volumes.
    pub fn remove_container(&self, id: &str) -> Result<()> {
        self.delete(&format!("/containers/{id}?force=1&v=1"))
    }

    /// Reads a file out of an image; `None` where there is none. A container is made for it, with the labels, and removed.
    pub fn read_file(&self, image: &str, path: &str, labels: &Value) -> Result<Option<Vec<u8>>> {
        let id = self.create_container(&json!({ "Image": image, "Cmd": ["/nothing"], "Entrypoint": [], "Labels": labels }))?;
        let read = self.read_file_of_container(&id, path);
        self.remove_container(&id)?;
        read
    }

    /// Reads a file of a container; `None` where there is none.
    pub fn read_file_of_container(&self, id: &str, path: &str) -> Result<Option<Vec<u8>>> {
        let answer = self.send("GET", &format!("/containers/{id}/archive?path={}", encoded(path)), Body::None)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let mut archive = Archive::new(answer.good()?.body);
        let mut bytes = Vec::new();
        archive.entries()?.next().context("an archive without entries")??.read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// Takes apart the frames in which standard output and error come together: a byte for which, three of nothing, four of length.
fn unframed(mut frames: &[u8]) -> Output {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    while let Some((&[which, _, _, _, a, b, c, d], rest)) = frames.split_first_chunk::<8>() {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX).min(rest.len());
        let (text, rest) = rest.split_at(length);
        if which == 2 { &mut stderr } else { &mut stdout }.extend_from_slice(text);
        frames = rest;
    }
    Output { stdout: String::from_utf8_lossy(&stdout).into_owned(), stderr: String::from_utf8_lossy(&stderr).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_frames_apart_even_where_they_split_a_letter() {
        let frames =
            [&[1, 0, 0, 0, 0, 0, 0, 1, 0xc3][..], &[2, 0, 0, 0, 0, 0, 0, 2, b'n', b'o'], &[1, 0, 0, 0, 0, 0, 0, 1, 0xa4]]
                .concat();
        assert_eq!(unframed(&frames), Output { stdout: "ä".to_owned(), stderr: "no".to_owned() });
    }
}
